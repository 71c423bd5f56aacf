"""`civic serve`: it serves only released files and only with the token; a reader keeps the release that it attached."""

import asyncio
import http.client
import json
import os
import random
import re
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import duckdb
import pytest
import requests
from terminal import IN_BACKGROUND, Place

from civic_pipeline.errors import AddressTaken, ServeTokenInvalid
from civic_pipeline.publish.server import application, serve
from civic_pipeline.settings import CHECKOUT, Settings

TOKEN = "-".join("a secret of the tests of civic serve".split())
BEARER = {"Authorization": f"Bearer {TOKEN}"}
ROWS = 100_000  # of each table: DuckDB reads the first megabyte when it attaches, and most only when it is asked


def name_of(number: int) -> str:
    return f"2026-11-22T2204{number:02}.123456Z.duckdb"


def publish(data: Path, number: int) -> Path:
    """Release `number`: two tables with this number in every row, long enough to be read in several ranges."""
    file = data / "releases" / name_of(number)
    file.parent.mkdir(parents=True, exist_ok=True)
    with duckdb.connect() as connection:
        connection.execute(f"attach '{file}' as r (storage_version 'v1.0.0')")
        connection.execute("create schema r.marts; create schema r.clean")
        for table in ("clean.payments", "marts.fct_payments"):
            connection.execute(
                f"create table r.{table} as select {number} as release, md5(concat(i, {number})) as payment_id"
                f" from range({ROWS + number}) as numbers(i)"
            )
        connection.execute("detach r")
    file.chmod(0o444)
    make_live(data, number)
    return file


def make_live(data: Path, number: int) -> None:
    draft = data / "warehouse.duckdb.new"
    draft.hardlink_to(data / "releases" / name_of(number))
    draft.replace(data / "warehouse.duckdb")


@dataclass(frozen=True)
class Server:
    process: "subprocess.Popen[bytes]"
    data: Path
    log: Path

    @property
    def url(self) -> str:
        match = re.search(r"at (http://\S+)/warehouse.duckdb", self.log.read_text())
        return match[1] if match else ""

    def get(self, path: str, **headers: str) -> requests.Response:
        return requests.get(self.url + path, headers=BEARER | headers, timeout=60)

    def raw(self, method: str, target: str, token: str | None = TOKEN) -> int:
        """The status of a request whose target is sent unchanged."""
        connection = http.client.HTTPConnection(self.url.removeprefix("http://"), timeout=60)
        try:
            headers = {"Authorization": f"Bearer {token}"} if token else {}
            connection.request(method, target, headers=headers)
            return connection.getresponse().status
        finally:
            connection.close()


@contextmanager
def serving_of(data: Path, *arguments: str, under: tuple[str, ...] = ()) -> Iterator[Server]:
    log = data.with_name(f"{data.name}.log")
    with log.open("wb") as sink:  # an unread pipe would become full
        process = subprocess.Popen(
            [*under, sys.executable, "-m", "civic_pipeline.cli", "serve", "--port", "0", *arguments],
            env=Place(data).environment | {"CIVIC_SERVE_TOKEN": TOKEN}, stdout=sink, stderr=sink,
        )  # fmt: skip
        server = Server(process, data, log)
        try:
            until(lambda: server.url != "" or process.poll() is not None)
            assert process.poll() is None, log.read_text()
            yield server
        finally:
            process.kill()
            process.wait()


def until(condition: Callable[[], bool]) -> None:
    """Wait until another process makes the condition true."""
    for _ in range(60 * 20):
        if condition():
            return
        time.sleep(0.05)
    raise AssertionError("the condition was never true")


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    data = tmp_path_factory.mktemp("served") / "data"
    publish(data, 1)
    with serving_of(data) as running:
        yield running


# The token


@pytest.mark.parametrize(
    ("token", "why"),
    [
        (None, "is not set"),
        ("", "is not set"),
        ("hunter2", "has 7 characters"),
        (f"{TOKEN} {TOKEN}", "contains a blank"),
        ("ab" * 30, "repeats a few characters"),
        ("changeme-" * 3 + "chang", "repeats a few characters"),
        ("0123456789abcdefghijklmnopqrstuv", "repeats a few characters or counts"),
    ],
    ids=["none", "empty", "short", "blank inside", "two letters", "a text again and again", "a sequence"],
)
def test_without_a_secure_token_the_server_does_not_start(tmp_path: Path, token: str | None, why: str) -> None:
    with pytest.raises(ServeTokenInvalid, match=rf"CIVIC_SERVE_TOKEN {why}.*secrets.token_urlsafe") as refused:
        application(Settings(data=tmp_path, serve_token=token))
    assert not token or token not in str(refused.value)


def test_the_command_reports_a_missing_token(tmp_path: Path) -> None:
    ended = Place(tmp_path / "data").civic("serve", "--port", "0")
    assert (ended.code, ended.is_plain) == (2, True), ended.err
    assert "CIVIC_SERVE_TOKEN is not set" in ended.message


@pytest.mark.parametrize("path", ["/warehouse.duckdb", f"/releases/{name_of(1)}", "/releases/", "/", "/nothing"])
def test_every_request_without_the_token_gets_401(server: Server, path: str) -> None:
    wrong = (
        "", f"Bearer {TOKEN[:-1]}", f"Bearer {TOKEN}x", f"bearer{TOKEN}", f"Bearer  {TOKEN}", TOKEN, f"Basic {TOKEN}", "Basic ä",
        "Bearer \xff", "Digest x", f"Token {TOKEN}",
    )  # fmt: skip
    for authorization in wrong:
        headers = {"Authorization": authorization.encode("latin-1")} if authorization else {}
        response = requests.get(server.url + path, headers=headers, timeout=60, allow_redirects=False)
        assert response.status_code == 401, authorization
        assert response.text == "A token is required."
        assert response.headers["www-authenticate"] == 'Basic realm="civic", Bearer'
    assert requests.get(f"{server.url}{path}?token={TOKEN}", timeout=60).status_code == 401


def test_wrong_tokens_take_no_memory_from_others(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("civic_pipeline.publish.server._WRONG_TOKEN_SECONDS", 0.001)
    app = application(Settings(data=tmp_path, serve_token=TOKEN))

    async def status(token: str) -> int:
        sent: list[dict[str, Any]] = []

        async def send(message: dict[str, Any]) -> None:
            sent.append(message)

        scope = {
            "type": "http",
            "method": "GET",
            "path": "/",
            "headers": [(b"authorization", f"Bearer {token}".encode())],
        }
        await app(scope, None, send)
        return int(sent[0]["status"])

    async def statuses() -> list[int]:
        return await asyncio.gather(*(status("wrong") for _ in range(103)), status(TOKEN))

    assert sorted(asyncio.run(statuses())) == [401] * 100 + [404] + [429] * 3
    assert asyncio.run(status("wrong")) == 401


def test_a_browser_can_send_the_token_as_password(server: Server) -> None:
    answer = requests.get(f"{server.url}/warehouse.duckdb", auth=("anybody", TOKEN), timeout=60)
    assert answer.content == (server.data / "warehouse.duckdb").read_bytes()
    assert requests.get(f"{server.url}/warehouse.duckdb", auth=(TOKEN, "anything"), timeout=60).status_code == 401


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "PATCH", "OPTIONS", "TRACE", "PROPFIND"])
def test_only_reading_is_allowed(server: Server, method: str) -> None:
    before = (server.data / "warehouse.duckdb").read_bytes()
    for path in ("/warehouse.duckdb", f"/releases/{name_of(1)}"):
        assert server.raw(method, path) == 405
        assert server.raw(method, path, token=None) == 401
    assert (server.data / "warehouse.duckdb").read_bytes() == before


# The served files


def test_only_releases_are_served(server: Server) -> None:
    data, releases = server.data, server.data / "releases"
    (data / "secret.txt").write_text("secret")
    (data / "build").mkdir()
    (data / "build" / "build.duckdb").write_text("secret")
    for name in ("draft.duckdb.new", f"{name_of(1)}.wal", "notes.txt", "..duckdb"):
        (releases / name).write_text("secret")
    (releases / name_of(91)).symlink_to(data / "secret.txt")
    (releases / name_of(92)).mkdir()
    os.mkfifo(releases / name_of(93))
    inside = [*(path.name for path in releases.iterdir() if path.name != name_of(1)), name_of(94)]
    assert len(inside) == 8
    targets = [f"/releases/{name}" for name in inside] + [
        "/", "/releases", "/releases/", f"/releases/{name_of(1)}/", f"/releases//{name_of(1)}", f"/{name_of(1)}",
        "/secret.txt", "/build/build.duckdb", "/releases/../secret.txt", "/releases/..%2fsecret.txt", "/releases/%2e%2e/secret.txt",
        "/releases/..%5csecret.txt", f"/releases/{name_of(1)}/../../secret.txt", "/releases/%2fetc%2fpasswd", "/releases//etc/passwd",
        "//etc/passwd", "/../../../../etc/passwd", f"/releases/{name_of(1)}%00.txt", f"/releases/{name_of(1)}%0a",
        "/releases/" + "a" * 5000, "/warehouse.duckdb/", "/warehouse.duckdb.wal", "/warehouse.duckdb%2f", "/Warehouse.duckdb",
    ]  # fmt: skip
    for target in targets:
        assert [server.raw(method, target) for method in ("GET", "HEAD")] == [404, 404], target
    assert server.raw("GET", f"/releases/{name_of(1)}") == 200


def test_before_the_first_release_the_status_is_404(tmp_path: Path) -> None:
    with serving_of(tmp_path / "data") as empty:
        assert empty.get("/warehouse.duckdb").status_code == 404
        publish(empty.data, 1)
        assert empty.get("/warehouse.duckdb").status_code == 200


def test_every_request_is_redirected_to_the_current_release(tmp_path: Path) -> None:
    publish(tmp_path / "data", 1)
    with serving_of(tmp_path / "data") as running:
        for number in (2, 3):
            file = publish(running.data, number)
            answer = running.get("/warehouse.duckdb")
            assert answer.url == f"{running.url}/releases/{file.name}"
            assert answer.content == file.read_bytes()
        make_live(running.data, 1)  # rolled back
        assert running.get("/warehouse.duckdb").url == f"{running.url}/releases/{name_of(1)}"


# Parts of a file


def test_ranges_return_the_bytes_of_the_file(server: Server) -> None:
    path, file = f"/releases/{name_of(1)}", (server.data / "releases" / name_of(1)).read_bytes()
    size, choose = len(file), random.Random(1)
    with requests.Session() as session:
        session.headers.update(BEARER)

        def ask(asked: str, **headers: str) -> requests.Response:
            return session.get(server.url + path, headers={"Range": asked} | headers, timeout=60)

        edges = [(0, 0), (0, size - 1), (size - 1, size - 1), (65_535, 65_536), (size - 2, size + 10)]
        pairs = [sorted(choose.sample(range(size), 2)) for _ in range(60)]
        for first, last in [*edges, *pairs]:
            answer = ask(f"bytes={first}-{last}")
            assert answer.status_code == 206
            assert answer.content == file[first : last + 1]
            assert answer.headers["content-range"] == f"bytes {first}-{min(last, size - 1)}/{size}"
        assert ask("bytes=-100").content == file[-100:]
        assert ask(f"bytes={size - 7}-").content == file[-7:]
        beyond = ask(f"bytes={size}-")
        assert (beyond.status_code, beyond.headers["content-range"]) == (416, f"bytes */{size}")
        parts = ask("bytes=0-9,100-109")
        assert parts.status_code == 206
        assert file[:10] in parts.content
        assert file[100:110] in parts.content
        whole = session.get(server.url + path, timeout=60)
        assert (whole.status_code, whole.content, whole.headers["accept-ranges"]) == (200, file, "bytes")
        assert ask("bytes=0-9", **{"If-Range": whole.headers["etag"]}).content == file[:10]
        assert ask("bytes=0-9", **{"If-Range": '"another"'}).content == file
        head = session.head(server.url + path, timeout=60)
        assert (head.headers["content-length"], head.content) == (str(size), b"")
        tag, since = whole.headers["etag"], whole.headers["last-modified"]
        for known in ({"If-None-Match": f'"x", {tag}'}, {"If-None-Match": f"W/{tag}"}, {"If-Modified-Since": since}):
            same = session.get(server.url + path, headers=known, timeout=60)
            assert (same.status_code, same.content, same.headers["etag"]) == (304, b"", tag)
        assert whole.headers["x-content-type-options"] == "nosniff"
        assert whole.headers["content-disposition"] == f'attachment; filename="{name_of(1)}"'


def test_files_of_one_size_and_second_have_different_tags(tmp_path: Path) -> None:
    from starlette.testclient import TestClient

    settings = Settings(data=tmp_path, serve_token=TOKEN)
    settings.releases.mkdir()
    tags = []
    for content, nanoseconds in ((b"first", 1), (b"other", 2)):
        file = settings.releases / name_of(1)
        file.write_bytes(content)
        os.utime(file, ns=(10**18 + nanoseconds, 10**18 + nanoseconds))
        tags.append(TestClient(application(settings), headers=BEARER).get(f"/releases/{file.name}").headers["etag"])
    assert tags[0] != tags[1]


def test_the_address_of_the_newest_release_refuses_ranges(server: Server) -> None:
    """DuckDB follows the redirect for every range, so it could mix the bytes of two releases."""
    answer = server.get("/warehouse.duckdb", Range="bytes=0-99")
    assert answer.status_code == 416
    assert "Attach the release that this address redirects to" in answer.text


# DuckDB as a client

_CLIENT = """
import importlib.resources, json, sys, duckdb
url, token, orders = sys.argv[1], sys.argv[2], sys.stdin
connection = duckdb.connect(config={"autoinstall_known_extensions": False, "autoload_known_extensions": False})
folder = importlib.resources.files("duckdb_extension_httpfs") / "extensions" / f"v{duckdb.__version__}"
connection.execute(f"load '{folder / 'httpfs.duckdb_extension'}'")
connection.execute(f"create secret (type http, bearer_token '{token}')")
for order in orders:
    try:
        answer = connection.execute(order).fetchall()
    except duckdb.Error as error:
        answer = str(error)
    print(json.dumps(answer, default=str), flush=True)
"""


@pytest.fixture(scope="module")
def httpfs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with DuckDB and its extension httpfs, which are not among our dependencies."""
    folder = tmp_path_factory.mktemp("httpfs")
    install = [
        sys.executable, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-deps", "--only-binary", ":all:",
        "--target", str(folder), "duckdb==1.5.5", "duckdb-extension-httpfs==1.5.5",
    ]  # fmt: skip
    installed = subprocess.run(install, capture_output=True, text=True, check=False)
    if installed.returncode:
        pytest.skip(f"duckdb's httpfs cannot be installed here: {installed.stderr.strip()[-200:]}")
    return folder


class Client:
    """A DuckDB in another process."""

    def __init__(self, httpfs: Path, url: str, token: str = TOKEN) -> None:
        self.url = url
        self._process = subprocess.Popen(
            [sys.executable, "-c", _CLIENT, url, token], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
            env=os.environ | {"PYTHONPATH": str(httpfs)},
        )  # fmt: skip

    def ask(self, order: str) -> object:
        assert self._process.stdin
        assert self._process.stdout
        self._process.stdin.write(f"{order}\n")
        self._process.stdin.flush()
        return json.loads(self._process.stdout.readline())

    def attach(self, path: str) -> object:
        return self.ask(f"attach '{self.url}{path}' as warehouse (read_only)")

    def end(self) -> None:
        self._process.communicate()


@pytest.fixture
def clients(httpfs: Path) -> Iterator[Callable[..., Client]]:
    started: list[Client] = []

    def make(*arguments: str) -> Client:
        started.append(Client(httpfs, *arguments))
        return started[-1]

    yield make
    for client in started:
        client.end()


def counts(number: int) -> list[Sequence[int]]:
    return [[ROWS + number, ROWS + number, number, number]]


IN_CLEAN, IN_MARTS = (
    f"select count(*), count(distinct payment_id), min(release), max(release) from warehouse.{table}"
    for table in ("clean.payments", "marts.fct_payments")
)


def test_duckdb_keeps_the_release_that_it_attached_while_others_are_published(
    tmp_path: Path, clients: Callable[..., Client]
) -> None:
    publish(tmp_path / "data", 1)
    with serving_of(tmp_path / "data") as running:
        early = [clients(running.url) for _ in range(3)]
        for client in early:
            assert client.attach(f"/releases/{name_of(1)}") == []
        assert early[0].ask(IN_CLEAN) == counts(1)
        for number in (2, 3):
            publish(running.data, number)
            newest = requests.head(f"{running.url}/warehouse.duckdb", headers=BEARER, timeout=60, allow_redirects=True)
            late = clients(running.url)
            assert late.attach(newest.url.removeprefix(running.url)) == []
            assert [late.ask(IN_CLEAN), late.ask(IN_MARTS)] == [counts(number), counts(number)]
        for client in early:
            assert [client.ask(IN_CLEAN), client.ask(IN_MARTS)] == [counts(1), counts(1)]


def test_duckdb_cannot_write_or_attach_the_redirect_or_connect_without_the_token(
    server: Server, clients: Callable[..., Client]
) -> None:
    client = clients(server.url)
    assert "HTTP 416" in str(client.attach("/warehouse.duckdb"))
    assert client.attach(f"/releases/{name_of(1)}") == []
    assert "read-only" in str(client.ask("create table warehouse.marts.mine as select 1"))
    stranger = clients(server.url, "not-the-token")
    assert "database does not exist" in str(stranger.attach(f"/releases/{name_of(1)}"))  # DuckDB's message for 401


_INSTALL = """
import importlib.resources, pathlib, shutil, duckdb
platform = duckdb.sql("pragma platform").fetchall()[0][0]
place = pathlib.Path.home() / ".duckdb" / "extensions" / f"v{duckdb.__version__}" / platform
place.mkdir(parents=True)
shutil.copy(importlib.resources.files("duckdb_extension_httpfs") / "extensions" / f"v{duckdb.__version__}" / "httpfs.duckdb_extension", place)
"""


def test_the_example_in_the_docs_for_analysts_runs(tmp_path: Path, httpfs: Path) -> None:
    page = (CHECKOUT / "docs" / "analysts.md").read_text(encoding="utf-8")
    (block,) = re.findall(r"^```py\n(.*?)^```", page, flags=re.MULTILINE | re.DOTALL)
    publish(tmp_path / "data", 1)
    with serving_of(tmp_path / "data") as running:
        ended = subprocess.run(
            [sys.executable, "-c", _INSTALL + block.replace("http://127.0.0.1:8765", running.url)],
            env=os.environ | {"PYTHONPATH": str(httpfs), "HOME": str(tmp_path / "home"), "CIVIC_SERVE_TOKEN": TOKEN},
            capture_output=True, text=True, check=False,
        )  # fmt: skip
    assert ended.returncode == 0, ended.stderr
    assert str(ROWS + 1) in ended.stdout


# Start and shutdown


@pytest.mark.parametrize("end", [signal.SIGINT, signal.SIGTERM])
@pytest.mark.parametrize("under", [(), IN_BACKGROUND], ids=["foreground", "background"])
def test_a_signal_ends_the_server_cleanly(tmp_path: Path, end: signal.Signals, under: tuple[str, ...]) -> None:
    publish(tmp_path / "data", 1)
    with serving_of(tmp_path / "data", under=under) as running, requests.Session() as idle:
        assert idle.get(f"{running.url}/warehouse.duckdb", headers=BEARER, timeout=60).status_code == 200
        running.process.send_signal(end)
        assert running.process.wait(timeout=60) == 0
        log = running.log.read_text()
        assert "Finished server process" in log
        assert "Traceback" not in log
        with pytest.raises(requests.ConnectionError):
            running.get("/warehouse.duckdb")


def test_the_log_contains_every_request_but_never_the_token(tmp_path: Path) -> None:
    publish(tmp_path / "data", 1)
    with serving_of(tmp_path / "data") as running:
        running.get("/warehouse.duckdb")
        requests.get(f"{running.url}/warehouse.duckdb?token={TOKEN}", auth=("x", TOKEN[:-1]), timeout=60)
        log = running.log.read_text()
    assert re.search(
        rf'^20\d\d-\d\d-\d\d \S+ 127.0.0.1:\d+ - "GET /releases/{name_of(1)} HTTP/1.1" 200$', log, re.MULTILINE
    )
    assert re.search(r'"GET /warehouse.duckdb HTTP/1.1" 401$', log, re.MULTILINE)
    assert TOKEN[:-1] not in log
    assert "unencrypted HTTP" not in log


def test_it_warns_if_other_machines_can_connect(tmp_path: Path) -> None:
    with serving_of(tmp_path / "data", "--host", "0.0.0.0") as running:
        assert "0.0.0.0 can be reached from other machines over unencrypted HTTP" in running.log.read_text()


def test_a_port_in_use_is_an_error(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(AddressTaken, match=rf"127.0.0.1, port {port}: .* in use.* Choose another --host"):
            serve(Settings(data=tmp_path, serve_token=TOKEN), "127.0.0.1", port)
