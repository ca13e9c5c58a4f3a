"""Confirmations: an officer's word on the day on which items were published, where the polls leave it open."""

from __future__ import annotations

from datetime import date

from portalops.model.organisation import UnitId
from portalops.model.record import Digest
from portalops.model.values import dataclass


@dataclass(frozen=True, slots=True)
class Confirmation:
    """The body of an `updates.confirmed` or `updates.unconfirmed` record, under the key `confirmation`."""

    observations: tuple[str, ...]
    """Their ids."""
    officer: str
    """Who confirms, or takes it back; never empty."""
    document: str
    """Number and date of what it rests on; never empty."""
    reason: str = ""
    file: Digest | None = None
    """The document itself."""
    published_on: date | None = None
    """The local day on which they were published, by the document; None for the day that each claims."""
    unit: UnitId | None = None
    """Whose they are by the document, where their source has named several units; None for the one that it names now."""
