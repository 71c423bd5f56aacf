"""`civic add`: captures once, profiles the columns, writes three files, and checks that they load, build and pass."""

import shutil
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from urllib.parse import urlsplit

from civic_pipeline.catalog import FileHere, FileSource, Subject, load_datasets, place_file, table_name
from civic_pipeline.errors import AddressUnknown, AlreadyThere, CivicError, writing
from civic_pipeline.lake import Lake, Manifest, Progress
from civic_pipeline.quality import Suites, TableOutcome, build_table
from civic_pipeline.redaction import doubtful_parts
from civic_pipeline.scaffold import profile
from civic_pipeline.scaffold.address import DEMO_DOMAIN, ResolvedSource
from civic_pipeline.scaffold.persons import is_about_persons
from civic_pipeline.scaffold.render import Draft, clean_sql, contract_yml, defs_yaml
from civic_pipeline.scaffold.trial import TrialCapture, beside, capture_once, describe
from civic_pipeline.settings import Settings
from civic_pipeline.warehouse import load_models, open_build


@dataclass(frozen=True)
class Added:
    """The result of `civic add`: the files, the draft that they were written from, and the outcome of the table's checks."""

    files: tuple[Path, ...]
    draft: Draft
    outcome: TableOutcome

    @property
    def manifest(self) -> Manifest:
        return self.draft.trial.manifest


def files_of(root: Path, name: str) -> tuple[Path, Path, Path]:
    """The three files of dataset `city/name`."""
    clean = root / "sql" / "clean" / name
    return (
        root / "civic_pipeline" / "defs" / name / "defs.yaml",
        clean.with_suffix(".sql"),
        clean.with_suffix(".yml"),
    )


def refuse_existing(root: Path, name: str) -> None:
    """Raises AlreadyThere if one of the three files exists."""
    for file in files_of(root, name):
        if file.exists():
            raise AlreadyThere(file)


def add(place: Settings, resolved: ResolvedSource, name: str, subject: Subject, progress: Progress) -> Added:
    """Write the files of the new dataset `name` into the checkout `place.root`. On any error nothing is written.

    Raises AlreadyThere, CatalogIncomplete for a place without place.yaml, AddressUnknown, the portal errors, and CivicError with
    the failed checks if the table fails them.
    """
    root = place.root
    refuse_existing(root, name)
    described = place_file(root, name.partition("/")[0])
    resolved = _make_permanent(resolved, root)
    description = describe(resolved)
    with beside(place.data / "add") as scratch:
        settings = Settings(root=scratch, data=scratch / "data")
        trial = capture_once(resolved, description, Lake(settings.lake), name, progress)
        draft = _draft(settings, root, name, subject, trial)
        texts = (defs_yaml(draft), clean_sql(draft), contract_yml(draft))
        for file, text in zip(files_of(scratch, name), texts, strict=True):
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(text, encoding="utf-8")
        shutil.copyfile(described, scratch / described.relative_to(root))
        outcome = _build_and_check(settings)
        _write(root, name, texts)
    return Added(files_of(root, name), draft, outcome)


def _make_permanent(resolved: ResolvedSource, root: Path) -> ResolvedSource:
    """The source with an address that is valid in `defs.yaml`: https:// or relative to the project. Raises AddressUnknown."""
    source = resolved.source
    if not isinstance(source, FileHere):
        return resolved
    if resolved.access.root and urlsplit(source.url).path.startswith("/files/"):  # the demo portals serve files by name
        url = f"https://{DEMO_DOMAIN}{urlsplit(source.url).path}"
    elif "://" not in source.url and Path(source.url).is_relative_to(root.resolve()):
        url = Path(source.url).relative_to(root.resolve()).as_posix()
    elif parts := doubtful_parts(source.url):
        why = f"defs.yaml is public, and the address contains {', '.join(parts)}, which may be a secret"
        raise AddressUnknown(source.url, why)
    else:
        raise AddressUnknown(
            source.url, f"the file of a dataset must be at an https:// address or in a folder of {root}"
        )
    return ResolvedSource(FileSource(portal="file", url=url, recorded=source.recorded), resolved.access)


def _draft(settings: Settings, root: Path, name: str, subject: Subject, trial: TrialCapture) -> Draft:
    """Profile the capture with the macros of the checkout."""
    shutil.copytree(root / "sql" / "functions", settings.root / "sql" / "functions")
    zones = profile.time_zones(trial.description, trial.folder / trial.manifest.parts[0].file)
    policies = {column: policy for column, (policy, _) in zones.items()}
    personal = [column for column in trial.description.columns if is_about_persons(column)]
    if len(personal) == len(trial.description.columns):
        raise CivicError(
            f"Every column of {trial.dataset.title} looks like one about persons: write its files by hand."
        )
    dataset = trial.dataset.model_copy(update={"time_zones": policies})
    table, today = table_name(name), datetime.now(UTC).date()
    row_id = trial.description.row_id
    with open_build(settings, {name: dataset}, "add") as build:
        connection = build.connection
        shown_columns = [column for column in trial.description.columns if column not in personal]
        columns = profile.draft(connection, table, shown_columns)
        select = ", ".join(f"{column.sql} as {column.name}" for column in columns)
        connection.execute(f"create temp view drafted as select {select} from raw.{table}")
        shown = profile.profile_columns(connection, columns, "drafted")
        key = profile.key_of(connection, "drafted", columns, shown, row_id.name if row_id else None)
    dated_by = profile.newest_date(columns, shown, today)
    names = frozenset(column.name for column in personal)
    return Draft(name, subject, trial, columns, names, shown, key, dated_by, zones, today)


def _build_and_check(settings: Settings) -> TableOutcome:
    """Build the table from the files as the nightly run does. Raises CivicError if it would be held back."""
    datasets = load_datasets(settings.root)
    (model,) = load_models(settings.root, datasets).values()
    with open_build(settings, datasets, "add") as build:
        outcome = build_table(build, Suites(build), model, {})
    if outcome.problem:
        raise CivicError(outcome.problem)
    return outcome


def _write(root: Path, name: str, texts: tuple[str, str, str]) -> None:
    """All three files or none."""
    written: list[Path] = []
    try:
        for file, text in zip(files_of(root, name), texts, strict=True):
            with writing(file):
                file.parent.mkdir(parents=True, exist_ok=True)
                with file.open("x", encoding="utf-8") as stream:
                    written.append(file)
                    stream.write(text)
    except BaseException as error:
        for file in written:
            file.unlink()
        if isinstance(error, FileExistsError):
            raise AlreadyThere(Path(error.filename)) from error
        raise
