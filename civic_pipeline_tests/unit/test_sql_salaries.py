"""Salaries by agency and title: the formulas on people made by hand, and that no masked group can be computed."""

from collections.abc import Iterable
from decimal import Decimal
from functools import cache
from statistics import median

import duckdb
import numpy as np
import pytest
from formulas import build, empty_warehouse
from hypothesis import given
from hypothesis import strategies as st

from civic_pipeline.settings import CHECKOUT

# (agency, title, annual salary or None, gross pay)
Person = tuple[str, str | None, float | None, float]
BY_AGENCY, BY_TITLE = "marts.mart_salaries_by_agency", "marts.mart_salaries_by_title"


@cache
def _warehouse() -> duckdb.DuckDBPyConnection:
    warehouse = empty_warehouse()
    warehouse.execute("create table marts.dim_agencies (agency_id varchar, agency_name varchar)")
    return warehouse


def publish(people: Iterable[Person]) -> duckdb.DuckDBPyConnection:
    """Both marts, of one fiscal year."""
    warehouse = _warehouse()
    agencies, titles, salaries, gross = map(list, zip(*people, strict=True))
    warehouse.execute(
        "create or replace table marts.fct_salaries as select uuid() as salary_id, 'baltimore' as city, 2025 as fiscal_year, unnest(?::varchar[]) as agency_id,"
        " unnest(?::varchar[]) as job_title, unnest(?::decimal(18, 2)[]) as annual_salary, unnest(?::decimal(18, 2)[]) as gross_pay",
        [agencies, titles, salaries, gross],
    )
    warehouse.execute(
        "create or replace table marts.dim_agencies as"
        " select distinct agency_id, upper(agency_id) as agency_name from marts.fct_salaries"
    )
    build(warehouse, BY_AGENCY, BY_TITLE)
    return warehouse


def rows(warehouse: duckdb.DuckDBPyConnection, table: str, columns: str) -> dict[object, tuple[object, ...]]:
    """The rows of a mart, by the first of `columns`."""
    return {row[0]: row[1:] for row in warehouse.execute(f"select {columns} from {table}").fetchall()}


def broken(warehouse: duckdb.DuckDBPyConnection, rule: str) -> list[tuple[object, ...]]:
    return warehouse.execute(
        (CHECKOUT / "sql" / "checks" / "salaries" / f"{rule}.sql").read_text(encoding="utf-8")
    ).fetchall()


def people(agency: str, title: str | None, count: int, salary: int = 50_000, gross: int = 55_000) -> list[Person]:
    return [(agency, title, salary + 1_000 * n, gross + 1_000 * n) for n in range(count)]


def test_a_group_has_its_median_and_its_gross_pay_against_its_salaries() -> None:
    salaries, gross = (
        [40_000, 50_000, 60_000, 80_000, 100_000, 150_000],
        [44_000, 70_000, 50_000, 80_000, 96_000, 140_000],
    )
    warehouse = publish([("fire", "Chief", s, g) for s, g in zip(salaries, gross, strict=True)])
    shown = rows(warehouse, BY_AGENCY, "agency_name, headcount, salary_amount, gross_pay_amount, gross_to_salary_rate,"
                 " median_salary, median_gross_pay, salary_p10")  # fmt: skip
    assert shown == {
        "FIRE": (
            6,
            sum(salaries),
            sum(gross),
            pytest.approx(sum(gross) / sum(salaries)),
            median(salaries),
            median(gross),
            None,
        )
    }


def test_deciles_are_interpolated_and_need_five_people_in_each_tenth() -> None:
    salaries = [
        round(30_000 + 700.57 * n * n, 2) for n in range(50)
    ]  # in cents, so that most deciles lie between two of them
    warehouse = publish([*(("police", "Officer", s, s) for s in salaries), *people("law", "Solicitor", 49)])
    columns = ", ".join(f"salary_p{tenth}0" for tenth in (1, 2, 3, 4, 6, 7, 8, 9))
    shown = rows(warehouse, BY_AGENCY, f"agency_name, {columns}")
    by_hand = [Decimal(str(round(float(np.percentile(salaries, 10 * tenth)), 2))) for tenth in (1, 2, 3, 4, 6, 7, 8, 9)]
    assert list(shown["POLICE"]) == by_hand
    assert set(shown["LAW"]) == {None}
    # Linear between neighbours: the first decile of 50 lies 4.9 steps from the lowest.
    assert float(shown["POLICE"][0]) == pytest.approx(salaries[4] + 0.9 * (salaries[5] - salaries[4]), abs=0.005)


def test_a_small_agency_is_masked_with_the_next_smallest_and_both_are_in_a_row_together() -> None:
    warehouse = publish(
        [*people("tiny", "A", 2), *people("next", "B", 9), *people("big", "C", 30), *people("police", "D", 60)]
    )
    shown = rows(warehouse, BY_AGENCY, "agency_name, is_masked, headcount, gross_pay_amount, median_salary")
    assert shown["TINY"] == shown["NEXT"] == (True, None, None, None)
    together = sum(p[3] for p in people("tiny", "A", 2) + people("next", "B", 9))
    assert shown["Masked agencies together"] == (False, 11, together, None)
    assert shown["BIG"][:2] == (False, 30)
    titles = rows(warehouse, BY_TITLE, "agency_name || ': ' || job_title, headcount")
    assert titles == {"Masked agencies together: All titles": (11,), "BIG: C": (30,), "POLICE: D": (60,)}


def test_two_small_agencies_of_fewer_than_five_take_a_third() -> None:
    warehouse = publish([*people("a", "A", 1), *people("b", "B", 3), *people("c", "C", 20), *people("d", "D", 21)])
    shown = rows(warehouse, BY_AGENCY, "agency_name, is_masked, headcount")
    assert shown == {
        "A": (True, None), "B": (True, None), "C": (True, None), "D": (False, 21), "Masked agencies together": (False, 24),
    }  # fmt: skip


def test_a_single_person_s_title_is_masked_with_the_next_smallest_of_the_agency() -> None:
    warehouse = publish(
        [*people("fire", "Chief", 1, 230_000), *people("fire", "Captain", 7), *people("fire", "Firefighter", 40)]
    )
    shown = rows(warehouse, BY_TITLE, "job_title, is_masked, headcount, median_salary")
    assert shown["Chief"] == shown["Captain"] == (True, None, None)
    assert shown["Masked titles together"] == (False, 8, None)
    assert shown["Firefighter"][:2] == (False, 40)


def test_people_whose_salary_is_not_stated_are_a_group_of_the_city() -> None:
    unstated: list[Person] = [("fire", None, None, 61_000)] * 6
    warehouse = publish([*people("fire", "Captain", 8), *unstated])
    shown = rows(warehouse, BY_AGENCY, "agency_name, headcount, salary_amount, gross_pay_amount, gross_to_salary_rate")
    assert shown["Salary not stated"] == (6, None, 366_000, None)
    assert shown["FIRE"][0] == 8
    titles = rows(warehouse, BY_TITLE, "agency_name || ': ' || job_title, headcount")
    assert titles == {"Salary not stated: All titles": (6,), "FIRE: Captain": (8,)}


def test_fewer_than_five_people_in_all_have_no_number() -> None:
    warehouse = publish(people("fire", "Chief", 4))
    shown = rows(warehouse, BY_AGENCY, "agency_name, is_masked, headcount, gross_pay_amount")
    assert shown == {"FIRE": (True, None, None), "Masked agencies together": (True, None, None)}


def test_the_rules_see_a_lost_dollar_and_a_lonely_mask() -> None:
    warehouse = publish([*people("tiny", "A", 2), *people("next", "B", 9), *people("big", "C", 30)])
    assert broken(warehouse, "salaries_add_up") == broken(warehouse, "masked_groups_have_company") == []
    warehouse.execute(f"update {BY_TITLE} set gross_pay_amount = gross_pay_amount + 0.01 where job_title = 'C'")
    assert [row[:2] for row in broken(warehouse, "salaries_add_up")] == [("baltimore", 2025)]
    warehouse.execute(f"update {BY_AGENCY} set is_masked = false where agency_name = 'NEXT'")
    assert broken(warehouse, "masked_groups_have_company") == [("baltimore", 2025, "all agencies", 1)]


STAFF = st.lists(
    st.tuples(st.sampled_from("abcde"), st.sampled_from(["x", "y", "z", None]), st.booleans(), st.integers(1, 12)),
    min_size=1, max_size=14,
)  # fmt: skip


@given(STAFF)
def test_no_masked_number_follows_from_the_published_ones(staff: list[tuple[str, str | None, bool, int]]) -> None:
    """Every published number is a known sum over agency × title cells; no masked cell or agency is a combination of them."""
    listed = [
        (agency, title, 50_000 if stated else None, 50_000 + 17 * n)
        for agency, title, stated, count in staff
        for n in range(count)
    ]
    warehouse = publish(listed)
    # The smallest cells: an agency's title, and people without a stated salary, who are one group of the city.
    cell_of = [
        (a.upper(), t or "Title not stated") if s is not None else ("Salary not stated", "All titles")
        for a, t, s, _ in listed
    ]
    cells = sorted(set(cell_of))
    agencies = rows(warehouse, BY_AGENCY, "agency_name, headcount, gross_pay_amount")
    titles = {
        (agency, title): shown
        for agency, title, *shown in warehouse.execute(
            f"select agency_name, job_title, headcount, gross_pay_amount from {BY_TITLE}"
        ).fetchall()
    }
    masked_agencies = {
        name for name, (count, _) in agencies.items() if count is None and name != "Masked agencies together"
    }
    masked_titles = {cell for cell, (count, _) in titles.items() if count is None and cell[1] != "All titles"}

    def vector(chosen: Iterable[tuple[str, str]]) -> list[int]:
        members = set(chosen)
        return [int(cell in members) for cell in cells]

    known, secret = [], []
    for name, (count, paid) in agencies.items():
        together = name == "Masked agencies together"
        members = vector(cell for cell in cells if (cell[0] in masked_agencies if together else cell[0] == name))
        (secret if count is None else known).append(members)
        if count is not None:
            inside = [p for p, cell in zip(listed, cell_of, strict=True) if members[cells.index(cell)]]
            assert (count, paid) == (len(inside), sum(p[3] for p in inside))
            assert count >= 5
    for (agency, title), (count, _) in titles.items():
        if title == "All titles":
            continue
        together = title == "Masked titles together"
        members = vector(
            cell
            for cell in cells
            if cell[0] == agency and ((agency, cell[1]) in masked_titles if together else cell[1] == title)
        )
        (secret if count is None else known).append(members)
        assert count is None or count >= 5
    secret += [vector([cell]) for cell in cells if cell[0] in masked_agencies]
    rank = np.linalg.matrix_rank(np.array(known)) if known else 0
    for members in secret:
        assert np.linalg.matrix_rank(np.array([*known, members])) > rank, (members, cells)
    assert sum(count for count, _ in agencies.values() if count) == (len(listed) if len(listed) >= 5 else 0)
    assert (
        broken(warehouse, "salaries_add_up") == broken(warehouse, "masked_groups_have_company") == []
        or len(agencies) <= 2
    )
