"""Writes one source to one verified Parquet file: a full read, or the edits applied to the previous capture.

Both give the same file as a full read, or no file.
"""

import os
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Literal

import duckdb
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from civic_pipeline.errors import (
    CaptureNotVerified,
    NumberTooLong,
    PagingBroken,
    PortalRefused,
    SourceChangedDuringRead,
    ValueUnreadable,
)
from civic_pipeline.lake.captures import sha256_of
from civic_pipeline.lake.manifest import LandedColumn, Part
from civic_pipeline.portals import Description, PortalColumn, PortalSource
from civic_pipeline.sql_text import literal, quoted

# Large enough for good compression, small enough for memory.
_ROW_GROUP_ROWS = 20_000
# Edits are read from one day before the newest known edit: their time is set when an edit begins, not when it is visible.
_OVERLAP = timedelta(days=1)


@dataclass(frozen=True)
class Landing:
    """Where to write one source: `edition` of dataset `name`, into `folder`. `progress` is called with the rows of each page."""

    name: str
    edition: str | None
    folder: Path
    progress: Callable[[int], None]

    @property
    def label(self) -> str:
        return label_of(self.name, self.edition)

    @property
    def path(self) -> Path:
        return self.folder / f"{self.edition or 'part'}.parquet"


def label_of(name: str, edition: str | None) -> str:
    """The name of an edition of dataset `name` in messages."""
    return f"{name} {edition}" if edition else name


def _accept(_: Description, __: int) -> None:
    """For a file on this machine: nobody else changes it."""


def land(
    landing: Landing,
    source: PortalSource,
    description: Description,
    counted: int,
    judge: Callable[[Description, int], None] = _accept,
) -> Part:
    """Read and verify all of `source`. `counted`: the portal's row count before the read.

    A read that cannot be verified is repeated once with the sequential method. A column with a number that has too many
    digits is stored as text. `judge` raises for a description and a count, when they are asked for again, that cannot be
    accepted. Raises CaptureNotVerified, SourceChangedDuringRead and the errors of reading.
    """
    started, sequential = datetime.now(UTC), False
    while True:
        landed = 0
        try:
            with TemporaryDirectory(dir=landing.folder, prefix=".pages-") as spool:
                for rows in _write(
                    landing.path, description, source.read(description, counted, Path(spool), sequential)
                ):
                    landed += rows
                    landing.progress(rows)
            return _verify(landing, source, description, counted, landed, sequential, started)
        except NumberTooLong as error:
            description = description.as_text(error.column)
        except (CaptureNotVerified, SourceChangedDuringRead, PagingBroken):
            if sequential:
                raise
            sequential, description, counted = True, source.describe(), source.count()
            judge(description, counted)
        landing.progress(-landed)


def land_edits(
    landing: Landing, source: PortalSource, description: Description, counted: int, previous: Part, file: Path
) -> Part | None:
    """Apply the edits since `previous` to its rows in `file`. None if a full read is needed.

    Deleted rows are not marked, so the result is verified by its row count: if rows were deleted, it is larger than the
    portal's count. Edits that the portal did not mark are seen at the next full read.
    """
    if description.edited is None or not pq.read_schema(file).equals(description.schema):
        return None
    row_id, edited = (quoted(c.name) for c in (description.row_id, description.edited) if c is not None)
    with TemporaryDirectory(dir=landing.folder, prefix=".edits-") as spool, _duckdb(spool) as connection:
        [(newest,)] = connection.execute(
            f"select max({edited})::timestamp from read_parquet(?)", [str(file)]
        ).fetchall()
        edits = Path(spool) / "edits.parquet"
        try:
            if newest is None:
                return None
            for _ in _write(edits, description, source.read_edited(description, newest - _OVERLAP, Path(spool))):
                pass
        except (PagingBroken, PortalRefused, ValueUnreadable):
            return None
        rows = connection.execute(
            f"with edits as (select distinct on ({row_id}) * from read_parquet($edits) order by {row_id}, {edited} desc)"
            f" select * from read_parquet($file) where {row_id} not in (select {row_id} from edits)"
            f" union all by name select * from edits order by {row_id}",
            {"edits": str(edits), "file": str(file)},
        ).to_arrow_reader(_ROW_GROUP_ROWS)
        landed = sum(_write(landing.path, description, (pa.table(batch).cast(description.schema) for batch in rows)))
    try:
        part = _verify(
            landing, source, description, counted, landed, False, datetime.fromisoformat(previous.full_read_at)
        )
    except (CaptureNotVerified, SourceChangedDuringRead):
        return None
    landing.progress(landed)
    return part


def count_distinct(path: Path, column: str) -> int:
    """The number of distinct values of `column` without nulls, counted by hashes of 8 bytes.

    A hash collision makes the count too low: this can fail a correct capture, but never pass a wrong one.
    """
    # A query parameter, or the usual conversion to NumPy, would import pandas: twice the time and 40 MB more.
    name = quoted(column)
    with _duckdb(path.parent) as connection:
        query = f"select hash({name}) as hashes from read_parquet({literal(str(path))}) where {name} is not null"
        column_of_hashes = connection.execute(query).to_arrow_table()["hashes"].combine_chunks()
    hashes = np.sort(np.frombuffer(column_of_hashes.buffers()[1], dtype=np.uint64, count=len(column_of_hashes)))
    return int(np.count_nonzero(hashes[1:] != hashes[:-1])) + bool(len(hashes))


def _write(path: Path, description: Description, pages: Iterable[pa.Table]) -> Iterable[int]:
    """Write pages to a Parquet file in their order. Yields the number of rows of each page."""
    waiting: list[pa.Table] = []
    path.touch(mode=0o600)  # what a portal publishes of persons stays with whoever runs the pipeline
    with pq.ParquetWriter(path, description.schema, compression="zstd") as writer:
        for page in pages:
            waiting.append(page)
            yield page.num_rows
            if sum(table.num_rows for table in waiting) >= _ROW_GROUP_ROWS:
                writer.write_table(pa.concat_tables(waiting))
                waiting = []
        if waiting:
            writer.write_table(pa.concat_tables(waiting))


def _verify(
    landing: Landing, source: PortalSource, description: Description, counted: int, landed: int, sequential: bool, full_read_at: datetime
) -> Part:  # fmt: skip
    """Verify the written file and describe it. Raises CaptureNotVerified or SourceChangedDuringRead."""
    path, fresh = landing.path, description.freshness
    row_id = description.row_id.name if description.row_id else None
    with ThreadPoolExecutor(2) as portal:
        count, describe = portal.submit(source.count), portal.submit(source.describe)
        distinct = count_distinct(path, row_id) if row_id else None
        sha256 = sha256_of(path)
    counted_after, fresh_after = count.result(), describe.result().freshness
    missing = 0 if distinct is None else landed - distinct
    reused = source.reused_ids() if sequential and missing else 0
    if not counted == landed == counted_after or missing != reused:
        raise CaptureNotVerified(landing.label, counted, landed, distinct, counted_after)
    if fresh != fresh_after:
        raise SourceChangedDuringRead(landing.label, str(fresh.token), str(fresh_after.token))
    with path.open("rb") as file:
        os.fsync(file.fileno())
    traffic = source.traffic
    return Part(
        edition=landing.edition, file=path.name, url=description.url, title=description.about.title,
        columns=tuple(map(_landed, description.columns)),
        row_id=row_id, counted=counted, landed=landed, distinct=distinct, reused_ids=reused, counted_after=counted_after,
        full_read_at=full_read_at.isoformat(), requests=traffic.requests, retries=traffic.retries,
        pages_halved=traffic.pages_halved, received_bytes=traffic.bytes, bytes=path.stat().st_size, sha256=sha256,
        freshness_token=fresh.token, freshness_link=fresh.link,
        answered_from=description.answered_from,
        reference_system="EPSG:4326" if any(c.is_derived and c.portal_type == "WKB" for c in description.columns) else None,
    )  # fmt: skip


def _landed(column: PortalColumn) -> LandedColumn:
    zone: Literal["UTC"] | None = "UTC" if column.is_instant and not column.is_text else None
    return LandedColumn(name=column.name, portal_type=column.portal_type, is_text=column.is_text, time_zone=zone)


def _duckdb(spool: Path | str) -> duckdb.DuckDBPyConnection:
    return duckdb.connect(config={"threads": 1, "memory_limit": "512MB", "temp_directory": str(spool)})
