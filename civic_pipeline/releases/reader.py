"""Read-only access to the released warehouse, for analysts and for the CLI."""

import os
import re
import secrets
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING
from weakref import WeakKeyDictionary

import duckdb
import pyarrow as pa

from civic_pipeline.errors import (
    DiskFull,
    NotReadable,
    NotWritable,
    QueryRefused,
    WarehouseMissing,
    WarehouseOpened,
    WarehouseUnreadable,
    writing,
)
from civic_pipeline.scratch import scratch
from civic_pipeline.settings import Settings
from civic_pipeline.sql_text import literal

if TYPE_CHECKING:
    import pandas as pd


# Statements of a query: PIVOT makes a type before it selects. Those that write or attach files, or hide another statement,
# are none.
_READING = (
    duckdb.StatementType.SELECT,
    duckdb.StatementType.EXPLAIN,
    duckdb.StatementType.SET,
    duckdb.StatementType.VARIABLE_SET,
    duckdb.StatementType.PRAGMA,
    duckdb.StatementType.CREATE,
)

# Identifies a release file: device, inode, modification time. An inode alone can be reused after the file is deleted.
_Identity = tuple[int, int, int]

_PREFIX = ".reading-"


@dataclass
class _Reading:
    """What a connection from `connect` reads."""

    file: Path
    link: Path | None  # `file` is attached by it; None: by its own name
    identity: _Identity | None = None  # None while `refresh` changes it


_readings: WeakKeyDictionary[duckdb.DuckDBPyConnection, _Reading] = WeakKeyDictionary()


def connect(path: Path | str | None = None) -> duckdb.DuckDBPyConnection:
    """A read-only connection to the live release, or to the file at `path`.

    The connection keeps reading the release that it opened; `refresh` moves it to a newer one. Its queries can neither read
    nor write other files, and its settings cannot be changed; `connection.register` makes a frame readable. Raises
    WarehouseMissing, WarehouseOpened (another program has the file open for writing) or WarehouseUnreadable.
    """
    file = Path(path) if path is not None else Settings.from_environment().warehouse
    identity = _identity(file)
    # A private in-memory instance that attaches the file. duckdb.connect(file) shares one instance per path within a
    # process, and would continue to show an older release.
    connection = duckdb.connect()
    try:
        reading = _attach_by_link(connection, file)
        connection.execute("use warehouse.marts")
        confine(connection, reading.link or file)
    except duckdb.Error as error:
        connection.close()
        raise WarehouseUnreadable(file, _first_line(error)) from error
    except BaseException:
        connection.close()
        raise
    reading.identity = identity
    _readings[connection] = reading
    return connection


def refresh(connection: duckdb.DuckDBPyConnection) -> bool:
    """Move a connection from `connect` to the live release. Returns True if it was another one.

    Open transactions and results continue with the release that they began with; the next statement reads the newer one.
    Temporary tables and views stay. Do not call it while another thread uses a cursor of this connection: for a moment
    the warehouse is detached. Raises WarehouseMissing, WarehouseOpened, WarehouseUnreadable.
    """
    if connection not in _readings:
        raise ValueError("refresh() needs a connection returned by connect(), not a cursor or another connection")
    reading = _readings[connection]
    identity = _identity(reading.file)
    if identity == reading.identity:
        return False
    # A cursor has its own transaction, so the connection's transaction is not affected. Its default database is not the
    # warehouse, so that can be detached. ATTACH OR REPLACE would keep the old file.
    with connection.cursor() as cursor, _linked(reading):
        reading.identity = None
        cursor.execute("detach database if exists warehouse")
        attach(cursor, reading.file, link=reading.link)
    reading.identity = identity
    return True


def _attach_by_link(connection: duckdb.DuckDBPyConnection, file: Path) -> _Reading:
    """Attach `file` by a link that exists only for that moment.

    DuckDB lets a query write to the path that it attached and to the write-ahead log beside it: nothing is there any more. Who
    may not make a link in the folder of a release, a file of mode 0444, cannot write there either and needs none.
    """
    folder = file.resolve().parent
    reading = _Reading(file, folder / f"{_PREFIX}{secrets.token_hex(8)}" / file.name)
    try:
        with _linked(reading):
            attach(connection, file, link=reading.link)
    except (DiskFull, NotWritable, OSError):  # OSError: a file system without links
        reading = _Reading(file, None)
        attach(connection, file)
    return reading


@contextmanager
def _linked(reading: _Reading) -> Iterator[None]:
    """Create the link for the block. Raises DiskFull, NotWritable."""
    if reading.link is None:
        yield
        return
    folder = reading.link.parent
    with scratch(folder.parent, _PREFIX, folder.name.removeprefix(_PREFIX)):
        with writing(folder):
            os.link(reading.file.resolve(), reading.link)
        yield


def _identity(file: Path) -> _Identity:
    try:
        status = file.stat()
    except FileNotFoundError:
        raise WarehouseMissing(file) from None
    except PermissionError:
        raise NotReadable(file) from None
    if not os.access(file, os.R_OK):
        raise NotReadable(file)
    return status.st_dev, status.st_ino, status.st_mtime_ns


def attach(
    connection: duckdb.DuckDBPyConnection, file: Path, name: str = "warehouse", link: Path | None = None
) -> None:
    """Attach a released file, by its `link` if given, read-only as `name`. Raises WarehouseOpened, WarehouseUnreadable."""
    if file.exists() and not file.is_file():  # DuckDB would wait for who writes to a pipe
        raise WarehouseUnreadable(file, "it is not a file")
    try:
        connection.execute(f"attach {literal(str(link or file))} as {name} (read_only)")
    except duckdb.Error as error:
        problem = _first_line(error).replace(str(link), str(file))
        raise (WarehouseOpened if is_locked(error) else WarehouseUnreadable)(file, problem) from error


def is_locked(error: duckdb.Error) -> bool:
    """Whether a file cannot be opened because another program writes to it. A damaged block and a path have `lock` in them, too."""
    return "Could not set lock on file" in str(error)


def confine(connection: duckdb.DuckDBPyConnection, *files: Path) -> None:
    """Switch off access to all files but `files` and what is attached, for good. Spilling to disk still works.

    DuckDB cannot switch it on again, and with locked settings a query can do nothing that is not in its own text.
    """
    allowed = ", ".join(literal(str(file)) for file in files)
    connection.execute(
        f"set allowed_paths = [{allowed}]; set autoinstall_known_extensions = false;"
        " set autoload_known_extensions = false; set enable_external_access = false; set lock_configuration = true"
    )


def refuse_writing(connection: duckdb.DuckDBPyConnection, query: str) -> None:
    """Raise QueryRefused for a query that does more than read, such as COPY.

    DuckDB allows writing to the path of an attached file and to its write-ahead log, whatever the settings say. Raises
    duckdb.Error for a query that does not parse.
    """
    for statement in connection.extract_statements(query):
        is_explained = statement.type == duckdb.StatementType.EXPLAIN and re.search(
            r"\bcopy\b", statement.query, re.IGNORECASE
        )
        if statement.type not in _READING or is_explained:
            kind = "EXPLAIN COPY" if is_explained else statement.type.name
            raise QueryRefused(
                f"{kind} is not allowed, because a query only reads. --output writes its result to a file."
            )


def _first_line(error: duckdb.Error) -> str:
    return str(error).split("\n", 1)[0]


def read(
    table: str, where: str | None = None, parameters: Sequence[object] = (), *, path: Path | str | None = None
) -> "pd.DataFrame":
    """The rows of `table` (such as `marts.fct_payments`) for which `where`, an SQL condition with ? for `parameters`, is true.

    Integers and booleans keep their type if values are missing, decimals stay exact, dates become datetime64.
    Raises QueryRefused (with DuckDB's message), WarehouseMissing, WarehouseOpened, WarehouseUnreadable.
    """
    with connect(path) as connection:
        relation: duckdb.DuckDBPyRelation | duckdb.DuckDBPyConnection
        try:
            if where is None:
                relation = connection.table(table)
            else:
                query = f"select * from {table} where {where}"
                refuse_writing(connection, query)
                relation = connection.execute(query, list(parameters))
            result: pa.Table = relation.to_arrow_table()
        except duckdb.Error as error:
            raise QueryRefused(str(error)) from error
    return to_pandas(result)


def to_pandas(table: pa.Table) -> "pd.DataFrame":
    """Convert Arrow to pandas with nullable types, so that missing values do not change the type of a column."""
    import pandas as pd

    exact = {
        pa.int8(): pd.Int8Dtype(), pa.int16(): pd.Int16Dtype(), pa.int32(): pd.Int32Dtype(), pa.int64(): pd.Int64Dtype(),
        pa.bool_(): pd.BooleanDtype(), pa.float64(): pd.Float64Dtype(), pa.string(): pd.StringDtype(),
    }  # fmt: skip

    def dtype(kind: pa.DataType) -> "pd.api.extensions.ExtensionDtype | None":
        return pd.ArrowDtype(kind) if pa.types.is_decimal(kind) else exact.get(kind)

    frame: pd.DataFrame = table.to_pandas(types_mapper=dtype, date_as_object=False)
    return frame
