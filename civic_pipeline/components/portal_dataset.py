"""The Dagster component of a dataset in `defs.yaml`: the external asset that Dagster shows before the raw asset.

The raw asset itself is part of the step that captures all sources (defs/night.py).
"""

from pathlib import Path

import dagster as dg

from civic_pipeline.catalog import Dataset, table_name
from civic_pipeline.components.dagster_terms import portal_page, source_description, tags


class PortalDataset(dg.Component):
    """A published dataset: its source, its columns and its limits. Captured as the asset raw/<place>_<dataset>."""

    def __init__(self, name: str, dataset: Dataset) -> None:
        self.name, self.dataset = name, dataset

    @classmethod
    def get_model_cls(cls) -> type[Dataset]:  # our own model, so that `dg check yaml` names the exact line
        return Dataset

    @classmethod
    def load(cls, attributes: Dataset, context: dg.ComponentLoadContext) -> "PortalDataset":  # type: ignore[override] # Dagster passes an instance of get_model_cls
        return cls("/".join(Path(context.path).parts[-2:]), attributes)

    def build_defs(self, _: dg.ComponentLoadContext) -> dg.Definitions:
        name, dataset = self.name, self.dataset
        page = portal_page(dataset.source)
        return dg.Definitions(
            assets=[
                dg.AssetSpec(
                    source_key(name),
                    description=source_description(dataset),
                    group_name=dataset.subject,
                    kinds={dataset.source.portal},
                    owners=list(dataset.owners),
                    tags=tags(dataset.subject, "portal", dataset.cadence, name.partition("/")[0]),
                    metadata={"portal page": dg.MetadataValue.url(page)} if page else {},
                )
            ]
        )


def source_key(name: str) -> dg.AssetKey:
    """`place/dataset` -> the key of its source, an external asset on the portal."""
    return dg.AssetKey(["portal", table_name(name)])
