"""Errors of checks on tables."""

from collections.abc import Sequence

from civic_pipeline.errors.base import CivicError, accept_command


class ContractBroken(CivicError):
    """A staged table failed a critical check, so it does not replace the accepted version.

    `capture_id` names the capture it was made of where a person may accept what failed.
    """

    def __init__(self, table: str, failures: Sequence[str], capture_id: str | None = None) -> None:
        listed = "; ".join(failures)
        accept = f" If the publisher confirms the change, run: {accept_command(capture_id)}." if capture_id else ""
        super().__init__(
            f"{table} failed its contract and keeps its last accepted version: {listed}."
            f" Look at the failed rows, then correct the source, the SQL or, if the data changed for good, the contract.{accept}"
        )
