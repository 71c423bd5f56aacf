"""The command group `civic` and its handling of errors."""

import sys
import traceback
from types import TracebackType

import click

from civic_pipeline import machine
from civic_pipeline.cli import standard_streams
from civic_pipeline.cli.accept import accept
from civic_pipeline.cli.check import check
from civic_pipeline.cli.datasets import add, backfill, capture, doctor
from civic_pipeline.cli.docs import docs
from civic_pipeline.cli.query import query_as_of, sql
from civic_pipeline.cli.releases import diff, releases, rollback
from civic_pipeline.cli.run import run, status
from civic_pipeline.cli.serve import demo, serve_releases
from civic_pipeline.cli.site import site
from civic_pipeline.cli.tables import failed_rows, try_model
from civic_pipeline.errors import CivicError, DiskFull, OutputClosed, OutputNotWritable, disk_error
from civic_pipeline.foreign_text import printable
from civic_pipeline.redaction import redacted
from civic_pipeline.settings import Settings, is_text


@click.group(context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 110})
@click.option("--debug", is_flag=True, help="Show the traceback of an error.")
@click.version_option(package_name="civic-pipeline")
@click.pass_context
def cli(context: click.Context, debug: bool) -> None:
    """Capture open data, check it, release it as one DuckDB warehouse."""
    context.obj = debug


for _command in (
    run, status, sql, query_as_of, try_model, failed_rows, check, releases, rollback, diff, doctor, capture, add, backfill,
    accept, serve_releases, site, demo, docs,
):  # fmt: skip
    cli.add_command(_command)


def run_command() -> int:
    """Run the command that the arguments of this process name; return its exit code."""
    machine.share_files()
    with cli.make_context("civic", _arguments()) as context:
        code = cli.invoke(context)
        sys.stdout.flush()
    return code if isinstance(code, int) else 0


def exit_code(error: Exception) -> int | None:
    """Print the message of an error that ended `run_command`; return the exit code.

    None for an error that nobody foresaw, and with --debug: its traceback is what helps.
    """
    if isinstance(error, click.exceptions.Exit):
        return error.exit_code
    if isinstance(error, click.ClickException):
        error.show()
        return error.exit_code
    civic_error = _civic_error(error)
    if civic_error is None or cli.make_context("civic", _arguments(), resilient_parsing=True).params["debug"]:
        sys.excepthook = _print_traceback
        return None
    if not isinstance(civic_error, OutputClosed):  # such as `| head`: nobody reads it
        click.secho(f"Error: {civic_error}", fg="red", err=True)
    return civic_error.exit_code


def _arguments() -> list[str]:
    """The arguments of this process. Raises UsageError for one that is not text in the encoding of the locale."""
    for argument in sys.argv[1:]:
        if not is_text(argument):
            raise click.UsageError(
                f"{argument!r} is not text in {sys.getfilesystemencoding()}, the encoding of this locale. Write it in this encoding,"
                " or set LC_ALL=C.UTF-8."
            )
    return sys.argv[1:]


def _print_traceback(_kind: type[BaseException], error: BaseException, _trace: TracebackType | None) -> None:
    """Print the traceback without secrets and control characters, which messages of other libraries may contain."""
    click.echo(printable(redacted("".join(traceback.format_exception(error)))), err=True, nl=False)


def _civic_error(error: BaseException | None) -> CivicError | None:
    """The CivicError in the chain of causes, or the one for what the system says; None for an error that was not foreseen.

    Dagster wraps errors that occur while definitions load, and its storage is in the data folder.
    """
    problem = standard_streams.problem()
    if problem and not isinstance(error, CivicError):
        return OutputClosed() if isinstance(problem, BrokenPipeError) else OutputNotWritable(str(problem.strerror))
    while error is not None and not isinstance(error, CivicError):
        full = disk_error(Settings.from_environment().data, str(error), getattr(error, "errno", None))
        if isinstance(full, DiskFull):
            return full
        error = error.__cause__ or error.__context__
    return error
