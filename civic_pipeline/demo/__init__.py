"""Embedded portals on loopback: any folder of files, served over the real protocols of Socrata, ArcGIS and OpenDataSoft."""

from civic_pipeline.demo.exchange import Answered
from civic_pipeline.demo.faults import Faults
from civic_pipeline.demo.portal_file import DemoFolderError
from civic_pipeline.demo.rows import DemoEditInvalid
from civic_pipeline.demo.served_file import ServedFile
from civic_pipeline.demo.server import DemoPortals, DemoPortTaken

__all__ = [
    "Answered", "DemoEditInvalid", "DemoFolderError", "DemoPortTaken", "DemoPortals", "Faults", "ServedFile",
]  # fmt: skip
