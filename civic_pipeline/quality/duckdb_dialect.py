"""What Great Expectations' SQLAlchemy engine needs to run on DuckDB.

This module imports great_expectations, which takes seconds, so only functions that validate may import it.
"""

from typing import Any

import sqlalchemy as sa
from duckdb import DuckDBPyConnection
from duckdb_engine import ConnectionWrapper, Dialect
from great_expectations.execution_engine import SqlAlchemyExecutionEngine
from great_expectations.expectations.metrics.map_metric_provider import (
    ColumnMapMetricProvider,
    column_condition_partial,
)
from sqlalchemy.dialects import registry
from sqlalchemy.engine.cursor import FullyBufferedCursorFetchStrategy
from sqlalchemy.engine.default import DefaultExecutionContext
from sqlalchemy.engine.interfaces import ReflectedColumn, ReflectedPrimaryKeyConstraint

from civic_pipeline import deadline


class _BufferedContext(DefaultExecutionContext):
    """Fetch all rows at once: the library reads them after it closed its connection, and DuckDB has dropped the result then."""

    def post_exec(self) -> None:
        if self.cursor.description:
            self.cursor_fetch_strategy = FullyBufferedCursorFetchStrategy(
                self.cursor, initial_buffer=self.cursor.fetchall()
            )


class BuildDialect(Dialect):
    """DuckDB on the build's own connection: a second one would be locked out, and would not see staged tables."""

    execution_ctx_cls = _BufferedContext  # type: ignore[assignment]
    supports_statement_cache = False
    connection: DuckDBPyConnection

    def connect(self, *_: Any, **__: Any) -> Any:
        cursor = self.connection.cursor()
        deadline.cursors.add(cursor)
        return ConnectionWrapper(cursor)

    def get_columns(
        self, connection: sa.Connection, table_name: str, schema: str | None = None, **_: Any
    ) -> list[ReflectedColumn]:
        """The columns of a table in order. No expectation asks for a type, and Postgres' way to find it is slow on DuckDB."""
        names = connection.exec_driver_sql(
            "select column_name from duckdb_columns() where schema_name = ? and table_name = ? order by column_index",
            (schema, table_name),
        )
        return [{"name": name, "type": sa.types.NullType(), "nullable": True, "default": None} for (name,) in names]

    def get_pk_constraint(self, *_: Any, **__: Any) -> ReflectedPrimaryKeyConstraint:
        """None: keys are expectations of the contract."""
        return {"constrained_columns": [], "name": None}


class MatchRegex(ColumnMapMetricProvider):
    """The library has no regex operator for DuckDB. Defining the class registers this one."""

    condition_metric_name = "column_values.match_regex"
    condition_value_keys = ("regex",)

    @column_condition_partial(engine=SqlAlchemyExecutionEngine)
    def _sqlalchemy(cls, column: Any, regex: str, _dialect: Any, **_: Any) -> Any:  # noqa: N805 - the decorator makes it a classmethod
        return sa.func.regexp_matches(column, sa.literal(regex))


def use(connection: DuckDBPyConnection) -> None:
    """Make every `duckdb://` engine of this process use `connection`."""
    BuildDialect.connection = connection
    registry.register("duckdb", __name__, "BuildDialect")
