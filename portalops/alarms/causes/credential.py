"""Each credential is changed by its day, and known to nobody who left."""

from __future__ import annotations

from collections.abc import Iterator

from portalops.alarms.facts import AlarmFacts
from portalops.alarms.kinds import CauseKind, Seen, key_of
from portalops.model.alarms import AlarmCause, SoundThing
from portalops.model.message import msg
from portalops.model.rulebook import DutyId

CUSTODY = DutyId("12.5-custody")


def find(facts: AlarmFacts) -> Iterator[Seen]:
    """Look at each active credential of the register; what cannot be read of it is neither right nor wrong."""
    register = facts.evidence.credentials
    if register is None:
        return
    for each in register.credentials.values():
        key = key_of("credential", each.id)
        left = any(one.on <= facts.today for one in register.leavers_of(each))
        if left:
            what = msg("credential {credential} is known to somebody who left", credential=each.id)
            hint = msg("Change the secret, then run 'portalops credential rotate {credential}'.", credential=each.id)
            yield AlarmCause(key, "known-to-leaver", what, hint, duties=(CUSTODY,), records=each.seqs)
        elif each.is_overdue(facts.today) and each.due_on is not None:
            what = msg("credential {credential} was to be changed by {day}", credential=each.id, day=each.due_on)
            hint = msg("Change the secret, then run 'portalops credential rotate {credential}'.", credential=each.id)
            yield AlarmCause(key, "overdue", what, hint, duties=(CUSTODY,), records=each.seqs)
        elif each.id not in register.unreadable:
            yield SoundThing(key, each.seqs)


def expected(facts: AlarmFacts) -> tuple[str, ...]:
    """Return every credential that is, or was, in the register."""
    register = facts.evidence.credentials
    return () if register is None else tuple(register.credentials)


CAUSE = CauseKind(find=find, expected=expected, word=msg("credential {id}"))
