"""`civic check`."""

import os
import sys

import click

from civic_pipeline.settings import Settings


@click.command()
def check() -> None:
    """Find wrong columns and SQL that a second engine would not take, without a run: one `file:line: message` per mistake."""
    from civic_pipeline.lint import check as mistakes_in

    found = mistakes_in(Settings.from_environment().root)
    for mistake in found:
        click.echo(f"{os.path.relpath(mistake.path)}:{mistake.line}: {mistake.message}")
    if found:
        click.secho(f"{len(found)} mistake{'s' if len(found) > 1 else ''}", fg="red", err=True)
        sys.exit(2)
    click.echo("Columns and SQL are as declared.")
