"""A table made by Python passes the same stages as one made by SQL, and its contract states what the function gets."""

import sys
from collections.abc import Iterator
from pathlib import Path

import pyarrow as pa
import pytest
from tiny_project import TinyProject

from civic_pipeline.errors import CatalogIncomplete, FileInvalid, ModelFailed
from civic_pipeline.lint import mistakes
from civic_pipeline.quality import Suites, audit, build_table
from civic_pipeline.warehouse import Build, Model
from civic_pipeline.warehouse.lineage import column_lineage

CONTRACT = "sql/marts/spending/mart_sizes.yml"
_CODE = '''
"""Counts payments by size, to try tables made by Python."""
import pyarrow as pa
from tiny_town.sizes import size_of

def sizes(tables):
    amounts = tables["clean.town_payments"]["amount"].to_pylist()
    named = [size_of(amount) for amount in amounts]
    return pa.table({"size": sorted(set(named)), "payments": [named.count(size) for size in sorted(set(named))]})
'''
_HELPER = '''
"""Which size a payment has."""
def size_of(amount):
    return "large" if amount >= 100 else "small"
'''
_CONTRACT = """each_row_is: one size of payments
made_by: tiny_town:sizes
inputs: {clean.town_payments: [payment_id, amount]}
key: [size]
expectations:
  - expect_column_values_to_be_in_set: {column: size, value_set: [small, large]}
    severity: critical
columns:
  - {name: size, type: VARCHAR, made_from: [clean.town_payments.amount], description: "small below $100, or large."}
  - {name: payments, type: BIGINT, description: "Number of payments."}
"""
ROWS = [("1", "2026-01-05", "10.00"), ("2", "2026-01-06", "250.00"), ("3", "2026-02-01", "99.99")]


@pytest.fixture
def town(tiny: TinyProject, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[TinyProject]:
    """The tiny project with a mart made by the package `tiny_town`, and one capture."""
    package = tmp_path / "code" / "tiny_town"
    package.mkdir(parents=True)
    (package / "__init__.py").write_text(_CODE, encoding="utf-8")
    (package / "sizes.py").write_text(_HELPER, encoding="utf-8")
    monkeypatch.syspath_prepend(package.parent)
    tiny.write(CONTRACT, _CONTRACT)
    tiny.capture(ROWS)
    yield tiny
    forget_code()


def forget_code() -> None:
    for name in [name for name in sys.modules if name.partition(".")[0] == "tiny_town"]:
        del sys.modules[name]


def code_file(tmp_path: Path, name: str) -> Path:
    return tmp_path / "code" / "tiny_town" / name


def accept(build: Build, models: dict[str, Model], name: str) -> None:
    build.swap(build.stage(models[name]), [], None)


def test_it_is_staged_checked_swapped_and_described(town: TinyProject) -> None:
    models = town.models()
    model = models["marts.mart_sizes"]
    with town.build() as build:
        accept(build, models, "clean.town_payments")
        outcome = build_table(build, Suites(build), model, {})
        rows = build.connection.execute("from marts.mart_sizes order by size").fetchall()
        described = build.connection.execute(
            "select column_name, column_type, made_from from meta.columns where table_name = 'marts.mart_sizes' order by position"
        ).fetchall()
    assert outcome.status == "built"
    assert {result.name for result in outcome.results} >= {"key_unique", "size__in_set"}
    assert rows == [("large", 1), ("small", 2)]
    assert described == [
        ("size", "VARCHAR", ["clean.town_payments.amount"]),
        ("payments", "BIGINT", ["clean.town_payments.amount", "clean.town_payments.payment_id"]),
    ]


def test_a_critical_check_holds_it_back(town: TinyProject) -> None:
    town.edit(CONTRACT, "[small, large]", "[small, tiny]")
    models = town.models()
    with town.build() as build:
        accept(build, models, "clean.town_payments")
        results = audit(build, build.stage(models["marts.mart_sizes"]), Suites(build))
    assert [result.name for result in results if result.blocks] == ["size__in_set"]


def test_it_is_rebuilt_when_its_code_its_helpers_or_its_inputs_change(town: TinyProject, tmp_path: Path) -> None:
    models = town.models()
    with town.build() as build:
        for name in ("clean.town_payments", "marts.mart_sizes"):
            accept(build, models, name)
        assert build.is_current(models["marts.mart_sizes"])
        for file, old, new in [("sizes.py", "100", "50"), ("__init__.py", "named.count", "named.count ")]:
            source = code_file(tmp_path, file)
            before = source.read_text(encoding="utf-8")
            source.write_text(before.replace(old, new), encoding="utf-8")
            assert not build.is_current(town.models()["marts.mart_sizes"]), file
            source.write_text(before, encoding="utf-8")
        assert build.is_current(town.models()["marts.mart_sizes"])
        town.capture(ROWS[:2], at="2026-01-03T030405.000000Z")
    with town.build() as build:
        accept(build, models, "clean.town_payments")
        assert not build.is_current(models["marts.mart_sizes"])


def test_its_inputs_come_in_the_same_order_whatever_the_order_of_the_table(town: TinyProject) -> None:
    models = town.models()
    code = models["marts.mart_sizes"].code
    assert code is not None
    given: list[pa.Table] = []
    with town.build() as build:
        accept(build, models, "clean.town_payments")
        for order in ("desc", "asc"):
            build.connection.execute(
                f"create or replace table clean.town_payments as from clean.town_payments order by amount {order}"
            )
            object.__setattr__(
                code,
                "function",
                lambda tables: (
                    given.append(tables["clean.town_payments"]) or pa.table({"size": ["small"], "payments": [1]})
                ),
            )
            build.stage(models["marts.mart_sizes"])
    assert given[0].equals(given[1])
    assert given[0].column_names == ["payment_id", "amount"]


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ('"payments": [', '"count": [', r"its columns are \['size', 'count'\], and the contract has \['size', 'payments'\]"),
        ("named = [", "named = 1 / 0, [", "ZeroDivisionError: division by zero"),
        ("size_of(amount) for", "'x' for", None),
    ],
    ids=["other columns", "an error", "runs"],
)  # fmt: skip
def test_code_that_fails_is_named_and_fails_nothing_else(
    town: TinyProject, tmp_path: Path, old: str, new: str, message: str | None
) -> None:
    source = code_file(tmp_path, "__init__.py")
    source.write_text(source.read_text(encoding="utf-8").replace(old, new), encoding="utf-8")
    models = town.models()
    with town.build() as build:
        accept(build, models, "clean.town_payments")
        if message is None:
            assert build.stage(models["marts.mart_sizes"]).rows == 1
            return
        with pytest.raises(ModelFailed, match=message):
            build.stage(models["marts.mart_sizes"])


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("tiny_town:sizes", "tiny_town:size", "tiny_town has no function size"),
        ("tiny_town:sizes", "tiny_village:sizes", "there is no module tiny_village"),
        ("inputs: {clean.town_payments: [payment_id, amount]}\n", "", "`made_by` and `inputs` go together"),
        ("made_by: tiny_town:sizes\n", "", "`made_by` and `inputs` go together"),
        ("payments.amount]", "payments.paid_on]", "made_from: clean.town_payments.paid_on is not in `inputs`"),
    ],
    ids=["no function", "no module", "no inputs", "no code", "another column"],
)  # fmt: skip
def test_a_contract_that_names_no_code_is_refused_with_its_line(
    town: TinyProject, old: str, new: str, message: str
) -> None:
    file = town.edit(CONTRACT, old, new)
    with pytest.raises(FileInvalid, match=message) as invalid:
        town.models()
    assert invalid.value.path == file


def test_a_table_has_sql_or_code_and_a_clean_table_has_sql(town: TinyProject) -> None:
    town.write("sql/marts/spending/mart_sizes.sql", "select 1 as size, 2 as payments")
    with pytest.raises(FileInvalid, match=r"mart_sizes\.sql makes this table; keep one"):
        town.models()
    (town.settings.root / "sql/marts/spending/mart_sizes.sql").unlink()
    town.write("sql/clean/town/sizes.yml", _CONTRACT)
    with pytest.raises(CatalogIncomplete, match="only a mart can have `made_by`"):
        town.models()


def test_an_input_that_nothing_provides_is_named(town: TinyProject) -> None:
    town.edit(CONTRACT, "inputs: {clean.town_payments", "inputs: {clean.town_payment")
    town.edit(CONTRACT, "made_from: [clean.town_payments.amount], ", "")
    with pytest.raises(CatalogIncomplete, match=r"mart_sizes\.yml reads clean\.town_payment, which no model"):
        town.models()


@pytest.mark.parametrize("stated", [True, False])
def test_it_shows_no_column_about_persons(town: TinyProject, *, stated: bool) -> None:
    town.edit("sql/clean/town/payments.sql", "    Amount as _published_amount,", "    Amount as payer,")
    town.edit(
        "sql/clean/town/payments.yml",
        "  - {name: amount,",
        "  - {name: payer, type: VARCHAR, personal: true, description: x}\n  - {name: amount,",
    )
    town.edit(
        "sql/clean/town/payments.sql",
        "    parse_money(Amount) as amount,\n    Amount as payer,",
        "    Amount as payer,\n    parse_money(Amount) as amount,",
    )
    town.edit(CONTRACT, "[payment_id, amount]", "[payment_id, amount, payer]")
    if stated:
        town.edit(CONTRACT, "type: BIGINT,", "type: BIGINT, made_from: [clean.town_payments.payment_id],")
        assert town.models()["marts.mart_sizes"].reads_personal
    else:
        with pytest.raises(FileInvalid, match=r"payments, made of clean\.town_payments\.payer, is about persons"):
            town.models()


def test_a_column_that_an_input_does_not_have_is_found_without_a_run(town: TinyProject) -> None:
    town.edit(CONTRACT, "[payment_id, amount]", "[payment_number, amount]")
    model = town.models()["marts.mart_sizes"]
    assert column_lineage(model, {})["payments"][-1] == "clean.town_payments.payment_number"
    (mistake,) = mistakes(town.settings.root, {town.name: town.dataset}, town.models())
    assert mistake.path.name == "mart_sizes.yml"
    assert mistake.line == 3
    assert 'payment_number" not found' in mistake.message
