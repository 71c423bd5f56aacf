"""Schema `seeds`: the reviewed mappings in `data/seeds`, and the places as `place.yaml` describes them.

A seed is one CSV file, or a folder with one CSV per place; all its files have the same columns.
"""

import csv
from dataclasses import dataclass
from pathlib import Path

import duckdb

from civic_pipeline.catalog import load_places, refuse_name
from civic_pipeline.errors import FileInvalid
from civic_pipeline.sql_text import literal

_PLACES = {
    "places": "place varchar, kind varchar, title varchar, state varchar, time_zone varchar,"
    " fiscal_year_first_month integer, fiscal_year_named_by varchar, owners varchar[]",
    "place_populations": "place varchar, year integer, residents bigint, source varchar",
}


@dataclass(frozen=True)
class Seed:
    """One table of schema `seeds` from CSV files; all its columns are text."""

    path: Path
    files: tuple[Path, ...]
    columns: tuple[str, ...]


def read_seeds(root: Path) -> dict[str, Seed]:
    """The seeds under `root/data/seeds` by name.

    Raises FileInvalid for a name that cannot name a table, and for a file whose columns differ from the other files of its
    seed.
    """
    seeds = {}
    for path in sorted((root / "data" / "seeds").glob("*")):
        files = tuple(sorted(path.glob("*.csv"))) if path.is_dir() else (path,)
        if not files or files[0].suffix != ".csv":
            continue
        refuse_name(path, path.stem)
        columns = _columns(files[0])
        for file in files[1:]:
            if set(_columns(file)) != set(columns):
                listed = ", ".join(_columns(file))
                raise FileInvalid(file, [(1, f"its columns are {listed}; {files[0].name} has {', '.join(columns)}")])
        seeds[path.stem] = Seed(path, files, columns)
    return seeds


def seed_columns(root: Path) -> dict[str, tuple[str, ...]]:
    """The columns of every table of schema `seeds`, also of the places. Raises FileInvalid."""
    places = {name: tuple(column.split()[0] for column in columns.split(",")) for name, columns in _PLACES.items()}
    return {name: seed.columns for name, seed in read_seeds(root).items()} | places


def seed_paths(root: Path) -> dict[str, Path]:
    """The file or folder of each table of schema `seeds`. Raises FileInvalid."""
    places = dict.fromkeys(_PLACES, root / "civic_pipeline" / "defs")
    return {name: seed.path for name, seed in read_seeds(root).items()} | places


def create_seeds(connection: duckdb.DuckDBPyConnection, root: Path) -> None:
    """Replace the tables of schema `seeds`. Raises FileInvalid, CatalogIncomplete."""
    for name, seed in read_seeds(root).items():
        files = ", ".join(literal(str(file)) for file in seed.files)
        connection.execute(
            f"create or replace table seeds.{name} as"
            f" from read_csv([{files}], all_varchar = true, header = true, union_by_name = true)"
        )
    create_places(connection, root)


def create_places(connection: duckdb.DuckDBPyConnection, root: Path) -> None:
    """Replace `seeds.places` and `seeds.place_populations`. Raises FileInvalid, CatalogIncomplete."""
    for name, columns in _PLACES.items():
        connection.execute(f"create or replace table seeds.{name} ({columns})")
    for name, place in load_places(root).items():
        year = place.fiscal_year
        connection.execute(
            "insert into seeds.places values (?, ?, ?, ?, ?, ?, ?, ?)",
            [name, place.kind, place.title, place.state, place.time_zone, year.first_month, year.named_by, list(place.owners)],
        )  # fmt: skip
        for counted, population in place.population.items():
            connection.execute(
                "insert into seeds.place_populations values (?, ?, ?, ?)",
                [name, counted, population.residents, population.source],
            )


def _columns(file: Path) -> tuple[str, ...]:
    with file.open(encoding="utf-8", newline="") as text:
        return tuple(next(csv.reader(text), ()))
