"""The published quality on Maryland's directory is computed again from the file, which is not part of the project."""

import csv
import gzip
import random

import pytest

from civic_pipeline.linkage.corruption import Party
from civic_pipeline.linkage.labelled import corrupted_copy
from civic_pipeline.linkage.measures import quality
from civic_pipeline.linkage.tables import judged
from civic_pipeline.settings import CHECKOUT

DIRECTORY = CHECKOUT.parent / "shared/real/maryland/mwbe/mbe_statewide_directory_first1000_2017-05.csv.gz"
PUBLISHED = CHECKOUT / "data/seeds/match_quality_real_files.csv"
# Fixed before the first measurement; nothing was tuned on this file.
CORRUPTION_SEED, MEASURE_SEED = 20261129, 11

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(not DIRECTORY.is_file(), reason="the real files are not beside this checkout (../shared/real)"),
]


def directory() -> list[Party]:
    with gzip.open(DIRECTORY, "rt", encoding="utf-8", newline="") as file:
        return [
            Party(row["name"], row["address"] or None, row["city"] or None, row["zip"] or None, row["phone_phone_number"] or None)
            for row in csv.DictReader(file)
        ]  # fmt: skip


@pytest.mark.parametrize("evidence", ["name and contact", "name only"])
def test_the_published_quality_is_that_of_a_corrupted_copy_of_the_directory(evidence: str) -> None:
    copy = corrupted_copy(directory(), random.Random(CORRUPTION_SEED))
    measures = {m.name: m for m in quality(judged(copy, names_only=evidence == "name only"), MEASURE_SEED)}
    with PUBLISHED.open(encoding="utf-8", newline="") as file:
        rows = [
            row
            for row in csv.DictReader(file)
            if row["evidence"] == evidence and row["measured_on"].startswith("corrupted")
        ]
    assert len(rows) == 4
    for row in rows:
        measure = measures[row["measure"]]
        published = [float(row[name]) if row[name] else None for name in ("value", "value_low", "value_high")]
        assert published == [
            pytest.approx(value, rel=1e-4) if value is not None else None
            for value in (measure.value, measure.low, measure.high)
        ], row["measure"]
    if evidence == "name and contact":
        assert measures["precision at auto"].value >= 0.99
        assert measures["recall at 0.5"].value >= 0.95
        assert measures["calibration error beyond chance"].value <= 0.03
