"""The YAML files: every mistake is named with its line, the value and what is allowed; nothing else ever comes out."""

import os
import re
import subprocess
import sys
from contextlib import suppress
from pathlib import Path

import pytest
import yaml
from hypothesis import example, given
from hypothesis import strategies as st

from civic_pipeline.catalog import Contract, Dataset, Place, load_datasets, read_contract, read_yaml
from civic_pipeline.catalog.contract import vocabulary
from civic_pipeline.errors import FileInvalid
from civic_pipeline.settings import CHECKOUT

DATASET = """\
type: civic_pipeline.components.PortalDataset
attributes:
  title: Payments
  publisher: The town
  licence: not stated
  description: What the town paid.
  source:
    portal: socrata
    domain: data.town.gov
    id: abcd-1234
    recorded: 2026-01-01
  cadence: monthly
  key: [payment]
  columns:
    payment: text
    paid: date
  time_zones:
    paid: date_only
  volume:
    shrink_at_most: 2%
  subject: spending
"""
ARCGIS = """\
    portal: arcgis
    item: f11a8992be0e4b8e8c80fd846b776114
    layer: Payments
    fallbacks: [https://services.town.gov/Payments/FeatureServer]
"""
CONTRACT = """\
each_row_is: one payment
key: [payment_id]
control_totals: [amount]
row_rules:
  - name: amount_is_readable
    keep_if: amount is not null
    reason: The amount could not be read.
expectations:
  - expect_column_values_to_be_between: {column: amount, min_value: 0}
    severity: warning
columns:
  - {name: payment_id, type: VARCHAR, description: "Number."}
  - {name: amount, type: "DECIMAL(18,2)", unit: USD, source: Amount, description: "Dollars."}
"""


def read_dataset(folder: Path, text: str) -> Dataset:
    file = folder / "defs.yaml"
    file.write_text(text, encoding="utf-8")
    return read_yaml(file, Dataset, below=("attributes",))


def read_promises(folder: Path, text: str) -> Contract:
    file = folder / "payments.yml"
    file.write_text(text, encoding="utf-8")
    return read_contract(file)


def changed(text: str, old: str, new: str) -> str:
    assert text.count(old) == 1, f"{old!r} is not in the text exactly once"
    return text.replace(old, new)


DATASET_MISTAKES = [
    ("  title: Payments\n", "", 3, "'title' is required and missing"),
    ("  title: Payments", "  titel: Payments", 3, "'titel' is not a valid key"),
    ("  volume:", "  volumes:", 19, "'volumes' is not a valid key"),
    ("title: Payments", "title: ''", 3, "'' is not allowed: string should have at least 1 character"),
    ("title: Payments", "title: [a]", 3, "['a'] is not allowed: input should be a valid string"),
    ("portal: socrata", "portal: ckan", 8, "'socrata', 'arcgis'"),
    ("domain: data.town.gov", "domain: https://data.town.gov", 9, "'https://data.town.gov' is not allowed: string should match pattern"),
    ("id: abcd-1234", "id: abcd1234", 10, "'abcd1234' is not allowed: string should match pattern"),
    ("    id: abcd-1234\n", "", 8, "'id' is required and missing"),
    ("    id: abcd-1234\n", "    id: abcd-1234\n    editions: {'2024': aaaa-1111}\n", 11, "give either `id` or `editions`"),
    ("    id: abcd-1234\n", "    editions: {'FY 24': aaaa-1111}\n", 10, "'FY 24' is not allowed"),
    ("    id: abcd-1234\n", "    editions: {2024: aaaa1111}\n", 10, "'aaaa1111' is not allowed: string should match pattern"),
    ("    id: abcd-1234\n", "    editions: {2024: {item: x}}\n", 10, "'item' is not a valid key"),
    ("    id: abcd-1234\n", "    editions: {2024: {id: aaaa-1111, key: [nr]}}\n", 10, "source.editions.2024.key: key names nr, which its columns do not list"),
    ("    id: abcd-1234\n", "    editions: {2024: {id: aaaa-1111, columns: {day: date}}}\n", 10, "time_zones must say what the times of day"),
    ("recorded: 2026-01-01", "recorded: last year", 11, "'last year' is not allowed"),
    ("cadence: monthly", "cadence: hourly", 12, "'hourly' is not allowed: input should be 'daily', 'weekly'"),
    ("key: [payment]", "key: [payment_no]", 13, "key names payment_no, which `columns` does not list"),
    ("  columns:\n    payment: text\n    paid: date\n", "  columns: {}\n", 14, "should have at least 1 item"),
    ("    paid: date_only", "    paid: EST", 18, "'EST' is not allowed: input should be 'utc', 'local_labelled_utc' or 'date_only'"),
    ("    paid: date_only", "    payed: date_only", 18, "time_zones names payed"),
    ("  time_zones:\n    paid: date_only\n", "", 16, "time_zones must say what the times of paid mean"),
    ("shrink_at_most: 2%", "shrink_at_most: 0.02", 20, "0.02 is not allowed: write a percentage such as 2%"),
    ("shrink_at_most: 2%", "shrink_at_most: two%", 20, "'two%' is not allowed: write a percentage such as 2%"),
    ("shrink_at_most: 2%", "shrink_at_most: 200%", 20, "less than or equal to 1"),
    ("shrink_at_most: 2%", "shrink_at_most: -2%", 20, "greater than or equal to 0"),
    ("shrink_at_most: 2%", "shrink_at_most: nan%", 20, "is not allowed"),
    ("cadence: monthly", "cadence: monthly\n  cadence: daily", 13, "the key 'cadence' is written twice"),
    ("cadence: monthly", f"cadence: 0b{'1' * 20_000}", 12, "cannot be read: Exceeds the limit"),
    ("cadence: monthly", "cadence: [monthly", 13, "this is not YAML"),
    ("cadence: monthly", "cadence: !age monthly", 12, "this is not YAML"),
    ("recorded: 2026-01-01", "recorded: 2026-13-01", 11, "'2026-13-01' cannot be read: month must be in 1..12"),
]  # fmt: skip
CONTRACT_MISTAKES = [
    ("key: [payment_id]", "key: []", 2, "should have at least 1 item"),
    ("key: [payment_id]", "key: [payment]", 2, "there is no column 'payment' in `columns`; it has payment_id, amount"),
    ("control_totals: [amount]", "control_totals: [amounts]", 3, "there is no column 'amounts'"),
    ("control_totals: [amount]", "control_totals: [payment_id]", 3, "'payment_id' needs a `source`"),
    ("control_totals: [amount]", "repeated_rows: keep", 3, "'keep' is not allowed: input should be 'drop'"),
    ("name: amount_is_readable", "name: Amount is readable", 5, "should match pattern"),
    ("    reason: The amount could not be read.\n", "", 5, "'reason' is required and missing"),
    ("{column: amount, min_value: 0}", "{column: amounts, min_value: 0}", 9, "there is no column 'amounts'"),
    ("expect_column_values_to_be_between:", "expect_values_between:", 9, "there is no 'expect_values_between' in Great Expectations"),
    ("min_value: 0}", "min_value: today}", 9, "`today` can only be a max_value"),
    ("min_value: 0}", "least: 0}", 9, "takes no least; it takes column,"),
    ("    severity: warning\n", "", 9, "'severity' is required and missing"),
    ("severity: warning", "severity: fatal", 10, "'fatal' is not allowed: input should be 'critical', 'warning' or 'info'"),
    ("    severity: warning", "    expect_column_to_exist: {column: amount}\n    severity: warning", 9, "write one expectation with its arguments"),
    ("    severity: warning\n", "    severity: warning\n  - expect_column_values_to_be_between: {column: amount, max_value: 9}\n    severity: warning\n", 11, "'amount__between' is the name of a check above: give this one a `name`"),
    ("{name: amount,", "{name: payment_id,", 13, "the column 'payment_id' is listed twice"),
    ("{name: amount,", "{name: Amount,", 13, "'Amount' is not allowed: string should match pattern"),
    ("unit: USD,", "references: dim_vendors,", 13, "'dim_vendors' is not allowed: string should match pattern"),
    (', description: "Dollars."', "", 13, "'description' is required and missing"),
]  # fmt: skip


@pytest.mark.parametrize(("old", "new", "line", "message"), DATASET_MISTAKES, ids=[m[3][:40] for m in DATASET_MISTAKES])
def test_a_mistake_in_a_dataset_is_named_with_its_line(
    tmp_path: Path, old: str, new: str, line: int, message: str
) -> None:
    with pytest.raises(FileInvalid) as invalid:
        read_dataset(tmp_path, changed(DATASET, old, new))
    assert any(at == line and message in what for at, what in invalid.value.violations), invalid.value
    assert f"{tmp_path / 'defs.yaml'}:{line}: " in str(invalid.value)


@pytest.mark.parametrize(
    ("old", "new", "line", "message"), CONTRACT_MISTAKES, ids=[m[3][:40] for m in CONTRACT_MISTAKES]
)
def test_a_mistake_in_a_contract_is_named_with_its_line(
    tmp_path: Path, old: str, new: str, line: int, message: str
) -> None:
    with pytest.raises(FileInvalid) as invalid:
        read_promises(tmp_path, changed(CONTRACT, old, new))
    assert any(at == line and message in what for at, what in invalid.value.violations), invalid.value


@pytest.mark.parametrize(
    ("old", "new", "line"),
    [
        ("item: f11a8992be0e4b8e8c80fd846b776114", "item: f11a", 9),
        ("layer: Payments", "layer: ''", 10),
        ("/FeatureServer]", "/FeatureServer/0]", 11),
        ("layer: Payments", "layer: Payments\n    id: abcd-1234", 11),
    ],
)
def test_a_mistake_in_an_arcgis_source_is_named_with_its_line(tmp_path: Path, old: str, new: str, line: int) -> None:
    good = changed(DATASET, "    portal: socrata\n    domain: data.town.gov\n    id: abcd-1234\n", ARCGIS)
    assert read_dataset(tmp_path, good).source.portal == "arcgis"
    with pytest.raises(FileInvalid) as invalid:
        read_dataset(tmp_path, changed(good, old, new))
    assert [at for at, _ in invalid.value.violations] == [line]


def test_all_mistakes_are_listed_at_once(tmp_path: Path) -> None:
    text = DATASET.replace("title:", "titel:").replace("monthly", "hourly").replace("2%", "2")
    with pytest.raises(FileInvalid, match=r"defs\.yaml has 4 mistakes:") as invalid:
        read_dataset(tmp_path, text)
    assert sorted(line for line, _ in invalid.value.violations) == [3, 3, 12, 20]


def test_a_share_is_written_as_a_percentage(tmp_path: Path) -> None:
    for written, share in (("2%", 0.02), ("0%", 0), ("100%", 1), ("0.5%", 0.005)):
        assert read_dataset(tmp_path, DATASET.replace("2%", written)).volume.shrink_at_most == pytest.approx(share)


def test_a_second_expectation_of_a_kind_and_a_query_need_a_name(tmp_path: Path) -> None:
    def checks(*more: str) -> list[str]:
        contract = read_promises(tmp_path, CONTRACT.replace("columns:\n", "".join([*more, "columns:\n"])))
        return [expected.name for expected in contract.expectations]

    second = "expect_column_values_to_be_between: {column: amount, max_value: 9}\n    severity: critical\n"
    query = "unexpected_rows_expectation: {unexpected_rows_query: 'select amount from {batch}'}\n    severity: info\n"
    assert checks(f"  - name: amount_is_small\n    {second}") == ["amount__between", "amount_is_small"]
    assert checks(f"  - name: nothing_is_paid\n    {query}") == ["amount__between", "nothing_is_paid"]
    with pytest.raises(FileInvalid, match="a query has no name of its own: give it one"):
        checks(f"  - {query}")
    with pytest.raises(FileInvalid, match="'amount__between' is not of small letters, digits and single underscores"):
        checks(f"  - name: amount__between\n    {second}")


YAML_LIKE = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.dates() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(["title", "source", "key", "columns", "portal"]) | st.text(max_size=4), inner, max_size=4),
    max_leaves=8,
)  # fmt: skip


@pytest.mark.parametrize("below", [(), ("attributes",)])
@given(text=st.text(alphabet="ab:-#&*!|>{}[],'\"%@`\n\t \x00é?~<=0123456789", max_size=60) | st.text(max_size=40))
@example(text="recorded: 2026-13-45")
@example(text="title: !town x")
@example(text="&a [*a]")
@example(text="? [a]\n: b")
@example(text="{a: 1}: b")
@example(text="title: \x00")
@example(text="- a\n- b")
@example(text="a: &x {b: 1}\nc: {<<: *x}")
@example(text="a: !!int x")
@example(text="a: {<<: 1}")
@example(text="---\na: 1\n---\nb: 2")
@example(text="a: !!bool x")
@example(text="a: !!timestamp x")
@example(text="")
def test_whatever_is_in_a_yaml_file_only_its_mistakes_come_out(
    tmp_path: Path, below: tuple[str, ...], text: str
) -> None:
    file = tmp_path / "defs.yaml"
    file.write_text(text, encoding="utf-8", newline="")
    for model in (Dataset, Contract):
        with pytest.raises(FileInvalid):
            read_yaml(file, model, below)


@given(value=YAML_LIKE)
def test_whatever_a_yaml_file_says_only_its_mistakes_come_out(tmp_path: Path, value: object) -> None:
    for text in (
        yaml.safe_dump({"attributes": value}, allow_unicode=True),
        DATASET.replace("{paid: date_only}", repr(value)),
    ):
        file = tmp_path / "defs.yaml"
        file.write_text(text, encoding="utf-8")
        with suppress(FileInvalid):
            read_yaml(file, Dataset, below=("attributes",))


def test_a_file_that_is_not_utf_8_is_a_mistake_too(tmp_path: Path) -> None:
    (tmp_path / "defs.yaml").write_bytes("title: Bürgeramt".encode("latin-1"))
    with pytest.raises(FileInvalid):
        read_yaml(tmp_path / "defs.yaml", Dataset)


def test_all_committed_files_keep_the_rules() -> None:
    datasets = load_datasets(CHECKOUT)
    assert "baltimore/spending" in datasets
    for path in (CHECKOUT / "sql").rglob("*.yml"):
        assert read_contract(path).columns
    assert len(datasets) == len(list((CHECKOUT / "civic_pipeline" / "defs").glob("*/*/defs.yaml")))


def test_the_known_expectations_are_those_of_the_installed_library() -> None:
    from civic_pipeline.quality.vocabulary import installed

    assert vocabulary() == installed(), (
        "run `python -m civic_pipeline.quality.vocabulary` after upgrading great-expectations"
    )


@pytest.mark.parametrize(
    "tag",
    ["!!python/object/apply:os.mkdir [{}]", "!!python/name:os.system", "!!python/object/new:os.mkdir {{args: [{}]}}"],
)
def test_yaml_makes_no_objects(tag: str, tmp_path: Path) -> None:
    target = tmp_path / "made"
    (tmp_path / "defs.yaml").write_text(f"title: {tag.format(target)}\n", encoding="utf-8")
    with pytest.raises(FileInvalid, match="could not determine a constructor"):
        read_yaml(tmp_path / "defs.yaml", Dataset)
    assert not target.exists()


# Earlier shapes

SHAPED = DATASET.replace(
    "  volume:", "  earlier_shapes:\n    - seen: in 2020\n      columns:\n        paid: day || '/2020'\n  volume:"
)


def shaped(tmp_path: Path, text: str = SHAPED) -> Dataset:
    file = tmp_path / "defs.yaml"
    file.write_text(text, encoding="utf-8")
    return read_yaml(file, Dataset, below=("attributes",))


def test_a_shape_applies_to_what_lacks_a_column_of_today_and_has_those_it_reads(tmp_path: Path) -> None:
    dataset = shaped(tmp_path)
    (shape,) = dataset.earlier_shapes
    assert dataset.shape_of(("PAYMENT", "Day")) is shape
    assert dataset.shape_of(("Payment", "paid", "day")) is None, "nothing of today is missing"
    assert dataset.shape_of(("payment", "date")) is None
    assert dataset.lacks(("payment", "date")) == ["paid"]


@pytest.mark.parametrize(
    ("expression", "message"),
    [
        ("day ||", "is not an SQL expression"),
        ("(select max(day) from raw.x)", "must be an expression over columns of one row"),
        ("drop table x", "must be an expression over columns of one row"),
        ("'2020'", "reads no column"),
    ],
)
def test_a_shape_that_is_no_expression_over_columns_is_named_with_its_line(
    tmp_path: Path, expression: str, message: str
) -> None:
    with pytest.raises(FileInvalid, match=message) as error:
        shaped(tmp_path, SHAPED.replace("day || '/2020'", f'"{expression}"'))
    assert {line for line, _ in error.value.violations} == {22}


@pytest.mark.parametrize("line", ["valid_from: when", "valid_to: when"])
def test_a_validity_is_read_from_a_column_that_is_declared(tmp_path: Path, line: str) -> None:
    with pytest.raises(FileInvalid, match="names when, which `columns` does not list"):
        shaped(tmp_path, DATASET.replace("  volume:", f"  {line}\n  volume:"))
    with pytest.raises(FileInvalid, match="earlier_shapes names pait, which"):
        shaped(tmp_path, SHAPED.replace("        paid: day", "        pait: day"))


def test_what_a_dataset_is_written_as_is_the_same_in_every_process() -> None:
    """It is part of a fingerprint: a set of columns about persons in another order would build the table every night."""
    script = (
        "from civic_pipeline.catalog import load_datasets; from civic_pipeline.settings import CHECKOUT;"
        "print(*(d.model_dump_json() for d in load_datasets(CHECKOUT).values()), sep='')"
    )
    written = {
        subprocess.run(
            [sys.executable, "-c", script], env=os.environ | {"PYTHONHASHSEED": seed}, capture_output=True, check=True
        ).stdout
        for seed in ("1", "2", "3")
    }
    assert len(written) == 1
    assert b'"personal":["' in written.pop()


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("a: " + "[" * 30_000, "1: this is not YAML: more than 20 levels of nesting"),
        ("\n".join(" " * n + "a:" for n in range(5_000)), "21: this is not YAML: more than 20 levels of nesting"),
        ("- " * 30_000 + "x", "1: this is not YAML: more than 20 levels of nesting"),
        ("a: &a [x]\nb: &b [*a, *a]\nc: [*b, *b]\n", "2: this is not YAML: *a is an alias; write the value again"),
        ("title: 1" + ":30" * 300 + ".5\n", "1: this is not YAML: "),
    ],
    ids=["brackets", "indentation", "lists", "aliases", "base 60"],
)  # fmt: skip
def test_yaml_that_would_end_the_process_is_one_sentence(text: str, message: str, tmp_path: Path) -> None:
    file = tmp_path / "defs.yaml"
    file.write_text(text)
    with pytest.raises(FileInvalid, match=re.escape(f"defs.yaml:{message}")):
        read_yaml(file, Place)


def test_a_shape_that_todays_layout_could_fit_must_say_what_was_not_there(tmp_path: Path) -> None:
    path = CHECKOUT / "civic_pipeline/defs/baltimore/spending/defs.yaml"
    text = path.read_text()
    loose = tmp_path / "defs.yaml"
    loose.write_text("".join(line for line in text.splitlines(keepends=True) if "      without: " not in line))
    with pytest.raises(FileInvalid, match="it reads only current names, so today's layout with a column missing"):
        read_yaml(loose, Dataset, below=("attributes",))


def test_todays_checkbook_without_the_names_of_funds_is_not_taken_for_the_former_layout() -> None:
    """Its `Fund` is a code, and the former layout's `Fund` was a name."""
    dataset = load_datasets(CHECKOUT)["baltimore/spending"]
    today = tuple(dataset.columns)
    former = ("OBJECTID", "Check_Number", "Payment_Date", "Supplier_Name", "Supplier_Invoice_Number", "Payment_Amount_Split",
              "Supplier_Contract_Number", "Agency", "Fund", "Cost_Center", "Spend_Category")  # fmt: skip
    assert dataset.shape_of(today) is None
    assert dataset.shape_of(former) is dataset.earlier_shapes[0]
    for column in today:
        assert dataset.shape_of(tuple(name for name in today if name != column)) is None, column
    assert dataset.shape_of(tuple(name for name in former if name != "Agency")) is None
