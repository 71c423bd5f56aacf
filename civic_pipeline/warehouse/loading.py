"""Load every model of a checkout, and refuse files that do not fit together."""

from collections.abc import Iterator, Mapping
from dataclasses import replace
from difflib import get_close_matches
from graphlib import CycleError, TopologicalSorter
from pathlib import Path
from typing import cast, get_args

from sqlglot import exp

from civic_pipeline.catalog import Contract, Dataset, Subject, accepted_as, read_contract, stands_for, table_name
from civic_pipeline.catalog.yaml_file import line_of
from civic_pipeline.errors import CatalogIncomplete, FileInvalid
from civic_pipeline.warehouse.model import Model, Part
from civic_pipeline.warehouse.outside import refuse_outside
from civic_pipeline.warehouse.personal import ADDED_COLUMNS, mark_personal
from civic_pipeline.warehouse.python_code import python_code
from civic_pipeline.warehouse.readable import READABLE
from civic_pipeline.warehouse.rule import Rule, read_rule, rule_files
from civic_pipeline.warehouse.seeds import seed_columns
from civic_pipeline.warehouse.selects import parse_select, tables_of, tables_read

MODEL_SCHEMAS = ("clean", "marts")


def load_models(root: Path, datasets: Mapping[str, Dataset]) -> dict[str, Model]:
    """Every model under `root/sql`, each after its inputs.

    Models may read the newest capture of `datasets` (as `raw.<place>_<dataset>`) or all of them (`history.<place>_<dataset>`),
    the seeds, each other, and a clean table as of every capture (`clean_history.<place>_<dataset>`).
    Raises FileInvalid for an invalid file, and CatalogIncomplete if files do not fit together.
    """
    models: dict[str, Model] = {}
    for model in (_load(schema, path, datasets) for schema in MODEL_SCHEMAS for path in _model_paths(root, schema)):
        if model.name in models:
            raise CatalogIncomplete(f"{models[model.name].path} and {model.path} both define {model.name}; rename one.")
        models[model.name] = model
    provided = {*models, *(f"{schema}.{table_name(name)}" for name in datasets for schema in ("raw", "history"))}
    provided |= {f"seeds.{name}" for name in seed_columns(root)}
    provided |= {f"clean_history.{model.table}" for model in models.values() if model.schema == "clean"}
    for model in models.values():
        _refuse_unknown_inputs(model, provided)
        _refuse_unknown_references(model, models)
    for path in rule_files(root):
        rule = _rule(path, provided)
        judged = models[rule.holds_back]
        models[judged.name] = replace(judged, rules=(*judged.rules, rule))
    marked = mark_personal({name: models[name] for name in _in_order(models)}, datasets)
    return {name: replace(model, histories=_histories(model, marked)) for name, model in marked.items()}


def _refuse_unknown_inputs(model: Model, provided: set[str]) -> None:
    reads = [(part.path, part.inputs) for part in model.parts] or [(model.contract_path, model.inputs)]
    recorded = READABLE.keys() if model.schema == "marts" and model.subject == "certification" else set()
    for path, inputs in reads:
        if unknown := inputs - provided - recorded:
            raise CatalogIncomplete(
                f"{path} reads {', '.join(sorted(unknown))}, which no model, dataset or seed provides."
                " Check the spelling, or add the dataset or seed. Only marts of the subject certification read meta."
            )


def _refuse_unknown_references(model: Model, models: Mapping[str, Model]) -> None:
    """Refuse a `references` that names no model, or a model without a column of that name."""
    for position, column in enumerate(model.contract.columns):
        if not column.references:
            continue
        other = models.get(column.references)
        if other is None or column.name not in {known.name for known in other.contract.columns}:
            problem = "which is no model" if other is None else f"which has no column {column.name}"
            line = line_of(model.contract_path, "columns", position, "references")
            message = f"{column.name} references {column.references}, {problem}"
            raise FileInvalid(model.contract_path, [(line, message)])


def _rule(path: Path, provided: set[str]) -> Rule:
    rule = read_rule(path, tables_read(path))
    if unknown := rule.reads - provided:
        raise CatalogIncomplete(
            f"{path} reads {', '.join(sorted(unknown))}, which no model, dataset or seed provides. Check the spelling."
        )
    return rule


def _in_order(models: Mapping[str, Model]) -> list[str]:
    """The names of the models, each after what it reads and checks, and those about the warehouse itself after all others."""
    graph = {
        name: {accepted_as(item) for item in model.inputs | model.references if accepted_as(item) in models} - {name}
        for name, model in models.items()
    }
    about_warehouse = {name for name, model in models.items() if model.is_about_warehouse}
    others = set(models) - _with_readers(about_warehouse, graph)
    for name in about_warehouse:
        graph[name] |= others
    try:
        # Sorted: a set has another order in each process, and a night builds its tables in one order.
        return list(TopologicalSorter({name: sorted(needed) for name, needed in graph.items()}).static_order())
    except CycleError as error:
        raise CatalogIncomplete(
            f"Models depend on each other in a circle: {' -> '.join(error.args[1])}. A rule in sql/checks must hold back the"
            " last of the tables that it reads."
        ) from error


def _histories(model: Model, models: Mapping[str, Model]) -> tuple[Model, ...]:
    """The clean models that `model` reads over every capture. Raises CatalogIncomplete for one that reads other tables, too."""
    read = [models[accepted_as(name)] for name in sorted(model.inputs) if name.startswith("clean_history.")]
    for cleans in read:
        if others := sorted(name for name in cleans.inputs - {f"raw.{cleans.table}"} if not name.startswith("seeds.")):
            raise CatalogIncomplete(
                f"{model.path} reads clean_history.{cleans.table}, but {cleans.path.name} also reads {', '.join(others)},"
                " which has no version of each capture's day."
            )
    return tuple(read)


def _with_readers(names: set[str], graph: Mapping[str, set[str]]) -> set[str]:
    """`names`, and every model that depends on one of them."""
    known = set(names)
    while more := {name for name, needed in graph.items() if name not in known and needed & known}:
        known |= more
    return known


def _model_paths(root: Path, schema: str) -> Iterator[Path]:
    """The `.sql` file or the folder of parts of each model, two folders below `schema`."""
    folder = root / "sql" / schema
    contracts = {path.with_suffix("") for path in folder.rglob("*.yml")}
    files = {path.with_suffix(""): path for path in sorted(folder.rglob("*.sql"))}
    parts = {path.parent for path in files if path.parent in contracts or path.parent.parent.parent == folder}
    selects = {path for path in files if path.parent not in parts} | parts
    shape = "<place>/<dataset>" if schema == "clean" else "<subject>/<table>"
    for path in sorted(selects | contracts):
        if path.parent.parent != folder or (schema == "clean" and path in parts):
            raise CatalogIncomplete(f"{path} is not where a model belongs: sql/{schema}/{shape}, as .sql and .yml.")
        if path in parts and path in files:
            raise CatalogIncomplete(f"{path.relative_to(root)} is a file and a folder of parts; keep one.")
        if path not in contracts:
            raise CatalogIncomplete(f"{path.relative_to(root).as_posix()}: a model needs both .sql and .yml.")
    yield from (files.get(path, path) for path in sorted(contracts))


def _load(schema: str, path: Path, datasets: Mapping[str, Dataset]) -> Model:
    contract_path = path.with_suffix(".yml")
    contract = read_contract(contract_path)
    for sql, keys in contract.queries("everything"):
        refuse_outside(contract_path, sql, parse_select(contract_path, sql), line_of(contract_path, *keys))
    code = python_code(contract_path, contract)
    has_sql = bool(path.suffix) or path.is_dir()
    if not has_sql and (code is None or schema == "clean"):
        raise CatalogIncomplete(f"{path}: a model needs both .sql and .yml; only a mart can have `made_by` instead.")
    if has_sql and code:
        raise FileInvalid(
            contract_path, [(line_of(contract_path, "made_by"), f"{path.name} makes this table; keep one")]
        )
    if code:
        subject = _subject(path, path.parent.name)
        return Model(schema, path.stem, code.path, (), contract, contract_path, subject, code=code)
    parts = tuple(
        _part(file, contract_path, contract) for file in (sorted(path.glob("*.sql")) if path.is_dir() else [path])
    )
    for part in parts[1:]:
        if part.query.named_selects != parts[0].query.named_selects:
            helpers = ", ".join(sorted({*part.query.named_selects} ^ {*parts[0].query.named_selects}))
            raise FileInvalid(part.path, [(1, f"its columns differ from those of {parts[0].path.name}: {helpers}")])
    folder = path.parent.name
    if schema == "marts":
        return Model(schema, path.stem, path, parts, contract, contract_path, _subject(path, folder))
    name = f"{folder}/{path.stem}"
    if name not in datasets:
        raise CatalogIncomplete(f"{path} cleans {name}, but civic_pipeline/defs/{name}/defs.yaml does not exist.")
    dataset = datasets[name]
    _refuse_sources(contract_path, contract, name, dataset)
    return Model(schema, table_name(name), path, parts, contract, contract_path, dataset.subject, dataset)


def _refuse_sources(path: Path, contract: Contract, name: str, dataset: Dataset) -> None:
    """Refuse a `source` that is no column of the raw table."""
    published = [*dataset.all_columns, *ADDED_COLUMNS]
    for position, column in enumerate(contract.columns):
        source = column.source
        if source and not any(stands_for(declared, source) or stands_for(source, declared) for declared in published):
            similar = get_close_matches(source, published, n=1, cutoff=0.6)
            hint = f"; is it {similar[0]}?" if similar else ""
            listed = f"civic_pipeline/defs/{name}/defs.yaml"
            message = f"the source of {column.name} is {source}, which `columns` of {listed} does not list{hint}"
            raise FileInvalid(path, [(line_of(path, "columns", position, "source"), message)])


def _part(path: Path, contract_path: Path, contract: Contract) -> Part:
    sql = path.read_text(encoding="utf-8")
    query = parse_select(path, sql)
    _compare_columns(path, query, contract_path, contract)
    return Part(path, sql, query, tables_of(path, sql, query))


def _subject(path: Path, folder: str) -> Subject:
    if folder in get_args(Subject):
        return cast("Subject", folder)
    raise CatalogIncomplete(f"{path}: {folder!r} is not a subject. Use one of {', '.join(get_args(Subject))}.")


def _compare_columns(path: Path, query: exp.Query, contract_path: Path, contract: Contract) -> None:
    """Check that the final select has the contract's columns in order; names that begin with _ are helpers."""
    if query.is_star:
        raise FileInvalid(path, [(1, "the final select must list its columns, without *")])
    selected = [name for name in query.named_selects if not name.startswith("_")]
    declared = [column.name for column in contract.columns]
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
