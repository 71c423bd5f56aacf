"""What a capture and an added dataset are told as: lines for a terminal."""

from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from pathlib import Path

import duckdb

from civic_pipeline.catalog import table_name
from civic_pipeline.lake import Manifest
from civic_pipeline.scaffold.add import Added
from civic_pipeline.scaffold.trial import TrialCapture

# Later than any epoch seconds of data, earlier than any epoch milliseconds.
_MILLISECONDS_FROM = 100_000_000_000


def of_capture(trial: TrialCapture) -> Iterator[str]:
    """Where it is, what proves it, how fresh it is, and every column."""
    (part,) = trial.manifest.parts
    file = trial.folder / part.file
    yield f"{trial.manifest.rows:,} rows captured"
    yield f"  file      {file}  ({_size(part.bytes)}; manifest.json is beside it)"
    yield from _proof(trial.manifest)
    yield ""
    kinds = _kinds(file)
    declared = {column.name: column for column in trial.description.landed}
    is_text = {column.name for column in part.columns if column.is_text}
    wide = max(6, *(len(name) for name in kinds))
    far = max(11, *(len(column.portal_type) for column in declared.values()))
    yield f"  {'column':<{wide}}  {'portal type':<{far}}  {'landed as':<14}  title"
    for name, kind in kinds.items():
        column = declared[name]
        title = column.title if column.title != name else ""
        remark = " (a value did not fit the portal's type)" if name in is_text else ""
        yield f"  {name:<{wide}}  {column.portal_type:<{far}}  {kind:<14}  {title}{remark}".rstrip()


def of_added(added: Added, root: Path) -> Iterator[str]:
    """What was written, how it fared, and what a person must look at."""
    draft = added.draft
    table = table_name(draft.name)
    passed = sum(result.passed for result in added.outcome.results)
    yield f"{draft.trial.dataset.title}: {added.manifest.rows:,} rows captured once, to write"
    yield from (f"  {file.relative_to(root)}" for file in added.files)
    yield from _proof(added.manifest)
    yield f"  checks    {passed} of {len(added.outcome.results)} pass on this capture"
    for result in added.outcome.results:
        if not result.passed:
            yield f"            {result.severity}: {result.failure}"
    yield ""
    yield "Review, because it was inferred:"
    yield f"  each_row_is   {draft.each_row_is!r}: say what one row is, in the .sql and the .yml"
    key = ", ".join(draft.key.columns) or "a hash of the whole row"
    yield f"  key           {key}: {draft.key.evidence}"
    for name, (policy, why) in draft.time_zones.items():
        yield f"  time zone     {name}: {policy}, {why}"
    if draft.dated_by:
        yield f"  dated_by      {draft.dated_by}: reaches {draft.shown[draft.dated_by].highest}"
    for column in draft.columns:
        if column.note:
            yield f"  column        {column.name}: {column.note}"
        if column.unreadable:
            yield f"  quarantine    {column.name}: {column.unreadable:,} values could not be read as {column.type}"
    yield "  the rest      publisher, licence, cadence, shrink_at_most, units and descriptions of columns, persons' data"
    yield ""
    is_here = "://" not in added.manifest.parts[0].url
    live = "CIVIC_PROFILE=live " if added.manifest.profile == "live" and not is_here else ""
    yield "Then"
    yield f"  {live}civic run --select raw/{table} --select clean/{table} --select warehouse"
    yield f"  civic docs, and a line on {draft.name} in docs/sources.md"


def _proof(manifest: Manifest) -> Iterable[str]:
    (part,) = manifest.parts
    distinct = "" if part.distinct is None else f" = {part.distinct:,} distinct {part.row_id}"
    reused = f" ({part.reused_ids:,} ids are used twice by the portal itself)" if part.reused_ids else ""
    unnamed = "; this portal has no row ids" if part.distinct is None else ""
    yield f"  proven    {part.counted:,} counted = {part.landed:,} landed{distinct}{reused}{unnamed}"
    yield f"  fresh     {_when(part.freshness_token, part.freshness_link)}"
    yield f"  from      {part.url}"
    yield f"  took      {part.requests:,} requests, {part.retries:,} tried again, {_size(part.received_bytes)} received"


def _when(token: str | None, link: str) -> str:
    """What the portal says of the data's age, epochs as a date."""
    if token is None:
        return "the portal does not say when the data changed"
    if link == "sha256":
        return f"a file says no date; its bytes are sha256 {token[:16]}..."
    if not token.isdigit():
        return f"{token}, by {link}"
    seconds = int(token) / 1000 if int(token) >= _MILLISECONDS_FROM else int(token)
    return f"{datetime.fromtimestamp(seconds, UTC):%Y-%m-%d %H:%M} UTC, by {link}"


def _kinds(file: Path) -> dict[str, str]:
    with duckdb.connect() as connection:
        rows = connection.execute("describe select * from read_parquet(?)", [str(file)]).fetchall()
    return {row[0]: row[1] for row in rows}


def _size(number: int) -> str:
    return f"{number / 1e6:,.1f} MB" if number >= 100_000 else f"{number / 1e3:,.1f} kB"
