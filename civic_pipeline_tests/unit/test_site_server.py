"""`civic site serve`: what a reader's browser receives."""

from pathlib import Path

import pytest
from starlette.testclient import TestClient

from civic_pipeline.errors import SiteMissing
from civic_pipeline.publish.site.server import application


@pytest.fixture
def client(tmp_path: Path) -> TestClient:
    (tmp_path / "files").mkdir()
    (tmp_path / "manifest.json").write_text("{}")
    (tmp_path / "index.html").write_text("first page")
    (tmp_path / "files" / "rows.parquet").write_bytes(b"0123456789")
    return TestClient(application(tmp_path))


def test_a_range_is_answered_with_that_range(client: TestClient) -> None:
    answer = client.get("/files/rows.parquet", headers={"range": "bytes=2-4"})
    assert (answer.status_code, answer.content, answer.headers["content-range"]) == (206, b"234", "bytes 2-4/10")


def test_headers_are_strict_and_only_unchanging_files_are_kept(client: TestClient) -> None:
    page, file = client.get("/"), client.get("/files/rows.parquet")
    assert page.text == "first page"
    assert page.headers["content-security-policy"].startswith(
        "default-src 'self'; script-src 'self' 'wasm-unsafe-eval'"
    )
    assert page.headers["x-content-type-options"] == "nosniff"
    assert page.headers["cache-control"] == "no-cache"
    assert "immutable" in file.headers["cache-control"]


def test_texts_are_compressed_and_ranges_are_those_of_the_file(tmp_path: Path, client: TestClient) -> None:
    (tmp_path / "index.html").write_text("words " * 1000)
    (tmp_path / "files" / "rows.parquet").write_bytes(b"0123456789" * 1000)
    page = client.get("/")
    assert (page.headers["content-encoding"], page.text) == ("gzip", "words " * 1000)
    assert page.headers["content-security-policy"]
    for headers in ({}, {"range": "bytes=2-4"}):
        answer = client.get("/files/rows.parquet", headers=headers)
        assert "content-encoding" not in answer.headers
        assert answer.headers["content-length"] == ("3" if headers else "10000")


def test_nothing_outside_of_the_site_is_served(client: TestClient) -> None:
    assert client.get("/..%2f..%2fetc/passwd").status_code == 404


def test_without_a_site_it_says_how_to_make_one(tmp_path: Path) -> None:
    with pytest.raises(SiteMissing, match="civic site build"):
        application(tmp_path)
