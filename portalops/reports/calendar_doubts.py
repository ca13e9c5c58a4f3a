"""Which working days of a period are not certain: what every report and list says that counts days. Pure."""

from __future__ import annotations

from collections.abc import Iterator

from portalops.calendar import Calendar
from portalops.model.message import msg
from portalops.model.period import Period
from portalops.reports.document import Block, Bullets, Paragraph


def calendar_doubts(calendar: Calendar, period: Period) -> Iterator[Block]:
    """Yield the days of a period that an official notice may still change; nothing where every day is certain."""
    doubts = calendar.warnings(period)
    if doubts:
        yield Paragraph(msg("Working days that are not certain:"))
        yield Bullets(doubts)
