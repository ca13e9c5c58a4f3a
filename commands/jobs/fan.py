"""Lets workers do the parts of a job: puts them into the queue and takes what the ledger then holds; needs the extra `cluster`."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TypeVar
from zoneinfo import ZoneInfo

import psycopg

from commands.cli.session import Session
from commands.jobs.ledger_server import LedgerDatabase, database_of
from portalops import bodies
from portalops.cluster.parts import JsonValue, PartRequest, part_kind, part_of, suffix_of
from portalops.cluster.queue import put, require
from portalops.errors import LedgerError
from portalops.jobs import previous_slot_start
from portalops.ledger.ledger import Ledger
from portalops.ledger.postgresql_errors import translated
from portalops.model.message import Message, msg
from portalops.model.record import FINISHED, Digest, Record, RunId
from portalops.model.runs import Job, RunSummary, slot_start
from portalops.model.verdicts import RunOutcome
from portalops.ports import Clock
from portalops.registers.runs import attempt_of, run_id

logger = logging.getLogger(__name__)


POLL_SECONDS = 0.5
"""How often it is looked which parts have come back."""


AWAY_SECONDS = 600
"""How long the database may be away while a job waits for its parts."""


PartT = TypeVar("PartT")


DoneT = TypeVar("DoneT")


@dataclass(frozen=True, slots=True)
class Fan:
    """Lets workers do the parts of one job in one of its slots."""

    job: Job
    slot: str
    ledger: Ledger
    database: LedgerDatabase
    clock: Clock
    zone: ZoneInfo
    wait_minutes: int
    """How long the parts may take in all."""

    def run_parts(
        self,
        parts: Mapping[str, Mapping[str, JsonValue]],
        shape: type[PartT],
        *,
        is_of: Callable[[str, PartT], bool],
        is_news: Callable[[str, PartT], bool] = lambda _name, _found: True,
    ) -> Iterator[tuple[str, PartT | Message]]:
        """Have parts done, and yield each when it is: what came of it, or why nothing did.

        Args:
            parts: by name, what the worker needs beside it.
            shape: of what each comes to.
            is_of: says whether what a part came to is about what it was to be about; else it counts as not done.
            is_news: says whether what a part came to, that was complete before, is not used already; else it is done anew.
        """
        names = {run_id(self.job, self.slot, suffix=suffix_of(name)): name for name in parts}
        waited = _Waited(self.ledger, part_kind(self.job.kind.value), frozenset(names), self._slot_start())
        done = self._patiently(waited.come)

        def came(run: RunId, record: Record) -> PartT | Message:
            found = self._read(record, shape)
            if isinstance(found, Message) or (record.subject == names[run] and is_of(names[run], found)):
                return found
            return msg("what is recorded of it is about something else")

        read = {run: came(run, record) for run, record in done.items() if self._is_complete(record)}
        taken = {run: each for run, each in read.items() if not isinstance(each, Message) and is_news(names[run], each)}
        wanted = {run: waited.attempts.get(run, 0) + 1 for run in names if run not in taken}
        for run, each in taken.items():
            yield names[run], each
        if not wanted:
            return
        wishes = [self._request(run, names[run], parts[names[run]], attempt) for run, attempt in wanted.items()]
        self._patiently(lambda: self._put(wishes))
        until = self.clock.monotonic() + self.wait_minutes * 60
        while wanted and self.clock.monotonic() < until:
            for run, record in self._patiently(waited.come).items():
                if attempt_of(record.run) >= wanted.get(run, 10**9):
                    del wanted[run]
                    yield names[run], came(run, record)
            if wanted:
                time.sleep(POLL_SECONDS)
        for run in wanted:
            yield names[run], msg("no worker did it within {n} minutes", n=self.wait_minutes)

    def _patiently(self, do: Callable[[], DoneT]) -> DoneT:
        """Do something in the ledger's database, which may be away for a while; then the locks of this run are taken anew."""
        until = self.clock.monotonic() + AWAY_SECONDS
        while True:
            try:
                self.ledger.locks.renew()
                return do()
            except LedgerError as error:
                if not _is_away(error) or self.clock.monotonic() >= until:
                    raise
                logger.warning("the job %s waits for the database: %s", self.job.id, error)
            time.sleep(POLL_SECONDS)

    def _slot_start(self) -> datetime:
        """Return when the slot began: the one before that of now, where it ended after the job had begun."""
        every, local = self.job.every, self.clock.now().astimezone(self.zone)
        start_of = slot_start if every.slot(local) == self.slot else previous_slot_start
        return start_of(every, local).astimezone(UTC)

    def _request(self, run: RunId, name: str, details: Mapping[str, JsonValue], attempt: int) -> PartRequest:
        return PartRequest(run, self.job.kind.value, self.job.id, name, self.job.duty, details, attempt)

    def _put(self, wishes: list[PartRequest]) -> None:
        with driver_errors(self.database), connection_of(self.database) as connection:
            require(connection, self.database.place)
            put(connection, wishes)

    def blob(self, digest: Digest) -> bytes:
        """Return what a part kept."""
        return self._patiently(lambda: self.ledger.blob(digest))

    def _is_complete(self, record: Record) -> bool:
        try:
            summary = bodies.decode_part(self.blob(record.body), "run", RunSummary)
        except LedgerError:
            return False
        return summary is not None and summary.outcome is RunOutcome.COMPLETE

    def _read(self, record: Record, shape: type[PartT]) -> PartT | Message:
        try:
            body = self.blob(record.body)
            found = bodies.decode_part(body, part_kind(self.job.kind.value), shape)
            summary = bodies.decode_part(body, "run", RunSummary)
        except LedgerError as error:
            return error.message
        if found is not None:
            return found
        problem = summary.shown_problems[0] if summary and summary.problems else "?"
        return msg("the worker failed: {problem}", problem=problem)


def _is_away(error: LedgerError) -> bool:
    return type(error) is LedgerError and isinstance(error.__cause__, psycopg.OperationalError)


def fan_of(session: Session, job: Job, slot: str) -> Fan:
    """Return what lets workers do the parts of a job.

    Raises:
        ConfigurationError: the ledger is in the state folder.
    """
    settings = session.settings
    return Fan(
        job,
        slot,
        session.writable_ledger,
        database_of(settings, session.environment),
        session.clock,
        session.zone_of_portal,
        settings.cluster.wait_minutes if settings.cluster else 0,
    )


class _Waited:
    """The finished records of parts, as they come into the ledger."""

    def __init__(self, ledger: Ledger, kind: str, runs: frozenset[RunId], since: datetime) -> None:
        self._ledger, self._kind, self._runs, self._since = ledger, f"{kind}{FINISHED}", runs, since
        self._seen = 0
        self.attempts: dict[RunId, int] = {}
        """By part: the newest attempt that has ended."""

    def come(self) -> dict[RunId, Record]:
        """Return the newest finished record of each part that has one since the last call."""
        found: dict[RunId, Record] = {}
        for record in self._ledger.records(kinds=(self._kind,), since=self._since):
            if record.seq <= self._seen:
                continue
            self._seen, self._since = record.seq, record.at
            run = part_of(record)
            if run in self._runs:
                found[run] = record
                self.attempts[run] = max(self.attempts.get(run, 0), attempt_of(record.run))
        return found


def connection_of(database: LedgerDatabase) -> psycopg.Connection:
    """Open a connection to the ledger's database.

    Raises:
        LedgerError: it cannot be reached.
    """
    with driver_errors(database):
        return psycopg.connect(**database.parameters())


@contextmanager
def driver_errors(database: LedgerDatabase) -> Iterator[None]:
    """Raise what the driver raises as errors of the ledger."""
    try:
        yield
    except psycopg.Error as error:
        raise translated(database.place, error) from error
