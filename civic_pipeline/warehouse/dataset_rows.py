"""The rows of `meta.datasets`: what each dataset declares."""

from collections.abc import Mapping

import duckdb

from civic_pipeline.catalog import Dataset, table_name
from civic_pipeline.warehouse import meta


def record_datasets(connection: duckdb.DuckDBPyConnection, datasets: Mapping[str, Dataset]) -> None:
    """Replace the rows of `meta.datasets`."""
    connection.execute("delete from meta.datasets")
    meta.add(connection, "meta.datasets", [_row(name, dataset) for name, dataset in datasets.items()])


def _row(name: str, dataset: Dataset) -> dict[str, object]:
    sources = [edition.source for edition in dataset.editions.values()]
    return {
        "dataset": name, "table_name": f"clean.{table_name(name)}", "title": dataset.title, "subject": dataset.subject,
        "publisher": dataset.publisher, "licence": dataset.licence, "description": dataset.description, "cadence": dataset.cadence,
        "dated_by": dataset.dated_by, "portal": dataset.source.portal,
        "has_stable_id": all(getattr(source, "id", None) or getattr(source, "item", None) for source in sources),
        "owners": list(dataset.owners), "recorded_on": dataset.source.recorded, "is_retired": dataset.retired,
    }  # fmt: skip
