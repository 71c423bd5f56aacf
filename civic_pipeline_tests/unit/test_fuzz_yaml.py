"""Files that people write: whatever stands in one of them, it is read, or a message of ours names the file and the line."""

import shutil
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import duckdb
import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st
from tiny_project import TinyProject, write_tiny_project

from civic_pipeline.catalog import Dataset, load_places, read_yaml
from civic_pipeline.demo.folder import older_copies, read_folder
from civic_pipeline.errors import CivicError
from civic_pipeline.settings import CHECKOUT

TEXTS = st.sampled_from([
    "", " ", "\x1b[2J", "\u202e", "x" * 3000, "[", "{", "&a", "*a", "!!python/object/apply:os.system [id]", "!!binary x", "<<", "%", "{{ x }}",
    "190:20:30", "2026-13-45", "2026-02-30T25:61:00Z", ".nan", "-.inf", "1e999", "0x_", "0b2", "0o9", "9" * 5000, "~", "yes", "select 1; drop table x",
    "../../etc/passwd", "\x00", "a\nb", "100%", "NaN%", "(", "(a+)+$", "today",
])  # fmt: skip
SCALARS = st.none() | st.booleans() | st.integers() | st.floats() | st.dates() | TEXTS | st.text(max_size=8)
VALUES = st.recursive(
    SCALARS, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(SCALARS, inner, max_size=3), max_leaves=5
)
PLACES = st.lists(st.integers(0, 30), min_size=1, max_size=6)
# A value, or a name, at a place of the file is replaced; or characters are put anywhere into its text.
CHANGES = st.tuples(st.just("value"), PLACES, VALUES) | st.tuples(st.just("name"), PLACES, SCALARS) | st.tuples(
    st.just("text"), st.floats(0, 1), TEXTS | st.text(max_size=5)
)  # fmt: skip


def changed(text: str, change: tuple[str, Any, Any]) -> str:
    kind, where, by = change
    if kind == "text":
        at = int(where * len(text))
        return text[:at] + by + text[at:]
    return yaml.safe_dump(replaced(yaml.safe_load(text), where, by, kind == "name"), allow_unicode=True)


def replaced(value: Any, where: list[int], by: Any, is_name: bool) -> Any:
    """`value` with `by` at a place of it: the numbers choose among the children at each level."""
    if not where or not isinstance(value, dict | list) or not value:
        return value if is_name else by
    if isinstance(value, list):
        index = where[0] % len(value)
        return [replaced(inner, where[1:], by, is_name) if n == index else inner for n, inner in enumerate(value)]
    key = list(value)[where[0] % len(value)]
    if is_name and len(where) == 1:
        return {by if name == key else name: inner for name, inner in value.items()}
    return {name: replaced(inner, where[1:], by, is_name) if name == key else inner for name, inner in value.items()}


def project(folder: Path) -> TinyProject:
    tiny = write_tiny_project(folder / "project")
    tiny.write(
        "civic_pipeline/defs/town/place.yaml", (CHECKOUT / "civic_pipeline/defs/baltimore/place.yaml").read_text()
    )
    return tiny


def dataset_files(tiny: TinyProject) -> tuple[Path, Callable[[], object]]:
    file = tiny.settings.root / "defs.yaml"
    shutil.copy(CHECKOUT / "civic_pipeline/defs/baltimore/budget/defs.yaml", file)
    return file, partial(read_yaml, file, Dataset, below=("attributes",))


def place_files(tiny: TinyProject) -> tuple[Path, Callable[[], object]]:
    return tiny.settings.root / "civic_pipeline/defs/town/place.yaml", partial(load_places, tiny.settings.root)


def contract_files(tiny: TinyProject) -> tuple[Path, Callable[[], object]]:
    expectation = "{expect_column_values_to_be_between: {column: amount, min_value: 0}, severity: warning}"
    file = tiny.edit("sql/clean/town/payments.yml", "\ncolumns:", f"\nexpectations:\n  - {expectation}\ncolumns:")
    return file, tiny.models


def portal_files(tiny: TinyProject) -> tuple[Path, Callable[[], object]]:
    folder = tiny.settings.root / "portal"
    folder.mkdir()
    (folder / "payments.csv").write_text("id,name\n1,A\n", encoding="utf-8")
    file = folder / "portal.yml"
    file.write_text(
        "files:\n  - {file: payments.csv, socrata: abcd-1234, title: Payments, types: {id: integer, name: text},"
        " domains: {name: {A: Able}}, faults: {html_page: 1}}\n"
    )

    def load() -> None:
        with duckdb.connect() as connection:
            read_folder(folder, connection, CHECKOUT)
        older_copies(folder)

    return file, load


@pytest.mark.parametrize("files", [place_files, dataset_files, contract_files, portal_files])
def test_any_change_of_a_file_is_read_or_named(
    files: Callable[[TinyProject], tuple[Path, Callable[[], object]]], tmp_path: Path
) -> None:
    file, load = files(project(tmp_path))
    text = file.read_text(encoding="utf-8")
    load()

    @given(change=CHANGES)
    def check(change: tuple[str, Any, Any]) -> None:
        file.write_text(changed(text, change), encoding="utf-8", errors="surrogatepass")
        problem = ""
        try:
            load()
        except CivicError as error:
            problem = str(error)
        assert not problem or file.name in problem or file.stem in problem
        assert "\x1b" not in problem
        assert len(problem) < 5_000

    check()
