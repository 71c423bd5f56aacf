"""Readers query all the time while releases are published: no error, nothing missing, no mix of two releases."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest

from civic_pipeline.settings import CHECKOUT

RELEASES = 6

# Publishes releases 0, 1, 2, ... of the tiny project of the unit tests, one for every line on standard input. In release n
# both tables, the quarantine and `meta` contain the number n.
_WRITER = """
import sys
from pathlib import Path
from tiny_project import write_tiny_project
from civic_pipeline.warehouse import release
tiny = write_tiny_project(Path(sys.argv[1]))
for number, _ in enumerate(sys.stdin):
    paid = [(str(i), "2024-01-05", "1") for i in range(number)]
    tiny.capture([*paid, *((f"x{i}", "never", "1") for i in range(number))], at=f"2026-01-{number + 1:02}T030405.000000Z")
    with tiny.build(f"run {number}") as build:
        for model in tiny.models().values():
            build.swap(build.stage(model), [], None)
        release(build)
    print(number, flush=True)
"""

# Queries the number in every table without pause until standard input is closed, and once more after that. `ask` returns the
# numbers that one statement or one transaction read; within one release they are all equal.
_READER = """
import json, sys, threading
import duckdb, civic_pipeline
file, kind = sys.argv[1:]
PARTS = [
    "select count(*) from warehouse.clean.town_payments",
    "select coalesce(sum(amount), 0)::int from warehouse.marts.mart_months",
    "select count(*) from warehouse.quarantine.town_payments",
    "select row_count from warehouse.meta.tables where table_name = 'clean.town_payments'",
    "select quarantined_rows from warehouse.meta.tables where table_name = 'clean.town_payments'",
]
TOGETHER = "select unnest([" + ", ".join(f"({part})" for part in PARTS) + "])"
number = lambda connection, query: [row[0] for row in connection.execute(query).fetchall()]
def one_by_one(connection):
    connection.execute("begin")
    seen = [number(connection, part)[0] for part in PARTS]
    connection.execute("commit")
    return seen
def opening(open_it):
    def ask():
        with open_it() as connection:
            return one_by_one(connection) + number(connection, TOGETHER)
    return ask
def following():
    civic_pipeline.refresh(kept)
    return one_by_one(kept)
def following_within():
    kept.execute("begin")
    seen = []
    for part in PARTS:
        seen += number(kept, part)
        civic_pipeline.refresh(kept)
    kept.execute("commit")
    civic_pipeline.refresh(kept)
    return seen
def reading():
    return [int(civic_pipeline.read("clean.town_payments", path=file).shape[0])]
kept = None
if kind == "plain, kept open": kept = duckdb.connect(file, read_only=True)
elif kind in ("connect, kept open", "refresh", "refresh within a transaction"): kept = civic_pipeline.connect(file)
ask = {
    "plain, kept open": lambda: one_by_one(kept) + number(kept, TOGETHER),
    "plain, opened anew": opening(lambda: duckdb.connect(file, read_only=True)),
    "connect, kept open": lambda: one_by_one(kept) + number(kept, TOGETHER),
    "connect, opened anew": opening(lambda: civic_pipeline.connect(file)),
    "refresh": following,
    "refresh within a transaction": following_within,
    "read": reading,
}[kind]
ended = threading.Event()
threading.Thread(target=lambda: (sys.stdin.read(), ended.set()), daemon=True).start()
answers, last = [ask()], False
print("began", flush=True)
while not last:
    last = ended.is_set()
    answers.append(ask())
print(json.dumps(answers))
"""

KEPT = ("plain, kept open", "connect, kept open")
MOVING = ("plain, opened anew", "connect, opened anew", "refresh", "refresh within a transaction", "read")


def start(script: str, *arguments: str) -> "subprocess.Popen[str]":
    paths = os.pathsep.join(
        [str(CHECKOUT), str(CHECKOUT / "civic_pipeline_tests" / "unit")]
    )  # the second: tiny_project.py
    return subprocess.Popen(
        [sys.executable, "-c", script, *arguments], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
        text=True, env=os.environ | {"PYTHONPATH": paths},
    )  # fmt: skip


class Writer:
    def __init__(self, root: Path) -> None:
        self.warehouse = root / "data" / "warehouse.duckdb"
        self.process = start(_WRITER, str(root))

    def publish(self) -> None:
        assert self.process.stdin
        assert self.process.stdout
        self.process.stdin.write("\n")
        self.process.stdin.flush()
        assert self.process.stdout.readline(), self.process.communicate()[1]


@contextmanager
def writer_in(root: Path) -> Iterator[Writer]:
    writer = Writer(root)
    try:
        yield writer
    finally:
        writer.process.kill()
        writer.process.communicate()


@pytest.mark.slow
def test_no_reader_sees_an_error_or_a_mix_while_releases_are_published(tmp_path: Path) -> None:
    with writer_in(tmp_path / "tiny") as writer, ExitStack() as ends:
        writer.publish()
        readers = {kind: start(_READER, str(writer.warehouse), kind) for kind in (*KEPT, *MOVING)}
        for reader in readers.values():
            ends.callback(reader.kill)
        for kind, reader in readers.items():
            assert reader.stdout
            assert reader.stdout.readline() == "began\n", f"{kind}: {reader.communicate()[1]}"
        for _ in range(RELEASES):
            writer.publish()
        for kind, reader in readers.items():
            out, err = reader.communicate(timeout=300)
            assert reader.returncode == 0, f"{kind}: {err}"
            answers = json.loads(out)
            mixed = [answer for answer in answers if len(set(answer)) != 1]
            assert mixed == [], f"{kind} saw two releases at once"
            seen = [answer[0] for answer in answers]
            assert seen == sorted(seen), f"{kind} went back to an older release"
            assert (seen[0], seen[-1]) == (0, 0 if kind in KEPT else RELEASES), kind
