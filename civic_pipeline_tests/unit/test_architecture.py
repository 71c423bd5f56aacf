"""The house: who may import whom, how long a file may be, what a start must not load."""

import ast
import re
import subprocess
import sys
from collections.abc import Iterator
from graphlib import TopologicalSorter
from pathlib import Path

import duckdb
import pytest

from civic_pipeline.settings import CHECKOUT

PACKAGE = CHECKOUT / "civic_pipeline"


def _rooms() -> dict[str, set[str]]:
    """The rooms of docs/architecture.md in their order, each with the frameworks that it may import."""
    text = (CHECKOUT / "docs" / "architecture.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| `(\w+)` \| .+? \|(.*)\|$", text.partition("## Rooms")[2], re.MULTILINE)
    return {room: set(frameworks.replace(",", " ").split()) for room, frameworks in rows}


ROOMS = _rooms()
ORDER = list(ROOMS)
FRAMEWORKS = set.union(*ROOMS.values())
FILES = sorted(PACKAGE.rglob("*.py"))


def room_of(path: Path) -> str:
    """Its first folder, or its own name in the package's top."""
    return path.relative_to(PACKAGE).parts[0].removesuffix(".py")


def imports(path: Path) -> Iterator[tuple[str, bool]]:
    """Modules a file imports, and whether that happens as soon as the file is loaded."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    guarded = [
        node
        for node in ast.walk(tree)
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) or _for_types_only(node)
    ]
    late = {id(inner) for node in guarded for inner in ast.walk(node)}
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from ((alias.name, id(node) not in late) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path} imports relatively; write the full name"
            yield str(node.module), id(node) not in late
            yield from ((f"{node.module}.{alias.name}", id(node) not in late) for alias in node.names)


def _for_types_only(node: ast.AST) -> bool:
    return isinstance(node, ast.If) and isinstance(node.test, ast.Name) and node.test.id == "TYPE_CHECKING"


def test_every_file_belongs_to_a_room_of_the_page_and_every_room_has_files() -> None:
    assert {room_of(path) for path in FILES} - {"__init__"} == set(ORDER)


def test_a_room_uses_only_rooms_above_it_and_the_frameworks_it_names() -> None:
    wrong = []
    for path in FILES:
        room, file = room_of(path), path.relative_to(PACKAGE)
        above = ORDER if room == "__init__" else ORDER[: ORDER.index(room) + 1]
        for module, at_load in imports(path):
            framework, _, rest = module.partition(".")
            other = rest.partition(".")[0]
            if framework == "civic_pipeline" and other in ROOMS and other not in above:
                wrong.append(f"{file}: {module} stands below {room}")
            if framework in FRAMEWORKS and framework not in ROOMS.get(room, set()):
                wrong.append(f"{file}: {framework} is not for {room}")
            if framework in {"great_expectations", "pandas"} and at_load and path.name != "duckdb_dialect.py":
                wrong.append(f"{file}: {framework} takes seconds to import: do it inside a function")
            if module.startswith("dagster._") and room != "dagster_private":
                wrong.append(f"{file}: {module} is private to Dagster")
            if framework == "civic_pipeline_tests":
                wrong.append(f"{file} imports tests")
    assert wrong == []


def test_no_files_import_each_other_in_a_circle() -> None:
    files = {
        ".".join(path.relative_to(CHECKOUT).with_suffix("").parts): path for path in FILES if path.name != "__init__.py"
    }
    graph = {name: {module for module, _ in imports(path) if module in files} for name, path in files.items()}
    TopologicalSorter(graph).prepare()  # raises CycleError with the files


def test_only_access_knows_the_demo_portals() -> None:
    users = {
        room_of(path)
        for path in FILES
        for module, at_load in imports(path)
        if module.startswith("civic_pipeline.demo") and (at_load or room_of(path) != "cli")
    }
    assert users == {"demo", "access"}


def loaded_by(script: str) -> set[str]:
    """The top-level modules and our rooms that are loaded after `script` ran in a new process."""
    report = (
        "\nimport sys\nprint(*{m if m.startswith('civic_pipeline.') else m.partition('.')[0] for m in sys.modules})"
    )
    ended = subprocess.run([sys.executable, "-c", script + report], capture_output=True, text=True, check=True)
    return {".".join(name.split(".")[:2]) for name in ended.stdout.split("\n")[-2].split()}


def test_a_start_loads_no_more_than_it_needs() -> None:
    heavy = {"dagster", "great_expectations", "duckdb_engine", "pandas"}
    assert not heavy & loaded_by("import civic_pipeline, civic_pipeline.cli.commands")
    assert heavy & loaded_by("from civic_pipeline.definitions import defs; defs()") <= {"dagster"}


def test_reading_a_release_loads_nothing_that_makes_one(tmp_path: Path) -> None:
    file = tmp_path / "warehouse.duckdb"
    with duckdb.connect(str(file)) as connection:
        connection.execute("create schema marts")
    loaded = loaded_by(f"import civic_pipeline; civic_pipeline.connect({str(file)!r}).close()")
    assert "civic_pipeline.releases" in loaded
    makers = {"portals", "lake", "warehouse", "quality", "demo", "catalog"}
    assert not {f"civic_pipeline.{room}" for room in makers} & loaded
    assert not {"requests", "sqlglot", "sodapy", "pydantic", "yaml", "pandas", "dagster"} & loaded


@pytest.mark.parametrize("folder", ["civic_pipeline", "civic_pipeline_tests", "sql", "benchmarks", "tools"])
def test_no_file_is_longer_than_a_reader_can_hold(folder: str) -> None:
    for path in (CHECKOUT / folder).rglob("*"):
        if path.suffix in {".py", ".sql", ".yml", ".yaml"} and ".peers" not in path.parts:  # the peers' environment
            lines = len(path.read_text(encoding="utf-8").splitlines())
            assert lines <= 500, f"{path} has {lines} lines: divide it"


def test_no_file_swallows_what_it_did_not_foresee() -> None:
    for path in FILES:
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.ExceptHandler):
                assert node.type is not None, f"{path}:{node.lineno} has a bare except"
                broad = isinstance(node.type, ast.Name) and node.type.id in {"Exception", "BaseException"}
                raises = any(isinstance(inner, ast.Raise) for inner in ast.walk(node))
                assert raises or not broad, f"{path}:{node.lineno} swallows {ast.unparse(node.type)}"
