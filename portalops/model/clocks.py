"""What people say of the machine's clock."""

from __future__ import annotations

from datetime import datetime

from portalops.model.values import dataclass


@dataclass(frozen=True, slots=True)
class ConfirmedClock:
    """A clock that a person vouches for: the body of a `clock.confirmed` record, under the key `confirmed_clock`."""

    by: str
    """The person's name, as it was given."""
    read: datetime
    """What another clock showed, which the person read."""
    shown: datetime
    """What the machine's clock showed when that was given."""
