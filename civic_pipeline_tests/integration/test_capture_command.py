"""`civic capture`: an address becomes a folder with a verified Parquet file, or nothing is written."""

import json
import signal
from collections.abc import Iterator
from pathlib import Path

import pyarrow.parquet as pq
import pytest
from terminal import Ended, Place, digest

from civic_pipeline.lake import Manifest

WARDS = "Ward,Opened,Name\n" + "".join(f"{n:03},2026-01-{1 + n % 28:02},Ward {n}\n" for n in range(1, 1501))


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Place, list[str]]]:
    """Demo portals that serve one file, and the addresses that they print."""
    folder = tmp_path_factory.mktemp("wards")
    (folder / "wards.csv").write_text(WARDS, encoding="utf-8")
    place = Place(folder / "data", folder)
    process = place.start("demo", "serve", "--folder", str(folder), "--port", "0")
    try:
        assert process.stdout is not None
        urls = []
        for line in process.stdout:
            if line.startswith(b"Serving on "):
                break
            urls += [word for word in line.decode().split() if word.startswith("http://")]
        yield place, urls
    finally:
        process.send_signal(signal.SIGINT)
        process.communicate(timeout=60)


def capture(place: Place, url: str, out: Path, *options: str) -> Ended:
    return place.civic("capture", url, "--out", str(out), *options)


def addresses(urls: list[str]) -> dict[str, str]:
    """All addresses that a user can copy for the file."""
    socrata = next(url for url in urls if "/resource/" in url)
    layer = next(url for url in urls if "/FeatureServer/" in url)
    explore = next((url for url in urls if "/explore/" in url), None)
    file = next((url for url in urls if "/files/" in url), None)
    host, dataset_id = socrata.split("/resource/")
    copies = {
        "rows": socrata, "page": f"{host}/City/Wards/{dataset_id.removesuffix('.json')}", "layer": layer,
        "service": layer.rpartition("/")[0], "query": f"{layer}/query?where=1%3D1&f=json", "explore": explore, "file": file,
    }  # fmt: skip
    return {kind: url for kind, url in copies.items() if url}


@pytest.mark.parametrize("kind", ["rows", "page", "layer", "service", "query", "explore", "file"])
def test_an_address_becomes_a_verified_file(served: tuple[Place, list[str]], kind: str, tmp_path: Path) -> None:
    place, urls = served
    url = addresses(urls).get(kind)
    assert url, f"`civic demo serve` prints no {kind}"
    ended = capture(place, url, tmp_path / "out" / "wards", "--allow-private-hosts")
    assert ended.code == 0, ended.err
    assert {path.name for path in (tmp_path / "out").iterdir()} == {"wards"}  # nothing else is left
    manifest = Manifest.model_validate_json((tmp_path / "out" / "wards" / "manifest.json").read_text(encoding="utf-8"))
    (part,) = manifest.parts
    file = tmp_path / "out" / "wards" / part.file
    assert {path.name for path in file.parent.iterdir()} == {part.file, "manifest.json"}
    assert (part.counted, part.landed, digest(file)) == (1500, 1500, part.sha256)
    assert pq.read_metadata(file).num_rows == 1500
    assert part.reference_system is None, "it has no geometries"
    assert "1,500 rows captured" in ended.out
    assert "verified  1,500 counted = 1,500 landed" in ended.out
    assert str(file) in ended.out
    for column in part.columns:
        assert any(column.name in line and column.portal_type in line for line in ended.out.splitlines())


def test_a_file_of_this_machine_needs_no_portal(served: tuple[Place, list[str]], tmp_path: Path) -> None:
    place, _ = served
    ended = capture(place, str(place.served / "wards.csv"), tmp_path / "out")
    assert ended.code == 0, ended.err
    assert pq.read_table(tmp_path / "out" / "part.parquet")["Ward"][0].as_py() == "001"


def test_a_private_host_is_an_error_unless_it_is_allowed(served: tuple[Place, list[str]], tmp_path: Path) -> None:
    place, urls = served
    for url in addresses(urls).values():
        refused = capture(place, url, tmp_path / "out")
        assert (refused.code, refused.is_plain) == (2, True)
        assert "--allow-private-hosts" in refused.message
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("pasted", ["payments", "https://data.town.gov/", "ftp://town.gov/x.csv"])
def test_wrong_input_is_one_message(served: tuple[Place, list[str]], pasted: str, tmp_path: Path) -> None:
    place, _ = served
    refused = capture(place, pasted, tmp_path / "out")
    assert (refused.code, refused.is_plain) == (2, True)
    assert "Use one of these" in refused.message
    assert not (tmp_path / "out").exists()


def test_a_folder_that_is_not_empty_is_not_changed(served: tuple[Place, list[str]], tmp_path: Path) -> None:
    place, urls = served
    (tmp_path / "manifest.json").write_text(json.dumps({"mine": 1}), encoding="utf-8")
    refused = capture(place, addresses(urls)["rows"], tmp_path, "--allow-private-hosts")
    assert (refused.code, refused.is_plain) == (2, True)
    assert "manifest.json already exists" in refused.message
    assert [path.name for path in tmp_path.iterdir()] == ["manifest.json"]


def test_an_unknown_dataset_leaves_no_files(served: tuple[Place, list[str]], tmp_path: Path) -> None:
    place, urls = served
    host = addresses(urls)["rows"].split("/resource/")[0]
    failed = capture(place, f"{host}/d/aaaa-0000", tmp_path / "out", "--allow-private-hosts")
    assert (failed.code, failed.is_plain) == (1, True)
    assert "aaaa-0000" in failed.message
    assert list(tmp_path.iterdir()) == []
