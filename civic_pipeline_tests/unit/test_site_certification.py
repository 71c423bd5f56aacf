"""The page of the criteria: each with its evidence, no level, and two bounds of a score."""

import html
import re
from pathlib import Path

import pytest
from small_release import BUDGET, small_release

from civic_pipeline.publish.site import build_site

CERTIFICATION = {
    "marts.mart_wwc_scorecard": """
        select 'town' as city, 'wwc_2022' as standard, * from (values
            ('DM1', 1, 'Data Management', 'Strategy', 'partly_measured', 1, 'Exists, its content is not judged: A <plan>', 'a page'),
            ('DM2', 2, 'Data Management', 'Inventory', 'measured', 0, '2 of 3 tests are met, 0 cannot be measured', 'marts.fct_criterion_evidence'),
            ('DM3', 3, 'Data Management', 'Sharing', 'partly_measured', null, 'No document is recorded yet', null),
            ('LC1', 4, 'Leadership and Capacity', 'Executive', 'attested', null, 'The mayor says so.', 'a letter')
        ) as t(criterion, position, practice, title, classification, points, evidence, evidence_source)""",
    "marts.fct_criterion_evidence": """
        select 'town' as city, * from (values
            ('DM2', 'inventory_exists', 'There is one.', 1.0, 'at_least', 1.0, true, null),
            ('DM8', 'measures_disaggregated', 'A share.', null, 'at_least', 0.5, null, 'No measures of the city are captured.')
        ) as t(criterion, test, description, value, comparison, threshold, is_met, not_measured_because)""",
    "marts.mart_wwc_totals": """
        select 'town' as city, * from (values (1, 'measured', 1, 0, 0), (2, 'measured and partly measured', 3, 1, 1),
            (3, 'if every attestation were given', 4, 2, 1)) as t(position, total, criterion_count, points, unknown_count)""",
    "marts.mart_wwc_claims": """
        select 'town' as city, 1 as position, 'Open talk' as claim, 'DM2, DM3' as criteria, 1 as measured_count, 1 as partly_measured_count,
            0 as not_measured_count, 'marts.fct_criterion_evidence' as shown_in""",
    "marts.mart_dataset_quality_scores": """
        select 'town' as place, date '2026-01-02' as scored_on, 'dataset' as dataset_kind, 'town/source' as dataset, 0.53 as score_low,
            0.78 as score_high, 0.9 as completeness, null as validity, 0.5 as freshness, 0.5 as documentation, 1.0 as accessibility,
            null as stability, 'passed_checks, unrevised_rows' as not_measured""",
}


@pytest.fixture(scope="module")
def page(tmp_path_factory: pytest.TempPathFactory) -> str:
    folder = tmp_path_factory.mktemp("certification")
    build_site(small_release(folder / "release.duckdb", CERTIFICATION), folder / "site")
    return (folder / "site" / "certification" / "town" / "index.html").read_text()


def cells(page: str, first: str) -> list[str]:
    """The texts of the row whose heading is `first`, or begins with it and a colon."""
    [row] = [
        row
        for row in re.findall(r"<tr>.*?</tr>", page, re.DOTALL)
        if re.search(rf"<th[^>]*>\s*{re.escape(first)}(?::[^<]*)?\s*</th>", row)
    ]
    return [
        " ".join(html.unescape(re.sub("<[^>]+>", " ", cell)).split())
        for cell in re.findall(r"<t[hd].*?</t[hd]>", row, re.DOTALL)
    ]


def test_each_criterion_has_its_class_its_result_and_its_evidence(page: str) -> None:
    met, failed, unknown, attested = (
        cells(page.partition('id="tests"')[0], criterion) for criterion in ("DM1", "DM2", "DM3", "LC1")
    )
    assert met[1:] == ["partly measured", "a document exists", "Exists, its content is not judged: A <plan>", "a page"]
    assert failed[1:3] == ["measured", "not met"]
    assert unknown[1:3] == ["partly measured", "unknown"]
    assert attested[1:4] == ["attested", "unknown", "The mayor says so."]
    assert '<a href="../../data/marts.fct_criterion_evidence/index.html">' in page
    assert "A &lt;plan&gt;" in page


def test_the_page_states_points_and_no_level(page: str) -> None:
    figure = "criteria that data can measure are met. For 1 of 2 more, a document exists. There are 4 in all"
    assert f"<b>0 of 1</b> {figure}" in page, "a document whose content nobody judged is not a criterion that is met"
    assert not re.search("silver|gold|platinum", page, re.IGNORECASE)
    assert "No level of certification follows" in page


def test_what_is_not_measured_is_said_and_a_score_has_bounds(page: str) -> None:
    assert cells(page.partition('id="tests"')[2], "DM8")[2:] == [
        "not known",
        "at least 0.5",
        "No measures of the city are captured.",
    ]
    assert cells(page.partition('id="quality"')[2], "Source") == ["Source", "0.53", "0.78", "0.90", "not known", "0.50", "0.50", "1.00", "not known", "passed checks, unrevised rows"]  # fmt: skip


def test_without_scorecards_the_page_says_why(tmp_path: Path) -> None:
    build_site(small_release(tmp_path / "release.duckdb", BUDGET), tmp_path / "site")
    assert "No release has this table yet." in (tmp_path / "site" / "certification" / "index.html").read_text()
