"""`python -m tools.sample [--out FOLDER]`."""

import argparse
from pathlib import Path

from civic_pipeline.settings import CHECKOUT
from tools.sample import write_sample
from tools.sample.planted import labels

parser = argparse.ArgumentParser(
    prog="python -m tools.sample", description="Generate the synthetic sample that the demo portals serve."
)
parser.add_argument(
    "--out", type=Path, default=CHECKOUT / "data" / "sample", help="folder to write into (default: data/sample)"
)
folder = parser.parse_args().out
for table in write_sample(folder):
    print(f"{table.file}: {len(table.rows):,} rows")
(CHECKOUT / "data" / "seeds" / "labelled_payment_cases" / "sample.csv").write_text(labels(), encoding="utf-8")
