"""The status of the released warehouse as text: tables, their age, failed checks, what is held back and why."""

from typing import TYPE_CHECKING, Any

from civic_pipeline.lake import Lake, last_asked
from civic_pipeline.releases import connect
from civic_pipeline.settings import Settings

if TYPE_CHECKING:
    import duckdb

# Releases made until 0.1 have no missing_parts.
_TABLES = """
    with tables as (from meta.tables union all by name select cast(null as varchar[]) as missing_parts where false)
    select t.table_name, t.row_count, count(c.check_name) filter (c.is_passed), count(c.check_name) filter (not c.is_passed),
        t.data_date, t.missing_parts, t.status, t.held_back_because, t.held_back_since
    from tables as t left join meta.checks as c using (table_name) group by all order by t.table_name
"""


def describe_status(settings: Settings, every_table: bool) -> str:
    """The status of all tables, or of the marts only. Raises WarehouseMissing, WarehouseOpened, WarehouseUnreadable."""
    with connect(settings.warehouse) as connection:
        tables = connection.execute(_TABLES).fetchall()
        paragraphs = [
            _summary(settings, connection, tables),
            _table_lines([row for row in tables if every_table or row[0].startswith("marts.")]),
            _failed_checks(connection),
            _future_captures(settings, connection),
            _never_captured(connection),
            _held_back(tables),
        ]
    return "\n\n".join("\n".join(lines) for lines in paragraphs if lines)


def _summary(settings: Settings, connection: "duckdb.DuckDBPyConnection", tables: list[tuple[Any, ...]]) -> list[str]:
    captures = connection.execute("select count(distinct dataset), sum(landed_rows) from meta.captures").fetchone()
    checks = "select count(*) filter (is_passed), count(*) filter (not is_passed) from meta.checks"
    [(passed, failed)] = connection.execute(checks).fetchall()
    size, rows = settings.warehouse.stat().st_size / 1e6, sum(row[1] or 0 for row in tables)
    lines = [f"Warehouse  {settings.warehouse}  ({size:.1f} MB, {settings.profile} portals)"]
    asked = last_asked(Lake(settings.lake))
    if captures and asked:  # None if only tables without sources were built so far
        lines.append(
            f"           {captures[0]} datasets, {captures[1] or 0:,} rows captured, portals last asked {asked:%Y-%m-%d %H:%M} UTC"
        )
    return [*lines, f"           {len(tables)} tables, {rows:,} rows, {passed:,} checks passed, {failed} failed"]


def _table_lines(tables: list[tuple[Any, ...]]) -> list[str]:
    lines = [f"{'table':<34}{'rows':>10}{'passed':>8}{'failed':>8}  newest data"]
    for name, count, passed, failed, newest, missing, status, _, _ in tables:
        remark = "never captured" if status == "never_captured" else f"without {', '.join(missing)}" if missing else ""
        last = "  ".join(str(text) for text in (newest, remark) if text)
        lines.append(f"{name:<34}{count or 0:>10,}{passed:>8}{failed:>8}  {last}")
    return lines


def _failed_checks(connection: "duckdb.DuckDBPyConnection") -> list[str]:
    failed = connection.execute(
        "select table_name, check_name, severity, description, examples from meta.checks where not is_passed"
        " order by severity, table_name, check_name"
    ).fetchall()
    lines = [
        f"  {severity:<9}{table}.{check} - {description}" + (f": {'; '.join(examples[:3])}" if examples else "")
        for table, check, severity, description, examples in failed
    ]
    return ["Failed checks (a warning does not hold a table back):", *lines] if lines else []


def _future_captures(settings: Settings, connection: "duckdb.DuckDBPyConnection") -> list[str]:
    datasets = {name for (name,) in connection.execute("select dataset from meta.captures").fetchall()}
    warnings = Lake(settings.lake).warnings(sorted(datasets))
    return ["Captures from the future:", *(f"  {warning}" for warning in warnings)] if warnings else []


def _never_captured(connection: "duckdb.DuckDBPyConnection") -> list[str]:
    absent = connection.execute(
        "select dataset, status, problem from meta.captures where capture_id is null order by dataset"
    ).fetchall()
    lines = [
        f"  {dataset}: {'retired' if status == 'retired' else problem or 'not asked yet'}"
        for dataset, status, problem in absent
    ]
    return ["Never captured, so their tables are empty and hold nothing back:", *lines] if lines else []


def _held_back(tables: list[tuple[Any, ...]]) -> list[str]:
    lines = [
        f"  {name} since {since:%Y-%m-%d %H:%M} UTC: {why}"
        for name, *_, status, why, since in tables
        if status in ("held_back", "held back")  # the second was written until 0.1
    ]
    return ["Held back at the last accepted version:", *lines] if lines else []
