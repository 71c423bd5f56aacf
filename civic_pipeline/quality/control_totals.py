"""Control totals: the sum of a raw column or family, at the source's precision, against all rows that the model made of it.

The source is read here in Python and not by the macros of the models, so that a check cannot repeat their error.
"""

import math
import re
from collections.abc import Iterator
from decimal import Decimal

import duckdb

from civic_pipeline.catalog import members, stands_for
from civic_pipeline.quality.planned_check import PlannedCheck
from civic_pipeline.releases.contents import types_of
from civic_pipeline.sql_text import literal, quoted
from civic_pipeline.warehouse import CheckResult, Model, Staged

_BLANKS = re.compile(r"\s", re.ASCII)
_AMOUNT = re.compile(
    r"(?P<sign>-\$?|\$-?|\(\$?|)(?P<whole>[0-9]{1,3}(?:,[0-9]{3})+|[0-9]*)(?P<fraction>\.[0-9]*)?(?P<end>\)?)"
)
_FETCHED_AT_ONCE = 50_000
# A Double has 15 digits that are the publisher's. Beyond six decimals it holds what was left by sums such as 0.1 + 0.2.
_DOUBLE_DIGITS, _DOUBLE_DECIMALS = 15, 6


def column_total(
    connection: duckdb.DuckDBPyConnection, staged: Staged, column: str, check: PlannedCheck
) -> CheckResult:
    """Whether the sums are equal, and no value has more decimals than the type of `column` holds."""
    declared = staged.model.contract.column(column)
    scale = scale_of(declared.type)
    sent, finer, example = Decimal(0), 0, Decimal(0)
    for value, count in _values(connection, staged.model, declared.source or ""):
        amount = amount_of(value)
        if amount is None or not _fits(amount, declared.type):
            continue  # no amount: a row rule decides about the row
        sent += amount * count
        if scale is not None and amount != round(amount, scale):
            finer, example = finer + count, amount
    (total,) = connection.execute(f"select coalesce(sum({column}), 0) from {staged.everything}").fetchone() or (0,)
    built = Decimal(str(total))
    examples = [f"{_shown(sent)} sent, {_shown(built)} accounted for"]
    if finer:
        examples.insert(0, f"{finer:,} values have more than {scale} decimals, like {_shown(example)}")
    return check.result(sent == built and not finer, None, float(sent - built) or float(finer), tuple(examples))


def _values(connection: duckdb.DuckDBPyConnection, model: Model, source: str) -> Iterator[tuple[object, int]]:
    """Each value of the raw column `source`, or of the columns of that family, and how often it occurs.

    An edition with columns of its own counts only for those of them that are of the family.
    """
    raw = f"raw.{model.table}"
    editions = model.dataset.editions.items() if model.dataset else ()
    for column in members(source, types_of(connection, raw)):
        others = [
            literal(label)
            for label, edition in editions
            if label and not any(stands_for(c, column) for c in edition.columns)
        ]
        theirs = f" where coalesce(_edition, '') not in ({', '.join(others)})" if others else ""
        rows = connection.execute(f"select {quoted(column)}, count(*) from {raw}{theirs} group by all")
        while batch := rows.fetchmany(_FETCHED_AT_ONCE):
            yield from batch


def amount_of(value: object) -> Decimal | None:
    """A raw value as an exact number; None for a blank, and for text that is no amount of money."""
    if value is None:
        return None
    if isinstance(value, float):
        if not math.isfinite(value):
            return None
        amount = Decimal(format(value, f".{_DOUBLE_DIGITS}g"))
        return round(amount, _DOUBLE_DECIMALS) if abs(amount) < 10**_DOUBLE_DIGITS else amount
    if not isinstance(value, str):
        return Decimal(str(value))
    match = _AMOUNT.fullmatch(_BLANKS.sub("", value))
    if match is None or match["sign"].startswith("(") != bool(match["end"]):
        return None
    digits = f"{match['whole'].replace(',', '')}{match['fraction'] or ''}"
    if digits in {"", "."}:
        return None
    amount = Decimal(digits)
    return -amount if re.search(r"[-(]", match["sign"]) else amount


def _fits(amount: Decimal, kind: str) -> bool:
    """Whether a DuckDB type holds a number of that size; -1.8e308, which some services send for "no value", is no amount."""
    match = re.fullmatch(r"DECIMAL\((\d+), ?(\d+)\)", kind)
    return match is None or abs(amount) < 10 ** (int(match[1]) - int(match[2]))


def scale_of(kind: str) -> int | None:
    """The decimals that a DuckDB type holds; None for a floating type."""
    if match := re.fullmatch(r"DECIMAL\(\d+, ?(\d+)\)", kind):
        return int(match[1])
    return 0 if kind.endswith("INT") or kind == "INTEGER" else None


def _shown(amount: Decimal) -> str:
    """To the cent, or with all decimals if there are more."""
    return f"{amount:,.2f}" if amount == round(amount, 2) else f"{amount.normalize():,f}"
