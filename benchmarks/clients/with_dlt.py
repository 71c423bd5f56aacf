"""dlt: the declarative `rest_api` source with the largest pages and a unique order, to Parquet files."""

import os

import dlt
from dlt.sources.rest_api import rest_api_source
from table import LAYER, PAGE_ROWS, SOCRATA_ID, arguments

os.environ |= {"RUNTIME__DLTHUB_TELEMETRY": "false", "RUNTIME__LOG_LEVEL": "ERROR"}

portal, root, folder = arguments()
if portal == "arcgis":
    names = {"offset_param": "resultOffset", "limit_param": "resultRecordCount"}
    endpoint = {
        "path": f"arcgis/rest/services/{LAYER}/FeatureServer/0/query",
        "params": {"f": "json", "where": "1=1", "outFields": "*", "orderByFields": "OBJECTID ASC"},
        "data_selector": "features[*].attributes",
    }
else:
    names = {"offset_param": "$offset", "limit_param": "$limit"}
    endpoint = {"path": f"resource/{SOCRATA_ID}.json", "params": {"$order": ":id"}, "data_selector": "$"}
paginator = {"type": "offset", "limit": PAGE_ROWS[portal], "total_path": None, **names}
source = rest_api_source(
    {
        "client": {"base_url": root},
        "resources": [{"name": "checkbook", "endpoint": {**endpoint, "paginator": paginator}}],
    }
)
pipeline = dlt.pipeline(
    "extract",
    pipelines_dir=str(folder / "work"),
    destination=dlt.destinations.filesystem((folder / "lake").as_uri()),
    dataset_name="town",
)
pipeline.run(source, loader_file_format="parquet")
