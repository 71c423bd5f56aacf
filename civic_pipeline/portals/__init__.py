"""One module per kind of portal: a source -> its description -> Arrow record batches, typed, in bounded memory."""

from civic_pipeline.catalog import ArcgisSource, FileSource, OpendatasoftSource, Source
from civic_pipeline.portals.arcgis import ArcgisLayer
from civic_pipeline.portals.files import FileDataset
from civic_pipeline.portals.http import Access
from civic_pipeline.portals.opendatasoft import OpendatasoftDataset
from civic_pipeline.portals.socrata import SocrataDataset
from civic_pipeline.portals.source import About, Description, Freshness, PortalColumn, PortalSource, Traffic

__all__ = ["About", "Access", "Description", "Freshness", "PortalColumn", "PortalSource", "Traffic", "editions_of"]


def editions_of(source: Source, access: Access, known_url: str | None = None) -> dict[str | None, PortalSource]:
    """The portal datasets a source consists of: one per edition, or one under the key None.

    `known_url` is where an ArcGIS layer was found last.
    """
    if isinstance(source, ArcgisSource):
        return {None: ArcgisLayer(source, access, known_url)}
    if isinstance(source, OpendatasoftSource):
        return {None: OpendatasoftDataset(source, access)}
    if isinstance(source, FileSource):
        return {None: FileDataset(source, access)}
    ids = {None: source.id} if source.id is not None else source.editions
    return {edition: SocrataDataset(source, dataset_id, access) for edition, dataset_id in ids.items()}
