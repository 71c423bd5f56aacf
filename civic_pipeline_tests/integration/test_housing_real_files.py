"""Block and lot in every real housing file: one macro reads every notation, and only what a spreadsheet destroyed is unreadable."""

import duckdb
import pytest
from real_files import REAL, needs_real_files

from civic_pipeline.settings import CHECKOUT
from civic_pipeline.warehouse.macros import macro_files

HOUSING = REAL / "baltimore" / "housing"

pytestmark = needs_real_files

# File, SQL of block and lot, rows, what cannot be read.
FILES = [
    ("adopt_a_lot_2022.csv.gz", "BlockLot", 4_854, []),
    ("completed_city_demo_2022.csv.gz", "BLOCKLOT", 3_596, []),
    ("open_bid_list_2022.csv", "BLOCKLOT", 1_229, []),
    ("receiverships_filed_2022.csv", "BlockLot", 439, []),
    ("receiverships_open_2022.csv", "BLOCKLOT", 708, []),
    ("vacants_2022.csv.gz", "BLOCKLOT", 12_828, []),
    ("vacant_building_notices_2025-08.csv.gz", "BLOCKLOT", 12_602, []),
    ("vacant_buildings_socrata_2015-04.csv.gz", "blockLot", 16_453, []),
    ("vacant_buildings_socrata_2020-11.csv.gz", "Block || ' ' || Lot", 16_722, ["6E54 016"]),
]


@pytest.mark.parametrize(("file", "published", "count", "unreadable"), FILES, ids=[file for file, *_ in FILES])
def test_every_notation_of_block_and_lot_is_read(file: str, published: str, count: int, unreadable: list[str]) -> None:
    with duckdb.connect() as connection:
        for macros in macro_files(CHECKOUT):
            connection.execute(macros.read_text(encoding="utf-8"))
        read = f"select {published} as published from read_csv('{HOUSING / file}', all_varchar = true)"
        assert connection.execute(f"select count(*) from ({read})").fetchall() == [(count,)]
        lost = connection.execute(f"select published from ({read}) where block_lot(published) is null").fetchall()
        assert [text for (text,) in lost] == unreadable
        forms = "^[0-9]{4}[A-Z]?[|][0-9]{3}[A-Z]?$"
        odd = connection.execute(
            f"select count(*) from ({read}) where not regexp_matches(block_lot(published), '{forms}')"
        ).fetchall()
        assert odd == [(0,)]
