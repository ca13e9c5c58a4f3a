"""Builds what the backup jobs need from the configuration, and does them: the work behind `backup` and `run`."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, TypeAlias

from commands._session import Session
from portalops.errors import (
    BackupError,
    ConfigurationError,
    LedgerError,
    LedgerMissing,
    PortalOpsError,
    SecretUnavailable,
    SetNotFound,
    UsageError,
)
from portalops.model.backups import (
    BackupResult,
    Copy,
    CopyResult,
    CopyState,
    DrillResult,
    SetId,
    SetKind,
    VerifyLevel,
    VerifyResult,
)
from portalops.model.message import Message, msg, verbatim
from portalops.model.record import Digest
from portalops.model.runs import Every
from portalops.model.text import show_text
from portalops.system.programs import UnprivilegedRunner

if TYPE_CHECKING:
    from backups.age import Identity
    from backups.bases import NewBase
    from backups.drill import Drawn, DrillTarget
    from backups.job import VerifyTarget
    from backups.plan import BackupPlan
    from backups.restore import BaseSet
    from backups.set_file import SetFile
    from backups.shrink import ShrinkRule
    from backups.sizes import Sizes
    from portalops.model.heads import Signer
    from portalops.ports import Medium, SetSigner, Source
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
        from portalops.signatures.sshsig import sign  # noqa: PLC0415  # start-up time

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
    from backups.job import run_backup  # noqa: PLC0415  # start-up time
    from backups.sizes import last_of, plain_bytes_of  # noqa: PLC0415  # start-up time
    from commands._backup_found import tell_left_sets  # noqa: PLC0415  # it builds on this module

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
    from backups.bases import NewBase  # noqa: PLC0415  # start-up time

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


Readers: TypeAlias = "Callable[[Sequence[VerifyTarget]], Iterable[Copy]]"
"""Reads copies, and returns each as it is now, in any order."""


def verify_copies(session: Session, every: Every, readers: Readers | None = None) -> VerifyResult:
    """Do the verify job: read the copies whose turn it is.

    Args:
        session: what to work with.
        every: how often the job is done.
        readers: who reads those that any machine can reach, if not this process.

    Raises:
        ConfigurationError: a medium does not fit.
    """
    from backups.job import run_verify  # noqa: PLC0415  # start-up time

    targets, media = due_copies(session, every), media_of(session)
    others = [each for each in targets if readers and each.copy.medium in media_for_all(session)]
    elsewhere = {(copy.set_id, copy.medium): copy for copy in (readers(others) if readers and others else ())}
    here = [each for each in targets if (each.copy.set_id, each.copy.medium) not in elsewhere]
    found = run_verify(here, media, clock=session.clock, progress=session.progress, keys=keys_of(session)).copies
    newest = elsewhere | {(copy.set_id, copy.medium): copy for copy in found}
    return VerifyResult(tuple(newest[each.copy.set_id, each.copy.medium] for each in targets))


def media_for_all(session: Session) -> frozenset[str]:
    """Return the ids of the media that any machine can reach: kinds whose module has ANYWHERE."""
    from backups.media import is_anywhere  # noqa: PLC0415  # start-up time

    return frozenset(table.id for table in session.settings.backup_media if is_anywhere(table.kind))


def due_copies(session: Session, every: Every) -> list[VerifyTarget]:
    """Return the copies that a verify job reads now."""
    from backups.job import VerifyTarget  # noqa: PLC0415  # start-up time
    from portalops.model.reading import limits_of  # noqa: PLC0415  # start-up time
    from portalops.registers.backups import due_for_reading  # noqa: PLC0415  # start-up time

    return [
        VerifyTarget(copy, made.set.bag_sha256, made.set.stored_bytes)
        for made, copy in due_for_reading(
            recorded_sets_of(session, passing_over=True),
            every=every.longest,
            limit=limits_of(session.rulebook.numbers)[VerifyLevel.L2],
        )
    ]


@dataclass(frozen=True, slots=True)
class DrillWish:
    """What a person wants of a drill; nothing of it for the job that is due."""

    set_name: str = ""
    """A set's name, its beginning, or `latest`; empty for one by chance."""
    medium: str = ""
    """Only the copy on this medium."""
    identity: Path | None = None
    """File with a private key; the configuration's if not given."""
    signers: Path | None = None
    """An `allowed_signers` file: the set comes from the media, and only one that such a key signed."""

    @property
    def is_open(self) -> bool:
        """Whether chance decides."""
        return not self.set_name and not self.medium


def target_of(session: Session, wish: DrillWish) -> Drawn:
    """Choose the copy to drill: as somebody wishes, or by chance.

    Where an `allowed_signers` file is given or configured, what lies on the media decides, since this host's ledger knows of
    no set; otherwise the ledger does.

    Raises:
        SetNotFound: the ledger knows no such copy.
        UsageError: several names begin so, or the file is no `allowed_signers` file.
    """
    from backups.drill import (  # noqa: PLC0415  # start-up time
        CHANCE,
        PERSON,
        Drawn,
        DrillTarget,
        choose_target,
        draw_on_media,
    )
    from portalops.registers.backups import GONE  # noqa: PLC0415  # as above

    media = media_of(session)
    if wish.medium and wish.medium not in media:
        raise UsageError(
            msg("there is no backup medium {medium}", medium=show_text(wish.medium, 80)),
            msg("The media are: {media}.", media=", ".join(media) or "-"),
        )
    signers = wish.signers or session.settings.backup.drill.signers
    if signers is not None:
        chosen = [medium for name, medium in media.items() if wish.medium in {"", name}]
        there = (made for sets in sets_on_media(session).values() for made in sets)
        newest = max(there, key=lambda name: name.rsplit("-", 3)[1], default=None)  # its name has the time of making
        return draw_on_media(
            chosen,
            lambda name: _is_wished(session, name, wish.set_name, newest),
            set_keys(signers),
            chosen_by=CHANCE if wish.is_open else PERSON,
        )
    if wish.is_open:
        return Drawn(choose_target(recorded_sets_of(session, passing_over=True), tuple(media)))
    made = find_set(recorded_sets_of(session), wish.set_name or "latest")
    for copy in made.copies:
        if copy.medium in media and wish.medium in {"", copy.medium} and copy.state not in GONE:
            return Drawn(DrillTarget(made, copy, PERSON))
    raise SetNotFound(
        msg("there is no copy of set {set} on {medium}", set=made.set.id, medium=wish.medium or "-"),
        msg("'portalops backup show {set}' shows its copies.", set=made.set.id),
    )


def set_keys(path: Path) -> tuple[Signer, ...]:
    """Return the keys of an `allowed_signers` file that may sign backup sets.

    Raises:
        UsageError: the file cannot be read, is none, or names no such key.
    """
    from backups.signature import NAMESPACE  # noqa: PLC0415  # start-up time
    from commands._ledger_verify import read_trusted  # noqa: PLC0415  # start-up time
    from portalops.model.heads import Signer  # noqa: PLC0415  # start-up time

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


def _is_wished(session: Session, name: SetId, wished: str, newest: SetId | None) -> bool:
    from backups.retention import is_of  # noqa: PLC0415  # start-up time

    if not is_of(session.settings.portal.id, name):
        return False
    return name == newest if wished == "latest" else name.startswith(wished)


def drill_copy(session: Session, target: DrillTarget, wish: DrillWish) -> DrillResult:
    """Do the drill job: restore a copy into a scratch folder, and try it out.

    Args:
        session: what to work with.
        target: the copy.
        wish: which private key, and whose signatures.

    Raises:
        BackupError: no private key is at hand, or there is too little space.
        WrongKey: the key does not open the set.
        MediumUnavailable: the medium cannot be read.
    """
    from backups.drill import Place, run_drill  # noqa: PLC0415  # start-up time

    settings = session.settings.backup.drill
    identities = identities_of(session, wish)
    signers = wish.signers or settings.signers
    media = media_of(session)
    is_root = os.geteuid() == 0
    try:
        runner = UnprivilegedRunner(settings.user) if is_root else session.runner
    except KeyError as error:
        raise ConfigurationError(
            msg("backup.drill.user: there is no user {user} on this machine", user=settings.user),
            msg("Name a user that owns nothing, such as nobody."),
        ) from error
    place = Place(settings.folder, settings.user if is_root else "", runner)
    return run_drill(
        target,
        media[target.copy.medium].open_set(target.made.set.id),
        find_base=lambda content: base_of(media.values(), content)[0],
        identities=identities,
        keys=set_keys(signers) if signers is not None else keys_of(session),
        place=place,
        clock=session.clock,
        progress=session.progress,
    )


def identities_of(session: Session, wish: DrillWish) -> tuple[Identity, ...]:
    """Return the private keys for a drill.

    Raises:
        BackupError: none is at hand.
    """
    from backups.age import read_identities  # noqa: PLC0415  # start-up time

    key = wish.identity or session.settings.backup.drill.identity
    if key is None:
        raise BackupError(
            msg("this machine holds no private key that opens backup sets, so it can do no drill"),
            msg(
                "That is right for a host that is backed up. Bring the key for the time of the drill: --identity FILE."
            ),
        )
    return tuple(read_identities(key))


def make_up_copies(session: Session, *, only_set: str = "", only_medium: str = "") -> CopyResult:
    """Do the copy job: put the newest set, and its base, on every medium that has no good copy of it.

    Args:
        session: what to work with.
        only_set: the name of one set, however old.
        only_medium: the id of one medium.

    Raises:
        ConfigurationError: a medium or source does not fit.
    """
    from backups.copying import run_copies, wanted_copies  # noqa: PLC0415  # start-up time
    from backups.resuming import worth_keeping  # noqa: PLC0415  # as above

    media = media_of(session)
    sets = recorded_sets_of(session, passing_over=True)
    targets = wanted_copies(sets, tuple(media), only_set=only_set, only_medium=only_medium)
    places = tuple(place for source in sources_of(session, tuple(media.values())) for place in source.places())
    return run_copies(
        targets,
        media,
        places=places,
        wanted={medium: worth_keeping(sets, medium) for medium in media},
        expected=_with_sets(session, sets),
        keys=keys_of(session),
        clock=session.clock,
        progress=session.progress,
        on_error=session.note_medium,
    )


def base_of(media: Iterable[Medium], content: SetFile) -> tuple[BaseSet | None, list[Message]]:
    """Return the full set that a differential builds on, from any medium that has it whole, and what stood in the way."""
    from backups.restore import BaseSet  # noqa: PLC0415  # start-up time
    from backups.verify import verify_copy  # noqa: PLC0415  # start-up time

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
    from backups.bases import Wish, choose, read_noted  # noqa: PLC0415  # start-up time
    from backups.plan import PlannedMedium, PlannedSource, make_plan  # noqa: PLC0415  # start-up time

    expected = _with_sets(session, recorded)
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
            Wish(kind, settings.full_every),
            recorded,
            read_noted(session.settings.state_folder),
            source_digests(session),
            now=session.clock.now(),
            zone=session.zone_of_portal,
        ),
        shrink=_shrink_rules(session, recorded, accept_shrink),
    )


def _with_sets(session: Session, recorded: Sequence[SetEvidence]) -> frozenset[str]:
    """Return the ids of the media on which sets are recorded, since the medium came into the register."""
    from backups.retention import THERE  # noqa: PLC0415  # start-up time
    from portalops.registers.media import read_media  # noqa: PLC0415  # as above

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
    from backups.sizes import sizes_for  # noqa: PLC0415  # start-up time

    media = tuple(media_of(session).values())
    sets = [made.set for made in recorded]
    return sizes_for(plan.choice.kind, sources_of(session, media), media, sets, pack_bytes=plan.pack_bytes)


def _shrink_rules(session: Session, recorded: Sequence[SetEvidence], accepted: Sequence[str]) -> dict[str, ShrinkRule]:
    """Return how much less than before each source may yield."""
    from backups.shrink import Made, ShrinkRule, held_before  # noqa: PLC0415  # start-up time
    from backups.sources import shrink_limit_of  # noqa: PLC0415  # start-up time

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
    from backups.retention import is_of  # noqa: PLC0415  # start-up time

    found: dict[str, tuple[SetId, ...]] = {}
    for each in media_of(session).values():
        try:
            sets = tuple(made for made in each.sets() if is_of(session.settings.portal.id, made))
        except PortalOpsError:
            continue  # the backup job tells of a medium that cannot be read
        if sets:
            found[each.id] = tuple(sorted(sets))
    return found
