"""Dagster's home in the data folder, made and configured. `python -m civic_pipeline.dagster_home` does it and prints its path."""

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


def prepare_home(settings: Settings) -> Path:
    """The home, configured by the checkout's `dagster.yaml` and our event log. Raises NotWritable, DiskFull."""
    home = settings.dagster_home
    file = home / "dagster.yaml"
    configured = (settings.root / "dagster.yaml").read_text(encoding="utf-8")
    configured += _EVENT_LOG.format(folder=json.dumps(str(home / "history" / "runs")))
    with writing(home):
        home.mkdir(parents=True, exist_ok=True)
        # Another process may be reading it: rewritten only where it differs.
        if not file.exists() or file.read_text(encoding="utf-8") != configured:
            file.write_text(configured, encoding="utf-8")
    return home


if __name__ == "__main__":
    try:
        print(prepare_home(Settings.from_environment()))
    except CivicError as error:
        sys.exit(f"Error: {error}")
