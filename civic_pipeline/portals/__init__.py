"""One module per kind of portal: a source -> its description -> Arrow record batches, typed, in bounded memory."""

from civic_pipeline.catalog import ArcgisSource, Source
from civic_pipeline.portals.arcgis import ArcgisLayer
from civic_pipeline.portals.http import Access
from civic_pipeline.portals.socrata import SocrataDataset
from civic_pipeline.portals.source import Description, Freshness, PortalColumn, PortalSource

__all__ = ["Access", "Description", "Freshness", "PortalColumn", "PortalSource", "editions_of"]


def editions_of(source: Source, access: Access) -> dict[str | None, PortalSource]:
    """The portal datasets a source consists of: one per edition, or one under the key None."""
    if isinstance(source, ArcgisSource):
        return {None: ArcgisLayer(source, access)}
    if source.id is not None:
        return {None: SocrataDataset(source.domain, source.id, access)}
    return {year: SocrataDataset(source.domain, dataset_id, access) for year, dataset_id in source.editions.items()}
