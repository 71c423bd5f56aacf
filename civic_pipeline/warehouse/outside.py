"""Functions by which SQL would read something that is not its input: files, the network, settings, other SQL in a text.

Lineage, fingerprints and `civic as-of` know a table by the tables it reads. A model that reads anything else would not be
rebuilt when that changes, and could publish it.
"""

from pathlib import Path

from sqlglot import exp

from civic_pipeline.errors import FileInvalid

_ROWS_FROM_NOTHING = (exp.GenerateSeries,)  # range and generate_series
_SCALARS = {"getenv", "getvariable", "current_setting", "current_database", "pg_read_file"}


def refuse_outside(path: Path, sql: str, tree: exp.Expr) -> None:
    """Raise FileInvalid for a table function, or a function that reads the environment or a setting."""
    called = [table.this for table in tree.find_all(exp.Table) if isinstance(table.this, exp.Func)]
    names = {_name(call) for call in called if not isinstance(call, _ROWS_FROM_NOTHING)}
    names |= {call.name.lower() for call in tree.find_all(exp.Anonymous)} & _SCALARS
    if names:
        rule = "reads something that is not a table of the warehouse; make it a dataset or a seed"
        raise FileInvalid(path, [(line_with(sql, name), f"{name}() {rule}") for name in sorted(names)])


def _name(call: exp.Func) -> str:
    return call.name.lower() if isinstance(call, exp.Anonymous) else call.sql_name().lower()


def line_with(sql: str, text: str) -> int:
    """The number of the first line of `sql` that has `text` outside of a comment, in any case; 1 if none has it."""
    lines = sql.lower().splitlines()
    return next((n for n, line in enumerate(lines, 1) if text.lower() in line.partition("--")[0]), 1)
