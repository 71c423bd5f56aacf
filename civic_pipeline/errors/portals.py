"""Errors of requests to portals, and of the responses and files that they send."""

from collections.abc import Sequence

from civic_pipeline.errors.base import OneLineError


class HostPrivate(OneLineError):
    """A request would reach this machine or a private network, through an item's URL, a redirect or a host name."""

    def __init__(self, host: str, address: str) -> None:
        where = host if host == address else f"{host} ({address})"
        super().__init__(
            f"A request would go to {where}, which is not on the public internet, so it was not sent. Check where the address"
            " in `source`, the item's own URL or a redirect of the portal leads, and report it to the publisher. To read from"
            " this host on purpose, use --allow-private-hosts with `civic capture` or `civic add`."
        )


class RedirectInsecure(OneLineError):
    """A portal redirects from https to an address without encryption."""

    def __init__(self, url: str, target: str) -> None:
        super().__init__(
            f"{url} redirects to {target}, which is not encrypted: others could change what it sends, so nothing was read."
            " Report it to the publisher, or use an https address of the data."
        )


class PortalUnreachable(OneLineError):
    """No data at present: no network, a refused or broken connection, or an HTTP status for a temporary failure.

    `retry_after`: seconds to wait, if the portal gives them. `throttled`: the portal limits our rate of requests.
    """

    def __init__(self, url: str, why: str, retry_after: float | None = None, throttled: bool = False) -> None:
        super().__init__(
            f"{url} could not be reached: {why}. Check the network and the portal's status page, then run again."
        )
        self.retry_after, self.throttled = retry_after, throttled


class PortalOverloaded(PortalUnreachable):
    """The portal could not finish a request: a timeout, an HTTP 5xx or such a message. A smaller page may succeed."""


class PagingBroken(OneLineError):
    """The pages of a portal do not add up to its rows, even after retries."""

    def __init__(self, url: str, what: str) -> None:
        super().__init__(
            f"{url} returns inconsistent pages: {what}. Nothing of this read was stored. Run again later, or report it to"
            " the publisher."
        )


class SourceNotFound(OneLineError):
    """The portal responds, but has no such dataset, item or layer."""

    def __init__(self, what: str, url: str, why: str) -> None:
        super().__init__(
            f"{what} was not found at {url}: {why}. The publisher may have moved or removed it: search for the title on the"
            " portal and correct `source` in defs.yaml."
        )


class PortalRefused(OneLineError):
    """The portal returned an error message, possibly with HTTP status 200."""

    def __init__(self, url: str, answer: str) -> None:
        super().__init__(f"{url} returned an error: {answer}. Nothing of this read was stored; run `civic doctor`.")


class AnswerUnreadable(OneLineError):
    """The portal returned another format than the requested one, such as an HTML page."""

    def __init__(self, url: str, expected: str, got: str) -> None:
        super().__init__(
            f"{url} returned {got}; expected {expected}. A portal that has moved often redirects to its home page: open the"
            " address in a browser and correct `source` in defs.yaml."
        )
        self.got = got


class LayerAmbiguous(OneLineError):
    """Several layers of a service have the name of the source."""

    def __init__(self, layer: str, service: str, numbers: Sequence[int]) -> None:
        super().__init__(
            f"{service} has {len(numbers)} layers named {layer!r}: {', '.join(map(str, numbers))}. Choose one: add its"
            " `number` below `layer` in defs.yaml."
        )


class NamesAlike(OneLineError):
    """A source has columns whose names look alike: equal without case, blanks at their ends and characters that nobody sees."""

    def __init__(self, url: str, names: Sequence[str]) -> None:
        super().__init__(
            f"{url} has columns whose names differ only in case, or in what nobody sees: {', '.join(names)}. SQL or a reader cannot"
            " tell them apart, so nothing was read. Report it to the publisher, who can rename one."
        )


class FileUnreadable(OneLineError):
    """A complete file that is not a table: rows of different length, damaged, or a format that is not supported."""

    def __init__(self, url: str, problem: str) -> None:
        super().__init__(
            f"{url} cannot be read as a table: {problem}. Correct the file or ask its publisher to. Nothing of it was stored."
        )


class ProjectionUnexpected(OneLineError):
    """Coordinates in a reference system that is not WGS 84 (EPSG:4326), which our geometries are in."""

    def __init__(self, url: str, system: str) -> None:
        super().__init__(
            f"{url} has coordinates in {system}, not in degrees of longitude and latitude (EPSG:4326), so nothing was stored."
            " Use a version of it in EPSG:4326 (for a file: ogr2ogr -t_srs EPSG:4326), or ask the publisher for one."
        )


class ValueUnreadable(OneLineError):
    """A value cannot be parsed as the type that the portal declares for its column."""

    def __init__(self, column: str, portal_type: str, problem: str) -> None:
        super().__init__(
            f"The portal declares column {column!r} as {portal_type!r}, but a value does not parse as one: {problem}."
            " Nothing was stored. Report it to the publisher."
        )
        self.column, self.portal_type = column, portal_type

    def without_value(self) -> "ValueUnreadable":
        """The same of a column about persons, whose values no message shows."""
        return ValueUnreadable(self.column, self.portal_type, "it is about a person and not shown")


class NumberTooLong(ValueUnreadable):
    """A number has more digits than DECIMAL(38, 18) holds. Its column is stored as text instead."""
