"""The committed sample and real downloads are served completely: no row and no cell is lost."""

import csv
import gzip
import shutil
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
import requests
import yaml
from real_files import REAL, needs_real_files

from civic_pipeline.demo import DemoPortals, ServedFile

PROJECT = Path(__file__).parents[2]

REAL_FILES = {
    "baltimore/covid/MDCOVID19_CasesByCounty.csv": {},
    "baltimore/covid/MD_Covid_by_zipcodes_2020.csv": {"ZIP_CODE": "text"},
    "chicago/budget/appropriations_fy2025.csv": {"department_number": "text"},
    "maryland/mwbe/mbe_statewide_directory_first1000_2017-05.csv.gz": {"certification_date": "calendar_date"},
    "baltimore/budget/baltimore_operating_budget_g5wn-pq7y_sample10.csv": {"program_id": "text", "fund_id": "text"},
    "baltimore/mwbe/mbe_wbe_certifications_us2p-bijb_sample10.csv": {"origcert": "date", "website": "url"},
    "baltimore/spending/city_contracts_bureau_of_purchases_e7gh-hui5_sample10.csv": {"begindate": "date"},
}


def lines_of(path: Path) -> list[list[str]]:
    with (
        gzip.open(path, "rt", encoding="utf-8-sig", newline="")
        if path.suffix == ".gz"
        else path.open(encoding="utf-8-sig", newline="") as file
    ):
        return list(csv.reader(file))


def served_rows(portals: DemoPortals, file: ServedFile) -> list[dict[str, str]]:
    url = f"{portals.url}/resource/{file.socrata_id}.json?$limit=100000&$order=:id"
    return list(requests.get(url, timeout=60).json())


def text_columns(file: ServedFile) -> dict[str, str]:
    return {column.name: column.field_name for column in file.columns if column.kind == "text"}


def assert_texts_arrive(portals: DemoPortals, file: ServedFile, path: Path) -> None:
    """Check that the portal sends the rows of the file, compared as a multiset of text cells."""
    header, *published = lines_of(path)
    columns = text_columns(file)
    received = served_rows(portals, file)
    assert len(received) == file.rows == len(published)
    assert Counter(tuple(row.get(name, "") for name in columns.values()) for row in received) == Counter(
        tuple(line[header.index(name)] for name in columns) for line in published
    )


@pytest.mark.slow
def test_every_row_of_the_sample_arrives() -> None:
    folder = PROJECT / "data" / "sample"
    with DemoPortals(folder) as portals:
        entries = yaml.safe_load((folder / "portal.yml").read_text())["files"]
        served = [entry["file"] for entry in entries if "captured_at" not in entry]  # older copies are history
        assert sorted(file.name for file in portals.files) == sorted(served)
        assert {path.name for path in folder.glob("*.csv.gz")} <= {entry["file"] for entry in entries}
        tables = [file for file in portals.files if file.name.endswith(".csv.gz")]  # others have tests of their own
        assert len(tables) > 10
        for file in tables:
            assert_texts_arrive(portals, file, folder / file.name)


def test_the_sample_declares_the_types_of_the_portals() -> None:
    with DemoPortals(PROJECT / "data" / "sample") as portals:
        views = {
            dataset: {
                column["fieldName"]: column["dataTypeName"]
                for column in requests.get(f"{portals.url}/api/views/{dataset}.json", timeout=10).json()["columns"]
            }
            for dataset in ("viap-eh6m", "7jem-9wyw", "xbjh-7zvh", "x394-e874", "t59y-fr3k", "rmi8-cugu", "p4wa-abkc")
        }
        layers = {
            layer: {
                field["name"]: field["type"].removeprefix("esriFieldType")
                for field in requests.get(
                    f"{portals.url}/arcgis/rest/services/{layer}/FeatureServer/0", params={"f": "json"}, timeout=10
                ).json()["fields"]
            }
            for layer in (
                "OpenCheckbookFY2022_Through_Present",
                "Baltimore_CityContracts_Bureau_of_Purchases_Department_of_Finance",
                "MDCOVID19_CasesByCounty",
                "MDCOVID19_ConfirmedDeathsByCounty",
                "Baltimore_City_Fiscal_2022_Budget_Data_New",
                "MBWOO_Geocoded",
            )
        }
    cases = views.pop("p4wa-abkc")  # a column a day
    assert Counter(cases.values()) == {"number": len(cases)}
    not_text = {dataset: {n: t for n, t in columns.items() if t != "text"} for dataset, columns in views.items()}
    amount = {"_ordinance_amount_": "number"}
    assert not_text == {
        "viap-eh6m": {"phone": "phone", "fax": "phone", "website": "url", "certification_date": "calendar_date"},
        "7jem-9wyw": {"ordinance_amount_": "number"},
        "xbjh-7zvh": amount,
        "x394-e874": amount,
        "t59y-fr3k": amount,
        "rmi8-cugu": {"estimated_revenue": "number"},
    }
    types = {layer: Counter(fields.values()) for layer, fields in layers.items()}
    assert types == {
        "OpenCheckbookFY2022_Through_Present": {"OID": 1, "Integer": 1, "Date": 2, "Double": 2, "String": 16},
        "Baltimore_CityContracts_Bureau_of_Purchases_Department_of_Finance": {
            "OID": 1,
            "Date": 2,
            "Double": 3,
            "String": 4,
        },
        "MDCOVID19_CasesByCounty": {"OID": 1, "Date": 1, "Integer": 25},
        "MDCOVID19_ConfirmedDeathsByCounty": {"OID": 1, "Date": 1, "Integer": 25},
        "Baltimore_City_Fiscal_2022_Budget_Data_New": {"OID": 1, "Integer": 7, "Double": 1, "String": 7},
        "MBWOO_Geocoded": {"OID": 1, "String": 14},
    }


@needs_real_files
def test_every_row_of_real_downloads_arrives(tmp_path: Path) -> None:
    entries = []
    for path, types in REAL_FILES.items():
        shutil.copy(REAL / path, tmp_path)
        declared = ", ".join(f"{name}: {kind}" for name, kind in types.items())
        entries.append(f"  - {{file: {Path(path).name}, types: {{{declared}}}}}")
    (tmp_path / "portal.yml").write_text("files:\n" + "\n".join(entries) + "\n")
    with DemoPortals(tmp_path) as portals:
        for file in portals.files:
            assert_texts_arrive(portals, file, tmp_path / file.name)
        first = {row["certno"]: row for row in served_rows(portals, portals.files[5])}["10-358026"]
        assert first["origcert"] == "2010-11-22T08:00:00.000Z"
        assert "website" not in first


@needs_real_files
def test_the_real_county_file_keeps_its_dates_and_numbers(tmp_path: Path) -> None:
    source = REAL / "baltimore" / "covid" / "MDCOVID19_CasesByCounty.csv"
    shutil.copy(source, tmp_path)
    with DemoPortals(tmp_path) as portals:
        url = f"{portals.url}/arcgis/rest/services/MDCOVID19_CasesByCounty/FeatureServer/0/query"
        asked = {"f": "json", "where": "OBJECTID <= 1", "outFields": "*"}
        (feature,) = requests.get(url, params=asked, timeout=10).json()["features"]
        assert feature["attributes"]["DATE"] == 1584266400000
        assert feature["attributes"]["Montgomery"] == 12
        asked["where"] = "1=1"
        assert requests.get(url, params=asked | {"returnCountOnly": "true"}, timeout=10).json() == {"count": 2033}


def test_many_parallel_clients_get_complete_responses() -> None:
    with DemoPortals(PROJECT / "data" / "sample") as portals, ThreadPoolExecutor(8) as pool:
        url = f"{portals.url}/resource/{portals.file('salaries.csv.gz').socrata_id}.json?$select=:id&$order=:id&$limit=250"
        pages = pool.map(
            lambda at: requests.get(f"{url}&$offset={at}", timeout=30).json(),
            range(0, 9000, 250),
        )
        ids = [row[":id"] for page in pages for row in page]
    assert len(ids) == len(set(ids)) == 9000
