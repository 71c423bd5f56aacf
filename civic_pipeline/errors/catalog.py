"""Errors in files that people write: YAML, SQL and seeds."""

from collections.abc import Iterable, Sequence
from difflib import get_close_matches
from pathlib import Path

from civic_pipeline.errors.base import CivicError
from civic_pipeline.foreign_text import shortened

_MOST_LISTED = 10


class FileInvalid(CivicError):
    """A YAML or SQL file of the catalog is not valid. The message lists every violation with its line."""

    exit_code = 2

    def __init__(self, path: Path, violations: Sequence[tuple[int, str]]) -> None:
        lines = "\n".join(f"  {path}:{line}: {shortened(what, 1_000)}" for line, what in violations)
        count = "1 mistake" if len(violations) == 1 else f"{len(violations)} mistakes"
        super().__init__(f"{path.name} has {count}:\n{lines}")
        self.path, self.violations = path, list(violations)


class CatalogIncomplete(CivicError):
    """Files of the catalog do not match: for example, a model has no contract or an unknown input."""

    exit_code = 2


class UnknownName(CivicError):
    """A dataset, table or release of this name does not exist."""

    exit_code = 2

    def __init__(self, kind: str, name: str, known: Iterable[str]) -> None:
        names = sorted(known)
        # Hundreds of names would hide the one that was meant.
        listed = (
            names
            if len(names) <= _MOST_LISTED
            else get_close_matches(name, names, _MOST_LISTED) or names[:_MOST_LISTED]
        )
        more = f", or {len(names) - len(listed):,} others" if len(names) > len(listed) else ""
        super().__init__(f"There is no {kind} {name!r}. Choose one of: {', '.join(listed) or '(none)'}{more}.")
