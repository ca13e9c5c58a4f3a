"""Checks many hosts at once, with a bound on how many, and keeps what each of them said."""

from __future__ import annotations

import logging
import zlib
from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, as_completed, wait
from dataclasses import dataclass, field, replace
from datetime import datetime
from itertools import chain
from typing import Any

from checks.servers import carried
from checks.servers import outside_scan as view
from checks.servers.by_hand import SuppliedAnswer
from checks.servers.catalogue import checks, probes_of
from checks.servers.check import Check
from checks.servers.comparing import section_for
from checks.servers.declared import Declared
from checks.servers.earlier import EarlierAnswers, Repeated
from checks.servers.earlier_scans import VALID_FOR, EarlierScans
from checks.servers.gather import HostSilent, appended, gather, is_slow, is_whole, joined_with_slow, no_answer
from checks.servers.judging import CRYPTO, KEY_CHANGED, LEGACY_SSH, judge_again, unreached
from checks.servers.lookup import Vulnerabilities
from checks.servers.machine import PROBE_ID, Machine
from checks.servers.outside.section import is_seen
from checks.servers.outside_scan import Outside, skip_outside_scan
from checks.servers.own import Own, own_probes, own_sections
from checks.servers.probe import MissingFact, Probe, ProbeResult
from checks.servers.probes import drift, vulnerabilities
from checks.servers.script import HOST_SECONDS
from checks.servers.standby import GroupCheck, MemberAnswer, judge_groups, members_of, read_member
from checks.servers.this_machine import machine_here
from portalops.errors import HostAway, HostKeyChanged, HostNotEnrolled, HostUnreachable, LegacySsh, PortalOpsError
from portalops.model.checks import CheckResult, CheckScan, HostScan
from portalops.model.hosts import LOCAL
from portalops.model.message import Message, msg
from portalops.model.organisation import Host, HostId
from portalops.model.verdicts import CheckVerdict
from portalops.ports import Clock, EvidenceStore, Progress, Shell

_log = logging.getLogger(__name__)

AT_ONCE = 32
"""Hosts that are looked at at the same time where nothing else is configured: they mostly wait."""
_REASONS = {
    HostKeyChanged: KEY_CHANGED,
    HostNotEnrolled: "host-not-enrolled",
    LegacySsh: LEGACY_SSH,
    HostSilent: "host-deadline",
}
"""Of the ways in which a host can't be looked at, those that must not be taken for a passing trouble of the network."""


@dataclass(frozen=True, slots=True)
class Errand:
    """One host that is to be asked."""

    host: Host
    spared: frozenset[str] = frozenset()
    """Probes that it need not be asked for, since an earlier answer speaks for them."""


@dataclass(frozen=True, slots=True)
class Answered:
    """What came of asking one host."""

    host: HostId
    at: datetime
    """When the answer was received, UTC."""
    answer: bytes | MissingFact


Askers = Callable[[Sequence[Errand]], Iterator[Answered]]
"""Asks hosts elsewhere, such as by workers on other machines, and yields each one's answer when it is there, in any order."""


def ask(
    errand: Errand,
    shell_for: Callable[[Host], Shell],
    *,
    clock: Clock,
    seconds: float = HOST_SECONDS,
    machine: Machine | None = None,
) -> Answered:
    """Ask one host all that checks need of it; what goes wrong on the way is the answer."""
    wanted = [probe for probe in probes_of(checks()).values() if probe.id not in errand.spared]
    way = _Way(shell_for, seconds, clock, machine or machine_here())
    trip = way.travel(errand.host, wanted, Repeated())
    answer = way.follow(trip).answer if trip.later else trip.answer
    return Answered(errand.host.id, trip.at, answer)


def run_checks(
    hosts: Sequence[Host],
    declared: Declared,
    *,
    shell_for: Callable[[Host], Shell],
    keeper: EvidenceStore,
    clock: Clock,
    progress: Progress,
    some: Sequence[Check] | None = None,
    machine: Machine | None = None,
    known: Vulnerabilities | None = None,
    at_once: int = AT_ONCE,
    outside: Outside | None = None,
    own: Own | None = None,
    brought: Mapping[HostId, SuppliedAnswer] | None = None,
    anew: bool = False,
    askers: Askers | None = None,
    host_seconds: float = HOST_SECONDS,
    judged: Callable[[HostScan], None] = lambda _host: None,
) -> CheckScan:
    """Look at every host in one trip each, keep the answers, and judge them.

    Each host is judged when its own answer is there, whatever the others do. Slow probes are asked for in a second trip, behind the
    first trips of all hosts; a host that is asked for some is judged twice.

    A host that can't be reached has all its checks unknown; it takes nothing from the others. Declared groups of hosts are
    judged last, from what their members said, and stand behind the hosts.

    Args:
        hosts: at least one; the round has them by id.
        declared: what checks compare with.
        shell_for: opens the way to a host; it may raise HostUnreachable.
        keeper: where the answers are kept.
        clock: says when an answer was received.
        progress: gets a step for each host.
        some: the checks to run; all by default.
        machine: the second view of the local host; see `machine_here` for the default.
        known: the bundles that packages are looked up in; none by default.
        at_once: how many hosts are looked at at the same time.
        outside: looks at the hosts from outside as well; without it nobody does, and the newest look that the ledger of
            `own` holds speaks for them, for as long as it may.
        own: what portalops's own records are read from; without it what rests on them is unknown.
        brought: answers of hosts that a person brought; these hosts are not asked.
        anew: ask the hosts also for what an earlier answer in the ledger of `own` still speaks for.
        askers: who asks the hosts, if not this process by `shell_for`; the view from outside stays here.
        host_seconds: how long each host is waited for, its slow probes apart.
        judged: is told of each host's results at once, and again once its slow probes have come.
    """
    wanted = checks() if some is None else tuple(some)
    second = machine or machine_here()
    recorded = own_sections(own, probes_of(wanted)) if own else {}
    begun = clock.now()
    answers = EarlierAnswers(own.ledger if own else None, begun - VALID_FOR)
    earlier = EarlierScans(answers, begun)
    older = EarlierAnswers(own.ledger if own else None, begun - drift.COMPARED_WITHIN)
    probes = tuple(probes_of(wanted).values())
    with (
        progress.task(msg("Checking the servers"), total=len(hosts), unit="items") as task,
        ThreadPoolExecutor(max_workers=max(1, min(at_once, len(hosts))), thread_name_prefix="check") as pool,
    ):
        # NOTE: progress, keeper and ledger are called from this thread only; none promises to be safe in several.
        rounds: dict[HostId, HostScan] = {}
        way = _Way(shell_for, host_seconds, clock, second)
        looks: dict[str, MemberAnswer] = {}
        members, together = members_of(declared), probes_of(one for one in wanted if isinstance(one, GroupCheck))

        def prepare(host: Host) -> Repeated:
            return Repeated() if anew else answers.to_repeat(host.id, probes, begun)

        def seen(trip: _Trip) -> _Trip:
            return _both_ways(trip, declared, wanted, outside)

        def travel(host: Host, kept: Repeated) -> _Trip:
            own_trip = _read_supplied(host, clock, brought or {})
            return seen(own_trip or way.travel(host, probes, kept))

        def there(host: Host) -> bool:
            return askers is not None and host.id not in (brought or {})

        here = [host for host in hosts if not there(host)]
        trips = _as_they_come(pool, here, at_once, prepare=prepare, travel=travel, follow=way.follow)
        if askers is not None:
            elsewhere = {host.id: (host, prepare(host)) for host in hosts if there(host)}
            trips = chain(trips, _from_elsewhere(pool, askers, elsewhere, seen))
        for trip in trips:
            joined = _joined_with(trip, declared, earlier, recorded.get(trip.host.id, ()))
            whole = _find_vulnerabilities(joined, declared, wanted, known or Vulnerabilities())
            whole = _compared(whole, declared, wanted, older)
            rounds[trip.host.id] = one = _judged(whole, declared, wanted, keeper)
            judged(one)
            if trip.host.id in members:
                looks[trip.host.id] = read_member(trip.host, trip.at, whole.answer, together)
            task.note(_came_to(one))
            if not trip.later:
                task.advance(1)
    hosts_judged = sorted(rounds.values(), key=lambda one: one.host)
    return CheckScan((*hosts_judged, *judge_groups(looks, declared, clock.now(), wanted)))


def _came_to(one: HostScan) -> Message:
    """Say how a host's checks came out, for whoever waits for the others."""
    verdicts = [result.verdict for result in one.results]
    return msg(
        "{host}: {passed} pass, {failed} fail, {unknown} unknown",
        host=one.host,
        passed=verdicts.count(CheckVerdict.PASS),
        failed=verdicts.count(CheckVerdict.FAIL),
        unknown=verdicts.count(CheckVerdict.UNKNOWN) + verdicts.count(CheckVerdict.ERROR),
    )


@dataclass(frozen=True, slots=True)
class _Trip:
    """What came back from one host."""

    host: Host
    at: datetime
    answer: bytes | MissingFact
    kept: Repeated = field(default_factory=Repeated)
    """What the host was not asked for, since an earlier answer speaks for it yet."""
    outside: tuple[ProbeResult, ...] = ()
    """The sections of the view from outside."""
    brought_by: str = ""
    """Who brought the answer by hand; empty where the host was asked itself."""
    later: tuple[Probe[Any], ...] = ()
    """The slow probes that it is yet to be asked for."""
    from_outside: bytes | None = None
    """Of a host that did not answer inside: what was seen of it from outside, and what own records say."""


def _as_they_come(
    pool: ThreadPoolExecutor,
    hosts: Sequence[Host],
    at_once: int,
    *,
    prepare: Callable[[Host], Repeated],
    travel: Callable[[Host, Repeated], _Trip],
    follow: Callable[[_Trip], _Trip],
) -> Iterator[_Trip]:
    """Yield each trip when it is over, and again when its slow probes are; never more than `at_once` are under way or waiting to be taken.

    A host that takes long holds up none behind it, and however many hosts there are, only so many answers are held as they
    came; those that wait for their slow probes are held packed. What a trip needs is prepared in this thread.
    """
    rest = deque(hosts)
    behind: deque[tuple[_Trip, bytes]] = deque()
    under_way: set[Future[_Trip]] = set()
    while rest or behind or under_way:
        while (rest or behind) and len(under_way) < at_once:
            if rest:
                host = rest.popleft()
                under_way.add(pool.submit(travel, host, prepare(host)))
            else:
                before, packed = behind.popleft()
                under_way.add(pool.submit(follow, replace(before, answer=zlib.decompress(packed))))
        for over in wait(under_way, return_when=FIRST_COMPLETED).done:
            under_way.remove(over)
            trip = over.result()
            if trip.later and isinstance(trip.answer, bytes):
                behind.append((replace(trip, answer=b""), zlib.compress(trip.answer, 1)))
            yield trip


def _from_elsewhere(
    pool: ThreadPoolExecutor,
    askers: Askers,
    hosts: Mapping[HostId, tuple[Host, Repeated]],
    seen: Callable[[_Trip], _Trip],
) -> Iterator[_Trip]:
    """Yield the trips that others make, each with what this machine sees of the host from outside."""
    under_way: set[Future[_Trip]] = set()
    for answered in askers([Errand(host, frozenset(kept.originals)) for host, kept in hosts.values()]):
        host, kept = hosts[answered.host]
        under_way.add(pool.submit(seen, _Trip(host, answered.at, answered.answer, kept)))
        for over in [each for each in under_way if each.done()]:
            under_way.remove(over)
            yield over.result()
    for over in as_completed(under_way):
        yield over.result()


@dataclass(frozen=True, slots=True)
class _Way:
    """What a host is asked with."""

    shell_for: Callable[[Host], Shell]
    seconds: float
    """How long it is waited for."""
    clock: Clock
    machine: Machine

    def travel(self, host: Host, probes: Sequence[Probe[Any]], kept: Repeated) -> _Trip:
        """Ask a host for its usual probes, and tell which slow ones it is yet to be asked for."""
        wanted = [probe for probe in probes if probe.id not in kept.originals]
        slow = tuple(probe for probe in wanted if is_slow(probe))
        begun = self.clock.monotonic()

        def without(reason: str, seen: Message) -> _Trip:
            return _Trip(host, self.clock.now(), MissingFact(reason, seen))

        try:
            raw = gather(self.shell_for(host), [probe for probe in wanted if probe not in slow], seconds=self.seconds)
        except HostAway as error:
            waited = round(self.clock.monotonic() - begun)
            return without(
                "host-unreachable", msg("{problem} (waited {seconds} s)", problem=error.message, seconds=waited)
            )
        except HostUnreachable as error:
            return without(_REASONS.get(type(error), "host-unreachable"), error.message)
        except PortalOpsError as error:
            return without("gather-failed", error.message)
        except Exception as error:  # noqa: BLE001  # one host's fault must not take the others with it, nor vanish
            return without("gather-crashed", _crashed(host, error))
        at = self.clock.now()
        later = slow if slow and is_whole(raw) else ()
        if host.address == LOCAL and any(probe.id == PROBE_ID for probe in probes):
            raw = appended(raw, _second_view(self.machine))
        return _Trip(host, at, raw, kept, later=later)

    def follow(self, trip: _Trip) -> _Trip:
        """Ask a host that answered for its slow probes."""
        if isinstance(trip.answer, MissingFact):
            return replace(trip, later=())
        try:
            whole = joined_with_slow(trip.answer, self.shell_for(trip.host), trip.later, seconds=self.seconds)
        except Exception as error:  # noqa: BLE001  # as above; the answer that is there must not be lost with it
            _crashed(trip.host, error)
            whole = trip.answer
        return replace(trip, answer=whole, later=())


def _crashed(host: Host, error: Exception) -> Message:
    _log.exception("gathering from %s failed", host.id)
    return msg("the scan of the host failed with {error}: a fault in portalops", error=type(error).__name__)


def _read_supplied(host: Host, clock: Clock, brought: Mapping[HostId, SuppliedAnswer]) -> _Trip | None:
    """Return the answer of a host that a person brought; ages are counted from now, when it is received."""
    found = brought.get(host.id)
    return _Trip(host, clock.now(), found.answer, brought_by=found.facts.by) if found else None


def _both_ways(trip: _Trip, declared: Declared, some: Sequence[Check], outside: Outside | None) -> _Trip:
    """Add what is seen of the host from outside, or that nobody looked."""
    wanted = [name for name in probes_of(some) if name in view.ALL]
    if outside is None:
        return replace(trip, outside=skip_outside_scan(wanted))
    inside = trip.answer if isinstance(trip.answer, bytes) else None
    return replace(trip, outside=outside.sections(trip.host, declared.find_host(trip.host.id), wanted, inside))


def _joined_with(trip: _Trip, declared: Declared, earlier: EarlierScans, recorded: Sequence[ProbeResult]) -> _Trip:
    """Make one answer of all that was seen: of what nobody looked at from outside, the newest look before; and own records."""
    addresses = view.addresses_of(trip.host, declared.find_host(trip.host.id))
    outside, originals = earlier.instead_of(trip.host.id, trip.outside, addresses)
    if isinstance(trip.answer, bytes):
        whole = carried.written({**originals, **trip.kept.originals})
        return replace(trip, answer=appended(trip.answer, *outside, *recorded, whole, kept=trip.kept.sections))
    found = (*outside, *recorded, carried.written(originals))
    return replace(trip, from_outside=appended(no_answer(), *found)) if any(map(is_seen, found)) else trip


def _second_view(machine: Machine) -> ProbeResult:
    try:
        return machine.snapshot()
    except Exception as error:  # noqa: BLE001  # the answer that is there must not be lost with it
        _log.exception("the second view of this machine failed")
        return ProbeResult(PROBE_ID, 1, b"", repr(error).encode("utf-8", "surrogateescape"), 0)


def _find_vulnerabilities(trip: _Trip, declared: Declared, some: Sequence[Check], known: Vulnerabilities) -> _Trip:
    """Add what the bundles say of the host's packages, so that the kept answer holds all that is judged."""
    if isinstance(trip.answer, MissingFact) or vulnerabilities.PROBE.id not in probes_of(some):
        return trip
    is_pro = declared.find_host(trip.host.id).support == "esm"
    return replace(trip, answer=appended(trip.answer, known.section(trip.answer, is_pro=is_pro)))


def _compared(trip: _Trip, declared: Declared, some: Sequence[Check], older: EarlierAnswers) -> _Trip:
    """Add what changed since the host's newest answer before, so that the kept answer holds all that is judged."""
    if isinstance(trip.answer, MissingFact) or drift.PROBE.id not in probes_of(some):
        return trip
    changes, host = declared.find_host(trip.host.id).changes, trip.host.id
    section = section_for(host, trip.answer, trip.at, older.read_host(host), changes)
    return trip if section is None else replace(trip, answer=appended(trip.answer, section))


def _judged(trip: _Trip, declared: Declared, some: Sequence[Check], keeper: EvidenceStore) -> HostScan:
    if isinstance(trip.answer, MissingFact):
        results = _without_answer(trip, trip.answer, declared, some, keeper)
        return HostScan(trip.host.id, trip.at, False, trip.answer.seen, results)
    keeper.keep(trip.answer)
    results = judge_again(trip.answer, trip.host, declared, trip.at, some=some)
    return HostScan(trip.host.id, trip.at, True, "", results, brought_by=trip.brought_by)


def _without_answer(
    trip: _Trip, why: MissingFact, declared: Declared, some: Sequence[Check], keeper: EvidenceStore
) -> tuple[CheckResult, ...]:
    """Judge a host that could not be looked at inside by what needs no more than the view from outside and own records."""
    if trip.from_outside is None:
        return unreached(trip.host, why, trip.at, some)
    keeper.keep(trip.from_outside)
    elsewhere = {*view.ALL, *own_probes()}
    seen = [one for one in some if all(probe.id in elsewhere for probe in one.needs)]
    rest = [one for one in some if one not in seen]
    judged = judge_again(trip.from_outside, trip.host, declared, trip.at, some=seen)
    if why.reason == LEGACY_SSH:
        # Nobody need look from outside to know what the way in showed.
        unsure = {one.check for one in judged if one.check == CRYPTO and one.verdict is CheckVerdict.UNKNOWN}
        judged = tuple(one for one in judged if one.check not in unsure)
        rest += [one for one in seen if one.id in unsure]
    return tuple(sorted((*judged, *unreached(trip.host, why, trip.at, rest)), key=lambda one: one.check))
