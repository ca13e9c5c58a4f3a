"""One image of a set onto one disc, and a burnt disc compared with what was burnt.

An image is burnt only if each file in it has the digest that the set's own manifests give it, and these hang on the digest that
the ledger recorded when the set was made. A disc is recognised by its volume id, and compared by the SHA-256 of the whole image,
which the ledger keeps from the burning on: so it can be compared when the images are long gone.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from backups.bag import MANIFEST, TAG_MANIFEST, parse_manifest
from backups.media.optical import BLOCK_BYTES, OpticalMedium, OpticalStoredSet
from backups.verify import verify_copy
from portalops.errors import MediumUnavailable, SetDamaged
from portalops.model.backups import SetId, VerifyLevel
from portalops.model.causes import cause_of
from portalops.model.heads import Signer
from portalops.model.media import DiscState
from portalops.model.message import ByteCount, Message, kept, msg, together
from portalops.model.record import Digest
from portalops.model.text import show_text
from portalops.ports import DiscDrive, LoadedDisc, Readable, StoredSet

_PIECE_BYTES = 1 << 20
_DESCRIPTOR_AT = 16 * BLOCK_BYTES
"""Where the primary volume descriptor lies (ECMA-119, 6.7.1); the volume id is its bytes 40 to 71 (8.4.7)."""


@dataclass(frozen=True, slots=True)
class DiscImage:
    """An image that is what was backed up."""

    path: Path
    number: int
    count: int
    volume_id: str
    sha256: Digest
    size_bytes: int


@dataclass(frozen=True, slots=True)
class DiscComparison:
    """What reading a disc found."""

    state: DiscState
    problem: str = ""


def whole_images(
    medium: OpticalMedium, set_id: SetId, bag_sha256: Digest, keys: Sequence[Signer] | None
) -> tuple[Path, ...]:
    """Return the images of a set, disc by disc, after checking that together they have every file of it.

    Raises:
        SetDamaged: a file is missing, or its description is not the one that was recorded.
        SetNotFound: the medium has no such set.
        MediumUnavailable: it cannot be read.
    """
    found = verify_copy(medium.open_set(set_id), set_id, bag_sha256=bag_sha256, level=VerifyLevel.L1, keys=keys)
    if found.problems:
        raise _damaged(set_id, together(found.said[:3]))
    return medium.images(set_id)


def spread_of(medium: OpticalMedium, set_id: SetId, images: Sequence[Path]) -> Digest:
    """Return the digest of which file lies on which disc: a line `NUMBER  PATH` for each, in that order.

    Raises:
        MediumUnavailable: an image cannot be read.
    """
    digest = hashlib.sha256()
    for number, image in enumerate(images, 1):
        for path in sorted(OpticalStoredSet(medium.id, set_id, (image,)).sizes()):
            digest.update(f"{number}  {path}\n".encode())
    return Digest(digest.hexdigest())


def checked_image(
    medium: OpticalMedium,
    set_id: SetId,
    images: Sequence[Path],
    number: int,
    *,
    bag_sha256: Digest,
    on_bytes: Callable[[int], None] = lambda _count: None,
) -> DiscImage:
    """Return an image, each file of which was read and is what was backed up.

    Args:
        medium: that has it.
        set_id: the set.
        images: of the set, disc by disc, as `whole_images` returns them.
        number: which disc, from 1 on.
        bag_sha256: digest of the set's tag manifest, as recorded.
        on_bytes: is called with every piece that was read; the image is read twice.

    Raises:
        SetDamaged: the image is not what was backed up.
        MediumUnavailable: it cannot be read.
    """
    image = images[number - 1]
    stored = OpticalStoredSet(medium.id, set_id, (image,))
    tags = parse_manifest(TAG_MANIFEST, _read(stored, TAG_MANIFEST))
    payload = parse_manifest(MANIFEST, _read(stored, MANIFEST))
    expected = {**payload, **tags, TAG_MANIFEST: bag_sha256}
    for path in stored.sizes():
        with stored.open(path) as file:
            if _digest(file, on_bytes) != expected.get(path):
                raise _damaged(
                    set_id,
                    msg("{image}: {path}: its bytes are not those that were backed up", image=image.name, path=path),
                )
    with image.open("rb") as whole:
        sha256 = _digest(whole, on_bytes)
    with image.open("rb") as whole:
        volume_id = volume_id_of(whole)
    return DiscImage(image, number, len(images), volume_id, sha256, image.stat().st_size)


def require_blank(drive: DiscDrive, size_bytes: int) -> LoadedDisc:
    """Return the disc in a drive, which is blank and large enough.

    Raises:
        MediumUnavailable: there is no drive or disc, it is not blank, or it is too small.
    """
    disc = drive.loaded()
    if not disc.is_blank:
        raise _refused(
            drive,
            msg("the disc in it ({kind}) is not blank: it {state}", kind=disc.kind, state=disc.state),
            msg(
                "Insert a blank disc; portalops overwrites no disc. To see what this one holds, run 'portalops "
                "media check ID --device'."
            ),
        )
    if disc.free_bytes < size_bytes:
        raise _refused(
            drive,
            msg(
                "the disc in it ({kind}) has room for {free}, but the image has {needed}",
                kind=disc.kind,
                free=ByteCount(disc.free_bytes),
                needed=ByteCount(size_bytes),
            ),
            msg("Insert a disc of the size configured for the medium (its key 'disc' or 'disc_bytes')."),
        )
    return disc


def compare(
    drive: DiscDrive, sha256: Digest, size_bytes: int, on_bytes: Callable[[int], None] = lambda _count: None
) -> DiscComparison:
    """Read a disc as far as its image goes, from the disc itself, and compare.

    Raises:
        MediumUnavailable: there is no drive, or no disc in it.
    """
    digest = hashlib.sha256()
    read = 0
    with drive.open() as disc:
        while read < size_bytes:
            try:
                piece = disc.read(min(_PIECE_BYTES, size_bytes - read))
            except OSError as error:
                cause = show_text((error.strerror or str(error)).lower(), 120)
                return DiscComparison(DiscState.BROKEN, f"it cannot be read at byte {read} of {size_bytes}: {cause}")
            if not piece:
                return DiscComparison(DiscState.BROKEN, f"it ends after {read} of {size_bytes} bytes")
            digest.update(piece)
            read += len(piece)
            on_bytes(len(piece))
    if digest.hexdigest() != sha256:
        return DiscComparison(DiscState.BROKEN, f"its SHA-256 is {digest.hexdigest()} instead of {sha256}")
    return DiscComparison(DiscState.WHOLE)


def volume_id_in(drive: DiscDrive) -> str:
    """Return what the disc in a drive calls itself; nothing for one without ISO 9660.

    Raises:
        MediumUnavailable: there is no drive or disc, or its beginning cannot be read.
    """
    with drive.open() as disc:
        try:
            return volume_id_of(disc)
        except OSError as error:
            raise _refused(
                drive,
                msg("the disc in it cannot be read: {cause}", cause=cause_of(error)),
                msg("Clean the disc, or try another drive. If no drive reads it, burn a new disc from the image."),
            ) from error


def volume_id_of(disc: Readable) -> str:
    """Return what a disc or image calls itself; nothing for one that has no ISO 9660 on it.

    Raises:
        OSError: it cannot be read.
    """
    data = b""
    while len(data) < _DESCRIPTOR_AT + BLOCK_BYTES:
        piece = disc.read(_DESCRIPTOR_AT + BLOCK_BYTES - len(data))
        if not piece:
            return ""
        data += piece
    descriptor = data[_DESCRIPTOR_AT:]
    if descriptor[:6] != b"\x01CD001":
        return ""
    return show_text(descriptor[40:72].decode("ascii", "replace").strip(" \0"), 40)


def _read(stored: StoredSet, path: str) -> bytes:
    with stored.open(path) as file:
        return b"".join(iter(lambda: file.read(_PIECE_BYTES), b""))


def _digest(file: Readable, on_bytes: Callable[[int], None]) -> Digest:
    digest = hashlib.sha256()
    while piece := file.read(_PIECE_BYTES):
        digest.update(piece)
        on_bytes(len(piece))
    return Digest(digest.hexdigest())


def _damaged(set_id: SetId, problem: Message) -> SetDamaged:
    return SetDamaged(
        msg("the images of set {set} were not burnt: {problem}", set=set_id, problem=kept(problem, 500)),
        msg(
            "Make the images again from another copy: 'portalops backup show {set}' lists the media that have one.",
            set=set_id,
        ),
    )


def _refused(drive: DiscDrive, cause: Message, hint: Message) -> MediumUnavailable:
    return MediumUnavailable(msg("drive {device}: {cause}", device=show_text(drive.device, 200), cause=cause), hint)
