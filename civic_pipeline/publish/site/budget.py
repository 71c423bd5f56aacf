"""The budget: agency, service, line; two years side by side, as sorted bars and as a treemap."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from civic_pipeline.publish.site.budget_sections import planned_and_paid, sections_beside
from civic_pipeline.publish.site.charts import Bars
from civic_pipeline.publish.site.files import File
from civic_pipeline.publish.site.flows import flow
from civic_pipeline.publish.site.formats import change, rate, short_dollars
from civic_pipeline.publish.site.sections import Section
from civic_pipeline.publish.site.site import Card, Site, first_page, slugs
from civic_pipeline.sql_text import literal

PART, TITLE = "budget/", "Budget"
TABLE = "marts.fct_budget_lines"
QUESTION = "What does the city plan to spend, on what, and how did that change?"
AUDIENCE = "Residents, council members and reporters who want to see where the money is planned to go."
_ADOPTED = "adopted"
# Columns whose names are explained in plain words, and by which column.
_NOTES = {"service_name": "note", "object_name": "object_note", "fund_name": "fund_note"}

Row = dict[str, Any]


@dataclass
class Group:
    """Dollars of one name by fiscal year and phase. `href` is the page of its parts, `note` says in plain words what it is."""

    name: str
    href: str | None = None
    note: str | None = None
    amounts: dict[tuple[int, str], Decimal] = field(default_factory=dict)

    def add(self, row: Row) -> None:
        when = row["fiscal_year"], row["phase"]
        self.amounts[when] = self.amounts.get(when, Decimal()) + row["amount"]


@dataclass(frozen=True)
class Level:
    """One table of a page: groups, largest first in the newest year, with a CSV of all years.

    `published`: fiscal years and phases of which the city has a budget. The page opens with the newest year that is adopted: one that
    is only recommended yet would look as if nothing was adopted.
    """

    id: str
    title: str
    column: str
    groups: Sequence[Group]
    published: Sequence[tuple[int, str]]
    file: File | None
    factors: dict[int, Row]

    @property
    def years(self) -> list[int]:
        """Those of the phase, the newest first."""
        return sorted((year for year, phase in self.published if phase == self.phase), reverse=True)

    @property
    def year(self) -> int:
        return self.years[0]

    @property
    def before(self) -> int | None:
        return self.years[1] if len(self.years) > 1 else None

    @property
    def phase(self) -> str:
        phases = {phase for _, phase in self.published}
        return _ADOPTED if _ADOPTED in phases else min(phases)

    def amount(self, group: Group, year: int | None) -> Decimal | None:
        """None if no budget of that year is published; zero if the group is not in it."""
        return None if year is None else group.amounts.get((year, self.phase), Decimal())

    def change(self, group: Group) -> float | None:
        new, old = self.amount(group, self.year), self.amount(group, self.before)
        return None if not old or new is None else float((new - old) / abs(old))

    def change_words(self, group: Group) -> str:
        """The change as a percentage; a name that only one of the years has is new or ended, not a change."""
        new, old = self.amount(group, self.year), self.amount(group, self.before)
        if new and old == 0:
            return "new name"
        return "name ended" if old and new == 0 else change(self.change(group))

    @property
    def change_of_total(self) -> str:
        new, old = self.total(self.year), self.total(self.before)
        return change(float((new - old) / abs(old)) if old and new is not None else None)

    @property
    def comparability(self) -> str | None:
        """How much of the newest year has the same names in the year before, in words."""
        total = self.total(self.year)
        if self.before is None or not total:
            return None
        amounts = [
            (self.amount(g, self.year) or Decimal(), self.amount(g, self.before) or Decimal()) for g in self.shown
        ]
        both = [new for new, old in amounts if new and old]
        share = rate(float(sum(both, Decimal()) / total))
        return (
            f"Years are compared by name. {len(both):,} of {len(amounts):,} names are in both years; they are {share} of fiscal year"
            f" {self.year}. A new name may be a new program, or an old one that was renamed, divided or merged."
        )

    def total(self, year: int | None) -> Decimal | None:
        return (
            None if year is None else sum((self.amount(group, year) or Decimal() for group in self.groups), Decimal())
        )

    @property
    def largest(self) -> Decimal:
        return max(
            (abs(value) for group in self.shown for value in (self.amount(group, self.year) or Decimal(),)),
            default=Decimal(),
        )

    @property
    def shown(self) -> list[Group]:
        """Groups with money in one of the two years, largest first."""
        pairs = [
            (self.amount(group, self.year) or Decimal(), self.amount(group, self.before) or Decimal(), group)
            for group in self.groups
        ]
        return [
            group
            for new, old, group in sorted(pairs, key=lambda pair: (-pair[0], -pair[1], pair[2].name))
            if new or old
        ]

    @property
    def data(self) -> Row:
        """What the script of the page needs, as JSON."""
        return {
            "published": [f"{year} {phase}" for year, phase in self.published],
            "factors": {str(year): factors for year, factors in self.factors.items()},
            "rows": [
                {
                    "name": group.name,
                    "href": group.href,
                    "note": group.note,
                    "amounts": {
                        f"{year} {phase}": float(value)
                        for (year, phase), value in sorted(group.amounts.items())
                        if value
                    },
                }
                for group in self.groups
            ],
        }


def home(site: Site) -> str:
    return first_page(PART, site.cities(TABLE))


def build(site: Site) -> None:
    """Write the pages of every city that has a budget."""
    cities = site.cities(TABLE)
    for city in cities:
        _City(site, city).build(cities)


class _City:
    """The pages of one city."""

    def __init__(self, site: Site, city: str) -> None:
        self.site, self.city = site, city
        self.title = site.place_title(city)
        self.rows = _lines(site, city)
        self.published = sorted({(row["fiscal_year"], row["phase"]) for row in self.rows}, reverse=True)
        self.factors = _factors(site, city)
        self.agencies = slugs(sorted({(row["agency_id"], row["agency_name"]) for row in self.rows}))
        self.tables = site.present(TABLE, "marts.mart_budget_by_agency", "marts.mart_budget_by_service")

    def build(self, cities: Sequence[str]) -> None:
        path = f"budget/{self.city}/"
        by_agency = self._level(self.rows, "agencies", "By agency", "Agency", "agency_name", self._agency_href, path)
        by_fund = self._level(
            self.rows, "funds", "Where the money comes from, by fund", "Fund", "fund_name", None, path
        )
        self._add_card(by_agency)
        switch = self.site.switch(PART, cities)
        by_object = self._level(self.rows, "objects", "What it buys", "Kind of expense", "object_name", None, path)
        flows = flow(self.site, self.city, self.rows)
        beside = [*([flows] if flows else []), *sections_beside(self.site, self.city)]
        levels = [by_agency, by_fund, by_object]
        self._page(path, f"Budget of {self.title}", QUESTION, [], levels, switch, self.rows, sections=beside)
        for agency, part in self.agencies.items():
            rows = [row for row in self.rows if row["agency_id"] == agency]
            self._agency(f"{path}{part}/", rows)

    def _agency(self, path: str, rows: Sequence[Row]) -> None:
        name = rows[0]["agency_name"]
        services = slugs(sorted({(row["service_key"], row["service_name"]) for row in rows}))
        level = self._level(
            rows,
            "services",
            "By service",
            "Service",
            "service_name",
            lambda row: f"{path}{services[row['service_key']]}/index.html",
            path,
        )
        funds = self._level(rows, "funds", "Where the money comes from, by fund", "Fund", "fund_name", None, path)
        crumbs = [(f"Budget of {self.title}", f"budget/{self.city}/")]
        self._page(
            path,
            name,
            f"What does {self.title} plan to spend on {name}, and how did that change?",
            crumbs,
            [level, funds],
            [],
            rows,
            sections=planned_and_paid(self.site, self.city, rows[0]["agency_id"]),
        )
        for service, part in services.items():
            lines = [row for row in rows if row["service_key"] == service]
            crumbs_here = [*crumbs, (name, path)]
            title = lines[0]["service_name"]
            below = f"{path}{part}/"
            by_line = self._level(lines, "lines", "By line of the budget", "Line", "line_title", None, below)
            question = f"Which lines of the budget pay for {title}, and how did they change?"
            self._page(below, title, question, crumbs_here, [by_line], [], lines, lines[0]["note"])

    def _page(
        self, path: str, title: str, question: str, crumbs: Sequence[tuple[str, str]], levels: Sequence[Level],
        switch: Sequence[tuple[str, str | None]], rows: Sequence[Row], note: str | None = None, sections: Sequence[Section] = (),
    ) -> None:  # fmt: skip
        count = sum(row["line_count"] for row in rows)
        about = self.site.about(self.city, question, AUDIENCE, self.tables, rows=count, row=title if crumbs else None)
        for level in levels[: None if path == f"{PART}{self.city}/" else 1]:
            rows_now = [
                (g.name, float(level.amount(g, level.year) or 0), short_dollars(level.amount(g, level.year)))
                for g in level.shown
            ]
            bars = Bars(f"{title}: {level.title.lower()}", f"{level.phase} for fiscal year {level.year}", rows_now)
            self.site.image(f"{path}{level.id}.svg", bars, about)
        self.site.page(
            path, "budget.html", about=about, title=title, crumbs=[("Home", ""), *crumbs, (title, None)], levels=levels,
            switch=switch, note=note, sections=sections,
        )  # fmt: skip

    def _agency_href(self, row: Row) -> str:
        return f"budget/{self.city}/{self.agencies[row['agency_id']]}/index.html"

    def _level(
        self, rows: Sequence[Row], identity: str, title: str, column: str, name: str, href: Callable[[Row], str] | None, path: str,
    ) -> Level:  # fmt: skip
        groups: dict[tuple[str, str | None], Group] = {}
        for row in rows:
            text, link = row[name], href(row) if href else None
            group = groups.setdefault((text, link), Group(text, link, row[_NOTES[name]] if name in _NOTES else None))
            group.add(row)
        return Level(
            identity,
            title,
            column,
            list(groups.values()),
            self.published,
            _csv(self.site, path, identity, column, groups),
            self.factors,
        )

    def _add_card(self, level: Level) -> None:
        caption = f"{level.phase} for fiscal year {level.year}"
        if level.total(level.before):
            caption += f", {level.change_of_total} on {level.before}"
        self.site.cards.append(
            Card(
                self.city,
                "Budget",
                QUESTION,
                f"budget/{self.city}/index.html",
                TABLE,
                short_dollars(level.total(level.year)),
                caption,
            )
        )


def _csv(site: Site, path: str, identity: str, column: str, groups: dict[tuple[str, str | None], Group]) -> File:
    """Every year and phase of the groups as CSV: one row per name, fiscal year and phase."""
    rows = sorted(
        (group.name, year, phase, value) for group in groups.values() for (year, phase), value in group.amounts.items()
    )
    titles = (column.lower().replace(" ", "_"), "fiscal_year", "phase", "appropriated_amount")
    return site.csv_of(f"{path}{identity}.csv", {title: [row[i] for row in rows] for i, title in enumerate(titles)})


def _lines(site: Site, city: str) -> list[Row]:
    """Dollars by agency, service, fund, object and line of every fiscal year and phase."""
    return site.query(
        f"""
        with lines as (
            select *, coalesce(service_code, 'none') as service_key
            from {TABLE}
            where city = {literal(city)} and fiscal_year is not null and appropriated_amount is not null
        ),

        service_names as (
            select agency_id, service_key, coalesce(max(service_name), 'No service stated') as service_name
            from lines
            group by agency_id, service_key
        )

        select
            lines.fiscal_year,
            lines.phase,
            lines.agency_id,
            agencies.agency_name,
            lines.service_key,
            service_names.service_name,
            services.plain_sentence as note,
            funds.fund_name,
            funds.plain_sentence as fund_note,
            objects.object_name,
            objects.plain_sentence as object_note,
            concat_ws(': ', objects.object_name, lines.line_name) as line_title,
            sum(lines.appropriated_amount) as amount,
            count(*) as line_count
        from lines
        inner join service_names using (agency_id, service_key)
        inner join marts.dim_agencies as agencies on lines.agency_id = agencies.agency_id
        inner join marts.dim_funds as funds on lines.fund_id = funds.fund_id
        inner join marts.dim_objects as objects on lines.object_id = objects.object_id
        left join marts.dim_services as services on lines.service_id = services.service_id
        group by all
        order by all
        """
    )


def _factors(site: Site, city: str) -> dict[int, Row]:
    """Residents and price factor of each fiscal year, for the switches; empty where no source is cited."""
    table = site.table("marts.dim_fiscal_years")
    if table is None or table.absence or not table.has("fiscal_year", "residents", "price_factor", "base_fiscal_year"):
        return {}
    rows = site.query(f"from {table.name} where city = {literal(city)} order by all")
    return {
        row["fiscal_year"]: {
            "residents": row["residents"],
            "counted": row.get("population_source"),
            "price": None if row["price_factor"] is None else float(row["price_factor"]),
            "base": row["base_fiscal_year"],
            "series": row.get("price_series"),
        }
        for row in rows
    }
