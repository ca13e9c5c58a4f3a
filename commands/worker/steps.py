"""What the verbs of this noun do alike."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from commands.cli.session import Session
from commands.jobs.fan import connection_of, driver_errors
from commands.jobs.ledger_server import require_database
from portalops.cluster.queue import workers
from portalops.errors import ConfigurationError
from portalops.model.message import msg

if TYPE_CHECKING:
    from portalops.cluster.queue import WorkerSeen
    from portalops.config.settings import ClusterSettings


def cluster_settings(session: Session) -> ClusterSettings:
    if session.settings.cluster is None:
        raise ConfigurationError(
            msg("the configuration names no cluster"), msg("Add a table [cluster]; see 'A cluster' in docs/scale.md.")
        )
    require_database(session)
    return session.settings.cluster


def seen_workers(session: Session) -> Sequence[WorkerSeen]:
    with driver_errors(session), connection_of(session) as connection:
        return workers(connection)
