"""A program that `workbook.py` runs: writes the rows of one sheet as text to a file of Arrow record batches.

It is a separate process because the library (in Rust) allocates memory for every cell between the first and the last used
one, and aborts the process if memory runs out. One stray cell in the last column is enough for that.
"""

import json
import resource
import sys
from datetime import date, datetime, time, timedelta
from itertools import islice

import pyarrow as pa
from python_calamine import CalamineError, CalamineWorkbook

_MAX_MEMORY_BYTES = 4 << 30
_PAGE_CELLS = 250_000

Cell = str | int | float | bool | date | datetime | time | timedelta


def write_rows(workbook: str, sheet: str, to: str) -> dict[str, str]:
    """Write the rows of `sheet` (empty: the first sheet) that have a value to `to`. Returns `sheet` or `problem`."""
    opened = CalamineWorkbook.from_path(workbook)
    names = opened.sheet_names
    if not names or (sheet and sheet not in names):
        return {"problem": f"it has no sheet {sheet!r}; its sheets: {', '.join(names) or 'none'}"}
    name = sheet or names[0]
    cells = opened.get_sheet_by_name(name)
    if cells.end is None:
        return {"problem": f"its sheet {name!r} is empty"}
    schema = pa.schema([(str(place), pa.string()) for place in range(cells.end[1] + 1)])
    texts = (list(map(text_of, row)) for row in cells.iter_rows())
    rows = (row for row in texts if any(text is not None for text in row))
    with pa.OSFile(to, "wb") as file, pa.ipc.new_stream(file, schema) as stream:
        while page := list(islice(rows, max(1, _PAGE_CELLS // len(schema)))):
            stream.write_batch(
                pa.record_batch([pa.array(values, pa.string()) for values in zip(*page, strict=True)], schema)
            )
    return {"sheet": name}


def text_of(value: Cell) -> str | None:
    """A cell as text: a number in the shortest form that gives the same double, a date in ISO 8601, a duration as h:mm:ss."""
    match value:
        case "":
            return None
        case str():
            return value
        case bool():
            return str(value).lower()
        case int():
            return str(value)
        case float():
            return f"{value:.0f}" if value.is_integer() else repr(value)
        case timedelta():
            minutes, seconds = divmod(value.total_seconds(), 60)
            return f"{minutes // 60:.0f}:{minutes % 60:02.0f}:{seconds:06.3f}".removesuffix(".000")
        case _:
            return value.isoformat()


if __name__ == "__main__":
    resource.setrlimit(resource.RLIMIT_AS, (_MAX_MEMORY_BYTES, _MAX_MEMORY_BYTES))
    try:
        print(json.dumps(write_rows(*sys.argv[1:])))
    except CalamineError as error:
        print(json.dumps({"problem": f"it is not a complete Excel workbook ({error})"}))
    except OSError as error:
        print(json.dumps({"errno": error.errno, "message": str(error)}))
