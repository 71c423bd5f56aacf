"""The state of a source without reading its rows: reachability, schema, row count, freshness."""

from dataclasses import dataclass

from civic_pipeline.catalog import Dataset
from civic_pipeline.errors import CivicError
from civic_pipeline.lake.capture import compare_columns
from civic_pipeline.portals import Access, editions_of


@dataclass(frozen=True)
class Diagnosis:
    """The result of `diagnose`. `summary`: a text for users."""

    healthy: bool
    summary: str


def diagnose(dataset: Dataset, access: Access) -> Diagnosis:
    """Ask the portal for the metadata of `dataset` and compare it with what `defs.yaml` declares."""
    healthy, lines = True, []
    for edition, source in editions_of(dataset.source, access).items():
        is_inferred = edition in dataset.inferred
        label = f"{edition}{', inferred' if is_inferred else ''}: " if edition else ""
        try:
            description, rows = source.describe(), source.count()
        except CivicError as error:
            healthy = healthy and is_inferred
            moved = f" Known successor: {dataset.successor}" if dataset.successor else ""
            lines.append(f"{label}{error}{moved}")
            continue
        declared = dataset.edition(edition)
        missing, retyped, undeclared = compare_columns(declared, description.published)
        shape = declared.shape_of(tuple(description.published))
        drift = [
            f"{what} {', '.join(names)}"
            for what, names in (("missing", missing), ("retyped", retyped), ("new", undeclared))
            if names
        ]
        healthy = healthy and (is_inferred or (not missing and not retyped and rows > 0))
        as_declared = f"schema of {shape.seen}" if shape else "schema as declared"
        freshness = description.freshness
        age = f"{freshness.link} {freshness.token}" if freshness.token else "freshness unknown, loaded every time"
        lines.append(f"{label}{rows:,} rows, {age}, {'; '.join(drift) or as_declared} ({description.url})")
    return Diagnosis(healthy, "\n     ".join(lines))
