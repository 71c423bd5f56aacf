"""Renders the three files of a new dataset. Everything that was inferred is marked as proposed."""

import json
import math
import re
import textwrap
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

import yaml

from civic_pipeline.catalog import Cadence, Source, Subject, table_name
from civic_pipeline.scaffold.address import DEMO_DOMAIN
from civic_pipeline.scaffold.profile import ColumnProfile, DraftColumn, Key, title_of
from civic_pipeline.scaffold.trial import TrialCapture

_WIDTH = 120
_COMMENTS_AT = 46
_MAX_NEVER_NULL = 8

# Patterns for the texts of portals about the update frequency.
_CADENCES: dict[Cadence, str] = {
    "daily": r"dail|night|hour|every day|continu|real.?time", "weekly": "week", "monthly": "month", "quarterly": "quarter",
    "annually": "annual|year", "closed": "never|static|histor|archiv",
}  # fmt: skip


@dataclass(frozen=True)
class Draft:
    """Everything that is known or inferred about a new dataset.

    `personal` are raw columns about persons; `columns` has none of them.
    """

    name: str
    subject: Subject
    trial: TrialCapture
    columns: Sequence[DraftColumn]
    personal: frozenset[str]
    shown: Mapping[str, ColumnProfile]
    key: Key
    dated_by: str | None
    time_zones: Mapping[str, tuple[str, str]]
    today: date

    @property
    def city(self) -> str:
        return self.name.partition("/")[0]

    @property
    def each_row_is(self) -> str:
        return f"one record of {self.trial.dataset.title}".rstrip(".")

    @property
    def published_columns(self) -> list[DraftColumn]:
        """The columns of the clean table, without the portal's row number unless it is the key."""
        row_id = self.trial.description.row_id
        return [d for d in self.columns if row_id is None or d.raw.name != row_id.name or d.name in self.key.columns]


# A layer of ArcGIS gets other widths of numbers whenever its publisher loads it anew.
_ANY_WIDTH = dict.fromkeys(("OID", "SmallInteger", "Integer", "BigInteger"), "integer") | dict.fromkeys(
    ("Single", "Double"), "number"
)


def cadence_of(text: str) -> Cadence:
    """`Updated nightly` -> daily; irregular if no pattern matches."""
    return next((cadence for cadence, pattern in _CADENCES.items() if re.search(pattern, text.lower())), "irregular")


def defs_yaml(draft: Draft) -> str:
    """The text of `defs.yaml`: the source and what its publisher promises."""
    dataset, about = draft.trial.dataset, draft.trial.description.about
    raw = {column.name: column.raw.name for column in draft.columns}
    key = ", ".join(scalar(raw[name]) for name in draft.key.columns)
    columns = {
        scalar(name): f"{{type: {scalar(kind)}, personal: true}}" if name in draft.personal else scalar(kind)
        for name, portal_type in dataset.columns.items()
        for kind in [_ANY_WIDTH.get(portal_type, portal_type)]
    }
    is_of_one_year = re.search(r"\b(fy *)?(19|20)[0-9]{2}\b|\bfy *[0-9]{2}\b", dataset.title, re.IGNORECASE)
    years = ["  # Is it one of several, such as a dataset per year? List them here: docs/add-a-dataset.md#editions"]
    lines = [
        "type: civic_pipeline.components.PortalDataset",
        "attributes:",
        f"  title: {scalar(dataset.title)}",
        f"  subject: {draft.subject}",
        f"  publisher: {scalar(dataset.publisher)}",
        f"  licence: {scalar(textwrap.shorten(dataset.licence, 200, placeholder=' ...'))}",
        *_folded("description", dataset.description, "  "),
        *(years if is_of_one_year else []),
        "  source:",
        *_source(dataset.source),
        _remarked(f"  cadence: {cadence_of(about.cadence)}", f"the portal says: {about.cadence or 'nothing'}"),
        *([_remarked(f"  dated_by: {draft.dated_by}", "proposed: the column with the newest date")] if draft.dated_by else []),
        _remarked(f"  key: [{key}]", f"proposed: {draft.key.evidence}"),
        "  columns:",
        *(f"    {name}: {kind}" for name, kind in columns.items()),
        *(["  time_zones:"] if draft.time_zones else []),
        *(_remarked(f"    {scalar(name)}: {policy}", f"proposed: {why}") for name, (policy, why) in draft.time_zones.items()),
        "  volume:",
        _remarked("    shrink_at_most: 10%", "proposed: less for a ledger, more for a list of open cases"),
    ]  # fmt: skip
    return "\n".join(lines) + "\n"


def clean_sql(draft: Draft) -> str:
    """The text of the clean model: typed, named columns."""
    table, columns = f"raw.{table_name(draft.name)}", draft.published_columns
    # Without an alias, a name would keep the publisher's capitals.
    selected = [d.sql if d.sql == d.name == d.raw.name else f"{d.sql} as {d.name}" for d in columns]
    helpers = [f"{d.published} as _published_{d.name}" for d in columns if d.published]
    grain = f"-- Each row is {draft.each_row_is}."
    notes = [f"-- {d.name}: {d.note}." for d in columns if d.note]
    if draft.key.columns:
        return "\n".join([grain, *notes, *_select([*selected, *helpers, "_capture_id"], table)]) + "\n"
    names = [d.name for d in columns]
    number = number_name(names)
    parts = [*map(_as_text, columns), f"cast({number} as varchar)"]
    # Values that were published differently are not equal, so their rows must not tie.
    published = [f"_published_{d.name}" for d in columns if d.published]
    order = ["            order by", *_listed(published, " " * 16)] if published else []
    return "\n".join([
        grain, *notes,
        "with published as (", *_select([*selected, *helpers, "_capture_id"], table, "    "), "),", "",
        "numbered as (",
        "    -- The source has no key: a running number distinguishes rows that are equal in every column.",
        "    select", "        *,", "        row_number() over (", "            partition by",
        *_listed(names, " " * 16), *order, f"        ) as {number}", "    from published", ")", "",
        "select",
        "    hash_id([", f"        '{draft.city}',", *_listed(parts, " " * 8), f"    ]) as {id_name(names)},",
        *(f"    {name}," for name in [*names, *(f"_published_{d.name}" for d in columns if d.published)]),
        "    _capture_id", "from numbered",
    ]) + "\n"  # fmt: skip


def _as_text(column: DraftColumn) -> str:
    """A column as a part of an id; every engine writes decimals alike, and no two write doubles alike."""
    value = f"cast({column.name} as decimal(38, 9))" if column.type == "DOUBLE" else column.name
    return value if column.type == "VARCHAR" else f"cast({value} as varchar)"


def contract_yml(draft: Draft) -> str:
    """The text of the contract."""
    columns = draft.published_columns
    names = [d.name for d in columns]
    key = draft.key.columns or (id_name(names),)
    readable = [d for d in columns if d.published]
    lines = [
        "# Written by `civic add` from one capture. Review everything that is marked as proposed: it was inferred.",
        f"each_row_is: {scalar(draft.each_row_is)}",
        _remarked(f"key: [{', '.join(key)}]", f"proposed: {draft.key.evidence}"),
    ]
    exact = [d.name for d in columns if d.is_exact]
    if exact:
        lines.append(_remarked(f"control_totals: [{', '.join(exact)}]", "no amount may be lost or rounded"))
    if readable:
        unreadable, rows = sum(d.unreadable for d in readable), draft.trial.manifest.rows
        tolerated = _remarked(f"tolerate_quarantined: {max(1, math.ceil(200 * unreadable / rows))}%", "proposed")
        lines += [tolerated, "", "row_rules:"]
    for d in readable:
        what = "a date" if d.type == "DATE" else "an amount of money"
        lines += [
            f"  - name: {d.name}_is_readable",
            f"    keep_if: {d.name} is not null or _published_{d.name} is null",
            f"    reason: The published {d.name} could not be read as {what}.",
        ]
    proposed = list(_expectations(draft, columns, key))
    if proposed:
        lines += ["", "# Proposed from this capture. Warnings do not hold the table back.", "expectations:"]
        for name, arguments, why in proposed:
            lines += [f"  - {name}: {_flow(arguments)}", "    severity: warning", f"    why: {scalar(why)}"]
    lines += ["", "columns:"]
    if not draft.key.columns:
        description = "Hash of all columns and of a running number among equal rows."
        lines.append(f"  - {_flow({'name': key[0], 'type': 'VARCHAR', 'description': description})}")
    for d in columns:
        described = {"name": d.name, "type": d.type, "unit": d.unit, "source": d.raw.name, "description": title_of(d)}
        lines.append(f"  - {_flow({name: value for name, value in described.items() if value is not None})}")
    return "\n".join(lines) + "\n"


def number_name(names: Iterable[str]) -> str:
    """A name for the running number that is not a column yet."""
    return "copy_number" if "copy_number" not in set(names) else "copy_number_of_row"


def id_name(names: Iterable[str]) -> str:
    """A name for the generated key that is not a column yet."""
    return "record_id" if "record_id" not in set(names) else "record_hash"


def _expectations(
    draft: Draft, columns: Sequence[DraftColumn], key: Sequence[str]
) -> Iterable[tuple[str, dict[str, Any], str]]:
    never_null = 0
    for d in columns:
        shown = draft.shown[d.name]
        if isinstance(shown.lowest, date) and isinstance(shown.highest, date) and d.type == "DATE":
            latest = "today" if shown.highest <= draft.today else f"{shown.highest.year + 1}-12-31"
            arguments = {
                "column": d.name,
                "min_value": f"{shown.lowest.year}-01-01",
                "max_value": latest,
                "mostly": 0.99,
            }
            why = f"In this capture the values are from {shown.lowest} to {shown.highest}."
            yield "expect_column_values_to_be_between", arguments, why
        if shown.values:
            arguments = {"column": d.name, "value_set": list(shown.values), "mostly": 0.99}
            yield (
                "expect_column_values_to_be_in_set",
                arguments,
                f"This capture has these {len(shown.values)} values.",
            )
        if shown.present == shown.rows and d.name not in key and never_null < _MAX_NEVER_NULL:
            never_null += 1
            arguments = {"column": d.name, "mostly": 0.99}
            yield "expect_column_values_to_not_be_null", arguments, f"It is never null in {shown.rows:,} rows."


def _source(source: Source) -> Iterable[str]:
    for name, value in source.model_dump(mode="json", exclude_defaults=True).items():
        if isinstance(value, (list, tuple)):
            yield f"    {name}:"
            yield from (f"      - {scalar(str(item))}" for item in value)
            continue
        line = f"    {name}: {scalar(str(value)) if name != 'recorded' else value}"
        if DEMO_DOMAIN in str(value):
            line = _remarked(line, "the demo portals; the live profile needs the host of the real portal")
        yield line


def _select(columns: Sequence[str], table: str, indent: str = "") -> list[str]:
    listed = [f"{indent}    {column}," for column in columns[:-1]] + [f"{indent}    {columns[-1]}"]
    return [f"{indent}select", *listed, f"{indent}from {table}"]


def _listed(names: Sequence[str], indent: str) -> list[str]:
    return textwrap.wrap(", ".join(names), _WIDTH, initial_indent=indent, subsequent_indent=indent)


def _remarked(line: str, remark: str) -> str:
    return f"{line:<{_COMMENTS_AT}}  # {' '.join(remark.split())}"


def _folded(key: str, text: str, indent: str) -> list[str]:
    short = textwrap.shorten(text, 900, placeholder=" ...")
    if len(short) <= _WIDTH - 20:
        return [f"{indent}{key}: {scalar(short)}"]
    inner = indent + "  "
    return [f"{indent}{key}: >-", *textwrap.wrap(short, _WIDTH, initial_indent=inner, subsequent_indent=inner)]


def scalar(text: str) -> str:
    """`text` as a YAML value: plain if YAML reads it back unchanged, else quoted."""
    try:
        is_plain = (
            yaml.safe_load(f"[{text}]") == [text]
            and yaml.safe_load(f"{text}: {text}") == {text: text}
            and text.isprintable()
        )
    except yaml.YAMLError:
        is_plain = False
    return text if is_plain else _in_quotes(text)


def _in_quotes(text: str) -> str:
    """`text` in double quotes; non-printable characters are escaped as in YAML."""
    return "".join(c if c.isprintable() else f"\\U{ord(c):08X}" for c in json.dumps(text, ensure_ascii=False))


def _flow(values: Mapping[str, Any]) -> str:
    """A mapping on one line (YAML flow style), as in the other contracts."""
    return "{" + ", ".join(f"{name}: {_flow_value(name, value)}" for name, value in values.items()) + "}"


def _flow_value(name: str, value: Any) -> str:
    if isinstance(value, list):
        return "[" + ", ".join(_in_quotes(item) for item in value) + "]"
    if isinstance(value, str):
        return (
            json.dumps(value, ensure_ascii=False)
            if name in {"description", "min_value", "max_value"} and value != "today"
            else scalar(value)
        )
    return str(value)
