"""Backup plans, sets, copies and restores, as people and programs see them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Literal, TypedDict

from backups.signature import signer_shown
from backups.sizes import SizeBasis
from backups.unfinished import UNFINISHED
from commands.cli.result import Result
from commands.cli.shapes import ShownMessage, shape
from portalops.errors import PortalOpsError
from portalops.model.adopted import AdoptedBackup, AdoptedPoll
from portalops.model.backups import BackupSet, Copy, CopyState, DataClass, SetId, SetKind, Shrink, VerifyLevel
from portalops.model.causes import line_of_record
from portalops.model.media import DiscState
from portalops.model.message import ByteCount, Message, msg, nmsg, verbatim
from portalops.model.reading import Freshness, Limits, depth_and_age, level_word
from portalops.model.retention import Hold
from portalops.model.runs import DaySpan, Every
from portalops.model.text import show_text
from portalops.model.verdicts import RunOutcome
from portalops.registers.adopted import Claim
from portalops.registers.backups import SetEvidence
from portalops.registers.discs import HeldDisc
from portalops.reports.document import (
    Block,
    Bullets,
    ByteSize,
    Cell,
    Heading,
    KeyValues,
    Notice,
    Paragraph,
    Status,
    TableBlock,
    Tone,
)
from portalops.reports.section_discs import disc_blocks
from portalops.reports.words import data_class_word, medium_kind_word, outcome_status, set_kind_word, status_of_copy

if TYPE_CHECKING:
    from backups.in_place import Overlay, OverlayReport
    from backups.merged import CopyFault
    from backups.plan import BackupPlan
    from backups.restore import RestoreReport
    from backups.sizes import MediumRoom, Size, Sizes
    from backups.year_cost import YearCost
    from portalops.model.runs import Span

MAX_LISTED = 50
"""Lines of one kind that are shown to a person; --json has them all."""


def plan_view(plan: BackupPlan, sizes: Sizes) -> list[Block]:
    """Return what a run would do."""
    sources = [
        (source.id, source.kind, data_class_word(source.data_class), *_size_cells(sizes.sources[source.id]))
        for source in plan.sources
    ]
    media = [(medium.id, medium.kind, *_room_cells(sizes.media[medium.id])) for medium in plan.media]
    blocks: list[Block] = [
        TableBlock(
            msg("What is read"),
            (msg("Source"), msg("Kind"), msg("Data"), msg("Size"), msg("Known from")),
            sources,
        ),
        TableBlock(msg("Where it goes"), (msg("Medium"), msg("Kind"), msg("Free"), msg("Discs")), media),
        TableBlock(msg("Who can open it"), (msg("Name"), msg("Public key")), list(plan.recipients)),
        Paragraph(
            msg("The set will be {kind}: {reason}.", kind=set_kind_word(plan.choice.kind), reason=plan.choice.reason)
        ),
    ]
    blocks += _set_size(sizes)
    blocks += [
        Paragraph(msg("No data of this kind: {data}. Why: {reason}", data=data_class_word(data_class), reason=reason))
        for data_class, reason in plan.excused
    ]
    blocks += [
        Notice(msg("no source is configured for: {data}", data=data_class_word(data_class)), Tone.BAD)
        for data_class in plan.unmapped
    ]
    if not plan.media:
        blocks.append(Notice(msg("no backup medium is configured"), Tone.BAD))
    for medium in plan.media:
        room = sizes.media[medium.id]
        if room.problem:
            blocks.append(Notice(verbatim(room.problem), Tone.BAD))
        elif room.free_bytes is not None and room.free_bytes < sizes.stored_bytes and sizes.is_stored_known:
            blocks.append(Notice(msg("{medium} has too little room for the set", medium=medium.id), Tone.BAD))
    return blocks


def _set_size(sizes: Sizes) -> list[Block]:
    """Return about how large the set will be, and which sources that leaves out."""
    unknown = [source for source, size in sizes.sources.items() if size.basis.value == "unknown"]
    if not sizes.stored_bytes:
        return []
    if sizes.is_stored_known:
        most = msg("Space on each medium, about")
    elif not unknown:
        most = msg("Space on each medium, at most about")
    else:
        most = msg("Space of what is known, at most")
    rows: list[tuple[Message, Cell]] = [
        (most, ByteSize(sizes.stored_bytes)),
        (msg("Packs, at least") if unknown else msg("Packs, about"), sizes.packs),
    ]
    if unknown:
        rows.append((msg("Not counted, since its size is unknown"), ", ".join(unknown)))
    return [KeyValues(rows)]


def _size_cells(size: Size) -> tuple[Cell, Cell]:
    basis = {
        "last-set": msg("the last set"),
        "walk": msg("the files there now"),
        "at-least": msg("some of the files; there is more"),
        "unknown": msg("nothing yet"),
    }[size.basis.value]
    return (None if size.basis.value == "unknown" else ByteSize(size.plain_bytes)), basis


def _room_cells(room: MediumRoom) -> tuple[Cell, Cell]:
    return (None if room.free_bytes is None else ByteSize(room.free_bytes)), (room.parts if room.parts > 1 else None)


@shape
class SourceInPlan:
    """A source that a run would read."""

    id: str
    kind: str
    class_: DataClass
    plain_bytes: int
    known_from: SizeBasis


@shape
class MediumInPlan:
    """A medium that a run would write to."""

    id: str
    kind: str
    free_bytes: int | None
    """Null where nobody tells, such as in a bucket."""
    parts: int
    """Discs or the like that the set takes."""
    problem: str
    """Why it could not be asked; empty if it was."""


@shape
class NamedKey:
    """A recipient of the set."""

    name: str
    key: str


@shape
class ExcusedClass:
    """A class of data that this portal declares to have none of."""

    class_: DataClass
    reason: str


@shape
class YearInPlan:
    """What a year of sets takes on each medium, before any is removed."""

    full_every: str | None
    """A week, a month, or days such as P10D; null for full sets alone."""
    configured: bool
    fulls: int
    differentials: int
    stored_bytes: int | None
    """From the sizes of recorded sets; null where none is recorded to reckon from."""


@shape
class PlannedRun:
    """What a backup run would do."""

    portal: str
    kind: SetKind
    base: SetId | None
    """The full set that a differential builds on."""
    reason: ShownMessage
    """Why a set of this kind."""
    pack_bytes: int
    stored_bytes: int
    """About how large the set will be on a medium; 0 if nothing is known."""
    stored_bytes_known: bool
    """From the last set; otherwise it is what is read, which compression makes less."""
    packs: int
    sources: tuple[SourceInPlan, ...]
    media: tuple[MediumInPlan, ...]
    recipients: tuple[NamedKey, ...]
    excused: tuple[ExcusedClass, ...]
    unmapped: tuple[DataClass, ...]
    """Classes of Article 10 that no source maps to and no reason excuses."""
    year: tuple[YearInPlan, ...]
    """What a year takes under each choice of `backup.full_every`; empty where no job makes backups."""
    followed: tuple[ShownMessage, ...]
    """Links that sources name, and where they lead: both are backed up."""


def plan_data(plan: BackupPlan, sizes: Sizes, year: Sequence[YearCost], followed: Sequence[Message] = ()) -> PlannedRun:
    """Return a plan as `--json` shows it."""
    known, rooms = sizes.sources, sizes.media
    return PlannedRun(
        portal=plan.portal,
        kind=plan.choice.kind,
        base=plan.choice.base.set_id if plan.choice.base else None,
        reason=ShownMessage.of(plan.choice.reason),
        pack_bytes=plan.pack_bytes,
        stored_bytes=sizes.stored_bytes,
        stored_bytes_known=sizes.is_stored_known,
        packs=sizes.packs,
        sources=tuple(
            SourceInPlan(each.id, each.kind, each.data_class, known[each.id].plain_bytes, known[each.id].basis)
            for each in plan.sources
        ),
        media=tuple(
            MediumInPlan(each.id, each.kind, rooms[each.id].free_bytes, rooms[each.id].parts, rooms[each.id].problem)
            for each in plan.media
        ),
        recipients=tuple(NamedKey(name, key) for name, key in plan.recipients),
        excused=tuple(ExcusedClass(data_class, reason) for data_class, reason in plan.excused),
        unmapped=plan.unmapped,
        year=tuple(
            YearInPlan(
                _span_key(each.full_every), each.is_configured, each.fulls, each.differentials, each.stored_bytes
            )
            for each in year
        ),
        followed=tuple(map(ShownMessage.of, followed)),
    )


def year_view(year: Sequence[YearCost]) -> list[Block]:
    """Return what a year takes, for people."""
    if not year:
        return []
    rows: list[tuple[Cell, ...]] = [
        (
            _span_word(each.full_every),
            each.fulls,
            each.differentials,
            ByteSize(each.stored_bytes) if each.stored_bytes is not None else msg("unknown"),
            msg("configured") if each.is_configured else None,
        )
        for each in year
    ]
    headers = (msg("A full set is made"), msg("Full sets"), msg("Differentials"), msg("Space"), msg("Now"))
    blocks: list[Block] = [
        TableBlock(msg("What a year takes on each medium, before sets are removed"), headers, rows),
    ]
    if any(each.stored_bytes is None for each in year):
        blocks.append(
            Paragraph(
                msg("Unknown: no full set, or no differential of half a day or more after its base, is recorded.")
            )
        )
    else:
        blocks.append(
            Paragraph(
                msg(
                    "What a differential holds of files is taken to grow with the days since its base, as in recorded ones."
                )
            )
        )
    return blocks


def _span_key(span: Span | None) -> str | None:
    return f"P{span.days}D" if isinstance(span, DaySpan) else span


def _span_word(span: Span | None) -> Message:
    if isinstance(span, DaySpan):
        return nmsg("every {n} day", "every {n} days", span.days)
    words = {
        Every.HOUR: msg("each hour"),
        Every.DAY: msg("each day"),
        Every.WEEK: msg("each week"),
        Every.MONTH: msg("each month"),
    }
    return words[span] if span is not None else msg("each run, without differentials")


def shrink_sentence(shrink: Shrink) -> Message:
    """Say what was accepted as far less than before."""
    return msg(
        "Accepted for source {source}, stream {stream}: {measure} fell from {before} to {now}.",
        source=shrink.source,
        stream=shrink.stream,
        measure=shrink.measure,
        before=shrink.before,
        now=shrink.now,
    )


def sets_view(sets: Sequence[SetEvidence], limits: Limits, now: datetime) -> list[Block]:
    """Return the sets, one row a set, with where its copies lie and what their readings are worth now."""
    headers = (
        msg("Backup set"),
        msg("Made at"),
        msg("Outcome"),
        msg("Verified on"),
        msg("Other copies"),
    )
    rows = [
        (
            made.set.id,
            made.set.created_at,
            outcome_status(made.set.outcome),
            *_describe_places(made, limits, now),
        )
        for made in sets
    ]
    blocks: list[Block] = [TableBlock(nmsg("{n} backup set", "{n} backup sets", len(sets)), headers, rows)]
    unsigned = [made.set.id for made in sets if not made.set.signer]
    if unsigned:
        blocks.append(Heading(3, nmsg("{n} set is unsigned", "{n} sets are unsigned", len(unsigned))))
        blocks += _listed(unsigned)
    return [*blocks, *_base_notices(sets)]


def _base_notices(sets: Iterable[SetEvidence]) -> Iterator[Notice]:
    """Say which differentials stand on a base that no medium is known to have whole."""
    for made in sets:
        if made.set.kind is SetKind.DIFF and not made.is_disposed and not (made.base and made.base.verified_copies()):
            said = msg(
                "Set {set} needs its base {base}, of which no copy is known to be whole",
                set=made.set.id,
                base=made.set.base_id or "-",
            )
            yield Notice(said, Tone.BAD)


def _describe_places(made: SetEvidence, limits: Limits, now: datetime) -> tuple[Cell, Cell]:
    """Return the media with a verified copy, and what became of the other copies."""
    good: list[str] = []
    other: Message | None = None
    for copy in made.copies:
        fresh = made.freshness(copy, limits, now)
        if copy.state is CopyState.VERIFIED and fresh.is_fresh and not copy.problem:
            good.append(copy.medium)
            continue
        said = msg("{medium}: {state}", medium=copy.medium, state=status_of_copy(copy, fresh).word)
        other = said if other is None else msg("{others}; {other}", others=other, other=said)
    return ", ".join(good) or None, other


@shape
class ShownDisc:
    """A burnt disc of a set, as it was seen last."""

    id: str
    disc: int
    """Which disc of the set, from 1 on."""
    discs: int
    """How many discs the set takes."""
    label: str
    state: DiscState
    problem: str
    burnt_at: datetime
    read_at: datetime | None
    """When all of it was last read and was right."""
    image_sha256: str
    record: int
    """Of its burning, in the ledger."""

    @classmethod
    def of(cls, held: HeldDisc) -> ShownDisc:
        """Return a burnt disc as `--json` shows it."""
        burnt = held.burnt
        return cls(
            id=f"{burnt.medium}/{burnt.set_id}/{burnt.number}/{burnt.label}",
            disc=burnt.number,
            discs=burnt.count,
            label=burnt.label,
            state=held.state,
            problem=held.problem,
            burnt_at=held.burnt_at,
            read_at=held.read_at,
            image_sha256=burnt.image_sha256,
            record=held.seq,
        )


@shape
class CopyShape:
    """One set on one medium, as it was seen last."""

    id: str
    set: str
    medium: str
    medium_kind: str
    state: CopyState
    level: VerifyLevel
    """How deep it was looked into."""
    verified_at: datetime | None
    """When it was last read back from the medium."""
    problem: str
    """What was seen of a failed or damaged copy; empty if nothing was wrong."""
    hidden: str
    """What keeps others from reading a whole copy by the names of its files; empty if nothing does."""
    shares_source_filesystem: bool
    """One broken disk takes it and what it copies."""


class CopyFields(TypedDict):
    """The fields of `CopyShape`, to fill a shape that has more."""

    id: str
    set: str
    medium: str
    medium_kind: str
    state: CopyState
    level: VerifyLevel
    verified_at: datetime | None
    problem: str
    hidden: str
    shares_source_filesystem: bool


def fields_of(copy: Copy) -> CopyFields:
    """Return what `--json` shows of each copy."""
    return {
        "id": f"{copy.medium}/{copy.set_id}",
        "set": copy.set_id,
        "medium": copy.medium,
        "medium_kind": copy.medium_kind,
        "state": copy.state,
        "level": copy.level,
        "verified_at": copy.verified_at,
        "problem": copy.problem,
        "hidden": str(copy.hidden or ""),
        "shares_source_filesystem": copy.shares_source_filesystem,
    }


def copies_data(copies: Iterable[Copy]) -> tuple[CopyShape, ...]:
    """Return copies as `--json` shows them."""
    return tuple(CopyShape(**fields_of(copy)) for copy in copies)


@shape
class ReadingShape:
    """When a copy was last looked into so deep."""

    level: VerifyLevel
    at: datetime
    record: int
    """Of the ledger."""
    by: str | None
    """The fingerprint of the key of the other host that did it."""


@shape
class ExpiredReading:
    """A reading that counts no more."""

    level: VerifyLevel
    at: datetime
    """When it ceased to count."""


@shape
class KeptCopy(CopyShape):
    """One set on one medium, with what its readings are worth now."""

    fresh_level: VerifyLevel
    """The deepest reading that still counts."""
    counts_until: datetime | None
    readings: tuple[ReadingShape, ...]
    expired: tuple[ExpiredReading, ...]


@shape
class SetShape:
    """A backup set and its copies."""

    id: str
    created_at: datetime
    kind: SetKind
    base: str | None
    """The full set that a differential builds on."""
    outcome: RunOutcome
    stored_bytes: int
    bag_sha256: str
    signed_by: str | None
    """The fingerprint of the key that signed it; null for an unsigned set."""
    record: int
    """Of the ledger."""
    discs: tuple[ShownDisc, ...]
    copies: tuple[KeptCopy, ...]


class SetFields(TypedDict):
    """The fields of `SetShape`, to fill a shape that has more."""

    id: str
    created_at: datetime
    kind: SetKind
    base: str | None
    outcome: RunOutcome
    stored_bytes: int
    bag_sha256: str
    signed_by: str | None
    record: int
    discs: tuple[ShownDisc, ...]
    copies: tuple[KeptCopy, ...]


def set_data(made: SetEvidence, limits: Limits, now: datetime) -> SetFields:
    """Return a set and its copies as `--json` shows them, with what their readings are worth now."""
    return {
        "id": made.set.id,
        "created_at": made.set.created_at,
        "kind": made.set.kind,
        "base": made.set.base_id,
        "outcome": made.set.outcome,
        "stored_bytes": made.set.stored_bytes,
        "bag_sha256": made.set.bag_sha256,
        "signed_by": signed_by(made.set.signer),
        "record": made.seq,
        "discs": tuple(map(ShownDisc.of, made.discs)),
        "copies": tuple(_kept_copy(made, copy, limits, now) for copy in made.copies),
    }


def _kept_copy(made: SetEvidence, copy: Copy, limits: Limits, now: datetime) -> KeptCopy:
    fresh = made.freshness(copy, limits, now)
    return KeptCopy(
        **fields_of(copy),
        fresh_level=fresh.level,
        counts_until=fresh.due_at,
        readings=tuple(
            ReadingShape(each.level, each.at, each.seq, signed_by(each.by))
            for each in made.readings.get(copy.medium, ())
        ),
        expired=tuple(ExpiredReading(each.level, each.expired_at) for each in fresh.expired),
    )


def set_view(made: SetEvidence, limits: Limits, now: datetime) -> list[Block]:
    """Return one set in full, with what the readings of its copies are worth now."""
    kept = made.set
    blocks: list[Block] = [
        KeyValues(
            (
                (msg("Backup set"), kept.id),
                (msg("Kind"), set_kind_word(kept.kind)),
                *([(msg("Builds on"), kept.base_id)] if kept.base_id else []),
                (msg("Made at"), kept.created_at),
                (msg("Outcome"), outcome_status(kept.outcome)),
                (msg("Stored"), ByteSize(kept.stored_bytes)),
                (msg("Digest of the bag"), kept.bag_sha256),
                (msg("Signed by"), signed_by(kept.signer) or msg("no key: the set is unsigned")),
                (msg("Ledger record"), str(made.seq)),
            )
        ),
        *_base_notices((made,)),
        copies_table(made.copies, {copy.medium: made.freshness(copy, limits, now) for copy in made.copies}, now),
        _readings_table(made, limits),
        *disc_blocks([made]),
        TableBlock(
            msg("What is in it"),
            (msg("Source"), msg("Stream"), msg("Data"), msg("Members"), msg("Size"), msg("Packs")),
            [
                (
                    stream.source,
                    f"{stream.name}.{stream.format}",
                    data_class_word(stream.data_class),
                    stream.members,
                    ByteSize(stream.plain_bytes),
                    len(stream.packs),
                )
                for stream in kept.streams
            ],
        ),
    ]
    if made.failures:
        blocks += [Heading(3, msg("Could not be backed up")), Bullets(made.failures)]
    for title, lines in _remarks(kept):
        blocks += [Heading(3, title), *_listed(lines)]
    return blocks


def signed_by(signer: str) -> str | None:
    """Return the fingerprint of the key that signed a set; None for an unsigned one."""
    return signer_shown(signer) or None


def signed_sentence(set_id: str, signer: str) -> Message:
    """Say in one sentence who signed a set."""
    key = signed_by(signer)
    if key is None:
        return msg("Set {set} is unsigned: only the ledger shows that it is the one that was made.", set=set_id)
    return msg("Set {set} is signed by the key {key}.", set=set_id, key=key)


def _readings_table(made: SetEvidence, limits: Limits) -> TableBlock:
    rows: list[tuple[Cell, ...]] = [
        (copy.medium, level_word(each.level), each.at, each.at + limits[each.level], str(each.seq), signed_by(each.by))
        for copy in made.copies
        for each in made.readings.get(copy.medium, ())
        if each.level is not VerifyLevel.L1
    ]
    headers = (
        msg("Medium"),
        msg("Depth"),
        msg("Last reached at"),
        msg("Counts until"),
        msg("Ledger record"),
        msg("By another host"),
    )
    return TableBlock(msg("How deep each copy was verified"), headers, rows)


class MediumHints(dict[str, Message]):
    """What to do about each medium that was not ready: for the person who waits, and not for the ledger."""

    def note(self, medium: str, error: PortalOpsError) -> None:
        self[medium] = error.hint

    def blocks(self) -> list[Block]:
        return [
            Notice(msg("{medium}: {problem}", medium=medium, problem=hint), Tone.UNSURE)
            for medium, hint in self.items()
        ]


def next_for_failed(copies: Sequence[Copy]) -> list[Block]:
    """Say what to do about media that a set was not written to; nothing if there are none."""
    failed = [copy.medium for copy in copies if copy.state is CopyState.FAILED]
    if not failed:
        return []
    said = msg(
        "Put that right: 'portalops media check {medium}' tries the medium. Then 'portalops backup replicate' makes the copy.",
        medium=failed[0],
    )
    return [Notice(said, Tone.UNSURE)]


def copies_table(
    copies: Sequence[Copy], fresh: Mapping[str, Freshness] | None = None, now: datetime | None = None
) -> TableBlock:
    """Return copies with their states.

    Args:
        copies: as they were seen last.
        fresh: by medium, what the readings of one set's copies are worth; without it the copies were just looked at.
        now: the moment for that.
    """
    fresh = fresh or {}
    headers = (
        msg("Backup set"),
        msg("Medium"),
        msg("Kind"),
        msg("State"),
        msg("Depth"),
        msg("Read back at"),
        msg("Remark"),
    )
    rows = [
        (
            copy.set_id,
            copy.medium,
            medium_kind_word(copy.medium_kind),
            status_of_copy(copy, fresh.get(copy.medium)),
            depth_and_age(fresh[copy.medium], now) if copy.medium in fresh and now else level_word(copy.level),
            copy.verified_at,
            copy.remark or (msg("on the file system of what it copies") if copy.shares_source_filesystem else None),
        )
        for copy in copies
    ]
    if len({copy.set_id for copy in copies}) == 1:  # its name is said once, and a row has room
        caption = nmsg("{n} copy of set {set}", "{n} copies of set {set}", len(copies), set=copies[0].set_id)
        return TableBlock(caption, headers[1:], [row[1:] for row in rows])
    return TableBlock(nmsg("{n} copy", "{n} copies", len(copies)), headers, rows)


def restore_view(report: RestoreReport, set_id: str, folder: str) -> list[Block]:
    """Return what was restored, and what was not."""
    files = nmsg("{n} file", "{n} files", report.files)
    blocks: list[Block] = [
        Paragraph(
            msg(
                "{files} of set {set} restored to {folder}, {size}",
                files=files,
                set=set_id,
                folder=folder,
                size=ByteCount(report.content_bytes),
            )
        )
    ]
    blocks += _missing_blocks(report.missing, Path(folder) / UNFINISHED)
    if report.withheld:
        said = nmsg(
            "{n} right was withheld: a device, a set-user-ID bit or an attribute; --as-root gives it back",
            "{n} rights were withheld: devices, set-user-ID bits or attributes; --as-root gives them back",
            report.withheld,
        )
        blocks.append(Notice(said, Tone.UNSURE))
    return [*blocks, *_problem_blocks(report)]


def _missing_blocks(missing: int, file: Path) -> list[Block]:
    if not missing:
        return []
    said = nmsg(
        "{n} path is missing; {file} lists it with the reason",
        "{n} paths are missing; {file} lists each with the reason",
        missing,
        file=str(file),
    )
    return [Notice(said, Tone.BAD)]


def _problem_blocks(report: RestoreReport | OverlayReport) -> list[Block]:
    blocks: list[Block] = []
    for title, lines in (
        (msg("No copy has it whole"), report.damaged),
        (msg("Not made"), report.refused),
        (msg("Left out or not set"), report.notes),
    ):
        if lines:
            blocks += [Heading(3, title), *_listed(lines)]
    return blocks


@shape
class RestoredSet:
    """What was restored, and what was not."""

    set: str
    folder: str
    files: int
    content_bytes: int
    damaged: tuple[str, ...]
    """What no copy has whole, stream by stream."""
    refused: tuple[str, ...]
    """Members that were not made, and why."""
    notes: tuple[str, ...]
    """What was left out on purpose, such as devices."""
    missing: int
    """How many paths are missing; RESTORE-UNFINISHED.txt in the folder lists them."""
    faults: tuple[DamagedCopy, ...]
    """What is wrong with copies of the set, or of its base, though another copy may have had it."""
    withheld: int
    """How many devices, set-user-ID bits and attributes were left out because they give rights; `notes` names each."""


@shape
class DamagedCopy:
    """What is wrong with one copy."""

    set: str
    medium: str
    damaged: bool
    """False where the medium could not be read: nothing is known of its bytes then."""
    problem: ShownMessage


def restore_data(report: RestoreReport, set_id: str, folder: str) -> RestoredSet:
    """Return a restore as `--json` shows it."""
    return RestoredSet(
        set=set_id,
        folder=folder,
        files=report.files,
        content_bytes=report.content_bytes,
        damaged=report.damaged,
        refused=report.refused,
        notes=report.notes,
        missing=report.missing,
        faults=_faults_data(report.faults),
        withheld=report.withheld,
    )


def _faults_data(faults: Sequence[CopyFault]) -> tuple[DamagedCopy, ...]:
    return tuple(
        DamagedCopy(each.set_id, each.medium, each.is_damage, ShownMessage.of(each.problem)) for each in faults
    )


@shape
class RestoredInPlace:
    """What was restored into a folder with other files, or would be."""

    set: str
    folder: str
    dry_run: bool
    overwrite: bool
    new: int
    """Files, folders and links that were not there."""
    same: int
    """That are there and are the same."""
    differing: int
    """That are there and differ: replaced with `overwrite`, else kept."""
    differing_paths: tuple[str, ...]
    """At most 1000 of them, escaped as on a terminal."""
    files: int
    """Written."""
    content_bytes: int
    damaged: tuple[str, ...]
    """What no copy has whole, stream by stream."""
    refused: tuple[str, ...]
    """Members that were not made, and why."""
    notes: tuple[str, ...]
    """What was left out on purpose, such as devices."""
    missing: int
    """How many paths are missing."""
    listed_in: str | None
    """The file that lists them, RESTORE-UNFINISHED.txt, or RESTORE-UNFINISHED-2.txt where that name is taken: in the folder of
    --into; where that cannot be written, in the innermost one that holds all that was asked for."""
    faults: tuple[DamagedCopy, ...]
    """What is wrong with copies of the set, or of its base, though another copy may have had it."""


def overlay_data(report: OverlayReport, set_id: str, folder: str, how: Overlay) -> RestoredInPlace:
    """Return a restore in place as `--json` shows it."""
    return RestoredInPlace(
        set=set_id,
        folder=folder,
        dry_run=how.is_dry,
        overwrite=how.overwrites,
        new=report.new,
        same=report.same,
        differing=report.differing.count,
        differing_paths=tuple(report.differing.paths),
        files=report.files,
        content_bytes=report.content_bytes,
        damaged=tuple(report.damaged),
        refused=tuple(report.refused),
        notes=tuple(report.notes),
        missing=report.missing,
        listed_in=str(report.marked) if report.missing and report.marked else None,
        faults=_faults_data(report.faults),
    )


def overlay_view(report: OverlayReport, set_id: str, folder: str, how: Overlay) -> list[Block]:
    """Return what a restore in place did or would do."""
    if how.is_dry:
        said = msg("Nothing was written. Into {folder}, from set {set}:", folder=folder, set=set_id)
    else:
        said = msg(
            "{files} of set {set} restored to {folder}, {size}",
            files=nmsg("{n} file", "{n} files", report.files),
            set=set_id,
            folder=folder,
            size=ByteCount(report.content_bytes),
        )
    differ = msg("There and different: kept")
    if how.is_dry:
        differ = msg("There and different: would be kept")
        if how.overwrites:
            differ = msg("There and different: would be replaced")
    elif how.overwrites:
        differ = msg("There and different: replaced")
    blocks: list[Block] = [
        Paragraph(said),
        KeyValues(
            (
                (msg("Not there before"), report.new),
                (msg("There and the same"), report.same),
                (differ, report.differing.count),
            )
        ),
    ]
    if report.differing.paths:
        blocks += [Heading(3, differ), *_listed(report.differing.paths, report.differing.count)]
        if not how.overwrites:
            blocks.append(Notice(msg("--overwrite replaces what differs"), Tone.UNSURE))
    return [*blocks, *_missing_blocks(report.missing, report.marked or Path(folder)), *_problem_blocks(report)]


def _remarks(kept: BackupSet) -> list[tuple[Message, list[str]]]:
    found = []
    for title, name in (
        (msg("Could not be read"), "unread"),
        (msg("Changed while it was read"), "changed"),
        (msg("Gone while it was read"), "gone"),
        (msg("Left out on purpose"), "skipped"),
    ):
        lines = [f"{stream.source}: {line}" for stream in kept.streams for line in getattr(stream, name)]
        if lines:
            found.append((title, lines))
    return found


def _listed(lines: Sequence[str], count: int | None = None) -> list[Block]:
    """Return the first lines, and how many more there are: of those given, or of all that were counted."""
    blocks: list[Block] = [Bullets([line_of_record(line) for line in lines[:MAX_LISTED]])]
    more = (len(lines) if count is None else count) - MAX_LISTED
    if more > 0:
        blocks.append(Paragraph(msg("... and {more} more", more=more)))
    return blocks


SHOWN = 10
"""How many of a tool's backups a person is shown, the newest; --json has all that the record has."""


def claims_view(claims: Sequence[Claim]) -> list[Block]:
    """Return what tools claim, apart from what was verified, and why some of them did not answer."""
    rows = [_row(claim, backup) for claim in claims for backup in reversed(claim.look.backups[-SHOWN:])]
    headers = (
        msg("Asked"),
        msg("Backup"),
        msg("Made at"),
        msg("Host"),
        msg("Data"),
        msg("Size"),
        msg("State"),
        msg("Remark"),
    )
    blocks: list[Block] = []
    if rows:
        blocks.append(TableBlock(msg("What other tools claim; nothing of it was read back"), headers, rows))
    for claim in claims:
        more = len(claim.look.backups) + claim.look.left_off - SHOWN
        if more > 0:
            blocks.append(
                Paragraph(nmsg("{id}: and {n} older one", "{id}: and {n} older ones", more, id=claim.look.id))
            )
        if not claim.look.backups and not claim.look.problem:
            blocks.append(Notice(msg("{id}: the tool lists no backup", id=claim.look.id), Tone.BAD))
        blocks += [
            Notice(msg("{id}: {problem}", id=claim.look.id, problem=note), Tone.UNSURE) for note in claim.look.notes
        ]
        if claim.problem:
            said = msg("{id}: the tool did not answer: {problem}", id=claim.look.id, problem=claim.problem)
            blocks.append(Notice(said, Tone.BAD))
    return blocks


@shape
class ClaimedBackup:
    """A backup as its tool reports it; nothing of it was read."""

    id: str
    made_at: datetime | None
    host: str
    size_bytes: int | None
    about: str
    """What the tool calls what was backed up."""
    problem: str
    """Why the tool itself does not call it good; empty if it does."""
    state: Literal["claimed"] = "claimed"


@shape
class ClaimShape:
    """What another backup tool claims."""

    id: str
    """Of the `[[backup.adopted]]` table."""
    claimed_by: str
    class_: DataClass
    asked_at: datetime
    record: int
    """Of the ledger."""
    evidence: str | None
    """Digest of the tool's output."""
    problem: str
    """Why it could not be asked or understood; empty if it was."""
    notes: tuple[str, ...]
    left_off: int
    """How many older ones are in the evidence alone."""
    backups: tuple[ClaimedBackup, ...]


def claim_data(claim: Claim) -> ClaimShape:
    """Return a claim as `--json` shows it."""
    look: AdoptedPoll = claim.look
    return ClaimShape(
        id=look.id,
        claimed_by=look.tool,
        class_=look.data_class,
        asked_at=claim.at,
        record=claim.seq,
        evidence=look.evidence,
        problem=claim.problem,
        notes=look.notes,
        left_off=look.left_off,
        backups=tuple(
            ClaimedBackup(each.id, each.made_at, each.host, each.size_bytes, each.about, each.problem)
            for each in look.backups
        ),
    )


def _row(claim: Claim, backup: AdoptedBackup) -> tuple[Cell, ...]:
    claimed = Status(msg("claimed by {tool}", tool=backup.tool), Tone.UNSURE)
    return (
        claim.look.id,
        show_text(backup.id, 40),
        backup.made_at,
        backup.host or None,
        data_class_word(backup.data_class),
        ByteSize(backup.size_bytes) if backup.size_bytes is not None else None,
        Status(msg("not good, says {tool}", tool=backup.tool), Tone.BAD) if backup.problem else claimed,
        verbatim(backup.problem or backup.about),
    )


@shape
class HeldSet:
    """A set that is held, or is held no more."""

    id: str
    reason: str
    recorded: bool


def _describe(held: Hold, said: Message, *, dry_run: bool) -> Result[HeldSet]:
    shown = msg("{what} (nothing was recorded: this was a dry run)", what=said) if dry_run else said
    return Result(HeldSet(held.set_id, held.reason, recorded=not dry_run), [Paragraph(shown)])
