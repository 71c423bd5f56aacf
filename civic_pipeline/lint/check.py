"""All mistakes in the SQL of a checkout: wrong columns, and SQL that would not run on a second engine."""

import re
from collections.abc import Generator, Iterator, Mapping
from pathlib import Path

from sqlglot import exp

from civic_pipeline.catalog import Dataset, load_datasets
from civic_pipeline.lint.columns import declared_warehouse, refused, schema_of, wrong_columns
from civic_pipeline.lint.macros import line_of
from civic_pipeline.lint.mistake import Mistake
from civic_pipeline.lint.portability import RULES, Subject
from civic_pipeline.lint.spark import untranslatable
from civic_pipeline.warehouse import Model, load_models
from civic_pipeline.warehouse.macros import macro_files, read_macros
from civic_pipeline.warehouse.selects import parse_select

_ALLOWED = re.compile(r"^\s*-- allow (\w+):\s*(.*)$")


def check(root: Path) -> list[Mistake]:
    """The mistakes under `root`, by file and line. Raises FileInvalid, CatalogIncomplete, ModelFailed if files cannot be loaded."""
    datasets = load_datasets(root)
    return mistakes(root, datasets, load_models(root, datasets))


def mistakes(root: Path, datasets: Mapping[str, Dataset], models: Mapping[str, Model]) -> list[Mistake]:
    """The mistakes in `models`, in the rules across tables and in the macros under `root`. Raises ModelFailed."""
    macros = {file: read_macros([file]) for file in macro_files(root)}
    every_macro = {name: macro for named in macros.values() for name, macro in named.items()}
    keys = {model.name: frozenset(model.contract.key) for model in models.values()}
    rules = {path: path.read_text(encoding="utf-8") for path in sorted((root / "sql" / "checks").rglob("*.sql"))}
    mistakes: list[Mistake] = []
    with declared_warehouse(root, datasets, models.values()) as connection:
        schema = schema_of(connection)
        for model in models.values():
            mistakes += wrong_columns(connection, model)
            doubles = frozenset(column.name for column in model.contract.columns if column.type == "DOUBLE")
            for part in model.parts:
                mistakes += _portable(part.path, part.sql, Subject(part.query, every_macro, schema, keys, doubles))
        for path, sql in rules.items():
            mistakes += refused(connection, sql, path)
            mistakes += _portable(path, sql, Subject(parse_select(path, sql), every_macro, schema, keys))
    for file, named in macros.items():
        mistakes += _portable_macros(file, [macro.expression for macro in named.values()])
    return sorted(set(mistakes))


def _portable(path: Path, sql: str, subject: Subject) -> Iterator[Mistake]:
    """The portability rules that a query breaks without an allowance, and what Spark cannot run."""
    broken = [(rule, line, what) for rule in RULES for line, what in rule.find(subject)]
    allowed = yield from _allowances(path, sql, {rule.name for rule, _, _ in broken})
    for rule, line, what in broken:
        if rule.name not in allowed:
            yield Mistake(path, line, f"{rule.name}: {what}; {rule.reason}")
    for what in untranslatable(subject.query, subject.macros):
        yield Mistake(path, line_of(subject.query), what)


def _portable_macros(path: Path, bodies: list[exp.Expr]) -> Iterator[Mistake]:
    for body in bodies:
        subject = Subject(body, {}, {}, {})
        for rule in RULES:
            if rule.in_macros:
                for line, what in rule.find(subject):
                    yield Mistake(path, line, f"{rule.name}: {what}; {rule.reason}")


def _allowances(path: Path, sql: str, broken: set[str]) -> Generator[Mistake, None, set[str]]:
    """Collect the rules that a file may break, with a stated reason; yields mistakes in its allowances."""
    allowed = set()
    for number, line in enumerate(sql.splitlines(), 1):
        if not (allowance := _ALLOWED.match(line)):
            continue
        name, reason = allowance.groups()
        if name not in broken:
            yield Mistake(path, number, f"nothing here breaks the rule {name!r}: remove the allowance")
        elif not reason:
            yield Mistake(path, number, f"give a reason why {name} may be broken here")
        allowed.add(name)
    return allowed
