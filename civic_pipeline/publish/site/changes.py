"""What changed: a page and an Atom feed of the tables that each release changed."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import groupby

from civic_pipeline.publish.site.facts import Change, Table
from civic_pipeline.publish.site.formats import count
from civic_pipeline.publish.site.site import About, Site

PART, TITLE = "changes/", "What changed"
FEED = f"{PART}feed.xml"
TABLE, FIGURES = "marts.mart_changes", "marts.mart_changed_figures"
_SHOWN = 30  # releases
_REVISIONS = 200


@dataclass(frozen=True)
class Release:
    """One release and the tables that it changed."""

    release_id: str
    released_at: datetime
    changes: Sequence[Change]

    @property
    def title(self) -> str:
        """Such as: 3 tables changed, 1 is new."""
        new = sum(change.change == "new" for change in self.changes)
        other = len(self.changes) - new
        parts = [
            f"{count(other)} {'table' if other == 1 else 'tables'} changed" if other else "",
            f"{count(new)} new {'table' if new == 1 else 'tables'}" if new else "",
        ]
        return ", ".join(part for part in parts if part)


def build(site: Site) -> None:
    """Write the page and the feed. The feed's address never changes, so that readers can follow it."""
    releases = _releases(site)
    about = About(
        "Which figures changed, when, and by how much?", "Everyone who cites a figure, or follows one.", site.present(TABLE)
    )  # fmt: skip
    file = site.csv("changes.csv", f"select * from {TABLE} order by released_at desc, table_name") if releases else None
    has_figures = any(table.changed_figures for table in site.facts.tables.values())
    figures = site.csv("changed-figures.csv", f"select * from {FIGURES} order by all") if has_figures else None
    site.page(PART, "changes.html", about=about, title=TITLE, releases=releases, file=file, figures=figures)
    site.write(FEED, "feed.xml", releases=releases)


def _releases(site: Site) -> list[Release]:
    changes = [change for table in site.facts.tables.values() for change in table.changes]
    changes.sort(key=lambda change: change.table_name)
    changes.sort(key=lambda change: (change.released_at, change.release_id), reverse=True)
    grouped = groupby(changes, key=lambda change: (change.release_id, change.released_at))
    return [Release(name, at, list(group)) for (name, at), group in grouped][:_SHOWN]


def revised_records(site: Site, table: Table) -> Sequence[Mapping[str, object]]:
    """The newest records of a cleaned table's sources that a portal revised: key, column, value before and after."""
    datasets = sorted({revision.dataset for revision in table.revisions})
    if not datasets or table.schema != "clean":
        return []
    return site.query(
        """
        select
            array_to_string(from_json(record_key, '["varchar"]'), ', ') as key,
            column_name,
            json_extract_string(before, pointer) as before,
            json_extract_string(after, pointer) as after,
            previous_captured_at,
            captured_at
        from (
            -- A JSON pointer (RFC 6901): a column of a portal may have any name, such as one with inches.
            select *, unnest(changed_columns) as column_name, '/' || replace(replace(column_name, '~', '~0'), '/', '~1') as pointer
            from meta.revisions
            where kind = 'changed' and dataset in (select unnest(?))
        )
        order by captured_at desc, record_key, column_name
        limit ?""",
        [datasets, _REVISIONS],
    )
