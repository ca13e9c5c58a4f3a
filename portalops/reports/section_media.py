"""The media of backups: what lies on each, where it is kept and by whom, and every look at copies. Pure; any report may use it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime

from portalops.model.backups import Copy, CopyResult, CopyState, DrillResult, VerifyResult
from portalops.model.media import MediumCheck
from portalops.model.message import Message, msg
from portalops.model.reading import Limits, depth_and_age
from portalops.model.record import Recorded
from portalops.registers.backups import CopyReports, SetEvidence
from portalops.registers.drills import ImportedDrill
from portalops.registers.evidence import Evidence
from portalops.registers.media import RegisteredMedium, alarms, whole_register
from portalops.reports.bounded import bounded
from portalops.reports.document import Block, Cell, Paragraph, Status, TableBlock, Tone
from portalops.reports.section_backups import as_of
from portalops.reports.words import joined, medium_kind_word, status_of_copy


@dataclass(frozen=True, slots=True)
class _MediumCopy:
    """A copy, the set that it is of, and what its readings are worth."""

    made: SetEvidence
    copy: Copy
    is_fresh: bool


# --- what lies on each medium -------------------------------------------------------------------


def copies_by_medium(sets: Sequence[SetEvidence], evidence: Evidence, limits: Limits) -> TableBlock:
    """Return a row a medium: how many copies of some sets it has, by their state, and when one of them was last read."""
    found = _sort_by_medium(sets, evidence, limits)
    headers = (
        msg("Medium"),
        msg("Kind"),
        msg("Copies"),
        msg("Verified"),
        msg("Verification expired"),
        msg("Not read back or not reached"),
        msg("Damaged"),
        msg("Not written"),
        msg("Removed, or gone with the medium"),
        msg("Last read back at"),
    )
    return TableBlock(
        msg("Copies of the period's sets, by medium"),
        headers,
        [_medium_row(name, found[name]) for name in sorted(found)],
    )


def _sort_by_medium(sets: Sequence[SetEvidence], evidence: Evidence, limits: Limits) -> Mapping[str, list[_MediumCopy]]:
    found: dict[str, list[_MediumCopy]] = {}
    for made in sets:
        fresh = made.fresh_copies(limits, as_of(evidence))
        for copy in made.copies:
            found.setdefault(copy.medium, []).append(_MediumCopy(made, copy, copy in fresh))
    return found


def _medium_row(name: str, held: Sequence[_MediumCopy]) -> tuple[Cell, ...]:
    def count(wanted: Callable[[_MediumCopy], bool]) -> int:
        return sum(map(wanted, held))

    states = [each.copy.state for each in held]
    verified = [each for each in held if each.copy.state is CopyState.VERIFIED]
    read = [each.copy.verified_at for each in verified if each.copy.verified_at is not None]
    unreached = sum(bool(each.copy.problem) for each in verified)
    good = count(lambda each: each.is_fresh and not each.copy.problem)
    return (
        name,
        medium_kind_word(held[-1].copy.medium_kind),
        len(held),
        good,
        len(verified) - unreached - good,
        states.count(CopyState.SEALED) + unreached,
        states.count(CopyState.DAMAGED),
        states.count(CopyState.FAILED),
        states.count(CopyState.DISPOSED) + states.count(CopyState.REPLACED),
        max(read, default=None),
    )


def copy_blocks(sets: Sequence[SetEvidence], evidence: Evidence, limits: Limits) -> Iterator[Block]:
    """Yield the copies of some sets in their newest known state: those that do not count as verified first, then the newest."""
    found = [each for held in _sort_by_medium(sets, evidence, limits).values() for each in held]
    order = {made.set.id: place for place, made in enumerate(sets)}
    found.sort(key=lambda each: (each.is_fresh and not each.copy.problem, -order[each.copy.set_id], each.copy.medium))
    headers = (
        msg("Backup set"),
        msg("Medium"),
        msg("State"),
        msg("Depth and age of the reading"),
        msg("Last read back at"),
        msg("Remark"),
    )
    caption = msg("Copies in their newest known state: those not counted as verified first, then the newest")
    yield from bounded(TableBlock(caption, headers, [_copy_row(each, limits, as_of(evidence)) for each in found]))


def _copy_row(each: _MediumCopy, limits: Limits, moment: datetime) -> tuple[Cell, ...]:
    fresh = each.made.freshness(each.copy, limits, moment)
    remark: Cell = each.copy.remark
    if remark is None and each.copy.shares_source_filesystem:
        remark = msg("on the same file system as the source: one fault can destroy both")
    return (
        each.copy.set_id,
        each.copy.medium,
        status_of_copy(each.copy, fresh),
        depth_and_age(fresh, moment),
        each.copy.verified_at,
        remark,
    )


# --- the register of media ----------------------------------------------------------------------


def media_blocks(evidence: Evidence) -> Iterator[Block]:
    """Yield the register of media as of the period's end, with the media that have copies and stand in no register."""
    sets = evidence.sets()
    kinds = {copy.medium: copy.medium_kind for made in sets for copy in made.copies}
    register = whole_register(evidence.media, sorted(kinds), sets)
    if not register:
        yield Paragraph(msg("No medium is in the register, and no copy of a set is recorded."))
        return
    headers = (
        msg("Medium"),
        msg("Kind"),
        msg("Label"),
        msg("Place"),
        msg("Custodian"),
        msg("There since"),
        msg("Last checked"),
        msg("Last read at"),
        msg("To do"),
    )
    rows = [_register_row(each, kinds, evidence.now, evidence.last_day()) for each in register]
    yield from bounded(
        TableBlock(
            msg("Media: place and custodian at the end of the period, and the readings on record"),
            headers,
            rows,
        )
    )


def _register_row(medium: RegisteredMedium, kinds: Mapping[str, str], now: datetime, day: date) -> tuple[Cell, ...]:
    entry = medium.entry
    open_ = alarms(medium, now=now, today=day, unread_months=0)
    return (
        medium.id,
        medium_kind_word(entry.kind if entry else kinds.get(medium.id, "-")),
        entry.label if entry else None,
        _place(medium),
        entry.custodian if entry else None,
        medium.since,
        medium.checked_at,
        medium.read_at,
        Status(joined(open_), Tone.UNSURE) if open_ else None,
    )


def _place(medium: RegisteredMedium) -> Cell:
    if medium.entry is None:
        return None
    parts = [each for each in (medium.entry.place, medium.entry.site, medium.entry.room) if each]
    return ", ".join(dict.fromkeys(parts)) or None


# --- looks at copies ----------------------------------------------------------------------------

_KINDS: Mapping[type[object], Message] = {
    VerifyResult: msg("read back"),
    CopyResult: msg("copies replicated from others"),
    MediumCheck: msg("medium checked"),
    DrillResult: msg("drill"),
    ImportedDrill: msg("drill of another host"),
}


def reading_blocks(evidence: Evidence) -> Iterator[Block]:
    """Yield every later look at copies in the period, the newest first, and each copy that one of them found wrong."""
    looks = [
        each
        for each in evidence.verifies
        if type(each.body) in _KINDS and each.at.astimezone(evidence.zone).date() in evidence.period
    ]
    if not looks:
        yield Paragraph(msg("No copy was read again in the period after the backup that made it."))
        return
    headers = (
        msg("At"),
        msg("What was done"),
        msg("Copies"),
        msg("Verified"),
        msg("Damaged or missing"),
        msg("Not reached or not done"),
        msg("Record"),
    )
    yield from bounded(
        TableBlock(
            msg("Copies that were read or replicated in the period, run by run, the newest first"),
            headers,
            [_reading_row(each) for each in reversed(looks)],
        )
    )
    wrong = [row for each in reversed(looks) for row in _wrong_rows(each)]
    if wrong:
        yield from bounded(
            TableBlock(
                msg("What these runs found wrong, the newest first"),
                (
                    msg("At"),
                    msg("Backup set"),
                    msg("Medium"),
                    msg("State"),
                    msg("Details (as recorded)"),
                    msg("Record"),
                ),
                wrong,
            )
        )


def _wrong_rows(each: Recorded[CopyReports]) -> Iterator[tuple[Cell, ...]]:
    for copy in each.body.copies:
        if copy.problem or copy.state in {CopyState.DAMAGED, CopyState.FAILED}:
            yield (
                each.at,
                copy.set_id,
                copy.medium,
                status_of_copy(copy),
                copy.shown_problem if copy.problem else None,
                str(each.seq),
            )
    if isinstance(each.body, MediumCheck):
        look = each.body
        state = Status(msg("reached"), Tone.UNSURE) if look.reached else Status(msg("not reached"), Tone.BAD)
        for problem in look.shown_problems:
            yield each.at, None, look.id, state, problem, str(each.seq)


def _reading_row(each: Recorded[CopyReports]) -> tuple[Cell, ...]:
    copies = each.body.copies
    verified = sum(copy.state is CopyState.VERIFIED and not copy.problem for copy in copies)
    damaged = sum(copy.state is CopyState.DAMAGED for copy in copies)
    what = _KINDS[type(each.body)]
    if isinstance(each.body, MediumCheck):
        what = (
            msg("medium {medium} checked", medium=each.body.id)
            if each.body.reached
            else msg("medium {medium} checked and not reached", medium=each.body.id)
        )
    return each.at, what, len(copies), verified, damaged, len(copies) - verified - damaged, str(each.seq)
