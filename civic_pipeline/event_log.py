"""Dagster's event log with its SQLite files kept open: what the `dagster.yaml` of our homes names. See docs/adr/0018."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from sqlite3 import Connection as SqliteConnection
from typing import Any

from dagster._core.storage.event_log.sqlite.sqlite_event_log import INDEX_SHARD_NAME, SqliteEventLogStorage
from sqlalchemy import Connection, Engine, create_engine, event, inspect

_MOST_OPEN = 8  # the index and the runs somebody looks at; the web server would keep every run's file else
_WAITS_SECONDS = 20  # for another process that writes, as Dagster does


class EventLog(SqliteEventLogStorage):
    """A folder with a file per run and an index, as Dagster itself makes and reads it."""

    def __init__(self, base_dir: str, inst_data: Any = None) -> None:
        self._engines: dict[str, Engine] = {}
        super().__init__(base_dir, inst_data)

    @classmethod
    def from_config_value(cls, inst_data: Any, config_value: Mapping[str, Any]) -> "EventLog":
        return cls(inst_data=inst_data, **config_value)

    @contextmanager
    def _connect(self, shard: str) -> Iterator[Connection]:
        with self._db_lock:
            engine = self._engine(shard)
            if shard not in self._initialized_dbs:
                self._initdb(engine)
                self._initialized_dbs.add(shard)
            with engine.begin() as connection:
                yield connection

    def has_table(self, table_name: str) -> bool:
        with self._engine(INDEX_SHARD_NAME).connect() as connection:
            return inspect(connection).has_table(table_name)

    def _engine(self, shard: str) -> Engine:
        if shard not in self._engines:
            if len(self._engines) == _MOST_OPEN:
                self._engines.pop(next(iter(self._engines))).dispose()
            engine = create_engine(self.conn_string_for_shard(shard), connect_args={"timeout": _WAITS_SECONDS})
            if shard != INDEX_SHARD_NAME:
                event.listen(engine, "connect", _write_through)
            self._engines[shard] = engine
        return self._engines[shard]

    def dispose(self) -> None:
        for engine in self._engines.values():
            engine.dispose()
        super().dispose()


def _write_through(connection: SqliteConnection, _: Any) -> None:
    """Move each event from the write-ahead log into the file at once: the web server follows a run by the file's changes."""
    connection.execute("pragma wal_autocheckpoint = 1").fetchall()
