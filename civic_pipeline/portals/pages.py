"""What paging has in common: pages of bounded size, side by side but in order, halved where they are too heavy."""

import ctypes
from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from itertools import chain, islice

import pyarrow as pa

from civic_pipeline.errors import PagingBroken, PortalOverloaded
from civic_pipeline.portals.http import TRIES, Client, T

# Bounds a page in memory whatever its width: 10,000 rows of up to 25 columns, 200 of 1,250.
_MOST_ROWS, _MOST_CELLS = 10_000, 250_000
# Threads beyond those that may ask: a page that waits for the decoder keeps nobody from asking for the next one.
_DECODING = 2
# How often a page that is empty but announces more is asked for.
_EMPTY_PAGES = 3


@dataclass(frozen=True)
class Page:
    """Rows as the portal sent them, typed; `is_flagged` where it says that more follow."""

    table: pa.Table
    is_flagged: bool = False


# glibc's M_MMAP_THRESHOLD: blocks from this size on go back to the system when they are freed. Left alone it grows with
# the first page that is freed, and the heap then keeps a hole for every page size it met (415 MB against 257 MB for
# 200,000 rows, benchmarks/extract.py). Other systems have no such knob and need none.
with suppress(AttributeError, OSError):
    ctypes.CDLL(None).mallopt(-3, 128 * 1024)

# A page from an offset on, of at most so many rows, in so many tries.
PageAt = Callable[[int, int, int], Page]


def page_rows(columns: int, most: int = _MOST_ROWS) -> int:
    """Rows to ask for at once of a source with that many columns, where the portal sends at most `most`."""
    return max(1, min(most, _MOST_CELLS // max(1, columns)))


def read_by_offset(client: Client, url: str, page_at: PageAt, counted: int, rows: int) -> Iterator[pa.Table]:
    """All pages in order: the counted rows and what may be beyond them by windows side by side, then what else there is.

    Raises PagingBroken where the pages make no sense.
    """
    starts = range(0, counted, rows)
    windows = (partial(_window, client, url, page_at, at, min(rows, counted - at)) for at in starts)
    beyond: list[pa.Table] = []

    def tail() -> list[pa.Table]:
        beyond.extend(_window(client, url, page_at, counted, rows))
        return beyond

    yield from in_order(chain(windows, [tail]), client)
    if beyond:
        yield from read_on(client, url, page_at, counted + sum(p.num_rows for p in beyond), rows, beyond[-1])


def read_on(
    client: Client, url: str, page_at: PageAt, start: int, rows: int, before: pa.Table | None = None
) -> Iterator[pa.Table]:
    """The pages from `start` on, one after the other, until one is empty; `before` is the one before. Raises PagingBroken."""
    while pages := _window(client, url, page_at, start, rows):
        _refuse_repeated(url, before, pages[0], start)
        yield from pages
        before = pages[-1]
        start += sum(page.num_rows for page in pages)


def in_order(windows: Iterator[Callable[[], list[pa.Table]]], client: Client) -> Iterator[pa.Table]:
    """The pages of every window, in the order of the windows, read side by side but never far ahead."""
    threads = client.at_once + _DECODING
    pool = ThreadPoolExecutor(threads, thread_name_prefix="portal")
    try:
        reading: deque[Future[list[pa.Table]]] = deque(pool.submit(window) for window in islice(windows, threads))
        while reading:
            pages = reading.popleft().result()
            reading.extend(pool.submit(window) for window in islice(windows, 1))
            yield from pages
    finally:
        pool.shutdown(wait=True, cancel_futures=True)


def halving(client: Client, rows: int, ask: Callable[[int, int], T]) -> T:
    """`ask(rows, tries)`, with half the rows as often as the portal gives up on so many. Raises PortalOverloaded for one row."""
    while True:
        try:
            return ask(rows, TRIES if rows == 1 else 2)
        except PortalOverloaded:
            if rows == 1:
                raise
            rows //= 2
            client.halved()


def _window(client: Client, url: str, page_at: PageAt, start: int, rows: int) -> list[pa.Table]:
    """The pages from `start` on until `rows` have come or there are no more; a page is never larger than the last one."""
    pages: list[pa.Table] = []
    received, size, empty = 0, rows, 0
    while received < rows:
        page = halving(client, min(size, rows - received), partial(page_at, start + received))
        if not page.table.num_rows:
            if not page.is_flagged:
                break
            empty += 1
            if empty == _EMPTY_PAGES:
                raise PagingBroken(url, f"it announces more rows after the first {start + received:,} but sends none")
            continue
        _refuse_repeated(url, pages[-1] if pages else None, page.table, start + received)
        pages.append(page.table)
        received, size, empty = received + page.table.num_rows, page.table.num_rows, 0
    return pages


def _refuse_repeated(url: str, before: pa.Table | None, page: pa.Table, after: int) -> None:
    """A portal that ignores the offset sends the same page for ever. Raises PagingBroken."""
    if before is not None and page.slice(0, 1).equals(before.slice(0, 1)):
        raise PagingBroken(url, f"it sends the same rows again after the first {after:,}")
