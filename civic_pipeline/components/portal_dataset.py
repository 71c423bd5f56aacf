"""A dataset a publisher offers, described in `defs.yaml`: one raw asset that captures it, with the checks of the capture."""

import re
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import dagster as dg

from civic_pipeline.catalog import Dataset, FileSource, OpendatasoftSource, SocrataSource, Source, table_name
from civic_pipeline.components.dagster_terms import OWNERS, asset_key, check_result, check_spec
from civic_pipeline.lake import Attempt, Lake, Manifest, attempt_capture, progress_in_words
from civic_pipeline.portals import Access
from civic_pipeline.quality import checks_of, portal_checks
from civic_pipeline.settings import Settings

_RETRIES = dg.RetryPolicy(max_retries=2, delay=10, backoff=dg.Backoff.EXPONENTIAL, jitter=dg.Jitter.PLUS_MINUS)
_LOG_EVERY_SECONDS = 5


class PortalDataset(dg.Component):
    """A dataset a publisher offers: where it comes from and what it promises. Captured as the asset raw/<city>_<dataset>."""

    def __init__(self, name: str, dataset: Dataset) -> None:
        self.name, self.dataset = name, dataset

    @classmethod
    def get_model_cls(cls) -> type[Dataset]:  # our own model, so that `dg check yaml` names the exact line
        return Dataset

    @classmethod
    def load(cls, attributes: Dataset, context: dg.ComponentLoadContext) -> "PortalDataset":  # type: ignore[override] # Dagster passes an instance of get_model_cls
        return cls("/".join(Path(context.path).parts[-2:]), attributes)

    def build_defs(self, _: dg.ComponentLoadContext) -> dg.Definitions:
        name, dataset, table = self.name, self.dataset, f"raw.{table_name(self.name)}"
        source = dataset.source

        @dg.asset(
            key=asset_key(table),
            description=f"{dataset.title} ({dataset.publisher}). {dataset.description}",
            group_name=name.partition("/")[0],
            kinds={source.portal, "parquet"},
            owners=OWNERS,
            tags={"city": name.partition("/")[0], "cadence": dataset.cadence},
            pool=f"portal_{_host(source)}",
            retry_policy=_RETRIES,
            check_specs=[check_spec(check) for check in portal_checks(table).values()],
            metadata={
                "publisher": dataset.publisher,
                "licence": dataset.licence,
                "cadence": dataset.cadence,
                "reference": _reference(source),
                "reference recorded": source.recorded.isoformat(),
                "dagster/column_schema": dg.TableSchema(
                    [dg.TableColumn(column, kind) for column, kind in dataset.columns.items()]
                ),
            },
        )
        def capture_dataset(
            context: dg.AssetExecutionContext, portals: dg.ResourceParam[Access]
        ) -> Iterator[dg.AssetCheckResult | dg.MaterializeResult[None]]:
            lake = Lake(Settings.from_environment().lake)
            progress = progress_in_words(lambda text: context.log.info(f"{name}: {text}"), _LOG_EVERY_SECONDS)
            made = attempt_capture(name, dataset, lake, portals, progress)
            if made.passing and context.retry_number < _RETRIES.max_retries:
                raise dg.Failure(made.problem)
            capture = lake.capture(made.capture_id) if made.capture_id else None
            context.log.info(f"{name}: {made.problem or (capture and _in_words(made, capture))}")
            for result in checks_of(made, table):
                yield check_result(result)
            # A failed attempt is a failed check, not a failed step: the tables that do not depend on it are still built.
            # An unchanged source is materialized, too, with that status: Dagster skips what depends on an asset that is not.
            yield dg.MaterializeResult(
                metadata=_metadata(made, capture, lake), data_version=dg.DataVersion(made.capture_id or "none")
            )

        return dg.Definitions(assets=[capture_dataset])


def _host(source: Source) -> str:
    """What captures take turns at, in letters that Dagster takes for a pool: a portal's host, or the disk."""
    match source:
        case SocrataSource() | OpendatasoftSource():
            host = source.domain
        case FileSource():
            host = urlsplit(source.url).hostname or "disk"
        case _:
            host = source.portal
    return re.sub(r"\W", "_", host)


def _reference(source: Source) -> str:
    """How the portal knows the dataset."""
    match source:
        case SocrataSource():
            return f"{source.domain} {source.id or ', '.join(source.editions.values())}"
        case OpendatasoftSource():
            return f"{source.domain} {source.id}"
        case FileSource():
            return source.url
        case _:
            return source.item or source.fallbacks[0]


def _in_words(made: Attempt, capture: Manifest) -> str:
    return (
        f"unchanged since {capture.captured_at[:16]}Z"
        if made.status == "unchanged"
        else f"{capture.rows:,} rows captured"
    )


def _metadata(made: Attempt, capture: Manifest | None, lake: Lake) -> dict[str, dg.MetadataValue]:
    metadata: dict[str, dg.MetadataValue] = {"status": dg.MetadataValue.text(made.status)}
    if made.problem:
        metadata["problem"] = dg.MetadataValue.text(made.problem)
    if capture:
        metadata |= {
            "dagster/row_count": dg.MetadataValue.int(capture.rows),
            "bytes": dg.MetadataValue.int(capture.bytes),
            "requests": dg.MetadataValue.int(sum(part.requests for part in capture.parts)),
            "retries": dg.MetadataValue.int(sum(part.retries for part in capture.parts)),
            "capture": dg.MetadataValue.path(str(lake.folder / capture.capture_id)),
            "captured at": dg.MetadataValue.text(capture.captured_at),
            "address": dg.MetadataValue.url(capture.parts[0].url),
        }
    return metadata
