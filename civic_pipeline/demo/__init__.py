"""Demo portals on loopback: serve a folder of files over the protocols of Socrata, ArcGIS and OpenDataSoft."""

from civic_pipeline.demo.exchange import LoggedRequest
from civic_pipeline.demo.faults import Faults
from civic_pipeline.demo.folder import older_copies
from civic_pipeline.demo.portal_file import DemoFolderError
from civic_pipeline.demo.rows import DemoEditInvalid
from civic_pipeline.demo.served_file import ServedFile
from civic_pipeline.demo.server import DemoPortals, DemoPortTaken

__all__ = [
    "DemoEditInvalid", "DemoFolderError", "DemoPortTaken", "DemoPortals", "Faults", "LoggedRequest", "ServedFile",
    "older_copies",
]  # fmt: skip
