"""No secret leaves the process: each secret is planted, a portal repeats it, and all output and files are searched for it."""

import json
import subprocess
import sys
import threading
import zlib
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import ClassVar

import pytest
from terminal import Ended, Place

from civic_pipeline.catalog import load_datasets
from civic_pipeline.settings import CHECKOUT

SECRETS = {
    "SOCRATA_APP_TOKEN": "PlantedToken4711",
    "CIVIC_NOTIFY_URL": "http://127.0.0.1:9/services/PlantedHook4711",
    "CIVIC_NOTIFY_SMTP": "PlantedUser4711:PlantedWord4711@127.0.0.1:9",
    "CIVIC_SERVE_TOKEN": "PlantedServe4711",
}
# Part of every secret, also of those in addresses.
MARK = b"Planted"

# `civic` with the hostile portal instead of the demo portals. It receives the real token, unlike the demo portals.
PROGRAM = """
import sys
from contextlib import contextmanager
import civic_pipeline.access
from civic_pipeline.portals import Access

root = sys.argv.pop(1)

@contextmanager
def hostile(settings):
    yield Access(root=root, socrata_token=settings.socrata_token)

civic_pipeline.access.open_portals = hostile
from civic_pipeline.cli import main
main()
"""


class Echo(BaseHTTPRequestHandler):
    """Refuses every request with a message that repeats its URL and headers."""

    requests: ClassVar[list[str]] = []

    def do_GET(self) -> None:
        request = f"{self.command} {self.path} {dict(self.headers.items())}"
        self.requests.append(request)
        body = json.dumps({"message": f"You may not: {request}", "error": {"code": 403, "message": request}}).encode()
        self.send_response(403)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers.get("Content-Length", 0)))
        self.do_GET()

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base class's name
        """Silent."""


@pytest.fixture
def echo() -> Iterator[str]:
    Echo.requests.clear()
    server = ThreadingHTTPServer(("127.0.0.1", 0), Echo)
    threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()


def civic(place: Place, *arguments: str, hostile: str | None = None) -> Ended:
    """Run `civic` in a process with the secrets in its environment."""
    command = ["-m", "civic_pipeline.cli"] if hostile is None else ["-c", PROGRAM, hostile]
    ended = subprocess.run(
        [sys.executable, *command, *arguments], cwd=place.root, env=place.environment | SECRETS, capture_output=True, check=False,
        stdin=subprocess.DEVNULL,
    )  # fmt: skip
    return Ended(ended.returncode, ended.stdout.decode(), ended.stderr.decode())


def leaks(folder: Path, *ended: Ended) -> dict[str, bytes]:
    """Place -> text around a planted secret, in the output, in all files, and in the data that Dagster compressed."""
    texts = {f"output of command {n}": (e.out + e.err).encode() for n, e in enumerate(ended)}
    texts |= {str(path): path.read_bytes() for path in folder.rglob("*") if path.is_file()}
    leaked = {where: around(text) for where, text in texts.items() if MARK in text}
    for where, text in texts.items():
        if b"SQLite format 3" in text[:16]:
            leaked |= {f"{where}, packed": around(inner) for inner in unpacked(text) if MARK in inner}
    return leaked


def around(text: bytes) -> bytes:
    at = text.index(MARK)
    return text[max(0, at - 200) : at + 60]


def unpacked(text: bytes) -> Iterator[bytes]:
    """All zlib streams in a file, at any position."""
    at = -1
    while (at := text.find(b"x\x9c", at + 1)) >= 0:
        try:
            yield zlib.decompressobj().decompress(text[at:])
        except zlib.error:
            continue


@pytest.mark.slow
def test_a_run_that_fails_at_every_portal_leaves_no_secret(small: Place, echo: str, tmp_path: Path) -> None:
    place = Place(tmp_path / "data", root=small.root)
    ended = [civic(place, *words, hostile=echo) for words in (["run"], ["--debug", "run"], ["doctor"], ["status"])]
    assert "You may not" in ended[0].err + ended[0].out, "the message of the portal is shown"
    assert "<SOCRATA_APP_TOKEN>" in ended[0].err + ended[0].out, "with the name of the secret instead of its value"
    assert any(SECRETS["SOCRATA_APP_TOKEN"] in request for request in Echo.requests), "the portal receives the token"
    assert len(list((tmp_path / "data" / "lake").rglob("attempt.json"))) == len(load_datasets(small.root))
    assert leaks(tmp_path, *ended) == {}


@pytest.mark.slow
def test_a_successful_run_leaves_no_secret(small: Place, tmp_path: Path) -> None:
    place = small.copy(tmp_path)
    ended = civic(place, "run")
    assert ended.code == 0, ended.err
    assert leaks(tmp_path / "data", ended) == {}


@pytest.mark.slow
@pytest.mark.parametrize("debug", [[], ["--debug"]])
def test_secrets_in_an_address_are_not_shown(debug: list[str], echo: str, tmp_path: Path) -> None:
    place = Place(tmp_path / "data")
    pasted = [
        f"{echo}/rows.csv?token=PlantedPaste1", f"{echo}/d/abcd-1234?$$app_token=PlantedPaste2", f"{echo.replace('//', '//PlantedUser:PlantedWord@')}/rows.csv",
        "http://127.0.0.1:9/rows.csv?api_key=PlantedPaste3", "https://PlantedUser:PlantedWord@nowhere.invalid/nothing",
    ]  # fmt: skip
    out = str(tmp_path / "out")
    ended = [civic(place, *debug, "capture", url, "--out", out, "--allow-private-hosts") for url in pasted]
    ended += [
        civic(
            place,
            *debug,
            "add",
            url,
            "--city",
            "baltimore",
            "--name",
            "x",
            "--subject",
            "housing",
            "--allow-private-hosts",
        )
        for url in pasted[:1]
    ]
    assert all(e.code for e in ended)
    assert any("PlantedPaste1" in request for request in Echo.requests), "the request contains the token"
    assert leaks(tmp_path, *ended) == {}


def test_a_capture_stores_no_secret_of_its_address(tmp_path: Path) -> None:
    served = tmp_path / "served"
    served.mkdir()
    (served / "wards.csv").write_text("Ward,Name\n1,One\n2,Two\n", encoding="utf-8")
    with subprocess.Popen(
        [sys.executable, "-m", "http.server", "--bind", "127.0.0.1", "--directory", str(served), "0"], stdout=subprocess.PIPE, text=True,
        env={"PYTHONUNBUFFERED": "1"}, stderr=subprocess.DEVNULL, cwd=CHECKOUT,
    ) as server:  # fmt: skip
        try:
            assert server.stdout is not None
            url = server.stdout.readline().split("(")[1].split(")")[0] + "wards.csv?token=PlantedPaste"
            place, kept = Place(tmp_path / "data"), tmp_path / "kept"
            ended = civic(place, "capture", url, "--out", str(kept), "--allow-private-hosts")
            assert ended.code == 0, ended.err
            assert "token=<redacted>" in (kept / "manifest.json").read_text(encoding="utf-8")
            added = civic(
                place,
                "add",
                url,
                "--city",
                "baltimore",
                "--name",
                "wards",
                "--subject",
                "housing",
                "--allow-private-hosts",
            )
            assert "defs.yaml is public, and the address contains token, which may be a secret" in added.message
        finally:
            server.terminate()
    assert leaks(tmp_path, ended, added) == {}
