"""Jobs on a cluster: their parts go to the queue, come back by way of the ledger, and are done by workers.

What was done is what the ledger holds. A part that is complete there is taken as it is and never done again in its slot; so whoever does a
job anew, because the process before was killed, asks only for what is missing.
"""

from __future__ import annotations

import sys

from commands.cli.session import Session
from commands.jobs.ledger_server import database_of
from commands.jobs.parts import PARTS
from portalops.errors import ConfigurationError
from portalops.ledger.runs import Work
from portalops.model.message import msg
from portalops.model.runs import Job


def clustered(session: Session, job: Job, slot: str) -> Work[object] | None:
    """Do a job by its parts; None if its kind has none, or there is no cluster."""
    settings = session.settings
    if settings.cluster is None or job.kind.value not in PARTS.names():
        return None
    database_of(settings, session.environment)  # it is said first where there is none
    try:
        from commands.jobs.fan import fan_of  # noqa: PLC0415  # what it needs is an extra
    except ImportError as error:
        raise ConfigurationError(
            msg("a cluster needs the package {name}, which is not installed", name=error.name or "pgqueuer"),
            msg(
                "Install it where portalops is: {python} -m pip install 'portalops[cluster]', or take [cluster] away.",
                python=sys.executable,
            ),
        ) from error
    return PARTS.load(job.kind.value).work(session, fan_of(session, job, slot))
