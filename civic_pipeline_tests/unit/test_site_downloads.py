"""The files of a table and the catalogs for programs, each checked by the validator of its format."""

import csv
import hashlib
import io
import json
import re
import zipfile
from pathlib import Path
from typing import Any

import duckdb
import pytest
from small_release import BUDGET, HOSTILE, small_release

from civic_pipeline.publish.site import build_site
from civic_pipeline.settings import CHECKOUT
from civic_pipeline.sql_text import literal
from civic_pipeline.warehouse import meta

TABLE = "clean.town_things"
FOREIGN = "Source\n# Of a portal\0"
# A value of every type, a key, nulls, a formula, a hostile name, a geometry and a list.
THINGS = f"""
    select * from (values
        ('a', 1, 9007199254740993, 12.50::decimal(18, 2), 0.1::double, true, date '2026-01-02', timestamp '2026-01-02 03:04:05', {literal(HOSTILE)},
            '=1+1', ['x', 'y'], '\\x01\\xAB'::blob),
        ('b', null, null, null, null, null, null, null, null, null, null, null),
        ('c', -3, 5, -0.01, -1e300, false, date '1999-12-31', timestamp '1999-12-31 23:59:59.5', 'a "quoted", text', 'two' || chr(10) || 'lines',
            [], ''::blob)
    ) as t(thing_id, whole, big, dollars, ratio, is_it, day, seen_at, name, formula, words, shape)"""
PUBLISHED = {
    TABLE: THINGS,
    **BUDGET,
    "marts.mart_dataset_quality_scores": """
        select 'dataset' as dataset_kind, 'town/things' as dataset, 0.9 as completeness, null::double as validity, 0.5 as freshness,
            1.0 as documentation, 1.0 as accessibility, null::double as stability""",
}  # fmt: skip


def make_release(file: Path, owners: list[str]) -> Path:
    small_release(file, PUBLISHED, town_things={"key_columns": ["thing_id"]})
    with duckdb.connect(str(file)) as connection:
        connection.execute(
            "create schema quarantine; create table quarantine.town_things as select 'Quarantined4711' as name"
        )
        meta.put(
            connection,
            "meta.places",
            "place",
            "town",
            [{"place": "town", "kind": "city", "title": "Town", "owners": owners}],
        )
        connection.execute("update meta.captures set title = ?", [FOREIGN])
    return file


@pytest.fixture(scope="module")
def release(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_release(tmp_path_factory.mktemp("downloads") / "release.duckdb", ["team:data", "data@town.example.gov"])


@pytest.fixture(scope="module")
def site(release: Path) -> Path:
    build_site(release, release.parent / "site")
    return release.parent / "site"


def links(site: Path, table: str) -> dict[str, tuple[Path, str]]:
    """Suffix -> the file that the page of the table leads to, and the name that it is saved as."""
    page = (site / "data" / table / "index.html").read_text()
    leads = re.findall(r'href="\.\./\.\./([^"]+)" download="([^"]+)">', page)
    return {Path(path).suffix: (site / path, name) for path, name in leads}


def unpacked(site: Path, table: str, folder: Path) -> Path:
    with zipfile.ZipFile(links(site, table)[".zip"][0]) as archive:
        archive.extractall(folder)
    return folder


@pytest.mark.parametrize("table", [TABLE, "marts.fct_budget_lines"])
def test_every_file_says_its_rows_and_has_them(site: Path, table: str) -> None:
    files = links(site, table)
    assert files.keys() == {".csv", ".parquet", ".zip"}
    assert {name for _, name in files.values()} == {f"{table}-3-rows.{suffix}" for suffix in ("csv", "parquet", "zip")}
    page = (site / "data" / table / "index.html").read_text()
    assert page.count("</a> 3 rows, ") == 3
    with files[".csv"][0].open(newline="") as stream:
        rows = list(csv.DictReader(stream))
    assert len(rows) == duckdb.read_parquet(str(files[".parquet"][0])).count("*").fetchone()[0] == 3
    with zipfile.ZipFile(files[".zip"][0]) as archive:
        assert set(archive.namelist()) == {
            "CITATION.cff",
            "LICENSE.txt",
            "README.md",
            "datapackage.json",
            f"{table}.csv",
        }
        assert archive.read(f"{table}.csv") == files[".csv"][0].read_bytes()
        readme = archive.read("README.md").decode()
        assert f"`{table}.csv` has 3 rows" in readme
        assert r"- Source\n# Of a portal\x00. Town Hall." in readme, "a title of a portal is one line"
        assert "CC0" in archive.read("LICENSE.txt").decode()
        assert "Town Hall" in archive.read("CITATION.cff").decode()


def test_parquet_is_exact_and_csv_is_safe(site: Path, release: Path) -> None:
    files = links(site, TABLE)
    with duckdb.connect(str(release), read_only=True) as connection:
        kept = connection.execute(f"from {TABLE} order by thing_id").fetchall()
    assert duckdb.read_parquet(str(files[".parquet"][0])).fetchall() == kept
    first, _, third = csv.DictReader(io.StringIO(files[".csv"][0].read_text(), newline=""))
    assert (first["formula"], first["shape"], first["words"], first["big"]) == (
        "'=1+1",
        "01ab",
        "[x, y]",
        "9007199254740993",
    )
    assert third["formula"] == "two\nlines"
    assert (third["whole"], third["dollars"]) == ("-3", "-0.01"), "a negative number is no formula, also beside a list"


def test_a_data_package_is_valid_to_its_last_row(site: Path, tmp_path: Path) -> None:
    import frictionless

    folder = unpacked(site, TABLE, tmp_path)
    report = frictionless.validate(str(folder / "datapackage.json"))
    assert report.valid, report.flatten(["type", "rowNumber", "note", "message"])
    assert report.tasks[0].stats["rows"] == 3
    package = json.loads((folder / "datapackage.json").read_text())
    [resource] = package["resources"]
    assert resource["rows"] == 3
    assert resource["schema"]["primaryKey"] == ["thing_id"]
    assert {field["name"]: field["type"] for field in resource["schema"]["fields"]} == {
        "thing_id": "string", "whole": "integer", "big": "integer", "dollars": "number", "ratio": "number", "is_it": "boolean",
        "day": "date", "seen_at": "datetime", "name": "string", "formula": "string", "words": "string", "shape": "string",
    }  # fmt: skip
    assert package["licenses"] == [{"name": "CC0", "title": "CC0"}]
    with (folder / f"{TABLE}.csv").open("a") as stream:
        stream.write("a,1,,,,,,,,,,\n")
    assert not frictionless.validate(str(folder / "datapackage.json")).valid, "a changed file is noticed"


def test_croissant_is_valid_and_reads_the_rows(site: Path) -> None:
    import mlcroissant

    described = mlcroissant.Dataset(str(site / "data" / TABLE / "croissant.json"))
    assert not described.metadata.ctx.issues.errors
    rows = list(described.records("rows"))
    assert [row["rows/thing_id"] for row in rows] == [b"a", b"b", b"c"]
    assert rows[0]["rows/whole"] == 1
    text = json.loads((site / "data" / TABLE / "croissant.json").read_text())
    for file in text["distribution"]:
        content = (site / "data" / TABLE / file["contentUrl"]).read_bytes()
        assert hashlib.sha256(content).hexdigest() == file["sha256"]


def catalog_problems(catalog: dict[str, Any], *, whole: bool = False) -> list[str]:
    """By what DCAT-US 3.0 requires of the classes that the site writes; that addresses are whole only if `whole`.

    The official schemas are in no package of a registry (docs/site.md says how to validate by them). The fixture states again what
    they require of the classes that the site writes, where two forms are allowed the one that it writes, and allows no other member.
    """
    from jsonschema import Draft202012Validator

    schema = json.loads((CHECKOUT / "civic_pipeline_tests" / "fixtures" / "dcat_us_3.json").read_text())
    if not whole:
        schema["$defs"]["address"] = {"type": "string", "minLength": 1}
    return [
        f"{'/'.join(map(str, e.absolute_path))}: {e.message}" for e in Draft202012Validator(schema).iter_errors(catalog)
    ]


def test_the_catalog_has_what_dcat_us_requires(site: Path) -> None:
    catalog = json.loads((site / "data.json").read_text())
    assert catalog_problems(catalog) == []
    assert [entry["identifier"] for entry in catalog["dataset"]] == sorted(PUBLISHED)
    [things] = [entry for entry in catalog["dataset"] if entry["identifier"] == TABLE]
    for distribution in things["distribution"]:
        content = (site / distribution["downloadURL"]).read_bytes()
        assert int(distribution["byteSize"]) == len(content)
        assert distribution["checksum"]["checksumValue"] == hashlib.sha256(content).hexdigest()
    measured = {m["isMeasurementOf"]["inDimension"]: m["value"] for m in things["hasQualityMeasurement"]}
    assert measured["urn:civic-pipeline:quality:completeness"] == "0.900000"
    assert len(measured) == 4, "what is not measured is not stated"
    for wrong in (
        {"contactPoint": None},
        {"contactPoint": [{"fn": "Team", "hasEmail": "mailto:a/b@town.example.gov"}]},
        {"temporal": [{"@type": "PeriodOfTime", "startDate": ["2024-01-01"]}]},
        {"landingPage": "data/index.html"},
    ):
        assert catalog_problems({"dataset": [things | wrong]})
    assert catalog_problems(catalog | {"homepage": "index.html"}), (
        "an example of the official schema for what is not valid"
    )


def test_addresses_of_the_catalog_and_the_feed_are_whole_if_the_sites_is_known(release: Path, tmp_path: Path) -> None:
    address = "https://data.town.example.gov/open/"
    site = build_site(release, tmp_path / "site", address=address).folder
    catalog = json.loads((site / "data.json").read_text())
    assert catalog_problems(catalog) == []
    assert catalog_problems(catalog, whole=True) == []
    assert all(d["downloadURL"].startswith(address) for entry in catalog["dataset"] for d in entry["distribution"])
    assert (
        f'rel="self" type="application/atom+xml" href="{address}changes/feed.xml"'
        in (site / "changes" / "feed.xml").read_text()
    )
    moved = build_site(release, tmp_path / "site", address="https://other.example.gov/")
    assert moved.is_new
    relative = json.loads((build_site(release, tmp_path / "site").folder / "data.json").read_text())
    assert catalog_problems(relative, whole=True), "the schema wants whole addresses, which are not known"


def test_without_an_address_the_catalog_lacks_only_the_address(tmp_path: Path) -> None:
    build_site(make_release(tmp_path / "release.duckdb", ["team:data"]), tmp_path / "site")
    problems = catalog_problems(json.loads((tmp_path / "site" / "data.json").read_text()))
    assert problems
    assert all("'hasEmail' is a required property" in problem for problem in problems)


def test_a_release_is_parquet_with_a_manifest_and_views(site: Path, release: Path) -> None:
    folder = site / "releases" / "r1"
    manifest = json.loads((folder / "manifest.json").read_text())
    assert {path.name for path in folder.iterdir()} == {
        "manifest.json",
        "views.duckdb",
        *(f"{name}.parquet" for name in PUBLISHED),
    }
    for table in manifest["tables"]:
        content = (folder / table["file"]).read_bytes()
        assert (len(content), hashlib.sha256(content).hexdigest()) == (table["bytes"], table["sha256"])
    with (
        duckdb.connect(str(folder / "views.duckdb"), read_only=True) as views,
        duckdb.connect(str(release), read_only=True) as warehouse,
    ):
        with pytest.raises(duckdb.IOException):  # by their names alone the files are looked for where the program is
            views.execute(f"from {TABLE}")
        views.execute(f"set variable release = {literal(f'{folder}/')}")
        for name in PUBLISHED:
            rows = f"select * from {name} order by all"
            assert views.execute(rows).fetchall() == warehouse.execute(rows).fetchall()
            assert {t["rows"] for t in manifest["tables"] if t["name"] == name} == {len(views.execute(rows).fetchall())}
    assert (folder / "views.duckdb").stat().st_size < 1_000_000


def test_parquet_is_written_once_and_quarantine_never(site: Path) -> None:
    contents = [hashlib.sha256(path.read_bytes()).hexdigest() for path in site.rglob("*.parquet")]
    assert len(contents) == len(set(contents)) == len(PUBLISHED)
    for path in site.resolve().rglob("*"):
        if path.is_file():
            assert b"Quarantined4711" not in path.read_bytes()
            assert "quarantine." not in path.name
