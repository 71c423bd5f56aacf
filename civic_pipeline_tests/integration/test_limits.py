"""Strangers at the web server: silent, endless, stalled and many connections end, and an honest client is answered."""

import asyncio
import socket
import threading
import time
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import ExitStack
from functools import partial

import pytest
import requests
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse, StreamingResponse
from starlette.routing import Route

from civic_pipeline.publish import limits

Address = tuple[str, int]


async def small(_: Request) -> PlainTextResponse:
    return PlainTextResponse("yes")


async def short(_: Request) -> PlainTextResponse:
    return PlainTextResponse("x" * 50_000)  # less than what a transport would keep without a limit of time


going_on = threading.Event()


async def blocked(_: Request) -> PlainTextResponse:
    going_on.wait(30)  # the server reads nothing meanwhile
    return PlainTextResponse("yes")


async def endless(_: Request) -> StreamingResponse:
    async def chunks() -> AsyncIterator[bytes]:
        while True:
            yield b"x" * 65_536
            await asyncio.sleep(0)

    return StreamingResponse(chunks())


@pytest.fixture
def address(monkeypatch: pytest.MonkeyPatch) -> Iterator[Address]:
    """A server in a thread, whose limits are short."""
    monkeypatch.setattr(limits, "REQUEST_SECONDS", 0.5)
    monkeypatch.setattr(limits, "STALLED_SECONDS", 0.5)
    monkeypatch.setattr(limits, "MOST_CONNECTIONS", 20)
    server = limits.limited_server(
        Starlette(routes=[Route("/", small), Route("/short", short), Route("/endless", endless)])
    )
    with socket.create_server(("127.0.0.1", 0), backlog=128) as listening:
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 4096)
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 20)
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listening]}, daemon=True)
        thread.start()
        yield listening.getsockname()
        server.should_exit = server.force_exit = True
        thread.join(30)
    assert not thread.is_alive()


def opened(address: Address, sent: bytes = b"") -> socket.socket:
    connection = socket.create_connection(address, timeout=30)
    connection.sendall(sent)
    return connection


def rest(connection: socket.socket) -> bytes:
    """What is received until the server closes the connection."""
    received = bytearray()
    try:
        while part := connection.recv(65_536):
            received += part
    except ConnectionResetError:
        pass
    return bytes(received)


def wait_until(condition: Callable[[], bool]) -> None:
    for _ in range(600):
        if condition():
            return
        time.sleep(0.05)
    raise AssertionError("the condition was never true")


def is_served(address: Address) -> bool:
    return requests.get(f"http://{address[0]}:{address[1]}/", timeout=30).text == "yes"


@pytest.mark.slow
@pytest.mark.parametrize(
    "sent",
    [
        b"",
        b"GET / HTTP/1.1\r\nHost: a\r\n",
        b"GET / HTTP/1.1\r\nHost: a\r\n\r\nGET / HTTP/1.1\r\n",
    ],
    ids=["silent", "half a head", "half a second request"],
)
def test_a_connection_without_a_complete_request_is_closed(address: Address, sent: bytes) -> None:
    with opened(address, sent) as connection:
        rest(connection)  # returns because the server closes
        assert is_served(address)


@pytest.mark.parametrize(
    "line", [b"GET /%s HTTP/1.1\r\n", b"GET / HTTP/1.1\r\nHost: a\r\nX: %s\r\n"], ids=["address", "header"]
)
def test_an_endless_head_is_refused_after_64_kb(address: Address, line: bytes) -> None:
    with opened(address) as connection:
        beginning = line.partition(b"%s")[0]
        sent = 0
        with pytest.raises((ConnectionResetError, BrokenPipeError)):
            connection.sendall(beginning)
            while sent < 50_000_000:
                connection.sendall(b"a" * 65_536)
                sent += 65_536
        assert sent < 50_000_000
    assert is_served(address)


def test_headers_without_end_are_refused(address: Address) -> None:
    with opened(address, b"GET / HTTP/1.1\r\n") as connection, pytest.raises((ConnectionResetError, BrokenPipeError)):
        for number in range(1_000_000):
            connection.sendall(b"".join(b"X-%d: y\r\n" % (number * 100 + n) for n in range(100)))
    assert is_served(address)


def test_a_head_of_more_than_64_kb_is_refused_also_if_it_comes_at_once(address: Address) -> None:
    going_on.clear()
    with opened(address, b"GET /blocked HTTP/1.1\r\nHost: a\r\n\r\n"), opened(address) as connection:
        connection.sendall(b"GET / HTTP/1.1\r\nHost: a\r\n" + b"X: y\r\n" * 20_000 + b"\r\n")
        going_on.set()
        assert rest(connection)[:12] in (b"HTTP/1.1 400", b"")


@pytest.mark.parametrize(
    "body",
    [
        b"Transfer-Encoding: chunked\r\n\r\n" + b"1\r\na\r\n" * 20_000,
        b"Transfer-Encoding: chunked\r\n\r\n0\r\n" + b"X: y\r\n" * 20_000,
        b"Content-Length: 5\r\nExpect: 100-continue\r\n\r\n",
    ],
    ids=["chunks of one byte", "trailers", "a body that waits to be asked for"],
)
def test_a_body_is_refused_before_it_is_parsed(address: Address, body: bytes, caplog: pytest.LogCaptureFixture) -> None:
    with opened(address, b"POST / HTTP/1.1\r\nHost: a\r\n" + body) as connection:
        assert rest(connection)[:12] in (b"HTTP/1.1 400", b"")  # nothing: the rest of the body reset the connection
    assert is_served(address)
    assert [record.levelname for record in caplog.records if record.exc_info] == []


@pytest.mark.parametrize("path", [b"/endless", b"/short"])
def test_a_response_that_is_not_read_ends(address: Address, path: bytes, caplog: pytest.LogCaptureFixture) -> None:
    with unread(address, path) as connection:
        wait_until(lambda: any("closed: the response was not read" in message for message in caplog.messages))
        rest(connection)  # returns because the server has closed: its own end would never come
    assert is_served(address)


def unread(address: Address, path: bytes) -> socket.socket:
    """A connection that takes a few kilobytes of its response."""
    connection = socket.socket()
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    connection.settimeout(30)
    connection.connect(address)
    connection.sendall(b"GET %s HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n" % path)
    return connection


def answered(address: Address) -> socket.socket:
    """A connection that has had a response and stays open."""
    connection = opened(address, b"GET / HTTP/1.1\r\nHost: a\r\n\r\n")
    connection.recv(65_536)
    return connection


@pytest.mark.parametrize(
    "stranger",
    [opened, answered, partial(unread, path=b"/endless")],
    ids=["silent", "silent after a response", "reads nothing"],
)
def test_many_connections_do_not_keep_an_honest_client_out(
    address: Address, stranger: Callable[[Address], socket.socket], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(limits, "REQUEST_SECONDS", 60)
    monkeypatch.setattr(limits, "STALLED_SECONDS", 60)
    with ExitStack() as stack:
        for _ in range(60):
            stack.enter_context(stranger(address))
        assert is_served(address)


def test_the_log_names_who_was_closed_and_why(address: Address, caplog: pytest.LogCaptureFixture) -> None:
    with opened(address) as connection:
        port = connection.getsockname()[1]
        rest(connection)
    assert f"127.0.0.1:{port} closed: no complete request" in caplog.messages
