"""The published quality on Maryland's directory is computed again from the file, which is not part of the project."""

import csv
import gzip
import hashlib
import random
from collections import Counter

import pyarrow as pa
import pytest
from real_files import REAL, needs_real_files

from civic_pipeline.methods.linkage.corruption import Party
from civic_pipeline.methods.linkage.labelled import corrupted_copy
from civic_pipeline.methods.linkage.matcher import link
from civic_pipeline.methods.linkage.measures import quality, wilson
from civic_pipeline.methods.linkage.tables import judged
from civic_pipeline.settings import CHECKOUT

DIRECTORY = REAL / "maryland/mwbe/mbe_statewide_directory_first1000_2017-05.csv.gz"
JUDGED = CHECKOUT / "civic_pipeline_tests/fixtures/linkage/judged_pairs.csv"
PUBLISHED = CHECKOUT / "data/seeds/match_quality_real_files.csv"
# Fixed before the first measurement; nothing was tuned on this file.
CORRUPTION_SEED, MEASURE_SEED = 20261129, 11

pytestmark = [pytest.mark.slow, needs_real_files]


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


def judged_pairs() -> dict[str, str]:
    """Verdicts of a reader on 300 pairs of the directory, by a hash of their two certifications: the file is not ours to repeat."""
    with JUDGED.open(encoding="utf-8", newline="") as file:
        return {row["pair_key"]: row["verdict"] for row in csv.DictReader(file)}


def pair_key(*firms: dict[str, str]) -> str:
    names = sorted(f"{firm['certification_number']}|{firm['name']}" for firm in firms)
    return hashlib.sha256("\n".join(names).encode()).hexdigest()[:16]


def test_pairs_that_a_reader_judged_to_be_two_firms_are_rarely_matched() -> None:
    """Each pair alone, without the competition of other candidates. No pair of the directory was judged to be one firm."""
    with gzip.open(DIRECTORY, "rt", encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    listed = pa.table({
        "party_id": [f"{i:04d}" for i in range(len(rows))],
        **{name: [row[column] or None for row in rows] for name, column in (("name", "name"), ("street", "address"), ("zip_code", "zip"), ("phone", "phone_phone_number"))},
    })  # fmt: skip
    odds: dict[str, float] = {}
    for pair in link(listed, listed).to_pylist():
        key = pair_key(rows[int(pair["payee_id"])], rows[int(pair["firm_id"])])
        odds[key] = max(odds.get(key, 0.0), 2 ** pair["match_weight"])
    verdicts = judged_pairs()
    assert Counter(verdicts.values()) == {"another firm": 299, "unsure": 1}
    alone = [
        odds.get(key, 0.0) / (1 + odds.get(key, 0.0)) for key, verdict in verdicts.items() if verdict == "another firm"
    ]
    with PUBLISHED.open(encoding="utf-8", newline="") as file:
        published = {row["measure"]: row for row in csv.DictReader(file) if row["measured_on"].startswith("300 pairs")}
    for measure, least in (("wrong at 0.5", 0.5), ("wrong at auto", 0.99)):
        wrong = sum(p >= least for p in alone)
        row = published[measure]
        assert (int(row["numerator"]), int(row["denominator"])) == (wrong, len(alone))
        assert (float(row["value_low"]), float(row["value_high"])) == pytest.approx(wilson(wrong, len(alone)), abs=1e-5)
    assert float(published["mean probability of two firms"]["value"]) == pytest.approx(
        sum(alone) / len(alone), abs=1e-4
    )
