"""Replication: copies a set from a medium with a verified copy to one that lacks it.

A medium that was full, slow or away when a set was made must not keep it from the others, and gets it afterwards. Every byte
is digested while it is copied and compared with the manifests of the set, which the ledger pins; what differs is never
sealed, and the copy that it was read from is then known to be damaged.

A copy that was cut is gone on with from the packs that are whole on the medium already (`backups/resuming.py`). They are taken
by their size, and by their digest where the medium's side tells it; every copy is read back as a whole afterwards, and one
that is then found to be damaged, or lay there damaged before, is removed and made anew, once, from a copy that was just
read whole.
"""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from backups.bag import MANIFEST, MAX_TAG_BYTES, TAG_MANIFEST, digest_of, parse_manifest
from backups.contents import PIECE_BYTES, at_most, damaged
from backups.job import VerifyTarget, run_verify
from backups.presence import require_sets, with_copies
from backups.resuming import GOOD, go_on, held_by, let_go, make_ready, newest_and_base
from backups.verify import verify_copy
from portalops.errors import MediumUnavailable, PortalOpsError, SetDamaged, SetNotFound
from portalops.model.backups import Copy, CopyResult, CopyState, SetId, VerifyLevel
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

    @property
    def state_before(self) -> CopyState | None:
        """Return what is recorded of the copy there; None if nothing is."""
        return next((copy.state for copy in self.made.copies if copy.medium == self.to_medium), None)


def wanted_copies(
    sets: Sequence[SetEvidence], media: Sequence[str], *, only_set: str = "", only_medium: str = ""
) -> tuple[CopyTarget, ...]:
    """Choose the copies to make: of the newest set, and of its base, on every medium that has no good one.

    Args:
        sets: as recorded, oldest first.
        media: ids of the media that are configured.
        only_set: the name of a set: that one, however old.
        only_medium: the id of a medium: that one alone.
    """
    chosen = [made for made in sets if made.set.id == only_set] if only_set else newest_and_base(sets)
    wanted = []
    for made in chosen:
        verified = [each for each in made.copies if each.state is CopyState.VERIFIED and each.medium in media]
        verified.sort(key=lambda each: each.verified_at or made.at, reverse=True)
        has = {each.medium for each in made.copies if each.state in GOOD}
        wanted += [
            CopyTarget(made, tuple(each for each in verified if each.medium != medium), medium)
            for medium in media
            if medium not in has and only_medium in {"", medium}
        ]
    return tuple(wanted)


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

    result: list[_Made] = []
    for each in looked([each for target in targets for each in _made(target, world)]):
        if not (each.has_found and each.copy.state is CopyState.DAMAGED):
            result.append(each)
            continue
        anew = looked(list(_made_anew(each, world)))
        is_told = anew[-1].copy.state is CopyState.DAMAGED or each.target.state_before is CopyState.DAMAGED
        result += anew if is_told else [each, *anew]
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
    if not target.sources:
        yield _failed(target, _still(target, copy), msg("no other medium has a verified copy of it"))
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
    except PortalOpsError as error:
        world.on_error(medium.id, error)
        yield _failed(target, _still(target, copy), error.message)
        return
    yield from _copied(target, copy, world, goes_on=True)


def _made_anew(found: _Made, world: _World) -> Iterator[_Made]:
    """Remove a damaged copy and make it from its beginning, if a source has the set whole."""
    target = found.target
    medium = world.media[target.to_medium]
    whole = tuple(source for source in target.sources if _is_whole(source, target, world))
    if not whole:
        left = msg("it is left, since no other copy could be read whole")
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
    yield from _copied(replace(target, sources=whole), copy, world, goes_on=False)


def _copied(target: CopyTarget, copy: Copy, world: _World, *, goes_on: bool) -> Iterator[_Made]:
    """As `_made`, onto a medium that is ready and has no such set."""
    medium, made = world.media[target.to_medium], target.made.set
    problem: Message | str = ""
    for source in target.sources:
        try:
            stored = world.media[source.medium].open_set(made.id)
            begin = go_on if goes_on or source is not target.sources[0] else _begin  # what this one has left is whole
            writer = begin(medium, made.id, expected_bytes=made.stored_bytes)
        except PortalOpsError as error:
            problem = error.message
            continue
        try:
            has_found = _copy(stored, writer, target, world.progress)
            writer.seal()
        except SetDamaged as error:
            let_go(writer, keep=source is not target.sources[-1])
            problem = msg("its copy on {medium} is damaged: {cause}", medium=source.medium, cause=error.message)
            yield _failed(target, replace(source, state=CopyState.DAMAGED), error.message)
        except MediumUnavailable as error:
            let_go(writer, keep=True)
            problem = error.message
        except BaseException:  # an interrupt too: the next copy goes on from here
            let_go(writer, keep=True)
            raise
        else:
            yield _Made(target, replace(copy, state=CopyState.SEALED), source.medium, has_found)
            return
    yield _failed(target, _still(target, copy) if goes_on else copy, problem)


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


def _is_whole(source: Copy, target: CopyTarget, world: _World) -> bool:
    """Read a source to its last byte and say whether it holds all of the set."""
    made = target.made.set
    title = msg("Reading {set} on {medium}", set=made.id, medium=source.medium)
    try:
        stored = world.media[source.medium].open_set(made.id)
        with world.progress.task(title, total=made.stored_bytes, unit="bytes") as task:
            findings = verify_copy(
                stored, made.id, bag_sha256=made.bag_sha256, level=VerifyLevel.L2, on_bytes=task.advance
            )
    except PortalOpsError as error:
        logger.info("medium %s: %s cannot be read: %s", source.medium, made.id, error)
        return False
    return not findings.problems


def _copy(stored: StoredSet, writer: SetWriter, target: CopyTarget, progress: Progress) -> bool:
    """Copy every file of a set that the writer does not hold, the tag manifest last; say whether it held any.

    Raises:
        SetDamaged: a file is missing, or its bytes are not those that the manifests list.
    """
    made = target.made.set
    tag_manifest = _small(stored, TAG_MANIFEST)
    if digest_of(tag_manifest) != made.bag_sha256:
        raise damaged(TAG_MANIFEST, msg("not the one that was recorded when the set was made"))
    tags = parse_manifest(TAG_MANIFEST, tag_manifest)
    manifest = _small(stored, MANIFEST)
    if MANIFEST not in tags or digest_of(manifest) != tags[MANIFEST]:
        raise damaged(MANIFEST, msg("its bytes are not those that {file} lists", file=TAG_MANIFEST))
    files = {**parse_manifest(MANIFEST, manifest), **tags}
    listed = (pack for stream in made.streams for pack in (*stream.packs, stream.index) if pack is not None)
    limits = {**dict.fromkeys(tags, MAX_TAG_BYTES), **{pack.path: pack.stored_bytes for pack in listed}}
    held = _kept(stored, writer, files)
    title = msg("Copying {set} to {medium}", set=made.id, medium=target.to_medium)
    left_bytes = max(0, made.stored_bytes - sum(held.values()))
    with progress.task(title, total=left_bytes, unit="bytes") as task:
        if held:
            logger.info("medium %s: %s files of %s are there already", target.to_medium, len(held), made.id)
            task.note(msg("{n} bytes are already there", n=sum(held.values())))
        for path, expected in files.items():
            if path not in held:
                _copy_file(stored, writer, path, expected, task, limit=limits.get(path, made.stored_bytes))
    writer.open(TAG_MANIFEST)
    writer.write(tag_manifest)
    writer.close()
    return bool(held)


def _kept(stored: StoredSet, writer: SetWriter, files: Mapping[str, Digest]) -> dict[str, int]:
    """Return with their sizes the files that the writer holds and the set has so; every other one is discarded."""
    found = held_by(writer)
    sizes = stored.sizes() if found else {}
    kept: dict[str, int] = {}
    for path, held in found.items():
        if path in files and held.size_bytes == sizes.get(path) and held.sha256 in {None, files[path]}:
            kept[path] = held.size_bytes
        else:
            writer.discard(path)
    return kept


def _copy_file(stored: StoredSet, writer: SetWriter, path: str, expected: Digest, task: Task, *, limit: int) -> None:
    digest = hashlib.sha256()
    writer.open(path)
    with stored.open(path) as file:
        for piece in at_most(limit, file, path):
            digest.update(piece)
            writer.write(piece)
            task.advance(len(piece))
    if digest.hexdigest() != expected:  # before it is closed: only then it counts as whole
        raise damaged(path, msg("its bytes are not those that the manifests list"))
    writer.close()


def _small(stored: StoredSet, path: str) -> bytes:
    parts: list[bytes] = []
    with stored.open(path) as file:
        while piece := file.read(PIECE_BYTES):
            parts.append(piece)
            if len(parts) * PIECE_BYTES > MAX_TAG_BYTES:
                raise damaged(path, msg("far too long"))
    return b"".join(parts)
