"""Markdown of the pages that `civic docs` writes."""

from collections.abc import Iterable

WRITTEN_BY = "<!-- Written by `civic docs`; do not edit. -->"


def as_code(names: Iterable[str]) -> str:
    """Names as code, in a row."""
    return ", ".join(f"`{name}`" for name in names)


def as_table(header: tuple[str, ...], rows: Iterable[tuple[str, ...]]) -> str:
    """A table of Markdown."""
    lines = [header, ("---",) * len(header), *(tuple(map(_cell, row)) for row in rows)]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def as_facts(rows: Iterable[tuple[str, str]]) -> str:
    """A table of names and values, without empty values."""
    return as_table(("", ""), [(name, value) for name, value in rows if value])


def _cell(text: str) -> str:
    """`text` on one line, with bars escaped."""
    return " ".join(text.split()).replace("|", "\\|")


def as_document(*blocks: str | None) -> str:
    """Blocks with a line between them, without empty ones."""
    return "\n\n".join(block.strip() for block in blocks if block) + "\n"
