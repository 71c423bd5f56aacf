"""The criteria of What Works Cities with their evidence, and how good the datasets are. No level of certification is stated."""

from typing import Any

from civic_pipeline.publish.site.facts import in_words
from civic_pipeline.publish.site.formats import count, day
from civic_pipeline.publish.site.sections import Cell, Heading, Section, number
from civic_pipeline.publish.site.site import Card, Site, first_page
from civic_pipeline.sql_text import literal

PART, TITLE = "certification/", "Certification"
TABLE, _TESTS, _TOTALS = "marts.mart_wwc_scorecard", "marts.fct_criterion_evidence", "marts.mart_wwc_totals"
_CLAIMS, _SCORES = "marts.mart_wwc_claims", "marts.mart_dataset_quality_scores"
QUESTION = "Which criteria of What Works Cities, who certify cities that use data well, can be seen in the city's data?"
AUDIENCE = "Residents, council staff and the City's own data team."
_NOTES = (
    "No level of certification follows from this page. What Works Cities decides from documents that a city uploads.",
    "A criterion without a point is unknown, not failed. A statement that somebody makes about themselves gives no point.",
    "Which criteria can be measured, and most thresholds, are this project's judgement.",
)
_CLASSES = {
    "measured": "measured", "partly_measured": "partly measured", "attested": "attested", "not_measurable": "not measurable",
}  # fmt: skip
_POINTS = {1: "met", 0: "not met", None: "unknown"}


def home(site: Site) -> str:
    return first_page(PART, site.cities(TABLE))


def build(site: Site) -> None:
    """Write a page for each city."""
    for city in site.cities(TABLE):
        _build_city(site, city)


def _build_city(site: Site, city: str) -> None:
    path, title = f"{PART}{city}/", f"Criteria of What Works Cities: {site.place_title(city)}"
    criteria = _rows(site, TABLE, "city", city, "position")
    known = {kind: [row for row in criteria if row["classification"] == kind] for kind in _CLASSES}
    met, documented = (sum(row["points"] or 0 for row in known[kind]) for kind in ("measured", "partly_measured"))
    unknown = sum(row["points"] is None for row in known["measured"])
    measured, partly = len(known["measured"]), len(known["partly_measured"])
    some_unknown = f"; {unknown} {'is' if unknown == 1 else 'are'} unknown" if unknown else ""
    caption = (
        f"criteria that data can measure are met{some_unknown}. For {documented} of {partly} more, a document exists."
        f" There are {len(criteria)} in all"
    )
    tables = site.present(TABLE, _TESTS, _TOTALS, _CLAIMS, _SCORES)
    practices = list(dict.fromkeys(row["practice"] for row in criteria))
    site.sections_page(
        path,
        about=site.about(city, QUESTION, AUDIENCE, tables, _NOTES, rows=len(criteria)),
        title=title,
        figure=f"{met} of {measured}",
        caption=caption,
        switch=site.switch(PART, site.cities(TABLE)),
        crumbs=[("Home", ""), (title, None)],
        sections=[
            _totals(site, city),
            *(_practice(site, name, [row for row in criteria if row["practice"] == name]) for name in practices),
            _tests(site, city),
            _claims(site, city),
            _scores(site, city),
        ],
    )
    site.cards.append(Card(city, TITLE, QUESTION, f"{path}index.html", TABLE, f"{met} of {measured}", caption))


def _rows(site: Site, table: str, column: str, city: str, order: str) -> list[dict[str, Any]]:
    return site.query(f"from {table} where {column} = {literal(city)} order by {order}") if site.present(table) else []


def _totals(site: Site, city: str) -> Section:
    return Section(
        "totals",
        "Is the city certified?",
        [Heading("Counted"), Heading("Points", True), Heading("Criteria", True), Heading("Unknown", True)],
        [
            [
                Cell(row["total"]),
                number(row["points"], count(row["points"])),
                number(row["criterion_count"], count(row["criterion_count"])),
                number(row["unknown_count"], count(row["unknown_count"])),
            ]
            for row in _rows(site, _TOTALS, "city", city, "position")
        ],
        text="Whether the city is certified, and at which level, What Works Cities alone decides: see whatworkscities.bloomberg.org. "
        "Below is what data shows. The third total is a limit: it counts a point for each criterion that nobody can measure.",
    )


def _practice(site: Site, name: str, criteria: list[dict[str, Any]]) -> Section:
    return Section(
        name.lower().replace(" ", "-"),
        name,
        [Heading("Criterion"), Heading("How it is known"), Heading("Result"), Heading("Evidence"), Heading("Source")],
        [
            [
                Cell(f"{row['criterion']}: {row['title']}"),
                Cell(_CLASSES.get(row["classification"])),
                Cell(_result(row), is_gap=row["points"] is None),
                Cell(row["evidence"]),
                _source(site, row["evidence_source"]),
            ]
            for row in criteria
        ],
    )  # fmt: skip


def _result(row: dict[str, Any]) -> str:
    if row["classification"] == "partly_measured" and row["points"]:
        return "a document exists"
    return _POINTS[row["points"]]


def _source(site: Site, tables: str | None) -> Cell:
    """The tables of the tests by their titles, the first with a link to its page; or the source of a document."""
    names = [name for name in (tables or "").split(", ") if name]
    titles = [in_words(name) for name in names]
    return Cell(", ".join(titles), href=f"data/{names[0]}/index.html" if names and site.table(names[0]) else None)


def _tests(site: Site, city: str) -> Section:
    return Section(
        "tests",
        "The tests of the measured criteria",
        [Heading("Criterion"), Heading("What is measured"), Heading("Value", True), Heading("Threshold", True), Heading("Result")],
        [
            [
                Cell(row["criterion"]),
                Cell(row["description"]),
                number(row["value"], f"{row['value']:,.3g}" if row["value"] is not None else "", gap="not known"),
                _threshold(row),
                Cell(_POINTS[row["is_met"]] if row["is_met"] is not None else row["not_measured_because"], is_gap=row["is_met"] is None),
            ]
            for row in _rows(site, _TESTS, "city", city, "criterion, test")
        ],
    )  # fmt: skip


def _threshold(row: dict[str, Any]) -> Cell:
    comparison, value = row["comparison"].replace("_", " "), row["threshold"]
    return number(value, f"{comparison} {value:g}" if value is not None else "", gap="not stated")


def _claims(site: Site, city: str) -> Section:
    counts = {"measured_count": "Measured", "partly_measured_count": "Partly", "not_measured_count": "Not measured"}
    return Section(
        "claims",
        "What certification is said to assess",
        [
            Heading("Claim"),
            Heading("Criteria"),
            *(Heading(name, True) for name in counts.values()),
            Heading("Shown in"),
        ],
        [
            [
                Cell(row["claim"]),
                Cell(row["criteria"]),
                *(number(row[name], count(row[name])) for name in counts),
                Cell(in_words(row["shown_in"])),
            ]
            for row in _rows(site, _CLAIMS, "city", city, "position")
        ],
    )


def _scores(site: Site, city: str) -> Section:
    rows = [r for r in _rows(site, _SCORES, "place", city, "score_low desc, dataset") if r["dataset_kind"] == "dataset"]
    shares = {"score_low": "Score, at least", "score_high": "At most"} | {
        name: name.capitalize()
        for name in ("completeness", "validity", "freshness", "documentation", "accessibility", "stability")
    }
    return Section(
        "quality",
        "How good are the datasets?",
        [Heading("Dataset"), *(Heading(name, True) for name in shares.values()), Heading("Not measured")],
        [
            [
                Cell(site.facts.dataset_titles.get(row["dataset"], row["dataset"])),
                *(number(row[name], "" if row[name] is None else f"{row[name]:.2f}") for name in shares),
                Cell((row["not_measured"] or "").replace("_", " ")),
            ]
            for row in rows
        ],
        text=f"From 0 to 1, on {day(rows[0]['scored_on'])}. Two bounds where a part cannot be measured."
        if rows
        else None,
        absence=None if rows else "No dataset of this city is captured.",
    )
