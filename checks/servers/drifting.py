"""What changed between two looks at one host; pure. Kinds are the files of `drift/`, found by their names.

Times are the host's own, with how far its clock was from the portal's when it was looked at; what has no time of its own lies
between the two looks. A host that was set up anew differs in everything, and that is said once.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import replace
from datetime import timedelta
from functools import lru_cache
from typing import Any, Final

from checks.servers.clocks import CLOCKS_APART
from checks.servers.drift import packages
from checks.servers.drift._kind import DriftStep, HostView, Kind
from checks.servers.drifted import COMPARING, Drift, Drifted, PackageChange, Unseen
from checks.servers.probe import MissingFact, Probe, shown
from checks.servers.probes import clock, etc_files, file_times, identity
from portalops.model.message import Message, msg
from portalops.plugins import Door

REBUILT: Final = "rebuilt"
CARRIED: Final = "earlier"
"""In the place of a kind, of what an answer was to carry on and does not hold."""
SURE: Final = timedelta(seconds=5)
"""How exactly a clock is measured: between its being read and the answer's arrival lies the way home."""
NAME, CONTENT = 300, 200
"""So many letters of what hosts say are kept of a name, and of what it holds."""


KINDS: Final = Door("checks.servers.drift", "KIND", Kind)


@lru_cache(maxsize=1)
def kinds() -> tuple[Kind, ...]:
    """Return every kind of drift, by id."""
    return tuple(sorted((kind for _name, kind in KINDS.all()), key=lambda one: one.id))


def word_of(kind: str) -> Message:
    """Return what a kind is called."""
    words = {one.id: one.word for one in kinds()}
    return {**words, CARRIED: msg("earlier change")}.get(kind, msg("host"))


@lru_cache(maxsize=1)
def probes() -> Mapping[str, Probe[Any]]:
    """Return every probe that drift is seen by, by id."""
    every = [probe for kind in kinds() for probe in kind.probes]
    return {probe.id: probe for probe in (*every, clock.PROBE, identity.PROBE, etc_files.PROBE, file_times.PROBE)}


def drift_between(host: str, before: HostView, after: HostView, some: Collection[str] | None = None) -> Drift:
    """Return what changed at a host between two looks, by kind and name.

    Args:
        host: its id.
        before: the first look.
        after: the second one.
        some: the kinds to compare; all by default. Whether the host was set up anew is always looked at.
    """
    lacking: list[Unseen] = []
    named = (before.get(identity.PROBE), after.get(identity.PROBE))
    if isinstance(why := next((one for one in named if isinstance(one, MissingFact)), None), MissingFact):
        lacking.append(Unseen(REBUILT, why))
    elif isinstance(rebuilt := _rebuilt(host, before, after), Drifted):
        return Drift(before.at, after.at, (rebuilt,))
    runs = packages.runs_between(before, after)
    changed: list[Drifted] = []
    for kind in kinds():
        if some is not None and kind.id not in some:
            continue
        compared = kind.compare(before, after)
        lacking += [Unseen(kind.id, why) for why in compared.unknown]
        changed += [_timed(kind, step, (before, after), runs) for step in compared.steps]
    during = {one.run_at for one in changed if one.kind != packages.KIND.id}
    return Drift(
        before.at,
        after.at,
        tuple(changed),
        tuple(lacking),
        tuple(one for one in runs if one.until and one.at in during),
    )


def has(look: HostView, kind: str) -> bool:
    """Say whether a look tells all of a kind, so that another one can be held against it."""
    if kind == REBUILT:
        return not isinstance(look.found[identity.PROBE.id], MissingFact)
    return all(not one.compare(look, look).unknown for one in kinds() if one.id == kind)


def back_again(found: Drift, before: HostView, after: HostView) -> frozenset[str]:
    """Return the kinds that only the second of two looks tells all of: what happened to them is to be seen by an older look."""
    return frozenset(one.kind for one in found.unknown if has(after, one.kind) and not has(before, one.kind))


def clock_of(before: HostView, after: HostView) -> tuple[timedelta, timedelta]:
    """Return how far the host's clock was ahead at the second look, and how far its times may be off beyond that."""
    first, second = (_ahead(each) for each in (before, after))
    if second is None:
        return timedelta(0), CLOCKS_APART
    return second, SURE + (CLOCKS_APART if first is None else abs(second - first))


def reverted(changed: Iterable[Drifted], now: HostView) -> tuple[Drifted, ...]:
    """Return what is left of earlier changes: without things that are again as they were before the first of them."""
    every = tuple(changed)

    def told(state: Mapping[str, str] | MissingFact) -> Mapping[str, str] | MissingFact:
        if isinstance(state, MissingFact):
            return state
        return {shown(name, NAME): shown(content, CONTENT) for name, content in state.items()}

    states = {
        kind.id: told(kind.state(now)) for kind in kinds() if kind.state and any(one.kind == kind.id for one in every)
    }
    first: dict[tuple[str, str], Drifted] = {}
    for one in every:
        first.setdefault((one.kind, one.name), one)

    def is_back(one: Drifted) -> bool:
        state, was = states.get(one.kind), first[one.kind, one.name]
        if state is None or isinstance(state, MissingFact) or was.before is None or was.before == was.after:
            return False
        return state.get(one.name, "") == was.before

    return tuple(one for one in every if not is_back(one))


def _ahead(look: HostView) -> timedelta | None:
    told = look.get(clock.PROBE)
    return None if isinstance(told, MissingFact) else told - look.at.replace(microsecond=0)


def _rebuilt(host: str, before: HostView, after: HostView) -> Drifted | None:
    """Return that a host was set up anew: it gives itself another id, or none of its keys is one that it had."""
    old, new = before.get(identity.PROBE), after.get(identity.PROBE)
    if isinstance(old, MissingFact) or isinstance(new, MissingFact):
        return None
    if old.machine_id != new.machine_id:
        return Drifted(REBUILT, host, old.machine_id, new.machine_id, before.at, after.at)
    first, second = _host_keys(before), _host_keys(after)
    if first and second and not first & second:
        one, other = min(first), min(second)
        return Drifted(REBUILT, host, f"{one[0]} {one[1]}", f"{other[0]} {other[1]}", before.at, after.at)
    return None


def _host_keys(look: HostView) -> set[tuple[str, str]]:
    """Return the host's public keys as digests; of host keys the private half is not looked at."""
    found = look.get(etc_files.PROBE)
    if isinstance(found, MissingFact):
        return set()
    return {each for each in found.items() if each[0].startswith("/etc/ssh/ssh_host_") and each[0].endswith(".pub")}


def _timed(kind: Kind, step: DriftStep, looks: tuple[HostView, HostView], runs: Iterable[PackageChange]) -> Drifted:
    """Put a step into the portal's time; one that cannot lie between the two looks has no time that counts."""
    before, after = looks
    was, became = (None if each is None else shown(each, CONTENT) for each in (step.before, step.after))
    after_at = before.oldest_at(kind.probes)
    found = Drifted(kind.id, shown(step.name, NAME), was, became, after_at, after.at, by=shown(step.by, 60))
    if step.at is None:
        return found
    ahead, unsure = clock_of(before, after)
    earliest, latest = step.at - ahead - unsure, step.at - ahead + unsure
    if latest < after_at - COMPARING or earliest > after.at:
        return found
    run = next((one for one in runs if one.at <= step.at <= (one.until or one.at)), None)
    written = None if step.written_at is None or run else max(step.written_at, after_at - COMPARING + ahead)
    return replace(
        found,
        happened_at=step.at,
        ahead_seconds=round(ahead.total_seconds()),
        unsure_seconds=round(unsure.total_seconds()),
        known_by=step.known_by,
        run_at=run.at if run else None,
        written_at=written if written is not None and written < step.at else None,
    )
