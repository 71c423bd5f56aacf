"""The contract of a table: its grain, its checks and its columns. Written in the `.yml` beside its SQL."""

import json
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any, Literal, Self

from pydantic import Field, model_validator

from civic_pipeline.catalog.dataset import OWNERS, Owners, Share
from civic_pipeline.catalog.yaml_file import Strict, mistake

Severity = Literal["critical", "warning", "info"]


@cache
def vocabulary() -> dict[str, list[str]]:
    """Every Great Expectations expectation with its arguments, as `quality.vocabulary` wrote them from the library.

    It is a file because importing the library takes seconds, and contracts are read at every start.
    """
    names: dict[str, list[str]] = json.loads((Path(__file__).parent / "expectations.json").read_text())
    return names


# Expectations whose result shows values of the column.
_SHOWS_VALUES = re.compile(
    r"distinct_values|most_common|_(max|min|mean|median|sum|stdev|quantile_values|kl_divergence|z_scores)_"
)


class RowRule(Strict):
    """A condition on rows. A row that breaks it goes to quarantine, with the rule's name and reason."""

    name: str = Field(pattern=r"^[a-z][a-z0-9_]*$")
    keep_if: str = Field(min_length=1, description="SQL condition over the select's columns; null counts as broken.")
    reason: str = Field(min_length=1, description="Why such a row is rejected, in a sentence for the public.")


class Expectation(Strict):
    """A Great Expectations expectation with its arguments, and the name of the check that it becomes."""

    name: str = Field(description="Without one, the columns and the expectation, such as `amount__between`.")
    kind: str = Field(description="Great Expectations' name of it.")
    arguments: dict[str, Any]
    severity: Severity
    why: str | None = None

    @model_validator(mode="before")
    @classmethod
    def _from_shorthand(cls, value: Any) -> Any:
        """`{expect_x: {arguments}, severity: s}` as people write it, with a `name` for a query or a second check."""
        if not isinstance(value, dict) or "kind" in value:
            return value
        others = {key: given for key, given in value.items() if key in {"name", "severity", "why"}}
        kinds = [key for key in value if key not in others]
        if len(kinds) != 1 or not isinstance(value[kinds[0]], dict):
            raise ValueError(
                "write one expectation with its arguments, such as expect_column_values_to_not_be_null: {column: x}"
            )
        (kind,) = kinds
        arguments = value[kind]
        allowed = vocabulary().get(kind)
        if allowed is None:
            raise ValueError(f"there is no {kind!r} in Great Expectations")
        unknown = [argument for argument in arguments if argument not in allowed]
        if unknown:
            raise ValueError(f"{kind} takes no {', '.join(unknown)}; it takes {', '.join(allowed)}")
        if any(argument != "max_value" for argument, given in arguments.items() if given == "today"):
            # A table is checked once. Only with `today` as an upper bound does a passed check stay true on later days.
            raise ValueError("`today` can only be a max_value")
        if "name" not in others:
            if kind == "unexpected_rows_expectation":
                raise ValueError("a query has no name of its own: give it one, such as name: services_add_up")
            others["name"] = _derived_name(kind, arguments)
        elif not re.fullmatch(r"[a-z][a-z0-9]*(_[a-z0-9]+)*", str(others["name"])):
            # Names that are derived have two underscores: a given one is never the same.
            raise ValueError(f"the name {others['name']!r} is not of small letters, digits and single underscores")
        return {"kind": kind, "arguments": arguments} | others

    @property
    def columns(self) -> list[str]:
        """The columns its arguments name."""
        return _columns(self.arguments)


def _columns(arguments: dict[str, Any]) -> list[str]:
    named = [arguments.get(key) for key in ("column", "column_A", "column_B")]
    listed = [name for key in ("column_list", "column_set") for name in arguments.get(key) or []]
    return [name for name in named if name] + listed


def _derived_name(kind: str, arguments: dict[str, Any]) -> str:
    words = re.sub(r"^expect_(column_values_to_|column_|table_)?", "", kind)
    return "__".join([*_columns(arguments), re.sub(r"(^|_)(to_)?be_", r"\1", words).replace("_to_", "_")])


class Column(Strict):
    """A column of the final select."""

    name: str = Field(pattern=r"^[a-z][a-z0-9_]*$")
    type: str = Field(min_length=1, description="DuckDB's name of the type, as `describe` prints it.")
    unit: str | None = None
    source: str | None = Field(default=None, description="Column of the raw table it comes from, if it is only one.")
    references: str | None = Field(
        default=None, pattern=r"^(clean|marts)\.[a-z0-9_]+$", description="Table in whose key each value must exist."
    )
    personal: bool = Field(
        default=False, description="About persons: kept in the build for matching, shown nowhere and never released."
    )
    made_from: tuple[str, ...] | None = Field(
        default=None,
        description="In a table made by Python: the columns it is computed from, as schema.table.column; default all.",
    )
    description: str = Field(min_length=1)


class Contract(Strict):
    """One table's promises."""

    each_row_is: str = Field(min_length=1, description="The grain, finishing the sentence `each row is ...`.")
    about: str | None = None
    owners: Owners = Field(default=OWNERS, description="Who is responsible for it, such as team:open-data.")
    cannot_say: str | None = Field(default=None, description="What the table must not be used to claim.")
    made_by: str | None = Field(
        default=None,
        pattern=r"^\w+(\.\w+)*:\w+$",
        description="Python function that makes the table, as `module:function`; without it, the SQL beside the contract does.",
    )
    inputs: dict[str, tuple[str, ...]] = Field(
        default_factory=dict, description="Tables that this function gets, each with its columns."
    )
    key: tuple[str, ...] = Field(
        min_length=1, description="Columns that identify a row; always checked to be unique and never null."
    )
    rows_are_persons: bool = Field(
        default=False,
        description="Each row is about one person: only the key leaves the build, and a mart may show groups of rows.",
    )
    source_rows: str | None = Field(
        default=None, description="SQL that counts the rows expected from the source; default: one per raw row."
    )
    repeated_rows: Literal["drop"] | None = Field(
        default=None, description="`drop`: rows published twice are kept once and counted."
    )
    control_totals: tuple[str, ...] = Field(
        default=(),
        description="Columns whose sum must equal the raw column's, of which no value may have more decimals than the type.",
    )
    tolerate_quarantined: Share = 0.0
    row_rules: tuple[RowRule, ...] = ()
    expectations: tuple[Expectation, ...] = ()
    columns: tuple[Column, ...] = Field(min_length=1)

    @model_validator(mode="after")
    def _names_exist(self) -> Self:
        known = [column.name for column in self.columns]
        for position, name in enumerate(known):
            if name in known[:position]:
                raise mistake(f"the column {name!r} is listed twice", "columns", position)
        mentions: list[tuple[str, str, int]] = [("key", name, i) for i, name in enumerate(self.key)]
        mentions += [("control_totals", name, i) for i, name in enumerate(self.control_totals)]
        mentions += [
            ("expectations", name, i) for i, expected in enumerate(self.expectations) for name in expected.columns
        ]
        for where, name, position in mentions:
            if name not in known:
                raise mistake(f"there is no column {name!r} in `columns`; it has {', '.join(known)}", where, position)
        for position, name in enumerate(self.control_totals):
            if not self.column(name).source:
                raise mistake(
                    f"{name!r} needs a `source` in `columns`, to sum the raw column", "control_totals", position
                )
        checks = [expected.name for expected in self.expectations]
        for position, name in enumerate(checks):
            if name in checks[:position]:
                raise mistake(
                    f"{name!r} is the name of a check above: give this one a `name`", "expectations", position
                )
        return self

    @model_validator(mode="after")
    def _python_states_what_it_reads(self) -> Self:
        if bool(self.inputs) != bool(self.made_by):
            raise mistake("`made_by` and `inputs` go together: SQL states its inputs itself", "inputs")
        read = {f"{table}.{column}" for table, columns in self.inputs.items() for column in columns}
        for position, column in enumerate(self.columns):
            if column.made_from is not None and self.made_by is None:
                raise mistake(
                    "`made_from` is for tables made by Python: lineage is read from the SQL", "columns", position
                )
            if unknown := [name for name in column.made_from or () if name not in read]:
                raise mistake(f"made_from: {', '.join(unknown)} is not in `inputs`", "columns", position)
        return self

    @model_validator(mode="after")
    def _persons_are_not_shown(self) -> Self:
        declared = {column.name for column in self.columns if column.personal}
        for part in ("key", "control_totals"):
            for position, name in enumerate(getattr(self, part)):
                if name in declared:
                    raise mistake(f"{name!r} is about persons, and this setting would show it", part, position)
        personal = self.personal
        for position, expected in enumerate(self.expectations):
            if personal.intersection(expected.columns) and _SHOWS_VALUES.search(expected.kind):
                raise mistake("its result shows values of a column about persons", "expectations", position)
            query = str(expected.arguments.get("unexpected_rows_query", ""))
            if personal and (re.search(r"(?<!count\()\*", query) or personal.intersection(re.findall(r"\w+", query))):
                message = "its rows could show a column about persons: name the columns of the query, and none of those"
                raise mistake(message, "expectations", position)
        return self

    @property
    def keep_if(self) -> str:
        """SQL condition of the rows that break no row rule."""
        return " and ".join(f"({rule.keep_if}) is true" for rule in self.row_rules) or "true"

    @property
    def required(self) -> frozenset[str]:
        """The columns that are never null: those of the key, and those of which a check says so without exceptions."""
        never_null = "expect_column_values_to_not_be_null"
        stated = [e for e in self.expectations if e.kind == never_null and e.arguments.get("mostly", 1) == 1]
        return frozenset(self.key).union(*(e.columns for e in stated))

    @property
    def personal(self) -> frozenset[str]:
        """The columns that stay in the build."""
        return frozenset(
            column.name
            for column in self.columns
            if column.personal or (self.rows_are_persons and column.name not in self.key)
        )

    def queries(self, rows: str) -> Iterator[tuple[str, tuple[str | int, ...]]]:
        """The SQL in the contract as selects, each with its place in the file. `rows`: the table of the select's rows."""
        for position, rule in enumerate(self.row_rules):
            yield f"select ({rule.keep_if}) is true from {rows}", ("row_rules", position)
        if self.source_rows:
            yield self.source_rows, ("source_rows",)
        for position, expected in enumerate(self.expectations):
            if query := expected.arguments.get("unexpected_rows_query"):
                yield query.replace("{batch}", rows), ("expectations", position)

    def column(self, name: str) -> Column:
        return next(column for column in self.columns if column.name == name)
