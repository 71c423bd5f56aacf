"""One class per failure a user can meet. Each takes its culprits as data and writes its own message.

A message names the thing, the culprit and the fix, because it is all that a user sees: the CLI prints it without a
traceback, Dagster shows it in the failed step, `meta.tables` keeps it as the reason a table is held back.
"""

import errno
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from civic_pipeline.redaction import redacted


class CivicError(Exception):
    """Base of every failure we foresee; `str()` is the whole message, without secrets. `exit_code` is what `civic` ends with."""

    exit_code = 1

    def __init__(self, message: str) -> None:
        super().__init__(redacted(message))


class SettingInvalid(CivicError):
    """An environment variable holds something we cannot work with."""

    exit_code = 2

    def __init__(self, name: str, value: str, allowed: str) -> None:
        super().__init__(f"{name}={value!r} is not a setting we know. Set {name} to {allowed}, or unset it.")


class FileInvalid(CivicError):
    """A YAML or SQL file of the catalog breaks its rules; all violations are listed, each with its line."""

    exit_code = 2

    def __init__(self, path: Path, violations: Sequence[tuple[int, str]]) -> None:
        lines = "\n".join(f"  {path}:{line}: {what}" for line, what in violations)
        count = "1 mistake" if len(violations) == 1 else f"{len(violations)} mistakes"
        super().__init__(f"{path.name} has {count}:\n{lines}")
        self.path, self.violations = path, list(violations)


class CatalogIncomplete(CivicError):
    """Two files of the catalog do not fit together, such as a model without a contract or with an unknown input."""

    exit_code = 2


class UnknownName(CivicError):
    """Somebody asked for a dataset or table that does not exist."""

    exit_code = 2

    def __init__(self, kind: str, name: str, known: Iterable[str]) -> None:
        super().__init__(f"There is no {kind} {name!r}. Choose one of: {', '.join(sorted(known)) or '(none)'}.")


class AddressUnknown(CivicError):
    """Somebody pasted something that names no dataset we can read."""

    exit_code = 2

    def __init__(self, text: str, why: str) -> None:
        super().__init__(
            f"{text!r} is no dataset that can be read: {why}. Give one of these:\n"
            "  a Socrata dataset: its page, or an address such as https://data.cityofchicago.org/d/s4vu-giwb\n"
            "  an ArcGIS layer: https://.../FeatureServer/0 or .../MapServer/0\n"
            "  an ArcGIS item: its 32-digit id, its page, or its page on a hub (.../datasets/...)\n"
            "  an OpenDataSoft dataset: https://data.longbeach.gov/explore/dataset/service-requests/\n"
            "  a file: CSV, XLSX or GeoJSON, by its web address or its path here"
        )


class AddressAmbiguous(CivicError):
    """A pasted address holds several layers. `layers` are their addresses and names."""

    exit_code = 2

    def __init__(self, url: str, layers: dict[str, str]) -> None:
        listed = "\n".join(f"  {address} ({name})" for address, name in layers.items())
        super().__init__(f"{url} holds {len(layers)} layers. Choose one, by the number at its end:\n{listed}")


class AddressPrivate(CivicError):
    """A pasted address leads into this machine or a private network."""

    exit_code = 2

    def __init__(self, text: str, host: str, address: str) -> None:
        where = host if host == address else f"{host} ({address})"
        super().__init__(
            f"{text!r} leads to {where}, which is not on the public internet. If you mean to read from there, give"
            " --allow-private-hosts."
        )


class HostPrivate(CivicError):
    """A request would have reached this machine or a private network: by an item's address, a redirect or a name."""

    def __init__(self, host: str, address: str) -> None:
        where = host if host == address else f"{host} ({address})"
        super().__init__(
            f"A request was led to {where}, which is not on the public internet, so nothing was asked there. See where the"
            " address in `source`, the item's own address or a redirect of the portal leads, and report it to the publisher."
            " To read from there on purpose, `civic capture` and `civic add` take --allow-private-hosts."
        )


class AlreadyThere(CivicError):
    """What would be written exists already."""

    exit_code = 2

    def __init__(self, path: Path) -> None:
        super().__init__(f"{path} exists already, so nothing was written. Choose another name, or remove it first.")


class PortalUnreachable(CivicError):
    """No data for now: no network, a refused or broken connection, or a status that asks to come again later.

    `retry_after` are the seconds that the portal asks for; `throttled` says that we asked too much.
    """

    def __init__(self, url: str, why: str, retry_after: float | None = None, throttled: bool = False) -> None:
        super().__init__(
            f"{url} could not be reached: {why}. Check the network and the portal's status page, then run again."
        )
        self.retry_after, self.throttled = retry_after, throttled


class PortalOverloaded(PortalUnreachable):
    """The portal gave up on a request: a timeout, an HTTP 5xx, or words to that effect. A smaller page may do."""


class PagingBroken(CivicError):
    """A portal's pages do not add up to its rows, however often they are asked for."""

    def __init__(self, url: str, what: str) -> None:
        super().__init__(
            f"{url} does not page as it says it does: {what}. Nothing was kept of this read. Report it to the publisher, or"
            " run again later."
        )


class SourceNotFound(CivicError):
    """The portal answers, but knows no such dataset, item or layer."""

    def __init__(self, what: str, url: str, why: str) -> None:
        super().__init__(
            f"{what} was not found at {url}: {why}. The publisher may have moved or retired it: look the title up on the"
            " portal and correct `source` in its defs.yaml."
        )


class PortalRefused(CivicError):
    """The portal answered with an error of its own, possibly inside an HTTP 200."""

    def __init__(self, url: str, answer: str) -> None:
        super().__init__(f"{url} answered with an error: {answer}. Nothing was kept of this read; run `civic doctor`.")


class AnswerUnreadable(CivicError):
    """The portal answered with something other than the data format asked for, such as an HTML page."""

    def __init__(self, url: str, expected: str, got: str) -> None:
        super().__init__(
            f"{url} sent {got} where {expected} was due. A moved portal often redirects to a home page: open the address"
            " in a browser and correct `source` in the dataset's defs.yaml."
        )


class FileUnreadable(CivicError):
    """A file came whole, but is no table: ragged, damaged, or of another format than those we read."""

    def __init__(self, url: str, problem: str) -> None:
        super().__init__(
            f"{url} cannot be read as a table: {problem}. Correct the file, or ask its publisher to. Nothing of it was kept."
        )


class SourceEmpty(CivicError):
    """The portal counts no rows. An empty dataset is never taken for the truth."""

    def __init__(self, dataset: str, url: str) -> None:
        super().__init__(
            f"{dataset}: {url} counts 0 rows, so nothing was captured and the last accepted capture stays in use."
            " If the publisher really emptied it, retire the dataset's folder under defs/."
        )


class SchemaDrifted(CivicError):
    """Declared columns are gone or changed type at the portal."""

    def __init__(self, dataset: str, missing: Sequence[str], retyped: Sequence[str], successors: Sequence[str]) -> None:
        parts = []
        if missing:
            parts.append(f"missing columns: {', '.join(missing)}")
        if retyped:
            parts.append(f"changed types: {', '.join(retyped)}")
        hint = f" Undeclared columns that may be their successors: {', '.join(successors)}." if successors else ""
        super().__init__(
            f"{dataset}: the portal's schema no longer fits `columns` in defs.yaml ({'; '.join(parts)}).{hint}"
            " Correct `columns` and the clean model, then run again."
        )


class CaptureUnproven(CivicError):
    """What landed is not provably what the portal counted."""

    def __init__(self, dataset: str, counted: int, landed: int, distinct: int | None, counted_after: int) -> None:
        unique = "" if distinct is None else f", {distinct:,} of them distinct"
        super().__init__(
            f"{dataset}: the portal counted {counted:,} rows before the read and {counted_after:,} after it, {landed:,}"
            f" landed{unique}. These must agree, and did not in a second, slower read either, so nothing was kept. The data"
            " may be changing all the time, or the portal miscounts: run again, and report it to the publisher if it stays."
        )


class SourceRestless(CivicError):
    """A source was edited during both reads, so what landed may mix two states of it."""

    def __init__(self, dataset: str, before: str, after: str) -> None:
        super().__init__(
            f"{dataset}: the portal's own date of the data moved from {before} to {after} during the read, and again during"
            " a second one. What landed may mix two states, so nothing was kept. Run again when the publisher is done."
        )


class ValueUnreadable(CivicError):
    """A value does not fit the type the portal declares for its column."""

    def __init__(self, column: str, portal_type: str, problem: str) -> None:
        super().__init__(
            f"Column {column!r} is declared {portal_type!r} by the portal but holds a value that is not: {problem}."
            " The capture was discarded, nothing was guessed. Report it to the publisher."
        )
        self.column = column


class NumberTooLong(ValueUnreadable):
    """A number has more digits than our decimals hold; its column is landed as text instead."""


class VolumeCollapsed(CivicError):
    """Far fewer rows than in the last accepted capture; the capture is kept but not used."""

    def __init__(self, dataset: str, rows: int, previous: int, tolerance: float) -> None:
        super().__init__(
            f"{dataset}: {rows:,} rows against {previous:,} in the last accepted capture, a fall beyond the tolerated"
            f" {tolerance:.1%}. The capture is kept in the lake but not used. If the fall is right, raise"
            " `volume.shrink_at_most` in defs.yaml for one run."
        )


class CaptureDamaged(CivicError):
    """A captured file no longer has the bytes its manifest records."""

    def __init__(self, path: Path, problem: str) -> None:
        super().__init__(
            f"{path} is damaged: {problem}. Restore it from a backup, or delete its capture folder and run again."
        )


class ProfileMixed(CivicError):
    """The lake holds captures of the other profile; synthetic and real rows must never meet in one warehouse."""

    exit_code = 2

    def __init__(self, dataset: str, lake: Path, held: str, asked: str) -> None:
        super().__init__(
            f"{dataset}: {lake} holds captures of the {held} portals, and this run asks the {asked} ones. Give each profile"
            " a folder of its own: set CIVIC_DATA to another one."
        )


class ShapeUnknown(CivicError):
    """A captured or backfilled file has neither today's columns nor those of an earlier shape."""

    exit_code = 2

    def __init__(self, what: str, lacking: Sequence[str]) -> None:
        super().__init__(
            f"{what} lacks {', '.join(lacking)} of `columns` in defs.yaml, and none of its `earlier_shapes` fits. Give the"
            " dataset a shape that says what these columns were called."
        )


class BackfillRefused(CivicError):
    """A file cannot become a capture of that dataset and moment."""

    exit_code = 2

    def __init__(self, dataset: str, why: str) -> None:
        super().__init__(f"{dataset}: nothing was backfilled: {why}.")


class NotCapturedBy(CivicError):
    """A query about a moment reads datasets that had no accepted capture by then. `first` are their first ones, if any."""

    exit_code = 2

    def __init__(self, moment: str, first: dict[str, str | None]) -> None:
        listed = "; ".join(
            f"{name} ({f'first captured {at}' if at else 'never captured'})" for name, at in sorted(first.items())
        )
        super().__init__(
            f"By {moment} there was no accepted capture of {listed}. Choose a later moment, or load an older file with"
            " `civic backfill`."
        )


class NotCaptured(CivicError):
    """A table's input has no accepted capture yet."""

    def __init__(self, dataset: str) -> None:
        super().__init__(
            f"{dataset} has no accepted capture yet. Materialize raw/{dataset.replace('/', '_')} first, or `civic run`."
        )


class ModelFailed(CivicError):
    """DuckDB refused a model's SQL."""

    def __init__(self, path: Path, problem: str) -> None:
        super().__init__(
            f"{path} does not run: {problem}. Correct it; it runs as it stands in a DuckDB shell on data/build/build.duckdb."
        )


class ContractBroken(CivicError):
    """A staged table failed a critical check, so it does not replace the accepted one."""

    def __init__(self, table: str, failures: Sequence[str]) -> None:
        listed = "; ".join(failures)
        super().__init__(
            f"{table} failed its contract and keeps its last accepted version: {listed}."
            " Look at the rows: correct the source, the SQL or, if the world has changed, the contract."
        )


class ChecksFailed(CivicError):
    """Whole-warehouse rules found offending rows, so no release was published."""

    def __init__(self, failures: Sequence[str]) -> None:
        super().__init__(
            "No release was published, because rules across tables found offending rows: "
            f"{'; '.join(failures)}. The previous warehouse stays as it was."
        )


class HeldBack(CivicError):
    """The run released what it could; some tables keep their last accepted version."""

    def __init__(self, reasons: dict[str, str]) -> None:
        listed = "\n".join(f"  {name}: {why}" for name, why in reasons.items())
        super().__init__(
            f"{len(reasons)} held back at the last accepted version, everything else was released:\n{listed}"
        )
        self.reasons = reasons


class RunFailed(CivicError):
    """A run ended red; each step's own message is repeated."""

    exit_code = 3

    def __init__(self, problems: Sequence[str]) -> None:
        super().__init__("the run ended red.\n" + "\n".join(problems))


class WarehouseMissing(CivicError):
    """Nothing has been released yet."""

    def __init__(self, path: Path) -> None:
        super().__init__(f"{path} does not exist yet. Run `civic run` (or `make run`) to build and release it.")


class WarehouseBusy(CivicError):
    """Another process is writing."""

    exit_code = 4

    def __init__(self, path: Path, holder: str) -> None:
        super().__init__(f"{path} is being written by {holder}. Wait for that run to end, or stop it, and run again.")


class WarehouseOpened(CivicError):
    """Somebody opened the released file for writing, which would lock readers out or mix two releases."""

    def __init__(self, path: Path, evidence: str) -> None:
        super().__init__(
            f"{path} is open for writing in another program ({evidence}). Close it there and open it read-only"
            " (`duckdb -readonly`, or civic_pipeline.connect()), then run again."
        )


class WarehouseUnreadable(CivicError):
    """The file is there but DuckDB cannot open it."""

    def __init__(self, path: Path, problem: str) -> None:
        super().__init__(
            f"{path} cannot be opened: {problem}. Run `civic run` to release it anew, or point to another file."
        )
        self.problem = problem


class ReleaseDamaged(CivicError):
    """A release is not what it was when it was made."""

    def __init__(self, file: Path, problem: str) -> None:
        super().__init__(
            f"{file} is damaged: {problem}. Restore it from a backup or remove it; `civic releases` lists the others,"
            " `civic rollback` makes one of them the live one."
        )


class ServeTokenUnfit(CivicError):
    """`civic serve` has no token, or one that is no secret. The message never repeats it."""

    exit_code = 2

    def __init__(self, why: str) -> None:
        super().__init__(
            f"CIVIC_SERVE_TOKEN {why}. Set it to a secret of its own, such as the one that"
            " python -c 'import secrets; print(secrets.token_urlsafe())' prints, and start again."
        )


class AddressTaken(CivicError):
    """`civic serve` cannot listen where it was told to."""

    def __init__(self, host: str, port: int, problem: str) -> None:
        super().__init__(f"{host}, port {port}, cannot be listened on: {problem}. Choose another --host or --port.")


class QueryRefused(CivicError):
    """The warehouse could not run a query."""

    exit_code = 2

    def __init__(self, problem: str) -> None:
        super().__init__(f"The query was refused: {problem}")


class DiskFull(CivicError):
    """No space left where we write."""

    def __init__(self, path: Path) -> None:
        super().__init__(
            f"No space is left on the disk under {path}. Free some (old captures live in data/lake) and run again."
        )


class NotWritable(CivicError):
    """We may not write where we must."""

    def __init__(self, path: Path, problem: str) -> None:
        super().__init__(
            f"{path} cannot be written: {problem}. Give this user write permission, or set CIVIC_DATA to another folder."
        )


class NotificationFailed(CivicError):
    """A notice about a failed run could not be delivered."""

    def __init__(self, channel: str, problem: str) -> None:
        super().__init__(f"The {channel} notice could not be sent: {problem}. Check the CIVIC_NOTIFY_* settings.")


@contextmanager
def writing(path: Path) -> Iterator[None]:
    """Around code that writes under `path`: a full disk or a missing permission becomes DiskFull or NotWritable."""
    try:
        yield
    except CivicError:
        raise
    except Exception as error:
        code = getattr(error, "errno", None)
        if code in (errno.ENOSPC, errno.EDQUOT) or "No space left on device" in str(error):
            raise DiskFull(path) from error
        if (
            code in (errno.EACCES, errno.EPERM, errno.EROFS)
            or "Permission denied" in str(error)
            or "Read-only file system" in str(error)
        ):
            raise NotWritable(path, str(error)) from error
        raise
