"""The server for all clients: the demo portals with a generated checkbook, cached responses and added latency.

Responses are cached in memory by path and parameters, so that after a warm-up run their cost is not measured.
Prints its address, then serves until it is stopped.
"""

import argparse
import json
import tempfile
import threading
import time
from dataclasses import replace
from pathlib import Path

import duckdb
import yaml
from civic_pipeline.demo import DemoPortals
from civic_pipeline.demo.exchange import Request, Response

from clients.table import COLUMNS, ITEM, LAYER, SOCRATA_ID


class CachedPortals(DemoPortals):
    """Demo portals that cache every response and wait `latency_seconds` before each.

    `GET /tally` returns the number of requests since the last `/tally`.
    """

    def __init__(self, folder: Path, latency_seconds: float) -> None:
        super().__init__(folder)
        self._latency = latency_seconds
        self._cache: dict[tuple[object, ...], Response] = {}
        self._count = threading.Lock()
        self._active = 0
        self._reset()

    def _reset(self) -> None:
        self._requests = self._at_once = 0
        self._cpu_before = time.process_time()

    def answer(self, request: Request) -> Response:
        if request.path == "/tally":
            tally = {
                "requests": self._requests,
                "at_once": self._at_once,
                "server_seconds": time.process_time() - self._cpu_before,
            }
            self._reset()
            return Response.of(tally)
        with self._count:
            self._requests += 1
            self._active += 1
            self._at_once = max(self._at_once, self._active)
        try:
            time.sleep(self._latency)
            return self._cached(request)
        finally:
            with self._count:
                self._active -= 1

    def _cached(self, request: Request) -> Response:
        # portalkit requests a view at its older address, without /api.
        path = f"/api{request.path}" if request.path.startswith("/views/") else request.path
        key = (path, request.method, request.body, *sorted(request.parameters.items()))
        if key not in self._cache:
            self._cache[key] = super().answer(replace(request, path=path))
        return self._cache[key]


def generate(folder: Path, rows: int) -> None:
    """Write the checkbook as one file, the same on every machine, and its `portal.yml`."""
    columns = ", ".join(f"{sql} as {name}" for name, (_, _, sql) in COLUMNS.items())
    target = folder / "checkbook.parquet"
    duckdb.sql(f"copy (select {columns} from range(1, {rows} + 1) as numbers(i)) to '{target}' (format parquet)")
    entry = {
        "file": target.name,
        "socrata": SOCRATA_ID,
        "item": ITEM,
        "layer": LAYER,
        "types": {name: kind for name, (kind, _, _) in COLUMNS.items()},
    }
    (folder / "portal.yml").write_text(yaml.safe_dump({"files": [entry]}), encoding="utf-8")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, required=True)
    parser.add_argument("--latency-ms", type=float, required=True)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        generate(Path(folder), arguments.rows)
        portals = CachedPortals(Path(folder), arguments.latency_ms / 1000)
        amounts = duckdb.sql(f"select sum(amount) from '{folder}/checkbook.parquet'").fetchone()
    print(json.dumps({"url": portals.url, "amount": str(amounts[0] if amounts else 0)}), flush=True)
    portals.serve_forever()


if __name__ == "__main__":
    main()
