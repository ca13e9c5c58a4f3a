"""Holds a host's new answer against the newest one before it, as one more section of the answer: see `probes/drift`.

What that one lacks, and the new one has again, is held against the newest older look that has it, so that nothing is lost that
happened in between. Where no look that could be read has it, that is told, and told on, until changes are looked for from a later
moment on (`since` of what is declared).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Final

from checks.servers.attribution import ChangePlace, ExplainedSpan, Placed, placed
from checks.servers.baseline import ApprovedChanges
from checks.servers.by_hand import SECTION as BY_HAND
from checks.servers.carried import Original, originals_in
from checks.servers.drift._kind import HostView
from checks.servers.drifted import Drift, Unseen
from checks.servers.drifting import CARRIED, REBUILT, back_again, drift_between, has, probes, reverted
from checks.servers.facts import Facts, facts_from
from checks.servers.gather import AnswerRejected, HostAnswer, parse_answer
from checks.servers.probe import MissingFact, ProbeResult, fact_of
from checks.servers.probes import drift, own_changes, own_incidents
from checks.servers.probes.own_incidents import OPEN_DAYS, HostIncident
from portalops.model.changes import ChangeOrder
from portalops.model.message import msg

LISTED: Final = 2000
"""So many changes of one host are listed, the oldest first; the rest is counted."""


def is_inside_answer(answer: HostAnswer) -> bool:
    """Say whether an answer is of a look inside, at a moment that is known; what a person brought was seen some time before."""
    return BY_HAND not in answer.sections and any(name in answer.sections for name in probes())


def read_view(answer: HostAnswer, at: datetime) -> HostView:
    """Return what drift is seen by in an answer, and what portalops's own records said then."""
    own = {probe.id: probe for probe in (drift.PROBE, own_changes.PROBE, own_incidents.PROBE)}
    seen_at = {name: one.at for name, one in originals_in(answer).items()}
    return HostView(at, facts_from(answer, {**probes(), **own}), seen_at)


def section_for(
    host: str,
    raw: bytes,
    at: datetime,
    earlier: Iterator[tuple[Original, HostAnswer]],
    declared: ApprovedChanges | None,
) -> ProbeResult | None:
    """Return the section that a new answer gets; None where the answer is no look.

    Args:
        host: its id.
        raw: its answer, with the sections of own records.
        at: when it was received, UTC.
        earlier: its answers before, newest first.
        declared: what is approved beside the register.
    """
    try:
        answer = parse_answer(raw)
    except AnswerRejected:
        return None
    if not is_inside_answer(answer):
        return None
    older = list_complete_answers(earlier)
    last = next(older, None)
    if last is None:
        return drift.section(None)
    return drift.section(still_open(host, read_view(last[1], last[0].at), read_view(answer, at), declared, older))


def list_complete_answers(earlier: Iterable[tuple[Original, HostAnswer]]) -> Iterator[tuple[Original, HostAnswer]]:
    """Yield the looks that say what changed before them; where there is none, the newest look as it is.

    One that was held against none, such as of a round of before there was drift, or whose own word on that cannot be read, carries
    nothing on: to be compared with it would lose what is open.
    """
    newest: tuple[Original, HostAnswer] | None = None
    is_any = False
    for each in earlier:
        if not is_inside_answer(each[1]):
            continue
        if _is_compared(each[1]):
            is_any = True
            yield each
        elif newest is None:
            newest = each
    if newest is not None and not is_any:
        yield newest


def _is_compared(answer: HostAnswer) -> bool:
    section = answer.sections.get(drift.PROBE.id)
    if section is None:
        return False
    said = fact_of(drift.PROBE, section)
    return not isinstance(said, MissingFact) or said.reason == drift.FIRST


def still_open(
    host: str,
    before: HostView,
    after: HostView,
    declared: ApprovedChanges | None,
    older: Iterable[tuple[Original, HostAnswer]] = (),
) -> Drift:
    """Return what changed between two looks, and what the first of them carried on that stands under no approval yet.

    Args:
        host: its id.
        before: the first look.
        after: the second one.
        declared: what is approved beside the register.
        older: looks of before the first one, newest first, for what that lacks; read only as far as is needed.
    """
    carried = before.get(drift.PROBE)
    now = _bridged(host, before, after, () if isinstance(carried, MissingFact) else carried.unknown, older)
    if isinstance(carried, MissingFact):
        is_lost = carried.reason not in {drift.FIRST, "not-gathered"}
        lost = (Unseen(CARRIED, carried, gap_to=after.at),) if is_lost else ()
        return _bounded(replace(now.found, unknown=(*now.found.unknown, *lost)))
    standing = placed_by(carried, after, declared)
    open_ = tuple(
        each.drifted
        for each in standing
        if _is_open(each, declared)
        # what was told of a part of it is told again, whole
        and not each.drifted.after_at >= now.since.get(each.drifted.kind, after.at)
    )
    changed = reverted((*open_, *now.found.changed), after)
    runs = {one.at: one for one in (*carried.runs, *now.found.runs)}
    during = {one.run_at for one in changed}
    gaps = {one.kind: one for one in carried.unknown if one.gap_to is not None and _is_needed(one.gap_to, declared)}
    gaps |= {one.kind: one for one in now.found.unknown if one.gap_to is not None}
    return _bounded(
        replace(
            now.found,
            changed=changed,
            unknown=(*(one for one in now.found.unknown if one.gap_to is None), *gaps.values()),
            runs=tuple(one for one in runs.values() if one.at in during),
            left_out=carried.left_out,
        )
    )


def drifts_since(host: str, looks: Iterable[HostView], since: datetime) -> tuple[Drift, ...]:
    """Return what changed between every two looks of a time, oldest first.

    Args:
        host: its id.
        looks: newest first, those of before that time as well: the newest of them is what its first look is compared with, and
            older ones are read for what that lacks.
        since: when the time begins.
    """
    found: list[Drift] = []
    waiting: list[_Waiting] = []
    later: HostView | None = None
    is_within = True
    for look in looks:
        for each in waiting:
            if wanted := frozenset(kind for kind in each.kinds if has(look, kind)):
                found[each.at] = _joined(found[each.at], drift_between(host, look, each.after, wanted), wanted)
                each.kinds -= wanted
        waiting = [each for each in waiting if each.kinds]
        if is_within:
            if later is not None:
                found.append(drift_between(host, look, later))
                waiting.append(_Waiting(len(found) - 1, later, back_again(found[-1], look, later)))
            later = look
        is_within = is_within and look.at > since
        if not is_within and not any(each.kinds for each in waiting):
            break
    return tuple(reversed(found))


@dataclass
class _Waiting:
    """A look that has what the one before it lacks."""

    at: int
    """Its place among what was found."""
    after: HostView
    kinds: frozenset[str]


@dataclass(frozen=True, slots=True)
class _Bridged:
    found: Drift
    since: Mapping[str, datetime] = field(default_factory=dict)
    """By kind: the older look that it was held against."""


def _bridged(
    host: str, before: HostView, after: HostView, told: Iterable[Unseen], older: Iterable[tuple[Original, HostAnswer]]
) -> _Bridged:
    """Return what changed between two looks, and of what the first lacks, what changed since the newest look that has it."""
    found = drift_between(host, before, after)
    seen = {one.kind: one.seen_at for one in told if one.gap_to is None}
    # NOTE: "last seen" is asked of every kind that is unknown now, so that the next answer can tell where to look.
    last = {one.kind: before.at if has(before, one.kind) else seen.get(one.kind) for one in found.unknown}
    found = replace(found, unknown=tuple(replace(one, seen_at=last[one.kind]) for one in found.unknown))
    wanted = {kind: at for kind in back_again(found, before, after) if (at := last[kind]) is not None}
    since: dict[str, datetime] = {}
    for stood_in, answer in older if wanted else ():
        kinds = frozenset(kind for kind, at in wanted.items() if at == stood_in.at and kind not in since)
        if kinds:
            look = read_view(answer, stood_in.at)
            found = _joined(found, drift_between(host, look, after, kinds), kinds)
            since |= dict.fromkeys(kinds, stood_in.at)
        if stood_in.at <= min(wanted.values()):
            break
    gone = tuple(_gap(one, after) if one.kind in wanted.keys() - since.keys() else one for one in found.unknown)
    return _Bridged(replace(found, unknown=gone), since)


def _joined(found: Drift, across: Drift, kinds: frozenset[str]) -> Drift:
    """Return what two looks say, and of some kinds what an older look and the second say."""
    if any(one.kind == REBUILT for one in across.changed):
        # of a host that was set up anew in between, nothing older can be compared; that it was is news only if nobody saw it yet
        return across if REBUILT in kinds else replace(found, unknown=_without(found, kinds))
    return replace(
        found,
        changed=(*(one for one in found.changed if one.kind not in kinds), *across.changed),
        unknown=(*_without(found, kinds), *(one for one in across.unknown if one.kind in kinds)),
        runs=tuple({one.at: one for one in (*across.runs, *found.runs)}.values()),
    )


def _without(found: Drift, kinds: frozenset[str]) -> tuple[Unseen, ...]:
    return tuple(one for one in found.unknown if one.kind not in kinds)


def _gap(one: Unseen, after: HostView) -> Unseen:
    seen = msg("it was last seen at {seen}, but that answer can no longer be read", seen=one.seen_at or after.at)
    return replace(one, why=MissingFact("not-compared", seen), gap_to=after.at)


def _is_open(one: Placed, declared: ApprovedChanges | None) -> bool:
    """Say whether a change is told on: nothing covers it, or the configuration's word alone, which time makes no better."""
    if one.place is ChangePlace.UNDER and one.is_declared:
        return _is_needed(one.drifted.span()[1], declared)
    return one.place is not ChangePlace.UNDER


def _is_needed(at: datetime, declared: ApprovedChanges | None) -> bool:
    return declared is None or at >= declared.since


def placed_by(found: Drift, look: HostView, declared: ApprovedChanges | None) -> tuple[Placed, ...]:
    """Return what each change falls under, by what own records said at a look."""
    changes, incidents = look.get(own_changes.PROBE), look.get(own_incidents.PROBE)
    return placed_of(found, changes, incidents, declared)


def placed_in(found: Drift, facts: Facts) -> tuple[Placed, ...]:
    """Return what each change falls under, as a check has the records."""
    changes, incidents = facts.get(own_changes.PROBE), facts.get(own_incidents.PROBE)
    return placed_of(found, changes, incidents, facts.declared.changes)


def placed_of(
    found: Drift,
    changes: tuple[ChangeOrder, ...] | MissingFact,
    incidents: tuple[HostIncident, ...] | MissingFact,
    declared: ApprovedChanges | None,
) -> tuple[Placed, ...]:
    """Return what each change falls under."""
    seen = () if isinstance(incidents, MissingFact) else incidents
    spans = [
        ExplainedSpan(one.id, one.began_at, one.ended_at or one.detected_at + timedelta(days=OPEN_DAYS)) for one in seen
    ]
    return placed(found.changed, declared, changes, spans, found.runs)


def _bounded(found: Drift) -> Drift:
    left = max(0, len(found.changed) - LISTED)
    return replace(found, changed=found.changed[:LISTED], left_out=found.left_out + left)
