"""`python -m tools.price_index`: write the seed `price_indexes` from the PyPI package `cpi`, which ships the data of the BLS.

The package is needed here only: `pip install cpi` in an environment of its own, then run this in it from the project's root.
"""

import csv
import sqlite3
from contextlib import closing
from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path

SERIES = "CUUR0000SA0"
TITLE = "CPI-U, U.S. city average, all items, not seasonally adjusted, 1982-84 = 100"
FIRST_YEAR = 2010
SEED = Path(__file__).parents[1] / "data" / "seeds" / "price_indexes.csv"


def monthly_values(database: Path) -> list[tuple[str, float]]:
    """The first day of each month that the bureau published, and its index. A month that it did not publish is absent."""
    with closing(sqlite3.connect(f"file:{database}?mode=ro", uri=True)) as connection:
        rows = connection.execute(
            "select year, period, value from indexes where series = ? and year >= ? and period between 'M01' and 'M12'"
            " order by year, period",
            [SERIES, FIRST_YEAR],
        ).fetchall()
    return [(f"{year}-{period[1:]}-01", value) for year, period, value in rows]


def main() -> None:
    package = find_spec("cpi")
    if package is None or package.origin is None:
        raise SystemExit("the package cpi is not installed here: pip install cpi")
    source = f"Bureau of Labor Statistics, by the PyPI package cpi {version('cpi')}"
    values = monthly_values(Path(package.origin).parent / "cpi.db")
    with SEED.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(("series_id", "series_title", "month", "index_value", "source"))
        writer.writerows((SERIES, TITLE, month, f"{value:.3f}", source) for month, value in values)
    print(f"{SEED.name}: {len(values)} months, {values[0][0]} to {values[-1][0]}")


if __name__ == "__main__":
    main()
