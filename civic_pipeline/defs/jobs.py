"""The one job: the whole night."""

import dagster as dg

nightly = dg.define_asset_job(
    "nightly",
    selection=dg.AssetSelection.all(),
    description="Capture every dataset, build and check every table, release the warehouse, and build its site.",
)
