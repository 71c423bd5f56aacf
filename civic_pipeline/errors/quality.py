"""Errors of checks on tables."""

from collections.abc import Sequence

from civic_pipeline.errors.base import CivicError


class ContractBroken(CivicError):
    """A staged table failed a critical check, so it does not replace the accepted version."""

    def __init__(self, table: str, failures: Sequence[str]) -> None:
        listed = "; ".join(failures)
        super().__init__(
            f"{table} failed its contract and keeps its last accepted version: {listed}."
            " Look at the failed rows, then correct the source, the SQL or, if the data changed for good, the contract."
        )
