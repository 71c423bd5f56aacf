"""Text as portals send it -> an Arrow array of the column's type; a value that does not fit is an error, never a null."""

from contextlib import suppress

import pyarrow as pa
import pyarrow.compute as pc

from civic_pipeline.errors import ValueUnreadable
from civic_pipeline.portals.source import PortalColumn

# Exact for every number a portal sends as text: 20 digits before the point, 18 behind it (coordinates have up to 15).
NUMBER = pa.decimal128(38, 18)
# A calendar's clock. What it means (UTC, local wall time, a date only) is the dataset's `time_zones`, applied on reading.
CLOCK = pa.timestamp("ms")


def typed(text: pa.Array | pa.ChunkedArray, column: PortalColumn) -> pa.Array | pa.ChunkedArray:
    """`text` as `column.arrow_type`. Empty text is a missing number or date. Raises ValueUnreadable."""
    kind = column.arrow_type
    if pa.types.is_string(kind):
        return text
    with suppress(pa.ArrowInvalid):  # almost every page needs no more than a cast
        return _cast(text, kind)
    try:
        stripped = pc.utf8_trim_whitespace(text)
        return _cast(pc.if_else(pc.equal(stripped, ""), pa.nulls(1, pa.string())[0], stripped), kind)
    except (pa.ArrowInvalid, pa.ArrowNotImplementedError) as error:
        raise ValueUnreadable(column.name, column.portal_type, str(error)) from error


def _cast(text: pa.Array, kind: pa.DataType) -> pa.Array:
    if pa.types.is_timestamp(kind):
        return _clock(text, kind)
    if pa.types.is_integer(kind):
        return _whole(text)
    array = text.cast(kind)
    # NaN, bare or quoted, is how some servers write that there is no value. (A plain None would make Arrow import pandas.)
    return pc.if_else(pc.is_nan(array), pa.nulls(1, kind)[0], array) if pa.types.is_floating(kind) else array


def _clock(text: pa.Array, kind: pa.DataType) -> pa.Array:
    """ISO text whose zone mark (if any) is dropped because it says UTC, or epoch milliseconds."""
    with suppress(pa.ArrowInvalid):
        return text.cast(kind)
    with suppress(pa.ArrowInvalid):
        return _whole(text).cast(kind)
    return pc.replace_substring_regex(text, r"(Z|\+00:?00)$", "").cast(kind)


def _whole(text: pa.Array) -> pa.Array:
    """Integers, also where they are sent as floats without a fraction (410106100009.0)."""
    with suppress(pa.ArrowInvalid):
        return text.cast(pa.int64())
    return pc.replace_substring_regex(text, r"\.0*$", "").cast(pa.int64())
