"""What a city publishes and what a table promises: strict models of the YAML files, and nothing but reading them."""

from pathlib import Path

from civic_pipeline.catalog.contract import Column, Contract, Expectation, RowRule, Severity
from civic_pipeline.catalog.dataset import (
    FRESH_FOR_DAYS,
    ArcgisSource,
    Cadence,
    Dataset,
    FileHere,
    FileSource,
    OpendatasoftSource,
    PagedSource,
    SocrataSource,
    Source,
)
from civic_pipeline.catalog.shape import Shape
from civic_pipeline.catalog.yaml_file import Strict, mistake, read_yaml

__all__ = [
    "FRESH_FOR_DAYS", "ArcgisSource", "Cadence", "Column", "Contract", "Dataset", "Expectation", "FileHere", "FileSource",
    "OpendatasoftSource", "PagedSource", "RowRule", "Severity", "Shape", "SocrataSource", "Source", "Strict", "load_datasets", "mistake",
    "read_contract", "read_yaml", "table_name",
]  # fmt: skip


def load_datasets(root: Path) -> dict[str, Dataset]:
    """Every dataset of the checkout at `root`, by its name `city/dataset`: the folder it is defined in.

    Raises FileInvalid for the first file that breaks the rules.
    """
    files = sorted((root / "civic_pipeline" / "defs").glob("*/*/defs.yaml"))
    return {"/".join(file.parent.parts[-2:]): read_yaml(file, Dataset, below=("attributes",)) for file in files}


def read_contract(path: Path) -> Contract:
    """The contract written in `path`. Raises FileInvalid."""
    return read_yaml(path, Contract)


def table_name(dataset: str) -> str:
    """`baltimore/spending` -> `baltimore_spending`: its table in `raw` and in `clean`."""
    return dataset.replace("/", "_")
