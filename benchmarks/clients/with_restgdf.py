"""restgdf: its stream of rows, which requests all pages in parallel.

Two workarounds: `prep()` rejects tables, so it is not called. The default reads the flag of every page except the last as a
truncated response, so `on_truncation="ignore"` is set.
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
