"""The committed sample equals the output of its generator and has the defects that its README lists."""

import csv
import gzip
from collections import Counter, defaultdict
from datetime import date
from functools import cache
from itertools import pairwise
from pathlib import Path

import pytest
import yaml

from civic_pipeline.catalog import load_datasets
from civic_pipeline.settings import CHECKOUT
from tools.sample import chicago, contracts, covid, planted, write_sample
from tools.sample.agencies import AGENCIES
from tools.sample.firms import firms
from tools.sample.table import Table

SAMPLE = Path(__file__).parents[2] / "data" / "sample"


@pytest.fixture(scope="module")
def generated(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, list[Table]]:
    folder = tmp_path_factory.mktemp("sample")
    return folder, write_sample(folder)


@pytest.fixture
def written(generated: tuple[Path, list[Table]]) -> Path:
    return generated[0]


@cache
def rows(name: str) -> list[dict[str, str]]:
    with gzip.open(SAMPLE / f"{name}.csv.gz", "rt", newline="") as file:
        return list(csv.DictReader(file))


def test_the_generator_writes_the_committed_files(written: Path) -> None:
    def content(path: Path) -> bytes:
        # Compressed bytes may differ between versions of zlib; the contents must not.
        return gzip.decompress(path.read_bytes()) if path.suffix == ".gz" else path.read_bytes()

    assert sorted(path.name for path in written.iterdir()) == sorted(path.name for path in SAMPLE.iterdir())
    differing = [path.name for path in written.iterdir() if content(path) != content(SAMPLE / path.name)]
    assert not differing, f"run `python -m tools.sample`: {', '.join(differing)} differ from its output"


def test_writing_again_gives_the_same_bytes(written: Path, tmp_path: Path) -> None:
    for table in (contracts.table(), covid.deaths(), chicago.table(2025)):
        table.write(tmp_path)
        assert (tmp_path / table.file).read_bytes() == (written / table.file).read_bytes()


def test_gzip_headers_have_no_time_and_no_name() -> None:
    for path in SAMPLE.glob("*.gz"):
        assert path.read_bytes()[3:8] == b"\0" * 5, path.name


def test_the_sample_stays_small() -> None:
    assert sum(path.stat().st_size for path in SAMPLE.iterdir()) < 5_000_000


def test_the_readme_counts_every_file_and_every_defect(generated: tuple[Path, list[Table]]) -> None:
    readme = (SAMPLE / "README.md").read_text()
    assert "All data here is synthetic" in readme
    for table in generated[1]:
        assert f"| `{table.file}` | {len(table.rows):,} | {len(table.header)} |" in readme
        for what, count in table.defects.items():
            assert f"| {what} | {count:,} |" in readme


def test_the_sample_serves_every_dataset_and_edition_of_the_catalog() -> None:
    entries = yaml.safe_load((SAMPLE / "portal.yml").read_text())["files"]
    served = {(entry["dataset"], entry.get("edition")) for entry in entries}
    served |= (
        {("baltimore/portal_inventory", None)} if (SAMPLE / "data.json").is_file() else set()
    )  # served by its name
    wanted = {
        (name, edition)
        for name, dataset in load_datasets(CHECKOUT).items()
        for edition in getattr(dataset.source, "editions", {}) or [None]
        if name != "baltimore/mwbe_register"  # an operator feeds it
    }
    assert served == wanted


def test_spending_has_the_listed_defects() -> None:
    payments = rows("spending")
    assert len({row["Unique_ID"] for row in payments}) == len({row["ID"] for row in payments}) == len(payments)
    for column, count in {"Payment_Amount_split": 40, "Payment_Date": 25, "Supplier_Name": 18}.items():
        assert sum(not row[column] for row in payments) == count
    whole = Counter(tuple(value for name, value in row.items() if name not in ("Unique_ID", "ID")) for row in payments)
    assert sum(count - 1 for count in whole.values()) == 120
    assert sum(row["Payment_Amount_split"].startswith("-") for row in payments) >= 150


def test_the_splits_of_a_check_add_up_to_its_amount_unless_one_is_repeated() -> None:
    checks: dict[tuple[str, str], list[dict[str, str]]] = defaultdict(list)
    for row in rows("spending"):
        checks[row["Check_Number"], row["Payment_Date"]].append(row)
    readable = [
        check for check in checks.values() if all(row["Payment_Amount_split"] and row["Payment_Date"] for row in check)
    ]
    off = [
        check for check in readable
        if round(sum(float(row["Payment_Amount_split"]) for row in check) - float(check[0]["Payment_Amount"]), 2)
    ]  # fmt: skip
    assert 100 < len(off) <= 120 + 25  # a split without a date is missing from its check


def test_spending_covers_five_fiscal_years_except_two_months() -> None:
    months = {row["Payment_Date"][:7] for row in rows("spending")} - {""}
    expected = {f"{date(2021 + m // 12, m % 12 + 1, 1):%Y-%m}" for m in range(6, 66)}
    assert expected - months == {"2025-04", "2025-05"}
    assert months <= expected


def test_every_labelled_case_is_in_the_sample() -> None:
    committed = CHECKOUT / "data" / "seeds" / "labelled_payment_cases" / "sample.csv"
    assert committed.read_text(encoding="utf-8") == planted.labels(), "run `python -m tools.sample`"
    paid = {(row["Check_Number"], row["Payment_Amount_split"]) for row in rows("spending")}
    for case in planted.cases():
        for split in case.splits:
            assert (str(split.check), str(split.amount)) in paid


def test_deaths_are_zero_in_the_outage_and_empty_on_late_weekends() -> None:
    by_day = {row["DATE"][:10].replace("/", "-"): row for row in rows("covid_deaths")}
    zero = [day for day, row in by_day.items() if row["Baltimore_City"] == "0" and day > "2020-06-01"]
    assert (zero[0], zero[-1], len(zero)) == ("2021-12-05", "2021-12-27", 23)
    assert all(
        by_day[day][county] == "0" for day in zero for county in by_day[day] if county not in ("OBJECTID", "DATE")
    )
    blank = [date.fromisoformat(day) for day, row in by_day.items() if not row["Baltimore_City"]]
    assert min(blank) == date(2022, 4, 9)
    assert {day.weekday() for day in blank} == {5, 6}
    rise = int(by_day["2021-05-27"]["Baltimore_City"]) - int(by_day["2021-05-26"]["Baltimore_City"])
    assert rise > 60


def test_cases_of_baltimore_city_decrease_on_seven_days() -> None:
    totals = [int(row["Baltimore_City"]) for row in rows("covid_cases")]
    assert sum(after < before for before, after in pairwise(totals)) == 7


def test_zip_columns_change_their_prefix_and_skip_christmas() -> None:
    names = list(rows("covid_zip_cases_2020")[0])[2:]
    assert (names[0], names[-1]) == ("F4_11_2020", "total12_31_2020")
    assert names[names.index("F5_20_2020") + 1] == "total05_21_2020"
    assert "total12_25_2020" not in names
    small = []
    for year in ("2020", "2021", "2022"):
        first, *others = rows(f"covid_zip_cases_{year}")
        days = list(first)[2:]
        assert {day[-4:] for day in days} == {year}
        small += [(year, int(row[day])) for row in (first, *others) for day in days if row[day] and int(row[day]) < 8]
    assert small[-1] == ("2022", 0)  # published after a count, as a few of the State are
    assert {count for _, count in small[:-1]} == {7}
    assert len(small) < 10


def test_certified_firms_have_other_spellings_in_the_checkbook() -> None:
    paid = {row["Supplier_Name"].strip() for row in rows("spending")}
    certified = {row["user_company"] for row in rows("mwbe")}
    overlap = [firm for firm in firms() if firm.vendor in paid and firm.name in certified]
    assert 130 <= len(overlap) <= 150
    assert sum(firm.name != firm.vendor for firm in overlap) > 100
    assert len({name for name in certified if name in paid}) < 75


def test_agency_names_need_an_alias_list() -> None:
    spelt = {row["Agency"] for row in rows("spending")}
    assert {
        "Public Works",
        " Public Works ",
        "DPW",
        "PUBLIC WORKS",
        "M-R: Office of Homeless Services",
        "MOHS",
    } <= spelt
    assert len({agency.name for agency in AGENCIES} & spelt) == 18
