"""Record linkage: keys of names, probabilities, firms, reviews and measures, on tables worked by hand."""

import hashlib
from typing import Any

import duckdb
import numpy as np
import pyarrow as pa
import pytest

from civic_pipeline.methods.linkage.firms import merge_listings
from civic_pipeline.methods.linkage.labelled import labelled_set
from civic_pipeline.methods.linkage.matcher import NOT_PUBLISHED, link
from civic_pipeline.methods.linkage.measures import Judged, band, calibration_error, quality, sum_intervals, wilson
from civic_pipeline.methods.linkage.names import add_names
from civic_pipeline.methods.linkage.tables import match_quality, vendor_matches

PARTY = ("party_id", "name", "street", "zip_code", "phone")


def texts(columns: tuple[str, ...], *rows: tuple[str | None, ...]) -> pa.Table:
    listed = [dict(zip(columns, row, strict=False)) for row in rows]
    return pa.Table.from_pylist(listed, schema=pa.schema([(name, pa.string()) for name in columns]))


def linked(payees: pa.Table, firms: pa.Table) -> dict[tuple[str, str], dict[str, Any]]:
    return {(row["payee_id"], row["firm_id"]): row for row in link(payees, firms).to_pylist()}


# Names


@pytest.mark.parametrize(
    ("name", "keys"),
    [
        ("The Smith & Sons Constr. Co., Inc.", {"SMITH AND SONS CONSTRUCTION"}),
        ("SMITH AND SONS CONSTRUCTION", {"SMITH AND SONS CONSTRUCTION"}),
        ("Acme Svcs L.L.C. d/b/a Ace Signs", {"ACME SERVICES", "ACE SIGNS"}),
        ("Acme Services Incorpor", {"ACME SERVICES"}),
        ("Acme Services LLLC", {"ACME SERVICES"}),
        ("Café Ltd", {"CAFE"}),
        ("Inc.", {"INC"}),
    ],
)
def test_spellings_of_one_name_have_one_key(name: str, keys: set[str]) -> None:
    with duckdb.connect() as connection:
        connection.execute("create table parties as select '1' as party_id, ? as name", [name])
        add_names(connection, "parties")
        rows = connection.execute("select name_key from parties_names").fetchall()
    assert {key for (key,) in rows} == keys


# Probabilities


def test_a_payee_is_linked_by_its_name_and_surer_at_the_same_address() -> None:
    firms = texts(
        PARTY, ("f1", "Velmar Paving LLC", "1 Elm Street", "21201"), ("f2", "Okafor Electric", "2 Oak Street", "21202")
    )
    by_name = linked(texts(PARTY, ("p1", "VELMAR PAVING")), firms)["p1", "f1"]
    assert by_name["match_probability"] == pytest.approx(2**2.8 / (1 + 2**2.8), abs=1e-6)
    assert (by_name["name_evidence"], by_name["contact_evidence"]) == ("same name", NOT_PUBLISHED)
    by_both = linked(texts(PARTY, ("p1", "VELMAR PAVING", "1 ELM STREET", "21201")), firms)["p1", "f1"]
    assert by_both["match_probability"] > 0.99
    assert by_both["contact_evidence"] == "same street and ZIP code"


def test_two_firms_of_one_name_share_the_probability_and_a_frequent_name_counts_less() -> None:
    firms = texts(PARTY, ("f1", "Velmar Paving LLC"), ("f2", "Velmar Paving Inc"))
    pairs = linked(texts(PARTY, ("p1", "Velmar Paving")), firms)
    # Three rows have the name: log2(3 / 2) bits less, and two candidates compete.
    odds = 2**2.8 * 2 / 3
    assert pairs["p1", "f1"]["match_probability"] == pytest.approx(odds / (1 + 2 * odds), abs=1e-6)
    assert pairs["p1", "f1"]["match_probability"] == pairs["p1", "f2"]["match_probability"]


def test_a_longer_name_is_another_legal_entity_and_a_shorter_one_is_cut() -> None:
    firms = texts(PARTY, ("f1", "Velmar Paving LLC", "1 Elm Street", "21201"))
    assert linked(texts(PARTY, ("p1", "Velmar Paving Realty LLC", "1 Elm Street", "21201")), firms) == {}
    assert linked(texts(PARTY, ("p1", "Velmar Pav")), firms)["p1", "f1"]["match_probability"] > 0.5


def test_the_order_of_the_rows_changes_nothing() -> None:
    labelled = labelled_set("tuning")
    payees = texts(PARTY, *((f"p{i}", pair.payee.name, pair.payee.street, pair.payee.zip_code, pair.payee.phone) for i, pair in enumerate(labelled.pairs[:300])))  # fmt: skip
    firms = texts(PARTY, *((f"f{i}", firm.name, firm.street, firm.zip_code, firm.phone) for i, firm in enumerate(labelled.firms[:300])))  # fmt: skip
    backwards = list(reversed(range(300)))
    assert link(payees, firms).equals(link(payees.take(backwards), firms.take(backwards)))


# Firms


def test_certifications_of_one_firm_are_merged_and_namesakes_are_not() -> None:
    listings = texts(
        ("listing_id", "register", "name", "street", "zip_code"),
        ("1", "baltimore", "Velmar Paving LLC", "1 Elm St.", "21201"),
        ("2", "baltimore", "VELMAR PAVING", "1 Elm St", "21201"),
        ("3", "baltimore", "Velmar Pavng LLC", "1 Elm St", "21201"),
        ("4", "baltimore", "Velmar Paving LLC", "9 Oak St", "21230"),
        ("5", "baltimore", "Okafor Electric", None, "21202"),
        ("6", "baltimore", "Okafor Electric Inc", "2 Oak St", "21202"),
        ("7", "maryland", "Velmar Paving LLC", "1 Elm St", "21201"),
        ("8", "baltimore", "Rossi Supply", "1 Elm St", "21201"),
    )
    rows = {row["listing_id"]: row for row in merge_listings(listings).to_pylist()}
    firms = {listing: row["firm_id"] for listing, row in rows.items()}
    assert firms["1"] == firms["2"] == firms["3"]
    assert firms["5"] == firms["6"]
    assert len(set(firms.values())) == 5
    assert [rows[i]["merged_by"] for i in "12358"] == [
        "same name at the same address", "same name at the same address", "similar name at the same address",
        "same name in the same ZIP code", "listed once",
    ]  # fmt: skip
    expected = duckdb.execute('select md5(\'["baltimore","1"]\')').fetchone()
    assert (firms["1"],) == expected


# Vendors


def matches(*reviews: tuple[str, str, str, str, str]) -> dict[tuple[str, str], dict[str, Any]]:
    vendors = pa.table({
        "vendor_id": ["v1", "v2", "v3"], "city": ["baltimore"] * 3, "vendor_name": ["Velmar Paving", "Okafor Electric", "Redacted"],
        "names_seen": ["Velmar Paving | VELMAR PAVING CO", "Okafor Electric", None], "is_redacted": [False, False, True],
    })  # fmt: skip
    result = vendor_matches({
        "marts.dim_vendors": vendors,
        "marts.dim_certified_firms": texts(
            ("certification_id", "firm_name", "street_address", "zip_code"),
            ("1", "Velmar Paving LLC", "1 Elm St", "21201"), ("2", "Velmar Paving Inc.", "9 Oak St", "21230"), ("3", "Velmar Paving", "1 Elm St", "21201"),
        ),
        "marts.bridge_certified_firms": texts(
            ("certification_id", "firm_id", "authority", "firm_name"),
            ("1", "f1", "baltimore", "Velmar Paving LLC"), ("2", "f2", "baltimore", "Velmar Paving Inc."), ("3", "f3", "maryland", "Velmar Paving"),
        ),
        "seeds.vendor_match_reviews": texts(("vendor_name", "authority", "firm_name", "decision", "reason"), *reviews),
    })  # fmt: skip
    return {(row["vendor_id"], row["firm_id"]): row for row in result.to_pylist()}


def test_a_vendor_has_at_most_one_firm_in_each_register() -> None:
    rows = matches()
    assert {pair for pair, row in rows.items() if row["is_assigned"]} == {("v1", "f1"), ("v1", "f3")}
    assert all(row["match_probability"] == row["model_probability"] for row in rows.values())
    assert rows["v1", "f3"]["match_band"] == "probable"


def test_a_reviewed_decision_replaces_the_probability() -> None:
    rows = matches(("Velmar Paving", "baltimore", "Velmar Paving Inc.", "same firm", "The address of the invoice."))
    assert (rows["v1", "f2"]["match_probability"], rows["v1", "f2"]["match_band"]) == (1.0, "auto")
    assert (rows["v1", "f1"]["match_probability"], rows["v1", "f1"]["is_assigned"]) == (0.0, False)
    assert rows["v1", "f2"]["review_reason"] == "The address of the invoice."
    assert rows["v1", "f3"]["match_probability"] == rows["v1", "f3"]["model_probability"], "another register"
    rows = matches(("Velmar Paving", "baltimore", "Velmar Paving LLC", "another firm", "Another owner."))
    assert (rows["v1", "f1"]["match_probability"], rows["v1", "f2"]["is_assigned"]) == (0.0, True)


# Measures


def test_bands_intervals_and_calibration_by_hand() -> None:
    assert [band(p) for p in (0.99, 0.9899, 0.8, 0.5, 0.4999)] == ["auto", "probable", "probable", "review", "none"]
    assert wilson(9, 10) == pytest.approx((0.59585, 0.98212), abs=1e-5)
    # Two pairs at 0.8 of which one is right, two at 0.3 of which none is: (2 * 0.3 + 2 * 0.3) / 4
    assert calibration_error(np.array([0.8, 0.8, 0.3, 0.3]), np.array([1.0, 0.0, 0.0, 0.0])) == pytest.approx(0.3)


def test_quality_counts_the_best_candidates() -> None:
    judged = [
        Judged(0.995, True, True), Judged(0.99, False, True), Judged(0.6, True, True), Judged(0.4, True, True), Judged(0.0, False, True),
        Judged(0.7, False, False),
    ]  # fmt: skip
    measures = {measure.name: measure for measure in quality(judged, seed=1)}
    assert measures["precision at auto"].value == 1 / 2
    assert measures["precision at 0.5"].value == 2 / 4
    assert measures["recall at 0.5"].value == 2 / 5
    error = measures["calibration error beyond chance"]
    # Bins of 0.4, 0.6, 0.7 and two in the last: (0.6 + 0.4 + 0.7 + (0.995 + 0.99 - 1)) / 5
    assert error.numerator == pytest.approx(2.685 / 5)
    assert error.value == pytest.approx(error.numerator - error.denominator)


def test_a_sum_over_uncertain_matches_has_the_interval_of_its_distribution() -> None:
    certain, impossible, even, skewed = sum_intervals(
        [([0], [7.0]), ([1], [7.0]), ([2], [10.0]), ([2, 3], [1.0, 100.0])], [1.0, 0.0, 0.5, 0.01], seed=5
    )
    assert certain == (7.0, 7.0)
    assert impossible == (0.0, 0.0)
    assert even == (0.0, 10.0)
    assert skewed == (0.0, 1.0), "one in a hundred is outside of the interval"


def test_no_chance_decides_whether_a_large_payee_is_within_the_interval() -> None:
    """Of 2,000 draws, 2.7% are 54 give or take 7 by chance, and 50 are above the interval."""
    cell: list[tuple[list[int], list[float]]] = [([0], [100.0])]
    assert {sum_intervals(cell, [0.027], seed)[0] for seed in range(20)} == {(0.0, 100.0)}
    assert {sum_intervals(cell, [0.023], seed)[0] for seed in range(20)} == {(0.0, 0.0)}


def test_the_labelled_pairs_are_those_that_were_fixed_before_the_model_was_tuned() -> None:
    halves = {half: hashlib.sha256(repr(labelled_set(half)).encode()).hexdigest()[:16] for half in ("tuning", "test")}
    assert halves == {"tuning": "6dd757ecdd7b4bf1", "test": "15fb5b692cc92467"}


@pytest.mark.slow
def test_the_test_half_meets_the_targets() -> None:
    names = ("measured_on", "evidence", "measure", "pair_count", "numerator", "denominator", "value", "value_low", "value_high", "interval_method")  # fmt: skip
    rows = match_quality({"seeds.match_quality_real_files": texts(names)}).to_pylist()
    assert {row["measure"]: row["meets_target"] for row in rows if row["target"] is not None} == {
        "precision at auto": True, "recall at 0.5": True, "calibration error beyond chance": True,
    }  # fmt: skip
    (auto,) = [row for row in rows if row["measure"] == "precision at auto" and row["evidence"] == "name and contact"]
    assert auto["value_low"] > 0.99, "the lower bound of Wilson's interval"
    assert auto["denominator"] > 1000
