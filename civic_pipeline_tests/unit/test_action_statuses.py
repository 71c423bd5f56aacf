"""Statuses of the actions of a plan, on captures made by hand."""

from formulas import build, empty_warehouse


def test_a_status_lasts_from_the_first_capture_that_has_it() -> None:
    warehouse = empty_warehouse()
    warehouse.execute("""
        create table clean_history.baltimore_action_tracker as
            select 'Safety' as committee_name, 1 as action_number, 'Act' as action_text, 'Mayor' as responsible_parties, * from (values
            ('not_started', timestamp '2021-02-03', 'a'), ('in_progress', timestamp '2021-02-20', 'b'), ('in_progress', timestamp '2021-03-30', 'c')
            ) as t(status, _captured_at, _capture_id);
        create table clean_history.baltimore_action_plan as select 'initiative' as item_kind, '1.1' as goal_code, 2 as sort_order, 'Plan' as title,
            timestamp '2026-08-08' as _captured_at, 'd' as _capture_id
    """)
    build(warehouse, "marts.fct_action_statuses")
    query = "select action_code, as_of_date::varchar, status, days_in_status, is_newest, not_published from marts.fct_action_statuses order by as_of_date"
    assert warehouse.execute(query).fetchall() == [
        ("1", "2021-02-03", "not_started", 0, False, None),
        ("1", "2021-02-20", "in_progress", 0, False, None),
        ("1", "2021-03-30", "in_progress", 38, True, None),
        ("1.1-2", "2026-08-08", None, None, True, "The city does not publish the statuses of this plan"),
    ]


def test_every_spelling_of_a_status_is_one_of_five_and_another_is_none() -> None:
    warehouse = empty_warehouse()
    spellings = [
        "Complete",
        "completed",
        "In Progress",
        "InProgress",
        "Not Yet Started",
        "Planned",
        "On Hold",
        "OnHold ",
        "Stalled",
    ]
    warehouse.execute(
        "create table raw.baltimore_action_tracker as select number as \"Action #\", 'Safety' as committee, 'Act' as action,"
        " 'Mayor' as \"Parties Responsible\", progress, 'c' as _capture_id from (select unnest(?) as progress, unnest(range(9))::varchar as number)",
        [spellings],
    )
    build(warehouse, "clean.baltimore_action_tracker")
    statuses = warehouse.execute("select status from clean.baltimore_action_tracker order by action_number").fetchall()
    assert [status for (status,) in statuses] == [
        "completed", "completed", "in_progress", "in_progress", "not_started", "planned", "on_hold", "on_hold", None,
    ]  # fmt: skip
