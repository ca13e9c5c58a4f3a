"""The report of a period (báo cáo) on how the regime of updating was kept, for the Department or the Committee. Pure.

Its figures are those of its annex, and what the managing unit itself missed stands in it like everybody's: no argument takes
it out.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from zoneinfo import ZoneInfo

from portalops.calendar import Calendar
from portalops.compliance.handling import STEP_WORDS, Escalation, LateAnswer, LateStep
from portalops.model.cases import THE_PORTAL, CaseDuty, CaseId, CaseState, CaseStep
from portalops.model.exemptions import Exemption
from portalops.model.message import Message, Value, msg, nmsg, verbatim
from portalops.model.organisation import Name, UnitId
from portalops.model.period import Period, Week
from portalops.model.rulebook import Numbers, Rulebook
from portalops.model.timeliness import RuleSetTimeliness
from portalops.model.updates import FlagKind, ItemChannel, OpenBecause, PortalDay, UnitSum, UpdateSourceTraits
from portalops.model.variety import Variety
from portalops.model.verdicts import DutyVerdict
from portalops.official.build_reminder import basis_of, week_words
from portalops.official.office import Office
from portalops.official.paper import Annex, BodyBlock, OfficialPaper, PaperKind, annex_name
from portalops.registers.cases import Case
from portalops.registers.incidents import Incident
from portalops.reports.document import Bullets, Cell, Heading, Paragraph, TableBlock
from portalops.reports.section_timeliness import timeliness_blocks
from portalops.reports.section_variety import counts_blocks, unpaired_table
from portalops.reports.words import CASE_DUTIES, joined

STATE_WORDS: Mapping[CaseState, Message] = {
    CaseState.HEARING: msg("being heard, no case yet"),
    CaseState.DETECTED: msg("found, not yet reminded"),
    CaseState.AWAITING: msg("reminded, awaiting an explanation"),
    CaseState.EXPLAINED: msg("explained, not yet decided"),
    CaseState.ACCEPTED: msg("explanation accepted"),
    CaseState.REJECTED: msg("explanation not accepted"),
    CaseState.REMEDIED: msg("remedied"),
    CaseState.CLOSED: msg("closed"),
}
_ENDS: Mapping[CaseStep, Message] = {
    CaseStep.ACCEPTED: msg("closed; explanation accepted"),
    CaseStep.REJECTED: msg("closed; explanation not accepted"),
    CaseStep.REMEDIED: msg("closed; remedied"),
}
"""What a closed case came to before it was closed."""
ASSESSED = (DutyVerdict.MET, DutyVerdict.UNMET)
UNDECIDED = (DutyVerdict.INSUFFICIENT_EVIDENCE, DutyVerdict.PENDING)


@dataclass(frozen=True, slots=True)
class PeriodFacts:
    """What a period's report says, as values."""

    period: Period
    names: Mapping[UnitId, Name]
    """Of every unit of the period."""
    sums: Sequence[UnitSum]
    """One a unit, in the order of the annex."""
    before: Mapping[UnitId, UnitSum]
    """The same of the period before, as far as it was judged."""
    portal_days: Sequence[PortalDay]
    cases: Sequence[Case]
    """Those whose week ends in the period; a hearing is none."""
    escalations: Sequence[Escalation]
    exemptions: Sequence[Exemption]
    exemption_remarks: Mapping[str, Sequence[Message]]
    """By an exemption's id: what a reader should know of how it came about, such as that it was entered afterwards."""
    sources: int
    """How many sources were looked at."""
    silent_sources: Sequence[Message]
    """Those that gave nothing usable when they were last polled in the period, by what `source_words` calls them."""
    incidents: Sequence[Incident] = ()
    """Those of the register that lasted on any day of the period."""
    incidents_lost: int = 0
    """Records of the register of incidents that cannot be read."""
    variety: Variety | None = None
    """What was published by kind and language; None where it was not counted."""
    hearings: Sequence[Case] = ()
    """Units that are heard about a week that ends in the period, before a case is opened."""
    on_trial: Mapping[UnitId, date] = field(default_factory=dict)
    """Units whose weeks that end before a day open no case: that day."""
    late_steps: Sequence[LateStep] = ()
    """What the managing unit itself recorded late, or lets wait: of weeks that ended by the period's last day."""
    late_answers: Mapping[CaseId, LateAnswer] = field(default_factory=dict)
    """The answers that came after their last day, by case."""
    timeliness: Sequence[RuleSetTimeliness] = ()
    """What the rule sets that the portal has chosen say of how soon documents were published."""
    former: Sequence[Message] = ()
    """What was judged unmet and is not any more, by a change of the configuration: a sentence each, without its full stop."""


def _is_unheard(facts: PeriodFacts, unit: UnitId, week: Week, duty: CaseDuty) -> bool:
    """Say whether a unit is still heard about what was judged unmet, or is on trial: a paper does not say that it fell short."""
    if any((case.unit, case.week, case.duty) == (unit, week, duty) for case in facts.cases):
        return False
    trial = facts.on_trial.get(unit)
    is_heard = any((case.unit, case.week, case.duty) == (unit, week, duty) for case in facts.hearings)
    return is_heard or (trial is not None and week.period().last < trial)


def _count_fallen(facts: PeriodFacts, one: UnitSum) -> int:
    """Return in how many weeks a unit fell short of which it was heard."""
    heard = {week for week, duty in one.unmet if not _is_unheard(facts, one.unit, week, duty)}
    unheard = {week for week, _duty in one.unmet} - heard
    return one.weeks.get(DutyVerdict.UNMET, 0) - len(unheard)


def build_period(
    facts: PeriodFacts, office: Office, rulebook: Rulebook, calendar: Calendar, *, to_committee: bool, zone: str
) -> OfficialPaper:
    """Return the report of a period.

    Args:
        facts: what is said.
        office: who writes.
        rulebook: the regulation.
        calendar: the working days.
        to_committee: it goes to the Committee; otherwise to the Department.
        zone: IANA name of the portal's zone.
    """
    period = facts.period
    addressee = office.committee if to_committee else office.department
    subject = msg(
        "Compliance with the rules on updating information (from {first} to {last})",
        first=period.first,
        last=period.last,
    )
    body = [
        *_scope(facts, rulebook, calendar),
        *_results(facts),
        *_short(facts),
        *_outages(facts),
        *_handled(facts),
        *_proposals(facts, addressee),
        Paragraph(msg("{agency} reports this to {addressee}./.", agency=office.unit, addressee=addressee)),
    ]
    copies: tuple[Message | Name, ...] = (msg("As above"),)
    if to_committee:
        copies = (*copies, office.department)
    return OfficialPaper(
        kind=PaperKind.REPORT,
        parent=office.settings.parent,
        agency=office.unit,
        sign=f"BC-{office.settings.abbreviation}",
        place=office.settings.place,
        year=office.day.year,
        subject=subject,
        addressees=(addressee,),
        basis=basis_of(rulebook),
        body=tuple(body),
        signing=office.signing,
        recipients=copies,
        archive=office.archive,
        annexes=(
            Annex(
                msg("Updates by unit, from {first} to {last}", first=period.first, last=period.last),
                annex_table(facts, ZoneInfo(zone)),
            ),
            *_case_annex(facts),
            *_unpaired(facts),
        ),
        zone=zone,
        drafted_on=office.day,
    )


def _annex(facts: PeriodFacts, number: int) -> Message:
    has_unpaired = facts.variety is not None and bool(facts.variety.unpaired)
    return annex_name(number, 1 + bool(facts.cases) + has_unpaired)


def ended(items: Sequence[Message]) -> list[Message]:
    """Return the items of a list as papers end them: each with a semicolon, the last with a full stop."""
    return [*(msg("{item};", item=item) for item in items[:-1]), *(msg("{item}.", item=item) for item in items[-1:])]


def _unpaired(facts: PeriodFacts) -> Iterator[Annex]:
    if facts.variety is not None and facts.variety.unpaired:
        table = unpaired_table(facts.variety, facts.names)
        yield Annex(msg("Vietnamese items without an English one"), table)


def lasted_in(incident: Incident, period: Period, zone: ZoneInfo) -> bool:
    """Say whether an incident lasted on any local day of a period; one that is still open lasts on."""
    closed = incident.closed
    began = incident.facts.began_at.astimezone(zone).date()
    over = None if closed is None else closed.body.ended_at.astimezone(zone).date()
    return began <= period.last and (over is None or over >= period.first)


def due_on(period: Period, calendar: Calendar, numbers: Numbers) -> date:
    """Return the day on which a period's report is due."""
    return calendar.add_working_days(period.last, numbers.report_due_working_days)


# --- I ------------------------------------------------------------------------------------------


def _scope(facts: PeriodFacts, rulebook: Rulebook, calendar: Calendar) -> Iterator[BodyBlock]:
    period = facts.period
    working = len(calendar.working_days(period))
    yield Heading(2, msg("I. SCOPE, METHOD, COVERAGE"))
    yield Paragraph(
        msg(
            "The report covers {days} working days from {first} to {last} and {units} agencies and units.",
            days=working, first=period.first, last=period.last, units=len(facts.sums),
        )
    )  # fmt: skip
    yield Paragraph(
        msg(
            "Method: {sources} sources are polled automatically, and every answer is kept unchanged; what counts is"
" the time when an item was first seen or created in the database, not the date that it claims.",
            sources=facts.sources,
        )
    )  # fmt: skip
    if doubts := calendar.warnings(period):
        yield Paragraph(msg("Working days that are not certain:"))
        yield Bullets(ended(doubts))
    yield Paragraph(
        msg("A week is counted in the period that contains its last day, items and occasions on their own days.")
    )
    yield from _coverage(facts)
    if facts.silent_sources:
        yield Paragraph(
            msg(
                "Sources that did not answer the last poll of the period: {sources}.",
                sources=joined(facts.silent_sources),
            )
        )
    yield from (Paragraph(msg("{text}", text=notice)) for notice in rulebook.notices)


def _coverage(facts: PeriodFacts) -> Iterator[Paragraph]:
    """Say which units have weeks that came to no verdict: such a week is neither met nor unmet."""
    unknown = _units_with(facts, DutyVerdict.INSUFFICIENT_EVIDENCE)
    awaiting = _units_with(facts, DutyVerdict.PENDING)
    if unknown:
        yield Paragraph(
            nmsg(
                "Coverage: {n} unit has at least one week with insufficient evidence; such weeks are never "
                "counted as unmet: {units}.",
                "Coverage: {n} units have at least one week with insufficient evidence; such weeks are never "
                "counted as unmet: {units}.",
                len(unknown), units=_listed_or_all(facts, unknown),
            )
        )  # fmt: skip
    if awaiting:
        yield Paragraph(
            nmsg(
                "Coverage: {n} unit has at least one week that awaits confirmation or is not over: {units}.",
                "Coverage: {n} units have at least one week that awaits confirmation or is not over: {units}.",
                len(awaiting), units=_listed_or_all(facts, awaiting),
            )
        )  # fmt: skip
    if not unknown and not awaiting:
        yield Paragraph(msg("Coverage: the evidence is sufficient for every week of every unit."))


def _units_with(facts: PeriodFacts, verdict: DutyVerdict) -> list[UnitId]:
    return [one.unit for one in facts.sums if one.weeks.get(verdict, 0)]


def _units_open(facts: PeriodFacts, reason: OpenBecause) -> list[UnitId]:
    return [one.unit for one in facts.sums if one.open_because.get(reason, 0)]


def source_words(source: UpdateSourceTraits, names: Mapping[UnitId, Name]) -> Message:
    """Return what a paper calls a source, whose id is the configuration's own."""
    unit = None if source.unit is None else names.get(source.unit)
    match source.channel:
        case ItemChannel.PORTAL:
            return msg("province's portal")
        case ItemChannel.SUBPORTAL:
            return msg("source shared by sub-portals") if unit is None else msg("sub-portal of {unit}", unit=unit)
        case ItemChannel.SUBMISSION:
            return msg("source of what units send in") if unit is None else msg("what {unit} sends in", unit=unit)


# --- II -----------------------------------------------------------------------------------------


def _results(facts: PeriodFacts) -> Iterator[BodyBlock]:
    yield Heading(2, msg("II. RESULTS"))
    yield Heading(3, msg("1. The province's portal"))
    due = [day for day in facts.portal_days if day.working and day.verdict is not DutyVerdict.EXEMPT]
    met = [day for day in due if day.verdict is DutyVerdict.MET]
    missed = [day.day for day in due if day.verdict is DutyVerdict.UNMET]
    unknown = [day.day for day in due if day.verdict is DutyVerdict.INSUFFICIENT_EVIDENCE]
    awaiting = [day.day for day in due if day.verdict is DutyVerdict.PENDING]
    yield Paragraph(msg("The portal was updated on {met} of {due} working days.", met=len(met), due=len(due)))
    if missed:
        yield Paragraph(
            msg("Days without an update, for which the managing unit is responsible: {days}.", days=_days(missed))
        )
    if unknown:
        yield Paragraph(msg("Days with insufficient evidence: {days}.", days=_days(unknown)))
    if awaiting:
        yield Paragraph(
            msg("Days whose updates await confirmation, or that are not over: {days}.", days=_days(awaiting))
        )
    yield Heading(3, msg("2. Agencies and units"))
    totals = totals_of(facts.sums)
    yield Paragraph(
        msg(
            "{items} items count: {k1} times updated on sub-portals (K1), {k2} times sent in (K2).",
            items=totals.items, k1=totals.subportal, k2=totals.submissions,
        )
    )  # fmt: skip
    yield Paragraph(
        msg(
            "Of {weeks} unit-weeks, {met} reached what was due, {unmet} did not, {open} came to no verdict, and in {none}"
            " nothing was due.",
            weeks=totals.weeks, met=totals.met, unmet=totals.assessed - totals.met, open=totals.undecided,
            none=totals.weeks - totals.assessed - totals.undecided,
        )
    )  # fmt: skip
    odd = [
        (word, sum(one.flags.get(flag, 0) for one in facts.sums))
        for flag, word in (
            (FlagKind.BACKDATED, msg("backdated")),
            (FlagKind.TOUCHED, msg("old items published again")),
            (FlagKind.DUPLICATE, msg("repeated texts")),
            (FlagKind.REMOVED, msg("taken down after they were put up")),
        )
    ]
    if any(count for _word, count in odd):
        yield Bullets(
            ended(
                [
                    nmsg(
                        "{what}: {n} item, which does not count or counts on another day",
                        "{what}: {n} items, which do not count or count on another day",
                        count,
                        what=word,
                    )
                    for word, count in odd
                    if count
                ]
            )
        )
    yield Paragraph(
        msg("The figures of each unit are in {annex}, which is part of this report.", annex=_annex(facts, 1))
    )
    yield Heading(3, msg("3. Compared with the previous period"))
    both = [one for one in facts.sums if _is_comparable(facts, one)]
    if both:
        new, old = totals_of(both), totals_of([facts.before[one.unit] for one in both])
        yield Paragraph(
            nmsg(
                "Of the {n} unit whose weeks all came to a verdict in both periods: items {items} ({difference}); unit-weeks that"
                " reached what was due {met} of {assessed}, before {old_met} of {old_assessed}.",
                "Of the {n} units whose weeks all came to a verdict in both periods: items {items} ({difference}); unit-weeks that"
                " reached what was due {met} of {assessed}, before {old_met} of {old_assessed}.",
                len(both), items=new.items, difference=_signed(new.items - old.items), met=new.met, assessed=new.assessed,
                old_met=old.met, old_assessed=old.assessed,
            )
        )  # fmt: skip
    elif facts.before:
        yield Paragraph(
            msg("Not compared: no unit's weeks all came to a verdict in both periods, so their numbers are not alike.")
        )
    else:
        yield Paragraph(msg("The previous period was not judged."))
    if facts.variety is not None:
        yield Heading(3, msg("4. Kinds of information and languages"))
        yield from counts_blocks(facts.variety)
        if facts.variety.unpaired:
            yield Paragraph(
                msg(
                    "The items without an English version are in {annex}, which is part of this report.",
                    annex=_annex(facts, 2 + bool(facts.cases)),
                )
            )
    for number, found in enumerate(facts.timeliness, 4 + (facts.variety is not None)):
        yield Heading(3, msg("{number}. How soon documents were published", number=number))
        yield from timeliness_blocks(found, facts.names)


# --- III to VI ----------------------------------------------------------------------------------


def _short(facts: PeriodFacts) -> Iterator[BodyBlock]:
    yield Heading(2, msg("III. UNITS THAT FELL SHORT, AND THEIR EXPLANATIONS"))
    fallen = [one for one in facts.sums if _count_fallen(facts, one)]
    unheard = [one.unit for one in facts.sums if _count_fallen(facts, one) < one.weeks.get(DutyVerdict.UNMET, 0)]
    if fallen:
        yield Paragraph(
            nmsg("{n} unit did not reach what was due:", "{n} units did not reach what was due:", len(fallen))
        )
        yield Bullets(
            ended(
                [
                    msg(
                        "{unit}: {unmet} of {assessed} assessed weeks",
                        unit=_name(facts, one.unit), unmet=_count_fallen(facts, one), assessed=_assessed(one),
                    )
                    for one in fallen
                ]
            )
        )  # fmt: skip
    if unheard:
        yield Paragraph(
            nmsg(
                "Of {n} unit, weeks were judged of which it is still heard, or which are of its trial; no case is opened: {units}.",
                "Of {n} units, weeks were judged of which they are still heard, or which are of their trial; no case is opened: {units}.",
                len(unheard), units=_listed_or_all(facts, unheard),
            )
        )  # fmt: skip
    if facts.cases:
        yield Paragraph(
            msg(
                "The cases, with their explanations, are in {annex}, which is part of this report.",
                annex=_annex(facts, 2),
            )
        )
    else:
        yield Paragraph(_without_cases(facts))
    if facts.former:
        yield Paragraph(
            msg("By a change of the configuration, and without new evidence, these are judged unmet no more:")
        )
        yield Bullets(ended(facts.former))


def _case_annex(facts: PeriodFacts) -> Iterator[Annex]:
    """Yield the cases of the period: seven columns of words, for which a page across has room."""
    if not facts.cases:
        return
    rows: list[Sequence[Cell]] = []
    for number, case in enumerate(sorted(facts.cases, key=lambda case: (_name(facts, case.unit).vi, case.week)), 1):
        found = case.shortfall
        said = case.newest(CaseStep.EXPLAINED)
        seen: Cell = None
        if found is not None:
            seen = _days(found.days) if found.days else msg("{seen} of {due}", seen=found.seen, due=found.required)
        explained: Cell = said.move.reason if said else None
        if said is not None and (late := facts.late_answers.get(case.id)):
            explained = msg("{text} (late: due by {day})", text=verbatim(said.move.reason), day=late.by)
        rows.append(
            (
                number,
                _name(facts, case.unit),
                week_words(case.week),
                CASE_DUTIES[case.duty],
                seen,
                explained,
                _outcome(case),
            )
        )
    headers = (
        msg("No"),
        msg("Unit"),
        msg("Week"),
        msg("What was due"),
        msg("Seen"),
        msg("Explanation"),
        msg("Status of the case"),
    )
    yield Annex(msg("Cases of the period"), TableBlock(msg("Cases of the period"), headers, rows))


def _outcome(case: Case) -> Message:
    """Return the word for where a case stands; of a closed one, also what it came to."""
    if case.is_closed_by_rule:
        return msg("closed; the week is not unmet after all")
    decided = case.newest(*_ENDS)
    is_unanswered = (
        decided is not None and decided.move.step is CaseStep.REJECTED and not case.newest(CaseStep.EXPLAINED)
    )
    if case.is_open:
        return (
            msg("no explanation came")
            if is_unanswered and case.state is CaseState.REJECTED
            else STATE_WORDS[case.state]
        )
    if decided is None:
        return STATE_WORDS[case.state]
    return msg("closed; no explanation came") if is_unanswered else _ENDS[decided.move.step]


def _verdicts(facts: PeriodFacts) -> frozenset[DutyVerdict]:
    """Return every verdict that a unit's week or a working day of the portal came to."""
    weeks = {verdict for one in facts.sums for verdict, count in one.weeks.items() if count}
    return frozenset(weeks | {day.verdict for day in facts.portal_days if day.working})


def _without_cases(facts: PeriodFacts) -> Message:
    verdicts = _verdicts(facts)
    if DutyVerdict.UNMET in verdicts:
        return msg("No case is recorded for a week that ends in the period.")
    if verdicts & {DutyVerdict.INSUFFICIENT_EVIDENCE, DutyVerdict.PENDING}:
        return msg("On the evidence at hand, nobody fell short in the period.")
    return msg("Nobody fell short in the period.")


def _outages(facts: PeriodFacts) -> Iterator[BodyBlock]:
    yield Heading(2, msg("IV. FAULTS, SITES THAT COULD NOT BE REACHED, EXEMPTIONS"))
    down = [one for one in facts.sums if one.unreachable_days]
    portal_down = [day.day for day in facts.portal_days if day.unreachable]
    items = [
        nmsg(
            "{unit}: its sub-portal could not be reached on {n} day",
            "{unit}: its sub-portal could not be reached on {n} days",
            one.unreachable_days,
            unit=_name(facts, one.unit),
        )
        for one in down
    ]
    if portal_down:
        items.insert(0, msg("the province's portal could not be reached on {days}", days=_days(portal_down)))
    items = [*(_incident(one) for one in facts.incidents), *items]
    items += [_exempt(facts, one) for one in facts.exemptions]
    if items:
        yield Bullets(ended(items))
    elif not facts.incidents_lost:
        yield Paragraph(msg("None is recorded."))
    if facts.incidents_lost:
        yield Paragraph(
            nmsg(
                "{n} entry of the register of incidents cannot be read; an incident may be missing here.",
                "{n} entries of the register of incidents cannot be read; incidents may be missing here.",
                facts.incidents_lost,
            )
        )


def _incident(one: Incident) -> Message:
    said = verbatim(one.facts.what.rstrip(".;"))
    if one.closed is None:
        return msg("incident of {at}, not over yet: {what}", at=one.facts.began_at, what=said)
    return msg(
        "incident from {first} to {last}: {what}",
        first=one.facts.began_at, last=one.closed.body.ended_at, what=said,
    )  # fmt: skip


def _exempt(facts: PeriodFacts, one: Exemption) -> Message:
    said = msg(
        "{unit}: exempt from {first} to {last}, by {document}",
        unit=_name(facts, one.unit or THE_PORTAL), first=one.first, last=one.last, document=one.document,
    )  # fmt: skip
    remarks = facts.exemption_remarks.get(one.id)
    return msg("{exemption} ({remarks})", exemption=said, remarks=joined(remarks)) if remarks else said


def _handled(facts: PeriodFacts) -> Iterator[BodyBlock]:
    yield Heading(2, msg("V. WHAT WAS DONE"))
    yield from _counted_cases(facts)
    unmet = {(one.unit, *each) for one in facts.sums for each in one.unmet}
    still = [case for case in facts.hearings if (case.unit, case.week, case.duty) in unmet]
    over = [case for case in facts.hearings if case not in still]
    if still:
        yield Paragraph(
            nmsg(
                "{n} hearing is under way, before a case is opened: {units}.",
                "{n} hearings are under way, before a case is opened: {units}.",
                len(still),
                units=_listed(facts, list(dict.fromkeys(case.unit for case in still))),
            )
        )
    if over:
        yield Paragraph(
            nmsg(
                "{n} further hearing is of a week that is no longer unmet, so no case is opened: {units}.",
                "{n} further hearings are of weeks that are no longer unmet, so no case is opened: {units}.",
                len(over),
                units=_listed(facts, list(dict.fromkeys(case.unit for case in over))),
            )
        )
    yield from _own_delays(facts)


def _own_delays(facts: PeriodFacts) -> Iterator[BodyBlock]:
    """Yield which steps the managing unit itself missed (Article 11.3), by step, week and day: nothing takes it out."""
    if not facts.late_steps:
        return
    alike: dict[tuple[CaseStep, Week, date, date | None, CaseStep | None], list[UnitId]] = {}
    for each in facts.late_steps:
        units = alike.setdefault((each.step, each.case.week, each.by, each.done_on, each.instead), [])
        if each.case.unit not in units:
            units.append(each.case.unit)
    items = []
    for step, week, by, done_on, instead in sorted(
        alike, key=lambda key: (key[2], key[1], key[0].value, key[3] or date.max, key[4] or "")
    ):
        values: dict[str, Value] = {
            "step": STEP_WORDS[step],
            "week": week_words(week),
            "day": by,
            "units": _listed(facts, alike[step, week, by, done_on, instead]),
        }
        if done_on is None:
            items.append(msg("{step} of {week} was due by {day} and is not recorded: {units}", **values))
        elif instead is not None:
            items.append(
                msg(
                    "{step} of {week} was due by {day} and was not made before {instead} on {done}: {units}",
                    instead=STEP_WORDS[instead], done=done_on, **values,
                )
            )  # fmt: skip
        else:
            items.append(
                msg("{step} of {week} was due by {day} and recorded on {done}: {units}", done=done_on, **values)
            )
    yield Paragraph(msg("Steps of Article 11.3 that the managing unit itself recorded late, or not yet:"))
    yield Bullets(ended(items))


def _counted_cases(facts: PeriodFacts) -> Iterator[BodyBlock]:
    if not facts.cases:
        none = (
            msg("No case of the period is recorded.")
            if facts.hearings or DutyVerdict.UNMET in _verdicts(facts)
            else msg("There was nothing to handle.")
        )
        yield Paragraph(none)
        return
    order = [*CaseState]
    outcomes = [_outcome(case) for case in sorted(facts.cases, key=lambda case: order.index(case.state))]
    counts = Counter(word.text for word in outcomes)
    yield Paragraph(nmsg("{n} case was opened:", "{n} cases were opened:", len(facts.cases)))
    yield Bullets(
        ended(
            [
                nmsg("{n} case: {state}", "{n} cases: {state}", counts[text], state=word)
                for text, word in {word.text: word for word in outcomes}.items()
            ]
        )
    )


def _proposals(facts: PeriodFacts, addressee: Name) -> Iterator[BodyBlock]:
    """Yield what is asked of whom: nothing is proposed only where nobody fell short and nothing is open."""
    yield Heading(2, msg("VI. PROPOSALS"))
    repeated = {one.case.unit: one for one in facts.escalations}
    excused = {(case.unit, case.week, case.duty) for case in facts.cases if case.was_accepted}
    fallen = [
        one.unit
        for one in facts.sums
        if one.unit not in repeated
        and any((one.unit, *each) not in excused and not _is_unheard(facts, one.unit, *each) for each in one.unmet)
    ]
    unproven = _units_open(facts, OpenBecause.UNPROVEN)
    unwatched = _units_open(facts, OpenBecause.NO_SOURCE)
    own = any(day.working and day.verdict is DutyVerdict.UNMET for day in facts.portal_days)
    if repeated:
        yield Paragraph(msg("To consider and give direction to those that fell short repeatedly:"))
        reasons = [
            msg("{unit}: {reason}", unit=_name(facts, unit), reason=one.reason) for unit, one in repeated.items()
        ]
        yield Bullets(ended(reasons))
    if fallen:
        yield Paragraph(
            msg(
                "{addressee} is asked to urge the units that fell short to update and send information as often as"
                " required: {units}.",
                addressee=addressee, units=_listed(facts, fallen),
            )
        )  # fmt: skip
    if unproven:
        yield Paragraph(
            msg(
                "The units with weeks that came to no verdict are asked for documents that show when their items were"
                " published or sent: {units}.",
                units=_listed(facts, unproven),
            )
        )
    if unwatched:
        yield Paragraph(
            msg(
                "The managing unit adds sources that show what these units publish or send: {units}.",
                units=_listed(facts, unwatched),
            )
        )
    if own:
        yield Paragraph(msg("The managing unit makes sure that the portal is updated on each working day."))
    waiting = any(each.done_on is None for each in facts.late_steps)
    if waiting:
        yield Paragraph(msg("The managing unit carries out the overdue steps of section V."))
    if not (repeated or fallen or unproven or unwatched or own or waiting):
        yield Paragraph(msg("The managing unit continues to track updates and has nothing to propose."))


# --- the annex ----------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Totals:
    """The sum of the annex."""

    items: int
    subportal: int
    submissions: int
    met: int
    assessed: int
    undecided: int
    """Unit-weeks with insufficient evidence, or pending."""
    weeks: int
    """All unit-weeks."""


def totals_of(sums: Sequence[UnitSum]) -> Totals:
    """Add up the rows of an annex."""
    return Totals(
        sum(one.items for one in sums),
        sum(one.subportal for one in sums),
        sum(one.submissions for one in sums),
        sum(one.weeks.get(DutyVerdict.MET, 0) for one in sums),
        sum(_assessed(one) for one in sums),
        sum(one.weeks.get(verdict, 0) for one in sums for verdict in UNDECIDED),
        sum(sum(one.weeks.values()) for one in sums),
    )


def _is_comparable(facts: PeriodFacts, one: UnitSum) -> bool:
    """Say whether a unit's numbers may be set beside those of the period before: what was not seen whole is fewer by that."""
    before = facts.before.get(one.unit)
    return before is not None and not any(each.weeks.get(verdict) for each in (one, before) for verdict in UNDECIDED)


def _assessed(one: UnitSum) -> int:
    return sum(one.weeks.get(verdict, 0) for verdict in ASSESSED)


def annex_table(facts: PeriodFacts, zone: ZoneInfo) -> TableBlock:
    """Return the annex: a row a unit, and their sum; days are those of a zone."""
    rows: list[Sequence[Cell]] = []
    for number, one in enumerate(facts.sums, 1):
        met = one.weeks.get(DutyVerdict.MET, 0)
        assessed = _assessed(one)
        change = _signed(one.items - facts.before[one.unit].items) if _is_comparable(facts, one) else None
        rows.append(
            (
                number,
                _name(facts, one.unit),
                one.items,
                one.subportal,
                one.submissions,
                f"{met}/{assessed}",
                one.newest_at.astimezone(zone).date() if one.newest_at else None,
                one.unreachable_days,
                change,
                _verdict(facts, one),
                _remarks(facts, one),
            )
        )
    total = totals_of(facts.sums)
    rows.append(
        (
            None,
            msg("Total"),
            total.items,
            total.subportal,
            total.submissions,
            f"{total.met}/{total.assessed}",
            None,
            None,
            None,
            None,
            None,
        )
    )
    headers = (
        msg("No"), msg("Unit"), msg("Items counted"), msg("Times K1"), msg("Times K2"), msg("Weeks met/assessed"), msg("Newest update"),
        msg("Days not reached"), msg("Compared with the previous period"), msg("Assessment"), msg("Notes"),
    )  # fmt: skip
    return TableBlock(msg("Updates by unit"), headers, rows)


def _verdict(facts: PeriodFacts, one: UnitSum) -> Message:
    if _count_fallen(facts, one):
        return msg("not met")
    if one.weeks.get(DutyVerdict.UNMET, 0):
        return msg("being heard, or on trial")
    if one.weeks.get(DutyVerdict.INSUFFICIENT_EVIDENCE, 0):
        return msg("insufficient evidence")
    if one.weeks.get(DutyVerdict.PENDING, 0):
        return msg("awaiting confirmation")
    if one.weeks.get(DutyVerdict.MET, 0):
        return msg("met")
    return msg("exempt") if one.weeks.get(DutyVerdict.EXEMPT, 0) else msg("not assessed")


def _remarks(facts: PeriodFacts, one: UnitSum) -> Cell:
    documents = list(dict.fromkeys(each.document for each in facts.exemptions if each.unit == one.unit))
    remarks = [msg("exempt by {document}", document=", ".join(documents))] if documents else []
    if count := one.open_because.get(OpenBecause.NO_SOURCE, 0):
        remarks.append(nmsg("no source in {n} week", "no source in {n} weeks", count))
    if count := one.open_because.get(OpenBecause.NOT_WATCHED, 0):
        remarks.append(nmsg("not watched whole in {n} week", "not watched whole in {n} weeks", count))
    elif one.pending:  # of weeks before the first poll nobody is asked to confirm anything
        remarks.append(nmsg("{n} occasion awaits confirmation", "{n} occasions await confirmation", one.pending))
    return joined(remarks) if remarks else None


def _name(facts: PeriodFacts, unit: UnitId) -> Name:
    if unit == THE_PORTAL:
        return Name("Đơn vị quản lý Cổng", "The managing unit")
    return facts.names.get(unit, Name(unit, unit))


def _listed(facts: PeriodFacts, units: Sequence[UnitId]) -> Message:
    names = [_name(facts, unit) for unit in units]
    text = "; ".join(f"{{n{number}}}" for number in range(len(names)))
    return Message(text, {f"n{number}": name for number, name in enumerate(names)})


def _listed_or_all(facts: PeriodFacts, units: Sequence[UnitId]) -> Message:
    """Return the names of units; of more than three that are all of them, that they are all."""
    return msg("all of them") if 3 < len(units) == len(facts.sums) else _listed(facts, units)


def _days(days: Sequence[date]) -> Message:
    text = ", ".join(f"{{d{number}}}" for number in range(len(days)))
    return Message(text, {f"d{number}": day for number, day in enumerate(days)})


def _signed(number: int) -> str:
    return f"+{number}" if number > 0 else str(number)
