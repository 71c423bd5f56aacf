"""`civic sql` and `civic as-of`: run a query and show or write its result."""

import shutil
import sys
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO, cast

import click

from civic_pipeline.cli.options import FORMAT, OUTPUT, as_moment
from civic_pipeline.errors import QueryRefused, writing
from civic_pipeline.replacing import replacing
from civic_pipeline.settings import Settings

if TYPE_CHECKING:
    import duckdb


@click.command()
@click.argument("query")
@FORMAT
@OUTPUT
def sql(query: str, form: str, output: Path | None) -> None:
    """Run QUERY on the released warehouse, read-only."""
    from civic_pipeline.deadline import time_limit
    from civic_pipeline.releases import connect

    with connect(Settings.from_environment().warehouse) as connection, time_limit("The query", connection):
        _run_query(connection, query, form, output)


@click.command("as-of")
@click.argument("moment", callback=as_moment)
@click.argument("query")
@FORMAT
@OUTPUT
def query_as_of(moment: datetime, query: str, form: str, output: Path | None) -> None:
    """Run QUERY on tables rebuilt from the captures accepted by MOMENT, such as 2025-06-01 (its end, UTC)."""
    from civic_pipeline.catalog import load_datasets
    from civic_pipeline.deadline import time_limit
    from civic_pipeline.warehouse import as_of, load_models

    settings = Settings.from_environment()
    datasets = load_datasets(settings.root)
    models = load_models(settings.root, datasets)
    with as_of(settings, datasets, models, moment, query) as connection, time_limit("The query", connection):
        _run_query(connection, query, form, output)


def _run_query(connection: "duckdb.DuckDBPyConnection", query: str, form: str, output: Path | None) -> None:
    """Show or write the result of `query`. Raises QueryRefused."""
    import duckdb

    from civic_pipeline.publish.extracts import write_result
    from civic_pipeline.releases import refuse_writing

    try:
        refuse_writing(connection, query)
        result = cast("duckdb.DuckDBPyRelation | None", connection.sql(query))
        if result is None:  # a statement without a result, such as SET
            return
        if form == "table" and output is None:
            result.show(max_width=shutil.get_terminal_size((120, 24)).columns, max_rows=100)
            return
        with _open_output(form, output) as stream:
            write_result(result, "csv" if form == "table" else form, stream)
    except duckdb.Error as error:
        raise QueryRefused(str(error)) from error
    except OSError as error:
        if error.errno is not None:  # of the disk
            raise
        # Arrow reports DuckDB's error in a later batch as an error of reading.
        raise QueryRefused(str(error)) from error


@contextmanager
def _open_output(form: str, output: Path | None) -> Iterator[BinaryIO]:
    """The output file or standard output. Raises UsageError for a folder that does not exist, and if
    a binary format would go to a terminal.

    A file gets its name when it is complete: after a failure the earlier one is still there.
    """
    if output is not None:
        if not output.parent.is_dir():
            raise click.UsageError(f"{output.parent} is not a folder. Make it, or give --output another one.")
        is_replaced = output.is_file() or not output.exists()  # else it is a pipe or a terminal
        with (replacing if is_replaced else nullcontext)(output) as draft, writing(output), draft.open("wb") as file:
            yield file
        return
    if form == "parquet" and sys.stdout.isatty():
        raise click.UsageError("Parquet is binary: redirect the output or use --output FILE.")
    yield sys.stdout.buffer
    sys.stdout.flush()
