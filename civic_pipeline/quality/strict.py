"""Failed warnings to report: drift of a run, and what `civic run --strict` counts as failures."""

from collections.abc import Mapping
from datetime import datetime

import duckdb

from civic_pipeline.errors import WarehouseMissing, WarehouseOpened
from civic_pipeline.quality.drift import LAYER
from civic_pipeline.releases import connect
from civic_pipeline.settings import Settings
from civic_pipeline.warehouse import Model


def control_total_warnings(settings: Settings, models: Mapping[str, Model], since: datetime) -> list[str]:
    """The failed warnings about control totals of tables checked after `since`: drift checks, and checks of such a column."""
    if not settings.build.exists():
        return []
    totals = {
        name: set(model.contract.control_totals) for name, model in models.items() if model.contract.control_totals
    }
    with duckdb.connect(str(settings.build), read_only=True) as connection:
        rows = connection.execute(
            "select table_name, check_name, layer, array_to_string(examples, '; ') from meta.checks"
            " where not is_passed and severity = 'warning' and checked_at >= ? order by table_name, check_name",
            [since.replace(tzinfo=None)],
        ).fetchall()
    return [
        f"{table}.{name}: {examples}"
        for table, name, layer, examples in rows
        if table in totals and (layer == LAYER or totals[table] & set(name.split("__")))
    ]


def drift_warnings(settings: Settings, run_id: str) -> dict[str, str]:
    """The drift warnings of the tables that the run checked and released: table and check -> what changed."""
    try:
        with connect(settings.warehouse) as connection:
            rows = connection.execute(
                "select table_name || '.' || check_name, array_to_string(examples, '; ') from meta.checks"
                " where not is_passed and severity = 'warning' and layer = ? and run_id = ? order by 1",
                [LAYER, run_id],
            ).fetchall()
    except (WarehouseMissing, WarehouseOpened):  # then this run released nothing
        return {}
    return dict(rows)


def never_captured(settings: Settings) -> dict[str, str]:
    """The sources of the release that failed and were never captured: raw table -> why. Their tables are empty."""
    try:
        with connect(settings.warehouse) as connection:
            rows = connection.execute(
                "select 'raw.' || replace(dataset, '/', '_'), problem from meta.captures"
                " where capture_id is null and problem is not null order by 1"
            ).fetchall()
    except (WarehouseMissing, WarehouseOpened):
        return {}
    return dict(rows)
