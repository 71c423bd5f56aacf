"""The files of a table: CSV, Parquet and a zip that explains itself; and the release as Parquet files with views over them.

A Parquet file is written once, in the folder of its release: the page of its table leads there.
"""

import json
import shutil
import zipfile
from pathlib import Path

import duckdb
import yaml

from civic_pipeline.publish.site.facts import Facts, Table
from civic_pipeline.publish.site.files import Download, File
from civic_pipeline.publish.site.metadata import data_package, licences_by_source, sources
from civic_pipeline.publish.site.site import Site, hash_of
from civic_pipeline.sql_text import literal, quoted

_SCHEMAS = ("marts", "clean")
ZIP = "Zip with README, licence and citation"
IN_A_SPREADSHEET = (
    "Excel changes a CSV that is opened by a double click: ids such as 0042 and 6E54 become other numbers, and é other letters."
    " Data > From Text/CSV, with UTF-8 and without detecting types, keeps them."
)
_BEGINNING = (1980, 1, 1, 0, 0, 0)  # the earliest time in a zip: equal contents give equal bytes


def is_published(table: Table) -> bool:
    """Whether a table has files: marts and clean tables with rows. Columns about persons and quarantine are in no release."""
    return table.schema in _SCHEMAS and not table.absence


def write_downloads(site: Site, table: Table) -> list[Download]:
    """Write the table as CSV, as Parquet and as a zip, with its rows in the order of its key."""
    order = ", ".join(quoted(name) for name in table.key if table.has(name)) or "all"
    query = f"select {', '.join(quoted(column.name) for column in table.columns)} from {table.name} order by {order}"
    csv = site.csv(f"tables/{table.name}.csv", query)
    parquet = site.parquet(f"{_folder(site.facts)}/{table.name}.parquet", query, is_hashed=False)
    packed = _write_zip(site, table, csv)
    files = (("CSV", csv, "csv"), ("Parquet", parquet, "parquet"), (ZIP, packed, "zip"))
    return [Download(kind, file, f"{table.name}-{file.rows}-rows.{suffix}") for kind, file, suffix in files]


def write_release(site: Site, files: dict[str, list[Download]]) -> None:
    """Write the manifest of the release's Parquet files, and a DuckDB file of views over them."""
    folder, facts = site.folder / _folder(site.facts), site.facts
    folder.mkdir(parents=True, exist_ok=True)
    manifest = {
        "release_id": facts.release_id,
        "released_at": f"{facts.released_at:%Y-%m-%dT%H:%M:%SZ}",
        "pipeline_version": facts.pipeline_version,
        "git_commit": facts.git_commit,
        "views": "views.duckdb",
        "tables": [
            {
                "name": name,
                "file": f"{name}.parquet",
                "rows": parquet.rows,
                "bytes": parquet.bytes,
                "sha256": parquet.sha256,
                "each_row_is": facts.tables[name].each_row_is,
            }
            for name, downloads in sorted(files.items())
            for parquet in (download.file for download in downloads if download.kind == "Parquet")
        ],
    }
    (folder / "manifest.json").write_text(json.dumps(manifest, indent=1) + "\n", encoding="utf-8")
    _write_views(folder, [facts.tables[name] for name in sorted(files)])


def _folder(facts: Facts) -> str:
    return f"releases/{facts.release_id}"


def _write_views(folder: Path, tables: list[Table]) -> None:
    """Views of the files where the reading program is, or below the folder or address in its variable `release`."""
    with duckdb.connect() as connection:
        connection.execute(f"set variable release = {literal(f'{folder}/')}")  # a view is bound when it is created
        connection.execute(f"attach {literal(str(folder / 'views.duckdb'))} as views (storage_version 'v1.0.0')")
        for schema in sorted({table.schema for table in tables}):
            connection.execute(f"create schema views.{schema}")
        for table in tables:
            view = f"views.{table.name}"
            file = f"coalesce(getvariable('release'), '') || {literal(f'{table.name}.parquet')}"
            connection.execute(f"create view {view} as from read_parquet({file})")
            connection.execute(f"comment on view {view} is {literal(f'Each row is {table.each_row_is}.')}")
        connection.execute("checkpoint views; detach views")


def _write_zip(site: Site, table: Table, csv: File) -> File:
    name = f"{table.name}.csv"
    package = data_package(site.facts, table, csv, name)
    texts = {
        "README.md": _readme(site.facts, table, csv, name),
        "LICENSE.txt": licences_by_source(table),
        "CITATION.cff": _citation(site.facts, table),
        "datapackage.json": json.dumps(package, indent=1, ensure_ascii=False) + "\n",
    }

    def write(draft: Path) -> int | None:
        with zipfile.ZipFile(draft, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive:
            for entry, text in texts.items():
                archive.writestr(_entry(entry), text)
            with (
                (site.folder / csv.path).open("rb") as source,
                archive.open(_entry(name), "w", force_zip64=True) as target,
            ):
                shutil.copyfileobj(source, target, 1 << 20)
        return csv.rows

    return site.add(f"tables/{table.name}.zip", hash_of("zip", csv.sha256, *texts.values()), write)


def _entry(name: str) -> zipfile.ZipInfo:
    entry = zipfile.ZipInfo(name, _BEGINNING)
    entry.compress_type = zipfile.ZIP_DEFLATED
    return entry


def _readme(facts: Facts, table: Table, csv: File, name: str) -> str:
    release_id, released_at = facts.version_of(table)
    demo = (
        "**These rows are invented: they are the sample of the project. Do not cite them.**\n\n"
        if facts.is_demo
        else ""
    )
    columns = "\n".join(
        f"| {column.name} | {column.type} | {_cell(column.unit)} | {_cell(column.description)} |"
        for column in table.columns
    )
    return (
        f"# {table.title}\n\n{demo}`{name}` has {csv.rows:,} {'row' if csv.rows == 1 else 'rows'} below one line of column names."
        f" Each row is {table.each_row_is}.\n\n"
        f"- Table: `{table.name}`, unchanged since release {release_id} of {released_at:%Y-%m-%d}\n"
        f"- Newest data: {table.data_date or 'no date is declared'}\n"
        f"- Key: {', '.join(table.key) or 'none'}\n"
        f"- Checks: {table.passed} passed, {len(table.failed)} failed\n"
        f"- SHA-256 of `{name}`: {csv.sha256}\n\n"
        f"## What it cannot say\n\n{table.cannot_say or 'Nothing is stated.'}\n\n"
        f"## Columns\n\n| Column | Type | Unit | Meaning |\n|---|---|---|---|\n{columns}\n\n"
        f"## Sources\n\n{sources(table)}\n\n"
        "An empty field is null. An apostrophe before =, +, - or @ at the start of a text keeps spreadsheets from running it as a formula;"
        f" the Parquet file has no such marks. {IN_A_SPREADSHEET}\n\n"
        "`datapackage.json` describes the columns for programs (Data Package 2), `CITATION.cff`"
        " says how to cite the table, `LICENSE.txt` what its publishers allow.\n"
    )


def _cell(text: str | None) -> str:
    return " ".join((text or "").replace("|", "\\|").split())


def _citation(facts: Facts, table: Table) -> str:
    release_id, released_at = facts.version_of(table)
    publishers = sorted({capture.publisher for capture in table.captures if capture.publisher})
    citation = {
        "cff-version": "1.2.0",
        "message": "If you use these data, please cite them as below.",
        "type": "dataset",
        "title": f"{table.title} ({table.name})",
        "authors": [{"name": name} for name in publishers or ["not stated"]],
        "version": release_id,
        "date-released": released_at.date(),
    }
    return yaml.safe_dump(citation, sort_keys=False, allow_unicode=True, width=120)
