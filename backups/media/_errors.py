"""How media say that they cannot be written or read."""

from __future__ import annotations

from portalops.errors import MediumInterrupted, MediumUnavailable, SetNotFound
from portalops.model.backups import SetId
from portalops.model.message import Message, msg
from portalops.model.text import show_text


class NotMadeYet(MediumUnavailable):
    """A medium whose folder is not there, and will be made by the first run: nothing is wrong with that before any set."""


def medium_unavailable(medium: str, cause: Message | OSError, hint: Message | None = None) -> MediumUnavailable:
    """Return the error of a medium that does not take or give data."""
    if isinstance(cause, OSError):
        where = f" ({show_text(str(cause.filename), 200)})" if cause.filename else ""
        cause = msg("{cause}{where}", cause=show_text((cause.strerror or str(cause)).lower(), 120), where=where)
    return MediumUnavailable(
        msg("backup medium {medium}: {cause}", medium=medium, cause=cause),
        hint or msg("Check that it is mounted, writable and has space; then run 'portalops backup run' again."),
    )


def not_made_yet(medium: str, cause: Message) -> NotMadeYet:
    """Return the error of a medium that may be made where it is not, and was not."""
    return NotMadeYet(
        msg("backup medium {medium}: {cause}", medium=medium, cause=cause),
        msg("'portalops backup run' makes the folder. If it held sets before, find out first where they are."),
    )


def medium_interrupted(medium: str, cause: Message, hint: Message) -> MediumInterrupted:
    """Return the error of a medium elsewhere that is out of reach, and may be reached again by itself."""
    return MediumInterrupted(msg("backup medium {medium}: {cause}", medium=medium, cause=cause), hint)


def is_there_already(medium: str, set_id: SetId) -> MediumUnavailable:
    """Return the error of a set that is to be written where there is one of its name."""
    return medium_unavailable(medium, msg("set {set} already exists", set=set_id))


def no_such_set(medium: str, set_id: SetId) -> SetNotFound:
    """Return the error of a set that a medium does not have."""
    return SetNotFound(
        msg("backup medium {medium} has no set {set}", medium=medium, set=show_text(set_id, 120)),
        msg("Run 'portalops backup list' to see the sets and their media."),
    )
