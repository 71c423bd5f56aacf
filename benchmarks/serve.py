"""Strangers at `civic serve`: 500 downloads at once, 1,100 silent connections, heads without end.

An honest client asks throughout. The server is a process of its own with a release of 8 MB; all clients are threads of this
process. Reported: the slowest answer of the honest client, and the memory of the server.
"""

import argparse
import http.client
import os
import re
import secrets
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from report import Report, verdict

TOKEN = secrets.token_hex(16)
RELEASE = "2026-11-22T220401.123456Z"
RELEASE_BYTES = 8 << 20
LIMIT_SECONDS = 1.0
LIMIT_GROWTH_MB = 200

Address = tuple[str, int]


@dataclass(frozen=True)
class Server:
    process: "subprocess.Popen[bytes]"
    address: Address

    @property
    def memory_mb(self) -> float:
        text = Path(f"/proc/{self.process.pid}/status").read_text(encoding="ascii")
        match = re.search(r"VmRSS:\s+(\d+) kB", text)
        return int(match[1]) / 1024 if match else 0.0


@contextmanager
def served() -> Iterator[Server]:
    with tempfile.TemporaryDirectory() as folder:
        data = Path(folder) / "data"
        (data / "releases").mkdir(parents=True)
        release = data / "releases" / f"{RELEASE}.duckdb"
        release.write_bytes(os.urandom(RELEASE_BYTES))  # the server reads no database
        os.link(release, data / "warehouse.duckdb")
        with (Path(folder) / "log").open("wb") as log:
            process = subprocess.Popen(
                [sys.executable, "-m", "civic_pipeline.cli", "serve", "--port", "0"],
                env=os.environ | {"CIVIC_DATA": str(data), "CIVIC_SERVE_TOKEN": TOKEN},
                stdout=log,
                stderr=log,
            )
            try:
                yield Server(process, ("127.0.0.1", _port(Path(folder) / "log")))
            finally:
                process.terminate()
                process.wait()


def _port(log: Path) -> int:
    while True:
        if match := re.search(r"http://127\.0\.0\.1:(\d+)/", log.read_text()):
            return int(match[1])
        time.sleep(0.1)


def asked(address: Address, *, first: int | None = None) -> tuple[int, int]:
    """The status and the length of a download, or of its first bytes."""
    connection = http.client.HTTPConnection(*address, timeout=120)
    try:
        headers = {"Authorization": f"Bearer {TOKEN}"} | ({} if first is None else {"Range": f"bytes=0-{first - 1}"})
        connection.request("GET", f"/releases/{RELEASE}.duckdb", headers=headers)
        answer = connection.getresponse()
        return answer.status, len(answer.read())
    finally:
        connection.close()


class Honest(threading.Thread):
    """Asks for 64 kB again and again; keeps the seconds of each answer."""

    def __init__(self, address: Address) -> None:
        super().__init__(daemon=True)
        self.address, self.seconds, self.problems = address, list[float](), list[str]()
        self.is_done = threading.Event()

    def run(self) -> None:
        while not self.is_done.wait(0.05):
            began = time.monotonic()
            try:
                if asked(self.address, first=65_536) != (206, 65_536):
                    self.problems.append("a wrong answer")
            except OSError as error:
                self.problems.append(str(error))
            self.seconds.append(time.monotonic() - began)


def downloads(server: Server) -> str:
    """500 whole downloads at once, by threads of this process."""
    ended = list[tuple[int, int] | None]()

    def download() -> None:
        try:
            ended.append(asked(server.address))
        except OSError:
            ended.append(None)

    threads = [threading.Thread(target=download) for _ in range(500)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    whole = ended.count((200, RELEASE_BYTES))
    return f"{whole} of 500 downloads complete"


def silent(server: Server) -> str:
    """1,100 connections that send nothing, or half a head, until the server closes them."""
    with ExitStack() as stack:
        opened = []
        for number in range(1_100):
            connection = stack.enter_context(socket.create_connection(server.address, timeout=60))
            with suppress(OSError):
                connection.sendall(b"" if number % 2 else b"GET / HTTP/1.1\r\nHost: a\r\n")
            opened.append(connection)
        closed = 0
        for connection in opened:
            with suppress(OSError):
                while connection.recv(1024):
                    pass
            closed += 1
    return f"{closed} of 1,100 connections closed by the server"


def endless(server: Server) -> str:
    """400 heads of up to 50 MB each, 8 at a time: half an address without end, half headers without end."""

    def send(number: int) -> int:
        sent = 0
        with suppress(OSError), socket.create_connection(server.address, timeout=60) as connection:
            connection.sendall(b"GET /" if number % 2 else b"GET / HTTP/1.1\r\n")
            part = b"a" * 65_536 if number % 2 else b"".join(b"X-%d: y\r\n" % n for n in range(5_000))
            for _ in range(800):
                connection.sendall(part)
                sent += len(part)
        return sent

    with ThreadPoolExecutor(8) as senders:
        sent = sum(senders.map(send, range(400)))
    return f"{sent / 1e6:,.1f} MB of 400 heads taken before they were refused"


ATTACKS: dict[str, Callable[[Server], str]] = {
    "500 downloads at once": downloads,
    "1,100 silent connections": silent,
    "heads without end": endless,
}


def attack(server: Server, name: str) -> list[str]:
    before, honest = server.memory_mb, Honest(server.address)
    honest.start()
    result = ATTACKS[name](server)
    honest.is_done.set()
    honest.join()
    grown, slowest = server.memory_mb - before, max(honest.seconds)
    return [
        f"## {name}",
        "",
        f"{result}. The honest client asked {len(honest.seconds):,} times.",
        f"Memory of the server: {before:.0f} MB before, {before + grown:.0f} MB after.",
        "",
        verdict(not honest.problems, f"{len(honest.problems)} requests of the honest client failed", "0"),
        verdict(slowest < LIMIT_SECONDS, f"its slowest answer took {slowest:.2f} s", f"{LIMIT_SECONDS:.0f} s"),
        verdict(grown < LIMIT_GROWTH_MB, f"the server's memory grew by {grown:.0f} MB", f"{LIMIT_GROWTH_MB} MB"),
        "",
    ]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--only", choices=list(ATTACKS))
    parser.add_argument("--write", action="store_true", help="also write results/serve-<date>.md")
    arguments = parser.parse_args()
    report = Report()
    load = os.getloadavg()[0]
    report.add(["# Strangers at civic serve", "", f"{os.cpu_count()} cores; load {load:.1f} before the start.", ""])
    with served() as server:
        asked(server.address, first=1)
        for name in [arguments.only] if arguments.only else ATTACKS:
            report.add(attack(server, name))
    if arguments.write:
        report.save("serve")


if __name__ == "__main__":
    main()
