"""Names that would lead out of their folder, or mean more than a name in SQL: each refused with one clear message."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import duckdb
import pytest
import yaml
from click.testing import CliRunner
from tiny_project import TinyProject

from civic_pipeline.catalog import Dataset, FileSource, load_datasets, read_yaml
from civic_pipeline.cli.commands import cli
from civic_pipeline.demo.folder import read_folder
from civic_pipeline.demo.portal_file import DemoFolderError
from civic_pipeline.errors import CaptureDamaged, FileInvalid, SourceNotFound
from civic_pipeline.lake.manifest import MANIFEST
from civic_pipeline.portals import Access, Description
from civic_pipeline.portals.files import FileDataset
from civic_pipeline.scaffold.trial import slug
from civic_pipeline.settings import CHECKOUT, Settings

NO_NAMES = ["x'; drop table y --", 'x"y', "a b", "a.b", "a-b", "Ä", "A", "x\ny", "..."]
LEADS_OUT = ["../other.parquet", "../../../../etc/passwd", "/etc/passwd", "sub/part.parquet", "..", ".", ""]


@pytest.mark.parametrize("name", NO_NAMES)
@pytest.mark.parametrize("place", ["{}/spending", "baltimore/{}"])
def test_a_folder_of_the_catalog_is_a_name_of_a_table(place: str, name: str, project: Settings) -> None:
    defs = project.root / "civic_pipeline" / "defs"
    folder = defs / place.format(name)
    folder.mkdir(parents=True)
    (folder / "defs.yaml").write_text(
        (defs / "baltimore/budget/defs.yaml").read_text(encoding="utf-8"), encoding="utf-8"
    )
    with pytest.raises(FileInvalid, match="is not a valid table name"):
        load_datasets(project.root)


@pytest.mark.parametrize("name", NO_NAMES)
def test_a_model_or_a_seed_has_the_name_of_a_table(name: str, tiny: TinyProject) -> None:
    seed = tiny.write(f"data/seeds/{name}.csv", "a,b\n1,2\n")
    with pytest.raises(FileInvalid, match="is not a valid table name"):
        tiny.models()
    seed.unlink()
    for kind in ("sql", "yml"):
        (tiny.settings.root / f"sql/marts/spending/mart_months.{kind}").rename(
            tiny.settings.root / f"sql/marts/spending/{name}.{kind}"
        )
    with pytest.raises(FileInvalid, match="is not a valid table name"):
        tiny.models()


@pytest.mark.parametrize("name", LEADS_OUT)
def test_a_tampered_manifest_reads_no_file_elsewhere(name: str, tiny: TinyProject) -> None:
    path = tampered(tiny, lambda manifest: manifest["parts"][0].update(file=name))
    with pytest.raises(CaptureDamaged, match="is not in the same folder") as error:
        tiny.lake.accepted(tiny.name)
    assert str(path) in str(error.value)


@pytest.mark.parametrize(
    "change",
    [
        {"capture_id": "../../somewhere/else"},
        {"capture_id": "/etc"},
        {"capture_id": "town/payments/../payments/2026-01-02T030405.000000Z"},
        {"capture_id": "town/payments/2026-01-03T030405.000000Z"},
        {"dataset": "town/salaries"},
    ],
)
def test_a_manifest_is_that_of_its_folder(change: dict[str, str], tiny: TinyProject) -> None:
    tampered(tiny, lambda manifest: manifest.update(change))
    with pytest.raises(CaptureDamaged, match="belongs in another folder"):
        tiny.lake.accepted(tiny.name)


def tampered(tiny: TinyProject, change: Callable[[dict[str, Any]], None]) -> Path:
    """The manifest of a capture, changed; a file lies wherever it may then lead."""
    capture = tiny.capture([("1", "2026-01-01", "5.00")])
    folder = tiny.settings.lake / capture.capture_id
    shutil.copyfile(folder / "part.parquet", folder.parent / "other.parquet")
    path = folder / MANIFEST
    manifest = json.loads(path.read_text(encoding="utf-8"))
    change(manifest)
    path.write_text(json.dumps(manifest), encoding="utf-8")
    return path


@pytest.mark.parametrize("name", ["../secret.csv", "/etc/secret.csv", "sub/secret.csv", "..\\secret.csv", ""])
def test_the_demo_portals_serve_nothing_outside_their_folder(name: str, tmp_path: Path) -> None:
    served = tmp_path / "served"
    (served / "sub").mkdir(parents=True)
    for folder in (tmp_path, served / "sub", served):
        (folder / "secret.csv").write_text("a,b\n1,2\n", encoding="utf-8")
    (served / "portal.yml").write_text(yaml.safe_dump({"files": [{"file": name}]}), encoding="utf-8")
    with pytest.raises(DemoFolderError, match=r"files\.0\.file: .* is not allowed"):
        read_folder(served, duckdb.connect(), CHECKOUT)


@pytest.mark.parametrize("year", ["../2024", "2024/x", "20 24", "2024\n"])
def test_an_edition_is_a_year(year: str, tmp_path: Path) -> None:
    declared = yaml.safe_load((CHECKOUT / "civic_pipeline/defs/chicago/budget/defs.yaml").read_text(encoding="utf-8"))
    declared["attributes"]["source"]["editions"] = {year: "abcd-1234"}
    (tmp_path / "defs.yaml").write_text(yaml.safe_dump(declared), encoding="utf-8")
    with pytest.raises(FileInvalid, match="editions"):
        read_yaml(tmp_path / "defs.yaml", Dataset, below=("attributes",))


@pytest.mark.parametrize("name", [*NO_NAMES, "../x", "/etc", ".."])
@pytest.mark.parametrize("option", ["--city", "--name"])
def test_civic_add_takes_no_other_name(option: str, name: str, tmp_path: Path) -> None:
    given = {"--city": "town", "--name": "payments", "--subject": "spending"} | {option: name}
    ended = CliRunner().invoke(
        cli, ["add", str(tmp_path / "x.csv"), *(word for pair in given.items() for word in pair)]
    )
    assert ended.exit_code == 2
    assert "use only lower-case letters, digits and _" in ended.output


@pytest.mark.parametrize("title", ["../../etc/passwd", "/etc/passwd", "..", "C:\\x", "x\x00y", "Ä" * 300])
def test_a_title_makes_no_path(title: str) -> None:
    assert set(slug(title)) <= set("abcdefghijklmnopqrstuvwxyz0123456789_")
    assert 0 < len(slug(title)) <= 60


@pytest.mark.parametrize("url", ["../x.csv", "/etc/passwd", "data/../../x.csv", "~/x.csv", "file:///etc/passwd", "data//x.csv", "C:\\x.csv", "http://data.town.gov/x.csv", "https://user:pass@data.town.gov/x.csv", "https://data.town.gov/x.csv?$$app_token=abcdef", "https://data.town.gov/x.csv?api_key=abcdef"])  # fmt: skip
def test_a_dataset_reads_no_file_elsewhere_and_holds_no_secret(url: str, tiny: TinyProject) -> None:
    declared = yaml.safe_load((tiny.settings.root / "payments.yaml").read_text(encoding="utf-8"))
    declared["source"] = {"portal": "file", "url": url, "recorded": "2026-01-01"}
    file = tiny.write("other.yaml", yaml.safe_dump(declared))
    with pytest.raises(FileInvalid, match=r"source\.url"):
        read_yaml(file, Dataset)


def test_a_link_does_not_lead_a_dataset_out_of_the_project(tiny: TinyProject) -> None:
    inside = tiny.write("project/data/inside.csv", "a,b\n1,2\n")
    outside = tiny.write("outside.csv", "a,b\n1,2\n")
    (inside.parent / "link.csv").symlink_to(outside)

    def described(url: str) -> Description:
        declared = {"portal": "file", "url": url, "recorded": "2026-01-01"}
        return FileDataset(FileSource.model_validate(declared), Access(project=inside.parents[1])).describe()

    assert described("data/inside.csv").published == {"a": "text", "b": "text"}
    with pytest.raises(SourceNotFound, match="a link leads outside the project"):
        described("data/link.csv")
