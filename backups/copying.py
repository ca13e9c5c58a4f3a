"""Replication: copies a set to a medium that lacks it, from one with a verified copy, or file by file from all that have some.

A medium that was full, slow or away when a set was made must not keep it from the others, and gets it afterwards. Every byte
is digested while it is copied and compared with the manifests of the set, which the ledger pins; what differs is never
sealed, and the copy that it was read from is then known to be damaged. Its other files count, and the next source gives those
that it has not.

A copy that was cut is gone on with from the packs that are whole on the medium already (`backups/resuming.py`). They are taken
by their size, and by their digest where the medium's side tells it; every copy is read back as a whole afterwards, and one
that is then found to be damaged, or lay there damaged before, is removed and made anew, once, after other copies were just
read and together had every file.
"""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from backups.bag import MANIFEST, MAX_TAG_BYTES, TAG_MANIFEST, digest_of, parse_manifest
from backups.contents import PIECE_BYTES, bounded_pieces, damaged
from backups.job import VerifyTarget, run_verify
from backups.merged import HeldPack
from backups.pooled import tag_manifests
from backups.presence import require_sets, with_copies
from backups.resuming import GOOD, go_on, held_by, let_go, make_ready, newest_and_base
from backups.set_file import NAME as SET_FILE
from backups.signature import NAME as SIGNATURE
from portalops.errors import MediumUnavailable, PortalOpsError, SetDamaged, SetNotFound
from portalops.model.backups import BackupSet, Copy, CopyResult, CopyState, SetId, VerifyLevel
from portalops.model.causes import cause_of
from portalops.model.heads import Signer
from portalops.model.message import Message, msg, together
from portalops.model.record import Digest
from portalops.ports import Clock, Medium, Progress, SetWriter, StoredSet, Task
from portalops.registers.backups import SetEvidence

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class CopyTarget:
    """A copy to be made."""

    made: SetEvidence
    sources: tuple[Copy, ...]
    """Verified copies of it, the most recently read first."""
    to_medium: str
    damaged: tuple[Copy, ...] = ()
    """Damaged copies on other media: they give what no verified one has."""

    @property
    def read_from(self) -> tuple[Copy, ...]:
        """Return the copies in the order in which they are asked."""
        return (*self.sources, *self.damaged)

    def with_sources(self, whole: Sequence[Copy]) -> CopyTarget:
        """Return it with copies that became whole since, to be read before all others."""
        now = {each.medium for each in whole}
        sources = (each for each in self.sources if each.medium not in now)
        return replace(
            self,
            sources=(*whole, *sources),
            damaged=tuple(each for each in self.damaged if each.medium not in now),
        )

    @property
    def state_before(self) -> CopyState | None:
        """Return what is recorded of the copy there; None if nothing is."""
        return next((copy.state for copy in self.made.copies if copy.medium == self.to_medium), None)


def wanted_copies(
    sets: Sequence[SetEvidence],
    media: Sequence[str],
    *,
    only_set: str = "",
    only_medium: str = "",
    lost: Mapping[str, Collection[SetId]] | None = None,
) -> tuple[CopyTarget, ...]:
    """Choose the copies to make: of the newest set, and of its base, on every medium that has no good one.

    On a medium that took the place of another one, also of older sets that were on that, the newest first.

    Args:
        sets: as recorded, oldest first.
        media: ids of the media that are configured.
        only_set: the name of a set: that one, however old.
        only_medium: the id of a medium: that one alone.
        lost: as `lost_copies` returns them.
    """
    if only_set:
        chosen = [(made, media) for made in sets if made.set.id == only_set]
    else:
        needed = newest_and_base(sets)
        chosen = [(made, media) for made in needed]
        chosen += [
            (made, [medium for medium in media if lost and made.set.id in lost.get(medium, ())])
            for made in reversed(sets)
            if made not in needed
        ]
    wanted = []
    for made, places in chosen:
        verified = [each for each in made.copies if each.state is CopyState.VERIFIED and each.medium in media]
        verified.sort(key=lambda each: each.verified_at or made.at, reverse=True)
        has = {each.medium for each in made.copies if each.state in GOOD}
        wanted += [
            CopyTarget(
                made,
                tuple(each for each in verified if each.medium != medium),
                medium,
                tuple(
                    each
                    for each in made.copies
                    if each.state is CopyState.DAMAGED and each.medium in media and each.medium != medium
                ),
            )
            for medium in places
            if medium not in has and only_medium in {"", medium}
        ]
    return tuple(wanted)


def lost_copies(
    sets: Sequence[SetEvidence], kept: Collection[SetId], listed: Mapping[str, Collection[SetId]]
) -> dict[str, frozenset[SetId]]:
    """Return by medium the sets that went with the one whose place it took, and are to be on it again.

    These are those that the rules keep and another medium has; and those that lie there already, such as copied over by hand: they
    are to be read back.

    Args:
        sets: as recorded.
        kept: sets that the retention rules keep.
        listed: by medium, the sets that it shows.
    """
    found: dict[str, set[SetId]] = {}
    for made in sets:
        states = {copy.medium: copy.state for copy in made.copies}
        has_source = bool({CopyState.VERIFIED, CopyState.DAMAGED} & set(states.values()))
        for medium, state in states.items():
            is_there = made.set.id in listed.get(medium, ())
            if state is CopyState.REPLACED and (is_there or (has_source and made.set.id in kept)):
                found.setdefault(medium, set()).add(made.set.id)
    return {medium: frozenset(names) for medium, names in found.items()}


@dataclass(frozen=True, slots=True)
class CopiesNow:
    """Recorded sets, with the copies that every medium should have as their media show them."""

    sets: tuple[SetEvidence, ...]
    unseen: tuple[Message, ...]
    """A line for each copy that could not be looked at."""


def inspect_copies(
    sets: Sequence[SetEvidence],
    media: Mapping[str, Medium],
    *,
    only_set: str = "",
    only_medium: str = "",
    keys: Sequence[Signer] | None,
    clock: Clock,
    progress: Progress,
) -> CopiesNow:
    """Look whether the good copies of the sets that every medium should have are there, with all their files; no pack is read.

    Args:
        sets: as recorded, oldest first.
        media: the configured media by id.
        only_set: as for `wanted_copies`.
        only_medium: as for `wanted_copies`.
        keys: the ledger's signing keys; None if no ledger can be asked.
        clock: of the looks.
        progress: is kept up to date.
    """
    chosen = [made for made in sets if made.set.id == only_set] if only_set else newest_and_base(sets)
    targets = [
        VerifyTarget(copy, made.set.bag_sha256)
        for made in chosen
        for copy in made.copies
        if copy.state in GOOD and copy.medium in media and only_medium in {"", copy.medium}
    ]
    looked = run_verify(targets, media, clock=clock, progress=progress, keys=keys, level=VerifyLevel.L1).copies
    damaged = {(copy.set_id, copy.medium): copy for copy in looked if copy.state is CopyState.DAMAGED}
    unseen = [
        msg("{medium}: {problem}", medium=copy.medium, problem=copy.shown_problem)
        for copy in looked
        if copy.problem and copy.state is not CopyState.DAMAGED
    ]
    return CopiesNow(with_copies(sets, damaged), tuple(unseen))


def run_copies(
    targets: Sequence[CopyTarget],
    media: Mapping[str, Medium],
    *,
    places: Sequence[Path],
    wanted: Mapping[str, Collection[SetId]],
    expected: Collection[str] = (),
    keys: Sequence[Signer] | None,
    clock: Clock,
    progress: Progress,
    on_error: Callable[[str, PortalOpsError], None] = lambda _medium, _error: None,
) -> CopyResult:
    """Make copies, one after the other, and read each one back.

    Args:
        targets: what to copy.
        media: the configured media by id.
        places: what the sources read, so that a medium on the same file system is reported.
        wanted: by medium, the sets whose unfinished copies are to stay there besides those of the targets.
        expected: ids of media that have sets, so that an empty folder in their place is not them.
        keys: the ledger's signing keys; None if no ledger can be asked.
        clock: the time of the readings.
        progress: shown the bytes that are copied, and those that are read back.
        on_error: is called with each medium that is not ready, and why; the hint is for people and not for the ledger.
    """
    world = _World(media, places, _left(targets, wanted), expected, progress, on_error)

    def looked(made: Sequence[_Made]) -> list[_Made]:
        sealed = [each for each in made if each.copy.state is CopyState.SEALED]
        to_read = [VerifyTarget.of(each.target.made.set, each.copy) for each in sealed]
        found = run_verify(to_read, media, clock=clock, progress=progress, keys=keys).copies
        seen = {id(each): replace(each, copy=copy) for each, copy in zip(sealed, found, strict=True)}
        return [seen.get(id(each), each) for each in made]

    def made_anew(found: _Made) -> list[_Made]:
        anew = looked(list(_made_anew(found, world)))
        is_told = anew[-1].copy.state is CopyState.DAMAGED or found.target.state_before is CopyState.DAMAGED
        return anew if is_told else [found, *anew]

    result: list[_Made] = []
    left: list[tuple[_Made, list[_Made]]] = []
    for each in looked([each for target in targets for each in _made(target, world)]):
        if not (each.has_found and each.copy.state is CopyState.DAMAGED):
            result.append(each)
            continue
        made = made_anew(each)
        if made[-1].copy.state is CopyState.DAMAGED:
            left.append((each, made))
        else:
            result += made
    for each, made in left:  # a copy that is whole since may have what this one alone had
        whole = [
            now.copy for now in result if now.copy.state is CopyState.VERIFIED and now.target.made == each.target.made
        ]
        result += made_anew(replace(each, target=each.target.with_sources(whole))) if whole else made
    return CopyResult(tuple(_as_known(each) for each in result), tuple(each.source for each in result))


@dataclass(frozen=True, slots=True)
class _World:
    """What copies are made with."""

    media: Mapping[str, Medium]
    places: Sequence[Path]
    wanted: Mapping[str, Collection[SetId]]
    expected: Collection[str]
    progress: Progress
    on_error: Callable[[str, PortalOpsError], None]


@dataclass(frozen=True, slots=True)
class _Made:
    """One copy that was made or tried."""

    target: CopyTarget
    copy: Copy
    source: str = ""
    """The medium that it was read from; empty if there was none."""
    has_found: bool = False
    """It lay there, or a part of it, before."""


def _left(targets: Sequence[CopyTarget], wanted: Mapping[str, Collection[SetId]]) -> dict[str, frozenset[SetId]]:
    """Return by medium which unfinished copies stay there: those that are wanted, and those that are to be made."""
    found = {medium: frozenset(sets) for medium, sets in wanted.items()}
    for each in targets:
        found[each.to_medium] = found.get(each.to_medium, frozenset()) | {each.made.set.id}
    return found


def _as_known(made: _Made) -> Copy:
    """Return a copy as it is to be recorded: one that lay there and could not be read is no better than it was."""
    if made.has_found and made.copy.state is CopyState.SEALED:
        return _still(made.target, made.copy).with_problem(made.copy.shown_problem)
    return made.copy


def _still(target: CopyTarget, copy: Copy) -> Copy:
    """Return what is known of a copy of which nothing was made: the damaged one that is recorded, else the one given."""
    there = (each for each in target.made.copies if each.medium == target.to_medium)
    return next((each for each in there if each.state is CopyState.DAMAGED), copy)


def _made(target: CopyTarget, world: _World) -> Iterator[_Made]:
    """Make one copy from the first source that has every byte; yield it, and before it each source that has not.

    A set that lies there although no good copy is known of it is taken as it is: reading it back tells what it is.
    """
    medium = world.media[target.to_medium]
    copy = _none_of(target, medium)
    if not target.read_from and target.state_before is not CopyState.REPLACED:
        yield _failed(target, _still(target, copy), msg("no other medium has a copy of it"))
        return
    try:
        copy = replace(copy, shares_source_filesystem=_ready(target, medium, world))
        try:
            medium.open_set(target.made.set.id)
        except SetNotFound:
            pass
        else:
            yield _Made(target, replace(copy, state=CopyState.SEALED), has_found=True)
            return
        if not target.read_from:
            yield _failed(target, copy, msg("no other medium has a copy of it"))
            return
    except PortalOpsError as error:
        world.on_error(medium.id, error)
        yield _failed(target, _still(target, copy), error.message)
        return
    yield from _copied(target, copy, world, goes_on=True)


def _made_anew(found: _Made, world: _World) -> Iterator[_Made]:
    """Remove a damaged copy and make it from its beginning, if the others together have just been seen to have every file."""
    target = found.target
    medium = world.media[target.to_medium]
    whole = _have_all(target, world)
    if not whole:
        left = msg("it is left, since no other copy could be read whole, and the others together lack a file")
        yield _failed(target, found.copy, together([found.copy.shown_problem, left]))
        return
    try:
        logger.warning("medium %s: removing the damaged copy of %s", medium.id, target.made.set.id)
        medium.remove(target.made.set.id)
    except SetNotFound:
        pass  # something of it was listed and is no set
    except PortalOpsError as error:
        yield _failed(
            target, found.copy, together([found.copy.shown_problem, msg("it is left: {cause}", cause=error.message)])
        )
        return
    shares = found.copy.shares_source_filesystem
    copy = replace(_none_of(target, medium), shares_source_filesystem=shares)
    yield from _copied(replace(target, sources=whole, damaged=()), copy, world, goes_on=False)


def _copied(target: CopyTarget, copy: Copy, world: _World, *, goes_on: bool) -> Iterator[_Made]:
    """As `_made`, onto a medium that is ready and has no such set."""
    medium, made = world.media[target.to_medium], target.made.set
    givers = _givers_of(target, world)
    listed = _list(givers, made)
    problem: Message | str = ""
    made_copy: _Made | None = None
    if listed is not None:
        try:
            writer = (go_on if goes_on else _begin)(medium, made.id, expected_bytes=made.stored_bytes)
        except PortalOpsError as error:
            yield _failed(target, _still(target, copy) if goes_on else copy, error.message)
            return
        try:
            has_found, last = _copy(writer, givers, listed, target, world.progress)
            if last is None:
                let_go(writer, keep=any(each.away for each in givers))
            else:
                writer.seal()
                made_copy = _Made(target, replace(copy, state=CopyState.SEALED), last.copy.medium, has_found)
        except MediumUnavailable as error:
            let_go(writer, keep=True)
            problem = error.message
        except BaseException:  # an interrupt too: the next copy goes on from here
            let_go(writer, keep=True)
            raise
    for each in givers:
        if each.wrong is not None:
            problem = problem or msg(
                "its copy on {medium} is damaged: {cause}", medium=each.copy.medium, cause=each.wrong
            )
            if each.copy.state is not CopyState.DAMAGED:
                yield _failed(target, replace(each.copy, state=CopyState.DAMAGED), each.wrong)
        problem = problem or each.away or ""
    yield made_copy or _failed(target, _still(target, copy) if goes_on else copy, problem)


def _begin(medium: Medium, set_id: SetId, *, expected_bytes: int) -> SetWriter:
    return medium.begin(set_id, expected_bytes=expected_bytes)


def _ready(target: CopyTarget, medium: Medium, world: _World) -> bool:
    made = target.made.set
    if medium.id in world.expected and medium.places():
        require_sets(medium, made.portal)
    wanted = world.wanted[medium.id]
    return make_ready(medium, world.places, wanted=wanted, expected_bytes=made.stored_bytes, own=(made.id,))


def _none_of(target: CopyTarget, medium: Medium) -> Copy:
    return Copy(target.made.set.id, medium.id, medium.kind, CopyState.FAILED, VerifyLevel.NONE, None)


def _failed(target: CopyTarget, copy: Copy, problem: Message | str) -> _Made:
    return _Made(target, copy.with_problem(problem))


@dataclass(slots=True)
class _Giver:
    """A copy that files are read from; it is opened when it is its turn."""

    copy: Copy
    medium: Medium
    wrong: Message | None = None
    """What of it turned out damaged first."""
    away: Message | None = None
    """Why it cannot be read any more."""
    _stored: StoredSet | None = None

    def fetch(self, path: str, expected: Digest | None, most_bytes: int, task: Task | None = None) -> HeldPack | None:
        """Read a file whole; None where this copy has it not, or not so.

        Args:
            path: of the file.
            expected: its digest; None where any counts.
            most_bytes: how long it may be.
            task: is told of what is read.
        """
        if self.away is not None:
            return None
        digest, held = hashlib.sha256(), HeldPack()
        try:
            if self._stored is None:
                self._stored = self.medium.open_set(self.copy.set_id)
            with self._stored.open(path) as file:
                for piece in bounded_pieces(most_bytes, file, path):
                    digest.update(piece)
                    held.keep(piece)
                    if task is not None:
                        task.advance(len(piece))
            if expected is None or digest.hexdigest() == expected:
                return held
            self.wrong = self.wrong or damaged(path, msg("its bytes are not those that the manifests list")).message
        except SetDamaged as error:
            self.wrong = self.wrong or error.message
        except (PortalOpsError, OSError) as error:
            self.away = error.message if isinstance(error, PortalOpsError) else cause_of(error)
        held.close()
        return None

    def small(self, path: str, expected: Digest | None) -> bytes | None:
        """Return a file outside `data/`; None where this copy has it not, or not so. Without a digest any counts."""
        held = self.fetch(path, expected, MAX_TAG_BYTES)
        if held is None:
            return None
        with held:
            return b"".join(iter(lambda: held.read(PIECE_BYTES), b""))


def _givers_of(target: CopyTarget, world: _World) -> list[_Giver]:
    return [_Giver(each, world.media[each.medium]) for each in target.read_from]


def _have_all(target: CopyTarget, world: _World) -> tuple[Copy, ...]:
    """Return a copy that has just been read whole, before all others, or copies that together have every file, or none."""
    made = target.made.set
    givers = _givers_of(target, world)
    listed = _list(givers, made)
    if listed is None:
        return ()
    found: list[Copy] = []
    missing = set(listed.files)
    for giver in givers:
        title = msg("Reading {set} on {medium}", set=made.id, medium=giver.copy.medium)
        right = set()
        with world.progress.task(title, total=made.stored_bytes, unit="bytes") as task:
            for path, digest in listed.files.items():
                held = giver.fetch(path, digest, listed.most_bytes[path], task)
                if held is not None:
                    held.close()
                    right.add(path)
        if right == set(listed.files):
            return (giver.copy, *(each for each in target.read_from if each is not giver.copy))
        if missing & right:
            found.append(giver.copy)
            missing -= right
    return () if missing else tuple(found)


@dataclass(frozen=True, slots=True)
class _Listed:
    """What is in a set, by manifests that are those which the ledger pins."""

    tag_manifest: bytes
    files: Mapping[str, Digest]
    """All but the tag manifest."""
    most_bytes: Mapping[str, int]
    """How long each of them is at most."""
    sizes: Mapping[str, int]
    """How long packs and indexes are."""


def _list(givers: Sequence[_Giver], made: BackupSet) -> _Listed | None:
    """Read the manifests of a set, each from whichever copy has it; None where none has.

    A tag manifest that none has is made again from `set.json`.
    """
    tag_manifest = next(filter(None, (each.small(TAG_MANIFEST, made.bag_sha256) for each in givers)), None)
    if tag_manifest is None:
        set_files, signatures = (
            filter(None, [each.small(path, None) for each in givers]) for path in (SET_FILE, SIGNATURE)
        )
        made_again = tag_manifests(set_files, signatures)
        tag_manifest = next((each for each in made_again if digest_of(each) == made.bag_sha256), None)
    if tag_manifest is None:
        return None
    tags = parse_manifest(TAG_MANIFEST, tag_manifest)
    listed = tags.get(MANIFEST)
    manifest = next(filter(None, (each.small(MANIFEST, listed) for each in givers if listed)), None)
    if manifest is None:
        return None
    files = {**parse_manifest(MANIFEST, manifest), **tags}
    packs = (pack for stream in made.streams for pack in (*stream.packs, stream.index) if pack is not None)
    sizes = {pack.path: pack.stored_bytes for pack in packs}
    most = {**dict.fromkeys(tags, MAX_TAG_BYTES), **sizes}
    return _Listed(tag_manifest, files, {path: most.get(path, made.stored_bytes) for path in files}, sizes)


def _copy(
    writer: SetWriter, givers: Sequence[_Giver], listed: _Listed, target: CopyTarget, progress: Progress
) -> tuple[bool, _Giver | None]:
    """Copy every file of a set that the writer does not hold, each from the first copy that has it, the tag manifest last.

    A file is read whole before its first byte is written: what is wrong never lies on the medium, under a lock perhaps.

    Returns:
        Whether the writer held any, and the copy that gave the last file; None where one file is nowhere.

    Raises:
        MediumUnavailable: the medium that is written does not take it.
    """
    made = target.made.set
    held = _kept(writer, listed)
    title = msg("Copying {set} to {medium}", set=made.id, medium=target.to_medium)
    left_bytes = max(0, made.stored_bytes - sum(held.values()))
    last = givers[0]
    with progress.task(title, total=left_bytes, unit="bytes") as task:
        if held:
            logger.info("medium %s: %s files of %s are there already", target.to_medium, len(held), made.id)
            task.note(msg("{n} bytes are already there", n=sum(held.values())))
        for path, expected in listed.files.items():
            if path in held:
                continue
            for giver in sorted(givers, key=lambda each: each.wrong is not None):
                found = giver.fetch(path, expected, listed.most_bytes[path])
                if found is not None:
                    last = giver
                    break
            else:
                return bool(held), None
            with found:
                writer.open(path)
                while piece := found.read(PIECE_BYTES):
                    writer.write(piece)
                    task.advance(len(piece))
                writer.close()
    writer.open(TAG_MANIFEST)
    writer.write(listed.tag_manifest)
    writer.close()
    return bool(held), last


def _kept(writer: SetWriter, listed: _Listed) -> dict[str, int]:
    """Return with their sizes the files that the writer holds and the set has so; every other one is discarded."""
    kept: dict[str, int] = {}
    for path, held in held_by(writer).items():
        expected, told = listed.files.get(path), held.sha256
        # The size of a small file is recorded nowhere: it is written anew.
        is_right = expected is not None and (told == expected if told else held.size_bytes == listed.sizes.get(path))
        if is_right:
            kept[path] = held.size_bytes
        else:
            writer.discard(path)
    return kept
