"""The newest backup run brought each class of data that Article 10.2 names."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

from portalops.alarms.facts import AlarmFacts
from portalops.alarms.kinds import CauseKind, Seen, key_of
from portalops.model.alarms import AlarmCause, SoundThing
from portalops.model.backups import DataClass
from portalops.model.message import msg
from portalops.model.rulebook import DutyId


def find(facts: AlarmFacts) -> Iterator[Seen]:
    """Look at the newest run: what it lost of a class is grave at once, however good the set before was."""
    newest = facts.evidence.backups[-1] if facts.evidence.backups else None
    if newest is None:
        return
    body, excused = newest.body, {each.partition(":")[0] for each in newest.body.excused}
    for each in DataClass:
        key, duty = key_of("data-class", each.value), DutyId(f"10.2-{each.value}")
        if each in body.failed_classes:
            what = msg(
                "the newest backup lacks data of the class {data_class}: a source could not be read",
                data_class=each.value,
            )
            hint = msg("Run 'portalops backup show latest': it names the source and the cause.")
            yield AlarmCause(key, "lost", what, hint, timedelta(), (duty,), (newest.seq,))
        elif each in body.unmapped:
            what = msg("no backup source is configured for the class {data_class}", data_class=each.value)
            hint = msg("Add a [[backup.source]] for it, or declare in [backup] that there is none.")
            yield AlarmCause(key, "unmapped", what, hint, duties=(duty,), records=(newest.seq,))
        elif body.set is not None and (
            each.value in excused or any(one.data_class is each for one in body.set.streams)
        ):
            yield SoundThing(key, (newest.seq,))


CAUSE = CauseKind(find=find, expected=lambda _facts: tuple(DataClass), word=msg("data class {id}"))
