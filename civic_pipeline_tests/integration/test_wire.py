"""Responses as they come off the network: compressed, in chunks, or too slow. Over a socket, with a clock of its own."""

import gzip
import json
import socket
import threading
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from civic_pipeline.errors import FileUnreadable, PortalRefused, PortalUnreachable
from civic_pipeline.portals import Access, http, wire
from civic_pipeline.portals import decompression_limit as limit
from civic_pipeline.portals.http import Body, Client

HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nConnection: close\r\n"


@contextmanager
def portal(*pieces: bytes) -> Iterator[str]:
    """A server that answers every request with `pieces`, one after the other. Gives its address."""

    def serve() -> None:
        while True:
            try:
                connection, _ = listener.accept()
            except OSError:
                return
            with connection:
                connection.recv(1 << 16)
                try:
                    for piece in pieces:
                        connection.sendall(piece)
                except OSError:
                    pass

    with socket.create_server(("127.0.0.1", 0)) as listener:
        threading.Thread(target=serve, daemon=True).start()
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"
        listener.shutdown(socket.SHUT_RDWR)


def chunked(body: bytes) -> bytes:
    parts = [body[start : start + 60_000] for start in range(0, len(body), 60_000)]
    return b"".join(b"%x\r\n%s\r\n" % (len(part), part) for part in parts) + b"0\r\n\r\n"


@pytest.fixture(autouse=True)
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(http, "pause", lambda _: None)


@pytest.fixture
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    """A megabyte may expand at any ratio, instead of a gigabyte."""
    monkeypatch.setattr(limit, "ALWAYS_ALLOWED_BYTES", 1 << 20)


def download(url: str, folder: Path) -> bytes:
    client = Client(1, Access(root=url).session())
    return client.download(f"{url}/export", {}, folder / "body", lambda body: body.path.read_bytes())


TABLE = json.dumps([n**3 for n in range(200_000)]).encode()  # 3 MB, compressed to a third


@pytest.mark.usefixtures("small")
@pytest.mark.parametrize("is_chunked", [True, False])
@pytest.mark.parametrize("is_encoded", [True, False])
def test_an_honest_body_is_read_however_it_comes(is_chunked: bool, is_encoded: bool, tmp_path: Path) -> None:
    body = gzip.compress(TABLE) if is_encoded else TABLE
    head = HEAD + (b"Content-Encoding: gzip\r\n" if is_encoded else b"")
    head += b"Transfer-Encoding: chunked\r\n\r\n" if is_chunked else b"Content-Length: %d\r\n\r\n" % len(body)
    with portal(head, chunked(body) if is_chunked else body) as url:
        assert download(url, tmp_path) == TABLE


@pytest.mark.usefixtures("small")
def test_a_decompression_bomb_in_chunks_is_an_error(tmp_path: Path) -> None:
    bomb = chunked(gzip.compress(b" " * (1 << 24)))
    with (
        portal(HEAD + b"Content-Encoding: gzip\r\nTransfer-Encoding: chunked\r\n\r\n", bomb) as url,
        pytest.raises(FileUnreadable, match="expands to more than 100 times its compressed size"),
    ):
        download(url, tmp_path)


@pytest.mark.parametrize("encoding", ["gzip", "deflate", "gzip, gzip"])
def test_a_compressed_body_that_ends_too_early_is_a_failed_try(encoding: str, tmp_path: Path) -> None:
    body = zlib.compress(TABLE) if encoding == "deflate" else gzip.compress(TABLE)
    if encoding == "gzip, gzip":
        body = gzip.compress(body[:-9])
    with (
        portal(
            HEAD + b"Content-Encoding: %s\r\n\r\n" % encoding.encode(), body[: -20 if "," not in encoding else None]
        ) as url,
        pytest.raises(PortalUnreachable, match="the compressed body ends too early"),
    ):
        download(url, tmp_path)


@pytest.mark.parametrize(
    "answer",
    [
        HEAD + b"Transfer-Encoding: chunked\r\n\r\n-5\r\n[]",
        b"HTTP/1.1 302 Found\r\nLocation: http://[::1/x\r\n\r\n",
        b"HTTP/1.1 302 Found\r\nLocation: http://a..b/x\r\n\r\n",
        b"HTTP/1.1 302 Found\r\nLocation: http://\xff/x\r\n\r\n",
        b"HTTP/1.1 302 Found\r\nLocation: file:///etc/passwd\r\n\r\n",
    ],
)
def test_what_no_library_foresees_is_a_failed_try(answer: bytes, tmp_path: Path) -> None:
    with portal(answer) as url, pytest.raises(PortalUnreachable, match="could not be reached"):
        download(url, tmp_path)


class Clock:
    """A clock on which a number of seconds passes before each look at it."""

    def __init__(self, step: float) -> None:
        self.seconds, self.step = 0.0, step

    def __call__(self) -> float:
        self.seconds += self.step
        return self.seconds


@pytest.mark.parametrize(
    ("pieces", "step", "message"),
    [
        (
            (HEAD, b"Content-Length: 9000000\r\n\r\n", b"[" * 500),
            130,
            "fewer than 1,000 bytes a second for 120 seconds",
        ),
        ((HEAD, b"X-Slow: yes\r\n" * 20_000), 130, "fewer than 1,000 bytes a second for 120 seconds"),
        ((HEAD, b"Content-Length: 9000000\r\n\r\n", b"[" * 500), 3700, "not complete after 3,600 seconds"),
    ],
)
def test_a_response_that_is_too_slow_is_a_failed_try(
    pieces: tuple[bytes, ...], step: float, message: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(wire, "now", Clock(step))
    with portal(*pieces) as url, pytest.raises(PortalUnreachable, match=message):
        client = Client(1, Access(root=url).session())
        try:
            client.download(f"{url}/export", {}, tmp_path / "body", Body.json)
        finally:
            assert client.traffic.retries == 3


def test_a_response_at_the_least_rate_is_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(wire, "now", Clock(1))
    head = HEAD + b"Content-Length: %d\r\n\r\n" % len(TABLE)
    with portal(head, TABLE) as url:
        assert download(url, tmp_path) == TABLE


def test_an_attempt_ends_after_four_hours(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """However small and quick each response is."""
    monkeypatch.setattr(http, "now", Clock(3000))
    with portal(HEAD + b"Content-Length: 2\r\n\r\n{}") as url:
        client = Client(1, Access(root=url).session())
        for _ in range(4):
            assert client.json(f"{url}/page", {}) == {}
        with pytest.raises(PortalRefused, match="the attempt is not complete after 14,400 seconds"):
            client.json(f"{url}/page", {})
    assert client.traffic.requests == 4
