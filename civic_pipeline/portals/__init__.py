"""Clients of portals, one module per kind: describe a source and read it as typed Arrow tables in bounded memory."""

from collections.abc import Mapping

from civic_pipeline.catalog import ArcgisSource, Editions, FileSource, OpendatasoftSource, SingleSource, Source
from civic_pipeline.portals.arcgis import ArcgisLayer
from civic_pipeline.portals.files import FileDataset
from civic_pipeline.portals.http import Access, OlderCopy
from civic_pipeline.portals.opendatasoft import OpendatasoftDataset
from civic_pipeline.portals.socrata import SocrataDataset
from civic_pipeline.portals.source import About, Description, Freshness, PortalColumn, PortalSource, Traffic

__all__ = [
    "About",
    "Access",
    "Description",
    "Freshness",
    "OlderCopy",
    "PortalColumn",
    "PortalSource",
    "Traffic",
    "editions_of",
]


def editions_of(
    source: Source, access: Access, known_urls: Mapping[str | None, str] | None = None
) -> dict[str | None, PortalSource]:
    """The portal datasets of a source, by edition; the only key is None if the source has no editions.

    `known_urls`: edition -> the last known URL of an ArcGIS layer.
    """
    known = known_urls or {}
    if isinstance(source, Editions):
        editions = source.editions.items()
        return {label: _portal_source(edition.source, access, known.get(label)) for label, edition in editions}
    return {None: _portal_source(source, access, known.get(None))}


def _portal_source(source: SingleSource, access: Access, known_url: str | None) -> PortalSource:
    match source:
        case ArcgisSource():
            return ArcgisLayer(source, access, known_url)
        case OpendatasoftSource():
            return OpendatasoftDataset(source, access)
        case FileSource():
            return FileDataset(source, access)
    return SocrataDataset(source, access)
