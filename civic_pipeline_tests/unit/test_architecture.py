"""The house: who may import whom, how long a file may be, what a start must not load."""

import ast
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from civic_pipeline.settings import CHECKOUT

PACKAGE = CHECKOUT / "civic_pipeline"

# Data flows down this list; a room uses rooms above it, never below.
ROOMS = (
    "redaction", "errors", "sql_text", "settings", "catalog", "portals", "lake", "warehouse", "quality", "lint", "linkage", "publish", "demo", "scaffold",
    "dagster_home", "event_log", "components", "defs", "definitions", "runs", "cli",
)  # fmt: skip
FRAMEWORKS = {
    "dagster": {"event_log", "components", "defs", "definitions", "runs"},
    "click": {"cli"},
    "great_expectations": {"quality"},
    "pandas": {"warehouse"},
    "starlette": {"publish"},
    "uvicorn": {"publish"},
}
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


def test_every_file_belongs_to_a_room_we_know() -> None:
    assert {room_of(path) for path in FILES} - {"__init__"} <= set(ROOMS)


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(PACKAGE)))
def test_a_room_uses_only_rooms_above_it(path: Path) -> None:
    room = room_of(path)
    allowed = ROOMS if room == "__init__" else ROOMS[: ROOMS.index(room) + 1]
    for module, _ in imports(path):
        parts = module.split(".")
        if parts[0] == "civic_pipeline" and len(parts) > 1 and parts[1] in ROOMS:
            assert parts[1] in allowed, f"{room} may not use {module}: it stands below it in the house"
        assert not module.startswith("civic_pipeline_tests"), f"{path} imports tests"


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(PACKAGE)))
def test_a_framework_is_known_only_where_it_belongs(path: Path) -> None:
    for module, at_load in imports(path):
        framework = module.partition(".")[0]
        if framework in FRAMEWORKS:
            assert room_of(path) in FRAMEWORKS[framework], f"{framework} is not for {room_of(path)}/"
        if framework in {"great_expectations", "pandas"} and at_load:
            assert path.name == "duckdb_dialect.py", f"{framework} takes seconds to import: do it inside a function"
        assert not module.startswith("dagster._") or room_of(path) == "event_log", f"{module} is Dagster's own business"


def test_a_start_loads_no_more_than_it_needs() -> None:
    script = (
        "import sys, civic_pipeline, civic_pipeline.cli\nheavy = {'dagster', 'great_expectations', 'pandas'} & set(sys.modules)\n"
        "from civic_pipeline.definitions import defs\ndefs()\nprint(sorted(heavy), sorted({'great_expectations', 'duckdb_engine'} & set(sys.modules)))"
    )
    told = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert told.stdout.split("\n")[-2] == "[] []", told.stdout


@pytest.mark.parametrize("folder", ["civic_pipeline", "civic_pipeline_tests", "sql", "benchmarks"])
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
