"""The tiers defend themselves: a test in the wrong folder does not run."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

CONFTEST = Path(__file__).parents[1] / "conftest.py"
CONNECTS = "import urllib.request\n\n\ndef test_it():\n    {}\n"


def run(folder: Path, files: dict[str, str]) -> "subprocess.CompletedProcess[str]":
    """pytest on a folder of tests that has our conftest."""
    for name, text in files.items():
        file = folder / "tests" / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text, encoding="utf-8")
    shutil.copyfile(CONFTEST, folder / "tests" / "conftest.py")
    return subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "--rootdir", str(folder), str(folder / "tests")],
        capture_output=True, text=True, cwd=folder,
    )  # fmt: skip


MISPLACED = {
    "test_lost.py": "def test_it(): ...",
    "unit/test_listens.py": "import socketserver\ndef test_it(): ...",
    "unit/test_serves.py": "def test_it():\n    from civic_pipeline.demo import DemoPortals",
    "unit/test_borrows.py": "import sys, pathlib; sys.path.append(str(pathlib.Path(__file__).parents[1] / 'pipeline'))\n"
    "from whole_run import released\ndef test_it(released): ...",
}
MESSAGES = [
    "test_lost.py is in no tier: move it to unit/, integration/, pipeline/",
    "test_listens.py uses socketserver: move it to integration/",
    "test_serves.py uses DemoPortals: move it to integration/",
    "test_borrows.py uses the fixture 'released' of pipeline/: move it there",
]


def test_tests_in_the_wrong_folder_end_the_session_with_where_to_move(tmp_path: Path) -> None:
    helper = {"pipeline/whole_run.py": "import pytest\n@pytest.fixture\ndef released(): ..."}
    ended = run(tmp_path, {**MISPLACED, **helper, "unit/test_fine.py": "def test_it(): ..."})
    assert ended.returncode == pytest.ExitCode.USAGE_ERROR, ended.stdout
    for message in MESSAGES:
        assert message in ended.stderr
    assert "test_fine.py" not in ended.stderr
    assert "passed" not in ended.stdout


def test_unit_tests_reach_neither_the_network_nor_the_developers_settings(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CIVIC_PROFILE", "live")
    ask = "urllib.request.urlopen('http://127.0.0.1:9/', timeout=1)"
    ended = run(
        tmp_path,
        {
            "unit/test_connects.py": CONNECTS.format(ask),
            "unit/test_swallows.py": CONNECTS.format(f"try: {ask}\n    except Exception: pass"),
            "unit/test_reads.py": "import os\ndef test_it(): assert 'CIVIC_PROFILE' not in os.environ and 'civic_data' in os.environ['CIVIC_DATA']",
            "unit/test_fine.py": "import asyncio\ndef test_it(): asyncio.run(asyncio.sleep(0))",
            "integration/test_may.py": "import socket\ndef test_it():\n    with socket.socket() as listening: listening.bind(('127.0.0.1', 0))",
        },
    )
    assert "2 failed, 3 passed" in ended.stdout, ended.stdout
    assert ended.stdout.count("unit tests open no sockets; move this test to integration/") >= 2
