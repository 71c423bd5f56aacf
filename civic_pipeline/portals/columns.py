"""Converts text from a portal to an Arrow array of the column's type. A value that cannot be converted is an error."""

import re
from contextlib import suppress

import pyarrow as pa
import pyarrow.compute as pc

from civic_pipeline.errors import NumberTooLong, ValueUnreadable
from civic_pipeline.portals.source import PortalColumn

# Exact for the numbers that portals send as text: 20 digits before the decimal point, 18 after it (coordinates have 15).
NUMBER = pa.decimal128(38, 18)
# Date and time without a zone. `time_zones` of the dataset says what it means (UTC, local time, date only).
CLOCK = pa.timestamp("ms")

_EPOCH = re.compile(r"-?[0-9]+(\.0*)?")
# Epoch milliseconds of the years 1 to 9999. DuckDB cannot read later ones, and nobody publishes them on purpose.
_FIRST, _LAST = -62_135_596_800_000, 253_402_300_799_999
_MAY_BE_LARGE = "[0-9]{21}|[eE]"
_A_NUMBER = r"^[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]+)?$"


def typed(text: pa.Array | pa.ChunkedArray, column: PortalColumn) -> pa.Array | pa.ChunkedArray:
    """`text` cast to `column.arrow_type`; empty text becomes null unless the type is text. Raises ValueUnreadable."""
    kind = column.arrow_type
    if pa.types.is_string(kind):
        return text
    with suppress(pa.ArrowInvalid):  # fast path: enough for almost every page
        return _cast(text, kind)
    stripped = pc.utf8_trim_whitespace(text)
    is_missing = pc.equal(stripped, "")
    if pa.types.is_integer(kind) or pa.types.is_floating(kind):
        # Some servers send NaN (with or without quotes) for a missing value.
        is_missing = pc.or_(is_missing, pc.equal(pc.utf8_lower(stripped), "nan"))
    present = pc.if_else(is_missing, pa.nulls(1, pa.string())[0], stripped)  # with None, Arrow would import pandas
    try:
        return _cast(present, kind)
    except (pa.ArrowInvalid, pa.ArrowNotImplementedError) as error:
        are_numbers = kind == NUMBER and pc.all(pc.match_substring_regex(present, _A_NUMBER)).as_py()
        failure = NumberTooLong if are_numbers else ValueUnreadable
        raise failure(column.name, column.portal_type, str(error)) from error


def _cast(text: pa.Array, kind: pa.DataType) -> pa.Array:
    if pa.types.is_timestamp(kind):
        return _clock(text, kind)
    if pa.types.is_integer(kind):
        return _whole(text)
    if pa.types.is_floating(kind):
        numbers = text.cast(kind)
        if pc.any(pc.is_nan(numbers)).as_py():
            raise pa.ArrowInvalid("NaN is not a number")
        return numbers
    # Arrow 26 casts 10**30 to 18960114910927365649.47 without an error.
    if kind == NUMBER and pc.any(pc.match_substring_regex(text, _MAY_BE_LARGE)).as_py() and _largest(text) >= 1e20:
        raise pa.ArrowInvalid("it has more than 20 digits before the decimal point")
    return text.cast(kind)


def _largest(text: pa.Array) -> float:
    largest: float = pc.max(pc.abs(text.cast(pa.float64()))).as_py()
    return largest


def _clock(text: pa.Array, kind: pa.DataType) -> pa.Array:
    """Timestamps from epoch milliseconds or ISO 8601 text; a suffix that means UTC is dropped."""
    first = pc.first(text).as_py()
    if first is not None and _EPOCH.fullmatch(first):  # a failed cast takes 50 times as long as a successful one
        moments = _whole(text)
        ends = pc.min_max(moments).as_py()
        if ends["min"] < _FIRST or ends["max"] > _LAST:
            raise pa.ArrowInvalid("it is before the year 1 or after the year 9999")
        return moments.cast(kind)
    with suppress(pa.ArrowInvalid):
        return text.cast(kind)
    return pc.replace_substring_regex(text, r"(Z|\+00:?00)$", "").cast(kind)


def _whole(text: pa.Array) -> pa.Array:
    """Integers; some servers send them with an empty fraction (410106100009.0)."""
    with suppress(pa.ArrowInvalid):
        return text.cast(pa.int64())
    return pc.replace_substring_regex(text, r"\.0*$", "").cast(pa.int64())
