"""The time that DuckDB may take: its queries have no limit of their own."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from weakref import WeakSet

import duckdb

from civic_pipeline import interruption
from civic_pipeline.errors import TookTooLong
from civic_pipeline.settings import waits

_SETTING = "CIVIC_DATABASE_SECONDS"
_EVERY_SECONDS = 0.5  # a library may catch the first interruption and ask again

# Great Expectations asks on cursors of the build's connection; an interruption does not reach them through it.
cursors: WeakSet[duckdb.DuckDBPyConnection] = WeakSet()


@contextmanager
def time_limit(what: str, connection: duckdb.DuckDBPyConnection) -> Iterator[None]:
    """Interrupt the queries of `connection` and of `cursors` after CIVIC_DATABASE_SECONDS. Raises TookTooLong, Interrupted."""
    seconds = waits().database_seconds
    is_done, is_late = threading.Event(), threading.Event()

    def interrupt() -> None:
        if is_done.wait(seconds):
            return
        is_late.set()
        while not is_done.wait(_EVERY_SECONDS):
            for queried in [connection, *cursors]:
                with suppress(duckdb.Error):  # it was closed meanwhile
                    queried.interrupt()

    watch = threading.Thread(target=interrupt, daemon=True)
    watch.start()
    try:
        yield
    except Exception as error:
        interruption.check()  # DuckDB raises an exception of its own for a signal
        if is_late.is_set():
            raise TookTooLong(what, seconds, _SETTING) from error
        raise
    finally:
        is_done.set()
        watch.join()
    if is_late.is_set():
        raise TookTooLong(what, seconds, _SETTING)
