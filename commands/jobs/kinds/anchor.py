"""Sends the newest head to every anchor: the work behind the anchor job and `portalops ledger anchor`."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from commands.cli.session import Session
from commands.jobs.kinds import JobWork
from portalops.anchors import AnchorContext, build_anchor
from portalops.anchors.folder import FolderAnchor
from portalops.config import Settings
from portalops.errors import ExitCode, InternalFault, PortalOpsError, worst
from portalops.ledger.heads import HEAD, code_of, head_digest, newest_head, record_head
from portalops.ledger.runs import Work, exit_code_of, problem_of
from portalops.model.heads import AnchorReceipt, AnchorResult, RecordedHead
from portalops.model.message import Message, msg, nmsg, verbatim
from portalops.model.verdicts import RunOutcome
from portalops.ports import Clock, InspectableAnchor, Progress
from portalops.registers.anchors import ANCHOR_FINISHED, ANCHOR_RECEIVED, newest_taken, read_receipts
from portalops.registers.writers import CLAIM
from portalops.signatures.sshsig import SigningKey

if TYPE_CHECKING:
    from portalops.ledger.ledger import Ledger
    from portalops.ports import Anchor, Task

QUIET_KINDS = frozenset({HEAD, CLAIM, "anchor.started", ANCHOR_FINISHED, ANCHOR_RECEIVED})
"""Records that sending heads itself makes: behind a head, they are no reason for another one on the same day."""

WATCHING_KINDS = frozenset({HEAD, CLAIM, ANCHOR_RECEIVED})
"""Records that a witness's polls make. A run of an anchor job is none: if it were first shown by the head of the next day, a timer that
died after it would seem to live until then."""

WITNESS_LATE = timedelta(days=2)
"""How long a witness, which is expected to ask each day, may have fetched no head."""


@dataclass(frozen=True, slots=True)
class AnchorParts:
    """What a head is anchored with, each built once."""

    anchors: tuple[Anchor, ...]
    ledger: Ledger
    key: SigningKey | None
    successor: SigningKey | None
    """The key that a change which was interrupted has made."""
    clock: Clock
    zone: ZoneInfo
    progress: Progress
    warn: Callable[[Message], None]
    debug: bool
    """A fault of an anchor's own is raised, not told."""


def parts_of(session: Session) -> AnchorParts:
    """Return what anchoring needs of a session.

    Raises:
        ConfigurationError: an anchor's settings do not fit its kind.
        SecretUnavailable: the signing key cannot be had.
    """
    return AnchorParts(
        anchors_of(session.settings, session.clock, session.environment),
        session.writable_ledger,
        session.signing_key,
        session.next_key,
        session.clock,
        session.zone_of_portal,
        session.progress,
        session.warnings.append,
        session.invocation.debug,
    )


def anchors_of(settings: Settings, clock: Clock, environment: Mapping[str, str]) -> tuple[Anchor, ...]:
    """Return the configured anchors.

    Raises:
        ConfigurationError: an anchor's settings do not fit its kind.
    """
    context = AnchorContext(settings.portal, clock, environment)
    return tuple(build_anchor(table, context) for table in settings.anchors)


def _nobody(_said: Message) -> None:
    """Notify nobody: the record has it all."""


def anchor_newest_head(
    parts: AnchorParts, only: Collection[str] = (), tell: Callable[[Message], None] = _nobody
) -> Work[AnchorResult]:
    """Sign the ledger as it is now, and send the head to every anchor that lacks it.

    Args:
        parts: what it is anchored with.
        only: ids of the anchors to hand it to; all of them unless given. The others then count as not having it,
            unless they took it before.
        tell: is told what went wrong and what to do, for a person who waits for it; what is recorded is in English.

    Raises:
        LedgerError: the key is not the ledger's, or nothing can be recorded.
    """
    anchors, ledger = parts.anchors, parts.ledger
    head = find_due_head(ledger, parts.key, parts.clock, parts.zone, successor=parts.successor)
    if head is None:
        problem = msg("no signing key is configured, so there is no head to send: set signing.key")
        tell(problem)
        return Work(RunOutcome.FAILED, ExitCode.FAILED, None, (problem,))
    digest = head_digest(head.signed.text)
    taken = newest_taken(read_receipts(ledger, since=head.head.at))
    receipts: list[AnchorReceipt] = []
    problems: list[Message] = []
    hints: list[Message] = []
    codes: list[ExitCode] = []
    title = msg("Sending the head {code} to the anchors", code=code_of(head.head))
    with parts.progress.task(title, total=len(anchors), unit="items") as task:
        for anchor in anchors:
            earlier = taken.get(anchor.id)
            if anchor.fetches_itself:
                problems += _silence_of(ledger, anchor, parts.clock.now())
            elif earlier is not None and earlier.body.head == digest and _is_still_there(anchor, head, parts.warn):
                receipts.append(earlier.body)
            elif only and anchor.id not in only:
                codes.append(ExitCode.PARTIAL)
                problems.append(msg("{anchor}: it was not named, and lacks this head", anchor=anchor.id))
            else:
                receipt, code, said = _publish(parts, anchor, head, task)
                receipts.append(receipt)
                codes.append(code)
                if said is not None:
                    problem, hint = said
                    problems.append(msg("{anchor}: {problem}", anchor=anchor.id, problem=problem))
                    hints.append(msg("{anchor}: {problem}", anchor=anchor.id, problem=hint))
            task.advance(1)
    result = AnchorResult(head.head.size, digest, tuple(receipts))
    if not anchors:
        problems.append(msg("no anchor is configured, so the head is kept only here: add [[ledger.anchor]]"))
    for each in (*problems, *hints):
        tell(each)
    return _judged(result, problems, codes, is_any=bool(anchors))


def find_due_head(
    ledger: Ledger,
    key: SigningKey | None,
    clock: Clock,
    zone: ZoneInfo,
    quiet: Collection[str] = QUIET_KINDS,
    *,
    successor: SigningKey | None = None,
) -> RecordedHead | None:
    """Return the head that anchors are to have now; None if no signing key is configured.

    A new one is made if anything was recorded since the newest but receipts. Each day has one of its own, because
    whoever gets none on a day learns from that too.

    Args:
        ledger: what it is over.
        key: signs it; None if none is configured.
        clock: of this machine.
        zone: the portal's.
        quiet: kinds of records that are no reason for a new one on the same day.
        successor: as in `record_head`.

    Raises:
        LedgerError: the key is not the ledger's, or nothing can be recorded.
    """
    if key is None:
        return None
    newest = newest_head(ledger)
    if newest is not None:
        is_of_today = newest.head.at.astimezone(zone).date() == clock.now().astimezone(zone).date()
        if is_of_today and _is_quiet_since(ledger, newest.head.size, quiet):
            return newest
    return record_head(ledger, key, clock, successor=successor)


def _is_quiet_since(ledger: Ledger, size: int, quiet: Collection[str]) -> bool:
    for record in ledger.records(newest_first=True):
        if record.seq <= size:
            return True
        if record.kind not in quiet:
            return False
    return True


def _publish(
    parts: AnchorParts, anchor: Anchor, head: RecordedHead, task: Task
) -> tuple[AnchorReceipt, ExitCode, tuple[Message, Message] | None]:
    """Send a head to one anchor; an error stops no other anchor, and is returned with what to do."""
    task.note(verbatim(anchor.id))
    try:
        return anchor.publish(head, parts.ledger), ExitCode.OK, None
    except PortalOpsError as error:
        said, code = (error.message, error.hint), error.exit_code
    except Exception as error:
        if parts.debug:
            raise
        said = (msg("{code}: {problem}", code=InternalFault.code, problem=problem_of(error)), InternalFault.explanation)
        code = exit_code_of(error)
    digest = head_digest(head.signed.text)
    failed = AnchorReceipt(anchor.id, anchor.kind, head.head.size, digest, None, problem=str(said[0]))
    return failed, code, said


def _is_still_there(anchor: Anchor, head: RecordedHead, warn: Callable[[Message], None]) -> bool:
    """Say whether an anchor has a head that it took; of one that cannot be asked, its receipt is all that there is.

    One that cannot be asked now counts as without it: sending the head gives the reason.
    """
    if not isinstance(anchor, InspectableAnchor):
        return True
    try:
        there = anchor.holds(head)
    except PortalOpsError:
        return False
    if not there:
        lost = msg(
            "{anchor}: the head of {size} records was gone from there, and is sent again",
            anchor=anchor.id,
            size=head.head.size,
        )
        warn(lost)
    return there


def heads_of_other_ledgers(anchors: Sequence[Anchor], own: str) -> Iterator[Message]:
    """Yield the heads of other ledgers at the anchors, where a ledger begins now: the one that made them may be lost."""
    for anchor in anchors:
        if isinstance(anchor, FolderAnchor):
            for ledger, size in sorted(anchor.ledgers().items()):
                if ledger != own:
                    yield msg(
                        "anchor {anchor} holds heads of another ledger, {ledger}, up to record {size}, but "
                        "a new ledger begins here. If the other one was this portal's, stop and restore "
                        "its folder from the newest backup set",
                        anchor=anchor.id,
                        ledger=ledger,
                        size=str(size),
                    )


def _silence_of(ledger: Ledger, anchor: Anchor, now: datetime) -> Sequence[Message]:
    """Say that a witness has not asked for long; it comes by itself, so nothing else can be done here."""
    receipts = read_receipts(ledger)
    newest = next((one for one in receipts if one.body.anchor == anchor.id and not one.body.problem), None)
    if newest is None:
        return (msg("{anchor}: no receipt from the witness yet", anchor=anchor.id),)
    if now - newest.at > WITNESS_LATE:
        silence = nmsg(
            "{anchor}: no receipt from the witness for {n} day",
            "{anchor}: no receipt from the witness for {n} days",
            WITNESS_LATE.days,
            anchor=anchor.id,
        )
        return (silence,)
    return ()


def _judged(
    result: AnchorResult, problems: Sequence[Message], codes: Sequence[ExitCode], *, is_any: bool
) -> Work[AnchorResult]:
    if not is_any:
        return Work(RunOutcome.INCOMPLETE, ExitCode.PARTIAL, result, tuple(problems))
    if not problems:
        return Work(RunOutcome.COMPLETE, ExitCode.OK, result)
    has_none = bool(result.receipts) and all(receipt.problem for receipt in result.receipts)
    code = worst([*codes, ExitCode.FAILED if has_none else ExitCode.PARTIAL])
    return Work(RunOutcome.FAILED if has_none else RunOutcome.INCOMPLETE, code, result, tuple(problems))


def anchor_work(session: Session) -> Work[object]:
    return any_work(anchor_newest_head(parts_of(session)))


def any_work(work: Work[AnchorResult]) -> Work[object]:
    """Return work as the runner of jobs takes it."""
    return Work(work.outcome, work.exit_code, work.result, work.problems)


JOB = JobWork(work=anchor_work)
