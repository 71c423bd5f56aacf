"""Neighborhoods and council districts: a map of rates, and for each place what the city publishes about it."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from civic_pipeline.publish.site.charts import Chart, Line
from civic_pipeline.publish.site.formats import count, decimals, rate, total
from civic_pipeline.publish.site.maps import Area, map_of
from civic_pipeline.publish.site.sections import Cell, Heading, Section, number
from civic_pipeline.publish.site.site import Card, Site, first_page, slugs
from civic_pipeline.sql_text import literal

PART, TITLE = "places/", "Places"
TABLE, RATES, WEIGHTS = "marts.dim_geographies", "marts.mart_neighborhood_equity", "marts.bridge_geography_weights"
_REQUESTS, _CASES = "marts.mart_service_requests_on_time", "marts.fct_covid_observations"
_OVERLAPS = "marts.fct_geography_overlaps"
QUESTION = "What does the city publish about my neighborhood or council district?"
AUDIENCE = "Residents, neighborhood groups and council members."
_NOTES = [
    "Rates are drawn toward that of the city where a place is small, since small counts jump by chance.",
    "Counts by ZIP code are split by area: they assume that people live evenly over the ground.",
    "No line of the budget and no payment says for which neighborhood it is: what is planned and paid is known for the whole city only.",
]
_KINDS = {"neighborhood": "Neighborhood", "council district": "Council district"}
Row = dict[str, Any]


def home(site: Site) -> str:
    return first_page(PART, site.cities(TABLE))


def build(site: Site) -> None:
    """Write a page for every city with boundaries, and one for each of its neighborhoods and council districts."""
    cities = site.cities(TABLE)
    for city in cities:
        _City(site, city).build(cities)


def in_order(area: Row) -> tuple[int, str]:
    """Districts by their number, others before them by their name: a key is a text of the city."""
    key = str(area["geography_key"])
    digits = key.lstrip("0")  # not as a number: Python refuses to read a very long one
    return (len(digits), digits) if key.isdecimal() else (0, str(area["geography_name"]))


def place_key(name: object) -> str:
    """A name without case, blanks and signs: sources write it in several ways."""
    return "".join(character for character in str(name).upper() if character.isalnum())


def places(site: Site, city: str) -> list[Row]:
    """The areas of a city, each with `href`, its page; None for areas that have none, such as ZIP codes."""
    if city not in site.cities(TABLE):
        return []
    areas = site.query(
        f"select *, square_meters / 2_589_988.11 as square_miles from {TABLE} where city = ? order by kind, geography_name",
        [city],
    )
    parts = {
        identity: f"{PART}{city}/{part}/index.html"
        for kind in _KINDS
        for identity, part in slugs(
            [(area["geography_id"], area["geography_name"]) for area in areas if area["kind"] == kind]
        ).items()
    }
    return [{**area, "href": parts.get(area["geography_id"])} for area in areas]


def links(site: Site) -> list[tuple[str, list[tuple[str, str]]]]:
    """The name of each city with boundaries, and its neighborhoods by name with the page of each."""
    return [
        (
            site.place_title(city),
            [(area["geography_name"], area["href"]) for area in places(site, city) if area["kind"] == "neighborhood"],
        )
        for city in site.cities(TABLE)
    ]


class _City:
    """All that the pages of one city need, each table asked once."""

    def __init__(self, site: Site, city: str) -> None:
        self.site, self.city = site, city
        self.areas = places(site, city)
        self.of_kind = {kind: [area for area in self.areas if area["kind"] == kind] for kind in _KINDS}
        self.pages = {area["geography_id"]: area["href"] for area in self.areas}
        self.rates = self._by(
            "geography_id", RATES, f"select * from {RATES} where city = ? order by measure, fiscal_year desc"
        )
        self.months = self._months()
        self.weights = self._by(
            "from_geography_id", WEIGHTS,
            f"select weights.*, other.geography_name, other.geography_key from {WEIGHTS} as weights inner join {TABLE} as other"
            " on other.geography_id = weights.to_geography_id where weights.city = ? and weight_name = 'area' order by weight desc",
        )  # fmt: skip
        self.zips = self._by(
            "to_geography_id", _OVERLAPS,
            f"select to_geography_id, zips.geography_key as zip_code, area_share from {_OVERLAPS} as parts"
            f" inner join {TABLE} as zips on zips.geography_id = parts.from_geography_id"
            " where parts.city = ? and parts.from_kind = 'zip code' order by area_share desc",
        )  # fmt: skip
        self.cases = self._cases()
        self.permits = self._own("building_permits", "year(issued_date)::varchar as year, count(*)")
        self.notices = self._own("vacant_building_notices", "null as year, count(distinct block_lot)")

    def _by(self, column: str, table: str, sql: str) -> Mapping[str, Sequence[Row]]:
        rows = defaultdict[str, list[Row]](list)
        for row in self.site.query(sql, [self.city]) if self.site.present(table) else ():
            rows[row[column]].append(row)
        return rows

    def _months(self) -> Mapping[str, Sequence[Row]]:
        """Kind and key of a place -> its months of 311."""
        rows = defaultdict[str, list[Row]](list)
        of_places = f"select * from {_REQUESTS} where city = ? and group_kind in ('neighborhood', 'council district')"
        for row in self.site.query(f"{of_places} order by month", [self.city]) if self.site.present(_REQUESTS) else ():
            rows[f"{row['group_kind']} {place_key(row['group_name'])}"].append(row)
        return rows

    def _cases(self) -> dict[str, int]:
        """ZIP code -> all cases reported, of those whose newest count is not suppressed."""
        if not self.site.present(_CASES):
            return {}
        rows = self.site.query(
            f"select geography, max_by(value, observed_date) as cases from {_CASES}"
            " where geography_kind = 'zip' and metric = 'cases' and value is not null group by geography"
        )
        return {row["geography"]: row["cases"] for row in rows}

    def _own(self, dataset: str, counted: str) -> Mapping[str, Sequence[Row]]:
        """Place -> its rows of one of the city's tables, which name a neighborhood and a council district."""
        rows = defaultdict[str, list[Row]](list)
        for table in self.site.present(f"clean.{self.city}_{dataset}"):
            for column, kind in (("neighborhood", "neighborhood"), ("council_district", "council district")):
                for row in self.site.query(
                    f"select {column} as place, {counted} as counted from {table.name}"
                    f" where {column} is not null group by all order by year"
                ):
                    rows[f"{kind} {place_key(row['place'])}"].append(row)
        return rows

    def build(self, cities: Sequence[str]) -> None:
        city, site = self.city, self.site
        title = f"Places of {site.place_title(city)}"
        about = site.about(city, QUESTION, AUDIENCE, site.present(TABLE, RATES, _REQUESTS, WEIGHTS), _NOTES)
        site.sections_page(
            f"{PART}{city}/",
            about=about,
            title=title,
            figure=count(len(self.of_kind["neighborhood"])),
            caption=f"neighborhoods, and {count(len(self.of_kind['council district']))} council districts",
            crumbs=[("Home", ""), (title, None)],
            sections=[self._list("neighborhood"), *self._maps(), self._list("council district")],
            switch=site.switch(PART, cities),
        )
        caption = "neighborhoods, each with a page of its own"
        figure = count(len(self.of_kind["neighborhood"]))
        site.cards.append(Card(city, TITLE, QUESTION, f"{PART}{city}/index.html", TABLE, figure, caption))
        for kind, areas in self.of_kind.items():
            for area in areas:
                self._page(kind, area, title)

    def _maps(self) -> list[Section]:
        """A map and a table for the newest year of each measure."""
        newest: dict[str, list[Row]] = defaultdict(list)
        for rows in self.rates.values():
            for measure in {row["measure"] for row in rows}:
                newest[measure].append(next(row for row in rows if row["measure"] == measure))
        return [self._map(measure, rows) for measure, rows in sorted(newest.items(), reverse=True)]

    def _map(self, measure: str, rows: list[Row]) -> Section:
        shapes = {area["geography_id"]: area["geometry"] for area in self.areas}
        rows = sorted(rows, key=lambda row: (-(row["shrunk_rate"] or 0), row["neighborhood"]))
        unit = f"per 1,000 {rows[0]['denominator_name']}"
        name = f"{_in_words(measure)} in fiscal year {self._year(rows[0]['fiscal_year'])}"
        areas = [
            Area(
                row["neighborhood"],
                shapes[row["geography_id"]],
                row["shrunk_rate"],
                _per(row["shrunk_rate"]),
                self.pages[row["geography_id"]],
            )
            for row in rows
        ]
        headings = [
            Heading("Neighborhood"),
            Heading("Count", is_number=True),
            *_rate_headings(unit),
        ]
        table = [
            [
                Cell(row["neighborhood"], href=self.pages[row["geography_id"]]),
                number(row["event_count"], decimals(row["event_count"], 0)),
                *_rate_cells(row),
            ]
            for row in rows
        ]
        file = self.site.csv(
            f"{PART}{self.city}/{measure.replace(' ', '-')}.csv",
            f"select * from {RATES} where city = {literal(self.city)} and measure = {literal(measure)} order by all",
        )
        weight = rows[0]["weight_name"]
        text = (
            "The map shows the rate for comparing: where a place is small, its own rate is drawn toward the city's, so even a count of 0"
            " has one. Most intervals overlap, so do not rank. Hatched: no residents or homes."
        )
        split = f" Counts by ZIP code are split by {weight}." if weight not in ("none", None) else ""
        return Section(
            measure.replace(" ", "-"), name, headings, table, text + split, file, map=map_of(name, unit, areas)
        )  # fmt: skip

    def _list(self, kind: str) -> Section:
        has_residents = kind == "neighborhood"
        table = [
            [
                Cell(area["geography_name"], href=area["href"]),
                *([number(area["residents"], count(area["residents"]))] if has_residents else []),
                number(area["square_miles"], decimals(area["square_miles"], 2)),
            ]
            for area in sorted(self.of_kind[kind], key=in_order)
        ]
        headings = [
            Heading(_KINDS[kind]),
            *([Heading("Residents in 2020", is_number=True)] if has_residents else []),
            Heading("Square miles", is_number=True),
        ]
        return Section(kind.replace(" ", "-"), f"{_KINDS[kind]}s", headings, table, is_folded=kind == "neighborhood")

    def _page(self, kind: str, area: Row, parent: str) -> None:
        name = area["geography_name"]
        title = name if kind == "neighborhood" else f"Council {name}"
        place = f"{kind} {place_key(area['geography_key'])}"
        sections = [
            *(self._rates(area) if kind == "neighborhood" else []),
            self._on_time(kind, area),
            self._counts(place),
            self._covid(area),
            self._overlaps(area),
        ]
        about = self.site.about(
            self.city, f"What does the city publish about {title}?", AUDIENCE,
            self.site.present(TABLE, RATES, _REQUESTS, WEIGHTS), _NOTES,
            rows=sum(len(section.rows) for section in sections), row=name,
        )  # fmt: skip
        residents = area["residents"]
        self.site.sections_page(
            area["href"].removesuffix("index.html"),
            about=about,
            title=title,
            figure=None if residents is None else count(residents),
            caption="residents in 2020"
            + "".join(
                f"; {count(row['counted'])} properties with an open vacant building notice"
                for row in self.notices[place]
            ),
            crumbs=[("Home", ""), (parent, f"{PART}{self.city}/"), (title, None)],
            sections=sections,
        )

    def _rates(self, area: Row) -> list[Section]:
        """The newest year of each measure, and the earlier ones folded."""
        rows = self.rates[area["geography_id"]]
        newest = {
            measure: next(row for row in rows if row["measure"] == measure) for measure in (r["measure"] for r in rows)
        }
        earlier = [row for row in rows if row is not newest[row["measure"]]]
        headings = [
            Heading("Measure"),
            Heading("Fiscal year"),
            Heading("Count", is_number=True),
            *_rate_headings("as counted"),
        ]
        absence = None if rows else "There are no rates of this place in the release."
        first = Section("rates", "Compared with the city", headings, self._rate_rows(newest.values()), absence=absence)
        if not earlier:
            return [first]
        return [first, Section("earlier", "In earlier years", headings, self._rate_rows(earlier), is_folded=True)]

    def _year(self, fiscal_year: int) -> str:
        """A fiscal year in words: a count of one that still runs cannot be compared with a whole one."""
        ends = self.site.facts.places[self.city].first_day(fiscal_year + 1, 1)
        return f"{fiscal_year}{' so far' if ends > self.site.facts.released_at.date() else ''}"

    def _rate_rows(self, rows: Iterable[Row]) -> list[list[Cell]]:
        return [
            [
                Cell(f"{_in_words(row['measure'])}, per 1,000 {row['denominator_name'].partition(' of ')[0]}"),
                Cell(self._year(row["fiscal_year"])),
                number(row["event_count"], decimals(row["event_count"], 0)),
                *_rate_cells(row),
            ]
            for row in rows
        ]

    def _on_time(self, kind: str, area: Row) -> Section:
        rows = self.months[f"{kind} {place_key(area['geography_name'])}"]
        headings = [
            Heading("Month"),
            Heading("Created", is_number=True),
            Heading("Due", is_number=True),
            Heading("Share closed on time", is_number=True),
            Heading("Open at its end", is_number=True),
            Heading("Overdue", is_number=True),
        ]
        recent = list(rows)[-24:]
        points = [(row["month"], None if row["on_time_rate"] is None else 100 * row["on_time_rate"]) for row in recent]
        title = f"311 requests closed on time in {area['geography_name']}"
        known = sum(value is not None for _, value in points) > 1
        chart = Chart(title, "percent of those due", [Line("closed on time", points)]) if known else None
        table = [
            [
                Cell(f"{row['month']:%B %Y}", value=str(row["month"])),
                *(number(row[name], count(row[name])) for name in ("created_count", "due_count")),
                number(row["on_time_rate"], rate(row["on_time_rate"]), gap="nothing was due"),
                *(number(row[name], count(row[name])) for name in ("open_count", "overdue_count")),
            ]
            for row in reversed(recent)
        ]
        absence = None if table else "No 311 request names this place."
        due, closed = (total(row[name] for row in recent[-12:]) for name in ("due_count", "closed_on_time_count"))
        text = (
            f"Of {count(due)} requests due in the last 12 months, {rate(closed / due)} were closed on time."
            if due and closed is not None
            else None
        )
        return Section("on-time", "311 requests", headings, table, text, chart=chart, absence=absence, is_folded=True)

    def _counts(self, place: str) -> Section:
        rows = [
            ("Properties with an open vacant building notice", "now", row["counted"]) for row in self.notices[place]
        ]
        rows += [("Building permits", row["year"], row["counted"]) for row in reversed(self.permits[place])]
        table = [[Cell(what), Cell(when), number(counted, count(counted))] for what, when, counted in rows]
        headings = [Heading("What"), Heading("Year"), Heading("Count", is_number=True)]
        absence = None if table else "No vacant building notice or permit names this place."
        tables = self.site.present(f"clean.{self.city}_vacant_building_notices", f"clean.{self.city}_building_permits")
        return Section("housing", "Housing", headings, table, absence=absence, tables=tables)

    def _covid(self, area: Row) -> Section:
        headings = [
            Heading("ZIP code"),
            Heading("Share of its area in this place", is_number=True, about="weight: area"),
            Heading("Cases reported, in all", is_number=True, about="of the whole ZIP code"),
            Heading("Share of the cases", is_number=True, about="if people lived evenly over it"),
        ]
        table = []
        for row in self.zips[area["geography_id"]]:
            cases = self.cases.get(row["zip_code"])
            part = None if None in (cases, row["area_share"]) else row["area_share"] * cases
            table.append([
                Cell(row["zip_code"]),
                number(row["area_share"], rate(row["area_share"])),
                number(cases, count(cases), gap="not published"),
                number(part, decimals(part, 0), gap="not published"),
            ])  # fmt: skip
        absence = None if table else "The release has no boundaries of ZIP codes here."
        tables = self.site.present(_CASES, _OVERLAPS)
        return Section("covid", "COVID-19 by ZIP code", headings, table, absence=absence, tables=tables)

    def _overlaps(self, area: Row) -> Section:
        table = [
            [
                Cell(row["geography_name"], href=self.pages.get(row["to_geography_id"])),
                Cell(row["to_kind"]),
                number(row["weight"], rate(row["weight"])),
            ]
            for row in sorted(self.weights[area["geography_id"]], key=lambda row: (row["to_kind"] or "", -(row["weight"] or 0)))
        ]  # fmt: skip
        headings = [
            Heading("Area"),
            Heading("Kind"),
            Heading("Share of this place in it", is_number=True, about="weight: area"),
        ]
        absence = None if table else "It overlaps no other area of the map."
        return Section("overlaps", "What it is part of", headings, table, absence=absence)


def _rate_headings(unit: str) -> list[Heading]:
    return [
        Heading("Rate", is_number=True, about=unit),
        Heading("Rate for comparing", is_number=True, about="drawn toward the city's"),
        Heading("From", is_number=True, about="95% interval"),
        Heading("To", is_number=True),
        Heading("City", is_number=True),
    ]


def _rate_cells(row: Row) -> list[Cell]:
    columns = ("raw_rate", "shrunk_rate", "shrunk_rate_low", "shrunk_rate_high", "city_rate")
    return [number(row[column], _per(row[column]), gap="no residents or homes") for column in columns]


def _in_words(measure: str) -> str:
    return measure.replace("covid", "COVID") if measure.startswith("covid") else measure[:1].upper() + measure[1:]


def _per(value: float | None) -> str:
    return "not known" if value is None else f"{value:,.1f}"
