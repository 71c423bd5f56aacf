"""The COVID files: cumulative cases and deaths by county, and cases by ZIP code with one column per day."""

import math
from collections.abc import Iterator
from datetime import date, timedelta

from tools.sample.table import Cell, Row, Table, poisson, seeded

# Residents in the 2020 census, in the order of the columns.
POPULATIONS = {
    "Allegany": 68106, "Anne_Arundel": 588261, "Baltimore": 854535, "Baltimore_City": 585708, "Calvert": 92783,
    "Caroline": 33293, "Carroll": 172891,
    "Cecil": 103725, "Charles": 166617, "Dorchester": 32531, "Frederick": 271717, "Garrett": 28806,
    "Harford": 260924, "Howard": 332317, "Kent": 19198,
    "Montgomery": 1062061, "Prince_Georges": 967201, "Queen_Annes": 49874, "Somerset": 24620, "St_Marys": 113777,
    "Talbot": 37526, "Washington": 154705,
    "Wicomico": 103588, "Worcester": 52460,
}  # fmt: skip
_HEADER = ("OBJECTID", "DATE", *POPULATIONS, "Unknown")

FIRST_DAY, LAST_DAY = date(2020, 3, 15), date(2023, 6, 30)
FIRST_DEATH = date(2020, 4, 3)
OUTAGE = (date(2021, 12, 5), date(2021, 12, 27))
CATCH_UP = date(2021, 5, 27)
BLANK_WEEKENDS_FROM = date(2022, 4, 9)
# Negative corrections of the cases of Baltimore City, by report date.
CORRECTIONS = {
    date(2020, 6, 1): 58,
    date(2020, 9, 15): 61,
    date(2020, 9, 16): 140,
    date(2021, 6, 2): 6,
    date(2021, 6, 23): 4,
    date(2021, 7, 2): 3,
    date(2021, 10, 19): 22,
}
DEATH_CORRECTIONS = {date(2020, 9, 1): 2, date(2020, 12, 25): 1, date(2021, 2, 11): 3, date(2022, 2, 9): 2}
# Days of older copies, and the day by which the cases of the outage had been filled in; its deaths never were.
OLDER_COPIES = (date(2021, 12, 16), date(2022, 1, 12), date(2022, 2, 1))
CASES_REPAIRED = date(2022, 1, 1)
# Probable deaths of Baltimore City that were confirmed later.
CONFIRMED_LATER = (date(2021, 1, 28), date(2022, 2, 15))

# Waves: date of the peak, standard deviation in days, new cases per day and 100,000 residents at the peak.
_WAVES = (
    (date(2020, 5, 10), 24, 17), (date(2020, 7, 28), 20, 13), (date(2020, 12, 18), 36, 46), (date(2021, 4, 10), 20,
    22),
    (date(2021, 9, 12), 32, 18), (date(2022, 1, 4), 14, 240), (date(2022, 5, 25), 28, 36), (date(2022, 12, 20), 40,
    16),
)  # fmt: skip
# Relative number of reports by weekday, from Monday.
_WEEKDAYS = (0.85, 0.92, 1.05, 1.12, 1.14, 1.06, 0.86)

PREFIX_CHANGE = date(2020, 5, 21)
MISSING_DAY = date(2020, 12, 25)
LAST_ZIP_DAY = date(2022, 3, 31)
ZERO_DAY = date(2022, 2, 20)  # the State's table of 2022 has zeros after counts
_BALTIMORE_ZIPS = (
    "21201 21202 21203 21204 21205 21206 21207 21208 21209 21210 21211 21212 21213 21214 21215 21216 21217 21218 "
    "21219 21220 21221 21222 21223 21224 21225 21226 21227 21228 21229 21230 21231 21233 21234 21236 21237 21239 "
    "21244 21250 21251 21252 21286 21287"
).split()
_OTHER_ZIPS = (
    "20602 20657 20706 20743 20782 20814 20850 20874 20902 21014 21042 21061 21117 21157 21401 21502 21701 21801"
).split()


def cases() -> Table:
    rng = seeded("covid cases")
    output = Table(
        "covid_cases.csv.gz",
        {"dataset": "maryland/covid_cases"},
        _HEADER,
    )
    daily = {
        county: [poisson(rng, _expected(day, people, 1.0)) for day in _days(FIRST_DAY)]
        for county, people in POPULATIONS.items()
    }
    for position, day in enumerate(_days(FIRST_DAY)):
        if day in CORRECTIONS:
            daily["Baltimore_City"][position] = -CORRECTIONS[day]
            output.defects["days on which the cumulative cases of Baltimore City decrease"] += 1
    output.rows = _cumulative(FIRST_DAY, daily)
    return output


def deaths() -> Table:
    rng = seeded("covid deaths")
    output = Table(
        "covid_deaths.csv.gz",
        {"dataset": "maryland/covid_deaths"},
        _HEADER,
    )
    daily = {}
    for county, people in POPULATIONS.items():
        per_case = 0.013 if county == "Baltimore_City" else 0.009
        daily[county] = [
            poisson(rng, _expected(day - timedelta(days=14), people, per_case)) for day in _days(FIRST_DEATH)
        ]
        daily[county][(CATCH_UP - FIRST_DEATH).days] += round(people / 6500)
    for day, people in DEATH_CORRECTIONS.items():
        daily["Baltimore_City"][(day - FIRST_DEATH).days] = -people
        output.defects["days on which the cumulative deaths of Baltimore City decrease"] += 1
    output.rows = _cumulative(FIRST_DEATH, daily)
    for row, day in zip(output.rows, _days(FIRST_DEATH), strict=True):
        if OUTAGE[0] <= day <= OUTAGE[1]:
            row[2:] = [0] * (len(row) - 2)
            output.defects["days on which the cumulative deaths of every county are published as zero"] += 1
        elif day >= BLANK_WEEKENDS_FROM and day.weekday() >= 5:
            row[2:] = [None] * (len(row) - 2)
            output.defects["empty weekend days"] += 1
    output.defects["days with a backlog of late reports (2021-05-27)"] = 1
    return output


def older_copies() -> list[Table]:
    """What the layers of cases and confirmed deaths held on three earlier days, oldest first, and that of probable deaths on the last."""
    copies = [_older(table, day) for table in (cases(), deaths()) for day in OLDER_COPIES]
    return [*copies, _older(probable_deaths(), OLDER_COPIES[-1])]


def _older(table: Table, captured: date) -> Table:
    """The rows before `captured`: the newest days lack reports that came later, and the outage is zero until it was repaired."""
    name = table.file.partition(".")[0]
    output = Table(f"{name}_{captured}.csv.gz", {**table.entry, "captured_at": captured}, _HEADER)
    first = date.fromisoformat(str(table.rows[0][1])[:10].replace("/", "-"))
    for position, (row, before) in enumerate(zip(table.rows, [table.rows[0], *table.rows], strict=False)):
        day = first + timedelta(days=position)
        if day >= captured:
            break
        totals = [count for count in row[2:] if isinstance(count, int)]
        if OUTAGE[0] <= day <= OUTAGE[1] and captured < CASES_REPAIRED:
            totals = [0] * len(totals)
            output.defects["days on which every county is published as zero"] += 1
        elif (lag := (captured - day).days) <= 10 and day > OUTAGE[1]:
            new = [after - count for after, count in zip(totals, before[2:], strict=False) if isinstance(count, int)]
            totals = [total - round(max(count, 0) * 0.6**lag) for total, count in zip(totals, new, strict=True)]
            output.defects["newest days that lack late reports"] += 1
        output.rows.append([position + 1, row[1], *totals])
    return output


def probable_deaths() -> Table:
    rng = seeded("covid probable deaths")
    output = Table("covid_probable_deaths.csv.gz", {"dataset": "maryland/covid_probable_deaths"}, _HEADER)
    daily = {
        county: [poisson(rng, _expected(day - timedelta(days=14), people, 0.0005)) for day in _days(FIRST_DEATH)]
        for county, people in POPULATIONS.items()
    }
    for day in CONFIRMED_LATER:
        daily["Baltimore_City"][(day - FIRST_DEATH).days] = -1
        output.defects["days on which a probable death of Baltimore City was confirmed and left the series"] += 1
    output.rows = _cumulative(FIRST_DEATH, daily)
    for row, day in zip(output.rows, _days(FIRST_DEATH), strict=True):
        if day >= BLANK_WEEKENDS_FROM and day.weekday() >= 5:
            row[2:] = [None] * (len(row) - 2)
            output.defects["empty weekend days"] += 1
    return output


def zip_cases() -> list[Table]:
    """One table per year, as the State publishes them."""
    rng = seeded("covid zips")
    days = [day for day in _days(date(2020, 4, 11)) if day <= LAST_ZIP_DAY and day != MISSING_DAY]
    years = {
        year: Table(
            f"covid_zip_cases_{year}.csv.gz",
            {"dataset": "maryland/covid_zip_cases", "edition": str(year)},
            ("OBJECTID", "ZIP_CODE", *(_zip_column(day) for day in days if day.year == year)),
        )
        for year in (2020, 2021, 2022)
    }
    for number, code in enumerate(sorted(_BALTIMORE_ZIPS + _OTHER_ZIPS), start=1):
        people = rng.randrange(60, 900) if rng.random() < 0.1 else rng.randrange(4_000, 52_000)
        total = poisson(rng, sum(_expected(day, people, 1.0) for day in _days(FIRST_DAY) if day < days[0]))
        falls = set(rng.sample(range(40, len(days)), 2)) if rng.random() < 0.2 and people > 4_000 else set()
        rows: dict[int, Row] = {year: [number, code] for year in years}
        for position, day in enumerate(days):
            new = poisson(rng, _expected(day, people, 1.0))
            total = max(0, total - rng.randrange(1, 5)) if position in falls else total + new
            is_zero = code == "21215" and day == ZERO_DAY
            is_small = (
                total == 7 and (number + position) % 20 == 0
            )  # Maryland publishes a few counts that it should hide
            rows[day.year].append(0 if is_zero else total if total >= 8 or is_small else None)
            years[day.year].defects["zeros of a ZIP code after a count"] += is_zero
            years[day.year].defects["counts below 8 that are published"] += is_small
            years[day.year].defects["days on which the cumulative cases of a ZIP code decrease"] += position in falls
        for year, row in rows.items():
            years[year].defects["values below 8 that are empty"] += sum(value is None for value in row)
            years[year].rows.append(row)
    years[2020].defects["days without a column (2020-12-25)"] = 1
    years[2020].defects["changes of the column prefix (F5_20_2020, then total05_21_2020)"] = 1
    return list(years.values())


def _days(first: date) -> Iterator[date]:
    for number in range((LAST_DAY - first).days + 1):
        yield first + timedelta(days=number)


def _expected(day: date, people: int, share: float) -> float:
    """Return the expected number of new reports on a day for `people` residents, multiplied by `share`."""
    rate = sum(height * math.exp(-(((day - peak).days / spread) ** 2) / 2) for peak, spread, height in _WAVES)
    return (rate + (1.5 if day > date(2020, 4, 1) else 0.3)) * people / 100_000 * _WEEKDAYS[day.weekday()] * share


def _cumulative(first: date, daily: dict[str, list[int]]) -> list[Row]:
    totals = dict.fromkeys(daily, 0)
    rows: list[Row] = []
    for position, day in enumerate(_days(first)):
        for county, counts in daily.items():
            totals[county] = max(0, totals[county] + counts[position])
        counties: list[Cell] = list(totals.values())
        rows.append([position + 1, f"{day:%Y/%m/%d} 10:00:00+00", *counties, 0])
    return rows


def _zip_column(day: date) -> str:
    return f"F{day.month}_{day.day}_{day.year}" if day < PREFIX_CHANGE else f"total{day:%m_%d_%Y}"
