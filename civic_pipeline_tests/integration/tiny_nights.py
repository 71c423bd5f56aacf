"""Runs nights of the tiny project, each in its own process that a test may kill.

As a script, it reads one line per night from standard input (`<data folder> <address of the portals> <host name>`), forks, prints
the pid, and prints the exit status when the night ends. One process does the slow imports; its children are the nights.
"""

import os
import signal
import socket
import sys
import traceback
from contextlib import nullcontext
from functools import partial
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1] / "unit"))

import great_expectations  # noqa: F401 - here, so that the children need not import it
from tiny_project import TinyProject, write_tiny_project

from civic_pipeline import interruption, machine
from civic_pipeline.errors import CivicError
from civic_pipeline.nightly import Selection, night
from civic_pipeline.portals import Access
from civic_pipeline.settings import Settings

machine.require_space = lambda _: None  # a night on a small disk begins, so that tests can fill it at any point


def one_night(tiny: TinyProject, portals: str) -> None:
    """A whole night, as the nightly job runs it. Raises HeldBack."""
    datasets, models = {tiny.name: tiny.dataset}, tiny.models()
    access = Access(root=portals, socrata_token="demo")
    for _ in night(
        tiny.settings,
        datasets,
        models,
        "a night",
        Selection.whole(datasets, models),
        partial(print, file=sys.stderr),  # standard output is for the parent process
        lambda _: nullcontext(access),
    ):
        pass


def main() -> None:
    project = Path(sys.argv[1])
    tiny = write_tiny_project(project)
    columns = {name.lower(): kind for name, kind in tiny.dataset.columns.items()}  # as Socrata writes them
    dataset = tiny.dataset.model_copy(update={"columns": columns, "key": ("payment_no",)})
    signals = {signal.SIGINT, signal.SIGTERM}
    signal.pthread_sigmask(signal.SIG_BLOCK, signals)  # until a child handles them
    for line in sys.stdin:
        data, portals, host = line.split()
        settings = Settings(root=project, data=Path(data))
        child = os.fork()
        if child == 0:
            status = 70
            socket.gethostname = partial(str, host)
            try:
                with interruption.ending():
                    signal.pthread_sigmask(signal.SIG_UNBLOCK, signals)
                    one_night(TinyProject(settings, dataset), portals)
                status = 0
            except CivicError as error:
                status = 1
                print(f"held back: {error}", file=sys.stderr)
            finally:
                if number := interruption.received():  # whatever a library made of it, as `run_nightly` does
                    status = 128 + number
                elif status == 70:
                    traceback.print_exc()
                os._exit(status)
        print(child, flush=True)
        print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]), flush=True)


if __name__ == "__main__":
    main()
