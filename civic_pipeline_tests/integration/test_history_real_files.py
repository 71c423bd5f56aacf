"""Ten years of vacant building notices: seven real files become captures of their days; every number is computed again from the files."""

import csv
import gzip
import json
import re
from collections import Counter
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from functools import cache
from itertools import pairwise
from statistics import fmean, median

import pytest
from pyproj import Transformer
from real_files import REAL, needs_real_files
from terminal import Place

from civic_pipeline.catalog import load_datasets
from civic_pipeline.settings import CHECKOUT, Settings
from civic_pipeline.warehouse import load_models, open_build, record_history, release

HOUSING = REAL / "baltimore" / "housing"
NAME = "baltimore/vacant_building_notices"
DEMOLITIONS, DEMOLISHED_UNTIL = "completed_city_demo_2022.csv.gz", "2022-04-25"

pytestmark = [pytest.mark.slow, needs_real_files]

# Day of the copy, as far as the file states it -> file.
COPIES = {
    "2015-04-14": "vacant_buildings_socrata_2015-04.csv.gz",
    "2016-12-01": "vacant_buildings_socrata_2016-12.csv.gz",
    "2020-11-01": "vacant_buildings_socrata_2020-11.csv.gz",
    "2022-04-25": "vacants_2022.csv.gz",
    "2024-04-27": "vacant_building_notices_2024-04.csv.gz",
    "2025-05-01": "vacant_building_notices_2025-05.csv.gz",
    "2025-06-27": "vacant_building_notices_2025-08.csv.gz",  # named by the day of its repository; the list is of this day
}
DAYS = list(COPIES)
MODELS = (
    "clean.baltimore_vacant_building_notices", "clean.baltimore_demolitions", "clean.baltimore_rehabs", "clean.baltimore_real_property",
    "clean.baltimore_neighborhoods", "clean.baltimore_statistical_areas", "clean.baltimore_council_districts", "clean.baltimore_zip_codes",
    "marts.fct_boundaries", "marts.dim_geographies", "marts.fct_vacancy_lists", "marts.fct_vacancy_changes", "marts.fct_vacancy_spells",
    "marts.mart_vacancy_flows_monthly", "marts.mart_vacancy_durations",
)  # fmt: skip
PAIRS = list(pairwise(DAYS))


@cache
def published(day: str) -> list[dict[str, str]]:
    with gzip.open(HOUSING / COPIES[day], "rt", encoding="utf-8-sig", newline="") as file:
        return list(csv.DictReader(file))


@dataclass(frozen=True)
class Notice:
    property: str | None
    day: date
    number: str | None


def read_property(row: dict[str, str]) -> str | None:
    joined = row.get("blockLot") or row.get("BLOCKLOT") or f"{row['Block']} {row['Lot']}"
    match = re.fullmatch(r"(\d{1,4})([A-Z]?) ?(\d{3})([A-Z]?)", joined)
    return f"{int(match[1]):04}{match[2]}|{int(match[3]):03}{match[4]}" if match else None


def read_day(row: dict[str, str]) -> date:
    if "noticeDate" in row:  # 2015: 01/01/ and then the day without leading zero
        digits = row["noticeDate"].removeprefix("01/01/").zfill(6)
        return datetime.strptime(digits, "%m%d%y").date()
    if "NoticeDate" in row:
        return datetime.strptime(row["NoticeDate"], "%m/%d/%Y").date()
    text = row["DateNotice"]
    return (
        datetime.strptime(text, "%B %d, %Y").date() if "," in text else date.fromisoformat(text[:10].replace("/", "-"))
    )


@cache
def notices(day: str) -> list[Notice]:
    return [Notice(read_property(row), read_day(row), row.get("NoticeNum")) for row in published(day)]


@cache
def by_property(day: str) -> dict[str, list[Notice]]:
    grouped: dict[str, list[Notice]] = {}
    for notice in notices(day):
        if notice.property:
            grouped.setdefault(notice.property, []).append(notice)
    return grouped


def is_kept(before: list[Notice], after: list[Notice]) -> bool:
    """Return whether a notice of the earlier list is still there: by number if both lists have numbers, else by day, plus or minus one."""
    if before[0].number and after[0].number:
        return bool({n.number for n in before} & {n.number for n in after})
    return any(abs((b.day - a.day).days) <= 1 for b in before for a in after)


@pytest.fixture(scope="module")
def decade(tmp_path_factory: pytest.TempPathFactory) -> Place:
    """Load all copies with `civic backfill`, not in the order of their days; then compare, build and release.

    The newest is marked as captured live, because a backfilled capture never becomes the current one; so is the list of demolitions.
    """
    place = Place(tmp_path_factory.mktemp("decade") / "data")
    for day in [*DAYS[3:], *DAYS[:3]]:
        ended = place.civic("backfill", NAME, str(HOUSING / COPIES[day]), "--captured-at", day)
        assert ended.code == 0, ended.err
        assert f"{len(published(day)):,} rows of {COPIES[day]}" in ended.out
    ended = place.civic(
        "backfill", "baltimore/demolitions", str(HOUSING / DEMOLITIONS), "--captured-at", DEMOLISHED_UNTIL
    )
    assert ended.code == 0, ended.err
    for name, day in ((NAME, DAYS[-1]), ("baltimore/demolitions", DEMOLISHED_UNTIL)):
        (newest,) = (place.data / "lake" / name).glob(f"{day}*/manifest.json")
        newest.write_text(json.dumps(json.loads(newest.read_text()) | {"backfilled_at": None, "sequence": 1}))
    settings, datasets = Settings(data=place.data), load_datasets(CHECKOUT)
    models = load_models(CHECKOUT, datasets)
    with open_build(settings, datasets, "the test") as build:
        assert record_history(build, models) == {}
        for name in MODELS:
            build.swap(build.stage(models[name]), [], None)
        release(build)
    return place


def test_every_row_of_every_file_is_in_the_lake(decade: Place) -> None:
    assert [(c.captured_at[:10], c.rows) for c in decade.captures(NAME)] == [(day, len(published(day))) for day in DAYS]


@pytest.mark.parametrize("day", DAYS)
def test_the_clean_table_of_any_day_has_every_readable_notice(decade: Place, day: str) -> None:
    answer = decade.civic(
        "as-of",
        day,
        "select block_lot, notice_date, notice_number from clean.baltimore_vacant_building_notices",
        "--format",
        "csv",
    )
    assert answer.code == 0, answer.err
    rows = [(p, date.fromisoformat(d), n or None) for p, d, n in list(csv.reader(answer.out.splitlines()))[1:]]
    assert Counter(rows) == Counter((n.property, n.day, n.number) for n in notices(day) if n.property)


@pytest.mark.parametrize(("before", "after"), PAIRS)
def test_flows_equal_an_independent_count(decade: Place, before: str, after: str) -> None:
    old, new = by_property(before), by_property(after)
    seen = {notice for day in DAYS[: DAYS.index(after)] for notice in by_property(day)}
    counted = (
        len(old),
        len(new.keys() - seen),
        len((new.keys() - old.keys()) & seen),
        len(old.keys() - new.keys()),
        len(new),
        sum(not is_kept(old[key], new[key]) for key in old.keys() & new.keys()),
    )
    columns = ", ".join(
        f"sum({name}_count)" for name in ("opening", "entered", "returned", "left", "closing", "renoticed")
    )
    [rows] = decade.rows(f"select {columns} from mart_vacancy_flows_monthly where closed_on = '{after}'")
    assert rows == counted
    [(listed, unreadable)] = decade.rows(
        f"select row_count, unreadable_count from fct_vacancy_lists where listed_on = '{after}'"
    )
    assert (listed, unreadable) == (len(notices(after)), sum(notice.property is None for notice in notices(after)))


def test_spring_2025_as_published(decade: Place) -> None:
    """K3: 282 left, 103 entered, 229 re-noticed; 12,781 - 282 + 103 = 12,602. Of the 103, 43 were on an earlier copy."""
    [rows] = decade.rows(
        "select sum(opening_count), sum(left_count), sum(entered_count), sum(returned_count), sum(closing_count), sum(renoticed_count)"
        " from mart_vacancy_flows_monthly where month = '2025-06-01'"
    )
    assert rows == (12_781, 282, 60, 43, 12_602, 229)
    assert 12_781 - 282 + 60 + 43 == 12_602


def test_the_years_vacant_by_three_clocks(decade: Place) -> None:
    """K2 on the list of 2025-06-27, whose properties are open spells; the dates of the 2015-04 list read by the product's rule."""
    [rows] = decade.rows(
        "select open_count, round(median_published_age, 1), round(median_true_age, 1), published_ten_years_count, true_ten_years_count"
        " from mart_vacancy_durations where breakdown = 'city'"
    )
    assert rows == (12_602, 5.1, 10.9, 3_818, 6_652)


@pytest.mark.parametrize(
    ("copies", "mean", "understated", "by"),
    [(DAYS[1:], 9.83, 4_514, 7.96), ([day for day in DAYS[1:] if day[:4] != "2024"], 9.79, 4_220, 8.40)],
    ids=["every copy since 2016", "without 2024"],
)
def test_the_years_vacant_without_the_dates_of_2015(
    copies: list[str], mean: float, understated: int, by: float
) -> None:
    """K2 leaves out the list of 2015-04, whose day and month may be swapped: median 9.64 years and 6,022 of ten years or more.

    Section 8.4 also says: mean 6.98 and 9.80 years, 4,231 understated by more than a day, by 8.4 years on average. It does not use the list of
    2024-04: without it, the other copies give 9.79 and 4,220 (0.3% fewer); the lists of 2019 that it uses are not among the known files. With
    2024-04 as well they are 9.83, 4,514 and 8.0. So these three are right within 0.3%, and they depend on which copies are known.
    """
    first = {}
    for day in copies:
        for notice in notices(day):
            if notice.property:
                first[notice.property] = min(notice.day, first.get(notice.property, notice.day))
    today, listed = date(2025, 6, 27), by_property(DAYS[-1])
    ages = [(today - first[key]).days for key in listed]
    published = [(today - max(notice.day for notice in same)).days for same in listed.values()]
    gaps = [age - shown for age, shown in zip(ages, published, strict=True) if age - shown > 1]
    assert (round(median(ages) / 365.25, 2), sum(age >= 3652.5 for age in ages)) == (9.64, 6_022)
    assert (round(median(published) / 365.25, 2), round(fmean(published) / 365.25, 2)) == (5.14, 6.98)
    assert (round(fmean(ages) / 365.25, 2), len(gaps), round(fmean(gaps) / 365.25, 2)) == (mean, understated, by)


@cache
def demolitions() -> dict[str | None, list[date]]:
    """Property -> days on which the City finished a demolition."""
    finished: dict[str | None, list[date]] = {}
    with gzip.open(HOUSING / DEMOLITIONS, "rt", encoding="utf-8-sig", newline="") as file:
        for row in csv.DictReader(file):
            day = date.fromisoformat(row["DateDemoFinished"][:10].replace("/", "-"))
            finished.setdefault(read_property({"BLOCKLOT": row["BLOCKLOT"].strip()}), []).append(day)
    return finished


@pytest.mark.parametrize(("before", "after"), PAIRS)
def test_exits_by_demolition_equal_an_independent_count(decade: Place, before: str, after: str) -> None:
    """A City demolition within 180 days of the time between the two lists, of the properties whose spell ended there.

    The file ends in April 2022, so later pairs have few or none. Rehabs cannot be classified: no list of them is among the known files.
    """
    old, new, finished = by_property(before), by_property(after), demolitions()
    first, last = date.fromisoformat(before) - timedelta(180), date.fromisoformat(after) + timedelta(180)
    ended = 0
    for key in old.keys() - new.keys():
        following = next((by_property(day)[key] for day in DAYS[DAYS.index(after) :] if key in by_property(day)), None)
        goes_on = following is not None and min(n.day for n in following) <= date.fromisoformat(before) + timedelta(45)
        ended += not goes_on and any(first <= day <= last for day in finished.get(key, []))
    columns = "sum(demolished_count), sum(rehabbed_count)"
    assert decade.rows(f"select {columns} from mart_vacancy_flows_monthly where closed_on = '{after}'") == [(ended, 0)]


def test_a_demolished_building_can_still_be_listed(decade: Place) -> None:
    """Section 8.4: "42 properties demolished before Feb 2019 were still listed; 7 still listed Jun 2025". The list of February 2019 is absent.

    The 7 are those demolished at any time until April 2022 that are on the list of 2025-06-27; of those demolished before February 2019, 1 is.
    """
    query = (
        "select count(distinct block_lot), count(distinct block_lot) filter (finished_date < '2019-02-07') from clean.baltimore_demolitions"
        " where block_lot in (select block_lot from fct_vacancy_spells where is_open)"
    )
    assert decade.rows(query) == [(7, 1)]


def test_points_in_feet_are_degrees_in_the_city(decade: Place) -> None:
    """Every notice of 2025-06-27 has a point, in Maryland State Plane feet; pyproj's own degrees of the first row are those of the table."""
    [(count, placed, west, east, south, north)] = decade.rows(
        "select count(*), count(longitude), min(longitude), max(longitude), min(latitude), max(latitude)"
        " from clean.baltimore_vacant_building_notices"
    )
    assert (count, placed) == (12_602, 12_602)
    assert -76.712 < west < east < -76.529
    assert 39.196 < south < north < 39.373
    row = published(DAYS[-1])[0]
    degrees = Transformer.from_crs("EPSG:2248", "EPSG:4326", always_xy=True).transform(float(row["X"]), float(row["Y"]))
    query = f"select longitude, latitude from clean.baltimore_vacant_building_notices where notice_number = '{row['NoticeNum']}'"
    assert decade.rows(query) == [pytest.approx(degrees, abs=1e-9)]
    former = "select count(*) filter (last_listed_on < '2022-01-01' and longitude is not null) from fct_vacancy_spells"
    assert decade.rows(former) == [(0,)]


@pytest.mark.parametrize(("before", "after"), PAIRS[-2:])
def test_revisions_between_copies_of_one_shape_equal_an_independent_count(
    decade: Place, before: str, after: str
) -> None:
    columns = ["DateNotice", "OWNER_ABBR", "Council_District", "Neighborhood", "BLOCKLOT", "Address"]
    columns += ["HousingMarketTypology2023"] * (before >= "2025")  # earlier copies have another typology
    old, new = ({row["NoticeNum"]: row for row in published(day)} for day in (before, after))
    changed = {
        key: {
            name: (old[key][name] or None, new[key][name] or None)
            for name in columns
            if old[key][name] != new[key][name]
        }
        for key in old.keys() & new.keys()
        if any(old[key][name] != new[key][name] for name in columns)
    }
    rows = decade.rows(
        f"select kind, record_key, before, after from meta.revisions where cast(captured_at as date) = '{after}'"
    )
    assert len(rows) == len(set(rows))
    keys = {
        kind: {json.loads(key)[0] for k, key, _, _ in rows if k == kind}
        for kind in ("added", "removed", "changed", "rekeyed")
    }
    assert keys == {
        "added": new.keys() - old.keys(), "removed": old.keys() - new.keys(), "changed": changed.keys(), "rekeyed": set(),
    }  # fmt: skip
    for key, was, becomes in ((key, json.loads(b), json.loads(a)) for kind, key, b, a in rows if kind == "changed"):
        assert {name: (was[name], becomes[name]) for name in was} == changed[json.loads(key)[0]]


def test_the_newest_versions_are_the_newest_list(decade: Place) -> None:
    rows = decade.rows(
        "select record_key from meta.record_versions"
        " where system_to is null and dataset = 'baltimore/vacant_building_notices'"
    )
    assert sorted(json.loads(key)[0] for (key,) in rows) == sorted(row["NoticeNum"] for row in published(DAYS[-1]))
    [(keyless,)] = decade.rows("select sum(keyless_rows) from meta.comparisons where captured_at < '2022-01-01'")
    assert keyless == sum(len(published(day)) for day in DAYS[:3])


def test_as_of_before_the_first_copy_is_an_error(decade: Place) -> None:
    answer = decade.civic("as-of", "2015-04-13", "from fct_vacancy_changes")
    assert answer.code == 2
    assert "baltimore/vacant_building_notices (first captured 2015-04-14)" in answer.message
    assert answer.is_plain
