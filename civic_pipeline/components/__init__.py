"""The one Dagster component: a dataset's YAML becomes its raw asset and the checks of its capture."""

from civic_pipeline.components.portal_dataset import PortalDataset

__all__ = ["PortalDataset"]
