"""`civic accept`."""

import click

from civic_pipeline.errors import UnknownName
from civic_pipeline.settings import Settings


def _not_blank(_: click.Context, __: click.Parameter, text: str) -> str:
    if not text.strip():
        raise click.BadParameter("say who confirmed it or where it is announced.")
    return text


@click.command()
@click.argument("dataset")
@click.option(
    "--capture",
    "capture_id",
    required=True,
    metavar="ID",
    help="Id of the capture, as the message of the run names it.",
)
@click.option("--because", required=True, callback=_not_blank, help="Why it is right; kept in meta.captures.")
def accept(dataset: str, capture_id: str, because: str) -> None:
    """Accept one capture of DATASET although it differs too much from the version before."""
    from civic_pipeline import lake
    from civic_pipeline.catalog import load_datasets

    settings = Settings.from_environment()
    known = load_datasets(settings.root)
    if dataset not in known:
        raise UnknownName("dataset", dataset, known)
    accepted = lake.accept(lake.Lake(settings.lake, known), dataset, capture_id, because)
    click.echo(
        f"{accepted.capture_id} is accepted ({accepted.rows:,} rows). The next run uses it if its other checks pass:"
        " civic run"
    )
