"""The nightly job on real downloads, over the protocols of the portals; every number is computed again from the files with pandas.

Complete real files: COVID-19 by county and by ZIP code, Chicago's budgets, Baltimore's vacant building notices, Maryland's directory of
firms. Ten real rows each: Baltimore's budget, contracts and certifications. Every other dataset is that of the sample.
"""

import random
import shutil
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from functools import cache
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow.parquet as pq
import pytest
import yaml
from real_files import REAL, needs_real_files
from terminal import SAMPLE, Place, serve

from civic_pipeline.catalog import load_datasets
from civic_pipeline.lake.captures import sha256_of
from civic_pipeline.settings import CHECKOUT

COVID = "baltimore/covid"

pytestmark = [pytest.mark.slow, needs_real_files]

# (dataset, edition) -> its download.
DOWNLOADS = {
    ("maryland/covid_cases", None): f"{COVID}/MDCOVID19_CasesByCounty.csv",
    ("maryland/covid_deaths", None): f"{COVID}/MDCOVID19_ConfirmedDeathsByCounty.csv",
    ("baltimore/budget", "2022"): "baltimore/budget/baltimore_fy2022_budget_data_arcgis_2022-06.csv.gz",
    ("baltimore/contracts", None): "baltimore/spending/city_contracts_bureau_of_purchases_e7gh-hui5_sample10.csv",
    ("baltimore/mwbe", None): "baltimore/mwbe/mbe_wbe_certifications_us2p-bijb_sample10.csv",
    ("maryland/mbe_directory", None): "maryland/mwbe/mbe_statewide_directory_first1000_2017-05.csv.gz",
    ("baltimore/vacant_building_notices", None): "baltimore/housing/vacant_building_notices_2025-08.csv.gz",
    **{("chicago/budget", year): f"chicago/budget/appropriations_fy{year}.csv" for year in ("2023", "2024", "2025")},
    **{("chicago/revenue", year): f"chicago/budget/revenue_fy{year}.csv" for year in ("2024", "2025")},
}
DOWNLOADS["chicago/budget", "2017"] = "chicago/budget/budget_2017_ordinance_appropriations_7jem-9wyw_sample10.csv"
for year in ("2020", "2021"):
    DOWNLOADS["maryland/covid_zip_cases", year] = f"{COVID}/MD_Covid_by_zipcodes_{year}.csv"
REWRITTEN = {f"baltimore/{name}" for name in ("mwbe", "vacant_building_notices", "contracts", "budget")} | {
    "maryland/mbe_directory"
}
ZIP_CODES = [("maryland/covid_zip_cases", year) for year in ("2020", "2021", "2022")]
SOURCES = [*DOWNLOADS, ZIP_CODES[-1], ("chicago/budget", "2026")]
# What no download is of is served from the sample.
OF_THE_SAMPLE: list[dict[str, Any]] = [
    entry
    for entry in yaml.safe_load((SAMPLE / "portal.yml").read_text(encoding="utf-8"))["files"]
    if entry["dataset"] not in {dataset for dataset, _ in DOWNLOADS}
]


@cache
def published(dataset: str, edition: str | None = None) -> pd.DataFrame:
    """Return the real rows as the portal publishes them: every cell as text, None if it is empty."""
    if (dataset, edition) == ("chicago/budget", "2026"):  # no download of that year: the year before, and some dollars
        frame = published(dataset, "2025")
        return frame.assign(_ordinance_amount_=frame["_ordinance_amount_"].map(lambda dollars: str(int(dollars) + 7)))
    if (dataset, edition) == ZIP_CODES[-1]:  # no download of that year: a day as the last of the year before
        frame = published(*ZIP_CODES[-2])
        return frame[["OBJECTID", "ZIP_CODE"]].assign(total01_01_2022=frame["total12_31_2021"])
    frame = read_text(REAL / DOWNLOADS[dataset, edition])
    if dataset == "baltimore/mwbe":
        (before,) = load_datasets(CHECKOUT)[dataset].earlier_shapes
        names = {then: now for now, then in before.columns.items() if then.isidentifier()} | {
            "origcert": "user_origcert"
        }
        frame = frame[[*names]].rename(columns=names)
        frame["user_origcert"] = [f"{day}T00:00:00" for day in days(frame["user_origcert"])]
        frame = frame.reindex(columns=list(load_datasets(CHECKOUT)[dataset].columns)).astype(object)
        return frame.where(frame.notna(), None).assign(OBJECTID=[str(number + 1) for number in range(len(frame))])
    if dataset == "baltimore/contracts":
        # The file is of the portal before; the layer of today has the same columns under other names.
        (before,) = load_datasets(CHECKOUT)[dataset].earlier_shapes
        frame = frame.rename(columns={then.strip('"'): now for now, then in before.columns.items()})
        frame[["Blanket_Begin_Date", "Blanket_End_Date"]] = (
            frame[["Blanket_Begin_Date", "Blanket_End_Date"]].apply(days).astype(str)
        )
        return frame.drop(columns="vendorid").assign(OBJECTID=[str(number + 1) for number in range(len(frame))])
    # In the download, the phone, fax, website and location columns of the portal are flattened.
    # The export of the budget calls its row number FID.
    frame = frame.rename(columns={"FID": "OBJECTID"} if dataset == "baltimore/budget" else {})
    frame = frame.rename(columns={"phone_phone_number": "phone", "fax_phone_number": "fax", "website_url": "website"})
    # The download has points as columns. The pipeline does not use them.
    return frame.drop(
        columns=[name for name in frame.columns if name.startswith("geocoded_location") or name in ("X", "Y")]
    )


def read_text(path: Path) -> pd.DataFrame:
    frame = pd.read_csv(path, dtype="str", keep_default_na=False, encoding="utf-8-sig").astype(object)
    return frame.where(frame != "", None)


def dollars(values: "pd.Series[Any]") -> Decimal:
    return sum((Decimal(value) for value in values.dropna()), Decimal(0))


def days(values: "pd.Series[Any]") -> "pd.Series[Any]":
    """Return calendar dates of epoch seconds or ISO texts; the portal labels local midnight as UTC."""
    return values.map(
        lambda text: None if text is None
        else datetime.fromtimestamp(int(text), UTC).date() if text.isdigit() else date.fromisoformat(text[:10].replace("/", "-"))
    )  # fmt: skip


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Place:
    """Serve the real files and run the nightly job on them, once."""
    folder = tmp_path_factory.mktemp("real")
    entries: list[dict[str, Any]] = [*OF_THE_SAMPLE]
    served = folder / "served"
    served.mkdir()
    for sampled in OF_THE_SAMPLE:
        shutil.copyfile(SAMPLE / sampled["file"], served / sampled["file"])
    for dataset, edition in SOURCES:
        name = f"{dataset.replace('/', '_')}{edition or ''}.csv"
        # Files that need no change are served byte for byte.
        if (dataset, edition) not in DOWNLOADS or dataset in REWRITTEN:
            published(dataset, edition).to_csv(served / name, index=False)
        else:
            shutil.copyfile(REAL / DOWNLOADS[dataset, edition], served / name)
        entry = {"file": name, "dataset": dataset} | ({"edition": edition} if edition else {})
        entries.append(entry)
    place = Place(folder / "data", serve(served, *entries))
    ended = place.run()
    assert ended.code == 0, ended.err
    return place


# The captures


def test_all_checks_pass_except_the_age_of_old_data(place: Place) -> None:
    failed = set(place.rows("select table_name, check_name from meta.checks where not is_passed"))
    # The newest date of the sample and of a download becomes older every day.
    aged = {
        f"clean.{name.replace('/', '_')}"
        for name in ("baltimore/vacant_building_notices", *(entry["dataset"] for entry in OF_THE_SAMPLE))
    }
    # Editions that nobody saw are left out: the budget of 2023, and others that no download is of.
    not_served = {(f"raw.{city}_budget", "schema_declared") for city in ("baltimore", "chicago")}
    # The list of vacant buildings is real, while the map and the parcels are those of the sample.
    mixed = {
        ("marts.fct_neighborhood_counts", "unplaced_at_most_a_fifth"),
        ("marts.mart_property_profiles", "block_vacant_share__between"),
    }
    sampled = {entry["dataset"].replace("/", "_") for entry in OF_THE_SAMPLE}  # their warnings are tested elsewhere
    without_street = {("clean.baltimore_mwbe", "street_address__not_null")}  # the ten rows are of the register before
    # An operator has to put the register's file there; the catalog of a portal is not among the downloads.
    not_fed = {(f"raw.baltimore_{name}", "captured") for name in ("mwbe_register", "portal_inventory")}
    failed = {(table, check) for table, check in failed if table.partition(".")[2] not in sampled}
    assert failed <= {(table, "data_age") for table in aged} | not_served | without_street | not_fed | mixed
    assert place.rows("select count(*) from meta.tables where status not in ('current', 'never_captured')") == [(0,)]


def test_every_capture_is_verified_by_counts_and_by_its_hash(place: Place) -> None:
    captured = place.rows(
        "select dataset, edition, capture_id, counted_rows, landed_rows, distinct_rows, bytes, sha256 from meta.captures"
        " where capture_id is not null"
    )
    assert {(row[0], row[1]) for row in captured} == {
        *SOURCES,
        *((entry["dataset"], entry.get("edition")) for entry in OF_THE_SAMPLE),
    }
    for dataset, edition, capture_id, counted, landed, distinct, size, sha256 in captured:
        file = place.data / "lake" / capture_id / f"{edition or 'part'}.parquet"
        assert (sha256_of(file), file.stat().st_size) == (sha256, size)
        assert counted == landed == distinct == pq.read_metadata(file).num_rows
        if (dataset, edition) in SOURCES:
            assert counted == len(published(dataset, edition))


def cell(kind: str) -> Callable[[Any], Any]:
    """Return a function that parses a text of a download as a portal type, independent of the code of the project."""

    def clock(text: str) -> datetime:
        if text.isdigit():
            return datetime.fromtimestamp(int(text), UTC).replace(tzinfo=None)
        return datetime.fromisoformat(text.replace("/", "-").removesuffix("+00"))

    read: Callable[[str], Any] = {
        "number": lambda text: Decimal(text).normalize(), "money": lambda text: Decimal(text).normalize(),
        "Integer": int, "OID": int, "Double": float, "Date": clock, "date": clock, "calendar_date": clock,
        "phone": lambda text: f'{{"phone_number":"{text}"}}',
        "url": lambda text: None if text == "[null, null]" else f'{{"url":"{text}"}}',
    }.get(kind, str)  # fmt: skip
    return lambda text: None if text is None else read(text)


@pytest.mark.parametrize(("dataset", "edition"), SOURCES)
def test_a_capture_has_every_cell_of_the_file(place: Place, dataset: str, edition: str | None) -> None:
    (capture,) = place.captures(dataset)
    part = next(part for part in capture.parts if part.edition == edition)
    landed = pq.read_table(place.data / "lake" / capture.capture_id / part.file).to_pandas().astype(object)
    landed = landed.where(landed.notna(), None)
    kinds = {column.name: column.portal_type for column in part.columns}
    sent = published(dataset, edition)
    if dataset == "maryland/covid_zip_cases":
        sent = sent.rename(columns=str.lower)  # Socrata has no other names
    assert list(kinds) == list(sent.columns)
    expected = sent.apply(lambda column: column.map(cell(kinds[column.name]))).astype(object)
    pd.testing.assert_frame_equal(in_order(landed[list(kinds)]), in_order(expected))


def in_order(frame: pd.DataFrame) -> pd.DataFrame:
    """Return the rows sorted by all values, with plain Python cells, because Socrata does not keep the order of the file."""
    plain = frame.map(
        lambda value: value.normalize() if isinstance(value, Decimal)
        else value.to_pydatetime() if isinstance(value, pd.Timestamp)
        else int(value) if isinstance(value, float) and value.is_integer() else value
    ).astype(object)  # fmt: skip
    plain = plain.where(plain.notna(), None)
    return plain.iloc[plain.map(repr).agg("|".join, axis=1).argsort()].reset_index(drop=True)


# The tables


def test_no_row_is_lost_between_a_file_and_its_table(place: Place) -> None:
    """Source rows = clean + quarantined + repeated rows, by `meta.tables` and by counting again."""
    rows_per_source_row = {("maryland/covid_cases", None): 25, ("maryland/covid_deaths", None): 25} | {
        source: sum(name[-4:].isdigit() for name in published(*source).columns) for source in ZIP_CODES
    }
    for dataset in sorted({dataset for dataset, _ in SOURCES}):
        table = dataset.replace("/", "_")
        sent = sum(
            len(published(*source)) * rows_per_source_row.get(source, 1) for source in SOURCES if source[0] == dataset
        )
        ((books, clean, quarantined, repeated),) = place.rows(
            "select source_rows, row_count, quarantined_rows, repeated_rows from meta.tables"
            f" where table_name = 'clean.{table}'"
        )
        assert books == sent == clean + quarantined + repeated, dataset
        assert repeated == 0, dataset
        assert place.rows(
            f"select (select count(*) from clean.{table}), (select count(*) from quarantine.{table})"
        ) == [(clean, quarantined)]


def test_the_one_rejected_row_is_the_firm_without_a_certification_number(place: Place) -> None:
    firms = published("maryland/mbe_directory")
    nameless = firms[firms["certification_number"].isna()]
    assert place.rows("select firm_name, _rules from quarantine.maryland_mbe_directory") == [
        (name, ["certification_is_numbered"]) for name in nameless["name"]
    ]
    of_downloads = [f"clean.{dataset.replace('/', '_')}" for dataset, _ in DOWNLOADS]
    quarantined = place.rows("select table_name from meta.tables where quarantined_rows > 0")
    assert {table for (table,) in quarantined} & {*of_downloads} == {"clean.maryland_mbe_directory"}


def test_chicagos_budgets_are_the_same_to_the_cent_in_every_table(place: Place) -> None:
    sums = {
        int(year): dollars(published("chicago/budget", year).iloc[:, -1])
        for year in ("2017", "2023", "2024", "2025", "2026")
    }
    for table, amount in {
        "clean.chicago_budget": "adopted_amount",
        "marts.fct_budget_lines where city = 'chicago'": "published_amount",
        "marts.mart_budget_by_agency where city = 'chicago' and phase = 'adopted'": "appropriated_amount + not_counted_amount",
    }.items():
        assert dict(place.rows(f"select fiscal_year, sum({amount}) from {table} group by 1")) == sums, table


def test_chicagos_departments_have_the_sums_of_the_file(place: Place) -> None:
    lines = published("chicago/budget", "2025")
    lines = lines.assign(dollars=lines["_ordinance_amount_"].map(Decimal))
    by_department = lines.groupby("department_number")["dollars"].sum().to_dict()
    actual = place.rows(
        "select agencies.agency_code, appropriated_amount + not_counted_amount from marts.mart_budget_by_agency as budget"
        " join marts.dim_agencies as agencies using (agency_id) where budget.city = 'chicago' and fiscal_year = 2025"
    )
    assert dict(actual) == by_department


def test_baltimores_budget_is_the_total_of_the_file_in_every_table(place: Place) -> None:
    total = dollars(published("baltimore/budget", "2022")["fy22_budget"])
    assert total == 3_843_477_486
    for table, column in {
        "clean.baltimore_budget": "adopted_amount",
        "marts.mart_budget_by_agency where city = 'baltimore'": "appropriated_amount",
        "marts.mart_budget_by_service where city = 'baltimore'": "appropriated_amount",
    }.items():
        assert place.rows(f"select sum({column}) from {table}") == [(total,)]
    query = "select status from marts.mart_reconciliations where figure_id = 'baltimore_budget_2022_file'"
    assert place.rows(query) == [("equal",)]


def test_baltimores_ten_contracts_keep_their_sums(place: Place) -> None:
    contracts = published("baltimore/contracts")
    assert place.rows(
        "select sum(authorized_amount), sum(spent_amount), sum(remaining_amount), min(begin_date), max(end_date)"
        " from clean.baltimore_contracts"
    ) == [
        (
            *(
                dollars(contracts[name])
                for name in ("Blanket_Dollar_Limit", "Dollar_Amt_Spent_to_Date", "Dollars_Left")
            ),
            days(contracts["Blanket_Begin_Date"]).min(),
            days(contracts["Blanket_End_Date"]).max(),
        )
    ]


def test_certified_firms_are_those_of_the_file_from_the_day_of_their_certification(place: Place) -> None:
    city = published("baltimore/mwbe")
    assert set(city["user_contractstatus"]) == {"CERTIFY"}
    firms = published("maryland/mbe_directory").dropna(subset=["certification_number"])
    dated = days(firms["certification_date"]).notna()
    assert place.rows(
        "select authority, count(*), count(*) filter (is_valid_period), min(valid_from), max(valid_to)"
        " from marts.dim_certified_firms group by 1 order by 1"
    ) == [
        ("baltimore", len(city), len(city), days(city["user_origcert"]).min(), None),
        (
            "maryland",
            firms["certification_number"].nunique(),
            dated.sum(),
            days(firms["certification_date"]).min(),
            None,
        ),
    ]


# COVID-19


COUNTIES = {
    "Baltimore": "Baltimore County",
    "Prince_Georges": "Prince George's",
    "Queen_Annes": "Queen Anne's",
    "St_Marys": "St. Mary's",
}


@pytest.mark.parametrize("metric", ["cases", "deaths"])
def test_random_cells_of_the_county_files_are_in_the_table(place: Place, metric: str) -> None:
    frame = published(f"maryland/covid_{metric}")
    chance, dates = random.Random(f"county {metric}"), days(frame["DATE"])
    columns = [name for name in frame.columns if name not in {"OBJECTID", "DATE"}]
    table = f"clean.maryland_covid_{metric}"
    actual = {row[:2]: row[2] for row in place.rows(f"select county, observed_date, cumulative_{metric} from {table}")}
    assert len(actual) == len(frame) * len(columns)
    for column, line in zip(chance.choices(columns, k=200), chance.choices(frame.index, k=200), strict=True):
        value = frame[column][line]
        county = COUNTIES.get(column, column.replace("_", " "))
        assert actual[county, dates[line]] == (None if value is None else int(value)), (column, line)


def test_random_cells_of_the_zip_code_files_are_in_the_table(place: Place) -> None:
    first, second, third = (published(*source).drop(columns="OBJECTID") for source in ZIP_CODES)
    frame = first.merge(second, on="ZIP_CODE", validate="one_to_one").merge(third, on="ZIP_CODE", validate="one_to_one")
    chance = random.Random("zip codes")
    columns = [name for name in frame.columns if name != "ZIP_CODE"]
    table = "clean.maryland_covid_zip_cases"
    actual = {
        row[:2]: row[2:]
        for row in place.rows(f"select zip_code, observed_date, cumulative_cases, is_suppressed from {table}")
    }
    assert len(actual) == len(frame) * len(columns)
    blanks = 0
    for column, line in zip(chance.choices(columns, k=400), chance.choices(frame.index, k=400), strict=True):
        value, (month, day, year) = frame[column][line], map(int, column.strip("Ftoal").split("_"))
        blanks += value is None
        expected = (None if value is None else int(value), value is None)
        assert actual[frame["ZIP_CODE"][line], date(year, month, day)] == expected, (column, line)
    assert 0 < blanks < 400


def test_the_latest_totals_of_the_city_are_in_the_last_lines_of_the_files(place: Place) -> None:
    for metric, name in (("cases", "cases"), ("deaths", "deaths_confirmed")):
        frame = published(f"maryland/covid_{metric}").dropna(subset=["Baltimore_City"])
        last = days(frame["DATE"]).idxmax()
        assert place.rows(
            f"select max(observed_date) filter (where {name}_cumulative_reported is not null),"
            f" max_by({name}_cumulative_reported, observed_date) filter (where {name}_cumulative_reported is not null)"
            " from marts.mart_covid_indicators_daily where geography = 'Baltimore City'"
        ) == [(days(frame["DATE"])[last], int(frame["Baltimore_City"][last]))]


def test_deaths_missing_as_zero_gaps_and_corrections_are_those_of_the_file(place: Place) -> None:
    frame = published("maryland/covid_deaths")
    counts = (
        frame.drop(columns=["OBJECTID", "DATE"]).map(lambda text: None if text is None else int(text)).astype(float)
    )
    counts.index = pd.Index(days(frame["DATE"]))
    outage = counts.index[(counts == 0).all(axis=1)]
    city = counts["Baltimore_City"].drop(outage).dropna().astype(int)
    increments = city.diff().dropna().astype(int)
    steps = pd.Series(city.index, index=city.index).diff().dropna()
    gaps = increments[steps > timedelta(days=1)]
    assert len(outage) > 0
    assert outage.max() + timedelta(days=1) in gaps.index

    of_the_city = "from marts.fct_covid_increments where geography = 'Baltimore City' and metric = 'deaths_confirmed'"
    assert [
        day for (day,) in place.rows(f"select observed_date {of_the_city} and is_missing_as_zero order by 1")
    ] == list(outage)
    assert (
        dict(place.rows(f"select observed_date, gap_increment {of_the_city} and gap_increment is not null"))
        == gaps.to_dict()
    )
    corrections = increments[increments < 0]
    assert place.rows(f"select count(*), sum(increment) {of_the_city} and is_correction") == [
        (len(corrections), corrections.sum())
    ]
    assert place.rows(f"select sum(increment) {of_the_city}") == [(city.iloc[-1] - city.iloc[0],)]


# Later nights


def test_an_unchanged_source_is_not_captured_again(place: Place, tmp_path: Path) -> None:
    again = place.copy(tmp_path)
    datasets = sorted({dataset for dataset, _ in SOURCES})
    before = {dataset: again.captures(dataset) for dataset in datasets}
    ended = again.run(*(f"raw/{dataset.replace('/', '_')}" for dataset in datasets))
    assert ended.code == 0, ended.err
    assert {dataset: again.captures(dataset) for dataset in datasets} == before
    assert ended.err.count("unchanged since") == len(datasets)


def test_an_edition_with_half_its_rows_holds_back_only_that_budget_and_its_dependants(
    place: Place, tmp_path: Path
) -> None:
    later = place.copy(tmp_path)
    file = later.served / "chicago_budget2024.csv"
    header, *lines = file.read_text(encoding="utf-8").splitlines()
    file.write_text("\n".join([header, *lines[::2]]) + "\n", encoding="utf-8")

    ended = later.run()
    assert (ended.code, ended.is_plain) == (3, True), ended.err
    assert f"chicago/budget 2024: {len(lines[::2]):,} rows, but {len(lines):,}" in ended.message

    # The capture is kept but not used; the new release has the previous tables.
    first, second = later.captures("chicago/budget")
    assert first.held_back is None
    assert second.held_back is not None
    tables = {
        name: (status, inputs)
        for name, status, inputs in later.rows("select table_name, status, inputs from meta.tables")
    }
    waiting = {"raw.chicago_budget"}
    while more := {name for name, (_, inputs) in tables.items() if name not in waiting and waiting & set(inputs)}:
        waiting |= more
    assert {name for name, (status, _) in tables.items() if status == "held_back"} == waiting - {"raw.chicago_budget"}
    built = "select table_name, built_at from meta.tables"
    before, after = dict(place.rows(built)), dict(later.rows(built))
    assert all(after[name] == before[name] for name in waiting - {"raw.chicago_budget"})
    assert any(after[name] != before[name] for name in after)  # some other tables are built again
    for table in ("clean.chicago_budget", "marts.fct_budget_lines"):
        content = f"select bit_xor(hash(t)), count(*) from {table} as t"
        assert later.rows(content) == place.rows(content), table
