"""Reads a folder once: `portal.yml` and all data files, into an in-memory DuckDB."""

import gzip
import hashlib
import json
import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, date, datetime, time
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa

from civic_pipeline.catalog import Dataset, load_datasets, read_yaml
from civic_pipeline.demo.columns import Column, Kind, fit, infer_kinds, reading
from civic_pipeline.demo.fault_injection import FaultInjection
from civic_pipeline.demo.faults import Faults
from civic_pipeline.demo.portal_file import DemoFolderError, FileEntry, PortalFile, as_in_catalog
from civic_pipeline.demo.rows import Rows
from civic_pipeline.demo.served_file import ServedFile, update_time_of
from civic_pipeline.errors import FileInvalid
from civic_pipeline.portals import OlderCopy
from civic_pipeline.sql_text import quoted

SUFFIXES = (".csv", ".csv.gz", ".parquet", ".geojson", ".geojson.gz")

_PARQUET_KINDS: dict[str, Kind] = {
    "BOOLEAN": "checkbox",
    "DATE": "calendar_date",
    "TIMESTAMP": "calendar_date",
    "TIMESTAMP WITH TIME ZONE": "date",
    **dict.fromkeys(
        ("TINYINT", "SMALLINT", "INTEGER", "BIGINT", "UTINYINT", "USMALLINT", "UINTEGER", "HUGEINT"), "number"
    ),
    **dict.fromkeys(("FLOAT", "DOUBLE"), "double"),
}


def read_folder(
    folder: Path, con: duckdb.DuckDBPyConnection, root: Path, faults: Faults | None = None
) -> tuple[ServedFile, ...]:
    """Load every file of the folder into `con` and return the served files. `faults` are the defaults of every file.

    Datasets named in `portal.yml` come from the checkout at `root`.

    Raises DemoFolderError for a folder, a `portal.yml` or a file that cannot be served.
    """
    entries = [entry for entry in _entries(folder) if entry.captured_at is None]
    datasets = load_datasets(root) if any(entry.dataset for entry in entries) else {}
    usual = faults or Faults()
    served = tuple(_load(folder, entry, f"file_{number}", con, datasets, usual) for number, entry in enumerate(entries))
    for label, ids in {
        "Socrata id": [file.socrata_id for file in served],
        "OpenDataSoft id": [file.opendatasoft_id for file in served],
        "item id": [file.item_id for file in served],
        "layer": [f"{file.entry.service or ''}/{file.layer}".lower().lstrip("/") for file in served],
    }.items():
        repeated = [value for value, count in Counter(ids).items() if count > 1]
        if repeated:
            raise DemoFolderError(
                f"{folder}: the {label} {repeated[0]} is given to two files. Give each file its own in portal.yml."
            )
    return served


def older_copies(folder: Path) -> tuple[OlderCopy, ...]:
    """The files of the folder that are not served: older copies, oldest first. Raises DemoFolderError for an invalid `portal.yml`."""
    return tuple(
        OlderCopy(entry.dataset, entry.edition, folder / entry.file, datetime.combine(entry.captured_at, time(), UTC))
        for entry in sorted(_entries(folder), key=lambda entry: entry.captured_at or date.min)
        if entry.captured_at and entry.dataset
    )


def _entries(folder: Path) -> Sequence[FileEntry]:
    if not folder.is_dir():
        raise DemoFolderError(
            f"{folder} is not a folder, so there is nothing to serve. Name a folder that holds data files."
        )
    portal_yml = folder / "portal.yml"
    if not portal_yml.exists():
        entries = [FileEntry(file=path.name) for path in sorted(folder.iterdir()) if path.name.endswith(SUFFIXES)]
        if not entries:
            raise DemoFolderError(
                f"{folder} holds no file that can be served. Put {', '.join(SUFFIXES)} files into it."
            )
        return entries
    try:
        listed = read_yaml(portal_yml, PortalFile).files
    except FileInvalid as error:
        raise DemoFolderError(str(error)) from None
    repeated = [name for name, count in Counter(entry.file for entry in listed).items() if count > 1]
    if repeated:
        raise DemoFolderError(f"{portal_yml} lists {repeated[0]} twice. Keep one entry per file.")
    for entry in listed:
        if not (folder / entry.file).is_file():
            raise DemoFolderError(
                f"{portal_yml} lists {entry.file}, which is not in {folder}. Add the file or remove its entry."
            )
        if not entry.file.endswith(SUFFIXES):
            raise DemoFolderError(
                f"{portal_yml} lists {entry.file}, which is not one of {', '.join(SUFFIXES)}."
                " Convert it or remove its entry."
            )
    return listed


def _load(
    folder: Path,
    entry: FileEntry,
    table: str,
    con: duckdb.DuckDBPyConnection,
    datasets: Mapping[str, Dataset],
    faults: Faults,
) -> ServedFile:
    path = folder / entry.file
    content = path.read_bytes()
    geometry_type, declared = _read(path, content, entry, con)
    names = [row[0] for row in con.execute("describe incoming").fetchall() if not row[0].startswith("demo:")]
    _refuse_unknown_columns(folder, entry, names)
    fields = list(_field_names(names))
    known: dict[str, Kind] = {}
    if entry.dataset:
        entry, known = as_in_catalog(entry, dict(zip(names, fields, strict=True)), datasets)
    given = declared | known | entry.types
    kinds = infer_kinds(con, "incoming", [name for name in names if name not in given]) | given
    columns = fit(con, "incoming", [Column(name, fields[i], kinds[name], f"c{i}") for i, name in enumerate(names)])
    updated_at = update_time_of(content + repr(sorted(given.items())).encode())
    stem = path.name.partition(".")[0]
    digest = hashlib.md5(path.name.encode(), usedforsecurity=False).hexdigest()
    _store(con, table, columns, path)
    return ServedFile(
        name=path.name,
        path=path,
        title=entry.title or stem.replace("_", " "),
        socrata_id=entry.socrata or f"{digest[:4]}-{digest[4:8]}",
        item_id=entry.item or digest,
        opendatasoft_id=entry.opendatasoft or re.sub(r"[^a-z0-9_-]", "_", stem.lower()),
        layer=entry.layer or re.sub(r"\W", "_", stem),
        is_layer=geometry_type is not None if entry.geometry is None else entry.geometry,
        geometry_type=geometry_type,
        data=Rows(con, table, columns, salt=f"{digest}{updated_at}", updated_at=updated_at),
        entry=entry,
        fault_injection=FaultInjection(entry.faults.over(faults)),
    )


def _read(
    path: Path, content: bytes, entry: FileEntry, con: duckdb.DuckDBPyConnection
) -> tuple[str | None, dict[str, Kind]]:
    """Load a file into the table `incoming`; return the type of its geometries, if it has any, and the types that it declares."""
    geometry_type: str | None = None
    declared: dict[str, Kind] = {}
    try:
        if ".geojson" in path.name:
            geometry_type, declared = _read_geojson(content, con)
        elif path.name.endswith(".parquet"):
            declared = _read_parquet(path, con)
        else:
            _read_csv(path, con)
        if entry.points:
            geometry_type = "Point"
            _make_points(quoted(entry.points[0]), quoted(entry.points[1]), con)
    except (duckdb.Error, ValueError, KeyError) as error:
        raise DemoFolderError(f"{path} cannot be read: {error}") from None
    return geometry_type, declared


def _refuse_unknown_columns(folder: Path, entry: FileEntry, names: Sequence[str]) -> None:
    """Raise DemoFolderError for a column that `portal.yml` mentions and the file does not have."""
    mentions = {"gives a type to": entry.types, "has faults for": entry.faults.columns, "has codes for": entry.domains}
    for what, mentioned in mentions.items():
        if unknown := [name for name in mentioned if name not in names]:
            raise DemoFolderError(
                f"{folder / 'portal.yml'} {what} {', '.join(unknown)}, which {entry.file} does not have."
            )


def _read_csv(path: Path, con: duckdb.DuckDBPyConnection) -> None:
    con.execute(
        "create or replace temp table incoming as select * from read_csv(?, header = true, all_varchar = true,"
        " delim = ',', quote = '\"', escape = '\"', null_padding = false, max_line_size = 16777216)",
        [str(path)],
    )


def _make_points(longitude: str, latitude: str, con: duckdb.DuckDBPyConnection) -> None:
    """Serve two columns as the point of their row; a row without them has none."""
    con.execute(
        f"create or replace temp table incoming as select * exclude ({longitude}, {latitude}),"
        f""" '{{"type":"Point","coordinates":[' || {longitude} || ',' || {latitude} || ']}}' as "demo:geometry","""
        f""" '{{"x":' || {longitude} || ',"y":' || {latitude} || '}}' as "demo:esri" from incoming"""
    )


def _read_parquet(path: Path, con: duckdb.DuckDBPyConnection) -> dict[str, Kind]:
    described = con.execute("describe select * from read_parquet(?)", [str(path)]).fetchall()
    shown = ", ".join(f"cast({quoted(row[0])} as varchar) as {quoted(row[0])}" for row in described)
    con.execute(f"create or replace temp table incoming as select {shown} from read_parquet(?)", [str(path)])
    return {
        row[0]: "number" if row[1].startswith("DECIMAL") else _PARQUET_KINDS.get(row[1], "text") for row in described
    }


def _read_geojson(content: bytes, con: duckdb.DuckDBPyConnection) -> tuple[str | None, dict[str, Kind]]:
    """Load the properties of the features as text, with their geometries; return the geometry type and the JSON types."""
    features = json.loads(gzip.decompress(content) if content[:2] == b"\x1f\x8b" else content)["features"]
    names = list(dict.fromkeys(name for feature in features for name in feature["properties"] or {}))
    values = {name: [(feature["properties"] or {}).get(name) for feature in features] for name in names}
    geometries = [feature.get("geometry") for feature in features]
    texts: dict[str, list[str | None]] = {name: [_as_text(value) for value in values[name]] for name in names}
    texts["demo:geometry"] = [
        None if shape is None else json.dumps(shape, separators=(",", ":")) for shape in geometries
    ]
    texts["demo:esri"] = [
        None if shape is None else json.dumps(_esri(shape), separators=(",", ":")) for shape in geometries
    ]
    con.register("features", pa.table({name: pa.array(column, pa.string()) for name, column in texts.items()}))
    con.execute("create or replace temp table incoming as select * from features")
    con.unregister("features")
    kinds: dict[str, Kind] = {}
    for name in names:
        types = {type(value) for value in values[name] if value is not None}
        kinds[name] = "checkbox" if types == {bool} else "number" if types and types <= {int, float} else "text"
    shapes = sorted({shape["type"] for shape in geometries if shape is not None}, key=len)
    return shapes[-1] if shapes else None, kinds


def _as_text(value: Any) -> str | None:
    if value is None or isinstance(value, str):
        return value or None
    return json.dumps(value)


def _esri(shape: dict[str, Any]) -> dict[str, Any]:
    """Return a GeoJSON geometry in the form of ArcGIS."""
    kind, coordinates = shape["type"], shape["coordinates"]
    if kind == "Point":
        return {"x": coordinates[0], "y": coordinates[1]}
    if kind == "MultiPoint":
        return {"points": coordinates}
    if kind.endswith("LineString"):
        return {"paths": [coordinates] if kind == "LineString" else coordinates}
    return {"rings": coordinates if kind == "Polygon" else [ring for polygon in coordinates for ring in polygon]}


def _field_names(names: Sequence[str]) -> Iterator[str]:
    """Yield the API names of Socrata: lower case, other characters than letters and digits become `_`, repeated names get a number."""
    used: Counter[str] = Counter()
    for name in names:
        plain = name if name.startswith(":") else re.sub(r"[^a-z0-9_]", "_", name.strip().lower())
        yield f"{plain}_{used[plain]}" if used[plain] else plain
        used[plain] += 1


def _store(con: duckdb.DuckDBPyConnection, table: str, columns: Sequence[Column], path: Path) -> None:
    """Store the typed rows as `table`, numbered in file order. Raises DemoFolderError for a value that is not of its type."""
    extra = {row[0] for row in con.execute("describe incoming").fetchall() if row[0].startswith("demo:")}
    shapes = ", ".join(
        f"{quoted(f'demo:{name}') if f'demo:{name}' in extra else 'null::varchar'} as {name}"
        for name in ("geometry", "esri")
    )
    read = ", ".join(f"{reading(column)} as {column.sql}" for column in columns)
    con.execute(f"create table {table} as select row_number() over () as number, {shapes}, {read} from incoming")
    typed = [column for column in columns if column.stored != "VARCHAR"]
    if not typed:
        return
    in_file = (
        con.execute(f"select {', '.join(f'count({quoted(c.name)})' for c in typed)} from incoming").fetchone() or ()
    )
    in_table = con.execute(f"select {', '.join(f'count({c.sql})' for c in typed)} from {table}").fetchone() or ()
    for column, before, after in zip(typed, in_file, in_table, strict=True):
        if before != after:
            culprit = con.execute(
                f"select {quoted(column.name)} from incoming"
                f" where {reading(column)} is null and {quoted(column.name)} is not null"
            ).fetchone()
            raise DemoFolderError(
                f"{path}: {culprit[0] if culprit else ''!r} in column {column.name} is not a {column.kind}."
                " Correct it, or declare the column text in portal.yml."
            )
