"""Sessions of requests that connect to public hosts only, and send a token only to the host that it is for.

The IP address is checked on the open connection, before a byte is sent. This also covers redirects, the `url` of an item
and host names that resolve to another address the second time (DNS rebinding).
"""

import http.client
import socket
from collections.abc import Iterator
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network
from typing import Any, ClassVar
from urllib.parse import urljoin, urlsplit

import requests
from requests.adapters import HTTPAdapter
from requests.utils import select_proxy
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.connectionpool import HTTPConnectionPool, HTTPSConnectionPool
from urllib3.exceptions import DecodeError
from urllib3.response import GzipDecoderState

from civic_pipeline.errors import HostPrivate, RedirectInsecure
from civic_pipeline.portals.decompression_limit import check_decompressed_size
from civic_pipeline.portals.wire import Wire

# IPv6 networks whose last 32 bits are an IPv4 address: NAT64, local NAT64, IPv4-compatible, IPv4-translated.
_IPV4_IN_IPV6 = tuple(ip_network(text) for text in ("64:ff9b::/96", "64:ff9b:1::/48", "::/96", "::ffff:0:0:0/96"))

# Not public, whatever the version of Python says: the metadata services of Azure and Oracle, 6to4 relays, dummy prefix, protocol
# assignments (Teredo and others), documentation, segment routing, site-local (IANA special-purpose registries).
_NOT_PUBLIC = tuple(
    ip_network(text)
    for text in (
        "168.63.129.16",
        "192.0.0.0/24",
        "192.88.99.0/24",
        "100:0:0:1::/64",
        "2001::/23",
        "3fff::/20",
        "5f00::/16",
        "fec0::/10",
    )
)

TOKEN_HEADER = "X-App-Token"  # noqa: S105 - the name of the header, not a token


class Session(requests.Session):
    """A session of requests that does not send our token to another host after a redirect."""

    def rebuild_auth(self, prepared_request: requests.PreparedRequest, response: requests.Response) -> None:
        super().rebuild_auth(prepared_request, response)  # type: ignore[no-untyped-call]
        if self.should_strip_auth(response.request.url, prepared_request.url):  # type: ignore[no-untyped-call]
            prepared_request.headers.pop(TOKEN_HEADER, None)

    def get_redirect_target(self, resp: requests.Response) -> str | None:
        """The address of a redirect. Raises RedirectInsecure if it leaves https."""
        target: str | None = super().get_redirect_target(resp)
        if target and resp.url.startswith("https:") and urlsplit(urljoin(resp.url, target)).scheme != "https":
            raise RedirectInsecure(resp.url.partition("?")[0], urljoin(resp.url, target).partition("?")[0])
        return target


def new_session(only_public: bool) -> Session:
    """A new session. If `only_public`, requests to this machine or a private network raise HostPrivate."""
    session = Session()
    for scheme in ("http://", "https://"):
        session.mount(scheme, _PublicAdapter() if only_public else _Adapter())
    return session


def private_address(host: str) -> str | None:
    """An IP address of `host` that is not public (loopback, link-local, private, reserved), or None."""
    try:
        addresses = {str(info[4][0]) for info in socket.getaddrinfo(host, None)}
    except OSError:  # an unknown name: the request itself will fail with a better message
        return None
    return next((text.partition("%")[0] for text in sorted(addresses) if is_private(text)), None)


def is_private(text: str) -> bool:
    """Whether an IP address is not public. For an IPv6 address that contains an IPv4 address, the latter decides."""
    address = ip_address(text.partition("%")[0])
    if isinstance(address, IPv6Address):
        last = IPv4Address(int(address) & 0xFFFFFFFF) if any(address in network for network in _IPV4_IN_IPV6) else None
        address = address.ipv4_mapped or address.sixtofour or last or address
    is_special = address.is_multicast or address.is_reserved or any(address in network for network in _NOT_PUBLIC)
    return is_special or not address.is_global


class _Connection(HTTPConnection):
    """Reads each response through a `Wire`."""

    wire: Wire

    def response_class(self, sock: socket.socket, *arguments: Any, **options: Any) -> http.client.HTTPResponse:  # type: ignore[override]
        self.wire = Wire(sock)
        return http.client.HTTPResponse(self.wire, *arguments, **options)  # type: ignore[arg-type]

    def getresponse(self) -> Any:
        response: Any = super().getresponse()
        response.wire = self.wire
        return response


class _TlsConnection(_Connection, HTTPSConnection):
    pass


class _PublicConnection(_Connection):
    def _new_conn(self) -> socket.socket:
        return _require_public(super()._new_conn(), self.host)


class _PublicTlsConnection(_PublicConnection, HTTPSConnection):
    pass


class _Pool(HTTPConnectionPool):
    ConnectionCls = _Connection


class _TlsPool(HTTPSConnectionPool):
    ConnectionCls = _TlsConnection


class _PublicPool(HTTPConnectionPool):
    ConnectionCls = _PublicConnection


class _PublicTlsPool(HTTPSConnectionPool):
    ConnectionCls = _PublicTlsConnection


class _Adapter(HTTPAdapter):
    """Limits the time of a response, and the decompressed size of an encoded one, which must be complete."""

    pools: ClassVar[dict[str, type]] = {"http": _Pool, "https": _TlsPool}

    def init_poolmanager(self, *arguments: Any, **options: Any) -> None:
        super().init_poolmanager(*arguments, **options)
        self.poolmanager.pool_classes_by_scheme = self.pools

    def build_response(self, req: requests.PreparedRequest, resp: Any) -> requests.Response:
        response = super().build_response(req, resp)
        if "Content-Encoding" not in resp.headers:
            return response
        stream, url = resp.stream, str(req.url)

        def bounded(*arguments: Any, **options: Any) -> Iterator[bytes]:
            decompressed = 0
            for chunk in stream(*arguments, **options):
                decompressed += len(chunk)
                check_decompressed_size(url, resp.wire.received, decompressed)
                yield chunk
            if decompressed and not _is_complete(resp._decoder):  # noqa: SLF001 - urllib3 looks at Zstandard only
                raise DecodeError("the compressed body ends too early")

        resp.stream = bounded
        return response


def _is_complete(decoder: Any) -> bool:
    """Whether a decoder of urllib3 has seen the end of what was compressed; what follows the end does not matter.

    None stands for an encoding that was not asked for, whose body is passed on as it is.
    """
    parts = [] if decoder is None else getattr(decoder, "_decoders", [decoder])
    return all(getattr(part, "_state", None) == GzipDecoderState.SWALLOW_DATA or part._obj.eof for part in parts)  # noqa: SLF001


class _PublicAdapter(_Adapter):
    pools: ClassVar[dict[str, type]] = {"http": _PublicPool, "https": _PublicTlsPool}

    def send(self, request: requests.PreparedRequest, *arguments: Any, **options: Any) -> requests.Response:
        if select_proxy(str(request.url), options.get("proxies")):
            # The proxy opens the connection, so we can only check what the name resolves to here.
            host = urlsplit(str(request.url)).hostname or ""
            if private := private_address(host):
                raise HostPrivate(host, private)
        return super().send(request, *arguments, **options)


def _require_public(connection: socket.socket, host: str) -> socket.socket:
    """`connection`, if its peer is public. Else closes it and raises HostPrivate."""
    peer = str(connection.getpeername()[0])
    if is_private(peer):
        connection.close()
        raise HostPrivate(host, peer)
    return connection
