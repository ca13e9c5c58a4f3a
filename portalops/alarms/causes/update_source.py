"""Each source of updates answers, and its answers prove something."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

from portalops.alarms.facts import AlarmFacts
from portalops.alarms.kinds import CauseKind, Seen, key_of
from portalops.model.alarms import AlarmCause, SoundThing
from portalops.model.message import msg

GRAVE_AFTER = timedelta(hours=24)
"""Article 11.1 asks for each working day: a source that is blind for a day has left one unknown."""


def find(facts: AlarmFacts) -> Iterator[Seen]:
    """Look at each source's newest poll of the newest collection; one that was not polled there is neither."""
    updates = facts.evidence.updates
    if updates is None:
        return
    newest = {each.source: each for each in (*updates.body.untold, *updates.body.polls)}
    for name in facts.sources:
        poll = newest.get(name)
        if poll is None:
            continue
        key = key_of("update-source", name)
        hint = msg("Run 'portalops updates stale': it says what is wrong and what mends it.")
        if not poll.ok:
            what = msg("source {source} does not answer", source=name)
            yield AlarmCause(key, "no-answer", what, hint, GRAVE_AFTER, records=(updates.seq,))
        elif poll.blind is not None:
            what = msg("source {source} answers, and proves nothing", source=name)
            yield AlarmCause(key, "blind", what, hint, GRAVE_AFTER, records=(updates.seq,))
        else:
            yield SoundThing(key, (updates.seq,))


CAUSE = CauseKind(find=find, expected=lambda facts: facts.sources, word=msg("source {id}"))
