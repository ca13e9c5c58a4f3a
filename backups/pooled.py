"""The files outside `data/`, joined from all copies of a set: each one from whichever copy has its bytes right.

The ledger records the digest of the tag manifest, and the tag manifest lists the digests of the others. `set.json` lists the
same ones but its own and that of its signature, so the tag manifest can be made again where every copy has lost it.
"""

from __future__ import annotations

import io
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress

from backups.bag import TAG_MANIFEST, digest_of, manifest_of, parse_manifest
from backups.contents import damaged
from backups.set_file import NAME as SET_FILE
from backups.set_file import parse_set_file
from backups.signature import NAME as SIGNATURE
from backups.verify import read_tag_file
from portalops.errors import PortalOpsError
from portalops.model.message import msg
from portalops.model.record import Digest
from portalops.ports import Readable, StoredSet


class PooledSet:
    """Several copies of a set as one `StoredSet`, by one tag manifest; `data/` is listed, and read from the copies themselves."""

    def __init__(self, copies: Mapping[str, StoredSet], tag_manifest: bytes) -> None:
        """Join copies.

        Args:
            copies: the set on each medium, by the medium's id, in the order in which they are asked.
            tag_manifest: what lists the digests of the other files.

        Raises:
            SetDamaged: it is malformed.
        """
        self.tag_manifest = tag_manifest
        self._copies = copies
        self._tags = parse_manifest(TAG_MANIFEST, tag_manifest)

    def sizes(self) -> Mapping[str, int]:
        found: dict[str, int] = {}
        for stored in reversed([*self._copies.values()]):
            with suppress(PortalOpsError):
                found.update(stored.sizes())
        return found

    @contextmanager
    def open(self, path: str) -> Iterator[Readable]:
        yield io.BytesIO(self.tag_manifest if path == TAG_MANIFEST else self._found(path)[1])

    def medium_of(self, path: str) -> str:
        """Return the medium that a file outside `data/` comes from.

        Raises:
            SetDamaged: none has it.
        """
        return self._found(path)[0]

    def _found(self, path: str) -> tuple[str, bytes]:
        for medium, data in _each(self._copies, path) if path in self._tags else ():
            if digest_of(data) == self._tags[path]:
                return medium, data
        raise damaged(path, msg("no medium has it"))


def pooled_sets(copies: Mapping[str, StoredSet], bag_sha256: Digest | None) -> Iterator[PooledSet]:
    """Yield what copies are together: once if it is known which set it must be, else by each tag manifest that may be right.

    Args:
        copies: the set on each medium, by the medium's id, in the order in which they are asked.
        bag_sha256: digest of the set's tag manifest as recorded. If it is None, a tag manifest is made again only for a set
            that names its signer; whether the signature is right is for `verify_copy` to tell.
    """
    known = {digest_of(data): data for _medium, data in _each(copies, TAG_MANIFEST)}
    if bag_sha256 not in known:
        set_files, signatures = ((data for _medium, data in _each(copies, path)) for path in (SET_FILE, SIGNATURE))
        made_again = tag_manifests(set_files, signatures, only_signed=bag_sha256 is None)
        known |= {digest_of(data): data for data in made_again}
    for digest, tag_manifest in known.items():
        if bag_sha256 in {None, digest}:
            with suppress(PortalOpsError):  # a malformed one is none
                yield PooledSet(copies, tag_manifest)


def tag_manifests(
    set_files: Iterable[bytes], signatures: Iterable[bytes], *, only_signed: bool = False
) -> Iterator[bytes]:
    """Yield the tag manifests that follow from `set.json` and its signature, of each that copies have.

    Args:
        set_files: `set.json` as the copies have it.
        signatures: `set.json.sig` as the copies have it.
        only_signed: leave out what names no signer.
    """
    signed = dict.fromkeys(signatures)
    for set_file in dict.fromkeys(set_files):
        try:
            content = parse_set_file(set_file)
        except PortalOpsError:
            continue
        tags = {**content.tag_files, SET_FILE: digest_of(set_file)}
        if content.signer:
            yield from (manifest_of({**tags, SIGNATURE: digest_of(each)}.items()) for each in signed)
        elif not only_signed:
            yield manifest_of(tags.items())


def _each(copies: Mapping[str, StoredSet], path: str) -> Iterator[tuple[str, bytes]]:
    """Yield a file outside `data/` as each copy has it; what cannot be read is passed over."""
    for medium, stored in copies.items():
        try:
            data = read_tag_file(stored, path)
        except (PortalOpsError, OSError):
            continue
        yield medium, data
