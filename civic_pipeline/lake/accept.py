"""A person accepts a capture although it differs much from the one before."""

import getpass
import os
from datetime import UTC, datetime

from civic_pipeline.errors import NothingToAccept, UnknownName
from civic_pipeline.lake.captures import Lake
from civic_pipeline.lake.manifest import Manifest, Verdict
from civic_pipeline.lock import only_writer


def accept(lake: Lake, dataset: str, capture_id: str, because: str) -> Manifest:
    """Record that drift of the capture, or its fall in rows, is right. Its other checks stay as they are.

    `capture_id` may be the last part of it. Raises UnknownName and NothingToAccept.
    """
    wanted = capture_id if "/" in capture_id else f"{dataset}/{capture_id}"
    with only_writer(lake.folder / dataset / "capture"):
        known = lake.ids(dataset)
        if wanted not in known:
            raise UnknownName("capture", wanted, known)
        capture, newest, current = lake.capture(wanted), lake.newest(dataset), lake.accepted(dataset)
        if capture not in (newest, current):
            raise NothingToAccept(wanted, f"a newer capture is current, {newest.capture_id if newest else None}")
        if capture.acceptance:
            raise NothingToAccept(wanted, f"it is {capture.acceptance.in_words}")
        if not capture.failed_checks and capture.held_back is None:
            raise NothingToAccept(wanted, "nothing holds it back")
        at = datetime.now(UTC).isoformat(timespec="seconds")
        lake.judge(wanted, Verdict(status="accepted", at=at, because=because.strip(), by=_user()))
        return lake.capture(wanted)


def _user() -> str:
    try:
        return getpass.getuser()
    except (KeyError, OSError):  # a container may run under a number that has no name
        return f"user {os.getuid()}"
