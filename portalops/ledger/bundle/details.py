"""The details in a bundle: each blob is compared with the digest that is its name, and none is read further than needed."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Collection, Mapping
from enum import Enum

from portalops.bodies import JsonValue
from portalops.ledger.bundle import contents
from portalops.ledger.bundle.folder import BundleFolder, blob_name
from portalops.ledger.chain import Faults
from portalops.ledger.record import Fields
from portalops.model.message import msg
from portalops.model.record import Digest
from portalops.registers.figures import MAX_BODY_BYTES

_PIECE_BYTES = 1 << 20


class BlobState(Enum):
    """The state of a blob in a bundle."""

    GOOD = "good"
    OTHER = "other"
    """It has another digest than its name."""
    MISSING = "missing"


class BundleBlobs:
    """The folder `blobs/` of a bundle."""

    def __init__(self, folder: BundleFolder) -> None:
        self._folder = folder
        self.count = 0
        """How many were read."""

    def read(self, digest: Digest) -> tuple[BlobState, bytes | None]:
        """Read and digest a blob; return its bytes too, if it has its digest and is not too large to be a body."""
        opened = self._folder.open(blob_name(digest))
        if opened is None:
            return BlobState.MISSING, None
        self.count += 1
        sha256 = hashlib.sha256()
        with opened as file:
            start = file.read(MAX_BODY_BYTES + 1)
            sha256.update(start)
            if len(start) > MAX_BODY_BYTES:
                while piece := file.read(_PIECE_BYTES):
                    sha256.update(piece)
        if sha256.hexdigest() != digest:
            return BlobState.OTHER, None
        return BlobState.GOOD, start if len(start) <= MAX_BODY_BYTES else None

    def body(self, digest: Digest) -> bytes | None:
        """Return a body; None if it is not there, has another digest, or is too large to be read."""
        return self.read(digest)[1]

    def details(self, digest: Digest) -> Mapping[str, JsonValue] | None:
        """Return the object of a body; None if it cannot be read."""
        body = self.body(digest)
        return None if body is None else contents.json_object(body)


class DetailsCheck:
    """Goes over the records whose details must be there, in order, and names what is not as it was (point 3)."""

    def __init__(
        self,
        blobs: BundleBlobs,
        faults: Faults,
        *,
        withheld: Collection[str],
        erased: Collection[str],
        protects: Callable[[int, str], bool],
    ) -> None:
        self._blobs = blobs
        self._faults = faults
        self._withheld = withheld
        self._erased = erased
        self._protects = protects
        self._left_out = frozenset((*withheld, *erased))
        self._followed: set[bytes] = set()
        self._blamed: set[bytes] = (
            set()
        )  # what is wrong with a blob is named once, with the first record that it comes up for
        self.named: set[bytes] = set()
        """Digests that came up."""

    def take(self, seq: int, record: Fields) -> None:
        """Look at a record's body and at the evidence that it rests on."""
        digest = Digest(record.body)
        key = bytes.fromhex(digest)
        must_be_there = digest in self._left_out and self._protects(seq, record.kind)
        if must_be_there and digest in self._withheld and record.kind not in contents.NOT_WITHHELD:
            must_be_there = False
        if key in self._followed and not must_be_there:
            return
        body = self._read(seq, digest, must_be_there=must_be_there)
        if key in self._followed:
            return
        self._followed.add(key)
        if digest not in self._left_out and body is not None:
            for evidence in contents.evidence_of(body):
                if bytes.fromhex(evidence) not in self.named:
                    self._read(seq, evidence, must_be_there=False)

    def _read(self, seq: int, digest: Digest, *, must_be_there: bool) -> bytes | None:
        key = bytes.fromhex(digest)
        is_new = key not in self.named
        self.named.add(key)
        state, body = self._blobs.read(digest)
        if key in self._blamed:
            return body
        if state is BlobState.OTHER and is_new:
            self._blamed.add(key)
            self._faults.add_excusable(
                seq, msg("record {seq}: blob {digest} does not match its digest", seq=seq, digest=digest)
            )
        elif state is BlobState.MISSING and must_be_there and digest in self._withheld:
            self._blamed.add(key)
            self._faults.add(
                seq,
                msg(
                    "record {seq}: its details {digest} are withheld, although they must not be", seq=seq, digest=digest
                ),
            )
        elif state is BlobState.MISSING and (must_be_there or (is_new and digest not in self._left_out)):
            self._blamed.add(key)
            self._faults.add_excusable(seq, msg("record {seq}: blob {digest} is missing", seq=seq, digest=digest))
        return body
