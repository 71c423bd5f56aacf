"""A download that is looked at before it is believed: what is damaged inside a 200 may be whole at the next try."""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from civic_pipeline.errors import AnswerUnreadable, PortalOverloaded
from civic_pipeline.portals import http
from civic_pipeline.portals.http import TRIES, Client


def download(
    client: Client,
    url: str,
    parameters: Mapping[str, Any],
    path: Path,
    check: Callable[[Path], None],
    tries: int = TRIES,
) -> Mapping[str, str]:
    """Write the body at `url` to `path`; returns the headers.

    Where `check` raises AnswerUnreadable or PortalOverloaded, the body is asked for again, and the last try's error is
    raised. Also raises what Client.download raises.
    """
    for tried in range(1, tries + 1):
        headers = client.download(url, parameters, path)
        try:
            check(path)
        except (AnswerUnreadable, PortalOverloaded):
            if tried == tries:
                raise
            client.traffic.retries += 1
            http.pause(0.5 * 2**tried)
        else:
            return headers
    raise AssertionError("the last try returns or raises")


def markup_in(beginning: bytes) -> str | None:
    """What a file that begins so is, where it is a page or a document of markup rather than data."""
    start = beginning.removeprefix(b"\xef\xbb\xbf").lstrip()[:200].lower()
    if start.startswith((b"<!doctype html", b"<html")):
        return "an HTML page"
    return "a document of markup" if start.startswith((b"<?xml", b"<!", b"<head", b"<body", b"<div")) else None
