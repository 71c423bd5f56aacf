"""`civic` as it is typed: a process of its own, on data of its own."""

import hashlib
import os
import re
import shutil
import subprocess
import sys
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import warm
import yaml

from civic_pipeline.lake import Lake, Manifest
from civic_pipeline.releases import connect
from civic_pipeline.settings import CHECKOUT

# Far beyond what any command takes: a test that meets it hangs.
PATIENCE_SECONDS = 900

SAMPLE = CHECKOUT / "data" / "sample"

# How a shell without job control starts what it puts in the background: SIGINT is ignored.
IN_BACKGROUND = ("sh", "-c", 'trap \'\' INT; exec "$0" "$@"')


@dataclass(frozen=True)
class Ended:
    """How a command ended."""

    code: int
    out: str
    err: str

    @property
    def message(self) -> str:
        """What standard error says from the line with `Error:` on: the one message a person is left with."""
        return self.err[match.start() :] if (match := re.search(r"^Error: ", self.err, re.MULTILINE)) else ""

    @property
    def is_plain(self) -> bool:
        """One message, no traceback."""
        return len(re.findall(r"^Error: ", self.err, re.MULTILINE)) == 1 and "Traceback" not in self.err + self.out


@dataclass(frozen=True)
class Place:
    """An installation: what runs make (`data`), what the demo portals serve (`served`), and whose code it is (`root`).

    `under` is the command every `civic` is run by, such as one that takes rights away; `settings` are variables of its own.
    """

    data: Path
    served: Path = SAMPLE
    root: Path = CHECKOUT
    under: tuple[str, ...] = ()
    settings: dict[str, str] = field(default_factory=dict)

    @property
    def environment(self) -> dict[str, str]:
        mine = {
            name: value for name, value in os.environ.items() if not name.startswith(("CIVIC_", "SOCRATA_", "DAGSTER_"))
        }
        return mine | {
            "CIVIC_DATA": str(self.data), "CIVIC_DEMO_FOLDER": str(self.served), "PYTHONPATH": str(self.root),
            "DAGSTER_DISABLE_TELEMETRY": "1", **self.settings,
        }  # fmt: skip

    def start(self, *arguments: str) -> subprocess.Popen[bytes]:
        """`civic` with these arguments, not waited for."""
        return subprocess.Popen(
            [*self.under, sys.executable, "-m", "civic_pipeline.cli", *arguments], cwd=self.root, env=self.environment,
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
        )  # fmt: skip

    def civic(self, *arguments: str, patience_seconds: int = PATIENCE_SECONDS) -> Ended:
        """`civic` with these arguments, to its end: a process of its own, forked from one that is warm."""
        if not self.under:
            code, out, err = warm.civic(self.root, self.environment, arguments, patience_seconds)
            return Ended(code, out.decode(), err.decode())
        process = self.start(*arguments)
        try:
            out, err = process.communicate(timeout=patience_seconds)
        except subprocess.TimeoutExpired:
            process.kill()
            process.communicate()
            raise
        return Ended(process.returncode, out.decode(), err.decode())

    def run(self, *assets: str, patience_seconds: int = PATIENCE_SECONDS) -> Ended:
        """The nightly job, or these assets of it."""
        selected = (part for asset in assets for part in ("--select", asset))
        return self.civic("run", *selected, patience_seconds=patience_seconds)

    def rows(self, query: str) -> list[tuple[Any, ...]]:
        """An answer of the released warehouse."""
        with connect(self.warehouse) as warehouse:
            return warehouse.execute(query).fetchall()

    def captures(self, dataset: str) -> list[Manifest]:
        return Lake(self.data / "lake").captures(dataset)

    @property
    def warehouse(self) -> Path:
        return self.data / "warehouse.duckdb"

    def copy(self, folder: Path) -> "Place":
        """The same under `folder`, to break: without the record of runs; the checkout's own code and sample stay where they are.

        An empty record beside `data`, whose tables take Dagster a second to make, comes along.
        """

        def moved(path: Path, own: Path) -> Path:
            return path if path == own else shutil.copytree(path, folder / path.name)

        data = folder / "data"
        shutil.copytree(self.data, data, ignore=shutil.ignore_patterns("dagster_home", "quality"), symlinks=True)
        if (empty := self.data.parent / "dagster_home").exists():
            shutil.copytree(empty, data / "dagster_home")
        return replace(self, data=data, served=moved(self.served, SAMPLE), root=moved(self.root, CHECKOUT))


def serve(folder: Path, *entries: dict[str, Any]) -> Path:
    """A folder for the demo portals; each entry of its portal.yml names a file that is there."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "portal.yml").write_text(yaml.safe_dump({"files": list(entries)}), encoding="utf-8")
    return folder


def edit(path: Path, old: str, new: str, count: int = -1) -> None:
    text = path.read_text(encoding="utf-8")
    assert old in text, f"{path} does not hold {old!r}"
    path.write_text(text.replace(old, new, count), encoding="utf-8")


def digest(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def files_of(folder: Path) -> dict[str, str]:
    """Every file of the captures; locks and the note of the last attempt are no part of them."""
    return {
        str(path.relative_to(folder)): digest(path)
        for path in folder.rglob("*") if path.is_file() and path.name not in {"attempt.json", "visit.json", "capture.lock"}
    }  # fmt: skip
