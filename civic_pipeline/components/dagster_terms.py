"""Translate our terms into Dagster's: asset keys, checks, tags and links."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import timedelta
from pathlib import Path
from typing import Literal

import dagster as dg

from civic_pipeline.catalog import (
    FRESH_FOR_DAYS,
    ArcgisSource,
    Cadence,
    Dataset,
    Editions,
    OpendatasoftSource,
    SocrataSource,
    Source,
)
from civic_pipeline.quality import PlannedCheck
from civic_pipeline.warehouse import CheckResult

CheckName = Literal["contract", "data_age", "portal", "warnings"]
_DESCRIPTIONS: dict[CheckName, str] = {
    "contract": "The critical expectations, checked before the table is replaced. One failure holds it back.",
    "warnings": "The other expectations. A failure is reported and does not hold the table back.",
    "data_age": "The age of the newest date in the data.",
    "portal": "Whether the portal was read completely and has the declared columns.",
}
_TABLE_SCHEMA = dg.TableSchema(
    [
        dg.TableColumn(name)
        for name in ("expectation", "verdict", "severity", "evaluated", "unexpected", "examples", "expected")
    ]
)


def asset_key(table: str) -> dg.AssetKey:
    """`marts.dim_dates` -> asset key; a name without a schema becomes a key of one part."""
    return dg.AssetKey(table.split("."))


def table_of(key: dg.AssetKey) -> str:
    return ".".join(key.path)


def check_name(check: PlannedCheck | CheckResult) -> CheckName:
    """The Dagster check that reports an expectation: one per table and severity."""
    if check.layer == "portal":
        return "portal"
    if check.layer == "time":
        return "data_age"
    return "contract" if check.severity == "critical" else "warnings"


def check_specs(table: str, planned: Iterable[PlannedCheck]) -> list[dg.AssetCheckSpec]:
    """The Dagster checks of a table, blocking ones first."""
    names = {check_name(check) for check in planned}
    return [
        dg.AssetCheckSpec(name, asset=asset_key(table), description=_DESCRIPTIONS[name])
        for name in _DESCRIPTIONS
        if name in names
    ]


def check_results(results: Sequence[CheckResult]) -> list[dg.AssetCheckResult]:
    """One result per Dagster check: failed if one of its expectations failed, with a table of all of them."""
    by_check: dict[tuple[str, CheckName], list[CheckResult]] = {}
    for result in results:
        by_check.setdefault((result.table, check_name(result)), []).append(result)
    return [_check_result(table, name, rows) for (table, name), rows in sorted(by_check.items())]


def _check_result(table: str, name: CheckName, results: list[CheckResult]) -> dg.AssetCheckResult:
    failed = [result for result in results if result.failed]
    critical = any(result.severity == "critical" for result in failed) or (
        not failed and name in ("contract", "portal")
    )
    ordered = sorted(results, key=lambda result: (not result.failed, result.name))
    return dg.AssetCheckResult(
        asset_key=asset_key(table),
        check_name=name,
        passed=not failed,
        severity=dg.AssetCheckSeverity.ERROR if critical else dg.AssetCheckSeverity.WARN,
        description="; ".join(result.failure for result in failed) or _without_failure(results),
        metadata={
            **{
                f"failed rows of {result.name}": dg.MetadataValue.path(str(result.failed_rows))
                for result in failed
                if result.failed_rows
            },
            "failed": len(failed),
            "expectations": dg.MetadataValue.table([_record(result) for result in ordered], _TABLE_SCHEMA),
        },
    )


def _without_failure(results: Sequence[CheckResult]) -> str:
    """The description of a check without failures: its expectations hold, or the reason why none of them ran."""
    if reason := next((result.not_run for result in results if all(r.not_run for r in results)), None):
        return reason
    return f"{len(results)} expectations hold"


def _record(result: CheckResult) -> dg.TableRecord:
    return dg.TableRecord({
        "expectation": result.name, "verdict": result.verdict, "severity": result.severity,
        "evaluated": result.evaluated, "unexpected": None if result.unexpected is None else float(result.unexpected),
        "examples": "; ".join(result.examples), "expected": result.description,
    })  # fmt: skip


def tags(subject: str, layer: str, cadence: str, place: str | None) -> dict[str, str]:
    """The tags of an asset; `place` is None for one of several places."""
    return {"subject": subject, "layer": layer, "cadence": cadence} | ({"place": place} if place else {})


def code_reference(label: str, path: Path) -> dg.LocalFileCodeReference:
    return dg.LocalFileCodeReference(file_path=str(path), line_number=1, label=label)


def code_references(files: Mapping[str, Path]) -> dg.CodeReferencesMetadataValue:
    """Links to the files that define an asset."""
    return dg.CodeReferencesMetadataValue(
        code_references=[code_reference(label, path) for label, path in files.items()]
    )


def portal_page(source: Source) -> str | None:
    """The web page of a source on its portal, of the last of its editions; None for a local file."""
    match source:
        case Editions():
            return portal_page(list(source.editions.values())[-1].source)
        case SocrataSource():
            return f"https://{source.domain}/d/{source.id}"
        case OpendatasoftSource():
            return f"https://{source.domain}/explore/dataset/{source.id}/"
        case ArcgisSource():
            return f"https://www.arcgis.com/home/item.html?id={source.item}" if source.item else source.fallbacks[0]
    return source.url if source.url.startswith("https://") else None


def reference(source: Source) -> str:
    """The id of a dataset on its portal."""
    match source:
        case Editions():
            return "; ".join(f"{label}: {reference(edition.source)}" for label, edition in source.editions.items())
        case SocrataSource():
            return f"{source.domain} {source.id}"
        case OpendatasoftSource():
            return f"{source.domain} {source.id}"
        case ArcgisSource():
            return source.item or source.fallbacks[0]
    return source.url


def freshness_policy(cadence: Cadence) -> dg.FreshnessPolicy | None:
    """Dagster's freshness policy: the time since a table was last accepted. The age of the data is the check `data_age`."""
    days = FRESH_FOR_DAYS.get(cadence)
    return dg.FreshnessPolicy.time_window(fail_window=timedelta(days=days)) if days else None


def source_description(dataset: Dataset) -> str:
    return f"{dataset.title} ({dataset.publisher}). {dataset.description}"
