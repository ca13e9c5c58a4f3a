"""Each planned job was done in its time."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

from portalops.alarms.facts import AlarmFacts
from portalops.alarms.kinds import CauseKind, Seen, key_of
from portalops.model.alarms import AlarmCause, SoundThing
from portalops.model.message import msg
from portalops.model.verdicts import RunOutcome


def find(facts: AlarmFacts) -> Iterator[Seen]:
    """Look at each job's newest run. One that fails is grave at once: nothing else tells what it was to do."""
    for each in facts.jobs:
        key = key_of("job", each.id)
        hint = msg("Run 'portalops run {job}' and read what it prints.", job=each.id)
        if each.outcome is RunOutcome.FAILED:
            yield AlarmCause(key, "failed", msg("job {job} failed", job=each.id), hint, timedelta())
        elif each.overdue is not None:
            what = msg("job {job} is overdue: {reason}", job=each.id, reason=each.overdue)
            yield AlarmCause(key, "overdue", what, hint, timedelta())
        elif each.outcome is not None:
            yield SoundThing(key)


CAUSE = CauseKind(find=find, expected=lambda facts: tuple(each.id for each in facts.jobs), word=msg("job {id}"))
