"""Pages of trust: every table with its checks, columns and captures, its files, and how figures are checked."""

import json

from civic_pipeline.publish.site.changes import revised_records
from civic_pipeline.publish.site.downloads import IN_A_SPREADSHEET, is_published, write_downloads, write_release
from civic_pipeline.publish.site.metadata import croissant, dcat_us
from civic_pipeline.publish.site.site import About, Site

PART, TITLE = "data/", "Data"
_AUDIENCE = "Everyone who wants to check a figure, download a table or cite it."


def build(site: Site) -> None:
    """Write the list of tables, a page and the files of each, the catalogs for programs, and the page of methods."""
    tables = sorted(site.facts.tables.values(), key=lambda table: (table.schema != "marts", table.name))
    about = About("Which tables are published, how old are they, and which checks did they pass?", _AUDIENCE)
    site.page("data/", "tables.html", about=about, tables=tables)
    files = {table.name: write_downloads(site, table) for table in tables if is_published(table)}
    write_release(site, files)
    for table in tables:
        question = f"What is in the table {table.title}, where does it come from, and which checks did it pass?"
        site.page(
            f"data/{table.name}/",
            "table.html",
            about=About(question, _AUDIENCE, [table]),
            table=table,
            files=files.get(table.name, []),
            in_a_spreadsheet=IN_A_SPREADSHEET,
            revised=revised_records(site, table),
        )
        if table.name in files:
            described = croissant(site.facts, table, files[table.name], "../../")
            (site.folder / "data" / table.name / "croissant.json").write_text(_json(described), encoding="utf-8")
    (site.folder / "data.json").write_text(_json(dcat_us(site, files)), encoding="utf-8")
    method = About(
        "How does a figure get from a public portal to this page?", "Readers who want to know why to trust a figure."
    )
    site.page("about/", "method.html", about=method)


def _json(value: object) -> str:
    return json.dumps(value, indent=1, ensure_ascii=False) + "\n"
