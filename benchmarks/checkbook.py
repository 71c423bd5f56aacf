"""Generates the input of `validate.py`: valid rows of a checkbook, rows with injected faults, and the expectations.

All values are computed from the row number, so two runs write the same rows. Each fault has its own frequency.
"""

import json
import sys
from datetime import date
from pathlib import Path

import duckdb
from civic_pipeline.catalog import read_contract
from civic_pipeline.quality.plan import expectations_of
from civic_pipeline.settings import CHECKOUT

CONTRACT = CHECKOUT / "sql" / "clean" / "baltimore" / "spending.yml"

# Column -> its SQL, computed from the row number `i`; the types are those of the contract.
COLUMNS = {
    "payment_split_id": "md5(i::varchar)",
    "source_row_id": "i::varchar",
    "agency_name": "'Department of ' || upper(substr(md5((i % 60)::varchar), 1, 14))",
    "fund_name": "['General', 'State', 'Federal', 'Water Utility', 'Parking Management'][1 + i % 5]",
    "cost_center": "printf('CC%05d Service for residents', 10000 + i % 250)",
    "spend_category": "printf('Category %d of things bought', i % 40)",
    "vendor_name": "if(i % 3331 = 0, null, 'Vendor ' || md5((i % 9973)::varchar) || ', LLC')",
    "check_number": "(4200000 + i // 3)::varchar",
    "invoice_number": "printf('INV-%08d', i * 7919 % 99999989)",
    "contract_number": "if(i % 5 = 0, printf('P%06d', 500000 + i % 170), null)",
    "contract_release": "if(i % 5 = 0, (i % 2)::varchar, null)",
    "contract_title": "if(i % 5 = 0, printf('Contract %d', i % 170), null)",
    "payment_date": "date '2020-07-01' + cast(i * 31 % 1800 as integer)",
    "fiscal_year": "cast(year(payment_date) + (month(payment_date) >= 7)::integer as integer)",
    "fiscal_period": "cast((month(payment_date) + 5) % 12 + 1 as integer)",
    "amount": "cast((i * 104729 % 25000000 - 499999) / 100 as decimal(18, 2))",
    "check_amount": "amount",
    "check_splits_amount": "amount",
}

# Column -> the condition on `i` for a fault, and the faulty value.
FAULTS = {
    "payment_split_id": ("i % 50021 = 1", "md5((i - 1)::varchar)"),
    "agency_name": ("i % 613 = 2", "null"),
    "fund_name": ("i % 401 = 3", "null"),
    "cost_center": ("i % 2503 = 4", "null"),
    "spend_category": ("i % 79 = 5", "null"),
    "vendor_name": ("i % 1009 in (6, 7, 8)", "['UNKNOWN', 'X', repeat('A paragraph. ', 20)][i % 1009 - 5]"),
    "check_number": ("i % 307 = 9", "null"),
    "invoice_number": ("i % 61 = 10", "null"),
    "payment_date": ("i % 4003 in (11, 12)", "[date '2019-06-30', date '2999-01-01'][i % 4003 - 10]"),
    "fiscal_period": ("i % 5003 = 13", "13"),
    "amount": ("i % 83 = 14 or i % 9001 = 15", "if(i % 9001 = 15, 250000000.01, 0)"),
}


def write_rows(path: Path, rows: int, faults: dict[str, tuple[str, str]]) -> None:
    """Write `rows` rows as Parquet to `path`."""
    columns = ", ".join(f"{sql} as {name}" for name, sql in COLUMNS.items())
    faulty = {name: f"case when {when} then {what} else {name} end" for name, (when, what) in faults.items()}
    amount = faulty.pop("amount", "amount")  # a case expression would have a wider type
    replaced = [f"cast({amount} as decimal(18, 2)) as amount", *(f"{sql} as {name}" for name, sql in faulty.items())]
    with duckdb.connect() as connection:
        connection.execute(
            f"copy (select * exclude (i) replace ({', '.join(replaced)}) from (select i, {columns} from range({rows}) as t(i)))"
            f" to '{path}' (format parquet)"
        )


def write_expectations(path: Path) -> None:
    """Write name, arguments and severity of every expectation of the contract, including those of its key, as JSON."""
    today = date.today().isoformat()
    expectations = {name: expected.model_dump() for name, expected in expectations_of(read_contract(CONTRACT)).items()}
    for expectation in expectations.values():
        given = expectation["arguments"]
        expectation["arguments"] = {key: today if value == "today" else value for key, value in given.items()}
    path.write_text(json.dumps(expectations))


if __name__ == "__main__":
    folder, count = Path(sys.argv[1]), int(sys.argv[2])
    write_rows(folder / "clean.parquet", count, {})
    write_rows(folder / "faulty.parquet", count, FAULTS)
    write_expectations(folder / "expectations.json")
