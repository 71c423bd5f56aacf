"""The shape every file under `sql/` keeps, so that people and parsers find what they look for."""

from pathlib import Path

import pytest
import sqlglot
from sqlglot import exp

from civic_pipeline.catalog.contract import Contract
from civic_pipeline.catalog.yaml_file import read_yaml

SQL = Path(__file__).parents[2] / "sql"
MODELS = sorted(path for schema in ("clean", "marts") for path in (SQL / schema).glob("*.sql"))
CHECKS = sorted((SQL / "checks").glob("*.sql"))


def name_of(path: Path) -> str:
    return f"{path.parent.name}/{path.stem}"


def inputs_of(path: Path) -> set[str]:
    """Schema-qualified tables a query reads."""
    query = sqlglot.parse_one(path.read_text(encoding="utf-8"), read="duckdb")
    return {f"{table.db}.{table.name}" for table in query.find_all(exp.Table) if table.db}


@pytest.mark.parametrize("path", MODELS, ids=name_of)
def test_a_model_is_one_select_that_says_its_grain_and_keeps_its_contract(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    contract = read_yaml(path.with_suffix(".yml"), Contract)
    assert text.splitlines()[0].startswith(f"-- Each row is {contract.each_row_is}")
    (query,) = sqlglot.parse(text, read="duckdb")
    assert isinstance(query, exp.Query)
    published = [name for name in query.named_selects if not name.startswith("_")]
    assert published == [column.name for column in contract.columns]


@pytest.mark.parametrize("path", MODELS, ids=name_of)
def test_a_model_reads_only_what_comes_before_it(path: Path) -> None:
    schemas = {table.split(".")[0] for table in inputs_of(path)}
    assert schemas <= ({"raw"} if path.parent.name == "clean" else {"clean", "marts", "seeds", "history"})


@pytest.mark.parametrize("path", sorted((SQL / "clean").glob("*.sql")), ids=name_of)
def test_a_clean_model_ends_with_the_capture_its_rows_come_from(path: Path) -> None:
    query = sqlglot.parse_one(path.read_text(encoding="utf-8"), read="duckdb")
    assert isinstance(query, exp.Query)
    assert query.named_selects[-1] == "_capture_id"


@pytest.mark.parametrize("path", CHECKS, ids=name_of)
def test_a_check_says_what_a_returned_row_means(path: Path) -> None:
    assert path.read_text(encoding="utf-8").startswith("-- A returned row is ")
    assert inputs_of(path)


def test_every_foreign_key_is_built_before_the_table_that_has_it() -> None:
    inputs = {f"{path.parent.name}.{path.stem}": inputs_of(path) for path in MODELS}

    def upstream(table: str) -> set[str]:
        return inputs.get(table, set()).union(*(upstream(name) for name in inputs.get(table, set())))

    for path in MODELS:
        table = f"{path.parent.name}.{path.stem}"
        references = {
            column.references for column in read_yaml(path.with_suffix(".yml"), Contract).columns if column.references
        }
        assert references <= upstream(table), table


def test_every_seed_a_model_reads_exists() -> None:
    seeds = {
        table.removeprefix("seeds.")
        for path in [*MODELS, *CHECKS]
        for table in inputs_of(path)
        if table.startswith("seeds.")
    }
    assert seeds == {path.stem for path in (SQL.parent / "data" / "seeds").glob("*.csv")}
