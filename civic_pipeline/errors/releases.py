"""Errors of released files and of queries."""

from pathlib import Path

from civic_pipeline.errors.base import CivicError


class WarehouseMissing(CivicError):
    """There is no release yet."""

    def __init__(self, path: Path) -> None:
        super().__init__(f"{path} does not exist yet. Run `civic run` (or `make run`) to build and release it.")


class WarehouseOpened(CivicError):
    """Another program has the released file open for writing. This blocks readers and could mix two releases."""

    def __init__(self, path: Path, evidence: str) -> None:
        super().__init__(
            f"{path} is open for writing in another program ({evidence}). Close it there, open it read-only"
            " (`duckdb -readonly` or civic_pipeline.connect()), then run again."
        )


class WarehouseUnreadable(CivicError):
    """DuckDB cannot open the file."""

    def __init__(self, path: Path, problem: str) -> None:
        super().__init__(
            f"{path} cannot be opened: {problem.rstrip('!.')}. Run `civic run`, which repairs the live file, or choose another file."
        )
        self.problem = problem


class NotReadable(CivicError):
    """This user may not read a released file, or its folder."""

    def __init__(self, path: Path) -> None:
        super().__init__(
            f"{path} cannot be read by this user. Run as the user who runs the pipeline, or let that user give access"
            " (chmod o+rx for folders, o+r for files)."
        )


class ReleaseDamaged(CivicError):
    """A release differs from what was published."""

    def __init__(self, file: Path, problem: str) -> None:
        super().__init__(
            f"{file} is damaged: {problem.rstrip('!.')}. Restore it from a backup or remove it. `civic releases` lists the other releases;"
            " `civic rollback` makes one of them live, and so does the next `civic run` if it is the live one."
        )
        self.problem = problem


class QueryRefused(CivicError):
    """DuckDB rejected a query."""

    exit_code = 2

    def __init__(self, problem: str) -> None:
        super().__init__(f"The query was rejected: {problem}")
