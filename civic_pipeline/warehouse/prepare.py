"""Opens the build file and makes it ready for models: macros, seeds, and captures as views in `raw`."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime

import duckdb

from civic_pipeline.catalog import Dataset, table_name
from civic_pipeline.errors import CaptureDamaged, ModelFailed, ShapeUnknown, writing
from civic_pipeline.lake import Lake, Manifest
from civic_pipeline.lock import only_writer
from civic_pipeline.settings import Settings
from civic_pipeline.warehouse import meta
from civic_pipeline.warehouse.build import Build
from civic_pipeline.warehouse.capture_rows import record_capture
from civic_pipeline.warehouse.captured import capture_sql, declared_sql, refuse_unknown_shape
from civic_pipeline.warehouse.dataset_rows import record_datasets
from civic_pipeline.warehouse.ledger import transaction
from civic_pipeline.warehouse.macros import macro_files, read_macros
from civic_pipeline.warehouse.seeds import create_seeds


@contextmanager
def open_build(
    settings: Settings, datasets: Mapping[str, Dataset], run_id: str, say: Callable[[str], None] | None = None
) -> Iterator[Build]:
    """The build file, ready for models: macros, seeds, and a view in `raw` for every accepted capture.

    Raises LockHeld while another process writes, FileInvalid or ModelFailed (sql/functions), DiskFull, NotWritable.
    """
    with only_writer(settings.build, say):
        with writing(settings.build.parent):
            connection = duckdb.connect(str(settings.build))
            settings.build.parent.chmod(0o700)  # it holds columns about persons; releases do not
        try:
            build = Build(connection, settings, datasets, run_id, datetime.now(UTC))
            prepare(build)
            yield build
        finally:
            connection.close()


def prepare(build: Build) -> None:
    """Macros, seeds, and a view in `raw` for every capture that is accepted by `build.as_of`.

    Raises FileInvalid, ModelFailed (sql/functions), DiskFull, NotWritable.
    """
    connection, root = build.connection, build.settings.root
    with writing(build.folder):
        connection.execute("set enable_progress_bar = false")
        for schema in ("raw", "history", "seeds", "clean", "marts", "quarantine"):
            connection.execute(f"create schema if not exists {schema}")
        build.drop_staging()  # left by a killed run
        with transaction(connection):  # one commit instead of hundreds
            meta.create(connection)
        files = macro_files(root)
        read_macros(files)  # refuses what would do more than define a macro
        for macros in files:
            try:
                connection.execute(macros.read_text(encoding="utf-8"))
            except duckdb.Error as error:
                raise ModelFailed(macros, str(error)) from error
        create_seeds(connection, root)
        meta.put_places(connection)
        record_datasets(connection, build.datasets)
        _view_captures(build)


def _view_captures(build: Build) -> None:
    """A view in `raw` for every source: its accepted capture, or no rows if it has none.

    If no source has a capture, there are no empty views either: then something is wrong with this machine or its network, and
    not with all sources. What depends on a capture that cannot be read is held back; the others are still built.
    """
    lake = Lake(build.settings.lake, build.datasets)
    captures: dict[str, Manifest | None] = {}
    for name, dataset in build.datasets.items():
        try:
            captures[name] = accepted = lake.accepted(name, build.as_of)
            if accepted:
                lake.verify(accepted)
                refuse_unknown_shape(dataset, accepted)
        except (CaptureDamaged, ShapeUnknown) as error:
            captures[name], build.damaged[name] = None, str(error)
    is_any_captured = bool(build.damaged) or any(captures.values())
    for name, dataset in build.datasets.items():
        accepted, view = captures[name], f"raw.{table_name(name)}"
        if accepted:
            build.connection.execute(f"create or replace view {view} as {capture_sql(lake, dataset, accepted)}")
        elif name in build.damaged:
            build.connection.execute(f"drop view if exists {view}")
        elif dataset.retired or is_any_captured:
            build.never_captured.add(name)
            build.connection.execute(f"create or replace view {view} as {declared_sql(build.connection, dataset)}")
        record_capture(build.connection, lake, name, dataset, accepted)
