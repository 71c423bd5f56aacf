"""Failures of portals: the error names the source, the response and the fix, and nothing incomplete is stored."""

import itertools
import json
import re
import shutil
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pandas as pd
import pytest
from terminal import Place, edit, files_of, serve

from civic_pipeline.catalog import load_datasets
from civic_pipeline.demo import DemoPortals
from civic_pipeline.errors import (
    AnswerUnreadable,
    CaptureNotVerified,
    CivicError,
    PortalOverloaded,
    PortalRefused,
    PortalUnreachable,
    SchemaDrifted,
    SourceEmpty,
    SourceNotFound,
)
from civic_pipeline.lake import Lake, attempt_capture, capture
from civic_pipeline.portals import Access, http
from civic_pipeline.settings import CHECKOUT

CATALOG = load_datasets(CHECKOUT)
SOCRATA, ARCGIS = "maryland/mbe_directory", "baltimore/spending"
EDITION = {ARCGIS: {"edition": "fy2022-"}}  # its other editions are inferred


def refused(place: Place, name: str, access: Access) -> CivicError:
    """The error of a capture of `name`. Asserts that nothing was stored and the accepted capture stays in use."""
    lake = Lake(place.data / "lake")
    before, accepted = files_of(lake.folder / name), lake.accepted(name)
    with pytest.raises(CivicError) as caught:
        capture(name, CATALOG[name], lake, access)
    assert files_of(lake.folder / name) == before
    assert accepted is not None
    attempt = attempt_capture(name, CATALOG[name], lake, access)
    assert (attempt.status, attempt.capture_id, attempt.problem) == ("failed", accepted.capture_id, str(caught.value))
    return caught.value


@contextmanager
def portal(answer: Callable[[str], tuple[int, str, str]]) -> Iterator[Access]:
    """A web server. `answer` gives the status, content type and body for a path."""

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
    """Retries without pauses."""
    monkeypatch.setattr(http, "pause", lambda _: None)


@pytest.mark.parametrize("name", [SOCRATA, ARCGIS])
@pytest.mark.usefixtures("impatient")
def test_a_portal_that_does_not_respond(place: Place, name: str) -> None:
    with socket.socket() as closed:  # bound, never listening: every connection is refused
        closed.bind(("127.0.0.1", 0))
        address = f"http://127.0.0.1:{closed.getsockname()[1]}"
        error = refused(place, name, Access(root=address, socrata_token="any"))
    assert isinstance(error, PortalUnreachable)
    assert re.search(rf"^{address}/\S+ could not be reached: .*[Rr]efused", str(error))


PAGE = "<!doctype html><html><head><title>Open Baltimore</title></head><body>Welcome</body></html>"
ANSWERS: dict[str, tuple[int, str, str, type[CivicError], str]] = {
    "a page instead of data": (
        200,
        "text/html",
        PAGE,
        AnswerUnreadable,
        "returned an HTML page titled 'Open Baltimore'; expected JSON",
    ),
    "a page that says not found": (
        404,
        "text/html",
        PAGE,
        SourceNotFound,
        "was not found at .*an HTML page titled 'Open Baltimore'",
    ),
    "a truncated response": (200, "application/json", '{"columns": [', AnswerUnreadable, "broken JSON"),
    "an empty response": (200, "application/json", "", AnswerUnreadable, "an empty body"),
    "a refusal": (403, "application/json", '{"message": "You need a key"}', PortalRefused, "403.*You need a key"),
    "a server in trouble": (503, "text/plain", "down", PortalUnreachable, "HTTP 503"),
}


@pytest.mark.parametrize("case", ANSWERS)
@pytest.mark.parametrize("name", [SOCRATA, ARCGIS])
@pytest.mark.usefixtures("impatient")
def test_a_portal_that_returns_something_else(place: Place, name: str, case: str) -> None:
    status, kind, body, wanted, message = ANSWERS[case]
    with portal(lambda _: (status, kind, body)) as access:
        error = refused(place, name, access)
    # For ArcGIS, an item without access is an item that does not exist.
    assert isinstance(error, (wanted, SourceNotFound) if (case, name) == ("a refusal", ARCGIS) else wanted)
    assert re.search(message, str(error)), str(error)


@pytest.mark.slow
def test_an_error_inside_http_200(place: Place) -> None:
    with portal(
        lambda _: (200, "application/json", json.dumps({"error": True, "message": "Query timed out"}))
    ) as access:
        error = refused(place, SOCRATA, access)
    assert isinstance(error, PortalOverloaded)
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
def test_an_id_that_the_portal_does_not_have(place: Place, name: str, tmp_path: Path) -> None:
    other = next(dataset for dataset in (SOCRATA, ARCGIS) if dataset != name)
    file = f"{other.split('/')[1]}.csv"
    folder = tmp_path / "only_the_other"
    folder.mkdir()
    shutil.copyfile(place.served / file, folder / file)
    with DemoPortals(serve(folder, {"file": file, "dataset": other} | EDITION.get(other, {}))) as portals:
        error = refused(place, name, Access(root=portals.url, socrata_token="any"))
    assert isinstance(error, SourceNotFound)
    source = CATALOG[name].edition(EDITION.get(name, {}).get("edition")).source
    assert getattr(source, "id" if name == SOCRATA else "item") in str(error)
    assert "correct `source` in defs.yaml" in str(error)


def header(change: Callable[[list[str]], list[str]]) -> Callable[[str], str]:
    def changed(text: str) -> str:
        first, rest = text.split("\n", 1)
        return ",".join(change(first.split(","))) + "\n" + rest

    return changed


CHANGES: dict[str, tuple[str, Callable[[str], str], type[CivicError], str]] = {
    "a layer without rows": (ARCGIS, lambda text: text.split("\n", 1)[0] + "\n", SourceEmpty, "counts 0 rows"),
    "a dataset without rows": (SOCRATA, lambda text: text.split("\n", 1)[0] + "\n", SourceEmpty, "counts 0 rows"),
    "a renamed column of a layer": (
        ARCGIS, header(lambda names: ["Payment_Amount_part" if name == "Payment_Amount_split" else name for name in names]), SchemaDrifted,
        r"missing columns: Payment_Amount_split\).*New columns with similar names: Payment_Amount_part\.",
    ),
    "a renamed column of a dataset": (
        SOCRATA, header(lambda names: ["naics" if name == "naics_code" else name for name in names]), SchemaDrifted,
        r"missing columns: naics_code\).*New columns with similar names: naics\.",
    ),
}  # fmt: skip


@pytest.mark.parametrize("case", CHANGES)
def test_a_source_with_a_changed_schema(place: Place, case: str) -> None:
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
        (ARCGIS, "Check_Number", "number", r"Check_Number \(text -> Integer\)"),
        (SOCRATA, "zip", "number", r"zip \(text -> number\)"),
    ],
)
def test_a_column_of_another_type(place: Place, name: str, column: str, kind: str, change: str) -> None:
    file = f"{name.split('/')[1]}.csv"
    serve(place.served, {"file": file, "dataset": name, "types": {column: kind}} | EDITION.get(name, {}))
    with DemoPortals(place.served) as portals:
        error = refused(place, name, Access(root=portals.url, socrata_token="any"))
    assert isinstance(error, SchemaDrifted)
    assert re.search(rf"changed types: {change}", str(error)), str(error)


def test_a_missing_column_without_a_similar_one(place: Place) -> None:
    file = place.served / "mbe_directory.csv"
    pd.read_csv(file, dtype="str").drop(columns="certification_number").to_csv(file, index=False)
    with DemoPortals(place.served) as portals:
        error = refused(place, SOCRATA, Access(root=portals.url, socrata_token="any"))
    assert isinstance(error, SchemaDrifted)
    assert "missing columns: certification_number)." in str(error)
    assert "similar names" not in str(error)


def test_rows_that_change_during_the_read(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    from civic_pipeline.portals import ArcgisLayer

    counts = itertools.cycle([600, 601])
    monkeypatch.setattr(ArcgisLayer, "count", lambda _: next(counts))
    edit(place.served / "spending.csv", "Police", "Police Department", 1)  # otherwise the source would be unchanged
    with DemoPortals(place.served) as portals:
        error = refused(place, ARCGIS, Access(root=portals.url, socrata_token="any"))
    assert isinstance(error, CaptureNotVerified)
    assert "counted 600 rows before the read and 601 after it" in str(error)
