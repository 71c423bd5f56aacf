"""A live run connects only to public hosts, also through host names, items and redirects. Tests use loopback addresses."""

import gzip
import json
import socket
import threading
from collections.abc import Iterator, Mapping
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
import requests

from civic_pipeline.catalog import ArcgisSource
from civic_pipeline.demo import DemoPortals
from civic_pipeline.errors import FileUnreadable, HostPrivate
from civic_pipeline.portals import Access, arcgis, decompression_limit, session
from civic_pipeline.portals.arcgis import ArcgisLayer
from civic_pipeline.portals.http import Client
from civic_pipeline.settings import CHECKOUT

# All addresses of 127.0.0.0/8 are this machine. With the fixture `two_sides` the first one counts as public.
PUBLIC, PRIVATE = "127.0.0.1", "127.0.0.2"
ITEM = "f11a8992be0e4b8e8c80fd846b776114"


class Host:
    """A web server that records its requests. `answers`: path -> a JSON value, a gzip body, or the URL of a redirect."""

    def __init__(self, address: str) -> None:
        self.answers: dict[str, object] = {}
        self.requests: list[tuple[str, Mapping[str, str]]] = []
        host = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                host.requests.append((self.path, {name.lower(): value for name, value in self.headers.items()}))
                answer = host.answers.get(self.path.partition("?")[0], {})
                body = (
                    b""
                    if isinstance(answer, str)
                    else answer
                    if isinstance(answer, bytes)
                    else json.dumps(answer).encode()
                )
                self.send_response(302 if isinstance(answer, str) else 200)
                if isinstance(answer, bytes):
                    self.send_header("Content-Encoding", "gzip")
                if isinstance(answer, str):
                    self.send_header("Location", answer)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base class's name
                """Silent."""

        self.server = ThreadingHTTPServer((address, 0), Handler)
        self.url = f"http://{address}:{self.server.server_port}"
        threading.Thread(target=self.server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()


@pytest.fixture
def hosts() -> Iterator[tuple[Host, Host]]:
    """The public and the private host."""
    pair = Host(PUBLIC), Host(PRIVATE)
    yield pair
    for host in pair:
        host.server.shutdown()
        host.server.server_close()


@pytest.fixture
def two_sides(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(session, "is_private", lambda text: text == PRIVATE)


def ask(url: str, access: Access | None = None) -> Any:
    return Client(1, (access or Access(socrata_token="a-token")).session()).json(url, {})


def test_a_live_run_sends_no_request_to_a_private_host_unless_allowed(hosts: tuple[Host, Host]) -> None:
    host, _ = hosts
    with pytest.raises(HostPrivate, match=r"go to 127\.0\.0\.1, which is not on the public internet"):
        ask(host.url)
    assert host.requests == []
    assert ask(host.url, Access(root=host.url)) == {}
    assert ask(host.url, Access(allows_private=True)) == {}


def test_a_host_is_checked_by_the_address_of_the_connection(
    hosts: tuple[Host, Host], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A name that resolves to a public address first and to a private one later (DNS rebinding)."""
    host, _ = hosts
    port = host.server.server_port
    answers = iter(["93.184.216.34", PUBLIC])

    def resolve(*_: object, **__: object) -> list[Any]:
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (next(answers), port))]

    monkeypatch.setattr(socket, "getaddrinfo", resolve)
    assert session.private_address("portal.town.gov") is None
    with pytest.raises(HostPrivate, match=r"portal\.town\.gov \(127\.0\.0\.1\)"):
        ask(f"http://portal.town.gov:{port}/")
    assert host.requests == []


@pytest.mark.usefixtures("two_sides")
def test_a_redirect_into_a_private_network_is_an_error(hosts: tuple[Host, Host]) -> None:
    public, private = hosts
    public.answers["/rows.json"] = f"{private.url}/admin"
    with pytest.raises(HostPrivate, match=PRIVATE):
        ask(f"{public.url}/rows.json")
    assert (len(public.requests), private.requests) == (1, [])


@pytest.mark.usefixtures("two_sides")
def test_an_item_with_a_url_in_a_private_network_is_an_error(
    hosts: tuple[Host, Host], monkeypatch: pytest.MonkeyPatch
) -> None:
    public, private = hosts
    monkeypatch.setattr(arcgis, "_SHARING", public.url)
    public.answers[f"/sharing/rest/content/items/{ITEM}"] = {
        "url": f"{private.url}/arcgis/rest/services/x/FeatureServer"
    }
    source = ArcgisSource.model_validate({"portal": "arcgis", "item": ITEM, "layer": "x", "recorded": "2026-01-01"})
    with pytest.raises(HostPrivate, match=PRIVATE):
        ArcgisLayer(source, Access()).describe()
    assert (len(public.requests), private.requests) == (1, [])


def test_a_proxy_is_not_sent_to_a_private_host(hosts: tuple[Host, Host], monkeypatch: pytest.MonkeyPatch) -> None:
    proxy, private = hosts
    for name in ("NO_PROXY", "no_proxy"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HTTP_PROXY", proxy.url)
    monkeypatch.setenv("http_proxy", proxy.url)
    with pytest.raises(HostPrivate, match=r"10\.1\.2\.3"):
        ask("http://10.1.2.3/admin")
    assert proxy.requests == []
    assert ask("http://93.184.216.34/rows.json") == {}
    assert [path for path, _ in proxy.requests] == ["http://93.184.216.34/rows.json"]
    assert private.requests == []


def test_a_token_does_not_follow_a_redirect_to_another_host(hosts: tuple[Host, Host]) -> None:
    first, second = hosts
    first.answers["/rows.json"] = f"{second.url}/rows.json"
    live = Access(root=first.url).session()
    live.headers[session.TOKEN_HEADER] = "a-token"
    assert Client(1, live).json(f"{first.url}/rows.json", {}) == {}
    assert first.requests[0][1]["x-app-token"] == "a-token"
    assert "x-app-token" not in second.requests[0][1]


def test_a_decompression_bomb_is_an_error(
    hosts: tuple[Host, Host], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(decompression_limit, "ALWAYS_ALLOWED_BYTES", 1 << 20)
    host, _ = hosts
    host.answers["/bomb"] = gzip.compress(b" " * (1 << 24))
    host.answers["/page"] = gzip.compress(json.dumps([n**3 for n in range(200_000)]).encode())
    for access in (Access(root=host.url), Access(allows_private=True)):
        client = Client(1, access.session())
        with pytest.raises(FileUnreadable, match="expands to more than 100 times its compressed size"):
            client.json(f"{host.url}/bomb", {})
        assert len(client.json(f"{host.url}/page", {})) == 200_000
    assert [path for path, _ in host.requests] == ["/bomb", "/page"] * 2, "there is no retry"


def test_the_demo_portals_listen_only_on_loopback(tmp_path: Path) -> None:
    (tmp_path / "wards.csv").write_text("Ward,Name\n1,One\n", encoding="utf-8")
    with DemoPortals(tmp_path) as portals:
        port = int(portals.url.rpartition(":")[2])
        assert requests.get(f"http://{PUBLIC}:{port}/files/wards.csv", timeout=5).status_code == 200
        for address in (PRIVATE, "::1"):
            with pytest.raises(OSError, match=r"refused|unreachable|not available|Cannot assign"):
                socket.create_connection((address, port), timeout=5)


def test_the_ui_listens_only_on_loopback() -> None:
    starts = [line for line in (CHECKOUT / "Makefile").read_text(encoding="utf-8").splitlines() if "/dg dev " in line]
    assert len(starts) == 1
    assert " --host 127.0.0.1 " in starts[0]
