"""The files and commands of CONTRIBUTING.md work: they are written into a temporary checkout and run, in the order of the page."""

import re
import shlex
import shutil
import subprocess
import sys
from dataclasses import dataclass, replace
from pathlib import Path

import pytest
import yaml
from terminal import Place

from civic_pipeline.catalog import accepted_as, load_datasets
from civic_pipeline.settings import CHECKOUT
from civic_pipeline.warehouse import Model, load_models

PAGE = (CHECKOUT / "CONTRIBUTING.md").read_text(encoding="utf-8")
# A fenced block. A file block follows its path in backticks and a colon.
BLOCK = re.compile(r"^```(?P<language>\w+)\n(?P<text>.*?)^```$", re.MULTILINE | re.DOTALL)
PATH = re.compile(r"`([^`\s]+)`:\n\n\Z")
MART = "marts.mart_budget_by_fund"


@dataclass(frozen=True)
class Step:
    """A file to write (`path`), or commands to run (`path` is None)."""

    path: str | None
    text: str


def steps(page: str) -> list[Step]:
    """Return the steps of a page. A block of another language than `sh` and `text` must follow a path."""
    listed = []
    for block in BLOCK.finditer(page):
        path = PATH.search(page[: block.start()])
        if block["language"] == "sh":
            listed.append(Step(None, block["text"]))
        elif block["language"] != "text":
            assert path, f"no path before the block {block['text'][:60]!r}"
            listed.append(Step(path[1], block["text"]))
    return listed


@pytest.fixture
def checkout(tmp_path: Path) -> Place:
    """A copy of the files of the checkout that git knows, with an empty data folder, without the tables that the page does not need."""
    root = tmp_path / "checkout"
    names = subprocess.run(["git", "ls-files", "-co", "--exclude-standard", "-z"], cwd=CHECKOUT, capture_output=True, text=True, check=True).stdout  # fmt: skip
    for name in filter(None, names.split("\0")):
        if (CHECKOUT / name).is_file():
            (root / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(CHECKOUT / name, root / name)
    keep_only(root, needed_for("marts.mart_budget_by_agency"))
    return Place(tmp_path / "data", root / "data" / "sample", root)


def needed_for(table: str) -> dict[str, Model]:
    """The model of `table` and of every table that it or its checks read."""
    models = load_models(CHECKOUT, load_datasets(CHECKOUT))
    needed, waiting = dict[str, Model](), [table]
    while waiting:
        name = waiting.pop()
        if name in models and name not in needed:
            needed[name] = models[name]
            keys = {column.references for column in models[name].contract.columns if column.references}
            waiting += [accepted_as(read) for read in models[name].inputs | keys]
    return needed


def keep_only(root: Path, models: dict[str, Model]) -> None:
    """Remove all other models, their rules and datasets from the checkout, and what the demo portals serve of those."""
    for name, model in load_models(root, load_datasets(root)).items():
        for rule in model.rules:
            if name not in models or not rule.reads <= models.keys():
                rule.path.unlink()
        if name not in models:
            model.contract_path.unlink()
            for part in model.parts:
                part.path.unlink()
    kept = {f"{model.path.parent.name}/{model.path.stem}" for model in models.values() if model.schema == "clean"}
    for file in (root / "civic_pipeline" / "defs").glob("*/*/defs.yaml"):
        if "/".join(file.parts[-3:-1]) not in kept:
            shutil.rmtree(file.parent)
    portal = root / "data" / "sample" / "portal.yml"
    entries = yaml.safe_load(portal.read_text(encoding="utf-8"))["files"]
    served = {"files": [entry for entry in entries if entry["dataset"] in kept]}
    portal.write_text(yaml.safe_dump(served), encoding="utf-8")


def run(place: Place, line: str) -> tuple[Place, str]:
    """Run one line as a shell would; return the place, changed by `export`, and the output. A failure fails the test."""
    words = shlex.split(line)
    if words[:2] == ["export", words[1]] and words[1].startswith("CIVIC_DEMO_FOLDER="):
        return replace(place, served=place.root / words[1].partition("=")[2]), ""
    if words[0] == "civic":
        ended = place.civic(*words[1:])
        assert ended.code == 0, f"{line}\n{ended.err}"
        return place, ended.out
    command = line.replace("python ", f"{shlex.quote(sys.executable)} ", 1) if words[0] == "python" else line
    process = subprocess.run(["bash", "-c", command], cwd=place.root, env=place.environment, capture_output=True, text=True, check=False)  # fmt: skip
    assert process.returncode == 0, f"{line}\n{process.stdout}{process.stderr}"
    return place, process.stdout


@pytest.mark.slow  # two runs
def test_the_page_works_from_top_to_bottom_with_new_files_only(checkout: Place) -> None:
    place, outputs = checkout, {}
    for step in steps(PAGE):
        if step.path:
            file = place.root / step.path
            assert not file.exists(), f"{step.path} exists: adding must not change files"
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(step.text, encoding="utf-8")
            continue
        for line in step.text.splitlines():
            place, outputs[line] = run(place, line)
    assert place.rows(f"select distinct city from {MART} order by 1") == [
        ("baltimore",),
        ("chicago",),
        ("springfield",),
    ]
    assert place.rows(f"select sum(appropriated_amount) from {MART} where city = 'springfield'") == [(2_950_000,)]
    assert place.rows("select is_passed from meta.checks where check_name = 'funds_add_up_to_agencies'") == [(True,)]  # fmt: skip
    assert (place.root / "docs/dictionary/marts/mart_budget_by_fund.md").exists()
    [quarantined] = [text for line, text in outputs.items() if "quarantine" in line]
    assert "The amount cannot be read" in quarantined  # a narrow terminal breaks the sentence
    [tried] = [text for line, text in outputs.items() if line.startswith("civic try")]
    assert MART in tried


def test_make_commands_of_the_page_exist() -> None:
    targets = set(re.findall(r"^([a-z-]+):", (CHECKOUT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE))
    named = set(re.findall(r"`?make ([a-z-]+)", PAGE))
    assert {"run", "test", "test-fast", "check"} <= named <= targets


def test_a_file_block_without_a_path_is_an_error() -> None:
    with pytest.raises(AssertionError, match="no path before"):
        steps("```yaml\na: 1\n```\n")
