"""JSON values as portals send them -> Arrow arrays: exact, or refused by the column's name."""

from datetime import UTC, datetime
from decimal import Decimal

import pyarrow as pa
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from civic_pipeline.errors import ValueUnreadable
from civic_pipeline.portals import PortalColumn
from civic_pipeline.portals.columns import CLOCK, NUMBER, to_array

KINDS = {
    "text": pa.string(),
    "number": NUMBER,
    "date": CLOCK,
    "Integer": pa.int64(),
    "Double": pa.float64(),
    "checkbox": pa.bool_(),
}
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=5,
)


def column(kind: str) -> PortalColumn:
    return PortalColumn(name="the_column", portal_type=kind, arrow_type=KINDS[kind], title="")


def at(year: int, month: int, day: int, hour: int = 0, minute: int = 0, second: int = 0, milli: int = 0) -> datetime:
    """A clock without a zone, as it is landed."""
    return datetime(year, month, day, hour, minute, second, milli * 1000)


def clock(*values: object) -> list[datetime | None]:
    return to_array(values, column("date")).to_pylist()


def test_numbers_sent_as_text_keep_every_digit() -> None:
    values = ["0.1", "-76.612345678901234", "12345678901234567890.01", None, " ", 7]
    assert to_array(values, column("number")).to_pylist() == [
        Decimal("0.1"), Decimal("-76.612345678901234"), Decimal("12345678901234567890.01"), None, None, 7,
    ]  # fmt: skip


def test_a_missing_value_stays_missing_in_every_type() -> None:
    for kind, arrow in KINDS.items():
        assert to_array([None, None], column(kind)).to_pylist() == [None, None]
        assert to_array([], column(kind)).type == arrow


def test_text_is_kept_as_sent_and_nested_values_as_their_json() -> None:
    assert to_array([" 01 ", "", {"url": "https://é"}, 5], column("text")).to_pylist() == [
        " 01 ", "", '{"url": "https://é"}', "5",
    ]  # fmt: skip


def test_dates_come_as_iso_text_or_epoch_milliseconds_also_before_1970() -> None:
    moment = at(2024, 3, 5, 14, 30)
    assert clock("2024-03-05T14:30:00.000", "2024-03-05T14:30:00Z", "2024-03-05T14:30:00+00:00", None) == [
        moment
    ] * 3 + [None]
    assert clock(int(moment.replace(tzinfo=UTC).timestamp() * 1000), -86_400_001, None) == [
        moment, at(1969, 12, 30, 23, 59, 59, 999), None,
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("kind", "value"),
    [
        ("number", "n/a"), ("number", "1,234"), ("number", True), ("number", "1e40"), ("number", "NaN"), ("date", "2024-13-01"),
        ("date", "soon"), ("date", 1.5), ("Integer", "7"), ("Integer", 1.5), ("Integer", 2**63), ("Double", "x"), ("checkbox", "yes"),
    ],
)  # fmt: skip
def test_a_value_that_does_not_fit_is_refused_with_the_columns_name(kind: str, value: object) -> None:
    with pytest.raises(ValueUnreadable, match=rf"'the_column' is declared '{kind}'"):
        to_array([None, value], column(kind))


@pytest.mark.parametrize("kind", KINDS)
@given(values=st.lists(JSON, max_size=4))
@example(values=["\ud800"])  # half of an emoji, which JSON can carry and UTF-8 cannot
@example(values=["2024-01-01", {"a": 1}])
@example(values=[[], 1])
def test_whatever_json_a_portal_sends_is_an_array_or_refused_by_name(kind: str, values: list[object]) -> None:
    try:
        array = to_array(values, column(kind))
    except ValueUnreadable:
        pass
    else:
        assert len(array) == len(values)
        assert array.type == KINDS[kind]
