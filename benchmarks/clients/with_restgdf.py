"""restgdf's stream of rows: every page at once.

Two detours. `prep()` refuses tables, so the layer is used unprepared; and its default takes the flag that every page but the
last carries for a truncated answer, hence `on_truncation="ignore"`.
"""

import asyncio
import logging

from aiohttp import ClientSession
from restgdf import FeatureLayer
from restgdf.adapters.pandas import arows_to_dataframe
from table import arguments, layer_url

_, root, folder = arguments()
logging.getLogger("restgdf").setLevel(logging.ERROR)


async def main() -> None:
    async with ClientSession() as session:
        layer = FeatureLayer(layer_url(root), session=session)
        frame = await arows_to_dataframe(layer.stream_rows(on_truncation="ignore"))
    frame.to_parquet(folder / "rows.parquet", compression="zstd")


asyncio.run(main())
