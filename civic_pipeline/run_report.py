"""Notify at the end of a run: one message when something starts to fail, one when it recovers, and the heartbeat.

The night writes `problems.json`: what failed or is held back at its end. `notified.json` has the problems that were already
sent, so that a source which is down for a week causes one message and not seven.
"""

import json
from collections.abc import Callable, Mapping
from pathlib import Path

from civic_pipeline.lock import only_writer
from civic_pipeline.notify import Notification, notifier_from_environment, send_heartbeat
from civic_pipeline.quality.strict import drift_warnings, never_captured
from civic_pipeline.replacing import replace_text
from civic_pipeline.settings import Settings

RUN = "the run"  # a failure that belongs to no table or source: a full disk, another run


def standing_problems(settings: Settings) -> dict[str, str]:
    """What failed or was held back at the end of the last night -> why."""
    return _read(settings.data / "problems.json")


def keep_problems(settings: Settings, decided: frozenset[str], problems: Mapping[str, str]) -> None:
    """Replace the recorded problems of the names in `decided` by `problems`."""
    known = standing_problems(settings)
    _write(settings.data / "problems.json", {n: why for n, why in known.items() if n not in decided} | dict(problems))


def report_run(settings: Settings, run_id: str, failure: str | None, log: Callable[[str], None]) -> None:
    """Notify of new failures, of sources that could not be captured for the first time, of recoveries, and of tables released
    with a drift warning.

    Calls the heartbeat if nothing fails.

    `failure` is the failure of the run itself. Raises SettingInvalid, NotificationFailed, LockHeld; the next run then tries again.
    """
    with only_writer(settings.data / "notified"):  # `civic run` and Dagster's sensors report
        _report(settings, run_id, failure, log)


def _report(settings: Settings, run_id: str, failure: str | None, log: Callable[[str], None]) -> None:
    problems = standing_problems(settings)
    if failure and not problems:
        problems[RUN] = failure
    notified = _read(settings.data / "notified.json")
    reported = never_captured(settings) | problems
    new = {name: why for name, why in reported.items() if name not in notified}
    recovered = [name for name in notified if name not in reported]
    warned = drift_warnings(settings, run_id)
    if new or recovered or warned:
        notifier_from_environment(log).send(_notification(new, recovered, warned, len(reported), run_id))
        _write(settings.data / "notified.json", reported)
    if not problems:
        send_heartbeat()


def _notification(
    new: Mapping[str, str], recovered: list[str], warned: Mapping[str, str], standing: int, run_id: str
) -> Notification:
    happened = (
        f"{len(new)} newly failed or held back"
        if new
        else f"{len(recovered)} recovered"
        if recovered
        else f"{len(warned)} warnings: a table moved"
    )
    lines = [f"{name}: {why}" for name, why in new.items()]
    if recovered:
        lines.append(f"recovered: {', '.join(recovered)}")
    lines += [f"released with a warning: {name}: {moved}" for name, moved in warned.items()]
    if standing > len(new):
        lines.append(f"still failed or held back since earlier: {standing - len(new)}")
    return Notification(subject=f"civic_pipeline: {happened}", body="\n".join(lines), run_id=run_id)


def _read(file: Path) -> dict[str, str]:
    try:
        problems = json.loads(file.read_text(encoding="utf-8"))
    except (FileNotFoundError, ValueError):  # missing or damaged: the next run writes it again
        return {}
    return problems if isinstance(problems, dict) else {}


def _write(file: Path, problems: Mapping[str, str]) -> None:
    replace_text(file, json.dumps(problems, indent=1))
