"""The federal COVID tables: six counties of Maryland, and others that the marts leave out."""

from datetime import date, timedelta

from tools.sample import covid
from tools.sample.table import Row, Table, seeded

# Column of the State's files, census code and name; the last one is beyond Maryland.
COUNTIES = (
    ("Allegany", "24001", "Allegany County"), ("Anne_Arundel", "24003", "Anne Arundel County"),
    ("Baltimore", "24005", "Baltimore County"), ("Howard", "24027", "Howard County"), ("Kent", "24029", "Kent County"),
    ("Baltimore_City", "24510", "Baltimore city"), ("Howard", "11001", "District of Columbia"),
)  # fmt: skip
LEVELS_FROM, LEVELS_TO = date(2022, 2, 24), date(2023, 5, 11)
TRANSMISSION_FROM, TRANSMISSION_TO = date(2021, 10, 1), date(2022, 10, 18)
VACCINATIONS_FROM, DAILY_TO, VACCINATIONS_TO = date(2020, 12, 14), date(2022, 6, 16), date(2023, 5, 10)
_OLD_SHARE, _CHILD_SHARE, _UNDER_5_SHARE = 0.15, 0.155, 0.06


def tables() -> list[Table]:
    return [_levels(), _transmission(), _vaccinations(), _deaths()]


def _state(fips: str) -> tuple[str, str]:
    return ("District of Columbia", "DC") if fips == "11001" else ("Maryland", "MD")


def _residents(column: str) -> int:
    """Estimates of 2019, which differ from the census of 2020."""
    return round(covid.POPULATIONS[column] * 1.013)


def _case_rates() -> dict[str, dict[date, tuple[float, int]]]:
    """Rate and number of the cases of seven days, by column and day, from the State's counts."""
    table = covid.cases()
    first = covid.FIRST_DAY
    rates: dict[str, dict[date, tuple[float, int]]] = {}
    for name in covid.POPULATIONS:
        totals = [int(row[table.column(name)] or 0) for row in table.rows]
        rates[name] = {
            first + timedelta(days=position): (round(count / _residents(name) * 100_000, 3), count)
            for position in range(7, len(totals))
            if (count := totals[position] - totals[position - 7]) >= 0
        }
    return rates


def _levels() -> Table:
    rng = seeded("covid community levels")
    output = Table("us_covid_community_levels.csv.gz", {"dataset": "us/covid_community_levels"}, (
        "county", "county_fips", "state", "county_population", "health_service_area_number", "health_service_area",
        "health_service_area_population", "covid_inpatient_bed_utilization", "covid_hospital_admissions_per_100k",
        "covid_cases_per_100k", "covid_19_community_level", "date_updated",
    ))  # fmt: skip
    rates = _case_rates()
    for week in range((LEVELS_TO - LEVELS_FROM).days // 7 + 1):
        day = LEVELS_FROM + timedelta(days=7 * week)
        for number, (column, fips, name) in enumerate(COUNTIES):
            rate, _ = rates[column].get(day, (0.0, 0))
            admissions = round(rate * 0.06 * rng.uniform(0.8, 1.2), 1)
            level = "High" if admissions >= 20 else "Medium" if admissions >= 10 or rate >= 200 else "Low"
            people = _residents(column)
            beds = round(min(admissions * 0.45, 40), 1)
            output.rows.append([
                name, fips, _state(fips)[0], people, 100 + number, name, 2 * people, beds, admissions, round(rate, 2), level,
                f"{day}T00:00:00.000",
            ])  # fmt: skip
    return output


def _transmission() -> Table:
    rng = seeded("covid transmission levels")
    output = Table("us_covid_transmission_levels.csv.gz", {"dataset": "us/covid_transmission_levels"}, (
        "state_name", "county_name", "fips_code", "report_date", "cases_per_100k_7_day_count", "percent_test_results_reported",
        "community_transmission_level",
    ))  # fmt: skip
    rates = _case_rates()
    for offset in range((TRANSMISSION_TO - TRANSMISSION_FROM).days + 1):
        day = TRANSMISSION_FROM + timedelta(days=offset)
        for column, fips, name in COUNTIES:
            rate, count = rates[column].get(day, (0.0, 0))
            hidden = 0 < count < 10
            output.defects["rates of 1 to 9 cases that are suppressed"] += hidden
            output.defects["rates with a comma (1,234.5)"] += rate >= 1000 and not hidden
            positive = round(min(rate / 60 * rng.uniform(0.85, 1.15) + 0.5, 45), 2)
            level = "low" if rate < 10 else "moderate" if rate < 50 else "substantial" if rate < 100 else "high"
            published = "suppressed" if hidden else f"{rate:,.3f}"
            output.rows.append([_state(fips)[0], name, fips, f"{day}T00:00:00.000", published, positive, level])
    return output


def _vaccinations() -> Table:
    output = Table("us_covid_vaccinations.csv.gz", {"dataset": "us/covid_vaccinations"}, (
        "date", "fips", "mmwr_week", "recip_county", "recip_state", "completeness_pct", "administered_dose1_recip",
        "series_complete_yes", "series_complete_5plus", "series_complete_12plus", "series_complete_65plus", "booster_doses",
        "census2019", "census2019_5pluspop", "census2019_12pluspop", "census2019_65pluspop",
    ))  # fmt: skip
    day = VACCINATIONS_FROM
    while day <= VACCINATIONS_TO:
        week = day.isocalendar().week
        for column, fips, name in COUNTIES:
            people = _residents(column)
            old, from_5, from_12 = (
                round(people * share) for share in (_OLD_SHARE, 1 - _UNDER_5_SHARE, 1 - _CHILD_SHARE)
            )
            series = _share(day, 130, 0.72)
            # Doses that were matched to two persons: more old people than there are.
            old_series = round(old * _share(day, 90, 1.02 if fips == "24027" else 0.93))
            output.defects["days on which more old people are vaccinated than there are"] += old_series > old
            output.rows.append([
                f"{day}T00:00:00.000", fips, week, name, _state(fips)[1], 96.4, round(people * _share(day, 100, 0.82)),
                round(people * series), round(people * series), round(people * series * 0.98), old_series,
                round(people * _share(day, 400, 0.38)), people, from_5, from_12, old,
            ])  # fmt: skip
        unknown: Row = [
            f"{day}T00:00:00.000",
            "UNK",
            week,
            "Unknown County",
            "MD",
            96.4,
            9_000,
            8_000,
            8_000,
            7_900,
            1_500,
            2_000,
        ]
        output.rows.append([*unknown, None, None, None, None])
        output.defects["rows of people whose county is unknown"] += 1
        day += timedelta(days=1 if day < DAILY_TO else 7)
    return output


def _share(day: date, middle: int, highest: float) -> float:
    """Share of people `middle` days after the start at half of `highest`, growing to it."""
    days = max((day - VACCINATIONS_FROM).days, 0)
    return highest * days**2 / (days**2 + middle**2)


def _deaths() -> Table:
    output = Table("us_covid_deaths.csv.gz", {"dataset": "us/covid_deaths"}, (
        "data_as_of", "start_week", "end_week", "state_name", "county_name", "county_fips_code", "covid_death", "total_death",
        "footnote",
    ))  # fmt: skip
    table = covid.deaths()
    for column, fips, name in COUNTIES:
        confirmed = int(table.rows[-1][table.column(column)] or 0)
        deaths = 7 if column == "Kent" else round(confirmed * 1.06)
        hidden = deaths < 10
        output.defects["counts of 1 to 9 deaths that are blank"] += hidden
        output.rows.append([
            "2023-09-20T00:00:00.000", "2020-01-04T00:00:00.000", "2023-06-24T00:00:00.000", _state(fips)[1], name, int(fips),
            None if hidden else deaths, round(_residents(column) * 0.034),
            "One or more data cells have counts between 1-9 and have been suppressed." if hidden else None,
        ])  # fmt: skip
    return output
