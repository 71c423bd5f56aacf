"""What is rebuilt and released after a change or without one, which releases are kept, and how two releases differ."""

import json
import os
import subprocess
import sys
from collections import namedtuple
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path

import duckdb
import pytest
from click.testing import CliRunner
from tiny_project import TinyProject, write_tiny_project

from civic_pipeline import nightly
from civic_pipeline.catalog import Dataset
from civic_pipeline.cli.commands import cli
from civic_pipeline.cli.difference_text import as_text, to_json
from civic_pipeline.errors import (
    DiskFull,
    HeldBack,
    NotReadable,
    NotWritable,
    ReleaseDamaged,
    UnknownName,
    WarehouseOpened,
)
from civic_pipeline.nightly import ReleaseOutcome, Selection
from civic_pipeline.quality import TableOutcome
from civic_pipeline.releases import Release, compare, connect, find_release, kept_releases, live_release, roll_back
from civic_pipeline.releases.contents import content_hash
from civic_pipeline.releases.kept import remove_old
from civic_pipeline.warehouse import load_models

ROWS = [("1", "2024-01-05", "10.00"), ("2", "2024-02-06", "0.10"), ("3", "never", "x")]
MORE = [*ROWS, ("4", "2024-03-01", "1")]
FIRST, SECOND = "2026-01-02T030405.000000Z", "2026-01-03T030405.000000Z"


def night(
    tiny: TinyProject, dataset: Dataset | None = None, say: Callable[[str], None] = print
) -> tuple[list[str], Release | None]:
    """A night without captures. Returns the names of the built tables and the new release, if any."""
    datasets = {tiny.name: dataset or tiny.dataset}
    models = load_models(tiny.settings.root, datasets)
    built, released = [], None
    selection = replace(Selection.whole(datasets, models), datasets=frozenset())
    with suppress(HeldBack):
        for outcome in nightly.night(tiny.settings, datasets, models, "a run", selection, say):
            if isinstance(outcome, TableOutcome) and outcome.status == "built":
                built.append(outcome.model.name)
            if isinstance(outcome, ReleaseOutcome):
                released = outcome.release
    return built, released


BOTH = ["clean.town_payments", "marts.mart_months"]


@pytest.fixture(scope="module")
def first_night(tmp_path_factory: pytest.TempPathFactory) -> TinyProject:
    """The tiny project after its first night. Not to be changed."""
    tiny = write_tiny_project(tmp_path_factory.mktemp("first") / "tiny")
    tiny.capture(ROWS, at=FIRST)
    tiny.attempt()
    assert night(tiny)[0] == BOTH
    return tiny


@pytest.fixture
def known(first_night: TinyProject, tmp_path: Path) -> TinyProject:
    """A copy of it, to break."""
    root = tmp_path / "tiny"
    subprocess.run(
        ["cp", "-a", first_night.settings.root, root], check=True
    )  # the live file stays a link to its release
    return replace(first_night, settings=replace(first_night.settings, root=root, data=root / "data"))


def test_without_a_change_nothing_is_built_or_released(known: TinyProject) -> None:
    file = known.settings.warehouse
    before = (file.stat().st_ino, file.stat().st_mtime_ns)
    assert night(known) == ([], None)
    assert (file.stat().st_ino, file.stat().st_mtime_ns) == before
    assert len(kept_releases(known.settings)) == 1


def test_a_data_folder_that_was_moved_builds_and_releases_nothing(known: TinyProject) -> None:
    moved = known.settings.data.rename(known.settings.root / "it's elsewhere")
    settled = replace(known, settings=replace(known.settings, data=moved))
    assert night(settled) == ([], None)
    settled.capture(MORE, at=SECOND)
    assert night(settled)[0] == BOTH


@pytest.mark.parametrize(
    ("change", "rebuilt"),
    [
        (lambda tiny: tiny.capture(MORE, at=SECOND), BOTH),
        (lambda tiny: tiny.capture(ROWS, at=SECOND), ["clean.town_payments"]),  # captured again with the same rows
        (lambda tiny: tiny.edit("sql/clean/town/payments.sql", "parse_money(Amount)", "parse_money(Amount) * 2"), BOTH),
        (lambda tiny: tiny.edit("sql/clean/town/payments.yml", "Day of the", "Date of the"), ["clean.town_payments"]),
        (lambda tiny: tiny.edit("sql/marts/spending/mart_months.sql", "sum(amount)", "max(amount)"), ["marts.mart_months"]),
        (lambda tiny: tiny.edit("sql/functions/numbers.sql", "-- Numbers pass", "-- Any numbers pass"), []),  # a comment
        (lambda tiny: tiny.edit("sql/functions/dates.sql", "'%B %d, %Y'", "'%b %d, %Y'"), ["clean.town_payments"]),
        (lambda tiny: tiny.edit("sql/functions/names.sql", "('SVC', 'SVCS')", "('SVC')"), []),  # not used by a model
        (lambda tiny: tiny.write("data/seeds/agencies.csv", "agency,city\nFire,Town\n"), []),  # no model reads it
    ],
    ids=["new rows", "same rows again", "clean sql", "contract", "mart sql", "comment of a macro", "macro", "unused macro", "unused seed"],
)  # fmt: skip
def test_only_tables_that_depend_on_a_change_are_rebuilt(
    known: TinyProject, change: object, rebuilt: list[str]
) -> None:
    if (
        rebuilt == BOTH
        and "control_totals: [amount]" in (text := known.settings.root / "sql/clean/town/payments.yml").read_text()
    ):
        text.write_text(
            text.read_text().replace("control_totals: [amount]\n", "")
        )  # the test doubles amounts on purpose
        night(known)
    assert callable(change)
    change(known)
    assert night(known)[0] == rebuilt
    assert night(known) == ([], None)


def test_a_seed_that_a_model_reads_and_the_dataset_itself_count_as_inputs(known: TinyProject) -> None:
    known.edit("sql/marts/spending/mart_months.sql", "from clean.town_payments", "from clean.town_payments, (select max(agency) as agency from seeds.agencies)")  # fmt: skip
    assert night(known)[0] == ["marts.mart_months"]
    known.write("data/seeds/agencies.csv", "agency,city\nFire,Town\n")
    assert night(known)[0] == ["marts.mart_months"]
    assert night(known, known.dataset.model_copy(update={"cadence": "daily"}))[0] == ["clean.town_payments"]


def test_a_table_that_was_held_back_is_rebuilt_without_a_change(known: TinyProject) -> None:
    known.attempt(problem="the portal is down")
    rebuilt, released = night(known)
    assert rebuilt == []
    assert released is not None
    assert set(released.held_back) == set(BOTH)
    known.attempt()
    assert night(known)[0] == BOTH


def test_data_age_is_checked_every_night_and_released_when_its_result_changes(
    known: TinyProject, monkeypatch: pytest.MonkeyPatch
) -> None:
    def is_fresh() -> bool:
        with duckdb.connect(str(known.settings.warehouse), read_only=True) as connection:
            row = connection.execute("select is_passed from meta.checks where check_name = 'data_age'").fetchone()
        return bool(row and row[0])

    class Earlier(datetime):
        @classmethod
        def now(cls, tz: object = None) -> datetime:
            return datetime(2024, 2, 10, tzinfo=UTC)

    assert not is_fresh()
    monkeypatch.setattr(sys.modules["civic_pipeline.quality.audit"], "datetime", Earlier)
    rebuilt, released = night(known)
    assert rebuilt == []
    assert released is not None
    assert is_fresh()
    assert night(known) == ([], None)


def test_the_same_inputs_and_code_give_the_same_hashes_in_another_folder(known: TinyProject, tmp_path: Path) -> None:
    settings = replace(known.settings, data=tmp_path / "elsewhere")
    settings.data.mkdir()
    other = TinyProject(settings, known.dataset)
    other.capture(ROWS, at=SECOND)  # another day, the same bytes
    other.attempt()
    _, released = night(other)
    assert released is not None
    first = live_release(known.settings)
    assert first is not None
    assert released.contents == first.contents
    assert set(released.contents) == {*BOTH, "quarantine.town_payments"}


@pytest.mark.parametrize(
    ("one", "other", "is_same"),
    [
        ("values (1, 'a'), (2, 'b')", "values (2, 'b'), (1, 'a')", True),
        ("values (1, 'a')", "values (1, 'a'), (1, 'a')", False),
        ("values (1, 'a'), (1, 'a'), (2, 'b')", "values (1, 'a'), (2, 'b'), (2, 'b')", False),
        ("values (1, 'a')", "values (1::bigint, 'a')", False),
        ("select 1 as a", "select 1 as b", False),
        ("select null as a", "select 'null' as a", False),
        ("select 1.0::decimal(18, 2) as a", "select 1.00::decimal(18, 3) as a", False),
        ("select 0.1::double as a", "select (0.1::double + 1e-18) as a", True),
        ("select 0.1::double as a", "select (0.1::double + 1.4e-17) as a", False),
    ],
)  # fmt: skip
def test_a_content_hash_depends_on_rows_types_and_names_but_not_on_order(one: str, other: str, is_same: bool) -> None:
    with duckdb.connect() as connection:
        assert (content_hash(connection, f"({one})") == content_hash(connection, f"({other})")) is is_same


def test_a_release_records_its_captures_and_contents(known: TinyProject) -> None:
    known.capture(MORE, at=SECOND)
    _, second = night(known)
    assert second is not None
    with duckdb.connect(str(known.settings.warehouse), read_only=True) as connection:
        rows = connection.execute(
            "select release_id, pipeline_version, capture_ids, held_back, content_hashes['marts.mart_months'] from meta.releases order by 1"
        ).fetchall()
        now = connection.execute(
            "select content_hash from meta.tables where table_name = 'marts.mart_months'"
        ).fetchone()
    assert [row[0] for row in rows] == [release.id for release in kept_releases(known.settings)]
    assert [row[2] for row in rows] == [[f"town/payments/{FIRST}"], [f"town/payments/{SECOND}"]]
    assert rows[1][3] == []
    assert rows[0][4] != rows[1][4] == now[0]
    assert second.git_commit is None  # the tiny project is not a git checkout


def test_a_rollback_lasts_until_there_is_something_new(known: TinyProject) -> None:
    first = kept_releases(known.settings)[0]
    known.capture(MORE, at=SECOND)
    _, second = night(known)
    assert second is not None
    assert roll_back(known.settings, first.id[:-1]).id == first.id
    assert live_release(known.settings).id == first.id
    assert night(known) == ([], None)
    assert live_release(known.settings).id == first.id
    known.capture([*MORE, ("5", "2024-03-02", "2")], at="2026-01-04T030405.000000Z")
    _, third = night(known)
    assert live_release(known.settings).id == third.id
    assert len(kept_releases(known.settings)) == 3


def test_an_ambiguous_or_unknown_release_name_is_an_error(known: TinyProject) -> None:
    known.capture(MORE, at=SECOND)
    night(known)
    for name in ("2020", "20", "../warehouse", ""):
        with pytest.raises(UnknownName, match="There is no release"):
            find_release(known.settings, name)


def test_a_release_whose_bytes_changed_does_not_go_live(known: TinyProject) -> None:
    first = kept_releases(known.settings)[0]
    known.capture(MORE, at=SECOND)
    _, second = night(known)
    first.file.chmod(0o644)
    with duckdb.connect(str(first.file)) as connection:
        connection.execute("update clean.town_payments set amount = amount + 1")
    with pytest.raises(ReleaseDamaged, match=r"clean\.town_payments differs"):
        roll_back(known.settings, first.id)
    assert live_release(known.settings).id == second.id


def test_the_list_shows_what_is_whole_beside_what_is_damaged(
    known: TinyProject, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CIVIC_DATA", str(known.settings.data))
    first = kept_releases(known.settings)[0]
    known.capture(MORE, at=SECOND)
    _, second = night(known)
    first.file.chmod(0o644)
    first.file.write_bytes(b"")
    listed = CliRunner().invoke(cli, ["releases"])
    assert listed.exit_code == 0
    newest, oldest, kept = listed.output.splitlines()
    assert newest.startswith(f"live  {second.id} ")
    assert oldest.startswith(f"      {first.id}  damaged: ")
    assert kept.startswith("2 kept in ")
    known.settings.warehouse.unlink()
    assert "None of them is live" in CliRunner().invoke(cli, ["releases"]).output


def test_a_rollback_is_refused_while_the_live_file_is_open_for_writing(known: TinyProject) -> None:
    Path(f"{known.settings.warehouse}.wal").write_bytes(b"")
    with pytest.raises(WarehouseOpened):
        roll_back(known.settings, kept_releases(known.settings)[0].id)


def test_something_else_at_the_place_of_the_live_file_is_named(known: TinyProject) -> None:
    known.settings.warehouse.unlink()
    known.settings.warehouse.mkdir()
    with pytest.raises(NotWritable, match="Is a directory"):
        roll_back(known.settings, kept_releases(known.settings)[0].id)


def test_a_live_release_that_is_missing_among_the_kept_ones_is_added(known: TinyProject) -> None:
    (release,) = kept_releases(known.settings)
    release.file.unlink()  # as after a kill: live, but not yet among the kept ones
    assert night(known) == ([], None)
    assert [kept.id for kept in kept_releases(known.settings)] == [release.id]


@pytest.mark.parametrize(
    ("keep", "days", "ages", "left"),
    [
        (3, 90, [5, 4, 3, 2, 1], [3, 2, 1]),
        (9, 90, [200, 91, 89, 1], [89, 1]),
        (9, 90, [200, 100], [100]),  # the newest is kept at any age
        (1, 90, [3, 2, 1], [1]),
    ],
)
def test_releases_are_kept_by_number_and_by_age(
    tiny: TinyProject, keep: int, days: int, ages: list[int], left: list[int]
) -> None:
    now = datetime(2026, 6, 1, tzinfo=UTC)
    settings = replace(tiny.settings, keep_releases=keep, keep_releases_days=days)
    settings.releases.mkdir(parents=True)
    for age in ages:
        released_at = now - timedelta(days=age)
        with duckdb.connect(str(settings.releases / f"{released_at:%Y-%m-%dT%H%M%S.%fZ}.duckdb")) as connection:
            connection.execute("create schema meta")
            connection.execute(
                "create table meta.releases as select ? as release_id, ? as released_at, '0' as pipeline_version, null as git_commit,"
                " []::varchar[] as capture_ids, []::varchar[] as held_back, map() as content_hashes, '' as digest",
                [f"{released_at:%Y-%m-%dT%H%M%S.%fZ}", released_at.replace(tzinfo=None)],
            )
    os.link(min(settings.releases.iterdir()), settings.warehouse)  # rolled back to the oldest, which stays
    remove_old(settings, now)
    assert [(now - release.released_at.replace(tzinfo=UTC)).days for release in kept_releases(settings)] == (
        left if ages[0] in left else [ages[0], *left]
    )


def test_other_files_are_ignored_and_the_error_names_a_damaged_release(known: TinyProject) -> None:
    mine = known.settings.releases / "mine.duckdb"
    mine.write_bytes(b"no database")
    (release,) = kept_releases(known.settings)
    release.file.unlink()
    release.file.write_bytes(b"no database" * 900)
    with pytest.raises(ReleaseDamaged, match=rf"{release.id}\.duckdb is damaged: .*not a valid DuckDB.*civic rollback"):
        kept_releases(known.settings)
    assert mine.exists()


# Differences


def test_a_difference_counts_keys_and_adds_up_columns(known: TinyProject) -> None:
    known.capture(
        [("1", "2024-01-05", "12.50"), ("3", "never", "x"), ("4", "2024-03-01", "1"), ("5", "", "y")], at=SECOND
    )
    _, second = night(known)
    first = kept_releases(known.settings)[0]
    assert second is not None
    difference = compare(first, second)
    payments = next(table for table in difference.tables if table.table == "clean.town_payments")
    assert (payments.keys_added, payments.keys_removed, payments.keys_changed) == (1, 1, 1)
    assert payments.examples == ["added 4", "changed 1", "removed 2"]
    amount = next(column for column in payments.columns if column.column == "amount")
    assert (amount.rows_changed, amount.total_before, amount.total_after) == (1, Decimal("10.10"), Decimal("13.50"))
    quarantine = next(table for table in difference.tables if table.table == "quarantine.town_payments")
    assert (quarantine.rows_before, quarantine.rows_after, quarantine.keys_added) == (1, 2, None)
    assert json.loads(to_json(difference))["tables"][0]["columns"][0]["total_after"] == "13.50"
    assert "~ clean.town_payments: 2 -> 2 rows; 1 added, 1 removed, 1 changed" in as_text(difference)
    assert "    amount: differs in 1 of 2 rows, total 10.10 -> 13.50" in as_text(difference)


def test_a_difference_includes_totals_if_rows_were_only_added(known: TinyProject) -> None:
    known.capture([*ROWS, ("9", "2024-01-09", "3.40")], at=SECOND)
    night(known)
    payments = next(
        table for table in compare(*kept_releases(known.settings)).tables if table.table == "clean.town_payments"
    )
    (amount,) = payments.columns
    assert (amount.column, amount.rows_changed, amount.total_after - amount.total_before) == (
        "amount",
        0,
        Decimal("3.40"),
    )


def test_a_difference_names_tables_and_columns(known: TinyProject) -> None:
    known.write(
        "sql/marts/spending/mart_years.sql",
        "-- Each row is one year.\nselect distinct year(paid_on) as year from clean.town_payments\n",
    )
    known.write(
        "sql/marts/spending/mart_years.yml",
        'each_row_is: one year\nkey: [year]\ncolumns:\n  - {name: year, type: BIGINT, description: "Year."}\n',
    )
    known.edit(
        "sql/clean/town/payments.sql",
        "parse_date(Paid_On) as paid_on,",
        "parse_date(Paid_On) as paid_on,\n    1 as splits,",
    )
    known.edit("sql/clean/town/payments.yml", "  - {name: amount,", '  - {name: splits, type: INTEGER, description: "Splits."}\n  - {name: amount,')  # fmt: skip
    _, second = night(known)
    first = kept_releases(known.settings)[0]
    assert second is not None
    difference = compare(first, second)
    assert difference.tables_added == ["marts.mart_years"]
    assert compare(second, first).tables_removed == ["marts.mart_years"]
    payments = next(table for table in difference.tables if table.table == "clean.town_payments")
    assert payments.columns_added == ["splits"]
    assert (payments.keys_added, payments.keys_changed, payments.columns) == (0, 0, [])
    assert "All tables are identical." in as_text(compare(second, second))


def cut(size: float) -> Callable[[Path], None]:
    def damage(live: Path) -> None:
        live.chmod(0o600)
        os.truncate(live, int(live.stat().st_size * size))

    return damage


def change(live: Path) -> None:
    """Its checksum fails then; DuckDB's message has the word `block`."""
    live.chmod(0o600)
    with live.open("rb+") as file:
        file.write(b"\0")


def pipe(live: Path) -> None:
    """Whoever opens it waits for a writer, for ever."""
    live.unlink()
    os.mkfifo(live)


@pytest.mark.parametrize(
    "damage",
    [cut(0), cut(0.3), cut(0.9), change, Path.unlink, pipe],
    ids=["empty", "a third", "nine tenths", "another byte", "gone", "a pipe"],
)
def test_a_damaged_or_missing_live_file_is_replaced_by_the_next_night(
    known: TinyProject, damage: Callable[[Path], None]
) -> None:
    """The live file is a hard link, so a cut damages the newest release, too: the one before is live until the new one is."""
    known.capture(MORE, at=SECOND)
    night(known)
    live = known.settings.warehouse
    good = {release.id: release.digest for release in kept_releases(known.settings)}
    damage(live)
    messages: list[str] = []
    night(known, say=messages.append)
    (message,) = [message for message in messages if str(live) in message]
    assert "is missing" in message if damage is Path.unlink else "is damaged" in message
    now = live_release(known.settings)
    assert now is not None
    assert now.digest == list(good.values())[-1]
    assert [release.digest for release in kept_releases(known.settings)] == list(good.values())
    assert night(known, say=messages.append) == ([], None)
    assert len([message for message in messages if str(live) in message]) == 1


def test_without_a_whole_release_the_next_night_makes_one(known: TinyProject) -> None:
    before = live_release(known.settings)
    cut(0.5)(known.settings.warehouse)
    _, release = night(known)
    assert release is not None
    assert before is not None
    assert release.digest == before.digest
    assert [file.suffix for file in known.settings.releases.glob("*.damaged")] == [".damaged"]


def test_a_release_can_be_made_live_in_place_of_a_damaged_one(known: TinyProject) -> None:
    known.capture(MORE, at=SECOND)
    night(known)
    first = kept_releases(known.settings)[0]
    cut(0)(known.settings.warehouse)
    assert roll_back(known.settings, first.id).id == first.id
    live = live_release(known.settings)
    assert live is not None
    assert live.id == first.id


def test_a_night_that_would_fill_the_disk_does_not_begin(known: TinyProject, monkeypatch: pytest.MonkeyPatch) -> None:
    usage = namedtuple("usage", "total used free")  # noqa: PYI024 - as shutil has it
    monkeypatch.setattr("shutil.disk_usage", lambda _: usage(10**9, 10**9 - 5_000_000, 5_000_000))
    with pytest.raises(DiskFull, match=r"5 MB are free, and a run needs about 1\d\d MB"):
        night(known)


def test_files_have_the_same_modes_whatever_the_umask(tiny: TinyProject) -> None:
    tiny.capture(ROWS, at=FIRST)
    tiny.attempt()
    before = os.umask(0)
    try:
        night(tiny)
    finally:
        os.umask(before)
    settings = tiny.settings
    written = [path for folder in (settings.releases, settings.reports) for path in [folder, *folder.rglob("*")]]
    assert len(written) > 3
    assert {oct(path.stat().st_mode & 0o777) for path in [settings.warehouse, *written]} <= {"0o755", "0o444", "0o644"}


def test_a_release_that_may_not_be_read_is_named(known: TinyProject, monkeypatch: pytest.MonkeyPatch) -> None:
    """A superuser may read everything, so the system's answer is replaced."""
    monkeypatch.setattr("os.access", lambda path, mode: False)
    with pytest.raises(NotReadable, match=f"{known.settings.releases} cannot be read by this user"):
        kept_releases(known.settings)
    with pytest.raises(NotReadable, match=f"{known.settings.warehouse} cannot be read by this user"):
        connect(known.settings.warehouse)
