"""The docs are complete: whatever a user can name is named in them."""

import re
import shutil
from dataclasses import Field, fields
from pathlib import Path

import click
import pytest
from formulas import committed_models

from civic_pipeline.catalog import Contract, Dataset, load_datasets
from civic_pipeline.cli.commands import cli
from civic_pipeline.errors import SettingInvalid
from civic_pipeline.lint import check
from civic_pipeline.settings import CHECKOUT, Settings, Waits, waits

PAGES = {
    path: path.read_text(encoding="utf-8")
    for path in [CHECKOUT / "README.md", *sorted((CHECKOUT / "docs").rglob("*.md"))]
}
WRITTEN_BY_HAND = "\n".join(text for path, text in PAGES.items() if "dictionary" not in path.parts)
CODE = "\n".join(path.read_text(encoding="utf-8") for path in (CHECKOUT / "civic_pipeline").rglob("*.py"))


def commands(group: click.Group, name: str) -> list[str]:
    names = []
    for verb, command in group.commands.items():
        names += commands(command, f"{name} {verb}") if isinstance(command, click.Group) else [f"{name} {verb}"]
    return names


DATASETS = sorted(load_datasets(CHECKOUT))
TABLES = sorted(committed_models())
SETTINGS = sorted(set(re.findall(r"\b(?:CIVIC|SOCRATA)_[A-Z]+(?:_[A-Z]+)*\b", CODE)))


@pytest.mark.parametrize("name", DATASETS)
def test_every_dataset_is_named_in_the_docs(name: str) -> None:
    assert f"[{name}](" in PAGES[CHECKOUT / "docs" / "dictionary" / "README.md"], "run `civic docs`"


@pytest.mark.parametrize("name", TABLES)
def test_every_table_is_named_in_the_docs(name: str) -> None:
    dictionary = CHECKOUT / "docs" / "dictionary" / f"{name.replace('.', '/')}.md"
    assert dictionary in PAGES, "run `civic docs`"
    if name.startswith("marts.mart_"):
        assert name.partition(".")[2] in WRITTEN_BY_HAND, f"add {name} to docs/analysts.md"


@pytest.mark.parametrize("name", SETTINGS)
def test_every_setting_is_named_in_the_docs(name: str) -> None:
    assert re.search(rf"\b{name}\b", WRITTEN_BY_HAND), f"add {name} to docs/operators.md"


@pytest.mark.parametrize("name", commands(cli, "civic"))
def test_every_command_is_named_in_the_docs(name: str) -> None:
    assert name in WRITTEN_BY_HAND, f"add `{name}` to docs/operators.md"


@pytest.mark.parametrize("name", sorted(path.stem for path in (CHECKOUT / "sql" / "checks").rglob("*.sql")))
def test_every_rule_across_tables_is_named_in_the_docs(name: str) -> None:
    assert any(name in text for text in PAGES.values()), f"add {name} to docs/analysts.md"


@pytest.mark.parametrize("wait", fields(Waits), ids=lambda wait: wait.name)
def test_every_wait_is_a_setting_with_its_default_and_sentence(
    wait: Field[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    name = f"CIVIC_{wait.name.upper()}"
    page = (CHECKOUT / "docs" / "operators.md").read_text(encoding="utf-8")
    assert re.search(rf"^\| `{name}` \| {wait.default} \| .+ \| .+ \|$", page, re.MULTILINE)
    monkeypatch.setenv(name, "7")
    assert getattr(waits(), wait.name) == 7
    monkeypatch.setenv(name, "soon")
    with pytest.raises(SettingInvalid, match=f"'soon' is not a valid {name}"):
        Settings.from_environment()


ADD_A_DATASET = PAGES[CHECKOUT / "docs" / "add-a-dataset.md"]


@pytest.mark.parametrize(
    ("model", "section"), [(Dataset, "## `defs.yaml`: every key"), (Contract, "## The contract: every key")]
)
def test_every_key_of_a_file_is_in_the_table_of_its_keys(model: type[Dataset | Contract], section: str) -> None:
    keys = ADD_A_DATASET.partition(section)[2].partition("\n## ")[0]
    for name in model.model_fields.keys() - {"personal"}:  # which is written beside the type of a column
        assert re.search(rf"^\| .*`{name}\b.*? \|", keys, re.MULTILINE), f"add {name} to {section}"


def test_the_files_of_the_worked_example_have_no_mistake(tmp_path: Path) -> None:
    example = ADD_A_DATASET.partition("## Worked example")[2].partition("\n## ")[0]
    files = re.findall(r"`((?:civic_pipeline|sql)/\S+)`[^`\n]*\n\n```\w+\n(.*?)^```", example, re.MULTILINE | re.DOTALL)
    assert [Path(name).name for name, _ in files] == ["defs.yaml", "vacants.sql", "vacants.yml"]
    for name, text in files:
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text, encoding="utf-8")
    shutil.copyfile(
        CHECKOUT / "civic_pipeline/defs/baltimore/place.yaml", tmp_path / "civic_pipeline/defs/baltimore/place.yaml"
    )
    shutil.copytree(CHECKOUT / "sql" / "functions", tmp_path / "sql" / "functions")
    assert check(tmp_path) == []


def test_no_page_names_a_command_that_does_not_exist() -> None:
    known = {*commands(cli, "civic"), "civic --help", "civic demo"}
    for path, text in PAGES.items():
        for named in re.findall(r"(?:^|`|\$ |/)(civic (?:demo |site )?[a-z]+(?:-[a-z]+)*)\b", text, re.MULTILINE):
            assert named in known, f"{path.name} names `{named}`"


def test_every_link_between_pages_leads_somewhere() -> None:
    for path, text in PAGES.items():
        for target in re.findall(r"\]\(([^)#\s]+)(?:#[^)]*)?\)", text):
            if "://" not in target and not target.startswith("mailto:"):
                assert (path.parent / target).exists(), f"{path.relative_to(CHECKOUT)} links to {target}"


def test_every_file_that_a_page_names_exists() -> None:
    roots = (CHECKOUT, CHECKOUT / "civic_pipeline", CHECKOUT / "civic_pipeline_tests")
    invented = re.compile(
        "vacants"
    )  # the worked example's; integration/test_contributing.py makes those of CONTRIBUTING.md
    for path, text in PAGES.items():
        if "adr" in path.parts:  # a record of what was so when it was decided
            continue
        for named in re.findall(
            r"`((?:benchmarks|civic_pipeline|data/s\w+|docs|integration|pipeline|sql|tools|unit)/[\w./-]+)`", text
        ):
            assert invented.search(named) or any((root / named).exists() for root in roots), f"{path.name}: {named}"


def test_every_promise_about_security_names_a_test_that_exists() -> None:
    rows = [
        [cell.strip() for cell in line.strip("|").split(" | ")]
        for line in (CHECKOUT / "docs" / "security.md").read_text().partition("## Boundaries")[2].splitlines()
        if line.startswith("| ")
    ][1:]
    assert len(rows) > 15
    files: list[str] = []
    for boundary, *_, tests in rows:
        files = re.findall(r"`(\w+/test_\w+\.py)`", tests) or (files if "the same" in tests else [])
        assert files, f"{boundary} names no test"
        for file in files:
            assert (CHECKOUT / "civic_pipeline_tests" / file).exists(), f"{boundary}: {file}"
