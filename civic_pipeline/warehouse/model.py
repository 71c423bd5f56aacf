"""A model is two files: one plain select and its contract. The path is the name.

`sql/clean/<place>/<dataset>.sql` makes `clean.<place>_<dataset>`, `sql/marts/<subject>/<table>.sql` makes `marts.<table>`.
Inputs are read from the SQL, never typed by hand.
"""

import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from graphlib import CycleError, TopologicalSorter
from pathlib import Path
from typing import cast, get_args

import sqlglot
from sqlglot import exp
from sqlglot.errors import ParseError

from civic_pipeline.catalog import Contract, Dataset, Subject, read_contract, refuse_name, table_name
from civic_pipeline.catalog.yaml_file import line_of
from civic_pipeline.errors import CatalogIncomplete, FileInvalid
from civic_pipeline.warehouse.rule import Rule, read_rule, rule_files

MODEL_SCHEMAS = ("clean", "marts")


@dataclass(frozen=True)
class Model:
    """One table: how it is made and what it promises. `inputs` are the tables its SQL reads, as `schema.table`.

    `dataset` is the one a clean table is made of, None for a mart. `rules` are those across tables that it is held back by.
    """

    schema: str
    table: str
    path: Path
    sql: str
    query: exp.Query
    contract: Contract
    inputs: frozenset[str]
    subject: Subject
    dataset: Dataset | None = None
    rules: tuple[Rule, ...] = ()

    @property
    def name(self) -> str:
        return f"{self.schema}.{self.table}"

    @property
    def dating_inputs(self) -> list[str]:
        """The inputs whose age is this table's age: dimensions and bridges list what exists, whatever the date of the facts."""
        return [name for name in self.inputs if not name.startswith(("marts.dim_", "marts.bridge_"))]

    @property
    def references(self) -> set[str]:
        """The other tables it is judged by: those whose keys its columns must exist in, and those its rules read."""
        keys = {column.references for column in self.contract.columns if column.references}
        return keys.union(*(rule.reads for rule in self.rules)) - {self.name}

    @property
    def code_version(self) -> str:
        """Changes when the SQL or the contract does."""
        files = [self.sql, self.contract.model_dump_json(), *(rule.sql for rule in self.rules)]
        return hashlib.sha256("".join(files).encode()).hexdigest()[:16]

    @property
    def description(self) -> str:
        """The grain and the caveats, for people who meet the table in a catalog."""
        contract = self.contract
        caveat = f"It cannot say: {contract.cannot_say}" if contract.cannot_say else None
        return " ".join(part for part in (f"Each row is {contract.each_row_is}.", contract.about, caveat) if part)


def load_models(root: Path, datasets: Mapping[str, Dataset]) -> dict[str, Model]:
    """Every model under `root/sql`, inputs before the tables made of them.

    Models may read the newest capture of `datasets` (as `raw.<place>_<dataset>`) or all of them (`history.<place>_<dataset>`),
    the seeds and each other. Raises FileInvalid
    for a file that breaks the rules and CatalogIncomplete where files do not fit together.
    """
    sources = {f"{schema}.{table_name(name)}" for name in datasets for schema in ("raw", "history")}
    sources |= {f"seeds.{file.stem}" for file in seed_files(root)}
    models: dict[str, Model] = {}
    for model in (_load(schema, path, datasets) for schema in MODEL_SCHEMAS for path in _model_files(root, schema)):
        if model.name in models:
            raise CatalogIncomplete(f"{models[model.name].path} and {model.path} both make {model.name}; rename one.")
        models[model.name] = model
    for model in models.values():
        unknown = model.inputs - models.keys() - sources
        if unknown:
            raise CatalogIncomplete(
                f"{model.path} reads {', '.join(sorted(unknown))}, which no model, dataset or seed provides."
                " Check the spelling, or add the dataset or seed."
            )
        for position, column in enumerate(model.contract.columns):
            if column.references and column.references not in models:
                line = line_of(model.path.with_suffix(".yml"), "columns", position, "references")
                raise FileInvalid(
                    model.path.with_suffix(".yml"),
                    [(line, f"{column.name} references {column.references}, which is no model")],
                )
    for path in rule_files(root):
        rule = read_rule(path, tables_read(path))
        if unknown := rule.reads - models.keys() - sources:
            raise CatalogIncomplete(
                f"{path} reads {', '.join(sorted(unknown))}, which no model, dataset or seed provides. Check the spelling."
            )
        judged = models[rule.holds_back]
        models[judged.name] = replace(judged, rules=(*judged.rules, rule))
    graph = {
        name: {item for item in model.inputs | model.references if item in models and item != name}
        for name, model in models.items()
    }
    try:
        order = list(TopologicalSorter(graph).static_order())
    except CycleError as error:
        raise CatalogIncomplete(
            f"Models depend on each other in a circle: {' -> '.join(error.args[1])}. A rule of sql/checks holds back the last"
            " table that it reads."
        ) from error
    return {name: models[name] for name in order}


def seed_files(root: Path) -> list[Path]:
    """Reviewed mappings, one CSV per table of schema `seeds`. Raises FileInvalid for a name that no table can have."""
    files = sorted((root / "data" / "seeds").glob("*.csv"))
    for file in files:
        refuse_name(file, file.stem)
    return files


def _model_files(root: Path, schema: str) -> Iterator[Path]:
    """The `.sql` file of each model, two folders below `schema`."""
    folder = root / "sql" / schema
    files = sorted([*folder.rglob("*.sql"), *folder.rglob("*.yml")])
    stray = [path for path in files if path.parent.parent != folder]
    if stray:
        shape = "<place>/<dataset>" if schema == "clean" else "<subject>/<table>"
        raise CatalogIncomplete(f"{stray[0]} is not where a model belongs: sql/{schema}/{shape}.sql and .yml.")
    lonely = sorted(
        {path for path in files if not (path.with_suffix(".sql") in files and path.with_suffix(".yml") in files)}
    )
    if lonely:
        listed = ", ".join(path.relative_to(root).as_posix() for path in lonely)
        raise CatalogIncomplete(f"{listed}: a model needs both .sql and .yml.")
    yield from (path for path in files if path.suffix == ".sql")


def _load(schema: str, path: Path, datasets: Mapping[str, Dataset]) -> Model:
    folder = path.parent.name
    sql = path.read_text(encoding="utf-8")
    query = parse_select(path, sql)
    contract_path = path.with_suffix(".yml")
    contract = read_contract(contract_path)
    _compare_columns(path, query, contract)
    inputs = _inputs(path, sql, query)
    if schema == "marts":
        return Model(schema, path.stem, path, sql, query, contract, inputs, _subject(path, folder))
    name = f"{folder}/{path.stem}"
    if name not in datasets:
        raise CatalogIncomplete(f"{path} cleans {name}, but civic_pipeline/defs/{name}/defs.yaml does not exist.")
    dataset = datasets[name]
    return Model(schema, table_name(name), path, sql, query, contract, inputs, dataset.subject, dataset)


def _subject(path: Path, folder: str) -> Subject:
    if folder in get_args(Subject):
        return cast("Subject", folder)
    raise CatalogIncomplete(f"{path}: {folder!r} is not a subject. Use one of {', '.join(get_args(Subject))}.")


def tables_read(path: Path) -> frozenset[str]:
    """The tables that the one select in `path` reads, as `schema.table`. Raises FileInvalid."""
    sql = path.read_text(encoding="utf-8")
    return _inputs(path, sql, parse_select(path, sql))


def _inputs(path: Path, sql: str, query: exp.Query) -> frozenset[str]:
    ctes = {cte.alias for cte in query.find_all(exp.CTE)}
    tables = [table for table in query.find_all(exp.Table) if isinstance(table.this, exp.Identifier)]
    unqualified = sorted({table.name for table in tables if not table.db and table.name not in ctes})
    if unqualified:
        raise FileInvalid(
            path, [(_line_with(sql, name), f"{name} needs its schema, such as clean.{name}") for name in unqualified]
        )
    return frozenset(f"{table.db}.{table.name}" for table in tables if table.db)


def parse_select(path: Path, sql: str) -> exp.Query:
    """The one select in `path`. Raises FileInvalid with the line the parser stopped at."""
    try:
        statements = [statement for statement in sqlglot.parse(sql, dialect="duckdb") if statement is not None]
    except ParseError as error:
        first = error.errors[0] if error.errors else {}
        raise FileInvalid(
            path, [(first.get("line") or 1, f"this SQL does not parse: {first.get('description') or error}")]
        ) from error
    if len(statements) != 1 or not isinstance(statements[0], exp.Query):
        raise FileInvalid(path, [(1, "a model is exactly one select")])
    return statements[0]


def _compare_columns(path: Path, query: exp.Query, contract: Contract) -> None:
    """The final select lists the contract's columns in order; names beginning with _ are helpers."""
    if query.is_star:
        raise FileInvalid(path, [(1, "the final select must list its columns, without *")])
    selected = [name for name in query.named_selects if not name.startswith("_")]
    declared = [column.name for column in contract.columns]
    contract_path = path.with_suffix(".yml")
    for position, name in enumerate(declared):
        if name not in selected:
            line = line_of(contract_path, "columns", position)
            raise FileInvalid(
                contract_path,
                [
                    (
                        line,
                        f"the column {name!r} is not in the final select of {path.name}; it has {', '.join(selected)}",
                    )
                ],
            )
    extra = [name for name in selected if name not in declared]
    if extra:
        line = line_of(contract_path, "columns")
        raise FileInvalid(
            contract_path, [(line, f"columns does not describe {', '.join(extra)}, which {path.name} selects")]
        )
    if selected != declared:
        raise FileInvalid(
            contract_path,
            [(line_of(contract_path, "columns"), f"columns must be in the order of the select: {', '.join(selected)}")],
        )


def _line_with(sql: str, text: str) -> int:
    return next((number for number, line in enumerate(sql.splitlines(), 1) if text in line), 1)
