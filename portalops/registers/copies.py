"""What the ledger knows of one copy: every look at it, folded. Pure.

Depths that were reached once stay known with their times; a look that goes less deep takes nothing from them. Damage,
removal, or a copy that was made anew ends what was known before: those were other bytes.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

from portalops.model.backups import Copy, CopyState
from portalops.model.message import msg
from portalops.model.reading import Reading, with_reading
from portalops.model.text import show_text
from portalops.model.values import dataclass

ENDED = frozenset({CopyState.FAILED, CopyState.DAMAGED, CopyState.DISPOSED, CopyState.REPLACED})
"""States in which nothing that was read before speaks for what comes after."""

MAX_PROBLEM = 600
"""Characters of what another host says is wrong; a drill of this version says less."""


@dataclass(frozen=True, slots=True)
class CopyReport:
    """What one record says of a copy."""

    seq: int
    at: datetime
    """When it was recorded."""
    copy: Copy
    drilled_at: datetime | None = None
    """Of a drill that another host did: when it began, by the clock of that host. It is recorded later, and may have read the
    first bytes of the copy as early as that."""
    by: str = ""
    """The public key of that host."""


@dataclass(frozen=True, slots=True)
class KnownCopy:
    """A copy as it was seen last, and how deep it has been read."""

    copy: Copy
    seen_at: datetime
    """When this ledger's host looked at it last."""
    since: datetime
    """Since when the same bytes have been there, as far as anybody has seen."""
    readings: tuple[Reading, ...] = ()


@dataclass(frozen=True, slots=True)
class Replacement:
    """From here on another physical medium has this id: what was on the one before is gone with it."""

    seq: int
    at: datetime
    medium: str


def first_known(look: CopyReport) -> KnownCopy:
    """Return what is known of a copy from the record that first tells of it."""
    return KnownCopy(look.copy, look.at, look.at, with_reading((), look.copy, look.seq))


def fold_report(before: KnownCopy | None, look: CopyReport) -> KnownCopy:
    """Return what is known of a copy after one more look.

    Of a removed copy it stays known when it had been verified, for what that says of its own time.
    """
    now = look.copy
    if before is None:
        return first_known(look)
    if before.copy.state is CopyState.DISPOSED and now.state in {CopyState.DISPOSED, CopyState.FAILED}:
        return before  # that no other was made in its place undoes no removal
    if before.copy.state is CopyState.REPLACED and now.state is CopyState.FAILED:
        return KnownCopy(
            before.copy.with_problem(now.shown_problem), look.at, before.since
        )  # and makes it no other copy
    if now.state is CopyState.DISPOSED:
        verified_at = before.copy.verified_at if before.copy.state is CopyState.VERIFIED else None
        return KnownCopy(replace(now, verified_at=verified_at), look.at, look.at, before.readings)
    if {before.copy.state, now.state} & ENDED:
        return first_known(look)
    return KnownCopy(now, look.at, before.since, with_reading(before.readings, now, look.seq))


def fold_replaced(before: KnownCopy, replacement: Replacement) -> KnownCopy:
    """Return what is known of a copy after another medium took the place of its own.

    It is neither damaged nor there. That it was never written, or that a rule removed it, stays known; and of one that was
    verified, when.
    """
    if before.copy.state in {CopyState.FAILED, CopyState.DISPOSED, CopyState.REPLACED}:
        return before
    gone = replace(
        before.copy,
        state=CopyState.REPLACED,
        verified_at=before.copy.verified_at if before.copy.state is CopyState.VERIFIED else None,
        hidden=None,
    ).with_problem(
        msg("gone with {medium}, which was replaced on {moment}", medium=replacement.medium, moment=replacement.at)
    )
    return KnownCopy(gone, replacement.at, replacement.at)


def fold_elsewhere(before: KnownCopy, look: CopyReport) -> KnownCopy:
    """Return what is known of a copy after a drill that another host did and that was recorded later.

    What it found speaks for the moment of the drill: it changes nothing that was seen after that, but that the copy was
    damaged already then is believed. Of bytes that are gone, or were written anew since, it says nothing.
    """
    assert look.drilled_at is not None
    if before.copy.state in ENDED or look.drilled_at < before.since:
        return before
    if look.copy.state is not CopyState.VERIFIED:
        problem = show_text(look.copy.problem, MAX_PROBLEM)  # a foreign host's text, never its templates
        damaged = replace(
            before.copy,
            state=look.copy.state,
            level=look.copy.level,
            verified_at=None,
            problem=problem,
            problem_message=None,
        )
        return KnownCopy(damaged, before.seen_at, look.at)
    readings = with_reading(before.readings, look.copy, look.seq, by=look.by)
    known = before.copy
    if known.verified_at is None or known.verified_at < look.drilled_at:
        known = replace(
            known if before.seen_at > look.drilled_at else known.with_problem(""),
            state=CopyState.VERIFIED,
            level=look.copy.level,
            verified_at=look.copy.verified_at,
        )
    return replace(before, copy=known, readings=readings)
