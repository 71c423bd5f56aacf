"""Clients of portals, one module per kind: describe a source and read it as typed Arrow tables in bounded memory."""

from civic_pipeline.catalog import ArcgisSource, FileSource, OpendatasoftSource, Source
from civic_pipeline.portals.arcgis import ArcgisLayer
from civic_pipeline.portals.files import FileDataset
from civic_pipeline.portals.http import Access
from civic_pipeline.portals.opendatasoft import OpendatasoftDataset
from civic_pipeline.portals.socrata import SocrataDataset
from civic_pipeline.portals.source import About, Description, Freshness, PortalColumn, PortalSource, Traffic

__all__ = ["About", "Access", "Description", "Freshness", "PortalColumn", "PortalSource", "Traffic", "editions_of"]


def editions_of(source: Source, access: Access, known_url: str | None = None) -> dict[str | None, PortalSource]:
    """The portal datasets of a source, by edition; the only key is None if the source has no editions.

    `known_url`: the last known URL of an ArcGIS layer.
    """
    if isinstance(source, ArcgisSource):
        return {None: ArcgisLayer(source, access, known_url)}
    if isinstance(source, OpendatasoftSource):
        return {None: OpendatasoftDataset(source, access)}
    if isinstance(source, FileSource):
        return {None: FileDataset(source, access)}
    ids = {None: source.id} if source.id is not None else source.editions
    return {edition: SocrataDataset(source, dataset_id, access) for edition, dataset_id in ids.items()}
