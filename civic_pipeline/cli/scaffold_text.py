"""Terminal summaries of `civic capture` and `civic add`."""

from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from pathlib import Path

import duckdb

from civic_pipeline.catalog import table_name
from civic_pipeline.lake import Manifest
from civic_pipeline.scaffold.add import Added
from civic_pipeline.scaffold.trial import TrialCapture

# Larger numbers are epoch milliseconds, smaller ones epoch seconds.
_MILLISECONDS_FROM = 100_000_000_000


def describe_capture(trial: TrialCapture) -> Iterator[str]:
    """The lines for a capture: file, verification, freshness and columns."""
    (part,) = trial.manifest.parts
    file = trial.folder / part.file
    yield f"{trial.manifest.rows:,} rows captured"
    yield f"  file      {file}  ({_size(part.bytes)}; manifest.json in the same folder)"
    yield from _verification(trial.manifest)
    yield ""
    kinds = _kinds(file)
    declared = {column.name: column for column in trial.description.landed}
    is_text = {column.name for column in part.columns if column.is_text}
    name_width = max(6, *(len(name) for name in kinds))
    type_width = max(11, *(len(column.portal_type) for column in declared.values()))
    yield f"  {'column':<{name_width}}  {'portal type':<{type_width}}  {'stored as':<15}  title"
    for name, kind in kinds.items():
        column = declared[name]
        stored = f"{kind}, UTC" if column.is_instant and name not in is_text else kind
        title = column.title if column.title != name else ""
        remark = " (a value did not fit the portal's type)" if name in is_text else ""
        yield f"  {name:<{name_width}}  {column.portal_type:<{type_width}}  {stored:<15}  {title}{remark}".rstrip()


def describe_added(added: Added, root: Path) -> Iterator[str]:
    """The lines for an added dataset: the files, the verification, the checks, and what needs a review."""
    draft = added.draft
    table = table_name(draft.name)
    passed = sum(result.passed for result in added.outcome.results)
    yield f"{draft.trial.dataset.title}: {added.manifest.rows:,} rows captured once, to write"
    yield from (f"  {file.relative_to(root)}" for file in added.files)
    yield from _verification(added.manifest)
    yield f"  checks    {passed} of {len(added.outcome.results)} pass on this capture"
    for result in added.outcome.results:
        if not result.passed:
            yield f"            {result.severity}: {result.failure}"
    yield ""
    yield "Review these proposals:"
    yield f"  each_row_is   {draft.each_row_is!r}: say what one row is, in the .sql and the .yml"
    key = ", ".join(draft.key.columns) or "a hash of the whole row"
    yield f"  key           {key}: {draft.key.evidence}"
    for name, (policy, why) in draft.time_zones.items():
        yield f"  time zone     {name}: {policy}, {why}"
    if draft.dated_by:
        yield f"  dated_by      {draft.dated_by}: the newest date is {draft.shown[draft.dated_by].highest}"
    for column in draft.columns:
        if column.note:
            yield f"  column        {column.name}: {column.note}"
        if column.unreadable:
            yield f"  quarantine    {column.name}: {column.unreadable:,} values could not be read as {column.type}"
    if draft.personal:
        yield f"  persons       {', '.join(sorted(draft.personal))}: marked personal: true and left out of the model"
    yield "  the rest      publisher, licence, cadence, shrink_at_most, units and descriptions of columns, persons' data"
    yield ""
    is_here = "://" not in added.manifest.parts[0].url
    live = "CIVIC_PROFILE=live " if added.manifest.profile == "live" and not is_here else ""
    yield "Next"
    yield f"  {live}civic run --select raw/{table} --select clean/{table} --select warehouse"
    yield "  civic docs"


def _verification(manifest: Manifest) -> Iterable[str]:
    (part,) = manifest.parts
    distinct = "" if part.distinct is None else f" = {part.distinct:,} distinct {part.row_id}"
    reused = f" ({part.reused_ids:,} rows have an id that the portal uses twice)" if part.reused_ids else ""
    unnamed = "; this portal has no row ids" if part.distinct is None else ""
    yield f"  verified  {part.counted:,} counted = {part.landed:,} landed{distinct}{reused}{unnamed}"
    yield f"  fresh     {_when(part.freshness_token, part.freshness_link)}"
    yield f"  from      {part.url}"
    yield f"  requests  {part.requests:,}, of these {part.retries:,} retries; {_size(part.received_bytes)} received"


def _when(token: str | None, link: str) -> str:
    """The freshness token as text; epoch numbers as a date."""
    if token is None:
        return "the portal does not say when the data changed"
    if link == "sha256":
        return f"a file has no date; sha256 {token[:16]}..."
    if not token.isdigit():
        return f"{token}, from {link}"
    seconds = int(token) / 1000 if int(token) >= _MILLISECONDS_FROM else int(token)
    return f"{datetime.fromtimestamp(seconds, UTC):%Y-%m-%d %H:%M} UTC, from {link}"


def _kinds(file: Path) -> dict[str, str]:
    with duckdb.connect() as connection:
        rows = connection.execute("describe select * from read_parquet(?)", [str(file)]).fetchall()
    return {row[0]: row[1] for row in rows}


def _size(number: int) -> str:
    return f"{number / 1e6:,.1f} MB" if number >= 100_000 else f"{number / 1e3:,.1f} kB"
