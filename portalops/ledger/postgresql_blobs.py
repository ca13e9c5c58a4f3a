"""Bytes of evidence in a table of the ledger's database, each under its SHA-256, which the database itself checks.

They are stored as they are, and PostgreSQL compresses them: it can digest only what it sees. Version 1 stored them packed,
as in the folder of one machine. Those rows are read as before; the next time that the same bytes are kept they are replaced.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator

import psycopg

from portalops.ledger import postgresql_errors as said
from portalops.ledger.blobs import MAX_BLOB_BYTES, broken, digest_of, longest_frame, unpacked
from portalops.ledger.postgresql_store import Connections
from portalops.ledger.postgresql_tables import SCHEMA
from portalops.model.message import msg
from portalops.model.record import Digest


class PostgresqlBlobs:
    """The table `blob`. Methods are those of `BlobFolder`."""

    def __init__(self, connections: Connections) -> None:
        self._connections = connections

    def keep(self, data: bytes) -> Digest:
        """Store bytes durably and return their SHA-256; the same bytes are stored once.

        What is there under their digest and is not these bytes is replaced. They are read back.

        Raises:
            IntegrityError: the database does not give them back.
        """
        digest = digest_of(data)
        if not self._holds(digest):
            self._connections.again(lambda one: one.execute(f"SELECT {SCHEMA}.keep(%s, %s)", (digest, data)))
            self.read(digest)
        return digest

    def read(self, digest: Digest) -> bytes:
        """Return a blob's bytes."""
        statement = (
            f"SELECT length(data), CASE WHEN length(data) <= %s THEN data END FROM {SCHEMA}.blob WHERE digest = %s"
        )
        values = (longest_frame(MAX_BLOB_BYTES), digest)
        row = self._connections.again(lambda one: one.execute(statement, values).fetchone())
        if row is None:
            raise broken(msg("blob {digest} is missing", digest=digest))
        if row[1] is None:
            raise broken(
                msg("blob {digest} is larger than {limit} bytes", digest=digest, limit=longest_frame(MAX_BLOB_BYTES))
            )
        return row[1] if hashlib.sha256(row[1]).hexdigest() == digest else unpacked(row[1], digest)

    def has(self, digest: Digest) -> bool:
        """Say whether there is a row for it, without reading it."""
        statement = f"SELECT 1 FROM {SCHEMA}.blob WHERE digest = %s"
        return self._connections.again(lambda one: one.execute(statement, (digest,)).fetchone()) is not None

    def remove(self, digest: Digest) -> None:
        """Remove a blob for good; the account must be one of those that may, and the erasure recorded."""
        with self._connections.used() as connection:
            try:
                connection.execute(f"SELECT {SCHEMA}.remove(%s)", (digest,))
            except psycopg.Error as error:
                raise said.not_removed(self._connections.place, digest, error) from error

    def _holds(self, digest: Digest) -> bool:
        """Say whether these bytes are there as they are; it is the database that digests them."""
        statement = f"SELECT 1 FROM {SCHEMA}.blob WHERE digest = %s AND encode(sha256(data), 'hex') = digest"
        return self._connections.again(lambda one: one.execute(statement, (digest,)).fetchone()) is not None

    def digests(self) -> Iterator[Digest]:
        """Yield the name of each blob, in order."""
        with self._connections.used() as connection:
            rows = connection.execute(f"SELECT digest FROM {SCHEMA}.blob ORDER BY digest").fetchall()
        return (Digest(name) for (name,) in rows)
