"""A machine that lacks what a run needs is named before the run begins."""

import errno
import os
import resource
from pathlib import Path

import pytest

from civic_pipeline.errors import NotWritable, TooFewFiles
from civic_pipeline.machine import require_files, require_links
from civic_pipeline.settings import Settings


def test_a_file_system_without_links_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    require_links(Settings(data=tmp_path))

    def refuse(*_: object) -> None:
        raise OSError(errno.EPERM, "Operation not permitted")

    monkeypatch.setattr(os, "link", refuse)
    with pytest.raises(NotWritable, match=rf"{tmp_path} cannot be written: its file system has no hard links"):
        require_links(Settings(data=tmp_path))
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(("soft", "hard", "allowed"), [(100, 1000, 256), (300, 1000, 300), (-1, -1, -1)])
def test_the_limit_of_open_files_is_raised_if_it_may_be(
    soft: int, hard: int, allowed: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    limits = {resource.RLIMIT_NOFILE: (soft, hard)}
    monkeypatch.setattr(resource, "getrlimit", limits.__getitem__)
    monkeypatch.setattr(resource, "setrlimit", limits.__setitem__)
    require_files()
    assert limits == {resource.RLIMIT_NOFILE: (allowed, hard)}


def test_a_limit_of_open_files_that_is_too_low_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(resource, "getrlimit", lambda _: (100, 100))
    with pytest.raises(TooFewFiles, match=r"may open 100 files at once, and a run needs up to 256\. Raise the limit"):
        require_files()
