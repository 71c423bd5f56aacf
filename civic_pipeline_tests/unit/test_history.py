"""Changes between captures: revisions, versions, conflicts; and the warehouse as of a time."""

import json
from collections.abc import Sequence
from datetime import date, datetime
from typing import Any

import pytest
from tiny_project import TinyProject

from civic_pipeline.catalog import Dataset
from civic_pipeline.errors import NotCapturedBy, QueryRefused, ShapeUnknown, UnknownName
from civic_pipeline.warehouse import Build, as_of, record_history, release
from civic_pipeline.warehouse.history import TABLES, _History

Row = tuple[Any, ...]
NIGHTS = [f"2026-01-{day:02d}T030000.000000Z" for day in range(1, 10)]
FIRST = [("1", "2024-01-05", "10.00"), ("2", "2024-01-06", "20.00"), ("3", "2024-01-07", "30.00")]


def capture(tiny: TinyProject, *nights: Sequence[Row]) -> None:
    for at, rows in zip(NIGHTS, nights, strict=False):
        tiny.capture(rows, at=at)


def history(tiny: TinyProject, query: str) -> list[Row]:
    """Compare the captures so far and return the result of the query on the build file."""
    with tiny.build() as build:
        assert record_history(build, tiny.models()) == {}
        return build.connection.execute(query).fetchall()


def everything(build: Build) -> dict[str, list[Row]]:
    return {table: build.connection.execute(f"from {table} order by all").fetchall() for table in TABLES}


KINDS = "select record_key, kind, before, after from meta.revisions order by record_key"


def test_records_are_added_removed_and_changed(tiny: TinyProject) -> None:
    capture(tiny, FIRST, [FIRST[0], ("2", "2024-01-06", "25.00"), ("4", None, "40.00")])
    actual = [(key, kind, b and json.loads(b), a and json.loads(a)) for key, kind, b, a in history(tiny, KINDS)]
    assert actual == [
        ('["2"]', "changed", {"Amount": "20.00"}, {"Amount": "25.00"}),
        ('["3"]', "removed", {"Amount": "30.00", "Paid_On": "2024-01-07"}, None),
        ('["4"]', "added", None, {"Amount": "40.00", "Paid_On": None}),
    ]
    assert history(tiny, "select added, removed, changed, rekeyed, records from meta.comparisons order by captured_at") == [
        (None, None, None, None, 3), (1, 1, 1, 0, 3),
    ]  # fmt: skip


def test_a_revision_has_its_two_captures_and_their_dates(tiny: TinyProject) -> None:
    capture(tiny, FIRST, FIRST, FIRST[:2])
    columns = "previous_capture_id, previous_captured_at, capture_id, captured_at, changed_columns"
    assert history(tiny, f"select {columns} from meta.revisions") == [
        (f"town/payments/{NIGHTS[1]}", datetime(2026, 1, 2, 3), f"town/payments/{NIGHTS[2]}", datetime(2026, 1, 3, 3), None)
    ]  # fmt: skip


def test_a_record_with_the_same_values_and_another_key_is_rekeyed_if_it_is_unique(tiny: TinyProject) -> None:
    twins = [("8", "2024-02-01", "1.00"), ("9", "2024-02-01", "1.00")]
    capture(tiny, [*FIRST, *twins], [*FIRST[:2], ("33", *FIRST[2][1:]), ("88", *twins[0][1:]), ("99", *twins[1][1:])])
    actual = history(tiny, "select kind, previous_key, record_key from meta.revisions order by all")
    assert actual == [
        ("added", None, '["88"]'), ("added", None, '["99"]'), ("rekeyed", '["3"]', '["33"]'),
        ("removed", None, '["8"]'), ("removed", None, '["9"]'),
    ]  # fmt: skip


def test_a_record_without_values_is_never_rekeyed(tiny: TinyProject) -> None:
    capture(tiny, [*FIRST, ("4", None, None)], [*FIRST, ("5", None, None)])
    assert [row[0] for row in history(tiny, "select kind from meta.revisions order by 1")] == ["added", "removed"]


def test_a_day_with_a_time_of_midnight_is_no_revision_of_the_day(tiny: TinyProject) -> None:
    workbook = [
        ("1", "1997-02-24 00:00:00", "10.00"),
        ("2", "1997-02-25 00:00:00", "20.00"),
        ("3", "1997-02-26 08:30:00", "5.00"),
    ]
    csv = [("1", "1997-02-24", "10.00"), ("2", "1997-02-26T00:00:00.000", "20.00"), ("3", "1997-02-26", "5.00")]
    capture(tiny, workbook, csv)
    assert [(key, before, after) for key, _, before, after in history(tiny, KINDS)] == [
        ('["2"]', '{"Paid_On":"1997-02-25"}', '{"Paid_On":"1997-02-26"}'),
        ('["3"]', '{"Paid_On":"1997-02-26 08:30:00"}', '{"Paid_On":"1997-02-26"}'),
    ]


def test_versions_last_from_capture_to_capture(tiny: TinyProject) -> None:
    changed = [("1", "2024-01-05", "11.00"), *FIRST[1:]]
    capture(tiny, FIRST, FIRST, changed, changed[1:], changed)
    query = "select record_key, day(system_from), day(system_to) from meta.record_versions order by all"
    assert history(tiny, query) == [
        ('["1"]', 1, 3), ('["1"]', 3, 4), ('["1"]', 5, None), ('["2"]', 1, None), ('["3"]', 1, None),
    ]  # fmt: skip
    assert history(tiny, "select count(distinct row_hash) from meta.record_versions where record_key = '[\"1\"]'") == [
        (2,)
    ]


def test_different_rows_with_one_key_are_conflicts_and_exact_repeats_are_not(tiny: TinyProject) -> None:
    capture(
        tiny, FIRST, [*FIRST, FIRST[0], ("2", "2024-01-06", None)], [FIRST[0], ("2", "2024-01-06", "99.00"), FIRST[2]]
    )
    with tiny.build() as build:
        record_history(build, tiny.models())
        history_tables = everything(build)
    assert history_tables["meta.revisions"] == [], "a key in conflict in one of two captures is not a revision"
    assert history_tables["meta.conflicts"] == [], "the newest capture has none"
    counted = history(
        tiny, "select conflicting_records, repeated_rows, records from meta.comparisons order by captured_at"
    )
    assert counted == [(0, 0, 3), (1, 1, 2), (0, 0, 3)]
    versions = history(
        tiny,
        "select day(system_from), day(system_to) from meta.record_versions where record_key = '[\"2\"]' order by 1",
    )
    assert versions == [(1, 2), (3, None)]


def test_a_conflict_lists_the_differences(tiny: TinyProject) -> None:
    capture(tiny, [*FIRST, ("2", "2024-01-06", None), ("2", "2024-01-06", "20.00")])
    [(key, rows, versions, columns, values)] = history(
        tiny, "select record_key, row_count, version_count, differing_columns, differing_values from meta.conflicts"
    )
    assert (key, rows, versions, columns) == ('["2"]', 3, 2, ["Amount"])
    assert json.loads(values) == {"Amount": ["20.00", None]}


def test_rows_without_a_key_are_counted_and_not_in_revisions(tiny: TinyProject) -> None:
    capture(tiny, [*FIRST, (None, "2024-01-05", "1.00")], [*FIRST, (None, "2024-01-05", "2.00"), (None, None, None)])
    assert history(tiny, "select keyless_rows from meta.comparisons order by captured_at") == [(1,), (2,)]
    assert history(tiny, KINDS) == []


def test_columns_that_the_clean_table_does_not_use_are_not_in_revisions(tiny: TinyProject) -> None:
    tiny.edit("sql/clean/town/payments.sql", "parse_money(Amount)", "cast(1 as decimal(18, 2))")
    tiny.edit("sql/clean/town/payments.sql", "Amount as _published_amount", "'x' as _published_amount")
    capture(tiny, FIRST, [(*FIRST[0][:2], "77.00"), FIRST[1], ("4", "2024-01-08", "40.00")])
    assert "Amount" not in str(history(tiny, "select before, after from meta.revisions"))
    assert [row[0] for row in history(tiny, "select kind from meta.revisions order by 1")] == ["added", "removed"]


def test_row_ids_are_not_compared(tiny: TinyProject) -> None:
    typed = tiny.dataset.model_dump() | {"columns": {"Payment_No": "text", "Paid_On": "OID", "Amount": "text"}}
    numbered = TinyProject(tiny.settings, Dataset.model_validate(typed | {"volume": {"shrink_at_most": "10%"}}))
    capture(numbered, [("1", "7", "1.00")], [("1", "8", "1.00")])
    assert history(numbered, "select compared_columns, changed from meta.comparisons where changed is not null") == [
        (["Amount"], 0)
    ]


def test_a_held_back_capture_is_not_compared(tiny: TinyProject) -> None:
    tiny.capture(FIRST, at=NIGHTS[0])
    tiny.capture(FIRST[:1], at=NIGHTS[1], held_back="far fewer rows")
    tiny.capture(FIRST, at=NIGHTS[2])
    assert history(tiny, "select count(*) from meta.comparisons") == [(2,)]
    assert history(tiny, KINDS) == []


def test_valid_time_is_read_from_the_declared_column(tiny: TinyProject) -> None:
    dataset = tiny.dataset.model_copy(update={"valid_from": "Paid_On"})
    dated = TinyProject(tiny.settings, dataset)
    capture(dated, [*FIRST[:1], ("2", "soon", "1.00")])
    assert history(dated, "select valid_from, valid_to from meta.record_versions order by record_key") == [
        (date(2024, 1, 5), None), (None, None),
    ]  # fmt: skip


def test_nothing_is_compared_twice(tiny: TinyProject, monkeypatch: pytest.MonkeyPatch) -> None:
    compared: list[str] = []
    original = _History._compare
    monkeypatch.setattr(
        _History, "_compare", lambda self, a, b: (compared.append(b.manifest.capture_id), original(self, a, b))
    )
    capture(tiny, FIRST, FIRST[:2])
    history(tiny, KINDS)
    history(tiny, KINDS)
    assert compared == [f"town/payments/{at}" for at in NIGHTS[:2]]
    tiny.capture(FIRST, at=NIGHTS[2])
    history(tiny, KINDS)
    assert len(compared) == 3


CHANGING = [
    FIRST, [*FIRST, ("4", "2024-01-08", "4.00")], [("1", "2024-01-05", "11.00"), ("1", "2024-01-05", "12.00"), *FIRST[1:]],
    [*FIRST[:1], ("5", "2024-01-07", "30.00")],
]  # fmt: skip


def test_a_lost_build_file_gets_the_same_history_again(tiny: TinyProject) -> None:
    for at, rows in zip(NIGHTS, CHANGING, strict=False):
        tiny.capture(rows, at=at)
        with tiny.build() as build:
            record_history(build, tiny.models())
            night_by_night = everything(build)
    assert all(night_by_night[name] for name in ("meta.comparisons", "meta.revisions", "meta.record_versions"))
    tiny.settings.build.unlink()
    with tiny.build() as build:
        record_history(build, tiny.models())
        assert everything(build) == night_by_night


def test_a_run_that_ends_during_a_comparison_leaves_no_partial_comparison(
    tiny: TinyProject, monkeypatch: pytest.MonkeyPatch
) -> None:
    capture(tiny, *CHANGING)
    with tiny.build() as build:
        record_history(build, tiny.models())
        expected = everything(build)
    tiny.settings.build.unlink()
    account = _History._account

    def die(self: _History, before: Any, after: Any, *arguments: Any) -> None:
        account(self, before, after, *arguments)
        if after.manifest.capture_id.endswith(NIGHTS[2]):
            raise KeyboardInterrupt

    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt), tiny.build() as build:
        patch.setattr(_History, "_account", die)
        record_history(build, tiny.models())
    with tiny.build() as build:
        assert [row[1] for row in everything(build)["meta.comparisons"]] == [f"town/payments/{at}" for at in NIGHTS[:2]]
        record_history(build, tiny.models())
        assert everything(build) == expected


def test_a_capture_added_in_between_is_compared(tiny: TinyProject) -> None:
    tiny.capture(FIRST, at=NIGHTS[0])
    tiny.capture(FIRST, at=NIGHTS[2])
    assert history(tiny, KINDS) == []
    tiny.capture(FIRST[:2], at=NIGHTS[1])
    assert [(day, kind) for day, kind in history(tiny, "select day(captured_at), kind from meta.revisions order by 1")] == [
        (2, "removed"), (3, "added"),
    ]  # fmt: skip


def test_another_key_computes_the_history_again(tiny: TinyProject) -> None:
    capture(tiny, FIRST, [("1", "2024-01-05", "11.00"), *FIRST[1:]])
    assert [row[1] for row in history(tiny, KINDS)] == ["changed"]
    other = TinyProject(tiny.settings, tiny.dataset.model_copy(update={"key": ("Payment_No", "Amount")}))
    assert [row[1] for row in history(other, KINDS)] == ["rekeyed"]
    none = TinyProject(tiny.settings, tiny.dataset.model_copy(update={"key": ()}))
    with none.build() as build:
        record_history(build, none.models())
        assert not any(everything(build).values())


def test_a_damaged_older_capture_stops_its_history_and_nothing_else(tiny: TinyProject) -> None:
    capture(tiny, FIRST)
    history(tiny, KINDS)
    (file,) = tiny.lake.files(tiny.capture(FIRST[:2], at=NIGHTS[1]))
    tiny.capture(FIRST[:1], at=NIGHTS[2])
    good = file.read_bytes()
    file.write_bytes(good + b"x")
    with tiny.build() as build:
        problems = record_history(build, tiny.models())
        assert "sha256 differs" in problems["town/payments"]
        assert build.damaged == {}
    file.write_bytes(good)
    assert [row[1] for row in history(tiny, KINDS)] == ["removed", "removed"]


# Shapes


def shaped(tiny: TinyProject) -> TinyProject:
    text = tiny.dataset.model_dump() | {
        "volume": {"shrink_at_most": "10%"},
        "earlier_shapes": [{"seen": "2020", "columns": {"Amount": "dollars || '.' || cents"}, "without": ["Paid_On"]}],
    }
    return TinyProject(tiny.settings, Dataset.model_validate(text))


def old_capture(tiny: TinyProject, at: str, columns: dict[str, str], rows: Sequence[Row]) -> None:
    TinyProject(tiny.settings, tiny.dataset.model_copy(update={"columns": columns})).capture(rows, at=at)


OLD = {"PAYMENT_no": "text", "Dollars": "text", "cents": "text"}


def test_an_older_capture_is_read_with_the_current_names(tiny: TinyProject) -> None:
    tiny = shaped(tiny)
    old_capture(tiny, NIGHTS[0], OLD, [("1", "10", "50")])
    with tiny.build() as build:
        query = "select Payment_No, Paid_On, Amount, Dollars from raw.town_payments"
        assert build.connection.execute(query).fetchall() == [("1", None, "10.50", "10")]
        assert [c[0] for c in build.connection.execute("describe raw.town_payments").fetchall()][:1] == ["Payment_No"]
        staged = build.stage(tiny.models()["clean.town_payments"])
        assert build.connection.execute(f"select amount::varchar from {staged.everything}").fetchall() == [("10.50",)]


def test_between_shapes_only_columns_with_the_same_form_are_compared(tiny: TinyProject) -> None:
    tiny = shaped(tiny)
    old_capture(tiny, NIGHTS[0], OLD, [("1", "10", "50"), ("2", "10", "50")])
    tiny.capture([("1", "2024-01-05", "10.50"), ("3", None, "1.00")], at=NIGHTS[1])
    assert history(tiny, "select record_key, kind from meta.revisions order by 1") == [
        ('["2"]', "removed"),
        ('["3"]', "added"),
    ]
    assert history(tiny, "select is_comparable, compared_columns from meta.comparisons order by captured_at") == [
        (None, None), (True, []),
    ]  # fmt: skip


def test_nothing_is_compared_if_the_key_has_another_form(tiny: TinyProject) -> None:
    text = tiny.dataset.model_dump() | {
        "volume": {"shrink_at_most": "10%"},
        "earlier_shapes": [{"seen": "2020", "columns": {"Payment_No": "no"}}],
    }
    tiny = TinyProject(tiny.settings, Dataset.model_validate(text))
    old_capture(tiny, NIGHTS[0], {"no": "text", "Paid_On": "text", "Amount": "text"}, FIRST)
    tiny.capture(FIRST[:1], at=NIGHTS[1])
    assert history(tiny, KINDS) == []
    assert history(tiny, "select is_comparable, added from meta.comparisons order by captured_at") == [
        (None, None),
        (False, None),
    ]
    versions = history(
        tiny, "select record_key, day(system_from), day(system_to) from meta.record_versions order by all"
    )
    assert versions == [('["1"]', 1, 2), ('["1"]', 2, None), ('["2"]', 1, 2), ('["3"]', 1, 2)]


HISTORY_SQL = "-- Each row is one capture.\nselect cast(_captured_at as date) as month, cast(sum(parse_money(amount)) as decimal(18, 2)) as amount\nfrom history.town_payments group by 1\n"


def test_a_model_reads_all_accepted_captures_of_a_dataset(tiny: TinyProject) -> None:
    tiny = shaped(tiny)
    tiny.write("sql/marts/spending/mart_months.sql", HISTORY_SQL)
    old_capture(tiny, NIGHTS[0], OLD, [("1", "10", "50")])
    tiny.capture(FIRST, at=NIGHTS[1])
    tiny.capture(FIRST[:1], at=NIGHTS[2], held_back="far fewer rows")
    with tiny.build() as build:
        staged = build.stage(tiny.models()["marts.mart_months"])
        actual = build.connection.execute(
            f"select day(month), amount::varchar from {staged.table} order by 1"
        ).fetchall()
    assert actual == [(1, "10.50"), (2, "60.00")]


def test_a_model_of_all_captures_is_built_again_after_a_new_capture(tiny: TinyProject) -> None:
    tiny.write("sql/marts/spending/mart_months.sql", HISTORY_SQL)
    tiny.capture(FIRST, at=NIGHTS[1])
    model = tiny.models()["marts.mart_months"]
    with tiny.build() as build:
        build.swap(build.stage(model), [], None)
        assert build.is_current(model)
    tiny.capture(FIRST, at=NIGHTS[0])  # an older one, so the newest stays the same
    with tiny.build() as build:
        assert not build.is_current(model)


def test_a_backfill_leads_to_a_new_release(tiny: TinyProject) -> None:
    tiny.capture(FIRST, at=NIGHTS[1])

    def night() -> bool:
        models = tiny.models()
        with tiny.build() as build:
            record_history(build, models)
            for model in models.values():
                if not build.is_current(model):
                    build.swap(build.stage(model), [], None)
            return release(build) is not None

    assert night()
    assert not night()
    tiny.capture(FIRST[:2], at=NIGHTS[0])
    assert night()


def test_a_capture_of_an_unknown_shape_is_an_error(tiny: TinyProject) -> None:
    tiny.write("sql/marts/spending/mart_months.sql", HISTORY_SQL)
    old_capture(tiny, NIGHTS[0], OLD, [("1", "10", "50")])
    with (
        tiny.build() as build,
        pytest.raises(ShapeUnknown, match=r"payments/2026-01-01.* lacks Paid_On, Amount .*earlier_shapes"),
    ):
        build.stage(tiny.models()["marts.mart_months"])


# As of a time


def answer(tiny: TinyProject, moment: str, query: str) -> list[Row]:
    at = datetime.fromisoformat(moment)
    with as_of(tiny.settings, {tiny.name: tiny.dataset}, tiny.models(), at, query) as connection:
        return connection.execute(query).fetchall()


@pytest.mark.parametrize(
    ("moment", "total"),
    [("2026-01-01T03:00Z", "60.00"), ("2026-01-02T02:59:59Z", "60.00"), ("2026-01-02T23:00Z", "30.00")],
)
def test_a_query_sees_the_captures_accepted_by_that_time(tiny: TinyProject, moment: str, total: str) -> None:
    capture(tiny, FIRST, FIRST[:2])
    tiny.capture(FIRST[:1], at=NIGHTS[2], held_back="far fewer rows")
    assert answer(tiny, moment, "select sum(amount)::varchar from mart_months") == [(total,)]
    assert answer(tiny, moment, "select sum(amount)::varchar from clean.town_payments") == [(total,)]
    assert not tiny.settings.build.exists()


def test_a_history_ends_at_the_given_time(tiny: TinyProject) -> None:
    tiny.write("sql/marts/spending/mart_months.sql", HISTORY_SQL)
    capture(tiny, FIRST, FIRST, FIRST)
    assert answer(tiny, "2026-01-02T12:00Z", "select count(*) from marts.mart_months") == [(2,)]


def test_quarantined_rows_of_that_time_can_be_queried(tiny: TinyProject) -> None:
    capture(tiny, [*FIRST, ("9", "2024-01-05", "unreadable")], FIRST)
    assert answer(tiny, "2026-01-01T12:00Z", "select payment_id from quarantine.town_payments") == [("9",)]


def test_the_error_before_the_first_capture_names_the_datasets(tiny: TinyProject) -> None:
    with pytest.raises(
        NotCapturedBy, match=r"accepted capture by 2025-12-31 00:00 UTC of town/payments \(never captured\)"
    ):
        answer(tiny, "2025-12-31T00:00Z", "from mart_months")
    capture(tiny, FIRST)
    with pytest.raises(NotCapturedBy, match=r"town/payments \(first captured 2026-01-01\)"):
        answer(tiny, "2025-12-31T00:00Z", "from mart_months")


def test_only_models_can_be_rebuilt(tiny: TinyProject) -> None:
    capture(tiny, FIRST)
    with pytest.raises(UnknownName, match=r"meta\.revisions"):
        answer(tiny, "2026-01-02T00:00Z", "from meta.revisions")
    with pytest.raises(QueryRefused):
        answer(tiny, "2026-01-02T00:00Z", "selec from")
