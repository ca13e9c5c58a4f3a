"""How long a failover cut users off is told by the samples that the ledger holds, and by nothing where they are too few."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from checks.servers.catalogue import chosen
from checks.servers.declared import Declared
from checks.servers.own import Own
from checks.servers.runner import run_checks
from portalops import bodies
from portalops.ledger.ledger import Ledger
from portalops.ledger.record import NO_RUN
from portalops.model.availability import PageSample, PageSamples, SampleBatch
from portalops.model.checks import CheckResult
from portalops.model.organisation import Host, HostId
from portalops.registers.availability import KEY, SAMPLES
from tests.checks.servers.test_runner import QuotingShell
from tests.doubles import FixedClock, MemoryKeeper, SilentProgress

HOSTS = (Host(HostId("lb1"), "192.0.2.1"), Host(HostId("lb2"), "192.0.2.2"))
URL = "https://portal.example.vn/"
BEGAN = datetime(2026, 11, 25, 2, 0, 0, tzinfo=UTC)
NOW = BEGAN + timedelta(hours=8)
GROUP = {
    "kind": "vip",
    "members": ["lb1", "lb2"],
    "address": "203.0.113.10",
    "drills": [BEGAN.isoformat()],
    "outage_seconds": 60,
    "pages": [URL],
}


def journal(*masters: datetime) -> bytes:
    """Return keepalived's lines of the journal of a member that became the master at some moments."""
    start = (BEGAN - timedelta(days=9)).timestamp()
    lines = [f"{at.timestamp():.6f} lb Keepalived_vrrp[9]: (PORTAL) Entering MASTER STATE".encode() for at in masters]
    return b"\n".join((b"%.6f lb systemd[1]: Started" % start, b"", b"states", *lines, b"end"))


def drill(folder: Path, samples: Iterable[tuple[int, int]], *, host: str = "web1", broken: bool = False) -> CheckResult:
    """Judge a drill in which the second member took over after ten seconds; samples are seconds since it began and status."""
    clock = FixedClock(BEGAN + timedelta(hours=6))
    ledger = Ledger.open(folder, clock=clock, create=True)
    first = BEGAN - timedelta(minutes=30)
    found = tuple(PageSample(1800 + second, status, 50) for second, status in samples)
    batch = SampleBatch("auditor-1", first, (PageSamples(HostId(host), URL, found),))
    ledger.append(SAMPLES, run=NO_RUN, subject="auditor-1", body=bodies.write({KEY: "?" if broken else batch}))
    declared = Declared.model_validate({"group": {"front": GROUP}, "no_standby": ["postgresql"]})
    moment = b"%d\n" % NOW.timestamp()
    shells = {
        "lb1": QuotingShell({"clock": moment, "ha.vrrp-journal": journal(BEGAN - timedelta(days=1))}),
        "lb2": QuotingShell({"clock": moment, "ha.vrrp-journal": journal(BEGAN + timedelta(seconds=10))}),
    }
    done = run_checks(
        HOSTS,
        declared,
        shell_for=lambda each: shells[each.id],
        keeper=MemoryKeeper(),
        clock=FixedClock(NOW),
        progress=SilentProgress(),
        some=chosen(ids=("ha.failover-drill",)),
        own=Own(ledger, HOSTS, declared, NOW, ZoneInfo("Asia/Ho_Chi_Minh")),
    )
    return next(each for each in done.results() if each.host == "front")


def every(seconds: int, away: range, *, first: int = -60, last: int = 1800) -> list[tuple[int, int]]:
    return [(at, 0 if at in away else 200) for at in range(first, last, seconds)]


@pytest.mark.parametrize(
    ("samples", "expected"),
    [
        (every(5, range(5, 41)), ("pass", "")),
        (every(5, range(5, 61)), ("unknown", "samples-too-far-apart")),  # at least 55 s, at most 65 s
        (every(5, range(5, 120)), ("fail", "outage-too-long")),
        (every(5, range(5, 41), first=5), ("unknown", "not-sampled")),
        (every(5, range(5, 41), last=600), ("unknown", "not-sampled")),
        (every(5, range(5, 1800)), ("fail", "outage-too-long")),
        (every(300, range(1, 2), first=-300), ("unknown", "samples-too-far-apart")),
        (every(50, range(1, 2)), ("pass", "")),
        (every(60, range(1, 2)), ("unknown", "samples-too-far-apart")),  # 60 s as kept, and as much as 60.9 s
        (every(1, range(5, 66)), ("unknown", "samples-too-far-apart")),  # 60 s as kept, and as little as 59.1 s
        ([*every(5, range(5, 41)), *((at, 503) for at in range(7200, 9000, 5))], ("pass", "")),
        ([], ("unknown", "not-sampled")),
    ],
)
def test_drill_is_judged_by_what_visitors_met(
    tmp_path: Path, samples: list[tuple[int, int]], expected: tuple[str, str]
) -> None:
    result = drill(tmp_path, samples)

    assert (result.verdict.value, result.reason) == expected, str(result.message)


def test_samples_that_cannot_be_read_leave_it_unknown(tmp_path: Path) -> None:
    result = drill(tmp_path, every(5, range(5, 41)), broken=True)

    assert (result.verdict.value, result.reason) == ("unknown", "register-unreadable")


def test_outage_is_told_in_seconds(tmp_path: Path) -> None:
    assert str(drill(tmp_path, every(5, range(5, 41))).message).endswith("users were cut off for at most 46 s")
