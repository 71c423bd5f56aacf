"""What other programs read about the tables: Data Package 2, Croissant 1.1 and a DCAT-US 3.0 catalog.

Addresses are relative to the file that states them, but for those of the catalog if the site's own address is known.
"""

import re
from collections.abc import Mapping, Sequence
from typing import Any

from civic_pipeline.publish.site.facts import Capture, Column, Facts, Table
from civic_pipeline.publish.site.files import Download, File
from civic_pipeline.publish.site.site import Site

_NOT_STATED = "not stated"
_MEDIA_TYPES = {"CSV": "text/csv", "Parquet": "application/vnd.apache.parquet", "Zip": "application/zip"}
_INTEGERS = ("TINYINT", "SMALLINT", "INTEGER", "BIGINT", "HUGEINT", "UTINYINT", "USMALLINT", "UINTEGER", "UBIGINT")
_TIMES = ("TIMESTAMP", "TIMESTAMP_S", "TIMESTAMP_MS", "TIMESTAMP_NS", "TIMESTAMP WITH TIME ZONE")
_TEXT = ("string", "sc:Text")
# DuckDB's name of a type without its digits -> its type in a Table Schema, and in Croissant. Everything else is text.
_TYPES = {
    "BOOLEAN": ("boolean", "sc:Boolean"), "DATE": ("date", "sc:Date"), "TIME": ("time", "sc:Time"),
    **dict.fromkeys(("DECIMAL", "DOUBLE", "FLOAT"), ("number", "sc:Float")),
    **dict.fromkeys(_INTEGERS, ("integer", "sc:Integer")),
    **dict.fromkeys(_TIMES, ("datetime", "sc:DateTime")),
}  # fmt: skip


def _types(column: Column) -> tuple[str, str]:
    return _TEXT if column.type.endswith("]") else _TYPES.get(column.type.partition("(")[0], _TEXT)


def _licences(table: Table) -> list[str]:
    """The licences of its sources, each once. One of them may be that none is stated."""
    return sorted({capture.licence or _NOT_STATED for capture in table.captures})


def licences_by_source(table: Table) -> str:
    """What the publisher of each source allows, a line each."""
    lines = sorted(
        {
            f"{c.title or c.dataset} ({c.publisher or 'publisher not stated'}): {c.licence or _NOT_STATED}"
            for c in table.captures
        }
    )
    return "\n".join(lines or ["This table is computed and has no source with a licence."]) + "\n"


def sources(table: Table) -> str:
    """Each capture behind the table, a line each."""
    return "\n".join(
        f"- {c.title or c.dataset}{f', {c.edition}' if c.edition else ''}. {c.publisher or 'Publisher not stated'}."
        f" Licence: {c.licence or _NOT_STATED}. Captured {c.captured_at:%Y-%m-%d}. SHA-256 {c.sha256}."
        for c in table.captures
    ) or "None: it is computed, or its source was never captured."  # fmt: skip


def data_package(facts: Facts, table: Table, csv: File, path: str) -> dict[str, Any]:
    """A Data Package (version 2) of one table, whose rows are the CSV file at `path`."""
    fields = [
        {"name": column.name, "type": _types(column)[0], "description": column.description or ""}
        | ({"format": "any"} if _types(column)[0] in {"time", "datetime"} else {})
        | ({"unit": column.unit} if column.unit else {})
        | ({"constraints": {"required": True}} if column.name in table.key else {})
        for column in table.columns
    ]
    schema = {"fields": fields, "missingValues": [""]} | ({"primaryKey": list(table.key)} if _has_key(table) else {})
    allowed = [] if _NOT_STATED in _licences(table) else _licences(table)  # what allows a part does not allow the whole
    release_id, released_at = facts.version_of(table)
    return {
        "$schema": "https://datapackage.org/profiles/2.0/datapackage.json",
        "name": table.name.replace("_", "-").lower(),
        "title": table.title,
        "description": _description(table),
        "version": release_id,
        "created": f"{released_at:%Y-%m-%dT%H:%M:%SZ}",
        "contributors": [{"title": name, "roles": ["publisher"]} for name in _publishers(table)],
        "sources": [_source(capture) for capture in table.captures],
        "resources": [
            {
                "name": table.name.replace("_", "-").lower(),
                "title": table.title,
                "path": path,
                "format": "csv",
                "mediatype": "text/csv",
                "encoding": "utf-8",
                "bytes": csv.bytes,
                "hash": f"sha256:{csv.sha256}",
                "rows": csv.rows,
                "schema": schema,
            }
        ],
    } | ({"licenses": [{"name": re.sub(r"[^A-Za-z0-9.-]+", "-", text), "title": text} for text in allowed]} if allowed else {})  # fmt: skip


def croissant(facts: Facts, table: Table, downloads: Sequence[Download], root: str) -> dict[str, Any]:
    """The Croissant (1.1) description of one table. `root` leads from its address to the first page."""
    files = {download.kind: download.file for download in downloads}
    return {
        "@context": _CROISSANT_CONTEXT,
        "@type": "sc:Dataset",
        "conformsTo": "http://mlcommons.org/croissant/1.1",
        "name": table.name,
        "description": _description(table),
        "version": f"{facts.released_at:%Y}.{facts.released_at.month * 100 + facts.released_at.day}.{facts.released_at:%-H%M%S}",
        "datePublished": f"{facts.released_at:%Y-%m-%d}",
        "license": "; ".join(_licences(table)) or _NOT_STATED,
        "creator": [{"@type": "sc:Organization", "name": name} for name in _publishers(table)],
        "citeAs": f"{'; '.join(_publishers(table))}: {table.title}. Release {facts.release_id}.",
        "url": "index.html",
        "distribution": [
            {
                "@type": "cr:FileObject",
                "@id": kind.lower(),
                "name": kind.lower(),
                "contentUrl": f"{root}{files[kind].path}",
                "contentSize": f"{files[kind].bytes} B",
                "encodingFormat": encoding,
                "sha256": files[kind].sha256,
            }
            for kind, encoding in (("CSV", "text/csv"), ("Parquet", "application/x-parquet"))
        ],
        "recordSet": [
            {
                "@type": "cr:RecordSet",
                "@id": "rows",
                "name": "rows",
                "description": f"Each row is {table.each_row_is}.",
                "field": [
                    {
                        "@type": "cr:Field",
                        "@id": f"rows/{column.name}",
                        "name": column.name,
                        "description": column.description or "",
                        "dataType": _types(column)[1],
                        "source": {"fileObject": {"@id": "parquet"}, "extract": {"column": column.name}},
                    }
                    for column in table.columns
                ],
            }
            | ({"key": [{"@id": f"rows/{name}"} for name in table.key]} if _has_key(table) else {})
        ],
    }  # fmt: skip


def dcat_us(site: Site, files: Mapping[str, Sequence[Download]]) -> dict[str, Any]:
    """A catalog of the tables in DCAT-US 3.0. Without an e-mail address among the owners of a place it lacks `hasEmail`."""
    facts, scores = site.facts, _scores(site)
    contact = {"@type": "Kind", "fn": "Open data team"} | (
        {"hasEmail": f"mailto:{facts.report_address}"} if facts.report_address else {}
    )
    return {
        "@type": "Catalog",
        "conformsTo": {"@type": "Standard", "@id": "https://resources.data.gov/dcat-us/3.0.0/catalog", "title": "DCAT-US 3.0"},
        "title": "Civic data",
        "description": f"The tables of release {facts.release_id}, each with its checks and the captures behind it.",
        "modified": f"{facts.released_at:%Y-%m-%d}",
        "language": "en",
        "homepage": {"@type": "Document", "title": "Civic data", "accessURL": f"{site.address}index.html"},
        "dataset": [
            _dcat_dataset(site, facts.tables[name], downloads, contact, scores.get(name, {})) for name, downloads in sorted(files.items())
        ],
    }  # fmt: skip


def _dcat_dataset(
    site: Site, table: Table, downloads: Sequence[Download], contact: Mapping[str, str], scores: Mapping[str, float]
) -> dict[str, Any]:
    facts, page = site.facts, f"{site.address}data/{table.name}/index.html"
    release_id, released_at = facts.version_of(table)
    return {
        "@id": f"urn:civic-pipeline:table:{table.name}",
        "@type": "Dataset",
        "identifier": table.name,
        "title": table.title,
        "description": _description(table),
        "publisher": {"@type": "Organization", "name": "; ".join(_publishers(table))},
        "contactPoint": [dict(contact)],
        "keyword": sorted({table.schema, *(capture.dataset.partition("/")[0] for capture in table.captures)}),
        "version": release_id,
        "modified": f"{released_at:%Y-%m-%d}",
        "landingPage": {"@type": "Document", "title": table.title, "accessURL": page},
        "describedBy": {"@type": "Distribution", "title": "Data dictionary", "accessURL": page, "mediaType": "text/html"},
        "rights": [line for line in licences_by_source(table).splitlines() if line],
        "provenance": [f"{capture.capture_id}, sha256 {capture.sha256}" for capture in table.captures],
        "wasGeneratedBy": [{"@type": "Activity", "label": f"civic_pipeline {facts.pipeline_version}, release {facts.release_id}"}],
        "hasQualityMeasurement": [
            {
                "@type": "QualityMeasurement",
                "isMeasurementOf": {
                    "@type": "Metric", "expectedDataType": "http://www.w3.org/2001/XMLSchema#double",
                    "inDimension": f"urn:civic-pipeline:quality:{name}",
                },
                "value": f"{value:.6f}",
            }
            for name, value in scores.items()
        ],
        "distribution": [
            {
                "@type": "Distribution",
                "title": f"{download.kind}, {download.file.rows:,} rows",
                "format": download.kind.partition(" ")[0],
                "mediaType": _MEDIA_TYPES[download.kind.partition(" ")[0]],
                "downloadURL": f"{site.address}{download.file.path}",
                "accessURL": page,
                "byteSize": str(download.file.bytes),
                "checksum": {"@type": "Checksum", "algorithm": "SHA-256", "checksumValue": download.file.sha256},
            }
            for download in downloads
        ],
    } | ({"temporal": [{"@type": "PeriodOfTime", "endDate": f"{table.data_date}"}]} if table.data_date else {})  # fmt: skip


def _scores(site: Site) -> dict[str, dict[str, float]]:
    """Clean table -> its measured components of quality."""
    if not site.present("marts.mart_dataset_quality_scores"):
        return {}
    components = ("completeness", "validity", "freshness", "documentation", "accessibility", "stability")
    rows = site.query(
        f"select 'clean.' || replace(dataset, '/', '_') as name, {', '.join(components)} from marts.mart_dataset_quality_scores"
        " where dataset_kind = 'dataset'"
    )
    return {row["name"]: {name: row[name] for name in components if row[name] is not None} for row in rows}


def _description(table: Table) -> str:
    return f"Each row is {table.each_row_is}." + (f" It cannot say: {table.cannot_say}" if table.cannot_say else "")


def _publishers(table: Table) -> list[str]:
    return sorted({capture.publisher for capture in table.captures if capture.publisher}) or [_NOT_STATED]


def _has_key(table: Table) -> bool:
    return bool(table.key) and table.has(*table.key)


def _source(capture: Capture) -> dict[str, str]:
    source = {"title": capture.title or capture.dataset, "version": capture.capture_id}
    return source | {"path": capture.url} if capture.url and capture.url.startswith("https://") else source


_CROISSANT_CONTEXT = {
    "@language": "en",
    "@vocab": "https://schema.org/",
    "arrayShape": "cr:arrayShape",
    "citeAs": "cr:citeAs",
    "column": "cr:column",
    "conformsTo": "dct:conformsTo",
    "containedIn": "cr:containedIn",
    "cr": "http://mlcommons.org/croissant/",
    "data": {"@id": "cr:data", "@type": "@json"},
    "dataBiases": "cr:dataBiases",
    "dataCollection": "cr:dataCollection",
    "dataType": {"@id": "cr:dataType", "@type": "@vocab"},
    "dct": "http://purl.org/dc/terms/",
    "equivalentProperty": "cr:equivalentProperty",
    "examples": {"@id": "cr:examples", "@type": "@json"},
    "extract": "cr:extract",
    "field": "cr:field",
    "fileObject": "cr:fileObject",
    "fileProperty": "cr:fileProperty",
    "fileSet": "cr:fileSet",
    "format": "cr:format",
    "includes": "cr:includes",
    "isArray": "cr:isArray",
    "isLiveDataset": "cr:isLiveDataset",
    "jsonPath": "cr:jsonPath",
    "key": "cr:key",
    "md5": "cr:md5",
    "parentField": "cr:parentField",
    "path": "cr:path",
    "personalSensitiveInformation": "cr:personalSensitiveInformation",
    "rai": "http://mlcommons.org/croissant/RAI/",
    "recordSet": "cr:recordSet",
    "references": "cr:references",
    "regex": "cr:regex",
    "repeated": "cr:repeated",
    "replace": "cr:replace",
    "samplingRate": "cr:samplingRate",
    "sc": "https://schema.org/",
    "separator": "cr:separator",
    "source": "cr:source",
    "subField": "cr:subField",
    "transform": "cr:transform",
}
