"""`civic releases`, `civic rollback` and `civic diff`."""

import click

from civic_pipeline.settings import Settings


@click.command()
def releases() -> None:
    """List the kept releases, newest first."""
    from civic_pipeline.errors import ReleaseDamaged
    from civic_pipeline.releases import read_release, release_files

    settings = Settings.from_environment()
    kept = release_files(settings)
    live = [file for file in kept if settings.warehouse.exists() and file.samefile(settings.warehouse)]
    for file in reversed(kept):
        mark = click.style("live  ", fg="green") if file in live else "      "
        try:
            release = read_release(file)
        except ReleaseDamaged as error:
            click.echo(f"{mark}{file.stem}  {click.style('damaged', fg='red')}: {error.problem}")
            continue
        held = f"  {len(release.held_back)} held back" if release.held_back else ""
        size = file.stat().st_size / 1e6
        click.echo(
            f"{mark}{release.id}  {size:8.1f} MB  {len(release.contents):3} tables  {release.git_commit or ''}{held}"
        )
    if kept and not live:
        click.echo(
            f"None of them is live: {settings.warehouse} is missing or damaged. `civic rollback` makes one live."
        )
    click.echo(
        f"{len(kept)} kept in {settings.releases}: the newest {settings.keep_releases}, for {settings.keep_releases_days} days."
    )


@click.command()
@click.argument("release")
def rollback(release: str) -> None:
    """Verify RELEASE (an id from `civic releases`, or its beginning) and make it the live release."""
    from civic_pipeline.releases import roll_back

    settings = Settings.from_environment()
    live = roll_back(settings, release)
    click.echo(f"{settings.warehouse} is {live.id} again, until a run has new contents to release.")


@click.command()
@click.argument("before")
@click.argument("after")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def diff(before: str, after: str, as_json: bool) -> None:
    """Show what changed from release BEFORE to release AFTER: tables, columns, rows by key, totals."""
    from civic_pipeline.cli.difference_text import as_text, to_json
    from civic_pipeline.releases import compare, find_release

    settings = Settings.from_environment()
    difference = compare(find_release(settings, before), find_release(settings, after))
    click.echo(to_json(difference) if as_json else as_text(difference))
