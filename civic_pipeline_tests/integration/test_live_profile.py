"""The first night on the live portals, simulated: portals that serve only what is known to answer, a few rows of each."""

import csv
import gzip
import shutil
from contextlib import nullcontext
from pathlib import Path
from typing import Any

import pytest
import yaml

from civic_pipeline.catalog import load_datasets
from civic_pipeline.demo import DemoPortals
from civic_pipeline.nightly import CaptureOutcome, Selection, night
from civic_pipeline.portals import Access
from civic_pipeline.publish.site import build_site
from civic_pipeline.releases import connect
from civic_pipeline.settings import CHECKOUT, Settings
from civic_pipeline.warehouse import load_models

pytestmark = pytest.mark.slow  # every check of every table

KNOWN = yaml.safe_load((Path(__file__).parents[1] / "fixtures" / "live_profile.yml").read_text(encoding="utf-8"))
SAMPLE = CHECKOUT / "data" / "sample"
ROWS = 1_500  # of the checkbook: two months


def serve_what_answers(folder: Path) -> Path:
    """The first rows of the sample of every source that answers, without inferred editions, with their `portal.yml`."""
    folder.mkdir()
    datasets = load_datasets(CHECKOUT)
    entries = []
    for entry in yaml.safe_load((SAMPLE / "portal.yml").read_text(encoding="utf-8"))["files"]:
        edition = datasets[entry["dataset"]].editions.get(entry.get("edition"))
        if entry["dataset"] in KNOWN["answers"] and not (edition and edition.inferred):
            if ".geojson" in entry["file"]:  # boundaries: few, and whole
                shutil.copyfile(SAMPLE / entry["file"], folder / entry["file"])
                entries.append(entry)
                continue
            with gzip.open(SAMPLE / entry["file"], "rt", encoding="utf-8", newline="") as sample:
                rows = [row for row, _ in zip(csv.reader(sample), range(ROWS + 1), strict=False)]
            name = entry["file"].removesuffix(".gz")
            with (folder / name).open("w", encoding="utf-8", newline="") as file:
                csv.writer(file).writerows(rows)
            entries.append(entry | {"file": name})
    if "baltimore/portal_inventory" in KNOWN["answers"]:
        shutil.copy(SAMPLE / "data.json", folder)  # served by its name
    (folder / "portal.yml").write_text(yaml.safe_dump({"files": entries}), encoding="utf-8")
    return folder


@pytest.fixture(scope="module")
def first_night(tmp_path_factory: pytest.TempPathFactory) -> tuple[Settings, dict[str, Any]]:
    """The settings of the warehouse after the night, and what the attempt of each source said."""
    folder = tmp_path_factory.mktemp("live_profile")
    settings = Settings(data=folder / "data")
    datasets = load_datasets(CHECKOUT)
    models = load_models(CHECKOUT, datasets)
    with DemoPortals(serve_what_answers(folder / "served")) as portals:
        access = Access(root=portals.url, project=CHECKOUT, socrata_token="demo")
        whole = Selection.whole(datasets, models)
        outcomes = list(
            night(settings, datasets, models, "first night", whole, lambda _: None, lambda _: nullcontext(access))
        )
    return settings, {o.name: o.problem for o in outcomes if isinstance(o, CaptureOutcome)}


def test_what_is_known_to_answer_is_captured(first_night: tuple[Settings, dict[str, Any]]) -> None:
    _, problems = first_night
    assert sorted(name for name, problem in problems.items() if problem is None) == sorted(KNOWN["answers"])


def test_every_table_is_complete_but_those_that_the_list_names(first_night: tuple[Settings, dict[str, Any]]) -> None:
    settings, _ = first_night
    with connect(settings.warehouse) as connection:
        tables = connection.execute("select table_name, status, missing_parts from meta.tables").fetchall()
    assert sorted(name for name, status, _ in tables if status == "never_captured") == sorted(KNOWN["never_captured"])
    assert {name: missing for name, _, missing in tables if missing} == KNOWN["missing_parts"]
    assert {status for _, status, _ in tables} <= {"current", "never_captured"}
    assert {name for name, _, _ in tables} == load_models(CHECKOUT, load_datasets(CHECKOUT)).keys()


def test_no_critical_check_fails(first_night: tuple[Settings, dict[str, Any]]) -> None:
    settings, _ = first_night
    with connect(settings.warehouse) as connection:
        failed = connection.execute(
            "select table_name, check_name from meta.checks where is_passed is false and severity = 'critical'"
        ).fetchall()
    assert failed == []


def test_the_site_has_every_subject(first_night: tuple[Settings, dict[str, Any]], tmp_path: Path) -> None:
    settings, _ = first_night
    assert build_site(settings.warehouse, tmp_path / "site").left_out == {}
