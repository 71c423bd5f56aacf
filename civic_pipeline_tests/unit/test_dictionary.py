"""The dictionary names everything the checkout defines, links to files that exist, and says what is out of date."""

import re
from pathlib import Path

import pytest
from formulas import committed_models

from civic_pipeline.catalog import load_datasets, table_name
from civic_pipeline.publish.dictionary import write_dictionary
from civic_pipeline.publish.sources import write_sources
from civic_pipeline.warehouse import Model
from civic_pipeline.warehouse.meta import recorded_tables

ROOT = Path(__file__).parents[2]
MODELS = list(committed_models().values())

DATASET = """
type: civic_pipeline.components.PortalDataset
attributes:
  title: Trees
  subject: housing
  publisher: Parks
  licence: not stated
  description: Trees planted, one row a tree.
  source: {portal: arcgis, item: 0123456789abcdef0123456789abcdef, layer: Trees, recorded: 2026-01-31}
  cadence: daily
  dated_by: planted_date
  key: [TREE]
  columns: {TREE: String, PLANTED: Date, F*: Integer}
  time_zones: {PLANTED: date_only}
  volume: {shrink_at_most: 5%}
"""
PLACE = """
kind: city
title: The town
state: MD
time_zone: America/New_York
fiscal_year: {first_month: 7, named_by: the year it ends}
owners: [team:open-data]
"""
CONTRACT = """
each_row_is: one tree
key: [tree_id]
row_rules:
  - {name: tree_is_named, keep_if: "tree_id is not null or false", reason: Nobody can find it.}
columns:
  - {name: tree_id, type: VARCHAR, unit: "tree|shrub", description: "Tag on the tree."}
  - {name: planted_date, type: DATE, description: "Day it was planted."}
"""
SQL = "-- Each row is one tree.\nselect tree as tree_id, planted as planted_date, _capture_id from raw.town_trees\n"


@pytest.fixture(scope="module")
def pages(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("dictionary")
    write_dictionary(ROOT, folder, check=False)
    return folder


@pytest.fixture
def tiny(tmp_path: Path) -> Path:
    """A checkout with one dataset and one table."""
    for name, text in {
        "civic_pipeline/defs/town/trees/defs.yaml": DATASET,
        "civic_pipeline/defs/town/place.yaml": PLACE,
        "sql/clean/town/trees.sql": SQL,
        "sql/clean/town/trees.yml": CONTRACT,
    }.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text, encoding="utf-8")
    return tmp_path


@pytest.mark.parametrize("model", MODELS, ids=lambda model: model.name)
def test_a_table_has_a_page_with_its_grain_and_every_column(pages: Path, model: Model) -> None:
    page = (pages / model.schema / f"{model.table}.md").read_text(encoding="utf-8")
    promised = model.contract
    assert f"Each row is {promised.each_row_is}." in page
    for column in promised.columns:
        assert f"\n| `{column.name}` | `{column.type}` |" in page
    for rule in promised.row_rules:
        assert f"| `{rule.name}` |" in page


def test_a_dataset_has_a_page_with_its_reference_and_every_column(pages: Path) -> None:
    for name, dataset in load_datasets(ROOT).items():
        page = (pages / "raw" / f"{table_name(name)}.md").read_text(encoding="utf-8")
        assert dataset.source.recorded.isoformat() in page
        assert all(f"| `{column}` | {kind}" in page for column, kind in dataset.columns.items())
        assert page.count(", about persons |") == len(dataset.personal)


def test_the_index_names_every_dataset_table_and_rule(pages: Path) -> None:
    index = (pages / "README.md").read_text(encoding="utf-8")
    named = [*load_datasets(ROOT), *(model.name for model in MODELS)]
    named += recorded_tables()
    named += [path.stem for path in (ROOT / "sql" / "checks").rglob("*.sql")]
    assert [name for name in named if f"[{name}](" not in index] == []


def test_every_link_leads_to_a_file(pages: Path) -> None:
    lost = []
    for page in pages.rglob("*.md"):
        place = ROOT / "docs" / "dictionary" / page.relative_to(pages)
        for target in re.findall(r"\]\(([^)]+)\)", page.read_text(encoding="utf-8")):
            within = Path(place.parent, target).resolve().relative_to(ROOT).as_posix()
            page_made_now = pages / within.removeprefix("docs/dictionary/")
            if not (ROOT / within).exists() and not page_made_now.exists():
                lost.append((page.name, target))
    assert lost == []


def test_a_second_writing_changes_nothing(tiny: Path) -> None:
    folder = tiny / "docs"
    assert set(write_dictionary(tiny, folder, check=False)) >= {"README.md", "raw/town_trees.md", "clean/town_trees.md"}
    assert write_dictionary(tiny, folder, check=False) == []
    assert write_dictionary(tiny, folder, check=True) == []


def test_check_writes_nothing_and_names_what_is_stale(tiny: Path) -> None:
    folder = tiny / "docs"
    assert "clean/town_trees.md" in write_dictionary(tiny, folder, check=True)
    assert not folder.exists()
    write_dictionary(tiny, folder, check=False)
    (folder / "clean" / "town_trees.md").write_text("edited by hand", encoding="utf-8")
    (folder / "clean" / "town_gone.md").write_text("a table of last year", encoding="utf-8")
    assert write_dictionary(tiny, folder, check=True) == ["clean/town_trees.md", "clean/town_gone.md"]
    assert (folder / "clean" / "town_gone.md").exists()
    write_dictionary(tiny, folder, check=False)
    assert not (folder / "clean" / "town_gone.md").exists()
    assert write_dictionary(tiny, folder, check=True) == []


def test_a_page_shows_lineage_both_ways_the_clock_and_the_quarantine(tiny: Path) -> None:
    write_dictionary(tiny, tiny / "docs", check=False)
    raw = (tiny / "docs" / "raw" / "town_trees.md").read_text(encoding="utf-8")
    clean = (tiny / "docs" / "clean" / "town_trees.md").read_text(encoding="utf-8")
    assert (
        "| `PLANTED` | Date | a calendar day; the time that the portal adds is dropped | `clean.town_trees.planted_date` |"
        in raw
    )
    assert "| `F*` | Integer |  |  |" in raw
    assert "`raw.town_trees.TREE` |" in clean
    assert "`quarantine.town_trees`, with the columns above and `_capture_id`, `_rules`, `_reasons`." in clean
    assert "tree\\|shrub" in clean
    assert "at most 7 days old" in clean


def test_the_page_of_sources_is_written_from_the_definitions() -> None:
    assert write_sources(ROOT, check=True) == [], "run `civic docs`"
    text = (ROOT / "docs" / "sources.md").read_text(encoding="utf-8")
    for name, dataset in load_datasets(ROOT).items():
        assert f"## {name}\n" in text
        for edition in dataset.editions.values():
            assert edition.source.recorded.isoformat() in text


def test_a_page_of_sources_that_is_out_of_date_is_named_and_written(tiny: Path) -> None:
    (tiny / "docs").mkdir(exist_ok=True)
    assert write_sources(tiny, check=True) == ["sources.md"]
    assert not (tiny / "docs" / "sources.md").exists()
    assert write_sources(tiny, check=False) == ["sources.md"]
    assert write_sources(tiny, check=True) == []
