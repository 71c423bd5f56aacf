"""A PostgreSQL server of one test's own: Debian's, on loopback, by an account other than root."""

import os
import pwd
import shutil
import socket
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

ACCOUNT = "postgres"
PASSWORD = "not a secret"
_PROGRAMS = next(iter(sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"), reverse=True)), None)


@dataclass(frozen=True)
class Postgres:
    port: int

    @property
    def storage(self) -> dict[str, object]:
        """What `storage:` of a dagster.yaml says to keep runs, events and schedules here."""
        address = {"hostname": "127.0.0.1", "port": self.port, "db_name": ACCOUNT}
        return {"postgres": {"postgres_db": {**address, "username": ACCOUNT, "password": {"env": "PG_PASSWORD"}}}}

    def ask(self, query: str) -> list[tuple[object, ...]]:
        import psycopg2

        with psycopg2.connect(
            host="127.0.0.1", port=self.port, dbname=ACCOUNT, user=ACCOUNT, password=PASSWORD
        ) as connection, connection.cursor() as cursor:  # fmt: skip
            cursor.execute(query)
            return cursor.fetchall()


def why_not() -> str | None:
    """Why there is no PostgreSQL to start here, or None."""
    if _PROGRAMS is None:
        return "needs Debian's postgresql: apt-get install postgresql"
    if os.geteuid() == 0 and (
        shutil.which("runuser") is None or ACCOUNT not in {user.pw_name for user in pwd.getpwall()}
    ):
        return f"PostgreSQL does not run as root, and there is no account {ACCOUNT}"
    return None


@contextmanager
def postgres() -> Iterator[Postgres]:
    """A server with an empty database, gone with its files after the block."""
    assert _PROGRAMS is not None
    as_account = ["runuser", "-u", ACCOUNT, "--"] if os.geteuid() == 0 else []
    # pytest's own folders are closed to other accounts.
    with (
        tempfile.TemporaryDirectory(prefix="civic-postgres-", ignore_cleanup_errors=True) as scratch,
        socket.socket() as free,
    ):
        folder, password = Path(scratch), Path(scratch, "password")
        password.write_text(PASSWORD)
        if as_account:
            for path in (folder, password):
                shutil.chown(path, ACCOUNT)

        def run(program: str, *arguments: str | Path) -> None:
            command = [*as_account, _PROGRAMS.with_name(program), "-D", folder / "data", *arguments]
            ended = subprocess.run(
                command, cwd="/", stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False
            )
            assert ended.returncode == 0, f"{ended.stdout}\n{log.read_text() if log.exists() else ''}"

        log = folder / "log"
        run("initdb", "--username", ACCOUNT, "--auth", "scram-sha-256", "--pwfile", password, "--no-sync")
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
        free.close()
        run("pg_ctl", "start", "-w", "-l", log, "-o", f"-h 127.0.0.1 -p {port} -k {folder} -F")
        try:
            yield Postgres(port)
        finally:
            run("pg_ctl", "stop", "-w", "-m", "fast")
