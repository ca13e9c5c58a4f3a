"""The letter that reminds a unit (công văn đôn đốc): what was found, by which article, what is asked for and by when. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from types import MappingProxyType
from zoneinfo import ZoneInfo

from portalops.model.cases import CaseDuty, CaseState
from portalops.model.message import Message, msg, nmsg, verbatim
from portalops.model.organisation import Name
from portalops.model.period import Week
from portalops.model.rulebook import Rulebook, UnitDuties
from portalops.model.updates import FlaggedItem, FlagKind, UpdatesResult
from portalops.official.office import Office
from portalops.official.paper import Annex, LegalBasis, OfficialPaper, PaperKind
from portalops.registers.cases import Case
from portalops.reports.document import Bullets, Cell, Paragraph, TableBlock
from portalops.reports.words import CASE_DUTIES, flag_word, joined


@dataclass(frozen=True, slots=True)
class EndedUnit:
    """That the unit a letter is about is no more."""

    last_day: date
    successors: Sequence[Name]
    """Who took over, at least one."""


def build_reminder(
    office: Office,
    unit: Name,
    cases: Sequence[Case],
    rulebook: Rulebook,
    *,
    explain_by: date,
    zone: str,
    uncounted: Sequence[FlaggedItem] = (),
    reasons: Mapping[str, Message] = MappingProxyType({}),
    ended: EndedUnit | None = None,
    has_sheet: bool = False,
    doubts: Sequence[Message] = (),
) -> OfficialPaper:
    """Return the letter to one unit about its open cases.

    Args:
        office: who writes.
        unit: whose cases they are, and to whom the letter goes while it exists.
        cases: what it is about; at least one, all of this unit.
        rulebook: the regulation.
        explain_by: the last day for an explanation.
        zone: IANA name of the portal's zone.
        uncounted: the unit's items that count on no day of these weeks, by `uncounted_items`.
        reasons: why they do not, as the sheet of the week says; of an item that is not there, its flags are named.
        ended: the unit is no more, and its successors get the letter.
        has_sheet: the sheet of all its items goes with the letter.
        doubts: what is not certain of the calendar of these weeks and of the days to answer.

    Raises:
        ValueError: there is no case.
    """
    if not cases:
        raise ValueError("a reminder is about at least one case")
    to: Sequence[Name] = (unit,) if ended is None else ended.successors
    weeks = sorted({case.week for case in cases})
    rows: list[Sequence[Cell]] = []
    for number, case in enumerate(sorted(cases, key=lambda case: (case.week, case.duty.value)), 1):
        found = case.shortfall
        rows.append(
            (
                number,
                week_words(case.week),
                CASE_DUTIES[case.duty],
                found.required if found else None,
                found.seen if found else None,
            )
        )
    headers = (msg("No"), msg("Week"), msg("What was due"), msg("Times due"), msg("Times seen"))
    table = TableBlock(msg("Problem"), headers, rows)
    body: list[Paragraph | Bullets | TableBlock] = [
        Paragraph(
            msg(
                "Tracking updates from {first} to {last}, {agency} found that {unit} did not follow the rules on "
                "updating information, as follows:",
                first=weeks[0].period().first,
                last=weeks[-1].period().last,
                agency=office.unit,
                unit=unit,
            )
        ),
        table,
        *_took_over(unit, ended),
        Paragraph(msg("{agency} asks {unit}:", agency=office.unit, unit=joined(to))),
        Bullets(
            (
                _asked(cases, rulebook, _REQUESTS),
                msg(
                    "to check the above and answer {agency} in writing or by mail by {day}: with the explanation, or with"
                    " the documents that show when items were published or sent.",
                    agency=office.unit, day=explain_by,
                ),
            )
        ),
    ]  # fmt: skip
    if uncounted:
        body.insert(2, Paragraph(_uncounted_sentence(len(uncounted))))
    if any(case.state is CaseState.HEARING for case in cases):
        body.append(
            Paragraph(msg("If no answer comes by then, {agency} opens a case by the rules.", agency=office.unit))
        )
    if doubts:
        body.append(
            Paragraph(msg("The official notice of days off may still change these weeks or the day to answer by:"))
        )
        body.append(Bullets(tuple(doubts)))
    if has_sheet:
        body.append(Paragraph(msg("Enclosed: the list of items.")))
    if office.settings.contact:
        body.append(Paragraph(msg("Contact: {contact}.", contact=office.settings.contact)))
    body.append(Paragraph(msg("With respect./.")))
    return OfficialPaper(
        kind=PaperKind.LETTER,
        parent=office.settings.parent,
        agency=office.unit,
        sign=office.letter_sign,
        place=office.settings.place,
        year=office.day.year,
        subject=_asked(cases, rulebook, _SUBJECTS),
        addressees=to,
        basis=basis_of(rulebook),
        body=tuple(body),
        signing=office.signing,
        recipients=(msg("As above"), office.department),
        archive=office.archive,
        annexes=_uncounted_annex(uncounted, reasons, ZoneInfo(zone)),
        zone=zone,
        drafted_on=office.day,
    )


_Words = tuple[Message, Message, Message]
"""Of the sub-portal alone, of what is sent alone, of both."""
_SUBJECTS: _Words = (
    msg("urging updates of the sub-portal"),
    msg("urging the sending of information to the province's portal"),
    msg("urging updates of the sub-portal and sending of information to the province's portal"),
)
_REQUESTS: _Words = (
    msg("to update the sub-portal as often as required from this week on;"),
    msg("to send information as often as required from this week on;"),
    msg("to update and send information as often as required from this week on;"),
)


def _asked(cases: Sequence[Case], rulebook: Rulebook, words: _Words) -> Message:
    """Return the words for what the cases are about: nobody is urged to what was done, or to what is not asked for."""
    duties = {case.duty for case in cases}
    of_subportal, of_sent, of_both = words
    if len(duties) > 1 or rulebook.numbers.unit_duties is UnitDuties.SUM:
        return of_both
    return of_subportal if duties == {CaseDuty.SUBPORTAL} else of_sent


def _took_over(unit: Name, ended: EndedUnit | None) -> Iterator[Paragraph]:
    if ended is not None:
        yield Paragraph(
            msg(
                "{unit} existed until {day}; this letter is sent to {successors} as its successor.",
                unit=unit, day=ended.last_day, successors=joined(ended.successors),
            )
        )  # fmt: skip


# An item whose text alone is wrong, or of which the rules note how it came, counts all the same.
_NO_REASON = frozenset(
    {
        FlagKind.LEGACY_ENCODING,
        FlagKind.NOT_NFC,
        FlagKind.WAITED,
        FlagKind.BULK,
        FlagKind.BASELINE,
        FlagKind.REWRITTEN,
    }
)


def uncounted_items(judged: Iterable[UpdatesResult], cases: Sequence[Case], zone: ZoneInfo) -> tuple[FlaggedItem, ...]:
    """Return the items of a unit that have a flag, are of the weeks of its cases, and count on no day of them.

    Args:
        judged: the judgings that found the cases.
        cases: all of one unit.
        zone: the portal's.
    """
    unit, weeks = cases[0].unit, {case.week for case in cases}
    found: dict[str, FlaggedItem] = {}
    counted: set[str] = set()
    for result in judged:
        counted |= {
            item.observation
            for week in result.unit_weeks
            if week.unit == unit and week.week in weeks
            for item in week.items
            if item.day is not None and Week.of(item.day) in weeks
        }
        for item in result.flagged:
            moments = (item.claimed_at, item.evidenced_at)
            is_of_weeks = any(at is not None and Week.of(at.astimezone(zone).date()) in weeks for at in moments)
            if item.unit == unit and is_of_weeks and set(item.flags) - _NO_REASON:
                found[item.observation] = item
    return tuple(item for name, item in found.items() if name not in counted)


def _uncounted_sentence(count: int) -> Message:
    return nmsg(
        "{n} item of these weeks did not count; the annex names it, with the reason.",
        "{n} items of these weeks did not count; the annex names them, with the reasons.",
        count,
    )


def _uncounted_annex(items: Sequence[FlaggedItem], reasons: Mapping[str, Message], zone: ZoneInfo) -> tuple[Annex, ...]:
    """Return the annex that names the items; none where there are none."""
    if not items:
        return ()

    def day(at: datetime | None) -> date | None:
        return None if at is None else at.astimezone(zone).date()

    rows: list[Sequence[Cell]] = [
        (
            number, verbatim(item.title), day(item.claimed_at), day(item.evidenced_at),
            reasons.get(item.observation) or joined([flag_word(flag) for flag in item.flags if flag not in _NO_REASON]),
        )
        for number, item in enumerate(items, 1)
    ]  # fmt: skip
    headers = (msg("No"), msg("Title"), msg("Claimed date"), msg("Shown to exist from"), msg("Why it does not count"))
    title = msg("Items that did not count")
    return (Annex(title, TableBlock(title, headers, rows)),)


def week_words(week: Week) -> Message:
    """Return a week as a paper names it: its number, which the reader's calendar has, and its days."""
    span = week.period()
    return msg("week {number} ({first} to {last})", number=week.number, first=span.first, last=span.last)


def decision_of(rulebook: Rulebook) -> Message:
    """Return the document that a regulation was issued with, as papers cite it."""
    parts = rulebook.document.split(", ", 2)
    if len(parts) != 3:
        return msg("Decision No. {document}", document=rulebook.document)
    number, day, issuer = parts
    return msg("Decision No. {number} of {day} of {issuer}", number=number, day=day, issuer=issuer)


def basis_of(rulebook: Rulebook) -> LegalBasis:
    """Return what every paper on updates rests on."""
    decision = decision_of(rulebook)
    return LegalBasis(
        (
            msg(
                "Pursuant to Article 11 of the {title}, issued with {decision}", title=rulebook.title, decision=decision
            ),
            msg("On the basis of what was tracked, with evidence that is kept"),
        )
    )
