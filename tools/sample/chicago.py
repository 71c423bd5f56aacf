"""`chicago_budget_<year>.csv.gz`: appropriations of Chicago, one dataset per year."""

from tools.sample.table import Row, Table, seeded

_HEADER = (
    "fund_type", "fund_code", "fund_description", "department_number", "department_description",
    "appropriation_authority",
    "appropriation_authority_description", "appropriation_account", "appropriation_account_description",
    "_ordinance_amount_",
)  # fmt: skip

EDITIONS = (*range(2011, 2018), *range(2023, 2027))
# The years in the layout before: another name of the amount, capitals, and codes of accounts without zeros.
_BEFORE = range(2011, 2018)
# The year whose codes are numbers, so that none has a letter.
_OF_NUMBERS = 2015

_DEPARTMENTS = (
    ("1", "Office of the Mayor", 0.3), ("3", "Office of Inspector General", 0.3), ("6",
    "Department of Technology and Innovation", 0.6), ("15", "City Council", 0.4),
    ("21", "Department of Housing", 1.0), ("23", "Department of Cultural Affairs and Special Events", 0.9), ("27",
    "Department of Finance", 1.2),
    ("31", "Department of Law", 0.8), ("38", "Department of Fleet and Facility Management", 4.0), ("41",
    "Chicago Department of Public Health", 3.0),
    ("50", "Department of Family and Support Services", 4.0), ("54", "Department of Planning and Development", 1.2),
    ("57", "Chicago Police Department", 18.0),
    ("59", "Chicago Fire Department", 7.0), ("81", "Department of Streets and Sanitation", 3.0), ("84",
    "Chicago Department of Transportation", 5.0),
    ("85", "Chicago Department of Aviation", 6.0), ("88", "Department of Water Management", 4.0), ("91",
    "Chicago Public Library", 1.2), ("99", "Finance General", 40.0),
)  # fmt: skip
_FUNDS = (
    ("LOCAL", "0100", "Corporate Fund"), ("LOCAL", "0200", "Water Fund"), ("LOCAL", "0300", "Vehicle Tax Fund"),
    ("LOCAL", "0314", "Sewer Fund"),
    ("LOCAL", "0346", "Library Fund"), ("LOCAL", "0740", "Chicago O'Hare Airport Fund"), ("LOCAL", "0B21",
    "Tax Increment Financing Administration Fund"),
)  # fmt: skip
_ACCOUNTS = (
    ("0005", "Salaries and Wages - on Payroll"), ("0015", "Schedule Salary Adjustments"), ("0020", "Overtime"),
    ("0130", "Postage"), ("0140", "For Professional and Technical Services"),
    ("0149", "For Software Maintenance and Licensing"), ("0157", "Rental of Equipment and Services"), ("0162",
    "Repair/Maintenance of Equipment"),
    ("0166", "Dues, Subscriptions and Memberships"), ("0245", "Reimbursement to Travelers"), ("0320", "Gasoline"),
    ("0340", "Material and Supplies"),
    ("0350", "Stationery and Office Supplies"), ("9438",
    "For Services Provided by the Department of Fleet and Facility Management"),
)  # fmt: skip

_REIMBURSEMENT = ("9611", "To Reimburse the Corporate Fund for Indirect Costs Chargeable to Fund")


def table(year: int) -> Table:
    rng = seeded(f"chicago {year}")
    codes = ("fund_code", "department_number", "appropriation_authority", "appropriation_account")
    output = Table(
        f"chicago_budget_{year}.csv.gz",
        {"dataset": "chicago/budget", "edition": str(year)}
        | ({"types": dict.fromkeys(codes, "number")} if year == _OF_NUMBERS else {}),
        (*_HEADER[:-1], "ordinance_amount_") if year in _BEFORE else _HEADER,
    )
    # In 2025 the codes of grants changed: one code for all grants of a source, instead of one code per grant.
    grants = (
        (("GRANTS", "925F", "Federal Grant Fund"), ("GRANTS", "925S", "State Grant Fund"))
        if year >= 2025
        else (("GRANTS", "GA00", "Coronavirus Local Fiscal Recovery Fund"),)
    )
    block = {
        **{
            2017 - back: (("CDBG", f"0J{43 - back}", f"Community Development Block Grant Year {numeral}"),)
            for back, numeral in enumerate(("XLIII", "XLII", "XLI", "XL", "XXXIX", "XXXVIII", "XXXVII"))
        },
        2023: (("CDBG", "0J49", "Community Development Block Grant Year XLIX"),),
        2024: (("CDBG", "0J50", "Community Development Block Grant Year L"),),
        2025: (("CDBG", "GJ51", "Community Development Block Grant Year LI"),),
        2026: (),  # the ordinance of 2026 has none
    }
    funds = tuple(fund for fund in (*_FUNDS, *grants, *block[year]) if year != _OF_NUMBERS or fund[1].isdigit())
    for number, department, size in _DEPARTMENTS:
        chosen = [funds[0], *rng.sample(funds[1:], 3)]
        for fund in chosen:
            for code, account in rng.sample(_ACCOUNTS, rng.randrange(7, 11)):
                amount = round(
                    size
                    * 9_000_000
                    * rng.lognormvariate(-1.2, 1.1)
                    * (1 if fund is funds[0] else 0.3)
                    * 1.04 ** (year - 2023)
                )
                row: Row = [*fund, number, department, "2005", department, code, account, amount]
                output.rows.append(row)
    if year == 2025:
        for row in rng.sample(output.rows, 10):
            row[-1] = -int(row[-1] or 0) // 20
            output.defects["negative appropriations"] += 1
        output.defects["fund codes of grants that changed (GA00 before, 925F and 925S now)"] = sum(
            row[1] in ("925F", "925S") for row in output.rows
        )
    for fund in _FUNDS[1:4]:
        reimbursed = round(25_000_000 * 1.04 ** (year - 2023))
        output.rows.append([*fund, "99", "Finance General", "2005", "Finance General", *_REIMBURSEMENT, reimbursed])
        output.defects["reimbursements between funds, which the total leaves out"] += 1
    if year in _BEFORE:
        for row in output.rows:
            row[:] = [value.upper() if isinstance(value, str) else value for value in row]
            row[7] = str(row[7]).lstrip("0")
            if year == _OF_NUMBERS:
                row[1] = str(row[1]).lstrip("0")
                output.defects["codes of funds without their leading zeros"] += 1
        output.defects["codes of accounts without their leading zeros"] = sum(
            len(str(row[7])) < 4 for row in output.rows
        )
    return output


_REVENUE_HEADER = (
    "fund_code", "fund_name", "revenue_group_type", "revenue_category", "revenue_source", "estimated_revenue",
)  # fmt: skip
REVENUE_EDITIONS = (2024, 2025)
# Only the Corporate Fund has groups and categories.
_CORPORATE_REVENUE = (
    ("Local Tax", "Municipal Public Utility Tax", ("Electric", "Gas", "Telecommunications")),
    ("Local Tax", "Transaction Taxes", ("Real Property Transfer", "Personal Property Lease")),
    ("Local Tax", "Recreation Taxes", ("Amusement", "Liquor", "Cigarette")),
    ("Local Non-Tax Revenue", "Licenses, Permits, and Certificates", ("Alcohol Dealers License", "Building Permits")),
    ("Local Non-Tax Revenue", "Fines, Forfeitures and Penalties", ("Fines, Forfeitures and Penalties",)),
    ("Intergovernmental Revenue", "State Income Tax", ("State Income Tax",)),
    ("Proceeds and Transfers In", "Proceeds and Transfers In", ("Skyway Long-Term Reserve Interest", "Surplus TIF")),
)
_OTHER_REVENUE = ("Charges for Services", "Interest", "Other Revenue", "Transfers In")


def revenue(year: int) -> Table:
    rng = seeded(f"chicago revenue {year}")
    output = Table(
        f"chicago_revenue_{year}.csv.gz",
        {"dataset": "chicago/revenue", "edition": str(year)},
        _REVENUE_HEADER,
    )

    def amount(typical: int) -> int:
        return round(typical * rng.lognormvariate(0, 0.6) * 1.04 ** (year - 2024))

    for group, category, sources in _CORPORATE_REVENUE:
        output.rows += [["0100", "Corporate Fund", group, category, source, amount(120_000_000)] for source in sources]
    for kind, code, name in _FUNDS[1:]:
        if kind == "LOCAL":
            output.rows += [[code, name, "", "", source, amount(60_000_000)] for source in _OTHER_REVENUE]
    output.defects["rows without group and category"] = sum(not row[2] for row in output.rows)
    return output
