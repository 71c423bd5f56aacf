"""The kept releases: files `data/releases/<id>.duckdb`. `data/warehouse.duckdb` is a hard link to the live release."""

import os
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import duckdb

from civic_pipeline.deadline import time_limit
from civic_pipeline.errors import (
    NotReadable,
    ReleaseDamaged,
    UnknownName,
    WarehouseOpened,
    WarehouseUnreadable,
    writing,
)
from civic_pipeline.lock import only_writer
from civic_pipeline.releases.contents import content_hash
from civic_pipeline.releases.reader import attach, is_locked
from civic_pipeline.settings import Settings

ID_FORMAT = "%Y-%m-%dT%H%M%S.%fZ"  # when the release was made, UTC
RELEASE_ID = re.compile(r"\d{4}-\d\d-\d\dT\d{6}\.\d{6}Z")


@dataclass(frozen=True)
class Release:
    """One release. `contents`: table -> content hash. `digest`: a hash of all contents, independent of the time."""

    id: str
    file: Path
    released_at: datetime
    pipeline_version: str
    git_commit: str | None
    capture_ids: tuple[str, ...]
    held_back: tuple[str, ...]
    contents: dict[str, str]
    digest: str


def release_files(settings: Settings) -> list[Path]:
    """The files of the kept releases, oldest first. Files not named like a release id are ignored. Raises NotReadable."""
    if settings.releases.exists() and not os.access(settings.releases, os.R_OK | os.X_OK):
        raise NotReadable(settings.releases)
    return [file for file in sorted(settings.releases.glob("*.duckdb")) if RELEASE_ID.fullmatch(file.stem)]


def made_at(file: Path) -> datetime:
    """When the release in `file` was made, as its name says."""
    return datetime.strptime(file.stem, ID_FORMAT).replace(tzinfo=UTC)


def kept_releases(settings: Settings) -> list[Release]:
    """All kept releases, oldest first. Raises ReleaseDamaged, WarehouseOpened."""
    return [read_release(file) for file in release_files(settings)]


def find_release(settings: Settings, name: str) -> Release:
    """The release with the id `name`, or the only one whose id begins with `name`. Raises UnknownName."""
    files = {file.stem: file for file in release_files(settings)}
    matches = [name] if name in files else [known for known in files if known.startswith(name)]
    if len(matches) != 1:
        raise UnknownName("release", name, files)
    return read_release(files[matches[0]])


def read_release(file: Path) -> Release:
    """The release in `file`, from its table `meta.releases`. Raises ReleaseDamaged, WarehouseOpened."""
    try:
        with attached(file) as connection:
            row = connection.execute(
                "select release_id, released_at, pipeline_version, git_commit, capture_ids, held_back, content_hashes, digest"
                " from release.meta.releases order by release_id desc limit 1"
            ).fetchone()
    except WarehouseUnreadable as error:
        raise ReleaseDamaged(file, error.problem) from error
    except duckdb.Error as error:
        raise ReleaseDamaged(file, str(error).split("\n", 1)[0]) from error
    if row is None:
        raise ReleaseDamaged(file, "its table meta.releases is empty")
    name, released_at, pipeline_version, git_commit, captures, held_back, contents, digest = row
    return Release(
        name, file, released_at, pipeline_version, git_commit, tuple(captures), tuple(held_back), dict(contents), digest
    )


def live_release(settings: Settings) -> Release | None:
    """The release that `data/warehouse.duckdb` is, or None if there is none yet. Raises ReleaseDamaged."""
    return read_release(settings.warehouse) if settings.warehouse.exists() else None


def roll_back(settings: Settings, name: str) -> Release:
    """Verify a kept release and make it live. It stays live until a run has new contents to release.

    Raises UnknownName, ReleaseDamaged, WarehouseOpened, LockHeld.
    """
    with only_writer(settings.build):
        release = find_release(settings, name)
        _verify(release)
        make_live(release.file, settings.warehouse)
    return release


def restore_live(settings: Settings, say: Callable[[str], None] | None = None) -> str | None:
    """Replace a missing or damaged live file by the newest kept release that is whole; return what was done, if anything.

    The live file is a hard link, so its damage is that of a kept release: damaged files are kept as `<name>.damaged`. If no
    release is whole, there is none until one is made. Raises WarehouseOpened, NotWritable, LockHeld.
    """
    with only_writer(settings.build, say):
        return _restore_live(settings)


def _restore_live(settings: Settings) -> str | None:
    live, files = settings.warehouse, release_files(settings)
    damage = "is missing"
    if live.exists():
        refuse_if_opened(live)
        try:
            _refuse_if_cut(live)
        except ReleaseDamaged as error:
            damage = f"is damaged ({error.problem})"
        else:
            return None
    elif not files:
        return None
    with writing(live.parent):
        for file in reversed(files):
            try:
                _refuse_if_cut(file)
                _verify(read_release(file))
            except ReleaseDamaged:
                file.rename(f"{file}.damaged")
            else:
                make_live(file, live)
                return f"{live} {damage}; it is release {file.stem} again, the newest that is whole"
        live.unlink(missing_ok=True)
    return f"{live} {damage}, and no kept release is whole; this run makes a new one"


def refuse_damaged(settings: Settings, newest: Release) -> None:
    """Verify the newest kept release. Raises ReleaseDamaged; then its file is kept as `<name>.damaged`, and it is live no more."""
    try:
        _verify(newest)
    except ReleaseDamaged:
        is_live = settings.warehouse.samefile(newest.file)
        newest.file.rename(f"{newest.file}.damaged")
        if is_live:
            settings.warehouse.unlink()
            _restore_live(settings)
        raise


def _refuse_if_cut(file: Path) -> None:
    """Raise ReleaseDamaged if DuckDB cannot open the file, or it is shorter than its header says, which DuckDB accepts."""
    try:
        with attached(file) as connection:
            (used,) = connection.execute(
                "select total_blocks * block_size from pragma_database_size() where database_name = 'release'"
            ).fetchall()[0]
    except WarehouseUnreadable as error:
        raise ReleaseDamaged(file, error.problem) from error
    if (size := file.stat().st_size) < used:
        raise ReleaseDamaged(file, f"it has {size:,} bytes of at least {used:,}")


def make_live(file: Path, target: Path) -> None:
    """Replace `target` by a hard link to `file`, atomically: readers open either the old or the new release.

    Raises WarehouseOpened if another program has `target` open for writing: its write-ahead log would remain beside the new
    file, and DuckDB 1.5 would apply it to the wrong data. Also raises DiskFull, NotWritable.
    """
    refuse_if_opened(target)
    draft = target.with_name(f"{target.name}.new")
    with writing(target.parent):
        draft.unlink(missing_ok=True)
        os.link(file, draft)
        draft.replace(target)
        sync(target.parent)


def refuse_if_opened(target: Path) -> None:
    """Raise WarehouseOpened if a program has `target` open for writing, or was killed while it had."""
    if not target.is_file():
        return
    log = Path(f"{target}.wal")
    if log.exists():
        raise WarehouseOpened(target, f"its write-ahead log {log.name} exists")
    try:
        duckdb.connect(str(target), read_only=True).close()
    except duckdb.IOException as error:
        # Any other error is damage: nobody can read the file, and it may be replaced.
        if is_locked(error):
            raise WarehouseOpened(target, str(error).split("\n", 1)[0]) from error


def remove_old(settings: Settings, now: datetime) -> None:
    """Remove releases beyond `keep_releases` and older than `keep_releases_days`, but not the newest and the live one."""
    oldest = now - timedelta(days=settings.keep_releases_days)
    files, live = release_files(settings), live_release(settings)
    for position, file in enumerate(files[:-1]):
        is_surplus = position < len(files) - settings.keep_releases
        is_old = made_at(file) < oldest
        if (is_surplus or is_old) and (live is None or file.stem != live.id):
            file.unlink()


@contextmanager
def attached(*files: Path) -> Iterator[duckdb.DuckDBPyConnection]:
    """A new connection with releases attached read-only: one as `release`, several as `release_1`, `release_2`, ...

    Raises WarehouseOpened, WarehouseUnreadable.
    """
    with duckdb.connect() as connection, time_limit(f"Reading {', '.join(map(str, files))}", connection):
        for number, file in enumerate(files, 1):
            attach(connection, file, "release" if len(files) == 1 else f"release_{number}")
        yield connection


def sync(path: Path) -> None:
    """Flush a file or folder to disk (fsync)."""
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _verify(release: Release) -> None:
    """Raise ReleaseDamaged if a table cannot be read or does not have the content hash that was recorded for it."""
    with attached(release.file) as connection:
        for table, recorded in release.contents.items():
            try:
                is_whole = content_hash(connection, f"release.{table}") == recorded
            except duckdb.Error as error:
                raise ReleaseDamaged(release.file, f"{table} cannot be read: {error}".split("\n", 1)[0]) from error
            if not is_whole:
                raise ReleaseDamaged(release.file, f"{table} differs from the content hash it was released with")
