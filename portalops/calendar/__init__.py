"""Vietnam's working days as data, each with the document behind it, and the arithmetic on them."""

from portalops.calendar.calendar import Calendar
from portalops.calendar.table import load

__all__ = ["Calendar", "load"]
