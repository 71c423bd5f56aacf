"""The standard streams of this process, which whoever starts it may have closed, filled, or set to another encoding."""

import io
import os
import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from _typeshed import ReadableBuffer


class _Output(io.FileIO):
    """Standard output. `problem`: why it could not be written; what comes after that is dropped, because Python writes once
    more at its end.
    """

    problem: OSError | None = None

    def write(self, data: "ReadableBuffer") -> int:
        if self.problem:
            return memoryview(data).nbytes
        try:
            return super().write(data)
        except OSError as error:
            self.problem = error
            raise


def prepare() -> None:
    """Open the closed ones: a file would get their number, and what a library prints would be written into it.

    A letter that the encoding of the output lacks is printed as its number.
    """
    for number in range(3):
        try:
            os.fstat(number)
        except OSError:
            os.open(os.devnull, os.O_RDWR)  # gets the lowest number that is free
    sys.stderr = sys.stderr or open(2, "w", encoding="utf-8", closefd=False)  # noqa: SIM115
    if sys.stdout is None or type(sys.stdout) is io.TextIOWrapper:  # else a test reads it
        encoding = sys.stdout.encoding if sys.stdout else "utf-8"
        output = io.BufferedWriter(_Output(1, "w", closefd=False))
        sys.stdout = io.TextIOWrapper(output, encoding, "backslashreplace", line_buffering=output.isatty())


def problem() -> OSError | None:
    """Why the standard output could not be written, or None."""
    output = getattr(sys.stdout, "buffer", None)
    return output.raw.problem if isinstance(output, io.BufferedWriter) and isinstance(output.raw, _Output) else None
