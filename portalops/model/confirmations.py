"""Confirmations: an officer's word that items were published when they claim, where nothing else shows their time."""

from __future__ import annotations

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
