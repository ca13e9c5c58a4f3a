"""What the verbs of this noun do alike."""

from __future__ import annotations

from commands.cli.session import Session
from portalops.calendar import Calendar, load
from portalops.errors import ConfigurationNotFound


def calendar_of(session: Session) -> Calendar:
    """Return the configured calendar, or the shipped one where there is no configuration yet."""
    try:
        return session.calendar
    except ConfigurationNotFound:
        if session.invocation.config is not None:
            raise
        return load()
