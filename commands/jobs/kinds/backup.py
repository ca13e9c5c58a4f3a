"""Builds what the backup jobs need from the configuration, and does them: the work behind `backup` and `run`."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from backups.bases import NewBase, SetRequest, choose, read_noted
from backups.job import run_backup
from backups.plan import PlannedMedium, PlannedSource, make_plan
from backups.retention import THERE
from backups.shrink import Made, ShrinkRule, held_before
from backups.sizes import last_of, plain_bytes_of, sizes_for
from backups.sources import shrink_limit_of
from commands.cli.session import Session
from commands.jobs.kinds import JobWork
from commands.jobs.left_sets import tell_left_sets
from commands.jobs.runner import name_problem
from commands.jobs.sets import media_of, recorded_sets_of, sources_of
from portalops.errors import ExitCode, LedgerError, PortalOpsError, SecretUnavailable, UsageError
from portalops.ledger.heads import introduce_key
from portalops.ledger.runs import Work
from portalops.model.backups import BackupResult, CopyState, SetKind, Stream
from portalops.model.message import msg
from portalops.model.record import Digest
from portalops.model.text import show_text
from portalops.model.verdicts import RunOutcome
from portalops.registers.media import read_media
from portalops.signatures.sshsig import sign

if TYPE_CHECKING:
    from backups.plan import BackupPlan
    from backups.sizes import Sizes
    from portalops.ports import SetSigner
    from portalops.registers.backups import SetEvidence
    from portalops.signatures.sshsig import SigningKey


@dataclass(frozen=True, slots=True)
class KeySigner:
    """Signs sets with a key that is at hand; a `ports.SetSigner`."""

    key: SigningKey

    @property
    def public_key(self) -> str:
        return self.key.public_key

    def sign(self, message: bytes, *, namespace: str) -> str:
        return sign(message, self.key, namespace)


def make_backup(session: Session, kind: SetKind | None = None, *, accept_shrink: Sequence[str] = ()) -> BackupResult:
    """Do the backup job: read every source, write to every medium, read each copy back.

    A full set is noted once a copy of it was read back, so that differentials can build on it.

    With a signing key the set is signed. A key that cannot be had is no reason to have no backup: the set is then
    unsigned, and says why.

    Args:
        session: what to work with.
        kind: full or differential; None leaves it to the configuration.
        accept_shrink: sources that may yield far less than before, this time.

    Raises:
        ConfigurationError: a source, medium or recipient does not fit.
        BackupError: a differential is asked for, and there is nothing that it could build on.
    """
    tell_left_sets(session)
    media = tuple(media_of(session).values())
    sources = sources_of(session, media)
    recorded = recorded_sets_of(session, passing_over=True)
    plan = backup_plan(session, recorded, kind, accept_shrink=accept_shrink)
    before = last_of(plan.choice.kind, [made.set for made in recorded])
    signer, unsigned = _signer_of(session)
    new_base = _new_base(session) if plan.choice.base is None else None
    result = run_backup(
        plan,
        sources,
        media,
        clock=session.clock,
        progress=session.progress,
        signer=signer,
        new_base=new_base,
        expected_bytes=before.stored_bytes if before else 0,
        expected_plain_bytes=plain_bytes_of(before),
        on_error=session.note_medium,
    )
    if new_base is not None:
        _note(session, result, new_base)
    return replace(result, unsigned=unsigned)


def _new_base(session: Session) -> NewBase | None:
    """Return where sources note what a full set holds; None where nobody will ask for it."""
    if session.settings.backup.full_every is None:
        return None
    try:
        return NewBase(session.settings.state_folder)
    except OSError as error:
        _warn_unnoted(session, error)
        return None


def _note(session: Session, result: BackupResult, new_base: NewBase) -> None:
    """Keep what was noted of a full set of which a copy was read back; without it the next set is a full one."""
    if result.set is None or not any(copy.state is CopyState.VERIFIED for copy in result.copies):
        new_base.drop()
        return
    try:
        new_base.keep(result.set.id, result.set.bag_sha256, source_digests(session))
    except (OSError, PortalOpsError) as error:
        _warn_unnoted(session, error)
        new_base.drop()


def _warn_unnoted(session: Session, error: OSError | PortalOpsError) -> None:
    cause = (error.strerror or str(error)) if isinstance(error, OSError) else error.message
    session.warnings.append(
        msg("what the set holds cannot be noted, so the next set is a full one too: {cause}", cause=cause)
    )


def source_digests(session: Session) -> dict[str, Digest]:
    """Return a digest of each source's settings: with other settings nothing can be compared."""
    found = {}
    for table in session.settings.backup_sources:
        content = [table.kind, str(table.folder), dict(table.values)]
        text = json.dumps(content, sort_keys=True, default=str)
        found[table.id] = Digest(hashlib.sha256(text.encode()).hexdigest())
    return found


def backup_plan(
    session: Session, recorded: Sequence[SetEvidence], kind: SetKind | None = None, *, accept_shrink: Sequence[str] = ()
) -> BackupPlan:
    """Decide what a backup run would do, from the configuration, the ledger, and what is noted of full sets.

    Args:
        session: what to work with.
        recorded: the recorded sets, oldest first.
        kind: full or differential; None leaves it to the configuration.
        accept_shrink: sources that may yield far less than before, this time.

    Raises:
        UsageError: there is no such source.
        TooFewRecipients: fewer than two keys.
        ConfigurationError: a source's or medium's settings do not fit.
        BackupError: a differential is asked for, and there is nothing that it could build on.
    """
    expected = with_sets(session, recorded)
    media = tuple(media_of(session).values())
    settings = session.settings.backup
    return make_plan(
        session.settings.portal.id,
        [PlannedSource(each.id, each.kind, each.data_class) for each in sources_of(session, media)],
        [PlannedMedium(each.id, each.kind, each.id in expected) for each in media],
        settings.recipients,
        pack_bytes=settings.pack_bytes,
        excused=settings.excused,
        choice=choose(
            SetRequest(kind, settings.full_every),
            recorded,
            read_noted(session.settings.state_folder),
            source_digests(session),
            now=session.clock.now(),
            zone=session.zone_of_portal,
        ),
        shrink=_shrink_rules(session, recorded, accept_shrink),
    )


def with_sets(session: Session, recorded: Sequence[SetEvidence]) -> frozenset[str]:
    """Return the ids of the media on which sets are recorded, since the medium came into the register."""
    try:
        register = read_media(session.ledger)
    except LedgerError:  # none yet, or a record that cannot be read: no reason to make no backup
        register = {}
    added = {name: each.added_at for name, each in register.items() if each.added_at is not None}
    return frozenset(
        copy.medium
        for made in recorded
        for copy in made.copies
        if copy.state in THERE - {CopyState.DAMAGED} and not (copy.medium in added and made.at < added[copy.medium])
    )


def plan_sizes(session: Session, recorded: Sequence[SetEvidence], plan: BackupPlan) -> Sizes:
    """Return how large the planned set will be, going by the recorded ones, and what room the media have for it.

    Raises:
        ConfigurationError: a source's or medium's settings do not fit.
    """
    media = tuple(media_of(session).values())
    sets = [made.set for made in recorded]
    return sizes_for(plan.choice.kind, sources_of(session, media), media, sets, pack_bytes=plan.pack_bytes)


def _shrink_rules(session: Session, recorded: Sequence[SetEvidence], accepted: Sequence[str]) -> dict[str, ShrinkRule]:
    """Return how much less than before each source may yield."""
    tables = session.settings.backup_sources
    unknown = [source for source in accepted if source not in {table.id for table in tables}]
    if unknown:
        raise UsageError(
            msg("there is no backup source {source}", source=show_text(unknown[0], 80)),
            msg("The sources are: {sources}.", sources=", ".join(table.id for table in tables) or "-"),
        )
    before = held_before(Made(made.set.streams, made.accepted_shrinks) for made in recorded)
    return {
        table.id: ShrinkRule(shrink_limit_of(table.values), before.get(table.id, {}), table.id in accepted)
        for table in tables
    }


def _signer_of(session: Session) -> tuple[SetSigner | None, str]:
    """Return what signs a set, and why nothing does although a key is configured; the ledger gets to know the key."""
    try:
        key = session.signing_key
        if key is None:
            return None, ""
        introduce_key(session.writable_ledger, key)
    except (SecretUnavailable, LedgerError) as error:
        return None, show_text(f"the set is unsigned: {error}", 500)
    return KeySigner(key), ""


def backup_work(
    session: Session, set_kind: SetKind | None = None, *, accept_shrink: Sequence[str] = ()
) -> Work[object]:
    """Back up; `set_kind` and `accept_shrink` as a person asked for them, else as the configuration says."""
    result = make_backup(session, set_kind, accept_shrink=accept_shrink)
    unverified = [copy for copy in result.copies if copy.state is not CopyState.VERIFIED]
    unread = [f"{stream.source}: {line}" for stream in _streams(result) for line in (*stream.unread, *stream.changed)]
    unsigned = (result.unsigned,) if result.unsigned else ()
    problems = (
        *result.failed_sources,
        *(name_problem(copy.medium, copy.problem) for copy in unverified),
        *unread,
        *unsigned,
    )
    if result.set is None or len(unverified) == len(result.copies):
        return Work(RunOutcome.FAILED, ExitCode.FAILED, result, problems)
    if result.set.outcome is not RunOutcome.COMPLETE or unverified:
        return Work(RunOutcome.INCOMPLETE, ExitCode.PARTIAL, result, problems)
    # Without its signature the data is whole all the same.
    return Work(RunOutcome.COMPLETE, ExitCode.PARTIAL if unsigned else ExitCode.OK, result, problems)


def _streams(result: BackupResult) -> tuple[Stream, ...]:
    return result.set.streams if result.set else ()


JOB = JobWork(work=backup_work)
