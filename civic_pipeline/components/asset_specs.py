"""The Dagster asset specs: raw captures, tables, the release, and seeds."""

from collections.abc import Iterable, Mapping

import dagster as dg

from civic_pipeline import selection
from civic_pipeline.catalog import FRESH_FOR_DAYS, Cadence, Dataset, accepted_as, table_name
from civic_pipeline.components.dagster_terms import (
    asset_key,
    code_references,
    freshness_policy,
    portal_page,
    reference,
    source_description,
    tags,
)
from civic_pipeline.components.portal_dataset import source_key
from civic_pipeline.settings import Settings
from civic_pipeline.warehouse import Model
from civic_pipeline.warehouse.seeds import seed_columns, seed_paths

RELEASE, SITE = dg.AssetKey([selection.RELEASE]), dg.AssetKey([selection.SITE])
_OWNERS = ["team:open-data"]  # owner of assets without YAML: seeds and the release


def raw_spec(settings: Settings, name: str, dataset: Dataset) -> dg.AssetSpec:
    """The asset of the captures of `place/dataset`. Skippable: it is not materialized if the source fails."""
    source, page = dataset.source, portal_page(dataset.source)
    return dg.AssetSpec(
        asset_key(f"raw.{table_name(name)}"),
        deps=[source_key(name)],
        description=source_description(dataset),
        group_name=dataset.subject,
        kinds={source.portal, "parquet"},
        owners=list(dataset.owners),
        tags=tags(dataset.subject, "raw", dataset.cadence, name.partition("/")[0]),
        skippable=True,
        metadata={
            "publisher": dataset.publisher,
            "licence": dataset.licence,
            "reference": reference(source),
            "reference recorded": source.recorded.isoformat(),
            "dagster/column_schema": dg.TableSchema(
                [dg.TableColumn(column, kind) for column, kind in dataset.columns.items()]
            ),
            "dagster/code_references": code_references(
                {"definition": settings.root / "civic_pipeline" / "defs" / name / "defs.yaml"}
            ),
        }
        | ({"portal page": dg.MetadataValue.url(page)} if page else {}),
    )


def table_spec(model: Model, models: Mapping[str, Model], datasets: Mapping[str, Dataset]) -> dg.AssetSpec:
    """The asset of a table of `sql/`. Skippable: it is not materialized if the table is held back."""
    sources = _sources(model, models, datasets)
    places = {name.partition("/")[0] for name in sources}
    return dg.AssetSpec(
        asset_key(model.name),
        deps=sorted({asset_key(selection.asset_of(name)) for name in model.inputs if not name.startswith("meta.")}),
        description=model.description,
        group_name=model.subject,
        kinds={"duckdb", "python" if model.code else "sql"},
        owners=list(model.contract.owners),
        tags=tags(
            model.subject, model.schema, _most_frequent(sources.values()), places.pop() if len(places) == 1 else None
        ),
        code_version=model.code_version,
        skippable=True,
        freshness_policy=freshness_policy(model.dataset.cadence) if model.dataset else None,
        metadata={
            "dagster/table_name": model.name,
            "dagster/column_schema": dg.TableSchema(
                [
                    dg.TableColumn(c.name, c.type, c.description, _constraints(model, c.name))
                    for c in model.contract.columns
                ]
            ),
            "dagster/code_references": code_references(
                {"Python" if model.code else "SQL": model.path, "contract": model.contract_path}
            ),
            "each row is": model.contract.each_row_is,
        }
        | ({} if model.code else {"sql": dg.MetadataValue.md(f"```sql\n{model.sql}\n```")}),
    )


def release_spec(models: Mapping[str, Model]) -> dg.AssetSpec:
    return dg.AssetSpec(
        RELEASE,
        deps=[asset_key(name) for name in models],
        description="The released warehouse: one read-only DuckDB file with every accepted table, replaced atomically.",
        group_name="shared",
        kinds={"duckdb"},
        owners=_OWNERS,
        tags=tags("shared", "release", "daily", None),
    )


def site_spec() -> dg.AssetSpec:
    """The asset of the public site. Skippable: without a release there is none."""
    return dg.AssetSpec(
        SITE,
        deps=[RELEASE],
        description="The public site: static pages and files made from the release, replaced atomically.",
        group_name="shared",
        kinds={"html"},
        owners=_OWNERS,
        tags=tags("shared", "site", "daily", None),
        skippable=True,
    )


def seed_specs(settings: Settings) -> list[dg.AssetSpec]:
    """External assets for the seeds that models read: files of the checkout, never materialized."""
    root, paths = settings.root, seed_paths(settings.root)
    return [
        dg.AssetSpec(
            dg.AssetKey(["seeds", name]),
            description=f"Reviewed and edited by hand: {paths[name].relative_to(root).as_posix()}.",
            group_name="shared",
            kinds={
                "csv" if paths[name].is_relative_to(root / "data") else "yaml"
            },  # places are read from their place.yaml
            owners=_OWNERS,
            tags=tags("shared", "seed", "irregular", None),
            metadata={
                "dagster/column_schema": dg.TableSchema([dg.TableColumn(column) for column in columns]),
                "dagster/code_references": code_references({"seed": paths[name]}),
            },
        )
        for name, columns in seed_columns(root).items()
    ]


def _sources(model: Model, models: Mapping[str, Model], datasets: Mapping[str, Dataset]) -> dict[str, Dataset]:
    """All datasets that a table is built from, directly or through other tables."""
    by_table = {f"{schema}.{table_name(name)}": name for name in datasets for schema in ("raw", "history")}
    sources: dict[str, Dataset] = {}
    for name in map(accepted_as, model.inputs):
        if name in by_table:
            sources[by_table[name]] = datasets[by_table[name]]
        elif name in models:
            sources |= _sources(models[name], models, datasets)
    return sources


def _most_frequent(datasets: Iterable[Dataset]) -> Cadence:
    """The cadence of a table: that of its most frequent source."""
    cadences: list[Cadence] = [dataset.cadence for dataset in datasets]
    return min(cadences, key=lambda cadence: FRESH_FOR_DAYS.get(cadence, 9_999), default="irregular")


def _constraints(model: Model, column: str) -> dg.TableColumnConstraints:
    key = model.contract.key
    return dg.TableColumnConstraints(nullable=column not in key, unique=key == (column,))
