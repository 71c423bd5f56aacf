"""Options and parsers of values that several commands use, and the progress line."""

import re
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, time
from pathlib import Path
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from civic_pipeline.lake import Progress

FORMAT = click.option(
    "--format", "form", type=click.Choice(["table", "csv", "json", "parquet"]), default="table", show_default=True
)
OUTPUT = click.option(
    "--output", type=click.Path(dir_okay=False, path_type=Path), help="Write to this file instead of the terminal."
)


def as_name(_: click.Context, parameter: click.Parameter, name: str) -> str:
    """Check a name: it must be valid as a folder, a table and an asset key."""
    if not re.fullmatch(r"[a-z][a-z0-9_]*" if parameter.name == "city" else r"[a-z0-9_]+", name):
        raise click.BadParameter(f"{name!r}: use only lower-case letters, digits and _, such as vacant_buildings.")
    return name


def as_moment(_: click.Context, parameter: click.Parameter, text: str) -> datetime:
    """Parse a time in UTC. A day without a time is its beginning, or its end for `civic as-of`."""
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise click.BadParameter(f"{text!r}: use a day or a time, such as 2015-04-14 or 2015-04-14T12:00Z.") from None
    if len(text) <= len("2015-04-14") and parameter.name == "moment":
        moment = datetime.combine(moment, time.max)
    return moment.astimezone(UTC) if moment.tzinfo else moment.replace(tzinfo=UTC)


@contextmanager
def progress_line() -> Iterator["Progress"]:
    """Show rows, rate and time left on standard error: one updated line in a terminal, else a line every few seconds."""
    from civic_pipeline.lake import report_progress

    rewrites, shown = sys.stderr.isatty(), False

    def show(text: str) -> None:
        nonlocal shown
        shown = True
        click.echo(f"\r{text:<79}" if rewrites else text, nl=not rewrites, err=True)

    try:
        yield report_progress(show, every_seconds=0.2 if rewrites else 5)
    finally:
        if shown and rewrites:
            click.echo(err=True)
