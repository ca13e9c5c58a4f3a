"""A set as a BagIt bag (RFC 8493): the tag files around the packs. Pure; media write what is returned here."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime

from portalops.errors import SetDamaged
from portalops.model.backups import Pack, SetId, SetKind
from portalops.model.message import msg
from portalops.model.record import Digest

DECLARATION = "bagit.txt"
INFO = "bag-info.txt"
MANIFEST = "manifest-sha256.txt"
TAG_MANIFEST = "tagmanifest-sha256.txt"
PAYLOAD = "data/"

MAX_TAG_BYTES = 256 << 20
"""No tag file is longer: a manifest of a million packs has 130 MB."""


def set_name(portal: str, created_at: datetime, kind: SetKind, chance: str) -> SetId:
    """Return the name of a set: `<portal>-<UTC stamp>-<full|diff>-<id>`."""
    return SetId(f"{portal}-{created_at:%Y%m%dT%H%M%SZ}-{kind.value}-{chance}")


def tag_files(
    set_id: SetId, payload: Sequence[Pack], *, portal: str, created_at: datetime, software: str
) -> dict[str, bytes]:
    """Return the tag files that every bag has, but for the tag manifest.

    Args:
        set_id: the bag's name.
        payload: all files under `data/`.
        portal: whose data it is.
        created_at: the day goes into `bag-info.txt`.
        software: name and version of what made it.
    """
    stored = sum(pack.stored_bytes for pack in payload)
    info = (
        ("Source-Organization", portal),
        ("External-Identifier", set_id),
        ("Bagging-Date", f"{created_at:%Y-%m-%d}"),
        ("Bag-Software-Agent", software),
        ("Payload-Oxum", f"{stored}.{len(payload)}"),
    )
    return {
        DECLARATION: b"BagIt-Version: 1.0\nTag-File-Character-Encoding: UTF-8\n",
        INFO: "".join(f"{label}: {value}\n" for label, value in info).encode(),
        MANIFEST: manifest_of((pack.path, pack.stored_sha256) for pack in payload),
    }


def tag_manifest(tags: Mapping[str, bytes]) -> bytes:
    """Return the manifest of all files outside `data/` but for itself."""
    return manifest_of((path, digest_of(data)) for path, data in tags.items())


def digest_of(data: bytes | bytearray) -> Digest:
    """Return the SHA-256 of bytes."""
    return Digest(hashlib.sha256(data).hexdigest())


def parse_manifest(name: str, data: bytes) -> dict[str, Digest]:
    """Read a manifest: path and digest of each file.

    Raises:
        SetDamaged: a line is malformed, or names a path twice or outside the bag.
    """
    found: dict[str, Digest] = {}
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError as error:
        raise _damaged(name, 1) from error
    if not text.endswith("\n"):
        raise _damaged(name, text.count("\n") + 1)
    for number, line in enumerate(text[:-1].split("\n"), 1):
        digest, path = line[:64], line[66:]
        parts = path.split("/")
        is_safe = path.isprintable() and not ({"", ".", ".."} & set(parts)) and "%" not in path and "\\" not in path
        is_digest = len(digest) == 64 and not set(digest) - set("0123456789abcdef")
        if not (is_digest and line[64:66] == "  " and is_safe) or path in found:
            raise _damaged(name, number)
        found[path] = Digest(digest)
    return found


def manifest_of(rows: Iterable[tuple[str, Digest]]) -> bytes:
    """Return the manifest of files that are given with their digests."""
    return "".join(f"{digest}  {path}\n" for path, digest in sorted(rows)).encode()


def _damaged(name: str, line: int) -> SetDamaged:
    return SetDamaged(
        msg("{file}: line {line} is not a line of a manifest", file=name, line=line),
        msg("Restore from another copy of the set."),
    )
