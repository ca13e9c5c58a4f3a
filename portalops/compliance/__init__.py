"""Judges every duty of a rulebook over a period: evidence in, standings out; pure.

Each duty names its rule in the rulebook's data; the rules lie in one module an article. All of them keep one
order: what is shown to be missing is `unmet`; what could not be found out is
`insufficient-evidence`; what is not yet due is `pending`; only what is shown for the whole period
is `met`. Nobody watched before the ledger's first record, so that nothing was done before it is never
held to be shown; of earlier days only what the sources themselves date (creation rows, registers) counts.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import replace

from portalops.compliance import article_10, article_11, article_12
from portalops.compliance.order import standing_of
from portalops.compliance.situation import Situation
from portalops.model.message import msg
from portalops.model.rulebook import Duty
from portalops.model.standing import Standing
from portalops.model.verdicts import DutyVerdict
from portalops.registers.backups import POLLS
from portalops.registers.discs import DISC_READING, DISCS_DESTROYED

__all__ = ["RULES", "Situation", "distrusted", "judge"]

RULES = {**article_10.RULES, **article_11.RULES, **article_12.RULES}
"""The judging rules by the names that rulebooks use."""

_OF_COPIES = frozenset(key for key, _type in POLLS.values())
_OF_UPDATES = frozenset({"updates"})
_OF_CHECKS = frozenset({"check"})
_DOUBTS = {
    "backup-class": _OF_COPIES,
    "backup-medium": _OF_COPIES | {DISC_READING, DISCS_DESTROYED},
    "backup-interval": _OF_COPIES,
    "archive": _OF_COPIES | {"inventory"},
    "portal-daily": _OF_UPDATES,
    "unit-submissions": _OF_UPDATES,
    "unit-subportals": _OF_UPDATES,
    "cases": _OF_UPDATES | {"case"},
    "unicode": _OF_UPDATES,
    "tracking": _OF_UPDATES,
    "changes": _OF_CHECKS,
    "checks": _OF_CHECKS,
    "availability": _OF_CHECKS,
    "check-cadence": _OF_CHECKS,
    "findings": _OF_CHECKS,
    "incidents": _OF_CHECKS,
}
"""By rule: the kinds of records of which a newer one may undo what an older one shows."""


def judge(situation: Situation) -> tuple[Standing, ...]:
    """Judge every duty of the rulebook, in its order.

    Raises:
        KeyError: a duty names a rule that does not exist; the rulebook's own tests prevent it.
    """
    return tuple(_judge(duty, situation) for duty in situation.rulebook.duties)


def distrusted(standings: Iterable[Standing]) -> tuple[Standing, ...]:
    """Return standings over a ledger that was changed: nothing in it shows a duty met any more."""
    reason = msg("the ledger was changed, so nothing in it proves this")
    return tuple(
        replace(each, verdict=DutyVerdict.INSUFFICIENT_EVIDENCE, reason=reason)
        if each.verdict is DutyVerdict.MET
        else each
        for each in standings
    )


def _judge(duty: Duty, situation: Situation) -> Standing:
    if situation.evidence.period.first > situation.today:
        return standing_of(duty, DutyVerdict.PENDING, msg("the period has not begun"))
    return _doubted(RULES[duty.rule](duty, situation), _DOUBTS.get(duty.rule, frozenset()), situation)


def _doubted(standing: Standing, kinds: Collection[str], situation: Situation) -> Standing:
    """Take back a good verdict where a newer record that may say otherwise cannot be read."""
    newer = [
        each
        for each in situation.evidence.unreadable
        if each.kind in kinds and each.seq > min(standing.evidence, default=0)
    ]
    if not newer or standing.verdict not in {DutyVerdict.MET, DutyVerdict.EXEMPT}:
        return standing
    return replace(
        standing,
        verdict=DutyVerdict.INSUFFICIENT_EVIDENCE,
        reason=msg("the newer record {seq} cannot be read and may contradict this", seq=str(newer[-1].seq)),
        details=(*standing.details, *(msg("record {seq}: {cause}", seq=str(e.seq), cause=e.why) for e in newer)),
    )
