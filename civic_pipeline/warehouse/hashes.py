"""What a table holds and what it is made from, each as a hash: the same inputs and code give the same."""

import hashlib
from importlib.metadata import version

import duckdb

from civic_pipeline.catalog import Dataset
from civic_pipeline.warehouse.model import Model

# A row of quarantine names its capture, whose id holds a time: the same bytes fetched twice are the same contents.
_TOLD_BY_THE_CLOCK = "_capture_id"


def content_hash(connection: duckdb.DuckDBPyConnection, relation: str) -> str:
    """Hash of the rows of `relation` in any order, each with its multiplicity, and of its columns' names and types.

    The sum of 64 bits of every row's MD5: DuckDB's own `hash` is seven times as fast, but another version of it may differ.
    """
    found = connection.execute(f"from {relation} limit 0").description
    columns = [(name, str(kind)) for name, kind, *_ in found if name != _TOLD_BY_THE_CLOCK]
    without = f" exclude ({_TOLD_BY_THE_CLOCK})" if len(columns) < len(found) else ""
    rows = connection.execute(
        f"select count(*), sum(md5_number_lower(to_json(held)::varchar)) from (select *{without} from {relation}) as held"
    ).fetchone()
    return _hash(columns, rows)


def fingerprint(connection: duckdb.DuckDBPyConnection, model: Model, dataset: Dataset | None, functions: str) -> str:
    """Hash of all that decides what `model` becomes and how it is judged: files, `functions`, what it reads, versions.

    What it reads: the contents of tables and seeds, and of views their text, which names the capture. `dataset` is the
    one a clean table is made of.
    """
    read = [_version_of(connection, name) for name in sorted(model.inputs | model.references)]
    declared = dataset.model_dump_json() if dataset else None
    return _hash(model.code_version, declared, functions, read, version("civic-pipeline"), duckdb.__version__)


def _version_of(connection: duckdb.DuckDBPyConnection, relation: str) -> tuple[str, str | None]:
    """A name and what stands behind it now; None while there is nothing."""
    schema, _, name = relation.partition(".")
    for query in (
        "select sql from duckdb_views() where schema_name = ? and view_name = ?",
        "select content_hash from meta.tables where table_name = concat_ws('.', ?, ?)",
    ):
        if found := connection.execute(query, [schema, name]).fetchone():
            return relation, found[0]
    return relation, content_hash(connection, relation) if schema == "seeds" else None


def _hash(*parts: object) -> str:
    return hashlib.sha256(repr(parts).encode()).hexdigest()[:32]
