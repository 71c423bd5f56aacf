"""Checks the output of a client: `check.py <folder> <glob>` prints rows, distinct keys, the sum of amounts, and untyped columns."""

import json
import sys
from pathlib import Path

import duckdb

from clients.table import COLUMNS

folder, pattern = sys.argv[1:]
files = [str(path) for path in Path(folder).glob(pattern)]
landed = duckdb.read_json(files) if pattern.endswith("jsonl") else duckdb.read_parquet(files)
kinds = {name.lower(): str(kind) for name, kind in zip(landed.columns, landed.types, strict=True)}
rows, distinct, amount = (
    landed.aggregate("count(*), count(distinct voucher_id), sum(cast(amount as decimal(18, 2)))").fetchone() or ()
)
typed = {
    "number": lambda kind: kind != "VARCHAR",
    "money": lambda kind: kind != "VARCHAR",
    "calendar_date": lambda kind: kind.startswith(("TIMESTAMP", "DATE")),
}
untyped = [
    name for name, (portal_type, _, _) in COLUMNS.items() if not typed.get(portal_type, bool)(kinds.get(name, ""))
]
print(
    json.dumps(
        {
            "rows": rows,
            "distinct": distinct,
            "amount": str(amount),
            "untyped": untyped,
            "amount_type": kinds["amount"].partition("(")[0].lower(),
        }
    )
)
