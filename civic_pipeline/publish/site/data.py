"""Pages of trust: every table with its checks, columns and captures, its files, and how figures are checked."""

from civic_pipeline.publish.site.changes import revised_records
from civic_pipeline.publish.site.facts import Table
from civic_pipeline.publish.site.site import About, File, Site, columns_of
from civic_pipeline.sql_text import quoted

PART, TITLE = "data/", "Data"
_AUDIENCE = "Everyone who wants to check a figure, download a table or cite it."


def build(site: Site) -> None:
    """Write the list of tables, a page for each, and the page of methods."""
    tables = sorted(site.facts.tables.values(), key=lambda table: (table.schema != "marts", table.name))
    about = About("Which tables are published, how old are they, and which checks did they pass?", _AUDIENCE)
    site.page("data/", "tables.html", about=about, tables=tables)
    for table in tables:
        question = f"What is in the table {table.title}, where does it come from, and which checks did it pass?"
        files = _files(site, table) if table.schema == "marts" and not table.absence else []
        site.page(
            f"data/{table.name}/",
            "table.html",
            about=About(question, _AUDIENCE, [table]),
            table=table,
            files=files,
            revised=revised_records(site, table),
        )
    method = About(
        "How does a figure get from a public portal to this page?", "Readers who want to know why to trust a figure."
    )
    site.page("about/", "method.html", about=method)


def _files(site: Site, table: Table) -> list[tuple[str, File]]:
    """The table as CSV and as Parquet, in the order of its key."""
    order = ", ".join(quoted(name) for name in table.key if table.has(name)) or "all"
    query = f"select {columns_of(table)} from {table.name} order by {order}"
    name = f"tables/{table.name}"
    return [("CSV", site.csv(f"{name}.csv", query)), ("Parquet", site.parquet(f"{name}.parquet", query))]
