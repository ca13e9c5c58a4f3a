"""Article 11, with 7.6: the portal on each working day, each unit twice a week, tracked, reported, in Unicode."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import timedelta

from portalops.compliance.handling import (
    STEP_WORDS,
    Handling,
    escalations,
    judged_keys,
    next_due,
    papers_not_kept,
    shortfalls,
    was_late,
)
from portalops.compliance.order import daily_runs, from_parts, standing_of
from portalops.compliance.situation import Rule, Situation
from portalops.model.cases import THE_PORTAL, CaseDuty, CaseStep, case_id
from portalops.model.message import Message, msg, nmsg
from portalops.model.organisation import Name, UnitId, exists_during
from portalops.model.period import Period
from portalops.model.record import Recorded
from portalops.model.reporting import reporting_months
from portalops.model.rulebook import Duty, UnitDuties
from portalops.model.sent import Addressee, SentReport
from portalops.model.standing import Standing
from portalops.model.updates import FlaggedItem, FlagKind, PortalDay, UnitWeek, UpdatesResult
from portalops.model.verdicts import DutyVerdict
from portalops.registers.cases import Case

JUDGED_LATELY = timedelta(days=1)
"""What a judging left open counts as open for so long; then somebody should have judged again."""

_INDICATORS: Mapping[CaseDuty, str] = {CaseDuty.SUBPORTAL: "K1", CaseDuty.SUBMISSION: "K2"}
"""What each of a unit's two duties is called in matrix, tables and lines; the portal has one alone."""


def judge_portal_daily(duty: Duty, situation: Situation) -> Standing:
    """The portal is updated on each working day of the period (Article 11.1)."""
    updates = situation.evidence.updates
    if updates is None or (doubt := _doubt_of_judging(updates, situation)):
        return _not_judged(duty, updates, doubt if updates else None)
    days = {day.day: day for day in updates.body.portal_days}
    parts: list[tuple[DutyVerdict, Message]] = []
    for day in situation.evidence.period.days():
        if day > situation.today:
            break
        seen = days.get(day)
        if seen is None:
            parts.append((DutyVerdict.INSUFFICIENT_EVIDENCE, msg("{day} was not judged", day=day)))
        elif seen.working:
            span = Period(day, day)
            parts.append(_as_known_now(seen.verdict, _day_line(seen), span, updates=updates, situation=situation))
    if not parts and situation.evidence.period.last > situation.today:
        return standing_of(duty, DutyVerdict.PENDING, msg("no working day of the period has begun"), [updates.seq])
    if not parts:
        return standing_of(duty, DutyVerdict.EXEMPT, msg("the period has no working day"), [updates.seq])
    return from_parts(
        duty,
        parts,
        met=nmsg("updated on the one working day", "updated on all {n} working days", len(parts)),
        seqs=[updates.seq],
        newest_at=updates.at,
    )


def judge_unit_submissions(duty: Duty, situation: Situation) -> Standing:
    """Each unit sends information in at least twice a week (Article 11.2, K2)."""
    return _judge_unit_weeks(
        duty,
        situation,
        lambda week: (week.submissions_verdict, week.submissions, week.due_to_send, week.submissions_reason),
    )


def judge_unit_subportals(duty: Duty, situation: Situation) -> Standing:
    """Each unit updates its sub-portal at least twice a week (Article 11.2, K1)."""
    return _judge_unit_weeks(
        duty,
        situation,
        lambda week: (week.subportal_verdict, week.subportal, week.due_on_subportal, week.subportal_reason),
    )


def judge_tracking(duty: Duty, situation: Situation) -> Standing:
    """The collection ran on each day of the period, and its gaps are shown (Article 11.3)."""
    updates = situation.evidence.updates
    failed = [poll for poll in updates.body.polls if not poll.ok] if updates else []
    parts = daily_runs(situation, "updates", msg("the updates were not collected on {day}"))
    if updates and not updates.body.polls:
        parts.append((DutyVerdict.INSUFFICIENT_EVIDENCE, msg("no update source was polled")))
    parts += [
        (DutyVerdict.INSUFFICIENT_EVIDENCE, msg("source {source}: {problem}", source=poll.source, problem=poll.cause))
        for poll in failed
    ]
    return from_parts(
        duty,
        parts,
        met=msg("polled on each day of the period; every source answered the last poll"),
        seqs=[updates.seq] if updates else [],
        newest_at=updates.at if updates else None,
    )


def judge_handling(duty: Duty, situation: Situation) -> Standing:
    """Each unit that fell short has a case, and every step of it that is the managing unit's was taken in time (Article 11.3).

    Those of whom it is not known whether they fell short leave it open.
    """
    updates = situation.evidence.updates
    if updates is None or (doubt := _doubt_of_judging(updates, situation)):
        return _not_judged(duty, updates, doubt if updates else None)
    period, zone = situation.evidence.period, situation.evidence.zone
    handling = Handling(situation.rulebook.numbers, situation.calendar, zone, situation.today)
    duties = situation.rulebook.numbers.unit_duties
    of_period = frozenset(week for week in period.weeks() if week.period().last < situation.today)
    cases = situation.evidence.cases
    names = _unit_names(situation)
    there = {case.id for case in cases}
    judged_on = updates.at.astimezone(zone).date()
    open_by = situation.calendar.add_working_days(judged_on, handling.numbers.case_remind_working_days)
    is_late = situation.today > open_by
    parts: list[tuple[DutyVerdict, Message]] = []
    for (unit, of, week), shortfall in shortfalls(updates.body, updates.seq, duties).items():
        if week in of_period and case_id(unit, of, week) not in there:
            line = msg(
                "{unit}, week {week}: {reason}, but no case was opened",
                unit=_name_indicator(names(unit), of, duties), week=str(week), reason=shortfall.reason,
            )  # fmt: skip
            if situation.is_before_ledger(week.period().last):  # what was done about it then, nobody recorded
                parts.append((DutyVerdict.INSUFFICIENT_EVIDENCE, line))
            else:
                parts.append((DutyVerdict.UNMET if is_late else DutyVerdict.PENDING, line))
    parts += [_handled(case, handling, names) for case in cases if case.week in of_period]
    upwards = escalations(cases, handling)
    for each in upwards:
        if each.case.week in of_period and not each.is_done and not each.case.unreadable:  # it may be what was lost
            line = msg(
                "{case}: to be reported upwards by {day}, {reason}", case=each.case.id, day=each.by, reason=each.reason
            )
            parts.append((DutyVerdict.UNMET if situation.today > each.by else DutyVerdict.PENDING, line))
    parts += [
        (
            verdict,
            msg(
                "{unit}, week {week}: it is not known whether it fell short",
                unit=_name_indicator(names(unit), of, duties),
                week=str(week),
            ),
        )
        for (unit, of, week), verdict in judged_keys(updates.body, duties).items()
        if week in of_period and verdict in {DutyVerdict.INSUFFICIENT_EVIDENCE, DutyVerdict.PENDING}
    ]  # fmt: skip
    parts += [(DutyVerdict.INSUFFICIENT_EVIDENCE, line) for line in _unjudged_weeks(updates.body.unit_weeks, situation)]
    if not of_period:
        return standing_of(duty, DutyVerdict.PENDING, msg("no week of the period is over"), [updates.seq])
    nobody: tuple[DutyVerdict, Message] = (DutyVerdict.MET, msg("no unit fell short"))
    handled = [case for case in cases if case.week in of_period]
    reported_late = {each.case.id for each in upwards if each.was_late}
    late = sum(was_late(case, handling) or case.id in reported_late for case in handled)
    met = nobody[1]
    if late:
        met = nmsg(
            "the one case was handled late", "all {n} cases were handled, {late} of them late", len(handled), late=late
        )
    elif handled:
        met = nmsg("the one case was handled in time", "all {n} cases were handled in time", len(handled))
    seqs = [updates.seq, *(move.seq for case in cases if case.week in of_period for move in case.moves)]
    return from_parts(duty, parts or [nobody], met=met, seqs=seqs, newest_at=updates.at)


def _handled(case: Case, handling: Handling, names: Callable[[UnitId], Name | str]) -> tuple[DutyVerdict, Message]:
    """Say whether the managing unit did its part of a case in time, as far as it is due, and can show it."""
    if case.unreadable:
        line = msg("{case}: one of its steps cannot be read", case=case.id)
        return DutyVerdict.INSUFFICIENT_EVIDENCE, line
    due = next_due(case, handling)
    if due is not None and due.step is not CaseStep.EXPLAINED and due.is_late(handling.today):
        line = msg(
            "{unit}, week {week}: {step} was due by {day}",
            unit=names(case.unit), week=str(case.week), step=STEP_WORDS[due.step], day=due.by,
        )  # fmt: skip
        return DutyVerdict.UNMET, line
    if unkept := papers_not_kept(case):
        line = msg(
            "{unit}, week {week}: {step} is in record {seq}, but the paper itself was not kept",
            unit=names(case.unit), week=str(case.week), step=STEP_WORDS[unkept[0].move.step], seq=unkept[0].seq,
        )  # fmt: skip
        return DutyVerdict.INSUFFICIENT_EVIDENCE, line
    if due is not None:
        line = msg(
            "{unit}, week {week}: {step} is due by {day}",
            unit=names(case.unit), week=str(case.week), step=STEP_WORDS[due.step], day=due.by,
        )  # fmt: skip
        return DutyVerdict.PENDING, line
    return DutyVerdict.MET, msg("{case}: handled", case=case.id)


def judge_reporting(duty: Duty, situation: Situation) -> Standing:
    """For each reporting month, a report went to the Department and to the Committee, and it is recorded when (Article 11.3).

    The article names no day; one is late after the province's own deadline, and counts once it is sent. A number that somebody
    typed shows nobody that a paper went out: the paper itself is kept, or it is not known. While a record of a sending cannot be
    read, it is not known that one was not sent.
    """
    numbers, evidence = situation.rulebook.numbers, situation.evidence
    parts: list[tuple[DutyVerdict, Message]] = []
    seqs: list[int] = []
    late = 0
    lost = [each.seq for each in evidence.unreadable if each.kind == "sent"]
    for month in reporting_months(evidence.period, numbers.report_cut_off_day):
        if month.last >= situation.today or situation.is_before_ledger(month.last):
            continue
        due = situation.calendar.add_working_days(month.last, numbers.report_due_working_days)
        for to in Addressee:
            of_month = [each for each in evidence.sendings if _covers(each.sent, month, to)]
            seqs += [each.seq for each in of_month]
            kept = [each.sent.sent_on for each in of_month if each.sent.file is not None]
            line = msg("{first} to {last}: {to}", first=month.first, last=month.last, to=ADDRESSEE_WORDS[to])
            if kept:
                late += min(kept) > due
                parts.append((DutyVerdict.MET, line))
            elif of_month:
                said = of_month[-1]
                typed = msg(
                    "{line}: record {seq} names {number}, but the paper itself was not kept",
                    line=line, seq=said.seq, number=said.sent.number,
                )  # fmt: skip
                parts.append((DutyVerdict.INSUFFICIENT_EVIDENCE, typed))
            elif situation.today <= due:
                parts.append((DutyVerdict.PENDING, msg("{line}, due on {day}", line=line, day=due)))
            elif lost:
                unknown = msg("{line}: not known, because record {seq} cannot be read", line=line, seq=lost[-1])
                parts.append((DutyVerdict.INSUFFICIENT_EVIDENCE, unknown))
            else:
                parts.append((DutyVerdict.UNMET, msg("{line}, not sent", line=line)))
    if not parts:
        return _nothing_to_report(duty, situation)
    met = nmsg("the one report that was due was sent", "all {n} reports that were due were sent", len(parts))
    if late:
        met = msg("{sent}, {late} of them late", sent=met, late=late)
    newest = max((each.at for each in evidence.sendings if each.seq in seqs), default=None)
    return from_parts(duty, parts, met=met, seqs=seqs, newest_at=newest)


def _nothing_to_report(duty: Duty, situation: Situation) -> Standing:
    """Return the standing where no report of the period was due since the ledger began."""
    months = reporting_months(situation.evidence.period, situation.rulebook.numbers.report_cut_off_day)
    if not months and situation.began_on is not None:
        return standing_of(duty, DutyVerdict.NOT_ASSESSED, msg("no reporting month ends in the period"))
    if all(situation.is_before_ledger(month.last) for month in months):
        reason = msg("since the ledger began, no reporting month of the period has ended")
        return standing_of(duty, DutyVerdict.INSUFFICIENT_EVIDENCE, reason)
    return standing_of(duty, DutyVerdict.PENDING, msg("the reporting month is not over"))


ADDRESSEE_WORDS: Mapping[Addressee, Message] = {
    Addressee.DEPARTMENT: msg("the report to the Department"),
    Addressee.COMMITTEE: msg("the report to the Committee"),
}


def _covers(sent: SentReport, month: Period, to: Addressee) -> bool:
    """Say whether a report is about all of a month: what was sent before the month's last day cannot be."""
    spans = sent.first <= month.first and month.last <= min(sent.last, sent.sent_on)
    return sent.report == "updates" and sent.to is to and spans


def judge_unicode(duty: Duty, situation: Situation) -> Standing:
    """What was collected is Unicode, precomposed and free of legacy encodings (Article 7.6)."""
    updates = situation.evidence.updates
    if updates is None or updates.body.text_checked == 0:
        return standing_of(duty, DutyVerdict.INSUFFICIENT_EVIDENCE, msg("no collected text was checked"))
    judged, asked = updates.body, situation.evidence.period
    wrong = [
        item
        for item in judged.flagged
        if {FlagKind.LEGACY_ENCODING, FlagKind.NOT_NFC} & set(item.flags) and _is_of_period(item, situation)
    ]
    checked = judged.text_checked
    if wrong:
        names = _unit_names(situation)
        details = [
            msg("{unit}: {title}", unit=names(item.unit) if item.unit else "?", title=item.title) for item in wrong
        ]
        reason = nmsg(
            "{n} text of the period is not proper Unicode", "{n} texts of the period are not proper Unicode", len(wrong)
        )
        return standing_of(duty, DutyVerdict.UNMET, reason, [updates.seq], details, newest_at=updates.at)
    if judged.judged_from > asked.first or judged.judged_to < min(asked.last, situation.today):
        reason = msg(
            "texts were checked only from {first} to {last}; none of those in the period is wrong",
            first=judged.judged_from,
            last=judged.judged_to,
        )
        return standing_of(duty, DutyVerdict.INSUFFICIENT_EVIDENCE, reason, [updates.seq], newest_at=updates.at)
    if not any(day.observations for day in judged.portal_days if day.day in asked) and not any(
        seen.day in asked for seen in judged.unit_days
    ):
        reason = msg("no text of the period was collected")
        return standing_of(duty, DutyVerdict.INSUFFICIENT_EVIDENCE, reason, [updates.seq], newest_at=updates.at)
    reason = msg(
        "all {checked} texts that were collected from {first} to {last} are proper Unicode",
        checked=checked,
        first=judged.judged_from,
        last=judged.judged_to,
    )
    return standing_of(duty, DutyVerdict.MET, reason, [updates.seq], newest_at=updates.at)


def _judge_unit_weeks(
    duty: Duty,
    situation: Situation,
    indicator_of: Callable[[UnitWeek], tuple[DutyVerdict, int, int, Message | None]],
) -> Standing:
    """Judge one indicator of all units' weeks: its verdict, the occasions seen and due, and why where it is told."""
    updates = situation.evidence.updates
    if updates is None or (doubt := _doubt_of_judging(updates, situation)):
        return _not_judged(duty, updates, doubt if updates else None)
    weeks = situation.evidence.period.weeks()
    judged = [week for week in updates.body.unit_weeks if week.week in weeks]
    names = _unit_names(situation)
    parts: list[tuple[DutyVerdict, Message]] = []
    for week in judged:
        verdict, count, required, own = indicator_of(week)
        line = msg(
            "{unit}, week {week}: {count} of {required}",
            unit=names(week.unit),
            week=str(week.week),
            count=count,
            required=required,
        )
        # What was not seen, or could not be read, and where. Older records tell it of the indicator that the week rests on alone.
        why = own or (week.reason if verdict is week.verdict else None)
        is_unseen = verdict is DutyVerdict.UNMET and week.unseen_hours
        if why is not None and (verdict is DutyVerdict.INSUFFICIENT_EVIDENCE or is_unseen):
            line = msg("{line}; {why}", line=line, why=why)
        parts.append(_as_known_now(verdict, line, week.week.period(), updates=updates, situation=situation))
    short = {week.unit for week, (verdict, _line) in zip(judged, parts, strict=True) if verdict is DutyVerdict.UNMET}
    parts += [(DutyVerdict.INSUFFICIENT_EVIDENCE, line) for line in _unjudged_weeks(judged, situation)]
    standing = from_parts(
        duty,
        parts,
        met=nmsg(
            "the one unit and week with something due reached its number",
            "all {n} pairs of unit and week with something due reached their number",
            sum(part is DutyVerdict.MET for part, _line in parts),
        ),
        seqs=[updates.seq],
        newest_at=updates.at,
    )
    if not short:
        return standing
    reason = nmsg("{n} unit fell short", "{n} units fell short", len(short))
    return Standing(duty.id, standing.verdict, reason, standing.details, standing.evidence, standing.newest_at)


def _unjudged_weeks(judged: Sequence[UnitWeek], situation: Situation) -> Iterable[Message]:
    """Name the weeks that have begun and were not judged, as a whole or for a unit that existed in them."""
    done = {(week.unit, week.week) for week in judged}
    for week in situation.evidence.period.weeks():
        if week.period().first > situation.today:
            continue
        if not any(judged_week == week for _unit, judged_week in done):
            yield msg("week {week} was not judged", week=str(week))
            continue
        for unit in situation.units:
            if exists_during(unit, week.period()) and (unit.id, week) not in done:
                yield msg("{unit}, week {week}: not judged", unit=unit.name.vi, week=str(week))


def _doubt_of_judging(updates: Recorded[UpdatesResult], situation: Situation) -> Message | None:
    """Say why a judging does not speak for the rulebook that is asked about, or return None if it does."""
    asked = situation.rulebook.edition
    if updates.body.rulebook == asked:
        return None
    return msg("the newest judging used rulebook {rulebook}, not {asked}", rulebook=updates.body.rulebook, asked=asked)


def _not_judged(duty: Duty, updates: Recorded[UpdatesResult] | None, doubt: Message | None) -> Standing:
    if updates is None or doubt is None:
        return standing_of(duty, DutyVerdict.INSUFFICIENT_EVIDENCE, msg("the updates were never collected and judged"))
    return standing_of(duty, DutyVerdict.INSUFFICIENT_EVIDENCE, doubt, [updates.seq], newest_at=updates.at)


def _as_known_now(
    verdict: DutyVerdict, line: Message, span: Period, *, updates: Recorded[UpdatesResult], situation: Situation
) -> tuple[DutyVerdict, Message]:
    """Return what a judged day or week says now.

    What was left open is unknown once it should have been judged again; and nothing is shown to be missing while a record cannot
    be read that may exempt, confirm or attest it.
    """
    is_over = span.last < situation.today
    lost = _lost_decision(span, situation) if is_over and verdict in _HELD_AGAINST_SOMEBODY else None
    if lost is not None:
        unknown = msg("{line}: not known, because record {seq} cannot be read", line=line, seq=lost)
        return DutyVerdict.INSUFFICIENT_EVIDENCE, unknown
    judged_on = updates.at.astimezone(situation.evidence.zone).date()
    is_late = situation.today - judged_on > JUDGED_LATELY
    if verdict is DutyVerdict.PENDING and is_over and is_late:
        return DutyVerdict.INSUFFICIENT_EVIDENCE, msg("{line}; not judged since {day}", line=line, day=judged_on)
    return verdict, line


_HELD_AGAINST_SOMEBODY = frozenset({DutyVerdict.UNMET, DutyVerdict.PENDING})


def _lost_decision(span: Period, situation: Situation) -> int | None:
    """Return the newest record that cannot be read and may bear on some days; None if there is none.

    An exemption may be granted long ahead; a confirmation or an attestation is of what has happened when it is recorded.
    """
    start, _end = span.bounds(situation.evidence.zone)
    bearing = [
        each.seq
        for each in situation.evidence.unreadable
        if each.kind == "exemption"
        or (each.kind in {"confirmation", "attestation"} and (each.at is None or each.at >= start))
    ]
    return bearing[-1] if bearing else None


def _is_of_period(item: FlaggedItem, situation: Situation) -> bool:
    """Say whether an item was claimed or shown to exist in the period; one without any time may have been."""
    moments = [moment for moment in (item.claimed_at, item.evidenced_at) if moment]
    period, zone = situation.evidence.period, situation.evidence.zone
    return not moments or any(moment.astimezone(zone).date() in period for moment in moments)


def _unit_names(situation: Situation) -> Callable[[UnitId], Name | str]:
    names = {THE_PORTAL: Name("Cổng thông tin điện tử", "The portal")}
    names |= {unit.id: unit.name for unit in situation.units}
    return lambda unit: names.get(unit, unit)


def _name_indicator(unit: Name | str, duty: CaseDuty, duties: UnitDuties) -> Name | str | Message:
    """Name a unit with what it was to do: one that fell short in both stands in two lines, which are told apart so.

    Where both are added up, a week is one line and about neither of them.
    """
    indicator = None if duties is UnitDuties.SUM else _INDICATORS.get(duty)
    return unit if indicator is None else msg("{unit} ({indicator})", unit=unit, indicator=indicator)


def _day_line(day: PortalDay) -> Message:
    return msg("{day}: {reason}", day=day.day, reason=day.reason)


RULES: Mapping[str, Rule] = {
    "portal-daily": judge_portal_daily,
    "unit-submissions": judge_unit_submissions,
    "unit-subportals": judge_unit_subportals,
    "tracking": judge_tracking,
    "cases": judge_handling,
    "reporting": judge_reporting,
    "unicode": judge_unicode,
}
"""The rules of this module by the names that rulebooks use."""
