"""`civic`: the same verbs as the Dagster UI, for a terminal.

Exit codes: 0 done · 1 failed · 2 wrong input · 3 released, but something is held back · 4 another run is writing.
"""

import logging
import re
import shutil
import sys
import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, time
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, BinaryIO, cast

import click

from civic_pipeline.errors import CivicError, FileInvalid, QueryRefused, UnknownName, writing
from civic_pipeline.redaction import redacted
from civic_pipeline.settings import Settings

if TYPE_CHECKING:
    import duckdb

    from civic_pipeline.lake import Progress
    from civic_pipeline.portals.address import Found

_PRIVATE_HOSTS = "Also read from this machine and from private networks, by plain http where the address says so."


def _as_name(_: click.Context, parameter: click.Parameter, name: str) -> str:
    """A name that can be a folder, a schema's table and an asset key."""
    if not re.fullmatch(r"[a-z][a-z0-9_]*" if parameter.name == "city" else r"[a-z0-9_]+", name):
        raise click.BadParameter(f"{name!r}: use lower-case letters, digits and _ only, such as vacant_buildings.")
    return name


def _as_moment(_: click.Context, parameter: click.Parameter, text: str) -> datetime:
    """A moment in UTC. Of a day alone, its beginning, or its end where a query is about that day."""
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise click.BadParameter(
            f"{text!r}: write a day or a moment, such as 2015-04-14 or 2015-04-14T12:00Z."
        ) from None
    if len(text) <= len("2015-04-14") and parameter.name == "moment":
        moment = datetime.combine(moment, time.max)
    return moment.astimezone(UTC) if moment.tzinfo else moment.replace(tzinfo=UTC)


@click.group(context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 110})
@click.option("--debug", is_flag=True, help="Show the traceback of an error.")
@click.version_option(package_name="civic-pipeline")
@click.pass_context
def cli(context: click.Context, debug: bool) -> None:
    """Capture open data, prove it, release it as one DuckDB warehouse."""
    context.obj = debug


def main() -> None:
    """Entry point: a foreseen failure is one message and an exit code, never a traceback without --debug."""
    try:
        code = cli(standalone_mode=False)
    except click.ClickException as error:
        error.show()
        code = error.exit_code
    except click.Abort:
        code = 130
    except Exception as error:
        foreseen = _foreseen(error)
        if foreseen is None or "--debug" in sys.argv:
            sys.excepthook = _show
            raise
        click.secho(f"Error: {foreseen}", fg="red", err=True)
        code = foreseen.exit_code
    sys.exit(code if isinstance(code, int) else 0)


def _show(_kind: type[BaseException], error: BaseException, _trace: TracebackType | None) -> None:
    """A traceback without the secrets that other people's messages hold."""
    click.echo(redacted("".join(traceback.format_exception(error))), err=True, nl=False)


def _foreseen(error: BaseException | None) -> CivicError | None:
    """The failure of ours at the root of an exception; Dagster wraps those met while definitions load."""
    while error is not None and not isinstance(error, CivicError):
        error = error.__cause__ or error.__context__
    return error


@cli.command()
@click.option(
    "--select",
    multiple=True,
    metavar="ASSET",
    help="Only this asset, such as marts/fct_payments or raw/baltimore_spending; repeatable.",
)
def run(select: tuple[str, ...]) -> None:
    """Run the nightly job now: capture, build, check, release."""
    from civic_pipeline.publish.standing import standing
    from civic_pipeline.runs import run_nightly

    settings = Settings.from_environment()
    failure = run_nightly(settings, select, debug="--debug" in sys.argv)
    if settings.warehouse.exists() and not select:
        click.echo()
        click.echo(f"{standing(settings, every_table=False)}\n\n{_what_next(settings)}")
    if failure:
        raise failure


@cli.command()
def status() -> None:
    """What is in the warehouse, how old it is, what is held back and why."""
    from civic_pipeline.publish.standing import standing

    click.echo(standing(Settings.from_environment(), every_table=True))


_FORMAT = click.option(
    "--format", "form", type=click.Choice(["table", "csv", "json", "parquet"]), default="table", show_default=True
)
_OUTPUT = click.option(
    "--output", type=click.Path(dir_okay=False, path_type=Path), help="Write to this file instead of the terminal."
)


@cli.command()
@click.argument("query")
@_FORMAT
@_OUTPUT
def sql(query: str, form: str, output: Path | None) -> None:
    """Run QUERY on the released warehouse, read-only."""
    from civic_pipeline.warehouse import connect

    with connect(Settings.from_environment().warehouse) as connection:
        _answer(connection, query, form, output)


@cli.command("as-of")
@click.argument("moment", callback=_as_moment)
@click.argument("query")
@_FORMAT
@_OUTPUT
def query_as_of(moment: datetime, query: str, form: str, output: Path | None) -> None:
    """Run QUERY on tables rebuilt from the captures accepted by MOMENT, such as 2025-06-01 (its end, UTC)."""
    from civic_pipeline.catalog import load_datasets
    from civic_pipeline.warehouse import as_of, load_models

    settings = Settings.from_environment()
    datasets = load_datasets(settings.root)
    with as_of(settings, datasets, load_models(settings.root, datasets), moment, query) as connection:
        _answer(connection, query, form, output)


@cli.command()
def releases() -> None:
    """The releases that are kept, newest first."""
    from civic_pipeline.warehouse import kept_releases, live_release

    settings = Settings.from_environment()
    kept, live = kept_releases(settings), live_release(settings)
    for release in reversed(kept):
        mark = click.style("live  ", fg="green") if live and release.id == live.id else "      "
        held = f"  {len(release.held_back)} held back" if release.held_back else ""
        size = release.file.stat().st_size / 1e6
        click.echo(
            f"{mark}{release.id}  {size:8.1f} MB  {len(release.contents):3} tables  {release.git_commit or ''}{held}"
        )
    click.echo(
        f"{len(kept)} kept in {settings.releases}: the newest {settings.keep_releases}, for {settings.keep_releases_days} days."
    )


@cli.command()
@click.argument("release")
def rollback(release: str) -> None:
    """Make RELEASE (an id of `civic releases`, or its beginning) the live one, after proving it whole."""
    from civic_pipeline.warehouse import roll_back

    settings = Settings.from_environment()
    live = roll_back(settings, release)
    click.echo(f"{settings.warehouse} is {live.id} again, until a run has something new to release.")


@cli.command()
@click.argument("before")
@click.argument("after")
@click.option("--json", "as_json", is_flag=True, help="For programs.")
def diff(before: str, after: str, as_json: bool) -> None:
    """What changed from release BEFORE to release AFTER: tables, columns, rows by key, totals."""
    from civic_pipeline.publish.difference import as_text, to_json
    from civic_pipeline.warehouse import compare, find_release

    settings = Settings.from_environment()
    found = compare(find_release(settings, before), find_release(settings, after))
    click.echo(to_json(found) if as_json else as_text(found))


@cli.command()
@click.argument("datasets", nargs=-1)
def doctor(datasets: tuple[str, ...]) -> None:
    """Ask every portal (or those of DATASETS, such as baltimore/spending) how its source is, and say what drifted."""
    from civic_pipeline.catalog import load_datasets
    from civic_pipeline.demo import open_portals
    from civic_pipeline.lake import diagnose

    settings = Settings.from_environment()
    known = load_datasets(settings.root)
    for name in datasets:
        if name not in known:
            raise UnknownName("dataset", name, known)
    sick = 0
    with open_portals(settings) as access:
        for name in datasets or known:
            found = diagnose(known[name], access)
            sick += not found.healthy
            mark = click.style("ok   ", fg="green") if found.healthy else click.style("sick ", fg="red")
            click.echo(f"{mark}{name}: {found.summary}")
    click.echo(
        f"\n{len(datasets or known) - sick} of {len(datasets or known)} sources answer as declared ({settings.profile} portals)."
    )
    sys.exit(1 if sick else 0)


@cli.command()
@click.argument("url")
@click.option(
    "--out",
    "folder",
    required=True,
    type=click.Path(path_type=Path),
    help="Folder to make for the Parquet file and manifest.json.",
)
@click.option("--allow-private-hosts", is_flag=True, help=_PRIVATE_HOSTS)
def capture(url: str, folder: Path, allow_private_hosts: bool) -> None:
    """Capture whatever dataset URL names, and prove it: a portal's page or API address, an ArcGIS item, a file."""
    from civic_pipeline.scaffold import describe, of_capture, refuse_full, take_into

    refuse_full(folder)
    found = _find(url, allow_private_hosts)
    description = describe(found)
    click.echo(f"{description.about.title}  ({found.source.portal})", err=True)
    with _progress_line() as progress:
        taken = take_into(folder, found, description, progress)
    click.echo("\n".join(of_capture(taken)))


@cli.command()
@click.argument("url")
@click.option("--city", required=True, callback=_as_name, help="City the dataset belongs to, such as baltimore.")
@click.option("--name", required=True, callback=_as_name, help="Name of the dataset, such as vacants.")
@click.option("--allow-private-hosts", is_flag=True, help=_PRIVATE_HOSTS)
def add(url: str, city: str, name: str, allow_private_hosts: bool) -> None:
    """Write the three files of a new dataset from one capture of URL, to be reviewed."""
    from civic_pipeline import scaffold

    settings = Settings.from_environment()
    scaffold.refuse_existing(settings.root, f"{city}/{name}")
    found = _find(url, allow_private_hosts)
    with _progress_line() as progress:
        added = scaffold.add(settings, found, f"{city}/{name}", progress)
    click.echo("\n".join(scaffold.of_added(added, settings.root)))


@cli.command()
@click.argument("dataset")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option(
    "--captured-at",
    required=True,
    callback=_as_moment,
    metavar="MOMENT",
    help="Day or moment (UTC) the file was published, such as 2015-04-14 or 2015-04-14T12:00Z.",
)
def backfill(dataset: str, file: Path, captured_at: datetime) -> None:
    """Load FILE, an older copy of DATASET, into the lake as its capture of that day."""
    from civic_pipeline import lake
    from civic_pipeline.catalog import load_datasets

    settings = Settings.from_environment()
    known = load_datasets(settings.root)
    if dataset not in known:
        raise UnknownName("dataset", dataset, known)
    with _progress_line() as progress:
        made = lake.backfill(
            dataset, known[dataset], lake.Lake(settings.lake), file, captured_at, settings.profile, progress
        )
    (part,) = made.parts
    click.echo(
        f"{made.capture_id}: {part.landed:,} rows of {part.url} (sha256 {part.freshness_token}), all of them landed."
    )


@cli.command("serve")
@click.option("--host", default="127.0.0.1", show_default=True, help="Address of this machine to listen on.")
@click.option("--port", type=click.IntRange(0, 65535), default=8765, show_default=True, help="0 takes any free port.")
def serve_releases(host: str, port: int) -> None:
    """Serve the releases to analysts on other machines, read-only, until interrupted. Needs CIVIC_SERVE_TOKEN."""
    from civic_pipeline.publish import serving

    serving.serve(Settings.from_environment(), host, port)


@cli.group()
def demo() -> None:
    """The embedded demo portals."""


@demo.command()
@click.option(
    "--folder",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    help="CSV, Parquet and GeoJSON files to serve. Default: the sample.",
)
@click.option("--port", type=click.IntRange(0, 65535), default=8899, show_default=True, help="0 takes any free port.")
def serve(folder: Path | None, port: int) -> None:
    """Serve a folder of files on 127.0.0.1 as Socrata, ArcGIS and OpenDataSoft portals would, until interrupted."""
    from civic_pipeline.demo import DemoPortals

    portals = DemoPortals(folder or Settings.from_environment().demo_folder, port=port)
    for file in portals.files:
        click.echo(f"{file.rows:>9,} rows  {file.name}")
        for address in portals.addresses(file):
            item = f"  (item {file.item_id})" if "/arcgis/" in address else ""
            click.echo(f"{'':15}{address}{item}")
    click.echo(f"\nServing on {portals.url}; Ctrl-C ends it.")
    portals.serve_forever()


@cli.command()
@click.option("--check", is_flag=True, help="Write nothing; fail if docs/dictionary is not up to date.")
def docs(check: bool) -> None:
    """Write the data dictionary under docs/dictionary/ from the catalog, the contracts and the SQL."""
    from civic_pipeline.publish.dictionary import write_dictionary

    settings = Settings.from_environment()
    folder = settings.root / "docs" / "dictionary"
    stale = write_dictionary(settings.root, folder, check=check)
    if check and stale:
        raise FileInvalid(folder, [(1, f"{name} is out of date: run `civic docs`") for name in stale])
    click.echo(f"{folder}: {'up to date' if not stale else f'{len(stale)} files written'}")


def _answer(connection: "duckdb.DuckDBPyConnection", query: str, form: str, output: Path | None) -> None:
    """Show or write what `query` gives. Raises QueryRefused."""
    import duckdb

    from civic_pipeline.publish.answers import write_answer

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


def _find(url: str, allow_private_hosts: bool) -> "Found":
    from civic_pipeline.catalog import SocrataSource, load_datasets
    from civic_pipeline.portals.address import find

    settings, tokens = Settings.from_environment(), dict[str, str]()
    if settings.socrata_token:
        sources = [dataset.source for dataset in load_datasets(settings.root).values()]
        tokens = {s.domain: settings.socrata_token for s in sources if isinstance(s, SocrataSource)}
    # sodapy warns of throttling wherever there is no token, and Great Expectations tells of its scratch folders.
    logging.getLogger().addHandler(logging.NullHandler())
    return find(url, allow_private_hosts, tokens)


@contextmanager
def _progress_line() -> Iterator["Progress"]:
    """Rows, rate and time left on standard error: one line rewritten at a terminal, else a line every few seconds."""
    from civic_pipeline.lake import progress_in_words

    rewrites, shown = sys.stderr.isatty(), False

    def show(text: str) -> None:
        nonlocal shown
        shown = True
        click.echo(f"\r{text:<79}" if rewrites else text, nl=not rewrites, err=True)

    try:
        yield progress_in_words(show, every_seconds=0.2 if rewrites else 5)
    finally:
        if shown and rewrites:
            click.echo(err=True)


def _what_next(settings: Settings) -> str:
    reports = sorted(settings.reports.glob("*/index.html"), key=lambda page: page.stat().st_mtime)
    report_line = f"\n  the quality report     {reports[-1]}" if reports else ""
    live = (
        "\n  the real portals       export CIVIC_PROFILE=live CIVIC_DATA=../civic-live; civic doctor; civic run"
        if settings.profile == "demo"
        else ""
    )
    return (
        "What next\n"
        '  ask a question         civic sql "from marts.mart_budget_by_agency limit 10"   (activate .venv first, or .venv/bin/civic)\n'
        "  open the Dagster UI    make dev" + live + report_line
    )


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


if __name__ == "__main__":
    main()
