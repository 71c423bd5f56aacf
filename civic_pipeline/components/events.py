"""Turn outcomes of the night into Dagster events: materializations, check results, and observations of failures."""

from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any

import dagster as dg

from civic_pipeline.catalog import table_name
from civic_pipeline.components.asset_specs import RELEASE, SITE
from civic_pipeline.components.dagster_terms import asset_key, check_results
from civic_pipeline.lake import Attempt, Lake, Manifest, last_asked, last_attempt
from civic_pipeline.nightly import (
    CaptureOutcome,
    CheckOutcome,
    HistoryStopped,
    Outcome,
    ReleaseOutcome,
    ReportOutcome,
)
from civic_pipeline.quality import TableOutcome, checks_of, report_page, retired_checks
from civic_pipeline.settings import Settings

Event = dg.AssetCheckResult | dg.MaterializeResult[None]


def events_of(context: dg.AssetExecutionContext, outcome: Outcome, settings: Settings) -> Iterator[Event]:
    """The events of one outcome; outcomes without a Dagster event are logged. Asset observations are recorded here.

    Checks follow the materialization of their asset: Dagster attributes a check to the newest materialization.
    """
    match outcome:
        case CaptureOutcome():
            yield from _captured(context, outcome, settings)
        case TableOutcome():
            yield from _table(context, outcome, settings)
        case CheckOutcome():
            yield from check_results(outcome.results)
        case HistoryStopped():
            context.log.warning(f"the history of {outcome.name} was not updated: {outcome.why}")
        case ReportOutcome():
            context.log.info(f"quality report {outcome.page}")
        case ReleaseOutcome():
            yield _released(context, outcome, settings)


def site_events(context: dg.AssetExecutionContext, settings: Settings) -> Iterator[Event]:
    """Build the site of the live release. Raises what `build_site` raises."""
    from civic_pipeline.publish.site import build_site

    if not settings.warehouse.exists():
        context.log.info("no release, so no site")
        return
    built = build_site(settings.warehouse, settings.site, last_asked(Lake(settings.lake)), settings.site_address)
    context.log.info(f"site {built.folder}: {f'{built.pages:,} pages' if built.is_new else 'unchanged'}")
    for part, why in built.left_out.items():
        context.log.warning(f"the site has no pages below {part}: {why}")
    metadata = {
        "status": "built" if built.is_new else "unchanged",
        "release": built.release_id,
        "first page": dg.MetadataValue.path(str(built.folder / "index.html")),
        "pages": built.pages,
        "bytes": built.bytes,
    }
    yield dg.MaterializeResult(asset_key=SITE, metadata=metadata)


def observed_before(context: dg.AssetExecutionContext, name: str, lake: Lake, is_retired: bool) -> Iterator[Event]:
    """The last recorded state of a source, for a run that does not capture it."""
    table, attempt = f"raw.{table_name(name)}", last_attempt(name, lake)
    key = asset_key(table)
    if is_retired:
        capture = lake.accepted(name)
        held = {"captured at": capture.captured_at} if capture else {"rows": "none: it was never captured"}
        context.log_event(dg.AssetObservation(key, metadata={"status": "retired"} | held))
        yield from check_results(retired_checks(table))
    elif attempt and attempt.capture_id:
        metadata = _capture_metadata(attempt, lake.capture(attempt.capture_id), lake)
        yield dg.MaterializeResult(
            asset_key=key,
            metadata=metadata | {"status": "not asked again"},
            data_version=dg.DataVersion(attempt.capture_id),
        )
        yield from check_results(checks_of(attempt, table))


def _captured(context: dg.AssetExecutionContext, outcome: CaptureOutcome, settings: Settings) -> Iterator[Event]:
    attempt, capture, key = outcome.attempt, outcome.capture, asset_key(outcome.table)
    metadata = {"seconds": round(outcome.seconds, 1)} | _capture_metadata(attempt, capture, Lake(settings.lake))
    for left_out in attempt.left_out:
        context.log.warning(left_out)
    if attempt.problem:
        context.log.warning(attempt.problem)
        context.log_event(dg.AssetObservation(key, metadata=metadata))
    elif capture:
        words = (
            f"unchanged since {capture.captured_at[:16]}Z"
            if attempt.status == "unchanged"
            else f"{capture.rows:,} rows captured"
        )
        context.log.info(f"{outcome.name}: {words}")
        # Materialize an unchanged capture, too: else Dagster shows it as failed whenever another asset of the run failed.
        yield dg.MaterializeResult(asset_key=key, metadata=metadata, data_version=dg.DataVersion(capture.capture_id))
    yield from check_results(outcome.results)


def _capture_metadata(attempt: Attempt, capture: Manifest | None, lake: Lake) -> dict[str, Any]:
    metadata: dict[str, Any] = {"status": attempt.status if capture else "never_captured"}
    if attempt.problem:
        metadata |= {"problem": attempt.problem, "failing since": attempt.failing_since or attempt.attempted_at}
    if capture:
        metadata |= {
            "dagster/row_count": capture.rows,
            "bytes": capture.bytes,
            "requests": sum(part.requests for part in capture.parts),
            "retries": sum(part.retries for part in capture.parts),
            "capture": dg.MetadataValue.path(str(lake.folder / capture.capture_id)),
            "captured at": capture.captured_at,
            "address": dg.MetadataValue.url(capture.parts[0].url),
        }
    return metadata


def _table(context: dg.AssetExecutionContext, outcome: TableOutcome, settings: Settings) -> Iterator[Event]:
    model, key = outcome.model, asset_key(outcome.model.name)
    if outcome.problem:
        since = _moment(outcome.held_back_since)
        context.log.warning(f"{model.name} is held back since {since}: {outcome.problem}")
        context.log_event(
            dg.AssetObservation(
                key, metadata={"status": "held_back", "held back since": since, "held back because": outcome.problem}
            )
        )
        yield from _held_back(outcome, f"Held back since {since}: {outcome.problem}")
        return
    accepted = outcome.accepted
    if accepted is None:
        raise RuntimeError(f"{model.name} is neither accepted nor held back")
    if outcome.status == "never_captured":
        context.log.info(f"{model.name} is empty: none of its sources was captured yet")
    if outcome.status == "built":
        passed = sum(result.passed for result in outcome.results)
        context.log.info(f"{model.name}: {accepted.rows:,} rows, {passed} of {len(outcome.results)} checks passed")
    metadata: dict[str, Any] = {
        "status": outcome.status,
        "dagster/row_count": accepted.rows,
        "dagster/column_lineage": _lineage(accepted.lineage),
        "seconds": round(outcome.seconds, 2),
        "sample": dg.MetadataValue.table([dg.TableRecord(row) for row in outcome.sample], _schema(outcome)),
    }
    if model.schema == "clean":
        metadata |= {"quarantined rows": accepted.quarantined_rows, "repeated rows": accepted.repeated_rows}
    if model.missing_parts:
        metadata["missing parts"] = ", ".join(model.missing_parts)
    if accepted.data_date:
        metadata["newest date"] = accepted.data_date.isoformat()
    if outcome.status == "built":
        metadata["quality report"] = dg.MetadataValue.url(
            report_page(settings.reports, context.run.run_id, model.name).as_uri()
        )
    # With this data version, Dagster treats downstream tables as up to date until the contents change.
    yield dg.MaterializeResult(asset_key=key, metadata=metadata, data_version=dg.DataVersion(accepted.contents))
    yield from check_results(outcome.results)


def _held_back(outcome: TableOutcome, why: str) -> Iterator[dg.AssetCheckResult]:
    """The check results of the last accepted version, and `contract` failed with the reason."""
    by_name = {str(result.check_name): result for result in check_results(outcome.results)}
    contract = by_name.pop("contract", None)
    broken = contract is not None and not contract.passed
    yield dg.AssetCheckResult(
        asset_key=asset_key(outcome.model.name),
        check_name="contract",
        passed=False,
        severity=dg.AssetCheckSeverity.ERROR if broken else dg.AssetCheckSeverity.WARN,
        description=why,
        metadata=contract.metadata if contract else {},
    )
    yield from by_name.values()


def _released(
    context: dg.AssetExecutionContext, outcome: ReleaseOutcome, settings: Settings
) -> dg.MaterializeResult[None]:
    release, metadata = outcome.release, dict[str, Any]()
    if release:
        context.log.info(f"released {release.id}")
        metadata = {
            "release": release.id,
            "file": dg.MetadataValue.path(str(release.file)),
            "bytes": release.file.stat().st_size,
        }
        page = report_page(settings.reports, context.run.run_id)
        if page.exists():
            metadata["quality report"] = dg.MetadataValue.url(page.as_uri())
    else:
        context.log.info("nothing new to release")
    metadata |= {"status": "released" if release else "unchanged", "held back": len(outcome.held_back)}
    return dg.MaterializeResult(asset_key=RELEASE, metadata=metadata)


def _schema(outcome: TableOutcome) -> dg.TableSchema:
    return dg.TableSchema([dg.TableColumn(name) for name in (outcome.sample[0] if outcome.sample else ())])


def _lineage(lineage: Mapping[str, list[str]]) -> dg.TableColumnLineage:
    return dg.TableColumnLineage({
        column: [dg.TableColumnDep(asset_key(origin.rpartition(".")[0]), origin.rpartition(".")[2]) for origin in origins]
        for column, origins in lineage.items()
        if origins
    })  # fmt: skip


def _moment(moment: datetime | None) -> str:
    return f"{moment:%Y-%m-%d %H:%M} UTC" if moment else "this run"
