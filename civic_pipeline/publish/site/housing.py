"""Vacant building notices: how many are open, where, and how the list changed between two captures."""

from civic_pipeline.publish.site.formats import count, day
from civic_pipeline.publish.site.sections import Cell, Heading, Section, number
from civic_pipeline.publish.site.site import About, Card, Site, first_page
from civic_pipeline.sql_text import literal

PART, TITLE = "housing/", "Housing"
TABLE = "marts.mart_vacancy_flows_monthly"
_DURATIONS, _PROFILES, _EVENTS = (
    "marts.mart_vacancy_durations",
    "marts.mart_property_profiles",
    "marts.fct_property_events",
)
_BLOCKS = 25  # with the most notices; the file has all
_LINES = 60  # of one property on the page
QUESTION = "Where are buildings with an open vacant building notice, and is the list growing?"
AUDIENCE = "Residents, neighborhood groups and housing staff."


def home(site: Site) -> str:
    return first_page(PART, _cities(site))


def build(site: Site) -> None:
    """Write a page for every city that publishes its notices."""
    for city in _cities(site):
        _build_city(site, city)


def _cities(site: Site) -> list[str]:
    return [place for place in site.facts.places if site.present(_notices(place))]


def _notices(city: str) -> str:
    return f"clean.{city}_vacant_building_notices"


def _build_city(site: Site, city: str) -> None:
    table = site.present(_notices(city))[0]
    flows = site.table(TABLE)
    others = site.present(_DURATIONS, _PROFILES, _EVENTS)
    title = f"Vacant buildings in {site.place_title(city)}"
    notes = [
        "A notice is a finding of the city, not a state for ever: to dispute one, ask the city's housing department.",
        "There is no map: the release holds no boundaries of neighborhoods.",
    ]
    site.sections_page(
        f"housing/{city}/",
        about=About(QUESTION, AUDIENCE, [table, *([flows] if flows else []), *others], notes),
        title=title,
        figure=count(table.rows),
        caption="open notices on the newest list",
        crumbs=[("Home", ""), (title, None)],
        sections=[
            _by(site, city, "neighborhood", "Neighborhood"),
            _by(site, city, "council_district", "Council district"),
            _flows(site, city),
            *([_clocks(site, city)] if city in site.cities(_DURATIONS) else []),
            *([_blocks(site, city)] if city in site.cities(_PROFILES) else []),
            *([_time_line(site, city)] if city in site.cities(_PROFILES) and city in site.cities(_EVENTS) else []),
        ],
    )
    caption = (
        f"open vacant building notices, newest of {day(table.data_date)}"
        if table.data_date
        else "open vacant building notices"
    )
    site.cards.append(Card(city, TITLE, QUESTION, f"housing/{city}/index.html", table.name, count(table.rows), caption))


def _by(site: Site, city: str, column: str, title: str) -> Section:
    rows = site.query(
        f"select coalesce({column}::varchar, 'Not stated') as name, count(*) as notices,"
        " min(notice_date) as oldest, max(notice_date) as newest"
        f" from {_notices(city)} group by name order by notices desc, name"
    )
    most = max((row["notices"] for row in rows), default=1)
    return Section(
        column,
        f"By {title.lower()}",
        [Heading(title), Heading("Open notices", is_number=True), Heading("Oldest"), Heading("Newest")],
        [
            [
                Cell(row["name"], bar=row["notices"] / most),
                number(row["notices"], count(row["notices"])),
                *(Cell(day(row[name]), value=str(row[name] or "")) for name in ("oldest", "newest")),
            ]
            for row in rows
        ],
    )


def _flows(site: Site, city: str) -> Section:
    table = site.table(TABLE)
    title = "How the list changed"
    headings = [
        Heading("List of"),
        Heading("Properties", is_number=True),
        Heading("Came", is_number=True),
        Heading("Came back", is_number=True),
        Heading("Left", is_number=True),
        Heading("New notice", is_number=True),
    ]
    if table is None or table.absence:
        reason = (
            "It needs two captures of the list: this release has one." if table else "No release has this table yet."
        )
        return Section("flows", title, headings, [], absence=reason)
    names = ("closing_count", "entered_count", "returned_count", "left_count", "renoticed_count")
    sums = ", ".join(f"sum({name}) as {name}" for name in names)
    rows = site.query(
        f"select closed_on, {sums} from {TABLE} where city = {literal(city)} group by closed_on order by closed_on desc"
    )
    return Section(
        "flows",
        title,
        headings,
        [[Cell(day(row["closed_on"])), *(number(row[name], count(row[name])) for name in names)] for row in rows],
        "Between two lists, properties came, came back, left or got a new notice.",
        site.csv(
            f"housing/{city}/flows.csv",
            f"select * from {TABLE} where city = {literal(city)} order by month, neighborhood",
        ),
    )


def _clocks(site: Site, city: str) -> Section:
    """How long open vacancies have lasted: by the published day and by the earliest notice."""
    rows = site.query(
        f"select * from {_DURATIONS} where city = {literal(city)} and breakdown in ('city', 'neighborhood') and open_count > 0"
        " order by breakdown, median_true_age desc, group_name"
    )
    names = (
        "open_count",
        "median_published_age",
        "median_true_age",
        "published_ten_years_count",
        "true_ten_years_count",
    )
    headings = [
        Heading("Neighborhood"),
        Heading("Open", is_number=True),
        Heading(
            "Median years, as published", is_number=True, about="Since the newest notice, the only day on the list."
        ),
        Heading(
            "Median years, since the earliest notice",
            is_number=True,
            about="On any list that was kept: an upper bound.",
        ),
        Heading("Ten years or more, as published", is_number=True),
        Heading("Ten years or more, since the earliest notice", is_number=True),
    ]
    return Section(
        "clocks",
        "How long buildings have been vacant, by two clocks",
        headings,
        [
            [
                Cell("All of the city" if row["breakdown"] == "city" else row["group_name"]),
                *(number(row[name], f"{row[name]:.1f}" if "median" in name else count(row[name])) for name in names),
            ]
            for row in rows
        ],
        "A new notice replaces the old one, and the published clock starts again. The other clock runs since the earliest notice of"
        " the property that any list shows; the building may have been in use in between.",
        site.csv(
            f"housing/{city}/durations.csv",
            f"select * from {_DURATIONS} where city = {literal(city)} order by breakdown, group_name",
        ),
    )


def _blocks(site: Site, city: str) -> Section:
    """Whole blocks: those with the most vacant buildings."""
    of_city = f"from {_PROFILES} where city = {literal(city)}"
    query = (
        "select block, min(neighborhood) as neighborhood, max(block_property_count) as properties, max(block_vacant_count) as vacant,"
        f" max(block_vacant_share) as share {of_city} group by block having max(block_vacant_count) > 0 order by vacant desc, block"
    )
    return Section(
        "blocks",
        "Whole blocks",
        [
            Heading("Block"),
            Heading("Neighborhood"),
            Heading("Vacant", is_number=True),
            Heading("Properties", is_number=True),
            Heading("Share", is_number=True),
        ],
        [
            [
                Cell(row["block"], bar=row["share"]),
                Cell(row["neighborhood"] or "Not stated"),
                number(row["vacant"], count(row["vacant"])),
                number(row["properties"], count(row["properties"])),
                number(row["share"], f"{row['share']:.0%}" if row["share"] is not None else ""),
            ]
            for row in site.query(f"{query} limit {_BLOCKS}")
        ],
        f"The {_BLOCKS} blocks with the most vacant buildings; the file has every block with one.",
        site.csv(f"housing/{city}/blocks.csv", query),
    )


def _time_line(site: Site, city: str) -> Section:
    """The vacant property with the most events, as an example: the file has every property."""
    [example] = site.query(
        f"select block_lot, address from {_PROFILES} where city = {literal(city)}"
        " order by is_vacant desc, event_count desc, block_lot limit 1"
    )
    of_city = f"from {_EVENTS} where city = {literal(city)}"
    rows = site.query(
        f"select * {of_city} and block_lot = {literal(example['block_lot'])} order by event_date desc, event_type, event_id limit {_LINES}"
    )
    return Section(
        "property",
        f"One property: {example['address'] or 'address not known'} ({example['block_lot']})",
        [
            Heading("Day"),
            Heading("Event"),
            Heading("Record"),
            Heading("Source"),
            Heading("First seen in the capture"),
            Heading("Still listed"),
        ],
        [
            [
                Cell(day(row["event_date"]), value=str(row["event_date"])),
                Cell(row["event_type"].replace("_", " ")),
                Cell(row["detail"] or "not stated", is_gap=row["detail"] is None),
                Cell(row["source_table"]),
                Cell(row["capture_id"].rpartition("/")[2]),
                Cell("yes" if row["is_listed"] else "no"),
            ]
            for row in rows
        ],
        "The vacant property of which the sources have the most records. The file has those of all properties, each with its capture.",
        site.parquet(f"housing/{city}/events.parquet", f"select * {of_city} order by block_lot, event_date, event_id"),
    )
