"""Places are configuration: their files are strict, no shared file names one, and a renamed dataset keeps its captures."""

import re
from pathlib import Path

import pytest
from formulas import committed_models
from tiny_project import TinyProject

from civic_pipeline.catalog import load_datasets, load_places
from civic_pipeline.errors import CatalogIncomplete, FileInvalid
from civic_pipeline.lake import Lake
from civic_pipeline.lake.attempt import last_attempt
from civic_pipeline.settings import CHECKOUT, Settings
from civic_pipeline.warehouse import open_build, record_history

CITIES = sorted(name for name, place in load_places(CHECKOUT).items() if place.kind == "city")
PLACE = """kind: city
title: Town
state: MD
time_zone: America/New_York
fiscal_year: {first_month: 7, named_by: the year it ends}
population:
  2020: {residents: 100, source: "2020 Census"}
owners: [team:open-data]
"""


def described(root: Path, text: str) -> Path:
    file = root / "civic_pipeline" / "defs" / "town" / "place.yaml"
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(text, encoding="utf-8")
    return root


def test_a_place_is_read(tmp_path: Path) -> None:
    place = load_places(described(tmp_path, PLACE))["town"]
    assert (place.kind, place.fiscal_year.first_month, place.population[2020].residents) == ("city", 7, 100)


@pytest.mark.parametrize(
    ("old", "new", "line", "message"),
    [
        ("kind: city", "kind: town", 1, "'city', 'county', 'state' or 'nation'"),
        ("state: MD", "state: Maryland", 3, "'Maryland' is not allowed"),
        ("America/New_York", "America/Baltimore", 4, "give an IANA time zone"),
        ("first_month: 7", "first_month: 13", 5, "13 is not allowed"),
        ("the year it ends", "its year", 5, "'the year it ends' or 'the year it starts'"),
        ("residents: 100", "residents: 0", 7, "0 is not allowed"),
        (', source: "2020 Census"', "", 7, "'source' is required and missing"),
        ("owners: [team:open-data]", "owners: []", 8, "owners"),
        ("title: Town", "titel: Town", 2, "'titel' is not a valid key"),
    ],
)
def test_a_mistake_in_a_place_is_named_with_its_line(
    tmp_path: Path, old: str, new: str, line: int, message: str
) -> None:
    with pytest.raises(FileInvalid) as invalid:
        load_places(described(tmp_path, PLACE.replace(old, new)))
    assert any(at == line and message in text for at, text in invalid.value.violations), invalid.value.violations


def test_a_place_with_datasets_must_be_described(project: Settings) -> None:
    (project.root / "civic_pipeline/defs/chicago/place.yaml").unlink()
    with pytest.raises(CatalogIncomplete, match=r"chicago/place\.yaml does not exist"):
        load_places(project.root)


# No shared file names a city


def shared_files() -> list[Path]:
    """The SQL and contracts of marts and rules that are not a part of one place, shared macros, and the package without the datasets."""
    parts = {part.path for model in committed_models().values() for part in model.parts if model.path.is_dir()}
    files = {path for folder in ("marts", "checks") for path in (CHECKOUT / "sql" / folder).rglob("*.*")}
    files -= parts | set((CHECKOUT / "sql" / "checks").glob("*/*/*.sql"))
    places = {path.parent.name for path in (CHECKOUT / "civic_pipeline" / "defs").glob("*/place.yaml")}
    files |= {path for path in (CHECKOUT / "sql" / "functions").glob("*.sql") if path.stem not in places}
    return sorted(files)


@pytest.mark.parametrize("path", shared_files(), ids=lambda path: f"{path.parent.name}/{path.name}")
def test_no_city_is_named_but_in_its_own_files(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    if path.parent.name == "functions":  # their comments show calls
        text = "\n".join(line for line in text.splitlines() if not line.startswith("--"))
    assert re.findall("|".join(CITIES), text, re.IGNORECASE) == []


def test_the_package_names_no_city_but_as_an_example() -> None:
    """In strings and names of code; docstrings, comments, help and messages may show a name as an example."""
    named = []
    for path in (CHECKOUT / "civic_pipeline").rglob("*.py"):
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
            if re.search(
                rf"""['"]({"|".join(CITIES)})(['"]|/\w+['"])|(raw|clean|marts)\.({"|".join(CITIES)})_""", line
            ):
                named.append(f"{path.name}:{number}: {line.strip()}")
    assert named == []


def test_a_part_has_the_name_of_a_place() -> None:
    places = load_places(CHECKOUT).keys()
    parts = {part.path for model in committed_models().values() for part in model.parts if model.path.is_dir()}
    parts |= set((CHECKOUT / "sql" / "checks").glob("*/*/*.sql")) | set((CHECKOUT / "data" / "seeds").glob("*/*.csv"))
    # What was planted in the sample is written by tools/sample, apart from what is known of a city.
    assert {path.stem for path in parts} <= places | {"sample"}


# Parts


DAYS = ("sql/marts/spending/fct_days.yml", "sql/marts/spending/fct_days")
CONTRACT = """each_row_is: one day
key: [city, day]
columns:
  - {name: city, type: VARCHAR, description: "City."}
  - {name: day, type: DATE, description: "Day."}
"""


def with_parts(tiny: TinyProject, town: str, city: str) -> TinyProject:
    tiny.write(DAYS[0], CONTRACT)
    tiny.write(f"{DAYS[1]}/town.sql", f"-- Each row is one day.\n{town}\n")
    tiny.write(f"{DAYS[1]}/city.sql", f"-- Each row is one day.\n{city} -- the end")
    return tiny


TOWN = "select 'town' as city, paid_on as day from clean.town_payments"
CITY = "select 'city' as city, date '2024-01-01' as day"


def test_parts_are_one_table(tiny: TinyProject) -> None:
    with_parts(tiny, TOWN, CITY).capture([("1", "2024-02-03", "5")])
    model = tiny.models()["marts.fct_days"]
    assert model.inputs == {"clean.town_payments"}
    with tiny.build() as build:
        build.swap(build.stage(tiny.models()["clean.town_payments"]), [], None)
        assert build.available(model) is model
        lineage = build.swap(build.stage(model), [], None)
        assert build.connection.execute("select city, day::varchar from marts.fct_days order by 1").fetchall() == [
            ("city", "2024-01-01"), ("town", "2024-02-03"),
        ]  # fmt: skip
    assert lineage == {"city": [], "day": ["clean.town_payments.paid_on"]}


def test_a_part_without_an_accepted_input_is_left_out_until_there_is_one(tiny: TinyProject) -> None:
    with_parts(tiny, TOWN, CITY).capture([("1", "2024-02-03", "5")])
    models = tiny.models()
    with tiny.build() as build:
        absent = build.available(models["marts.fct_days"])
        assert absent.missing_parts == ("town",)
        build.swap(build.stage(absent), [], None)
        missing = "select missing_parts from meta.tables where table_name = 'marts.fct_days'"
        assert build.connection.execute(missing).fetchone() == (["town"],)
        assert build.is_current(absent)
        build.swap(build.stage(models["clean.town_payments"]), [], None)
        whole = build.available(models["marts.fct_days"])
        assert not build.is_current(whole)
        build.swap(build.stage(whole), [], None)
        assert build.connection.execute(missing).fetchone() == ([],)


def test_a_table_whose_only_part_has_no_input_waits_for_it(tiny: TinyProject) -> None:
    with_parts(tiny, TOWN, CITY)
    (tiny.settings.root / f"{DAYS[1]}/city.sql").unlink()
    model = tiny.models()["marts.fct_days"]
    with tiny.build() as build:
        assert build.available(model) is model


def test_a_part_whose_columns_differ_is_named(tiny: TinyProject) -> None:
    with_parts(tiny, TOWN, CITY.replace("as day", "as date"))
    with pytest.raises(FileInvalid, match=r"fct_days\.yml.*'day' is not in the final select of city\.sql"):
        tiny.models()
    with_parts(tiny, TOWN.replace("paid_on as day", "paid_on as day, 1 as _helper"), CITY)
    with pytest.raises(FileInvalid, match=r"town\.sql.*differ from those of city\.sql: _helper"):
        tiny.models()


def test_a_part_whose_types_differ_is_named_with_the_other(tiny: TinyProject) -> None:
    from civic_pipeline.errors import ModelFailed

    with_parts(tiny, TOWN, CITY.replace("date '2024-01-01'", "timestamp '2024-01-01'")).capture(
        [("1", "2024-02-03", "5")]
    )
    with tiny.build() as build:
        build.swap(build.stage(tiny.models()["clean.town_payments"]), [], None)
        with pytest.raises(ModelFailed, match=r"town\.sql.*day is DATE here and TIMESTAMP in city\.sql"):
            build.stage(tiny.models()["marts.fct_days"])


def test_a_table_is_a_file_or_a_folder(tiny: TinyProject) -> None:
    with_parts(tiny, TOWN, CITY).write(f"{DAYS[1]}.sql", TOWN)
    with pytest.raises(CatalogIncomplete, match="is a file and a folder of parts; keep one"):
        tiny.models()


def test_a_seed_may_have_a_file_per_place_with_the_same_columns(tiny: TinyProject) -> None:
    tiny.write("data/seeds/funds/town.csv", "city,fund\ntown,1\n")
    second = tiny.write("data/seeds/funds/city.csv", "fund,city\n2,city\n")
    with tiny.build() as build:
        assert build.connection.execute("select city, fund from seeds.funds order by 1").fetchall() == [
            ("city", "2"),
            ("town", "1"),
        ]
    second.write_text("fund,town\n2,city\n", encoding="utf-8")
    with pytest.raises(FileInvalid, match=r"town\.csv.*its columns are city, fund; city\.csv has fund, town"):
        tiny.models()


# A dataset that was renamed


def test_captures_attempts_and_history_of_a_former_name_are_still_read(tiny: TinyProject) -> None:
    rows = [("1", "2024-01-05", "10.00"), ("2", "2024-02-06", "1")]
    first = tiny.capture(rows, at="2026-01-02T030405.000000Z")
    second = tiny.capture(rows[:1], at="2026-01-03T030405.000000Z")
    tiny.attempt(problem="the portal is down")
    renamed = tiny.dataset.model_copy(update={"formerly": "town/payments"})
    datasets = {"county/payments": renamed}
    lake = Lake(tiny.settings.lake, datasets)
    assert Lake(tiny.settings.lake).ids("county/payments") == []
    assert lake.ids("county/payments") == [first.capture_id, second.capture_id]
    accepted = lake.accepted("county/payments")
    assert accepted is not None
    assert accepted.capture_id == second.capture_id
    lake.verify(accepted)
    attempt = last_attempt("county/payments", lake)
    assert attempt is not None
    assert attempt.problem == "the portal is down"
    for kind in ("sql", "yml"):
        tiny.edit(f"sql/clean/town/payments.{kind}", "payment", "payment").rename(
            tiny.write(f"sql/clean/county/payments.{kind}", "")
        )
    tiny.edit("sql/clean/county/payments.sql", "raw.town_payments", "raw.county_payments")
    tiny.edit("sql/marts/spending/mart_months.sql", "clean.town_payments", "clean.county_payments")
    from civic_pipeline.warehouse import load_models

    models = load_models(tiny.settings.root, datasets)
    with open_build(tiny.settings, datasets, "a run") as build:
        assert record_history(build, models) == {}
        build.swap(build.stage(models["clean.county_payments"]), [], None)
        assert build.connection.execute("select payment_id from clean.county_payments").fetchall() == [("1",)]
        query = "select dataset, kind, record_key from meta.revisions"
        assert build.connection.execute(query).fetchall() == [("county/payments", "removed", '["2"]')]
        captured = build.connection.execute("select dataset, capture_id, problem from meta.captures").fetchall()
        assert captured == [("county/payments", second.capture_id, "the portal is down")]


def test_a_newer_capture_under_the_new_name_follows_those_of_the_old_one(tiny: TinyProject) -> None:
    old = tiny.capture([("1", "2024-01-05", "10.00")], at="2026-01-02T030405.000000Z")
    # A name that sorts before the former one: order is by time.
    later = TinyProject(tiny.settings, tiny.dataset, name="county/payments").capture([("1", "2024-01-05", "11.00")], at="2026-01-03T030405.000000Z")  # fmt: skip
    lake = Lake(tiny.settings.lake, {"county/payments": tiny.dataset.model_copy(update={"formerly": "town/payments"})})
    assert lake.ids("county/payments") == [old.capture_id, later.capture_id]
    newest = lake.newest("county/payments")
    assert newest is not None
    assert newest.capture_id == later.capture_id


def test_a_former_name_that_is_still_a_dataset_is_refused(project: Settings) -> None:
    file = project.root / "civic_pipeline/defs/chicago/budget/defs.yaml"
    text = file.read_text(encoding="utf-8")
    file.write_text(
        text.replace("  subject: budget\n", "  subject: budget\n  formerly: baltimore/budget\n"), encoding="utf-8"
    )
    with pytest.raises(FileInvalid, match="formerly: baltimore/budget is still a dataset"):
        load_datasets(project.root)
