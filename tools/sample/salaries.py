"""`salaries.csv.gz`: what the city's employees earn, a row per person and fiscal year. Every person is invented."""

from dataclasses import dataclass
from datetime import date, timedelta
from random import Random

from tools.sample.table import Row, Table, seeded

_HEADER = (
    "ID", "Name", "JobTitle", "AgencyID", "AgencyName", "HireDate", "AnnualSalary", "GrossPay", "FiscalYear",
)  # fmt: skip
_YEARS = (2022, 2023, 2024, 2025)
_RAISE = 1.03
_LEAVE = 0.07

# Agency -> its code, and the titles with (people, salary in thousands of dollars, pay beyond the salary as a share).
_AGENCIES: dict[str, tuple[str, dict[str, tuple[int, float, float]]]] = {
    "Police Department": ("A99", {
        "Police Officer": (420, 78, 0.28), "Police Sergeant": (85, 107, 0.3), "Police Lieutenant": (25, 124, 0.22),
        "Police Captain": (6, 141, 0.04), "Crime Laboratory Technician": (14, 62, 0.1), "Police Commissioner": (1, 275, 0.0),
        "Community Services Officer": (24, 44, 0.06), "Office Support Specialist III": (18, 42, 0.03),
    }),
    "Fire Department": ("A64", {
        "Firefighter/Paramedic": (210, 71, 0.16), "Emergency Medical Technician": (70, 58, 0.2), "Fire Captain": (42, 103, 0.18),
        "Fire Lieutenant": (60, 92, 0.17), "Battalion Fire Chief": (9, 122, 0.12), "Fire Chief": (1, 230, 0.0),
    }),
    "Public Works - Water & Waste Water": ("A50", {
        "Utilities Installer Repairer II": (75, 45, 0.22), "Waste Water Technician Operator": (40, 57, 0.19), "Laborer": (60, 38, 0.14),
        "Engineer II": (22, 88, 0.01), "Customer Care Analyst": (35, 43, 0.05), "Utility Meter Technician": (30, 41, 0.09),
    }),
    "Public Works - Solid Waste": ("A70", {
        "Laborer": (110, 37, 0.2), "Solid Waste Driver": (48, 45, 0.24), "Solid Waste Supervisor": (15, 58, 0.13),
    }),
    "Public Works - Administration": ("A41", {
        "Operations Manager I": (4, 118, 0.0), "Office Support Specialist III": (12, 43, 0.02), "Director of Public Works": (1, 245, 0.0),
    }),
    "Transportation - Highways": ("A49", {
        "Laborer": (55, 38, 0.17), "Motor Vehicle Driver I": (35, 41, 0.2), "Traffic Signal Installer": (14, 50, 0.15),
        "Engineer II": (9, 89, 0.0),
    }),
    "Health Department": ("A65", {
        "Community Health Nurse II": (46, 79, 0.01), "Community Health Educator": (28, 48, 0.0), "School Health Aide": (62, 34, 0.0),
        "Commissioner of Health": (1, 215, 0.0), "Sanitarian II": (12, 58, 0.02), "Animal Enforcement Officer": (11, 42, 0.12),
    }),
    "Housing & Community Development": ("A06", {
        "Housing Inspector": (58, 52, 0.06), "Real Estate Agent II": (9, 66, 0.0), "Code Enforcement Investigator": (13, 55, 0.03),
        "Housing Commissioner": (1, 226, 0.0),
    }),
    "Enoch Pratt Free Library": ("A75", {
        "Librarian II": (52, 64, 0.0), "Library Associate": (40, 47, 0.0), "Library Page": (22, 30, 0.0),
        "Library Building Maintenance": (3, 39, 0.08),
    }),
    "State's Attorney's Office": ("A29", {
        "Assistant State's Attorney": (88, 82, 0.0), "Paralegal": (21, 51, 0.01), "Victim Witness Coordinator": (8, 49, 0.0),
        "State's Attorney": (1, 250, 0.0),
    }),
    "Recreation & Parks - Recreation": ("A04", {
        "Recreation Leader II": (46, 39, 0.03), "Recreation Center Director": (24, 55, 0.04), "Lifeguard": (6, 31, 0.05),
    }),
    "Recreation & Parks - Parks": ("A68", {
        "Park Maintenance Supervisor": (7, 57, 0.08), "Laborer": (34, 37, 0.1), "Tree Service Supervisor": (2, 60, 0.09),
    }),
    "General Services": ("A85", {
        "Automotive Mechanic": (40, 54, 0.14), "Custodial Worker": (28, 34, 0.07), "Architect II": (3, 92, 0.0),
    }),
    "Finance - Collections": ("A14", {"Revenue Collector": (25, 47, 0.02), "Collection Supervisor": (4, 68, 0.0)}),
    "Finance - Purchasing": ("A17", {"Procurement Specialist II": (19, 72, 0.0), "Procurement Manager": (3, 108, 0.0)}),
    "Law Department": ("A30", {"Assistant Solicitor": (34, 99, 0.0), "City Solicitor": (1, 230, 0.0), "Legal Assistant": (9, 55, 0.0)}),
    "Sheriff's Office": ("A38", {"Deputy Sheriff": (46, 66, 0.11), "Deputy Sheriff Sergeant": (9, 84, 0.12), "Sheriff": (1, 178, 0.0)}),
    "Courts - Circuit Court": ("A31", {"Court Secretary": (24, 57, 0.0), "Law Clerk": (17, 58, 0.0), "Court Reporter": (4, 71, 0.0)}),
    "Human Resources": ("A83", {"HR Generalist II": (18, 71, 0.0), "HR Assistant": (9, 46, 0.0)}),
    "City Council": ("A02", {"Council Member": (14, 76, 0.0), "Council Assistant": (26, 58, 0.0), "President City Council": (1, 131, 0.0)}),
    "Mayor's Office": ("A01", {"Mayor": (1, 199, 0.0), "Deputy Mayor": (4, 190, 0.0), "Special Assistant": (22, 78, 0.0)}),
    "Baltimore City Office of Information and Technology": ("A40", {
        "Systems Analyst II": (22, 95, 0.0), "Information Technology Manager": (6, 132, 0.0),
    }),
    "Mayor's Office of Employment Development": ("A03", {
        "Workforce Development Specialist": (30, 56, 0.0), "Youth Program Supervisor": (5, 68, 0.0),
    }),
    "Mayor's Office of Homeless Services": ("A08", {"Human Services Worker II": (13, 53, 0.0), "Program Compliance Officer": (5, 66, 0.0)}),
    "Planning": ("A19", {"City Planner II": (24, 76, 0.0), "Director of Planning": (1, 185, 0.0)}),
    "Comptroller": ("A16", {"Auditor II": (17, 73, 0.0), "City Comptroller": (1, 131, 0.0)}),
    "Legislative Reference": ("A33", {"Legislative Analyst": (3, 84, 0.0), "Director Legislative Reference": (1, 140, 0.0)}),
    "Cable & Communications": ("A44", {"Video Producer": (3, 61, 0.0)}),
    "Liquor License Board": ("A35", {"Liquor Inspector": (7, 49, 0.0)}),
    "Office of the Labor Commissioner": ("A90", {"Labor Relations Specialist": (4, 86, 0.0), "Labor Commissioner": (1, 165, 0.0)}),
}  # fmt: skip
# How FY2022 writes some names, before the payroll moved.
_FORMER_NAMES = {
    "Police Department": "Police Department (099)", "Recreation & Parks - Parks": "R&P-Parks (068)",
    "Public Works - Solid Waste": "DPW-Solid Waste (070)", "Enoch Pratt Free Library": "Enoch Pratt Free Library (075)",
}  # fmt: skip
_SYLLABLES = (
    "bar",
    "ken",
    "dal",
    "mor",
    "vin",
    "tes",
    "lor",
    "gan",
    "ris",
    "hol",
    "wen",
    "cas",
    "del",
    "fer",
    "nor",
    "sil",
)
_ENDINGS = ("ton", "er", "man", "well", "ley", "son", "by", "wick", "ard", "field")
_FIRST = (
    "Ada", "Bela", "Cleo", "Dario", "Edda", "Fenn", "Gita", "Hale", "Ines", "Joss", "Kiri", "Lev", "Mara", "Nico", "Orla",
    "Per", "Quin", "Rhea", "Sol", "Tova", "Uri", "Vera", "Wim", "Xena", "Yara", "Zeno",
)  # fmt: skip


@dataclass
class _Person:
    name: str
    agency: str
    title: str
    hired: date
    salary: float
    extra: float


def table() -> Table:
    rng = seeded("salaries")
    output = Table("salaries.csv.gz", {"dataset": "baltimore/salaries", "types": {"ID": "oid"}}, _HEADER)
    staff = [
        _hire(rng, agency, title, date(1992, 1, 6) + timedelta(days=int(10_900 * rng.random() ** 0.6)))
        for agency, (_, titles) in _AGENCIES.items()
        for title, (people, _, _) in titles.items()
        for _ in range(people)
    ]
    for year in _YEARS:
        for person in staff:
            output.rows.append(_row(rng, output, person, year))
        staff = [_next_year(rng, person, year) for person in staff]
    for position, row in enumerate(output.rows):
        row[0] = 150_001 + 3 * position
    _spoil(rng, output)
    return output


def _hire(rng: Random, agency: str, title: str, day: date) -> _Person:
    last = rng.choice(_SYLLABLES).capitalize() + rng.choice(_SYLLABLES) + rng.choice(_ENDINGS)
    name = f"{last},{rng.choice(_FIRST)} {rng.choice('ABCDEFGHJKLMNPRSTW')}"
    _, thousands, extra = _AGENCIES[agency][1][title]
    return _Person(name, agency, title, day, thousands * 1000 * rng.gauss(1, 0.09 if thousands < 120 else 0.0), extra)


def _next_year(rng: Random, person: _Person, year: int) -> _Person:
    """The person with a raise, or the one hired in the next fiscal year for the same job."""
    if rng.random() < _LEAVE:
        return _hire(rng, person.agency, person.title, date(year, 7, 1) + timedelta(days=rng.randrange(364)))
    person.salary *= _RAISE
    return person


def _row(rng: Random, output: Table, person: _Person, year: int) -> Row:
    code, _ = _AGENCIES[person.agency]
    worked = min(1.0, max(0.05, (date(year, 6, 30) - person.hired).days / 365))
    gross = person.salary * worked * (1 + max(-0.02, rng.gauss(person.extra, person.extra / 2 + 0.005)))
    agency = _FORMER_NAMES.get(person.agency, person.agency) if year == _YEARS[0] else person.agency
    output.defects["agency names with the former number or abbreviation"] += agency != person.agency
    day = f"{person.hired:%Y/%m/%d} 00:00:00+00"
    return [
        0, person.name, person.title, code, agency, day, f"{round(person.salary)}", f"{gross:.2f}",
        f"FY{year}" if year < _YEARS[-1] else str(year),
    ]  # fmt: skip


def _spoil(rng: Random, output: Table) -> None:
    name, title, agency, salary, gross = map(
        output.column, ("Name", "JobTitle", "AgencyName", "AnnualSalary", "GrossPay")
    )
    rows = output.rows
    for position in rng.sample(range(len(rows)), 140):
        rows[position][salary], rows[position][title] = "0", rows[position][agency]
        output.defects["salaries of 0 beside a full gross pay, with the agency's name as the title"] += 1
    for position in rng.sample(range(len(rows)), 90):
        rows[position][name] = str(rows[position][name]).replace(",", ", ") + "  "
        output.defects["names with other blanks"] += 1
    for position in rng.sample(range(len(rows)), 6):
        rows[position][gross] = None
        output.defects["empty gross pay"] += 1
    for position in rng.sample(range(len(rows)), 7):
        rows[position][agency], rows[position][output.column("AgencyID")] = "D01_ELJ", "D01"
        output.defects["agencies that are a code of the payroll system (D01_ELJ)"] += 1
    output.defects["years written 2025 beside FY2024"] += sum(row[-1] == str(_YEARS[-1]) for row in rows)
