"""The interface of a demo portal, as the server uses it."""

from typing import Protocol

import duckdb

from civic_pipeline.demo.exchange import Request, Response
from civic_pipeline.demo.fault_injection import Purpose
from civic_pipeline.demo.served_file import ServedFile


class Portal(Protocol):
    """One protocol over the served files. Methods do not raise: a rejected request also gets a response."""

    def find(self, request: Request) -> tuple[ServedFile, Purpose] | None:
        """Return the requested file and the purpose of the request; None if `fallback` must respond."""
        ...

    def answer(self, request: Request, file: ServedFile, con: duckdb.DuckDBPyConnection) -> Response:
        """Return the response without faults. `con` sees rows that do not change during the call."""
        ...

    def fallback(self, request: Request) -> Response:
        """Return the response to a request that is not about a served file."""
        ...

    def error(self, code: int, message: str, details: str, status: int, /) -> Response:
        """Return an error in the form of this protocol; `details` is one of `Faults.error_details`."""
        ...
