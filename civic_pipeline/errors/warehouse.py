"""Failures of building tables."""

from pathlib import Path

from civic_pipeline.errors.base import CivicError


class NotCapturedBy(CivicError):
    """A query about a moment reads datasets that had no accepted capture by then. `first` are their first ones, if any."""

    exit_code = 2

    def __init__(self, moment: str, first: dict[str, str | None]) -> None:
        listed = "; ".join(
            f"{name} ({f'first captured {at}' if at else 'never captured'})" for name, at in sorted(first.items())
        )
        super().__init__(
            f"By {moment} there was no accepted capture of {listed}. Choose a later moment, or load an older file with"
            " `civic backfill`."
        )


class NotCaptured(CivicError):
    """A table's input has no accepted capture yet."""

    def __init__(self, dataset: str) -> None:
        super().__init__(
            f"{dataset} has no accepted capture yet. Materialize raw/{dataset.replace('/', '_')} first, or `civic run`."
        )


class ModelFailed(CivicError):
    """DuckDB refused a model's SQL."""

    def __init__(self, path: Path, problem: str) -> None:
        super().__init__(
            f"{path} does not run: {problem}. Correct it; it runs as it stands in a DuckDB shell on data/build/build.duckdb."
        )
