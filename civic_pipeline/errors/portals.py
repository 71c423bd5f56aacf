"""Failures of portals and of what they answer."""

from civic_pipeline.errors.base import CivicError


class HostPrivate(CivicError):
    """A request would have reached this machine or a private network: by an item's address, a redirect or a name."""

    def __init__(self, host: str, address: str) -> None:
        where = host if host == address else f"{host} ({address})"
        super().__init__(
            f"A request was led to {where}, which is not on the public internet, so nothing was asked there. See where the"
            " address in `source`, the item's own address or a redirect of the portal leads, and report it to the publisher."
            " To read from there on purpose, `civic capture` and `civic add` take --allow-private-hosts."
        )


class PortalUnreachable(CivicError):
    """No data for now: no network, a refused or broken connection, or a status that asks to come again later.

    `retry_after` are the seconds that the portal asks for; `throttled` says that we asked too much.
    """

    def __init__(self, url: str, why: str, retry_after: float | None = None, throttled: bool = False) -> None:
        super().__init__(
            f"{url} could not be reached: {why}. Check the network and the portal's status page, then run again."
        )
        self.retry_after, self.throttled = retry_after, throttled


class PortalOverloaded(PortalUnreachable):
    """The portal gave up on a request: a timeout, an HTTP 5xx, or words to that effect. A smaller page may do."""


class PagingBroken(CivicError):
    """A portal's pages do not add up to its rows, however often they are asked for."""

    def __init__(self, url: str, what: str) -> None:
        super().__init__(
            f"{url} does not page as it says it does: {what}. Nothing was kept of this read. Report it to the publisher, or"
            " run again later."
        )


class SourceNotFound(CivicError):
    """The portal answers, but knows no such dataset, item or layer."""

    def __init__(self, what: str, url: str, why: str) -> None:
        super().__init__(
            f"{what} was not found at {url}: {why}. The publisher may have moved or retired it: look the title up on the"
            " portal and correct `source` in its defs.yaml."
        )


class PortalRefused(CivicError):
    """The portal answered with an error of its own, possibly inside an HTTP 200."""

    def __init__(self, url: str, answer: str) -> None:
        super().__init__(f"{url} answered with an error: {answer}. Nothing was kept of this read; run `civic doctor`.")


class AnswerUnreadable(CivicError):
    """The portal answered with something other than the data format asked for, such as an HTML page."""

    def __init__(self, url: str, expected: str, got: str) -> None:
        super().__init__(
            f"{url} sent {got} where {expected} was due. A moved portal often redirects to a home page: open the address"
            " in a browser and correct `source` in the dataset's defs.yaml."
        )


class FileUnreadable(CivicError):
    """A file came whole, but is no table: ragged, damaged, or of another format than those we read."""

    def __init__(self, url: str, problem: str) -> None:
        super().__init__(
            f"{url} cannot be read as a table: {problem}. Correct the file, or ask its publisher to. Nothing of it was kept."
        )


class ValueUnreadable(CivicError):
    """A value does not fit the type the portal declares for its column."""

    def __init__(self, column: str, portal_type: str, problem: str) -> None:
        super().__init__(
            f"Column {column!r} is declared {portal_type!r} by the portal but holds a value that is not: {problem}."
            " The capture was discarded, nothing was guessed. Report it to the publisher."
        )
        self.column = column


class NumberTooLong(ValueUnreadable):
    """A number has more digits than our decimals hold; its column is landed as text instead."""
