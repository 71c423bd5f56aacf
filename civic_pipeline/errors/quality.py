"""Failures of checks."""

from collections.abc import Sequence

from civic_pipeline.errors.base import CivicError


class ContractBroken(CivicError):
    """A staged table failed a critical check, so it does not replace the accepted one."""

    def __init__(self, table: str, failures: Sequence[str]) -> None:
        listed = "; ".join(failures)
        super().__init__(
            f"{table} failed its contract and keeps its last accepted version: {listed}."
            " Look at the rows: correct the source, the SQL or, if the world has changed, the contract."
        )


class ChecksFailed(CivicError):
    """Whole-warehouse rules found offending rows, so no release was published."""

    def __init__(self, failures: Sequence[str]) -> None:
        super().__init__(
            "No release was published, because rules across tables found offending rows: "
            f"{'; '.join(failures)}. The previous warehouse stays as it was."
        )
