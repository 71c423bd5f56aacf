"""Dagster's home in the data folder, made and configured. `python -m civic_pipeline.dagster_home` does it and prints its path."""

import hashlib
import json
import sys
from pathlib import Path

from civic_pipeline.errors import CivicError, writing
from civic_pipeline.settings import Settings

# Not in `dagster.yaml` itself: a Dagster started without a home reads that one, and has no place of ours for its log.
_EVENT_LOG = """
event_log_storage:
  module: civic_pipeline.event_log
  class: EventLog
  config:
    base_dir: {folder}
"""
_HEAD = "# A copy, kept up to date until somebody edits it; from then on it is left alone. sha256 of what follows: "


def prepare_home(settings: Settings) -> Path:
    """The home and its `dagster.yaml`: a copy of the checkout's, or what somebody made of it. Raises NotWritable, DiskFull."""
    home = settings.dagster_home
    file = home / "dagster.yaml"
    configured = (settings.root / "dagster.yaml").read_text(encoding="utf-8")
    configured += _EVENT_LOG.format(folder=json.dumps(str(home / "history" / "runs")))
    written = f"{_HEAD}{_sha256(configured)}\n{configured}"
    with writing(home):
        home.mkdir(parents=True, exist_ok=True)
        found = file.read_text(encoding="utf-8") if file.exists() else None
        # Another process may be reading it: rewritten only where it differs.
        if found is None or (found != written and not _is_edited(found)):
            file.write_text(written, encoding="utf-8")
    return home


def _is_edited(text: str) -> bool:
    head, _, rest = text.partition("\n")
    if head.startswith(_HEAD):
        return head != f"{_HEAD}{_sha256(rest)}"
    # The copies of before had no such head. They named this module, and every run wrote them anew.
    return "module: civic_pipeline.event_log" not in text


def _sha256(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


if __name__ == "__main__":
    try:
        print(prepare_home(Settings.from_environment()))
    except CivicError as error:
        sys.exit(f"Error: {error}")
