"""`civic add`: capture once, judge, write three files, and prove that they load, build and pass before they are kept."""

import shutil
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from urllib.parse import urlsplit

from civic_pipeline.catalog import FileHere, FileSource, Subject, load_datasets, table_name
from civic_pipeline.errors import AddressUnknown, AlreadyThere, CivicError, writing
from civic_pipeline.lake import Lake, Manifest, Progress
from civic_pipeline.quality import Suites, TableOutcome, build_table
from civic_pipeline.redaction import redacted
from civic_pipeline.scaffold import profile
from civic_pipeline.scaffold.address import DEMO_DOMAIN, ResolvedSource
from civic_pipeline.scaffold.render import Draft, clean_sql, contract_yml, defs_yaml
from civic_pipeline.scaffold.trial import TrialCapture, beside, capture_once, describe
from civic_pipeline.settings import Settings
from civic_pipeline.warehouse import load_models, open_build


@dataclass(frozen=True)
class Added:
    """What `civic add` wrote, what it wrote it from, and how the table fared."""

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
    """Write the dataset `name` of what was found into the checkout `place.root`; nothing is written if anything fails.

    Raises AlreadyThere, the portal errors, and CivicError with the failed checks where the files would not pass.
    """
    root = place.root
    refuse_existing(root, name)
    resolved = _for_a_catalog(resolved, root)
    description = describe(resolved)
    with beside(place.data / "add") as scratch:
        settings = Settings(root=scratch, data=scratch / "data")
        trial = capture_once(resolved, description, Lake(settings.lake), name, progress)
        draft = _draft(settings, root, name, subject, trial)
        texts = (defs_yaml(draft), clean_sql(draft), contract_yml(draft))
        for file, text in zip(files_of(scratch, name), texts, strict=True):
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(text, encoding="utf-8")
        outcome = _proven(settings)
        _write(root, name, texts)
    return Added(files_of(root, name), draft, outcome)


def _for_a_catalog(resolved: ResolvedSource, root: Path) -> ResolvedSource:
    """A file that was named by its place here, as a dataset can name it. Raises AddressUnknown where none can."""
    source = resolved.source
    if not isinstance(source, FileHere):
        return resolved
    if resolved.access.root and urlsplit(source.url).path.startswith("/files/"):  # the demo portals know it by its name
        url = f"https://{DEMO_DOMAIN}{urlsplit(source.url).path}"
    elif "://" not in source.url and Path(source.url).is_relative_to(root.resolve()):
        url = Path(source.url).relative_to(root.resolve()).as_posix()
    elif source.url != redacted(source.url):
        raise AddressUnknown(
            source.url, "a dataset's address is written down for everybody to read, and it holds a token"
        )
    else:
        raise AddressUnknown(source.url, f"a dataset's file is read from https:// or from a folder of {root}")
    return ResolvedSource(FileSource(portal="file", url=url, recorded=source.recorded), resolved.access)


def _draft(settings: Settings, root: Path, name: str, subject: Subject, trial: TrialCapture) -> Draft:
    """What the capture shows, read with the macros of the checkout."""
    shutil.copytree(root / "sql" / "functions", settings.root / "sql" / "functions")
    zones = profile.time_zones(trial.description, trial.folder / trial.manifest.parts[0].file)
    policies = {column: policy for column, (policy, _) in zones.items()}
    dataset = trial.dataset.model_copy(update={"time_zones": policies})
    table, today = table_name(name), datetime.now(UTC).date()
    row_id = trial.description.row_id
    with open_build(settings, {name: dataset}, "add") as build:
        connection = build.connection
        columns = profile.draft(connection, table, trial.description)
        made = ", ".join(f"{column.sql} as {column.name}" for column in columns)
        connection.execute(f"create temp view drafted as select {made} from raw.{table}")
        shown = profile.show(connection, columns, "drafted")
        key = profile.key_of(connection, "drafted", columns, shown, row_id.name if row_id else None)
    dated_by = profile.newest_date(columns, shown, today)
    return Draft(name, subject, trial, columns, shown, key, dated_by, zones, today)


def _proven(settings: Settings) -> TableOutcome:
    """The table built from the files as the nightly run will build it. Raises CivicError if it would be held back."""
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
