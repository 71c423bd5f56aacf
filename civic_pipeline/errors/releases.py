"""Failures of released files and of reading them."""

from pathlib import Path

from civic_pipeline.errors.base import CivicError


class WarehouseMissing(CivicError):
    """Nothing has been released yet."""

    def __init__(self, path: Path) -> None:
        super().__init__(f"{path} does not exist yet. Run `civic run` (or `make run`) to build and release it.")


class WarehouseOpened(CivicError):
    """Somebody opened the released file for writing, which would lock readers out or mix two releases."""

    def __init__(self, path: Path, evidence: str) -> None:
        super().__init__(
            f"{path} is open for writing in another program ({evidence}). Close it there and open it read-only"
            " (`duckdb -readonly`, or civic_pipeline.connect()), then run again."
        )


class WarehouseUnreadable(CivicError):
    """The file is there but DuckDB cannot open it."""

    def __init__(self, path: Path, problem: str) -> None:
        super().__init__(
            f"{path} cannot be opened: {problem}. Run `civic run` to release it anew, or point to another file."
        )
        self.problem = problem


class ReleaseDamaged(CivicError):
    """A release is not what it was when it was made."""

    def __init__(self, file: Path, problem: str) -> None:
        super().__init__(
            f"{file} is damaged: {problem}. Restore it from a backup or remove it; `civic releases` lists the others,"
            " `civic rollback` makes one of them the live one."
        )


class QueryRefused(CivicError):
    """The warehouse could not run a query."""

    exit_code = 2

    def __init__(self, problem: str) -> None:
        super().__init__(f"The query was refused: {problem}")
