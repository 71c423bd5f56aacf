"""Finds the source for an address that a user copied from a browser.

`recognise` parses the text and sends no requests; `resolve` also asks the portal for the layer behind an item, a service or
a hub page.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any
from urllib.parse import SplitResult, parse_qs, unquote, urlsplit

from pydantic import ValidationError

from civic_pipeline.catalog import ArcgisSource, FileHere, FileSource, OpendatasoftSource, SocrataSource, Source
from civic_pipeline.errors import AddressAmbiguous, AddressPrivate, AddressUnknown, SourceNotFound
from civic_pipeline.portals.arcgis import layers_of
from civic_pipeline.portals.http import Access, Client, expecting
from civic_pipeline.portals.session import private_address
from civic_pipeline.redaction import doubtful_parts

_ARCGIS, _HUB = "https://www.arcgis.com", "https://hub.arcgis.com"
_ITEM, _4X4 = r"[0-9a-f]{32}", r"[a-z0-9]{4}-[a-z0-9]{4}"
_FILES = (".csv", ".csv.gz", ".xlsx", ".geojson", ".geojson.gz")

_NEITHER = "it is neither a web address nor an existing file"

# The host that is written to defs.yaml for the demo portals, which serve every host; their port changes at every start.
DEMO_DOMAIN = "demo.example"


@dataclass(frozen=True)
class SocrataAddress:
    """A 4x4 dataset. `base` is scheme and host."""

    base: str
    id: str


@dataclass(frozen=True)
class LayerAddress:
    """A layer of an ArcGIS service, or the service itself if `number` is None."""

    service: str
    number: int | None


@dataclass(frozen=True)
class ItemAddress:
    """An ArcGIS item. `sharing`: its portal. `number`: the layer of its service, if the address has one."""

    sharing: str
    item: str
    number: int | None = None


@dataclass(frozen=True)
class HubAddress:
    """A page of an ArcGIS hub with the dataset `organisation::title`."""

    slug: str


@dataclass(frozen=True)
class OpendatasoftAddress:
    """A dataset of an OpenDataSoft domain. `base` is scheme and host."""

    base: str
    id: str


@dataclass(frozen=True)
class FileAddress:
    """A file on the web or on this machine."""

    url: str


Address = SocrataAddress | LayerAddress | ItemAddress | HubAddress | OpendatasoftAddress | FileAddress


@dataclass(frozen=True)
class ResolvedSource:
    """A source, and the access that is needed to read it."""

    source: Source
    access: Access


def recognise(text: str) -> Address:
    """Parse an address without sending requests. Raises AddressUnknown."""
    pasted = text.strip().strip("<>\"'")
    if re.fullmatch(_ITEM, pasted.lower()):
        return ItemAddress(_ARCGIS, pasted.lower())
    if not re.match(r"[a-z]+://", pasted, re.IGNORECASE):
        if Path(pasted).is_file():
            return _file_here(text, Path(pasted))
        pasted = f"https://{pasted}"
    try:
        parts = urlsplit(pasted)
        host = parts.hostname or ""
        parts.port  # noqa: B018 - raises ValueError for an invalid port
    except ValueError as error:
        raise AddressUnknown(text, f"it is not a valid address ({error})") from None
    if parts.scheme.lower() not in {"http", "https"} or not re.fullmatch(r"localhost|.*[.:].*", host):
        raise AddressUnknown(text, _NEITHER)
    base = f"{parts.scheme.lower()}://{parts.netloc.rpartition('@')[2].lower()}"
    for parse in (_arcgis, _opendatasoft, _socrata, _file):
        address = parse(base, parts)
        if address is not None:
            return address
    raise AddressUnknown(
        text, "it is not the address of a dataset" if parts.path.strip("/") or "://" in text else _NEITHER
    )


def resolve(text: str, allow_private: bool, tokens: Mapping[str, str] | None = None) -> ResolvedSource:
    """The source at the address `text`; asks the portal for the layer if the address does not contain it.

    `allow_private`: allow hosts on this machine and in private networks; http:// is used only for these. `tokens` maps each
    trusted host to its Socrata app token; no other host receives one.
    Raises AddressUnknown, AddressAmbiguous, AddressPrivate, and the portal errors.
    """
    address = recognise(text)
    resolver = _Resolver(text, allow_private, tokens or {})
    try:
        return resolver.resolve(address)
    except ValidationError as error:
        raise AddressUnknown(text, error.errors()[0]["msg"]) from error


class _Resolver:
    """Resolves one address."""

    def __init__(self, text: str, allow_private: bool, tokens: Mapping[str, str]) -> None:
        self._text, self._allow_private, self._tokens = text, allow_private, tokens
        self._client = Client(1, Access(allows_private=allow_private).session())

    def resolve(self, address: Address) -> ResolvedSource:
        match address:
            case SocrataAddress(base, dataset_id):
                access, domain = self._portal_access(base)
                return ResolvedSource(
                    SocrataSource(portal="socrata", domain=domain, id=dataset_id, recorded=_today()), access
                )
            case OpendatasoftAddress(base, dataset_id):
                access, domain = self._portal_access(base)
                source = OpendatasoftSource(portal="opendatasoft", domain=domain, id=dataset_id, recorded=_today())
                return ResolvedSource(source, access)
            case FileAddress(url):
                return self._file(url)
            case HubAddress(slug):
                return self.resolve(self._item_of(slug))
            case ItemAddress():
                return self._in_item(address)
            case LayerAddress():
                return self._layer(address, None, None)

    def _portal_access(self, base: str) -> tuple[Access, str]:
        """The access to a portal, and its host for `defs.yaml`."""
        access = self._access(base)
        return access, DEMO_DOMAIN if access.root else urlsplit(base).netloc

    def _file(self, url: str) -> ResolvedSource:
        if "://" not in url:
            return ResolvedSource(FileHere(portal="file", url=url, recorded=_today()), Access())
        access, url = self._access(url), self._secure(url)
        kind = FileHere if access.root or doubtful_parts(url) else FileSource  # a FileSource must not contain a secret
        return ResolvedSource(kind(portal="file", url=url, recorded=_today()), access)

    def _access(self, base: str) -> Access:
        """The access to a host. Raises AddressPrivate if it is not on the public internet, unless that is allowed."""
        parts = urlsplit(base)
        host = parts.hostname or ""
        private = private_address(host)
        if private and not self._allow_private:
            raise AddressPrivate(self._text, host, private)
        by_http = private and parts.scheme == "http"
        return Access(
            root=f"http://{parts.netloc}" if by_http else None,
            socrata_token=self._tokens.get(host),
            allows_private=self._allow_private,
        )

    def _secure(self, url: str) -> str:
        """`url` with https://, except for hosts for which http:// is allowed."""
        return url if self._access(url).root else re.sub("^http://", "https://", url)

    def _in_item(self, address: ItemAddress) -> ResolvedSource:
        url = f"{self._secure(address.sharing)}/sharing/rest/content/items/{address.item}"
        item = self._json(url)
        service = str(item.get("url") or "")
        match = re.fullmatch(r"(.+/(?:FeatureServer|MapServer))(?:/(\d+))?/*", service)
        if match is None:
            kind = item.get("type") or "item without a URL"
            raise SourceNotFound(f"A layer of the item {address.item}", url, f"it is a {kind}")
        number = address.number if match[2] is None else int(match[2])
        return self._layer(LayerAddress(match[1], number), address.item, address.sharing)

    def _layer(self, address: LayerAddress, item: str | None, sharing: str | None) -> ResolvedSource:
        service = self._secure(address.service)
        number = self._only_layer(service) if address.number is None else address.number
        url = f"{service}/{number}"
        layer = self._json(url)
        if not layer.get("fields"):
            inside = {entry["id"]: entry["name"] for entry in layer.get("subLayers") or ()}
            if inside:
                raise AddressAmbiguous(url, {f"{service}/{n}": name for n, name in inside.items()})
            raise SourceNotFound("A table", url, f"it is a {layer.get('type', 'layer without fields')}")
        access = self._access(sharing or service)
        item = item or layer.get("serviceItemId")
        if access.root and item is None:
            raise AddressUnknown(self._text, "a layer that belongs to no item must have an https:// address")
        fallbacks = (service,) if service.startswith("https://") else ()
        alike = [n for n, name in layers_of(self._json(service), service).items() if name == layer["name"]]
        source = ArcgisSource(
            portal="arcgis", item=item, layer=layer["name"], number=number if len(alike) > 1 else None,
            fallbacks=fallbacks, recorded=_today(),
        )  # fmt: skip
        return ResolvedSource(source, access)

    def _only_layer(self, service: str) -> int:
        numbers = layers_of(self._json(service), service)
        if not numbers:
            raise SourceNotFound("A layer", service, "the service has none")
        if len(numbers) > 1:
            raise AddressAmbiguous(service, {f"{service}/{n}": name for n, name in sorted(numbers.items())})
        (number,) = numbers
        return number

    def _item_of(self, slug: str) -> ItemAddress:
        url = f"{_HUB}/api/v3/datasets"
        answer = self._json(url, {"filter[slug]": slug})
        with expecting("a list of datasets", url):
            ids = [str(entry["id"]) for entry in answer["data"]]
        match = re.fullmatch(rf"({_ITEM})(?:_(\d+))?", ids[0]) if ids else None
        if match is None:
            raise SourceNotFound(f"The dataset {slug}", url, "the hub has no dataset of this name")
        return ItemAddress(_ARCGIS, match[1], int(match[2]) if match[2] else None)

    def _json(self, url: str, parameters: dict[str, str] | None = None) -> dict[str, Any]:
        answer = self._client.json(url, {**(parameters or {}), "f": "json"})
        with expecting("a JSON object", url):
            error = answer.get("error")
        if error:
            message = error.get("message") if isinstance(error, dict) else error
            raise SourceNotFound("The address", url, str(message or error))
        return dict(answer)


def _file_here(text: str, path: Path) -> FileAddress:
    if not path.name.lower().endswith(_FILES):
        raise AddressUnknown(text, f"the name of the file must end with one of {', '.join(_FILES)}")
    return FileAddress(str(path.resolve()))


def _arcgis(base: str, parts: SplitResult) -> Address | None:
    path, query = unquote(parts.path), {key.lower(): values[0] for key, values in parse_qs(parts.query).items()}
    if match := re.match(r"(.*/rest/services/.+?/(?:FeatureServer|MapServer))(?:/(\d+))?(?:/|$)", path, re.IGNORECASE):
        return LayerAddress(base + match[1], int(match[2]) if match[2] else None)
    number = next((int(query[key]) for key in ("sublayer", "layers") if query.get(key, "").isdigit()), None)
    item = query.get("id", "").lower()
    if (page := re.fullmatch(r"(.*)/home/item\.html", path)) and re.fullmatch(_ITEM, item):
        return ItemAddress(_portal(base, page[1]), item, number)
    if match := re.match(rf"(.*)/sharing/rest/content/items/({_ITEM})", path):
        return ItemAddress(_portal(base, match[1]), match[2], number)
    if match := re.match(rf".*/(?:datasets|items|maps|tables)/({_ITEM})(?:_(\d+))?(?:/|\.|$)", path):
        return ItemAddress(_ARCGIS, match[1], int(match[2]) if match[2] else number)
    if match := re.match(r".*/(?:datasets|maps|tables)/([\w.-]+::[^/]+)", path):
        return HubAddress(match[1])
    return None


def _portal(base: str, prefix: str) -> str:
    """The portal of an item page. All organisations of ArcGIS Online are one portal."""
    return _ARCGIS if re.fullmatch(r"https?://([\w-]+\.)*arcgis\.com", base) else base + prefix


def _opendatasoft(base: str, parts: SplitResult) -> Address | None:
    path = unquote(parts.path)
    if match := re.search(r"/explore/(?:embed/)?(?:dataset|assets)/([\w@.-]+)", path):
        return OpendatasoftAddress(base, match[1])
    if match := re.search(r"/api/(?:explore/)?v2\.?\d*/catalog/datasets/([\w@.-]+)", path):
        return OpendatasoftAddress(base, match[1])
    if path.startswith("/api/records/1.0/") and (names := parse_qs(parts.query).get("dataset")):
        return OpendatasoftAddress(base, names[0])
    return None


def _socrata(base: str, parts: SplitResult) -> Address | None:
    segments = [segment for segment in parts.path.split("/") if segment]
    if (
        parts.hostname == "dev.socrata.com" and len(segments) > 1
    ):  # the documentation of a dataset: /foundry/<host>/<id>
        base = f"https://{segments[-2]}"
    ids = [match[1] for s in segments if (match := re.fullmatch(rf"({_4X4})(\.[a-z]+)?", s))]
    is_page = re.search(rf"/(d|resource|api/.*)/{_4X4}", parts.path) is None
    # A page is recognised only by its id, and a folder such as open-data looks like an id: a file in it is a file.
    return SocrataAddress(base, ids[-1]) if ids and not (is_page and _file(base, parts)) else None


def _file(base: str, parts: SplitResult) -> Address | None:
    address = f"{base}{parts.path}" + (f"?{parts.query}" if parts.query else "")
    return FileAddress(address) if parts.path.lower().endswith(_FILES) else None


def _today() -> date:
    return datetime.now(UTC).date()
