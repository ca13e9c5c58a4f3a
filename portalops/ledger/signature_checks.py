"""Signatures checked beside other work: a second thread checks them while this one reads records and details.

To check one takes longer than to read ten records, and OpenSSL lets other threads go on meanwhile. What comes of it does not depend on
the thread: whoever asks for the answers before it is done waits, or checks the rest itself.
"""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import AbstractContextManager
from types import TracebackType

from portalops.model.message import Message
from portalops.model.values import dataclass
from portalops.signatures.sshsig import BadSignature, verify

BATCH = 200
"""How many are handed over at once: a twentieth of a second of work, so that nobody waits long for the other."""


@dataclass(frozen=True, slots=True)
class SignedBytes:
    """A text, and what is to be its signature."""

    data: bytes
    signature: str
    namespace: str
    """The purpose that it must have been made for."""


@dataclass(frozen=True, slots=True)
class FoundSigner:
    """What came of a check."""

    public_key: str
    """Whose signature it is; empty if it is none."""
    problem: Message | None
    """Why it is none."""


def check_signature(asked: SignedBytes) -> FoundSigner:
    """Return who signed a text."""
    try:
        return FoundSigner(verify(asked.data, asked.signature, asked.namespace), None)
    except BadSignature as error:
        return FoundSigner("", error.message)


class SignatureChecks(AbstractContextManager["SignatureChecks"]):
    """The checks of one verification, answered in the order in which they were asked for."""

    def __init__(self) -> None:
        self._waiting: list[SignedBytes] = []
        self._batches: list[tuple[Sequence[SignedBytes], Future[list[FoundSigner]]]] = []
        self._thread: ThreadPoolExecutor | None = None

    def ask(self, asked: SignedBytes) -> None:
        """Have one more checked."""
        self._waiting.append(asked)
        if len(self._waiting) < BATCH:
            return
        if self._thread is None:
            self._thread = ThreadPoolExecutor(1, thread_name_prefix="signatures")
        self._batches.append((self._waiting, self._thread.submit(_check_all, self._waiting)))
        self._waiting = []

    def answers(self) -> list[FoundSigner]:
        """Return what came of all of them. What the other thread has not begun is checked here, from the end on."""
        last = _check_all(self._waiting)
        found = [_check_all(asked) if batch.cancel() else batch for asked, batch in reversed(self._batches)]
        done = (each.result() if isinstance(each, Future) else each for each in reversed(found))
        return [*(one for batch in done for one in batch), *last]

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """End the thread; what it has not begun is left."""
        if self._thread is not None:
            self._thread.shutdown(cancel_futures=True)


def _check_all(asked: Sequence[SignedBytes]) -> list[FoundSigner]:
    return [check_signature(each) for each in asked]
