"""One process at a time works on a resource of the state folder."""

from __future__ import annotations

from contextlib import AbstractContextManager

from commands.cli.session import Session
from portalops.model.runs import Resource


def resource_lock(
    session: Session, resource: Resource, *, job: str = "", wait_seconds: float = 0
) -> AbstractContextManager[None]:
    """Hold a resource of this state folder, on which one process at a time works.

    Args:
        session: what to work with.
        resource: what is worked on.
        job: what for; it is told to whoever is refused meanwhile.
        wait_seconds: how long to wait for another process that holds it.

    Raises:
        Locked: another process holds it.
        FileUnwritable: the lock file cannot be made.
    """
    return session.locks.held(resource.value, holder=session.holder_for(job), wait_seconds=wait_seconds)
