"""Nights that are killed or interrupted at random times, each under another host name, or lose their portals: readers see only complete releases, and the next night needs no
repair and produces the same contents as an undisturbed one."""

import random
import signal
import time
from pathlib import Path

import pytest
from chaos import SEED, Nights, Reader, contents, leftovers

from civic_pipeline.demo import Faults
from civic_pipeline.releases import kept_releases, live_release
from civic_pipeline.settings import Settings

pytestmark = pytest.mark.slow

SIGNALS = 20


@pytest.mark.parametrize("kills", [6, 44])
def test_killed_at_random_times(kills: int, nights: Nights, undisturbed: list[dict[str, str]], tmp_path: Path) -> None:
    settings, takes = Settings(data=tmp_path / "data"), 60.0
    assert nights.run(settings.data, 0) == 0
    instants, reader, killed, number = random.Random(SEED + kills), Reader(settings.warehouse), 0, 0
    try:
        while killed < kills:
            number += 1
            version = number % 2
            began = time.monotonic()
            assert nights.run(settings.data, version) == 0, f"the night after kill {killed}"
            takes = min(takes, time.monotonic() - began)
            assert contents(settings) == undisturbed[version], f"the night after kill {killed}"
            assert leftovers(settings.data) == [], f"the night after kill {killed}"
            # A night that ends before its kill does not count.
            status = nights.run(settings.data, 1 - version, end_after=instants.uniform(0, takes))
            killed += status == -signal.SIGKILL
            assert contents(settings) in undisturbed, f"after kill {killed}"
            assert number < 10 * kills, f"only {killed} of {number} nights were killed"
        assert nights.run(settings.data, 0) == 0
        assert contents(settings) == undisturbed[0]
    finally:
        reader.stop()
    assert len(kept_releases(settings)) <= settings.keep_releases


def test_signals_at_random_times(nights: Nights, undisturbed: list[dict[str, str]], tmp_path: Path) -> None:
    settings, takes, ended = Settings(data=tmp_path / "data"), 60.0, 0
    instants = random.Random(SEED)
    for number in range(200):
        version, by = number % 2, (signal.SIGINT, signal.SIGTERM)[ended % 2]
        began = time.monotonic()
        assert nights.run(settings.data, version) == 0, f"the night after signal {ended}"
        takes = min(takes, time.monotonic() - began)
        assert contents(settings) == undisturbed[version], f"the night after signal {ended}"
        assert leftovers(settings.data) == [], f"the night after signal {ended}"
        if ended == SIGNALS:
            return
        # A night that ends before its signal does not count.
        status = nights.run(settings.data, 1 - version, end_after=instants.uniform(0, takes), end_by=by)
        assert status in (0, 128 + by)
        ended += status != 0
        assert contents(settings) in undisturbed, f"after signal {ended}"
    raise AssertionError(f"only {ended} nights were interrupted")


def test_portals_that_drop_connections_during_a_read(
    nights: Nights, undisturbed: list[dict[str, str]], tmp_path: Path
) -> None:
    settings = Settings(data=tmp_path / "data")
    assert nights.run(settings.data, 0) == 0
    assert nights.run(settings.data, 1, faults=Faults(dropped_connection="always", after_pages=1)) == 1
    assert contents(settings) == undisturbed[0]
    live = live_release(settings)
    assert live
    assert set(live.held_back) == {"clean.town_payments", "marts.mart_months"}
    assert nights.run(settings.data, 1) == 0
    assert contents(settings) == undisturbed[1]
    assert leftovers(settings.data) == []
