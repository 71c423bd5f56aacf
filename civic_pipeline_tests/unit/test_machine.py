"""A machine that lacks what a run needs is named before the run begins; files have the same modes whatever the umask."""

import errno
import os
import resource
import runpy
import sys
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace

import pytest

from civic_pipeline import cli
from civic_pipeline.errors import DiskFull, NotWritable, TooFewFiles
from civic_pipeline.machine import require
from civic_pipeline.settings import Settings


def test_a_file_system_without_links_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    require(Settings(data=tmp_path))

    def refuse(*_: object) -> None:
        raise OSError(errno.EPERM, "Operation not permitted")

    monkeypatch.setattr(os, "link", refuse)
    with pytest.raises(NotWritable, match=rf"{tmp_path} cannot be written: its file system has no hard links"):
        require(Settings(data=tmp_path))
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(("soft", "hard", "allowed"), [(100, 1000, 256), (300, 1000, 300), (-1, -1, -1)])
def test_the_limit_of_open_files_is_raised_if_it_may_be(
    soft: int, hard: int, allowed: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    limits = {resource.RLIMIT_NOFILE: (soft, hard)}
    monkeypatch.setattr(resource, "getrlimit", limits.__getitem__)
    monkeypatch.setattr(resource, "setrlimit", limits.__setitem__)
    require(Settings(data=tmp_path))
    assert limits == {resource.RLIMIT_NOFILE: (allowed, hard)}


def test_a_limit_of_open_files_that_is_too_low_is_named_before_dagster_opens_any(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from civic_pipeline.runs import run_nightly

    monkeypatch.setattr(resource, "getrlimit", lambda _: (100, 100))
    with pytest.raises(TooFewFiles, match=r"may open 100 files at once, and a run needs up to 256\. Raise the limit"):
        run_nightly(Settings(data=tmp_path))
    assert [file.name for file in (tmp_path / "dagster_home").iterdir()] == ["dagster.yaml"]


def test_a_disk_without_inodes_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    free = os.statvfs(tmp_path)
    full = SimpleNamespace(f_bavail=free.f_bavail, f_blocks=free.f_blocks, f_bfree=free.f_bfree, f_frsize=free.f_frsize)
    monkeypatch.setattr(os, "statvfs", lambda _: SimpleNamespace(**vars(full), f_files=10_000, f_favail=70))
    with pytest.raises(DiskFull, match=r"is full: 70 more files can be created \(`df -i`\), and a run needs about 5,0"):
        require(Settings(data=tmp_path))
    monkeypatch.setattr(os, "statvfs", lambda _: SimpleNamespace(**vars(full), f_files=0, f_favail=0))
    require(Settings(data=tmp_path))  # a file system that makes inodes as it needs them


@pytest.fixture(params=[0o000, 0o077])
def _umask(request: pytest.FixtureRequest) -> Iterator[None]:
    before = os.umask(request.param)
    yield
    os.umask(before)


@pytest.mark.usefixtures("_umask")
def test_commands_and_the_home_of_dagster_have_the_same_modes_whatever_the_umask(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    home = Settings.from_environment().dagster_home
    monkeypatch.delitem(sys.modules, "civic_pipeline.dagster_home", raising=False)
    runpy.run_module("civic_pipeline.dagster_home", run_name="__main__")
    modes = [file.stat().st_mode & 0o777 for file in (home.parent, home, home / "dagster.yaml")]
    assert modes == [0o755, 0o755, 0o644]
    os.umask(0)
    monkeypatch.setattr(sys, "argv", ["civic", "--help"])
    with pytest.raises(SystemExit):
        cli.main()
    assert os.umask(0) == 0o022
