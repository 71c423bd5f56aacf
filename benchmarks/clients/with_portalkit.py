"""portalkit, as in its README. Its page sizes are fixed: 5,000, or the limit of the layer."""

import portalkit
from table import LAYER, SOCRATA_ID, arguments

portal, root, folder = arguments()
if portal == "arcgis":
    address, dataset = f"{root}/arcgis/rest/services/{LAYER}/FeatureServer", "0"
else:
    address, dataset = root, SOCRATA_ID
frame = portalkit.open(address, kind=portal, token="any", cache=False).dataset(dataset).to_pandas()  # noqa: S106
frame.to_parquet(folder / "rows.parquet", compression="zstd")
