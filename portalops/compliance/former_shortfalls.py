"""What was judged unmet and is not judged so today by a change of the configuration alone: it is named, never passed over. Pure.

The configuration as it is now judges the past too. Nobody's work shows by it: a unit that begins later, a sub-portal that is not due
any more, or a source that is taken out leaves a week without its verdict, and without new evidence.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from datetime import datetime

from portalops.model.message import Message, msg
from portalops.model.organisation import Agency, Name, UnitId
from portalops.model.period import Week
from portalops.model.updates import ItemChannel, UnitWeek, UpdatesResult
from portalops.model.values import dataclass
from portalops.model.verdicts import DutyVerdict

_UNKNOWN = frozenset({DutyVerdict.NOT_ASSESSED, DutyVerdict.INSUFFICIENT_EVIDENCE})
"""What a week comes to where the configuration asks nothing of it, or has no evidence any more."""


@dataclass(frozen=True, slots=True)
class RecordedJudging:
    """A recorded judging."""

    seq: int
    """Its record."""
    at: datetime
    result: UpdatesResult


@dataclass(frozen=True, slots=True)
class FormerShortfall:
    """A duty of a week that was judged unmet, and is not judged so any more."""

    unit: UnitId
    week: Week
    channel: ItemChannel
    """`subportal` for K1, `submission` for K2."""
    judged_at: datetime
    """When it was judged unmet last."""
    record: int
    cause: Message
    """The setting by which it is not judged so any more."""


def changed_shortfalls(
    judgings: Iterable[RecordedJudging], *, weeks: Collection[Week], units: Iterable[Agency], sources: Collection[str]
) -> tuple[FormerShortfall, ...]:
    """Return what some weeks were judged unmet for, where a setting of today may judge otherwise.

    Args:
        judgings: as they are recorded, the newest first.
        weeks: which weeks.
        units: as they are configured today.
        sources: ids of the sources that are configured today.
    """
    known = {unit.id: unit for unit in units}
    found: dict[tuple[Week, UnitId, ItemChannel], FormerShortfall | None] = {}
    for judging in judgings:
        for week in judging.result.unit_weeks:
            for channel in _CHANNELS if week.week in weeks else ():
                key = week.week, week.unit, channel
                if key not in found and _is_unmet(week, channel):
                    found[key] = _former(judging, week, channel, units=known, sources=sources)
    return tuple(one for _key, one in sorted(found.items(), key=lambda entry: entry[0]) if one is not None)


def former_shortfalls(some: Iterable[FormerShortfall], again: Iterable[UnitWeek]) -> tuple[FormerShortfall, ...]:
    """Return what is judged neither met nor unmet today.

    Args:
        some: what was judged unmet.
        again: the weeks as they are judged today; one that is not among them is judged no more.
    """
    today = {(one.unit, one.week): one for one in again}

    def is_former(one: FormerShortfall) -> bool:
        now = today.get((one.unit, one.week))
        return now is None or verdict_of(now, one.channel) in _UNKNOWN

    return tuple(filter(is_former, some))


def explain_change(
    recorded: UnitWeek,
    result: UpdatesResult,
    *,
    units: Mapping[UnitId, Agency],
    sources: Collection[str],
    channels: Iterable[ItemChannel] = (ItemChannel.SUBPORTAL, ItemChannel.SUBMISSION),
) -> Message | None:
    """Return the setting by which a recorded verdict may come out otherwise today; None if there is none.

    Args:
        recorded: the unit's week.
        result: the judging that it is of.
        units: as they are configured today, by id.
        sources: ids of the sources that are configured today.
        channels: the duties that it is about; K1 and K2 if not given.
    """
    unit = units.get(recorded.unit)
    if unit is None:
        return msg("unit {unit} is not in the configuration any more", unit=recorded.unit)
    for channel in channels:
        was_due = verdict_of(recorded, channel) is not DutyVerdict.NOT_ASSESSED
        if was_due and (ended := explain_ended_duty(unit, recorded.week, channel)) is not None:
            return ended
    gone = {poll.source: poll.owner for poll in result.polls if poll.source not in sources}
    own = [source for source, owner in gone.items() if owner == unit.id]
    some = own or [source for source, owner in gone.items() if not owner]
    if not some:
        return None
    return msg("source {source} is not in the configuration any more", source=", ".join(sorted(some)))


def explain_ended_duty(unit: Agency, week: Week, channel: ItemChannel) -> Message | None:
    """Return the setting of a unit by which nothing is asked of it in a week; None if there is none."""
    days = week.period()
    if unit.valid_from is not None and unit.valid_from > days.first:
        return _setting(unit, f"valid_from = {unit.valid_from}")
    if unit.valid_to is not None and unit.valid_to < days.last:
        return _setting(unit, f"valid_to = {unit.valid_to}")
    if channel is ItemChannel.SUBPORTAL and not unit.has_subportal:
        return _setting(unit, "has_subportal = false")
    return None


def _setting(unit: Agency, text: str) -> Message:
    return msg("unit {unit} has {setting} now", unit=unit.id, setting=text)


def say_former(one: FormerShortfall, names: Mapping[UnitId, Name]) -> Message:
    """Say what was judged, and why it is not judged so any more; a unit that is not configured is named by its id."""
    return msg(
        "{unit}, {week}, {duty}: judged unmet on {at} (record {seq}), not judged so any more: {cause}",
        unit=names.get(one.unit, one.unit),
        week=str(one.week),
        duty=_DUTIES[one.channel],
        at=one.judged_at,
        seq=one.record,
        cause=one.cause,
    )


def _former(
    judging: RecordedJudging,
    week: UnitWeek,
    channel: ItemChannel,
    *,
    units: Mapping[UnitId, Agency],
    sources: Collection[str],
) -> FormerShortfall | None:
    cause = explain_change(week, judging.result, units=units, sources=sources, channels=(channel,))
    if cause is None:
        return None
    return FormerShortfall(week.unit, week.week, channel, judging.at, judging.seq, cause)


def _is_unmet(week: UnitWeek, channel: ItemChannel) -> bool:
    """Say whether a week falls short by one of its duties: where either of the two suffices, one alone does not."""
    return week.verdict is DutyVerdict.UNMET and verdict_of(week, channel) is DutyVerdict.UNMET


def verdict_of(week: UnitWeek, channel: ItemChannel) -> DutyVerdict:
    """Return the verdict of one of a week's two duties."""
    return week.subportal_verdict if channel is ItemChannel.SUBPORTAL else week.submissions_verdict


_CHANNELS = (ItemChannel.SUBPORTAL, ItemChannel.SUBMISSION)
_DUTIES = {ItemChannel.SUBPORTAL: msg("sub-portal (K1)"), ItemChannel.SUBMISSION: msg("sent in (K2)")}
