"""The one Dagster component: it turns a dataset's YAML into Dagster definitions."""

from civic_pipeline.components.portal_dataset import PortalDataset

__all__ = ["PortalDataset"]
