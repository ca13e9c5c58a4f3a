"""Official notices of a year's days off, as they were taken into the calendar."""

from __future__ import annotations

from datetime import date

from portalops.model.record import Digest
from portalops.model.values import dataclass


@dataclass(frozen=True, slots=True)
class CalendarNotice:
    """The body of a `calendar.confirmed` record, under the key `calendar_notice`."""

    year: int
    document: str
    """Number, date and issuer of the notice; never empty."""
    off: tuple[date, ...]
    """Days off, those that are worked on another day among them."""
    work: tuple[date, ...]
    """Days of weekly rest that are worked."""
    by: str
    """Who took it in."""
    calendar: str
    """Version of the calendar with it."""
    replaces: str = ""
    """The document that the year rested on before; empty where it was provisional."""
    file: Digest | None = None
    """The notice itself."""
