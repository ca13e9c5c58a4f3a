"""How cases are handled: which are to be opened, what is due for each and when, and what goes to whom. Pure.

Article 11.3 asks that those who fall short are tracked, handled and reported, and names no days. The days are numbers of the
rulebook, in working days of the calendar; what the managing unit itself missed is handled like everybody's.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import date, timedelta
from types import MappingProxyType
from zoneinfo import ZoneInfo

from portalops.calendar import Calendar
from portalops.model.cases import LEADS_TO, THE_PORTAL, CaseDuty, CaseMove, CaseState, CaseStep, Paper, Shortfall
from portalops.model.message import Message, msg, nmsg
from portalops.model.organisation import UnitId
from portalops.model.period import Period, Week
from portalops.model.rulebook import Numbers, UnitDuties
from portalops.model.updates import PortalDay, UnitWeek, UpdatesResult
from portalops.model.values import dataclass
from portalops.model.verdicts import DutyVerdict
from portalops.registers.cases import Case, RecordedMove, fold_cases, may


@dataclass(frozen=True, slots=True)
class Handling:
    """By what cases are handled, and when."""

    numbers: Numbers
    calendar: Calendar
    zone: ZoneInfo
    today: date


@dataclass(frozen=True, slots=True)
class Due:
    """What is to be done next for a case."""

    step: CaseStep
    by: date
    """The last day on which it is in time."""
    whose: Message
    """Who has to do it."""

    def is_late(self, today: date) -> bool:
        return today > self.by


def indicators_of(week: UnitWeek, duties: UnitDuties) -> Sequence[tuple[CaseDuty, DutyVerdict, int, int]]:
    """Return what a unit did in a week by Article 11.2: duty, verdict, occasions due and seen."""
    k1 = CaseDuty.SUBPORTAL, week.subportal_verdict, week.due_on_subportal, week.subportal
    k2 = CaseDuty.SUBMISSION, week.submissions_verdict, week.due_to_send, week.submissions
    match duties:
        case UnitDuties.BOTH:
            return k1, k2
        case UnitDuties.SUBMIT_ONLY:
            return (k2,)
        case UnitDuties.SUM:
            return ((CaseDuty.SUBMISSION, week.verdict, week.required, week.added_up),)
        case UnitDuties.EITHER:
            if week.verdict is DutyVerdict.UNMET:
                return k1, k2
            return (k1[0], week.verdict, *k1[2:]), (k2[0], week.verdict, *k2[2:])


STEP_WORDS: Mapping[CaseStep, Message] = {
    CaseStep.HEARD: msg("the hearing begun"),
    CaseStep.OPENED: msg("opened"),
    CaseStep.REMINDED: msg("the reminder"),
    CaseStep.EXPLAINED: msg("the unit's explanation"),
    CaseStep.ACCEPTED: msg("the decision on the explanation"),
    CaseStep.REJECTED: msg("the explanation not accepted"),
    CaseStep.REMEDIED: msg("the remedy"),
    CaseStep.CLOSED: msg("closing the case"),
    CaseStep.REOPENED: msg("reopened"),
    CaseStep.TO_DEPARTMENT: msg("the report to the Department"),
    CaseStep.TO_COMMITTEE: msg("the report to the Committee"),
    CaseStep.DOCUMENT: msg("the paper's number"),
}
"""What each step is called where it is due, or was late."""

MADE_WORDS: Mapping[CaseStep, Message] = {**STEP_WORDS, CaseStep.ACCEPTED: msg("the explanation accepted")}
"""What each step is called where it was made: due is a decision, made is the one or the other."""


def shortfalls(
    result: UpdatesResult, judged_seq: int, duties: UnitDuties
) -> Mapping[tuple[UnitId, CaseDuty, Week], Shortfall]:
    """Return what a judging found unmet: by unit, duty and week. Nothing else makes a case, and nobody is left out.

    Args:
        result: the judging.
        judged_seq: the record that holds it.
        duties: the reading of Article 11.2.
    """
    found: dict[tuple[UnitId, CaseDuty, Week], Shortfall] = {}
    for week in result.unit_weeks:
        for duty, verdict, due, seen in indicators_of(week, duties):
            if verdict is DutyVerdict.UNMET:
                found[week.unit, duty, week.week] = Shortfall(judged_seq, due, seen, _reason_of(week, duty, duties))
    missed: dict[Week, list[PortalDay]] = defaultdict(list)
    for day in result.portal_days:
        if day.verdict is DutyVerdict.UNMET:
            missed[Week.of(day.day)].append(day)
    for of, days in missed.items():
        reason = nmsg("no update on {n} working day", "no update on {n} working days", len(days))
        without = tuple(day.day for day in days)
        found[THE_PORTAL, CaseDuty.PORTAL, of] = Shortfall(judged_seq, len(days), 0, reason, without)
    return found


def _reason_of(week: UnitWeek, duty: CaseDuty, duties: UnitDuties) -> Message:
    """Return why a unit's duty is unmet in a week: its indicator's own reason, where the record states it."""
    if duties is UnitDuties.SUM:
        return week.reason
    own = week.subportal_reason if duty is CaseDuty.SUBPORTAL else week.submissions_reason
    return own or week.reason


def moves_by_rule(
    found: Mapping[tuple[UnitId, CaseDuty, Week], Shortfall],
    judged: Mapping[tuple[UnitId, CaseDuty, Week], DutyVerdict],
    cases: Sequence[Case],
    handling: Handling,
    *,
    since: date,
    later: Mapping[UnitId, date] = MappingProxyType({}),
) -> tuple[CaseMove, ...]:
    """Return the moves that the rules make by themselves: each says why, and making them again makes none.

    Cases are opened for what is unmet, and opened again if it is found unmet after all. A case whose week is no longer judged
    unmet is closed: an exemption was granted, or a claim confirmed. Where no explanation came in time, that is noted; but not
    while a move of the case cannot be read, which may be the explanation.

    Args:
        found: what the newest judging found unmet.
        judged: what it says of every unit, duty and week that it judged.
        cases: all cases.
        handling: numbers, calendar and today.
        since: weeks that ended before it open no case: nobody watched them, and it is late to remind anybody.
        later: the same for single units, where that is a later day.
    """
    by_key = {(case.unit, case.duty, case.week): case for case in cases}
    moves = []
    for key, shortfall in sorted(found.items(), key=lambda entry: (entry[0][2], entry[0][0], entry[0][1].value)):
        case = by_key.get(key)
        if case is None and key[2].period().last < max(since, later.get(key[0], since)):
            continue
        first = CaseStep.OPENED if key[0] == THE_PORTAL else CaseStep.HEARD  # nobody is asked about oneself
        if case is None:
            moves.append(CaseMove(*key, first, shortfall=shortfall))
        elif not case.is_open and case.is_closed_by_rule:
            again = CaseStep.REOPENED if case.was_opened else first
            moves.append(CaseMove(*key, again, why=msg("found unmet again"), shortfall=shortfall))
    for case in cases:
        key = case.unit, case.duty, case.week
        if key in judged and judged[key] in _NO_SHORTFALL and (case.is_open or _counts(case)):
            why = msg(
                "no longer judged unmet"
            )  # also where a person closed it: then it counts for no repetition any more
            moves.append(CaseMove(*key, CaseStep.CLOSED, why=why))
        elif (day := heard_until(case, handling)) and handling.today > day and _is_still_unmet(judged.get(key)):
            why = msg("the unit had until {day} to answer", day=day)
            moves.append(CaseMove(*key, CaseStep.OPENED, why=why, shortfall=found.get(key) or case.shortfall))
        elif (
            case.state is CaseState.AWAITING
            and not case.unreadable
            and (due := next_due(case, handling))
            and due.is_late(handling.today)
        ):
            moves.append(CaseMove(*key, CaseStep.REJECTED, why=msg("no explanation came by {day}", day=due.by)))
    return tuple(moves)


def heard_until(case: Case, handling: Handling) -> date | None:
    """Return the last day on which a unit may answer before its case is opened; None where nobody asked it yet."""
    asked = case.newest(CaseStep.REMINDED)
    if case.state is not CaseState.HEARING or asked is None or not _shows_reminder(case, asked):
        return None
    return _answer_until(asked, handling)


def _answer_until(asked: RecordedMove, handling: Handling) -> date:
    """Return the last day on which a unit may answer a reminder: what was promised holds, also where fewer days are off by now."""
    day = answer_day(asked.at.astimezone(handling.zone).date(), handling)
    return max(day, asked.move.answer_until or day)


def answer_day(reminded_on: date, handling: Handling) -> date:
    """Return the last day to answer a reminder of a day."""
    days = handling.numbers.case_explain_working_days
    return handling.calendar.add_working_days(reminded_on, days) if days else reminded_on


def is_named(paper: Paper | None) -> bool:
    """Say whether a paper can be found again: it is kept itself, or its number and date are on record."""
    return paper is not None and (paper.file is not None or bool(paper.number.strip() and paper.issued_on))


def _shows_reminder(case: Case, asked: RecordedMove) -> bool:
    """Say whether a reminder began the unit's time to answer: by its own paper, or by one that was added to it."""
    return is_named(asked.move.paper) or any(
        each.seq > asked.seq and each.move.step is CaseStep.DOCUMENT and is_named(each.move.paper)
        for each in case.moves
    )


def _is_still_unmet(verdict: DutyVerdict | None) -> bool:
    """Say whether a week that was found unmet is so still: one of which nothing is asked any more stays what it was."""
    return verdict in {None, DutyVerdict.UNMET, DutyVerdict.NOT_ASSESSED}


_NO_SHORTFALL = frozenset({DutyVerdict.MET, DutyVerdict.EXEMPT})
"""What evidence or a document gives. That nothing is asked any more is a setting's doing, so that a person decides the case."""


def judged_keys(result: UpdatesResult, duties: UnitDuties) -> Mapping[tuple[UnitId, CaseDuty, Week], DutyVerdict]:
    """Return what a judging says of each unit, duty and week: of the portal's week, its worst day."""
    found: dict[tuple[UnitId, CaseDuty, Week], DutyVerdict] = {}
    for week in result.unit_weeks:
        for duty, verdict, _due, _seen in indicators_of(week, duties):
            found[week.unit, duty, week.week] = verdict
    days: dict[Week, list[DutyVerdict]] = defaultdict(list)
    for day in result.portal_days:
        if day.working:
            days[Week.of(day.day)].append(day.verdict)
    for of, verdicts in days.items():
        span = of.period()
        if result.judged_from <= span.first and span.last <= result.judged_to:
            found[THE_PORTAL, CaseDuty.PORTAL, of] = next(
                (one for one in _WORST if one in verdicts), DutyVerdict.NOT_ASSESSED
            )
    return found


_WORST = (
    DutyVerdict.UNMET,
    DutyVerdict.INSUFFICIENT_EVIDENCE,
    DutyVerdict.PENDING,
    DutyVerdict.MET,
    DutyVerdict.EXEMPT,
)


def next_due(case: Case, handling: Handling) -> Due | None:
    """Return what is to be done next for a case, by whom and by when; None where nothing is."""
    numbers, calendar = handling.numbers, handling.calendar

    def after(day: date, count: int) -> date:
        return calendar.add_working_days(day, count) if count else day

    match case.state:
        case CaseState.HEARING if until := heard_until(case, handling):
            if case.newest(CaseStep.EXPLAINED):
                by = after(until + timedelta(days=1), numbers.case_decide_working_days)
                return Due(CaseStep.ACCEPTED, by, msg("the managing unit"))
            return Due(CaseStep.EXPLAINED, until, msg("the unit"))
        case CaseState.HEARING | CaseState.DETECTED:
            by = after(case.found_on(handling.zone), numbers.case_remind_working_days)
            return Due(CaseStep.REMINDED, by, msg("the managing unit"))
        case CaseState.AWAITING:
            asked = case.newest(CaseStep.REMINDED)
            by = answer_day(case.found_on(handling.zone), handling) if asked is None else _answer_until(asked, handling)
            return Due(CaseStep.EXPLAINED, by, msg("the unit"))
        case CaseState.EXPLAINED:
            # What was explained in the hearing is decided once the case is open.
            since = max(_day(case, handling, CaseStep.EXPLAINED), case.found_on(handling.zone))
            by = after(since, numbers.case_decide_working_days)
            return Due(CaseStep.ACCEPTED, by, msg("the managing unit"))
        case CaseState.ACCEPTED | CaseState.REJECTED | CaseState.REMEDIED:
            since = _day(case, handling, CaseStep.ACCEPTED, CaseStep.REJECTED, CaseStep.REMEDIED)
            by = after(since, numbers.case_close_working_days)
            return Due(CaseStep.CLOSED, by, msg("the managing unit"))
        case CaseState.CLOSED:
            return None


PAPERS = frozenset({CaseStep.REMINDED, CaseStep.TO_DEPARTMENT, CaseStep.TO_COMMITTEE})
"""Steps that are papers which go out: each is kept, or nobody can see that it went."""


def papers_not_kept(case: Case) -> tuple[RecordedMove, ...]:
    """Return the letters and reports of a case of which nothing but words is on record.

    A paper is kept with its step, or added later under the same number; to a step without one, where there is no such, since
    one paper is not two. The managing unit writes no letter to itself, and of a case that the rules closed, since nothing was
    missing after all, none is asked for.
    """
    if case.is_closed_by_rule:
        return ()
    lacking: list[RecordedMove] = []
    numbers: set[str] = set()
    for each in case.moves:
        paper = each.move.paper
        is_kept = paper is not None and paper.file is not None
        if each.move.step in PAPERS:
            is_owed = not (each.move.step is CaseStep.REMINDED and case.unit == THE_PORTAL)
            lacking += [each] if is_owed and not is_kept else []
            numbers.add(_number(each))
        elif each.move.step is CaseStep.DOCUMENT and is_kept:
            number = _number(each)
            found = [one for one in lacking if _number(one) == (number if number in numbers else "")]
            added = found if number in numbers else found[:1]
            lacking = [one for one in lacking if one not in added]
            numbers.add(number)
    return tuple(lacking)


def _number(step: RecordedMove) -> str:
    return step.move.paper.number if step.move.paper else ""


@dataclass(frozen=True, slots=True)
class LateStep:
    """A step of a case that was recorded or passed over after its last day, or is not recorded though that day is over."""

    case: Case
    step: CaseStep
    by: date
    """The last day on which it was in time."""
    done_on: date | None
    """When it was recorded, or passed over; None where neither."""
    instead: CaseStep | None = None
    """What was recorded in its place; None where it was made, or waits."""


_MADE_BY: Mapping[CaseStep, frozenset[CaseStep]] = {
    CaseStep.ACCEPTED: frozenset({CaseStep.ACCEPTED, CaseStep.REJECTED}),
}
"""By which steps one is made that is due; the others are made by themselves alone."""


def late_steps(case: Case, handling: Handling) -> tuple[LateStep, ...]:
    """Return the steps of a case that the managing unit made late, passed over or lets wait.

    The units' own delays are told by themselves. What a unit answers in its hearing makes no step of the managing unit, and a
    case that the rules close leaves none to make.
    """
    found = []
    for count in range(1, len(case.moves)):
        (before,) = fold_cases(case.moves[:count])
        move = case.moves[count]
        due = next_due(before, handling)
        is_step = move.move.step in LEADS_TO and may(before, move.move.step)
        day = move.at.astimezone(handling.zone).date()
        if not is_step or due is None or due.step is CaseStep.EXPLAINED or not due.is_late(day):
            continue
        if move.move.step in _MADE_BY.get(due.step, {due.step}):
            found.append(LateStep(case, due.step, due.by, day))
        elif move.move.by and before.state is not CaseState.HEARING:  # a person went on without it
            found.append(LateStep(case, due.step, due.by, day, move.move.step))
    due = next_due(case, handling)
    if due is not None and due.step is not CaseStep.EXPLAINED and due.is_late(handling.today):
        found.append(LateStep(case, due.step, due.by, None))
    return tuple(found)


def was_late(case: Case, handling: Handling) -> bool:
    """Say whether a step of the managing unit's was made after its last day."""
    return any(each.done_on is not None for each in late_steps(case, handling))


@dataclass(frozen=True, slots=True)
class LateAnswer:
    """A unit's answer that was recorded after its last day."""

    seq: int
    """The record of the answer."""
    by: date
    """The last day on which it was in time."""


def late_answer(case: Case, handling: Handling) -> LateAnswer | None:
    """Return the first answer to the newest reminder that has one, if it came late; None where it was in time, or nobody was reminded."""
    asked: RecordedMove | None = None
    late: LateAnswer | None = None
    for each in case.moves:
        if each.move.step in {CaseStep.HEARD, CaseStep.REOPENED}:
            asked = late = None
        elif each.move.step is CaseStep.REMINDED and _shows_reminder(case, each):
            asked = each
        elif each.move.step is CaseStep.EXPLAINED and asked is not None:
            by = _answer_until(asked, handling)
            late = LateAnswer(each.seq, by) if each.at.astimezone(handling.zone).date() > by else None
            asked = None
    return late


def _day(case: Case, handling: Handling, *steps: CaseStep) -> date:
    move = case.newest(*steps)
    return move.at.astimezone(handling.zone).date() if move else case.found_on(handling.zone)


# --- who falls short again ---------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Escalation:
    """A case that goes to the Department or to the Committee, and why."""

    case: Case
    step: CaseStep
    """TO_DEPARTMENT or TO_COMMITTEE."""
    by: date
    reason: Message
    done_on: date | None
    """When it was recorded as reported; None where it was not."""

    @property
    def is_done(self) -> bool:
        return self.done_on is not None

    @property
    def was_late(self) -> bool:
        """Whether it was reported, and after its last day."""
        return self.done_on is not None and self.done_on > self.by


def own_delays(cases: Sequence[Case], handling: Handling, period: Period) -> tuple[LateStep, ...]:
    """Return what the managing unit itself recorded late or lets wait of a period, its reports upwards too.

    Args:
        cases: all cases, hearings among them.
        handling: numbers, calendar and today.
        period: of weeks that ended by its last day, what was not done before its first.
    """
    found = [each for case in cases if not case.unreadable for each in late_steps(case, handling)]
    found += [
        LateStep(one.case, one.step, one.by, one.done_on)
        for one in escalations(cases, handling)
        if one.was_late or (not one.is_done and handling.today > one.by and not one.case.unreadable)
    ]
    return tuple(
        each
        for each in found
        if each.case.week.period().last <= period.last and (each.done_on is None or each.done_on >= period.first)
    )


def escalations(cases: Iterable[Case], handling: Handling) -> tuple[Escalation, ...]:
    """Return what is to be reported upwards: who falls short week after week, or again and again in a quarter.

    A case counts once it is opened, unless its explanation was accepted or its week is no longer judged unmet. Weeks without a working day break
    no row of weeks.

    Args:
        cases: all cases.
        handling: numbers, calendar and today.
    """
    numbers = handling.numbers
    rows: dict[tuple[UnitId, CaseDuty], list[Case]] = defaultdict(list)
    for case in cases:
        if _counts(case):
            rows[case.unit, case.duty].append(case)
    found = []
    for row in rows.values():
        row.sort(key=lambda case: case.week)
        weeks = {case.week for case in row}
        for case in row:
            last = case.week.period().last
            in_quarter = [one for one in row if one.week <= case.week and _quarter(one.week) == _quarter(case.week)]
            if len(in_quarter) >= numbers.repeat_per_quarter:
                reason = msg("{n} times in the quarter", n=len(in_quarter))
                found.append(_escalation(case, CaseStep.TO_COMMITTEE, last, reason, handling))
            elif _count_consecutive(case.week, weeks, handling.calendar) >= numbers.repeat_weeks:
                reason = msg("{n} weeks in a row", n=_count_consecutive(case.week, weeks, handling.calendar))
                found.append(_escalation(case, CaseStep.TO_DEPARTMENT, last, reason, handling))
    return tuple(sorted(found, key=lambda one: (one.case.week, one.case.id)))


def _escalation(case: Case, step: CaseStep, last: date, reason: Message, handling: Handling) -> Escalation:
    by = handling.calendar.add_working_days(last, handling.numbers.case_report_working_days)
    if (opened := case.found_on(handling.zone)) > by:  # what was found so late cannot have been reported in time
        by = handling.calendar.add_working_days(opened, handling.numbers.case_report_working_days)
    done = case.newest(step)
    return Escalation(case, step, by, reason, done.at.astimezone(handling.zone).date() if done else None)


def _counts(case: Case) -> bool:
    return case.was_opened and not case.was_accepted and not case.is_closed_by_rule


def _count_consecutive(week: Week, weeks: set[Week], calendar: Calendar) -> int:
    """Return how many weeks up to this one fell short without one between that did not."""
    count = 0
    while True:
        if week in weeks:
            count += 1
        elif calendar.working_days(week.period()):
            return count
        week = Week.of(week.period().first - timedelta(days=7))


def _quarter(week: Week) -> tuple[int, int]:
    """Return the quarter that a week belongs to: that of its Thursday, as the year of an ISO week is."""
    thursday = week.period().first + timedelta(days=3)
    return thursday.year, (thursday.month - 1) // 3
