"""From a pasted address to a capture, and from a capture to the three files of a new dataset."""

from civic_pipeline.scaffold.adding import Added, add, refuse_existing
from civic_pipeline.scaffold.taking import Taken, describe, refuse_full, take_into
from civic_pipeline.scaffold.telling import of_added, of_capture

__all__ = ["Added", "Taken", "add", "describe", "of_added", "of_capture", "refuse_existing", "refuse_full", "take_into"]
