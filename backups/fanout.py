"""One reading for all media: a lane each, with its own thread and its own bounded queue.

A medium that fails is taken out and the others go on. One that is slower than the rest slows the reading down, because
memory is bounded; one that takes nothing at all for `PATIENCE_SECONDS` counts as failed.

What a failed medium has of the set is kept for a later copy if another medium has all of it in the end, so its lane waits
for `settle`.
"""

from __future__ import annotations

import logging
import queue
import threading
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass

from backups.resuming import let_go
from portalops.errors import PortalOpsError
from portalops.ports import SetWriter

logger = logging.getLogger(__name__)

QUEUED = 8
"""Pieces of about a megabyte that wait for one medium."""
PATIENCE_SECONDS = 300.0


@dataclass(frozen=True, slots=True)
class MediumStep:
    """One thing that a medium is to do."""

    act: Callable[[SetWriter], None]
    is_last: bool = False


class Lane:
    """The way to one medium. All methods are called from one thread, the one that packs."""

    def __init__(self, medium: str, writer: SetWriter, *, patience_seconds: float = PATIENCE_SECONDS) -> None:
        self.medium = medium
        self.problem = ""
        """Why the medium was taken out; empty while all is well."""
        self.fault: BaseException | None = None
        """An error that is not the medium's but portalops's own."""
        self.sealed = False
        self._writer = writer
        self._patience_seconds = patience_seconds
        self._steps: queue.Queue[MediumStep] = queue.Queue(QUEUED)
        self._has_ended = threading.Event()
        self._is_settled = threading.Event()
        self._keeps = False
        self._thread = threading.Thread(target=self._work, name=f"medium-{medium}", daemon=True)
        self._thread.start()

    def open(self, path: str) -> None:
        self._put(MediumStep(lambda writer: writer.open(path)))

    def write(self, data: bytes | bytearray) -> None:
        """Hand over bytes; they must not be changed afterwards."""
        self._put(MediumStep(lambda writer: writer.write(data)))

    def close(self) -> None:
        self._put(MediumStep(lambda writer: writer.close()))

    def discard(self, path: str) -> None:
        self._put(MediumStep(lambda writer: writer.discard(path)))

    def finish(self, *, seal: bool) -> None:
        """Seal or abandon the set; `join` waits for it."""
        self._put(MediumStep(self._seal if seal else self._abandon, is_last=True))

    def join(self, timeout_seconds: float) -> bool:
        """Wait until the set is sealed, abandoned, or has failed here, and say whether one of them came."""
        return self._has_ended.wait(timeout_seconds)

    def settle(self, timeout_seconds: float, *, keep: bool) -> None:
        """Let a failed lane release the set, and wait for that.

        Args:
            timeout_seconds: how long at most; a lane that hangs in its medium lets go as soon as that lets it.
            keep: another medium has the set, so what is whole of it here is kept for a copy.
        """
        self._keeps = keep
        self._is_settled.set()
        self._thread.join(timeout_seconds)

    def give_up(self, problem: str) -> None:
        """Take the medium out; its thread ends by itself as soon as the medium lets it."""
        if not self.problem:
            self.problem = problem

    def _put(self, step: MediumStep) -> None:
        if self.problem:
            self._wake(step)
            return
        try:
            self._steps.put(step, timeout=self._patience_seconds)
        except queue.Full:
            self.give_up(f"it took no data for {self._patience_seconds:.0f} s")

    def _wake(self, step: MediumStep) -> None:
        """Let a lane that has failed come to its end; one whose queue is full is awake, or hangs in its medium."""
        if step.is_last:
            with suppress(queue.Full):
                self._steps.put_nowait(step)

    def _seal(self, writer: SetWriter) -> None:
        writer.seal()
        self.sealed = True

    @staticmethod
    def _abandon(writer: SetWriter) -> None:
        writer.abandon()

    def _work(self) -> None:
        is_over = False
        while not is_over:
            step = self._steps.get()
            if not self.problem:
                self._do(step)
            is_over = step.is_last or bool(self.problem)
        if self.problem:
            with suppress(queue.Empty):
                while True:  # whoever waits for room in the queue goes on at once
                    self._steps.get_nowait()
            self._has_ended.set()
            self._is_settled.wait()
            let_go(self._writer, keep=self._keeps)
        self._has_ended.set()

    def _do(self, step: MediumStep) -> None:
        try:
            step.act(self._writer)
        except PortalOpsError as error:
            logger.info("medium %s failed: %s", self.medium, error)
            self.give_up(str(error))
        except BaseException as error:  # noqa: BLE001  # a thread's fault is told by the thread that waits for it
            self.fault = error
            self.give_up(f"{type(error).__name__}: {error}")
