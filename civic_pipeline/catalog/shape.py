"""How a source was laid out before its columns were called what they are called today."""

from collections.abc import Iterable
from functools import cached_property

from pydantic import Field, model_validator

from civic_pipeline.catalog.yaml_file import Strict, mistake


class Shape(Strict):
    """An earlier layout of a source, in which older files of it come.

    It applies to a capture that lacks a column of today and has every column that `columns` reads, whatever their case.
    """

    seen: str = Field(min_length=1, description="When and where, such as `2016-12 to 2020-11, Socrata qqcv-ihn5`.")
    columns: dict[str, str] = Field(
        min_length=1,
        description="Column of today: SQL over the columns of that time. One that is not listed keeps its name, or was not published.",
    )

    @model_validator(mode="after")
    def _is_sql(self) -> "Shape":
        if not self.reads:
            raise mistake("its SQL reads no column, so the shape could never match a file", "columns")
        return self

    @cached_property
    def reads(self) -> frozenset[str]:
        """The columns of that time that its SQL reads, in lower case."""
        import sqlglot
        from sqlglot import exp

        names: set[str] = set()
        for name, expression in self.columns.items():
            try:
                parsed = sqlglot.parse_one(expression, dialect="duckdb")
            except sqlglot.errors.ParseError:
                raise mistake(f"{expression!r} is no SQL expression", "columns", name) from None
            if parsed.find(exp.Query) or not isinstance(parsed, exp.Condition):
                raise mistake(f"{expression!r} must be an expression over columns of one row", "columns", name)
            names |= {column.name.lower() for column in parsed.find_all(exp.Column)}
        return frozenset(names)

    def fits(self, columns: Iterable[str]) -> bool:
        """Whether a file with these columns has what the shape reads."""
        return self.reads <= {column.lower() for column in columns}
