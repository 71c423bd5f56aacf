"""`clean_history.<table>`: a clean table as of every accepted capture, each capture cleaned once."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from tiny_project import TinyProject, write_tiny_project

from civic_pipeline.errors import CaptureDamaged, CatalogIncomplete, FileInvalid
from civic_pipeline.quality import Suites, build_table
from civic_pipeline.quality.trial import try_table
from civic_pipeline.warehouse import as_of, cleaned

MART, SQL = "marts.mart_lists", "sql/marts/spending/mart_lists.sql"
FIRST, SECOND, THIRD = (f"2026-01-0{day}T000000.000000Z" for day in (2, 3, 4))
_SQL = """-- Each row is one payment of one list.
select
    payment_id,
    _sequence as list_number,
    cast(_captured_at as date) as listed_on,
    amount
from clean_history.town_payments
"""
_YML = """each_row_is: one payment of one list
key: [payment_id, list_number]
columns:
  - {name: payment_id, type: VARCHAR, description: "Number of the payment."}
  - {name: list_number, type: INTEGER, description: "1 for the oldest list."}
  - {name: listed_on, type: DATE, description: "Day of the list."}
  - {name: amount, type: "DECIMAL(18,2)", unit: USD, description: "Dollars paid."}
"""


@pytest.fixture
def project(tmp_path: Path) -> TinyProject:
    """Two lists: payment 2 cannot be read on the first and is on the second with another amount."""
    project = write_tiny_project(tmp_path)
    project.write(SQL, _SQL)
    project.write("sql/marts/spending/mart_lists.yml", _YML)
    project.capture([("1", "2026-01-01", "$10"), ("2", "2026-01-01", "many")], at=FIRST)
    project.capture([("1", "2026-01-01", "$11.50"), ("2", "2026-01-01", "$7")], at=SECOND)
    return project


@pytest.fixture
def cleanings(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The captures that were cleaned since."""
    seen: list[str] = []
    clean = cleaned._clean

    def counting(*arguments: Any) -> None:
        seen.append(arguments[-1].capture_id.rpartition("/")[2])
        clean(*arguments)

    monkeypatch.setattr(cleaned, "_clean", counting)
    return seen


def night(project: TinyProject) -> dict[str, str]:
    """Build every table; table -> its status."""
    with project.build() as build:
        suites, held = Suites(build), dict[str, str]()
        statuses = {}
        for model in project.models().values():
            outcome = build_table(build, suites, model, held, rebuilds=False)
            statuses[model.name] = outcome.problem or outcome.status
            if outcome.problem:
                held[model.name] = outcome.problem
    return statuses


def rows(project: TinyProject) -> list[tuple[object, ...]]:
    with project.build() as build:
        return build.connection.execute(
            "select payment_id, list_number, listed_on::varchar, amount::double from marts.mart_lists order by all"
        ).fetchall()


def test_a_table_of_every_list_is_as_new_as_the_newest_row_of_the_current_one(project: TinyProject) -> None:
    night(project)
    with project.build() as build:
        assert build.connection.execute(
            "select table_name, data_date::varchar from meta.tables where table_name in (?, 'clean.town_payments') order by 1",
            [MART],
        ).fetchall() == [("clean.town_payments", "2026-01-01"), (MART, "2026-01-01")]


def test_every_accepted_capture_is_read_as_the_clean_model_reads_it(project: TinyProject) -> None:
    project.capture([("9", "2026-01-01", "$1")], at=THIRD, held_back="too few rows")
    assert night(project)[MART] == "built"
    assert rows(project) == [
        ("1", 1, "2026-01-02", 10.0),
        ("1", 2, "2026-01-03", 11.5),
        ("2", 2, "2026-01-03", 7.0),  # not on the first list: its amount breaks a row rule
    ]


def test_a_capture_is_cleaned_once(project: TinyProject, cleanings: list[str]) -> None:
    night(project)
    assert cleanings == [FIRST, SECOND]
    assert night(project)[MART] == "unchanged"
    assert cleanings == [FIRST, SECOND]
    project.capture([("3", "2026-01-04", "$3")], at=THIRD)
    night(project)
    assert cleanings == [FIRST, SECOND, THIRD]
    assert rows(project)[-1] == ("3", 3, "2026-01-04", 3.0)
    with project.build() as build:  # the current capture is what `raw` reads again
        assert build.connection.execute("select payment_no from raw.town_payments").fetchall() == [("3",)]


def test_an_older_capture_that_is_added_changes_the_numbers_of_the_others(
    project: TinyProject, cleanings: list[str]
) -> None:
    night(project)
    project.capture([("1", "2025-12-01", "$9")], at="2025-12-24T000000.000000Z")
    assert night(project)[MART] == "built"
    assert len(cleanings) == 3
    assert [row[1:3] for row in rows(project) if row[0] == "1"] == [
        (1, "2025-12-24"), (2, "2026-01-02"), (3, "2026-01-03"),
    ]  # fmt: skip


def test_a_changed_cleaning_is_applied_to_all_captures(project: TinyProject, cleanings: list[str]) -> None:
    night(project)
    project.edit("sql/clean/town/payments.sql", "parse_money(Amount) as", "parse_money(Amount) * 2 as")
    project.edit("sql/clean/town/payments.yml", "control_totals: [amount]\n", "")
    project.edit("sql/clean/town/payments.yml", '"DECIMAL(18,2)"', '"DECIMAL(20,2)"')
    project.edit(
        "sql/clean/town/payments.sql", "parse_money(Amount) * 2", "cast(parse_money(Amount) * 2 as decimal(20, 2))"
    )
    project.edit("sql/marts/spending/mart_lists.sql", "    amount", "    cast(amount as decimal(18, 2)) as amount")
    assert night(project)[MART] == "built"
    assert cleanings == [FIRST, SECOND] * 2
    assert [row[3] for row in rows(project)] == [20.0, 23.0, 14.0]


def test_rows_that_a_killed_run_left_are_not_read_twice(project: TinyProject) -> None:
    night(project)
    project.capture([("3", "2026-01-04", "$3")], at=THIRD)
    with project.build() as build:
        build.connection.execute(
            f"insert into cleaned.town_payments values ('3', '2026-01-04', 3, '{project.name}/{THIRD}')"
        )
    night(project)
    assert [row[0] for row in rows(project)] == ["1", "1", "2", "3"]


def test_a_damaged_capture_holds_back_what_reads_its_history(project: TinyProject) -> None:
    (project.settings.lake / project.name / FIRST / "part.parquet").write_bytes(b"PAR1")
    with project.build() as build, pytest.raises(CaptureDamaged, match="sha256"):
        build.stage(project.models()[MART])
    assert "sha256" in night(project)[MART]


def test_it_waits_for_the_clean_table(project: TinyProject) -> None:
    project.edit("sql/clean/town/payments.yml", "tolerate_quarantined: 50%", "tolerate_quarantined: 1%")
    project.capture([("1", "2026-01-04", "$3"), ("2", "2026-01-04", "lots")], at=THIRD)
    assert night(project)[MART] == "waits for clean.town_payments"


def test_try_does_not_clean_again(project: TinyProject, cleanings: list[str]) -> None:
    night(project)
    with try_table(project.settings, {project.name: project.dataset}, project.models()[MART]) as trial:
        assert trial.staged.rows == 3
    assert cleanings == [FIRST, SECOND]


def test_as_of_reads_the_captures_of_then(project: TinyProject) -> None:
    moment = datetime(2026, 1, 2, 12, tzinfo=UTC)
    models = project.models()
    with as_of(project.settings, {project.name: project.dataset}, models, moment, "from mart_lists") as connection:
        assert connection.execute("select count(*), max(list_number) from mart_lists").fetchall() == [(1, 1)]


def test_a_column_about_persons_is_one_in_the_history_too(project: TinyProject) -> None:
    project.edit("sql/clean/town/payments.yml", "source: Payment_No,", "source: Payment_No, personal: true,")
    project.edit("sql/clean/town/payments.yml", "key: [payment_id]", "key: [paid_on]")
    with pytest.raises(
        FileInvalid, match=r"payment_id, made of clean_history\.town_payments\.payment_id, is about persons"
    ):
        project.models()


def test_a_clean_model_that_reads_other_tables_has_no_history(project: TinyProject) -> None:
    project.edit(
        "sql/clean/town/payments.sql", "from raw.town_payments", "from raw.town_payments cross join marts.mart_days"
    )
    project.write("sql/marts/spending/mart_days.sql", "-- Each row is one day.\nselect city from seeds.agencies\n")
    project.write(
        "sql/marts/spending/mart_days.yml",
        'each_row_is: one day\nkey: [city]\ncolumns:\n  - {name: city, type: VARCHAR, description: "City."}\n',
    )
    with pytest.raises(CatalogIncomplete, match=r"payments\.sql also reads marts\.mart_days"):
        project.models()
