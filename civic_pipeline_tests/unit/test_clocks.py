"""The clocks of date columns: days are days, and office hours stay where they were."""

import duckdb
import pyarrow as pa
import pytest
from tiny_project import TinyProject

from civic_pipeline.catalog import Dataset
from civic_pipeline.quality.drift.clocks import check_clocks
from civic_pipeline.quality.drift.rules import Finding

NIGHT, OTHER_NIGHT = "2026-01-02T030405.000000Z", "2026-01-03T030405.000000Z"


def findings(
    tiny: TinyProject, policy: str, hours: list[float | None], before: list[float | None] | None = None
) -> Finding:
    """What is found of a column whose times are so many hours after midnight UTC, in a winter and a summer month."""
    text = tiny.dataset.model_dump() | {
        "columns": {"Payment_No": "text", "Paid_On": "date", "Amount": "text"}, "time_zones": {"Paid_On": policy},
        "volume": {"shrink_at_most": "1%"},
    }  # fmt: skip
    dated = TinyProject(tiny.settings, Dataset.model_validate(text))
    captures = []
    for at, column in ((NIGHT, before), (OTHER_NIGHT, hours)):
        if column is None:
            captures.append(None)
            continue
        moments = [
            None if h is None else int(((181 if i % 2 else 0) * 24 + h) * 3600 * 1_000_000)
            for i, h in enumerate(column)
        ]
        rows = [(str(i), moment, "1") for i, moment in enumerate(moments)]
        captures.append(dated.capture(rows, at=at, types=[pa.string(), pa.timestamp("us"), pa.string()]))
    accepted, capture = captures
    with duckdb.connect() as connection:
        (finding,) = check_clocks(connection, dated.dataset, dated.lake, capture, accepted).values()
    return finding


@pytest.mark.parametrize(
    "hours",
    [[0, 0, 0], [5, 4, 5, 4], [5, 4, 0, None], [10, 10, 10], [0, 10, 10], [6, 5], [8, 7, 8], [None, None], [], [16.5]],
    ids=str,
)  # fmt: skip
def test_days_are_midnight_here_or_there_or_one_constant(tiny: TinyProject, hours: list[float | None]) -> None:
    assert findings(tiny, "date_only", hours).severity is None


@pytest.mark.parametrize(
    ("hours", "seen"),
    [
        ([5, 4, 5, 4, 1.5], "1 of 5 rows have a time of day: 01:30Z"),
        ([0, 0, 1.5, 2.5], "2 of 4 rows have a time of day: 01:30Z, 02:30Z"),
        ([4, 5, 6, 4, 5], "1 of 5 rows have a time of day: 06:00Z"),
        ([10, 10, 11, 13], "1 of 4 rows have a time of day: 13:00Z"),
    ],
    ids=str,
)
def test_an_evening_is_no_day(tiny: TinyProject, hours: list[float | None], seen: str) -> None:
    finding = findings(tiny, "date_only", hours)
    assert finding.severity == "critical"
    assert seen in finding.examples[0]


def test_the_times_of_a_renamed_column_are_read_under_its_name_in_the_file(tiny: TinyProject) -> None:
    def of(columns: dict[str, str], **more: object) -> Dataset:
        text = tiny.dataset.model_dump() | {"columns": columns, "volume": {"shrink_at_most": "1%"}} | more
        return Dataset.model_validate(text)

    former = of(
        {"Payment_No": "text", "Day": "date", "Amount": "text"}, time_zones={"Day": "date_only"}, earlier_shapes=()
    )
    shape = {"seen": "2020", "columns": {"Paid_On": "Day"}}
    current = of(
        {"Payment_No": "text", "Paid_On": "date", "Amount": "text"},
        time_zones={"Paid_On": "date_only"},
        earlier_shapes=[shape],
    )
    rows = [(str(i), int(hour * 3600 * 1_000_000), "1") for i, hour in enumerate((0, 21.5, 18))]
    before = TinyProject(tiny.settings, former)
    capture = before.capture(rows, at=NIGHT, types=[pa.string(), pa.timestamp("us"), pa.string()])
    with duckdb.connect() as connection:
        (finding,) = check_clocks(connection, current, before.lake, capture, None).values()
    assert finding.severity == "critical"


OFFICE = [9, 10, 10, 11, 11, 11, 13, 14, 14, 15, 15, 16] * 8


@pytest.mark.parametrize(
    ("shift", "warns"), [(0, False), (1, False), (2, False), (3, True), (4, True), (-5, True), (6, True)]
)
def test_office_hours_that_move_are_a_warning(tiny: TinyProject, shift: int, warns: bool) -> None:
    finding = findings(tiny, "local_labelled_utc", [h + shift for h in OFFICE], list(OFFICE))
    assert finding.severity == ("warning" if warns else None)
    assert not warns or f"{shift:+} h" in finding.examples[0]


def test_without_an_accepted_version_or_with_few_times_no_hours_are_compared(tiny: TinyProject) -> None:
    assert findings(tiny, "local_labelled_utc", list(OFFICE)).severity is None


def test_an_hour_more_or_less_of_an_office_is_no_shift(tiny: TinyProject) -> None:
    assert findings(tiny, "local_labelled_utc", [8, 9, *OFFICE, 17], list(OFFICE)).severity is None
