"""The yearly summary: every duty month by month, what was done, what was unmet for how long, and what is open. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from portalops.model.message import Message, msg, nmsg
from portalops.model.verdicts import DutyVerdict
from portalops.reports.bounded import bounded
from portalops.reports.document import Bars, Block, Cell, Document, KeyValues, Paragraph
from portalops.reports.frame import Section, framed
from portalops.reports.material import Material
from portalops.reports.named import Report
from portalops.reports.section_counts import counts_table, totals_of
from portalops.reports.section_drills import drill_table, drills_of_period
from portalops.reports.section_duties import duty_table, rest_blocks
from portalops.reports.section_months import lasting_blocks, month_blocks, month_word
from portalops.reports.section_plan import OpenThing, open_things, plan_blocks
from portalops.reports.words import duty_status

TITLE = msg("Yearly summary")


def build(material: Material) -> Document:
    """Return the report as a document."""
    things = open_things(material)
    sections = (
        Section(msg("Summary"), _summary(material, things)),
        Section(msg("The duties month by month"), month_blocks(material.months, material.rulebook)),
        Section(msg("What was unmet or unknown, and for how long"), lasting_blocks(material.months, material.rulebook)),
        Section(
            msg("What was recorded"), (counts_table(material.evidence, material.period.months()), *_drills(material))
        ),
        Section(msg("What is open, and by when it is due"), plan_blocks(material, things)),
        Section(msg("The duties over the whole period"), _duties(material)),
    )
    return framed(TITLE, material, sections, basis=_basis(material))


def _basis(material: Material) -> tuple[tuple[Message, Cell], ...]:
    months = len(material.months)
    return (
        (
            msg("Population"),
            msg(
                "{duties} duties over {months}",
                duties=len(material.rulebook.duties),
                months=nmsg("{n} month", "{n} months", months),
            ),
        ),
        (msg("Source"), msg("the records of the ledger, and the registers that people keep in it, as they are now")),
        (
            msg("Method"),
            msg(
                "Each month is judged by itself, as a report of that month would judge it now: with the rulebook and the numbers of this"
                " report, and with what was recorded of the month later. A verdict over the whole period may be worse than that of every"
                " month, where something lies between two of them. Of updates the newest judging counts that tells of the whole month."
            ),
        ),
    )


def _summary(material: Material, things: Sequence[OpenThing]) -> Iterator[Block]:
    counts = [each.verdict for each in material.standings]
    yield Paragraph(
        msg(
            "Over the whole period, of {total} duties: {met} met, {unmet} unmet, {unsure} with insufficient evidence.",
            total=len(counts),
            met=counts.count(DutyVerdict.MET),
            unmet=counts.count(DutyVerdict.UNMET),
            unsure=counts.count(DutyVerdict.INSUFFICIENT_EVIDENCE),
        )
    )
    yield from rest_blocks(material.standings)
    if material.months:
        yield Bars(
            msg("Duties by verdict, month by month"),
            [
                (
                    month_word(month),
                    [
                        (status.tone, status.word, sum(each.verdict is verdict for each in standings))
                        for verdict in DutyVerdict
                        for status in (duty_status(verdict),)
                    ],
                )
                for month, standings in material.months
            ],
        )
    late = sum(each.is_late for each in things)
    yield KeyValues(
        [
            *totals_of(material.evidence),
            (msg("Open tasks"), msg("{n}, {late} of them late", n=len(things), late=late)),
        ]
    )


def _drills(material: Material) -> Iterator[Block]:
    drills = drills_of_period(material.evidence)
    if drills:
        yield from bounded(drill_table(drills[::-1]))
    else:
        yield Paragraph(msg("No drill was held in the period."))


def _duties(material: Material) -> Iterator[Block]:
    caption = msg("Each duty: what it requires, its verdict, and the records of the ledger that it rests on")
    yield duty_table(caption, material.standings, material.rulebook, material.proof)


REPORT = Report(title=TITLE, build=build, needs=frozenset({"months"}), spares=frozenset({"rounds"}))
