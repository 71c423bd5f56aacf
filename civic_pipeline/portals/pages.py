"""Paging for all portals: pages of bounded size, read in parallel, returned in order, halved if they are too large."""

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

# Limits the memory of a page at any width: 10,000 rows with up to 25 columns, 200 rows with 1,250 columns.
_MAX_ROWS, _MAX_CELLS = 10_000, 250_000
# More threads than requests at once: while pages wait for the decoder, other threads send the next requests.
_DECODING_THREADS = 2
# How often an empty page that announces more rows is requested.
_MAX_EMPTY_PAGES = 3


@dataclass(frozen=True)
class Page:
    """Rows in the order of the portal, typed. `is_flagged`: the portal says that more rows follow."""

    table: pa.Table
    is_flagged: bool = False


# glibc's M_MMAP_THRESHOLD: freed blocks of at least this size return to the system. By default glibc raises it when the
# first page is freed, and the heap becomes fragmented (415 MB instead of 257 MB for 200,000 rows, benchmarks/extract.py).
# Other systems do not have this setting and do not need it.
with suppress(AttributeError, OSError):
    ctypes.CDLL(None).mallopt(-3, 128 * 1024)

# (offset, maximum of rows, tries) -> page
PageAt = Callable[[int, int, int], Page]


def page_rows(columns: int, limit: int = _MAX_ROWS) -> int:
    """Rows per page for a source with this number of columns. `limit`: the portal's maximum."""
    return max(1, min(limit, _MAX_CELLS // max(1, columns)))


def read_by_offset(client: Client, url: str, page_at: PageAt, counted: int, rows: int) -> Iterator[pa.Table]:
    """All pages in order: the counted rows and the window after them in parallel, then page by page until one is empty.

    Raises PagingBroken if the pages are inconsistent.
    """
    starts = range(0, counted, rows)
    windows = (partial(_window, client, url, page_at, at, min(rows, counted - at)) for at in starts)
    beyond: list[pa.Table] = []

    def tail() -> list[pa.Table]:
        beyond.extend(_window(client, url, page_at, counted, rows))
        return beyond

    yield from in_order(chain(windows, [tail]), client)
    if beyond:
        yield from read_from(client, url, page_at, counted + sum(p.num_rows for p in beyond), rows, beyond[-1])


def read_from(
    client: Client, url: str, page_at: PageAt, start: int, rows: int, before: pa.Table | None = None
) -> Iterator[pa.Table]:
    """The pages from the offset `start`, one after the other, until one is empty. `before`: the page before `start`.

    Raises PagingBroken.
    """
    while pages := _window(client, url, page_at, start, rows):
        _refuse_repeated(url, before, pages[0], start)
        yield from pages
        before = pages[-1]
        start += sum(page.num_rows for page in pages)


def in_order(windows: Iterator[Callable[[], list[pa.Table]]], client: Client) -> Iterator[pa.Table]:
    """The pages of all windows in order. Windows are read in parallel, but only a few ahead of the caller."""
    threads = client.at_once + _DECODING_THREADS
    pool = ThreadPoolExecutor(threads, thread_name_prefix="portal")
    try:
        reading: deque[Future[list[pa.Table]]] = deque(pool.submit(window) for window in islice(windows, threads))
        while reading:
            pages = reading.popleft().result()
            reading.extend(pool.submit(window) for window in islice(windows, 1))
            yield from pages
    finally:
        pool.shutdown(wait=True, cancel_futures=True)


def ask_halving(client: Client, rows: int, ask: Callable[[int, int], T]) -> T:
    """The result of `ask(rows, tries)`; after each PortalOverloaded with half the rows.

    Raises PortalOverloaded if a single row fails.
    """
    while True:
        try:
            return ask(rows, TRIES if rows == 1 else 2)
        except PortalOverloaded:
            if rows == 1:
                raise
            rows //= 2
            client.count_halved_page()


def _window(client: Client, url: str, page_at: PageAt, start: int, rows: int) -> list[pa.Table]:
    """Pages from the offset `start` until there are `rows` rows or no more. No page is larger than the one before."""
    pages: list[pa.Table] = []
    received, size, empty = 0, rows, 0
    while received < rows:
        page = ask_halving(client, min(size, rows - received), partial(page_at, start + received))
        if not page.table.num_rows:
            if not page.is_flagged:
                break
            empty += 1
            if empty == _MAX_EMPTY_PAGES:
                raise PagingBroken(url, f"it announces more rows after the first {start + received:,} but sends none")
            continue
        _refuse_repeated(url, pages[-1] if pages else None, page.table, start + received)
        pages.append(page.table)
        received, size, empty = received + page.table.num_rows, page.table.num_rows, 0
    return pages


def _refuse_repeated(url: str, before: pa.Table | None, page: pa.Table, after: int) -> None:
    """Raise PagingBroken if two pages begin with the same row: the portal ignores the offset."""
    if before is not None and page.slice(0, 1).equals(before.slice(0, 1)):
        raise PagingBroken(url, f"it sends the same rows again after the first {after:,}")
