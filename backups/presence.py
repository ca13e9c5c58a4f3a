"""Whether a medium is the one that sets were written to, and not an empty folder where its disk is mounted at other times.

A disk that is not mounted, a wrong bucket, another folder on a server: all of them can be read, and hold no set of the portal.
That says nothing of the sets, so they are not damaged but out of reach. Where at least one set of the portal is listed, one that
is missing is missing.
"""

from __future__ import annotations

from backups.retention import is_of
from portalops.errors import MediumUnavailable
from portalops.model.message import msg
from portalops.ports import Medium


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
