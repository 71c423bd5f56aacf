"""The tiers and what tests share.

unit/         no sockets, not even loopback; the whole folder in about a minute
integration/  the demo portals on loopback, and real files where they are present
pipeline/     the whole job through Dagster
"""

import ast
import ctypes
import gc
import os
import re
import shutil
import signal
import socket
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from functools import cache
from pathlib import Path
from typing import Any

import hypothesis
import pytest

from civic_pipeline.settings import CHECKOUT, Settings

HERE = Path(__file__).parent
TIERS = ("unit", "integration", "pipeline")

os.environ.setdefault("DAGSTER_DISABLE_TELEMETRY", "1")
gc.set_threshold(50_000, 50, 50)  # as `civic` does: a session keeps the trees and classes that it loads

# Nothing here may depend on how fast or how lucky a machine is.
hypothesis.settings.register_profile(
    "civic", deadline=None, derandomize=True, database=None, max_examples=60,
    suppress_health_check=[hypothesis.HealthCheck.function_scoped_fixture, hypothesis.HealthCheck.too_slow],
)  # fmt: skip
hypothesis.settings.load_profile("civic")


# Tiers


class SocketUsed(RuntimeError):
    """A unit test reached for the network. Not an OSError, so that code which forgives those cannot hide it."""


_SOCKET_NAMES = {"socket", "socketserver", "http.server", "DemoPortals", "open_portals"}


def tier_of(path: Path) -> str | None:
    """`unit`, `integration` or `pipeline`; None for a file in none of them."""
    parts = path.relative_to(HERE).parts if path.is_relative_to(HERE) else ()
    return parts[0] if len(parts) > 1 and parts[0] in TIERS else None


@cache
def _socket_imports(path: Path) -> tuple[str, ...]:
    """What a test file imports that listens or connects."""
    imported = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            imported |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            imported |= {node.module or "", *(alias.name for alias in node.names)}
    return tuple(sorted(imported & _SOCKET_NAMES))


@pytest.hookimpl(tryfirst=True)  # before tests are selected by their marks
def pytest_configure() -> None:
    """A process that a shell starts in the background ignores SIGINT. After a run Dagster handles SIGTERM as it found SIGINT, so that
    this process would ignore both, and each process that a test starts and ends."""
    signal.signal(signal.SIGINT, signal.default_int_handler)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """A test in the wrong folder ends the session before anything ran. A test that needs a release of the sample is slow."""
    misplaced = {}
    for item in items:
        if "released" in getattr(item, "fixturenames", ()):  # which takes a minute of both cores
            item.add_marker("slow")
        tier = tier_of(item.path)
        if tier is None:
            misplaced[item.path] = f"is in no tier: move it to {', '.join(f'{name}/' for name in TIERS)}"
        elif tier == "unit" and (names := _socket_imports(item.path)):
            misplaced[item.path] = f"uses {', '.join(names)}: move it to integration/, unit tests open no sockets"
        elif tier == "unit" and (fixtures := _foreign_fixtures(item)):
            misplaced[item.path] = (
                f"uses {', '.join(fixtures)}: move it there, or make the fixture small enough for unit/"
            )
    if misplaced:
        raise pytest.UsageError("\n".join(f"{path} {problem}" for path, problem in misplaced.items()))


def _foreign_fixtures(item: pytest.Item) -> list[str]:
    """Fixtures of `item` that are defined in another tier's folder, such as by an imported helper."""
    names = []
    for name, definitions in getattr(item, "_fixtureinfo").name2fixturedefs.items():  # noqa: B009 - pytest has no public way
        code = getattr(definitions[-1].func, "__code__", None)
        if code and (tier := tier_of(Path(code.co_filename))) not in (None, "unit"):
            names.append(f"the fixture {name!r} of {tier}/")
    return names


@contextmanager
def _no_sockets() -> Iterator[list[str]]:
    """Refuse every internet address, loopback included; yields the attempts."""
    attempts: list[str] = []
    patch = pytest.MonkeyPatch()

    def refusing(name: str, original: Callable[..., Any]) -> Callable[..., Any]:
        def refuse(self: socket.socket, *arguments: Any) -> Any:
            if self.family not in (socket.AF_INET, socket.AF_INET6):
                return original(self, *arguments)
            attempts.append(f"{name}{arguments}")
            raise SocketUsed(f"{name}{arguments}: unit tests open no sockets; move this test to integration/")

        return refuse

    for name in ("bind", "connect", "connect_ex", "sendto"):
        patch.setattr(socket.socket, name, refusing(name, getattr(socket.socket, name)))
    try:
        yield attempts
    finally:
        patch.undo()


@pytest.hookimpl(wrapper=True)
def pytest_runtest_protocol(item: pytest.Item) -> Iterator[Any]:
    """Around setup, call and teardown, so that no fixture escapes."""
    if tier_of(item.path) != "unit":
        return (yield)
    with _no_sockets() as attempts:
        item.stash[_ATTEMPTS] = attempts
        return (yield)


_ATTEMPTS = pytest.StashKey[list[str]]()


@pytest.hookimpl(wrapper=True)
def pytest_runtest_call(item: pytest.Item) -> Iterator[Any]:
    result = yield
    attempts = item.stash.get(_ATTEMPTS, [])
    if attempts:  # something swallowed SocketUsed
        pytest.fail(f"{', '.join(attempts)}: unit tests open no sockets; move this test to integration/", pytrace=False)
    return result


@pytest.fixture(autouse=True)
def _own_settings(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """No unit test reads the developer's settings or writes into the checkout's data."""
    if tier_of(request.path) == "unit":
        for name in [name for name in os.environ if name.startswith(("CIVIC_", "SOCRATA_"))]:
            monkeypatch.delenv(name)
        monkeypatch.setenv("CIVIC_DATA", str(tmp_path / "civic_data"))


# Processes


def _children() -> dict[int, str]:
    """The living processes that this one started, or that theirs did -> their commands. Empty where there is no /proc."""
    parents, commands = dict[int, int](), dict[int, str]()
    for folder in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):  # it ended meanwhile
            name, state, parent = re.fullmatch(
                r"\d+ \((.*)\) (\w) (\d+) .*", (folder / "stat").read_text(), re.DOTALL
            ).groups()
            if state != "Z":
                parents[int(folder.name)] = int(parent)
                commands[int(folder.name)] = (folder / "cmdline").read_text().replace("\0", " ").strip() or name

    def is_ours(process: int) -> bool:
        while process > 1 and process != os.getpid():
            process = parents.get(process, 0)
        return process == os.getpid()

    return {process: command for process, command in commands.items() if process != os.getpid() and is_ours(process)}


# So that a process whose parent ended becomes ours, and is found.
if sys.platform == "linux":
    _BECOME_SUBREAPER = 36
    ctypes.CDLL(None).prctl(_BECOME_SUBREAPER, 1)


@pytest.fixture(scope="module", autouse=True)
def _no_process_is_left() -> Iterator[None]:
    """The tests of a file end what they start. The one process that stays is the warm one of integration/warm.py."""
    before = _children()
    yield
    until = time.monotonic() + 10  # for those that are ending
    empty = 0
    while empty < 2:  # one look can miss what is just being handed from a parent that ended to us
        left = {process: command for process, command in _children().items() if process not in before}
        left = {process: command for process, command in left.items() if "warm.py" not in command}
        empty = 0 if left else empty + 1
        assert time.monotonic() < until, f"left running: {left}"
        time.sleep(0.05)


# A copy of the checkout, to break on purpose


@pytest.fixture
def project(tmp_path: Path) -> Settings:
    """What a checkout needs, copied: break any file. The sample is the checkout's own, to be read only."""
    root = tmp_path / "project"
    for part in ("sql", "data/seeds", "civic_pipeline/defs"):
        shutil.copytree(CHECKOUT / part, root / part, ignore=shutil.ignore_patterns("__pycache__"))
    return Settings(root=root, data=root / "data", demo_folder=CHECKOUT / "data" / "sample")
