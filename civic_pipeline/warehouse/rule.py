"""A rule across tables, from `sql/checks/<subject>/`: a query that returns the rows that break it, and a header."""

import re
from dataclasses import dataclass
from pathlib import Path
from typing import cast, get_args

from civic_pipeline.catalog import Severity
from civic_pipeline.errors import FileInvalid

_KEYS = ("severity", "subject", "holds back")


@dataclass(frozen=True)
class Rule:
    """`reads` are the tables its query reads; a critical failure holds the table `holds_back` back, which is one of them."""

    name: str
    path: Path
    sql: str
    description: str
    severity: Severity
    holds_back: str
    reads: frozenset[str]

    @property
    def tables(self) -> frozenset[str]:
        """The tables that it reads, without captures and seeds, which are never held back."""
        return frozenset(name for name in self.reads if name.startswith(("clean.", "marts.")))


def rule_files(root: Path) -> list[Path]:
    """The files under `root/sql/checks`: `<subject>/<rule>.sql`, or `<subject>/<rule>/<place>.sql` if each place has its own query."""
    checks = root / "sql" / "checks"
    return sorted([*checks.glob("*/*.sql"), *checks.glob("*/*/*.sql")])


def read_rule(path: Path, reads: frozenset[str]) -> Rule:
    """The rule in `path`, whose query reads the tables `reads`. Raises FileInvalid for a header that is incomplete or wrong."""
    sql = path.read_text(encoding="utf-8")
    header: dict[str, tuple[int, str]] = {}
    words: list[str] = []
    for number, line in enumerate(sql.splitlines(), 1):
        if not line.startswith("--"):
            break
        text = line[2:].strip()
        key, colon, value = text.partition(": ")
        if colon and key in _KEYS:
            header[key] = (number, value.strip())
        elif not text.startswith("allow "):  # a portability rule that it may break, see lint/
            words.append(text)
    missing = [f"a line `-- {key}: ...`" for key in _KEYS if key not in header]
    missing += [] if words else ["a comment that describes a returned row"]
    if missing:
        raise FileInvalid(path, [(1, f"the header lacks {' and '.join(missing)}")])
    at, severity = header["severity"]
    if severity not in get_args(Severity):
        raise FileInvalid(path, [(at, f"severity must be one of {', '.join(get_args(Severity))}, not {severity!r}")])
    at, subject = header["subject"]
    folder, name = _placed(path)
    if subject != folder:
        raise FileInvalid(path, [(at, f"subject must be the name of the folder, {folder}, not {subject!r}")])
    at, held = header["holds back"]
    if not re.fullmatch(r"(clean|marts)\.[a-z0-9_]+", held) or held not in reads:
        raise FileInvalid(path, [(at, f"holds back must be one of the tables it reads: {', '.join(sorted(reads))}")])
    return Rule(name, path, sql, " ".join(words), cast("Severity", severity), held, reads)


def _placed(path: Path) -> tuple[str, str]:
    """The subject and the name of a rule: `<rule>`, or `<rule>__<place>` if each place has its own query."""
    if path.parents[1].name == "checks":
        return path.parent.name, path.stem
    return path.parents[1].name, f"{path.parent.name}__{path.stem}"
