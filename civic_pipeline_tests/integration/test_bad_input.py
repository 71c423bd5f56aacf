"""Whatever goes wrong, a person gets one message that names the culprit, and the warehouse of before stays."""

import hashlib
import json
import os
import re
import shutil
import socket
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pandas as pd
import pytest
import urllib3
from terminal import SAMPLE, Place, serve

from civic_pipeline.catalog import load_datasets
from civic_pipeline.demo import DemoPortals
from civic_pipeline.errors import (
    AnswerUnreadable,
    CaptureUnproven,
    CivicError,
    PortalRefused,
    PortalUnreachable,
    SchemaDrifted,
    SourceEmpty,
    SourceNotFound,
    WarehouseBusy,
)
from civic_pipeline.lake import Lake, capture, only_writer, visit
from civic_pipeline.portals import Access
from civic_pipeline.settings import CHECKOUT
from civic_pipeline.warehouse import connect

CATALOG = load_datasets(CHECKOUT)
SOCRATA, ARCGIS = "baltimore/mwbe", "baltimore/spending"


@pytest.fixture
def place(small: Place, tmp_path: Path) -> Place:
    """The small installation after its green night, to break."""
    return small.copy(tmp_path)


def edit(path: Path, old: str, new: str, count: int = -1) -> None:
    text = path.read_text(encoding="utf-8")
    assert old in text, f"{path} does not hold {old!r}"
    path.write_text(text.replace(old, new, count), encoding="utf-8")


def line_of(path: Path, text: str) -> int:
    return next(number for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1) if text in line)


def content(place: Place, table: str) -> list[tuple[object, ...]]:
    return place.rows(f"select count(*), bit_xor(hash(t)) from {table} as t")


def digest(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


# Portals that fail, in this process


def files_of(folder: Path) -> dict[str, str]:
    """Every file of the captures; locks and the note of the last visit are no part of them."""
    return {
        str(path.relative_to(folder)): digest(path)
        for path in folder.rglob("*") if path.is_file() and path.name not in {"visit.json", "capture.lock"}
    }  # fmt: skip


def refused(place: Place, name: str, access: Access) -> CivicError:
    """How a capture of `name` fails; nothing of it is kept, and the accepted capture stays the one in use."""
    lake = Lake(place.data / "lake")
    before, accepted = files_of(lake.folder / name), lake.accepted(name)
    with pytest.raises(CivicError) as caught:
        capture(name, CATALOG[name], lake, access)
    assert files_of(lake.folder / name) == before
    assert accepted is not None
    made = visit(name, CATALOG[name], lake, access)
    assert (made.status, made.capture_id, made.problem) == ("failed", accepted.capture_id, str(caught.value))
    return caught.value


@contextmanager
def portal(answer: Callable[[str], tuple[int, str, str]]) -> Iterator[Access]:
    """A web server that gives every path the status, content type and body that `answer` says."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            status, kind, body = answer(self.path)
            self.send_response(status)
            self.send_header("Content-Type", kind)
            self.send_header("Content-Length", str(len(body.encode())))
            self.end_headers()
            self.wfile.write(body.encode())

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base class's name
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()
        yield Access(root=f"http://127.0.0.1:{server.server_port}", socrata_token="any")
        server.shutdown()


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Retries without the waits between them."""
    monkeypatch.setattr(urllib3.util.retry.Retry, "sleep", lambda *_: None)


@pytest.mark.parametrize("name", [SOCRATA, ARCGIS])
@pytest.mark.usefixtures("impatient")
def test_a_portal_that_does_not_answer(place: Place, name: str) -> None:
    with socket.socket() as closed:  # bound, never listening: every connection is refused
        closed.bind(("127.0.0.1", 0))
        address = f"http://127.0.0.1:{closed.getsockname()[1]}"
        error = refused(place, name, Access(root=address, socrata_token="any"))
    assert isinstance(error, PortalUnreachable)
    assert re.search(rf"^{address}/\S+ could not be reached: .*[Rr]efused", str(error))


PAGE = "<!doctype html><html><head><title>Open Baltimore</title></head><body>Welcome</body></html>"
ANSWERS: dict[str, tuple[int, str, str, type[CivicError], str]] = {
    "a page where data was due": (
        200,
        "text/html",
        PAGE,
        AnswerUnreadable,
        "sent an HTML page titled 'Open Baltimore'",
    ),
    "a page that says not found": (
        404,
        "text/html",
        PAGE,
        SourceNotFound,
        "was not found at .*an HTML page titled 'Open Baltimore'",
    ),
    "half an answer": (200, "application/json", '{"columns": [', AnswerUnreadable, "broken JSON"),
    "nothing at all": (200, "application/json", "", AnswerUnreadable, "an empty body"),
    "a refusal": (403, "application/json", '{"message": "You need a key"}', PortalRefused, "403.*You need a key"),
    "a server in trouble": (503, "text/plain", "down", PortalUnreachable, "HTTP 503"),
}


@pytest.mark.parametrize("case", ANSWERS)
@pytest.mark.parametrize("name", [SOCRATA, ARCGIS])
@pytest.mark.usefixtures("impatient")
def test_a_portal_that_answers_something_else(place: Place, name: str, case: str) -> None:
    status, kind, body, wanted, message = ANSWERS[case]
    with portal(lambda _: (status, kind, body)) as access:
        error = refused(place, name, access)
    # An item that is refused is, to ArcGIS, an item that is not there.
    assert isinstance(error, (wanted, SourceNotFound) if (case, name) == ("a refusal", ARCGIS) else wanted)
    assert re.search(message, str(error)), str(error)


def test_an_error_inside_http_200(place: Place) -> None:
    with portal(
        lambda _: (200, "application/json", json.dumps({"error": True, "message": "Query timed out"}))
    ) as access:
        error = refused(place, SOCRATA, access)
    assert isinstance(error, PortalRefused)
    assert "Query timed out" in str(error)

    def layer_fails(path: str) -> tuple[int, str, str]:
        served = (
            {"url": f"{access.root}/service"}
            if "/items/" in path
            else {"error": {"code": 499, "message": "Token Required"}}
        )
        return 200, "application/json", json.dumps(served)

    with portal(layer_fails) as access:
        error = refused(place, ARCGIS, access)
    assert isinstance(error, PortalRefused)
    assert "499 Token Required" in str(error)


@pytest.mark.parametrize("name", [SOCRATA, ARCGIS])
def test_an_id_the_portal_does_not_know(place: Place, name: str, tmp_path: Path) -> None:
    other = next(dataset for dataset in (SOCRATA, ARCGIS) if dataset != name)
    file = f"{other.split('/')[1]}.csv"
    folder = tmp_path / "only_the_other"
    folder.mkdir()
    shutil.copyfile(place.served / file, folder / file)
    with DemoPortals(serve(folder, {"file": file, "dataset": other})) as portals:
        error = refused(place, name, Access(root=portals.url, socrata_token="any"))
    assert isinstance(error, SourceNotFound)
    assert getattr(CATALOG[name].source, "id" if name == SOCRATA else "item") in str(error)
    assert "correct `source` in its defs.yaml" in str(error)


def header(change: Callable[[list[str]], list[str]]) -> Callable[[str], str]:
    def changed(text: str) -> str:
        first, rest = text.split("\n", 1)
        return ",".join(change(first.split(","))) + "\n" + rest

    return changed


CHANGES: dict[str, tuple[str, Callable[[str], str], type[CivicError], str]] = {
    "a layer without rows": (ARCGIS, lambda text: text.split("\n", 1)[0] + "\n", SourceEmpty, "counts 0 rows"),
    "a dataset without rows": (SOCRATA, lambda text: text.split("\n", 1)[0] + "\n", SourceEmpty, "counts 0 rows"),
    "a renamed column of a layer": (
        ARCGIS, header(lambda names: ["Payment_Amount" if name == "Payment_Amount_Split" else name for name in names]), SchemaDrifted,
        r"missing columns: Payment_Amount_Split\).*may be their successors: Payment_Amount\.",
    ),
    "a renamed column of a dataset": (
        SOCRATA, header(lambda names: ["category" if name == "cetegory" else name for name in names]), SchemaDrifted,
        r"missing columns: cetegory\).*may be their successors: category\.",
    ),
}  # fmt: skip


@pytest.mark.parametrize("case", CHANGES)
def test_a_source_that_changed_shape(place: Place, case: str) -> None:
    name, change, wanted, message = CHANGES[case]
    file = place.served / f"{name.split('/')[1]}.csv"
    file.write_text(change(file.read_text(encoding="utf-8")), encoding="utf-8")
    with DemoPortals(place.served) as portals:
        error = refused(place, name, Access(root=portals.url, socrata_token="any"))
    assert isinstance(error, wanted)
    assert re.search(message, str(error)), str(error)


@pytest.mark.parametrize(
    ("name", "column", "kind", "change"),
    [
        (ARCGIS, "Check_Number", "number", r"Check_Number \(String -> Integer\)"),
        (SOCRATA, "zipcode", "url", r"zipcode \(text -> url\)"),
    ],
)
def test_a_column_of_another_type(place: Place, name: str, column: str, kind: str, change: str) -> None:
    file = f"{name.split('/')[1]}.csv"
    serve(place.served, {"file": file, "dataset": name, "types": {column: kind}})
    with DemoPortals(place.served) as portals:
        error = refused(place, name, Access(root=portals.url, socrata_token="any"))
    assert isinstance(error, SchemaDrifted)
    assert re.search(rf"changed types: {change}", str(error)), str(error)


def test_a_missing_column_without_a_successor(place: Place) -> None:
    file = place.served / "mwbe.csv"
    pd.read_csv(file, dtype="str").drop(columns="certno").to_csv(file, index=False)
    with DemoPortals(place.served) as portals:
        error = refused(place, SOCRATA, Access(root=portals.url, socrata_token="any"))
    assert isinstance(error, SchemaDrifted)
    assert "missing columns: certno)." in str(error)
    assert "successors" not in str(error)


def test_rows_that_come_and_go_during_the_read(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    from civic_pipeline.portals import ArcgisLayer

    counts = iter([600, 601] * 2)
    monkeypatch.setattr(ArcgisLayer, "count", lambda _: next(counts))
    edit(place.served / "spending.csv", "Police", "Police Department", 1)  # or it would not be read again
    with DemoPortals(place.served) as portals:
        error = refused(place, ARCGIS, Access(root=portals.url, socrata_token="any"))
    assert isinstance(error, CaptureUnproven)
    assert "counted 600 rows before the read and 601 after it" in str(error)


# Data and models that fail, through the nightly job


def spending(place: Place, changes: dict[str, dict[int, str]]) -> None:
    """Change cells of the served checkbook: column -> line -> what it holds."""
    file = place.served / "spending.csv"
    lines = pd.read_csv(file, dtype="str")
    for column, cells in changes.items():
        lines.loc[list(cells), column] = list(cells.values())
    lines.to_csv(file, index=False)


def test_unreadable_rows_below_the_tolerance_go_to_quarantine_whole(place: Place) -> None:
    before = place.rows("select count(*) from quarantine.baltimore_spending")[0][0]
    spending(place, {"Payment_Amount_Split": {100: "see memo"}, "Payment_Date": {200: "13/45/2024"}})
    ended = place.run()
    assert ended.code == 0, ended.err
    found = place.rows(
        "select _published_amount, _published_date, _rules from quarantine.baltimore_spending"
        " where _published_amount = 'see memo' or _published_date = '13/45/2024' order by 1"
    )
    assert [row[2] for row in sorted(found, key=lambda row: row[0] == "see memo")] == [
        ["payment_is_dated"],
        ["amount_is_readable"],
    ]
    assert place.rows(
        "select row_count, quarantined_rows, source_rows from meta.tables where table_name = 'clean.baltimore_spending'"
    ) == [(600 - before - 2, before + 2, 600)]


def every_tenth_amount_unreadable(place: Place) -> None:
    spending(place, {"Payment_Amount_Split": dict.fromkeys(range(0, 600, 10), "see memo")})


def reversals_beyond_payments(place: Place) -> None:
    spending(place, {"Payment_Amount_Split": {100: "-45000000"}})


def sql_that_does_not_run(place: Place) -> None:
    edit(
        place.root / "sql/clean/baltimore_spending.sql",
        "payment_date as _published_date",
        "error('cannot be') as _published_date",
    )


def drifted_source(place: Place) -> None:
    edit(place.served / "spending.csv", "Payment_Amount_Split", "Payment_Amount", 1)


HELD_BACK: dict[Callable[[Place], None], str] = {
    every_tenth_amount_unreadable: r"baltimore_spending failed its contract .*quarantine_tolerated .*amount_is_readable: 6\d rows",
    reversals_beyond_payments: r"baltimore_spending failed its contract .*: column_sum_to_be_between__amount",
    sql_that_does_not_run: r"sql/clean/baltimore_spending\.sql does not run: .*cannot be",
    drifted_source: r"raw\.baltimore_spending: .*missing columns: Payment_Amount_Split",
}


@pytest.mark.parametrize("harm", HELD_BACK, ids=lambda harm: harm.__name__)
def test_a_failing_table_keeps_its_rows_and_the_others_are_released(
    place: Place, harm: Callable[[Place], None]
) -> None:
    before, built = (
        content(place, "clean.baltimore_spending"),
        dict(place.rows("select table_name, built_at from meta.tables")),
    )
    harm(place)
    ended = place.run()
    assert (ended.code, ended.is_plain) == (3, True), ended.err
    assert re.search(HELD_BACK[harm], ended.message), ended.message
    assert content(place, "clean.baltimore_spending") == before
    assert place.rows("select table_name, status from meta.tables order by 1") == [
        ("clean.baltimore_mwbe", "current"),
        ("clean.baltimore_spending", "held back"),
    ]
    after = dict(place.rows("select table_name, built_at from meta.tables"))
    assert after["clean.baltimore_mwbe"] > built["clean.baltimore_mwbe"]
    assert after["clean.baltimore_spending"] == built["clean.baltimore_spending"]


# Files with mistakes: named with their line before anything runs


def typo_in_defs(place: Place) -> tuple[Path, str]:
    return place.root / "civic_pipeline/defs/baltimore/mwbe/defs.yaml", "  cadence: irregular|  cadense: irregular"


def contract_names_no_column(place: Place) -> tuple[Path, str]:
    return place.root / "sql/clean/baltimore_mwbe.yml", "{name: firm_name,|{name: firm_nam,"


def expectation_on_no_column(place: Place) -> tuple[Path, str]:
    return (
        place.root / "sql/clean/baltimore_spending.yml",
        "{column: vendor_name, mostly: 0.99}|{column: vendor_nam, mostly: 0.99}",
    )


def sql_that_does_not_parse(place: Place) -> tuple[Path, str]:
    return (
        place.root / "sql/clean/baltimore_spending.sql",
        "clean_text(fund) as fund_name,|clean_text(fund)) as fund_name,",
    )


MISTAKES = [typo_in_defs, contract_names_no_column, expectation_on_no_column, sql_that_does_not_parse]


@pytest.mark.parametrize("mistake", MISTAKES, ids=lambda mistake: mistake.__name__)
def test_a_mistake_in_a_file_is_named_with_its_line_and_nothing_runs(
    place: Place, mistake: Callable[[Place], tuple[Path, str]]
) -> None:
    path, change = mistake(place)
    right, wrong = change.split("|")
    edit(path, right, wrong)
    line = line_of(path, wrong.strip())
    before = digest(place.warehouse)
    ended = place.run()
    assert (ended.code, ended.is_plain) == (2, True), ended.err
    assert f"{path}:{line}: " in ended.message
    assert digest(place.warehouse) == before
    assert not list((place.data / "dagster_home").glob("history/runs/[0-9a-f]*.db"))


def test_dg_check_refuses_a_typo_in_defs(place: Place) -> None:
    path = place.root / "civic_pipeline/defs/baltimore/mwbe/defs.yaml"
    edit(path, "  cadence: irregular", "  cadense: irregular")
    checked = subprocess.run(
        [Path(sys.executable).parent / "dg", "check", "defs", "--no-check-yaml"],
        cwd=place.root, env=place.environment, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert checked.returncode == 1
    assert "attributes.cadense" in checked.stdout + checked.stderr
    assert f"{path}:{line_of(path, 'cadense')}" in checked.stdout + checked.stderr


# The machine


def test_a_full_disk(place: Place) -> None:
    """The lake on a disk of its own, too small for a capture; seen by this run alone."""
    lake = place.data / "lake"
    small_disk = (
        "unshare",
        "--map-root-user",
        "--mount",
        "sh",
        "-c",
        f'mount -t tmpfs -o size=16k tmpfs {lake} && exec "$@"',
        "sh",
    )
    if (
        not shutil.which("unshare")
        or subprocess.run([*small_disk, "true"], capture_output=True, check=False).returncode
    ):
        pytest.skip("this machine lets nobody mount a small disk (unshare --map-root-user --mount)")
    before, captures = digest(place.warehouse), files_of(lake)
    ended = replace(place, under=small_disk).run("raw/baltimore_spending", "clean/baltimore_spending", "warehouse")
    assert (ended.code, ended.is_plain) == (3, True), ended.err
    assert f"No space is left on the disk under {lake}" in ended.message
    assert files_of(lake) == captures
    assert digest(place.warehouse) != before  # released again, with the rows of before
    assert place.rows("select count(*) from clean.baltimore_spending") != [(0,)]


def test_a_folder_without_write_permission(place: Place, tmp_path: Path) -> None:
    """A superuser may write everywhere, so one gives that right away first."""
    without_rights = ("setpriv", "--bounding-set=-all", "--inh-caps=-all") if os.getuid() == 0 else ()
    if without_rights and not shutil.which("setpriv"):
        pytest.skip("a superuser without `setpriv` cannot give up the right to write everywhere")
    before = digest(place.warehouse)
    folders = [place.data, *(path for path in place.data.rglob("*") if path.is_dir())]
    for folder in folders:
        folder.chmod(0o555)
    try:
        limited = replace(place, under=without_rights)
        ended = limited.run()
        assert (ended.code, ended.is_plain) == (1, True), ended.err
        assert f"{place.data / 'dagster_home'} cannot be written: " in ended.message
        assert "set CIVIC_DATA to another folder" in ended.message
        assert digest(place.warehouse) == before
        assert limited.civic("sql", "select 1 as one").code == 0
    finally:
        for folder in folders:
            folder.chmod(0o755)


_HOLD = """
import sys
from pathlib import Path
import duckdb
from civic_pipeline.lake import only_writer
with {what}:
    print("held", flush=True)
    sys.stdin.read()
"""


@contextmanager
def another_process(what: str) -> Iterator[int]:
    """A process that holds `what`, context managers, until the block ends; yields its pid."""
    process = subprocess.Popen(
        [sys.executable, "-c", _HOLD.format(what=what)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    try:
        assert process.stdout is not None
        assert process.stdout.readline() == "held\n"
        yield process.pid
    finally:
        process.communicate()


def test_a_warehouse_opened_for_writing_is_not_replaced(place: Place) -> None:
    place.warehouse.chmod(0o644)
    before = digest(place.warehouse)
    with another_process(f"duckdb.connect({str(place.warehouse)!r})") as pid:
        ended = place.run("warehouse")
        assert (ended.code, ended.is_plain) == (3, True), ended.err
        assert f"{place.warehouse} is open for writing in another program" in ended.message
        assert f"PID {pid}" in ended.message
        asked = place.civic("sql", "select 1 as one")
        assert (asked.code, asked.is_plain) == (1, True), asked.err
        assert "is open for writing in another program" in asked.message
    assert digest(place.warehouse) == before
    assert place.run("warehouse").code == 0


def test_a_reader_is_not_disturbed_and_keeps_the_release_it_opened(place: Place) -> None:
    built = "select built_at from meta.tables where table_name = 'clean.baltimore_spending'"
    with connect(place.warehouse) as reader:
        before = reader.execute(built).fetchall()
        assert place.run("clean/baltimore_spending", "warehouse").code == 0
        assert reader.execute(built).fetchall() == before
        assert place.rows(built) > before


def test_a_second_run_waits_for_the_first(place: Place) -> None:
    """The first has the build file open: a run that did not wait would meet DuckDB's own lock and fail."""
    build = place.data / "build" / "build.duckdb"
    with another_process(f"only_writer(Path({str(build)!r})), duckdb.connect({str(build)!r})") as pid:
        process = place.start("run", "--select", "raw/baltimore_mwbe", "--select", "warehouse")
        assert process.stderr is not None
        for line in process.stderr:  # the step before the one that waits
            if b"unchanged since" in line:
                break
        with pytest.raises(subprocess.TimeoutExpired):
            process.wait(timeout=5)
        with pytest.raises(WarehouseBusy, match=f"is being written by process {pid} on .* since "), only_writer(build):
            pass
    _, err = process.communicate(timeout=300)
    assert process.returncode == 0, err.decode()


# The terminal


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("sql", "selec 1"), 'syntax error at or near "selec"'),
        (("sql", "from clean.baltimore_spendin"), "baltimore_spendin does not exist.*baltimore_spending"),
        (("sql", "select vendor from clean.baltimore_spending"), '"vendor" not found.*vendor_name'),
        (("sql", "delete from clean.baltimore_spending"), "read-only"),
        (("sql", "drop table clean.baltimore_spending"), "read-only"),
        (
            ("run", "--select", "clean/baltimore_spendin"),
            r"There is no asset 'clean/baltimore_spendin'\. Choose one of: .*clean/baltimore_spending",
        ),
        (("doctor", "baltimore/spendin"), "There is no dataset 'baltimore/spendin'"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, tuple) else None,
)
def test_wrong_input_is_answered_with_what_would_be_right(
    place: Place, arguments: tuple[str, ...], message: str
) -> None:
    before = digest(place.warehouse)
    ended = place.civic(*arguments)
    assert (ended.code, ended.is_plain) == (2, True), ended.err
    assert re.search(message, ended.message, re.DOTALL), ended.message
    assert digest(place.warehouse) == before


def test_an_unknown_profile(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Place, "environment", place.environment | {"CIVIC_PROFILE": "production"})
    ended = place.civic("status")
    assert (ended.code, ended.is_plain) == (2, True)
    assert "CIVIC_PROFILE='production' is not a setting we know. Set CIVIC_PROFILE to demo or live" in ended.message


def test_no_warehouse_yet(tmp_path: Path) -> None:
    ended = Place(tmp_path / "data").civic("status")
    assert (ended.code, ended.is_plain) == (1, True)
    assert f"{tmp_path / 'data' / 'warehouse.duckdb'} does not exist yet. Run `civic run`" in ended.message


def test_a_folder_that_cannot_be_served(place: Place) -> None:
    (place.served / "mwbe.csv").unlink()
    before = digest(place.warehouse)
    for command, code in (("run", 3), ("doctor", 2)):
        ended = place.civic(command)
        assert (ended.code, ended.is_plain) == (code, True), ended.err
        assert f"portal.yml lists mwbe.csv, which is not in {place.served}" in ended.message
    assert digest(place.warehouse) == before


def test_debug_shows_the_traceback(tmp_path: Path) -> None:
    ended = Place(tmp_path / "data", SAMPLE).civic("--debug", "status")
    assert ended.code == 1
    assert "Traceback" in ended.err
    assert "WarehouseMissing" in ended.err
