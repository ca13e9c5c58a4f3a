"""A PostgreSQL server for a measurement: its data on a disk and each commit durable, as a ledger's server must be."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from backups.postgresql import PostgresqlVersion
from portalops.ledger.postgresql_tables import script
from tests.backups.postgresql.parts import ACCESS, Server, user

DURABLE = """
fsync = on
synchronous_commit = on
autovacuum = on
max_connections = 200
shared_buffers = 256MB
max_wal_size = 4GB
"""


class DurableServer(Server):
    """One server whose files lie on a disk."""

    def configure(self, settings: str, access: str) -> None:
        super().configure(f"{settings}{DURABLE}", access)


@contextmanager
def durable_server(tools: PostgresqlVersion) -> Iterator[DurableServer]:
    """Run a server in a folder of its own below /var/tmp, since /tmp may lie in memory."""
    folder = Path(tempfile.mkdtemp(prefix="pg-", dir="/var/tmp"))
    try:
        os.chown(folder, user().pw_uid, user().pw_gid)
        server = DurableServer(folder, tools)
        server.program("initdb", "-D", server.data, "-U", "postgres", "-E", "UTF8", "--locale=C.UTF-8")
        with server.running(ACCESS):
            yield server
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def new_database(server: Server, name: str, *more: str) -> None:
    """Make a database with a ledger's tables and roles, and with what else a script makes."""
    server.sql(f"CREATE DATABASE {name}")
    server.sql("\n".join((script(), *more)), name)


def store_table(server: Server, database: str) -> str:
    """Return the configuration of a ledger in it."""
    return (
        f'\n[ledger.store]\nkind = "postgresql"\nhost = "{server.folder}"\ndatabase = "{database}"\nuser = "postgres"\n'
    )
