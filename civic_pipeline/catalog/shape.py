"""Earlier column names of a source, and their translation to the current ones."""

from collections.abc import Iterable
from functools import cached_property

from pydantic import Field, model_validator

from civic_pipeline.catalog.yaml_file import Strict, mistake


class Shape(Strict):
    """An earlier layout of a source.

    It applies to a capture that lacks a current column and has every column that `columns` reads, ignoring case.
    """

    seen: str = Field(min_length=1, description="When and where, such as `2016-12 to 2020-11, Socrata qqcv-ihn5`.")
    columns: dict[str, str] = Field(
        min_length=1,
        description="Current column -> SQL over the earlier columns. A column that is not listed has the same name, or was not published.",
    )

    @model_validator(mode="after")
    def _is_sql(self) -> "Shape":
        if not self.reads:
            raise mistake("its SQL reads no column, so the shape could never match a file", "columns")
        return self

    @cached_property
    def reads(self) -> frozenset[str]:
        """The earlier columns that its SQL reads, in lower case."""
        import sqlglot
        from sqlglot import exp

        names: set[str] = set()
        for name, expression in self.columns.items():
            try:
                parsed = sqlglot.parse_one(expression, dialect="duckdb")
            except sqlglot.errors.ParseError:
                raise mistake(f"{expression!r} is not an SQL expression", "columns", name) from None
            if parsed.find(exp.Query) or not isinstance(parsed, exp.Condition):
                raise mistake(f"{expression!r} must be an expression over columns of one row", "columns", name)
            names |= {column.name.lower() for column in parsed.find_all(exp.Column)}
        return frozenset(names)

    def fits(self, columns: Iterable[str]) -> bool:
        """Whether these columns include all that the shape reads."""
        return self.reads <= {column.lower() for column in columns}
