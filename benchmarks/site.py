# ruff: noqa: A005 - its name is that of the command
"""Benchmark of the public site: a build with a million payments to 25,000 vendors, the search in a browser, and bytes. See README.md."""

import argparse
import gzip
import json
import resource
import shutil
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path
from statistics import mean, median

import duckdb
import uvicorn
from civic_pipeline.publish.site import build_site
from civic_pipeline.publish.site.server import application
from civic_pipeline.settings import Settings
from playwright.sync_api import Page, sync_playwright

from report import Report, verdict

PAYMENTS, VENDORS = 1_000_000, 25_000
BUILD_SECONDS, BUILD_MB, KEYSTROKE_MS, INDEX_BYTES, FIRST_LOAD_BYTES = 60.0, 1_000, 30.0, 350_000, 150_000
SESSIONS_A_DAY, PAGES_A_SESSION = 100_000, 4
TYPED = ("construction", "baltimore electric", "smith", "co", "zzz")

# Copies of the sample's vendors with other names, and of its payments with other keys.
MULTIPLY = """
create or replace table marts.dim_vendors as
select * replace (md5(vendor_id || copy) as vendor_id, vendor_name || ' ' || word || ' ' || copy as vendor_name)
from marts.dim_vendors, (
    select copy, ['North', 'Harbor', 'Patapsco', 'Union', 'Smith', 'Electric', 'Monument', 'Key'][1 + copy % 8] as word
    from range({copies}) as copies(copy)
);
create or replace table marts.bridge_vendor_names as
select names.* replace (md5(vendor_id || copy) as vendor_id)
from marts.bridge_vendor_names as names, range({copies}) as copies(copy);
create or replace table marts.fct_payments as
select payments.* replace (md5(payment_split_id || copy) as payment_split_id, md5(vendor_id || copy) as vendor_id)
from marts.fct_payments as payments, range({copies}) as copies(copy)
where hash(payment_split_id, copy) % 1000 < {share};
drop table marts.fct_spend_flags;
"""


def large_release(release: Path, file: Path) -> tuple[int, int]:
    """A copy of the release with many payments; returns its payments and vendors."""
    shutil.copyfile(release, file)
    file.chmod(0o600)
    with duckdb.connect(str(file)) as connection:
        [(payments, vendors)] = connection.execute(
            "select (select count(*) from marts.fct_payments), (select count(*) from marts.dim_vendors)"
        ).fetchall()
        copies = -(-VENDORS // vendors)
        share = round(1000 * PAYMENTS / (payments * copies))
        connection.execute(MULTIPLY.format(copies=copies, share=share))
        for table in ("fct_payments", "dim_vendors", "bridge_vendor_names"):
            connection.execute(
                f"update meta.tables set row_count = (select count(*) from marts.{table}) where table_name = 'marts.{table}'"
            )
        connection.execute("delete from meta.tables where table_name = 'marts.fct_spend_flags'")
        connection.execute("checkpoint")
        return connection.execute(
            "select (select count(*) from marts.fct_payments), (select count(*) from marts.dim_vendors)"
        ).fetchall()[0]


def build(release: Path, out: Path) -> dict[str, float]:
    """Build in this process: seconds, CPU seconds, and the peak of memory in MB, imports and the search's index included."""
    began = time.perf_counter()
    built = build_site(release, out)
    own, index = resource.getrusage(resource.RUSAGE_SELF), resource.getrusage(resource.RUSAGE_CHILDREN)
    return {
        "seconds": time.perf_counter() - began,
        "cpu": own.ru_utime + own.ru_stime + index.ru_utime + index.ru_stime,
        "mb": max(own.ru_maxrss, index.ru_maxrss) / 1024,
        "pages": built.pages,
        "site_mb": built.bytes / 1e6,
    }


def report_on_builds(release: Path, folder: Path) -> list[str]:
    payments, vendors = large_release(release, folder / "large.duckdb")
    lines = [
        "## Build",
        "",
        "| Release | Seconds | CPU seconds | Peak MB | Pages | Site, MB |",
        "|---|---:|---:|---:|---:|---:|",
    ]
    for out, name, file in (
        ("sample", "sample", release),
        ("large", f"{payments:,} payments, {vendors:,} vendors", folder / "large.duckdb"),
    ):
        command = [sys.executable, __file__, "--build", str(file), str(folder / out)]
        run = json.loads(subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout)
        lines.append(
            f"| {name} | {run['seconds']:.1f} | {run['cpu']:.1f} | {run['mb']:,.0f} | {run['pages']} | {run['site_mb']:,.0f} |"
        )
    passed = run["seconds"] < BUILD_SECONDS and run["mb"] < BUILD_MB
    return [
        *lines,
        "",
        verdict(passed, f"{run['seconds']:.0f} s, {run['mb']:,.0f} MB", f"{BUILD_SECONDS:.0f} s, {BUILD_MB:,} MB"),
        "",
    ]


def report_on_the_search(page: Page, site: Path) -> list[str]:
    """Milliseconds from a letter to the list, and of that the search itself; bytes of the index and of one vendor."""
    asked: list[str] = []
    page.goto("/spending/baltimore/")
    page.on("request", lambda request: asked.append(request.url))
    page.get_by_label("Name of the vendor").focus()
    page.wait_for_load_state("networkidle")
    (index,) = (site / "files" / url.partition("/files/")[2] for url in asked if "/files/" in url)
    size = len(gzip.compress(index.read_bytes()))
    page.evaluate(_COUNT_KEYSTROKES)
    for text in TYPED:
        page.get_by_label("Name of the vendor").fill("")
        page.keyboard.type(text, delay=150)
    keystrokes: list[float] = page.evaluate("window.keystrokes")
    searches: list[float] = page.evaluate(_TIME_SEARCHES, [page.url, list(TYPED)])
    received: list[int] = []
    page.on(
        "response",
        lambda answer: (
            received.append(int(answer.headers.get("content-length", 0))) if ".parquet" in answer.url else None
        ),
    )
    page.get_by_label("Name of the vendor").fill("")
    page.keyboard.type("smith", delay=150)
    page.get_by_role("option").first.click()
    page.get_by_role("heading", name="Payment lines").wait_for()
    return [
        "## The search of vendors",
        "",
        f"The index: {len(json.loads(index.read_text())['names']):,} names, {index.stat().st_size:,} bytes, {size:,} compressed.",
        f"A letter, until the list has changed: median {median(keystrokes):.1f} ms, longest {max(keystrokes):.1f} ms of {len(keystrokes)}.",
        f"The search alone: median {median(searches):.1f} ms, longest {max(searches):.1f} ms.",
        f"One vendor's payments: {sum(received):,} bytes in {len(received)} ranges.",
        "",
        verdict(median(keystrokes) < KEYSTROKE_MS, f"{median(keystrokes):.1f} ms a letter", f"{KEYSTROKE_MS:.0f} ms"),
        verdict(size <= INDEX_BYTES, f"{size:,} bytes", f"{INDEX_BYTES:,}"),
        "",
    ]


# From the letter to the end of the work that it started: the list is drawn in the same task or in microtasks after it.
_COUNT_KEYSTROKES = """() => {
  window.keystrokes = []
  const list = document.querySelector('[role=listbox]')
  let began = null
  document.querySelector('#lookup').addEventListener('input', () => { began = performance.now() }, true)
  new MutationObserver(() => {
    if (began !== null) window.keystrokes.push(performance.now() - began)
    began = null
  }).observe(list, { childList: true, subtree: true, characterData: true })
}"""
_TIME_SEARCHES = """async ([page, words]) => {
  const script = document.querySelector('script[src$="vendors.js"]').src
  const { load, search } = await import(script.replace('vendors.js', 'lookup.js'))
  const index = await load(document.querySelector('[data-lookup]').dataset.lookup)
  const times = []
  for (const word of words) for (let end = 1; end <= word.length; end++) {
    const began = performance.now()
    search(index, word.slice(0, end))
    times.push(performance.now() - began)
  }
  return times
}"""


def report_on_bytes(page: Page, site: Path) -> list[str]:
    """Compressed bytes and requests of the first load, the milliseconds until it is painted, and a day of a host."""
    lines = [
        "## First load",
        "",
        "| Page | Requests | Bytes, compressed | Of the page alone | First paint, ms |",
        "|---|---:|---:|---:|---:|",
    ]
    sizes, alone = [], []
    for path in (
        "",
        "budget/baltimore/",
        "budget/chicago/",
        "spending/baltimore/",
        "salaries/baltimore/",
        "firms/",
        "covid/",
        "housing/baltimore/",
        "data/",
    ):
        asked: list[str] = []
        page.context.clear_cookies()
        listener = asked.append
        page.on("request", lambda request, keep=listener: keep(request.url))
        page.goto(f"/{path}")
        page.wait_for_load_state("networkidle")
        paint = page.evaluate("performance.getEntriesByName('first-contentful-paint')[0]?.startTime ?? 0")
        files = {url.split("/", 3)[3].partition("?")[0] for url in asked}
        whole = [site / name / ("index.html" if name.endswith("/") or not name else "") for name in files]
        size = sum(len(gzip.compress(file.read_bytes())) for file in whole)
        own = len(gzip.compress((site / path / "index.html").read_bytes()))
        sizes.append(size)
        alone.append(own)
        lines.append(f"| /{path} | {len(files)} | {size:,} | {own:,} | {paint:.0f} |")
    shared = median(size - own for size, own in zip(sizes, alone, strict=True))
    session = shared + PAGES_A_SESSION * mean(alone)
    day = SESSIONS_A_DAY * session
    return [
        *lines,
        "",
        verdict(max(sizes) < FIRST_LOAD_BYTES, f"{max(sizes):,} bytes at most", f"{FIRST_LOAD_BYTES:,}"),
        "",
        (
            f"{SESSIONS_A_DAY:,} sessions a day of {PAGES_A_SESSION} pages: {shared:,.0f} bytes of scripts and style once,"
            f" {mean(alone):,.0f} a page,"
            f" {session / 1e3:,.0f} kB a session; {day / 1e9:.1f} GB a day, {day * 30 / 1e12:.2f} TB a month,"
            f" {day * 8 / 86_400 / 1e6:.1f} Mbit/s on average,"
            f" {SESSIONS_A_DAY * (PAGES_A_SESSION + 8) / 86_400:.0f} requests a second."
        ),
        "",
    ]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--write", action="store_true", help="also write results/site-<date>.md")
    parser.add_argument("--build", nargs=2, type=Path, metavar=("RELEASE", "OUT"), help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.build:
        print(json.dumps(build(*options.build)))
        return
    report = Report()
    report.add(["# The public site", "", "Times on a busy machine are too long; bytes are exact.", ""])
    with tempfile.TemporaryDirectory() as folder:
        report.add(report_on_builds(Settings.from_environment().warehouse.resolve(), Path(folder)))
        site = Path(folder) / "large"
        server = uvicorn.Server(
            uvicorn.Config(application(site), port=0, log_level="warning", lifespan="off", ws="none")
        )
        thread = threading.Thread(target=server.run)
        thread.start()
        while not server.started:
            time.sleep(0.01)
        address = f"http://127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}"
        with sync_playwright() as playwright:
            browser = playwright.chromium.launch(
                executable_path=shutil.which("chromium"), args=["--no-sandbox", "--disable-gpu"]
            )
            for section in (report_on_the_search, report_on_bytes):
                report.add(section(browser.new_page(base_url=address), site))
            browser.close()
        server.should_exit = True
        thread.join()
    if options.write:
        report.save("site")


if __name__ == "__main__":
    main()
