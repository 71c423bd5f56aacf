"""What a signal does to a command."""

import signal
from collections.abc import Iterator

import pytest

from civic_pipeline import interruption

SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


@pytest.fixture(autouse=True)
def _handlers() -> Iterator[None]:
    former = {number: signal.getsignal(number) for number in SIGNALS}
    yield
    for number, handler in former.items():
        signal.signal(number, handler)


@pytest.mark.parametrize("number", SIGNALS)
def test_the_first_signal_ends_a_command_and_a_second_one_disturbs_nothing(number: signal.Signals) -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # as a shell without job control starts it
    is_cleaned = False
    with pytest.raises(interruption.Interrupted), interruption.ending():
        try:
            signal.raise_signal(number)
        finally:
            for again in SIGNALS:
                signal.raise_signal(again)
            is_cleaned = True
    signal.raise_signal(number)
    assert is_cleaned
    assert interruption.received() == number


def test_a_command_under_nohup_outlives_its_terminal() -> None:
    signal.signal(signal.SIGHUP, signal.SIG_IGN)
    with interruption.ending():
        signal.raise_signal(signal.SIGHUP)
    assert interruption.received() is None
