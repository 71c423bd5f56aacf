"""What docs/analysts.md tells people to type runs, on a warehouse made of the sample."""

import re
from collections.abc import Iterator
from pathlib import Path

import matplotlib as mpl
import pytest

from civic_pipeline import connect
from civic_pipeline.access import open_portals
from civic_pipeline.catalog import load_datasets
from civic_pipeline.lake import Lake, attempt_capture
from civic_pipeline.settings import CHECKOUT, Settings
from civic_pipeline.warehouse import load_models, open_build, release

PAGE = (CHECKOUT / "docs" / "analysts.md").read_text(encoding="utf-8")


def blocks(language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```", PAGE, flags=re.MULTILINE | re.DOTALL)


@pytest.fixture(scope="module")
def workplace(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A folder whose data/ holds a release, made without the checks: they have tests of their own and take a minute."""
    folder = tmp_path_factory.mktemp("workplace")
    settings = Settings(data=folder / "data")
    datasets = load_datasets(CHECKOUT)
    with open_portals(settings) as access:
        for name, dataset in datasets.items():
            assert attempt_capture(name, dataset, Lake(settings.lake), access).problem is None
    with open_build(settings, datasets, "docs") as build:
        for model in load_models(CHECKOUT, datasets).values():
            build.swap(build.stage(model), [], None)
        release(build)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("CIVIC_DATA", str(settings.data))
        patch.chdir(folder)
        mpl.use("Agg")
        yield folder


def test_the_python_blocks_run_one_after_the_other(workplace: Path) -> None:
    names: dict[str, object] = {}
    for number, block in enumerate(blocks("python"), 1):
        exec(compile(block, f"docs/analysts.md, python block {number}", "exec"), names)
    assert (workplace / "covid_rate.png").stat().st_size > 5_000
    assert len(names["sent"]) >= 1


@pytest.mark.parametrize("query", blocks("sql"))
def test_a_query_runs(workplace: Path, query: str) -> None:
    with connect() as warehouse:
        assert warehouse.execute(query).description
