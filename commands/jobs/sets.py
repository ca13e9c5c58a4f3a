"""The sets that the ledger records, and the media, sources and keys that belong to them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from backups.media import build_medium
from backups.restore import BaseSet
from backups.retention import is_of
from backups.signature import NAMESPACE
from backups.sources import SourceContext, build_source
from backups.verify import verify_copy
from commands.cli.session import Session
from commands.jobs.trusted_keys import read_trusted
from portalops.errors import LedgerError, LedgerMissing, PortalOpsError, SetNotFound, UsageError
from portalops.ledger.heads import read_signers
from portalops.model.backups import SetId, VerifyLevel
from portalops.model.heads import Signer
from portalops.model.message import Message, msg, verbatim
from portalops.registers.backups import recorded_sets

if TYPE_CHECKING:
    from backups.set_file import SetFile
    from portalops.ports import Medium, Source
    from portalops.registers.backups import SetEvidence


def set_keys(path: Path) -> tuple[Signer, ...]:
    """Return the keys of an `allowed_signers` file that may sign backup sets.

    Raises:
        UsageError: the file cannot be read, is none, or names no such key.
    """
    keys = tuple(
        Signer("", each.public_key, each.valid_from or datetime.min.replace(tzinfo=UTC), each.valid_to, 0, None, "")
        for each in read_trusted(path)
        if not each.namespaces or NAMESPACE in each.namespaces
    )
    if not keys:
        raise UsageError(
            msg("{path} names no key that signs backup sets", path=str(path)),
            msg("Take the allowed_signers of a bundle of the portal's ledger that somebody kept elsewhere."),
        )
    return keys


def base_of(media: Iterable[Medium], content: SetFile) -> tuple[BaseSet | None, list[Message]]:
    """Return the full set that a differential builds on, from any medium that has it whole, and what stood in the way."""
    if content.base is None or content.base_id is None:
        return None, []
    problems: list[Message] = []
    for medium in media:
        try:
            stored = medium.open_set(content.base_id)
            findings = verify_copy(stored, content.base_id, bag_sha256=content.base, level=VerifyLevel.L1)
        except PortalOpsError as error:
            problems.append(error.message)
            continue
        if findings.content is not None and not findings.problems:
            return BaseSet(stored, findings.content), []
        problems += [verbatim(f"{medium.id}: {problem}") for problem in findings.problems[:3]]
    return None, problems


def recorded_sets_of(session: Session, *, passing_over: bool = False) -> tuple[SetEvidence, ...]:
    """Return the recorded sets, oldest first; none before there is a ledger.

    Raises:
        LedgerError: a record cannot be read, and such records are not to be passed over with a warning.
    """
    try:
        return recorded_sets(session.ledger, passing_over=passing_over)
    except LedgerMissing:
        return ()


def media_of(session: Session) -> dict[str, Medium]:
    """Return the configured media by id.

    Raises:
        ConfigurationError: a medium's settings do not fit its kind.
    """
    return {table.id: build_medium(table) for table in session.settings.backup_media}


def sources_of(session: Session, media: Sequence[Medium]) -> tuple[Source, ...]:
    """Return the configured sources; what lies on the media is left out of them.

    Raises:
        ConfigurationError: a source's settings do not fit its kind.
    """
    avoid = tuple(place for each in media for place in each.places())
    settings = session.settings
    is_elsewhere = settings.ledger_store is not None or settings.ledger_blobs is not None
    ledger = partial(session.kept, writable=False) if is_elsewhere else None
    context = SourceContext(settings.state_folder, avoid, ledger=ledger)
    return tuple(build_source(table, context) for table in session.settings.backup_sources)


def find_set(sets: Sequence[SetEvidence], name: str) -> SetEvidence:
    """Return the recorded set of a name, of its beginning, or of the word `latest`.

    Raises:
        UsageError: several names begin so.
        SetNotFound: there is none.
    """
    if name == "latest" and sets:
        return sets[-1]
    found = [made for made in sets if made.set.id == name] or [made for made in sets if made.set.id.startswith(name)]
    if len(found) == 1:
        return found[0]
    if found:
        raise UsageError(
            msg("{name} begins the names of several sets", name=name[:80]),
            msg("Give more of the name; 'portalops backup list' shows them."),
        )
    raise SetNotFound(
        msg("the ledger knows no backup set {name}", name=name[:120]),
        msg("'portalops backup list' shows the sets; 'portalops backup run' makes one."),
    )


def keys_of(session: Session) -> tuple[Signer, ...] | None:
    """Return the ledger's signing keys with their times; None where there is no ledger, or none that tells them."""
    try:
        return read_signers(session.ledger)
    except LedgerMissing:
        return None
    except LedgerError as error:
        session.warnings.append(
            msg("the signatures of sets are not compared with the ledger's keys: {cause}", cause=error.message)
        )
        return None


def sets_on_media(session: Session) -> dict[str, tuple[SetId, ...]]:
    """Return this portal's sets by medium, oldest first; media without any, or out of reach, are left out.

    Raises:
        ConfigurationError: a medium's settings do not fit its kind.
    """
    found: dict[str, tuple[SetId, ...]] = {}
    for each in media_of(session).values():
        try:
            sets = tuple(made for made in each.sets() if is_of(session.settings.portal.id, made))
        except PortalOpsError:
            continue  # the backup job tells of a medium that cannot be read
        if sets:
            found[each.id] = tuple(sorted(sets))
    return found
