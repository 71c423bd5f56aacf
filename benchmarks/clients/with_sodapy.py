"""sodapy and pandas, tuned: the largest pages, ordered by `:id` (otherwise rows are lost), one session."""

import pandas as pd
from requests.adapters import HTTPAdapter
from sodapy import Socrata
from table import PAGE_ROWS, SOCRATA_ID, arguments

_, root, folder = arguments()
local = {"prefix": "http://", "adapter": HTTPAdapter()}
client = Socrata(root.removeprefix("http://"), "any", timeout=120, session_adapter=local)
frames: list[pd.DataFrame] = []
offset = 0
while rows := client.get(SOCRATA_ID, order=":id", limit=PAGE_ROWS["socrata"], offset=offset):
    frames.append(pd.DataFrame.from_records(rows))
    offset += len(rows)
pd.concat(frames, ignore_index=True).to_parquet(folder / "rows.parquet", compression="zstd")
