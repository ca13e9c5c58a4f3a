"""Each anchor took the newest head that it was given."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

from portalops.alarms.facts import AlarmFacts
from portalops.alarms.kinds import CauseKind, Seen, key_of
from portalops.model.alarms import AlarmCause, SoundThing
from portalops.model.message import msg

GRAVE_AFTER = timedelta(days=7)
"""How long an anchor may refuse heads: longer, and a week's records could be rewritten unseen. No source but our own judgement."""


def find(facts: AlarmFacts) -> Iterator[Seen]:
    """Look at each anchor's newest receipt."""
    for name in facts.anchors:
        receipt = facts.receipts.get(name)
        key = key_of("anchor", name)
        if receipt is None:
            continue  # nothing was handed out yet, or the job is overdue, which has its own alarm
        if receipt.body.problem:
            hint = msg("Run 'portalops doctor --only anchors': it says what the anchor answered.")
            what = msg("anchor {anchor} took no head", anchor=name)
            yield AlarmCause(key, "refused", what, hint, GRAVE_AFTER, records=(receipt.seq,))
        else:
            yield SoundThing(key, (receipt.seq,))


CAUSE = CauseKind(find=find, expected=lambda facts: facts.anchors, word=msg("anchor {id}"))
