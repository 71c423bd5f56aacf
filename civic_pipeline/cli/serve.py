"""`civic serve` and `civic demo serve`."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import click

from civic_pipeline.settings import Settings


@click.command("serve")
@click.option("--host", default="127.0.0.1", show_default=True, help="Address of this machine to listen on.")
@click.option("--port", type=click.IntRange(0, 65535), default=8765, show_default=True, help="0 takes any free port.")
def serve_releases(host: str, port: int) -> None:
    """Serve the releases to analysts on other machines, read-only, until interrupted. Needs CIVIC_SERVE_TOKEN."""
    from civic_pipeline.publish import server

    with until_signal():
        server.serve(Settings.from_environment(), host, port)


@click.group()
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

    with until_signal():
        portals = DemoPortals(folder or Settings.from_environment().demo_folder, port=port)
        for file in portals.files:
            click.echo(f"{file.rows:>9,} rows  {file.name}")
            for address in portals.addresses(file):
                item = f"  (item {file.item_id})" if "/arcgis/" in address else ""
                click.echo(f"{'':15}{address}{item}")
        click.echo(f"\nServing on {portals.url}; stop with Ctrl-C.")
        portals.serve_forever()


@contextmanager
def until_signal() -> Iterator[None]:
    """Run the block until it ends, or until a signal ends it cleanly with exit code 0."""
    try:
        yield
    except KeyboardInterrupt:
        return
