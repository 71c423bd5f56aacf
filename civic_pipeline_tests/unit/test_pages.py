"""Paging without a portal: windows in order, pages that become smaller, inconsistent pages."""

from collections.abc import Callable

import pyarrow as pa
import pytest

from civic_pipeline.errors import PagingBroken, PortalOverloaded
from civic_pipeline.portals.http import Client
from civic_pipeline.portals.pages import Page, page_rows, read_by_offset, read_from

ROWS = 50


def pages_of(cap: int = ROWS, heavy: int = 1000) -> Callable[[int, int, int], Page]:
    """A portal with 50 rows that sends at most `cap` rows at once and fails if asked for more than `heavy`."""

    def page_at(offset: int, rows: int, tries: int) -> Page:
        assert tries
        if rows > heavy:
            raise PortalOverloaded("https://x", "too large")
        return Page(pa.table({"id": pa.array(range(offset, min(offset + min(rows, cap), ROWS)), pa.int64())}))

    return page_at


@pytest.mark.parametrize("counted", [ROWS, ROWS - 7, ROWS + 9, 0])
@pytest.mark.parametrize("rows", [1, 7, 50, 60])
@pytest.mark.parametrize(("cap", "heavy"), [(ROWS, 1000), (3, 1000), (ROWS, 2)])
def test_every_row_is_read_once_and_in_order_even_if_the_count_is_wrong(
    counted: int, rows: int, cap: int, heavy: int
) -> None:
    client = Client(3)
    actual = pa.concat_tables(read_by_offset(client, "https://x", pages_of(cap, heavy), counted, rows))
    assert actual["id"].to_pylist() == list(range(ROWS))
    assert (client.traffic.pages_halved > 0) == (heavy < rows)


def test_one_row_that_is_too_large_is_an_error() -> None:
    with pytest.raises(PortalOverloaded):
        list(read_from(Client(1), "https://x", pages_of(heavy=0), 0, 10))


def test_a_portal_that_ignores_the_offset_is_detected() -> None:
    page = Page(pa.table({"id": [1, 2, 3]}))
    with pytest.raises(PagingBroken, match="the same rows again after the first 3"):
        list(read_from(Client(1), "https://x", lambda *_: page, 0, 3))
    with pytest.raises(PagingBroken, match="the same rows again after the first 3"):
        list(read_from(Client(1), "https://x", lambda *_: page, 0, 10))


def test_a_portal_that_announces_rows_and_sends_none_is_detected() -> None:
    offsets: list[int] = []
    empty = Page(pa.table({"id": pa.array([], pa.int64())}), is_flagged=True)
    with pytest.raises(PagingBroken, match="announces more rows after the first 5 but sends none"):
        list(read_from(Client(1), "https://x", lambda offset, *_: offsets.append(offset) or empty, 5, 10))
    assert offsets == [5, 5, 5]


def test_wide_tables_have_fewer_rows_per_page() -> None:
    assert (page_rows(13), page_rows(1250), page_rows(13, limit=1000), page_rows(10**6)) == (10_000, 200, 1000, 1)
