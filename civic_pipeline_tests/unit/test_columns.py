"""Text from portals as Arrow arrays: exact, or an error that names the column."""

import subprocess
import sys
from contextlib import suppress
from datetime import UTC, date, datetime
from decimal import Decimal

import pyarrow as pa
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from civic_pipeline.errors import NumberTooLong, ValueUnreadable
from civic_pipeline.portals import PortalColumn
from civic_pipeline.portals.columns import CLOCK, NUMBER, typed

KINDS = {
    "text": pa.string(),
    "number": NUMBER,
    "date": CLOCK,
    "Integer": pa.int64(),
    "Double": pa.float64(),
    "checkbox": pa.bool_(),
    "DateOnly": pa.date32(),
}


def array_of(kind: str, *values: str | None) -> pa.Array:
    column = PortalColumn(name="the_column", portal_type=kind, arrow_type=KINDS[kind], title="")
    array = typed(pa.array(values, pa.string()), column)
    assert array.type == KINDS[kind]
    assert len(array) == len(values)
    return array


def read(kind: str, *values: str | None) -> list[object]:
    actual: list[object] = array_of(kind, *values).to_pylist()
    return actual


def test_numbers_keep_every_digit() -> None:
    assert read("number", "0.1", "-76.612345678901234", "12345678901234567890.01", "1.5E-7", None, " ", "") == [
        Decimal("0.1"), Decimal("-76.612345678901234"), Decimal("12345678901234567890.01"), Decimal("0.00000015"),
        None, None, None,
    ]  # fmt: skip


def test_whole_numbers_also_come_as_floats() -> None:
    assert read("Integer", "410106100009.0", "9007199254740993", "-1", None) == [
        410106100009,
        9007199254740993,
        -1,
        None,
    ]


def test_nan_is_a_missing_value() -> None:
    assert read("Double", "NaN", "nan", "1.25", "-1e-3", None) == [None, None, 1.25, -0.001, None]
    assert read("Integer", "NaN", "7", None) == [None, 7, None]


@pytest.mark.parametrize("kind", KINDS)
def test_a_missing_value_stays_missing_in_every_type(kind: str) -> None:
    assert read(kind, None, None) == [None, None]
    assert read(kind) == []


def test_text_is_kept_as_sent() -> None:
    assert read("text", " 01 ", "", "NaN", "é") == [" 01 ", "", "NaN", "é"]


def test_dates_are_iso_text_or_epoch_milliseconds_also_before_1970() -> None:
    moment = datetime(2024, 3, 5, 14, 30)
    assert read("date", "2024-03-05T14:30:00.000", "2024-03-05T14:30:00Z", "2024-03-05T14:30:00+00:00", None) == [
        *[moment] * 3, None,
    ]  # fmt: skip
    epoch = int(moment.replace(tzinfo=UTC).timestamp() * 1000)
    assert read("date", "0") == [datetime(1970, 1, 1)]
    assert read("date", str(epoch), "-86400001", f"{epoch}.0", None) == [
        moment, datetime(1969, 12, 30, 23, 59, 59, 999000), moment, None,
    ]  # fmt: skip
    assert read("date", "-62135596800000", "253402300799999") == [
        datetime(1, 1, 1),
        datetime(9999, 12, 31, 23, 59, 59, 999000),
    ]
    assert read("DateOnly", "2024-01-31", None) == [date(2024, 1, 31), None]


@pytest.mark.parametrize(
    ("kind", "value"),
    [
        ("number", "n/a"), ("number", "1,234"), ("number", "true"), ("number", "1e40"), ("number", "NaN"),
        ("number", "0.1234567890123456789"), ("date", "2024-13-01"), ("date", "soon"), ("date", "1.5"), ("Integer", "x"),
        ("Integer", "1.5"), ("Integer", str(2**63)), ("date", "99999999999999999"), ("date", "-99999999999999"), ("Double", "x"), ("checkbox", "yes"), ("DateOnly", "31.1.2024"),
    ],
)  # fmt: skip
def test_a_value_of_another_type_is_an_error_that_names_the_column(kind: str, value: str) -> None:
    with pytest.raises(ValueUnreadable, match=rf"column 'the_column' as '{kind}', but a value does not parse"):
        read(kind, None, value)


def test_pages_are_typed_without_pandas() -> None:
    """Arrow imports it (a second, 50 MB) to convert a Python value to a scalar; benchmarks/extract.py would miss its target."""
    program = (
        "import io, sys; from pyarrow import csv; from civic_pipeline.portals import PortalColumn, columns as c; import pyarrow as pa\n"
        "page = csv.read_csv(io.BytesIO(b'1136073600000,1.5,7'), csv.ReadOptions(column_names=['a', 'b', 'c']),\n"
        "    convert_options=csv.ConvertOptions(column_types=dict.fromkeys('abc', pa.string())))\n"
        "for name, kind in zip('abc', (c.CLOCK, c.NUMBER, pa.float64())): c.typed(page[name], PortalColumn(name, '', kind, ''))\n"
        "assert 'pandas' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", program], check=True)


@pytest.mark.parametrize("kind", KINDS)
@given(values=st.lists(st.none() | st.text() | st.integers().map(str) | st.floats().map(str), max_size=4))
@example(values=["2024-01-01", "1"])
@example(values=["1.0", "1"])
def test_any_text_is_an_array_or_an_error(kind: str, values: list[str | None]) -> None:
    with suppress(ValueUnreadable):
        array_of(kind, *values)


@pytest.mark.parametrize("value", ["1e40", "0.1234567890123456789", "-123456789012345678901234567890"])
def test_a_number_with_too_many_digits_has_its_own_error(value: str) -> None:
    with pytest.raises(NumberTooLong):
        array_of("number", "1", value, None)
    with pytest.raises(ValueUnreadable) as other:
        array_of("number", "x", value)
    assert not isinstance(other.value, NumberTooLong)


@given(values=st.lists(st.decimals(allow_nan=False, allow_infinity=False), max_size=4))
@example(values=[Decimal(10) ** 30])
@example(values=[Decimal(12345678901234567890123456789012345678)])
def test_a_number_is_exact_or_an_error(values: list[Decimal]) -> None:
    with suppress(NumberTooLong):
        assert read("number", *map(str, values)) == values
