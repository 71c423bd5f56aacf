"""What integration tests share: a small installation with one good release, and a release of the whole sample."""

import gzip
import shutil
from pathlib import Path

import pytest
from terminal import SAMPLE, Place, serve

from civic_pipeline.access import open_portals
from civic_pipeline.catalog import load_datasets
from civic_pipeline.lake import Lake, attempt_capture
from civic_pipeline.settings import CHECKOUT, Settings
from civic_pipeline.warehouse import load_models, open_build, release

# One dataset of each kind of portal, its rows enough for its contract.
SMALL = {"baltimore/spending": 600, "baltimore/mwbe": 200}


@pytest.fixture(scope="session")
def small(tmp_path_factory: pytest.TempPathFactory) -> Place:
    """A checkout with two datasets and their clean tables, and one green night behind it."""
    folder = tmp_path_factory.mktemp("small")
    root = folder / "checkout"
    shutil.copytree(CHECKOUT / "civic_pipeline", root / "civic_pipeline")
    for city in (root / "civic_pipeline" / "defs").glob("*/*/defs.yaml"):
        if "/".join(city.parts[-3:-1]) not in SMALL:
            shutil.rmtree(city.parent)
    shutil.copytree(CHECKOUT / "data" / "seeds", root / "data" / "seeds")
    shutil.copytree(CHECKOUT / "sql" / "functions", root / "sql" / "functions")
    files = ["dagster.yaml", "pyproject.toml"]
    for file in files + [f"sql/clean/{name}.{kind}" for name in SMALL for kind in ("sql", "yml")]:
        (root / file).parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(CHECKOUT / file, root / file)
    served = serve(folder / "served", *({"file": f"{name.split('/')[1]}.csv", "dataset": name} for name in SMALL))
    for name, rows in SMALL.items():
        file = f"{name.split('/')[1]}.csv"
        with gzip.open(SAMPLE / f"{file}.gz", "rt", encoding="utf-8") as sample:
            (served / file).write_text("".join(next(sample) for _ in range(rows + 1)), encoding="utf-8")
    place = Place(folder / "data", served, root)
    ended = place.run()
    assert ended.code == 0, ended.err
    return place


@pytest.fixture(scope="session")
def released(tmp_path_factory: pytest.TempPathFactory) -> Place:
    """The whole sample captured and released, without the checks, which take a minute and are not what is tested."""
    settings = Settings(data=tmp_path_factory.mktemp("released") / "data")
    datasets = load_datasets(CHECKOUT)
    with open_portals(settings) as access:
        for name, dataset in datasets.items():
            assert attempt_capture(name, dataset, Lake(settings.lake), access).problem is None
    with open_build(settings, datasets, "the test") as build:
        for model in load_models(CHECKOUT, datasets).values():
            build.swap(build.stage(model), [], None)
        release(build)
    return Place(settings.data)


@pytest.fixture
def place(small: Place, tmp_path: Path) -> Place:
    """The small installation after its green night, to break."""
    return small.copy(tmp_path)
