"""Cases as their records tell: the `case.*` records, folded.

A record whose details cannot be read leaves its case where it was, and the case says that a move of it is not known: nothing
that rests on that case counts as done in time. One that opened a case names the case by its subject: it is there, without what
was found, and no second one is opened for it. A paper that is not there any more is not kept: its step is on record without it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from contextlib import suppress
from dataclasses import replace
from datetime import date, datetime
from zoneinfo import ZoneInfo

from portalops.bodies import decode_part
from portalops.errors import LedgerError, PortalOpsError
from portalops.model.cases import (
    ALLOWED,
    LEADS_TO,
    CaseDuty,
    CaseId,
    CaseMove,
    CaseState,
    CaseStep,
    Shortfall,
    parse_case_id,
)
from portalops.model.message import msg
from portalops.model.organisation import UnitId
from portalops.model.period import Week
from portalops.model.values import dataclass
from portalops.ports import LedgerReader
from portalops.registers.papers import still_kept

KEY = "case"
"""The key of a move in its record's body."""


def kind_of(step: CaseStep) -> str:
    """Return the kind of the record that makes a move."""
    return f"case.{step.value}"


CASE_KINDS = tuple(kind_of(step) for step in CaseStep)


@dataclass(frozen=True, slots=True)
class RecordedMove:
    """A move with its record."""

    seq: int
    at: datetime
    move: CaseMove


@dataclass(frozen=True, slots=True)
class Case:
    """One case with all that was done."""

    id: CaseId
    moves: tuple[RecordedMove, ...]
    """Oldest first; the first opened it."""
    state: CaseState
    unreadable: tuple[int, ...] = ()
    """Records of moves of it that cannot be read."""

    @property
    def unit(self) -> UnitId:
        return self.moves[0].move.unit

    @property
    def duty(self) -> CaseDuty:
        return self.moves[0].move.duty

    @property
    def week(self) -> Week:
        return self.moves[0].move.week

    @property
    def shortfall(self) -> Shortfall | None:
        """Return what was found when it was opened last."""
        return next((each.move.shortfall for each in reversed(self.moves) if each.move.shortfall), None)

    @property
    def is_open(self) -> bool:
        return self.state is not CaseState.CLOSED

    def newest(self, *steps: CaseStep) -> RecordedMove | None:
        """Return the newest move of these kinds since it was opened last; None if there was none."""
        for each in reversed(self.moves):
            if each.move.step in steps:
                return each
            if each.move.step in {CaseStep.OPENED, CaseStep.REOPENED}:
                return None
        return None

    def opened_on(self, zone: ZoneInfo) -> date:
        """Return the local day on which it was opened last."""
        found = next(each for each in reversed(self.moves) if each.move.step in {CaseStep.OPENED, CaseStep.REOPENED})
        return found.at.astimezone(zone).date()


def may(case: Case | None, step: CaseStep) -> bool:
    """Say whether a move may be made: from the state that a case is in, or to open one that is not there."""
    return step is CaseStep.OPENED if case is None else step is not CaseStep.OPENED and case.state in ALLOWED[step]


def fold_cases(
    moves: Iterable[RecordedMove], unreadable: Mapping[CaseId, tuple[int, ...]] | None = None
) -> tuple[Case, ...]:
    """Return the cases in the order in which they were opened.

    A move that the state of its case does not allow, as by a writer that did not know of another, is kept in the history and
    moves nothing.

    Args:
        moves: oldest first.
        unreadable: by case, the records of it that cannot be read.
    """
    found: dict[CaseId, Case] = {}
    for each in moves:
        move = each.move
        known = found.get(move.id)
        if known is None:
            if move.step is CaseStep.OPENED:
                found[move.id] = Case(move.id, (each,), CaseState.DETECTED, (unreadable or {}).get(move.id, ()))
            continue
        state = LEADS_TO.get(move.step, known.state) if may(known, move.step) else known.state
        found[move.id] = Case(known.id, (*known.moves, each), state, known.unreadable)
    return tuple(found.values())


@dataclass(frozen=True, slots=True)
class ReadCases:
    """What reading cases came to."""

    cases: tuple[Case, ...] = ()
    """In the order in which they were opened."""
    unreadable: tuple[tuple[int, PortalOpsError], ...] = ()
    """Records of moves whose details cannot be read, with why."""


def read_cases(ledger: LedgerReader, *, until: datetime | None = None) -> ReadCases:
    """Return every case that was recorded by a moment."""
    moves: list[RecordedMove] = []
    unreadable: dict[CaseId, tuple[int, ...]] = {}
    faults: list[tuple[int, PortalOpsError]] = []
    for record in ledger.records(kinds=CASE_KINDS, until=until):
        try:
            move = decode_part(ledger.blob(record.body), KEY, CaseMove)
            if move is None or move.id != record.subject or kind_of(move.step) != record.kind:
                raise LedgerError(
                    msg("the details of a record cannot be read: {cause}", cause=msg("they belong to another case")),
                    msg("Run 'portalops ledger verify' to see whether they were changed."),
                )
        except PortalOpsError as error:
            subject = CaseId(record.subject)
            unreadable[subject] = (*unreadable.get(subject, ()), record.seq)
            faults.append((record.seq, error))
            if record.kind == kind_of(CaseStep.OPENED):
                with suppress(ValueError):  # of no case that there could be: told by its number alone
                    moves.append(
                        RecordedMove(record.seq, record.at, CaseMove(*parse_case_id(subject), CaseStep.OPENED))
                    )
        else:
            if move.paper is not None:
                move = replace(move, paper=replace(move.paper, file=still_kept(ledger, move.paper.file)))
            moves.append(RecordedMove(record.seq, record.at, move))
    return ReadCases(fold_cases(moves, unreadable), tuple(faults))
