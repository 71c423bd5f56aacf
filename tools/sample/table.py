"""A generated file: its rows, its entry in `portal.yml`, and the number of defects of each kind."""

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
    """`entry` has the keys of `portal.yml` except `file`; `defects` counts the intended defects by description."""

    file: str
    entry: dict[str, object]
    header: Sequence[str]
    rows: list[Row] = field(default_factory=list)
    defects: Counter[str] = field(default_factory=Counter)

    def column(self, name: str) -> int:
        return self.header.index(name)

    def write(self, folder: Path) -> None:
        """Write gzipped CSV. Its bytes depend only on the rows: the gzip header has no name and no time."""
        text = io.StringIO()
        writer = csv.writer(text, lineterminator="\n")
        writer.writerow(self.header)
        writer.writerows(self.rows)
        (folder / self.file).write_bytes(gzip.compress(text.getvalue().encode(), compresslevel=9, mtime=0))


def seeded(name: str) -> random.Random:
    """Return a separate random generator for each part, so that a change in one part does not change the others."""
    return random.Random(f"civic_pipeline sample {name}")


def poisson(rng: random.Random, mean: float) -> int:
    """Return a random count with this mean, by the normal approximation."""
    return max(0, round(rng.gauss(mean, mean**0.5))) if mean > 0 else 0
