"""The media register as people see it: what is recorded of each medium, what lies on it, and what must be seen to."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo

from portalops.model.message import Message, nmsg
from portalops.model.reading import Limits
from portalops.registers.backups import GONE, Expiring, SetEvidence, expiring
from portalops.registers.media import RegisteredMedium, alarms, disc_alarms, whole_register


@dataclass(frozen=True, slots=True)
class RegisterLine:
    """One medium, with what commands show of it."""

    medium: RegisteredMedium
    kind: str
    is_configured: bool
    sets: int
    """How many sets are recorded to be on it."""
    discs: int
    """How many discs were burnt from its images, and are not destroyed."""
    expiring: Expiring
    """Which of them were verified too long ago to count, or soon will be."""
    alarms: tuple[Message, ...]


def register_lines(
    register: Mapping[str, RegisteredMedium],
    configured: Mapping[str, str],
    sets: Sequence[SetEvidence],
    *,
    limits: Limits,
    unread_months: int,
    now: datetime,
    zone: ZoneInfo,
) -> tuple[RegisterLine, ...]:
    """Return the whole register, the configured media first.

    Args:
        register: as recorded.
        configured: the kind of each configured medium, by its id.
        sets: as recorded.
        limits: how long it counts that a copy was read.
        unread_months: how long a medium may be left unread; 0 for any time.
        now: aware.
        zone: the portal's.
    """
    with_discs = [disc.burnt.medium for made in sets for disc in made.discs]
    late = expiring(sets, limits, now)
    today = now.astimezone(zone).date()
    return tuple(
        RegisterLine(
            each,
            each.entry.kind if each.entry else configured.get(each.id, "-"),
            each.id in configured,
            sum(copy.medium == each.id and copy.state not in GONE for made in sets for copy in made.copies),
            sum(len(made.discs_of(each.id)) for made in sets),
            late.get(each.id, Expiring()),
            (
                *alarms(each, now=now, today=today, unread_months=unread_months),
                *_expired(late.get(each.id, Expiring())),
                *disc_alarms(each.id, sets, now=now, unread_months=unread_months),
            ),
        )
        for each in whole_register(register, (*configured, *with_discs), sets)
    )


def _expired(found: Expiring) -> tuple[Message, ...]:
    if not found.expired:
        return ()
    expired = nmsg(
        "{n} copy on it was read too long ago to count as verified",
        "{n} copies on it were read too long ago to count as verified",
        found.expired,
    )
    return (expired,)
