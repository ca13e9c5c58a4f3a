"""How runs ended, remembered while a report reads the ledger: their details are large, and several readers ask for it."""

from __future__ import annotations

from typing import Final

from portalops.bodies import JsonValue, plain_part
from portalops.model.record import Digest

LONG_BODY_BYTES: Final = 64 << 10
"""Of a longer body of a run, only how the run ended is read, unless its result is asked for."""


class RunEnds:
    """What the bodies of runs say of their ends, as plain JSON."""

    def __init__(self) -> None:
        self._known: dict[Digest, tuple[int, JsonValue]] = {}

    def read(self, digest: Digest, blob: bytes) -> JsonValue:
        """Return how a run ended, and remember it; None if its body does not say.

        Raises:
            LedgerError: the body is not of the form that portalops writes, as far as it was read.
        """
        found = plain_part(blob, "run")
        if found is not None:
            self._known[digest] = len(blob), found
        return found

    def known(self, digest: Digest) -> tuple[int, JsonValue] | None:
        """Return the length of a body and how the run ended, if that was read before."""
        return self._known.get(digest)
