"""Captures of a nightly run: hosts in parallel, the datasets of one host in turn, retries per dataset."""

import random
import threading
import time
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from queue import Queue
from urllib.parse import urlsplit

from civic_pipeline.catalog import ArcgisSource, Dataset, Editions, FileSource, Source
from civic_pipeline.lake.attempt import Attempt, record, try_capture
from civic_pipeline.lake.captures import Lake
from civic_pipeline.lake.progress import report_progress
from civic_pipeline.portals import Access

MOST_HOSTS = 16  # at once; each may have several requests under way
PAUSES = (10.0, 20.0)  # seconds before the second and the third try of a source that may recover
_SAY_EVERY_SECONDS = 5


@dataclass(frozen=True)
class TimedAttempt:
    """An attempt and its duration in seconds, with retries and pauses."""

    attempt: Attempt
    seconds: float


def host_of(source: Source) -> str:
    """Host and port of a source, or `disk` for files on this machine; only one capture at a time runs per host.

    ArcGIS Online counts as one host, because the server of an item is known only after a request. Editions count as the first.
    """
    if isinstance(source, Editions):
        source = next(iter(source.editions.values())).source
    if isinstance(source, ArcgisSource):
        host = urlsplit(source.fallbacks[0]).netloc if source.fallbacks else "arcgis.com"
        return "arcgis.com" if host.endswith("arcgis.com") else host
    return (urlsplit(source.url).netloc or "disk") if isinstance(source, FileSource) else source.domain


def attempt_all(
    datasets: Mapping[str, Dataset],
    lake: Lake,
    access: Access,
    say: Callable[[str], None],
    pauses: tuple[float, ...] = PAUSES,
) -> Iterator[TimedAttempt]:
    """Try to capture `datasets`. Each attempt is recorded and yielded when it ends.

    Runs at most MOST_HOSTS threads, one host per thread. Progress lines are passed to `say` in the caller's thread. If the
    caller stops early, no further requests are started, and captures in progress are not recorded.
    """
    waiting: Queue[list[str]] = Queue()
    by_host = defaultdict(list)
    for name, dataset in datasets.items():
        by_host[host_of(dataset.source)].append(name)
    for names in sorted(by_host.values(), key=len, reverse=True):
        waiting.put(names)
    ended: Queue[TimedAttempt | str | BaseException] = Queue()
    stop = threading.Event()
    crew = _Crew(datasets, lake, access, pauses, waiting, ended, stop)
    for _ in range(min(MOST_HOSTS, len(by_host))):
        # Daemon threads: an interrupted run must not wait minutes for the response of a portal.
        threading.Thread(target=crew.work, daemon=True).start()
    try:
        left = len(datasets)
        while left:
            news = ended.get()
            if isinstance(news, str):
                say(news)
            elif isinstance(news, BaseException):
                raise news
            else:
                record(news.attempt, lake)
                left -= 1
                yield news
    finally:
        stop.set()


@dataclass(frozen=True)
class _Crew:
    """The state that all threads share."""

    datasets: Mapping[str, Dataset]
    lake: Lake
    access: Access
    pauses: tuple[float, ...]
    waiting: "Queue[list[str]]"
    ended: "Queue[TimedAttempt | str | BaseException]"
    stop: threading.Event

    def work(self) -> None:
        """Capture one host after the other until none is left. Unexpected errors are raised in the caller's thread."""
        with ExitStack() as stack:
            stack.push(self._hand_over)
            while not self.stop.is_set() and not self.waiting.empty():
                self._host(self.waiting.get())

    def _hand_over(self, _kind: object, error: BaseException | None, _trace: object) -> bool:
        if error:
            self.ended.put(error)
        return True

    def _host(self, names: list[str]) -> None:
        """Try every dataset once; after a pause, retry those with a temporary failure."""
        began: dict[str, float] = {}
        for pause in (*self.pauses, None):
            again = []
            for name in names:
                if self.stop.is_set():
                    return
                began.setdefault(name, time.monotonic())
                attempt = try_capture(name, self.datasets[name], self.lake, self.access, self._progress(name))
                if attempt.passing and pause is not None:
                    self.ended.put(f"{name}: {attempt.problem} Another try follows in about {pause:g} s.")
                    again.append(name)
                else:
                    self.ended.put(TimedAttempt(attempt, time.monotonic() - began[name]))
            if not again or pause is None:
                return
            names = again
            self.stop.wait(pause * random.uniform(0.8, 1.2))  # noqa: S311 - random, so that hosts are not retried at the same time

    def _progress(self, name: str) -> Callable[[int, int], None]:
        return report_progress(lambda text: self.ended.put(f"{name}: {text}"), _SAY_EVERY_SECONDS)
