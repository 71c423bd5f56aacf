"""Dagster's home in the data folder. `python -m civic_pipeline.dagster_home` creates it and prints its path."""

import os
import re
import sys
from pathlib import Path

from civic_pipeline.errors import CivicError, NotWritable, SettingInvalid, writing
from civic_pipeline.machine import share_files
from civic_pipeline.replacing import replace_text
from civic_pipeline.settings import Settings

# Not a file of the checkout: Dagster warns about a dagster.yaml in its working folder if its home is elsewhere.
_DEFAULT = """\
# Dagster's configuration of this data folder. Written once; what you change or add here stays, such as `storage:`.
run_monitoring:
  enabled: true
telemetry:
  enabled: false
nux:
  enabled: false
"""
# Written until 0.1.0: an event log class of our own that no longer exists.
_FORMER_EVENT_LOG = re.compile(
    r"\n*^event_log_storage:\n  module: civic_pipeline\.event_log\n  class: EventLog\n  config:\n    base_dir: .*\n",
    re.MULTILINE,
)


def prepare_home(settings: Settings) -> Path:
    """The home; writes our configuration if there is none. Raises NotWritable, DiskFull, SettingInvalid."""
    home = settings.dagster_home
    if "?" in str(
        home
    ):  # Dagster writes the path into the address of its SQLite files, where options follow a question mark
        raise SettingInvalid("CIVIC_DATA", str(settings.data), "a folder whose path has no question mark")
    for ours in (
        home,
        *home.glob("history/*.db"),
        *home.glob("schedules/*.db"),
        *home.glob("history/runs/index.db"),
    ):
        if ours.exists() and not os.access(ours, os.W_OK):  # Dagster would end in a traceback of SQLite
            raise NotWritable(ours, "no permission, or a read-only file system")
    file = home / "dagster.yaml"
    with writing(home):
        try:
            home.mkdir(parents=True, exist_ok=True)
        except FileNotFoundError as error:  # of a folder in which nothing can be made, such as /proc
            raise NotWritable(home, "it cannot be created") from error
        present = file.read_text(encoding="utf-8") if file.exists() else None
        wanted = _DEFAULT if present is None else _FORMER_EVENT_LOG.sub("\n", present)
        if wanted != present:
            replace_text(file, wanted)
    return home


if __name__ == "__main__":
    share_files()
    try:
        print(prepare_home(Settings.from_environment()))
    except CivicError as error:
        sys.exit(f"Error: {error}")
