"""The data dictionary as Markdown pages, from the catalog, the contracts and the SQL, without a database.

Pages link to `sql/`, `civic_pipeline/defs/` and `data/seeds/` relative to `docs/dictionary/<schema>/<table>.md`.
"""

from calendar import month_name
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import get_args

from civic_pipeline.catalog import (
    FRESH_FOR_DAYS,
    Dataset,
    Place,
    Subject,
    load_datasets,
    load_places,
    table_name,
)
from civic_pipeline.errors import writing
from civic_pipeline.publish.markdown import WRITTEN_BY, as_code, as_document, as_facts, as_table
from civic_pipeline.publish.sources import reference
from civic_pipeline.quality import PlannedCheck, planned_checks, portal_checks
from civic_pipeline.replacing import replace_text
from civic_pipeline.warehouse import Model, load_models
from civic_pipeline.warehouse.cleaned import ADDED_TO_CLEAN
from civic_pipeline.warehouse.lineage import Schema, column_lineage
from civic_pipeline.warehouse.meta import RecordedTable, recorded_tables
from civic_pipeline.warehouse.seeds import seed_columns, seed_paths

_PERSONAL = " Column about persons: kept in the build, left out of releases."
_CLOCKS = {
    "utc": "an instant, in UTC",
    "local_labelled_utc": "local wall time, though the portal labels it UTC; kept unchanged",
    "date_only": "a calendar day; the time that the portal adds is dropped",
    None: "",
}


@dataclass(frozen=True)
class _Catalog:
    """The input of all pages. `lineage`: table -> column -> origins. `readers`: table -> models that read it."""

    root: Path
    datasets: Mapping[str, Dataset]
    models: Mapping[str, Model]
    lineage: Mapping[str, Mapping[str, list[str]]]
    readers: Mapping[str, list[str]]
    places: Mapping[str, Place]
    seeds: Mapping[str, Path]

    def page(self, table: str) -> str:
        """The page of a table, relative to the dictionary's folder."""
        schema, _, name = table.partition(".")
        if schema == "seeds":
            return f"../../{self.seeds[name].relative_to(self.root).as_posix()}"
        pages = {"history": "raw", "clean_history": "clean"}  # captures of a dataset are on one page
        return f"{pages.get(schema, schema)}/{name}.md"


def write_dictionary(root: Path, folder: Path, check: bool) -> list[str]:
    """Write the pages under `folder` for the checkout at `root`; with `check`, only compare.

    Returns the names of pages that were missing, outdated or about a table that no longer exists. Raises FileInvalid and
    CatalogIncomplete (the catalog is not valid), ModelFailed (no lineage for its SQL), DiskFull, NotWritable.
    """
    pages = _pages(_read_catalog(root))
    present = {path.relative_to(folder).as_posix(): path for path in folder.rglob("*.md")}
    stale = [
        name for name, text in pages.items() if name not in present or present[name].read_text(encoding="utf-8") != text
    ]
    gone = sorted(present.keys() - pages.keys())
    if not check:
        with writing(folder):
            for name in stale:
                page = folder / name
                page.parent.mkdir(parents=True, exist_ok=True)
                replace_text(page, pages[name])
            for name in gone:
                present[name].unlink()
    return stale + gone


def _read_catalog(root: Path) -> _Catalog:
    datasets = load_datasets(root)
    schema: Schema = {"raw": {}, "history": {}, "seeds": {}, "clean": {}, "clean_history": {}, "marts": {}}
    for name, dataset in datasets.items():
        # Only the portal knows the columns of a family (*). Types do not matter here: lineage follows names.
        declared = [column for column in dataset.all_columns if "*" not in column]
        schema["raw"][table_name(name)] = dict.fromkeys([*declared, "_capture_id", "_edition"], "VARCHAR")
        schema["history"][table_name(name)] = schema["raw"][table_name(name)] | {"_captured_at": "TIMESTAMP"}
    for table, recorded in recorded_tables().items():
        namespace, _, name = table.partition(".")
        schema.setdefault(namespace, {})[name] = {column.name: column.type for column in recorded.columns}
    schema["seeds"] = {name: dict.fromkeys(columns, "VARCHAR") for name, columns in seed_columns(root).items()}
    models = dict(sorted(load_models(root, datasets).items()))
    for model in models.values():
        schema[model.schema][model.table] = {column.name: column.type for column in model.contract.columns}
        if model.schema == "clean":
            schema["clean_history"][model.table] = schema["clean"][model.table] | ADDED_TO_CLEAN
    readers: dict[str, list[str]] = defaultdict(list)
    for model in models.values():
        for name in model.inputs:
            readers[name].append(model.name)
    lineage = {name: column_lineage(model, schema) for name, model in models.items()}
    return _Catalog(root, datasets, models, lineage, dict(readers), load_places(root), seed_paths(root))


def _pages(catalog: _Catalog) -> dict[str, str]:
    """Path relative to the dictionary's folder -> text."""
    pages = {"README.md": _index(catalog)}
    pages |= {f"raw/{table_name(name)}.md": _dataset_page(catalog, name) for name in catalog.datasets}
    pages |= {f"{model.schema}/{model.table}.md": _table_page(catalog, model) for model in catalog.models.values()}
    pages |= {catalog.page(name): _recorded_page(name, table) for name, table in recorded_tables().items()}
    return {name: f"{WRITTEN_BY}\n{text}" for name, text in pages.items()}


def _index(catalog: _Catalog) -> str:
    datasets = [
        (f"[{name}](raw/{table_name(name)}.md)", dataset.title, dataset.publisher, "retired" if dataset.retired else dataset.cadence,
         ", ".join(value for what, value in reference(dataset) if what != "Fallback"), dataset.source.recorded.isoformat(),
         ", ".join(f"[{table}]({catalog.page(table)})" for table in catalog.readers.get(f"raw.{table_name(name)}", [])))
        for name, dataset in catalog.datasets.items()
    ]  # fmt: skip
    places = [
        (f"[{name}](../../civic_pipeline/defs/{name}/place.yaml)", place.kind, place.state or "", place.time_zone,
         f"from {month_name[place.fiscal_year.first_month]}, named by {place.fiscal_year.named_by}",
         ", ".join(f"{year}: {counted.residents:,} ({counted.source})" for year, counted in place.population.items()),
         ", ".join(place.owners))
        for name, place in catalog.places.items()
    ]  # fmt: skip
    used = {model.subject for model in catalog.models.values() if model.schema == "marts"}
    subjects = [subject for subject in get_args(Subject) if subject in used]
    rules = [
        (f"[{rule.name}](../../{rule.path.relative_to(catalog.root).as_posix()})", rule.severity,
         f"[{model.name}]({catalog.page(model.name)})", rule.description)
        for model in catalog.models.values()
        for rule in model.rules
    ]  # fmt: skip
    return as_document(
        "# Data dictionary",
        "Every dataset, table, column and check, as the files of this checkout define them.",
        "The released file holds the schemas `clean`, `marts`, `quarantine` and `meta`. `raw` views live in the build file;"
        " their rows are the Parquet files of the lake.",
        "## Datasets",
        "`raw.<place>_<dataset>` has the newest accepted capture. `Recorded` is the day on which the reference was last confirmed.",
        as_table(("Dataset", "Title", "Publisher", "Cadence", "Reference", "Recorded", "Becomes"), datasets),
        "## Places",
        "The publishers, as their `place.yaml` describes them; also in `meta.places` and, for cities, in `marts.dim_cities`.",
        as_table(("Place", "Kind", "State", "Time zone", "Fiscal year", "Population", "Owners"), places),
        "## Clean tables",
        "Each is one source with typed and renamed columns, checked. Rows that break a row rule are in `quarantine` under the same name.",
        _grains(catalog, "clean"),
        "## Marts",
        "The same for all cities: `dim_` describes things, `fct_` has events, `mart_` answers one question.",
        *(block for subject in subjects for block in (f"### {subject}", _grains(catalog, "marts", subject))),
        "## Meta tables",
        "Recorded by the pipeline itself: the sources of every table, the results of its checks, the meaning of its columns,"
        " and what each release changed.",
        as_table(
            ("Table", "Each row is"),
            [(f"[{name}]({catalog.page(name)})", f"{t.each_row_is}.") for name, t in recorded_tables().items()],
        ),
        "## Rules across tables",
        "Each is a query that returns the rows that break the rule. A failed critical rule holds its table back.",
        as_table(("Rule", "Severity", "Holds back", "Description"), sorted(rules)),
    )


def _grains(catalog: _Catalog, schema: str, subject: Subject | None = None) -> str:
    rows = [
        (f"[{model.name}]({catalog.page(model.name)})", f"{model.contract.each_row_is}.")
        for model in catalog.models.values()
        if model.schema == schema and subject in (None, model.subject)
    ]
    return as_table(("Table", "Each row is"), rows)


def _table_page(catalog: _Catalog, model: Model) -> str:
    contract, lineage = model.contract, catalog.lineage[model.name]
    contract_file = model.contract_path.relative_to(catalog.root).as_posix()
    history_readers = catalog.readers.get(f"clean_history.{model.table}", []) if model.schema == "clean" else []
    made_by = model.code.file if model.code else model.path.relative_to(catalog.root).as_posix()
    rows = [
        ("Key", as_code(contract.key)),
        ("Python" if model.code else "SQL", f"[{made_by}](../../../{made_by})"),
        ("Contract", f"[{contract_file}](../../../{contract_file})"),
        ("Reads", _links(catalog, sorted(model.inputs))),
        ("Read by", _links(catalog, [*catalog.readers.get(model.name, []), *history_readers])),
    ]
    columns = [
        (f"`{column.name}`", f"`{column.type}`", column.unit or "", f"{column.description}{_PERSONAL if column.personal else ''}",
         _links(catalog, [column.references] if column.references else []), as_code(lineage[column.name]))
        for column in contract.columns
    ]  # fmt: skip
    checks = planned_checks(model).values()
    return as_document(
        f"# {model.name}",
        f"Each row is {contract.each_row_is}.",
        contract.about,
        f"**It cannot say:** {contract.cannot_say}" if contract.cannot_say else None,
        as_facts(rows),
        "## Columns",
        as_table(("Column", "Type", "Unit", "Meaning", "References", "Made from"), columns),
        *_row_rules(model),
        "## Checks",
        "A failed critical check keeps the table at its last accepted version. A warning is reported.",
        _checks(checks),
    )


def _row_rules(model: Model) -> list[str]:
    contract = model.contract
    blocks = []
    if contract.row_rules:
        extra = [*(name for name in model.query.named_selects if name.startswith("_")), "_rules", "_reasons"]
        text = (
            f"A row that breaks one goes whole to `quarantine.{model.table}`, with the columns above and {as_code(extra)}."
            f" More than {contract.tolerate_quarantined:.2%} of the rows there holds the table back."
        )
        rules = [(f"`{rule.name}`", f"`{rule.keep_if}`", rule.reason) for rule in contract.row_rules]
        blocks += ["## Row rules", text, as_table(("Rule", "A row is kept if", "Otherwise"), rules)]
    if contract.repeated_rows:
        blocks.append("Rows equal in every column above are kept once; `meta.tables.repeated_rows` counts the others.")
    return blocks


def _dataset_page(catalog: _Catalog, name: str) -> str:
    dataset, table = catalog.datasets[name], f"raw.{table_name(name)}"
    return as_document(
        f"# {table}: {dataset.title}",
        dataset.description,
        as_facts(_dataset_facts(catalog, name, dataset)),
        "## Columns",
        "As the portal declares them. A name with * stands for a family of columns. Where `Becomes` is empty, no table uses"
        " the column.",
        as_table(("Column", "Portal type", "Time zone", "Becomes"), _raw_columns(catalog, table, dataset)),
        *_earlier_shapes(dataset),
        "## Checks",
        "A failed critical check holds back every table made of the dataset. A warning is reported.",
        _checks(portal_checks(table).values()),
    )


def _dataset_facts(catalog: _Catalog, name: str, dataset: Dataset) -> list[tuple[str, str]]:
    table, definition = table_name(name), f"civic_pipeline/defs/{name}/defs.yaml"
    days = FRESH_FOR_DAYS.get(dataset.cadence)
    age = f"; the newest `{dataset.dated_by}` should be at most {days} days old" if days and dataset.dated_by else ""
    readers = [reader for schema in ("raw", "history") for reader in catalog.readers.get(f"{schema}.{table}", [])]
    return [
        ("Dataset", f"`{name}`"),
        ("Formerly", f"`{dataset.formerly}`" if dataset.formerly else ""),
        ("Status", "Retired: not asked any more. Earlier captures stay readable." if dataset.retired else ""),
        ("Subject", dataset.subject),
        ("Publisher", dataset.publisher),
        ("Licence", dataset.licence),
        ("Cadence", dataset.cadence + age),
        *reference(dataset),
        ("Reference recorded", dataset.source.recorded.isoformat()),
        ("Key in the source", as_code(dataset.key)),
        ("Largest allowed drop in rows", f"{dataset.volume.shrink_at_most:.0%} against the last accepted capture"),
        ("Definition", f"[{definition}](../../../{definition})"),
        ("Read by", _links(catalog, readers)),
    ]


def _raw_columns(catalog: _Catalog, table: str, dataset: Dataset) -> list[tuple[str, str, str, str]]:
    """Each column of the raw `table`: name, portal type, meaning of its times, and the columns that are computed from it."""
    becomes: dict[str, list[str]] = defaultdict(list)
    for reader in catalog.readers.get(table, []):
        for column, origins in catalog.lineage[reader].items():
            for origin in origins:
                becomes[origin].append(f"{reader}.{column}")
    columns = [
        (
            f"`{column}`",
            f"{kind}, about persons" if column.lower() in dataset.about_persons else kind,
            _CLOCKS[dataset.time_zones.get(column)],
            as_code(becomes[f"{table}.{column}"]),
        )
        for column, kind in dataset.all_columns.items()
    ]
    edition = as_code(becomes[f"{table}._edition"]) or "null: the source has no editions"
    return [
        *columns,
        ("`_capture_id`", "", "", "names the row's capture in `meta.captures`"),
        ("`_edition`", "", "", edition),
    ]


def _earlier_shapes(dataset: Dataset) -> list[str]:
    if not dataset.earlier_shapes:
        return []
    shapes = [
        (
            shape.seen,
            as_code(
                [*(f"{name}: {sql}" for name, sql in shape.columns.items()), *(f"no {name}" for name in shape.without)]
            ),
        )
        for shape in dataset.earlier_shapes
    ]
    return ["## Earlier shapes", "How older captures name today's columns.", as_table(("Seen", "Columns"), shapes)]


def _recorded_page(name: str, table: RecordedTable) -> str:
    return as_document(
        f"# {name}",
        table.description,
        "## Columns",
        as_table(("Column", "Type", "Meaning"), [(f"`{c.name}`", f"`{c.type}`", c.description) for c in table.columns]),
    )


def _checks(checks: Iterable[PlannedCheck]) -> str:
    return as_table(
        ("Check", "Layer", "Severity", "Expectation, or its reason", "With"),
        [(f"`{check.name}`", check.layer, check.severity, check.description, _arguments(check)) for check in checks],
    )


def _arguments(check: PlannedCheck) -> str:
    """The arguments of an expectation without its columns, which are in its name; none for generated queries."""
    if check.expectation is None or check.name.endswith("__references"):
        return ""
    named = {"column", "column_A", "column_B", "column_list"}
    return as_code(f"{key}: {value}" for key, value in check.expectation.arguments.items() if key not in named)


def _links(catalog: _Catalog, tables: Iterable[str]) -> str:
    """Links to tables from a page one folder below the index."""
    return ", ".join(f"[{table}](../{catalog.page(table)})" for table in tables)
