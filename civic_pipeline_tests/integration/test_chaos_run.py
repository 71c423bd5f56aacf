"""`civic run` is killed, or the disk becomes full: the next night needs no repair."""

import random
import shutil
import subprocess
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest
from chaos import SEED, Nights, contents, leftovers, unfinished
from terminal import Place

from civic_pipeline.settings import Settings

pytestmark = pytest.mark.slow

KILLS = 6


def wait_for_a_read(night: "subprocess.Popen[bytes]", data: Path) -> None:
    while not unfinished(data) and night.poll() is None:
        time.sleep(0.005)


def test_civic_run_killed_at_random_times(place: Place) -> None:
    """The same with Dagster, whose pools and records a killed run leaves behind."""
    settings, served = Settings(data=place.data), place.served / "mbe_directory.csv"
    whole = served.read_text(encoding="utf-8")
    versions = [whole, whole[: whole.rstrip().rindex("\n") + 1]]
    undisturbed = [contents(settings)]
    served.write_text(versions[1], encoding="utf-8")
    began = time.monotonic()
    assert place.run().code == 0
    takes = time.monotonic() - began
    undisturbed.append(contents(settings))
    assert undisturbed[0] != undisturbed[1]
    instants, killed = random.Random(SEED), 0
    for number in range(KILLS):
        version = number % 2
        served.write_text(versions[version], encoding="utf-8")
        night = place.start("run")
        with suppress(subprocess.TimeoutExpired):
            # Kill the first run during a read, when it has a slot in Dagster's pool.
            night.wait(instants.uniform(0, takes)) if number else wait_for_a_read(night, settings.data)
        killed += night.poll() is None
        night.kill()
        night.communicate()
        assert contents(settings) in undisturbed, f"after kill {number}"
        ended = place.run(patience_seconds=180)  # a slot that is never freed would block the run for ever
        assert ended.code == 0, ended.err
        assert contents(settings) == undisturbed[version], f"the night after kill {number}"
        assert leftovers(settings.data) == [], f"the night after kill {number}"
    assert killed > KILLS / 2


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    disk = tmp_path / "disk"
    disk.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=64m", "tmpfs", str(disk)], capture_output=True, text=True
    )
    if mounted.returncode:
        pytest.skip(f"a small disk cannot be mounted here: {mounted.stderr.strip()}")
    yield disk
    subprocess.run(["umount", "--lazy", str(disk)], check=True)


def test_a_disk_that_becomes_full_at_any_point(
    nights: Nights, undisturbed: list[dict[str, str]], small_disk: Path
) -> None:
    settings, filler = Settings(data=small_disk / "data"), small_disk / "filler"
    assert nights.run(settings.data, 0) == 0
    version, failed = 0, 0
    for room in (0, 100_000, 500_000, 1_000_000, 2_000_000, 3_000_000, 5_000_000, 8_000_000):
        version = 1 - version
        filler.write_bytes(bytes(max(0, shutil.disk_usage(small_disk).free - room)))
        failed += nights.run(settings.data, version) == 1
        assert contents(settings) in undisturbed, room
        filler.unlink()
        assert nights.run(settings.data, version) == 0, room
        assert contents(settings) == undisturbed[version], room
        assert leftovers(settings.data) == [], room
    assert 2 <= failed < 8
