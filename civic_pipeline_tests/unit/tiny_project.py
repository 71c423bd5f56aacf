"""A tiny project: one dataset, one clean model, one mart, and captures written by hand; small enough to break in a line."""

import shutil
from collections.abc import Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from civic_pipeline.catalog import Dataset, read_yaml
from civic_pipeline.lake import Attempt, Lake, Manifest, Part
from civic_pipeline.lake.captures import sha256_of
from civic_pipeline.lake.manifest import LandedColumn
from civic_pipeline.settings import CHECKOUT, Settings
from civic_pipeline.warehouse import Build, Model, load_models, open_build

DATASET = """
title: Payments
subject: spending
publisher: The town
licence: not stated
description: What the town paid.
source: {portal: socrata, domain: data.town.gov, id: abcd-1234, recorded: 2026-01-01}
cadence: monthly
dated_by: paid_on
key: [Payment_No]
columns: {Payment_No: text, Paid_On: text, Amount: text}
volume: {shrink_at_most: 10%}
"""
_CLEAN_SQL = """-- Each row is one payment.
select
    Payment_No as payment_id,
    parse_date(Paid_On) as paid_on,
    parse_money(Amount) as amount,
    Amount as _published_amount,
    _capture_id
from raw.town_payments
"""
_CLEAN_YML = """each_row_is: one payment
key: [payment_id]
control_totals: [amount]
repeated_rows: drop
tolerate_quarantined: 50%
row_rules:
  - name: amount_is_readable
    keep_if: amount is not null
    reason: The amount could not be read.
  - name: payment_is_dated
    keep_if: paid_on is not null
    reason: The payment has no date.
columns:
  - {name: payment_id, type: VARCHAR, source: Payment_No, description: "Number of the payment."}
  - {name: paid_on, type: DATE, source: Paid_On, description: "Day of the payment."}
  - {name: amount, type: "DECIMAL(18,2)", unit: USD, source: Amount, description: "Dollars paid."}
"""
_MART_SQL = """-- Each row is one month.
select
    cast(date_trunc('month', paid_on) as date) as month,
    cast(sum(amount) as decimal(18, 2)) as amount
from clean.town_payments
group by 1
"""
_MART_YML = """each_row_is: one month
about: Adds up what the town paid.
cannot_say: Payroll is not in it.
key: [month]
columns:
  - {name: month, type: DATE, description: "First day of the month."}
  - {name: amount, type: "DECIMAL(18,2)", unit: USD, description: "Dollars paid in the month."}
"""


@dataclass(frozen=True)
class TinyProject:
    """Dataset town/payments -> clean.town_payments -> marts.mart_months."""

    settings: Settings
    dataset: Dataset
    name: str = "town/payments"

    @property
    def lake(self) -> Lake:
        return Lake(self.settings.lake)

    def write(self, path: str, text: str) -> Path:
        """Put `text` at `path` below the project."""
        file = self.settings.root / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text, encoding="utf-8")
        return file

    def edit(self, path: str, old: str, new: str) -> Path:
        """Replace `old`, which must be there, in a file."""
        text = (self.settings.root / path).read_text(encoding="utf-8")
        assert old in text, f"{path} does not hold {old!r}"
        return self.write(path, text.replace(old, new))

    def capture(
        self,
        rows: Sequence[tuple[Any, ...]],
        *,
        at: str = "2026-01-02T030405.000000Z",
        held_back: str | None = None,
        types: Sequence[pa.DataType] | None = None,
    ) -> Manifest:
        """Commit a capture of (Payment_No, Paid_On, Amount) rows."""
        names = list(self.dataset.columns)
        folder = self.settings.lake / self.name / at
        folder.mkdir(parents=True)
        moment = datetime.strptime(at, "%Y-%m-%dT%H%M%S.%fZ").replace(tzinfo=UTC)
        kinds = types or [pa.string()] * len(names)
        columns = [pa.array([row[i] for row in rows], kind) for i, kind in enumerate(kinds)]
        pq.write_table(pa.table(dict(zip(names, columns, strict=True))), folder / "part.parquet")
        count = len(rows)
        part = Part(
            edition=None, file="part.parquet", url="https://data.town.gov/resource/abcd-1234.json", title="Payments",
            columns=tuple(LandedColumn(name=n, portal_type=k) for n, k in self.dataset.columns.items()), row_id="Payment_No",
            counted=count, landed=count, distinct=count, counted_after=count,
            reused_ids=0, full_read_at="2026-01-02T03:04:05+00:00", requests=5, retries=0, pages_halved=0, received_bytes=1000,
            bytes=(folder / "part.parquet").stat().st_size,
            sha256=sha256_of(folder / "part.parquet"), freshness_token="1", freshness_link="rowsUpdatedAt",
        )  # fmt: skip
        manifest = Manifest(
            capture_id=f"{self.name}/{at}", dataset=self.name, captured_at=moment.isoformat(), profile="demo",
            pipeline_version="0.1.0", parts=(part,), held_back=held_back,
        )  # fmt: skip
        manifest.write(folder)
        return manifest

    def attempt(self, problem: str | None = None) -> None:
        """Record an attempt that went well, or not."""
        accepted = self.lake.accepted(self.name)
        project = Attempt(
            dataset=self.name, attempted_at="2026-01-02T03:04:05+00:00", status="failed" if problem else "captured",
            capture_id=accepted.capture_id if accepted else None, problem=problem,
        )  # fmt: skip
        (self.settings.lake / self.name / "attempt.json").write_text(project.model_dump_json(), encoding="utf-8")

    def models(self) -> dict[str, Model]:
        return load_models(self.settings.root, {self.name: self.dataset})

    def build(self, run_id: str = "a run") -> AbstractContextManager[Build]:
        return open_build(self.settings, {self.name: self.dataset}, run_id)


def write_tiny_project(root: Path) -> TinyProject:
    """Write the files of the tiny project under `root`."""
    settings = Settings(root=root, data=root / "data")
    (root / "data").mkdir(parents=True)
    definition = root / "payments.yaml"
    definition.write_text(DATASET, encoding="utf-8")
    project = TinyProject(settings, read_yaml(definition, Dataset))
    shutil.copytree(CHECKOUT / "sql" / "functions", root / "sql" / "functions")
    project.write("data/seeds/agencies.csv", "agency,city\nPolice,Town\n")
    project.write("sql/clean/town/payments.sql", _CLEAN_SQL)
    project.write("sql/clean/town/payments.yml", _CLEAN_YML)
    project.write("sql/marts/spending/mart_months.sql", _MART_SQL)
    project.write("sql/marts/spending/mart_months.yml", _MART_YML)
    return project
