"""What `civic run --select` names: assets, datasets, subjects, places, and what depends on them."""

import pytest
from formulas import committed_models

from civic_pipeline.catalog import load_datasets
from civic_pipeline.errors import UnknownName
from civic_pipeline.selection import select_assets
from civic_pipeline.settings import CHECKOUT


def selected(*words: str) -> frozenset[str]:
    return select_assets(words, load_datasets(CHECKOUT), committed_models())


def test_an_asset_a_dataset_and_the_release() -> None:
    assert selected("marts/fct_payments") == {"marts.fct_payments"}
    assert selected("baltimore/spending") == {"raw.baltimore_spending", "clean.baltimore_spending"}
    assert selected("warehouse", "raw/chicago_budget") == {"warehouse", "raw.chicago_budget"}


def test_a_subject_has_its_sources_and_all_its_tables() -> None:
    names = selected("budget")
    assert {"raw.baltimore_budget", "clean.chicago_budget", "marts.fct_budget_lines"} <= names
    assert {model.name for model in committed_models().values() if model.subject == "budget"} <= names
    assert not {"warehouse", "marts.fct_payments", "raw.baltimore_spending"} & names


def test_a_place_has_its_datasets_and_no_mart() -> None:
    datasets = {"chicago_budget", "chicago_revenue"}
    assert selected("chicago") == {f"{schema}.{name}" for schema in ("raw", "clean") for name in datasets}


def test_a_plus_adds_what_depends_on_it_up_to_the_site() -> None:
    assert selected("marts/mart_vendor_spend_monthly+") == {"marts.mart_vendor_spend_monthly", "warehouse", "site"}
    names = selected("clean/baltimore_mwbe+")
    made_from_it = ["dim_certified_firms", "bridge_certified_firms", "fct_vendor_certification_matches"]
    made_from_it += ["fct_participation_spend", "mart_mwbe_participation", "mart_mwbe_reported", "mart_mwbe_finder"]
    made_from_it += ["mart_mwbe_utilization", "mart_reconciliations", "mart_kpi_reproducibility"]
    assert names == {"clean.baltimore_mwbe", *(f"marts.{table}" for table in made_from_it), "warehouse", "site"}
    assert selected("budget+") > selected("budget") | {"warehouse", "site"}


@pytest.mark.parametrize("word", ["bugdet", "bugdet+", "+budget", "budget++"])
def test_a_name_that_nothing_has_is_refused_with_those_there_are(word: str) -> None:
    with pytest.raises(UnknownName, match="budget"):
        selected(word)
