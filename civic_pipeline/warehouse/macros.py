"""The macros of `sql/functions` as syntax trees, and which of them a query calls."""

import re
from collections.abc import Iterable, Mapping, Sequence
from functools import cache
from pathlib import Path

import sqlglot
from sqlglot import exp
from sqlglot.errors import ParseError

from civic_pipeline.errors import FileInvalid
from civic_pipeline.foreign_text import shortened
from civic_pipeline.warehouse.outside import line_with, refuse_outside

Macros = Mapping[str, exp.Create]


def macro_files(root: Path) -> list[Path]:
    """The macro files, one per topic, in the order they are loaded: a file may call the macros of earlier files."""
    return sorted((root / "sql" / "functions").glob("*.sql"))


def read_macros(files: Iterable[Path]) -> dict[str, exp.Create]:
    """Each `create macro` of the files by its lower-case name.

    Raises FileInvalid for a file that does not parse, for another statement, which would run too, and for a second macro of
    one name, which would replace the first.
    """
    macros: dict[str, exp.Create] = {}
    for file in files:
        try:
            parsed = _parsed(file, file.read_text(encoding="utf-8"))
        except ParseError as error:
            raise FileInvalid(file, [(1, f"this SQL does not parse: {error}")]) from error
        for name, macro in parsed:
            if name in macros:
                raise FileInvalid(file, [(1, f"the macro {name} is defined twice; keep one, or give one another name")])
            macros[name] = macro
    return macros


def macros_called(sql: Iterable[str], macros: Macros) -> dict[str, str]:
    """The macros that the texts `sql` call, directly or through other macros: name -> definition without comments.

    Every name before a parenthesis counts as a call, so no call is missed.
    """
    called: dict[str, str] = {}
    waiting = list(sql)
    while waiting:
        for name in set(re.findall(r"\b([a-z_]\w*)\s*\(", waiting.pop().lower())) & macros.keys() - called.keys():
            called[name] = macros[name].sql(dialect="duckdb", comments=False)
            waiting.append(macros[name].expression.sql(dialect="duckdb", comments=False))
    return dict(sorted(called.items()))


@cache
def _parsed(file: Path, text: str) -> Sequence[tuple[str, exp.Create]]:
    macros = []
    for statement in sqlglot.parse(text, dialect="duckdb"):
        if statement is None:  # a comment at the end
            continue
        if not isinstance(statement, exp.Create) or statement.args.get("kind") != "MACRO":
            words = statement.sql(dialect="duckdb", comments=False).split()
            line = line_with(text, " ".join(words[:2]))
            raise FileInvalid(
                file, [(line, f"only `create macro` belongs here, not: {shortened(' '.join(words), 80)}")]
            )
        refuse_outside(file, text, statement)
        macros.append((statement.this.this.name.lower(), statement))
    return macros
