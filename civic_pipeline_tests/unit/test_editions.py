"""Editions: a dataset that its publisher keeps in several places, one per year or so, in one or in several layouts."""

import sys
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st
from test_lake import FakeSource
from tiny_project import TinyProject

from civic_pipeline.catalog import (
    ArcgisSource,
    Dataset,
    FileSource,
    OpendatasoftSource,
    SocrataSource,
    is_of_type,
    load_datasets,
    stands_for,
)
from civic_pipeline.errors import (
    BackfillRefused,
    FileInvalid,
    NotCapturedBy,
    PortalUnreachable,
    SchemaDrifted,
    ShapeUnknown,
    SourceEmpty,
    SourceNotFound,
)
from civic_pipeline.lake import Captured, backfill, capture, compare_columns, diagnose
from civic_pipeline.portals import Access, editions_of
from civic_pipeline.quality import planned_checks
from civic_pipeline.quality.control_totals import column_total
from civic_pipeline.settings import CHECKOUT
from civic_pipeline.warehouse import CheckResult
from civic_pipeline.warehouse.as_of import as_of
from civic_pipeline.warehouse.captured import capture_sql
from civic_pipeline.warehouse.history import record_history

SHARED = {"portal": "socrata", "domain": "data.town.gov", "recorded": "2026-01-01"}
YEARS = SHARED | {"editions": {"2024": "aaaa-1111", "2025": "bbbb-2222"}}


def with_source(dataset: Dataset, source: Mapping[str, Any], **changes: Any) -> Dataset:
    text = dataset.model_dump() | {"source": dict(source), "volume": {"shrink_at_most": "10%"}} | changes
    return Dataset.model_validate(text)


def of_years(tiny: TinyProject, source: Mapping[str, Any] = YEARS, **changes: Any) -> TinyProject:
    return TinyProject(tiny.settings, with_source(tiny.dataset, source, **changes))


# As they are written


def test_an_edition_is_named_in_a_line_on_every_kind_of_portal(tiny: TinyProject) -> None:
    item = "f11a8992be0e4b8e8c80fd846b776114"
    recorded = {"recorded": "2026-01-01"}
    written: list[tuple[dict[str, Any], Any, type]] = [
        (SHARED, "aaaa-1111", SocrataSource),
        ({"portal": "opendatasoft", "domain": "data.town.gov"} | recorded, "payments-2024", OpendatasoftSource),
        ({"portal": "file"} | recorded, "https://town.gov/2024.csv", FileSource),
        ({"portal": "arcgis"} | recorded, {"item": item, "layer": "Payments_2024"}, ArcgisSource),
        ({"portal": "arcgis", "layer": "Payments"} | recorded, item, ArcgisSource),
        (SHARED, {"portal": "file", "url": "https://town.gov/2024.csv"}, FileSource),
    ]
    for shared, edition, kind in written:
        dataset = with_source(tiny.dataset, shared | {"editions": {"fy2022-": edition}})
        assert isinstance(dataset.edition("fy2022-").source, kind)
        assert list(editions_of(dataset.source, Access())) == ["fy2022-"]
        assert with_source(tiny.dataset, dataset.model_dump()["source"]) == dataset


def test_a_year_need_not_be_quoted(tiny: TinyProject) -> None:
    assert list(with_source(tiny.dataset, SHARED | {"editions": yaml.safe_load("{2024: aaaa-1111}")}).editions) == [
        "2024"
    ]


def test_an_edition_has_its_own_columns_and_key_where_they_differ(tiny: TinyProject) -> None:
    own = {"id": "aaaa-1111", "columns": {"No": "text", "Payee": {"type": "text", "personal": True}}, "key": ["No"]}
    dataset = with_source(tiny.dataset, SHARED | {"editions": {"2024": own, "2025": "bbbb-2222"}})
    assert (dataset.edition("2024").key, list(dataset.edition("2024").columns)) == (("No",), ["No", "Payee"])
    assert (dataset.edition("2025").key, dataset.edition("2025").columns) == (dataset.key, dataset.columns)
    assert list(dataset.all_columns) == ["Payment_No", "Paid_On", "Amount", "No", "Payee"]
    assert dataset.about_persons == {"payee"}


# Classes of types


@pytest.mark.parametrize(
    ("declared", "portal", "matching", "others"),
    [
        ("integer", "arcgis", ["OID", "SmallInteger", "Integer", "BigInteger"], ["Double", "String", "Date"]),
        ("number", "arcgis", ["Integer", "Single", "Double"], ["String", "Date"]),
        ("text", "arcgis", ["String", "GUID", "GlobalID"], ["Integer", "Date"]),
        ("date", "arcgis", ["Date", "DateOnly"], ["String", "Integer"]),
        ("number", "socrata", ["number", "money", "percent", "double"], ["text", "calendar_date"]),
        ("text", "socrata", ["text", "phone", "url", "email"], ["number", "location"]),
        ("date", "socrata", ["calendar_date", "date"], ["text"]),
        ("integer", "opendatasoft", ["int"], ["double", "text"]),
        ("date", "opendatasoft", ["date", "datetime"], ["text"]),
        ("number", "file", ["text", "integer", "number"], ["boolean"]),
        ("Double", "arcgis", ["Double"], ["Single", "Integer"]),
        ("money", "socrata", ["money"], ["number"]),
    ],
)
def test_a_class_matches_every_type_of_the_class_and_a_type_only_itself(
    declared: str, portal: str, matching: list[str], others: list[str]
) -> None:
    assert [kind for kind in matching + others if is_of_type(kind, declared, portal)] == matching


@given(name=st.text(st.characters(codec="latin-1", exclude_characters="*"), min_size=1))
def test_names_are_the_same_in_any_case(name: str) -> None:
    assert stands_for(name, name)
    assert stands_for(name.lower(), name)
    assert stands_for(f"{name}*", name.lower() + "x")


# Shapes

FAMILY = {"seen": "an export", "columns": {"Payment_No": '"PAYMENT NO"', "Amount": '"* AMOUNT ($)"'}}


def test_a_shape_reads_the_one_column_of_a_family(tiny: TinyProject) -> None:
    dataset = with_source(tiny.dataset, SHARED | {"id": "aaaa-1111"}, earlier_shapes=[FAMILY])
    columns = ("Payment No", "Paid_On", "2025 Amount ($)")
    shape = dataset.shape_of(columns)
    assert shape
    assert shape.sql("Amount", columns) == '"2025 Amount ($)"'
    assert dataset.shape_of((*columns, "2024 Amount ($)")) is None, "which of two years it is cannot be known"


def test_a_shape_for_columns_that_did_not_exist_yet_lists_them(tiny: TinyProject) -> None:
    shape = {"seen": "before 2026", "without": ["Amount"]}
    dataset = with_source(tiny.dataset, SHARED | {"id": "aaaa-1111"}, earlier_shapes=[shape])
    assert dataset.shape_of(("PAYMENT_NO", "Paid_On")) is dataset.earlier_shapes[0]
    assert dataset.shape_of(("Payment_No",)) is None, "Paid_On always existed"


SHAPES = {
    f"{name}: {shape.seen}": (dataset, shape)
    for name, dataset in load_datasets(CHECKOUT).items()
    for shape in dataset.earlier_shapes
}


@pytest.mark.parametrize("layout", SHAPES)
def test_a_column_that_a_shape_does_not_explain_is_missing_and_not_null(layout: str) -> None:
    """Of every earlier layout: its columns fit, without object ids too; with one of them renamed, they fit nothing."""
    dataset, shape = SHAPES[layout]
    others = [
        name
        for name in (*shape.columns, *shape.without)
        if not any(stands_for(f, name) for f in dataset.columns if "*" in f)
    ]
    families = {f for f in dataset.columns for name in shape.columns if "*" in f and stands_for(f, name)}
    kept = [name for name, kind in dataset.columns.items() if name not in {*others, *families} and kind != "OID"]
    columns = tuple(dict.fromkeys(name.replace("*", "24") for name in (*shape.reads, *map(str.lower, kept))))
    assert dataset.shape_of(columns) is shape
    for renamed in columns:
        left = dataset.shape_of(tuple(f"{name} as of today" if name == renamed else name for name in columns))
        assert left is None or left is not shape, renamed


def test_an_earlier_shape_may_be_what_the_portal_sends_today(tiny: TinyProject) -> None:
    dataset = with_source(tiny.dataset, SHARED | {"id": "aaaa-1111"}, earlier_shapes=[FAMILY])
    sent = {"Payment No": "number", "Paid_On": "text", "2025 Amount ($)": "money", "Extra": "text"}
    assert compare_columns(dataset, sent) == ([], [], ["Extra"])
    assert compare_columns(dataset, sent | {"Paid_On": "number"})[1] == ["Paid_On (text -> number)"]


# At the portal


def take(
    tiny: TinyProject, monkeypatch: pytest.MonkeyPatch, source: Mapping[str, Any], served: dict[str | None, FakeSource]
) -> Captured:
    for module in ("capture", "diagnosis"):
        monkeypatch.setattr(sys.modules[f"civic_pipeline.lake.{module}"], "editions_of", lambda *_: served)
    return capture(tiny.name, of_years(tiny, source).dataset, tiny.lake, Access())


INFERRED = SHARED | {"editions": {"2024": "aaaa-1111", "2025": {"id": "bbbb-2222", "inferred": True}}}


def unlike_inferred() -> dict[str | None, FakeSource]:
    served: dict[str | None, FakeSource] = {"2024": FakeSource(), "2025": FakeSource()}
    served["2025"].columns = {"Payment_No": "text", "Paid_On": "text", "fy25_amount": "text"}
    return served


def test_an_inferred_edition_that_differs_is_left_out_with_a_warning(
    tiny: TinyProject, monkeypatch: pytest.MonkeyPatch
) -> None:
    captured = take(tiny, monkeypatch, INFERRED, unlike_inferred())
    assert [part.edition for part in captured.manifest.parts] == ["2024"]
    (warning,) = captured.left_out
    assert "town/payments 2025 is inferred and was left out" in warning
    assert "missing columns: Amount" in warning
    diagnosis = diagnose(of_years(tiny, INFERRED).dataset, Access())
    assert diagnosis.healthy
    assert "2025, inferred: 3 rows" in diagnosis.summary
    assert take(tiny, monkeypatch, INFERRED, unlike_inferred()).status == "unchanged"


def test_any_other_edition_that_differs_fails_the_dataset(tiny: TinyProject, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(SchemaDrifted, match="town/payments 2025"):
        take(tiny, monkeypatch, YEARS, unlike_inferred())
    assert not tiny.lake.captures(tiny.name)


def test_an_inferred_edition_that_is_empty_or_never_answered_is_left_out(
    tiny: TinyProject, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse() -> None:
        raise PortalUnreachable("https://data.town.gov", "refused")

    silent = FakeSource()
    monkeypatch.setattr(silent, "describe", refuse)
    for served in (FakeSource([]), silent):
        captured = take(tiny, monkeypatch, INFERRED, {"2024": FakeSource(), "2025": served})
        assert len(captured.left_out) == 1
    take(tiny, monkeypatch, INFERRED, {"2024": FakeSource(), "2025": FakeSource()})
    with pytest.raises(PortalUnreachable):
        take(tiny, monkeypatch, INFERRED, {"2024": FakeSource(), "2025": silent})


def test_doctor_names_the_known_successor_of_a_source_that_does_not_answer(
    tiny: TinyProject, monkeypatch: pytest.MonkeyPatch
) -> None:
    moved = of_years(tiny, SHARED | {"id": "aaaa-1111"}, successor="data.village.gov, bbbb-2222").dataset
    monkeypatch.setattr(sys.modules["civic_pipeline.lake.diagnosis"], "editions_of", lambda *_: {None: FakeSource()})
    assert "successor" not in diagnose(moved, Access()).summary

    def refuse() -> None:
        raise SourceNotFound("The dataset", "https://data.town.gov", "404")

    gone = FakeSource()
    monkeypatch.setattr(gone, "describe", refuse)
    monkeypatch.setattr(sys.modules["civic_pipeline.lake.diagnosis"], "editions_of", lambda *_: {None: gone})
    assert diagnose(moved, Access()).summary.endswith("Known successor: data.village.gov, bbbb-2222")


def test_a_dataset_whose_editions_are_all_left_out_failed(tiny: TinyProject, monkeypatch: pytest.MonkeyPatch) -> None:
    only = SHARED | {"editions": {"2025": {"id": "bbbb-2222", "inferred": True}}}
    with pytest.raises(SourceEmpty):
        take(tiny, monkeypatch, only, {"2025": FakeSource([])})


# From files


def load(tiny: TinyProject, text: str, edition: str | None, day: int = 1) -> None:
    file = tiny.settings.root / f"{edition}.csv"
    file.write_text(text, encoding="utf-8")
    backfill(tiny.name, tiny.dataset, tiny.lake, file, datetime(2025, 1, day, tzinfo=UTC), "demo", edition=edition)


def sums(tiny: TinyProject, day: int) -> list[tuple[Any, ...]]:
    """Edition and sum of the amounts, as of a day."""
    moment, query = datetime(2025, 1, day, 23, tzinfo=UTC), "select * from marts.mart_months order by all"
    with as_of(tiny.settings, {tiny.name: tiny.dataset}, tiny.models(), moment, query) as connection:
        return connection.execute(query).fetchall()


def test_a_file_can_be_loaded_as_an_edition_and_stands_beside_the_others(tiny: TinyProject) -> None:
    tiny = of_years(tiny, earlier_shapes=[FAMILY])
    tiny.write("sql/marts/spending/mart_months.sql", EDITIONS_SQL)
    tiny.edit("sql/marts/spending/mart_months.yml", "name: month, type: DATE", "name: month, type: VARCHAR")
    load(tiny, "Payment_No,Paid_On,Amount\n1,2024-01-01,1.00\n", "2024", day=1)
    load(tiny, 'PAYMENT NO,Paid_On,2025 AMOUNT ($)\n1,2025-01-01,"$2,000.00"\n', "2025", day=2)
    load(tiny, "Payment_No,Paid_On,Amount\n1,2024-01-01,3.00\n", "2024", day=3)
    assert [(label, str(amount)) for label, amount in sums(tiny, 1)] == [("2024", "1.00")]
    assert [(label, str(amount)) for label, amount in sums(tiny, 2)] == [("2024", "1.00"), ("2025", "2000.00")]
    assert [(label, str(amount)) for label, amount in sums(tiny, 3)] == [("2024", "3.00"), ("2025", "2000.00")]
    for stored in tiny.lake.captures(tiny.name):
        tiny.lake.verify(stored)


EDITIONS_SQL = """-- Each row is one month.
select _edition as month, cast(sum(parse_money(Amount)) as decimal(18, 2)) as amount
from raw.town_payments
group by 1
"""


def test_a_file_of_an_edition_is_refused_in_one_sentence(tiny: TinyProject) -> None:
    with pytest.raises(
        BackfillRefused, match="there is no edition '2024': the dataset has no editions; leave out --edition"
    ):
        load(tiny, "a\n", "2024")
    tiny = of_years(tiny)
    with pytest.raises(
        BackfillRefused, match="has the editions 2024, 2025, and a file has only one; say which with --edition"
    ):
        load(tiny, "a\n", None)
    with pytest.raises(BackfillRefused, match="there is no edition '2023': its editions are 2024, 2025"):
        load(tiny, "a\n", "2023")
    with pytest.raises(ShapeUnknown, match=r"2025\.csv lacks Payment_No, Paid_On, Amount"):
        load(tiny, "a\n1\n", "2025")
    assert not tiny.lake.captures(tiny.name)


def test_as_of_a_layout_without_a_shape_says_so(tiny: TinyProject) -> None:
    tiny.capture([("1", "2024-01-05", "1.00")], at="2025-01-01T000000.000000Z")
    wider = with_source(tiny.dataset, SHARED | {"id": "aaaa-1111"}, columns=tiny.dataset.columns | {"Fund": "text"})
    tiny = TinyProject(tiny.settings, wider)
    with pytest.raises(
        ShapeUnknown, match=r"payments/2025-01-01T000000\.000000Z lacks Fund of `columns` in defs\.yaml"
    ):
        sums(tiny, 2)
    with pytest.raises(NotCapturedBy):
        as_of_before = datetime(2024, 1, 1, tzinfo=UTC)
        with as_of(tiny.settings, {tiny.name: wider}, tiny.models(), as_of_before, "select * from marts.mart_months"):
            pass


def test_what_an_edition_lacks_is_null(tiny: TinyProject) -> None:
    own = {"id": "aaaa-1111", "columns": {"No": "text", "Amount": "text"}, "key": ["No"]}
    tiny = of_years(tiny, SHARED | {"editions": {"2024": own, "2025": "bbbb-2222"}})
    load(tiny, "No,Amount\n1,2.00\n", "2024")
    with tiny.build() as build:
        copy = tiny.lake.accepted(tiny.name, datetime.now(UTC))
        assert copy
        rows = build.connection.execute(
            f"select No, Payment_No, Paid_On, Amount from ({capture_sql(tiny.lake, tiny.dataset, copy)})"
        )
        assert rows.fetchall() == [("1", None, None, "2.00")]
        record_history(build, tiny.models())
        keys = build.connection.execute("select record_key from meta.record_versions").fetchall()
    assert keys == [('["1","2024"]',)], "the key of the edition"


# Control totals of a family

_AMOUNTS = {"Payment_No": "text", "Paid_On": "text", "fy*_amount": "text"}
_UNPIVOTED = """-- Each row is one payment.
select
    _edition || Payment_No as payment_id,
    parse_date(Paid_On) as paid_on,
    parse_money(published) as amount,
    published as _published_amount,
    _capture_id
from (select * from raw.town_payments unpivot (published for year in (columns('fy\\d\\d_amount'))))
where _edition is null or '20' || regexp_extract(year, '\\d\\d') = _edition
"""


def of_families(tiny: TinyProject, editions: Mapping[str, Any]) -> TinyProject:
    tiny = of_years(tiny, SHARED | {"editions": dict(editions)}, columns=_AMOUNTS)
    tiny.write("sql/clean/town/payments.sql", _UNPIVOTED)
    tiny.edit("sql/clean/town/payments.yml", "source: Amount", 'source: "fy*_amount"')
    return tiny


def control_total(tiny: TinyProject) -> CheckResult:
    with tiny.build() as build:
        captured = tiny.lake.accepted(tiny.name, datetime.now(UTC))
        assert captured
        build.connection.execute(
            f"create or replace view raw.town_payments as {capture_sql(tiny.lake, tiny.dataset, captured)}"
        )
        model = tiny.models()["clean.town_payments"]
        check = planned_checks(model)["control_total__amount"]
        return column_total(build.connection, build.stage(model), "amount", check)


def test_a_control_total_of_a_family_is_the_sum_over_the_editions(tiny: TinyProject) -> None:
    tiny = of_families(tiny, {"2024": "aaaa-1111", "2025": "bbbb-2222"})
    load(tiny, "Payment_No,Paid_On,fy24_amount\n1,2024-01-01,1.25\n2,2024-01-01,2.00\n", "2024", day=1)
    load(tiny, "Payment_No,Paid_On,FY25_Amount\n1,2025-01-01,10.00\n", "2025", day=2)
    result = control_total(tiny)
    assert (result.passed, result.examples) == (True, ("13.25 sent, 13.25 accounted for",))


def test_an_edition_that_lists_its_columns_counts_for_no_other_of_the_family(tiny: TinyProject) -> None:
    source = {"id": "bbbb-2222", "columns": {"Payment_No": "text", "Paid_On": "text", "fy25_amount": "text"}}
    whole, narrowed = (
        of_years(tiny, SHARED | {"editions": {"2025": e}}, columns=_AMOUNTS) for e in ("bbbb-2222", source)
    )
    of_families(tiny, {"2025": "bbbb-2222"})
    load(whole, "Payment_No,Paid_On,fy24_amount,fy25_amount\n1,2025-01-01,1.00,10.00\n", "2025")
    assert control_total(whole).examples == ("11.00 sent, 10.00 accounted for",)
    assert control_total(narrowed).passed


def test_a_source_that_is_no_column_is_refused_with_file_line_and_column(tiny: TinyProject) -> None:
    tiny.edit("sql/clean/town/payments.yml", "source: Amount", "source: Amuont")
    with pytest.raises(FileInvalid) as invalid:
        tiny.models()
    ((line, what),) = invalid.value.violations
    assert (invalid.value.path.name, line) == ("payments.yml", 16)
    assert what == (
        "the source of amount is Amuont, which `columns` of civic_pipeline/defs/town/payments/defs.yaml does not list; is it Amount?"
    )
