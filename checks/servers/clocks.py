"""How far the clocks of two machines may be apart before what one of them dates says nothing to the other."""

from __future__ import annotations

from datetime import datetime, timedelta

CLOCKS_APART = timedelta(minutes=5)
"""As Kerberos lets them be (RFC 4120, section 7.5.1, as implementations have it); right clocks are within 2 seconds."""


def is_ahead(moment: datetime, now: datetime) -> bool:
    """Say whether something is dated later than its being looked at, by more than clocks differ: its age is not known."""
    return moment - now > CLOCKS_APART
