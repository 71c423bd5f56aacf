"""Vacant building notices: how many are open, where, and how the list changed between two captures."""

from civic_pipeline.publish.site.formats import count, day
from civic_pipeline.publish.site.sections import Cell, Heading, Section, number
from civic_pipeline.publish.site.site import About, Card, Site
from civic_pipeline.sql_text import literal

PART, TITLE = "housing/", "Housing"
_FLOWS = "marts.mart_vacancy_flows_monthly"
_QUESTION = "Where are buildings with an open vacant building notice, and is the list growing?"
_AUDIENCE = "Residents, neighborhood groups and housing staff."


def home(site: Site) -> str:
    cities = _cities(site)
    return f"housing/{cities[0]}/index.html" if cities else "housing/index.html"


def build(site: Site) -> None:
    """Write a page for every city that publishes its notices."""
    cities = _cities(site)
    if not cities:
        table = site.table(_FLOWS)
        site.absent(PART, TITLE, About(_QUESTION, _AUDIENCE, [table] if table else []), table)
    for city in cities:
        _build_city(site, city)


def _cities(site: Site) -> list[str]:
    return [place for place in site.facts.places if site.present(_notices(place))]


def _notices(city: str) -> str:
    return f"clean.{city}_vacant_building_notices"


def _build_city(site: Site, city: str) -> None:
    table = site.present(_notices(city))[0]
    flows = site.table(_FLOWS)
    title = f"Vacant buildings in {site.place_title(city)}"
    notes = [
        "A notice is a finding of the city, not a state for ever: to dispute one, ask the city's housing department.",
        "There is no map: the release holds no boundaries of neighborhoods.",
    ]
    site.sections_page(
        f"housing/{city}/",
        about=About(_QUESTION, _AUDIENCE, [table, *([flows] if flows else [])], notes),
        title=title,
        figure=count(table.rows),
        caption="open notices on the newest list",
        crumbs=[("Home", ""), (title, None)],
        sections=[
            _by(site, city, "neighborhood", "Neighborhood"),
            _by(site, city, "council_district", "Council district"),
            _flows(site, city),
        ],
    )
    caption = (
        f"open vacant building notices, newest of {day(table.data_date)}"
        if table.data_date
        else "open vacant building notices"
    )
    site.cards.append(
        Card(city, TITLE, _QUESTION, f"housing/{city}/index.html", table.name, count(table.rows), caption)
    )


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
    table = site.table(_FLOWS)
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
        f"select closed_on, {sums} from {_FLOWS} where city = {literal(city)} group by closed_on order by closed_on desc"
    )
    return Section(
        "flows",
        title,
        headings,
        [[Cell(day(row["closed_on"])), *(number(row[name], count(row[name])) for name in names)] for row in rows],
        "Between two lists, properties came, came back, left or got a new notice.",
        site.csv(
            f"housing/{city}/flows.csv",
            f"select * from {_FLOWS} where city = {literal(city)} order by month, neighborhood",
        ),
    )
