"""A lake, a build and releases that the code at 6f0f2e9 wrote are read and continued by today's; see ../fixtures."""

import json
import re
import shutil
import tarfile
from pathlib import Path

import pytest
from terminal import Place, edit, files_of

from civic_pipeline.settings import CHECKOUT

ARCHIVE = Path(__file__).parents[1] / "fixtures" / "before.tar.xz"
PLACE = """kind: {kind}
title: {title}
state: MD
time_zone: America/New_York
fiscal_year: {{first_month: 7, named_by: the year it ends}}
owners: [team:open-data]
"""


def unpack(folder: Path) -> Place:
    """The old data home, the portals of its last night, and the old project in a checkout of today's code.

    The edits of the project's files are those that every project of that time needs.
    """
    with tarfile.open(ARCHIVE) as archive:
        archive.extractall(folder, filter="tar")
    root = folder / "project"
    datasets = sorted((CHECKOUT / "civic_pipeline" / "defs").glob("*/"))
    shutil.copytree(
        CHECKOUT / "civic_pipeline", root / "civic_pipeline", dirs_exist_ok=True,
        ignore=lambda folder, _: {path.name for path in datasets if Path(folder) == path.parent} | {"__pycache__"},
    )  # fmt: skip
    for file in sorted(root.glob("sql/clean/town_*")):
        renamed(file, root / "sql" / "clean" / "town" / file.name.removeprefix("town_"))
    for file in sorted(root.glob("sql/marts/mart_*")):
        renamed(file, root / "sql" / "marts" / "spending" / file.name)
    edit(root / "sql" / "clean" / "town" / "payments.yml", "conserve:", "control_totals:")
    shutil.copyfile(CHECKOUT / "civic_pipeline/defs/baltimore/place.yaml", root / "civic_pipeline/defs/town/place.yaml")
    for file in root.glob("civic_pipeline/defs/town/*/defs.yaml"):
        edit(file, "attributes:\n", "attributes:\n  subject: spending\n")
    for file in ("pyproject.toml", *(p.relative_to(CHECKOUT) for p in CHECKOUT.glob("sql/functions*"))):
        copy = shutil.copytree if (CHECKOUT / file).is_dir() else shutil.copyfile
        copy(CHECKOUT / file, root / file)
    (root / "civic_pipeline/defs/town/place.yaml").write_text(PLACE.format(kind="city", title="Town"), encoding="utf-8")
    return Place(folder / "data", folder / "served", root, settings={"CIVIC_KEEP_RELEASES_DAYS": "36500"})


def renamed(file: Path, to: Path) -> None:
    to.parent.mkdir(parents=True, exist_ok=True)
    file.rename(to)


@pytest.fixture(scope="module")
def before(tmp_path_factory: pytest.TempPathFactory) -> Place:
    """As it was left. Not to be changed."""
    return unpack(tmp_path_factory.mktemp("before"))


@pytest.fixture(scope="module")
def after(tmp_path_factory: pytest.TempPathFactory) -> tuple[Place, Place]:
    """The same before and after a night of today's code, on which the portals serve what they served last."""
    folder = tmp_path_factory.mktemp("after")
    old, new = unpack(folder / "old"), unpack(folder / "new")
    ended = new.run()
    assert ended.code == 3, ended.err
    return old, new


def releases_of(place: Place) -> list[str]:
    return [path.stem for path in sorted((place.data / "releases").glob("*.duckdb"))]


def recorded(place: Place, dataset: str, name: str) -> dict[str, str]:
    return json.loads((place.data / "lake" / dataset / name).read_text(encoding="utf-8"))


HELD = ["clean.town_cases", "clean.town_permits", "marts.mart_permit_years"]


def test_status_says_since_when_and_why_tables_are_held_back(before: Place) -> None:
    shown = before.civic("status")
    assert shown.code == 0, shown.err
    held = re.findall(r"^  (\S+) since (\S+ \S+) UTC: (.+)$", shown.out, re.MULTILINE)
    assert [name for name, _, _ in held] == HELD
    assert [why for _, _, why in held] == ["waits for raw.town_cases", "waits for raw.town_permits", "waits for clean.town_permits"]  # fmt: skip
    assert f"portals last asked {recorded(before, 'town/cases', 'visit.json')['visited_at'][:10]}" in shown.out


def test_releases_are_listed_queried_and_compared(before: Place) -> None:
    first, _, third = releases_of(before)
    listed = before.civic("releases")
    assert re.findall(r"(\S+Z) .*?(?:(\d) held back)?$", listed.out, re.MULTILINE)[::2] == [(third, "3"), (first, "")]
    assert before.rows("select payment_id from clean.town_payments order by 1") == [("P1",), ("P2",), ("P3",), ("P4",), ("P6",)]  # fmt: skip
    difference = before.civic("diff", first, third)
    assert difference.code == 0, difference.err
    assert "~ clean.town_payments: 3 -> 5 rows; 3 added, 1 removed, 1 changed" in difference.out
    assert "paid: differs in 1 of 5 rows, total 52.10 -> 60.25" in difference.out


def test_a_table_is_rebuilt_as_of_a_day_before_the_change(before: Place) -> None:
    for day, ids in (("2024-02-01", "P0,P1"), (releases_of(before)[0][:10], "P1,P2,P3,P4,P6")):
        answer = before.civic("as-of", day, "select string_agg(payment_id, ',' order by payment_id) as ids from clean.town_payments", "--format", "csv")  # fmt: skip
        assert answer.out.strip().splitlines()[1:] == [f'"{ids}"'], answer.err


def test_a_release_of_before_goes_live_again(tmp_path: Path) -> None:
    place = unpack(tmp_path)
    first = releases_of(place)[0]
    ended = place.civic("rollback", first)
    assert ended.code == 0, ended.err
    assert place.rows("select count(*) from clean.town_payments") == [(3,)]


def test_a_night_on_top_captures_nothing_again_and_loses_nothing(after: tuple[Place, Place]) -> None:
    old, new = after
    assert files_of(new.data / "lake") == files_of(old.data / "lake")
    assert releases_of(old) == releases_of(new)[:3]
    revisions = "select record_key, kind, before, after from meta.revisions order by all"
    assert len(old.rows(revisions)) == 8
    now = {"re-keyed": "rekeyed"}  # and a day at midnight is that day
    renamed = [
        tuple(now.get(value, value.replace(" 00:00:00", "")) if isinstance(value, str) else value for value in row)
        for row in old.rows(revisions)
    ]
    assert renamed != old.rows(revisions)  # the fixture has one
    assert new.rows(revisions) == renamed
    assert new.rows("from clean.town_payments order by all") == old.rows("from clean.town_payments order by all")
    assert new.rows("from marts.mart_permit_years") == old.rows("from marts.mart_permit_years")


def test_what_failed_or_was_held_back_did_so_since_the_same_moment(after: tuple[Place, Place]) -> None:
    old, new = after
    for dataset in ("town/permits", "town/cases"):
        was, now = recorded(old, dataset, "visit.json"), recorded(new, dataset, "attempt.json")
        assert now["status"] == "failed"
        assert now["failing_since"] == was["failing_since"]
        assert now["attempted_at"] > was["visited_at"]
    since = "select table_name, held_back_since from meta.tables where held_back_since is not null order by 1"
    assert [name for name, _ in new.rows(since)] == HELD
    assert new.rows(since) == old.rows(since)


@pytest.mark.slow
def test_the_source_that_failed_recovers(after: tuple[Place, Place], tmp_path: Path) -> None:
    place = after[1].copy(tmp_path)
    edit(place.served / "portal.yml", ", faults: {token_required: true}", "")
    (place.served / "cases.csv").write_text(
        "day,cases\n" + "".join(f"2024-01-{day:02},{day}\n" for day in range(1, 12))
    )
    ended = place.run()
    assert ended.code == 0, ended.err
    assert place.rows("select count(*) from meta.tables where held_back_since is not null") == [(0,)]
    assert place.rows("select count(*) from clean.town_cases") == [(11,)]
    first, *_, last = releases_of(place)
    assert place.civic("diff", first, last).code == 0


@pytest.mark.slow
def test_a_dataset_that_moves_to_another_place_keeps_its_captures(tmp_path: Path) -> None:
    place = unpack(tmp_path)
    before = files_of(place.data / "lake")
    defs, clean = place.root / "civic_pipeline" / "defs", place.root / "sql" / "clean"
    renamed(defs / "town" / "cases" / "defs.yaml", defs / "county" / "cases" / "defs.yaml")
    edit(defs / "county" / "cases" / "defs.yaml", "attributes:\n", "attributes:\n  formerly: town/cases\n")
    (defs / "county" / "place.yaml").write_text(PLACE.format(kind="county", title="County"), encoding="utf-8")
    for kind in ("sql", "yml"):
        renamed(clean / "town" / f"cases.{kind}", clean / "county" / f"cases.{kind}")
    edit(clean / "county" / "cases.sql", "raw.town_cases", "raw.county_cases")
    edit(place.served / "portal.yml", "town/cases", "county/cases")
    # What the accepted capture holds: the portal has not changed since.
    (place.served / "cases.csv").write_text("day,cases\n" + "".join(f"2024-01-{n:02},{n * n}\n" for n in range(1, 11)))
    ended = place.run()
    assert ended.code == 3, ended.err  # the permits
    assert files_of(place.data / "lake") == before
    assert recorded(place, "county/cases", "attempt.json")["status"] == "unchanged"
    assert place.rows("select count(*) from clean.county_cases") == [(10,)]
    assert place.rows("select distinct capture_id from meta.captures where dataset = 'county/cases'") == [
        (recorded(place, "county/cases", "attempt.json")["capture_id"],)
    ]
    first, *_, last = releases_of(place)
    assert "+ clean.county_cases" in place.civic("diff", first, last).out
