"""How alarms live: what a look around opens, changes and closes. Pure."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from datetime import datetime

from portalops.alarms.kinds import Seen
from portalops.model.alarms import (
    Alarm,
    AlarmCause,
    AlarmEnd,
    AlarmKey,
    AlarmsChanged,
    ClosedAlarm,
    OpenedAlarm,
    SoundThing,
)


def change(
    before: Mapping[AlarmKey, Alarm], seen: Iterable[Seen], expected: Collection[AlarmKey], now: datetime
) -> AlarmsChanged:
    """Return what a look around changes; empty where nothing does.

    Nothing is recorded where only numbers changed. What was not found out changes nothing: an alarm stays open until its thing
    is seen to be right, or is expected no more.

    Args:
        before: alarms by key, as they are recorded.
        seen: what is wrong and what is right; what is wrong wins.
        expected: keys of what there is.
        now: aware.
    """
    causes = {each.key: each for each in seen if isinstance(each, AlarmCause)}
    sound = {each.key: each for each in seen if isinstance(each, SoundThing) and each.key not in causes}
    opened = []
    for cause in causes.values():
        was = before.get(cause.key)
        since = was.opened_at if was is not None and was.is_open else now
        is_grave = cause.grave_after is not None and now - since >= cause.grave_after
        if was is None or not was.is_open or was.newest.problem != cause.problem or is_grave > was.newest.grave:
            opened.append(
                OpenedAlarm(cause.key, cause.problem, cause.what, cause.hint, is_grave, cause.duties, cause.records)
            )
    closed = []
    for alarm in before.values():
        if not alarm.is_open or alarm.key in causes:
            continue
        if (thing := sound.get(alarm.key)) is not None:
            closed.append(ClosedAlarm(alarm.key, thing.end, thing.records))
        elif alarm.key not in expected:
            closed.append(ClosedAlarm(alarm.key, AlarmEnd.NOT_EXPECTED))
    return AlarmsChanged(tuple(opened), tuple(closed))
