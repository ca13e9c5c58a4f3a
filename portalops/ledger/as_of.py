"""The ledger as it was when one of its records was the newest: what is appended meanwhile is not seen.

A report names the last record that it rests on. Reading through this, it rests on no later one.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass, replace
from datetime import datetime
from itertools import takewhile

from portalops.ledger.ledger import Ledger
from portalops.model.record import Digest, Record
from portalops.model.runs import Run


@dataclass(frozen=True, slots=True)
class LedgerAsOf:
    """A ledger up to a record, for reading."""

    ledger: Ledger
    seq: int
    """Of the last record that is seen."""

    def records(
        self,
        *,
        kinds: Collection[str] | None = None,
        since: datetime | None = None,
        until: datetime | None = None,
        newest_first: bool = False,
        limit: int | None = None,
    ) -> Iterator[Record]:
        """Yield records; as `Ledger.records` does."""
        yielded = 0
        for record in self.ledger.records(kinds=kinds, since=since, until=until, newest_first=newest_first):
            if record.seq > self.seq:
                if newest_first:
                    continue
                return
            if yielded == limit:
                return
            yielded += 1
            yield record

    def record(self, seq: int) -> Record | None:
        """Return one record, or None if there is none of that number."""
        return self.ledger.record(seq) if seq <= self.seq else None

    def first(self) -> Record | None:
        """Return the oldest record."""
        return next(self.records(limit=1), None)

    def last(self) -> Record | None:
        """Return the newest record that is seen."""
        return next(self.records(newest_first=True, limit=1), None)

    def count(self) -> int:
        """Return how many records there are up to the last one that is seen."""
        later = takewhile(lambda record: record.seq > self.seq, self.ledger.records(newest_first=True))
        return self.ledger.count() - sum(1 for _record in later)

    def blob(self, digest: Digest) -> bytes:
        """Return bytes that were kept; as `Ledger.blob` does."""
        return self.ledger.blob(digest)

    def has_blob(self, digest: Digest) -> bool:
        """Say whether a blob's file is there; as `Ledger.has_blob` does."""
        return self.ledger.has_blob(digest)

    def runs(
        self, *, kinds: Collection[str] | None = None, since: datetime | None = None, until: datetime | None = None
    ) -> tuple[Run, ...]:
        """Return the runs that started in a span; one that ended behind the last record has no end yet."""
        return tuple(
            self._without_later_end(run)
            for run in self.ledger.runs(kinds=kinds, since=since, until=until)
            if run.started_seq <= self.seq
        )

    def _without_later_end(self, run: Run) -> Run:
        if run.finished_seq is None or run.finished_seq <= self.seq:
            return run
        started = self.ledger.record(run.started_seq)
        return replace(run, finished_at=None, finished_seq=None, body=started.body if started else None)
