"""Nights on the sample in which one source is wrong and another one has news: the news are released.

Each of the first three released nothing while rules across tables compared new rows with a version that was held back.
"""

import csv
import gzip
import io
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from civic_pipeline import nightly
from civic_pipeline.catalog import load_datasets
from civic_pipeline.errors import HeldBack
from civic_pipeline.nightly import Selection
from civic_pipeline.releases import connect, kept_releases
from civic_pipeline.settings import CHECKOUT, Settings
from civic_pipeline.warehouse import load_models

pytestmark = pytest.mark.slow

Rows = list[dict[str, str]]
CHICAGO = {"clean.chicago_budget", "marts.dim_agencies", "marts.dim_funds", "marts.mart_budget_by_agency"}


@dataclass(frozen=True)
class Sample:
    """An installation that serves a sample of its own."""

    settings: Settings

    def change(self, file: str, how: Callable[[Rows], Rows]) -> None:
        path = self.settings.demo_folder / file
        with gzip.open(path, "rt", encoding="utf-8", newline="") as stream:
            rows = list(csv.DictReader(stream))
        text = io.StringIO()
        writer = csv.DictWriter(text, rows[0])
        writer.writeheader()
        writer.writerows(how(rows))
        path.write_bytes(gzip.compress(text.getvalue().encode(), compresslevel=1))

    def night(self) -> dict[str, str]:
        """A whole night; what failed or was held back -> why."""
        datasets = load_datasets(self.settings.root)
        models = load_models(self.settings.root, datasets)
        try:
            for _ in nightly.night(self.settings, datasets, models, "a run", Selection.whole(datasets, models), print):
                pass
        except HeldBack as held:
            return held.reasons
        return {}

    def ask(self, query: str) -> list[tuple[Any, ...]]:
        with connect(self.settings.warehouse) as warehouse:
            return warehouse.execute(query).fetchall()


@pytest.fixture
def sample(good_night: Path, tmp_path: Path) -> Sample:
    data = shutil.copytree(good_night, tmp_path / "data")
    served = shutil.copytree(CHECKOUT / "data" / "sample", tmp_path / "sample")
    return Sample(Settings(data=data, demo_folder=served))


def twice(rows: Rows) -> Rows:
    return rows + rows


def five_more(rows: Rows) -> Rows:
    return rows + [row | {"Unique_ID": f"new {n}", "Check_Number": f"9{n}"} for n, row in enumerate(rows[:5])]


def fiscal_year_twice(rows: Rows) -> Rows:
    again = [row for row in rows if "2024-07" <= row["Payment_Date"][:7] <= "2025-06"]
    assert again
    return rows + [row | {"Unique_ID": f"again {n}"} for n, row in enumerate(again)]


def shrunk(rows: Rows) -> Rows:
    return rows[: len(rows) * 9 // 10]


def one_line_less(rows: Rows) -> Rows:
    return rows[:-1]


SEQUENCES = {
    "a budget twice, and new payments": ({"chicago_budget_2025.csv.gz": twice, "spending.csv.gz": five_more}, CHICAGO, "clean.baltimore_spending"),
    "a budget twice, and a year of payments twice": ({"chicago_budget_2025.csv.gz": twice, "spending.csv.gz": fiscal_year_twice, "budget_2023.csv.gz": one_line_less}, CHICAGO | {"clean.baltimore_spending"}, "clean.baltimore_budget"),
    "a checkbook that shrank, and a changed budget": ({"spending.csv.gz": shrunk, "budget_2023.csv.gz": one_line_less}, {"raw.baltimore_spending", "clean.baltimore_spending", "marts.fct_payments"}, "clean.baltimore_budget"),
}  # fmt: skip


@pytest.mark.parametrize("sequence", SEQUENCES)
def test_what_is_held_back_makes_no_rule_fail_and_the_news_are_released(sample: Sample, sequence: str) -> None:
    changes, held, news = SEQUENCES[sequence]
    before = sample.ask(f"select count(*) from {news}")
    for file, how in changes.items():
        sample.change(file, how)
    problems = sample.night()
    assert held <= problems.keys()
    assert news not in problems
    first, second = kept_releases(sample.settings)
    assert second.contents[news] != first.contents[news]
    assert sample.ask(f"select count(*) from {news}") != before
    assert sample.ask("select table_name, check_name from meta.checks where layer = 'across' and not is_passed") == []


def test_a_broken_covid_rule_does_not_stop_the_budget(sample: Sample, tmp_path: Path) -> None:
    root = tmp_path / "checkout"
    for part in ("sql", "data/seeds", "civic_pipeline/defs"):
        shutil.copytree(CHECKOUT / part, root / part, ignore=shutil.ignore_patterns("__pycache__"))
    (rule,) = root.glob("sql/checks/covid/covid_increments_add_up.sql")
    text = rule.read_text(encoding="utf-8")
    rule.write_text(text.rpartition("where\n")[0], encoding="utf-8")
    sample.change("budget_2023.csv.gz", one_line_less)
    broken = Sample(Settings(root=root, data=sample.settings.data, demo_folder=sample.settings.demo_folder))
    problems = broken.night()
    assert problems.keys() == {"marts.mart_covid_indicators_daily"}
    assert "covid_increments_add_up" in problems["marts.mart_covid_indicators_daily"]
    first, second = kept_releases(sample.settings)
    assert second.contents["clean.baltimore_budget"] != first.contents["clean.baltimore_budget"]
    assert second.contents["marts.mart_covid_indicators_daily"] == first.contents["marts.mart_covid_indicators_daily"]
