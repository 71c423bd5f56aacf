"""Read-only access to the released warehouse, for analysts and for `civic`."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING
from weakref import WeakKeyDictionary

import duckdb
import pyarrow as pa

from civic_pipeline.errors import QueryRefused, WarehouseMissing, WarehouseOpened, WarehouseUnreadable
from civic_pipeline.settings import Settings
from civic_pipeline.sql_text import literal

if TYPE_CHECKING:
    import pandas as pd


# Tells one release from another at the same path. The inode alone does not: it is used again once nobody has the file open.
_Identity = tuple[int, int, int]

# The file each open connection reads; None while there is no telling which.
_attached: WeakKeyDictionary[duckdb.DuckDBPyConnection, tuple[Path, _Identity | None]] = WeakKeyDictionary()


def connect(path: Path | str | None = None) -> duckdb.DuckDBPyConnection:
    """A read-only connection to the newest release, or to the file at `path`.

    It keeps seeing the release it opened, whole, however often a newer one is published; `refresh` moves it. Raises
    WarehouseMissing, WarehouseOpened while another program has the file open for writing, or WarehouseUnreadable.
    """
    file = Path(path) if path is not None else Settings.from_environment().warehouse
    # A private instance that attaches the file: duckdb.connect(file) would share one by path within this process and
    # go on showing an older release.
    connection = duckdb.connect()
    try:
        identity = _identity(file)
        attach(connection, file)
        connection.execute("use warehouse.marts")
    except duckdb.Error as error:
        connection.close()
        raise WarehouseUnreadable(file, _first_line(error)) from error
    except BaseException:
        connection.close()
        raise
    _attached[connection] = file, identity
    return connection


def refresh(connection: duckdb.DuckDBPyConnection) -> bool:
    """Move a connection that `connect` gave to the newest release. True if a newer one had been published.

    A transaction or a result that is open goes on with the release it began with, whole; the next statement outside sees
    the newer. Temporary tables and views stay. Not while another thread queries through a cursor of this connection: for
    a moment there is no warehouse. Raises WarehouseMissing, WarehouseOpened, WarehouseUnreadable.
    """
    if connection not in _attached:
        raise ValueError("refresh() takes the connection that connect() gave, not a cursor of it or one made otherwise")
    file, attached = _attached[connection]
    identity = _identity(file)
    if identity == attached:
        return False
    # A cursor has a transaction of its own, so this disturbs none of the connection's; and its default database is not
    # the warehouse, which could not be detached otherwise. ATTACH OR REPLACE would keep the old file.
    _attached[connection] = file, None
    with connection.cursor() as aside:
        aside.execute("detach database if exists warehouse")
        attach(aside, file)
    _attached[connection] = file, identity
    return True


def _identity(file: Path) -> _Identity:
    try:
        found = file.stat()
    except FileNotFoundError:
        raise WarehouseMissing(file) from None
    return found.st_dev, found.st_ino, found.st_mtime_ns


def attach(connection: duckdb.DuckDBPyConnection, file: Path, name: str = "warehouse") -> None:
    """Attach a released file, read-only. Raises WarehouseOpened, WarehouseUnreadable."""
    try:
        connection.execute(f"attach {literal(str(file))} as {name} (read_only)")
    except duckdb.Error as error:
        problem = _first_line(error)
        raise (WarehouseOpened if "lock" in problem else WarehouseUnreadable)(file, problem) from error


def _first_line(error: duckdb.Error) -> str:
    return str(error).split("\n", 1)[0]


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
