"""Article 11.2: each unit, each ISO week, both indicators.

K1 is the unit's own sub-portal, K2 what it sends to the managing unit. The number due shrinks with the week: two for
three working days or more, one for one or two, none (exempt) for a week without working days.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime

from checks.updates.rules.coverage import Share, StillRegister
from checks.updates.rules.occasions import Occurred
from checks.updates.rules.unread import UnreadableShare, say_unnamed, say_unreadable
from portalops.calendar import Calendar
from portalops.model.message import Message, msg, nmsg
from portalops.model.organisation import Agency, is_valid_on
from portalops.model.period import Week
from portalops.model.rulebook import Numbers, UnitDuties
from portalops.model.updates import Bounds
from portalops.model.verdicts import DutyVerdict


@dataclass(frozen=True, slots=True)
class Tally:
    """One indicator of one unit's week, counted."""

    occurred: Occurred
    """How many occasions its items come to: at least, at most, and if officers confirm what they claim."""
    required: int
    """Occasions that are due by the calendar as it stands; 0 where nothing is."""
    required_least: int
    """Occasions that are due if every day that is not certain is a day off."""
    required_most: int
    """Occasions that are due if every such day is worked."""
    share: Share
    """How much of the week was seen, as far as it has gone."""
    has_source: bool
    collected: bool
    """Every source was looked at after the week's end; a register, after the day on which its last papers are entered."""
    unreadable: Sequence[UnreadableShare] = ()
    """What could not be read and may be what is missing."""
    unseen_days: int = 0
    """Days of the week of which nobody has seen every moment."""
    open_items: int = 0
    """Items that may count in this week or not."""
    lasting_most: int | None = 0
    """Of a running week, the most occasions if nothing more comes: more than the least by what no further poll can decide."""
    unnamed: Sequence[UnreadableShare] = ()
    """How many of the open items do not name their author, by source."""
    silent: Sequence[str] = ()
    """The sources of which no answer from after the week's end proves anything."""
    still: Sequence[StillRegister] = ()
    """The registers in which nobody's line came in the week, where no other source speaks for it."""
    late: Sequence[str] = ()
    """Those of which none is from after the day on which the last papers of the week are entered, though some are from after the week."""
    is_entered: bool = True
    """No register is still to be filled, or to be polled then: clerks enter the last papers on the first working day after the week."""

    @property
    def is_certain(self) -> bool:
        """Say whether it is known how much is due."""
        return self.required_least == self.required_most

    @property
    def bounds(self) -> Bounds:
        """Return it as it is recorded."""
        unread = sum(one.parts for one in self.unreadable)
        return Bounds(self.occurred.least, self.occurred.most, self.required_least, self.required_most, unread)

    @property
    def is_out_of_sight(self) -> bool:
        """Say whether a running week would not come out unmet by what was seen so far, however little comes."""
        return not self.has_source or self.lasting_most is None or self.lasting_most >= self.required_least


@dataclass(frozen=True, slots=True)
class Moment:
    """Where a week stands when it is judged."""

    is_over: bool
    poll_overdue: bool
    """The look after its end should have been there by now."""
    days_left: int
    """Working days of the week that are still to come, today included; 0 when it is over."""


def required_occasions(working_days: int, numbers: Numbers) -> int:
    """Return how many occasions are due in a week of so many working days.

    >>> [required_occasions(days, Numbers()) for days in range(7)]
    [0, 1, 1, 2, 2, 2, 2]
    """
    if not numbers.short_weeks_ask_less:
        return numbers.unit_weekly_min if working_days else 0
    due = -(-numbers.unit_weekly_min * working_days // 5)
    return min(due, numbers.unit_weekly_min)


def due_days(unit: Agency, week: Week, calendar: Calendar) -> tuple[date, ...]:
    """Return the working days of a week on which a unit existed."""
    return tuple(day for day in calendar.working_days(week.period()) if is_valid_on(unit, day))


def subportal_grace_ends(unit: Agency, numbers: Numbers, calendar: Calendar) -> date | None:
    """Return the last day on which a new unit need not have a sub-portal yet; None for a unit without a first day."""
    if unit.valid_from is None or numbers.new_subportal_grace_working_days < 1:
        return None
    first = unit.valid_from
    more = numbers.new_subportal_grace_working_days - calendar.is_working(first)
    return calendar.add_working_days(first, more) if more else first


def judge_indicator(tally: Tally, *, moment: Moment) -> DutyVerdict:
    """Judge one indicator: met if the fewest occasions suffice, unmet if the most do not (docs/decisions/0015).

    What could not be seen or read is never held against a unit, and never counted for it. Where the calendar is not certain,
    both readings must give the same.
    """
    if tally.required_most == 0:
        return DutyVerdict.NOT_ASSESSED
    if tally.occurred.least >= tally.required_most:
        return DutyVerdict.MET
    if not moment.is_over or not tally.is_entered or tally.occurred.hoped >= tally.required_most:
        return DutyVerdict.PENDING
    if tally.has_source and not tally.collected:
        return DutyVerdict.INSUFFICIENT_EVIDENCE if moment.poll_overdue else DutyVerdict.PENDING
    if not tally.has_source or tally.unreadable or not _falls_short(tally):
        return DutyVerdict.INSUFFICIENT_EVIDENCE
    return DutyVerdict.UNMET


def _falls_short(tally: Tally) -> bool:
    return tally.occurred.most is not None and tally.occurred.most < tally.required_least


def combine(
    subportal: DutyVerdict, submissions: DutyVerdict, *, duties: UnitDuties, summed: DutyVerdict
) -> DutyVerdict:
    """Return the week's verdict under a reading of Article 11.2; `summed` is K1 and K2 judged as one."""
    match duties:
        case UnitDuties.SUBMIT_ONLY:
            return submissions
        case UnitDuties.SUM:
            return summed
        case UnitDuties.BOTH:
            order = _STRICT
        case UnitDuties.EITHER:
            order = _LENIENT
    found = {subportal, submissions}
    return next(verdict for verdict in order if verdict in found)


_STRICT = (
    DutyVerdict.UNMET,
    DutyVerdict.INSUFFICIENT_EVIDENCE,
    DutyVerdict.PENDING,
    DutyVerdict.MET,
    DutyVerdict.EXEMPT,
    DutyVerdict.NOT_ASSESSED,
)
_LENIENT = (
    DutyVerdict.MET,
    DutyVerdict.PENDING,
    DutyVerdict.INSUFFICIENT_EVIDENCE,
    DutyVerdict.UNMET,
    DutyVerdict.EXEMPT,
    DutyVerdict.NOT_ASSESSED,
)


def sum_tallies(first: Tally, second: Tally) -> Tally:
    """Return K1 and K2 as one indicator."""
    one, other = first.occurred, second.occurred
    return Tally(
        Occurred(
            one.least + other.least,
            None if one.most is None or other.most is None else one.most + other.most,
            one.hoped + other.hoped,
        ),
        max(first.required, second.required),
        max(first.required_least, second.required_least),
        max(first.required_most, second.required_most),
        Share(
            min(first.share.percent, second.share.percent),
            max(first.share.unseen_hours, second.share.unseen_hours),
        ),
        first.has_source and second.has_source,
        first.collected and second.collected,
        tuple(dict.fromkeys((*first.unreadable, *second.unreadable))),
        max(first.unseen_days, second.unseen_days),
        first.open_items + second.open_items,
        None if first.lasting_most is None or second.lasting_most is None else first.lasting_most + second.lasting_most,
        (*first.unnamed, *second.unnamed),
        tuple(dict.fromkeys((*first.silent, *second.silent))),
        tuple(dict.fromkeys((*first.still, *second.still))),
        tuple(dict.fromkeys((*first.late, *second.late))),
        first.is_entered and second.is_entered,
    )


def explain(verdict: DutyVerdict, tallies: Sequence[Tally], *, moment: Moment) -> Message:
    """Say in one sentence why a week has its verdict; `tallies` are those that it rests on."""
    required = max(tally.required_most for tally in tallies)
    match verdict:
        case DutyVerdict.EXEMPT:
            return msg("no working day in this week")
        case DutyVerdict.NOT_ASSESSED:
            return msg("nothing was due of this unit in this week")
        case DutyVerdict.MET:
            return nmsg("reached the {n} occasion due", "reached the {n} occasions due", required)
        case DutyVerdict.UNMET:
            short = min(tallies, key=lambda each: (each.occurred.most or 0, each.occurred.least))
            return _explain_short(short)
        case DutyVerdict.INSUFFICIENT_EVIDENCE:
            return _explain_unknown(tallies)
        case DutyVerdict.PENDING:
            return _explain_pending(tallies, moment)


def name_each(
    verdict: DutyVerdict, subportal: tuple[DutyVerdict, Message], submissions: tuple[DutyVerdict, Message]
) -> Message | None:
    """Name each indicator with its own reason, the one that decides first; None where one sentence holds for all.

    Args:
        verdict: the week's.
        subportal: the verdict and reason of K1.
        submissions: the same of K2.
    """
    (first, k1), (second, k2) = subportal, submissions
    if DutyVerdict.NOT_ASSESSED in {first, second} or (first is second and k1 == k2):
        return None
    named = msg("sub-portal (K1): {why}", why=k1), msg("sent in (K2): {why}", why=k2)
    if first is not verdict:
        named = named[1], named[0]
    return msg("{first}; {second}", first=named[0], second=named[1])


def _explain_short(tally: Tally) -> Message:
    least, most, due = tally.occurred.least, tally.occurred.most or 0, tally.required_least
    if least == most:
        return nmsg("{found} of the {n} occasion due", "{found} of the {n} occasions due", due, found=least)
    return nmsg(
        "surely {least}, at most {most} of the {n} occasion due",
        "surely {least}, at most {most} of the {n} occasions due",
        due,
        least=least,
        most=most,
    )


_NO_SOURCE = msg("no source shows this unit's items")
_AT_RISK = msg("at risk: {missing} more due, {left}", missing=0, left="")
_OUT_OF_SIGHT = msg("not all of it was seen: {missing} more due, {left}", missing=0, left="")


def is_at_risk(reason: Message) -> bool:
    """Say whether the reason of a running week says that it is at risk, of either indicator."""
    return _holds(reason, _AT_RISK.text)


def is_out_of_sight(reason: Message) -> bool:
    """Say whether the reason of a running week says that nobody can see, of either indicator, whether it falls short."""
    return _holds(reason, _OUT_OF_SIGHT.text) or _holds(reason, _NO_SOURCE.text)


def _holds(reason: Message, text: str) -> bool:
    return reason.text == text or any(
        isinstance(value, Message) and _holds(value, text) for value in reason.values.values()
    )


_NAMED_SOURCES = 3
"""Of many sources so many are named by a reason."""


def _explain_unknown(tallies: Sequence[Tally]) -> Message:
    if not all(tally.has_source for tally in tallies):
        return _NO_SOURCE
    if not all(tally.collected for tally in tallies):
        if silent := [*dict.fromkeys(source for tally in tallies for source in tally.silent)]:
            return msg("no answer of {sources} after the week's end proves anything", sources=_named(silent))
        late = [*dict.fromkeys(source for tally in tallies for source in tally.late)]
        return msg(
            "no answer of {sources} proves anything that is from after the first working day behind the week, on which its last papers are entered",
            sources=_named(late),
        )
    unread = tuple(dict.fromkeys(one for tally in tallies for one in tally.unreadable))
    lacking = [tally for tally in tallies if tally.occurred.least < tally.required_most]
    open_ones = [tally for tally in lacking if not _falls_short(tally)]
    if unread and not open_ones:
        return say_unreadable(unread)
    worst = min(open_ones or lacking or list(tallies), key=lambda each: each.occurred.least)
    return _with_cause(worst, _cause_of(worst))


def _named(sources: Sequence[str]) -> str:
    return ", ".join([*sources[:_NAMED_SOURCES], *("..." for _ in sources[_NAMED_SOURCES : _NAMED_SOURCES + 1])])


def _with_cause(tally: Tally, cause: Message) -> Message:
    least, most = tally.occurred.least, tally.occurred.most
    if most is None:
        return msg("surely {least} of the {due} due: {cause}", least=least, due=_due(tally), cause=cause)
    if unread := tally.bounds.unread:
        return nmsg(
            "surely {least}, at most {most} of the {due} due, and {n} line or item that could not be read: {cause}",
            "surely {least}, at most {most} of the {due} due, and {n} lines or items that could not be read: {cause}",
            unread,
            least=least,
            most=most,
            due=_due(tally),
            cause=cause,
        )
    return msg(
        "surely {least}, at most {most} of the {due} due: {cause}",
        least=least,
        most=most,
        due=_due(tally),
        cause=cause,
    )


def _due(tally: Tally) -> Message | int:
    least, most = tally.required_least, tally.required_most
    return most if least == most else msg("{least} or {most}", least=least, most=most)


def say_still(one: StillRegister) -> Message:
    """Say that a register proves nothing of a week in which no line came, or of the days since its newest one."""
    if one.in_arrears and one.newest is not None:
        return msg(
            "register {source} has no line of any unit since {day}, for longer than in the four weeks before: papers of that day or later may not be entered yet",
            source=one.source,
            day=one.newest,
        )
    if one.newest is None:
        return msg("register {source} has no line of that week or from before it, of any unit", source=one.source)
    return msg(
        "register {source} has no line of that week, of any unit: the newest from before it is of {day}; it may be kept on in another file",
        source=one.source,
        day=one.newest,
    )


def _cause_of(tally: Tally) -> Message:
    if tally.still:
        return say_still(tally.still[0])
    if tally.unseen_days:
        unseen = nmsg("nobody saw all of {n} day", "nobody saw all of {n} days", tally.unseen_days)
        if not tally.unnamed:
            return unseen
        return msg("{first}; {second}", first=unseen, second=say_unnamed(tally.unnamed))
    if tally.open_items:
        return _explain_open(tally)
    if not tally.is_certain:
        return msg("the calendar of these days is provisional")
    return msg("the items may have come on fewer days, or on more")


def _explain_open(tally: Tally) -> Message:
    """Say which items are open: first how many lack their author, as those are the managing unit's to mend."""
    others = tally.open_items - sum(one.parts for one in tally.unnamed)
    if tally.unnamed and others < 1:
        return say_unnamed(tally.unnamed)
    said = nmsg(
        "it is not certain of {n} item when it came, or whether it counts",
        "it is not certain of {n} items when they came, or whether they count",
        others,
    )
    return msg("{first}; {second}", first=say_unnamed(tally.unnamed), second=said) if tally.unnamed else said


def _explain_pending(tallies: Sequence[Tally], moment: Moment) -> Message:
    if moment.is_over:
        if any(tally.occurred.least < tally.required_most <= tally.occurred.hoped for tally in tallies):
            return msg("rests on dates claimed by the source, which an officer must confirm")
        if not all(tally.is_entered for tally in tallies):
            return msg(
                "papers of the week may be entered in the register until the end of the first working day after it; the first poll after that decides"
            )
        return msg("the week is over, but its last day is still to be polled")
    if not all(tally.has_source for tally in tallies):
        return _NO_SOURCE
    missing = max(tally.required_most - tally.occurred.least for tally in tallies)
    left = nmsg("{n} working day left", "{n} working days left", moment.days_left)
    said = msg("on course: {missing} more due, {left}", missing=missing, left=left)
    if missing > moment.days_left:
        short = [tally for tally in tallies if tally.required_most - tally.occurred.least > moment.days_left]
        text = _OUT_OF_SIGHT if all(tally.is_out_of_sight for tally in short) else _AT_RISK
        said = replace(text, values={"missing": missing, "left": left})
    widest = max(tallies, key=lambda each: each.open_items)
    return msg("{first}; {second}", first=said, second=_explain_open(widest)) if widest.open_items else said


def moment_of(
    week: Week, *, today: date, end: datetime, now: datetime, poll_due_by: datetime, calendar: Calendar
) -> Moment:
    """Say where a week stands at a moment; `end` is its exclusive end and `poll_due_by` when the look after it is late."""
    left = 0 if now >= end else sum(day >= today for day in calendar.working_days(week.period()))
    return Moment(is_over=now >= end, poll_overdue=now >= poll_due_by, days_left=left)
