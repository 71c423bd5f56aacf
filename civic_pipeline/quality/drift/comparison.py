"""Two versions of one clean table, and the measures that need both."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date
from functools import cached_property
from typing import ClassVar

import duckdb

from civic_pipeline.catalog.dataset import Drift
from civic_pipeline.quality.drift.profile import WHOLE, Profile, Slice, profile, row_hash
from civic_pipeline.quality.drift.watched import Watched
from civic_pipeline.releases.contents import types_of
from civic_pipeline.sql_text import literal, quoted

# A year still gets late postings after its end: it counts as closed when the data go this many days beyond it.
_DAYS_UNTIL_CLOSED = 92
# UTF-8 that was read as Windows-1252, the sign for a byte that could not be read, and HTML.
_GARBLED = r"Ã[^A-Za-z\s]|Â[\x{00A1}-\x{00BF}]|â€|\x{FFFD}|&(amp|quot|apos|lt|gt|nbsp|#\d+);"


@dataclass(frozen=True)
class Version:
    """One version of a table. `repeated_rows` counts the rows dropped because the source published them twice."""

    relation: str
    repeated_rows: int = 0


@dataclass(frozen=True)
class Comparison:
    """The accepted version `before` and the staged one `after`. `returned` names slices that have earlier accepted contents
    again.

    `declared_gaps` are the first days of months that a coverage note declares incomplete.
    """

    connection: duckdb.DuckDBPyConnection
    watched: Watched
    drift: Drift
    accepted: Version
    staged: Version
    before: Profile
    after: Profile
    returned: frozenset[str] = frozenset()
    declared_gaps: frozenset[date] = frozenset()

    # A change below this share of the whole is a correction, however large it is within its part.
    SHARE_THAT_MATTERS: ClassVar[float] = 0.005

    @classmethod
    def of(
        cls, connection: duckdb.DuckDBPyConnection, watched: Watched, drift: Drift, accepted: Version, staged: Version,
        accepted_contents: Mapping[str, frozenset[str]] | None = None, declared_gaps: frozenset[date] = frozenset(),
    ) -> "Comparison":  # fmt: skip
        """Measure both versions. `accepted_contents` are the contents of each slice in earlier accepted versions."""
        before = profile(connection, accepted.relation, watched)
        after = profile(connection, staged.relation, watched)
        once = accepted_contents or {}
        returned = frozenset(name for name, part in after.items() if part.contents in once.get(name, frozenset()))
        return cls(connection, watched, drift, accepted, staged, before, after, returned, declared_gaps)

    @property
    def whole(self) -> tuple[Slice, Slice]:
        return self.before[WHOLE], self.after[WHOLE]

    def pairs(self) -> list[tuple[Slice, Slice]]:
        """The slices of both versions, without those that returned to earlier contents, or changed because such a part did."""
        return [
            (part, self.after[name])
            for name, part in self.before.items()
            if name in self.after and name not in self.returned and not self._moved_by_returns(part)
        ]

    def _moved_by_returns(self, part: Slice) -> bool:
        """Whether returned parts explain the change of a slice: the rest is below the limit of a closed year."""
        parts: dict[str, list[tuple[Slice, Slice]]] = {}
        for name in self.returned & self.before.keys():
            other = self.before[name]
            if other.parent == part.name and name != part.name and not self._is_same(name, other):
                parts.setdefault(other.kind, []).append((other, self.after[name]))
        most = self.drift.closed.hold

        def is_explained(pairs: list[tuple[Slice, Slice]]) -> bool:
            after = self.after[part.name]
            rows = after.rows - part.rows - sum(b.rows - a.rows for a, b in pairs)
            totals = [
                (
                    after.amounts[n].gross - was.gross - sum(b.amounts[n].gross - a.amounts[n].gross for a, b in pairs),
                    was.gross,
                )
                for n, was in part.amounts.items()
            ]
            return all(abs(left) <= most * base for left, base in [(rows, part.rows), *totals])

        return any(is_explained(pairs) for pairs in parts.values())

    def is_closed(self, part: Slice) -> bool:
        """Whether a slice is a closed fiscal year: dated rows go at least three months beyond its end."""
        if part.kind != self.watched.year or part.is_null:
            return False
        years = [other for other in self.before.values() if other.kind == part.kind and not other.is_null]
        if part.newest is None or self.watched.dated_by is None:
            return max(years, key=_number) is not part
        newest = self.before[WHOLE].newest
        return newest is not None and (newest - part.newest).days > _DAYS_UNTIL_CLOSED

    def matters(self, part: Slice, measure: Callable[[Slice], float], moved: float) -> bool:
        """Whether a change of `moved` is more than a correction.

        For a month or a category, its change is compared with its fiscal year; for a fiscal year, its size with the table.
        """
        if part.name == WHOLE:
            return True
        weighed = measure(part) if part.kind == self.watched.year else moved
        return weighed >= self.SHARE_THAT_MATTERS * measure(self.parent(part))

    def parent(self, part: Slice) -> Slice:
        return self.before.get(part.parent, self.before[WHOLE])

    def is_renamed(self, lost: Slice, left: Slice | None) -> bool:
        """Whether everything that a category value lost is now under a new name."""
        if lost.kind not in self.watched.categories or lost.is_null:
            return False
        rows = lost.rows - (left.rows if left else 0)
        gross = {name: a.gross - (left.amounts[name].gross if left else 0) for name, a in lost.amounts.items()}
        low, high = 1 - self.drift.closed.hold, 1 + self.drift.grow_at_most
        return any(
            rows * low <= new.rows <= rows * high
            and all(gross[name] * low <= new.amounts[name].gross for name in gross)
            for new in self.after.values()
            if new.kind == lost.kind and new.parent == lost.parent and not new.is_null and new.name not in self.before
        )

    @cached_property
    def lost_rows(self) -> int:
        """Accepted rows whose record is missing or changed. A new code or a renamed category is not a change.

        Years with unchanged or earlier accepted contents are left out.
        """
        if (unsettled := self._unsettled) is None:
            return 0
        record = row_hash(self.watched.records)
        return self._count(f"""
            with before as (select {record} as record, count(*) as copies from {self.accepted.relation} {unsettled} group by all),
            after as (select {record} as record, count(*) as copies from {self.staged.relation} {unsettled} group by all)
            select coalesce(sum(greatest(0, before.copies - coalesce(after.copies, 0))), 0)
            from before left join after using (record)
        """)

    def moved_rows(self, category: str) -> dict[str, tuple[int, int]]:
        """Each value of `category` -> its accepted rows, and how many of them are now under another of the accepted values.

        What is under a new name was renamed. Years are left out as in `lost_rows`.
        """
        if (unsettled := self._unsettled) is None:
            return {}
        counted = (
            f"select cast({quoted(category)} as varchar) as place, {row_hash(self.watched.records)} as record,"
            " count(*) as copies from"
        )
        rows = self.connection.execute(f"""
            with before as ({counted} {self.accepted.relation} {unsettled} group by all),
            after as ({counted} {self.staged.relation} {unsettled} group by all),
            moves as (
                select place, record, coalesce(after.copies, 0) - coalesce(before.copies, 0) as gained
                from before full join after using (place, record)
                where place in (select place from before)
            ),
            gains as (select record, sum(gained) as gained from moves where gained > 0 group by record),
            losses as (select place, sum(least(-moves.gained, gains.gained)) as moved from moves inner join gains using (record)
                where moves.gained < 0 group by place),
            sizes as (select place, sum(copies) as copies from before group by place)
            select place, copies, moved from losses inner join sizes using (place)
        """).fetchall()
        return {place: (int(copies), int(moved)) for place, copies, moved in rows}

    def garbled_rows(self, relation: str) -> int:
        """Rows with a text that was read in a wrong encoding (`Ã©` for `é`), or that holds codes of HTML (`&amp;`)."""
        texts = [
            quoted(name)
            for name, kind in types_of(self.connection, relation).items()
            if kind == "VARCHAR" and name in self.watched.columns
        ]
        if not texts:
            return 0
        return self._count(
            f"select count(*) from {relation} where regexp_matches(concat_ws(' ', {', '.join(texts)}), {literal(_GARBLED)})"
        )

    def different_values(self, column: str) -> tuple[int, int]:
        """The numbers of different values of `column`, before and after."""
        before, after = (
            self._count(f"select count(distinct {quoted(column)}) from {version.relation}")
            for version in (self.accepted, self.staged)
        )
        return before, after

    @cached_property
    def _unsettled(self) -> str | None:
        """The `where` without the years whose contents are unchanged or were accepted before; None if that is so of all rows."""
        same = [name for name, part in self.before.items() if self._is_same(name, part)]
        if WHOLE in same or WHOLE in self.returned:
            return None
        year = quoted(self.watched.year) if self.watched.year else "null"
        settled = {name for name, part in self.before.items() if part.kind == self.watched.year} & {
            *same,
            *self.returned,
        }
        years = [int(name.rpartition(" ")[2]) for name in settled if name.rpartition(" ")[2].isdigit()]
        return f"where {year} not in ({', '.join(map(str, years))}) or {year} is null" if years else ""

    def years_alike(self, relation: str) -> dict[tuple[str, str], float]:
        """Pairs of fiscal years -> the share of the smaller year's lines that the other year also has."""
        year, line = quoted(self.watched.year or ""), row_hash(self.watched.lines)
        rows = self.connection.execute(f"""
            with lines as (select {year} as year, {line} as line, count(*) as copies from {relation} group by all),
            sizes as (select year, sum(copies) as size from lines group by year)
            select a.year, b.year, sum(least(a.copies, b.copies)) / least(any_value(one.size), any_value(other.size))
            from lines as a inner join lines as b on a.line = b.line and a.year < b.year
            inner join sizes as one on one.year = a.year inner join sizes as other on other.year = b.year
            group by a.year, b.year having least(any_value(one.size), any_value(other.size)) >= 20
            order by a.year, b.year
        """).fetchall()
        return {(str(one), str(other)): float(share) for one, other, share in rows}

    def paying_days(self, relation: str) -> dict[date, int]:
        """First day of each month -> business days with rows."""
        day = quoted(self.watched.dated_by or "")
        return dict(self.connection.execute(
            f"select cast(date_trunc('month', {day}) as date), count(distinct {day}) from {relation}"
            f" where {day} is not null and isodow({day}) < 6 group by 1 order by 1"
        ).fetchall())  # fmt: skip

    def _is_same(self, name: str, part: Slice) -> bool:
        return name in self.after and self.after[name].contents == part.contents

    def _count(self, sql: str) -> int:
        row = self.connection.execute(sql).fetchone()
        return int(row[0]) if row else 0


def _number(part: Slice) -> int:
    text = part.name.rpartition(" ")[2]
    return int(text) if text.lstrip("-").isdigit() else -1
