"""JSON values of one column -> one Arrow array of the column's type; a value that does not fit is an error, never a null."""

import json
from collections.abc import Sequence
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from civic_pipeline.errors import ValueUnreadable
from civic_pipeline.portals.source import PortalColumn

# Exact for every number a portal sends as text: 20 digits before the point, 18 behind it (coordinates have up to 15).
NUMBER = pa.decimal128(38, 18)
# A calendar's clock. What it means (UTC, local wall time, a date only) is the dataset's `time_zones`, applied on reading.
CLOCK = pa.timestamp("ms")


def to_array(values: Sequence[Any], column: PortalColumn) -> pa.Array:
    """`values` as an Arrow array of `column.arrow_type`. Raises ValueUnreadable."""
    kind = column.arrow_type
    try:
        if pa.types.is_string(kind):
            return pa.array([_text(value) for value in values], kind)
        if pa.types.is_decimal(kind):
            # Through text: a JSON number would pass through a float and lose digits.
            return pa.array(
                [None if value is None else str(value).strip() or None for value in values], pa.string()
            ).cast(kind)
        if pa.types.is_timestamp(kind):
            return _clock(values, kind)
        return _whole(values) if pa.types.is_integer(kind) else pa.array(values, kind)
    except (ValueError, pa.ArrowTypeError, OverflowError) as error:  # Arrow's own, or text that UTF-8 cannot hold
        raise ValueUnreadable(column.name, column.portal_type, str(error)) from error


def _text(value: Any) -> str | None:
    """Text as sent; nested values (urls, locations) as their JSON."""
    return value if value is None or isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def _clock(values: Sequence[Any], kind: pa.DataType) -> pa.Array:
    """Epoch milliseconds, or ISO text whose zone mark (if any) is dropped because it says UTC."""
    if any(isinstance(value, str) for value in values):
        text = pc.replace_substring_regex(pa.array(values, pa.string()), r"(Z|\+00:?00)$", "")
        return text.cast(kind)
    return _whole(values).cast(kind)


def _whole(values: Sequence[Any]) -> pa.Array:
    """Integers. Arrow alone would cut the fraction off a float without a word."""
    for value in values:
        if isinstance(value, float) and not value.is_integer():
            raise pa.ArrowInvalid(f"{value} is not a whole number")
    return pa.array(values, pa.int64())
