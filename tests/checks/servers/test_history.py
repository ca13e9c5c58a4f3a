"""What the kept answers of some days say: how long a security update waited, and when the host was started."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from checks.servers.gather import appended
from checks.servers.history import PROBES, Histories, UpdateScan, read_scan, starts_in, waits_in
from checks.servers.patching.security_updates_installed import WaitingUpdates
from checks.servers.probe import MissingFact, ProbeResult
from checks.servers.probes.boots import Boots
from portalops import bodies
from portalops.ledger.ledger import Ledger
from portalops.ledger.record import NO_RUN
from portalops.model.checks import CheckResult, CheckScan, HostScan
from portalops.model.message import msg
from portalops.model.organisation import HostId
from portalops.model.server_history import UpdateWait, WaitEnd
from portalops.model.verdicts import CheckVerdict, Severity
from tests.checks.servers.looks import BOOT, apt, journal, stamp
from tests.checks.servers.samples import SAMPLES, read_sample
from tests.doubles import FixedClock

WEB = HostId("web1")
FIRST = datetime(2026, 11, 2, 1, 0, tzinfo=UTC)
DAY = timedelta(days=1)
ZONE = ZoneInfo("Asia/Ho_Chi_Minh")
LINES = {
    # Debian 13.6, apt 3.0.4
    "libpng16-16t64": "Inst libpng16-16t64 [1.6.48-1+deb13u5] (1.6.48-1+deb13u6 Debian:13.8/stable, Debian-Security:13/stable-security [amd64]) []",
    "libbrotli1": "Inst libbrotli1 [1.1.0-2+b7] (1.1.0-2+deb13u1 Debian:13.8/stable, Debian-Security:13/stable-security [amd64]) []",
    "libc6-dbg": "Inst libc6-dbg [2.41-12+deb13u4] (2.41-12+deb13u5 Debian:13.8/stable [amd64]) []",
}


def answer(at: datetime, *waiting: str, refreshed: datetime | None = None, runs: str = "", boots: str = "") -> bytes:
    """What a Debian host says at a moment."""
    sections = {
        "os.release": 'PRETTY_NAME="Debian GNU/Linux 13 (trixie)"\nID=debian\nVERSION_ID="13"\n',
        "apt.upgrades": "Reading package lists...\n" + "".join(f"{LINES[name]}\n" for name in waiting),
        "apt.index": "Packages|trixie-security|trixie-security|stable-security|Debian|Debian-Security\n",
        "apt.lists": f"stamp {stamp(refreshed or at)} /var/lib/apt/periodic/update-stamp\n"
        "release /var/lib/apt/lists/deb.debian.org_debian-security_dists_trixie-security_InRelease\n"
        f"Date: {refreshed or at:%a, %d %b %Y %H:%M:%S} UTC\nValid-Until: {at + 7 * DAY:%a, %d %b %Y %H:%M:%S} UTC\nend\n",
        "apt.history": runs or apt((FIRST - 90 * DAY, FIRST - 90 * DAY, "-", "Install base-files")),
        **({"change.boots": boots} if boots else {}),
    }
    raw = f"portalops-answer 1 nonce={'ab' * 16} rc=0 cut=0\n".encode()
    for name, text in sections.items():
        raw = appended(raw, ProbeResult(name, 0, text.encode(), b"", 0))
    return raw


def test_nothing_that_is_read_here_is_repeated_from_earlier_answers() -> None:
    assert not [probe.id for probe in PROBES.values() if probe.repeated_for]


def looked(day: float, *waiting: str, refreshed: datetime | None = None, runs: str = "") -> UpdateScan:
    at = FIRST + day * DAY
    return read_scan(answer(at, *waiting, refreshed=refreshed, runs=runs), at)


def upgraded(day: float, *names: str) -> str:
    at = FIRST + day * DAY
    return apt((at, at + timedelta(minutes=1), "-", f"Upgrade {' '.join(names)}"))


@pytest.mark.parametrize("path", sorted((SAMPLES / "patching.security-updates").iterdir()), ids=lambda path: path.stem)
def test_what_waits_is_what_the_check_judges_by(path: Path) -> None:
    sample = read_sample(path)

    seen = read_scan(sample.raw, sample.at).waiting

    if isinstance(seen, MissingFact) or not (seen.packages or seen.is_whole):
        assert sample.verdict == "unknown"
    else:
        assert sample.verdict == ("fail" if seen.packages else "pass")


def test_update_waits_from_the_first_look_that_shows_it_until_the_log_has_it() -> None:
    looks = [
        looked(0),
        looked(1, "libpng16-16t64", "libc6-dbg"),
        looked(2, "libpng16-16t64"),
        looked(6, runs=upgraded(5.5, "libpng16-16t64", "libc6-dbg")),
    ]

    assert waits_in(WEB, looks) == (
        UpdateWait(WEB, "libpng16-16t64", FIRST + DAY, False, WaitEnd.LOGGED, FIRST + 5.5 * DAY),
    )
    assert waits_in(WEB, looks)[0].days == 4


def test_update_that_is_gone_without_an_entry_in_the_log_is_not_called_installed() -> None:
    (wait,) = waits_in(WEB, [looked(0, "libpng16-16t64"), looked(3, runs=upgraded(2, "libbrotli1"))])

    assert (wait.end, wait.ended_at, wait.is_older) == (WaitEnd.UNTOLD, FIRST + 3 * DAY, True)


def test_look_that_cannot_know_ends_no_wait_and_what_waits_is_told_up_to_the_last_look_that_shows_it() -> None:
    stale = looked(4, refreshed=FIRST)
    failed = UpdateScan(FIRST + 5 * DAY, MissingFact("probe-timeout", msg("it took too long")))
    assert stale.waiting == WaitingUpdates(frozenset(), is_whole=False)

    (wait,) = waits_in(WEB, [looked(0), looked(1, "libpng16-16t64"), looked(2, "libpng16-16t64"), stale, failed])

    assert (wait.end, wait.ended_at, wait.days) == (WaitEnd.WAITING, FIRST + 2 * DAY, 1)


def test_next_update_of_a_package_that_was_just_updated_is_a_wait_of_its_own() -> None:
    first, second = waits_in(
        WEB, [looked(0, "libpng16-16t64"), looked(9, "libpng16-16t64", runs=upgraded(8, "libpng16-16t64"))]
    )

    assert (first.end, first.ended_at, first.is_older) == (WaitEnd.LOGGED, FIRST + 8 * DAY, True)
    assert (second.end, second.seen_at, second.is_older) == (WaitEnd.WAITING, FIRST + 9 * DAY, False)


def test_answer_that_is_out_of_form_or_was_brought_by_hand_tells_nothing() -> None:
    brought = appended(answer(FIRST, "libpng16-16t64"), ProbeResult("by-hand", 0, b"{}", b"", 0))

    for raw in (b"garbage", brought):
        look = read_scan(raw, FIRST)
        assert isinstance(look.waiting, MissingFact)
        assert isinstance(look.boots, MissingFact)


def booted(day: float, *starts: float) -> UpdateScan:
    at = FIRST + day * DAY
    return UpdateScan(
        at, WaitingUpdates(frozenset(), True), (), Boots(tuple(FIRST + each * DAY for each in starts), True)
    )


def test_starts_are_told_by_the_newest_look_and_what_it_tells_no_more_by_older_ones() -> None:
    second = 1 / 86400
    looks = [booted(1, -30, 0.5), booted(5, 0.5 + 2 * second, 4), booted(9, 4 - second, 8)]

    found = starts_in(WEB, looks, FIRST, FIRST + 30 * DAY)

    assert found.at == tuple(FIRST + each * DAY for each in (0.5 + 2 * second, 4 - second, 8))
    assert found.known_since == FIRST - 30 * DAY


def test_starts_are_not_known_of_before_a_time_that_no_journal_tells() -> None:
    looks = [booted(1, -30, 0.5), booted(9, 4, 8)]

    found = starts_in(WEB, looks, FIRST, FIRST + 30 * DAY)

    assert found.at == tuple(FIRST + each * DAY for each in (0.5, 4, 8))
    assert found.known_since == FIRST + 4 * DAY


def test_starts_of_a_host_whose_journal_is_closed_are_not_known() -> None:
    closed = MissingFact("journal-closed", msg("the journal is empty"))

    found = starts_in(WEB, [UpdateScan(FIRST, WaitingUpdates(frozenset(), True), (), closed)], FIRST, FIRST + DAY)

    assert (found.at, found.known_since, found.why_not) == ((), None, closed.seen)


# --- read out of a ledger -----------------------------------------------------------------------


class Portal:
    """A ledger of some days with a round each."""

    def __init__(self, folder: Path) -> None:
        self.clock = FixedClock(FIRST)
        self.ledger = Ledger.open(folder, clock=self.clock, create=True)
        self.rounds: dict[datetime, CheckScan] = {}

    def round(self, day: float, raw: Mapping[str, bytes]) -> None:
        at = FIRST + day * DAY
        self.clock.at = at
        one = CheckScan(tuple(self._host(HostId(name), at, said) for name, said in raw.items()))
        self.ledger.append("check.finished", run=NO_RUN, body=bodies.write({"check": one}))
        self.rounds[at] = one

    def _host(self, host: HostId, at: datetime, raw: bytes) -> HostScan:
        kept = self.ledger.keep(raw)
        result = CheckResult("a.b", host, "12.3", Severity.LOW, CheckVerdict.PASS, "", msg("well"), None, (kept,))
        return HostScan(host, at, reached=True, problem="", results=(result,))

    def histories(self, since: datetime) -> Histories:
        within = [one.drop_sentences() for at, one in self.rounds.items() if at >= since]
        return Histories(self.ledger, within, since=since, until=FIRST + 40 * DAY, zone=ZONE)


def test_wait_that_began_before_the_time_is_told_from_its_beginning(tmp_path: Path) -> None:
    portal = Portal(tmp_path / "state")
    said: list[tuple[float, tuple[str, ...]]] = [
        (0, ("libbrotli1",)),
        (1, ()),
        (2, ("libpng16-16t64",)),
        (8, ("libpng16-16t64",)),
        (10, ("libpng16-16t64", "libbrotli1")),
        (10.2, ("libpng16-16t64",)),
    ]
    for day, waiting in said:
        portal.round(day, {"web1": answer(FIRST + day * DAY, *waiting), "db1": answer(FIRST + day * DAY)})
    boot = journal((BOOT, FIRST + 11.5 * DAY))
    portal.round(
        12,
        {"web1": answer(FIRST + 12 * DAY, runs=upgraded(11, "libpng16-16t64"), boots=boot), "db1": b"?"},
    )

    histories = portal.histories(FIRST + 9 * DAY)
    updates, starts = histories.read_host(WEB)
    other, unknown = histories.read_host(HostId("db1"))

    assert updates.waits == (
        UpdateWait(WEB, "libpng16-16t64", FIRST + 2 * DAY, False, WaitEnd.LOGGED, FIRST + 11 * DAY),
    )
    assert updates.waiting == ((date(2026, 11, 12), 1), (date(2026, 11, 14), 0))
    assert starts.at == (FIRST + 11.5 * DAY,)
    assert other.waiting == ((date(2026, 11, 12), 0), (date(2026, 11, 14), None))
    assert unknown.known_since is None


def test_answer_that_is_lost_is_not_known(tmp_path: Path) -> None:
    portal = Portal(tmp_path / "state")
    portal.round(1, {"web1": answer(FIRST + DAY)})
    kept = portal.rounds[FIRST + DAY].hosts[0].answer()
    assert kept is not None
    (path,) = (tmp_path / "state").rglob(f"*{kept[2:]}*")
    path.unlink()

    updates, starts = portal.histories(FIRST).read_host(WEB)

    assert updates.waiting == ((date(2026, 11, 3), None),)
    assert starts.why_not is not None
