"""The ledger before its first record, for readers: to them, that nothing is recorded yet is no error."""

from __future__ import annotations

from collections.abc import Iterator

from portalops.model.record import Digest, Record
from portalops.model.runs import Run, RunSummary


class LedgerNotBegun:
    """Reads as a ledger without records; a `ports.LedgerReader`."""

    def records(self, **_selection: object) -> Iterator[Record]:
        return iter(())

    def runs(self, **_selection: object) -> tuple[Run, ...]:
        return ()

    def summary(self, _run: Run) -> RunSummary | None:
        return None

    def first(self) -> Record | None:
        return None

    def has_blob(self, _digest: Digest) -> bool:
        return False

    def blob(self, digest: Digest) -> bytes:
        raise KeyError(digest)  # only records name digests

    def require_clock(self) -> None:
        """Accept any clock: there is no newest record that it could be behind."""
