"""Does the prune job: marks the sets that no rule keeps, and removes those whose time to undo is over."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from backups.bag import digest_of
from backups.found import dead_runs, describe_set_of_dead_run
from backups.media import build_media
from backups.prune import (
    Approval,
    cut_off_at,
    explained,
    list_media,
    plan_prune,
    read_relied_on,
    relied_on,
    remove_sets,
    unseen_last,
    without_absent,
    without_left,
)
from commands.cli.session import Session
from commands.jobs.kinds import JobWork
from commands.jobs.sets import keys_of
from portalops.errors import ConfigurationError, ExitCode, PruneRefused, UsageError
from portalops.ledger.heeded import numbers_mistimed
from portalops.ledger.runs import Work
from portalops.model.backups import SetId
from portalops.model.causes import cause_of
from portalops.model.message import Message, msg
from portalops.model.retention import PruneResult
from portalops.model.runs import Every, Job, JobId, JobKind
from portalops.model.text import show_text
from portalops.model.verdicts import RunOutcome
from portalops.registers.backups import recorded_sets
from portalops.registers.retention import MARK, MARKED, UNDONE, Retained, read_retention

if TYPE_CHECKING:
    from zoneinfo import ZoneInfo

    from backups.prune import MediaListing, PrunePlan
    from portalops.config import Settings
    from portalops.ledger.circumstances import Circumstances
    from portalops.ledger.ledger import Ledger
    from portalops.ledger.not_begun import LedgerNotBegun
    from portalops.ledger.recorder import Recorder
    from portalops.model.heads import Signer
    from portalops.ports import Clock, Medium, Progress
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
class PruneParts:
    """What a prune reads before it decides."""

    settings: Settings
    ledger: Ledger | LedgerNotBegun
    clock: Clock
    zone: ZoneInfo
    circumstances: Circumstances


@dataclass(frozen=True, slots=True)
class PruneFacts:
    """All that a prune goes by."""

    sets: tuple[SetEvidence, ...]
    retained: Retained
    media: Mapping[str, Medium]
    plan: PrunePlan
    listing: MediaListing
    warnings: tuple[Message, ...]
    """What dead runs left on the media."""


def prune_job(jobs: Sequence[Job]) -> Job:
    """Return the configured job; or one of its own, since prune is done by a person with credentials of their own."""
    configured = (job for job in jobs if job.kind is JobKind.PRUNE)
    return next(configured, Job(JobId("prune"), JobKind.PRUNE, Every.DAY, DUTY))


def parts_of(session: Session, ledger: Ledger | LedgerNotBegun) -> PruneParts:
    return PruneParts(session.settings, ledger, session.clock, session.zone_of_portal, session.circumstances)


def prune_work(session: Session, asked: PruneRequest | None = None) -> Work[object]:
    """Mark and remove; refuse both where what is to be kept cannot be relied on.

    Raises:
        ConfigurationError: there is no policy.
        PruneRefused: the clock cannot be relied on.
        LedgerError: a record cannot be read, so a hold may be unknown.
    """
    ledger = session.writable_ledger
    seen = gather_facts(parts_of(session, ledger), asked or PruneRequest(), evidence=ledger)
    session.warnings += seen.warnings
    keys = keys_of(ledger, session.warnings.append)
    return mark_and_remove(seen, session.recorder, keys=keys, clock=session.clock, progress=session.progress)


def mark_and_remove(
    seen: PruneFacts, recorder: Recorder, *, keys: Sequence[Signer] | None, clock: Clock, progress: Progress
) -> Work[object]:
    """Do what was planned, as far as what the media list agrees with the ledger."""
    plan = seen.plan
    for mark in plan.to_undo:
        recorder.record(UNDONE, MARK, mark, subject=mark.set_id, duty=DUTY)
    result = PruneResult(plan.policy, kept=sum(fate.is_kept for fate in plan.fates))
    if problems := seen.listing.problems():
        return Work(RunOutcome.FAILED, ExitCode.INTEGRITY, result, problems)
    for mark in plan.to_mark:
        recorder.record(MARKED, MARK, mark, subject=mark.set_id, duty=DUTY)
    result = replace(result, marked=tuple(mark.set_id for mark in plan.to_mark))
    if plan.to_remove and (problem := unseen_last(seen.sets, plan.fates, seen.listing)):
        return Work(RunOutcome.INCOMPLETE, ExitCode.PARTIAL, result, (problem,))
    if plan.to_remove:
        relied = relied_on(seen.sets, plan)
        read = read_relied_on(relied, plan.newest, seen.media, seen.listing, keys=keys, clock=clock, progress=progress)
        result = replace(result, copies=read.copies)
        if read.problems:
            return Work(RunOutcome.INCOMPLETE, ExitCode.INTEGRITY, result, read.problems)

    def still(set_id: SetId) -> bool:
        retained = read_retention(recorder.ledger)
        return set_id in retained.marks and set_id not in retained.holds

    removed = remove_sets(plan.to_remove, seen.media, seen.sets, seen.listing, still=still, progress=progress)
    result = replace(result, copies=(*result.copies, *removed.copies), disposals=removed.disposals)
    if removed.was_stopped:
        return Work(RunOutcome.INCOMPLETE, ExitCode.INTERRUPTED, result, removed.problems)
    if removed.problems:
        return Work(RunOutcome.INCOMPLETE, ExitCode.PARTIAL, result, removed.problems)
    return Work(RunOutcome.COMPLETE, ExitCode.OK, result)


def gather_facts(parts: PruneParts, asked: PruneRequest, *, evidence: Ledger | None) -> PruneFacts:
    """Read the records, list the media, and decide; nothing is changed but that an approved list is kept as evidence.

    Args:
        parts: what is read.
        asked: how a person wants it.
        evidence: where an approved list is kept. Then this is done in a run, and the newest started record is its own; None if not.

    Raises:
        ConfigurationError: there is no policy.
        PruneRefused: the clock cannot be relied on.
        UsageError: the approved list is none.
        LedgerError: a record cannot be read, so a hold may be unknown.
    """
    settings, ledger, now = parts.settings, parts.ledger, parts.clock.now()
    policy, portal = settings.backup.retention, settings.portal.id
    if policy.is_empty:
        raise no_policy()
    if ledger.first() is not None:
        ledger.require_clock()
        if not (asked.trusts_clock or parts.circumstances.clock_synchronised):
            raise _unreliable_clock(parts.circumstances)
    sets = recorded_sets(ledger)
    retained = read_retention(ledger)
    approval = _approval(asked, sets, evidence)
    mistimed = numbers_mistimed(ledger)
    timed = [each for each in sets if each.seq not in mistimed]  # a set of an unknown time fills no slot, and stays
    plan = plan_prune(policy, timed, retained, approval=approval, now=now, zone=parts.zone)
    media = build_media(settings.backup_media)
    died = dead_runs(ledger.runs(kinds=(JobKind.BACKUP.value,)), now)
    seen, left = without_left(list_media(portal, media, sets), tuple(died.values()))
    earlier = ledger.runs(kinds=(JobKind.PRUNE.value,))[: None if evidence is None else -1]
    seen = explained(seen, plan.to_remove, cut_off_at(earlier, ledger.summary))
    warnings = tuple(describe_set_of_dead_run(medium, name) for medium, names in left.items() for name in names)
    return PruneFacts(sets, retained, media, plan, without_absent(seen, portal, media), warnings)


def no_policy() -> ConfigurationError:
    return ConfigurationError(
        msg("there is no retention policy, so nothing is ever removed"),
        msg("Say in [backup.retention] what is kept: keep_last, keep_weekly, keep_monthly, keep_yearly."),
    )


def _unreliable_clock(circumstances: Circumstances) -> PruneRefused:
    """Return the refusal for a clock that no time service keeps, or of which that could not be found out."""
    told = (
        msg("the kernel says that no time service keeps the clock")
        if circumstances.clock_synchronised is False
        else msg("whether a time service keeps the clock could not be found out")
    )
    return PruneRefused(
        told,
        msg("Start one: systemctl enable --now systemd-timesyncd, or chrony. If you have compared it: --trust-clock."),
    )


def _approval(asked: PruneRequest, sets: tuple[SetEvidence, ...], evidence: Ledger | None) -> Approval | None:
    if asked.approved is None:
        return None
    try:
        with asked.approved.open("rb") as file:
            data = file.read(MAX_LIST_BYTES + 1)
        lines = [line.strip() for line in data.decode().splitlines()]
    except (OSError, UnicodeDecodeError) as error:
        cause = cause_of(error) if isinstance(error, OSError) else msg("not UTF-8")
        raise UsageError(
            msg("cannot read the approved list {path}: {cause}", path=str(asked.approved), cause=cause),
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
    digest = evidence.keep(data) if evidence is not None else digest_of(data)
    return Approval(names, asked.approved_by, digest)


JOB = JobWork(work=prune_work)
