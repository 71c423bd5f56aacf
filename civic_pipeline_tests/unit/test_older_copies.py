"""Older copies in the folder of the demo portals: not served, loaded once as captures of their days."""

from datetime import UTC, datetime
from pathlib import Path

import duckdb
import pytest
from tiny_project import TinyProject, write_tiny_project

from civic_pipeline.demo import DemoFolderError, older_copies
from civic_pipeline.demo.folder import read_folder
from civic_pipeline.lake import load_older_copies
from civic_pipeline.settings import CHECKOUT


@pytest.fixture
def project(tmp_path: Path) -> TinyProject:
    return write_tiny_project(tmp_path / "project")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    folder = tmp_path / "portal"
    folder.mkdir()
    for name in ("now", "2025", "2024"):
        (folder / f"{name}.csv").write_text(f"Payment_No,Paid_On,Amount\n1,2024-01-01,${len(name)}\n")
    (folder / "portal.yml").write_text(
        "files:\n- file: now.csv\n"
        "- {file: 2025.csv, dataset: town/payments, captured_at: 2025-05-01}\n"
        "- {file: 2024.csv, dataset: town/payments, captured_at: 2024-05-01}\n"
    )
    return folder


def test_an_older_copy_is_not_served(folder: Path) -> None:
    with duckdb.connect() as connection:
        assert [file.name for file in read_folder(folder, connection, CHECKOUT)] == ["now.csv"]


def test_older_copies_become_captures_of_their_days_once(project: TinyProject, folder: Path) -> None:
    copies, lines = older_copies(folder), list[str]()
    for _ in range(2):
        load_older_copies({project.name: project.dataset}, project.lake, copies, "demo", lines.append)
    captures = project.lake.captures(project.name)
    assert [capture.captured_at[:10] for capture in captures] == ["2024-05-01", "2025-05-01"]
    assert all(capture.backfilled_at and capture.profile == "demo" for capture in captures)
    assert [copy.captured_at for copy in copies] == [datetime(year, 5, 1, tzinfo=UTC) for year in (2024, 2025)]
    assert lines == [f"town/payments: 1 rows of {year}-05-01 loaded from {year}.csv" for year in (2024, 2025)]


def test_only_the_datasets_that_are_asked_get_their_older_copies(project: TinyProject, folder: Path) -> None:
    load_older_copies({}, project.lake, older_copies(folder), "demo", print)
    assert project.lake.ids(project.name) == []


def test_an_older_copy_of_no_dataset_is_refused(folder: Path) -> None:
    (folder / "portal.yml").write_text("files:\n- {file: 2025.csv, captured_at: 2025-05-01}\n")
    with pytest.raises(DemoFolderError, match="an older copy needs the dataset"):
        older_copies(folder)
