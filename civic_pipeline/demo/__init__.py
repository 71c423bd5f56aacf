"""Embedded portals on loopback: any folder of files, served over the real Socrata and ArcGIS protocols."""

from civic_pipeline.demo.access import open_portals
from civic_pipeline.demo.folder import ServedFile
from civic_pipeline.demo.portal_file import DemoFolderError
from civic_pipeline.demo.server import DemoPortals, DemoPortTaken

__all__ = ["DemoFolderError", "DemoPortTaken", "DemoPortals", "ServedFile", "open_portals"]
