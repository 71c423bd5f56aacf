"""Earlier column names of a source, and their translation to the current ones."""

from collections.abc import Iterable, Sequence
from functools import cached_property
from typing import TYPE_CHECKING

from pydantic import Field, model_validator

from civic_pipeline.catalog.columns import members
from civic_pipeline.catalog.yaml_file import Strict, mistake

if TYPE_CHECKING:
    from sqlglot import exp


class Shape(Strict):
    """An earlier layout of a source.

    It applies to what lacks a current column and has every column that `columns` reads, ignoring case. It must explain every column
    that is missing: else a column that the publisher renamed since would be read as null. In its SQL a quoted name with * stands
    for the one column that it matches, such as "* ORDINANCE (AMOUNT $)".
    """

    seen: str = Field(min_length=1, description="When and where, such as `2016-12 to 2020-11, Socrata qqcv-ihn5`.")
    columns: dict[str, str] = Field(
        default_factory=dict,
        description="Current column -> SQL over the earlier columns. A column that is not listed has the same name.",
    )
    without: tuple[str, ...] = Field(
        default=(),
        description="Current columns that did not exist yet: the shape applies only where these are missing, and no other but those of"
        " `columns`.",
    )

    @model_validator(mode="after")
    def _is_sql(self) -> "Shape":
        if self.columns and not self.reads:
            raise mistake("its SQL reads no column, so the shape could never match a file", "columns")
        if not self.columns and not self.without:
            raise mistake("give `columns`, the former names, or `without`, the columns that did not exist yet")
        return self

    @cached_property
    def reads(self) -> frozenset[str]:
        """The earlier columns that its SQL reads, in lower case; a name may stand for a family."""
        from sqlglot import exp

        names: set[str] = set()
        for name, expression in self.columns.items():
            parsed = _parsed(name, expression)
            names |= {column.name.lower() for column in parsed.find_all(exp.Column)}
        return frozenset(names)

    def fits(self, columns: Sequence[str], lacking: Iterable[str]) -> bool:
        """Whether `columns` include all that the shape reads; `lacking`: the current columns that they do not have."""
        is_read = all(
            len(members(name, columns)) == 1 if "*" in name else members(name, columns) for name in self.reads
        )
        missing, new = {name.lower() for name in lacking}, {name.lower() for name in self.without}
        explained = new | {name.lower() for name in missing if members(name, self.columns)}
        return is_read and new <= missing <= explained

    def sql(self, name: str, columns: Sequence[str]) -> str:
        """The SQL of a current column over `columns`, which the shape fits."""
        if "*" not in self.columns[name]:
            return self.columns[name]
        from sqlglot import exp

        parsed = _parsed(name, self.columns[name])
        for column in parsed.find_all(exp.Column):
            if "*" in column.name:
                column.set("this", exp.to_identifier(members(column.name, columns)[0], quoted=True))
        return parsed.sql(dialect="duckdb")


def _parsed(name: str, expression: str) -> "exp.Condition":
    import sqlglot
    from sqlglot import exp

    try:
        parsed = sqlglot.parse_one(expression, dialect="duckdb")
    except sqlglot.errors.ParseError:
        raise mistake(f"{expression!r} is not an SQL expression", "columns", name) from None
    if parsed.find(exp.Query) or not isinstance(parsed, exp.Condition):
        raise mistake(f"{expression!r} must be an expression over columns of one row", "columns", name)
    return parsed
