"""Errors of building tables."""

from pathlib import Path

from civic_pipeline.errors.base import CivicError


class NotCapturedBy(CivicError):
    """`civic as-of` needs datasets that had no accepted capture by the given moment.

    `first`: dataset -> time of its first accepted capture, or None.
    """

    exit_code = 2

    def __init__(self, moment: str, first: dict[str, str | None]) -> None:
        listed = "; ".join(
            f"{name} ({f'first captured {at}' if at else 'never captured'})" for name, at in sorted(first.items())
        )
        super().__init__(
            f"There was no accepted capture by {moment} of {listed}. Choose a later moment, or load an older file with"
            " `civic backfill`."
        )


class NotCaptured(CivicError):
    """A table needs a dataset that has no accepted capture yet."""

    def __init__(self, dataset: str) -> None:
        super().__init__(
            f"{dataset} has no accepted capture yet. Materialize raw/{dataset.replace('/', '_')} first, or use `civic run`."
        )


class ModelFailed(CivicError):
    """DuckDB rejected the SQL of a model, or its Python code raised an error."""

    def __init__(self, path: Path, problem: str) -> None:
        fix = "Correct the SQL; to try it, run it in a DuckDB shell on data/build/build.duckdb."
        if path.suffix == ".py":
            fix = "Correct the code; `civic try TABLE` runs it alone."
        super().__init__(f"{path} failed: {problem}. {fix}")


class NotBuilt(CivicError):
    """A table that another one reads was never accepted."""

    exit_code = 2

    def __init__(self, table: str) -> None:
        super().__init__(f"{table} has no accepted version yet. Run `civic run` first, which builds it.")
