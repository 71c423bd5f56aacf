"""docs/sources.md, from the definitions: where each dataset comes from, since when that is known, and what has moved."""

from collections.abc import Iterable, Mapping
from pathlib import Path

from civic_pipeline.catalog import (
    Dataset,
    Editions,
    FileSource,
    OpendatasoftSource,
    SingleSource,
    SocrataSource,
    load_datasets,
    table_name,
)
from civic_pipeline.publish.markdown import WRITTEN_BY, as_code, as_document, as_table
from civic_pipeline.replacing import replace_text

_INTRODUCTION = """\
Where each dataset comes from, since when that is known, and what has moved. **Nothing here was verified against a live portal
by this project.** Ids and columns were recorded from public sources (catalogues, public code, exported files) on the date given;
`civic doctor` with `CIVIC_PROFILE=live` compares them with the portals, and names the successor of a source that moved.
Columns are on each dataset's page in the [dictionary](dictionary/README.md). Reviewed mappings of this project are in
[data/seeds](../data/seeds), each with its source in a column."""


def write_sources(root: Path, check: bool) -> list[str]:
    """Write docs/sources.md of the checkout at `root`; with `check`, only compare. Returns its name if it was out of date.

    Raises FileInvalid (a definition is not valid), DiskFull, NotWritable.
    """
    page, text = root / "docs" / "sources.md", _page(load_datasets(root))
    if page.exists() and page.read_text(encoding="utf-8") == text:
        return []
    if not check:
        replace_text(page, text)
    return [page.name]


def _page(datasets: Mapping[str, Dataset]) -> str:
    rows = [
        (f"[{name}](#{name.replace('/', '')})", where, recorded, dataset.cadence, _state(dataset, label))
        for name, dataset in datasets.items()
        for label, where, recorded in _references(dataset)
    ]
    sections = [block for name, dataset in datasets.items() for block in _section(name, dataset)]
    overview = as_table(("Dataset", "Source", "Recorded", "Cadence", "To know"), rows)
    return f"{WRITTEN_BY}\n{as_document('# Sources', _INTRODUCTION, overview, *sections)}"


def _references(dataset: Dataset) -> Iterable[tuple[str | None, str, str]]:
    """Label, source and day of its evidence of each edition."""
    for label, edition in dataset.editions.items():
        where = ", ".join(value for what, value in reference(edition) if what != "Fallback")
        yield label, f"{label}: {where}" if label else where, edition.source.recorded.isoformat()


def _state(dataset: Dataset, label: str | None) -> str:
    words = ["retired" if dataset.retired else "", "successor known" if dataset.successor else ""]
    words.append("inferred" if label in dataset.inferred else "")
    return ", ".join(word for word in words if word)


def _section(name: str, dataset: Dataset) -> list[str]:
    page = f"[{dataset.title}](dictionary/raw/{table_name(name)}.md), {dataset.publisher}. Licence: {dataset.licence}."
    facts = [page]
    if dataset.retired:
        facts.append("The source is gone and is not asked any more; its captures stay readable.")
    if dataset.successor:
        facts.append(f"Known successor: {dataset.successor}")
    if dataset.provenance:
        facts.append(dataset.provenance)
    if dataset.earlier_shapes:
        facts.append(
            "Earlier layouts that are read: " + "; ".join(shape.seen for shape in dataset.earlier_shapes) + "."
        )
    if dataset.inferred:
        facts.append(
            f"Inferred, and left out while the portal has something else: {as_code(sorted(dataset.inferred))}."
        )
    return [f"## {name}", *facts]


def reference(dataset: Dataset) -> list[tuple[str, str]]:
    """What names the source of a dataset, or of each of its editions, as pairs of a word and a value."""
    if not isinstance(dataset.source, Editions):
        return _reference_of(dataset.source)
    return [
        (
            f"Edition `{label}`",
            ", ".join(value for what, value in _reference_of(edition.source) if what != "Fallback")
            + (" (inferred: left out if the portal has something else)" if edition.inferred else ""),
        )
        for label, edition in dataset.source.editions.items()
    ]


def _reference_of(source: SingleSource) -> list[tuple[str, str]]:
    match source:
        case SocrataSource():
            return [("Portal", f"Socrata, {source.domain}"), ("Dataset id", f"`{source.id}`")]
        case OpendatasoftSource():
            return [("Portal", f"OpenDataSoft, {source.domain}"), ("Dataset id", f"`{source.id}`")]
        case FileSource():
            return [("File", f"`{source.url}`")]
    fallbacks = [("Fallback", address) for address in source.fallbacks]
    item = [("Item", f"`{source.item}`")] if source.item else []
    number = "" if source.number is None else f", number {source.number}"
    return [("Portal", "ArcGIS"), *item, ("Layer", f"`{source.layer}`{number}"), *fallbacks]
