"""`civic site`."""

from pathlib import Path

import click

from civic_pipeline.cli.serve import until_signal
from civic_pipeline.settings import Settings

_OUT = click.option(
    "--out", type=click.Path(path_type=Path), help="Where the site is; its builds are beside it. Default: data/site."
)


@click.group()
def site() -> None:
    """The public site: static pages and files, made from the live release."""


@site.command()
@_OUT
def build(out: Path | None) -> None:
    """Build the site from the live release, and make it the public one in one step."""
    from civic_pipeline.lake import Lake, last_asked
    from civic_pipeline.publish.site import build_site

    settings = Settings.from_environment()
    built = build_site(settings.warehouse, out or settings.site, last_asked(Lake(settings.lake)), settings.site_address)
    what = f"{built.pages:,} pages, {built.files:,} files, {built.bytes / 1e6:,.1f} MB" if built.is_new else "unchanged"
    click.echo(f"{built.folder}/index.html: {what}, from release {built.release_id}")
    for part, why in built.left_out.items():
        click.echo(f"Warning: no pages below {part}: {why}", err=True)


@site.command()
@_OUT
@click.option("--port", type=click.IntRange(0, 65535), default=8080, show_default=True, help="0 takes any free port.")
def serve(out: Path | None, port: int) -> None:
    """Show the built site on 127.0.0.1, until interrupted."""
    from civic_pipeline.publish.site import server

    with until_signal():
        server.serve(out or Settings.from_environment().site, port)
