"""The order that all rules keep: how parts make a verdict, and what no record at all means.

What is shown to be missing is `unmet`; what could not be found out is `insufficient-evidence`; what is not yet
due is `pending`; only what is shown for the whole period is `met`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime, timedelta
from enum import IntEnum

from portalops.compliance.situation import Situation
from portalops.model.message import Message, msg
from portalops.model.rulebook import Duty
from portalops.model.standing import Standing
from portalops.model.verdicts import DutyVerdict, RunOutcome
from portalops.registers.evidence import ENOUGH

WORST_FIRST = (
    DutyVerdict.UNMET,
    DutyVerdict.INSUFFICIENT_EVIDENCE,
    DutyVerdict.PENDING,
    DutyVerdict.MET,
    DutyVerdict.NOT_ASSESSED,
    DutyVerdict.EXEMPT,
)
"""Which part decides a duty made of parts: one unmet week makes the duty unmet; parts that are not due decide nothing."""


def standing_of(
    duty: Duty,
    verdict: DutyVerdict,
    reason: Message,
    seqs: Iterable[int] = (),
    details: Sequence[Message] = (),
    *,
    newest_at: datetime | None = None,
    due_at: datetime | None = None,
) -> Standing:
    """Return a duty's standing on the records it rests on, each named once."""
    return Standing(duty.id, verdict, reason, tuple(details), tuple(dict.fromkeys(seqs)), newest_at, due_at)


def from_parts(
    duty: Duty,
    parts: Sequence[tuple[DutyVerdict, Message]],
    *,
    met: Message,
    seqs: Iterable[int],
    newest_at: datetime | None = None,
    due_at: datetime | None = None,
) -> Standing:
    """Let the worst part decide, and list every part that is not met; no part at all is no evidence."""
    if not parts:
        return standing_of(duty, DutyVerdict.INSUFFICIENT_EVIDENCE, msg("nothing is recorded"), seqs)
    verdict = next(candidate for candidate in WORST_FIRST if any(part is candidate for part, _line in parts))
    # What is not yet due says nothing where something else already decides.
    silent = {DutyVerdict.MET, DutyVerdict.EXEMPT, DutyVerdict.NOT_ASSESSED}
    if verdict is not DutyVerdict.PENDING:
        silent.add(DutyVerdict.PENDING)
    ordered = sorted((part for part in parts if part[0] not in silent), key=lambda part: WORST_FIRST.index(part[0]))
    details = [
        msg("unknown: {line}", line=line)
        if part is DutyVerdict.INSUFFICIENT_EVIDENCE and verdict is DutyVerdict.UNMET
        else line
        for part, line in ordered
    ]
    if verdict is DutyVerdict.MET:
        reason = met
    elif len(ordered) == 1:
        reason = ordered[0][1]
    else:
        reason = example_of([line for part, line in parts if part is verdict])
    return standing_of(duty, verdict, reason, seqs, details, newest_at=newest_at, due_at=due_at)


def example_of(lines: Sequence[Message]) -> Message:
    """Return the first of several lines, with how many more there are."""
    return lines[0] if len(lines) == 1 else msg("{example}, and {more} more", example=lines[0], more=len(lines) - 1)


def nothing_recorded(duty: Duty, situation: Situation, limit: timedelta, reason: Message) -> Standing:
    """Unmet once the ledger has watched for as long as the duty allows; unknown before."""
    started = situation.evidence.started_at
    watched = started is not None and situation.as_of - started > limit
    return standing_of(duty, DutyVerdict.UNMET if watched else DutyVerdict.INSUFFICIENT_EVIDENCE, reason)


def daily_runs(
    situation: Situation, kind: str, missing: Message, *, every_days: int = 1
) -> list[tuple[DutyVerdict, Message]]:
    """One part a day of the period up to today: did a run that began on it, or within the days before it, speak for it?"""
    best = _best_runs(situation, kind)
    parts: list[tuple[DutyVerdict, Message]] = []
    for day in situation.evidence.period.days():
        if day > situation.today:
            break
        line = Message(missing.text, {"day": day})
        found = {best.get(day - timedelta(days=back)) for back in range(every_days)}
        if _Ran.WHOLE in found:
            parts.append((DutyVerdict.MET, line))
        elif day == situation.today:
            parts.append((DutyVerdict.PENDING, line))
        elif _Ran.IN_PART in found:
            parts.append((DutyVerdict.INSUFFICIENT_EVIDENCE, msg("not every host was reached on {day}", day=day)))
        elif _Ran.UNREADABLE in found:
            parts.append(
                (DutyVerdict.INSUFFICIENT_EVIDENCE, msg("the result of the run of {day} cannot be read", day=day))
            )
        elif _Ran.BADLY in found:
            parts.append((DutyVerdict.UNMET, msg("{line}: every run failed or was interrupted", line=line)))
        elif day == situation.began_on:
            parts.append((DutyVerdict.INSUFFICIENT_EVIDENCE, msg("the ledger began during {day}", day=day)))
        elif situation.is_before_ledger(day):
            parts.append((DutyVerdict.INSUFFICIENT_EVIDENCE, msg("{day} is before the ledger began", day=day)))
        else:
            parts.append((DutyVerdict.UNMET, line))
    return parts


class _Ran(IntEnum):
    """The results of a day's runs, best last."""

    BADLY = 1
    UNREADABLE = 2
    IN_PART = 3
    WHOLE = 4


def _best_runs(situation: Situation, kind: str) -> Mapping[date, _Ran]:
    """Return by local day the results of the runs that began on it; a finished record alone proves no success."""
    best: dict[date, _Ran] = {}
    for run in situation.evidence.runs:
        if run.kind != kind:
            continue
        came_to = _Ran.BADLY
        if run.finished_seq is not None and run.finished_seq in situation.evidence.summaries:
            summary = situation.evidence.summaries[run.finished_seq]
            if summary is None:
                came_to = _Ran.UNREADABLE
            elif summary.outcome in ENOUGH[kind]:
                came_to = _Ran.WHOLE
            elif summary.outcome is RunOutcome.INCOMPLETE:
                came_to = _Ran.IN_PART
        day = run.started_at.astimezone(situation.evidence.zone).date()
        best[day] = max(came_to, best.get(day, came_to))
    return best
