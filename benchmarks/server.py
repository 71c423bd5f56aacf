"""The one portal all clients are measured against: the demo portals over a generated checkbook, answers kept, latency added.

What an answer costs to render is not the clients' business: each is kept in memory by path and parameters, so that after one
unmeasured run every client meets ready answers. Prints its address, then serves until ended.
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


class KeptPortals(DemoPortals):
    """Demo portals that render an answer once, and wait `latency_seconds` before each.

    `GET /tally` tells what was asked since the last `/tally`.
    """

    def __init__(self, folder: Path, latency_seconds: float) -> None:
        super().__init__(folder)
        self._latency = latency_seconds
        self._kept: dict[tuple[object, ...], Response] = {}
        self._count = threading.Lock()
        self._asking = 0
        self._forget()

    def _forget(self) -> None:
        self._requests = self._at_once = 0
        self._cpu_before = time.process_time()

    def answer(self, request: Request) -> Response:
        if request.path == "/tally":
            said = {
                "requests": self._requests,
                "at_once": self._at_once,
                "server_seconds": time.process_time() - self._cpu_before,
            }
            self._forget()
            return Response.of(said)
        with self._count:
            self._requests += 1
            self._asking += 1
            self._at_once = max(self._at_once, self._asking)
        try:
            time.sleep(self._latency)
            return self._keep(request)
        finally:
            with self._count:
                self._asking -= 1

    def _keep(self, request: Request) -> Response:
        # portalkit asks for a view at its older address, without /api.
        path = f"/api{request.path}" if request.path.startswith("/views/") else request.path
        key = (path, request.method, request.body, *sorted(request.parameters.items()))
        if key not in self._kept:
            self._kept[key] = super().answer(replace(request, path=path))
        return self._kept[key]


def generate(folder: Path, rows: int) -> None:
    """The checkbook as one file, the same on every machine, and how it is served."""
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
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        generate(Path(folder), asked.rows)
        portals = KeptPortals(Path(folder), asked.latency_ms / 1000)
        amounts = duckdb.sql(f"select sum(amount) from '{folder}/checkbook.parquet'").fetchone()
    print(json.dumps({"url": portals.url, "amount": str(amounts[0] if amounts else 0)}), flush=True)
    portals.serve_forever()


if __name__ == "__main__":
    main()
