"""Build the site from a release into a new folder, then make it the public one with one rename."""

import hashlib
import json
import os
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Protocol, cast

import duckdb
import jinja2
import pyarrow as pa

from civic_pipeline.deadline import time_limit
from civic_pipeline.errors import SiteFolderTaken, writing
from civic_pipeline.lock import only_writer
from civic_pipeline.publish import extracts
from civic_pipeline.publish.site import (
    action_plan,
    budget,
    certification,
    changes,
    covid,
    data,
    firms,
    housing,
    neighborhoods,
    salaries,
    search,
    service_requests,
    spending,
)
from civic_pipeline.publish.site.facts import read_facts
from civic_pipeline.publish.site.files import Earlier
from civic_pipeline.publish.site.site import HERE, About, Entry, Site, hash_of
from civic_pipeline.releases import connect
from civic_pipeline.replacing import replace_text

_KEPT = 2  # the site and the one before it, for readers in the middle of a page


class Subject(Protocol):
    """A module that writes the pages of one subject below PART, and adds its cards to the first page.

    It writes none if TABLE, from which its figures are, has no rows for any place.
    """

    TITLE: str
    PART: str
    TABLE: str
    QUESTION: str
    AUDIENCE: str

    def home(self, site: Site, /) -> str:
        """Where the navigation leads: the page of the first place, or of the subject."""
        ...

    def build(self, site: Site, /) -> None: ...


# In the order of the navigation and of the first page, one a line.
SUBJECTS: tuple[Subject, ...] = (
    budget,
    spending,
    salaries,
    firms,
    housing,
    service_requests,
    neighborhoods,
    covid,
    action_plan,
    certification,
)


@dataclass(frozen=True)
class Built:
    """The site that is public now. `is_new` is False if the one from before was made from the same release and code.

    `left_out`: the folder of a subject whose pages could not be made -> the table or column that the release lacks.
    """

    folder: Path
    release_id: str
    pages: int
    files: int
    bytes: int
    is_new: bool
    left_out: Mapping[str, str]


def build_site(warehouse: Path, out: Path, asked_at: datetime | None = None, address: str = "") -> Built:
    """Make the site of the release in `warehouse`, and make the link `out` point to it.

    The folders of builds are beside `out`, in `<out>-builds`. A build that fails leaves the site as it was. `asked_at`: when the
    portals were last asked; a night without changes makes no release, so pages read it from `asked.json`. `address`: where the
    site will be, with a slash at the end; catalogs for programs and the feed state it.
    Raises WarehouseMissing, WarehouseOpened, WarehouseUnreadable, NotWritable, DiskFull, LockHeld, TookTooLong.
    """
    code = hash_of(code_hash(), address)[:32]
    with (
        only_writer(out),  # a run makes it, too
        connect(warehouse) as connection,
        time_limit("The site", connection),
        writing(out),
    ):
        facts = read_facts(connection)
        if out.exists() and not out.is_symlink():
            raise SiteFolderTaken(out)
        if (before := site_before(out)) and (before["release_id"], before["code"]) == (facts.release_id, code):
            _write_asked(out, asked_at or facts.asked_at)
            return _built(out, before, is_new=False)
        builds = out.with_name(f"{out.name}-builds")
        draft = builds / ".draft"
        shutil.rmtree(draft, ignore_errors=True)
        draft.mkdir(parents=True)
        earlier = Earlier(out, before if before and before["code"] == code else {})
        site = Site(draft, facts, connection, earlier, address)
        site.navigation = [Entry(subject.TITLE, subject.PART, subject.home(site)) for subject in SUBJECTS]
        site.tools = [Entry(part.TITLE, part.PART, f"{part.PART}index.html") for part in (data, changes)]
        for subject, entry in zip(SUBJECTS, site.navigation, strict=True):
            try:
                subject.build(site)
            except (
                duckdb.CatalogException,
                duckdb.BinderException,
            ) as error:  # a table never passed, or is an older one
                site.leave_out(entry, str(error).split("\n", 1)[0])
            else:
                _add_first_page(site, subject)
        data.build(site)
        changes.build(site)
        search.build(site)
        areas = [] if neighborhoods.PART in site.left_out else neighborhoods.links(site)
        site.page("", "home.html", about=None, neighborhoods=areas)
        search.write_index(draft)
        (draft / "manifest.json").write_text(json.dumps(site.manifest(code), indent=1) + "\n", encoding="utf-8")
        _write_asked(draft, asked_at or facts.asked_at)
        folder = builds / f"{facts.release_id}-{code[:8]}"
        shutil.rmtree(folder, ignore_errors=True)
        draft.rename(folder)
        _publish(folder, out)
        _remove_old(builds, folder)
        return _built(out, site_before(out) or {}, is_new=True)


def _add_first_page(site: Site, subject: Subject) -> None:
    """The page at PART, unless the subject wrote it: a card for each place and the cities that publish nothing, or why there is none."""
    if subject.PART in site.pages:
        return
    if not any(path.startswith(subject.PART) for path in site.pages):
        table = site.table(subject.TABLE)
        about = About(subject.QUESTION, subject.AUDIENCE, [table] if table else [])
        reason = (table.absence or "No place has rows for it.") if table else "No release has this table yet."
        site.page(subject.PART, "absent.html", about=about, title=subject.TITLE, reason=reason)
        return
    entries = [card for card in site.cards if card.href.startswith(subject.PART)]
    places = {card.place for card in entries}
    without = [place.title for place in site.facts.places.values() if place.kind == "city" and place.name not in places]
    about = About(entries[0].question, "Residents who look for their city.")
    site.page(subject.PART, "places.html", about=about, title=subject.TITLE, entries=entries, without=without)


def code_hash() -> str:
    """Hash of everything that a page or a file depends on besides the release."""
    files = [
        *sorted(path for path in HERE.rglob("*") if path.is_file() and path.suffix != ".pyc"),
        Path(extracts.__file__),
    ]
    digest = hashlib.sha256(f"{duckdb.__version__} {jinja2.__version__} {pa.__version__}".encode())
    for path in files:
        digest.update(path.relative_to(HERE.parent).as_posix().encode() + b"\0" + path.read_bytes())
    return digest.hexdigest()[:32]


def _publish(folder: Path, out: Path) -> None:
    """Make `out` a link to `folder`, in one step: readers get the old site or the new one."""
    link = out.with_name(f".{out.name}.new")
    link.unlink(missing_ok=True)
    link.symlink_to(os.path.relpath(folder, out.parent), target_is_directory=True)
    link.replace(out)


def _write_asked(folder: Path, asked_at: datetime) -> None:
    replace_text(folder / "asked.json", json.dumps({"asked_at": f"{asked_at:%Y-%m-%dT%H:%M:%SZ}"}) + "\n")


def _remove_old(builds: Path, current: Path) -> None:
    others = sorted((path for path in builds.iterdir() if path != current), key=lambda path: path.stat().st_mtime)
    for path in others[: len(others) - (_KEPT - 1)]:
        shutil.rmtree(path)


def site_before(out: Path) -> dict[str, object] | None:
    """What the site at `out` was made from; None if there is none, or its manifest is damaged: then it is made again."""
    try:
        manifest = json.loads((out / "manifest.json").read_text(encoding="utf-8"))
    except (FileNotFoundError, ValueError):
        return None
    return manifest if isinstance(manifest, dict) and manifest.keys() >= {"release_id", "code", "left_out"} else None


def _built(out: Path, manifest: dict[str, object], *, is_new: bool) -> Built:
    files = [path for path in out.rglob("*") if path.is_file()]
    pages = sum(path.name == "index.html" for path in files)
    size = sum(path.stat().st_size for path in files)
    left_out = cast("Mapping[str, str]", manifest["left_out"])
    return Built(out, str(manifest["release_id"]), pages, len(files), size, is_new, left_out)
