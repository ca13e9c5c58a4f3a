"""Builds what the backup jobs need from the configuration, and does them: the work behind `backup` and `run`."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from commands._session import Session
from portalops.errors import LedgerError, LedgerMissing, PortalOpsError, SecretUnavailable
from portalops.model.backups import BackupResult, SetId, VerifyResult
from portalops.model.message import msg
from portalops.model.text import show_text

if TYPE_CHECKING:
    from backups.plan import BackupPlan
    from portalops.model.heads import Signer
    from portalops.ports import Medium, SetSigner, Source
    from portalops.registers.evidence import SetEvidence
    from portalops.signatures.sshsig import SigningKey


@dataclass(frozen=True, slots=True)
class KeySigner:
    """Signs sets with a key that is at hand; a `ports.SetSigner`."""

    key: SigningKey

    @property
    def public_key(self) -> str:
        return self.key.public_key

    def sign(self, message: bytes, *, namespace: str) -> str:
        from portalops.signatures.sshsig import sign  # noqa: PLC0415  # start-up time

        return sign(message, self.key, namespace)


def make_backup(session: Session) -> BackupResult:
    """Do the backup job: read every source, write to every medium, read each copy back.

    With a signing key the set is signed. A key that cannot be had is no reason to have no backup: the set is then
    unsigned, and says why.

    Raises:
        ConfigurationError: a source, medium or recipient does not fit.
    """
    from backups.job import run_backup  # noqa: PLC0415  # start-up time

    media = tuple(media_of(session).values())
    sources = sources_of(session, media)
    newest = recorded_sets_of(session, passing_over=True)[-1:]
    signer, unsigned = _signer_of(session)
    result = run_backup(
        backup_plan(session),
        sources,
        media,
        clock=session.clock,
        progress=session.progress,
        signer=signer,
        expected_bytes=newest[0].set.stored_bytes if newest else 0,
    )
    return replace(result, unsigned=unsigned)


def verify_copies(session: Session) -> VerifyResult:
    """Do the verify job: read the copies whose turn it is.

    Raises:
        ConfigurationError: a medium does not fit.
    """
    from backups.job import VerifyTarget, run_verify  # noqa: PLC0415  # start-up time
    from portalops.registers.backups import due_for_reading  # noqa: PLC0415  # start-up time

    targets = [
        VerifyTarget(copy, made.set.bag_sha256, made.set.stored_bytes)
        for made, copy in due_for_reading(recorded_sets_of(session, passing_over=True))
    ]
    return run_verify(targets, media_of(session), clock=session.clock, progress=session.progress, keys=keys_of(session))


def backup_plan(session: Session) -> BackupPlan:
    """Decide what a backup run would do, from the configuration alone.

    Raises:
        TooFewRecipients: fewer than two keys.
        ConfigurationError: a source's or medium's settings do not fit.
    """
    from backups.plan import PlannedMedium, PlannedSource, make_plan  # noqa: PLC0415  # start-up time

    media = tuple(media_of(session).values())
    settings = session.settings.backup
    return make_plan(
        session.settings.portal.id,
        [PlannedSource(each.id, each.kind, each.data_class) for each in sources_of(session, media)],
        [PlannedMedium(each.id, each.kind) for each in media],
        settings.recipients,
        pack_bytes=settings.pack_bytes,
        excused=settings.excused,
    )


def recorded_sets_of(session: Session, *, passing_over: bool = False) -> tuple[SetEvidence, ...]:
    """Return the recorded sets, oldest first; none before there is a ledger.

    Raises:
        LedgerError: a record cannot be read, and such records are not to be passed over with a warning.
    """
    from portalops.registers.backups import recorded_sets  # noqa: PLC0415  # start-up time

    try:
        return recorded_sets(session.ledger, passing_over=passing_over)
    except LedgerMissing:
        return ()


def media_of(session: Session) -> dict[str, Medium]:
    """Return the configured media by id.

    Raises:
        ConfigurationError: a medium's settings do not fit its kind.
    """
    from backups.media import build_medium  # noqa: PLC0415  # start-up time

    return {table.id: build_medium(table) for table in session.settings.backup_media}


def sources_of(session: Session, media: Sequence[Medium]) -> tuple[Source, ...]:
    """Return the configured sources; what lies on the media is left out of them.

    Raises:
        ConfigurationError: a source's settings do not fit its kind.
    """
    from backups.sources import SourceContext, build_source  # noqa: PLC0415  # start-up time

    avoid = tuple(place for each in media for place in each.places())
    context = SourceContext(session.settings.state_folder, avoid)
    return tuple(build_source(table, context) for table in session.settings.backup_sources)


def keys_of(session: Session) -> tuple[Signer, ...] | None:
    """Return the ledger's signing keys with their times; None where there is no ledger, or none that tells them."""
    from portalops.ledger.heads import read_signers  # noqa: PLC0415  # start-up time

    try:
        return read_signers(session.ledger)
    except LedgerMissing:
        return None
    except LedgerError as error:
        session.warnings.append(
            msg("the signatures of sets are not compared with the ledger's keys: {cause}", cause=error.message)
        )
        return None


def _signer_of(session: Session) -> tuple[SetSigner | None, str]:
    """Return what signs a set, and why nothing does although a key is configured; the ledger gets to know the key."""
    from portalops.ledger.heads import introduce_key  # noqa: PLC0415  # start-up time

    try:
        key = session.signing_key
        if key is None:
            return None, ""
        introduce_key(session.writable_ledger, key)
    except (SecretUnavailable, LedgerError) as error:
        return None, show_text(f"the set is unsigned: {error}", 500)
    return KeySigner(key), ""


def sets_on_media(session: Session) -> dict[str, tuple[SetId, ...]]:
    """Return this portal's sets by medium, oldest first; media without any, or out of reach, are left out.

    Raises:
        ConfigurationError: a medium's settings do not fit its kind.
    """
    found: dict[str, tuple[SetId, ...]] = {}
    for each in media_of(session).values():
        try:
            sets = tuple(made for made in each.sets() if made.startswith(f"{session.settings.portal.id}-"))
        except PortalOpsError:
            continue  # the backup job tells of a medium that cannot be read
        if sets:
            found[each.id] = tuple(sorted(sets))
    return found
