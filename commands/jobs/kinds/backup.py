"""The job `backup`: reads every source, writes one set to every medium, and reads each copy back."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING

from backups.bases import NewBase, SetRequest, choose, read_noted, settings_digests, without_base
from backups.found import dead_runs, left_sets
from backups.job import run_backup
from backups.media import build_media
from backups.plan import PlannedMedium, PlannedSource, make_plan
from backups.preconditions import require_parts
from backups.presence import as_listed, has_whole_structure, media_with_sets
from backups.shrink import Made, shrink_rules
from backups.sizes import last_of, plain_bytes_of
from backups.sources import shrink_limit_of
from commands.cli.session import Session
from commands.jobs.backup_parts import real_folders
from commands.jobs.kinds import JobWork
from commands.jobs.performed import name_problem
from commands.jobs.room_ahead import fillings
from commands.jobs.sets import sources_of
from portalops.errors import ExitCode, LedgerError, PortalOpsError, SecretUnavailable
from portalops.ledger.heads import introduce_key
from portalops.ledger.runs import Work
from portalops.model.backups import BackupResult, CopyState, SetKind
from portalops.model.causes import line_of_record
from portalops.model.message import Message, msg
from portalops.model.runs import JobKind
from portalops.model.text import show_text
from portalops.model.verdicts import RunOutcome
from portalops.registers.backups import SetEvidence, recorded_sets
from portalops.registers.media import read_register

if TYPE_CHECKING:
    from datetime import datetime
    from zoneinfo import ZoneInfo

    from backups.plan import BackupPlan
    from portalops.config import Settings
    from portalops.ledger.ledger import Ledger
    from portalops.model.record import Digest
    from portalops.ports import Clock, Medium, Progress, SetSigner, Source


@dataclass(frozen=True, slots=True)
class BackupParts:
    """What a backup is planned from and made with, each built once."""

    settings: Settings
    media: Mapping[str, Medium]
    sources: tuple[Source, ...]
    recorded: tuple[SetEvidence, ...]
    """Oldest first."""
    with_sets: frozenset[str]
    """Ids of the media on which sets are recorded."""
    digests: Mapping[str, Digest]
    """Of each source's settings, by its id."""


def parts_of(session: Session) -> BackupParts:
    """Return what a backup needs of a session.

    Raises:
        ConfigurationError: a source or medium does not fit its kind.
    """
    settings, ledger = session.settings, session.reader
    media = build_media(settings.backup_media)
    sources = sources_of(settings, media.values(), partial(session.kept, writable=False))
    # A lost record of an old set or of the register is no reason to make no backup.
    recorded = recorded_sets(ledger, passing_over=True)
    with_sets = media_with_sets(recorded, read_register(ledger).media)
    return BackupParts(settings, media, sources, recorded, with_sets, settings_digests(settings.backup_sources))


def backup_plan(
    parts: BackupParts,
    kind: SetKind | None = None,
    *,
    accept_shrink: Sequence[str] = (),
    now: datetime,
    zone: ZoneInfo,
) -> BackupPlan:
    """Decide what a backup run would do, from the configuration, the ledger, and what is noted of full sets.

    Args:
        parts: what it is planned from.
        kind: full or differential; None leaves it to the configuration.
        accept_shrink: sources that may yield far less than before, this time.
        now: aware.
        zone: the portal's.

    Raises:
        UsageError: there is no such source.
        TooFewRecipients: fewer than two keys.
        BackupError: a differential is asked for, and there is nothing that it could build on.
    """
    settings, backup = parts.settings, parts.settings.backup
    limits = {table.id: shrink_limit_of(table.values) for table in settings.backup_sources}
    wish, noted = SetRequest(kind, backup.full_every), read_noted(settings.state_folder)
    present = as_listed(settings.portal.id, parts.recorded, parts.media)
    choice = choose(wish, present, noted, parts.digests, now=now, zone=zone)
    if (base := choice.base) and not has_whole_structure(base.set_id, base.bag_sha256, parts.media.values()):
        choice = without_base(choice, wish)
    return make_plan(
        settings.portal.id,
        [PlannedSource(each.id, each.kind, each.data_class) for each in parts.sources],
        [PlannedMedium(each.id, each.kind, each.id in parts.with_sets) for each in parts.media.values()],
        backup.recipients,
        pack_bytes=backup.pack_bytes,
        excused=backup.excused,
        choice=choice,
        shrink=shrink_rules(
            limits, (Made(made.set.streams, made.accepted_shrinks) for made in parts.recorded), accept_shrink
        ),
    )


def make_backup(
    parts: BackupParts,
    plan: BackupPlan,
    signer: SetSigner | None,
    *,
    clock: Clock,
    progress: Progress,
    warn: Callable[[Message], None],
    on_error: Callable[[str, PortalOpsError], None],
) -> BackupResult:
    """Make a set by a plan; `warn` gets what is no problem of this set, the rest as in `run_backup`.

    A full set is noted once a copy of it was read back, so that differentials can build on it.
    """
    before = last_of(plan.choice.kind, [made.set for made in parts.recorded])
    new_base = _new_base(parts.settings, warn) if plan.choice.base is None else None
    result = run_backup(
        plan,
        parts.sources,
        tuple(parts.media.values()),
        clock=clock,
        progress=progress,
        signer=signer,
        new_base=new_base,
        expected_bytes=before.stored_bytes if before else 0,
        expected_plain_bytes=plain_bytes_of(before),
        on_error=on_error,
    )
    if new_base is not None:
        _note(result, new_base, parts.digests, warn)
    return result


def _new_base(settings: Settings, warn: Callable[[Message], None]) -> NewBase | None:
    """Return where sources note what a full set holds; None where no differential will ask for it."""
    if settings.backup.full_every is None:
        return None
    try:
        return NewBase(settings.state_folder)
    except OSError as error:
        warn(_unnoted(error))
        return None


def _note(
    result: BackupResult, new_base: NewBase, digests: Mapping[str, Digest], warn: Callable[[Message], None]
) -> None:
    """Keep what was noted of a full set of which a copy was read back; without it the next set is a full one."""
    if result.set is None or not any(copy.state is CopyState.VERIFIED for copy in result.copies):
        new_base.drop()
        return
    try:
        new_base.keep(result.set.id, result.set.bag_sha256, digests)
    except (OSError, PortalOpsError) as error:
        warn(_unnoted(error))
        new_base.drop()


def _unnoted(error: OSError | PortalOpsError) -> Message:
    cause = (error.strerror or str(error)) if isinstance(error, OSError) else error.message
    return msg("what the set holds cannot be noted, so the next set is a full one too: {cause}", cause=cause)


def _left_by_last_run(ledger: Ledger, parts: BackupParts, now: datetime) -> Iterator[Message]:
    """Yield what the last run left, if it died; what cannot be found out here stops no backup, and pruning reports it."""
    with suppress(PortalOpsError):
        runs = ledger.runs(kinds=(JobKind.BACKUP.value,))
        if len(runs) < 2 or runs[-2].finished_at is not None:  # the last one is this run
            return
        for each in left_sets(parts.settings.portal.id, parts.media, recorded_sets(ledger), dead_runs(runs, now)):
            yield from each.warnings()


def _signer_of(session: Session) -> tuple[SetSigner | None, str]:
    """Return what signs a set, and why nothing does although a key is configured; the ledger gets to know the key.

    A key that cannot be had is no reason to have no backup: the set is then unsigned, and says why.
    """
    try:
        if (key := session.signing_key) is not None:
            introduce_key(session.writable_ledger, key)
    except (SecretUnavailable, LedgerError) as error:
        return None, show_text(f"the set is unsigned: {error}", 500)
    return key, ""


def backup_work(
    session: Session,
    set_kind: SetKind | None = None,
    *,
    accept_shrink: Sequence[str] = (),
    on_error: Callable[[str, PortalOpsError], None] = lambda _medium, _error: None,
) -> Work[object]:
    """Back up; `set_kind` and `accept_shrink` as a person asked for them, else as the configuration says.

    Raises:
        ConfigurationError: a source, medium or recipient does not fit, or there is no source or medium.
        BackupError: a differential is asked for, and there is nothing that it could build on.
    """
    parts, warn, now = parts_of(session), session.warnings.append, session.clock.now()
    require_parts([each.id for each in parts.sources], parts.media, real_folders(parts.media))
    session.warnings += _left_by_last_run(session.writable_ledger, parts, now)
    plan = backup_plan(parts, set_kind, accept_shrink=accept_shrink, now=now, zone=session.zone_of_portal)
    signer, unsigned = _signer_of(session)
    made = make_backup(
        parts, plan, signer, clock=session.clock, progress=session.progress, warn=warn, on_error=on_error
    )
    session.warnings += _full_soon(session, parts, made)
    return work_of_backup(replace(made, unsigned=unsigned))


def _full_soon(session: Session, parts: BackupParts, made: BackupResult) -> Iterator[Message]:
    """Yield which media will be full within their next sets, this one being on them; what cannot be found out stops no backup."""
    with suppress(PortalOpsError):
        now, sets = session.clock.now(), parts.recorded
        if made.set is not None:
            run = sets[-1].run if sets else ""
            sets = (*sets, SetEvidence(0, now, made.set, made.copies, (), run=run))
        zone = session.zone_of_portal
        for each in fillings(parts.settings, session.reader, sets, parts.media, now=now, zone=zone):
            yield each.describe()


def unrecorded_work(
    session: Session,
    set_kind: SetKind | None = None,
    *,
    accept_shrink: Sequence[str] = (),
    on_error: Callable[[str, PortalOpsError], None] = lambda _medium, _error: None,
) -> Work[object]:
    """Back up while the ledger takes no record: it is read alone, and gets to know no key; the rest as in `backup_work`."""
    parts = parts_of(session)
    require_parts([each.id for each in parts.sources], parts.media, real_folders(parts.media))
    now = session.clock.now()
    plan = backup_plan(parts, set_kind, accept_shrink=accept_shrink, now=now, zone=session.zone_of_portal)
    try:
        signer, unsigned = session.signing_key, ""
    except SecretUnavailable as error:
        signer, unsigned = None, show_text(f"the set is unsigned: {error}", 500)
    warn = session.warnings.append
    made = make_backup(
        parts, plan, signer, clock=session.clock, progress=session.progress, warn=warn, on_error=on_error
    )
    return work_of_backup(replace(made, unsigned=unsigned))


def work_of_backup(result: BackupResult) -> Work[object]:
    """Judge how a backup went.

    One copy of a complete set that was read back is enough for the run. Those that other media lack are owed: they are made
    from it, and another set would only fill the media that are there.
    """
    unverified = [copy for copy in result.copies if copy.state is not CopyState.VERIFIED]
    streams = result.set.streams if result.set else ()
    unsigned = (result.unsigned,) if result.unsigned else ()
    problems = (
        *result.failures,
        *(name_problem(copy.medium, copy.shown_problem) for copy in unverified),
        *(
            msg("{source}: {problem}", source=stream.source, problem=line_of_record(line))
            for stream in streams
            for line in (*stream.unread, *stream.changed)
        ),
        *unsigned,
    )
    if result.set is None or len(unverified) == len(result.copies):
        return Work(RunOutcome.FAILED, ExitCode.FAILED, result, problems)
    if result.set.outcome is not RunOutcome.COMPLETE:
        return Work(RunOutcome.INCOMPLETE, ExitCode.PARTIAL, result, problems)
    if unverified:
        owed = msg(
            "set {set} is complete; its copy on {media} is owed: the copy job makes it, or 'portalops backup replicate'",
            set=result.set.id,
            media=", ".join(copy.medium for copy in unverified),
        )
        return Work(RunOutcome.COMPLETE, ExitCode.PARTIAL, result, (*problems, owed))
    # Without its signature the data is whole all the same.
    return Work(RunOutcome.COMPLETE, ExitCode.PARTIAL if unsigned else ExitCode.OK, result, problems)


JOB = JobWork(work=backup_work, unrecorded=unrecorded_work)
