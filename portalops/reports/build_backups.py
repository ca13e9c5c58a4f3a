"""The report on backups: sets, copies, media, readings, restore drills and what was removed, with the duties of Article 10. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from portalops.model.backups import CopyState
from portalops.model.message import Message, msg, nmsg
from portalops.model.reading import Limits, limits_of
from portalops.model.runs import JobKind
from portalops.model.verdicts import DutyVerdict
from portalops.registers.evidence import Evidence
from portalops.reports.bounded import bounded
from portalops.reports.document import Block, Bullets, Cell, Document, KeyValues, Notice, Paragraph, Tone
from portalops.reports.frame import Section, framed
from portalops.reports.material import Material
from portalops.reports.named import Report
from portalops.reports.section_backup_calendar import calendar_blocks
from portalops.reports.section_backups import as_of, sets_in_period, verified_sets
from portalops.reports.section_discs import disc_blocks
from portalops.reports.section_drills import (
    drill_table,
    drills_of_period,
    key_blocks,
    restore_time_blocks,
    trial_blocks,
)
from portalops.reports.section_duties import duty_table, standings_of
from portalops.reports.section_evidence import backup_problems, failed_runs, problem_table, runs_without_end
from portalops.reports.section_media import copies_by_medium, copy_blocks, media_blocks, reading_blocks
from portalops.reports.section_retention import retention_blocks
from portalops.reports.section_sets import set_blocks

TITLE = msg("Report on backups")

KINDS = frozenset(
    str(kind)
    for kind in (JobKind.BACKUP, JobKind.COPY, JobKind.VERIFY, JobKind.DRILL, JobKind.PRUNE, JobKind.INVENTORY)
)
"""The kinds of runs that this report is about."""


def build(material: Material) -> Document:
    """Return the report as a document."""
    evidence, limits = material.evidence, limits_of(material.rulebook.numbers)
    material = replace(material, standings=standings_of(material.standings, material.rulebook, {"10"}))
    sections = (
        Section(msg("Summary, and the duties of Article 10"), _summary(material, limits)),
        Section(msg("The calendar of backups"), calendar_blocks(evidence, limits)),
        Section(msg("Backup sets of the period"), set_blocks(evidence)),
        Section(msg("Copies"), _copies(evidence, limits)),
        Section(msg("Media and discs"), _media(evidence)),
        Section(msg("Copies that were read back"), reading_blocks(evidence)),
        Section(msg("Restore drills"), _drills(evidence)),
        Section(msg("Retention: what was removed, held and refused"), retention_blocks(evidence)),
        Section(msg("What went wrong"), _exceptions(evidence, material.proof.own_run)),
    )
    return framed(TITLE, material, sections, basis=_basis(material))


def _basis(material: Material) -> tuple[tuple[Message, Cell], ...]:
    evidence, numbers = material.evidence, material.rulebook.numbers
    return (
        (
            msg("Population"),
            msg(
                "every backup set made in the period ({n}), its copies on every medium, and every run that made, copied, read,"
                " restored or removed one",
                n=len(sets_in_period(evidence)),
            ),
        ),
        (msg("Source"), msg("the records of backups, copies, readings, drills, media and removals in the ledger")),
        (
            msg("Method"),
            msg(
                "each copy in its newest known state; it counts as verified for {read} days after every byte was "
                "read back, as restored for {restored} days; a set of an unfinished run that was imported later "
                "does not count and is not shown",
                read=numbers.read_back_max_age_days,
                restored=numbers.restored_max_age_days,
            ),
        ),
    )


def _summary(material: Material, limits: Limits) -> Iterator[Block]:
    standings, evidence = material.standings, material.evidence
    yield Paragraph(
        msg(
            "Of the {total} duties of Article 10: {met} met, {unmet} unmet; for the others the evidence does not suffice,"
            " or they are not judged.",
            total=len(standings),
            met=sum(each.verdict is DutyVerdict.MET for each in standings),
            unmet=sum(each.verdict is DutyVerdict.UNMET for each in standings),
        )
    )
    sets, drills = sets_in_period(evidence), drills_of_period(evidence)
    good = verified_sets(sets, limits, as_of(evidence))
    states = [copy.state for made in sets for copy in made.copies]
    yield KeyValues(
        (
            (msg("Sets made in the period"), len(sets)),
            (msg("Of them complete, and verified on a medium lately enough"), len(good)),
            (msg("The newest of those was made at"), good[-1].set.created_at if good else None),
            (msg("Their copies that are damaged or were not written"), sum(state in _BAD for state in states)),
            (msg("Their copies that the retention rule has removed"), states.count(CopyState.DISPOSED)),
            (msg("Restore drills"), len(drills)),
        )
    )
    yield duty_table(
        msg("The duties of Article 10: what each requires, its verdict, and the records that it rests on"),
        standings,
        material.rulebook,
        material.proof,
    )


def _copies(evidence: Evidence, limits: Limits) -> Iterator[Block]:
    sets = sets_in_period(evidence)
    if not any(made.copies for made in sets):
        yield Paragraph(msg("No copy of a set of the period is recorded."))
        return
    yield Paragraph(
        msg(
            "How long a reading counts is reckoned as of {at}. How deep a copy was read: L2, every byte was read and digested; L3,"
            " it was restored; L4, it was restored and queried.",
            at=as_of(evidence),
        )
    )
    yield copies_by_medium(sets, evidence, limits)
    yield from copy_blocks(sets, evidence, limits)


def _media(evidence: Evidence) -> Iterator[Block]:
    yield from media_blocks(evidence)
    discs = tuple(disc_blocks(sets_in_period(evidence)))
    for block in discs:
        yield from bounded(block)
    if not discs:
        yield Paragraph(msg("No set of the period exists as disc images, and none was burnt."))


def _drills(evidence: Evidence) -> Iterator[Block]:
    drills = drills_of_period(evidence)
    if drills:
        yield from bounded(drill_table(drills[::-1]))
        yield from key_blocks(drills)
        yield from trial_blocks(drills)
    else:
        yield Paragraph(msg("No drill was held in the period."))
        earlier = [each for each in evidence.drills if each.at < evidence.period.bounds(evidence.zone)[0]]
        if earlier:
            yield Paragraph(
                msg("The newest one before it is of {at} (record {seq}).", at=earlier[-1].at, seq=str(earlier[-1].seq))
            )
    yield from restore_time_blocks(evidence)


def _exceptions(evidence: Evidence, own_run: str) -> Iterator[Block]:
    tables = (
        runs_without_end(evidence, own_run, KINDS),
        failed_runs(evidence, KINDS),
        problem_table(tuple(backup_problems(evidence))),
    )
    lost = [each for each in evidence.unreadable if each.kind in _OF_BACKUPS]
    if lost:
        yield Notice(
            nmsg(
                "Details of {n} record could not be read; its content is unknown.",
                "Details of {n} records could not be read; their content is unknown.",
                len(lost),
            ),
            Tone.BAD,
        )
        yield Bullets([msg("record {seq}: {cause}", seq=str(each.seq), cause=each.why) for each in lost])
    for table in tables:
        if table.rows:
            yield from bounded(table)
    if not lost and not any(table.rows for table in tables):
        yield Paragraph(msg("No run failed or is unfinished, and no source, file or copy had a problem."))


_BAD = frozenset({CopyState.DAMAGED, CopyState.FAILED})

_OF_BACKUPS = KINDS | {
    "medium",
    "medium_check",
    "retention",
    "earlier drill",
    "drill_report",
    "adopted",
    "burnt_disc",
    "disc_reading",
    "discs_destroyed",
}
"""Kinds of records that cannot be read, as `Evidence.unreadable` names them."""


REPORT = Report(title=TITLE, build=build)
