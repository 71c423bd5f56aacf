"""The entry point of `civic`. It imports little, because a signal ends a command in one line only when `main` has begun."""

import gc
import signal
import sys

from civic_pipeline import interruption
from civic_pipeline.cli import standard_streams


def main() -> None:
    """Run the command. A CivicError ends with its message and exit code; a traceback is shown only with --debug."""
    # What a command loads lives as long as it does: syntax trees, classes of libraries. Looking for garbage in it at Python's
    # default rate takes a tenth of the time of `civic try`.
    gc.set_threshold(50_000, 50, 50)
    standard_streams.prepare()
    try:
        with interruption.ending():
            from civic_pipeline.cli.commands import run_command

            code: int | None = run_command()
    except KeyboardInterrupt:
        code = _interrupted()
    except Exception as error:
        if interruption.received():  # a library has made another exception of it
            sys.exit(_interrupted())
        from civic_pipeline.cli.commands import exit_code

        code = exit_code(error)
        if code is None:
            raise
    sys.exit(code)


def _interrupted() -> int:
    print("Error: interrupted", file=sys.stderr)
    return 128 + (interruption.received() or signal.SIGINT)
