"""The letter that reminds a unit (công văn đôn đốc): what was found, by which article, what is asked for and by when. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date

from portalops.model.message import Message, msg
from portalops.model.organisation import Name
from portalops.model.period import Week
from portalops.model.rulebook import Rulebook
from portalops.official.office import Office
from portalops.official.paper import LegalBasis, OfficialPaper, PaperKind
from portalops.registers.cases import Case
from portalops.reports.document import Bullets, Cell, Paragraph, TableBlock
from portalops.reports.words import CASE_DUTIES, joined


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
    ended: EndedUnit | None = None,
) -> OfficialPaper:
    """Return the letter to one unit about its open cases.

    Args:
        office: who writes.
        unit: whose cases they are, and to whom the letter goes while it exists.
        cases: what it is about; at least one, all of this unit.
        rulebook: the regulation.
        explain_by: the last day for an explanation.
        zone: IANA name of the portal's zone.
        ended: the unit is no more, and its successors get the letter.

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
                msg("to update and send information as often as required from this week on;"),
                msg("to explain the above in writing to {agency} by {day}.", agency=office.unit, day=explain_by),
            )
        ),
    ]
    if office.settings.contact:
        body.append(Paragraph(msg("Contact: {contact}.", contact=office.settings.contact)))
    body.append(Paragraph(msg("With respect./.")))
    return OfficialPaper(
        kind=PaperKind.LETTER,
        parent=office.settings.parent,
        agency=office.unit,
        sign=office.settings.abbreviation,
        place=office.settings.place,
        year=office.day.year,
        subject=msg("urging updates of the sub-portal and sending of information to the province's portal"),
        addressees=to,
        basis=basis_of(rulebook),
        body=tuple(body),
        signing=office.signing,
        recipients=(msg("As above"), office.department),
        archive=f"VT, {office.settings.abbreviation}",
        zone=zone,
        drafted_on=office.day,
    )


def _took_over(unit: Name, ended: EndedUnit | None) -> Iterator[Paragraph]:
    if ended is not None:
        yield Paragraph(
            msg(
                "{unit} existed until {day}; this letter is sent to {successors} as its successor.",
                unit=unit, day=ended.last_day, successors=joined(ended.successors),
            )
        )  # fmt: skip


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
