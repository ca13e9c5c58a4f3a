"""The report on updates: the portal day by day, units x days, how many weeks each unit kept, cases, and what was reported. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import timedelta
from typing import Final

from portalops.model.message import Message, msg, nmsg
from portalops.model.organisation import Agency, exists_during
from portalops.model.period import Period
from portalops.model.standing import Standing
from portalops.model.updates import FlagKind, UpdatesResult
from portalops.model.verdicts import DutyVerdict
from portalops.registers.evidence import Evidence
from portalops.registers.unit_scope import narrow_to_unit
from portalops.reports.bounded import bounded, filled
from portalops.reports.document import Block, Cell, Document, KeyValues, Notice, Paragraph
from portalops.reports.frame import Section, framed
from portalops.reports.material import Material
from portalops.reports.named import Report
from portalops.reports.section_duties import duty_table, rest_blocks
from portalops.reports.section_evidence import flagged_table, poll_problems, problem_table
from portalops.reports.section_handling import handling_blocks
from portalops.reports.section_league import league_blocks
from portalops.reports.section_updates import (
    list_in_force,
    matrix,
    polls_table,
    portal_days_table,
    short_weeks_table,
    totals_table,
    unit_names,
    weeks_of,
)
from portalops.reports.section_variety import variety_blocks

TITLE = msg("Report on updates")

CLAUSES: Final = frozenset({"7.6", "11.1", "11.2", "11.3"})
ROWS_SHOWN: Final = 120
LONGEST_GRID: Final = timedelta(days=45)
"""A longer period has a picture a month: on one, nobody could read the days."""
_TEXT_FLAGS = frozenset({FlagKind.LEGACY_ENCODING, FlagKind.NOT_NFC})


def build(material: Material) -> Document:
    """Return the report as a document."""
    material = _cut_down(material)
    evidence, units = material.evidence, [each for each in material.units if exists_during(each, material.period)]
    sections = (
        Section(msg("Summary, and the duties of Article 11 and 7.6"), _summary(material)),
        Section(msg("Units and days"), _days(material, units)),
        Section(msg("Weeks of the units"), _weeks(evidence, units)),
        Section(
            msg("What was done: cases, exemptions and reports"),
            filled(handling_blocks(evidence, units, material.calendar, material.rulebook.numbers), ROWS_SHOWN),
        ),
        Section(msg("Flagged items"), filled([flagged_table(evidence, units)])),
        Section(msg("Sources, and what was published"), _sources(evidence, units)),
    )
    return framed(TITLE, material, sections, basis=_basis(material, units))


def _cut_down(material: Material) -> Material:
    """Return the material with these duties alone; of one unit, with what concerns it."""
    unit, rulebook = material.scope.unit, material.rulebook
    own = [each for each in material.standings if rulebook.duty(each.duty).clause in CLAUSES]
    material = replace(material, standings=own)
    if unit is None:
        return material
    return replace(
        material,
        units=[each for each in material.units if each.id == unit],
        evidence=narrow_to_unit(material.evidence, unit),
    )


def _basis(material: Material, units: Sequence[Agency]) -> tuple[tuple[Message, Cell], ...]:
    newest = material.evidence.updates
    days = sum(material.calendar.is_working(day) for day in material.period.days())
    source: Message = msg("nothing: the updates were never collected and judged")
    if newest is not None:
        source = msg(
            "{sources} as polled in record {seq} of {at}; registers of cases, exemptions and papers",
            sources=nmsg("{n} source", "{n} sources", len(newest.body.polls)),
            seq=newest.seq,
            at=newest.at,
        )
    return (
        (
            msg("Population"),
            msg(
                "{units} on {days} of {weeks}",
                units=nmsg("{n} unit", "{n} units", len(units)),
                days=nmsg("{n} working day", "{n} working days", days),
                weeks=nmsg("{n} ISO week", "{n} ISO weeks", len(material.period.weeks())),
            ),
        ),
        (msg("Source"), source),
        (
            msg("Method"),
            msg(
                "An item counts on the day on which it is proved to have existed: K1 on the unit's sub-portal, "
                "K2 sent to the managing unit. A week is judged by its working days; a week with too few polls "
                "is unknown, neither met nor unmet."
            ),
        ),
    )


def _summary(material: Material) -> Iterator[Block]:
    evidence, standings = material.evidence, material.standings
    yield Paragraph(_verdicts(standings))
    yield from rest_blocks(standings)
    if evidence.updates is None:
        yield Notice(msg("The updates were never collected and judged: what was published is unknown."))
    else:
        yield KeyValues(list(_figures(evidence.updates.body, material)))
    if material.scope.unit is not None:
        yield Paragraph(msg("Duties are the portal's: their verdicts rest on all of its units, not on this one alone."))
    caption = msg("Each duty: what it requires, its verdict, and the records of the ledger that it rests on")
    yield duty_table(caption, standings, material.rulebook, material.proof)


def _figures(result: UpdatesResult, material: Material) -> Iterator[tuple[Message, Cell]]:
    evidence, period = material.evidence, material.period
    yield msg("Judged from"), result.judged_from
    yield msg("Judged to"), result.judged_to
    if material.scope.unit is None:
        days = [day.verdict for day in result.portal_days if day.day in period and day.working]
        yield (
            msg("Working days of the portal"),
            msg(
                "{met} met, {unmet} unmet, {open} pending or with insufficient evidence",
                met=days.count(DutyVerdict.MET),
                unmet=days.count(DutyVerdict.UNMET),
                open=days.count(DutyVerdict.PENDING) + days.count(DutyVerdict.INSUFFICIENT_EVIDENCE),
            ),
        )
    weeks = [week.verdict for week in weeks_of(result, period)]
    yield (
        msg("Weeks of the units"),
        msg(
            "{met} met, {unmet} unmet, {open} pending or with insufficient evidence",
            met=weeks.count(DutyVerdict.MET),
            unmet=weeks.count(DutyVerdict.UNMET),
            open=weeks.count(DutyVerdict.PENDING) + weeks.count(DutyVerdict.INSUFFICIENT_EVIDENCE),
        ),
    )
    asked = frozenset(period.weeks())
    cases = [case for case in evidence.cases if case.was_opened and case.week in asked]
    yield msg("Cases"), msg("{n}, {open} of them open", n=len(cases), open=sum(case.is_open for case in cases))
    wrong = sum(bool(_TEXT_FLAGS & {*item.flags}) for item in result.flagged)
    if material.scope.unit is None:
        yield (
            msg("Texts checked for Unicode over all days judged (Article 7.6)"),
            msg("{n}; not compliant: {wrong}", n=result.text_checked, wrong=wrong),
        )


def _days(material: Material, units: Sequence[Agency]) -> Iterator[Block]:
    evidence = material.evidence
    newest = evidence.updates
    if newest is None:
        yield Paragraph(msg("Nothing was judged, so there is no day to show."))
        return
    for part in _parts(material.period):
        grid = matrix(newest.body, part, units, material.calendar, list_in_force(evidence))
        yield grid if material.scope.unit is None else replace(grid, rows=grid.rows[1:])
    if material.scope.unit is None:
        yield from filled([portal_days_table(newest.body.portal_days, material.period)])


def _parts(period: Period) -> Sequence[Period]:
    """Return a period in one, or by calendar months where it is long."""
    return [period] if period.last - period.first < LONGEST_GRID else period.months()


def _weeks(evidence: Evidence, units: Sequence[Agency]) -> Iterator[Block]:
    newest = evidence.updates
    if newest is None:
        yield Paragraph(msg("Nothing was judged, so no week is known to be met or unmet."))
        return
    weeks = weeks_of(newest.body, evidence.period)
    yield from league_blocks(weeks, units)
    if weeks:
        yield from bounded(totals_table(weeks, units), ROWS_SHOWN)
        today = evidence.now.astimezone(evidence.zone).date()
        yield from filled([short_weeks_table(weeks, units, today=today)], ROWS_SHOWN)


def _sources(evidence: Evidence, units: Sequence[Agency]) -> Iterator[Block]:
    newest = evidence.updates
    if newest is None:
        yield Paragraph(msg("No source was ever polled."))
        return
    yield from filled(variety_blocks(newest.body.variety, unit_names(units)))
    yield from filled([polls_table(newest.body), problem_table(tuple(poll_problems(evidence)))])


def _verdicts(standings: Sequence[Standing]) -> Message:
    counts = [each.verdict for each in standings]
    return msg(
        "Of {total} duties of Article 11 and 7.6: {met} met, {unmet} unmet, {unsure} with insufficient evidence.",
        total=len(counts),
        met=counts.count(DutyVerdict.MET),
        unmet=counts.count(DutyVerdict.UNMET),
        unsure=counts.count(DutyVerdict.INSUFFICIENT_EVIDENCE),
    )


REPORT = Report(title=TITLE, build=build, scopes=frozenset({"unit"}), spares=frozenset({"rounds"}))
