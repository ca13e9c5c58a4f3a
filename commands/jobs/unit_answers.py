"""A unit's answer in a hearing, recorded whole or not at all: confirmations, items that are its own, and its explanation.

What follows from an answer is decided first, as a value that can be shown, and recorded then while nobody else can append.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import date, datetime

from commands.jobs.cases import allowed_move, draft_of
from portalops import bodies
from portalops.compliance.case_papers import step_with_paper
from portalops.compliance.handling import Handling
from portalops.compliance.unit_answers import ItemAnswer, naming_line
from portalops.errors import UsageError
from portalops.ledger.record import Draft
from portalops.ledger.recorder import Recorder
from portalops.model.cases import CaseMove, CaseStep, Paper
from portalops.model.confirmations import Confirmation
from portalops.model.message import Message, msg
from portalops.model.organisation import UnitId
from portalops.model.period import Week
from portalops.model.record import Digest, Record
from portalops.model.submissions import ObservedItem
from portalops.model.updates import ItemChannel, Observation
from portalops.model.values import dataclass
from portalops.ports import LedgerReader
from portalops.registers.attested import ITEM, OBSERVED, read_attested
from portalops.registers.cases import may, read_cases
from portalops.registers.confirmations import CONFIRMATION, CONFIRMED, read_confirmations

DUTY = "11.3-tracking"


@dataclass(frozen=True, slots=True)
class UnitAnswer:
    """What a unit answers about a week."""

    unit: UnitId
    week: Week
    by: str
    """Who answered for the unit."""
    officer: str
    """Who takes the answer for the managing unit."""
    reason: str
    """Its explanation; empty if it answers of items alone."""
    paper: Paper
    """What it rests on."""
    document: str
    """How that is cited: number and date, or who sent a mail and when."""
    items: Sequence[tuple[ItemAnswer, Observation]]
    """Each with the item that it is about."""
    named: Mapping[str, frozenset[UnitId]]
    """The units that their sources have named for some items, one after the other."""
    attested: Collection[str]
    """Sources whose items count at the time that they bear: a register, a mailbox."""
    open_for: Mapping[str, Sequence[UnitId]]
    """The units for which items of unknown senders are open by name, mention or address."""
    is_vouched: bool
    """An officer vouches for the answer by name, and its paper is kept."""


@dataclass(frozen=True, slots=True)
class AnswerPlan:
    """What follows from an answer."""

    confirmations: tuple[Confirmation, ...]
    """One for each document."""
    items: tuple[ObservedItem, ...]
    """Items of unknown senders that are the unit's."""
    moves: tuple[CaseMove, ...]
    """One for each case that takes the answer."""


def plan_answer(
    ledger: LedgerReader,
    handling: Handling,
    answer: UnitAnswer,
    document: bytes | None,
    new_ids: Callable[[int], Sequence[str]],
) -> AnswerPlan:
    """Return what follows from an answer, as things stand in the ledger.

    Args:
        ledger: has the cases, and what was confirmed and attested before.
        handling: by what cases are handled today.
        answer: what a unit says.
        document: the paper or mail itself.
        new_ids: returns so many ids of attested items that no record bears.

    Raises:
        UsageError: there is no case of the unit and week, nothing waits for the answer, or an item does not fit it.
    """
    file = None if document is None else Digest(hashlib.sha256(document).hexdigest())
    moves = tuple(_explanations(ledger, handling, answer, document, file))
    if not moves and not answer.items:
        raise UsageError(
            msg("no case of {unit} in week {week} waits for an answer", unit=answer.unit, week=str(answer.week)),
            msg("Run 'portalops case list --unit {unit} --all' to see what was done.", unit=answer.unit),
        )
    zone = handling.zone
    confirmed = read_confirmations(ledger).observations
    why = answer.reason or answer.by
    by_document: dict[tuple[str, date, UnitId | None], list[str]] = {}
    own: list[ObservedItem] = []
    recorded = [each.what for each in read_attested(ledger).standing if isinstance(each.what, ObservedItem)]
    for said, item in answer.items:
        text = said.document or answer.document
        with naming_line(said):
            if said.published_on is None:
                at = item.published_at if item.source in answer.attested and item.published_at else item.first_seen_at
                _require_unknown(item, at.astimezone(zone).date(), answer)
                rests_on = f"{text}; {why}; {item.id}"
                one = ObservedItem(
                    "", answer.unit, item.channel, item.title, item.url, at, answer.officer, rests_on, file, item.id
                )
                _require_open(item, answer)
                for there in recorded:
                    is_anothers_claim = there.collected == item.id and there.unit != answer.unit
                    if _key(there) == _key(one) and not is_anothers_claim:
                        raise UsageError(
                            _say_recorded(there),
                            msg(
                                "If {id} is wrong, take it back with 'portalops updates observe --withdraw {id}'.",
                                id=there.id,
                            ),
                        )
                own.append(one)
            else:
                _require_own(item, said.published_on, answer)
                is_corrected = item.id in answer.named
                if item.id in confirmed and not is_corrected:
                    raise _unfit(msg("item {item} is already confirmed", item=item.id[:12]))
                key = text, said.published_on, answer.unit if is_corrected else None
                by_document.setdefault(key, []).append(item.id)
    return AnswerPlan(
        tuple(
            Confirmation(tuple(names), answer.officer, text, why, file, day, unit)
            for (text, day, unit), names in by_document.items()
        ),
        tuple(replace(one, id=name) for one, name in zip(own, new_ids(len(own)), strict=True)),
        moves,
    )


def _say_recorded(there: ObservedItem) -> Message:
    if there.unit is None:
        return msg("this item is already recorded as {id}", id=there.id)
    return msg("this item is already recorded as {id}, of unit {unit}", id=there.id, unit=there.unit)


def record_answer(
    recorder: Recorder, plan: Callable[[], AnswerPlan], document: bytes | None
) -> tuple[AnswerPlan, tuple[Record, ...]]:
    """Record what follows from an answer, all of it or nothing; `plan` is asked under the ledger's lock.

    Raises:
        UsageError: nothing can follow from it.
    """
    ledger = recorder.ledger
    planned: list[AnswerPlan] = []

    def decide() -> Sequence[Draft]:
        planned[:] = [plan()]
        evidence = () if document is None else (ledger.keep(document),)
        parts = {"circumstances": recorder.circumstances, "evidence": evidence}

        def drafted(kind: str, subject: str, key: str, what: Confirmation | ObservedItem) -> Draft:
            return ledger.draft(kind, subject=subject, duty=DUTY, body=ledger.keep(bodies.write({**parts, key: what})))

        (found,) = planned
        return [
            *(drafted(CONFIRMED, one.observations[0], CONFIRMATION, one) for one in found.confirmations),
            *(drafted(OBSERVED, one.id, ITEM, one) for one in found.items),
            *(draft_of(recorder, move, document) for move in found.moves),
        ]

    records = ledger.append_decided(decide)
    return planned[0], tuple(records)


def _explanations(
    ledger: LedgerReader, handling: Handling, answer: UnitAnswer, document: bytes | None, file: Digest | None
) -> Iterator[CaseMove]:
    """Yield the moves by which each case that waits for it takes the answer; one that has this very answer takes none.

    Raises:
        UsageError: there is no case of the unit and week, or the paper cannot be an answer.
    """
    read = read_cases(ledger)
    cases = [case for case in read.cases if (case.unit, case.week) == (answer.unit, answer.week)]
    if not cases:
        raise UsageError(
            msg("unit {unit} has no case of week {week}", unit=answer.unit, week=str(answer.week)),
            msg("Run 'portalops case list --unit {unit} --all' to see what was done.", unit=answer.unit),
        )
    reason = answer.reason or answer.document
    for case in cases:
        move = CaseMove(
            case.unit, case.duty, case.week, CaseStep.EXPLAINED, reason=reason, by=answer.by, paper=answer.paper
        )
        taken = step_with_paper(read.cases, case, replace(move, paper=replace(answer.paper, file=file)))
        is_there = taken is not None and (taken.move.id, taken.move.step) == (case.id, CaseStep.EXPLAINED)
        if may(case, CaseStep.EXPLAINED) and not is_there:
            yield allowed_move(read, case, move, handling, document=document)


def _require_own(item: Observation, day: date, answer: UnitAnswer) -> None:
    """Make sure that a day can be confirmed of an item in answer about a week.

    Raises:
        UsageError: it is another unit's, or the day is of another week.
    """
    if item.unit != answer.unit and answer.unit not in answer.named.get(item.id, ()):
        raise _unfit(msg("item {item} is not of unit {unit}", item=item.id[:12], unit=answer.unit))
    _require_week(item, day, answer)


def _require_unknown(item: Observation, day: date, answer: UnitAnswer) -> None:
    """Make sure that an item can be a unit's own though its source does not say so.

    Raises:
        UsageError: it is known whose it is, or it is of another week.
    """
    if item.unit is not None or item.channel is ItemChannel.PORTAL:
        raise _unfit(msg("the sender of item {item} is known", item=item.id[:12]))
    _require_week(item, day, answer)


def _require_open(item: Observation, answer: UnitAnswer) -> None:
    """Make sure that a unit's word takes no item that is open for other units alone.

    Raises:
        UsageError: it is open for others by name, and no officer vouches for it with a paper that is kept.
    """
    others = answer.open_for.get(item.id, ())
    if others and answer.unit not in others and not answer.is_vouched:
        raise UsageError(
            msg(
                "item {item} may be of {others}, not of {unit}",
                item=item.id[:12],
                others=", ".join(others),
                unit=answer.unit,
            ),
            msg(
                "Ask them. If it is of {unit} all the same, give --officer with the name of who vouches for it, and its paper with --file or --mail.",
                unit=answer.unit,
            ),
        )


def _require_week(item: Observation, day: date, answer: UnitAnswer) -> None:
    if Week.of(day) != answer.week:
        raise _unfit(
            msg("item {item} is of {day}, outside week {week}", item=item.id[:12], day=day, week=str(answer.week))
        )


def _key(one: ObservedItem) -> tuple[ItemChannel, str, str, datetime]:
    return one.channel, one.title, one.address, one.seen_at


def _unfit(what: Message) -> UsageError:
    return UsageError(what, msg("Run 'portalops updates list --flagged' to see the items, and correct the answer."))
