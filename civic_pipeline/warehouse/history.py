"""What changed between the captures of a dataset, by its declared key: revisions, versions of records, conflicts.

Each accepted capture is compared once, with the one before it. The history depends on the lake and the catalog only, so it
is the same again after the build file was lost.
"""

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from sqlglot import exp

from civic_pipeline.catalog import Dataset, stands_for, table_name
from civic_pipeline.deadline import time_limit
from civic_pipeline.errors import CaptureDamaged, TookTooLong, writing
from civic_pipeline.lake import Lake, Manifest
from civic_pipeline.releases.contents import types_of
from civic_pipeline.sql_text import literal, quoted
from civic_pipeline.warehouse.build import Build
from civic_pipeline.warehouse.captured import capture_sql, columns_of
from civic_pipeline.warehouse.ledger import transaction
from civic_pipeline.warehouse.model import Model

TABLES = ("meta.comparisons", "meta.revisions", "meta.record_versions", "meta.conflicts")

# Portal types of row numbers that a portal may change at any time: they do not describe the record.
_ROW_IDS = {"OID", "GlobalID"}
_MIDNIGHT = r"'^(\d{4}-\d{2}-\d{2})[ T]00:00:00(\.0+)?$'"
_VERSION = 2  # of the comparison; the history is computed again when it changes


def record_history(build: Build, models: Mapping[str, Model]) -> dict[str, str]:
    """Update the history of every dataset that has a declared key and a clean model.

    Returns dataset -> why its history was not updated: a damaged capture, or no end in time. Nothing else is held back by it.
    """
    lake, stuck = Lake(build.settings.lake, build.datasets), {}
    followed = {
        name: dataset
        for name, dataset in build.datasets.items()
        if dataset.key and f"clean.{table_name(name)}" in models
    }
    with writing(build.folder):
        for table in TABLES:
            build.connection.execute(f"delete from {table} where not list_contains(?, dataset)", [list(followed)])
        for name, dataset in followed.items():
            try:
                with time_limit(f"The history of {name}", build.connection):
                    _History(build, lake, name, dataset, models[f"clean.{table_name(name)}"]).bring_up_to_date()
            except (CaptureDamaged, TookTooLong) as error:
                stuck[name] = str(error)
    return stuck


def _moment(capture_id: str) -> str:
    """The last part of a capture id: it sorts by time, also if the dataset was renamed."""
    return capture_id.rpartition("/")[2]


@dataclass(frozen=True)
class _Side:
    """One of two captures: its rows as SQL, and type and `written` of each column that is compared or part of the key."""

    manifest: Manifest
    sql: str
    columns: Mapping[str, tuple[str, frozenset[str]]]

    def text(self, name: str) -> str:
        """SQL of a value as text, the same on every machine; a day at midnight is the day.

        One copy of a list is a workbook, where a date has a time, and the next a CSV without one: that is no revision.
        """
        kind = self.columns[name][0]
        zoned = kind == "TIMESTAMP WITH TIME ZONE"
        text = f"cast({quoted(name)} at time zone 'UTC' as varchar)" if zoned else f"cast({quoted(name)} as varchar)"
        if kind != "VARCHAR" and not kind.startswith("TIMESTAMP"):
            return text
        return f"case when {text} like '%00:00:00%' then regexp_replace({text}, {_MIDNIGHT}, '\\1') else {text} end"

    def texts(self, names: Sequence[str]) -> str:
        return f"cast([{', '.join(self.text(name) for name in names)}] as varchar[])"

    def object(self, names: Sequence[str]) -> str:
        """SQL of a JSON object of values as text."""
        return f"json_object({', '.join(f'{literal(name)}, {self.text(name)}' for name in names)})"


class _History:
    def __init__(self, build: Build, lake: Lake, name: str, dataset: Dataset, model: Model) -> None:
        self._connection, self._build, self._lake = build.connection, build, lake
        self._name, self._dataset = name, dataset
        mentioned = {column.name.lower() for column in model.query.find_all(exp.Column)}
        # Compare only columns that the clean table reads, without columns about persons: others are not published.
        self._declared = [
            column
            for column in dataset.all_columns
            if ("*" in column or column.lower() in mentioned)
            and column.lower() not in dataset.about_persons
            and not model.contract.rows_are_persons
        ]

    def bring_up_to_date(self) -> None:
        known = self._connection.execute(
            "select capture_id, definition from meta.comparisons where dataset = ? order by captured_at", [self._name]
        ).fetchall()
        compared, ids = [capture_id for capture_id, _ in known], self._lake.ids(self._name)
        new = [self._lake.capture(capture_id) for capture_id in ids if capture_id not in set(compared)]
        new = [capture for capture in new if capture.held_back is None]
        is_redefined = any(definition != self._definition for _, definition in known)
        if not new and not is_redefined and set(compared) <= set(ids):
            return
        # A capture was inserted (a backfill) or removed: rebuild the history from there.
        if (
            is_redefined
            or not set(compared) <= set(ids)
            or (compared and _moment(new[0].capture_id) < _moment(compared[-1]))
        ):
            with transaction(self._connection):
                for table in TABLES:
                    self._connection.execute(f"delete from {table} where dataset = ?", [self._name])
            compared, new = [], [c for c in self._lake.captures(self._name) if c.held_back is None]
        before = self._side(self._lake.capture(compared[-1])) if compared else None
        for capture in new:
            after = self._side(capture)
            with transaction(self._connection):
                self._compare(before, after)
            before = after

    @property
    def _definition(self) -> str:
        dataset = self._dataset
        shapes = [shape.model_dump(exclude_defaults=True) for shape in dataset.earlier_shapes]
        parts: list[object] = [
            _VERSION,
            dataset.key,
            self._declared,
            dataset.valid_from,
            dataset.valid_to,
            dataset.time_zones,
            shapes,
        ]
        if own := {
            str(label): (e.key, e.columns)
            for label, e in dataset.editions.items()
            if label and e.columns != dataset.columns
        }:
            parts.append(own)
        return hashlib.sha256(json.dumps(parts).encode()).hexdigest()[:16]

    def _side(self, capture: Manifest) -> _Side:
        self._lake.verify(capture)
        sql = capture_sql(self._lake, self._dataset, capture)
        types = types_of(self._connection, f"({sql})")
        row_ids = {part.row_id.lower() for part in capture.parts if part.row_id}
        row_ids |= {c.name.lower() for part in capture.parts for c in part.columns if c.portal_type in _ROW_IDS}
        followed = [*self._declared, *self._key_columns, self._dataset.valid_from, self._dataset.valid_to]
        patterns = [name for name in followed if name]
        columns: dict[str, tuple[str, frozenset[str]]] = {}
        for part in capture.parts:
            for column in columns_of(part.columns, self._dataset.edition(part.edition)):
                is_key = column.name in self._key_columns
                is_followed = any(stands_for(pattern, column.name) for pattern in patterns)
                if is_key or (is_followed and column.name.lower() not in row_ids):
                    _, written = columns.get(column.name, ("", frozenset()))
                    columns[column.name] = types[column.name], written | {column.written}
        return _Side(capture, sql, columns)

    def _compare(self, before: _Side | None, after: _Side) -> None:
        key = self._key_columns
        alike = sorted(name for name in after.columns if before and before.columns.get(name) == after.columns[name])
        is_comparable = before is not None and all(name in alike for name in self._shared_key(before, after))
        compared = [name for name in alike if name not in key] if is_comparable else self._values(after)
        self._rows("after_rows", after, compared)
        if before and is_comparable:
            self._rows("before_rows", before, compared)
            is_reshaped = self._values(before) != compared or self._values(after) != compared
            self._changes(compared, is_reshaped)
            self._revisions(before, after, compared)
        self._versions(after, is_comparable)
        self._conflicts(after)
        self._account(before, after, is_comparable, compared)
        for table in ("before_rows", "after_rows", "changes"):
            self._connection.execute(f"drop table if exists temp.{table}")

    def _values(self, side: _Side) -> list[str]:
        """The columns that describe a record, without its key."""
        return sorted(name for name in side.columns if name not in self._key_columns)

    @property
    def _key_columns(self) -> list[str]:
        """The columns of the keys of all editions."""
        keys = (self._dataset.key, *(edition.key for edition in self._dataset.editions.values()))
        return list(dict.fromkeys(name for key in keys for name in key))

    def _shared_key(self, before: _Side, after: _Side) -> set[str]:
        """The columns of the keys of the editions that both captures have."""
        labels = [{part.edition for part in side.manifest.parts} for side in (before, after)]
        return {name for label in labels[0] & labels[1] for name in self._dataset.edition(label).key}

    def _key(self, side: _Side) -> str:
        """SQL of a record's key as a JSON array, by its edition; null if all its parts are null."""
        labels = [part.edition for part in side.manifest.parts if part.edition]
        own = {label: self._dataset.edition(label).key for label in labels}
        cases = [
            f"when {literal(label)} then {self._key_sql(side, key, ['_edition'])}"
            for label, key in own.items()
            if key != self._dataset.key
        ]
        usual = self._key_sql(side, self._dataset.key, ["_edition"] if labels else [])
        return f"case _edition {' '.join(cases)} else {usual} end" if cases else usual

    def _key_sql(self, side: _Side, key: Sequence[str], edition: list[str]) -> str:
        parts = [side.text(name) if name in side.columns else "cast(null as varchar)" for name in key]
        return f"case when coalesce({', '.join([*parts, 'null'])}) is not null then to_json([{', '.join(parts + edition)}])::varchar end"

    def _rows(self, table: str, side: _Side, compared: Sequence[str]) -> None:
        """Each row of temp table `table` is a key with the hash of its values; rows that differ under one key are a conflict."""
        valid = [
            f"min(parse_date({side.text(name)}))" if name and name in side.columns else "cast(null as date)"
            for name in (self._dataset.valid_from, self._dataset.valid_to)
        ]
        values = self._values(side)
        whole = f"md5(to_json({side.texts(values)})::varchar)"
        self._connection.execute(
            f"create or replace temp table {table} as select {self._key(side)} as record_key, min({whole}) as row_hash,"
            f" min({whole}) <> max({whole}) as is_conflict, min(md5(to_json({side.texts(compared)})::varchar)) as compared_hash,"
            f" count(*) as copies, {valid[0]} as valid_from, {valid[1]} as valid_to from ({side.sql}) group by 1"
        )

    def _changes(self, compared: Sequence[str], is_reshaped: bool) -> None:
        self._connection.execute(
            "create or replace temp table changes as"
            " select record_key, cast(null as varchar) as previous_key, coalesce(b.compared_hash, a.compared_hash) as compared_hash,"
            " case when a.record_key is null then 'added' when b.record_key is null then 'removed' else 'changed' end as kind"
            " from (from before_rows where record_key is not null) as a full join (from after_rows where record_key is not null) as b"
            " using (record_key)"
            " where a.is_conflict is not true and b.is_conflict is not true and a.compared_hash is distinct from b.compared_hash"
        )
        if is_reshaped or not compared:
            return
        # Rows whose compared columns are all null cannot identify a record.
        empty = f"md5(to_json(cast([{', '.join('null' for _ in compared)}] as varchar[]))::varchar)"
        self._connection.execute(
            "create or replace temp table rekeyed as select compared_hash, min(record_key) filter (kind = 'removed') as previous_key,"
            f" min(record_key) filter (kind = 'added') as record_key from changes where kind <> 'changed' and compared_hash <> {empty}"
            " group by 1 having count(*) = 2 and count(*) filter (kind = 'added') = 1;"
            " delete from changes where record_key in (select unnest([record_key, previous_key]) from rekeyed);"
            " insert into changes select record_key, previous_key, compared_hash, 'rekeyed' from rekeyed;"
            " drop table rekeyed"
        )

    def _revisions(self, before: _Side, after: _Side, compared: Sequence[str]) -> None:
        """Insert the revisions; values are read from the two captures for the changed keys only."""
        read = {
            moment: f"select distinct {self._key(side)} as record_key, {side.texts(compared)} as vs,"
            f" {side.object(self._values(side))} as whole from ({side.sql}) where record_key in (select record_key from changes)"
            for moment, side in (("before", before), ("after", after))
        }
        names = f"cast([{', '.join(map(literal, compared))}] as varchar[])"
        differing = f"list_filter(range(1, {len(compared)} + 1), i -> a.vs[i] is distinct from b.vs[i])"
        shown = {
            moment: f"case kind when 'changed' then to_json(map(changed_columns, [{moment}_vs[i] for i in places])) else {moment}_whole end"
            for moment in ("before", "after")
        }
        self._connection.execute(
            f"insert into meta.revisions with a as ({read['before']}), b as ({read['after']}), compared as ("
            " select c.*, a.vs as before_vs, b.vs as after_vs, a.whole as before_whole, b.whole as after_whole,"
            f" case when c.kind = 'changed' then {differing} end as places"
            " from changes as c left join a on a.record_key = c.record_key and c.kind in ('removed', 'changed')"
            " left join b on b.record_key = c.record_key and c.kind in ('added', 'changed')),"
            f" named as (select *, [({names})[i] for i in places] as changed_columns from compared)"
            f" select ?, record_key, kind, previous_key, changed_columns, {shown['before']}, {shown['after']}, ?, ?, ?, ?"
            " from named order by record_key",
            [
                self._name,
                before.manifest.capture_id,
                before.manifest.moment,
                after.manifest.capture_id,
                after.manifest.moment,
            ],
        )

    def _versions(self, after: _Side, continues: bool) -> None:
        """Close the versions that the capture no longer has, and open those that it has first."""
        ended = (
            "record_key in (select unnest([record_key, previous_key]) from changes union all"
            " select record_key from after_rows where is_conflict)"
            if continues
            else "true"
        )
        self._connection.execute(
            f"update meta.record_versions set system_to = ? where dataset = ? and system_to is null and {ended}",
            [after.manifest.moment, self._name],
        )
        self._connection.execute(
            "insert into meta.record_versions select ?, record_key, row_hash, ?, ?, null, valid_from, valid_to from after_rows"
            " where record_key is not null and not is_conflict and record_key not in"
            " (select record_key from meta.record_versions where dataset = ? and system_to is null) order by record_key",
            [self._name, after.manifest.capture_id, after.manifest.moment, self._name],
        )

    def _conflicts(self, after: _Side) -> None:
        """Replace the conflicts of the dataset by those of the newest capture, for its publisher to correct."""
        names = self._values(after)
        self._connection.execute("delete from meta.conflicts where dataset = ?", [self._name])
        self._connection.execute(
            f"insert into meta.conflicts with conflicting as (select {self._key(after)} as record_key, {after.texts(names)} as vs"
            f" from ({after.sql}) where record_key in (select record_key from after_rows where is_conflict)),"
            " counted as (select record_key, count(*) as row_count, count(distinct vs) as version_count from conflicting group by 1),"
            " cells as (select record_key, unnest(?::varchar[]) as name, unnest(vs) as value from conflicting),"
            " differing as (select record_key, name, list(distinct value order by value) filter (value is not null) as variants,"
            " bool_or(value is null) as has_null from cells group by 1, 2),"
            " listed as (select record_key, list(name order by name) as names,"
            " list(case when has_null then list_append(coalesce(variants, []), null) else variants end order by name) as variants"
            " from differing where coalesce(len(variants), 0) + has_null::integer > 1 group by 1)"
            " select ?, record_key, row_count, version_count, names, to_json(map(names, variants)), ?, ?"
            " from counted join listed using (record_key) order by record_key",
            [names, self._name, after.manifest.capture_id, after.manifest.moment],
        )

    def _account(self, before: _Side | None, after: _Side, is_comparable: bool, compared: Sequence[str]) -> None:
        kinds: dict[str, int] = {}
        if is_comparable:
            kinds = dict(self._connection.execute("select kind, count(*) from changes group by 1").fetchall())
        self._connection.execute(
            "insert into meta.comparisons select ?, ?, ?, ?, ?, ?, count(*) filter (record_key is not null and not is_conflict),"
            " coalesce(sum(copies) filter (record_key is null), 0),"
            " coalesce(sum(copies - 1) filter (record_key is not null and not is_conflict), 0),"
            " count(*) filter (record_key is not null and is_conflict), ?, ?, ?, ?, ? from after_rows",
            [
                self._name, after.manifest.capture_id, after.manifest.moment, before.manifest.capture_id if before else None,
                None if before is None else is_comparable, list(compared) if is_comparable else None,
                *(kinds.get(kind, 0) if is_comparable else None for kind in ("added", "removed", "changed", "rekeyed")),
                self._definition,
            ],
        )  # fmt: skip
