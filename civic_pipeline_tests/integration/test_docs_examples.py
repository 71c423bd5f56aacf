"""What docs/analysts.md tells people to type runs, on a warehouse made of the sample."""

import re
from pathlib import Path

import matplotlib as mpl
import pytest
from terminal import Place

from civic_pipeline import connect
from civic_pipeline.settings import CHECKOUT

pytestmark = pytest.mark.slow  # it needs every table of the sample

PAGE = (CHECKOUT / "docs" / "analysts.md").read_text(encoding="utf-8")


def blocks(language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```", PAGE, flags=re.MULTILINE | re.DOTALL)


@pytest.fixture
def workplace(released: Place, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder whose data/ holds a release."""
    (tmp_path / "data").symlink_to(released.data)
    monkeypatch.setenv("CIVIC_DATA", str(released.data))
    monkeypatch.chdir(tmp_path)
    mpl.use("Agg")
    return tmp_path


def test_the_python_blocks_run_one_after_the_other(workplace: Path) -> None:
    names: dict[str, object] = {}
    for number, block in enumerate(blocks("python"), 1):
        exec(compile(block, f"docs/analysts.md, python block {number}", "exec"), names)
    assert (workplace / "covid_rate.png").stat().st_size > 5_000
    assert len(names["sent"]) >= 1


@pytest.mark.parametrize("query", blocks("sql"))
def test_a_query_has_an_answer(workplace: Path, query: str) -> None:
    with connect() as warehouse:
        assert warehouse.execute(query).fetchall()
