"""The fingerprint of a table: a hash of its inputs and its code, which decide its contents."""

from importlib.metadata import version
from pathlib import Path

import duckdb

from civic_pipeline.lake import Manifest
from civic_pipeline.releases.contents import content_hash, hash_of
from civic_pipeline.sql_text import literal
from civic_pipeline.warehouse.macros import Macros, macros_called
from civic_pipeline.warehouse.model import Model
from civic_pipeline.warehouse.readable import READABLE


def fingerprint(connection: duckdb.DuckDBPyConnection, model: Model, macros: Macros, lake: Path) -> str:
    """Hash of everything that decides the table and its checks: files, called macros, inputs and versions.

    Inputs are tables and seeds by their contents, views by their SQL, which names the capture below the folder `lake` (the data
    folder can be moved), and tables of `meta` by what does not change every night.
    """
    read = [_version_of(connection, name, model.name) for name in sorted(model.inputs | model.references)]
    read = [(name, text and text.replace(literal(f"{lake}/")[:-1], "'")) for name, text in read]
    declared = model.dataset.model_dump_json() if model.dataset else ""
    sql = [model.sql, model.contract.model_dump_json(), declared]
    return hash_of(
        model.code_version, declared, macros_called(sql, macros), read, version("civic-pipeline"), duckdb.__version__
    )


def cleaning(connection: duckdb.DuckDBPyConnection, model: Model, capture: Manifest, macros: Macros) -> str:
    """Hash of everything that decides which clean rows the clean `model` makes of `capture`."""
    contract = model.contract
    rules = [rule.keep_if for rule in contract.row_rules]
    columns = [(column.name, column.type) for column in contract.columns]
    seeds = [_version_of(connection, name, model.name) for name in sorted(model.inputs) if name.startswith("seeds.")]
    declared = model.dataset.model_dump_json() if model.dataset else ""
    files = [(part.edition, part.sha256) for part in capture.parts]
    called = macros_called([model.sql, *rules, declared], macros)
    return hash_of(
        model.sql, rules, columns, contract.repeated_rows, seeds, declared, files, called,
        version("civic-pipeline"), duckdb.__version__,
    )  # fmt: skip


def _version_of(connection: duckdb.DuckDBPyConnection, relation: str, reader: str) -> tuple[str, str | None]:
    """A table's name and the hash of its current contents, or None if it does not exist."""
    schema, _, name = relation.partition(".")
    if schema == "meta":
        return relation, content_hash(connection, f"({READABLE[relation].format(reader=literal(reader))})")
    # The hash of the contents leaves out columns about persons: only the fingerprint changes with them.
    version_of_table = "case when len(personal_columns) > 0 then fingerprint else content_hash end"
    for query in (
        "select sql from duckdb_views() where schema_name = ? and view_name = ?",
        f"select {version_of_table} from meta.tables where table_name = concat_ws('.', ?, ?)",
    ):
        if row := connection.execute(query, [schema, name]).fetchone():
            return relation, row[0]
    return relation, content_hash(connection, relation) if schema == "seeds" else None
