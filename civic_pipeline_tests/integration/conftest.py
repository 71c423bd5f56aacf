"""What integration tests share: a small installation with one good release, and a release of the whole sample."""

import gzip
import shutil
from collections.abc import Iterator
from pathlib import Path

import dagster as dg
import pytest
from chaos import Nights, nights_under, undisturbed_under
from shared_folder import shared_folder
from terminal import SAMPLE, Place, serve

from civic_pipeline.catalog import load_datasets
from civic_pipeline.dagster_home import prepare_home
from civic_pipeline.demo import DemoPortals, older_copies
from civic_pipeline.lake import Lake, attempt_capture, load_older_copies
from civic_pipeline.portals import Access
from civic_pipeline.settings import CHECKOUT, Settings
from civic_pipeline.warehouse import CheckResult, load_models, open_build, record_history, release

# One dataset of each kind of portal, its rows enough for its contract.
SMALL = {"baltimore/spending": 600, "maryland/mbe_directory": 200}
# Of the checkbook the edition that is still written to; the closed years do not answer, and are left out.
EDITIONS = {"baltimore/spending": {"edition": "fy2022-"}}


@pytest.fixture(scope="session")
def small(tmp_path_factory: pytest.TempPathFactory) -> Place:
    """A checkout with two datasets and their clean tables, after one good night. Not to be changed."""
    folder = shared_folder(tmp_path_factory, "small", _make_small)
    return _small_in(folder)


def _small_in(folder: Path) -> Place:
    return Place(folder / "data", folder / "served", folder / "checkout")


def _make_small(folder: Path) -> None:
    root = folder / "checkout"
    shutil.copytree(CHECKOUT / "civic_pipeline", root / "civic_pipeline")
    for city in (root / "civic_pipeline" / "defs").glob("*/*/defs.yaml"):
        if "/".join(city.parts[-3:-1]) not in SMALL:
            shutil.rmtree(city.parent)
    shutil.copytree(CHECKOUT / "data" / "seeds", root / "data" / "seeds")
    shutil.copytree(CHECKOUT / "sql" / "functions", root / "sql" / "functions")
    files = ["pyproject.toml"]
    for file in files + [f"sql/clean/{name}.{kind}" for name in SMALL for kind in ("sql", "yml")]:
        (root / file).parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(CHECKOUT / file, root / file)
    served = serve(
        folder / "served",
        *({"file": f"{name.split('/')[1]}.csv", "dataset": name} | EDITIONS.get(name, {}) for name in SMALL),
    )
    for name, rows in SMALL.items():
        file = f"{name.split('/')[1]}.csv"
        with gzip.open(SAMPLE / f"{file}.gz", "rt", encoding="utf-8") as sample:
            (served / file).write_text("".join(next(sample) for _ in range(rows + 1)), encoding="utf-8")
    with dg.DagsterInstance.from_config(str(prepare_home(Settings(data=folder)))):
        pass  # the empty record of runs, for copies
    ended = _small_in(folder).run()
    assert ended.code == 0, ended.err


@pytest.fixture(scope="session")
def released(tmp_path_factory: pytest.TempPathFactory) -> Place:
    """The sample captured twice and released, with a few edits between. Not to be changed.

    Without the checks, which take a minute and have tests of their own; one result stands for those that failed.
    """
    return Place(shared_folder(tmp_path_factory, "released", _make_released) / "data")


def _make_released(folder: Path) -> None:
    settings = Settings(data=folder / "data")
    datasets = load_datasets(CHECKOUT)
    models = load_models(CHECKOUT, datasets)
    load_older_copies(datasets, Lake(settings.lake, datasets), older_copies(SAMPLE), "demo", print)
    with DemoPortals(SAMPLE) as portals:
        access = Access(root=portals.url)
        for name, dataset in datasets.items():
            if name != "baltimore/mwbe_register":  # an operator feeds it
                assert attempt_capture(name, dataset, Lake(settings.lake, datasets), access).problem is None
        portals.update("contracts.csv.gz", "OBJECTID > 4", {"Department_Allowed_to_Purchase": "FINANCE"})
        portals.update("vacant_building_notices.csv.gz", "OBJECTID < 50", {"OWNER_ABBR": "ANOTHER OWNER"})
        conflicting = {
            "user_company": "Galloway-Finch Staffing Company", "user_streetaddress": "7320 Ferry Avenue",
            "user_contracttype": "MBE", "user_city": "Elsewhere",
        }  # fmt: skip
        portals.insert("mwbe.csv.gz", [conflicting])
        for name in ("baltimore/contracts", "baltimore/vacant_building_notices", "baltimore/mwbe"):
            assert attempt_capture(name, datasets[name], Lake(settings.lake, datasets), access).status == "captured"
    with open_build(settings, datasets, "the test") as build:
        assert record_history(build, models) == {}
        for model in models.values():
            build.swap(build.stage(model), [], None)
        rows = "select * from clean.baltimore_mwbe limit 1"
        failed = CheckResult(
            "clean.baltimore_mwbe", "invented", "table", "warning", False, "Invented.", failed_rows_sql=rows
        )
        build.ledger.record_checks(failed.table, [failed])
        release(build)


@pytest.fixture
def place(small: Place, tmp_path: Path) -> Place:
    """The small installation after its green night, to break."""
    return small.copy(tmp_path)


@pytest.fixture
def nights(tmp_path: Path) -> Iterator[Nights]:
    with nights_under(tmp_path) as nights:
        yield nights


@pytest.fixture
def undisturbed(nights: Nights, tmp_path: Path) -> list[dict[str, str]]:
    return undisturbed_under(tmp_path, nights)
