"""Backups while the ledger refuses records for their time: they are made all the same, and recorded afterwards.

Nothing else is done then: a check or a poll that nobody recorded in its time proves nothing, and a backup is there to be restored.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import timedelta

from backups.media import build_media
from backups.presence import listed_sets
from commands.cli.clock import present_mark
from commands.cli.session import Session
from commands.jobs.due import RunRequest, chosen, plan_now
from commands.jobs.kinds import JOBS
from commands.jobs.performed import PerformedJob
from portalops import bodies
from portalops.errors import ClockJumped, ClockWentBack, ExitCode, LedgerError, Locked, PortalOpsError
from portalops.jobs import Attempt
from portalops.ledger.blobs import MAX_BLOB_BYTES
from portalops.ledger.ledger import Ledger
from portalops.ledger.record import Draft
from portalops.ledger.runs import MAX_PROBLEM, MAX_PROBLEMS, Work, exit_code_of, lock_name, problem_of
from portalops.ledger.waiting import (
    MAX_WAITING,
    UnreadableFile,
    WaitingBackup,
    find_flaw,
    new_path,
    read_waiting,
    set_aside,
    subject_of,
    write_waiting,
)
from portalops.model.backups import BackupResult, CopyState
from portalops.model.late_backups import LATE, LATE_BACKUP, MADE_UNDER, LateBackup
from portalops.model.message import Message, kept, msg, nmsg
from portalops.model.record import RunId
from portalops.model.runs import Job, Run
from portalops.model.text import show_text
from portalops.model.verdicts import RunOutcome
from portalops.registers.backups import recorded_sets
from portalops.registers.runs import run_id

logger = logging.getLogger(__name__)

REFUSED = (ClockWentBack, ClockJumped)
"""How the ledger refuses records for their time; whatever else stops it stops backups too."""

_BEHIND_ALL = 2**62
"""No record has a number as high: what waits was tried after all that is recorded."""


def back_up_unrecorded(
    session: Session, job: Job, work: Callable[[Session], Work[object]], refused: LedgerError, *, slot: str = ""
) -> PerformedJob:
    """Do a backup whose records the ledger refuses, and leave in the state folder what is to be recorded; its media are held.

    It is noted before it begins: a backup that could not be noted would be made again each quarter of an hour.

    Args:
        session: what to work with.
        job: the backup.
        work: does it.
        refused: why nothing can be recorded.
        slot: which of its slots this is for; the one that the clock shows unless given.

    Raises:
        LedgerError: too many backups wait already; of the class of `refused`.
        FileUnwritable: it cannot be noted, so no backup was made.
        Locked: another process is at this job.
    """
    files, clock = read_waiting(session.settings.state_folder), session.clock
    if len(files) >= MAX_WAITING:
        raise refusal_with(
            refused,
            nmsg(
                "{n} backup waits to be recorded, and no more is made",
                "{n} backups wait to be recorded, and no more are made",
                len(files),
            ),
        )
    taken = [each.late.run for each in files if isinstance(each, WaitingBackup)]
    named, mark, now = (
        slot or job.every.slot(clock.now().astimezone(session.zone_of_portal)),
        present_mark(clock),
        clock.now(),
    )
    late = LateBackup(
        run_id(job, named, taken=taken),
        job.id,
        job.duty,
        named,
        refused.code,
        now,
        boot=mark.boot if mark else "",
        up_seconds=round((now - mark.booted_at).total_seconds()) if mark else 0,
    )
    path, started = new_path(session.settings.state_folder), clock.monotonic()
    with session.locks.held(lock_name(job.id), holder=late.run):
        write_waiting(path, late, session.circumstances)
        ended: Work[object]
        try:
            ended = work(session)
        except Exception as error:  # the waiting file says so; a fault of our own goes on
            ended = Work(RunOutcome.FAILED, exit_code_of(error), None, (problem_of(error),))
            if not isinstance(error, PortalOpsError):
                write_waiting(path, _finished(late, ended, session), session.circumstances)
                raise
        write_waiting(path, _finished(late, ended, session), session.circumstances)
    seconds = clock.monotonic() - started
    summary = _summary(ended)
    return PerformedJob(
        job, named, "", ended.outcome, ended.exit_code, seconds, summary, ended.shown_problems, ended.result
    )


def back_up_due(
    session: Session, asked: RunRequest, refused: LedgerError, performed: list[PerformedJob]
) -> PortalOpsError:
    """Make the backups among what was asked for, and return the refusal with what became of them; raises as `back_up_unrecorded` does.

    What waits counts for what is due: a slot is filled once by the clock as it stands.
    """
    plan = plan_now(session)
    plan = replace(plan, attempts=(*plan.attempts, *_waiting_attempts(session)))
    told: list[Message] = []
    for each in chosen(plan, asked):
        work = JOBS.load(each.due.job.kind.value).unrecorded
        if work is None:
            continue
        try:
            with session.hold(each.due.job.kind.resource, job=each.due.job.id, wait_seconds=asked.wait_seconds):
                made = back_up_unrecorded(session, each.due.job, work, refused, slot=each.due.slot)
        except Locked as error:
            told.append(error.message)
        else:
            performed.append(made)
            told.append(made.summary)
    if not told:
        waiting = len(read_waiting(session.settings.state_folder))
        if not waiting:
            return refused
        told = [
            nmsg(
                "{n} backup made meanwhile waits to be recorded",
                "{n} backups made meanwhile wait to be recorded",
                waiting,
            )
        ]
    for more in told[1:]:
        session.warnings.append(more)
    return refusal_with(refused, told[0])


def record_waiting(session: Session) -> None:
    """Record the backups that wait, as late ones, and remove their files; a file that is none is named and kept.

    Raises:
        LedgerError: nothing can be recorded; what waits goes on waiting.
    """
    for each in read_waiting(session.settings.state_folder):
        if isinstance(each, UnreadableFile):
            _keep_aside(session, each)
        elif not session.locks.is_held_by(lock_name(each.late.job), each.late.run):
            _record(session, each)


def _record(session: Session, waiting: WaitingBackup) -> None:
    ledger, mark = session.writable_ledger, present_mark(session.clock)
    late = replace(waiting.late, file_sha256=waiting.digest, made_at=None)
    booted_at = mark.booted_at if mark is not None and late.boot == mark.boot else None
    up_seconds = None if booted_at is None else round((session.clock.now() - booted_at).total_seconds())
    flaw = find_flaw(waiting, up_seconds=up_seconds)
    if flaw is None and not _is_recorded(ledger, waiting):
        flaw = _find_contradiction(session, late.backup)
    if flaw is not None:
        _keep_aside(session, UnreadableFile(waiting.path, flaw))
        return
    if booted_at is not None:
        late = replace(late, made_at=booted_at + timedelta(seconds=late.up_seconds))
    parts = {"circumstances": session.circumstances, MADE_UNDER: waiting.circumstances, LATE_BACKUP: late}
    written = bodies.write(parts)
    if len(written) > MAX_BLOB_BYTES:
        _keep_aside(
            session,
            UnreadableFile(
                waiting.path, msg("it has {n} bytes, more than a record's details may have", n=len(written))
            ),
        )
        return
    body, name = ledger.keep(written), subject_of(late)

    def unless_recorded() -> Sequence[Draft]:  # another process may have, or this one before it was killed
        return () if _is_recorded(ledger, waiting) else (ledger.draft(LATE, subject=name, duty=late.duty, body=body),)

    recorded = ledger.append_decided(unless_recorded)
    try:
        waiting.path.unlink(missing_ok=True)
    except OSError as error:  # it is found to be recorded next time
        logger.warning("%s cannot be removed: %s", waiting.path, error)
    if recorded:
        session.warnings.append(
            msg(
                "a backup made while the ledger took no record is recorded in record {seq}, {name}: no duty is met by it",
                seq=recorded[0].seq,
                name=name,
            )
        )


def _find_contradiction(session: Session, backup: BackupResult | None) -> Message | None:
    """Return what the ledger, or the media, say against a backup that waits; None where they agree or cannot be asked.

    Whoever can write the state folder as its account can plant a file: it is not to stand in for a set that there is.
    """
    if backup is None or backup.set is None:
        return None
    made = backup.set
    for each in recorded_sets(session.ledger, passing_over=True):
        if each.set.id == made.id or each.set.bag_sha256 == made.bag_sha256:
            return msg("it names set {set}, which record {seq} made", set=show_text(made.id, 80), seq=str(each.seq))
    stored = {copy.medium for copy in backup.copies if copy.state in _STORED}
    listed = listed_sets(session.settings.portal.id, build_media(session.settings.backup_media).values())
    if stored and stored <= listed.keys() and not any(made.id in listed[medium] for medium in stored):
        media = ", ".join(sorted(stored))
        return msg(
            "set {set} lies on none of the media that it names: {media}", set=show_text(made.id, 80), media=media
        )
    return None


_STORED = frozenset({CopyState.VERIFIED, CopyState.SEALED})


def _keep_aside(session: Session, file: UnreadableFile) -> None:
    session.warnings.append(
        msg(
            "{path} is not a backup that waits to be recorded, and is kept: {cause}",
            path=str(set_aside(file)),
            cause=file.cause,
        )
    )


def _is_recorded(ledger: Ledger, waiting: WaitingBackup) -> bool:
    for record in ledger.records(kinds=(LATE,), newest_first=True, limit=MAX_WAITING):
        try:
            found = bodies.decode_part(ledger.blob(record.body), LATE_BACKUP, LateBackup)
        except PortalOpsError:  # verification names it
            continue
        if found is not None and found.file_sha256 == waiting.digest:
            return True
    return False


def _waiting_attempts(session: Session) -> Sequence[Attempt]:
    """Return what waits as attempts, as the ledger's are for what is due."""
    found: list[Attempt] = []
    for number, each in enumerate(read_waiting(session.settings.state_folder)):
        if isinstance(each, WaitingBackup):
            late = each.late
            run = Run(
                RunId(late.run),
                "backup",
                late.job,
                late.duty,
                late.shown_at,
                _BEHIND_ALL + number,
                finished_at=late.shown_until,
            )
            is_running = late.shown_until is None and session.locks.is_held_by(lock_name(late.job), late.run)
            found.append(Attempt(run, late.outcome if late.shown_until else None, running=is_running))
    return found


def _finished(late: LateBackup, ended: Work[object], session: Session) -> LateBackup:
    return replace(
        late,
        shown_until=session.clock.now(),
        outcome=ended.outcome,
        exit_code=int(ended.exit_code),
        problems=tuple(kept(each, MAX_PROBLEM) for each in ended.shown_problems[:MAX_PROBLEMS]),
        backup=ended.result if isinstance(ended.result, BackupResult) else None,
    )


def _summary(ended: Work[object]) -> Message:
    result = ended.result
    if isinstance(result, BackupResult) and result.set is not None:
        media = ", ".join(copy.medium for copy in result.copies if copy.state is not CopyState.FAILED)
        return msg(
            "backup set {set} was made all the same and lies on {media}; it is not recorded yet",
            set=result.set.id,
            media=media or "-",
        )
    cause = ended.shown_problems[0] if ended.problems else ExitCode(ended.exit_code).meaning
    return msg("a backup was tried all the same and failed: {cause}", cause=cause)


def refusal_with(refused: LedgerError, told: Message) -> LedgerError:
    """Return a refusal, with what was done all the same and what records it."""
    return type(refused)(
        msg("{refusal}; {told}", refusal=refused.message, told=told),
        msg("{cure} Then 'portalops run' records it.", cure=refused.hint),
    )
