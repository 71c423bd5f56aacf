"""Strangers at `civic serve` and `civic site serve`: whatever they send, the server answers or closes, and logs no traceback."""

import socket
import threading
from collections.abc import Iterator
from pathlib import Path

import duckdb
import pytest
import requests
from hypothesis import given, settings
from hypothesis import strategies as st
from starlette.applications import Starlette

from civic_pipeline.publish import limits, server
from civic_pipeline.publish.site import server as site_server
from civic_pipeline.settings import Settings

pytestmark = pytest.mark.slow

TOKEN = "a-secret-of-the-tests-of-servers"
RELEASE = "2026-11-22T220401.123456Z.duckdb"

WORDS = st.sampled_from([
    "/", "..", "%2e%2e", "%00", "%ff", "\\", "//", "warehouse.duckdb", "releases", RELEASE, "index.html", "files", "rows.parquet", "?", "#", ";",
    "http://elsewhere/", "*", "é", " ", "\t", "\x1b[2J", "a" * 300,
])  # fmt: skip
TARGETS = st.lists(WORDS, max_size=6).map(lambda words: "/" + "".join(words))
NUMBERS = st.sampled_from(["", "0", "1", "9", "-1", "99999999999999999999", "1e3", "x", " 1", "١"])
RANGES = st.lists(st.tuples(NUMBERS, NUMBERS).map("-".join), max_size=40).map(lambda parts: "bytes=" + ",".join(parts))
VALUES = st.text(st.characters(codec="latin-1", exclude_characters="\r\n"), max_size=40)
HEADERS = st.lists(
    st.one_of(
        st.tuples(st.just("Range"), RANGES),
        st.tuples(st.sampled_from(["If-Range", "If-None-Match", "If-Modified-Since"]), VALUES | st.sampled_from(["*", '""', 'W/"x"', "Wed, 99 Foo 2024"])),
        st.tuples(st.just("Authorization"), VALUES | st.sampled_from(["Basic", "Basic ====", "Basic \xff", "Bearer", f"Bearer {TOKEN}x"])),
        st.tuples(st.sampled_from(["Host", "Connection", "Expect", "Upgrade", "Transfer-Encoding", "Content-Length", "Accept-Encoding"]), VALUES | st.sampled_from(["chunked", "100-continue", "close", "h2c", "5", "-5"])),
        st.tuples(st.text(st.characters(codec="latin-1", exclude_characters="\r\n"), max_size=12), VALUES),
    ),
    max_size=6,
)  # fmt: skip
METHODS = st.sampled_from(["GET", "HEAD", "POST", "PUT", "DELETE", "OPTIONS", "TRACE", "CONNECT", "get", "G\x00T", ""])
HEADS = st.tuples(METHODS, TARGETS, st.sampled_from(["HTTP/1.1", "HTTP/1.0", "HTTP/9", ""]), st.booleans(), HEADERS)
RAW = st.binary(max_size=200)


@pytest.fixture(scope="module", params=["releases", "site"])
def address(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, int]]:
    folder = tmp_path_factory.mktemp(request.param)
    app = releases_in(folder) if request.param == "releases" else site_in(folder)
    running = limits.limited_server(app)
    with socket.create_server(("127.0.0.1", 0), backlog=128) as listening:
        thread = threading.Thread(target=running.run, kwargs={"sockets": [listening]}, daemon=True)
        thread.start()
        yield listening.getsockname()
        running.should_exit = running.force_exit = True
        thread.join(30)
    assert not thread.is_alive()


def releases_in(folder: Path) -> Starlette:
    (folder / "releases").mkdir()
    with duckdb.connect(str(folder / "releases" / RELEASE)) as connection:
        connection.execute("create table one as select 1 as a")
    (folder / "warehouse.duckdb").hardlink_to(folder / "releases" / RELEASE)
    return server.application(Settings(data=folder, serve_token=TOKEN))


def site_in(folder: Path) -> Starlette:
    (folder / "files").mkdir()
    (folder / "manifest.json").write_text("{}")
    (folder / "index.html").write_text("first page")
    (folder / "files" / "rows.parquet").write_bytes(b"0123456789")
    return site_server.application(folder)


def sent(address: tuple[str, int], message: bytes) -> bytes:
    """What comes back for `message`, after which nothing more is sent."""
    received = bytearray()
    with socket.create_connection(address, timeout=30) as connection:
        try:
            connection.sendall(message)
            connection.shutdown(socket.SHUT_WR)
            while part := connection.recv(65_536):
                received += part
        except (ConnectionResetError, BrokenPipeError):
            pass
    return bytes(received)


def check(address: tuple[str, int], answer: bytes, log: pytest.LogCaptureFixture) -> None:
    assert answer == b"" or (answer.startswith(b"HTTP/1.1 ") and answer[9:10] in b"1234"), answer[:200]
    assert not [record for record in log.records if record.exc_info], log.text
    assert "\x1b" not in log.text
    log.clear()
    assert requests.get(f"http://{address[0]}:{address[1]}/nothing", timeout=30).status_code in (401, 404)


@settings(max_examples=800)
@given(head=HEADS)
def test_any_head_is_answered_or_refused(
    address: tuple[str, int], caplog: pytest.LogCaptureFixture, head: tuple[str, str, str, bool, list[tuple[str, str]]]
) -> None:
    method, target, version, is_known, headers = head
    known = [("Host", "a"), ("Authorization", f"Bearer {TOKEN}")] if is_known else []
    lines = [f"{method} {target} {version}", *(f"{name}: {value}" for name, value in known + headers), "", ""]
    check(address, sent(address, "\r\n".join(lines).encode("utf-8", "replace")), caplog)


@settings(max_examples=400)
@given(ranges=RANGES, target=st.sampled_from([f"/releases/{RELEASE}", "/files/rows.parquet", "/index.html"]))
def test_any_range_is_answered(
    address: tuple[str, int], caplog: pytest.LogCaptureFixture, ranges: str, target: str
) -> None:
    head = f"GET {target} HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer {TOKEN}\r\nRange: {ranges}\r\n\r\n"
    check(address, sent(address, head.encode()), caplog)


@settings(max_examples=400)
@given(raw=RAW)
def test_any_bytes_are_answered_or_refused(
    address: tuple[str, int], caplog: pytest.LogCaptureFixture, raw: bytes
) -> None:
    check(address, sent(address, raw), caplog)
