"""Benchmark of the marts: all tables made from checkbooks of several sizes, and three transformations beside pandas. See README.md."""

import argparse
import os
import tempfile
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from statistics import median

import duckdb
import pandas as pd
from civic_pipeline import nightly
from civic_pipeline.catalog import load_datasets
from civic_pipeline.errors import HeldBack
from civic_pipeline.nightly import Selection
from civic_pipeline.quality import Suites, build_table
from civic_pipeline.settings import CHECKOUT, Settings
from civic_pipeline.warehouse import Build, Model, load_models, open_build

from report import Report, verdict

ROWS = (60_000, 1_000_000, 3_000_000)
LIMIT_SECONDS = 300.0  # all marts of the largest checkbook
PANDAS_ROWS, RUNS = 1_000_000, 3

# A copy of the checkbook has other checks, invoices, vendors and cents, so that no payment looks like one paid twice.
MULTIPLY = """
create or replace table clean.baltimore_spending as
select splits.* replace (
    if(copy = 0, payment_split_id, md5(payment_split_id || copy)) as payment_split_id,
    if(copy = 0, vendor_name, vendor_name || ' of ward ' || (copy % 16)) as vendor_name,
    check_number || if(copy = 0, '', '-' || copy) as check_number,
    invoice_number || if(copy = 0, '', '-' || copy) as invoice_number,
    cast(amount + copy / 100 as decimal(18, 2)) as amount
)
from (from sample limit {rows}) as splits, range({copies}) as copies(copy)
"""


def built(folder: Path) -> Settings:
    """A build of the sample: its captures and its clean tables."""
    settings = Settings(data=folder / "data")
    datasets = load_datasets(CHECKOUT)
    models = load_models(CHECKOUT, datasets)
    clean = frozenset(name for name in models if name.startswith("clean."))
    selection = replace(Selection.whole(datasets, models), tables=clean, releases=False)
    try:
        for _ in nightly.night(settings, datasets, models, "the benchmark", selection, lambda _: None):
            pass
    except HeldBack as held:
        raise RuntimeError(f"The sample is held back: {held.reasons}") from held
    return settings


def with_rows(build: Build, rows: int) -> int:
    """Replace the clean checkbook by one of about `rows` rows; return how many it has."""
    connection = build.connection
    connection.execute("create table if not exists sample as from clean.baltimore_spending")
    [(known,)] = connection.execute("select count(*) from sample").fetchall()
    connection.execute(MULTIPLY.format(rows=min(rows, known), copies=max(1, round(rows / known))))
    return int(connection.execute("select count(*) from clean.baltimore_spending").fetchall()[0][0])


def all_marts(build: Build, models: dict[str, Model]) -> dict[str, float]:
    """Make and check every mart but those about the warehouse, as a night does; mart -> seconds. Prints what failed."""
    suites, seconds = Suites(build), {}
    for model in models.values():
        if model.schema == "marts" and not model.is_about_warehouse and model.subject != "certification":
            began = time.perf_counter()
            outcome = build_table(build, suites, model, {})
            seconds[model.name] = time.perf_counter() - began
            if outcome.problem:
                print(f"  {model.name}: {outcome.problem[:200]}")
    return seconds


def report_on_sizes(build: Build, models: dict[str, Model], sizes: list[int]) -> list[str]:
    lines = [
        "## All marts, checks included",
        "",
        "| Rows of the checkbook | Marts | Seconds | CPU seconds | Load of the machine | Slowest, seconds |",
        "|---:|---:|---:|---:|---:|---|",
    ]
    for size in sizes:
        rows = with_rows(build, size)
        cpu = time.process_time()
        seconds = all_marts(build, models)
        cpu = time.process_time() - cpu
        slowest = sorted(seconds, key=lambda name: -seconds[name])[:4]
        listed = ", ".join(f"{name.removeprefix('marts.')} {seconds[name]:.1f}" for name in slowest)
        lines.append(
            f"| {rows:,} | {len(seconds)} | {sum(seconds.values()):.1f} | {cpu:.1f} | {os.getloadavg()[1]:.0f} | {listed} |"
        )
        print(lines[-1], flush=True)
        if size == max(ROWS):
            total = sum(seconds.values())
            lines += ["", verdict(total < LIMIT_SECONDS, f"{total:.0f} s for {rows:,} rows", f"{LIMIT_SECONDS:.0f} s")]
    return [*lines, ""]


# The same transformations as an analyst writes them in pandas, on frames in memory, money as floats.


def payments_from_splits(splits: pd.DataFrame) -> pd.DataFrame:
    """Payments: one row per check, vendor and day, with the sum of its splits."""
    keyed = splits.dropna(subset=["check_number", "payment_date"])
    return (
        keyed.groupby(["check_number", "vendor_id", "payment_date"], observed=True, sort=False)
        .agg(paid_amount=("paid_amount", "sum"), splits=("paid_amount", "size"))
        .reset_index()
    )


PAYMENTS_SQL = """
select check_number, vendor_id, payment_date, sum(paid_amount) as paid_amount, count(*) as splits
from marts.fct_payments where check_number is not null and payment_date is not null and vendor_id is not null
group by check_number, vendor_id, payment_date
"""


def vendor_concentration(splits: pd.DataFrame) -> pd.DataFrame:
    """The Herfindahl-Hirschman index and the share of the five largest vendors, by agency and fiscal year."""
    paid = (
        splits.groupby(["agency_id", "fiscal_year", "vendor_id"], observed=True, sort=False)["paid_amount"]
        .sum()
        .reset_index()
    )
    paid = paid[paid["paid_amount"] > 0]
    total = paid.groupby(["agency_id", "fiscal_year"], observed=True)["paid_amount"].transform("sum")
    paid["share"] = paid["paid_amount"] / total
    paid["square"] = paid["share"] ** 2
    paid["place"] = paid.groupby(["agency_id", "fiscal_year"], observed=True)["share"].rank(
        method="first", ascending=False
    )
    paid["top"] = paid["share"].where(paid["place"] <= 5, 0.0)
    grouped = paid.groupby(["agency_id", "fiscal_year"], observed=True)
    return grouped.agg(hhi=("square", "sum"), top_5_share=("top", "sum"), vendors=("share", "size")).reset_index()


CONCENTRATION_SQL = """
with paid as (
    select agency_id, fiscal_year, vendor_id, sum(paid_amount) as amount from marts.fct_payments
    group by agency_id, fiscal_year, vendor_id having sum(paid_amount) > 0
), shares as (
    select *, cast(amount / sum(amount) over year as double) as share,
        row_number() over (partition by agency_id, fiscal_year order by amount desc) as place
    from paid window year as (partition by agency_id, fiscal_year)
)
select agency_id, fiscal_year, sum(share * share) as hhi, sum(share) filter (place <= 5) as top_5_share, count(*) as vendors
from shares group by agency_id, fiscal_year
"""


def vendor_months(splits: pd.DataFrame) -> pd.DataFrame:
    """Agency, vendor and month, with zeros between the first and the last payment of a pair, and the share of the agency's month."""
    months = splits.assign(month=splits["payment_date"].dt.to_period("M"))
    paid = (
        months.groupby(["agency_id", "vendor_id", "month"], observed=True, sort=False)["paid_amount"]
        .sum()
        .reset_index()
    )
    pairs = (
        paid.groupby(["agency_id", "vendor_id"], observed=True, sort=False)["month"].agg(["min", "max"]).reset_index()
    )
    every = pd.DataFrame({"month": pd.period_range(paid["month"].min(), paid["month"].max(), freq="M")})
    filled = pairs.merge(every, how="cross")
    filled = filled[(filled["month"] >= filled["min"]) & (filled["month"] <= filled["max"])]
    filled = filled.merge(paid, how="left", on=["agency_id", "vendor_id", "month"])
    filled["paid_amount"] = filled["paid_amount"].fillna(0.0)
    filled["agency_amount"] = filled.groupby(["agency_id", "month"], observed=True)["paid_amount"].transform("sum")
    return filled[["agency_id", "vendor_id", "month", "paid_amount", "agency_amount"]]


MONTHS_SQL = """
with paid as (
    select agency_id, vendor_id, date_trunc('month', payment_date) as month, sum(paid_amount) as paid_amount
    from marts.fct_payments group by agency_id, vendor_id, date_trunc('month', payment_date)
), pairs as (
    select agency_id, vendor_id, min(month) as first_month, max(month) as last_month from paid group by agency_id, vendor_id
), months as (
    select unnest(generate_series(min(month), max(month), interval 1 month)) as month from paid
)
select agency_id, vendor_id, month, coalesce(paid.paid_amount, 0) as paid_amount,
    sum(coalesce(paid.paid_amount, 0)) over (partition by agency_id, month) as agency_amount
from pairs inner join months on month between first_month and last_month
left join paid using (agency_id, vendor_id, month)
"""
TRANSFORMATIONS: dict[str, tuple[str, Callable[[pd.DataFrame], pd.DataFrame], str]] = {
    "payments from their splits": (PAYMENTS_SQL, payments_from_splits, "paid_amount"),
    "concentration of vendors by agency and year": (CONCENTRATION_SQL, vendor_concentration, "hhi"),
    "vendor months, with zeros and shares": (MONTHS_SQL, vendor_months, "paid_amount"),
}


def seconds_of(work: Callable[[], object]) -> float:
    times = []
    for _ in range(RUNS):
        began = time.perf_counter()
        work()
        times.append(time.perf_counter() - began)
    return median(times)


def report_on_pandas(build: Build, models: dict[str, Model]) -> list[str]:
    """SQL on the build and pandas on a frame of the same rows; the frame is made before, and counted in the second ratio."""
    rows = with_rows(build, PANDAS_ROWS)
    suites = Suites(build)
    for name in ("marts.fct_payee_names", "marts.bridge_vendor_names", "marts.dim_vendors", "marts.fct_payments"):
        if name in models and (problem := build_table(build, suites, models[name], {}).problem):
            raise RuntimeError(problem)
    connection = build.connection
    columns = (
        "agency_id, vendor_id, check_number, fiscal_year, payment_date, cast(paid_amount as double) as paid_amount"
    )
    began = time.perf_counter()
    splits = connection.execute(f"select {columns} from marts.fct_payments").df()
    loaded = time.perf_counter() - began
    lines = [
        f"## pandas, {rows:,} rows",
        "",
        f"An analyst first reads the rows into a frame: {loaded:.1f} s, once.",
        "",
        "| Transformation | SQL, s | pandas, s | Ratio | Ratio with reading | Same result |",
        "|---|---:|---:|---:|---:|---|",
    ]
    for name, (sql, in_pandas, measure) in TRANSFORMATIONS.items():
        ours = seconds_of(lambda sql=sql: connection.execute(f"create or replace temp table answer as {sql}"))
        theirs = seconds_of(lambda in_pandas=in_pandas: in_pandas(splits))
        [(count, total)] = connection.execute(f"select count(*), sum({measure})::double from answer").fetchall()
        frame = in_pandas(splits)
        is_same = len(frame) == count and abs(float(frame[measure].sum()) - total) <= 1e-6 * abs(total)
        ratios = f"{theirs / ours:.1f} | {(loaded + theirs) / ours:.1f}"
        lines.append(f"| {name} | {ours:.2f} | {theirs:.2f} | {ratios} | {'yes' if is_same else 'NO'} |")
    return [*lines, ""]


def main() -> None:
    parser = argparse.ArgumentParser(prog="benchmarks/marts.py", description=__doc__)
    parser.add_argument("--rows", type=int, nargs="+", default=list(ROWS), help="sizes of the checkbook")
    parser.add_argument("--no-pandas", action="store_true", help="only the marts")
    parser.add_argument("--write", action="store_true", help="also write results/marts-<date>.md")
    given = parser.parse_args()
    report = Report()
    models = load_models(CHECKOUT, load_datasets(CHECKOUT))
    report.add([f"# Marts, DuckDB {duckdb.__version__}, pandas {pd.__version__}", ""])
    with tempfile.TemporaryDirectory(prefix="civic-marts-") as folder:
        settings = built(Path(folder))
        with open_build(settings, load_datasets(CHECKOUT), "the benchmark") as build:
            report.add(report_on_sizes(build, models, given.rows))
            if not given.no_pandas:
                report.add(report_on_pandas(build, models))
    if given.write:
        report.save("marts")


if __name__ == "__main__":
    main()
