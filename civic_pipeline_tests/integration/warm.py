"""Commands run in forks of one process that has imported what takes seconds: Dagster and Great Expectations take six.

`civic(...)` is for tests. Run as a script, this file is that process: it imports nothing of ours, so each fork loads the
code of the checkout it is given, and it ends when its standard input does.
"""

import atexit
import importlib
import json
import os
import runpy
import select
import signal
import socket
import subprocess
import sys
import tempfile
from functools import cache
from pathlib import Path
from typing import IO

_LONGEST_REQUEST = 1 << 20


def civic(
    root: Path, environment: dict[str, str], arguments: tuple[str, ...], patience_seconds: float
) -> tuple[int, bytes, bytes]:
    """The exit code of `python -m civic_pipeline.cli ARGUMENTS` in the folder `root`, what it printed and its errors.

    Raises subprocess.TimeoutExpired after killing it.
    """
    request = json.dumps({"root": str(root), "environment": environment, "arguments": arguments}).encode()
    with (
        tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as err,
        socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET) as connection,
    ):  # fmt: skip
        connection.connect(_address())
        socket.send_fds(connection, [request], [out.fileno(), err.fileno()])
        child = int(connection.recv(32))
        connection.settimeout(patience_seconds)
        try:
            code = int(connection.recv(32))
        except TimeoutError:
            os.kill(child, signal.SIGKILL)
            raise subprocess.TimeoutExpired(arguments, patience_seconds) from None
        return code, _all(out), _all(err)


def _all(file: IO[bytes]) -> bytes:
    file.seek(0)
    return file.read()


@cache
def _address() -> str:
    """Where the one process of this test session listens."""
    address = Path(tempfile.mkdtemp(prefix="civic-")) / "socket"
    environment = os.environ | {"GX_ANALYTICS_ENABLED": "false", "ARROW_DEFAULT_MEMORY_POOL": "jemalloc"}
    process = subprocess.Popen(
        [sys.executable, __file__, str(address)], env=environment, cwd=address.parent, stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    )  # fmt: skip
    assert process.stdout is not None
    assert process.stdout.readline() == b"ready\n"
    return str(address)


# The process


def _next_request(address: Path) -> dict[str, object]:
    """Wait for requests. Returns in a fork, whose standard streams are those of its request; never in the parent."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET) as listening:
        listening.bind(str(address))
        listening.listen()
        print("ready", flush=True)
        signal.signal(signal.SIGCHLD, signal.SIG_IGN)
        while True:
            ready, _, _ = select.select([listening, sys.stdin], [], [])
            if sys.stdin in ready:
                address.unlink()
                address.parent.rmdir()
                os._exit(0)
            connection, _ = listening.accept()
            if os.fork() == 0:
                break
            connection.close()
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    with connection:
        message, streams, _, _ = socket.recv_fds(connection, _LONGEST_REQUEST, 2)
        child = os.fork()
        if child != 0:
            connection.send(str(child).encode())
            code = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
            connection.send(str(code).encode())
            os._exit(0)
    for number, stream in enumerate([os.open(os.devnull, os.O_RDONLY), *streams]):
        os.dup2(stream, number)
        os.close(stream)
    request: dict[str, object] = json.loads(message)
    return request


def _main() -> None:
    for slow in (
        "alembic", "dagster", "dagster.components", "dagster._core.storage.sqlite_storage", "dagster._daemon.controller",
        "duckdb_engine", "great_expectations", "jinja2", "pandas", "pyarrow.parquet", "python_calamine", "sodapy", "sqlglot",
        "uvicorn", "yaml",
    ):  # fmt: skip
        importlib.import_module(slow)
    request = _next_request(Path(sys.argv[1]))
    root, environment, arguments = request["root"], request["environment"], request["arguments"]
    assert isinstance(root, str)
    assert isinstance(environment, dict)
    assert isinstance(arguments, list)
    os.chdir(root)
    os.environ.clear()
    os.environ.update(environment)
    sys.path[0] = root
    sys.argv = ["civic", *arguments]
    code = 1
    try:
        runpy.run_module("civic_pipeline.cli", run_name="__main__", alter_sys=True)
    except SystemExit as ended:
        code = ended.code if isinstance(ended.code, int) else 0
    except BaseException:  # noqa: BLE001 - it ends with its traceback, as in a process of its own
        sys.excepthook(*sys.exc_info())
    finally:
        # Not by Python's own way out: libraries would wait for threads that did not come along when we were forked.
        atexit._run_exitfuncs()
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)


if __name__ == "__main__":
    _main()
