"""pyesridump, tuned: the page size of the layer, an order, and no 10 s sleep before every 5th request (`pause_seconds=0`).

It does not send `orderByFields` by default; without it, pages overlap.
"""

import json

from esridump.dumper import EsriDumper
from table import PAGE_ROWS, arguments, layer_url

_, root, folder = arguments()
features = EsriDumper(
    layer_url(root),
    extra_query_args={"orderByFields": "OBJECTID ASC"},
    request_geometry="false",
    max_page_size=PAGE_ROWS["arcgis"],
    pause_seconds=0,
)
with (folder / "rows.jsonl").open("w", encoding="utf-8") as file:
    file.writelines(json.dumps(feature["properties"]) + "\n" for feature in features)
