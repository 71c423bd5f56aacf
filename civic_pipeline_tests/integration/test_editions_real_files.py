"""Real files of several layouts, each loaded as an edition, end in the totals that were counted outside this project."""

from collections.abc import Mapping
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
import yaml
from real_files import REAL, needs_real_files

from civic_pipeline.catalog import Dataset, load_datasets
from civic_pipeline.lake import Lake, backfill
from civic_pipeline.settings import CHECKOUT, Settings
from civic_pipeline.warehouse import load_models
from civic_pipeline.warehouse.as_of import as_of

CHICAGO, COVID = REAL / "chicago" / "budget", REAL / "baltimore" / "covid"

pytestmark = [pytest.mark.slow, needs_real_files]


def answer(data: Path, name: str, dataset: Dataset, files: Mapping[str, Path], query: str) -> list[tuple[Any, ...]]:
    """Load each file as its edition, a day after the other, and ask the warehouse as of the last day."""
    settings = Settings(root=CHECKOUT, data=data)
    datasets = load_datasets(CHECKOUT) | {name: dataset}
    lake = Lake(settings.lake, datasets)
    for day, (edition, file) in enumerate(files.items(), 1):
        backfill(name, dataset, lake, file, datetime(2026, 5, day, tzinfo=UTC), "live", edition=edition)
    models = load_models(CHECKOUT, datasets)
    with as_of(settings, datasets, models, datetime(2026, 6, 1, tzinfo=UTC), query) as connection:
        return connection.execute(query).fetchall()


def with_edition(name: str, label: str, source: str) -> Dataset:
    """The dataset with one more line under `editions`."""
    written = yaml.safe_load((CHECKOUT / "civic_pipeline" / "defs" / name / "defs.yaml").read_text(encoding="utf-8"))
    written["attributes"]["source"]["editions"][label] = source
    return Dataset.model_validate(written["attributes"])


def test_three_layouts_of_chicagos_budget_are_editions_of_one_table(tmp_path: Path) -> None:
    files = {
        "2017": CHICAGO / "budget_2017_ordinance_appropriations_7jem-9wyw_sample10.csv",
        "2024": CHICAGO / "appropriations_fy2024_portal_csv_2026-04.csv.gz",
        "2025": CHICAGO / "appropriations_fy2025.csv",
    }
    dataset = with_edition("chicago/budget", "2017", "7jem-9wyw")
    query = "select fiscal_year, count(*), count(distinct budget_line_id), sum(adopted_amount) from clean.chicago_budget group by all order by 1"
    assert answer(tmp_path, "chicago/budget", dataset, files, query) == [
        (2017, 10, 10, Decimal(6_457_339)),
        (2024, 3584, 3584, Decimal(18_341_105_000)),
        (2025, 3477, 3477, Decimal(18_842_061_980)),
    ]


def test_each_year_of_cases_by_zip_code_is_an_edition(tmp_path: Path) -> None:
    """The layout of 2022, of which no file is known, is read on invented rows in unit/test_zip_layouts.py."""
    files = {year: COVID / f"MD_Covid_by_zipcodes_{year}.csv" for year in ("2020", "2021")}
    query = (
        "select year(observed_date)::varchar, count(*), count(distinct observed_date), count(distinct zip_code), sum(cumulative_cases)::bigint,"
        " max(cumulative_cases) filter (zip_code = '21215'), count(*) filter (is_suppressed), count(*) filter (cumulative_cases = 0)"
        " from clean.maryland_covid_zip_cases group by 1 order by 1"
    )
    dataset = load_datasets(CHECKOUT)["maryland/covid_zip_cases"]
    # Rows, days, ZIP codes, sum, the last of 21215, blanks, zeros.
    assert answer(tmp_path, "maryland/covid_zip_cases", dataset, files, query) == [
        ("2020", 516 * 264, 264, 516, 28_435_490, 3_116, 46_944, 0),
        ("2021", 516 * 365, 365, 516, 171_203_069, 8_188, 20_802, 0),
    ]
