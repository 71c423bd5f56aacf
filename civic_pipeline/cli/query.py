"""`civic sql` and `civic as-of`: queries and where their answers go."""

import shutil
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO, cast

import click

from civic_pipeline.cli.options import FORMAT, OUTPUT, as_moment
from civic_pipeline.errors import QueryRefused, writing
from civic_pipeline.settings import Settings

if TYPE_CHECKING:
    import duckdb


@click.command()
@click.argument("query")
@FORMAT
@OUTPUT
def sql(query: str, form: str, output: Path | None) -> None:
    """Run QUERY on the released warehouse, read-only."""
    from civic_pipeline.releases import connect

    with connect(Settings.from_environment().warehouse) as connection:
        _answer(connection, query, form, output)


@click.command("as-of")
@click.argument("moment", callback=as_moment)
@click.argument("query")
@FORMAT
@OUTPUT
def query_as_of(moment: datetime, query: str, form: str, output: Path | None) -> None:
    """Run QUERY on tables rebuilt from the captures accepted by MOMENT, such as 2025-06-01 (its end, UTC)."""
    from civic_pipeline.catalog import load_datasets
    from civic_pipeline.warehouse import as_of, load_models

    settings = Settings.from_environment()
    datasets = load_datasets(settings.root)
    with as_of(settings, datasets, load_models(settings.root, datasets), moment, query) as connection:
        _answer(connection, query, form, output)


def _answer(connection: "duckdb.DuckDBPyConnection", query: str, form: str, output: Path | None) -> None:
    """Show or write what `query` gives. Raises QueryRefused."""
    import duckdb

    from civic_pipeline.publish.extracts import write_answer

    try:
        answer = cast("duckdb.DuckDBPyRelation | None", connection.sql(query))
        if answer is None:  # a statement without rows, such as SET
            return
        if form == "table" and output is None:
            answer.show(max_width=shutil.get_terminal_size((120, 24)).columns, max_rows=100)
            return
        with _destination(form, output) as stream:
            write_answer(answer, form, stream)
    except duckdb.Error as error:
        raise QueryRefused(str(error)) from error


@contextmanager
def _destination(form: str, output: Path | None) -> Iterator[BinaryIO]:
    """The file to write, or standard output unless that is a terminal and the format is binary."""
    if output is not None:
        with writing(output), output.open("wb") as file:
            yield file
        return
    if form == "parquet" and sys.stdout.isatty():
        raise click.UsageError("Parquet is binary: redirect it, or give --output FILE.")
    yield sys.stdout.buffer
    sys.stdout.flush()
