"""The Dagster UI as a newcomer meets it: the page loads, the graph is there, the nightly job is launched and succeeds."""

import os
import re
import shutil
import signal
import socket
import subprocess
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect, sync_playwright

from civic_pipeline.settings import CHECKOUT

CHROMIUM = shutil.which("chromium")
pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(CHROMIUM is None, reason="needs Debian's chromium: apt-get install chromium"),
]

# The flags a browser without a network and without a sandbox of its own needs; none changes what a page does.
_FLAGS = (
    "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
    "--disable-component-update", "--disable-sync",
)  # fmt: skip
_PATIENCE_MS = 300_000


@pytest.fixture(scope="module")
def data(good_night: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The data of one good night that Dagster has no record of, so that most tables of the next one are unchanged."""
    return shutil.copytree(good_night, tmp_path_factory.mktemp("ui") / "data")


@pytest.fixture(scope="module")
def ui(data: Path) -> Iterator[str]:
    """`make dev` on that folder, started from the checkout as people do, and on a free port."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    environment = os.environ | {"CIVIC_DATA": os.path.relpath(data, CHECKOUT), "CIVIC_PROFILE": "demo"}
    log = (data / "dagster.log").open("wb")
    server = subprocess.Popen(
        ["make", "dev", f"PORT={port}"], cwd=CHECKOUT, env=environment, stdout=log, stderr=log, start_new_session=True
    )
    try:
        url = f"http://127.0.0.1:{port}"
        _wait_for(url, server, data / "dagster.log")
        yield url
    finally:
        # Its webserver, daemon and code server are a process group of their own.
        os.killpg(server.pid, signal.SIGTERM)
        try:
            server.wait(timeout=20)
        except subprocess.TimeoutExpired:
            os.killpg(server.pid, signal.SIGKILL)


def _wait_for(url: str, server: subprocess.Popen[bytes], log: Path) -> None:
    for _ in range(240):
        assert server.poll() is None, log.read_text()
        try:
            urllib.request.urlopen(f"{url}/server_info", timeout=5)
        except OSError:
            time.sleep(0.5)
        else:
            return
    pytest.fail(f"the UI did not answer: {log.read_text()}")


@pytest.fixture
def page(ui: str) -> Iterator[Page]:
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=list(_FLAGS))
        page = browser.new_page(viewport={"width": 1800, "height": 1100}, base_url=ui)
        page.set_default_timeout(_PATIENCE_MS)
        yield page
        browser.close()


def test_the_graph_shows_every_subject(page: Page) -> None:
    page.goto("/asset-groups")
    for group in ("budget", "covid", "housing", "participation", "shared", "spending"):
        expect(page.get_by_text(group, exact=True).first).to_be_visible(timeout=_PATIENCE_MS)


def test_an_asset_explains_its_columns_before_any_run(page: Page) -> None:
    page.goto("/assets/marts/fct_payments")
    expect(page.get_by_text("Each row is one split of one payment").first).to_be_visible(timeout=_PATIENCE_MS)
    expect(page.get_by_text("vendor_id", exact=True).first).to_be_visible()


def test_the_nightly_job_is_launched_from_the_page_and_succeeds(page: Page, data: Path) -> None:
    page.goto("/locations/civic_pipeline/jobs/nightly")
    with page.expect_response(lambda answer: "mutation Launch" in (answer.request.post_data or "")):
        page.get_by_role("button", name="Materialize all").click()
    page.goto("/runs")
    ended = page.get_by_text(re.compile("^(Success|Failure)")).first
    expect(ended).to_be_visible(timeout=_PATIENCE_MS)
    assert "Success" in ended.inner_text(), (data / "dagster.log").read_text()
    assert (data / "site" / "index.html").exists()
    page.goto("/assets/marts/fct_payments")
    expect(page.get_by_text("Row count").first).to_be_visible(timeout=_PATIENCE_MS)
    page.goto("/assets/clean/baltimore_spending?view=checks")
    expect(page.get_by_text("contract", exact=True).first).to_be_visible(timeout=_PATIENCE_MS)
