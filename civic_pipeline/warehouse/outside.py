"""What SQL would read besides its inputs: files, the network, settings, the session, the clock, other SQL in a text.

Lineage, fingerprints and `civic as-of` know a table by the tables it reads. A model that reads anything else would not be
rebuilt when that changes, and could publish it.
"""

import re
from collections.abc import Iterator
from pathlib import Path

from sqlglot import exp

from civic_pipeline.errors import FileInvalid

_ROWS_FROM_NOTHING = (exp.GenerateSeries, exp.Unnest)  # range, generate_series and unnest
# Functions of DuckDB and the names that sqlglot has for them: their result depends on the process, the session or the moment.
_STATE = frozenset(
    "getenv getvariable current_setting user_agent version current_version in_search_path write_log pg_sleep sleep_ms"
    " current_database current_catalog current_schema current_schemas current_user current_role session_user user"
    " current_query current_query_id current_connection_id current_transaction_id txid_current nextval currval"
    " now today ago get_current_time get_current_timestamp transaction_timestamp current_localtime current_localtimestamp"
    " current_date current_time current_timestamp localtime localtimestamp".split()
)


def refuse_outside(path: Path, sql: str, tree: exp.Expr, line: int | None = None) -> None:
    """Raise FileInvalid, at `line` or where `sql` names it, for what `tree` reads that is no table of the warehouse."""
    if names := sorted(set(_outside(tree))):
        rule = "reads something that is not a table of the warehouse; make it a dataset or a seed"
        raise FileInvalid(path, [(line or line_with(sql, name), f"{name}() {rule}") for name in names])


def _outside(tree: exp.Expr) -> Iterator[str]:
    """The functions, and the names of files, that `tree` reads."""
    for node in tree.walk():
        if isinstance(node, exp.Func) and _name(node) in _STATE:
            yield _name(node)
        elif isinstance(node, exp.Describe | exp.Summarize):
            yield node.key
        elif isinstance(node, exp.Table | exp.Lateral):
            rows = node.this.expression if isinstance(node.this, exp.Dot) else node.this
            if isinstance(rows, exp.Func) and not isinstance(rows, _ROWS_FROM_NOTHING):
                yield _name(rows)
        # DuckDB reads 'x.csv' as a file where no table or CTE in scope has this name.
        elif isinstance(node, exp.TableAlias) and not re.fullmatch(r"\w*", node.name):
            yield node.name


def _name(call: exp.Func) -> str:
    return call.name.lower() if isinstance(call, exp.Anonymous) else call.sql_name().lower()


def line_with(sql: str, text: str) -> int:
    """The number of the first line of `sql` that has `text` outside of a comment, in any case; 1 if none has it."""
    lines = sql.lower().splitlines()
    return next((n for n, line in enumerate(lines, 1) if text.lower() in line.partition("--")[0]), 1)
