"""The calendar of backups: which week has which class of data on which medium, and whether that copy was read back. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import date

from portalops.model.backups import Copy, CopyState, DataClass
from portalops.model.message import Message, msg
from portalops.model.period import Week
from portalops.model.reading import Limits
from portalops.registers.backups import SetEvidence
from portalops.registers.evidence import Evidence, evidence_since
from portalops.reports.document import Block, Grid, GridMark, Paragraph, Tone
from portalops.reports.section_backups import as_of, made_on

VERIFIED = GridMark("✓", Tone.GOOD, msg("complete, and read back from the medium"))
EXPIRED = GridMark("?", Tone.UNSURE, msg("read back too long ago to count"))
UNREAD = GridMark("◐", Tone.UNSURE, msg("written, and not read back or not reached since"))
PARTIAL = GridMark("~", Tone.UNSURE, msg("a part of the class could not be read for the set"))
REMOVED = GridMark("○", Tone.NEUTRAL, msg("read back, and since removed by the retention rule"))
FAILED = GridMark("!", Tone.BAD, msg("a set was made, and its copy failed or is damaged"))
MISSING = GridMark("✗", Tone.BAD, msg("no set of the week holds it there"))
OPEN = GridMark("…", Tone.NEUTRAL, msg("week not over"))
BEFORE = GridMark("–", Tone.NEUTRAL, msg("before the ledger"))
UNUSED = GridMark("·", Tone.NEUTRAL, msg("by the records, before the medium was in use"))

_SHORT: Mapping[DataClass, Message] = {
    DataClass.CONFIGURATION: msg("configuration"),
    DataClass.ACCOUNTS: msg("accounts of users"),
    DataClass.CHANNELS: msg("settings of channels"),
    DataClass.CONTENT: msg("content"),
    DataClass.RELATED: msg("other data"),
    DataClass.DOCUMENTS: msg("originals and drafts"),
}
"""The classes in fewer words than elsewhere, since a row of the picture has room for 36 letters with the medium."""

_BEST_FIRST = (VERIFIED, EXPIRED, UNREAD, PARTIAL, REMOVED, FAILED)
LEGEND = (*_BEST_FIRST, MISSING, OPEN, UNUSED, BEFORE)


def calendar_blocks(evidence: Evidence, limits: Limits) -> Iterator[Block]:
    """Yield the calendar as a picture, a row a medium and class of data, a column an ISO week of the period; or that there is none.

    Args:
        evidence: of the period.
        limits: how long it counts that a copy was read.
    """
    grid = calendar(evidence, limits)
    if not grid.rows:
        yield Paragraph(msg("No copy of a set is recorded for the period, nor for the weeks before it."))
        return
    yield grid
    yield Paragraph(
        msg(
            "The best copy of a week counts, in its newest known state. A class that is not in the calendar "
            "was in no set, and no run reported that it lacks a source."
        )
    )


def calendar(evidence: Evidence, limits: Limits) -> Grid:
    """Return weeks by media and classes of data."""
    sets = evidence.sets()
    weeks = evidence.period.weeks()
    media = sorted({copy.medium for made in sets for copy in made.copies})
    by_week: dict[Week, list[SetEvidence]] = {}
    for made in sets:
        by_week.setdefault(Week.of(made_on(made, evidence)), []).append(made)
    today = evidence.now.astimezone(evidence.zone).date()
    began_on = evidence.started_at.astimezone(evidence.zone).date() if evidence.started_at else today
    rows: list[tuple[Message, list[GridMark]]] = []
    for medium in media:
        first_used = _first_used(medium, sets, evidence)
        for data_class in _classes(evidence, sets):
            label = msg("{medium} · {class_}", medium=medium, class_=_SHORT[data_class])
            marks = [
                _best(by_week.get(week, ()), medium, data_class, evidence, limits)
                or _without(week, today, began_on, first_used)
                for week in weeks
            ]
            rows.append((label, marks))
    shown = {id(mark) for _label, marks in rows for mark in marks}
    return Grid(
        msg("Calendar of backups: weeks of the period, media and classes of data"),
        [msg("W{number}", number=f"{week.number:02d}") for week in weeks],
        rows,
        [(each, each.meaning) for each in LEGEND if id(each) in shown],
    )


def _classes(evidence: Evidence, sets: Sequence[SetEvidence]) -> tuple[DataClass, ...]:
    """Return the classes that some set holds, or that a run said to lack a source or could not read."""
    told = {stream.data_class for made in sets for stream in made.set.streams}
    for run in evidence.backups:
        told.update(run.body.unmapped, run.body.failed_classes)
    return tuple(data_class for data_class in DataClass if data_class in told)


def _best(
    sets: Sequence[SetEvidence], medium: str, data_class: DataClass, evidence: Evidence, limits: Limits
) -> GridMark | None:
    marks = [
        _mark(made, copy, data_class, evidence, limits)
        for made in sets
        if data_class in made.failed_classes or any(stream.data_class is data_class for stream in made.set.streams)
        for copy in made.copies
        if copy.medium == medium
    ]
    return min((mark for mark in marks if mark is not None), key=_BEST_FIRST.index, default=None)


def _mark(made: SetEvidence, copy: Copy, data_class: DataClass, evidence: Evidence, limits: Limits) -> GridMark | None:
    """Return what one copy shows of a class; None where it is gone with its medium, or was removed and nobody had ever read it."""
    if copy.state is CopyState.REPLACED:
        return None
    if copy.state in {CopyState.FAILED, CopyState.DAMAGED}:
        return FAILED
    if not _is_whole(made, data_class):
        return PARTIAL
    if copy.state is CopyState.DISPOSED:
        return REMOVED if copy in made.once_verified_copies() else None
    if copy not in made.verified_copies() or copy.problem:
        return UNREAD
    return VERIFIED if copy in made.fresh_copies(limits, as_of(evidence)) else EXPIRED


def _is_whole(made: SetEvidence, data_class: DataClass) -> bool:
    """Say whether a set holds a class, and nothing of it could not be read."""
    streams = [stream for stream in made.set.streams if stream.data_class is data_class]
    return (
        bool(streams)
        and data_class not in made.failed_classes
        and not any(stream.unread or stream.changed for stream in streams)
    )


def _first_used(medium: str, sets: Sequence[SetEvidence], evidence: Evidence) -> Week | None:
    """Return the first week in which a medium can be said to have been in use; None where nobody can tell, as older sets were not read."""
    known = evidence.media.get(medium)
    if evidence.started_at is not None and evidence.started_at >= evidence_since(evidence.period, evidence.zone):
        return Week.of(
            min(made_on(made, evidence) for made in sets if any(each.medium == medium for each in made.copies))
        )
    if known is None or known.added_at is None or known.replaced_at is not None:
        return None
    return Week.of(known.added_at.astimezone(evidence.zone).date())


def _without(week: Week, today: date, began_on: date, first_used: Week | None) -> GridMark:
    if week.period().last >= today:
        return OPEN
    if week.period().first < began_on:
        return BEFORE
    return UNUSED if first_used is not None and week < first_used else MISSING
