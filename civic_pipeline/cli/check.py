"""`civic check`."""

import os
import sys

import click

from civic_pipeline.settings import Settings


@click.command()
def check() -> None:
    """Find wrong columns and SQL that another engine would reject, without a run: one `file:line: message` per mistake."""
    from civic_pipeline.lint import check as find_mistakes

    mistakes = find_mistakes(Settings.from_environment().root)
    for mistake in mistakes:
        click.echo(f"{os.path.relpath(mistake.path)}:{mistake.line}: {mistake.message}")
    if mistakes:
        click.secho(f"{len(mistakes)} mistake{'s' if len(mistakes) > 1 else ''}", fg="red", err=True)
        sys.exit(2)
    click.echo("Columns and SQL are as declared.")
