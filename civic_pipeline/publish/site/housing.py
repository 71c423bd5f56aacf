"""Vacant building notices: how many are open, where, and how the list changed between two captures."""

from collections.abc import Mapping
from typing import Any
from urllib.parse import quote

from civic_pipeline.publish.site.formats import count, day, decimals
from civic_pipeline.publish.site.maps import Area, Map, map_of
from civic_pipeline.publish.site.neighborhoods import place_key, places
from civic_pipeline.publish.site.sections import Cell, Heading, Lookup, Section, number
from civic_pipeline.publish.site.site import Card, Site, first_page
from civic_pipeline.sql_text import literal

PART, TITLE = "housing/", "Housing"
TABLE = "marts.mart_vacancy_flows_monthly"
_DURATIONS, _PROFILES, _EVENTS = (
    "marts.mart_vacancy_durations",
    "marts.mart_property_profiles",
    "marts.fct_property_events",
)
_BLOCKS = 25  # with the most notices; the file has all
_NOTES = ["A notice is a finding of the city, not a state for ever: to dispute one, ask the city's housing department."]
Areas = Mapping[str, dict[str, Any]]  # key of a neighborhood -> its area, with the page about it
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
    has_properties = city in site.cities(_PROFILES) and city in site.cities(_EVENTS)
    areas, districts = (
        {place_key(area["geography_key"]): area for area in places(site, city) if area["kind"] == kind}
        for kind in ("neighborhood", "council district")
    )
    site.sections_page(
        f"housing/{city}/",
        about=site.about(city, QUESTION, AUDIENCE, [table, *([flows] if flows else []), *others], _NOTES),
        title=title,
        figure=count(table.rows),
        caption=f"open vacant building notices on the newest list{_growth(site, city)}",
        crumbs=[("Home", ""), (title, None)],
        sections=[
            _by(site, city, "neighborhood", "Neighborhood", areas, has_map=True),
            _by(site, city, "council_district", "Council district", districts),
            _flows(site, city),
            *([_clocks(site, city, areas)] if city in site.cities(_DURATIONS) else []),
            *([_blocks(site, city, areas, has_page=has_properties)] if city in site.cities(_PROFILES) else []),
        ],
        switch=site.switch(PART, _cities(site)),
        lookup=_properties(site, city) if has_properties else None,
    )
    caption = (
        f"open vacant building notices, newest of {day(table.data_date)}"
        if table.data_date
        else "open vacant building notices"
    )
    site.cards.append(Card(city, TITLE, QUESTION, f"housing/{city}/index.html", table.name, count(table.rows), caption))


def _growth(site: Site, city: str) -> str:
    """Whether the list grew since the one before, in words; nothing if there is no other."""
    if city not in site.cities(TABLE):
        return ""
    lists = site.query(
        f"select closed_on, sum(closing_count) as properties from {TABLE} where city = {literal(city)}"
        " group by closed_on order by closed_on desc limit 2"
    )
    if len(lists) < 2:
        return ""
    newest, before = (row["properties"] for row in lists)
    change = (
        "as many as"
        if newest == before
        else f"{count(abs(newest - before))} {'more' if newest > before else 'fewer'} than"
    )
    return f"; {change} on the list of {day(lists[1]['closed_on'])}"


def _by(site: Site, city: str, column: str, title: str, areas: Areas, *, has_map: bool = False) -> Section:
    """The notices by one column, with links to the areas whose names are known, and a map of them."""
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
                Cell(row["name"], href=_href(areas, row["name"]), bar=row["notices"] / most),
                number(row["notices"], count(row["notices"])),
                *(Cell(day(row[name]), value=str(row[name] or "")) for name in ("oldest", "newest")),
            ]
            for row in rows
        ],
        f"A {title.lower()} that is not in the table has no open notice." if areas else None,
        map=_map(areas, {place_key(row["name"]): row["notices"] for row in rows}) if areas and has_map else None,
    )


def _map(areas: Areas, notices: Mapping[str, int]) -> Map | None:
    shapes = [
        Area(area["geography_name"], area["geometry"], amount := notices.get(key, 0), count(amount), area["href"])
        for key, area in areas.items()
    ]
    return map_of("Open vacant building notices by neighborhood", "notices", shapes, decimals=0)


def _href(areas: Areas, name: str | None) -> str | None:
    area = areas.get(place_key(name))
    return area["href"] if area else None


def _neighborhood(areas: Areas, name: str | None) -> Cell:
    """A neighborhood as its map writes it; tables have it in capitals."""
    area = areas.get(place_key(name))
    return Cell(area["geography_name"] if area else name or "Not stated", href=_href(areas, name))


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
        [
            [
                Cell(day(row["closed_on"]), value=str(row["closed_on"])),
                number(row[names[0]], count(row[names[0]])),
                *(
                    number(None if row is rows[-1] else row[name], count(row[name]), gap="first list")
                    for name in names[1:]
                ),
            ]
            for row in rows
        ],
        "Between two lists, properties came, came back, left or got a new notice.",
        site.csv(
            f"housing/{city}/flows.csv",
            f"select * from {TABLE} where city = {literal(city)} order by month, neighborhood",
        ),
    )


def _clocks(site: Site, city: str, areas: Areas) -> Section:
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
            "Median years, as published", is_number=True, about="since the newest notice, the only day on the list"
        ),
        Heading(
            "Median years, since the earliest notice",
            is_number=True,
            about="on any list that was kept: an upper bound",
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
                Cell("All of the city") if row["breakdown"] == "city" else _neighborhood(areas, row["group_name"]),
                *(
                    number(row[name], decimals(row[name], 1) if "median" in name else count(row[name]))
                    for name in names
                ),
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


def _blocks(site: Site, city: str, areas: Areas, *, has_page: bool) -> Section:
    """Whole blocks: those with the most vacant buildings."""
    of_city, page = f"from {_PROFILES} where city = {literal(city)}", f"{PART}{city}/block/index.html"
    query = (
        "select block, min(neighborhood) as neighborhood, max(block_property_count) as properties, max(block_vacant_count) as vacant,"
        f" max(block_vacant_share) as share {of_city}"
        " and block is not null group by block having max(block_vacant_count) > 0 order by vacant desc, block"
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
                Cell(row["block"], href=f"{page}?block={quote(row['block'])}" if has_page else None, bar=row["share"]),
                _neighborhood(areas, row["neighborhood"]),
                number(row["vacant"], count(row["vacant"])),
                number(row["properties"], count(row["properties"])),
                number(row["share"], f"{row['share']:.0%}" if row["share"] is not None else ""),
            ]
            for row in site.query(f"{query} limit {_BLOCKS}")
        ],
        f"The {_BLOCKS} blocks with the most vacant buildings; the file has every block with one."
        + (" A block leads to all of its properties, and a property to its time line." if has_page else ""),
        site.csv(f"housing/{city}/blocks.csv", query),
    )


def _properties(site: Site, city: str) -> Lookup:
    """Write the page of one property and its block, and the file that it reads: blocks with a building that was ever on a list.

    The records of a block are one range of the file, the newest of each property first; a property without a record has one row.
    """
    path = f"{PART}{city}/block/"
    blocks = f"""
        with blocks as (
            select distinct block from {_PROFILES} where city = {literal(city)} and spell_count > 0
        ),

        sources as (
            select * from (values {_source_titles(site)}) as titles(source_table, title)
        )

        select
            profiles.block,
            profiles.block_lot as property,
            profiles.address,
            profiles.neighborhood,
            profiles.is_vacant,
            profiles.published_age as years_published,
            profiles.true_age as years_true,
            events.event_date::varchar as date,
            replace(events.event_type, '_', ' ') as event,
            events.detail as record,
            events.source_table,
            coalesce(sources.title, events.source_table) as source,
            events.capture_id as capture,
            events.is_listed
        from {_PROFILES} as profiles
        inner join blocks using (block)
        left join {_EVENTS} as events on events.city = profiles.city and events.block_lot = profiles.block_lot
        left join sources using (source_table)
        where profiles.city = {literal(city)}
        order by profiles.block, profiles.block_lot, events.event_date desc, events.event_type, events.event_id"""
    file, footer = site.parquet_by_ranges(f"{path}records.parquet", blocks)
    groups = site.query(f"select block, count(*) as records from ({blocks}) group by block order by block")
    listed = site.query(
        f"select block, block_lot, address from {_PROFILES} where city = {literal(city)} and block is not null and spell_count > 0"
        " order by block, block_lot"
    )
    numbers = {row["block"]: i for i, row in enumerate(groups)}
    index = {
        "file": file.path,
        "bytes": file.bytes,
        "footer": footer,
        "blocks": [row["block"] for row in groups],
        "rows": [row["records"] for row in groups],
        "names": [f"{row['address'] or 'No address'} ({lot_in_words(row['block_lot'])})" for row in listed],
        "properties": [row["block_lot"] for row in listed],
        "of": [numbers[row["block"]] for row in listed],
    }
    lookup = Lookup(
        "Address of a building that is or was on the list, or its block and lot",
        site.json(f"{path}index.json", index), path, "properties.js",
        "Is your own address not there? Choose a neighbor on the list: its page shows the whole block.",
    )  # fmt: skip
    title, parent = "One property and its block", f"Vacant buildings in {site.place_title(city)}"
    site.page(
        path,
        "lookup.html",
        about=site.about(
            city,
            "What do the city's records say of this property and its block, and since when do we know it?",
            AUDIENCE,
            site.present(_EVENTS, _PROFILES),
            _NOTES,
        ),
        title=title,
        crumbs=[("Home", ""), (parent, f"{PART}{city}/"), (title, None)],
        lookup=lookup,
        kind="block",
        shown_by="block.js",
        flags=None,
    )
    return lookup


def lot_in_words(block_lot: str) -> str:
    return block_lot.replace("|", " ")


def _source_titles(site: Site) -> str:
    """Rows of the tables that events come from, each with the title of its dataset."""
    titles = sorted(site.facts.dataset_titles.items())
    return ", ".join(f"({literal(dataset.replace('/', '_', 1))}, {literal(title)})" for dataset, title in titles)
