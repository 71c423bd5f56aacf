"""Datasets whose publisher has a plain file: the demo portals serve them under the name in their address; how a changed list of measures is met."""

import csv
import gzip
from pathlib import Path

import pytest
import yaml

from civic_pipeline.catalog import load_datasets
from civic_pipeline.demo import DemoPortals
from civic_pipeline.lake import Attempt, Lake, attempt_capture
from civic_pipeline.portals import Access
from civic_pipeline.settings import CHECKOUT

SAMPLE = CHECKOUT / "data" / "sample"
MEASURES = "baltimore/performance_measures"


@pytest.mark.parametrize(
    ("name", "rows"), [("baltimore/action_plan", 73), ("baltimore/action_tracker", 58), ("baltimore/services", 96)]
)
def test_a_file_is_captured_from_the_demo_portals_whatever_its_address(name: str, rows: int, tmp_path: Path) -> None:
    """A path in the checkout, a sheet of a workbook with blanks in its name, and an address on the web."""
    datasets = load_datasets(CHECKOUT)
    lake = Lake(tmp_path / "lake", datasets)
    with DemoPortals(SAMPLE) as portals:
        attempt = attempt_capture(name, datasets[name], lake, Access(root=portals.url, project=tmp_path))
    assert (attempt.problem, attempt.status) == (None, "captured")
    accepted = lake.accepted(name)
    assert accepted is not None
    assert accepted.rows == rows


def captured_with(lake: Lake, folder: Path, add: tuple[str, ...] = (), remove: str = "") -> Attempt:
    """Capture the sample's measures with columns added or removed."""
    with gzip.open(SAMPLE / "performance_measures.csv.gz", "rt", encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    names = [*(name for name in rows[0] if name != remove), *add]
    folder.mkdir(exist_ok=True)
    with (folder / "measures.csv").open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, names, extrasaction="ignore")
        writer.writeheader()
        writer.writerows(row | dict.fromkeys(add, "1") for row in rows)
    entry = {"file": "measures.csv", "dataset": MEASURES}
    (folder / "portal.yml").write_text(yaml.safe_dump({"files": [entry]}), encoding="utf-8")
    with DemoPortals(folder) as portals:
        dataset = load_datasets(CHECKOUT)[MEASURES]
        return attempt_capture(MEASURES, dataset, lake, Access(root=portals.url, project=folder))


def test_new_columns_of_a_later_export_are_reported_and_a_used_one_that_vanishes_blocks(tmp_path: Path) -> None:
    """The export of 2026-07-17 has more columns than that of 2026-07-01; which ones was not seen."""
    lake = Lake(tmp_path / "lake", load_datasets(CHECKOUT))
    assert captured_with(lake, tmp_path / "served").undeclared == ()
    new = ("FY 26 Q4", "FY 26 Actual")
    later = captured_with(lake, tmp_path / "served", new)
    assert (later.status, later.undeclared) == ("captured", new)
    less = captured_with(lake, tmp_path / "served", remove="FY 25 Actual")
    assert less.status == "failed"
    assert "FY 25 Actual" in str(less.problem)
    accepted = lake.accepted(MEASURES)
    assert accepted is not None
    assert accepted.capture_id == later.capture_id
    copy = captured_with(lake, tmp_path / "served", remove="Contact")  # one of the two columns with names of staff
    assert copy.status == "failed"
