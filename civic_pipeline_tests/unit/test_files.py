"""Files on the web and on disk: location, changes, other content. No sockets: an adapter sends responses from memory."""

import errno
import gzip
import io
import tempfile
from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Any

import pytest
import requests
from pydantic import ValidationError
from reading import broken, here, read, rows
from requests.adapters import BaseAdapter

from civic_pipeline.catalog import Dataset, FileSource
from civic_pipeline.components.dagster_terms import reference
from civic_pipeline.errors import (
    AnswerUnreadable,
    CivicError,
    DiskFull,
    FileUnreadable,
    PortalUnreachable,
    SourceNotFound,
)
from civic_pipeline.lake.attempts import host_of
from civic_pipeline.lake.landing import Landing, land
from civic_pipeline.portals import Access, decompression_limit, http
from civic_pipeline.portals.files import FileDataset
from civic_pipeline.portals.http import TRIES

URL = "https://data.town.gov/files/payments.csv"
TEXT = b'a,b\r\n1,"two\r\nlines"\r\n,x\r\n'


@pytest.fixture(autouse=True)
def _no_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(http, "pause", lambda _: None)


def test_a_full_folder_for_temporary_files_is_named_and_not_that_of_the_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr("civic_pipeline.portals.files.open_csv", full)
    with pytest.raises(DiskFull, match=f"^The disk of {tempfile.gettempdir()}/civic-"):
        here(tmp_path, TEXT, "payments.csv").describe()


# gzip


def test_a_gzip_file_is_detected_by_its_content(tmp_path: Path) -> None:
    assert [row["a"] for row in rows(here(tmp_path, gzip.compress(TEXT), "payments.csv"), tmp_path)[:2]] == ["1", None]


def test_a_damaged_gzip_file_is_an_error(tmp_path: Path) -> None:
    packed = gzip.compress(b"a\n" + b"".join(b"%d\n" % n**3 for n in range(500)))
    for content in (packed[: len(packed) // 2], packed[:-1], packed[:100] + b"\0\0\0" + packed[103:]):
        assert "a damaged gzip file" in broken(tmp_path, content, FileUnreadable)


def test_a_decompression_bomb_is_an_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(decompression_limit, "ALWAYS_ALLOWED_BYTES", 1 << 20)
    bomb = gzip.compress(b"a,b\n" + b"0,0\n" * (1 << 21))
    assert len(bomb) * 100 < 1 << 23, "its ratio is above the limit"
    assert "expands to more than 100 times its compressed size" in broken(tmp_path, bomb, FileUnreadable)
    table = b"a,b\n" + b"".join(b"%d,%d\n" % (n, n**3) for n in range(100_000))
    assert len(table) > 1 << 20
    assert len(rows(here(tmp_path, gzip.compress(table), "table.csv"), tmp_path)) == 100_000


# Content that is not data


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"<!DOCTYPE html><html><title>Sign in</title></html>", "an HTML page"),
        (b"\n <html>", "an HTML page"),
        (b"<?xml version='1.0'?><rss/>", "a markup document"),
        (b"", "it is an empty file"),
        (b"\n \n", "it is an empty file"),
    ],
)
def test_a_web_page_instead_of_a_file_is_an_error(tmp_path: Path, content: bytes, message: str) -> None:
    message_of = broken(tmp_path, content, FileUnreadable)
    assert message in message_of
    assert "defs.yaml" not in message_of, "no portal answered"


# Allowed locations


@pytest.mark.parametrize("url", ["https://data.town.gov/a%20b.csv?page=1", "data/files/wards.csv", "wards.csv"])
def test_a_source_is_a_file_on_the_web_or_in_the_project(url: str) -> None:
    assert FileSource(portal="file", url=url, recorded=date(2026, 1, 1)).url == url


@pytest.mark.parametrize(
    "url",
    [
        "/etc/passwd", "../other/x.csv", "data/../../x.csv", "~/x.csv", "file:///etc/passwd", "http://data.town.gov/x.csv",
        "C:\\x.csv", "\\\\host\\x.csv", "data\\..\\x.csv", "./x.csv", "data//x.csv", "", "https://user:word@host/x.csv", "https://host",
    ],
)  # fmt: skip
def test_a_path_outside_the_project_is_an_error(url: str) -> None:
    with pytest.raises(ValidationError):
        FileSource(portal="file", url=url, recorded=date(2026, 1, 1))


def test_a_link_that_leads_outside_the_project_is_an_error(tmp_path: Path) -> None:
    project = tmp_path / "project"
    project.mkdir()
    (tmp_path / "secret.csv").write_text("a\n1\n")
    (project / "inside.csv").write_text("a\n1\n")
    (project / "out.csv").symlink_to(tmp_path / "secret.csv")

    def source(url: str) -> FileDataset:
        return FileDataset(FileSource(portal="file", url=url, recorded=date(2026, 1, 1)), Access(project=project))

    assert source("inside.csv").count() == 1
    assert source("inside.csv").describe().url == "inside.csv"
    with pytest.raises(SourceNotFound, match="leads outside the project"):
        source("out.csv").describe()
    with pytest.raises(SourceNotFound, match="there is no such file"):
        source("missing.csv").describe()


def test_an_unknown_encoding_is_an_error() -> None:
    with pytest.raises(ValidationError):
        FileSource(portal="file", url="x.csv", encoding="latin-one", recorded=date(2026, 1, 1))


@pytest.mark.parametrize(
    ("source", "host", "link"),
    [
        ({"portal": "file", "url": "https://data.town.gov/a.csv"}, "data.town.gov", "https://data.town.gov/a.csv"),
        ({"portal": "file", "url": "data/a.csv"}, "disk", "data/a.csv"),
        ({"portal": "opendatasoft", "domain": "data.town.gov", "id": "stops"}, "data.town.gov", "data.town.gov stops"),
    ],
)
def test_captures_from_one_host_take_turns(source: dict[str, str], host: str, link: str) -> None:
    dataset = Dataset.model_validate({
        "title": "Stops", "publisher": "The town", "subject": "shared", "licence": "not stated", "description": "Stops.", "cadence": "irregular", "key": [],
        "source": {**source, "recorded": "2026-01-01"}, "columns": {"a": "text"}, "volume": {"shrink_at_most": "0%"},
    })  # fmt: skip
    assert host_of(dataset.source) == host
    assert reference(dataset.source) == link


# Freshness


def test_a_file_on_disk_is_identified_by_its_content(tmp_path: Path) -> None:
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
    """A web server in memory; `answer` gives the response to a request."""

    def __init__(self, answer: Callable[[requests.PreparedRequest], Served]) -> None:
        super().__init__()
        self.answer, self.requests = answer, list[requests.PreparedRequest]()

    def send(self, request: requests.PreparedRequest, **_: Any) -> requests.Response:
        self.requests.append(request)
        response = requests.Response()
        response.status_code, body, headers = self.answer(request)
        response.raw, response.url = io.BytesIO(body), str(request.url)
        response.headers.update(headers)
        response.request = request
        return response

    def close(self) -> None: ...


def on_web(answer: Callable[[requests.PreparedRequest], Served]) -> tuple[FileDataset, Web]:
    file, web = FileDataset(FileSource(portal="file", url=URL, recorded=date(2026, 1, 1)), Access()), Web(answer)
    file._session.mount("https://", web)
    return file, web


@pytest.mark.parametrize(("name", "condition"), [("ETag", "If-None-Match"), ("Last-Modified", "If-Modified-Since")])
def test_a_validator_avoids_the_second_download(tmp_path: Path, name: str, condition: str) -> None:
    def answer(request: requests.PreparedRequest) -> Served:
        return (304, b"", {}) if request.headers.get(condition) == "mark" else (200, b"a\n1\n", {name: "mark"})

    file, web = on_web(answer)
    first = file.describe()
    assert read(file, tmp_path).num_rows == 1
    assert file.describe() == first
    assert file.traffic.bytes == 4
    assert len(web.requests) == 3


def test_without_a_validator_the_file_is_downloaded_again(tmp_path: Path) -> None:
    contents = [b"a\n1\n", b"a\n1\n", b"a\n1\n2\n"]
    file, _ = on_web(lambda _: (200, contents.pop(0), {}))
    first, current = file.describe(), file._current
    assert file.describe() == first
    assert file._current is current
    assert file.describe().freshness != first.freshness
    assert read_without_request(file, tmp_path) == 2


def read_without_request(file: FileDataset, spool: Path) -> int:
    assert file._current is not None
    return sum(page.num_rows for page in file._current.table.read(spool, False))


def test_a_new_validator_for_the_same_content_is_not_a_change() -> None:
    marks = iter("abc")
    file, _ = on_web(lambda _: (200, b"a\n1\n", {"ETag": next(marks)}))
    assert file.describe() == file.describe()


@pytest.mark.parametrize(
    "damaged", [b"", b"<html>", gzip.compress(TEXT * 50)[:-9]], ids=["nothing", "a page", "half a file"]
)
def test_a_temporary_failure_is_retried(tmp_path: Path, damaged: bytes) -> None:
    contents = [damaged, damaged, TEXT]
    file, web = on_web(lambda _: (200, contents.pop(0), {"ETag": "x"} if not contents else {}))
    file.describe()
    assert file.count() == 2
    assert (len(web.requests), file.traffic.retries) == (3, 2)


@pytest.mark.parametrize(
    ("served", "error"),
    [
        ((200, b"<html>", {}), AnswerUnreadable),
        ((404, b"", {}), SourceNotFound),
        ((503, b"", {}), PortalUnreachable),
    ],
)
def test_a_lasting_failure_is_an_error_after_the_last_try(served: Served, error: type[CivicError]) -> None:
    file, web = on_web(lambda _: served)
    with pytest.raises(error, match=URL):
        file.describe()
    assert len(web.requests) == (1 if error is SourceNotFound else TRIES)


def test_the_manifest_has_the_address_that_was_asked_and_where_a_redirect_led(tmp_path: Path) -> None:
    """Without parameters: an export of a Hub leads to a signed address of a file store."""

    def answer(request: requests.PreparedRequest) -> Served:
        if request.url == URL:
            return 302, b"", {"Location": "https://store.example/a.csv?signature=secret"}
        return 200, b"a\n1\n", {}

    file, _ = on_web(answer)
    part = land(Landing("town/a", None, tmp_path, lambda _: None), file, file.describe(), 1)
    assert (part.url, part.answered_from) == (URL, "https://store.example/a.csv")
    direct, _ = on_web(lambda _: (200, b"a\n1\n", {}))
    assert direct.describe().answered_from is None


def test_an_invalid_file_is_not_downloaded_again() -> None:
    file, web = on_web(lambda _: (200, b"a,b\n1\n", {}))
    with pytest.raises(FileUnreadable):
        file.describe()
    assert len(web.requests) == 1


def test_the_temporary_folder_is_removed_with_the_object(tmp_path: Path) -> None:
    file, _ = on_web(lambda _: (200, gzip.compress(TEXT), {}))
    read(file, tmp_path)
    assert file._folder is not None
    folder = file._folder.path
    assert folder.is_dir()
    del file
    assert not folder.exists()
