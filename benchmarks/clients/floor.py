"""The lower bound: the whole table as one CSV response, parsed as text and written. No types, no order, no verification."""

from urllib.request import urlopen

import pyarrow as pa
import pyarrow.parquet as pq
from pyarrow import csv
from table import COLUMNS, SOCRATA_ID, arguments

_, root, folder = arguments()
text = csv.ConvertOptions(column_types=dict.fromkeys(COLUMNS, pa.string()), strings_can_be_null=True)
with urlopen(f"{root}/resource/{SOCRATA_ID}.csv?$limit=100000000") as response:  # noqa: S310 - the local server
    table = csv.read_csv(response, convert_options=text)
pq.write_table(table, folder / "rows.parquet", compression="zstd")
