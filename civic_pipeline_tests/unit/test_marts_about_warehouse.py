"""Marts that read what the night records of other tables: built last, and only when that changed."""

from pathlib import Path

import pytest
from tiny_project import TinyProject, write_tiny_project

from civic_pipeline.errors import CatalogIncomplete, UnknownName
from civic_pipeline.nightly import Outcome, Selection, _build
from civic_pipeline.quality import Suites, build_table
from civic_pipeline.settings import CHECKOUT
from civic_pipeline.warehouse import as_of
from civic_pipeline.warehouse.readable import READABLE

MART = "marts.mart_a_count"  # by its name it would come before marts.mart_months
_SQL = """-- Each row is one table.
select
    table_name,
    count(*) filter (where is_passed) as passed_checks
from meta.checks
where not starts_with(table_name, 'marts.mart_a_')
group by table_name
"""
_YML = """each_row_is: one table
key: [table_name]
columns:
  - {name: table_name, type: VARCHAR, description: "Table."}
  - {name: passed_checks, type: BIGINT, description: "Checks that passed."}
"""
_ROWS = [("1", "2026-01-05", "10.00"), ("2", "2026-02-05", "20.00")]


@pytest.fixture
def project(tmp_path: Path) -> TinyProject:
    project = write_tiny_project(tmp_path)
    project.write("sql/marts/certification/mart_a_count.sql", _SQL)
    project.write("sql/marts/certification/mart_a_count.yml", _YML)
    project.capture(_ROWS)
    return project


def night(project: TinyProject, run_id: str) -> dict[str, str]:
    """Build what changed; table -> status."""
    with project.build(run_id) as build:
        suites = Suites(build)
        return {
            name: build_table(build, suites, model, {}, rebuilds=False).status
            for name, model in project.models().items()
        }


def test_it_is_built_after_the_tables_that_it_is_about(project: TinyProject) -> None:
    assert list(project.models()) == ["clean.town_payments", "marts.mart_months", MART]
    night(project, "first")
    with project.build() as build:
        rows = dict(build.connection.execute(f"from {MART}").fetchall())
    assert rows.keys() == {"clean.town_payments", "marts.mart_months"}
    assert all(rows.values())


def test_a_quiet_night_does_not_rebuild_it_and_a_changed_check_does(project: TinyProject) -> None:
    assert set(night(project, "first").values()) == {"built"}
    assert set(night(project, "second").values()) == {"unchanged"}
    with project.build("third") as build:
        build.connection.execute(
            "update meta.checks set is_passed = not is_passed where table_name = 'marts.mart_months'"
        )
    assert night(project, "fourth") == {
        "clean.town_payments": "unchanged",
        "marts.mart_months": "unchanged",
        MART: "built",
    }


def test_a_table_that_was_removed_is_gone_from_it_in_the_same_night(project: TinyProject) -> None:
    def release(run_id: str) -> list[Outcome]:
        models = project.models()
        with project.build(run_id) as build:
            return [*_build(build, models, Selection.whole({project.name: project.dataset}, models))]

    project.attempt()
    release("first")
    for file in (project.settings.root / "sql" / "marts").rglob("mart_months.*"):
        file.unlink()
    release("second")
    with project.build() as build:
        named = build.connection.execute(f"select table_name from {MART} order by 1").fetchall()
    assert named == [("clean.town_payments",), ("raw.town_payments",)]


def test_meta_counts_nulls_and_says_what_is_required(project: TinyProject) -> None:
    project.capture([*_ROWS, ("3", "2026-03-01", None)], at="2026-01-03T030405.000000Z")
    project.edit(
        "sql/clean/town/payments.yml", "    keep_if: amount is not null\n", "    keep_if: payment_id is not null\n"
    )
    night(project, "first")
    with project.build() as build:
        columns = build.connection.execute(
            "select column_name, is_required, null_count from meta.columns where table_name = 'clean.town_payments' order by position"
        ).fetchall()
        declared = build.connection.execute(
            "select dataset, table_name, cadence, has_stable_id from meta.datasets"
        ).fetchall()
        subjects = dict(build.connection.execute("select table_name, subject from meta.tables").fetchall())
    assert columns == [("payment_id", True, 0), ("paid_on", False, 0), ("amount", False, 1)]
    assert declared == [("town/payments", "clean.town_payments", "monthly", True)]
    assert subjects == {"clean.town_payments": "spending", "marts.mart_months": "spending", MART: "certification"}


def test_other_marts_do_not_read_meta(project: TinyProject) -> None:
    project.write("sql/marts/spending/mart_b.sql", _SQL)
    project.write("sql/marts/spending/mart_b.yml", _YML)
    with pytest.raises(CatalogIncomplete, match="Only marts of the subject certification read meta"):
        project.models()


def test_it_is_not_rebuilt_as_of_a_day(project: TinyProject) -> None:
    from datetime import UTC, datetime

    moment = datetime(2026, 2, 1, tzinfo=UTC)
    with (
        pytest.raises(UnknownName, match="mart_a_count"),
        as_of(project.settings, {project.name: project.dataset}, project.models(), moment, f"from {MART}"),
    ):
        pass


def test_what_every_night_writes_anew_is_not_readable() -> None:
    """Else each night would rebuild these marts and make a release."""
    assert "attempted_at" not in READABLE["meta.captures"]
    assert {"run_id", "checked_at"} <= set(
        READABLE["meta.checks"].replace(",", " ").replace(")", " ").replace("(", " ").split()
    )
    committed = (CHECKOUT / "sql" / "marts" / "certification").rglob("*.sql")
    assert not [
        path.name for path in committed if "attempted_at" in path.read_text() or "checked_at" in path.read_text()
    ]
