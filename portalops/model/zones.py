"""Time zones by their names: one name is one zone on every machine, or none."""

from __future__ import annotations

import re
from zoneinfo import ZoneInfo

_NAME = re.compile(r"[A-Z][A-Za-z0-9_+-]*(?:/[A-Z][A-Za-z0-9_+-]*)*")
_NO_ZONE = "Factory"
"""IANA's own word for a clock that nobody has set."""


class UnknownZone(ValueError):
    """A name is no time zone."""


def zone_of(name: str) -> ZoneInfo:
    """Return the time zone that a name of IANA's list stands for.

    The names of a machine's own files, such as `localtime`, `posixrules` and `right/UTC`, are none: they would be
    another zone on another machine. All of them begin with a small letter, and no name of the list does (tzdata, `theory.html`).

    Raises:
        UnknownZone: the list has no such name, or this machine has no data of it.
    """
    if _NAME.fullmatch(name) is None or name == _NO_ZONE:
        raise UnknownZone(name[:80])
    try:
        return ZoneInfo(name)
    except (ValueError, KeyError, OSError) as error:  # what zoneinfo raises for a name that is none
        raise UnknownZone(name[:80]) from error
