"""What is shown while a long job runs: how far it is, how fast, and for how long still."""

from __future__ import annotations

import pytest

from commands.cli.progress import LineProgress, progress_for
from portalops.model.message import msg
from tests.backups.kit import NOW
from tests.doubles import FixedClock

MIB = 1 << 20


class Steps(FixedClock):
    """A clock that goes on when it is told to."""

    seconds = 0.0

    def monotonic(self) -> float:
        return self.seconds


@pytest.mark.parametrize(
    ("total", "done", "expected"),
    [
        (1000 * MIB, 100 * MIB, "Backing up: 100.0 MiB of 1000.0 MiB, 2.5 MiB/s, about 0:06:00 left"),
        (50 * MIB, 100 * MIB, "Backing up: 100.0 MiB of about 50.0 MiB, 2.5 MiB/s"),
        (None, 100 * MIB, "Backing up: 100.0 MiB, 2.5 MiB/s"),
    ],
)
def test_a_line_has_amount_rate_and_time_left(
    total: int | None, done: int, expected: str, capsys: pytest.CaptureFixture[str]
) -> None:
    clock = Steps(NOW)

    with LineProgress(clock).task(msg("Backing up"), total=total, unit="bytes") as task:
        clock.seconds = 40.0
        task.advance(done)

    assert expected in capsys.readouterr().err.splitlines()


def test_a_terminal_shows_the_rate(capsys: pytest.CaptureFixture[str]) -> None:
    progress = progress_for(quiet=False, is_terminal=True, clock=FixedClock(NOW))

    with progress.task(msg("Backing up"), total=10 * MIB, unit="bytes") as task:
        task.advance(5 * MIB)

    shown = capsys.readouterr().err
    assert "Backing up" in shown and "MiB/s" in shown


def test_a_terminal_does_not_take_an_estimate_that_was_too_small_for_the_end(
    capsys: pytest.CaptureFixture[str],
) -> None:
    progress = progress_for(quiet=False, is_terminal=True, clock=FixedClock(NOW))

    with progress.task(msg("Backing up"), total=10 * MIB, unit="bytes") as task:
        task.advance(10 * MIB)
        task.advance(20 * MIB)

    assert "30.0/30.0 MiB" in capsys.readouterr().err
