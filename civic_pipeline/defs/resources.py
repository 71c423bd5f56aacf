"""The outside systems a run uses."""

import dagster as dg

from civic_pipeline.components.portal_dataset import Portals


@dg.definitions
def resources() -> dg.Definitions:
    return dg.Definitions(resources={"portals": Portals()})
