"""Duties with their verdicts, reasons and the records that they rest on. Pure; any report may use it."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence

from portalops.model.message import Message, msg, nmsg, verbatim
from portalops.model.rulebook import Rulebook
from portalops.model.standing import Standing
from portalops.model.verdicts import DutyVerdict
from portalops.registers.proof import Proof
from portalops.reports.document import Block, Cell, Paragraph, TableBlock
from portalops.reports.words import duty_status, joined

SEQS_SHOWN = 6
"""Ledger records named for a duty in the table; the newest come last and are always among them."""


def duty_table(caption: Message, standings: Sequence[Standing], rulebook: Rulebook, proof: Proof) -> TableBlock:
    """Return a row a duty: what is asked for, the verdict, why, on which records it rests, whose they are, and when it is due next.

    Whose they are is a column of its own where the ledger has writers.
    """
    recorders = () if proof.claimed_from is None else (msg("Recorded by"),)
    headers = (
        msg("Duty"),
        msg("What it requires"),
        msg("Verdict"),
        msg("Why"),
        msg("Evidence (records)"),
        *recorders,
        msg("Newest evidence"),
        msg("Next due"),
    )
    return TableBlock(caption, headers, [_row(standing, rulebook, proof) for standing in standings])


def recorders_of(proof: Proof, standing: Standing) -> tuple[Message, ...]:
    """Return who recorded what a duty rests on, each once, in the order of the records; none for a ledger without writers."""
    begin = proof.claimed_from
    if begin is None:
        return ()
    said = (_recorder_of(proof, begin, seq) for seq in sorted(standing.evidence))
    return tuple({str(each): each for each in said}.values())


def rest_blocks(standings: Sequence[Standing]) -> Iterator[Block]:
    """Yield how many duties are neither met, unmet nor without sufficient evidence: a sum that leaves some out looks wrong."""
    counted = {DutyVerdict.MET, DutyVerdict.UNMET, DutyVerdict.INSUFFICIENT_EVIDENCE}
    rest = sum(each.verdict not in counted for each in standings)
    if rest:
        yield Paragraph(
            nmsg("{n} more is pending, exempt or not assessed.", "{n} more are pending, exempt or not assessed.", rest)
        )


def standings_of(standings: Sequence[Standing], rulebook: Rulebook, articles: Collection[str]) -> tuple[Standing, ...]:
    """Return the standings of the duties of some articles, such as `{"10"}`, in their order."""
    return tuple(each for each in standings if rulebook.duty(each.duty).clause.partition(".")[0] in articles)


def _recorder_of(proof: Proof, begin: int, seq: int) -> Message:
    name = proof.recorder(seq)
    if name is not None:
        return verbatim(name)
    return msg("before there were writers") if seq <= begin else msg("not claimed yet")


def _row(standing: Standing, rulebook: Rulebook, proof: Proof) -> tuple[Cell, ...]:
    found = recorders_of(proof, standing)
    recorders: tuple[Cell, ...] = () if proof.claimed_from is None else (joined(found) if found else None,)
    return (
        standing.duty,
        rulebook.duty(standing.duty).title,
        duty_status(standing.verdict),
        standing.reason,
        _records(sorted(standing.evidence)),
        *recorders,
        standing.newest_at,
        standing.due_at,
    )


def _records(seqs: Sequence[int]) -> Cell:
    if not seqs:
        return None
    shown = ", ".join(map(str, seqs[-SEQS_SHOWN:]))
    if len(seqs) <= SEQS_SHOWN:
        return shown
    more = len(seqs) - SEQS_SHOWN
    return nmsg("{seqs} and {n} earlier one", "{seqs} and {n} earlier ones", more, seqs=shown)
