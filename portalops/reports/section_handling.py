"""What stands beside the judging of updates: sites that could not be reached, exemptions, cases, reports sent. Pure.

Article 11.3 asks that those who fall short are tracked, handled and reported; what of that is late is shown as late, whoever
was to do it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import date

from portalops.calendar.calendar import Calendar
from portalops.compliance.handling import STEP_WORDS, Escalation, Handling, escalations, late_answer, next_due
from portalops.model.cases import THE_PORTAL, CaseState
from portalops.model.message import Message, msg
from portalops.model.organisation import Agency, Name, OfficeRole, UnitId
from portalops.model.record import Digest
from portalops.model.rulebook import Numbers
from portalops.model.sent import Addressee
from portalops.model.updates import UpdatesResult
from portalops.registers.cases import Case
from portalops.registers.evidence import Evidence
from portalops.registers.exemptions import RecordedExemption
from portalops.reports.document import Block, Cell, Status, TableBlock, Tone
from portalops.reports.words import CASE_DUTIES, CASE_STATES, EXEMPTION_KINDS, EXEMPTION_SCOPES, joined, role_word

PORTAL = Name("Cổng thông tin điện tử tỉnh", "The province's portal")
Names = Mapping[UnitId, Name]
_ADDRESSEES = {
    Addressee.DEPARTMENT: role_word(OfficeRole.DEPARTMENT),
    Addressee.COMMITTEE: role_word(OfficeRole.COMMITTEE),
}


def handling_blocks(
    evidence: Evidence, units: Sequence[Agency], calendar: Calendar, numbers: Numbers
) -> Iterator[Block]:
    """Yield what could not be reached, what was exempt, what was done about who fell short, and what was reported."""
    names = _names(units)
    if evidence.updates is not None:
        yield _unreachable(evidence.updates.body, evidence, names)
    yield exemption_table(evidence, units, calendar, numbers)
    today = evidence.now.astimezone(evidence.zone).date()
    yield from _cases(evidence, names, Handling(numbers, calendar, evidence.zone, today))
    yield _sendings(evidence)


def _names(units: Sequence[Agency]) -> Names:
    return {THE_PORTAL: PORTAL, **{unit.id: unit.name for unit in units}}


def _unreachable(result: UpdatesResult, evidence: Evidence, names: Names) -> TableBlock:
    """List the days on which a site was looked at and did not answer once: that is not the same as nothing new."""
    period = evidence.period
    down = [day.day for day in result.portal_days if day.unreachable and day.day in period]
    rows: list[Sequence[Cell]] = [(PORTAL, len(down), joined(down))] if down else []
    for unit in dict.fromkeys(week.unit for week in result.unit_weeks):
        days = [
            day for week in result.unit_weeks if week.unit == unit for day in week.unreachable if day in period
        ]  # fmt: skip
        if days:
            rows.append((names.get(unit, unit), len(days), joined(sorted(days))))
    return TableBlock(
        msg("Days on which a site was polled and could not be reached (no verdict by itself)"),
        (msg("Site of"), msg("Number of days"), msg("Which")),
        rows,
    )


def exemption_table(evidence: Evidence, units: Sequence[Agency], calendar: Calendar, numbers: Numbers) -> TableBlock:
    """Return the exemptions of which a day lies in the period, by the documents that grant them."""
    names, period = _names(units), evidence.period
    of_period = [
        each
        for each in evidence.exemptions
        if each.exemption.first <= period.last and period.first <= each.exemption.last
    ]
    within = numbers.exemption_entered_working_days
    rows = [
        _exemption_row(each, evidence, names, each.remarks(calendar, evidence.zone, entered_within=within))
        for each in of_period
    ]
    headers = (
        msg("Exemption"), msg("Unit"), msg("What is exempt"), msg("Kind"), msg("From"), msg("To"), msg("Document"), msg("Approved by"),
        msg("Record"), msg("Remarks"),
    )  # fmt: skip
    return TableBlock(msg("Exemptions of the period, by the documents that grant them"), headers, rows)


def _exemption_row(
    each: RecordedExemption, evidence: Evidence, names: Names, said: Sequence[Message]
) -> Sequence[Cell]:
    one = each.exemption
    remarks = list(said)
    if each.withdrawn_at is not None:
        remarks.insert(0, msg("withdrawn on {day}", day=each.withdrawn_at.astimezone(evidence.zone).date()))
    whose = one.unit or THE_PORTAL
    return (
        one.id,
        names.get(whose, whose),
        joined([EXEMPTION_SCOPES[scope] for scope in one.scopes]) if one.scopes else None,
        EXEMPTION_KINDS[one.kind],
        one.first,
        one.last,
        one.document,
        one.approver,
        each.seq,
        Status(joined(remarks), Tone.UNSURE) if remarks else None,
    )


def _cases(evidence: Evidence, names: Names, handling: Handling) -> Iterator[Block]:
    weeks = frozenset(evidence.period.weeks())
    cases = [case for case in evidence.cases if case.week in weeks]
    cases.sort(key=lambda case: (not case.is_open, case.week, case.unit, case.duty))
    headers = (
        msg("Unit"), msg("Week"), msg("What was due"), msg("Seen"), msg("State"), msg("Next step"), msg("In time"), msg("Records"),
    )  # fmt: skip
    yield TableBlock(
        msg("Cases of units that fell short, and of the managing unit itself (Article 11.3)"),
        headers,
        [_case_row(case, names, handling) for case in cases],
    )
    upwards = [each for each in escalations(evidence.cases, handling) if each.case.week in weeks]
    if upwards:
        yield TableBlock(
            msg("Repeated shortfalls to be reported upwards"),
            (msg("Unit"), msg("Week"), msg("What is due"), msg("By"), msg("Why"), msg("Done")),
            [
                (
                    names.get(each.case.unit, each.case.unit),
                    str(each.case.week),
                    STEP_WORDS[each.step],
                    each.by,
                    each.reason,
                    _done(each, handling.today),
                )
                for each in upwards
            ],
        )


def _case_row(case: Case, names: Names, handling: Handling) -> Sequence[Cell]:
    due, found = next_due(case, handling), case.shortfall
    seen: Cell = None
    if found is not None:
        seen = joined(found.days) if found.days else msg("{seen} of {due}", seen=found.seen, due=found.required)
    in_time: Cell = None
    if case.unreadable:
        numbers = ", ".join(map(str, case.unreadable))
        in_time = Status(msg("not known: records {seqs} cannot be read", seqs=numbers), Tone.UNSURE)
    elif due is not None:
        in_time = _late() if due.is_late(handling.today) else Status(msg("in time"), Tone.GOOD)
    return (
        names.get(case.unit, case.unit),
        str(case.week),
        CASE_DUTIES[case.duty],
        seen,
        Status(state_words(case, handling), Tone.NEUTRAL if case.state is CaseState.CLOSED else Tone.UNSURE),
        msg("{step} by {day}", step=STEP_WORDS[due.step], day=due.by) if due else None,
        in_time,
        ", ".join(str(move.seq) for move in case.moves),
    )


def state_words(case: Case, handling: Handling) -> Message:
    """Return a case's state, and that the unit's answer came late where it did."""
    state = CASE_STATES[case.state]
    return msg("{state}, the answer was late", state=state) if late_answer(case, handling) else state


def _late() -> Status:
    return Status(msg("late"), Tone.BAD)


def _done(each: Escalation, today: date) -> Status:
    if each.is_done:
        return Status(msg("done late"), Tone.BAD) if each.was_late else Status(msg("done"), Tone.GOOD)
    return _late() if today > each.by else Status(msg("not yet"), Tone.UNSURE)


def _sendings(evidence: Evidence) -> TableBlock:
    period = evidence.period
    rows = [
        (each.sent.first, each.sent.last, _ADDRESSEES[each.sent.to], each.sent.sent_on, each.sent.number, each.sent.by, _kept(each.sent.file),
         each.seq)
        for each in evidence.sendings
        if each.sent.report == "updates" and each.sent.first <= period.last and period.first <= each.sent.last
    ]  # fmt: skip
    headers = (
        msg("From"), msg("To"), msg("Sent to"), msg("Sent on"), msg("Number"), msg("Sent by"), msg("Paper (SHA-256)"), msg("Record"),
    )  # fmt: skip
    return TableBlock(msg("Reports on updates that are recorded as sent (Article 11.3)"), headers, rows)


def _kept(paper: Digest | None) -> Cell:
    """Show by which digest a paper is kept: without it nobody can see that it went out."""
    return Status(msg("not kept"), Tone.UNSURE) if paper is None else paper
