"""`civic docs`."""

import click

from civic_pipeline.errors import FileInvalid
from civic_pipeline.settings import Settings


@click.command()
@click.option("--check", is_flag=True, help="Only compare; fail if docs/dictionary is not up to date.")
def docs(check: bool) -> None:
    """Write the data dictionary under docs/dictionary/ from the catalog, the contracts and the SQL."""
    from civic_pipeline.publish.dictionary import write_dictionary

    settings = Settings.from_environment()
    folder = settings.root / "docs" / "dictionary"
    stale = write_dictionary(settings.root, folder, check=check)
    if check and stale:
        raise FileInvalid(folder, [(1, f"{name} is out of date: run `civic docs`") for name in stale])
    click.echo(f"{folder}: {'up to date' if not stale else f'{len(stale)} files written'}")
