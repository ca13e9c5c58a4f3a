"""Locks of all machines that write to a ledger in a database: advisory locks, which go with the connection that took them.

All locks of a process are held by one connection, whose `application_name` tells people who took the first of them. A lock is two: of its
name, which one process at a time has, and of name and holder together, by which anybody can ask whether just this holder is
alive. Within the process a name is held once too. Where that connection breaks, all of its locks are free until the next one is taken or
`renew` is called, by which those are taken anew that nobody else has by then; what was recorded twice the ledger itself refuses.
"""

from __future__ import annotations

import hashlib
import threading
import time
import weakref
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, suppress

import psycopg

from portalops.errors import Locked
from portalops.ledger import postgresql_errors as said
from portalops.ledger.postgresql_store import Connections
from portalops.model.message import msg
from portalops.model.text import show_text

_RETRY_SECONDS = 0.2
_MAX_NAME = 63
"""Bytes of an `application_name`."""


class PostgresqlLocks:
    """Advisory locks of one database, taken by this process; safe in several threads."""

    def __init__(self, connect: Callable[[], psycopg.Connection], connections: Connections, place: str) -> None:
        self._connect, self._connections, self._place = connect, connections, place
        self._open: list[psycopg.Connection] = []
        """The one connection, once a lock was taken; in a list, so that dropping the locks closes it."""
        self._mutex = threading.Lock()
        self._held: dict[str, str] = {}
        """By name: the holder."""
        weakref.finalize(self, _close, self._open)

    @contextmanager
    def held(self, name: str, *, holder: str, wait_seconds: float = 0) -> Iterator[None]:
        """Hold a lock for as long as the block runs."""
        until = time.monotonic() + wait_seconds
        while not self._take(name, holder):
            left = until - time.monotonic()
            if left <= 0:
                raise self._refused(name)
            time.sleep(min(left, _RETRY_SECONDS))
        try:
            yield
        finally:
            self._let_go(name, holder)

    def held_to_read(self, name: str, *, holder: str, wait_seconds: float = 0) -> AbstractContextManager[None]:
        """Hold a lock for what changes nothing: a role that only reads may take it too."""
        return self.held(name, holder=holder, wait_seconds=wait_seconds)

    def is_held_by(self, name: str, holder: str) -> bool:
        """Say whether a lock is held by just this holder."""
        return self._read_holder(_key(name, holder)) is not None

    def renew(self) -> None:
        """Take anew what was lost with a connection that broke, unless another process took it meanwhile.

        Raises:
            LedgerError: the server cannot be reached.
        """
        with self._mutex:
            if not self._held:
                return
            try:
                self._opened(next(iter(self._held.values()))).execute("SELECT 1")
            except psycopg.Error as error:
                raise said.translated(self._place, error) from error

    def close(self) -> None:
        """Let go of all of them."""
        with self._mutex:
            _close(self._open)

    def _take(self, name: str, holder: str) -> bool:
        with self._mutex:
            if name in self._held:
                return False
            try:
                connection = self._opened(holder)
                if not _taken(connection, _key(name)):
                    return False
                _taken(connection, _key(name, holder))
            except psycopg.Error as error:
                raise said.translated(self._place, error) from error
            self._held[name] = holder
            return True

    def _opened(self, holder: str) -> psycopg.Connection:
        if not self._open or self._open[0].closed:
            _close(self._open)
            self._open.append(self._connect())
            own = shown_holder(next(iter(self._held.values()), holder))
            self._open[0].execute("SELECT set_config('application_name', %s, false)", (own,))
            for lost, by in self._held.items():
                if _taken(self._open[0], _key(lost)):
                    _taken(self._open[0], _key(lost, by))
        return self._open[0]

    def _let_go(self, name: str, holder: str) -> None:
        with self._mutex:
            self._held.pop(name, None)
            with suppress(psycopg.Error):  # a connection that broke holds nothing any more
                for connection in self._open:
                    for key in (_key(name, holder), _key(name)):
                        connection.execute("SELECT pg_advisory_unlock(%s)", (key,))

    def _read_holder(self, key: int) -> str | None:
        statement = (
            "SELECT a.application_name FROM pg_locks l LEFT JOIN pg_stat_activity a USING (pid) WHERE l.locktype = 'advisory'"
            " AND l.database = (SELECT oid FROM pg_database WHERE datname = current_database()) AND l.granted AND l.objsubid = 1"
            " AND l.classid::bigint = %s AND l.objid::bigint = %s"
        )
        unsigned = key % 2**64
        with self._connections.used() as connection:
            row = connection.execute(statement, (unsigned >> 32, unsigned & 0xFFFFFFFF)).fetchone()
        return None if row is None else str(row[0] or "?")

    def _refused(self, name: str) -> Locked:
        who = show_text((self._read_holder(_key(name)) or "?").removeprefix("portalops "), _MAX_NAME)
        return Locked(
            msg("the lock {lock} is held by {holder}", lock=name, holder=who),
            msg("Wait until it ends, or find the machine in the database: SELECT * FROM pg_stat_activity."),
        )


def _close(connections: list[psycopg.Connection]) -> None:
    while connections:
        connections.pop().close()


def _key(*parts: str) -> int:
    digest = hashlib.sha256("\0".join(("portalops", *parts)).encode()).digest()
    return int.from_bytes(digest[:8], signed=True)


def _taken(connection: psycopg.Connection, key: int) -> bool:
    return connection.execute("SELECT pg_try_advisory_lock(%s)", (key,)).fetchone() == (True,)


def shown_holder(holder: str) -> str:
    """Return what the connection of a holder is called in the database: `application_name` takes so many characters of ASCII."""
    return f"portalops {holder}".encode("ascii", "replace")[:_MAX_NAME].decode()
