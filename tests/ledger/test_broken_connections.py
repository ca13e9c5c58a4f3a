"""A connection to the ledger's database that breaks after any byte: a record is there once or not at all, and what is said is so."""

from __future__ import annotations

import random
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path

import psycopg
import pytest

from portalops.errors import LedgerError
from portalops.ledger.chain import Faults, check_chain
from portalops.ledger.ledger import KeptLedger
from portalops.ledger.postgresql_kept import kept_in
from portalops.ledger.postgresql_tables import script
from portalops.ledger.record import NO_RUN, Draft
from portalops.model.record import Digest, RunId
from tests.backups.postgresql.parts import PORT, Server, short_folder, versions
from tests.doubles import FixedClock

AT_COMMIT = 120
"""The last bytes of an append: the question to commit, and the answer."""
AT = datetime(2026, 11, 26, 3, tzinfo=UTC)


class Cutter:
    """Carries bytes between clients and a server's socket, and breaks the connection at which a count of them runs out."""

    def __init__(self, folder: Path, server: Server) -> None:
        self.name = f".s.PGSQL.{PORT}"
        self._server = server.folder / self.name
        self._listening = socket.socket(socket.AF_UNIX)
        self._listening.bind(str(folder / self.name))
        self._listening.listen(16)
        self._lock = threading.Lock()
        self._left: int | None = None
        self.carried = 0
        threading.Thread(target=self._accept, daemon=True).start()

    def cut_after(self, count: int | None) -> None:
        """Break the connection over which this many bytes from now on go by; those that come later are whole again."""
        with self._lock:
            self._left, self.carried = count, 0

    def close(self) -> None:
        self._listening.shutdown(socket.SHUT_RDWR)
        self._listening.close()

    def _accept(self) -> None:
        with suppress(OSError):
            while True:
                client, _address = self._listening.accept()
                there = socket.socket(socket.AF_UNIX)
                there.connect(str(self._server))
                for one, other in ((client, there), (there, client)):
                    threading.Thread(target=self._carry, args=(one, other), daemon=True).start()

    def _carry(self, one: socket.socket, other: socket.socket) -> None:
        with suppress(OSError):
            while data := one.recv(1 << 16):
                passed, is_cut = self._counted(data)
                other.sendall(passed)
                if is_cut:
                    break
        for each in (one, other):
            with suppress(OSError):
                each.shutdown(socket.SHUT_RDWR)
                each.close()

    def _counted(self, data: bytes) -> tuple[bytes, bool]:
        with self._lock:
            self.carried += len(data)
            if self._left is None:
                return data, False
            passed = data[: self._left]
            self._left -= len(passed)
            if self._left:
                return data, False
            self._left = None
            return passed, True


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    with Server.new(versions()[-1]) as started:
        yield started


@contextmanager
def cutter_before(server: Server, database: str) -> Iterator[tuple[Cutter, Callable[[], KeptLedger]]]:
    with short_folder() as folder:
        cutter = Cutter(folder, server)
        try:
            yield cutter, lambda: kept(folder, database)
        finally:
            cutter.close()


def kept(folder: Path, database: str) -> KeptLedger:
    where = f"host={folder} port={PORT} user=postgres dbname={database}"
    return kept_in(lambda: psycopg.connect(where, autocommit=True), "the database", writable=True)


@pytest.mark.parametrize("times", [20, pytest.param(200, marks=pytest.mark.heavy)])
def test_a_record_whose_connection_breaks_after_any_byte_is_never_lost_and_never_doubled(
    server: Server, times: int
) -> None:
    database = f"cut_{times}"
    server.sql(f"CREATE DATABASE {database}")
    server.sql(script(), database)
    clock, chance = FixedClock(AT), random.Random(20261126)
    direct = kept(server.folder, database).records
    direct.begin(Draft("ledger.created", Digest("0" * 64)), clock)
    told: dict[str, bool] = {}
    hints: set[str] = set()
    with cutter_before(server, database) as (cutter, through):
        through().records.append((draft("whole"),), clock)
        whole = cutter.carried
        for number in range(times):
            run = f"12.4:check:{number}"
            first = 1 if number % 2 else whole - AT_COMMIT
            cutter.cut_after(chance.randrange(first, whole + 1))
            store = through().records
            try:
                (record,) = store.append((draft(run),), clock)
                assert (record.run, direct.record(record.seq)) == (run, record)
                told[run] = True
            except LedgerError as error:
                hints.add(str(error.hint))
                told[run] = False
            finally:
                store.close()
    there = [run for run in told if direct.has(run, "check.finished")]

    assert there == [run for run, is_recorded in told.items() if is_recorded]
    assert 0 < len(there) < times, "breaks before and behind the commit were tried"
    assert hints == {"Check that the database server is running and can be reached: pg_isready."}
    faults = Faults()
    with direct.snapshot() as snapshot:
        check_chain(snapshot, faults)
    assert (faults.count, direct.count()) == (0, len(there) + 2)


def draft(run: str) -> Draft:
    return Draft("check.finished", Digest("a" * 64), RunId(run) if run else NO_RUN)
