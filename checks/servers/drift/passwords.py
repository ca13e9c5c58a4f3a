"""Passwords of accounts: of which kind each is, and of root on which day it was set; when, by the time of /etc/shadow.

Others change their own passwords as they must; that an account gets one or loses it is told.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, timedelta

from checks.servers.drift._kind import HostView, Kind, changed_at, compare_states
from checks.servers.probe import MissingFact
from checks.servers.probes import file_times, shadow
from portalops.model.message import msg


def state(look: HostView) -> Mapping[str, str] | MissingFact:
    """Return by account the kind of its password."""
    found = look.get(shadow.PROBE)
    if isinstance(found, MissingFact):
        return found
    return {one.name: f"{one.kind} {_day(one)}" if one.name == "root" else one.kind for one in found}


def _day(one: shadow.Secret) -> str:
    try:
        return str(date(1970, 1, 1) + timedelta(days=one.changed_day or 0))
    except OverflowError:  # a number that is no day
        return str(one.changed_day)


KIND = Kind(
    "password",
    msg("password"),
    (shadow.PROBE, file_times.PROBE),
    compare_states(state, lambda look, _name: changed_at(look, "/etc/shadow")),
    state,
)
