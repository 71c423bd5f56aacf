"""One build of the site: pages from templates, data files named by their content, and the manifest of both."""

import hashlib
import io
import json
import os
import re
import shutil
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from itertools import chain
from pathlib import Path
from typing import Any

import duckdb
import jinja2
import pyarrow.parquet
from markupsafe import Markup

from civic_pipeline.foreign_text import printable
from civic_pipeline.publish.extracts import write_csv, write_result
from civic_pipeline.publish.site.charts import Bars, Chart
from civic_pipeline.publish.site.facts import Capture, ChangedFigure, Facts, Table, in_words
from civic_pipeline.publish.site.files import Earlier, File, digest_of
from civic_pipeline.publish.site.formats import FILTERS, NOT_STATED
from civic_pipeline.publish.site.sections import Lookup, Section
from civic_pipeline.sql_text import quoted

HERE = Path(__file__).parent

_TABLE_NAME = re.compile(r"\b(?:clean|marts|meta)\.\w+")
# What stands beside the figures of every subject: what feeds it is not the source of the page of one.
_BESIDE = {"marts.mart_reconciliations"}
# Columns by which a reader knows a row; no check demands that the source states them.
_LABELS = frozenset((
    "agency_name", "authority", "certification_types", "comparison", "criterion", "denominator_name", "firm_name", "fund_name",
    "geography_key", "geography_name", "innocent_explanations", "line_title", "neighborhood", "object_name", "practice",
    "revenue_source", "service_name", "shown_in", "test", "title", "vendor_name",
))  # fmt: skip
_RANGE_ROWS = 5_000  # a vendor with few payments costs one row group, about 100 kB

# Also in every page: a host that cannot send headers enforces it, too. WebAssembly is the search (Pagefind).
POLICY = (
    "default-src 'self'; script-src 'self' 'wasm-unsafe-eval'; object-src 'none'; base-uri 'none'; form-action 'self'"
)


def _shown(value: object) -> object:
    """A value as a page shows it: XML allows no control characters, so one of a portal would break the feed and the charts."""
    if value is None:
        return NOT_STATED
    return printable(value) if isinstance(value, str) and not isinstance(value, Markup) else value


@dataclass(frozen=True)
class Card:
    """One figure on the first page. `absence` says why there is none."""

    place: str
    title: str
    question: str
    href: str
    table: str
    figure: str | None = None
    caption: str | None = None
    absence: str | None = None


@dataclass(frozen=True)
class Entry:
    """A link of the navigation; `part` is the folder of its pages."""

    title: str
    part: str
    href: str


@dataclass(frozen=True)
class About:
    """What a page answers, for whom, and the tables that its figures are from. `notes` are limits of the page itself.

    `rows` is the number behind the page, if that is not all of the first table. `without`: cities that are in these tables, too,
    but not on the page. `row`: which row the page is about, such as the name of a city or of an agency.
    """

    question: str
    audience: str
    tables: Sequence[Table] = ()
    notes: Sequence[str] = ()
    rows: int | None = None
    without: Collection[str] = ()
    row: str | None = None

    @property
    def captures(self) -> list[Capture]:
        beside = _BESIDE if len(self.tables) > 1 else ()
        seen = {(c.dataset, c.edition): c for table in self.tables if table.name not in beside for c in table.sources}
        return [seen[key] for key in sorted(seen, key=str) if key[0].partition("/")[0] not in self.without]

    @property
    def sources(self) -> list[list[Capture]]:
        """The captures by what a reader knows a source by; the editions of one, such as years, are together."""
        groups: dict[tuple[object, ...], list[Capture]] = {}
        for capture in self.captures:
            key = capture.dataset, capture.title, capture.publisher, capture.licence, capture.captured_at.date()
            groups.setdefault(key, []).append(capture)
        return list(groups.values())

    @property
    def held_back(self) -> list[Table]:
        return [table for table in self.tables if table.is_held_back]

    @property
    def changed_figures(self) -> list[ChangedFigure]:
        """Figures of these tables that a release changed, the newest first: of the page's row, and of no city that is not on the page."""
        figures = [
            figure
            for table in self.tables
            for figure in table.changed_figures
            if figure.place not in self.without and (self.row is None or self.row in figure.row_name)
        ]
        return sorted(figures, key=lambda figure: figure.released_at, reverse=True)


@dataclass
class Site:
    """A site that is being built in `folder`, from the release that `connection` reads. `earlier` has files that may be the same.

    `address` is where it will be, or empty.
    """

    folder: Path
    facts: Facts
    connection: duckdb.DuckDBPyConnection
    earlier: Earlier
    address: str
    files: dict[str, File] = field(default_factory=dict)
    pages: dict[str, str] = field(default_factory=dict)
    cards: list[Card] = field(default_factory=list)
    navigation: Sequence[Entry] = ()
    tools: Sequence[Entry] = ()
    left_out: dict[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.assets = self._copy_assets()
        self._rows_of_cities: dict[str, Mapping[str, int]] = {}
        self._templates = jinja2.Environment(
            loader=jinja2.FileSystemLoader(HERE / "templates"),
            autoescape=True,
            undefined=jinja2.StrictUndefined,
            finalize=_shown,
            trim_blocks=True,
            lstrip_blocks=True,
        )
        self._templates.filters |= FILTERS | {"in_words": in_words}
        self._templates.policies["json.dumps_kwargs"] = {"sort_keys": False, "separators": (",", ":")}

    def table(self, name: str) -> Table | None:
        return self.facts.table(name)

    def present(self, *names: str) -> list[Table]:
        """Those of the tables that have rows to show."""
        return [table for name in names if (table := self.table(name)) and not table.absence]

    def cities(self, name: str) -> list[str]:
        """The cities that have rows in the table; none if the release does not have it."""
        return list(self._rows_by_city(name))

    def _rows_by_city(self, name: str) -> Mapping[str, int]:
        if name not in self._rows_of_cities:
            self._rows_of_cities[name] = {
                row["city"]: row["rows"]
                for table in self.present(name)
                for row in self.query(
                    f"select city, count(*) as rows from {table.name} where city is not null group by city order by city"
                )
            }
        return self._rows_of_cities[name]

    def cities_but(self, city: str) -> list[str]:
        return [other for other in self.cities("marts.dim_cities") if other != city]

    def about(
        self, city: str, question: str, audience: str, tables: Sequence[Table], notes: Sequence[str] = (), *,
        rows: int | None = None, row: str | None = None,
    ) -> About:  # fmt: skip
        """About a page of one city, or of one row of it: what other cities have in the tables is not on it, and not in its `rows`."""
        if rows is None and tables:
            table = tables[0]
            rows = self._rows_by_city(table.name).get(city, 0) if table.has("city") else table.rows
        return About(question, audience, tables, notes, rows, self.cities_but(city), row or self.place_title(city))

    def switch(self, part: str, cities: Collection[str]) -> list[tuple[str, str | None]]:
        """Every city with the page of a subject about it, as `switch` of a page; None for those that publish none."""
        own = [place.name for place in self.facts.places.values() if place.kind == "city"]
        return [
            (self.place_title(city), f"{part}{city}/index.html" if city in cities else None)
            for city in dict.fromkeys([*cities, *own])
        ]

    def place_title(self, place: str) -> str:
        return self.facts.places[place].title if place in self.facts.places else place.capitalize()

    def query(self, sql: str, parameters: Sequence[object] = ()) -> list[dict[str, Any]]:
        """The rows of a query, as dictionaries. A label that is missing or empty is NOT_STATED: pages sort, link and join labels."""
        result = self.connection.execute(sql, list(parameters))
        names = [name for name, *_ in result.description]
        rows = [dict(zip(names, row, strict=True)) for row in result.fetchall()]
        for label in _LABELS.intersection(names):
            for row in rows:
                row[label] = row[label] or NOT_STATED
        return rows

    def page(
        self, path: str, template: str, *, about: About | None, sections: Sequence[Section] = (), **values: Any
    ) -> None:
        """Write `path`/index.html. `path` is empty for the first page, else it ends with a slash.

        What `about` has is also of the tables that its sections are from.
        """
        if about:
            about = replace(about, tables=list(dict.fromkeys(chain(about.tables, *(part.tables for part in sections)))))
        self.write(f"{path}index.html", template, about=about, sections=sections, **values)
        self.pages[path] = template

    def write(self, file: str, template: str, /, **values: Any) -> None:
        """Write a file whose name has no hash, such as a page."""
        path = file[: file.rfind("/") + 1]
        text = self._templates.get_template(template).render(
            facts=self.facts,
            path=path,
            root="../" * path.count("/") or "./",
            assets=self.assets,
            policy=POLICY,
            address=self.address,
            places=self.facts.places,
            cards=self.cards,
            navigation=self.navigation,
            tools=self.tools,
            **values,
        )
        target = self.folder / file
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(text, encoding="utf-8")

    def leave_out(self, entry: Entry, why: str) -> None:
        """Replace the pages of a subject by one that says what of the release is missing for them. `why` is the engine's words."""
        shutil.rmtree(self.folder / entry.part, ignore_errors=True)
        self.pages = {path: page for path, page in self.pages.items() if not path.startswith(entry.part)}
        self.cards = [card for card in self.cards if not card.href.startswith(entry.part)]
        table = next(
            (t for t in self.facts.tables.values() if re.search(rf"\b{t.name.partition('.')[2]}\b", why)), None
        )
        reason = (
            f"It needs the table {table.title}. {table.absence or 'This release has another version of it.'}"
            if table
            else "It needs a table that this release does not have."
        )
        about = About("Why is nothing shown here?", "Everyone who looks for these pages.", [table] if table else [])
        for path in {entry.part, entry.href.removesuffix("index.html")}:
            self.page(
                path,
                "absent.html",
                about=about,
                title=entry.title,
                reason=f"{reason} The pages come back with the first release that has it.",
            )
        self.left_out[entry.part] = why

    def sections_page(
        self,
        path: str,
        *,
        title: str,
        about: About,
        crumbs: Sequence[tuple[str, str | None]],
        sections: Sequence[Section],
        figure: str | None = None,
        caption: str | None = None,
        switch: Sequence[tuple[str, str | None]] = (),
        lookup: Lookup | None = None,
    ) -> None:
        """Write a page of tables, below one big figure with its caption. `switch` leads to the same page of other cities."""
        for section in sections:
            if section.chart:
                self.image(f"{path}{section.id}.svg", section.chart, about)
        self.page(
            path,
            "sections.html",
            about=about,
            title=title,
            crumbs=crumbs,
            sections=sections,
            figure=figure,
            caption=caption,
            switch=switch,
            lookup=lookup,
        )

    def image(self, file: str, chart: Chart | Bars, about: About) -> None:
        """Write a chart as an image for other sites. Its address never changes, so that they show the newest release."""
        publishers = {capture.publisher for capture in about.captures if capture.publisher}
        self.write(file, "image.svg", chart=chart, source="; ".join(sorted(publishers)) or "public data")

    def file(self, name: str, content: bytes, rows: int | None = None) -> File:
        """Keep bytes as a data file. `name` is such as vendors/baltimore.json."""

        def write(draft: Path) -> int | None:
            draft.write_bytes(content)
            return rows

        return self.add(name, None, write)

    def json(self, name: str, value: Any) -> File:
        return self.file(name, json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode())

    def csv(self, name: str, query: str) -> File:
        """The rows of a query as CSV that a spreadsheet opens safely."""
        return self._export(name, "csv", query)

    def csv_of(self, name: str, columns: Mapping[str, Sequence[object]]) -> File:
        """Rows that the page has already as such a CSV."""
        table, stream = pyarrow.table(dict(columns)), io.BytesIO()
        write_csv(table.to_reader(), stream)
        return self.file(name, stream.getvalue(), table.num_rows)

    def parquet(self, name: str, query: str, *, is_hashed: bool = True) -> File:
        """The rows of a query as Parquet, in the order of the query."""
        return self._export(name, "parquet", query, is_hashed=is_hashed)

    def _export(self, name: str, form: str, query: str, *, is_hashed: bool = True) -> File:
        def write(draft: Path) -> int:
            with draft.open("wb") as stream:
                return write_result(self.connection.sql(query), form, stream)

        return self.add(name, self._made_from(form, query), write, is_hashed=is_hashed)

    def parquet_by_ranges(self, name: str, query: str) -> tuple[File, int]:
        """The rows of a query in small row groups, so that a browser can read a range of rows; also the bytes of the footer."""

        def write(draft: Path) -> int:
            rows = self.connection.sql(query).to_arrow_reader(_RANGE_ROWS)
            count = 0
            with pyarrow.parquet.ParquetWriter(draft, rows.schema, compression="snappy") as writer:
                for group in _groups(rows, _RANGE_ROWS):
                    writer.write_table(group)
                    count += group.num_rows
            return count

        file = self.add(name, self._made_from(f"parquet by {_RANGE_ROWS} rows", query), write)
        with (self.folder / file.path).open("rb") as stream:
            stream.seek(-8, os.SEEK_END)
            return file, int.from_bytes(stream.read(4), "little") + 8

    def _made_from(self, form: str, query: str) -> str | None:
        """The hash of a query, its form and the contents of the tables that it reads; None if one of them has no hash of its contents."""
        tables = [self.table(name) for name in sorted(set(_TABLE_NAME.findall(query)))]
        contents = [table.content_hash if table else None for table in tables]
        known = [content for content in contents if content]
        return hash_of(form, query, *known) if known and known == contents else None

    def add(
        self, name: str, made_from: str | None, write: Callable[[Path], int | None], *, is_hashed: bool = True
    ) -> File:
        """Add a data file, which the earlier site may have, else `write` writes it and returns its rows.

        It gets its place below `files/`, with the hash of its content before the suffix; if not `is_hashed`, its name is its place.
        """
        draft = self.folder / ".draft"
        draft.unlink(missing_ok=True)  # a link to a file of the earlier site must not be written into
        file = self.earlier.take_over(made_from, draft)
        if file is None:
            rows = write(draft)
            file = File("", draft.stat().st_size, digest_of(draft), rows, made_from)
        stem, _, suffix = name.rpartition(".")
        file = replace(file, path=f"files/{stem}.{file.sha256[:12]}.{suffix}" if is_hashed else name)
        target = self.folder / file.path
        target.parent.mkdir(parents=True, exist_ok=True)
        draft.replace(target)
        self.files[name] = file
        return file

    def _copy_assets(self) -> str:
        """Copy scripts, styles and libraries into one folder whose name is the hash of all of them."""
        sources = sorted((HERE / "assets").iterdir()) + sorted(
            path for path in (HERE / "vendor").iterdir() if path.suffix in {".js", ".css", ".LICENSE"}
        )
        digest = hashlib.sha256(b"".join(path.name.encode() + path.read_bytes() for path in sources)).hexdigest()[:12]
        target = self.folder / "assets" / digest
        target.mkdir(parents=True)
        for path in sources:
            shutil.copyfile(path, target / path.name)
        return f"assets/{digest}/"

    def manifest(self, code: str) -> Mapping[str, Any]:
        """What the site is made from, what it leaves out and why, its pages with their templates, its data files by their names."""
        return {
            "release_id": self.facts.release_id,
            "released_at": f"{self.facts.released_at:%Y-%m-%dT%H:%M:%SZ}",
            "asked_at": f"{self.facts.asked_at:%Y-%m-%dT%H:%M:%SZ}",
            "code": code,
            "left_out": self.left_out,
            "pages": dict(sorted(self.pages.items())),
            "files": {name: asdict(file) for name, file in sorted(self.files.items())},
        }


def first_page(part: str, cities: Sequence[str]) -> str:
    """Where the navigation leads: the page of the first city below `part`, or the page that says why there is none."""
    return f"{part}{cities[0]}/index.html" if cities else f"{part}index.html"


def hash_of(*texts: str) -> str:
    """The hash of several texts in their order."""
    return hashlib.sha256("".join(f"{len(text)}:{text}" for text in texts).encode()).hexdigest()


def _groups(batches: Iterable[pyarrow.RecordBatch], size: int) -> Iterator[pyarrow.Table]:
    """The rows in tables of exactly `size` rows, but for the last; never more than two batches are in memory."""
    kept = list[pyarrow.RecordBatch]()
    for batch in batches:
        kept.append(batch)
        table = pyarrow.Table.from_batches(kept)
        while table.num_rows >= size:
            yield table.slice(0, size)
            table = table.slice(size)
        kept = table.to_batches()
    if kept and (rest := pyarrow.Table.from_batches(kept)).num_rows:
        yield rest


def slug(text: str) -> str:
    """`text` as a part of an address: at most 60 lower-case letters, digits and hyphens, since a file system has a limit."""
    return re.sub(r"[^a-z0-9]+", "-", text.lower())[:60].strip("-") or "none"


def slugs(names: Sequence[tuple[str, str]]) -> dict[str, str]:
    """A slug for each (id, name), in the order given; a repeated one gets the beginning of the hash of the id."""
    taken: dict[str, str] = {}
    for identity, name in names:
        text = slug(name)
        taken[identity] = f"{text}-{hash_of(identity)[:8]}" if text in taken.values() else text
    return taken


def columns_of(table: Table) -> str:
    """The columns of a table as a select list, in its own order."""
    return ", ".join(quoted(column.name) for column in table.columns)
