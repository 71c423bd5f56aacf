"""Generates `data/sample`: small synthetic files with the columns and the defects of the real ones."""

from pathlib import Path

from tools.sample import (
    budget,
    chicago,
    contracts,
    covid,
    covid_us,
    geography,
    housing,
    inventory,
    mwbe,
    performance,
    salaries,
    service_requests,
    spending,
    vacants,
)
from tools.sample.notes import portal_yml, readme
from tools.sample.table import Table


def make_tables() -> list[Table]:
    """Return all files of the sample, in memory."""
    return [
        *(spending.earlier(year) for year in spending.EARLIER),
        spending.table(),
        *(budget.table(year) for year in budget.YEARS),
        covid.cases(),
        covid.deaths(),
        covid.probable_deaths(),
        *covid.older_copies(),
        *covid.zip_cases(),
        *covid_us.tables(),
        mwbe.city(),
        contracts.table(),
        mwbe.state(),
        *vacants.tables(),
        *housing.tables(),
        salaries.table(),
        *service_requests.tables(),
        performance.measures(),
        performance.earlier_measures(),
        performance.services(),
        *performance.plan(),
        *performance.trackers(),
        *geography.tables(),
        *(chicago.table(year) for year in chicago.EDITIONS),
        *(chicago.revenue(year) for year in chicago.REVENUE_EDITIONS),
        inventory.table(),
    ]


def write_sample(folder: Path) -> list[Table]:
    """Write the files, `portal.yml` and `README.md` into `folder`; create it if needed."""
    folder.mkdir(parents=True, exist_ok=True)
    tables = make_tables()
    for table in tables:
        table.write(folder)
    (folder / "portal.yml").write_text(portal_yml(tables), encoding="utf-8")
    (folder / "README.md").write_text(readme(tables), encoding="utf-8")
    return tables
