"""Read-only access to the released warehouse, for analysts and for `civic`."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import duckdb
import pyarrow as pa

from civic_pipeline.errors import QueryRefused, WarehouseMissing, WarehouseOpened, WarehouseUnreadable
from civic_pipeline.settings import Settings
from civic_pipeline.sql_text import literal

if TYPE_CHECKING:
    import pandas as pd


def connect(path: Path | str | None = None) -> duckdb.DuckDBPyConnection:
    """A read-only connection to the newest release, or to the file at `path`.

    It keeps seeing the release it opened, whole, however often a newer one is published. Raises WarehouseMissing,
    WarehouseOpened while another program has the file open for writing, or WarehouseUnreadable.
    """
    file = Path(path) if path is not None else Settings.from_environment().warehouse
    if not file.exists():
        raise WarehouseMissing(file)
    # A private instance that attaches the file: duckdb.connect(file) would share one by path within this process and
    # go on showing an older release.
    connection = duckdb.connect()
    try:
        connection.execute(f"attach {literal(str(file))} as warehouse (read_only)")
        connection.execute("use warehouse.marts")
    except duckdb.Error as error:
        connection.close()
        problem = str(error).split("\n", 1)[0]
        raise (WarehouseOpened if "lock" in problem else WarehouseUnreadable)(file, problem) from error
    return connection


def read(
    table: str, where: str | None = None, parameters: Sequence[object] = (), *, path: Path | str | None = None
) -> "pd.DataFrame":
    """The rows of `table` (such as `marts.fct_payments`) that satisfy `where`, a SQL condition with ? for `parameters`.

    Whole numbers and booleans stay so where values are missing, money stays exact decimal, dates become datetime64.
    Raises QueryRefused (unknown table or column, with DuckDB's suggestion), WarehouseMissing, WarehouseOpened.
    """
    with connect(path) as connection:
        try:
            relation = (
                connection.table(table)
                if where is None
                else connection.execute(f"select * from {table} where {where}", list(parameters))
            )
            result: pa.Table = relation.to_arrow_table()
        except duckdb.Error as error:
            raise QueryRefused(str(error)) from error
    return to_pandas(result)


def to_pandas(table: pa.Table) -> "pd.DataFrame":
    """Arrow to pandas without losing a type to a missing value."""
    import pandas as pd

    exact = {
        pa.int8(): pd.Int8Dtype(), pa.int16(): pd.Int16Dtype(), pa.int32(): pd.Int32Dtype(), pa.int64(): pd.Int64Dtype(),
        pa.bool_(): pd.BooleanDtype(), pa.float64(): pd.Float64Dtype(), pa.string(): pd.StringDtype(),
    }  # fmt: skip

    def dtype(kind: pa.DataType) -> "pd.api.extensions.ExtensionDtype | None":
        return pd.ArrowDtype(kind) if pa.types.is_decimal(kind) else exact.get(kind)

    frame: pd.DataFrame = table.to_pandas(types_mapper=dtype, date_as_object=False)
    return frame
