"""Holds a host's new answer against the newest one before it, as one more section of the answer: see `probes/drift`."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Final

from checks.servers.attribution import Place, Placed, Span, placed
from checks.servers.baseline import Changes
from checks.servers.by_hand import SECTION as BY_HAND
from checks.servers.carried import Original
from checks.servers.drift._kind import Look
from checks.servers.drifting import CARRIED, Drift, Unseen, drift_between, probes, reverted
from checks.servers.facts import Facts, facts_from
from checks.servers.gather import Answer, AnswerRejected, parse_answer
from checks.servers.probe import Missing, ProbeResult
from checks.servers.probes import drift, own_changes, own_incidents
from checks.servers.probes.own_incidents import OPEN_DAYS, HostIncident
from portalops.model.changes import ChangeOrder

LISTED: Final = 2000
"""So many changes of one host are listed, the oldest first; the rest is counted."""


def is_a_look(answer: Answer) -> bool:
    """Say whether an answer is of a look inside, at a moment that is known; what a person brought was seen some time before."""
    return BY_HAND not in answer.sections and any(name in answer.sections for name in probes())


def look_of(answer: Answer, at: datetime) -> Look:
    """Return what drift is seen by in an answer, and what portalops's own records said then."""
    own = {probe.id: probe for probe in (drift.PROBE, own_changes.PROBE, own_incidents.PROBE)}
    return Look(at, facts_from(answer, {**probes(), **own}))


def section_for(
    host: str, raw: bytes, at: datetime, earlier: Iterator[tuple[Original, Answer]], declared: Changes | None
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
    if not is_a_look(answer):
        return None
    last = next((each for each in earlier if is_a_look(each[1])), None)
    if last is None:
        return drift.section(None)
    return drift.section(still_open(host, look_of(last[1], last[0].at), look_of(answer, at), declared))


def still_open(host: str, before: Look, after: Look, declared: Changes | None) -> Drift:
    """Return what changed between two looks, and what the first of them carried on that stands under no approval yet."""
    now, carried = drift_between(host, before, after), before.get(drift.PROBE)
    if isinstance(carried, Missing):
        lost = () if carried.reason in {drift.FIRST, "not-gathered"} else (Unseen(CARRIED, carried),)
        return _bounded(replace(now, unknown=(*now.unknown, *lost)))
    standing = placed_by(carried, after, declared)
    older = tuple(each.drifted for each in standing if each.place is not Place.UNDER)
    changed = reverted((*older, *now.changed), after)
    runs = {one.at: one for one in (*carried.runs, *now.runs)}
    during = {one.run_at for one in changed}
    return _bounded(
        replace(
            now,
            changed=changed,
            runs=tuple(one for one in runs.values() if one.at in during),
            left_out=carried.left_out,
        )
    )


def placed_by(found: Drift, look: Look, declared: Changes | None) -> tuple[Placed, ...]:
    """Return what each change falls under, by what own records said at a look."""
    changes, incidents = look.get(own_changes.PROBE), look.get(own_incidents.PROBE)
    return placed_of(found, changes, incidents, declared)


def placed_in(found: Drift, facts: Facts) -> tuple[Placed, ...]:
    """Return what each change falls under, as a check has the records."""
    changes, incidents = facts.get(own_changes.PROBE), facts.get(own_incidents.PROBE)
    return placed_of(found, changes, incidents, facts.declared.changes)


def placed_of(
    found: Drift,
    changes: tuple[ChangeOrder, ...] | Missing,
    incidents: tuple[HostIncident, ...] | Missing,
    declared: Changes | None,
) -> tuple[Placed, ...]:
    """Return what each change falls under."""
    seen = () if isinstance(incidents, Missing) else incidents
    spans = [Span(one.id, one.began_at, one.ended_at or one.detected_at + timedelta(days=OPEN_DAYS)) for one in seen]
    return placed(found.changed, declared, changes, spans, found.runs)


def _bounded(found: Drift) -> Drift:
    left = max(0, len(found.changed) - LISTED)
    return replace(found, changed=found.changed[:LISTED], left_out=found.left_out + left)
