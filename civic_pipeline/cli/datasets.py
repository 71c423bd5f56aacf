"""`civic doctor`, `civic capture`, `civic add` and `civic backfill`."""

import logging
import sys
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, get_args

import click

from civic_pipeline.catalog import Subject
from civic_pipeline.cli.options import as_moment, as_name, progress_line
from civic_pipeline.errors import UnknownName
from civic_pipeline.foreign_text import in_one_line
from civic_pipeline.settings import Settings

if TYPE_CHECKING:
    from civic_pipeline.scaffold import ResolvedSource

_PRIVATE_HOSTS = "Allow hosts on this machine and in private networks, with http:// if the address says so."


@click.command()
@click.argument("datasets", nargs=-1)
def doctor(datasets: tuple[str, ...]) -> None:
    """Check every source that is not retired (or DATASETS, such as baltimore/spending): is it reachable and shaped as declared?"""
    from civic_pipeline.access import open_portals
    from civic_pipeline.catalog import load_datasets
    from civic_pipeline.lake import diagnose

    settings = Settings.from_environment()
    known = load_datasets(settings.root)
    for name in datasets:
        if name not in known:
            raise UnknownName("dataset", name, known)
    failed, asked = 0, datasets or [name for name, dataset in known.items() if not dataset.retired]
    with open_portals(settings) as access:
        for name in asked:
            diagnosis = diagnose(known[name], access)
            failed += not diagnosis.healthy
            mark = click.style("ok     ", fg="green") if diagnosis.healthy else click.style("failed ", fg="red")
            click.echo(f"{mark}{name}: {in_one_line(diagnosis.summary)}")
    click.echo(f"\n{len(asked) - failed} of {len(asked)} sources respond as declared ({settings.profile} portals).")
    sys.exit(1 if failed else 0)


@click.command()
@click.argument("url")
@click.option(
    "--out",
    "folder",
    required=True,
    type=click.Path(path_type=Path),
    help="New folder for the Parquet file and manifest.json.",
)
@click.option("--allow-private-hosts", is_flag=True, help=_PRIVATE_HOSTS)
def capture(url: str, folder: Path, allow_private_hosts: bool) -> None:
    """Capture and verify the dataset at URL: the address of a portal page or API, an ArcGIS item, or a file."""
    from civic_pipeline.cli.scaffold_text import describe_capture
    from civic_pipeline.scaffold import capture_into, describe, refuse_full

    refuse_full(folder)
    resolved = _resolve(url, allow_private_hosts)
    description = describe(resolved)
    click.echo(in_one_line(f"{description.about.title}  ({resolved.source.portal})"), err=True)
    with progress_line() as progress:
        trial = capture_into(folder, resolved, description, progress)
    click.echo("\n".join(map(in_one_line, describe_capture(trial))))


@click.command()
@click.argument("url")
@click.option("--city", required=True, callback=as_name, help="City the dataset belongs to, such as baltimore.")
@click.option("--name", required=True, callback=as_name, help="Name of the dataset, such as vacants.")
@click.option("--subject", required=True, type=click.Choice(get_args(Subject)), help="Subject of the dataset.")
@click.option("--allow-private-hosts", is_flag=True, help=_PRIVATE_HOSTS)
def add(url: str, city: str, name: str, subject: Subject, allow_private_hosts: bool) -> None:
    """Write the three files of a new dataset from one capture of URL. Review them afterwards."""
    from civic_pipeline import scaffold
    from civic_pipeline.cli.scaffold_text import describe_added

    settings = Settings.from_environment()
    scaffold.refuse_existing(settings.root, f"{city}/{name}")
    resolved = _resolve(url, allow_private_hosts)
    with progress_line() as progress:
        added = scaffold.add(settings, resolved, f"{city}/{name}", subject, progress)
    click.echo("\n".join(map(in_one_line, describe_added(added, settings.root))))


@click.command()
@click.argument("dataset")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option(
    "--captured-at",
    required=True,
    callback=as_moment,
    metavar="MOMENT",
    help="Day or moment (UTC) the file was published, such as 2015-04-14 or 2015-04-14T12:00Z.",
)
@click.option("--edition", metavar="LABEL", help="Edition that FILE is, such as 2025, if DATASET has editions.")
def backfill(dataset: str, file: Path, captured_at: datetime, edition: str | None) -> None:
    """Load FILE, an older copy of DATASET, into the lake as the capture of its day."""
    from civic_pipeline import lake
    from civic_pipeline.catalog import load_datasets

    settings = Settings.from_environment()
    known = load_datasets(settings.root)
    if dataset not in known:
        raise UnknownName("dataset", dataset, known)
    with progress_line() as progress:
        manifest = lake.backfill(
            dataset,
            known[dataset],
            lake.Lake(settings.lake, known),
            file,
            captured_at,
            settings.profile,
            progress,
            edition,
        )
    part = next(part for part in manifest.parts if part.edition == edition)
    click.echo(f"{manifest.capture_id}: {part.landed:,} rows of {part.url} (sha256 {part.freshness_token}), verified.")


def _resolve(url: str, allow_private_hosts: bool) -> "ResolvedSource":
    from civic_pipeline.catalog import SocrataSource, load_datasets
    from civic_pipeline.scaffold import resolve

    settings, tokens = Settings.from_environment(), dict[str, str]()
    if settings.socrata_token:
        sources = [
            edition.source for dataset in load_datasets(settings.root).values() for edition in dataset.editions.values()
        ]
        tokens = {s.domain: settings.socrata_token for s in sources if isinstance(s, SocrataSource)}
    # Silences log lines of sodapy (throttling without a token) and of Great Expectations (temporary folders).
    logging.getLogger().addHandler(logging.NullHandler())
    return resolve(url, allow_private_hosts, tokens)
