"""Transpile every query to Spark with sqlglot, macros expanded. Nothing is run."""

from collections.abc import Iterator

import sqlglot
from sqlglot import exp
from sqlglot.errors import ErrorLevel, SqlglotError

from civic_pipeline.lint.macros import written_out
from civic_pipeline.warehouse.macros import Macros

# Functions that sqlglot does not translate, and their form on Spark: verified there with test vectors, those of geometry by the
# documentation of Apache Sedona alone.
TRANSLATIONS = {
    "strip_accents": "translate() of the accented Latin letters",
    "try_strptime": "try_to_timestamp() with the format in Java's letters",
    "isoyear": "extract(yearofweek from day)",
    "make_date": "make_date(), the same on both",
    "st_astext": "ST_AsText() of Apache Sedona",
    "st_geomfromwkb": "ST_GeomFromWKB() of Apache Sedona",
}


def untranslatable(query: exp.Expr, macros: Macros) -> Iterator[str]:
    """What Spark cannot run in `query`: a construct that sqlglot cannot translate, or a function unknown there."""
    try:
        text = written_out(query, macros).sql("spark", unsupported_level=ErrorLevel.RAISE)
        translated = sqlglot.parse_one(text, dialect="spark")
    except SqlglotError as error:
        yield f"this SQL cannot be written for Spark: {str(error).splitlines()[0]}"
        return
    unknown = {node.name.lower() for node in translated.find_all(exp.Anonymous)} - TRANSLATIONS.keys()
    for name in sorted(unknown):
        yield (
            f"{name}(…) has no known translation to Spark: use another function, or add it to TRANSLATIONS in"
            " civic_pipeline/lint/spark.py with its form there"
        )
