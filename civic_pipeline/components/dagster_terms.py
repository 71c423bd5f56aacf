"""Our plain objects in Dagster's terms."""

from datetime import timedelta

import dagster as dg

from civic_pipeline.catalog import FRESH_FOR_DAYS, Cadence, Severity
from civic_pipeline.quality import PlannedCheck
from civic_pipeline.warehouse import CheckResult

OWNERS = ["team:open-data"]

_SEVERITIES: dict[Severity, dg.AssetCheckSeverity] = {
    "critical": dg.AssetCheckSeverity.ERROR,
    "warning": dg.AssetCheckSeverity.WARN,
    "info": dg.AssetCheckSeverity.WARN,
}


def asset_key(table: str) -> dg.AssetKey:
    """`marts.dim_dates` -> its asset key; a name without a schema is a key of one part."""
    return dg.AssetKey(table.split("."))


def captured_as(table: str) -> dg.AssetKey:
    """The key of a model's input: all captures of a dataset are the asset that its newest one is."""
    return asset_key(table.replace("history.", "raw.", 1))


def check_spec(check: PlannedCheck) -> dg.AssetCheckSpec:
    return dg.AssetCheckSpec(check.name, asset=asset_key(check.table), description=check.description)


def check_result(result: CheckResult) -> dg.AssetCheckResult:
    metadata: dict[str, dg.MetadataValue] = {"layer": dg.MetadataValue.text(result.layer)}
    if result.evaluated is not None:
        metadata["evaluated"] = dg.MetadataValue.int(result.evaluated)
    if result.unexpected is not None:
        metadata["unexpected"] = dg.MetadataValue.float(float(result.unexpected))
    if result.examples:
        metadata["examples"] = dg.MetadataValue.text("; ".join(result.examples))
    return dg.AssetCheckResult(
        asset_key=asset_key(result.table), check_name=result.name, passed=result.passed,
        severity=_SEVERITIES[result.severity], description=result.description, metadata=metadata,
    )  # fmt: skip


def freshness_policy(cadence: Cadence) -> dg.FreshnessPolicy | None:
    """Dagster's own watch over how long ago a table was last accepted; data age itself is the check `data_age`."""
    days = FRESH_FOR_DAYS.get(cadence)
    return dg.FreshnessPolicy.time_window(fail_window=timedelta(days=days)) if days else None
