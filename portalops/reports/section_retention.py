"""How long sets are kept: the rules, what was removed by which, what people held, and what was refused. Pure; any report may use it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from portalops.model.message import Message, msg, together, verbatim
from portalops.model.record import Recorded
from portalops.model.retention import Hold, PruneResult, RetentionPolicy
from portalops.model.runs import JobKind
from portalops.model.verdicts import RunOutcome
from portalops.registers.evidence import Evidence
from portalops.registers.retention import HELD, MARKED, RELEASED, UNDONE, Decision, fold_retention
from portalops.reports.bounded import bounded
from portalops.reports.document import Block, Cell, KeyValues, Paragraph, Status, TableBlock, Tone
from portalops.reports.words import outcome_status

_STEPS: Mapping[str, Message] = {
    HELD: msg("held"),
    RELEASED: msg("released"),
    MARKED: msg("marked for removal"),
    UNDONE: msg("mark undone"),
}


def policy_rows(policy: RetentionPolicy) -> tuple[tuple[Message, Cell], ...]:
    """Return what a policy keeps, rule by rule, and how long a mark can be undone."""
    rules = (
        (msg("Kept: of the newest sets"), policy.keep_last),
        (msg("Kept: one set a week, of so many weeks"), policy.keep_weekly),
        (msg("Kept: one set a month, of so many months"), policy.keep_monthly),
        (msg("Kept: one set a year, of so many years"), policy.keep_yearly),
        (msg("Kept: all sets of so many days back"), policy.keep_within_days),
    )
    return (*((rule, str(count)) for rule, count in rules if count), (msg("Days to undo"), str(policy.undo_days)))


def retention_blocks(evidence: Evidence) -> Iterator[Block]:
    """Yield the rules of the newest run that removed or marked, and every decision of the period; or that there is none."""
    prunes = [
        Recorded(each.seq, each.at, each.run, each.body)
        for each in evidence.verifies
        if isinstance(each.body, PruneResult) and each.at.astimezone(evidence.zone).date() in evidence.period
    ]
    decided = [each for each in evidence.decisions if each.at.astimezone(evidence.zone).date() in evidence.period]
    if prunes:
        newest = prunes[-1]
        yield Paragraph(
            msg("The rules by which the run of {at} (record {seq}) decided:", at=newest.at, seq=str(newest.seq))
        )
        yield KeyValues(policy_rows(newest.body.policy))
    else:
        yield Paragraph(msg("No run of the period applied a retention rule."))
    yield from _removed(prunes)
    yield from _decided(decided)
    yield from _decision_blocks(evidence)
    yield from _refused(evidence)


def _removed(prunes: Sequence[Recorded[PruneResult]]) -> Iterator[Block]:
    rows: list[tuple[Cell, ...]] = [
        (
            one.set_id,
            one.made_at,
            each.at,
            one.reason,
            ", ".join(one.media) or None,
            _left(one.left, one.discs),
            one.approved_by or None,
            f"{one.marked_seq}, {each.seq}",
        )
        for each in reversed(prunes)
        for one in each.body.disposals
    ]
    if not rows:
        yield Paragraph(msg("No recorded run removed a set in the period."))
        return
    headers = (
        msg("Backup set"),
        msg("Made at"),
        msg("Removed at"),
        msg("Why no rule keeps it"),
        msg("Removed from"),
        msg("Still there"),
        msg("Approved by"),
        msg("Records (marked, removed)"),
    )
    yield from bounded(
        TableBlock(msg("Sets that were removed in the period, and by which rule, the newest first"), headers, rows)
    )


def _left(media: Sequence[str], discs: Sequence[str]) -> Cell:
    if media and discs:
        return Status(
            msg("on {media}; discs to be destroyed: {discs}", media=", ".join(media), discs=", ".join(discs)),
            Tone.UNSURE,
        )
    if discs:
        return Status(msg("discs to be destroyed: {discs}", discs=", ".join(discs)), Tone.UNSURE)
    return Status(msg("on {media}", media=", ".join(media)), Tone.UNSURE) if media else None


def _decided(decisions: Sequence[Decision]) -> Iterator[Block]:
    if not decisions:
        yield Paragraph(msg("No set was held, released, marked or unmarked in the period."))
        return
    headers = (
        msg("At"),
        msg("What was decided"),
        msg("Backup set"),
        msg("Reason"),
        msg("Not removed before"),
        msg("Approved by"),
        msg("Record"),
    )
    rows = [_decision_row(each) for each in reversed(decisions)]
    yield from bounded(
        TableBlock(
            msg("Sets that were held, released, marked or unmarked in the period, the newest first"), headers, rows
        )
    )


def _decision_row(each: Decision) -> tuple[Cell, ...]:
    if isinstance(each.body, Hold):
        return (
            each.at,
            _STEPS[each.kind],
            each.body.set_id,
            verbatim(each.body.reason),
            None,
            None,
            str(each.seq),
        )
    mark = each.body
    until = mark.undo_until if each.kind == MARKED else None
    return each.at, _STEPS[each.kind], mark.set_id, mark.reason, until, mark.approved_by or None, str(each.seq)


def _decision_blocks(evidence: Evidence) -> Iterator[Block]:
    """Yield what people hold as of the period's end, whenever they decided so."""
    holds = fold_retention(evidence.decisions).holds
    if holds:
        rows = [(each.hold.set_id, verbatim(each.hold.reason), each.at, str(each.seq)) for each in holds.values()]
        headers = (msg("Backup set"), msg("Reason"), msg("Since"), msg("Record"))
        yield from bounded(TableBlock(msg("Sets that are held at the end of the period"), headers, rows))


def _refused(evidence: Evidence) -> Iterator[Block]:
    """Yield the runs that were to remove sets and refused it, or left something."""
    rows: list[tuple[Cell, ...]] = []
    for run in evidence.runs:
        summary = evidence.summaries.get(run.finished_seq) if run.finished_seq is not None else None
        in_period = run.started_at.astimezone(evidence.zone).date() in evidence.period
        if run.kind != JobKind.PRUNE or not in_period or summary is None or summary.outcome is RunOutcome.COMPLETE:
            continue
        why = together(summary.shown_problems[:3]) if summary.problems else None
        rows.append((run.started_at, run.id, outcome_status(summary.outcome), why, str(run.finished_seq)))
    if rows:
        headers = (
            msg("Started at"),
            msg("Run"),
            msg("Outcome"),
            msg("Why (as recorded)"),
            msg("Record"),
        )
        yield from bounded(
            TableBlock(
                msg("Runs that were due to remove sets and refused, or left something, the newest first"),
                headers,
                rows[::-1],
            )
        )
