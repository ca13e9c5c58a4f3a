"""Locks of all machines that write to a ledger in a database: rows of `lock`, which count while a connection of theirs lives.

A row names the holder, and an advisory lock that the holder's connection has: one of a number that is drawn anew each time. So a lock goes with the
connection that took it, and nobody can keep others from one by advisory locks of their own, which any account can take. Who may append takes and releases
rows, by functions. All locks of a process are held by one connection, whose `application_name` tells people who took the first of
them. Within the process a name is held once too. Where that connection breaks, all of its locks are free until the next one is taken or
`renew` is called, by which those are taken anew that nobody else has by then; what was recorded twice the ledger itself refuses.
"""

from __future__ import annotations

import secrets
import threading
import time
import weakref
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext, suppress

import psycopg

from portalops.errors import Locked
from portalops.ledger import postgresql_errors as said
from portalops.ledger.postgresql_store import Connections
from portalops.ledger.postgresql_tables import SCHEMA
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
        self._keys: dict[str, int] = {}
        """By name: the number of the advisory lock."""
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
            self._let_go(name)

    def held_to_read(self, name: str, *, holder: str, wait_seconds: float = 0) -> AbstractContextManager[None]:
        """Hold a lock for what changes nothing; a role that only reads keeps nobody from it, and waits until it is free."""
        if self._may_hold():
            return self.held(name, holder=holder, wait_seconds=wait_seconds)
        if wait_seconds <= 0 and self._read_holder(name) is not None:
            raise self._refused(name)
        return nullcontext()

    def is_held_by(self, name: str, holder: str) -> bool:
        """Say whether a lock is held by just this holder."""
        return self._read_holder(name) == holder

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
                if not self._is_taken(self._opened(holder), name, holder):
                    return False
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
                self._is_taken(self._open[0], lost, by)
        return self._open[0]

    def _is_taken(self, connection: psycopg.Connection, name: str, holder: str) -> bool:
        key = secrets.randbits(64) - 2**63
        connection.execute("SELECT pg_advisory_lock(%s)", (key,))
        found = connection.execute(f"SELECT {SCHEMA}.take_lock(%s, %s, %s)", (name, holder, key)).fetchone()
        if found != (True,):
            connection.execute("SELECT pg_advisory_unlock(%s)", (key,))
            return False
        self._keys[name] = key
        return True

    def _let_go(self, name: str) -> None:
        with self._mutex:
            self._held.pop(name, None)
            key = self._keys.pop(name, None)
            with suppress(psycopg.Error):  # a connection that broke holds nothing any more
                for connection in self._open:
                    connection.execute(f"SELECT {SCHEMA}.release_lock(%s)", (key,))
                    connection.execute("SELECT pg_advisory_unlock(%s)", (key,))

    def _may_hold(self) -> bool:
        statement = f"SELECT has_function_privilege('{SCHEMA}.take_lock(text, text, bigint)', 'EXECUTE')"
        with self._connections.used() as connection:
            return connection.execute(statement).fetchone() == (True,)

    def _read_holder(self, name: str) -> str | None:
        statement = f"SELECT holder FROM {SCHEMA}.lock WHERE name = %s AND {SCHEMA}.is_held(key, pid)"
        with self._connections.used() as connection:
            row = connection.execute(statement, (name,)).fetchone()
        return None if row is None else str(row[0])

    def _refused(self, name: str) -> Locked:
        who = show_text((self._read_holder(name) or "?"), _MAX_NAME)
        return Locked(
            msg("the lock {lock} is held by {holder}", lock=name, holder=who),
            msg("Wait until it ends, or find the machine in the database: SELECT * FROM pg_stat_activity."),
        )


def _close(connections: list[psycopg.Connection]) -> None:
    while connections:
        connections.pop().close()


def shown_holder(holder: str) -> str:
    """Return what the connection of a holder is called in the database: `application_name` takes so many characters of ASCII."""
    return f"portalops {holder}".encode("ascii", "replace")[:_MAX_NAME].decode()
