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
    BEGINS,
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

    @property
    def was_opened(self) -> bool:
        """Say whether it was opened after its hearing, or without one: before, it counts for nothing."""
        return self.opened_at is not None

    @property
    def was_accepted(self) -> bool:
        """Say whether the explanation was accepted, also where the case was closed since."""
        return self.newest(CaseStep.ACCEPTED) is not None

    @property
    def is_closed_by_rule(self) -> bool:
        """Say whether the rules closed it, since its week is no longer judged unmet; whatever a person closed stays closed."""
        closed = self.newest(CaseStep.CLOSED)
        return closed is not None and not closed.move.by

    @property
    def opened_at(self) -> datetime | None:
        """Return when it was opened first; None as long as the unit is only heard."""
        return next((each.at for each in self.moves if each.move.step is CaseStep.OPENED), None)

    def newest(self, *steps: CaseStep) -> RecordedMove | None:
        """Return the newest move of these kinds since it was found last, its hearing included; None if there was none."""
        for each in reversed(self.moves):
            if each.move.step in steps:
                return each
            if each.move.step in {CaseStep.HEARD, CaseStep.REOPENED}:
                return None
        return None

    def found_on(self, zone: ZoneInfo) -> date:
        """Return the local day on which it was opened last, or found where it is being heard."""
        found = next(each for each in reversed(self.moves) if each.move.step in {*BEGINS, CaseStep.REOPENED})
        return found.at.astimezone(zone).date()


def may(case: Case | None, step: CaseStep) -> bool:
    """Say whether a move may be made: from the state that a case is in, or to begin one that is not there."""
    if case is None:
        return step in BEGINS
    if step is CaseStep.HEARD and case.was_opened:  # what was opened once is opened again
        return False
    return case.state in ALLOWED[step]


def _state_after(case: Case, step: CaseStep) -> CaseState:
    """Return the state that a move makes of a case: a hearing that is opened goes on where its reminder and answer left it."""
    if not may(case, step):
        return case.state
    if case.state is CaseState.HEARING and step is CaseStep.OPENED:
        if case.newest(CaseStep.EXPLAINED):
            return CaseState.EXPLAINED
        return CaseState.AWAITING if case.newest(CaseStep.REMINDED) else CaseState.DETECTED
    if case.state is CaseState.HEARING and step is not CaseStep.CLOSED:
        return CaseState.HEARING
    return LEADS_TO.get(step, case.state)


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
            if move.step in BEGINS:
                found[move.id] = Case(move.id, (each,), LEADS_TO[move.step], (unreadable or {}).get(move.id, ()))
            continue
        found[move.id] = Case(known.id, (*known.moves, each), _state_after(known, move.step), known.unreadable)
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
            begun = next((step for step in BEGINS if record.kind == kind_of(step)), None)
            if begun is not None:
                with suppress(ValueError):  # of no case that there could be: told by its number alone
                    moves.append(RecordedMove(record.seq, record.at, CaseMove(*parse_case_id(subject), begun)))
        else:
            if move.paper is not None:
                move = replace(move, paper=replace(move.paper, file=still_kept(ledger, move.paper.file)))
            moves.append(RecordedMove(record.seq, record.at, move))
    return ReadCases(fold_cases(moves, unreadable), tuple(faults))
