"""civic_pipeline: a verified and typed capture. Prints the seconds from the first request to the commit."""

import json
import time

from civic_pipeline.catalog import Dataset
from civic_pipeline.lake import Lake, capture
from civic_pipeline.portals import Access
from table import COLUMNS, ITEM, LAYER, SOCRATA_ID, arguments

portal, root, folder = arguments()
types = {name: arcgis if portal == "arcgis" else socrata for name, (socrata, arcgis, _) in COLUMNS.items()}
reference = {"item": ITEM, "layer": LAYER} if portal == "arcgis" else {"domain": "data.town.gov", "id": SOCRATA_ID}
dataset = Dataset.model_validate(
    {
        "title": "Checkbook",
        "publisher": "The town",
        "subject": "shared",
        "licence": "not stated",
        "description": "Payments.",
        "cadence": "irregular",
        "source": {"portal": portal, "recorded": "2026-01-01", **reference},
        "key": ["voucher_id"],
        "columns": types,
        "time_zones": {name: "date_only" for name, kind in types.items() if kind == "Date"},
        "volume": {"shrink_at_most": "0%"},
    }
)
access = Access(root=root, socrata_token="any")  # noqa: S106 - the local server accepts any token
began = time.perf_counter()
captured = capture("town/checkbook", dataset, Lake(folder), access)
print(json.dumps({"status": captured.status, "seconds": time.perf_counter() - began}))
