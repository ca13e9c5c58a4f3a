"""Sub-portals whose items the portal shows too, where a setting would say who was first."""

from __future__ import annotations

from collections.abc import Sequence

from commands.cli.session import Session
from commands.jobs.kinds.updates import open_store
from portalops.model.message import Message, nmsg
from portalops.model.updates import ItemChannel
from portalops.ports import UpdateSource


def precedence_warnings(session: Session, sources: Sequence[UpdateSource]) -> tuple[Message, ...]:
    """Name the sub-portals of which the portal showed several items in the same polls, with the setting that says who was first."""
    traits = [one.traits for one in sources]
    own = {one.id for one in traits if not (one.syndicated or one.copies_count)}
    front = [one.id for one in traits if one.channel is ItemChannel.PORTAL and not one.gives_out]
    if not front:
        return ()
    with open_store(session.settings, session.environment) as store:
        shared = store.shown_at_once(front)
    return tuple(
        nmsg(
            "source {source}: the portal showed {n} of its newest items between the same polls, and it is not known who was first. If the portal takes them over by itself, set syndicated = true for it.",
            "source {source}: the portal showed {n} of its newest items between the same polls, and it is not known who was first. If the portal takes them over by itself, set syndicated = true for it.",
            count,
            source=source,
        )
        for source, count in shared.items()
        if count >= SHOWN_OFTEN and source in own
    )


SHOWN_OFTEN = 3
"""Items that the portal showed too; fewer may be one news that both wrote alike."""
