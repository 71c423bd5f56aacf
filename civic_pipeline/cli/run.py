"""`civic run` and `civic status`."""

import click

from civic_pipeline.settings import Settings


@click.command()
@click.option(
    "--select",
    multiple=True,
    metavar="ASSET",
    help="Only this asset, such as marts/fct_payments or raw/baltimore_spending; repeatable.",
)
@click.pass_obj
def run(debug: bool, select: tuple[str, ...]) -> None:
    """Run the nightly job now: capture, build, check, release."""
    from civic_pipeline.cli.status_text import standing
    from civic_pipeline.runs import run_nightly

    settings = Settings.from_environment()
    failure = run_nightly(settings, select, debug=debug)
    if settings.warehouse.exists() and not select:
        click.echo()
        click.echo(f"{standing(settings, every_table=False)}\n\n{_what_next(settings)}")
    if failure:
        raise failure


@click.command()
def status() -> None:
    """What is in the warehouse, how old it is, what is held back and why."""
    from civic_pipeline.cli.status_text import standing

    click.echo(standing(Settings.from_environment(), every_table=True))


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
