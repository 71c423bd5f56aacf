"""The build file: captures as views, models staged one by one, audited by the caller, swapped in or held back.

`data/build/build.duckdb` has one writer, guarded by a lock across processes. Readers never open it: they read the release.
"""

import re
import shutil
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from functools import cached_property
from pathlib import Path
from typing import cast

import duckdb

from civic_pipeline.catalog import Dataset, RowRule, accepted_as, table_name
from civic_pipeline.errors import ModelFailed, NotCaptured, writing
from civic_pipeline.foreign_text import in_one_line, shortened
from civic_pipeline.lake import Lake, Manifest
from civic_pipeline.releases.contents import content_hash, types_of
from civic_pipeline.settings import Settings
from civic_pipeline.sql_text import literal
from civic_pipeline.warehouse import meta
from civic_pipeline.warehouse.captured import (
    declared_history_sql,
    history_sql,
)
from civic_pipeline.warehouse.checks import CheckResult
from civic_pipeline.warehouse.cleaned import view_clean_history
from civic_pipeline.warehouse.descriptions import describe_quarantine, describe_table
from civic_pipeline.warehouse.hashes import fingerprint
from civic_pipeline.warehouse.ledger import Ledger, transaction
from civic_pipeline.warehouse.lineage import Schema, column_lineage
from civic_pipeline.warehouse.macros import macro_files, read_macros
from civic_pipeline.warehouse.model import Model, Part
from civic_pipeline.warehouse.personal import without
from civic_pipeline.warehouse.python_code import PythonCode

NEVER_CAPTURED = "never_captured"  # status of an empty table in meta.tables
_SAMPLE_LENGTH = 200  # letters of one value


@dataclass(frozen=True)
class Staged:
    """The tables of a model that was built and not yet swapped in.

    `table` holds the rows that passed the row rules, `quarantine` the others (None for a table without row rules),
    `everything` all rows with their helper columns. `rows` counts `table`.
    """

    model: Model
    table: str
    everything: str
    quarantine: str | None
    rows: int
    quarantined_rows: int
    repeated_rows: int


@dataclass(frozen=True)
class Build:
    """An open build file. Use `open_build`.

    `damaged`: dataset -> why its accepted capture cannot be read. `never_captured`: the datasets that are read as empty, because
    they have no accepted capture. `as_of`: captures made after this moment are ignored.
    """

    connection: duckdb.DuckDBPyConnection
    settings: Settings
    datasets: Mapping[str, Dataset]
    run_id: str
    started_at: datetime
    damaged: dict[str, str] = field(default_factory=dict)
    never_captured: set[str] = field(default_factory=set)
    as_of: datetime | None = None

    @property
    def ledger(self) -> Ledger:
        return Ledger(self.connection, self.settings, self.run_id)

    @cached_property
    def folder(self) -> Path:
        """Where its file is: the data folder, or a temporary one (`civic as-of`, `civic try`)."""
        query = "select path from duckdb_databases() where database_name = current_database()"
        [(path,)] = self.connection.execute(query).fetchall()
        return Path(path).parent

    def is_current(self, model: Model) -> bool:
        """Whether nothing that decides the table or its checks has changed since `model` was last built."""
        row = self.connection.execute(
            "select status, row_count, fingerprint from meta.tables where table_name = ?", [model.name]
        ).fetchone()
        return row is not None and row[0] == self._status(model, row[1] or 0) and row[2] == self._fingerprint(model)

    def is_absent(self, model: Model, rows: int) -> bool:
        """Whether a version of `model` with so many rows is empty because none of its sources was ever captured."""
        return rows == 0 and model.takes_rows_only_from(self._absent_tables())

    def stage(self, model: Model) -> Staged:
        """Run the model's SQL or Python code into staging tables. Raises ModelFailed with the message of either.

        A row that breaks a row rule goes to quarantine with all its columns and the names and reasons of the broken rules.
        """
        contract, execute = model.contract, self.connection.execute
        staged = f"staging.{model.schema}__{model.table}"
        everything, quarantine = f"{staged}__everything", f"{staged}__quarantined"
        columns = ", ".join(column.name for column in contract.columns)
        distinct = "distinct" if contract.repeated_rows else ""
        self._history_views(model)
        self._compare_types(model.parts)
        try:
            with writing(self.folder):
                if model.code and model.takes_rows_only_from(self._absent_tables()):
                    nothing = ", ".join(f"cast(null as {c.type}) as {c.name}" for c in contract.columns)
                    execute(f"create or replace table {everything} as select {nothing} where false")
                elif model.code:
                    self._run_code(model, model.code, everything)
                else:
                    execute(f"create or replace table {everything} as\n{model.sql}")
                if contract.row_rules:
                    rules = _list_of_broken(contract.row_rules, lambda rule: rule.name)
                    reasons = _list_of_broken(contract.row_rules, lambda rule: rule.reason)
                    execute(
                        f"create or replace table {quarantine} as"
                        f" select *, {rules} as _rules, {reasons} as _reasons from {everything} where not ({contract.keep_if})"
                    )
                execute(
                    f"create or replace table {staged} as select {distinct} {columns} from {everything} where {contract.keep_if}"
                )
        except duckdb.Error as error:
            raise ModelFailed(model.path, _problem(error, model)) from error
        rows = self._count(staged)
        quarantined = self._count(quarantine) if contract.row_rules else 0
        repeated = self._count(everything) - quarantined - rows
        return Staged(
            model, staged, everything, quarantine if contract.row_rules else None, rows, quarantined, repeated
        )

    def _run_code(self, model: Model, code: PythonCode, table: str) -> None:
        """Create `table` from what the model's function returns, in the types of its contract. Raises ModelFailed."""
        ordered = {  # by all columns, so that only contents decide the result
            name: self.connection.execute(f"select {', '.join(columns)} from {name} order by all").to_arrow_table()
            for name, columns in code.inputs.items()
        }
        try:
            result = code.function(ordered)
        except Exception as error:
            text = "" if model.reads_personal else f": {error}"  # a message may quote a value
            raise ModelFailed(model.path, f"{type(error).__name__}{text}") from error
        declared = [column.name for column in model.contract.columns]
        if result.column_names != declared:
            raise ModelFailed(model.path, f"its columns are {result.column_names}, and the contract has {declared}")
        columns = ", ".join(
            f"cast({column.name} as {column.type}) as {column.name}" for column in model.contract.columns
        )
        self.connection.register("_result", result)
        try:
            self.connection.execute(f"create or replace table {table} as select {columns} from _result")
        finally:
            self.connection.unregister("_result")

    def swap(self, staged: Staged, results: Sequence[CheckResult], data_date: date | None) -> dict[str, list[str]]:
        """Replace the accepted table by the staged one, with its comments and its rows in `meta`, in one transaction.

        Returns the column lineage.
        """
        model = staged.model
        lineage = column_lineage(model, self._schema(model.inputs))
        with writing(self.folder), transaction(self.connection):
            self.connection.execute(f"create or replace table {model.name} as from {staged.table}")
            if staged.quarantine:
                self.connection.execute(f"create or replace table quarantine.{model.table} as from {staged.quarantine}")
            elif model.schema == "clean":
                self.ledger.forget(f"quarantine.{model.table}")
            describe_table(self.connection, model, lineage)
            if staged.quarantine:
                describe_quarantine(self.connection, model, types_of(self.connection, staged.quarantine))
            self.ledger.put_checks(model.name, results)
            meta.put(self.connection, "meta.tables", "table_name", model.name, [self._entry(staged, data_date)])
        self.drop_staging()
        return lineage

    def _entry(self, staged: Staged, data_date: date | None) -> dict[str, object]:
        """The row of `meta.tables` for a table that was just swapped in."""
        model, contract = staged.model, staged.model.contract
        entry: dict[str, object] = {
            "table_name": model.name, "subject": model.subject,
            "each_row_is": contract.each_row_is, "cannot_say": contract.cannot_say,
            "status": self._status(model, staged.rows), "built_at": meta.naive(datetime.now(UTC)), "row_count": staged.rows,
            "missing_parts": self._missing_parts(staged), "data_date": data_date,
            "key_columns": list(contract.key), "inputs": sorted(model.inputs), "personal_columns": sorted(model.personal),
            "content_hash": content_hash(self.connection, self._shown(model.name, model)),
            "fingerprint": self._fingerprint(model),
        }  # fmt: skip
        if model.schema == "clean":
            entry |= {
                "source_rows": staged.rows + staged.quarantined_rows + staged.repeated_rows,
                "quarantined_rows": staged.quarantined_rows,
                "repeated_rows": staged.repeated_rows,
            }
        if staged.quarantine:
            entry["quarantine_hash"] = content_hash(self.connection, self._shown(staged.quarantine, model))
        return entry

    @contextmanager
    def as_accepted(self, staged: Staged) -> Iterator[None]:
        """Give the staged table the accepted table's name within the block, so that queries can join it to other tables."""
        self.connection.execute("begin")
        try:
            self.connection.execute(f"create or replace table {staged.model.name} as from {staged.table}")
            yield
        finally:
            self.connection.execute("rollback")

    def hold_back(self, model: Model, reason: str, results: Sequence[CheckResult] = ()) -> datetime:
        """Keep the accepted table and record why; returns the start of the first run that held the table back, UTC."""
        with writing(self.folder), transaction(self.connection):
            known = self.connection.execute(
                "select status from meta.tables where table_name = ?", [model.name]
            ).fetchone()
            if known in (None, (NEVER_CAPTURED,)):  # an empty table is no accepted version: others would wait for it
                row: dict[str, object] = {
                    "table_name": model.name,
                    "subject": model.subject,
                    "each_row_is": model.contract.each_row_is,
                    "inputs": sorted(model.inputs),
                }
                meta.put(self.connection, "meta.tables", "table_name", model.name, [row])
            self.connection.execute(
                "update meta.tables set status = 'held_back', held_back_because = ?,"
                " held_back_since = coalesce(held_back_since, ?) where table_name = ?",
                [reason, meta.naive(self.started_at), model.name],
            )
            if results:
                self.ledger.put_checks(model.name, results)
            [(since,)] = self.connection.execute(
                "select held_back_since from meta.tables where table_name = ?", [model.name]
            ).fetchall()
        self.drop_staging()
        return cast("datetime", since)

    def sample(self, model: Model, rows: int = 5) -> list[dict[str, str]]:
        """Some rows of the accepted version, as short texts, without columns about persons."""
        columns = [column.name for column in model.contract.columns if column.name not in model.personal]
        shown = ", ".join(f"{column}::varchar" for column in columns)
        sample = self.connection.execute(f"select {shown} from {model.name} limit {rows}").fetchall()
        return [
            {
                name: shortened(in_one_line(value or ""), _SAMPLE_LENGTH)
                for name, value in zip(columns, row, strict=True)
            }
            for row in sample
        ]

    def forget_all_but(self, models: Collection[str]) -> None:
        """Drop the tables whose model was removed, and the rows of `meta` about them and about datasets that were removed.

        No contract would describe them any more.
        """
        raw = [f"raw.{table_name(name)}" for name in self.datasets]
        known = self.connection.execute("select table_name from meta.tables").fetchall()
        with transaction(self.connection):
            for name in {table for (table,) in known} - set(models):
                self.ledger.forget(name)
                shutil.rmtree(self.settings.failed_rows / name, ignore_errors=True)
                if name.startswith("clean."):
                    self.ledger.forget(name.replace("clean.", "quarantine.", 1))
            self.connection.execute(
                "delete from meta.captures where not list_contains(?, dataset)", [list(self.datasets)]
            )
            self.connection.execute(
                "delete from meta.checks where starts_with(table_name, 'raw.') and not list_contains(?, table_name)",
                [raw],
            )

    def newest(self, relation: str, column: str) -> date | None:
        """The latest date in a column."""
        row = self.connection.execute(f"select max({column})::date from {relation}").fetchone()
        return row[0] if row else None

    def available(self, model: Model) -> Model:
        """`model` without the parts that read a clean table that has no accepted version, or whose sources were never captured."""
        accepted = self.ledger.accepted_tables()
        refused = {
            name for name in model.inputs if (table := accepted_as(name)).startswith("clean.") and table not in accepted
        }
        absent = self._absent_tables()
        return model.without(lambda part: not part.inputs.isdisjoint(refused) or part.takes_rows_only_from(absent))

    def _absent_tables(self) -> set[str]:
        """The tables without rows because their sources were never captured."""
        built = self.connection.execute("select table_name from meta.tables where status = ?", [NEVER_CAPTURED])
        captures = (
            f"{schema}.{table_name(name)}"
            for schema in ("raw", "history", "clean_history")
            for name in self.never_captured
        )
        return {name for (name,) in built.fetchall()} | set(captures)

    def _status(self, model: Model, rows: int) -> str:
        """The status of a version of `model` with so many rows."""
        return NEVER_CAPTURED if self.is_absent(model, rows) else "current"

    def _missing_parts(self, staged: Staged) -> list[str]:
        """The places that are left out: all of them, if none of their sources was ever captured."""
        model = staged.model
        if model.has_parts and self.is_absent(model, staged.rows):
            return [part.name for part in model.parts]
        return list(model.missing_parts)

    def _compare_types(self, parts: Sequence[Part]) -> None:
        """Raise ModelFailed for a part whose types differ from the first part's: a union would convert them silently."""
        types: dict[str, str] = {}
        for part in parts if len(parts) > 1 else ():
            try:
                part_types = types_of(self.connection, f"(\n{part.sql}\n)")
            except duckdb.Error as error:
                raise ModelFailed(part.path, str(error)) from error
            types = types or part_types
            for name, kind in part_types.items():
                if kind != types[name]:
                    raise ModelFailed(part.path, f"{name} is {kind} here and {types[name]} in {parts[0].path.name}")

    def _history_views(self, model: Model) -> None:
        """Create the `history` and `clean_history` views that a model reads.

        Raises ShapeUnknown, NotCaptured, CaptureDamaged, ModelFailed (a capture that its clean model cannot read).
        """
        lake = Lake(self.settings.lake, self.datasets)
        cleans = {clean.table: clean for clean in model.histories}
        for name, dataset in self.datasets.items():
            table, view = table_name(name), f"history.{table_name(name)}"
            if table in cleans:
                macros = read_macros(macro_files(self.settings.root))
                with writing(self.folder):
                    view_clean_history(
                        self.connection, lake, dataset, cleans[table], self._captures(lake, name), macros
                    )
            if view in model.inputs:
                captures = self._captures(lake, name)
                sql = (
                    history_sql(lake, dataset, captures) if captures else declared_history_sql(self.connection, dataset)
                )
                self.connection.execute(f"create or replace view {view} as {sql}")

    def _captures(self, lake: Lake, name: str) -> list[Manifest]:
        """The accepted captures of `name`, oldest first. Raises NotCaptured if there is none, unless it is read as empty."""
        current = lake.accepted(name, self.as_of)
        captures = [
            capture
            for capture in lake.captures(name)
            if capture.held_back is None
            and capture.is_until(self.as_of)
            and (not capture.failed_checks or capture == current)
        ]
        if not captures and name not in self.never_captured:
            raise NotCaptured(name)
        return captures

    def _fingerprint(self, model: Model) -> str:
        self._history_views(model)  # the views' SQL names the captures
        return fingerprint(self.connection, model, read_macros(macro_files(self.settings.root)), self.settings.lake)

    def _schema(self, tables: Iterable[str]) -> Schema:
        schema: Schema = {}
        for table in tables:
            namespace, _, name = table.partition(".")
            schema.setdefault(namespace, {})[name] = types_of(self.connection, table)
        return schema

    def _shown(self, relation: str, model: Model) -> str:
        """`relation`, made by `model`, without the columns about persons."""
        return without(relation, types_of(self.connection, relation), model.personal)

    def _count(self, relation: str) -> int:
        row = self.connection.execute(f"select count(*) from {relation}").fetchone()
        return int(row[0]) if row else 0

    def drop_staging(self) -> None:
        """Drop all staging tables."""
        self.connection.execute("drop schema if exists staging cascade; create schema staging")


def _list_of_broken(rules: Iterable[RowRule], text_of: Callable[[RowRule], str]) -> str:
    """SQL of a list: `text_of` each rule that the row breaks."""
    cases = ", ".join(f"case when ({rule.keep_if}) is not true then {literal(text_of(rule))} end" for rule in rules)
    return f"[text for text in [{cases}] if text is not null]"


def _problem(error: duckdb.Error, model: Model) -> str:
    """DuckDB's message; without the values that it quotes if those may be about persons."""
    if isinstance(error, duckdb.DataError) and model.reads_personal:
        return re.sub(r"'[^']*'|\"[^\"]*\"", "'...'", str(error).split("\n", 1)[0])
    return str(error)
