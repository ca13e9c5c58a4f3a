"""Each backup medium has the newest set, and no copy on it is damaged."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

from portalops.alarms.facts import AlarmFacts
from portalops.alarms.kinds import CauseKind, Seen, key_of
from portalops.model.alarms import AlarmCause, SoundThing
from portalops.model.backups import CopyState
from portalops.model.message import msg

WHOLE = frozenset({CopyState.SEALED, CopyState.VERIFIED})
LACKING = frozenset({CopyState.FAILED, CopyState.REPLACED})
"""The run was to write there and could not, or what it wrote is gone. A medium that the run left out, such as discs, says nothing."""


def find(facts: AlarmFacts) -> Iterator[Seen]:
    """Look at each medium's copies: one that the newest set could not be written to, and a damaged copy, are grave at once."""
    sets = facts.evidence.sets()
    for name in facts.media:
        key = key_of("medium", name)
        damaged = [
            made for made in sets if any(one.medium == name and one.state is CopyState.DAMAGED for one in made.copies)
        ]
        newest = next((one for one in sets[-1].copies if one.medium == name), None) if sets else None
        if damaged:
            what = msg("medium {medium}: the copy of set {set} is damaged", medium=name, set=damaged[-1].set.id)
            hint = msg(
                "Run 'portalops backup show {set}', then 'portalops backup replicate {set}'.", set=damaged[-1].set.id
            )
            yield AlarmCause(key, "damaged", what, hint, timedelta(), records=tuple(each.seq for each in damaged))
        elif newest is not None and newest.state in LACKING:
            what = msg("medium {medium} lacks the newest set: {problem}", medium=name, problem=newest.shown_problem)
            hint = msg("Run 'portalops media check {medium}': it says whether the medium is there.", medium=name)
            yield AlarmCause(key, "lacking", what, hint, timedelta(), records=(sets[-1].seq,))
        elif newest is not None and newest.state in WHOLE:
            yield SoundThing(key, (sets[-1].seq,))


CAUSE = CauseKind(find=find, expected=lambda facts: facts.media, word=msg("medium {id}"))
