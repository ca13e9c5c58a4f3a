"""Whether a medium is the one that sets were written to, and not an empty folder where its disk is mounted at other times.

A disk that is not mounted, a wrong bucket, another folder on a server: all of them can be read, and hold no set of the portal.
That says nothing of the sets, so they are not damaged but out of reach. Where at least one set of the portal is listed, one that
is missing is missing.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from backups.retention import THERE, is_of
from portalops.errors import MediumUnavailable, PortalOpsError
from portalops.model.backups import CopyState, SetId
from portalops.model.message import msg
from portalops.ports import Medium
from portalops.registers.backups import SetEvidence
from portalops.registers.media import RegisteredMedium


def require_sets(medium: Medium, portal: str) -> None:
    """Make sure that a medium on which sets are recorded shows one.

    Args:
        medium: on which a set is recorded to be.
        portal: id of the portal.

    Raises:
        MediumUnavailable: it shows none, or cannot be read.
    """
    if not any(is_of(portal, name) for name in medium.sets()):
        raise MediumUnavailable(
            msg("backup medium {medium}: it holds none of the sets that are recorded on it", medium=medium.id),
            msg(
                "Check that the right disk is mounted there. If the disk was replaced for good, record it: "
                "'portalops media add {medium}'.",
                medium=medium.id,
            ),
        )


def listed_sets(portal: str, media: Iterable[Medium]) -> dict[str, tuple[SetId, ...]]:
    """Return a portal's sets by medium, oldest first; media without any, or out of reach, are left out."""
    found: dict[str, tuple[SetId, ...]] = {}
    for each in media:
        try:
            sets = sorted(made for made in each.sets() if is_of(portal, made))
        except PortalOpsError:
            continue  # the backup job reports a medium that cannot be read
        if sets:
            found[each.id] = tuple(sets)
    return found


def media_with_sets(sets: Sequence[SetEvidence], register: Mapping[str, RegisteredMedium]) -> frozenset[str]:
    """Return the ids of the media on which sets are recorded, since the medium came into the register."""
    added = {name: each.added_at for name, each in register.items() if each.added_at is not None}
    return frozenset(
        copy.medium
        for made in sets
        for copy in made.copies
        if copy.state in THERE - {CopyState.DAMAGED} and not (copy.medium in added and made.at < added[copy.medium])
    )
