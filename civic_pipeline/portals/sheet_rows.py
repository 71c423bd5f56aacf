"""Run as a program by `workbook.py`: the rows of one sheet of a workbook, as text, into a file of Arrow record batches.

A process of its own, because the library (in Rust) makes room for every cell between the first and the last one in use,
and where memory does not suffice ends the process: a single stray cell in the last column is enough.
"""

import json
import resource
import sys
from datetime import date, datetime, time, timedelta
from itertools import islice

import pyarrow as pa
from python_calamine import CalamineError, CalamineWorkbook

_MOST_MEMORY_BYTES = 4 << 30
_PAGE_CELLS = 250_000

Cell = str | int | float | bool | date | datetime | time | timedelta


def write_rows(workbook: str, sheet: str, to: str) -> dict[str, str]:
    """Write the rows with a value; `sheet` empty stands for the first. Returns its name, or what is the problem."""
    opened = CalamineWorkbook.from_path(workbook)
    names = opened.sheet_names
    if not names or (sheet and sheet not in names):
        return {"problem": f"it has no sheet {sheet!r}, only {', '.join(names) or 'none at all'}"}
    name = sheet or names[0]
    found = opened.get_sheet_by_name(name)
    if found.end is None:
        return {"problem": f"its sheet {name!r} is empty"}
    schema = pa.schema([(str(place), pa.string()) for place in range(found.end[1] + 1)])
    texts = (list(map(text_of, row)) for row in found.iter_rows())
    rows = (row for row in texts if any(text is not None for text in row))
    with pa.OSFile(to, "wb") as file, pa.ipc.new_stream(file, schema) as stream:
        while page := list(islice(rows, max(1, _PAGE_CELLS // len(schema)))):
            stream.write_batch(
                pa.record_batch([pa.array(values, pa.string()) for values in zip(*page, strict=True)], schema)
            )
    return {"sheet": name}


def text_of(value: Cell) -> str | None:
    """A cell as text: a number as briefly as leads back to the same double, a date as ISO, a span as hours:minutes:seconds."""
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
    resource.setrlimit(resource.RLIMIT_AS, (_MOST_MEMORY_BYTES, _MOST_MEMORY_BYTES))
    try:
        print(json.dumps(write_rows(*sys.argv[1:])))
    except CalamineError as error:
        print(json.dumps({"problem": f"it is no whole Excel workbook ({error})"}))
    except OSError as error:
        print(json.dumps({"errno": error.errno, "why": str(error)}))
