"""Rules across tables: what their files say, when they run, and what a broken one holds back."""

from contextlib import suppress
from dataclasses import replace
from typing import Any

import pytest
from formulas import committed_models
from tiny_project import TinyProject

from civic_pipeline import nightly
from civic_pipeline.errors import CatalogIncomplete, ContractBroken, FileInvalid, HeldBack
from civic_pipeline.nightly import Selection
from civic_pipeline.quality import TableOutcome, planned_checks

GOOD = [("1", "2024-01-05", "10.00"), ("2", "2024-02-06", "1234.50")]
LATER = "2026-01-03T030405.000000Z"
RULE = "sql/checks/spending/months_are_positive.sql"
HEADER = "-- Each row is a month without payments\n-- worth anything.\n-- severity: critical\n-- subject: spending\n"
QUERY = "-- holds back: marts.mart_months\nselect month, amount from marts.mart_months where amount < 1000\n"
CONTRACT = "sql/clean/town/payments.yml"


@pytest.fixture
def project(tiny: TinyProject) -> TinyProject:
    """The tiny project with a capture, and a second mart that no rule reads."""
    tiny.capture(GOOD)
    tiny.attempt()
    tiny.write("sql/marts/budget/mart_lines.sql", "select payment_id from clean.town_payments")
    tiny.write(
        "sql/marts/budget/mart_lines.yml",
        "each_row_is: one line\nkey: [payment_id]\ncolumns: [{name: payment_id, type: VARCHAR, description: x}]",
    )
    return tiny


def night(project: TinyProject, *tables: str) -> dict[str, TableOutcome]:
    """A night of what was captured, or of `tables`: the outcome of each table."""
    datasets, models = {project.name: project.dataset}, project.models()
    selection = replace(Selection.whole(datasets, models), datasets=frozenset())
    if tables:
        selection = replace(selection, tables=frozenset(tables), releases=False, rebuilds=True)
    outcomes = {}
    with suppress(HeldBack):
        for outcome in nightly.night(project.settings, datasets, models, "a run", selection, print):
            if isinstance(outcome, TableOutcome):
                outcomes[outcome.model.name] = outcome
    return outcomes


def ask(project: TinyProject, query: str) -> list[tuple[Any, ...]]:
    with project.build() as build:
        return build.connection.execute(query).fetchall()


VERDICTS = "select is_passed, unexpected, examples, not_run from meta.checks where check_name = 'months_are_positive'"


def test_a_broken_rule_holds_back_its_table_and_nothing_else(project: TinyProject) -> None:
    project.write(RULE, HEADER + QUERY)
    outcomes = night(project)
    assert {name: outcome.status for name, outcome in outcomes.items()} == {
        "clean.town_payments": "built", "marts.mart_lines": "built", "marts.mart_months": "held_back",
    }  # fmt: skip
    held = outcomes["marts.mart_months"]
    assert held.problem == str(ContractBroken("marts.mart_months", [r.failure for r in held.results if r.failed]))
    assert "months_are_positive (Each row is a month without payments worth anything., 1 unexpected" in held.problem
    assert ask(project, VERDICTS) == [(False, 1, ["2024-01-01, 10.00"], None)]
    assert project.settings.warehouse.exists()  # the others are released


def test_what_a_rule_looks_at_is_the_staged_table_and_the_accepted_one_stays(project: TinyProject) -> None:
    project.write(RULE, HEADER + QUERY.replace("< 1000", "> 1000000"))
    assert night(project)["marts.mart_months"].status == "built"
    project.capture([("1", "2024-01-05", "2000000.00")], at=LATER)
    assert night(project)["marts.mart_months"].status == "held_back"
    assert ask(project, "select amount::integer from marts.mart_months order by all") == [(10,), (1235,)]


def test_a_warning_shows_and_holds_nothing_back(project: TinyProject) -> None:
    project.write(RULE, HEADER.replace("critical", "warning") + QUERY)
    assert night(project)["marts.mart_months"].status == "built"
    assert ask(project, VERDICTS) == [(False, 1, ["2024-01-01, 10.00"], None)]


def test_a_changed_rule_judges_a_table_that_is_otherwise_unchanged(project: TinyProject) -> None:
    project.write(RULE, HEADER + QUERY.replace("< 1000", "< 0"))
    assert night(project)["marts.mart_months"].status == "built"
    assert night(project)["marts.mart_months"].status == "unchanged"
    project.write(RULE, HEADER + QUERY)
    assert night(project)["marts.mart_months"].status == "held_back"


COMPARED = """-- holds back: marts.mart_months
select month from marts.mart_months where amount > 0 and (select count(*) from marts.mart_lines) > 0
"""


def test_a_rule_that_reads_a_held_back_table_does_not_run(project: TinyProject) -> None:
    project.write(RULE, HEADER + COMPARED.replace("> 0\n", "< 0\n"))
    assert night(project)["marts.mart_months"].status == "built"
    project.write(RULE, HEADER + COMPARED)  # would now hold the months back
    project.edit("sql/marts/budget/mart_lines.sql", "select payment_id", "select payment_id || nothing as payment_id")
    project.capture([*GOOD, ("3", "2024-03-01", "9.00")], at=LATER)
    outcomes = night(project)
    assert {name: outcome.status for name, outcome in outcomes.items()} == {
        "clean.town_payments": "built", "marts.mart_lines": "held_back", "marts.mart_months": "built",
    }  # fmt: skip
    assert ask(project, VERDICTS) == [(None, None, [], "not_run: input held back: marts.mart_lines")]
    assert not any(result.failed for result in outcomes["marts.mart_months"].results if result.layer == "across")


def test_a_rule_does_not_run_before_its_other_tables_were_ever_built(project: TinyProject) -> None:
    project.write(RULE, HEADER + COMPARED)
    assert night(project, "clean.town_payments", "marts.mart_months")["marts.mart_months"].status == "built"
    assert ask(project, VERDICTS) == [(None, None, [], "not_run: input held back: marts.mart_lines")]


def test_a_table_is_built_after_the_others_that_its_rules_read(project: TinyProject) -> None:
    project.write(RULE, HEADER + COMPARED)
    assert list(project.models()) == ["clean.town_payments", "marts.mart_lines", "marts.mart_months"]
    project.write(RULE, HEADER + COMPARED.replace("back: marts.mart_months", "back: marts.mart_lines"))
    assert list(project.models()) == ["clean.town_payments", "marts.mart_months", "marts.mart_lines"]


def test_a_rule_that_does_not_run_holds_its_table_back_with_its_file(project: TinyProject) -> None:
    project.write(RULE, HEADER + "-- holds back: marts.mart_months\nselect nothing from marts.mart_months")
    assert "months_are_positive.sql failed" in str(night(project)["marts.mart_months"].problem)


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        (HEADER + "select month from marts.mart_months", "1: the header lacks a line `-- holds back: ...`"),
        (QUERY, "1: the header lacks a line `-- severity: ...` and a line `-- subject: ...` and a comment that describes"),
        (HEADER.replace("critical", "fatal") + QUERY, "3: severity must be one of critical, warning, info, not 'fatal'"),
        (HEADER.replace("subject: spending", "subject: budget") + QUERY, "4: subject must be the name of the folder, spending"),
        (HEADER + QUERY.replace("back: marts.mart_months", "back: clean.town_payments"), "5: holds back must be one of"),
    ],
)  # fmt: skip
def test_an_incomplete_or_wrong_header_is_refused_with_its_line(project: TinyProject, text: str, problem: str) -> None:
    project.write(RULE, text)
    with pytest.raises(FileInvalid) as raised:
        project.models()
    assert f"months_are_positive.sql:{problem}" in str(raised.value)


def test_a_rule_about_an_unknown_table_is_refused_at_load(project: TinyProject) -> None:
    project.write(RULE, HEADER + QUERY.replace("from marts.mart_months", "from marts.mart_months, marts.mart_monhts"))
    with pytest.raises(CatalogIncomplete, match=r"positive\.sql reads marts\.mart_monhts.*Check the spelling"):
        project.models()


def test_a_rule_that_holds_back_another_than_its_last_table_is_refused(project: TinyProject) -> None:
    text = QUERY.replace("back: marts.mart_months", "back: clean.town_payments")
    project.write(RULE, HEADER + text.replace("where", "join clean.town_payments on true where"))
    with pytest.raises(CatalogIncomplete, match=r"must hold back the last of the tables"):
        project.models()


def test_a_rule_and_an_expectation_of_one_name_are_refused(project: TinyProject) -> None:
    project.write(RULE, HEADER + QUERY)
    named = "expectations:\n  - name: months_are_positive\n    expect_table_row_count_to_be_between: {min_value: 1}\n    severity: warning\ncolumns:"
    project.edit("sql/marts/spending/mart_months.yml", "columns:", named)
    with pytest.raises(CatalogIncomplete, match=r"mart_months has two checks with the name months_are_positive"):
        planned_checks(project.models()["marts.mart_months"])


def test_every_committed_rule_is_a_check_of_the_table_it_holds_back() -> None:
    rules = [rule for model in committed_models().values() for rule in model.rules]
    assert len(rules) >= 7
    assert all(rule.description for rule in rules)
