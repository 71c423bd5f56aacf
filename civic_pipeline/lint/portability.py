"""The ten rules for SQL that gives the same results on a second engine, checked on the parsed SQL.

Each comes from running every model on Spark and DuckDB: SQL that breaks a rule fails on Spark, or silently gives other
values. A file may break a rule with a reason: `-- allow columns_by_name: each day is a column`.
"""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import TypeVar, cast

from sqlglot import exp
from sqlglot.optimizer.annotate_types import annotate_types
from sqlglot.optimizer.qualify import qualify

from civic_pipeline.lint.macros import FROM_MACRO, line_of, written_out
from civic_pipeline.lint.order import Keys, unordered_windows
from civic_pipeline.warehouse.lineage import Schema
from civic_pipeline.warehouse.macros import Macros


@dataclass(frozen=True)
class Subject:
    """A query to check: as written, and with macros expanded, columns resolved and types known."""

    query: exp.Expr
    macros: Macros
    schema: Schema
    keys: Keys
    doubles: frozenset[str] = frozenset()  # columns that the contract says are doubles

    @cached_property
    def typed(self) -> exp.Expr:
        schema = cast("dict[str, object]", self.schema)
        resolved = qualify(
            written_out(self.query, self.macros), schema=schema, dialect="duckdb",
            validate_qualify_columns=False, identify=False, quote_identifiers=False,
        )  # fmt: skip
        return annotate_types(resolved, schema=schema, dialect="duckdb")


Places = Iterator[tuple[int, str]]


@dataclass(frozen=True)
class Rule:
    """`find` yields line and message of each place that breaks it. `in_macros`: whether it applies to macros, too."""

    name: str
    reason: str
    find: Callable[[Subject], Places]
    in_macros: bool = False


Node = TypeVar("Node", bound=exp.Expr)


def _own(query: exp.Expr, *kinds: type[Node]) -> Iterator[Node]:
    """The nodes of `kinds` in the file itself, without those from macros."""
    return (node for node in query.find_all(*kinds) if FROM_MACRO not in node.meta)


# 1. Patterns

_PATTERN_FUNCTIONS = (exp.RegexpLike, exp.RegexpExtract, exp.RegexpExtractAll, exp.RegexpReplace, exp.RegexpSplit)
_ESCAPE = re.compile(r"\\(x\{[0-9A-Fa-f]+\}|.)", re.DOTALL)


def _patterns(subject: Subject) -> Places:
    for node in _own(subject.query, *_PATTERN_FUNCTIONS):
        pattern = node.expression
        if not isinstance(pattern, exp.Literal):
            yield line_of(node), "the pattern is not a literal"
            continue
        text = pattern.name
        escapes = [match[1] for match in _ESCAPE.finditer(text)]
        strange = [f"\\{name}" for name in escapes if len(name) == 1 and name.isalnum() and name not in "dwsz"]
        strange += re.findall(r"\(\?(?!:)[^)]?", _ESCAPE.sub("", text))
        if strange:
            yield line_of(node), f"the pattern {text!r} has {', '.join(dict.fromkeys(strange))}"
        if isinstance(node, exp.RegexpReplace):
            flags = node.args.get("modifiers")
            if "g" not in (flags.name if flags else "") and not text.startswith("^") and not text.endswith("$"):
                yield line_of(node), f"the replacement of {text!r} is neither anchored nor has the flag 'g'"


# 2. Parsing

_PARSERS = {"try_strptime", "to_timestamp"}


def _parsing(subject: Subject) -> Places:
    for node in _own(subject.typed, exp.Cast, exp.TryCast):
        becomes_value = node.is_type(*exp.DataType.NUMERIC_TYPES, *exp.DataType.TEMPORAL_TYPES)
        is_text = node.this.is_type(*exp.DataType.TEXT_TYPES) and not isinstance(node.this, exp.Literal)
        if becomes_value and is_text:
            yield line_of(node), f"text is cast to {node.to.sql('duckdb')}"
    for call in _own(subject.query, exp.Func):
        if isinstance(call, exp.StrToTime) or (isinstance(call, exp.Anonymous) and call.name.lower() in _PARSERS):
            yield line_of(call), "a format reads text as a date"


# 3. Doubles as text


def _doubles_as_text(subject: Subject) -> Places:
    for node in subject.typed.find_all(exp.Cast, exp.TryCast):  # also inside a macro, with its arguments
        if node.is_type(*exp.DataType.TEXT_TYPES) and node.this.is_type(*exp.DataType.FLOAT_TYPES):
            yield line_of(node), "a double becomes text"


# 4. Differences of dates


def _date_diff(subject: Subject) -> Places:
    for node in _own(subject.query, exp.DateDiff, exp.TimestampDiff, exp.DatetimeDiff):
        unit = node.args.get("unit")
        if unit is None or unit.name.lower() != "day":
            yield line_of(node), f"dates differ by {unit.name.lower() if unit else 'an unknown unit'}"


# 5. Division

_KEEPS_ITS_SCALE = (exp.Paren, exp.Mul, exp.Div, exp.Add, exp.Sub, exp.Neg, exp.Abs, exp.Nullif, exp.Coalesce)


def _division(subject: Subject) -> Places:
    for node in _own(subject.typed, exp.Div):
        if any(side.is_type(*exp.DataType.FLOAT_TYPES) for side in (node.left, node.right)):
            continue
        around: exp.Expr | None = node
        while isinstance(around, _KEEPS_ITS_SCALE):
            around = around.parent
        is_double = isinstance(around, exp.Cast) and around.is_type("double")
        is_declared = isinstance(around, exp.Alias) and around.alias in subject.doubles
        if not is_double and not is_declared:
            yield line_of(node), f"{node.sql('duckdb')} is neither cast to double nor a column of doubles"


# 6. Order


def _total_order(subject: Subject) -> Places:
    for node in _own(subject.query, exp.Mode, exp.GroupConcat):
        order = node.find(exp.Order)
        value = order.this.expressions[0] if order and isinstance(order.this, exp.Distinct) else order and order.this
        if order is None or [by.this for by in order.expressions] != [value]:
            yield line_of(node), f"{node.sql_name().lower()} is not ordered by its own value"
    for window, lacking in unordered_windows(subject.typed, subject.keys):
        if FROM_MACRO not in window.meta:
            yield line_of(window), f"rows may tie: the order does not include {', '.join(lacking)}"


# 7. Columns by name


def _columns_by_name(subject: Subject) -> Places:
    for node in _own(subject.query, exp.SetOperation):
        if node.args.get("by_name"):
            yield line_of(node.expression), "tables are united by name"
    for star in _own(subject.query, exp.Star):
        for part in ("replace", "rename"):
            if star.args.get(part):
                yield line_of(star), f"* {part} stands for columns"


# 8. Functions

_FUNCTIONS = {
    "hash", "random", "uuid", "gen_random_uuid", "setseed",
    "jaccard", "jaro_similarity", "jaro_winkler_similarity", "levenshtein", "editdist3", "damerau_levenshtein", "hamming", "mismatches",
    "struct_pack", "row", "struct_extract", "list_extract", "list_element", "array_extract",
}  # fmt: skip


def _functions(subject: Subject) -> Places:
    for node in _own(subject.query, exp.Func):
        name = node.name.lower() if isinstance(node, exp.Anonymous) else node.sql_name().lower()
        if name in _FUNCTIONS or isinstance(node, exp.Rand | exp.Levenshtein | exp.Uuid | exp.JarowinklerSimilarity):
            yield line_of(node), f"{name}(…) is used"
    for bracket in _own(subject.query, exp.Bracket):
        yield line_of(bracket), "an element is taken by its place"
    for struct in _own(subject.query, exp.Struct):
        yield line_of(struct), "a struct is written out"
    for pivot in _own(subject.query, exp.Pivot):
        if not pivot.args.get("unpivot"):
            yield line_of(pivot), "pivot makes columns of values"
    for join in _own(subject.query, exp.Join):
        if join.args.get("method") == "ASOF":
            yield line_of(join), "asof joins by what is nearest"


# 9. Ids

_DIGESTS = (exp.MD5, exp.MD5Digest, exp.MD5NumberLower64, exp.MD5NumberUpper64, exp.SHA, exp.SHA2)


def _ids(subject: Subject) -> Places:
    for node in _own(subject.query, *_DIGESTS):
        yield line_of(node), f"{node.sql_name().lower()} is called outside of hash_id"


# 10. Rounded doubles


def _rounded_doubles(subject: Subject) -> Places:
    for node in _own(subject.typed, exp.Avg, exp.Sum, exp.Stddev, exp.StddevPop, exp.Variance, exp.VariancePop):
        if isinstance(node, exp.Sum) and not node.this.is_type(*exp.DataType.FLOAT_TYPES):
            continue
        if node.find_ancestor(exp.Round) is None:
            yield line_of(node), f"{node.sql_name().lower()} of doubles is not rounded"


RULES = (
    Rule("patterns", r"only \d \w \s \z, classes and groups mean the same everywhere, and Spark replaces every match", _patterns, in_macros=True),  # noqa: E501
    Rule("parsing", "DuckDB rounds '2024.5' and accepts '0_1', Spark gives null: parse text with a macro of sql/functions", _parsing),
    Rule("doubles_as_text", "Spark writes ten million as 1.0E7: make it a decimal first", _doubles_as_text),
    Rule("date_diff", "the engines count months and years differently: count days, or compare month numbers", _date_diff, in_macros=True),
    Rule("division", "Spark divides integers and decimals to a decimal, DuckDB to a double: cast to double, or use //", _division),
    Rule("total_order", "the order of equal rows is random, and differs between engines and runs", _total_order),
    Rule("columns_by_name", "Spark does not support this: name the columns, or use * exclude", _columns_by_name, in_macros=True),
    Rule("functions", "Spark does not have it, or gives other values", _functions, in_macros=True),
    Rule("ids", "an id must be the same on every engine: only hash_id ensures that", _ids),
    Rule("rounded_doubles", "the sum of doubles depends on the order of the rows: round it, or add decimals", _rounded_doubles),
)  # fmt: skip
