"""Does one part of a job on a worker, once, between its two records."""

from __future__ import annotations

from commands.cli.session import Session
from commands.jobs.parts import PARTS
from portalops.cluster.parts import PartRequest, part_kind
from portalops.ledger.runs import Frame, record_framed
from portalops.model.message import msg
from portalops.model.record import FINISHED, RunId
from portalops.model.text import show_text
from portalops.registers.runs import attempt_of


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
        with parts.guard(session, wish, holder):
            record_framed(
                ledger,
                frame,
                lambda: parts.do(session, wish),
                clock=session.clock,
                circumstances=session.circumstances,
            )
