"""The door through which kinds of alarms come in, and what all of them see together."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TypeAlias

from portalops.alarms.facts import AlarmFacts
from portalops.model.alarms import AlarmCause, AlarmEnd, AlarmKey, SoundThing
from portalops.model.message import Message, msg
from portalops.model.values import dataclass
from portalops.model.verdicts import DutyVerdict
from portalops.plugins import Door

Seen: TypeAlias = AlarmCause | SoundThing

_NOT_MET = frozenset({DutyVerdict.UNMET, DutyVerdict.INSUFFICIENT_EVIDENCE})
DUTY = "duty"
"""The kind of the alarm of a duty that is not met, or not known, for nothing that has an alarm."""


@dataclass(frozen=True, slots=True)
class CauseKind:
    """One kind of thing that can be wrong."""

    find: Callable[[AlarmFacts], Iterator[Seen]]
    """Yields what is wrong and what is right, each with an id of the kind's own after its name; what was not found out is neither."""
    expected: Callable[[AlarmFacts], tuple[str, ...]]
    """Ids that there are: an alarm of another one is closed, since nobody looks at it any more."""
    word: Message
    """What such a thing is called, with `{id}`, such as `medium {id}`."""


CAUSES = Door("portalops.alarms.causes", "CAUSE", CauseKind)


def key_of(kind: str, thing: str) -> AlarmKey:
    """Return the key of a thing's alarm.

    >>> key_of("medium", "disk-b")
    'medium:disk-b'
    """
    return AlarmKey(f"{kind}:{thing}")


def find_all(facts: AlarmFacts) -> tuple[tuple[Seen, ...], frozenset[AlarmKey]]:
    """Return what is wrong and what is right, and the keys of all that is expected.

    A duty that is not met has an alarm of its own only where nothing that is wrong puts it at risk.
    """
    seen: list[Seen] = []
    expected: set[AlarmKey] = set()
    for name in CAUSES.names():
        kind = CAUSES.load(name)
        seen += kind.find(facts)
        expected |= {key_of(name, each) for each in kind.expected(facts)}
    told = {duty for each in seen if isinstance(each, AlarmCause) for duty in each.duties}
    for standing in facts.standings:
        key = key_of(DUTY, standing.duty)
        expected.add(key)
        verdict = standing.verdict
        if verdict in _NOT_MET and standing.duty in told:
            seen.append(SoundThing(key, standing.evidence, AlarmEnd.BY_CAUSE))
        elif verdict in _NOT_MET:
            hint = msg("Run 'portalops status {duty}': it lists what is missing.", duty=standing.duty)
            reason, records = standing.reason, standing.evidence
            seen.append(AlarmCause(key, verdict.value, reason, hint, duties=(standing.duty,), records=records))
        elif verdict in {DutyVerdict.MET, DutyVerdict.EXEMPT}:
            seen.append(SoundThing(key, standing.evidence))
    return tuple(seen), frozenset(expected)
