"""What the verbs of this noun do alike."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from commands.cli.session import Session
from commands.jobs.fan import connection_of, driver_errors
from commands.jobs.ledger_server import LedgerDatabase, database_of
from portalops.cluster.queue import workers
from portalops.errors import ConfigurationError
from portalops.model.message import msg

if TYPE_CHECKING:
    from portalops.cluster.queue import WorkerSeen
    from portalops.config.settings import ClusterSettings


def open_cluster(session: Session) -> tuple[ClusterSettings, LedgerDatabase]:
    """Return the cluster, and the database that its queue is in.

    Raises:
        ConfigurationError: there is none, or the ledger is in the state folder.
    """
    if session.settings.cluster is None:
        raise ConfigurationError(
            msg("the configuration names no cluster"), msg("Add a table [cluster]; see 'A cluster' in docs/scale.md.")
        )
    return session.settings.cluster, database_of(session.settings, session.environment)


def seen_workers(database: LedgerDatabase) -> Sequence[WorkerSeen]:
    with driver_errors(database), connection_of(database) as connection:
        return workers(connection)
