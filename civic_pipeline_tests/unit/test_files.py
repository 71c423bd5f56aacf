"""Where files are, whether they changed, and what a web server may send instead. No sockets: an adapter answers from memory."""

import gzip
import io
from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Any

import dagster as dg
import pytest
import requests
from pydantic import ValidationError
from reading import broken, here, read, rows
from requests.adapters import BaseAdapter

from civic_pipeline.catalog import Dataset, FileSource
from civic_pipeline.components import PortalDataset
from civic_pipeline.errors import AnswerUnreadable, CivicError, FileUnreadable, PortalUnreachable, SourceNotFound
from civic_pipeline.portals import Access, growth, http
from civic_pipeline.portals.files import FileDataset
from civic_pipeline.portals.http import TRIES

URL = "https://data.town.gov/files/payments.csv"
TEXT = b'a,b\r\n1,"two\r\nlines"\r\n,x\r\n'


@pytest.fixture(autouse=True)
def _no_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(http, "pause", lambda _: None)


# gzip


def test_a_file_in_gzip_is_told_by_its_bytes(tmp_path: Path) -> None:
    assert [row["a"] for row in rows(here(tmp_path, gzip.compress(TEXT), "payments.csv"), tmp_path)[:2]] == ["1", None]


def test_a_damaged_gzip_is_no_file(tmp_path: Path) -> None:
    packed = gzip.compress(b"a\n" + b"".join(b"%d\n" % n**3 for n in range(500)))
    for content in (packed[: len(packed) // 2], packed[:-1], packed[:100] + b"\0\0\0" + packed[103:]):
        assert "a damaged one" in broken(tmp_path, content, AnswerUnreadable)


def test_a_file_made_to_fill_the_disk_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(growth, "FREE_BYTES", 1 << 20)
    bomb = gzip.compress(b"a,b\n" + b"0,0\n" * (1 << 21))
    assert len(bomb) * 100 < 1 << 23, "it grows by more than it may"
    assert "grows 100 times as large and beyond" in broken(tmp_path, bomb, FileUnreadable)
    table = b"a,b\n" + b"".join(b"%d,%d\n" % (n, n**3) for n in range(100_000))
    assert len(table) > 1 << 20
    assert len(rows(here(tmp_path, gzip.compress(table), "table.csv"), tmp_path)) == 100_000


# What is no data at all


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (b"<!DOCTYPE html><html><title>Sign in</title></html>", "an HTML page"),
        (b"\n <html>", "an HTML page"),
        (b"<?xml version='1.0'?><rss/>", "a document of markup"),
        (b"", "nothing, not a byte"),
        (b"\n \n", "nothing, not a byte"),
    ],
)
def test_a_page_where_a_file_was_due_is_no_table(tmp_path: Path, content: bytes, told: str) -> None:
    assert told in broken(tmp_path, content, AnswerUnreadable)


# Where files may be


@pytest.mark.parametrize("url", ["https://data.town.gov/a%20b.csv?x=1", "data/files/wards.csv", "wards.csv"])
def test_a_dataset_names_a_file_of_the_web_or_of_the_project(url: str) -> None:
    assert FileSource(portal="file", url=url, recorded=date(2026, 1, 1)).url == url


@pytest.mark.parametrize(
    "url",
    [
        "/etc/passwd", "../other/x.csv", "data/../../x.csv", "~/x.csv", "file:///etc/passwd", "http://data.town.gov/x.csv",
        "C:\\x.csv", "\\\\host\\x.csv", "data\\..\\x.csv", "./x.csv", "data//x.csv", "", "https://user:word@host/x.csv", "https://host",
    ],
)  # fmt: skip
def test_no_dataset_leads_out_of_the_project(url: str) -> None:
    with pytest.raises(ValidationError):
        FileSource(portal="file", url=url, recorded=date(2026, 1, 1))


def test_a_link_does_not_lead_out_of_the_project_either(tmp_path: Path) -> None:
    project = tmp_path / "project"
    project.mkdir()
    (tmp_path / "secret.csv").write_text("a\n1\n")
    (project / "inside.csv").write_text("a\n1\n")
    (project / "out.csv").symlink_to(tmp_path / "secret.csv")

    def source(url: str) -> FileDataset:
        return FileDataset(FileSource(portal="file", url=url, recorded=date(2026, 1, 1)), Access(project=project))

    assert source("inside.csv").count() == 1
    assert source("inside.csv").describe().url == "inside.csv"
    with pytest.raises(SourceNotFound, match="leads out of the project"):
        source("out.csv").describe()
    with pytest.raises(SourceNotFound, match="there is no such file"):
        source("missing.csv").describe()


def test_an_encoding_that_is_none_is_a_mistake() -> None:
    with pytest.raises(ValidationError):
        FileSource(portal="file", url="x.csv", encoding="latin-one", recorded=date(2026, 1, 1))


@pytest.mark.parametrize(
    ("source", "pool", "reference"),
    [
        ({"portal": "file", "url": "https://data.town.gov/a.csv"}, "portal_data_town_gov", "https://data.town.gov/a.csv"),
        ({"portal": "file", "url": "data/a.csv"}, "portal_disk", "data/a.csv"),
        ({"portal": "opendatasoft", "domain": "data.town.gov", "id": "stops"}, "portal_data_town_gov", "data.town.gov stops"),
    ],
)  # fmt: skip
def test_captures_from_one_host_take_turns(source: dict[str, str], pool: str, reference: str) -> None:
    dataset = Dataset.model_validate({
        "title": "Stops", "publisher": "The town", "subject": "shared", "licence": "not stated", "description": "Stops.", "cadence": "irregular", "key": [],
        "source": {**source, "recorded": "2026-01-01"}, "columns": {"a": "text"}, "volume": {"shrink_at_most": "0%"},
    })  # fmt: skip
    (asset,) = PortalDataset("town/stops", dataset).build_defs(None).assets or ()
    assert isinstance(asset, dg.AssetsDefinition)
    assert asset.op.pool == pool
    assert asset.metadata_by_key[asset.key]["reference"] == reference


# Freshness


def test_a_file_on_disk_is_known_by_its_bytes(tmp_path: Path) -> None:
    file = here(tmp_path, b"a\n1\n")
    first = file.describe()
    (tmp_path / "a file").touch()
    assert file.describe() == first
    assert here(tmp_path, b"a\n1\n").describe().freshness == first.freshness
    (tmp_path / "a file").write_bytes(b"a\n1\n2\n")
    assert file.describe().freshness != first.freshness
    assert file.count() == 2


Served = tuple[int, bytes, dict[str, str]]


class Web(BaseAdapter):
    """A web server in memory: what `answer` gives to a request's headers."""

    def __init__(self, answer: Callable[[requests.PreparedRequest], Served]) -> None:
        super().__init__()
        self.answer, self.asked = answer, list[requests.PreparedRequest]()

    def send(self, request: requests.PreparedRequest, **_: Any) -> requests.Response:
        self.asked.append(request)
        response = requests.Response()
        response.status_code, body, headers = self.answer(request)
        response.raw, response.url = io.BytesIO(body), str(request.url)
        response.headers.update(headers)
        return response

    def close(self) -> None: ...


def on_web(answer: Callable[[requests.PreparedRequest], Served]) -> tuple[FileDataset, Web]:
    file, web = FileDataset(FileSource(portal="file", url=URL, recorded=date(2026, 1, 1)), Access()), Web(answer)
    file._session.mount("https://", web)
    return file, web


@pytest.mark.parametrize(("name", "asks"), [("ETag", "If-None-Match"), ("Last-Modified", "If-Modified-Since")])
def test_what_a_server_says_of_a_file_saves_the_second_download(tmp_path: Path, name: str, asks: str) -> None:
    def answer(request: requests.PreparedRequest) -> Served:
        return (304, b"", {}) if request.headers.get(asks) == "mark" else (200, b"a\n1\n", {name: "mark"})

    file, web = on_web(answer)
    first = file.describe()
    assert read(file, tmp_path).num_rows == 1
    assert file.describe() == first
    assert file.traffic.bytes == 4
    assert len(web.asked) == 3


def test_a_server_that_says_nothing_is_asked_for_the_file_again(tmp_path: Path) -> None:
    contents = [b"a\n1\n", b"a\n1\n", b"a\n1\n2\n"]
    file, _ = on_web(lambda _: (200, contents.pop(0), {}))
    first, held = file.describe(), file._held
    assert file.describe() == first
    assert file._held is held
    assert file.describe().freshness != first.freshness
    assert read_without_asking(file, tmp_path) == 2


def read_without_asking(file: FileDataset, spool: Path) -> int:
    assert file._held is not None
    return sum(page.num_rows for page in file._held.table.read(spool, False))


def test_a_mark_that_changes_without_the_bytes_is_no_change() -> None:
    marks = iter("abc")
    file, _ = on_web(lambda _: (200, b"a\n1\n", {"ETag": next(marks)}))
    assert file.describe() == file.describe()


@pytest.mark.parametrize(
    "damaged", [b"", b"<html>", gzip.compress(TEXT * 50)[:-9]], ids=["nothing", "a page", "half a file"]
)
def test_what_may_pass_is_asked_for_again(tmp_path: Path, damaged: bytes) -> None:
    contents = [damaged, damaged, TEXT]
    file, web = on_web(lambda _: (200, contents.pop(0), {"ETag": "x"} if not contents else {}))
    file.describe()
    assert file.count() == 2
    assert (len(web.asked), file.traffic.retries) == (3, 2)


@pytest.mark.parametrize(
    ("served", "error"),
    [
        ((200, b"<html>", {}), AnswerUnreadable),
        ((404, b"", {}), SourceNotFound),
        ((503, b"", {}), PortalUnreachable),
    ],
)
def test_what_does_not_pass_is_said_at_last(served: Served, error: type[CivicError]) -> None:
    file, web = on_web(lambda _: served)
    with pytest.raises(error, match=URL):
        file.describe()
    assert len(web.asked) == (1 if error is SourceNotFound else TRIES)


def test_a_broken_file_is_not_asked_for_again() -> None:
    file, web = on_web(lambda _: (200, b"a,b\n1\n", {}))
    with pytest.raises(FileUnreadable):
        file.describe()
    assert len(web.asked) == 1


def test_nothing_is_left_behind(tmp_path: Path) -> None:
    file, _ = on_web(lambda _: (200, gzip.compress(TEXT), {}))
    read(file, tmp_path)
    folder = file._folder
    assert folder is not None
    assert folder.is_dir()
    del file
    assert not folder.exists()
