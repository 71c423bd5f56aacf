"""A generated file: its rows, what `portal.yml` says of it, and a count of every kind of dirt put into it."""

import csv
import gzip
import io
import random
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

Cell = str | int | float | None
Row = list[Cell]


@dataclass
class Table:
    """`entry` holds the keys of `portal.yml` besides `file`; `dirt` says what is wrong on purpose, and how often."""

    file: str
    entry: dict[str, object]
    header: Sequence[str]
    rows: list[Row] = field(default_factory=list)
    dirt: Counter[str] = field(default_factory=Counter)

    def column(self, name: str) -> int:
        return self.header.index(name)

    def write(self, folder: Path) -> None:
        """As gzipped CSV whose bytes depend on the rows alone: no name and no time in the gzip header."""
        text = io.StringIO()
        writer = csv.writer(text, lineterminator="\n")
        writer.writerow(self.header)
        writer.writerows(self.rows)
        (folder / self.file).write_bytes(gzip.compress(text.getvalue().encode(), compresslevel=9, mtime=0))


def seeded(name: str) -> random.Random:
    """A stream of its own for each part, so that a change in one leaves the others as they were."""
    return random.Random(f"civic_pipeline sample {name}")


def poisson(rng: random.Random, mean: float) -> int:
    """A count with this mean; the normal approximation is good enough for made-up figures."""
    return max(0, round(rng.gauss(mean, mean**0.5))) if mean > 0 else 0
