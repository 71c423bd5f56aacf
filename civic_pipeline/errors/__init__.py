"""The errors that users can see: one class per kind of failure, one file per package.

Each class takes the culprits as data and writes the message. A message names the thing, the culprit and the fix, because
it is all that a user sees: the CLI prints it without a traceback, Dagster shows it in the failed step, and `meta.tables`
stores it as the reason why a table is held back.
"""

from civic_pipeline.errors.base import (
    CivicError,
    DiskFull,
    LockHeld,
    NotWritable,
    OutputClosed,
    OutputNotWritable,
    SettingInvalid,
    TooFewFiles,
    TookTooLong,
    disk_error,
    writing,
)
from civic_pipeline.errors.catalog import CatalogIncomplete, FileInvalid, UnknownName
from civic_pipeline.errors.lake import (
    BackfillRefused,
    CaptureDamaged,
    CaptureNotVerified,
    NothingToAccept,
    ProfileMixed,
    SchemaDrifted,
    ShapeUnknown,
    SourceChangedDuringRead,
    SourceEmpty,
    VolumeCollapsed,
)
from civic_pipeline.errors.portals import (
    AnswerUnreadable,
    FileUnreadable,
    HostPrivate,
    LayerAmbiguous,
    NamesAlike,
    NumberTooLong,
    PagingBroken,
    PortalOverloaded,
    PortalRefused,
    PortalUnreachable,
    ProjectionUnexpected,
    RedirectInsecure,
    SourceNotFound,
    ValueUnreadable,
)
from civic_pipeline.errors.publish import AddressTaken, ServeTokenInvalid, SiteFolderTaken, SiteMissing
from civic_pipeline.errors.quality import ContractBroken
from civic_pipeline.errors.releases import (
    NotReadable,
    QueryRefused,
    ReleaseDamaged,
    WarehouseMissing,
    WarehouseOpened,
    WarehouseUnreadable,
)
from civic_pipeline.errors.runs import HeldBack, NotificationFailed, RecordsDamaged, RunFailed
from civic_pipeline.errors.scaffold import AddressAmbiguous, AddressPrivate, AddressUnknown, AlreadyThere
from civic_pipeline.errors.warehouse import ModelFailed, NotBuilt, NotCaptured, NotCapturedBy

__all__ = [
    "AddressAmbiguous", "AddressPrivate", "AddressTaken", "AddressUnknown", "AlreadyThere", "AnswerUnreadable",
    "BackfillRefused", "CaptureDamaged", "CaptureNotVerified", "CatalogIncomplete", "CivicError", "ContractBroken",
    "DiskFull", "FileInvalid", "FileUnreadable", "HeldBack", "HostPrivate", "LayerAmbiguous", "LockHeld", "ModelFailed",
    "NamesAlike", "NotBuilt", "NotCaptured", "NotCapturedBy", "NotReadable", "NotWritable", "NothingToAccept", "NotificationFailed",
    "NumberTooLong", "OutputClosed", "OutputNotWritable",
    "PagingBroken", "PortalOverloaded", "PortalRefused", "PortalUnreachable", "ProfileMixed",
    "ProjectionUnexpected", "QueryRefused", "RecordsDamaged", "RedirectInsecure", "ReleaseDamaged", "RunFailed", "SchemaDrifted",
    "ServeTokenInvalid", "SettingInvalid", "ShapeUnknown", "SiteFolderTaken", "SiteMissing", "SourceChangedDuringRead",
    "SourceEmpty", "SourceNotFound", "TooFewFiles", "TookTooLong", "UnknownName", "ValueUnreadable", "VolumeCollapsed", "WarehouseMissing",
    "WarehouseOpened", "WarehouseUnreadable", "disk_error", "writing",
]  # fmt: skip
