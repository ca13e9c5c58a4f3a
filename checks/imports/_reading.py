"""What the forms share: bounds, and what one tool claims before it is recorded."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from itertools import islice

from portalops.model.claims import ClaimedFinding
from portalops.model.message import Message
from portalops.model.text import show_text
from portalops.model.verdicts import Severity

MAX_BYTES = 32 << 20
"""A report of one host has some MiB at most."""
MAX_CLAIMS = 5000
"""Claims of one report that are kept; how many more there are is told."""
MAX_ANSWERED = 5000
"""Rules and keys of one report that are kept as answered; what is left off is not shown to be fixed."""
MAX_NOTES = 20
_KEY, _RULE, _MESSAGE, _PLACE = 500, 200, 500, 300


class NotAReport(ValueError):
    """Bytes are not of the form; the message says why."""

    def __init__(self, message: Message) -> None:
        super().__init__(str(message))
        self.message = message


@dataclass(frozen=True, slots=True)
class ToolClaims:
    """What one tool claims in a report."""

    tool: str
    version: str
    made_at: datetime | None
    claims: tuple[ClaimedFinding, ...]
    left_off: int
    notes: tuple[str, ...]
    answered: tuple[str, ...] = ()
    """Rules that the tool looked at to the end; see `ToolReport`."""
    fixed: tuple[str, ...] = ()
    """Keys of what it says is there no more."""


def claims_of(
    tool: str,
    version: str,
    made_at: datetime | None,
    claims: Iterable[ClaimedFinding],
    notes: Iterable[str],
    *,
    answered: Iterable[str] = (),
    fixed: Iterable[str] = (),
) -> ToolClaims:
    """Return claims within the bounds, each key once; the worst severity of several with one key counts."""
    by_key: dict[str, ClaimedFinding] = {}
    severities = tuple(Severity)
    left_off = 0
    for claim in claims:
        before = by_key.get(claim.key)
        if before is None and len(by_key) >= MAX_CLAIMS:
            left_off += 1
        elif before is None or severities.index(claim.severity) < severities.index(before.severity):
            by_key[claim.key] = claim
    shown = tuple(show_text(note, _MESSAGE) for note in islice(notes, MAX_NOTES))
    return ToolClaims(
        show_text(tool.strip(), 60) or "?",
        show_text(version, 60),
        made_at,
        tuple(by_key.values()),
        left_off,
        shown,
        tuple(sorted({show_text(rule, _RULE) for rule in answered})[:MAX_ANSWERED]),
        tuple(sorted(set(fixed) - by_key.keys())[:MAX_ANSWERED]),
    )


def claimed(rule: str, severity: Severity, message: str, *, place: str = "", key: str = "") -> ClaimedFinding:
    """Return a claim whose texts are bounded and escaped; its key is rule and place unless the tool has one."""
    return ClaimedFinding(
        show_text(f"{rule} {key or place}".strip(), _KEY),
        show_text(rule, _RULE),
        severity,
        show_text(" ".join(message.split()), _MESSAGE),
        show_text(place, _PLACE),
    )
