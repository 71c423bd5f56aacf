"""The shape every file under `sql/` keeps, so that people and parsers find what they look for."""

from pathlib import Path

import pytest
import sqlglot
from formulas import committed_models
from sqlglot import exp

from civic_pipeline.settings import CHECKOUT
from civic_pipeline.warehouse import Model
from civic_pipeline.warehouse.seeds import read_seeds

MODELS = list(committed_models().values())
CHECKS = sorted((CHECKOUT / "sql" / "checks").rglob("*.sql"))


def inputs_of(path: Path) -> set[str]:
    """Schema-qualified tables a query reads."""
    query = sqlglot.parse_one(path.read_text(encoding="utf-8"), read="duckdb")
    return {f"{table.db}.{table.name}" for table in query.find_all(exp.Table) if table.db}


@pytest.mark.parametrize("model", MODELS, ids=lambda model: model.name)
def test_a_model_says_its_grain_first(model: Model) -> None:
    for part in model.parts:
        assert part.sql.startswith(f"-- Each row is {model.contract.each_row_is}"), part.path


@pytest.mark.parametrize("model", MODELS, ids=lambda model: model.name)
def test_a_model_reads_only_what_comes_before_it(model: Model) -> None:
    schemas = {table.split(".")[0] for table in model.inputs}
    recorded = {"meta"} if model.subject == "certification" else set()  # built after all other tables
    assert schemas <= (
        {"raw"} if model.schema == "clean" else {"clean", "clean_history", "marts", "seeds", "history"} | recorded
    )


@pytest.mark.parametrize("model", [model for model in MODELS if model.schema == "clean"], ids=lambda model: model.name)
def test_a_clean_model_ends_with_the_capture_its_rows_come_from(model: Model) -> None:
    assert model.query.named_selects[-1] == "_capture_id"


@pytest.mark.parametrize("path", CHECKS, ids=lambda path: path.stem)
def test_a_check_says_what_a_returned_row_means(path: Path) -> None:
    assert path.read_text(encoding="utf-8").startswith("-- A returned row is ")
    assert inputs_of(path)


def test_every_seed_a_model_reads_exists() -> None:
    read = set().union(*(model.inputs for model in MODELS), *(inputs_of(path) for path in CHECKS))
    seeds = {table.removeprefix("seeds.") for table in read if table.startswith("seeds.")}
    assert seeds - {"places", "place_populations"} == set(read_seeds(CHECKOUT))
