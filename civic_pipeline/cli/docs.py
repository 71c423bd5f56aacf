"""`civic docs`."""

import click

from civic_pipeline.errors import FileInvalid
from civic_pipeline.settings import Settings


@click.command()
@click.option("--check", is_flag=True, help="Only compare; fail if a page is not up to date.")
@click.option("--answers", is_flag=True, help="Also docs/analysts: run its questions on the released sample.")
def docs(check: bool, answers: bool) -> None:
    """Write docs/dictionary/ and docs/sources.md from the catalog, the contracts and the SQL."""
    from civic_pipeline.publish.dictionary import write_dictionary
    from civic_pipeline.publish.sources import write_sources

    settings = Settings.from_environment()
    dictionary = settings.root / "docs" / "dictionary"
    stale = {
        dictionary: write_dictionary(settings.root, dictionary, check=check),
        settings.root / "docs" / "sources.md": write_sources(settings.root, check=check),
    }
    if answers:
        from civic_pipeline.publish.answers import write_answers

        analysts = settings.root / "docs" / "analysts"
        stale[analysts] = write_answers(analysts, settings.warehouse, check=check)
    for folder, names in stale.items():
        if check and names:
            command = "civic docs --answers" if folder.name == "analysts" else "civic docs"
            raise FileInvalid(folder, [(1, f"{name} is out of date: run `{command}`") for name in names])
        click.echo(f"{folder}: {'up to date' if not names else f'{len(names)} files written'}")
