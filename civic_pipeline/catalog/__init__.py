"""Datasets, places and contracts: strict models of the YAML files. This package only reads files."""

import re
from pathlib import Path

from civic_pipeline.catalog.columns import finder, is_dated, is_of_type, members, spelled, stands_for
from civic_pipeline.catalog.contract import Column, Contract, Expectation, RowRule, Severity
from civic_pipeline.catalog.dataset import FRESH_FOR_DAYS, Cadence, Dataset, Points, Subject
from civic_pipeline.catalog.place import Place
from civic_pipeline.catalog.shape import Shape
from civic_pipeline.catalog.source import (
    ArcgisSource,
    Edition,
    Editions,
    FileHere,
    FileSource,
    OpendatasoftSource,
    PagedSource,
    SingleSource,
    SocrataSource,
    Source,
)
from civic_pipeline.catalog.yaml_file import Strict, mistake, read_yaml
from civic_pipeline.errors import CatalogIncomplete, FileInvalid

__all__ = [
    "FRESH_FOR_DAYS",
    "ArcgisSource",
    "Cadence",
    "Column",
    "Contract",
    "Dataset",
    "Edition",
    "Editions",
    "Expectation",
    "FileHere",
    "FileSource",
    "OpendatasoftSource",
    "PagedSource",
    "Place",
    "Points",
    "RowRule",
    "Severity",
    "Shape",
    "SingleSource",
    "SocrataSource",
    "Source",
    "Strict",
    "Subject",
    "accepted_as",
    "finder",
    "is_dated",
    "is_of_type",
    "load_datasets",
    "load_places",
    "members",
    "mistake",
    "place_file",
    "read_contract",
    "read_yaml",
    "refuse_name",
    "spelled",
    "stands_for",
    "table_name",
]  # fmt: skip


def load_datasets(root: Path) -> dict[str, Dataset]:
    """Every dataset of the checkout at `root`, by its name `place/dataset`, which is its folder under `defs`.

    Raises FileInvalid for the first file that breaks the rules.
    """
    files = sorted((root / "civic_pipeline" / "defs").glob("*/*/defs.yaml"))
    for file in files:
        city, dataset = file.parent.parts[-2:]
        refuse_name(file, city)
        refuse_name(file, dataset)
    datasets = {"/".join(file.parent.parts[-2:]): read_yaml(file, Dataset, below=("attributes",)) for file in files}
    for file in files:
        former = datasets["/".join(file.parent.parts[-2:])].formerly
        if former in datasets:
            raise FileInvalid(file, [(1, f"formerly: {former} is still a dataset; remove it, or this line")])
    return datasets


def place_file(root: Path, place: str) -> Path:
    """The file that describes `place`. Raises CatalogIncomplete if there is none."""
    file = root / "civic_pipeline" / "defs" / place / "place.yaml"
    if not file.exists():
        raise CatalogIncomplete(
            f"{file} does not exist. Describe the place there before it has datasets: kind, title, state, time_zone,"
            " fiscal_year and owners. The file of another place shows how."
        )
    return file


def load_places(root: Path) -> dict[str, Place]:
    """Every place of the checkout at `root`, by the name of its folder.

    Raises FileInvalid for the first file that breaks the rules, CatalogIncomplete for a place that is not described.
    """
    defs = root / "civic_pipeline" / "defs"
    for name in sorted({file.parent.parent.name for file in defs.glob("*/*/defs.yaml")}):
        place_file(root, name)
    files = sorted(defs.glob("*/place.yaml"))
    for file in files:
        refuse_name(file, file.parent.name)
    return {file.parent.name: read_yaml(file, Place) for file in files}


def read_contract(path: Path) -> Contract:
    """The contract written in `path`, which has the name of its table. Raises FileInvalid."""
    refuse_name(path, path.stem)
    return read_yaml(path, Contract)


def refuse_name(path: Path, name: str) -> None:
    """Raise FileInvalid for a name that is not a plain table name: it could be a path, or SQL."""
    if not re.fullmatch(r"[a-z0-9_]+", name):
        raise FileInvalid(path, [(1, f"{name!r} is not a valid table name: use lower-case letters, digits and _ only")])


def accepted_as(table: str) -> str:
    """The table whose accepted version `table` belongs to: `clean_history.x` -> `clean.x`, any other -> itself."""
    return table.replace("clean_history.", "clean.", 1)


def table_name(dataset: str) -> str:
    """`baltimore/spending` -> `baltimore_spending`, the table in `raw` and in `clean`."""
    return dataset.replace("/", "_")
