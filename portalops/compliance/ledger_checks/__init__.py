"""Ledger checks: checks of the catalogue that the ledger answers and no host; one file each, whose docstring is its page.

They are judged as duties, by the rule that the page names. A file is `<id with underscores>.py` with `CHECK`.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Final

from portalops.model.message import Message
from portalops.model.values import dataclass
from portalops.model.verdicts import Severity
from portalops.plugins import Door


@dataclass(frozen=True, slots=True)
class RecordCheck:
    """One of them."""

    id: str
    """Dotted and stable; never reused."""
    clause: str
    """Of the regulation, such as `12.4`."""
    severity: Severity
    title: Message
    """The good state, in a sentence."""
    remedy: Message
    """What to do when it does not hold."""
    page: str
    """What it is, why it matters, where the rule comes from, and which records are read."""


RECORD_CHECKS: Final = Door("portalops.compliance.ledger_checks", "CHECK", RecordCheck)


@lru_cache(maxsize=1)
def record_checks() -> tuple[RecordCheck, ...]:
    """Return every ledger check, by id."""
    return tuple(sorted((check for _name, check in RECORD_CHECKS.all()), key=lambda one: one.id))
