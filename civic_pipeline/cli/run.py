"""`civic run` and `civic status`."""

import os
import signal
from datetime import UTC, datetime

import click

from civic_pipeline import interruption
from civic_pipeline.errors import NotificationFailed, RunFailed
from civic_pipeline.settings import Settings


@click.command()
@click.option(
    "--select",
    multiple=True,
    metavar="NAME",
    help="Only this asset (marts/fct_payments), dataset (baltimore/spending), subject (budget) or place (baltimore)."
    " With + at the end (budget+), also everything that depends on it. Repeatable.",
)
@click.option("--strict", is_flag=True, help="Fail on warnings about control totals, too.")
@click.pass_obj
def run(debug: bool, select: tuple[str, ...], strict: bool) -> None:
    """Run the nightly job now: capture, build, check, release."""
    settings, started = Settings.from_environment(), datetime.now(UTC)
    failure = _run(settings, select, debug)
    from civic_pipeline.cli.status_text import describe_status

    try:
        if settings.warehouse.exists() and not select:
            click.echo()
            click.echo(f"{describe_status(settings, every_table=False)}\n\n{_what_next(settings)}")
    finally:  # also when nobody reads the output
        if failure:
            raise failure
    if strict:
        _fail_on_warnings(settings, started)


def _run(settings: Settings, select: tuple[str, ...], debug: bool) -> RunFailed | None:
    """Run, then send the notifications. A notification that cannot be sent is only a warning, because the run is done."""
    before = settings.warehouse.resolve().stat().st_ino if settings.warehouse.exists() else None
    try:
        from civic_pipeline.run_report import report_run
        from civic_pipeline.runs import run_nightly  # takes seconds, in which a signal may come

        ended = run_nightly(settings, select, debug=debug)
    except KeyboardInterrupt:
        after = settings.warehouse.resolve().stat().st_ino if settings.warehouse.exists() else None
        end = "nothing was released" if before == after else "a release was made before"
        click.secho(f"Error: interrupted; {end}", fg="red", err=True)
        # Do not wait for threads that still wait for a portal.
        os._exit(128 + (interruption.received() or signal.SIGINT))
    try:
        # The terminal already shows the messages, so the notifier `log` is silent.
        report_run(settings, ended.run_id, str(ended.failure) if ended.failure else None, lambda _: None)
    except NotificationFailed as error:
        click.secho(f"Warning: {error}", fg="yellow", err=True)
    return ended.failure


@click.command()
def status() -> None:
    """Show the tables of the warehouse, their age, and what is held back and why."""
    from civic_pipeline.cli.status_text import describe_status

    click.echo(describe_status(Settings.from_environment(), every_table=True))


def _fail_on_warnings(settings: Settings, started: datetime) -> None:
    """Raises RunFailed for warnings about control totals in a run that was otherwise a success."""
    from civic_pipeline.catalog import load_datasets
    from civic_pipeline.quality.strict import control_total_warnings
    from civic_pipeline.warehouse import load_models

    models = load_models(settings.root, load_datasets(settings.root))
    warnings = control_total_warnings(settings, models, started)
    if warnings:
        raise RunFailed([f"--strict: {warning}" for warning in warnings])


def _what_next(settings: Settings) -> str:
    reports = sorted(settings.reports.glob("*/index.html"), key=lambda page: page.stat().st_mtime)
    report_line = f"\n  the quality report     {reports[-1]}" if reports else ""
    site_line = (
        f"\n  show the public site   make site               ({settings.site}/index.html)"
        if settings.site.exists()
        else ""
    )
    live = (
        "\n  the real portals       export CIVIC_PROFILE=live CIVIC_DATA=../civic-live; civic doctor; civic run"
        if settings.profile == "demo"
        else ""
    )
    return (
        "What next\n"
        '  ask a question         civic sql "from marts.mart_budget_by_agency limit 10"   (activate .venv first, or .venv/bin/civic)\n'
        "  open the Dagster UI    make dev" + site_line + live + report_line
    )
