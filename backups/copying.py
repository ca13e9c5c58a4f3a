"""Copies made up later: a set from a medium that has it verified onto one that has it not.

A medium that was full, slow or away when a set was made must not keep it from the others, and gets it afterwards. Every byte
is digested while it is copied and compared with the manifests of the set, which the ledger pins; what differs is never
sealed, and the copy that it was read from is then known to be damaged.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from backups.bag import MANIFEST, MAX_TAG_BYTES, TAG_MANIFEST, digest_of, parse_manifest
from backups.contents import PIECE_BYTES, damaged
from backups.job import VerifyTarget, run_verify
from portalops.errors import MediumUnavailable, PortalOpsError, SetDamaged
from portalops.model.backups import Copy, CopyResult, CopyState, VerifyLevel
from portalops.model.heads import Signer
from portalops.model.message import msg
from portalops.model.record import Digest
from portalops.model.text import show_text
from portalops.ports import Clock, Medium, Progress, SetWriter, StoredSet
from portalops.registers.evidence import SetEvidence

GOOD = frozenset({CopyState.SEALED, CopyState.VERIFIED})


@dataclass(frozen=True, slots=True)
class CopyTarget:
    """A copy to be made."""

    made: SetEvidence
    sources: tuple[Copy, ...]
    """Verified copies of it, the most recently read first."""
    to_medium: str


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
    if only_set:
        chosen = [made for made in sets if made.set.id == only_set]
    else:
        newest = sets[-1:]
        bases = {made.set.base for made in newest}
        chosen = [made for made in sets if made.set.bag_sha256 in bases or made in newest]
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


def run_copies(
    targets: Sequence[CopyTarget],
    media: Mapping[str, Medium],
    *,
    places: Sequence[Path],
    keys: Sequence[Signer] | None,
    clock: Clock,
    progress: Progress,
) -> CopyResult:
    """Make copies, one after the other, and read each one back.

    Args:
        targets: what to copy.
        media: the configured media by id.
        places: what the sources read, so that a medium on the same file system is told.
        keys: the ledger's signing keys; None if no ledger can be asked.
        clock: the time of the readings.
        progress: shown the bytes that are copied, and those that are read back.
    """
    copies: list[Copy] = []
    made_from: list[str] = []
    for target in targets:
        for copy, source in _made(target, media, places, progress):
            copies.append(copy)
            made_from.append(source)
    sealed = [
        VerifyTarget(copy, target.made.set.bag_sha256, target.made.set.stored_bytes)
        for copy in copies
        if copy.state is CopyState.SEALED
        for target in targets
        if (target.made.set.id, target.to_medium) == (copy.set_id, copy.medium)
    ]
    looked = run_verify(sealed, media, clock=clock, progress=progress, keys=keys)
    newest = {(copy.set_id, copy.medium): copy for copy in looked.copies}
    return CopyResult(tuple(newest.get((copy.set_id, copy.medium), copy) for copy in copies), tuple(made_from))


def _made(
    target: CopyTarget, media: Mapping[str, Medium], places: Sequence[Path], progress: Progress
) -> Iterator[tuple[Copy, str]]:
    """Make one copy from the first source that has every byte; yield it, and before it each source that has not."""
    medium = media[target.to_medium]
    made = target.made.set
    copy = Copy(made.id, medium.id, medium.kind, CopyState.FAILED, VerifyLevel.NONE, None)
    problem = "no other medium has a verified copy of it"
    for source in target.sources:
        try:
            stored = media[source.medium].open_set(made.id)
            copy = replace(copy, shares_source_filesystem=medium.prepare(places))
            writer = medium.begin(made.id, expected_bytes=made.stored_bytes)
        except PortalOpsError as error:
            problem = str(error)
            continue
        try:
            title = msg("Copying {set} to {medium}", set=made.id, medium=medium.id)
            with progress.task(title, total=made.stored_bytes, unit="bytes") as task:
                _copy(stored, writer, made.bag_sha256, task.advance)
            writer.seal()
        except SetDamaged as error:
            writer.abandon()
            problem = f"its copy on {source.medium} is damaged: {error}"
            yield replace(source, state=CopyState.DAMAGED, problem=show_text(str(error), 500)), ""
            continue
        except MediumUnavailable as error:
            writer.abandon()
            problem = str(error)
            continue
        except BaseException:  # an interrupt too: half a copy is left nowhere
            writer.abandon()
            raise
        yield replace(copy, state=CopyState.SEALED), source.medium
        return
    yield replace(copy, problem=show_text(problem, 500)), ""


def _copy(stored: StoredSet, writer: SetWriter, bag_sha256: Digest, on_bytes: Callable[[int], None]) -> None:
    """Copy every file of a set, the tag manifest last.

    Raises:
        SetDamaged: a file is missing, or its bytes are not those that the manifests list.
    """
    tag_manifest = _small(stored, TAG_MANIFEST)
    if digest_of(tag_manifest) != bag_sha256:
        raise damaged(TAG_MANIFEST, "not the one that was recorded when the set was made")
    tags = parse_manifest(TAG_MANIFEST, tag_manifest)
    manifest = _small(stored, MANIFEST)
    if MANIFEST not in tags or digest_of(manifest) != tags[MANIFEST]:
        raise damaged(MANIFEST, f"its bytes are not those that {TAG_MANIFEST} lists")
    for path, expected in {**parse_manifest(MANIFEST, manifest), **tags}.items():
        digest = hashlib.sha256()
        writer.open(path)
        with stored.open(path) as file:
            while piece := file.read(PIECE_BYTES):
                digest.update(piece)
                writer.write(piece)
                on_bytes(len(piece))
        writer.close()
        if digest.hexdigest() != expected:
            raise damaged(path, "its bytes are not those that the manifests list")
    writer.open(TAG_MANIFEST)
    writer.write(tag_manifest)
    writer.close()


def _small(stored: StoredSet, path: str) -> bytes:
    parts: list[bytes] = []
    with stored.open(path) as file:
        while piece := file.read(PIECE_BYTES):
            parts.append(piece)
            if len(parts) * PIECE_BYTES > MAX_TAG_BYTES:
                raise damaged(path, "far too long")
    return b"".join(parts)
