"""What a mart about the warehouse itself may read of `meta`, as SQL.

It is without what every night writes anew, and without the rows about such marts and about the `{reader}`, which has no row in
meta.tables when it is new: a night without changes must not rebuild them.
"""

_MARTS = "select table_name from meta.tables where subject = 'certification' and starts_with(table_name, 'marts.')"
_OTHERS = f"where table_name not in ({_MARTS} union all select {{reader}})"
READABLE = {
    "meta.captures": "select dataset, edition, capture_id, captured_at, title, publisher, licence, url, profile, landed_rows, bytes, sha256"
    " from meta.captures",
    "meta.checks": f"select * exclude (run_id, checked_at, examples) from meta.checks {_OTHERS}",
    "meta.columns": f"select * from meta.columns {_OTHERS}",
    "meta.comparisons": "select * from meta.comparisons",
    "meta.datasets": "select * from meta.datasets",
    "meta.tables": f"select * exclude (built_at, fingerprint) from meta.tables {_OTHERS}",
}
