"""Which records are asked for."""

from __future__ import annotations

from datetime import datetime

from portalops.model.values import dataclass


@dataclass(frozen=True, slots=True)
class Selection:
    """Which records are asked for; all conditions hold together."""

    kinds: tuple[str, ...] | None = None
    run: str | None = None
    since: datetime | None = None
    """At or after."""
    until: datetime | None = None
    """Before."""
    newest_first: bool = False
    limit: int | None = None
