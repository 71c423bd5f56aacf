"""Names and values with a meaning in SQL pass unchanged through capture, raw view, quarantine and release."""

import json
import shutil
from pathlib import Path

import duckdb
import pyarrow.parquet as pq
import pytest
import yaml
from terminal import serve

from civic_pipeline.access import open_portals
from civic_pipeline.catalog import Dataset
from civic_pipeline.lake import Lake, attempt_capture
from civic_pipeline.quality import Suites, build_table
from civic_pipeline.releases import connect
from civic_pipeline.settings import CHECKOUT, Settings
from civic_pipeline.sql_text import literal, quoted
from civic_pipeline.warehouse import load_models, open_build, release

KEY, AMOUNT = "it's", 'dollars "net"'
NAMES = [
    KEY, AMOUNT, 'x"; drop table raw.town_things; --', "[brackets]", "back\\slash", "new\nline", "percent %s {} $1 ?",
    "ünïcode 列 🏛", "select", "tab\there", "long " + "x" * 300, "-- comment", "/* comment */", "semi;colon", "a.b", "'",
]  # fmt: skip
VALUES = [
    "'; drop table raw.town_things; --",
    '"quoted"',
    "back\\slash",
    "new\nline",
    "%s {} $1 ? :x",
    "🏛 列",
    "null",
    "\\x00",
    "=1+1",
    "'",
]
# The row with an unreadable amount goes to quarantine.
ROWS = [
    dict.fromkeys(NAMES, value) | {KEY: f"key '{n}", AMOUNT: "not money'" if n == 3 else f"{n}.50"}
    for n, value in enumerate(VALUES)
]
HELPER = "_" + NAMES[2]
ITEM = "0123456789abcdef" * 2
SOURCES = {
    "file": {"portal": "file", "url": "https://data.town.gov/things.geojson"},
    "arcgis": {"portal": "arcgis", "item": ITEM, "layer": "Things"},
}


def named(portal: str) -> list[str]:
    """Return the names as they land: names of a file have their white space collapsed."""
    return [" ".join(name.split()) for name in NAMES] if portal == "file" else NAMES


@pytest.fixture(params=SOURCES)
def dataset(request: pytest.FixtureRequest) -> Dataset:
    kind = "text" if request.param == "file" else "String"
    return Dataset.model_validate({
        "title": "Things'; drop", "publisher": 'The "town"', "licence": "'", "subject": "housing", "description": "Things.", "cadence": "irregular",
        "source": SOURCES[request.param] | {"recorded": "2026-01-01"}, "key": [], "volume": {"shrink_at_most": "0%"},
        "columns": dict.fromkeys(named(request.param), kind),
    })  # fmt: skip


@pytest.fixture
def settings(dataset: Dataset, tmp_path: Path) -> Settings:
    """A project whose clean model uses every column, and portals that serve the data."""
    served = serve(tmp_path / "served", {"file": "things.geojson", "item": ITEM, "layer": "Things"})
    features = [{"type": "Feature", "properties": row, "geometry": None} for row in ROWS]
    (served / "things.geojson").write_text(
        json.dumps({"type": "FeatureCollection", "features": features}), encoding="utf-8"
    )
    root = tmp_path / "root"
    (root / "sql/clean/town").mkdir(parents=True)
    shutil.copytree(CHECKOUT / "sql/functions", root / "sql/functions")
    names = list(dataset.columns)
    expressions = {"thing_id": quoted(KEY), "amount": f"parse_money({quoted(AMOUNT)})"}
    expressions |= {f"c{n}": quoted(name) for n, name in enumerate(names)} | {HELPER: quoted(names[2])}
    select = ", ".join(f"{sql} as {quoted(name)}" for name, sql in expressions.items())
    (root / "sql/clean/town/things.sql").write_text(
        f"select {select}, _capture_id from raw.town_things", encoding="utf-8"
    )
    columns = [{"name": "thing_id", "type": "VARCHAR", "source": KEY, "description": 'It\'s "the" key; --'}]
    columns += [{"name": "amount", "type": "DECIMAL(18,2)", "source": AMOUNT, "description": "Dollars."}]
    columns += [
        {"name": f"c{n}", "type": "VARCHAR", "source": name, "description": name} for n, name in enumerate(names)
    ]
    rule = {"name": "amount_is_readable", "keep_if": "amount is not null", "reason": "It's no amount; --"}
    contract = {
        "each_row_is": "one 'thing'", "key": ["thing_id"], "control_totals": ["amount"], "tolerate_quarantined": "50%", "row_rules": [rule],
        "columns": columns,
    }  # fmt: skip
    (root / "sql/clean/town/things.yml").write_text(yaml.safe_dump(contract), encoding="utf-8")
    return Settings(root=root, data=tmp_path / "data", demo_folder=served)


def test_names_and_values_stay_unchanged(dataset: Dataset, settings: Settings) -> None:
    lake, names = Lake(settings.lake), list(dataset.columns)
    with open_portals(settings) as access:
        assert attempt_capture("town/things", dataset, lake, access).problem is None
    capture = lake.accepted("town/things")
    assert capture is not None
    (file,) = lake.files(capture)
    landed = pq.read_table(file).select(names)
    assert list(zip(*(column.to_pylist() for column in landed.columns), strict=True)) == [
        tuple(row.values()) for row in ROWS
    ]
    (model,) = load_models(settings.root, {"town/things": dataset}).values()
    with open_build(settings, {"town/things": dataset}, "it's a run; --") as build:
        raw = build.connection.execute(f"select {', '.join(map(quoted, names))} from raw.town_things").fetchall()
        assert raw == [tuple(row.values()) for row in ROWS]
        outcome = build_table(build, Suites(build), model, {})
        assert outcome.problem is None
        assert {result.name: result.passed for result in outcome.results}["control_total__amount"]
        assert release(build)
    kept = [row for row in ROWS if row[AMOUNT] != "not money'"]
    taken = ", ".join(f"c{n}" for n in range(len(NAMES)))
    with connect(settings.warehouse) as released:
        clean = released.execute(f"select {taken} from clean.town_things order by thing_id").fetchall()
        assert clean == [tuple(row.values()) for row in kept]
        quarantined = released.execute(
            f"select {taken}, {quoted(HELPER)}, _rules, _reasons from quarantine.town_things"
        ).fetchall()
        (rejected,) = [row for row in ROWS if row not in kept]
        assert quarantined == [(*rejected.values(), rejected[NAMES[2]], ["amount_is_readable"], ["It's no amount; --"])]
        described = released.execute(
            "select column_name, comment from duckdb_columns() where schema_name = 'clean' and table_name = 'town_things'"
        ).fetchall()
        assert [dict(described)[f"c{n}"] for n in range(len(names))] == names
        assert HELPER in {
            name
            for (name,) in released.execute(
                "select column_name from meta.columns where table_name like 'quarantine.%'"
            ).fetchall()
        }


@pytest.mark.parametrize("text", [*NAMES, *VALUES, "", '"', '""', "''", "\\", "\\'", "x" * 100_000])
def test_quoted_names_and_texts_stay_unchanged_in_sql(text: str) -> None:
    with duckdb.connect() as connection:
        assert connection.execute(f"select {literal(text)}").fetchall() == [(text,)]
        if text:  # a column must have a name
            connection.execute(f"create table things as select 1 as {quoted(text)}")
            assert [column[0] for column in connection.execute("from things").description or ()] == [text]
