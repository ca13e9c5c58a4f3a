"""Does the prune job: marks the sets that no rule keeps, and removes those whose time to undo is over."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

from backups.bag import digest_of
from backups.prune import (
    Approval,
    explained,
    list_media,
    plan_prune,
    remove_sets,
    unseen_last,
    without_absent,
    without_left,
)
from commands.cli.session import Session
from commands.jobs.kinds import JobWork
from commands.jobs.sets import media_of, recorded_sets_of
from portalops.errors import ConfigurationError, ExitCode, LedgerMissing, PortalOpsError, PruneRefused, UsageError
from portalops.ledger import bodies
from portalops.ledger.record import NO_RUN
from portalops.ledger.runs import Work
from portalops.model.backups import SetId
from portalops.model.message import Message, msg
from portalops.model.retention import PruneMark, PruneResult
from portalops.model.runs import Every, Job, JobId, JobKind
from portalops.model.text import show_text
from portalops.model.verdicts import RunOutcome
from portalops.registers.retention import MARK, MARKED, UNDONE, Retained, read_retention

if TYPE_CHECKING:
    from backups.prune import MediaListing, PrunePlan
    from portalops.ports import Medium
    from portalops.registers.backups import SetEvidence

DUTY = "10.2-retention"
MAX_LIST_BYTES = 1 << 20


@dataclass(frozen=True, slots=True)
class PruneRequest:
    """How a person wants sets to be removed."""

    approved: Path | None = None
    """A list of sets with archive material that may be removed."""
    approved_by: str = ""
    trusts_clock: bool = False
    """A person vouches for the clock."""


@dataclass(frozen=True, slots=True)
class PruneFacts:
    """All that a prune goes by."""

    sets: tuple[SetEvidence, ...]
    retained: Retained
    media: Mapping[str, Medium]
    plan: PrunePlan
    listing: MediaListing


def prune_job(session: Session) -> Job:
    """Return the configured job; or one of its own, since prune is done by a person with credentials of their own."""
    for job in session.settings.jobs:
        if job.kind is JobKind.PRUNE:
            return job
    return Job(JobId("prune"), JobKind.PRUNE, Every.DAY, DUTY)


def prune_work(session: Session, asked: PruneRequest | None = None) -> Work[object]:
    """Mark and remove; refuse both where what is to be kept cannot be relied on.

    Raises:
        ConfigurationError: there is no policy.
        PruneRefused: the clock cannot be relied on.
        LedgerError: a record cannot be read, so a hold may be unknown.
    """
    asked = asked or PruneRequest()
    seen = gather_facts(session, asked, own_run=True)
    plan = seen.plan
    for mark in plan.to_undo:
        session.writable_ledger.append(UNDONE, run=NO_RUN, subject=mark.set_id, duty=DUTY, body=_body(session, mark))
    kept = sum(fate.is_kept for fate in plan.fates)
    result = PruneResult(plan.policy, kept=kept)
    if problems := seen.listing.problems():
        return Work(RunOutcome.FAILED, ExitCode.INTEGRITY, result, problems)
    for mark in plan.to_mark:
        session.writable_ledger.append(MARKED, run=NO_RUN, subject=mark.set_id, duty=DUTY, body=_body(session, mark))
    result = replace(result, marked=tuple(mark.set_id for mark in plan.to_mark))
    if plan.to_remove and (problem := unseen_last(seen.sets, plan.fates, seen.listing)):
        return Work(RunOutcome.INCOMPLETE, ExitCode.PARTIAL, result, (problem,))

    def still(set_id: SetId) -> bool:
        retained = read_retention(session.writable_ledger)
        return set_id in retained.marks and set_id not in retained.holds

    removed = remove_sets(plan.to_remove, seen.media, seen.sets, seen.listing, still=still, progress=session.progress)
    result = replace(result, copies=removed.copies, disposals=removed.disposals)
    if removed.was_stopped:
        return Work(RunOutcome.INCOMPLETE, ExitCode.INTERRUPTED, result, removed.problems)
    if removed.problems:
        return Work(RunOutcome.INCOMPLETE, ExitCode.PARTIAL, result, removed.problems)
    return Work(RunOutcome.COMPLETE, ExitCode.OK, result)


def gather_facts(session: Session, asked: PruneRequest, *, own_run: bool) -> PruneFacts:
    """Read the records, list the media, and decide; nothing is changed but that an approved list is kept as evidence.

    Args:
        session: what to work with.
        asked: how a person wants it.
        own_run: this is done in a run, and the newest started record is its own.

    Raises:
        ConfigurationError: there is no policy.
        PruneRefused: the clock cannot be relied on.
        UsageError: the approved list is none.
        LedgerError: a record cannot be read, so a hold may be unknown.
    """
    policy = session.settings.backup.retention
    if policy.is_empty:
        raise ConfigurationError(
            msg("there is no retention policy, so nothing is ever removed"),
            msg("Say in [backup.retention] what is kept: keep_last, keep_weekly, keep_monthly, keep_yearly."),
        )
    require_clock(session, trusted=asked.trusts_clock)
    sets = recorded_sets_of(session)
    retained = retained_of(session)
    plan = plan_prune(
        policy,
        sets,
        retained,
        approval=_approval(session, asked, sets, keep=own_run),
        now=session.clock.now(),
        zone=session.zone_of_portal,
    )
    media = media_of(session)
    seen, left = without_left(
        list_media(session.settings.portal.id, media, sets), tuple(died_backups(session).values())
    )
    for medium, names in left.items():
        session.warnings += [describe_dead_run(medium, name) for name in names]
    seen = explained(seen, plan.to_remove, _dead_run_at(session, own_run=own_run))
    return PruneFacts(sets, retained, media, plan, without_absent(seen, session.settings.portal.id, media))


def retained_of(session: Session) -> Retained:
    """Return the holds and marks in force; none before there is a ledger.

    Raises:
        LedgerError: a record cannot be read.
    """
    try:
        return read_retention(session.ledger)
    except LedgerMissing:
        return Retained()


def require_clock(session: Session, *, trusted: bool) -> None:
    """Make sure that the clock can be relied on.

    Raises:
        ClockWentBack: it is behind the newest record.
        PruneRefused: no time service keeps it, or that could not be found out, and nobody vouches for it.
    """
    try:
        session.ledger.require_clock()
    except LedgerMissing:
        return
    if trusted or session.circumstances.clock_synchronised:
        return
    told = (
        msg("the kernel says that no time service keeps the clock")
        if session.circumstances.clock_synchronised is False
        else msg("whether a time service keeps the clock could not be found out")
    )
    raise PruneRefused(
        told,
        msg("Start one: systemctl enable --now systemd-timesyncd, or chrony. If you have compared it: --trust-clock."),
    )


def _body(session: Session, mark: PruneMark) -> bytes:
    return bodies.write({"circumstances": session.circumstances, MARK: mark})


def _approval(session: Session, asked: PruneRequest, sets: tuple[SetEvidence, ...], *, keep: bool) -> Approval | None:
    if asked.approved is None:
        return None
    try:
        with asked.approved.open("rb") as file:
            data = file.read(MAX_LIST_BYTES + 1)
        lines = [line.strip() for line in data.decode().splitlines()]
    except (OSError, UnicodeDecodeError) as error:
        cause = error.strerror if isinstance(error, OSError) else None
        raise UsageError(
            msg("cannot read the approved list {path}: {cause}", path=str(asked.approved), cause=cause or "not UTF-8"),
            msg("Give a text file with the name of one set a line."),
        ) from error
    names = frozenset(SetId(line) for line in lines if line and not line.startswith("#"))
    unknown = sorted(names - {made.set.id for made in sets})
    if len(data) > MAX_LIST_BYTES or not names or unknown:
        raise UsageError(
            msg(
                "the approved list {path} names a set that the ledger does not know: {set}",
                path=str(asked.approved),
                set=show_text(unknown[0], 120),
            )
            if unknown
            else msg("the approved list {path} names no set, or is too long", path=str(asked.approved)),
            msg("It is a text file with the name of one set a line, as 'portalops backup list' shows them."),
        )
    digest = session.writable_ledger.keep(data) if keep else digest_of(data)
    return Approval(names, asked.approved_by, digest)


def died_backups(session: Session) -> dict[str, tuple[datetime, datetime]]:
    """Return of each backup run that left no result when it began, to the second before, and when the next one did."""
    try:
        runs = session.ledger.runs(kinds=(JobKind.BACKUP.value,))
    except LedgerMissing:
        return {}
    ends = [*(run.started_at for run in runs[1:]), session.clock.now()]
    return {
        run.id: (run.started_at.replace(microsecond=0), end)
        for run, end in zip(runs, ends, strict=False)
        if run.finished_at is None
    }


def describe_dead_run(medium: str, name: SetId) -> Message:
    """Say what it means that a medium holds a set that a run could not record."""
    return msg(
        "medium {medium} holds set {set} of a backup run that died before it could record it: it counts for nothing, and no"
        " rule removes it; 'portalops backup import' reads it back and records it",
        medium=medium,
        set=name,
    )


def _dead_run_at(session: Session, *, own_run: bool) -> datetime | None:
    """Return when the newest prune run began that was killed or stopped; None if there is none.

    One that ended by itself has recorded what it removed.
    """
    try:
        runs = session.ledger.runs(kinds=(JobKind.PRUNE.value,))
    except LedgerMissing:
        return None
    for run in reversed(runs[:-1] if own_run else runs):
        if run.finished_at is None:
            return run.started_at
        try:
            summary = session.ledger.summary(run)
        except PortalOpsError:
            continue  # how it ended is unknown, so it explains nothing
        if summary is not None and summary.exit_code in {ExitCode.INTERRUPTED, ExitCode.FAULT}:
            return run.started_at
    return None


def prune_due(session: Session) -> Work[object]:
    return prune_work(session)


JOB = JobWork(work=prune_due)
