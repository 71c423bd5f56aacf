"""`civic try` and `civic failed-rows`: one table, its failed checks and the rows behind them."""

import shutil
import sys
from typing import TYPE_CHECKING

import click

from civic_pipeline.errors import UnknownName
from civic_pipeline.settings import Settings

if TYPE_CHECKING:
    import duckdb

    from civic_pipeline.catalog import Dataset
    from civic_pipeline.quality.trial import Trial
    from civic_pipeline.warehouse import Model

_SHOWN_ROWS = 10


@click.command("try")
@click.argument("table")
def try_model(table: str) -> None:
    """Build and check TABLE, such as marts.fct_payments, from the accepted tables, without storing the result."""
    from civic_pipeline.quality.trial import try_table

    settings = Settings.from_environment()
    datasets, model = _model(settings, table)
    with try_table(settings, datasets, model) as trial:
        is_accepted = _report(trial)
    sys.exit(0 if is_accepted else 1)


@click.command("failed-rows")
@click.argument("table")
@click.argument("check", required=False)
def failed_rows(table: str, check: str | None) -> None:
    """Show the rows that failed the checks of TABLE (or its one CHECK) when it was last built."""
    import duckdb

    settings = Settings.from_environment()
    folder = settings.failed_rows / table
    files = {file.stem: file for file in sorted(folder.glob("*.parquet"))}
    if check is not None and check not in files:
        raise UnknownName("failed check with rows", check, files)
    if not files:
        _model(settings, table)  # a misspelt table has no failed rows either
        click.echo(f"No check of {table} left rows behind when it was last built.")
    for name, file in files.items():
        if check in (None, name):
            rows = duckdb.read_parquet(str(file))
            click.echo(f"{table}.{name}: {len(rows):,} rows in {file}")
            _show(rows, 100 if check else _SHOWN_ROWS)


def _model(settings: Settings, table: str) -> "tuple[dict[str, Dataset], Model]":
    """The datasets of the checkout, and the model of `table`. Raises UnknownName."""
    from civic_pipeline.catalog import load_datasets
    from civic_pipeline.warehouse import load_models

    datasets = load_datasets(settings.root)
    models = load_models(settings.root, datasets)
    if table not in models:
        raise UnknownName("table", table, models)
    return datasets, models[table]


def _report(trial: "Trial") -> bool:
    """Print the result of each check, failures with their rows. Returns whether the table would be accepted."""
    staged = trial.staged
    counts = [f"{staged.rows:,} rows"]
    if staged.model.schema == "clean":
        counts += [f"{staged.quarantined_rows:,} quarantined", f"{staged.repeated_rows:,} repeated"]
    click.echo(f"{staged.model.name}: {', '.join(counts)}")
    for result in trial.results:
        if result.passed:
            click.echo(f"  {click.style('passed', fg='green')}  {result.name}")
            continue
        click.echo(f"  {click.style('failed', fg='red')}  {result.severity}: {result.failure}")
        if result.failed_rows_sql:
            _show(trial.connection.sql(result.failed_rows_sql), _SHOWN_ROWS)
    blocking = sum(result.blocks for result in trial.results)
    failed = sum(not result.passed for result in trial.results)
    click.echo(
        f"{len(trial.results) - failed} of {len(trial.results)} checks passed. "
        + (f"{blocking} critical failed: the table would be held back." if blocking else "The table would be accepted.")
    )
    return not blocking


def _show(rows: "duckdb.DuckDBPyRelation", most: int) -> None:
    rows.show(max_width=shutil.get_terminal_size((120, 24)).columns, max_rows=most)
