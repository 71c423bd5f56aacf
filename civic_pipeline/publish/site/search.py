"""Search over every page: tables, columns, definitions, agencies, services. The index is Pagefind's, read in pieces by the browser."""

import subprocess
from importlib.util import find_spec
from pathlib import Path

from civic_pipeline.errors import TookTooLong
from civic_pipeline.publish.site.site import About, Site
from civic_pipeline.settings import waits

PART = "search/"
# Its wheels are for Linux, macOS and Windows on x86-64 and ARM; elsewhere the page says that there is no search.
_IS_INSTALLED = find_spec("pagefind_bin") is not None
_FOLDER = "pagefind"


def build(site: Site) -> None:
    """Write the page of the search."""
    about = About(
        "Which page, table or column is about a word?", "Everyone who looks for a figure, a table or a definition."
    )
    site.page(PART, "search.html", about=about, has_index=_IS_INSTALLED)


def write_index(folder: Path) -> None:
    """Index the pages in `folder`, into its subfolder pagefind. The same pages give the same files."""
    if not _IS_INSTALLED:
        return
    from pagefind_bin import get_executable

    command = [get_executable(), "--site", folder, "--output-subdir", _FOLDER, "--keep-index-url", "--silent"]
    seconds = waits().process_seconds
    try:
        subprocess.run(command, check=True, capture_output=True, timeout=seconds)
    except subprocess.TimeoutExpired:
        raise TookTooLong("The index of the search", seconds, "CIVIC_PROCESS_SECONDS") from None
    for unused in (folder / _FOLDER).glob("*ui.*"):  # ready-made interfaces; the page has its own
        unused.unlink()
    (folder / _FOLDER / "pagefind-highlight.js").unlink()
