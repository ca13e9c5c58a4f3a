"""Does one part of a job on a worker, once, between its two records."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

from commands.cli.session import Session
from commands.jobs.parts import PARTS, Crowd
from portalops.cluster.parts import PartRequest, part_kind
from portalops.errors import Locked
from portalops.ledger.runs import Frame, record_framed
from portalops.ledger.stores import Locks
from portalops.model.message import msg
from portalops.model.record import FINISHED, RunId
from portalops.model.text import show_text
from portalops.registers.runs import attempt_of


@contextmanager
def one_of(locks: Locks, crowd: Crowd | None, holder: str) -> Iterator[None]:
    """Hold one of the places at what a part works on, over all workers.

    Raises:
        Locked: all are taken.
    """
    if crowd is None:
        yield
        return
    with ExitStack() as stack:
        for place in range(1, crowd.most + 1):
            try:
                stack.enter_context(locks.held(f"{crowd.at}-{place}", holder=holder))
                break
            except Locked:
                if place == crowd.most:
                    raise
        yield


def do_part(session: Session, wish: PartRequest, holder: str) -> None:
    """Do one part, unless the ledger holds that it was done.

    Raises:
        UnknownKind: this version has no such parts; nothing is recorded of it.
        Locked: another worker is at it, or at another part of the same thing.
    """
    ledger = session.writable_ledger
    with ledger.locks.held(f"part-{wish.run}", holder=holder):
        taken = ledger.run_ids(RunId(wish.run))
        kind = part_kind(wish.kind)
        ended = [attempt_of(each) for each in taken if ledger.has(each, f"{kind}{FINISHED}")]
        if max(ended, default=0) >= wish.attempt:
            return  # it was done, and whoever did it could not tell the queue any more
        attempt = max((attempt_of(each) for each in taken), default=0) + 1
        run = RunId(wish.run if attempt == 1 else f"{wish.run}.{attempt}")
        parts = PARTS.find(wish.kind, msg("jobs of kind {kind} have no parts", kind=show_text(wish.kind, 60)))
        frame = Frame(run, kind, wish.part, wish.duty, is_alone=False)
        with one_of(ledger.locks, parts.crowd(session.settings, wish), holder):
            record_framed(
                ledger,
                frame,
                lambda: parts.do(session, wish),
                clock=session.clock,
                circumstances=session.circumstances,
            )
