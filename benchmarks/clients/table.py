"""The table that every client reads, and the three command-line arguments of every client."""

import sys
from pathlib import Path

SOCRATA_ID = "benc-hm4k"
ITEM, LAYER = "bea7" * 8, "Checkbook"
PAGE_ROWS = {"socrata": 50_000, "arcgis": 2_000}  # the largest page of each portal

# Column -> its type in Socrata, its type in ArcGIS, and its SQL, computed from the row number `i`.
COLUMNS: dict[str, tuple[str, str, str]] = {
    "voucher_id": ("text", "String", "printf('V%09d', i)"),
    "fiscal_year": ("number", "Integer", "2019 + i % 7"),
    "period": ("number", "Integer", "1 + i % 12"),
    "agency": ("text", "String", "'Department of ' || upper(substr(md5((i % 60)::varchar), 1, 14))"),
    "service": ("text", "String", "printf('%03d: Service for residents', i % 300)"),
    "fund": ("text", "String", "['General', 'Water Utility', 'Motor Vehicle', 'Federal'][1 + i % 4]"),
    "vendor": ("text", "String", "'Vendor ' || md5((i % 9973)::varchar) || ', LLC'"),
    "invoice_number": ("text", "String", "printf('%08d', i * 7919 % 99999989)"),
    "invoice_date": ("calendar_date", "Date", "if(i % 23 = 0, null, timestamp '2018-07-01' + to_days(i * 31 % 2500))"),
    "check_number": ("text", "String", "if(i % 17 = 0, null, (10000000 + i // 3)::varchar)"),
    "check_date": ("calendar_date", "Date", "timestamp '2018-07-15' + to_days(i * 31 % 2500)"),
    "description": ("text", "String", "if(i % 5 = 0, null, 'Payment for \"' || md5(i::varchar) || '\", part ' || i % 4)"),
    "amount": ("money", "Double", "cast((i * 104729 % 25000000 - 500000) / 100 as decimal(18, 2))"),
}  # fmt: skip


def arguments() -> tuple[str, str, Path]:
    """Return the kind of portal, the address of the server and the output folder."""
    portal, root, folder = sys.argv[1:]
    return portal, root, Path(folder)


def layer_url(root: str) -> str:
    return f"{root}/arcgis/rest/services/{LAYER}/FeatureServer/0"
