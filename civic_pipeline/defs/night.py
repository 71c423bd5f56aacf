"""The night as one Dagster step whose assets are captures, tables, the release and the site, each with its own result.

It is one step, because Dagster skips everything downstream of a step that fails in part, and a retry repeats the whole
step. See docs/adr/0019-one-step-for-the-whole-night.md. The work itself is in nightly.py; here it is only translated for Dagster.
"""

from collections.abc import Iterator, Mapping

import dagster as dg

from civic_pipeline import interruption
from civic_pipeline.catalog import Dataset, load_datasets, table_name
from civic_pipeline.components.asset_specs import (
    RELEASE,
    SITE,
    raw_spec,
    release_spec,
    seed_specs,
    site_spec,
    table_spec,
)
from civic_pipeline.components.dagster_terms import asset_key, check_specs, table_of
from civic_pipeline.components.events import Event, events_of, observed_before, site_events
from civic_pipeline.dagster_private import without_stack_trace
from civic_pipeline.errors import CivicError, HeldBack
from civic_pipeline.lake import Lake, last_attempt
from civic_pipeline.nightly import Selection, night
from civic_pipeline.quality import planned_checks, portal_checks
from civic_pipeline.settings import Settings
from civic_pipeline.warehouse import Model, load_models

# Dagster's tags of a run that re-executes a failed step, and of one that re-executes only failed assets.
_STEP_RETRY, _ASSET_RETRY = "dagster/is_resume_retry", "dagster/is_asset_resume_retry"


@dg.definitions
def nightly_assets() -> dg.Definitions:
    settings = Settings.from_environment()
    datasets = load_datasets(settings.root)
    models = load_models(settings.root, datasets)
    raw = [f"raw.{table_name(name)}" for name in datasets]

    @dg.multi_asset(
        name="night",
        specs=[
            *(raw_spec(settings, name, dataset) for name, dataset in datasets.items()),
            *(table_spec(model, models, datasets) for model in models.values()),
            release_spec(models),
            site_spec(),
        ],
        check_specs=[
            *(spec for table in raw for spec in check_specs(table, portal_checks(table).values())),
            *(spec for model in models.values() for spec in check_specs(model.name, planned_checks(model).values())),
        ],
        can_subset=True,
    )
    def night_step(context: dg.AssetExecutionContext) -> Iterator[Event]:
        """Capture, build and release what is selected; make the site; fail at the end if anything failed or is held back."""
        current = Settings.from_environment()
        try:
            with interruption.watched():
                selection = _selection(context, datasets, models, Lake(current.lake, datasets))
                yield from _not_asked_again(context, selection, datasets, Lake(current.lake, datasets))
                held: HeldBack | None = None
                try:
                    for outcome in night(current, datasets, models, context.run.run_id, selection, context.log.info):
                        yield from _selected(context, events_of(context, outcome, current))
                except HeldBack as problem:  # there is a release all the same, and its site says what is held back
                    held = problem
                if SITE in context.selected_asset_keys or _repeats_a_release(context):
                    yield from _selected(context, site_events(context, current))
                if held:
                    raise held
        except CivicError as error:
            raise without_stack_trace(error) from error
        except BaseException:
            if interruption.received():  # a library may have replaced the exception
                raise interruption.Interrupted from None
            raise

    return dg.Definitions(assets=[night_step, *seed_specs(settings)])


def _selection(
    context: dg.AssetExecutionContext, datasets: Mapping[str, Dataset], models: Mapping[str, Model], lake: Lake
) -> Selection:
    """The part of the night that the run's selection of assets and checks asks for.

    Selected tables are always rebuilt. A whole night, and a re-execution of a failed one, keeps unchanged tables; a
    re-execution captures only the sources that failed.
    """
    keys = {table_of(key) for key in context.selected_asset_keys}
    asked = {name for name in datasets if f"raw.{table_name(name)}" in keys}
    is_retry = bool({_STEP_RETRY, _ASSET_RETRY} & context.run.tags.keys())
    if is_retry:
        asked = {name for name in asked if (attempt := last_attempt(name, lake)) is None or attempt.problem}
    whole = keys >= {*models, table_of(RELEASE)}
    return Selection(
        datasets=frozenset(asked),
        tables=frozenset(models.keys() & keys),
        only_checked=frozenset(
            {table_of(key.asset_key) for key in context.selected_asset_check_keys} & models.keys() - keys
        ),
        releases=table_of(RELEASE) in keys or _repeats_a_release(context),
        rebuilds=not whole and not is_retry,
    )


def _repeats_a_release(context: dg.AssetExecutionContext) -> bool:
    """Whether this run re-executes failed assets of a run that had the release selected, so that it must release, too."""
    parent_id = context.run.tags.get("dagster/parent_run_id")
    if _ASSET_RETRY not in context.run.tags or parent_id is None:
        return False
    parent = context.instance.get_run_by_id(parent_id)
    return parent is not None and (not parent.asset_selection or RELEASE in parent.asset_selection)


def _not_asked_again(
    context: dg.AssetExecutionContext, selection: Selection, datasets: Mapping[str, Dataset], lake: Lake
) -> Iterator[Event]:
    """The last state of retired sources, and of those that a re-execution does not capture: Dagster would show them as failed."""
    for name, dataset in datasets.items():
        is_asked = name in selection.datasets and not dataset.retired
        if not is_asked and asset_key(f"raw.{table_name(name)}") in context.selected_asset_keys:
            yield from _selected(context, observed_before(context, name, lake, dataset.retired))


def _selected(context: dg.AssetExecutionContext, events: Iterator[Event]) -> Iterator[Event]:
    wanted = {(key.asset_key, key.name) for key in context.selected_asset_check_keys}
    for event in events:
        if isinstance(event, dg.AssetCheckResult):
            if (event.asset_key, event.check_name) in wanted:
                yield event
        elif event.asset_key in context.selected_asset_keys:
            yield event
        else:  # release and site of a re-execution of failed assets: Dagster does not select them
            context.log_event(dg.AssetMaterialization(event.asset_key or RELEASE, metadata=event.metadata))
