"""A ledger in a PostgreSQL database: its records, its details and its locks, over one stock of connections."""

from __future__ import annotations

from collections.abc import Callable

import psycopg

from portalops.ledger.ledger import KeptLedger
from portalops.ledger.postgresql_blobs import PostgresqlBlobs
from portalops.ledger.postgresql_locks import PostgresqlLocks
from portalops.ledger.postgresql_store import PostgresqlStore


def kept_in(connect: Callable[[], psycopg.Connection], place: str, *, writable: bool) -> KeptLedger:
    """Return the ledger of a database.

    Args:
        connect: opens one connection, in which each statement is a transaction of its own.
        place: what the database is called for people; no account and no secret.
        writable: appends are allowed here, if the account may.
    """
    records = PostgresqlStore(connect, place, writable=writable)
    blobs = PostgresqlBlobs(records.connections)
    return KeptLedger(records, blobs, PostgresqlLocks(connect, records.connections, place))
