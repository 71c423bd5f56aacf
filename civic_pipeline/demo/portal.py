"""What every protocol of the demo offers, and the server needs no more of."""

from typing import Protocol

import duckdb

from civic_pipeline.demo.conduct import Asked
from civic_pipeline.demo.exchange import Answer, Request
from civic_pipeline.demo.served_file import ServedFile


class Portal(Protocol):
    """One protocol over the served files. Nothing here raises: whatever a portal refuses is an answer too."""

    def find(self, request: Request) -> tuple[ServedFile, Asked] | None:
        """The file a request is about and what it wants of it; None for what `elsewhere` answers."""
        ...

    def answer(self, request: Request, file: ServedFile, con: duckdb.DuckDBPyConnection) -> Answer:
        """What a well-behaved portal says; `con` sees rows that do not change meanwhile."""
        ...

    def elsewhere(self, request: Request) -> Answer:
        """What is said about anything that is no file's."""
        ...

    def error(self, code: int, message: str, details: str, status: int, /) -> Answer:
        """A failure in the protocol's own words; `details` as in `Faults.error_details`."""
        ...
