"""A model is two files: one plain select and its contract. The path is the name: folder = schema, file = table.

Inputs are read from the SQL, never typed by hand.
"""

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import sqlglot
from sqlglot import exp
from sqlglot.errors import ParseError

from civic_pipeline.catalog import Contract, read_contract, refuse_name, table_name
from civic_pipeline.catalog.yaml_file import line_of
from civic_pipeline.errors import CatalogIncomplete, FileInvalid

MODEL_SCHEMAS = ("clean", "marts")


@dataclass(frozen=True)
class Model:
    """One table: how it is made and what it promises. `inputs` are the tables its SQL reads, as `schema.table`."""

    schema: str
    table: str
    path: Path
    sql: str
    query: exp.Query
    contract: Contract
    inputs: frozenset[str]

    @property
    def name(self) -> str:
        return f"{self.schema}.{self.table}"

    @property
    def dating_inputs(self) -> list[str]:
        """The inputs whose age is this table's age: dimensions and bridges list what exists, whatever the date of the facts."""
        return [name for name in self.inputs if not name.startswith(("marts.dim_", "marts.bridge_"))]

    @property
    def references(self) -> set[str]:
        """The tables whose keys its columns must exist in."""
        return {column.references for column in self.contract.columns if column.references}

    @property
    def code_version(self) -> str:
        """Changes when the SQL or the contract does."""
        return hashlib.sha256((self.sql + self.contract.model_dump_json()).encode()).hexdigest()[:16]

    @property
    def description(self) -> str:
        """The grain and the caveats, for people who meet the table in a catalog."""
        contract = self.contract
        caveat = f"It cannot say: {contract.cannot_say}" if contract.cannot_say else None
        return " ".join(part for part in (f"Each row is {contract.each_row_is}.", contract.about, caveat) if part)


def load_models(root: Path, datasets: Iterable[str]) -> dict[str, Model]:
    """Every model under `root/sql`, inputs before the tables made of them.

    Models may read the newest capture of `datasets` (as `raw.<city>_<dataset>`) or all of them (`history.<city>_<dataset>`),
    the seeds and each other. Raises FileInvalid
    for a file that breaks the rules and CatalogIncomplete where files do not fit together.
    """
    sources = {f"{schema}.{table_name(name)}" for name in datasets for schema in ("raw", "history")}
    sources |= {f"seeds.{file.stem}" for file in seed_files(root)}
    models = {}
    for schema in MODEL_SCHEMAS:
        folder = root / "sql" / schema
        lonely = {path.stem for path in folder.glob("*.sql")} ^ {path.stem for path in folder.glob("*.yml")}
        if lonely:
            raise CatalogIncomplete(
                f"sql/{schema}: {', '.join(sorted(lonely))} has only one of .sql and .yml; a model needs both."
            )
        for path in sorted(folder.glob("*.sql")):
            model = _load(schema, path)
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
    graph = {
        name: {item for item in model.inputs | model.references if item in models and item != name}
        for name, model in models.items()
    }
    try:
        order = list(TopologicalSorter(graph).static_order())
    except CycleError as error:
        raise CatalogIncomplete(f"Models depend on each other in a circle: {' -> '.join(error.args[1])}.") from error
    return {name: models[name] for name in order}


def seed_files(root: Path) -> list[Path]:
    """Reviewed mappings, one CSV per table of schema `seeds`. Raises FileInvalid for a name that no table can have."""
    files = sorted((root / "data" / "seeds").glob("*.csv"))
    for file in files:
        refuse_name(file, file.stem)
    return files


def _load(schema: str, path: Path) -> Model:
    sql = path.read_text(encoding="utf-8")
    query = parse_select(path, sql)
    contract_path = path.with_suffix(".yml")
    contract = read_contract(contract_path)
    _compare_columns(path, query, contract)
    return Model(schema, path.stem, path, sql, query, contract, _inputs(path, sql, query))


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
