"""What the kept answers of hosts say over a time: how long security updates waited, and when hosts were started. Pure but for `read`.

A wait begins with the first look that shows the update, by one look a day, and ends when the package manager wrote down that it
changed the package. An update that was published and installed between two looks is not seen to wait. What a look could not
find out ends nothing and begins nothing.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any, Final
from zoneinfo import ZoneInfo

from checks.servers.by_hand import SECTION as BY_HAND
from checks.servers.carried import Original
from checks.servers.declared import HostDeclared
from checks.servers.drifted import PackageChange
from checks.servers.earlier import EarlierAnswers
from checks.servers.facts import Facts, facts_from
from checks.servers.gather import AnswerRejected, HostAnswer, parse_answer
from checks.servers.patching.security_updates_installed import WaitingUpdates, waiting_in
from checks.servers.probe import MissingFact, Probe
from checks.servers.probes import (
    apt_held,
    apt_history,
    apt_index,
    apt_lists,
    apt_upgrades,
    boots,
    dnf_updates,
    os_release,
    rpm_history,
)
from checks.servers.probes.boots import Boots
from portalops.errors import PortalOpsError
from portalops.model.checks import BriefScan
from portalops.model.message import msg
from portalops.model.organisation import Host, HostId
from portalops.model.record import Digest
from portalops.model.server_history import HostStarts, HostUpdates, UpdateWait, WaitEnd
from portalops.ports import LedgerReader

PROBES: Final[Mapping[str, Probe[Any]]] = {
    probe.id: probe
    for probe in (
        os_release.PROBE,
        apt_held.PROBE,
        apt_upgrades.PROBE,
        apt_index.PROBE,
        apt_lists.PROBE,
        apt_history.PROBE,
        dnf_updates.PROBE,
        rpm_history.PROBE,
        boots.PROBE,
    )
}
BACK: Final = timedelta(days=92)
"""So long before the time it is searched for since when an update has waited that waits in its first look."""
SAME_START: Final = timedelta(seconds=5)
"""The kernel's word on when it was started differs by so much between two looks."""


@dataclass(frozen=True, slots=True)
class UpdateScan:
    """One look at one host, as far as it concerns updates and starts."""

    at: datetime
    """When the answer was received, UTC."""
    waiting: WaitingUpdates | MissingFact
    runs: tuple[PackageChange, ...] = ()
    """What the package manager's log holds."""
    boots: Boots | MissingFact = MissingFact("not-gathered", msg("the host was not asked for this"))  # noqa: RUF009  # frozen


def read_scan(raw: bytes, at: datetime) -> UpdateScan:
    """Read a kept answer; of what a person brought nothing is taken, since nothing says when it was given."""
    try:
        answer = parse_answer(raw)
    except AnswerRejected as error:
        return UpdateScan(at, error.missing, boots=error.missing)
    return _read_scan(answer, at)


def _read_scan(answer: HostAnswer, at: datetime) -> UpdateScan:
    if BY_HAND in answer.sections:
        missing = MissingFact("brought-by-hand", msg("this is not judged from an answer supplied by hand"))
        return UpdateScan(at, missing, boots=missing)
    # NOTE: none of these probes is one whose sections are repeated from an earlier answer.
    facts = Facts(_NOBODY, HostDeclared(), at, facts_from(answer, PROBES))
    logs = [facts.get(apt_history.PROBE), facts.get(rpm_history.PROBE)]
    runs = next((log for log in logs if not isinstance(log, MissingFact)), ())
    started = facts.get(boots.PROBE)
    return UpdateScan(at, waiting_in(facts), runs, started)


_NOBODY = Host(HostId("-"), "-")
"""What waits is told by the facts alone, whichever host they are of."""


def waits_in(host: HostId, looks: Iterable[UpdateScan]) -> tuple[UpdateWait, ...]:
    """Return each package that was seen to wait, in the order in which it was seen first.

    Args:
        host: whose looks they are.
        looks: oldest first.
    """
    open_: dict[str, tuple[datetime, datetime, bool]] = {}  # first and last look that shows it, and whether it is older
    ended: list[UpdateWait] = []
    is_first = True
    for look in looks:
        if isinstance(look.waiting, MissingFact):
            continue
        for package in sorted(open_.keys() - look.waiting.packages):
            first, last, is_older = open_[package]
            changed_at = _changed(package, look.runs, last, look.at)
            if changed_at is None and not look.waiting.is_whole:
                continue  # it may wait on, unseen
            del open_[package]
            end = WaitEnd.UNTOLD if changed_at is None else WaitEnd.LOGGED
            ended.append(UpdateWait(host, package, first, is_older, end, changed_at or look.at))
        for package in look.waiting.packages:
            first, last, is_older = open_.get(package, (look.at, look.at, is_first))
            changed_at = _changed(package, look.runs, last, look.at)
            if changed_at is not None:  # one update was installed, and the next one waits already
                ended.append(UpdateWait(host, package, first, is_older, WaitEnd.LOGGED, changed_at))
                first, is_older = look.at, False
            open_[package] = first, look.at, is_older
        is_first = False
    ended += (
        UpdateWait(host, package, first, is_older, WaitEnd.WAITING, last)
        for package, (first, last, is_older) in open_.items()
    )
    return tuple(sorted(ended, key=lambda each: (each.seen_at, each.package)))


def _changed(package: str, runs: Iterable[PackageChange], after: datetime, before: datetime) -> datetime | None:
    """Return when the log says that a package was changed between two looks."""
    return next((run.at for run in runs if after < run.at <= before and package in run.packages), None)


def starts_in(host: HostId, looks: Sequence[UpdateScan], since: datetime, until: datetime) -> HostStarts:
    """Return when a host was started in a time: by the newest look that tells it, and by older ones what that tells no more."""
    found: list[datetime] = []
    known_since: datetime | None = None
    why_not = None
    for look in sorted(looks, key=lambda each: each.at, reverse=True):
        if isinstance(look.boots, MissingFact):
            why_not = why_not or look.boots.seen
            continue
        earliest = look.boots.at[0]
        found += [at for at in look.boots.at if not found or at < min(found) - SAME_START]
        if known_since is None or look.at >= known_since:  # else nothing tells what was between the two
            known_since = earliest if known_since is None else min(known_since, earliest)
    within = tuple(sorted(at for at in found if since <= at < until))
    return HostStarts(host, within, known_since, why_not if known_since is None else None)


# --- reading ----------------------------------------------------------------------------------


class Histories:
    """Reads hosts' answers out of a ledger, for the rounds of a time."""

    def __init__(
        self,
        ledger: LedgerReader,
        rounds: Iterable[BriefScan],
        *,
        since: datetime,
        until: datetime,
        zone: ZoneInfo,
    ) -> None:
        """Take what there is to read.

        Args:
            ledger: read only.
            rounds: those of the time, in any order.
            since: when the time begins.
            until: when it ends, not included.
            zone: whose days are told.
        """
        self._ledger, self._since, self._until, self._zone = ledger, since, until, zone
        self._kept = _last_of_day(rounds, zone)
        self._earlier = EarlierAnswers(ledger, since - BACK, since)

    def read_host(self, host: HostId) -> tuple[HostUpdates, HostStarts]:
        """Read what one host said, one look a day: the last one of each."""
        kept = self._kept.get(host, {})
        days = {day: self._scan(*answer) for day, answer in sorted(kept.items())}
        looks = list(days.values())
        waits = waits_in(host, [*self._read_older(host, looks), *looks])
        counts = tuple((day, _count(look)) for day, look in days.items())
        told = tuple(each for each in waits if each.end is WaitEnd.WAITING or each.ended_at >= self._since)
        return HostUpdates(host, counts, told), starts_in(host, looks, self._since, self._until)

    def _scan(self, at: datetime, answer: Digest) -> UpdateScan:
        try:
            return read_scan(self._ledger.blob(answer), at)
        except PortalOpsError as error:
            lost = MissingFact("answer-unreadable", error.message)
            return UpdateScan(at, lost, boots=lost)

    def _read_older(self, host: HostId, looks: Sequence[UpdateScan]) -> list[UpdateScan]:
        """Return older looks, oldest first, as far back as what waits in the first look of the time has waited."""
        first = next((look.waiting for look in looks if isinstance(look.waiting, WaitingUpdates)), None)
        if first is None or not first.packages:
            return []
        found: list[UpdateScan] = []
        for stood_in, answer in _one_a_day(self._earlier.read_host(host), self._zone):
            look = _read_scan(answer, stood_in.at)
            found.append(look)
            if (
                isinstance(look.waiting, WaitingUpdates)
                and look.waiting.is_whole
                and not look.waiting.packages & first.packages
            ):
                break
        return found[::-1]


def _count(look: UpdateScan) -> int | None:
    if isinstance(look.waiting, MissingFact):
        return None
    count = len(look.waiting.packages)
    return count if count or look.waiting.is_whole else None


def _last_of_day(
    rounds: Iterable[BriefScan], zone: ZoneInfo
) -> Mapping[HostId, Mapping[date, tuple[datetime, Digest]]]:
    """Return by host and local day the last answer that was kept."""
    found: dict[HostId, dict[date, tuple[datetime, Digest]]] = {}
    for one in rounds:
        for each in one.hosts:
            answer = None if each.standby or not each.reached else each.answer()
            if answer is None:
                continue
            days = found.setdefault(each.host, {})
            day = each.gathered_at.astimezone(zone).date()
            if day not in days or days[day][0] <= each.gathered_at:
                days[day] = each.gathered_at, answer
    return found


def _one_a_day(answers: Iterator[tuple[Original, HostAnswer]], zone: ZoneInfo) -> Iterator[tuple[Original, HostAnswer]]:
    """Yield the newest answer of each day."""
    last: date | None = None
    for each in answers:
        day = each[0].at.astimezone(zone).date()
        if day != last:
            last = day
            yield each
