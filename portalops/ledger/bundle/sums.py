"""The list of a bundle's files, compared with the files in the folder, and its signature (point 1)."""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field

from portalops.ledger.bundle import contents
from portalops.ledger.bundle.folder import BundleFolder, blob_name, sums
from portalops.ledger.chain import Faults
from portalops.ledger.record import parse_at
from portalops.model.heads import Signer
from portalops.model.message import msg
from portalops.model.record import Digest
from portalops.model.text import show_text
from portalops.registers.signers import signer_at
from portalops.signatures.sshsig import BEGIN, END, MAX_SIGNATURE_CHARS, BadSignature, fingerprint, verify

MAX_SUMS_LINE_BYTES = 512
"""A digest, two spaces and the longest name that a bundle may hold are far shorter."""

_LINE = re.compile(rb"([0-9a-f]{64})  ([ -~]+)\n")


@dataclass(slots=True)
class BundleFiles:
    """Which files a bundle has."""

    blobs: set[bytes] = field(default_factory=set)
    """Digests of the files in `blobs/`."""
    missing_blobs: set[bytes] = field(default_factory=set)
    """Listed, and not there."""
    heads: set[str] = field(default_factory=set)
    """The files in `heads/`, stamps apart."""
    stamps: list[str] = field(default_factory=list)
    reports: dict[Digest, str] = field(default_factory=dict)
    """The reports by the digests that their files have; of two that are the same, the first."""

    def check_blobs(self, named: Collection[bytes], faults: Faults) -> None:
        """Name blobs that belong to no record of the bundle.

        Args:
            named: digests that the records name; one of these that is missing was named with its record.
            faults: receives what is found.
        """
        for key in self.blobs:
            if key not in named:
                faults.add(0, msg("{name} does not belong to the bundle", name=blob_name(key.hex())))
        for key in self.missing_blobs:
            if key not in named:
                faults.add(
                    0, msg("{name} is listed in {sums} but missing", name=blob_name(key.hex()), sums=contents.SUMS)
                )


def check_sums(folder: BundleFolder, faults: Faults) -> BundleFiles:
    """Check that the list holds exactly the files in the folder, each with its digest; blobs are read elsewhere."""
    files = BundleFiles()
    listed_blobs: set[bytes] = set()
    listed: set[str] = set()
    before = ""
    for number, line in enumerate(sums(folder, MAX_SUMS_LINE_BYTES), 1):
        found = _LINE.fullmatch(line)
        name = found.group(2).decode() if found else ""
        if found is None or not contents.is_known_name(name) or name in _UNLISTED:
            faults.add(
                0,
                msg(
                    "line {number} of {sums} does not have the format of a bundle",
                    number=str(number),
                    sums=contents.SUMS,
                ),
            )
            continue
        if name <= before:
            faults.add(0, msg("line {number} of {sums} is out of order", number=str(number), sums=contents.SUMS))
        before = max(before, name)
        digest = found.group(1).decode()
        if name.startswith(_BLOBS):
            _check_listed_blob(folder, files, name, digest, faults)
            listed_blobs.add(bytes.fromhex(name.removeprefix(_BLOBS)))
        else:
            listed.add(name)
            _check_digest(folder, name, digest, faults)
    for name in _REQUIRED:
        if not folder.has(name) and name not in listed:
            faults.add(0, msg("{name} is missing", name=name))
    _check_names(folder, files, listed, listed_blobs, faults)
    return files


def check_signature(
    folder: BundleFolder, signers: Sequence[Signer], records: int, last_at: str, faults: Faults
) -> None:
    """Look whether the list is signed by a key of the ledger.

    Args:
        folder: of the bundle.
        signers: the ledger's keys.
        records: how many lines there are: a key that one of them retired signs no list.
        last_at: time of the last record, as it stands; empty if there is none.
        faults: receives what does not hold.
    """
    data = folder.read(contents.SUMS_SIGNATURE, MAX_SIGNATURE_CHARS)
    hashed = folder.digests(contents.SUMS)
    if data is None or hashed is None:
        return  # it has been named
    try:
        public_key = verify(hashed, _as_written(data), contents.BUNDLE_NAMESPACE)
    except BadSignature as error:
        what = msg("the signature of {sums} is not valid: {cause}", sums=contents.SUMS, cause=error.message)
        faults.add(0, what)
        return
    if not last_at or signer_at(signers, public_key, records, parse_at(last_at)) is None:
        key = fingerprint(public_key)
        faults.add(
            0,
            msg(
                "{sums} is signed by {key}, which was not a key of the ledger at that time", sums=contents.SUMS, key=key
            ),
        )


_BLOBS = f"{contents.BLOBS}/"
_UNLISTED = frozenset({contents.SUMS, contents.SUMS_SIGNATURE})
_REQUIRED = (contents.FIGURES, contents.SIGNERS, contents.SUMS_SIGNATURE)


def _as_written(data: bytes) -> str:
    """Return the text of a signature's file, which has no bytes that could be others; raise BadSignature if it has."""
    text = data.decode("latin-1")
    if not text.startswith(BEGIN) or not text.endswith(f"{END}\n") or "\r" in text:
        raise BadSignature(msg("not in the format of ssh-keygen"))
    return text


def _check_listed_blob(folder: BundleFolder, files: BundleFiles, name: str, digest: str, faults: Faults) -> None:
    if f"{_BLOBS}{digest}" != name:
        faults.add(0, msg("{sums} lists another digest for {name}", sums=contents.SUMS, name=name))
    if not folder.has(name):
        files.missing_blobs.add(bytes.fromhex(name.removeprefix(_BLOBS)))


def _check_digest(folder: BundleFolder, name: str, digest: str, faults: Faults) -> None:
    hashed = folder.digests(name)
    if hashed is None:
        faults.add(0, msg("{name} is listed in {sums} but missing", name=name, sums=contents.SUMS))
    elif hashed.sha256.hex() != digest:
        faults.add(0, msg("{name} does not match its digest in {sums}", name=name, sums=contents.SUMS))


def _add_report(folder: BundleFolder, files: BundleFiles, name: str) -> None:
    hashed = folder.digests(name)
    if hashed is not None:
        digest = Digest(hashed.sha256.hex())
        files.reports[digest] = min(name, files.reports.get(digest, name))


def _check_names(
    folder: BundleFolder, files: BundleFiles, listed: Collection[str], listed_blobs: Collection[bytes], faults: Faults
) -> None:
    for name, is_file in folder.names():
        if not contents.is_known_name(name):
            faults.add(0, msg("{name} is not a file of a bundle", name=show_text(name)))
            continue
        if not is_file:
            faults.add(0, msg("{name} is not a regular file", name=name))
            continue
        if name.startswith(_BLOBS):
            key = bytes.fromhex(name.removeprefix(_BLOBS))
            files.blobs.add(key)
            is_listed = key in listed_blobs
        else:
            is_listed = name in listed or name in _UNLISTED
            if name.endswith(".tsr"):
                files.stamps.append(name)
            elif name.startswith(f"{contents.HEADS}/"):
                files.heads.add(name)
            elif contents.is_report_name(name):
                _add_report(folder, files, name)
        if not is_listed:
            faults.add(0, msg("{name} is not listed in {sums}", name=name, sums=contents.SUMS))
