"""Sessions that connect to the public internet alone, and give a token to nobody but the host it is for.

The address is looked at when the connection stands, before a byte is sent: whatever a name resolved to before, and wherever a
redirect or an item's `url` leads, this is the machine that would be asked.
"""

import socket
from collections.abc import Iterator
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network
from typing import Any
from urllib.parse import urlsplit

import requests
from requests.adapters import HTTPAdapter
from requests.utils import select_proxy
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.connectionpool import HTTPConnectionPool, HTTPSConnectionPool

from civic_pipeline.errors import HostPrivate
from civic_pipeline.portals.growth import refuse_growth

# NAT64, its local form, and the old way to write an IPv4 address.
_LAST_32_BITS = tuple(ip_network(text) for text in ("64:ff9b::/96", "64:ff9b:1::/48", "::/96"))

TOKEN_HEADER = "X-App-Token"  # noqa: S105 - its name, not its value


class Session(requests.Session):
    """What requests does, without its giving our token to the host that a redirect leads to."""

    def rebuild_auth(self, prepared_request: requests.PreparedRequest, response: requests.Response) -> None:
        super().rebuild_auth(prepared_request, response)  # type: ignore[no-untyped-call]
        if self.should_strip_auth(response.request.url, prepared_request.url):  # type: ignore[no-untyped-call]
            prepared_request.headers.pop(TOKEN_HEADER, None)


def new_session(only_public: bool) -> Session:
    """A session; `only_public`, its requests raise HostPrivate where they would reach this machine or a private network."""
    session = Session()
    for scheme in ("http://", "https://"):
        session.mount(scheme, _PublicAdapter() if only_public else _Adapter())
    return session


def private_address(host: str) -> str | None:
    """An address of `host` that is not on the public internet: loopback, link-local, private, reserved; None if it has none."""
    try:
        found = {str(info[4][0]) for info in socket.getaddrinfo(host, None)}
    except OSError:  # a name nobody knows: asking it will fail with words of its own
        return None
    return next((text.partition("%")[0] for text in sorted(found) if is_private(text)), None)


def is_private(text: str) -> bool:
    """Whether an IP address is not on the public internet; what carries an IPv4 address inside is judged by that."""
    address = ip_address(text.partition("%")[0])
    if isinstance(address, IPv6Address):
        last = IPv4Address(int(address) & 0xFFFFFFFF) if any(address in network for network in _LAST_32_BITS) else None
        address = address.ipv4_mapped or address.sixtofour or last or address
    return not address.is_global or address.is_multicast


class _PublicConnection(HTTPConnection):
    def _new_conn(self) -> socket.socket:
        return _checked(super()._new_conn(), self.host)


class _PublicTlsConnection(HTTPSConnection):
    def _new_conn(self) -> socket.socket:
        return _checked(super()._new_conn(), self.host)


class _PublicPool(HTTPConnectionPool):
    ConnectionCls = _PublicConnection


class _PublicTlsPool(HTTPSConnectionPool):
    ConnectionCls = _PublicTlsConnection


class _Adapter(HTTPAdapter):
    """Bodies that are sent in a compressed encoding may not grow without bounds."""

    def build_response(self, req: requests.PreparedRequest, resp: Any) -> requests.Response:
        made = super().build_response(req, resp)
        stream, url = resp.stream, str(req.url)

        def bounded(*arguments: Any, **options: Any) -> Iterator[bytes]:
            unpacked = 0
            for piece in stream(*arguments, **options):
                unpacked += len(piece)
                refuse_growth(url, resp.tell(), unpacked)
                yield piece

        resp.stream = bounded
        return made


class _PublicAdapter(_Adapter):
    def init_poolmanager(self, *arguments: Any, **options: Any) -> None:
        super().init_poolmanager(*arguments, **options)
        self.poolmanager.pool_classes_by_scheme = {"http": _PublicPool, "https": _PublicTlsPool}

    def send(self, request: requests.PreparedRequest, *arguments: Any, **options: Any) -> requests.Response:
        if select_proxy(str(request.url), options.get("proxies")):
            # The proxy connects for us: all we can look at is what the name says here.
            host = urlsplit(str(request.url)).hostname or ""
            if private := private_address(host):
                raise HostPrivate(host, private)
        return super().send(request, *arguments, **options)


def _checked(connected: socket.socket, host: str) -> socket.socket:
    peer = str(connected.getpeername()[0])
    if is_private(peer):
        connected.close()
        raise HostPrivate(host, peer)
    return connected
