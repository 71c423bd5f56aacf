"""Text as portals send it -> an Arrow array of the column's type; a value that does not fit is an error, never a null."""

import re
from contextlib import suppress

import pyarrow as pa
import pyarrow.compute as pc

from civic_pipeline.errors import NumberTooLong, ValueUnreadable
from civic_pipeline.portals.source import PortalColumn

# Exact for every number a portal sends as text: 20 digits before the point, 18 behind it (coordinates have up to 15).
NUMBER = pa.decimal128(38, 18)
# A calendar's clock. What it means (UTC, local wall time, a date only) is the dataset's `time_zones`, applied on reading.
CLOCK = pa.timestamp("ms")

_EPOCH = re.compile(r"-?[0-9]+(\.0*)?")
_MAY_BE_LARGE = "[0-9]{21}|[eE]"
_A_NUMBER = r"^[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]+)?$"


def typed(text: pa.Array | pa.ChunkedArray, column: PortalColumn) -> pa.Array | pa.ChunkedArray:
    """`text` as `column.arrow_type`. Empty text is a missing number or date. Raises ValueUnreadable."""
    kind = column.arrow_type
    if pa.types.is_string(kind):
        return text
    with suppress(pa.ArrowInvalid):  # almost every page needs no more than a cast
        return _cast(text, kind)
    stripped = pc.utf8_trim_whitespace(text)
    is_missing = pc.equal(stripped, "")
    if pa.types.is_integer(kind) or pa.types.is_floating(kind):
        # NaN, bare or quoted, is how some servers write that there is no value.
        is_missing = pc.or_(is_missing, pc.equal(pc.utf8_lower(stripped), "nan"))
    present = pc.if_else(
        is_missing, pa.nulls(1, pa.string())[0], stripped
    )  # a plain None would make Arrow import pandas
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
    # Arrow 26 casts 1 and 30 zeros to 18960114910927365649.47 without a word.
    if kind == NUMBER and pc.any(pc.match_substring_regex(text, _MAY_BE_LARGE)).as_py() and _largest(text) >= 1e20:
        raise pa.ArrowInvalid("it has more than 20 digits before the point")
    return text.cast(kind)


def _largest(text: pa.Array) -> float:
    largest: float = pc.max(pc.abs(text.cast(pa.float64()))).as_py()
    return largest


def _clock(text: pa.Array, kind: pa.DataType) -> pa.Array:
    """ISO text whose zone mark (if any) is dropped because it says UTC, or epoch milliseconds."""
    first = pc.first(text).as_py()
    if first is not None and _EPOCH.fullmatch(first):  # an attempt that fails costs fifty times one that does not
        return _whole(text).cast(kind)
    with suppress(pa.ArrowInvalid):
        return text.cast(kind)
    return pc.replace_substring_regex(text, r"(Z|\+00:?00)$", "").cast(kind)


def _whole(text: pa.Array) -> pa.Array:
    """Integers, also where they are sent as floats without a fraction (410106100009.0)."""
    with suppress(pa.ArrowInvalid):
        return text.cast(pa.int64())
    return pc.replace_substring_regex(text, r"\.0*$", "").cast(pa.int64())
