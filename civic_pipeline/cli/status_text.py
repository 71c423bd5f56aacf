"""The status of the released warehouse as text: tables, their age, failed checks, what is held back and why."""

from civic_pipeline.lake import Lake, last_asked
from civic_pipeline.releases import connect
from civic_pipeline.settings import Settings


def describe_status(settings: Settings, every_table: bool) -> str:
    """The status of all tables, or of the marts only. Raises WarehouseMissing, WarehouseOpened, WarehouseUnreadable."""
    with connect(settings.warehouse) as connection:
        tables = connection.execute(
            # Releases made until 0.1 have no missing_parts.
            "with tables as (from meta.tables union all by name select cast(null as varchar[]) as missing_parts where false)"
            " select t.table_name, t.row_count, count(c.check_name) filter (c.is_passed), count(c.check_name) filter (not c.is_passed),"
            " t.data_date, t.missing_parts, t.status, t.held_back_because, t.held_back_since from tables as t"
            " left join meta.checks as c using (table_name) group by all order by t.table_name"
        ).fetchall()
        checks = connection.execute(
            "select severity, count(*) filter (is_passed), count(*) filter (not is_passed) from meta.checks group by 1"
        ).fetchall()
        failed = connection.execute(
            "select table_name, check_name, severity, description, examples from meta.checks where not is_passed"
            " order by severity, table_name, check_name"
        ).fetchall()
        absent = connection.execute(
            "select dataset, status, problem from meta.captures where capture_id is null order by dataset"
        ).fetchall()
        datasets = {name for (name,) in connection.execute("select dataset from meta.captures").fetchall()}
        captures = connection.execute("select count(distinct dataset), sum(landed_rows) from meta.captures").fetchone()
    rows = sum(row[1] or 0 for row in tables)
    size = settings.warehouse.stat().st_size / 1e6
    lines = [f"Warehouse  {settings.warehouse}  ({size:.1f} MB, {settings.profile} portals)"]
    asked = last_asked(Lake(settings.lake))
    if captures and asked:  # None if only tables without sources were built so far
        lines.append(
            f"           {captures[0]} datasets, {captures[1] or 0:,} rows captured, portals last asked {asked:%Y-%m-%d %H:%M} UTC"
        )
    lines.append(
        f"           {len(tables)} tables, {rows:,} rows, {sum(c[1] for c in checks):,} checks passed, {sum(c[2] for c in checks)} failed\n"
    )
    lines.append(f"{'table':<34}{'rows':>10}{'passed':>8}{'failed':>8}  newest data")
    for name, count, passed, bad, newest, missing, status, _, _ in tables:
        if every_table or name.startswith("marts."):
            remark = (
                "never captured" if status == "never_captured" else f"without {', '.join(missing)}" if missing else ""
            )
            last = "  ".join(str(text) for text in (newest, remark) if text)
            lines.append(f"{name:<34}{count or 0:>10,}{passed:>8}{bad:>8}  {last}")
    if failed:
        lines.append("\nFailed checks (a warning does not hold a table back):")
        for table, check, severity, description, examples in failed:
            shown = f": {'; '.join(examples[:3])}" if examples else ""
            lines.append(f"  {severity:<9}{table}.{check} - {description}{shown}")
    if warnings := Lake(settings.lake).warnings(sorted(datasets)):
        lines.append("\nCaptures from the future:")
        lines += [f"  {warning}" for warning in warnings]
    if absent:
        lines.append("\nNever captured, so their tables are empty and hold nothing back:")
        for dataset, status, problem in absent:
            lines.append(f"  {dataset}: {'retired' if status == 'retired' else problem or 'not asked yet'}")
    held = [(name, why, since) for name, *_, status, why, since in tables if status in ("held_back", "held back")]
    if held:
        lines.append("\nHeld back at the last accepted version:")
        for name, why, since in held:
            lines.append(f"  {name} since {since:%Y-%m-%d %H:%M} UTC: {why}")
    return "\n".join(lines)
