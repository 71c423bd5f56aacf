"""What tests of the whole job share: the sample after one good night."""

from pathlib import Path

import pytest
from shared_folder import shared_folder

from civic_pipeline.catalog import load_datasets
from civic_pipeline.nightly import Selection, night
from civic_pipeline.settings import CHECKOUT, Settings
from civic_pipeline.warehouse import load_models


@pytest.fixture(scope="session")
def good_night(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A data folder after one good night on the sample, without a site. Not to be changed."""
    return shared_folder(tmp_path_factory, "good_night", _make_good_night) / "data"


def _make_good_night(folder: Path) -> None:
    settings = Settings(data=folder / "data", demo_folder=CHECKOUT / "data" / "sample")
    settings.data.mkdir()
    datasets = load_datasets(CHECKOUT)
    models = load_models(CHECKOUT, datasets)
    for _ in night(settings, datasets, models, "a run", Selection.whole(datasets, models), print):
        pass
