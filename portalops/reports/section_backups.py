"""What a period's backups show: sets, copies, weeks and media, classes of data. Pure; any report may use it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import date, datetime

from portalops.model.backups import Copy, CopyState, DataClass
from portalops.model.message import Message, msg, verbatim
from portalops.model.period import Week
from portalops.model.reading import Limits, depth_and_age
from portalops.model.verdicts import RunOutcome
from portalops.registers.backups import SetEvidence
from portalops.registers.evidence import Evidence
from portalops.reports.document import (
    Block,
    ByteSize,
    Cell,
    Grid,
    GridMark,
    KeyValues,
    Notice,
    Paragraph,
    TableBlock,
    Tone,
)
from portalops.reports.section_discs import disc_blocks
from portalops.reports.section_drills import drill_blocks
from portalops.reports.words import (
    data_class_word,
    medium_kind_word,
    outcome_status,
    set_kind_word,
    status_of_copy,
)

_ALL_MET = GridMark("✓", Tone.GOOD, msg("complete set, verified on the medium"))
_PARTLY = GridMark("~", Tone.UNSURE, msg("set on the medium, but incomplete or not read back"))
_EXPIRED = GridMark("?", Tone.UNSURE, msg("complete set, verified too long ago to count"))
_REMOVED = GridMark("○", Tone.NEUTRAL, msg("complete set, verified, and since removed by the retention rule"))
_NOTHING = GridMark("✗", Tone.BAD, msg("no set on the medium"))
_OPEN = GridMark("…", Tone.NEUTRAL, msg("week not over"))
_BEFORE = GridMark("–", Tone.NEUTRAL, msg("before the ledger"))


def backup_blocks(evidence: Evidence, limits: Limits) -> Iterator[Block]:
    """Yield the sets of the period, their copies, the weeks covered, and what the newest set holds.

    Args:
        evidence: of the period.
        limits: how long it counts that a copy was read.
    """
    sets = sets_in_period(evidence)
    yield Paragraph(_summary(sets, limits, as_of(evidence)))
    grid = week_grid(evidence, limits)
    if grid.rows:
        yield grid
    yield TableBlock(
        msg("Backup sets made in the period"),
        (
            msg("Backup set"),
            msg("Made at"),
            msg("Kind"),
            msg("Outcome"),
            msg("Data"),
            msg("Stored"),
            msg("Record"),
        ),
        [_set_row(made) for made in sets],
    )
    yield TableBlock(
        msg("Copies of the sets, in their newest known state"),
        (msg("Backup set"), msg("Medium"), msg("Kind"), msg("State"), msg("Depth"), msg("Read back at"), msg("Remark")),
        [_copy_row(made, copy, limits, evidence.now) for made in sets for copy in made.copies],
    )
    yield from disc_blocks(sets)
    yield from drill_blocks(evidence)
    yield from class_blocks(evidence, sets)


def sets_in_period(evidence: Evidence) -> tuple[SetEvidence, ...]:
    """Return the sets that were made on a day of the period, oldest first."""
    return tuple(made for made in evidence.sets() if made_on(made, evidence) in evidence.period)


def verified_sets(sets: Sequence[SetEvidence], limits: Limits, moment: datetime) -> tuple[SetEvidence, ...]:
    """Return the complete sets with a copy that was read lately enough, and reached when it was last looked for."""
    return tuple(
        made
        for made in sets
        if made.set.outcome is RunOutcome.COMPLETE
        and any(not copy.problem for copy in made.fresh_copies(limits, moment))
    )


def week_grid(evidence: Evidence, limits: Limits) -> Grid:
    """Return weeks by media: which week of the period has what on which medium."""
    weeks = evidence.period.weeks()
    sets = evidence.sets()
    media = sorted({copy.medium for made in sets for copy in made.copies})
    by_week: dict[Week, list[SetEvidence]] = {}
    for made in sets:
        by_week.setdefault(Week.of(made_on(made, evidence)), []).append(made)
    today = evidence.now.astimezone(evidence.zone).date()
    began_on = evidence.started_at.astimezone(evidence.zone).date() if evidence.started_at else today

    def mark(week: Week, medium: str) -> GridMark:
        found = [(made, copy) for made in by_week.get(week, ()) for copy in made.copies if copy.medium == medium]
        whole = [
            (made, copy)
            for made, copy in found
            if copy in made.verified_copies() and not copy.problem and made.set.outcome is RunOutcome.COMPLETE
        ]
        if any(copy in made.fresh_copies(limits, as_of(evidence)) for made, copy in whole):
            return _ALL_MET
        if whole:
            return _EXPIRED
        if any(copy.state in {CopyState.VERIFIED, CopyState.SEALED} for _, copy in found):
            return _PARTLY
        if any(
            copy.state is CopyState.DISPOSED and copy in made.once_verified_copies()
            for made, copy in found
            if made.set.outcome is RunOutcome.COMPLETE
        ):
            return _REMOVED
        if week.period().last >= today:
            return _OPEN
        return _BEFORE if week.period().first < began_on else _NOTHING

    rows = [(medium, [mark(week, medium) for week in weeks]) for medium in media]
    seldom = [each for each in (_EXPIRED, _REMOVED) if any(each in marks for _medium, marks in rows)]
    return Grid(
        msg("Weeks of the period and the media that hold a set of each week"),
        [msg("W{number}", number=f"{week.number:02d}") for week in weeks],
        rows,
        [(each, each.meaning) for each in (_ALL_MET, _PARTLY, *seldom, _NOTHING, _OPEN, _BEFORE)],
    )


def as_of(evidence: Evidence) -> datetime:
    """Return the moment that the duties are judged at: the period's end, or now if it is not over."""
    return min(evidence.now, evidence.period.bounds(evidence.zone)[1])


def made_on(made: SetEvidence, evidence: Evidence) -> date:
    return made.set.created_at.astimezone(evidence.zone).date()


def _summary(sets: Sequence[SetEvidence], limits: Limits, moment: datetime) -> Message:
    return msg(
        "Backup sets made in the period: {made}; complete and verified on at least one medium: {good}.",
        made=len(sets),
        good=len(verified_sets(sets, limits, moment)),
    )


def _set_row(made: SetEvidence) -> tuple[Cell, ...]:
    plain = sum(stream.plain_bytes for stream in made.set.streams)
    return (
        made.set.id,
        made.set.created_at,
        set_kind_word(made.set.kind),
        outcome_status(made.set.outcome),
        ByteSize(plain),
        ByteSize(made.set.stored_bytes),
        str(made.seq),
    )


def _copy_row(made: SetEvidence, copy: Copy, limits: Limits, now: datetime) -> tuple[Cell, ...]:
    fresh = made.freshness(copy, limits, now)
    return (
        made.set.id,
        copy.medium,
        medium_kind_word(copy.medium_kind),
        status_of_copy(copy, fresh),
        depth_and_age(fresh, now),
        copy.verified_at,
        _remark(copy.remark, copy.shares_source_filesystem),
    )


def _remark(problem: Message | None, shares_filesystem: bool) -> Cell:
    if problem is not None:
        return problem
    return msg("on the same file system as the source: one fault can destroy both") if shares_filesystem else None


def class_blocks(evidence: Evidence, sets: Sequence[SetEvidence]) -> Iterator[Block]:
    """Say which class of Article 10 the newest set holds, and from which source."""
    newest = sets[-1] if sets else next(iter(evidence.sets()[-1:]), None)
    if newest is not None:
        yield TableBlock(
            msg("What the newest set holds, by the classes of Article 10"),
            (msg("Class of data"), msg("Source"), msg("Members"), msg("Data"), msg("Could not be read")),
            [
                (
                    data_class_word(stream.data_class),
                    stream.source,
                    stream.members,
                    ByteSize(stream.plain_bytes),
                    len(stream.unread) + len(stream.changed),
                )
                for data_class in DataClass
                for stream in newest.set.streams
                if stream.data_class is data_class
            ],
        )
        yield KeyValues(
            (
                (msg("Newest set"), newest.set.id),
                *(((msg("Holds only what has changed since"), newest.set.base_id),) if newest.set.base_id else ()),
                (msg("SHA-256 of its tag manifest"), newest.set.bag_sha256),
                (msg("Keys that open it"), len(newest.set.recipients)),
            )
        )
    if evidence.backups:
        body = evidence.backups[-1].body
        for data_class in body.unmapped:
            yield Notice(msg("No source is configured for {class_}.", class_=data_class_word(data_class)), Tone.BAD)
        for excuse in body.excused:
            name, _, reason = excuse.partition(": ")
            word = data_class_word(DataClass(name)) if name in set(DataClass) else verbatim(name)
            yield Notice(
                msg("Declared to have no data of the class {class_}: {reason}", class_=word, reason=reason),
                Tone.NEUTRAL,
            )
