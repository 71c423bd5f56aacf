"""Captures are verified or not stored; attempts are recorded; the lock admits one writer."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator, Sequence
from datetime import datetime
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from tiny_project import TinyProject

from civic_pipeline.errors import (
    CaptureDamaged,
    CaptureNotVerified,
    LockHeld,
    NumberTooLong,
    PortalUnreachable,
    ProfileMixed,
    SchemaDrifted,
    SourceChangedDuringRead,
    SourceEmpty,
    ValueUnreadable,
    VolumeCollapsed,
)
from civic_pipeline.lake import Attempt, Captured, attempt_capture, capture, diagnose, last_attempt
from civic_pipeline.lock import only_writer
from civic_pipeline.portals import About, Access, Description, Freshness, PortalColumn, Traffic

ID = PortalColumn("_id", "row_identifier", pa.string(), "")


class FakeSource:
    """A portal dataset in memory. `pages`: lists of row ids; `counts`: row counts for successive requests."""

    def __init__(
        self, pages: Sequence[Sequence[str]] = (["1", "2"], ["3"]), counts: Sequence[int] = (), token: str | None = "1"
    ) -> None:
        self.pages, self.token = pages, token
        self.counts = list(counts) or [sum(len(page) for page in pages)]
        self.columns = {"Payment_No": "text", "Paid_On": "text", "Amount": "text"}
        self.reads: list[bool] = []
        self.reused, self.traffic = 0, Traffic()
        self.broken: Exception | None = None
        self.too_long: str | None = None

    def describe(self) -> Description:
        columns = tuple(PortalColumn(name, kind, pa.string(), "") for name, kind in self.columns.items())
        return Description(
            "https://data.town.gov/abcd", About("Payments"), columns, ID, Freshness(self.token, "rowsUpdatedAt")
        )

    def count(self) -> int:
        return self.counts.pop(0) if len(self.counts) > 1 else self.counts[0]

    def read(self, description: Description, counted: int, spool: Path, sequential: bool) -> Iterator[pa.Table]:
        self.reads.append(sequential)
        for page in self.pages:
            yield pa.Table.from_pylist(
                [dict.fromkeys(self.columns, "x") | {"_id": i} for i in page], schema=description.schema
            )
        if self.broken:
            raise self.broken
        if self.too_long and not any(column.is_text for column in description.columns):
            raise NumberTooLong(self.too_long, "number", "40 digits")

    def read_edited(self, description: Description, since: datetime, spool: Path) -> Iterator[pa.Table]:
        raise NotImplementedError

    def reused_ids(self) -> int:
        return self.reused


@pytest.fixture
def take(tiny: TinyProject, monkeypatch: pytest.MonkeyPatch) -> "Taker":
    return Taker(tiny, monkeypatch)


class Taker:
    """Captures or attempts the dataset of the tiny project from fake sources."""

    def __init__(self, tiny: TinyProject, monkeypatch: pytest.MonkeyPatch) -> None:
        self.tiny, self.lake, self._patch = tiny, tiny.lake, monkeypatch

    def _serve(self, source: FakeSource, editions: dict[str | None, FakeSource] | None) -> None:
        for module in ("capture", "diagnosis"):
            # Through sys.modules: the package's `capture` is the function.
            self._patch.setattr(
                sys.modules[f"civic_pipeline.lake.{module}"], "editions_of", lambda *_: editions or {None: source}
            )

    def __call__(self, source: FakeSource, **editions: FakeSource) -> Captured:
        self._serve(source, {name.lstrip("_"): fake for name, fake in editions.items()})
        return capture(self.tiny.name, self.tiny.dataset, self.lake, Access())

    def attempt(self, source: FakeSource) -> Attempt:
        self._serve(source, None)
        return attempt_capture(self.tiny.name, self.tiny.dataset, self.lake, Access())

    @property
    def folders(self) -> list[Path]:
        return [path for path in (self.lake.folder / self.tiny.name).glob("*") if path.is_dir()]


def test_a_capture_is_a_parquet_file_and_a_manifest_that_is_written_last(
    take: Taker, monkeypatch: pytest.MonkeyPatch
) -> None:
    on_disk: list[str] = []
    replace = Path.replace
    monkeypatch.setattr(
        Path, "replace", lambda self, to: on_disk.extend(p.name for p in to.parent.iterdir()) or replace(self, to)
    )
    captured = take(FakeSource())
    assert (captured.status, captured.undeclared) == ("captured", ())
    assert [name for name in on_disk if not name.startswith(".")] == ["part.parquet"]
    (part,) = captured.manifest.parts
    assert (part.counted, part.landed, part.distinct, part.counted_after) == (3, 3, 3, 3)
    (file,) = take.lake.files(captured.manifest)
    assert pq.read_table(file)["_id"].to_pylist() == ["1", "2", "3"]
    assert take.lake.accepted("town/payments") == captured.manifest
    take.lake.verify(captured.manifest)


@pytest.mark.parametrize(
    ("source", "message"),
    [
        (FakeSource([["1", "2"]], counts=[3]), "2 rows were read"),
        (FakeSource([["1", "2"], ["2"]]), "2 of them distinct"),
        (FakeSource(counts=[3, 4]), "4 after it"),
        (FakeSource(counts=[2, 3, 2, 3]), "2 rows before the read"),
    ],
    ids=["short read", "repeated id", "grew during the read", "counted too few"],
)
def test_a_read_with_wrong_counts_is_not_verified_and_not_stored(take: Taker, source: FakeSource, message: str) -> None:
    with pytest.raises(CaptureNotVerified, match=message):
        take(source)
    assert take.folders == []


class ChangedDuringTheRead(FakeSource):
    """Its first read is short; by the second it has other rows and columns, in agreement with its counts."""

    def __init__(self, rows: int, columns: dict[str, str] | None = None) -> None:
        super().__init__([["1"]], counts=[10, 10, rows], token="2")
        self._later = [[str(n) for n in range(rows)]], columns

    def read(self, description: Description, counted: int, spool: Path, sequential: bool) -> Iterator[pa.Table]:
        yield from super().read(description, counted, spool, sequential)
        self.pages, self.columns = self._later[0], self._later[1] or self.columns


@pytest.mark.parametrize(
    ("source", "error"),
    [
        (ChangedDuringTheRead(0), SourceEmpty),
        (ChangedDuringTheRead(10, {"Another": "text"}), SchemaDrifted),
        (ChangedDuringTheRead(3), VolumeCollapsed),
    ],
    ids=["empty", "other columns", "shrunk"],
)
def test_what_a_source_became_during_the_read_is_judged_as_what_it_was(
    take: Taker, source: FakeSource, error: type[Exception]
) -> None:
    before = take(FakeSource([[str(n) for n in range(10)]])).manifest
    with pytest.raises(error):
        take(source)
    assert source.reads == ([False, True] if error is VolumeCollapsed else [False])
    assert take.lake.accepted("town/payments") == before


@pytest.mark.parametrize(
    "error",
    [ValueUnreadable("Amount", "text", "?"), PortalUnreachable("https://x", "?"), KeyboardInterrupt()],
    ids=lambda e: type(e).__name__,
)
def test_an_interrupted_read_leaves_no_files(take: Taker, error: Exception) -> None:
    source = FakeSource()
    source.broken = error
    with pytest.raises(type(error)):
        take(source)
    assert take.folders == []


def test_a_source_is_unchanged_by_its_token_or_else_by_its_bytes(take: Taker) -> None:
    first = take(FakeSource(token="5")).manifest
    same = FakeSource(token="5")
    assert take(same) == Captured(first, "unchanged", ())
    assert same.reads == []
    assert take(FakeSource(token="6")).status == "captured"
    without_token = FakeSource(token=None)
    assert [take(FakeSource(token=None)).status, take(without_token).status] == ["captured", "unchanged"]
    assert without_token.reads == [False]
    assert len(take.folders) == 3


def test_a_read_that_is_not_verified_is_repeated_sequentially(take: Taker) -> None:
    source = FakeSource(counts=[3, 4, 3, 3])  # a row was added and deleted during the first read
    (part,) = take(source).manifest.parts
    assert source.reads == [False, True]
    assert (part.counted, part.landed, part.counted_after) == (3, 3, 3)


def test_rows_with_the_same_id_are_stored_if_the_portal_lists_them(take: Taker) -> None:
    source = FakeSource([["1", "2"], ["2"]])
    source.reused = 1
    (part,) = take(source).manifest.parts
    assert source.reads == [False, True]
    assert (part.landed, part.distinct, part.reused_ids) == (3, 2, 1)


def test_a_column_with_a_too_long_number_is_stored_as_text(take: Taker) -> None:
    source = FakeSource()
    source.too_long = "Amount"
    (part,) = take(source).manifest.parts
    assert source.reads == [False, False]
    assert [column.name for column in part.columns if column.is_text] == ["Amount"]
    assert (part.landed, part.distinct) == (3, 3)


def test_a_source_that_changes_during_both_reads_is_an_error(take: Taker, monkeypatch: pytest.MonkeyPatch) -> None:
    source = FakeSource()
    tokens = iter("12345")
    describe = FakeSource.describe

    def describe_with_new_token() -> Description:
        source.token = next(tokens)
        return describe(source)

    monkeypatch.setattr(source, "describe", describe_with_new_token)
    with pytest.raises(SourceChangedDuringRead, match=r"changed from 3 to 4 during the read"):
        take(source)
    assert source.reads == [False, True]
    assert take.folders == []


def test_a_collapsed_source_is_stored_only_once(take: Taker) -> None:
    ids = [str(number) for number in range(20)]
    take(FakeSource([ids]))
    for _ in range(3):
        with pytest.raises(VolumeCollapsed):
            take(FakeSource([ids[:5]], token="2"))
    assert len(take.folders) == 2


def test_a_new_column_is_reported_and_captured_even_with_an_unchanged_token(take: Taker) -> None:
    take(FakeSource())
    wider = FakeSource()
    wider.columns["Approver"] = "text"
    captured = take(wider)
    assert (captured.status, captured.undeclared) == ("captured", ("Approver",))


def test_schema_drift_names_missing_retyped_and_similar_columns(take: Taker) -> None:
    source = FakeSource()
    source.columns = {"Payment_Number": "text", "Paid_On": "date", "Amount": "text", "Zone": "text"}
    with pytest.raises(SchemaDrifted) as drift:
        take(source)
    assert "missing columns: Payment_No;" in str(drift.value)
    assert "changed types: Paid_On (text -> date)" in str(drift.value)
    assert "similar names: Payment_Number." in str(drift.value)
    assert (source.reads, take.folders) == ([], [])


def test_an_empty_source_is_an_error(take: Taker) -> None:
    accepted = take(FakeSource()).manifest
    with pytest.raises(SourceEmpty, match=r"counts 0 rows"):
        take(FakeSource([], token="2"))
    assert take.lake.accepted("town/payments") == accepted


def test_a_collapse_beyond_the_tolerance_is_stored_but_not_accepted(take: Taker) -> None:
    ids = [str(number) for number in range(20)]
    accepted = take(FakeSource([ids])).manifest
    with pytest.raises(VolumeCollapsed, match=r"17 rows, but 20 in the last accepted capture.* 10\.0%"):
        take(FakeSource([ids[:17]], token="2"))
    assert take.lake.accepted("town/payments") == accepted
    kept = take.lake.captures("town/payments")[-1]
    assert kept.rows == 17
    assert "17 rows, but 20" in (kept.held_back or "")
    assert take(FakeSource([ids[:18]], token="3")).manifest.held_back is None  # exactly the tolerance


def test_the_collapse_of_one_edition_is_detected(take: Taker) -> None:
    ids = [str(number) for number in range(20)]
    take(FakeSource(), _2023=FakeSource([ids]), _2024=FakeSource([ids]))
    with pytest.raises(VolumeCollapsed, match=r"town/payments 2024: 10 rows, but 20"):
        take(
            FakeSource(), _2023=FakeSource([[*ids, *"abcdefghij"]], token="2"), _2024=FakeSource([ids[:10]], token="2")
        )


def test_rows_may_move_into_an_edition_that_is_new(take: Taker) -> None:
    ids = [str(number) for number in range(20)]
    take(FakeSource(), _2024=FakeSource([ids]), _current=FakeSource([ids]))
    with pytest.raises(VolumeCollapsed, match=r"town/payments current: 2 rows, but 20"):
        take(FakeSource(), _2024=FakeSource([ids]), _current=FakeSource([["x", "y"]], token="2"))
    with pytest.raises(VolumeCollapsed, match=r"town/payments current: 2 rows, but 20"):
        take(
            FakeSource(),
            _2024=FakeSource([ids]),
            _2025=FakeSource([ids[:15]]),
            _current=FakeSource([["x", "y"]], token="2"),
        )
    moved = take(
        FakeSource(), _2024=FakeSource([ids]), _2025=FakeSource([ids]), _current=FakeSource([["x", "y"]], token="2")
    )
    assert (moved.manifest.held_back, moved.manifest.rows) == (None, 42)


def test_editions_are_parts_of_one_capture_and_are_stored_together_or_not_at_all(take: Taker) -> None:
    captured = take(FakeSource(), _2023=FakeSource([["1"]]), _2024=FakeSource([["1", "2"]]))
    assert [(part.edition, part.file, part.landed) for part in captured.manifest.parts] == [
        ("2023", "2023.parquet", 1),
        ("2024", "2024.parquet", 2),
    ]
    with pytest.raises(CaptureNotVerified):
        take(FakeSource(), _2023=FakeSource(token="2"), _2024=FakeSource(counts=[9]))
    assert len(take.folders) == 1


def test_captures_of_demo_and_live_portals_are_not_mixed_in_one_lake(take: Taker) -> None:
    accepted = take(FakeSource()).manifest
    with pytest.raises(
        ProfileMixed, match=r"holds captures of the live portals, but this run uses the demo portals.*CIVIC_DATA"
    ):
        capture("town/payments", take.tiny.dataset, take.lake, Access(root="http://127.0.0.1:1"))
    assert take.lake.captures("town/payments") == [accepted]


def test_a_folder_that_a_killed_process_left_is_removed(take: Taker) -> None:
    leftover = take.lake.folder / "town/payments" / "2020-01-01T000000.000000Z"
    leftover.mkdir(parents=True)
    (leftover / "part.parquet").write_bytes(b"half")
    assert take.lake.accepted("town/payments") is None
    captured = take(FakeSource()).manifest
    assert [folder.name for folder in take.folders] == [captured.capture_id.rpartition("/")[2]]


@pytest.mark.parametrize("damage", ["a bit", "the file", "the manifest"])
def test_damage_to_a_capture_is_detected(take: Taker, damage: str) -> None:
    captured = take(FakeSource()).manifest
    (file,) = take.lake.files(captured)
    match damage:
        case "a bit":
            file.write_bytes(file.read_bytes()[:-1] + b"X")
        case "the file":
            file.unlink()
        case _:
            (file.parent / "manifest.json").write_bytes(b"{\xff")
    with pytest.raises(CaptureDamaged, match=str(file.parent)):
        take.lake.verify(take.lake.captures("town/payments")[0])


def test_an_attempt_records_since_when_a_source_fails_and_the_accepted_capture(take: Taker) -> None:
    accepted = take.attempt(FakeSource()).capture_id
    assert (accepted or "").startswith("town/payments/")
    take.attempt(FakeSource([], token="2"))
    record = take.lake.folder / "town/payments" / "attempt.json"
    attempt = json.loads(record.read_text())
    record.write_text(json.dumps(attempt | {"failing_since": "2020-01-01T00:00:00+00:00"}))
    again = take.attempt(FakeSource(counts=[1], token="3"))
    assert (again.status, again.capture_id, again.failing_since) == ("failed", accepted, "2020-01-01T00:00:00+00:00")
    assert "counted 1 rows" in (again.problem or "")
    assert last_attempt("town/payments", take.lake) == again
    recovered = take.attempt(FakeSource())
    assert (recovered.status, recovered.failing_since, recovered.problem) == ("unchanged", None, None)
    for damage in (b"", b"[]", b"\xff"):
        record.write_bytes(damage)
        assert last_attempt("town/payments", take.lake) is None


def test_only_temporary_failures_are_retried(take: Taker) -> None:
    unreachable = FakeSource()
    unreachable.broken = PortalUnreachable("https://x", "no answer")
    assert take.attempt(unreachable).passing
    assert take.attempt(FakeSource(counts=[7])).passing
    assert not take.attempt(FakeSource([])).passing


def test_a_diagnosis_reads_no_rows_and_names_the_changed_columns(take: Taker) -> None:
    source = FakeSource()
    take._serve(source, None)
    before = diagnose(take.tiny.dataset, Access())
    assert before.healthy
    assert before.summary == "3 rows, rowsUpdatedAt 1, schema as declared (https://data.town.gov/abcd)"
    source.columns = {"Payment_No": "number", "Amount": "text", "Zone": "text"}
    after = diagnose(take.tiny.dataset, Access())
    assert not after.healthy
    assert "missing Paid_On; retyped Payment_No (text -> number); new Zone" in after.summary
    assert source.reads == []


HOLD = "import sys; from pathlib import Path; from civic_pipeline.lock import only_writer\nwith only_writer(Path(sys.argv[1])):\n print('held', flush=True); sys.stdin.read()"


@pytest.fixture
def holder(tmp_path: Path) -> Iterator["subprocess.Popen[str]"]:
    """Another process that holds the lock of `tmp_path/file`."""
    with subprocess.Popen(
        [sys.executable, "-c", HOLD, str(tmp_path / "file")], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "held\n"
        yield process
        process.kill()


def test_the_error_for_a_second_writer_names_the_holder_of_the_lock(
    tmp_path: Path, holder: "subprocess.Popen[str]"
) -> None:
    with (
        pytest.raises(LockHeld, match=rf"process {holder.pid} on {os.uname().nodename} since 20\d\d-"),
        only_writer(tmp_path / "file", wait_seconds=0),
    ):
        pytest.fail("two writers at once")


def test_the_lock_of_a_killed_process_is_free(tmp_path: Path, holder: "subprocess.Popen[str]") -> None:
    holder.send_signal(signal.SIGKILL)
    holder.wait()
    with only_writer(tmp_path / "file"):
        pass
    with only_writer(tmp_path / "file"):  # also after it was released
        pass
