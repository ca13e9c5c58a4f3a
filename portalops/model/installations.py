"""Which portalops is installed, and how that differs from the one that wrote the ledger before.

What is installed is known by the RECORD file of each distribution (packaging.python.org, *Recording installed projects*), which
lists every file with its SHA-256. What an installer adds or changes itself is left out (byte code, scripts with the path of the
environment in them), so the digest is the same on every machine, and can be computed from the wheels before they are installed.
"""

from __future__ import annotations

import csv
import hashlib
import re
from collections.abc import Iterable, Iterator
from enum import Enum

from portalops.model.record import Digest
from portalops.model.values import dataclass

_OF_THE_INSTALLER = re.compile(r"[^/]+\.dist-info/(?:INSTALLER|REQUESTED|direct_url\.json|uv_cache\.json|RECORD)")
_INTO_THE_PACKAGES = re.compile(r"[^/]+\.data/(?:purelib|platlib)/")
_ELSEWHERE = re.compile(r"[^/]+\.data/|\.\./|/")
"""Where files lie that do not go among the packages: an installer puts them, or changes them, by its own lights."""


class Direction(Enum):
    """How what is installed differs from what was recorded last."""

    FIRST = "first"
    """Nothing was recorded before."""
    UPGRADE = "upgrade"
    ROLL_BACK = "roll-back"
    OTHER_BUILD = "other-build"
    """The same version, made of other files."""
    UNKNOWN = "unknown"
    """What was recorded before cannot be read, or a version cannot be compared."""


@dataclass(frozen=True, slots=True)
class InstalledVersion:
    """A portalops that is installed."""

    version: str
    code: Digest | None
    """`files_digest` of portalops itself; None of a checkout, whose files may change at any time."""
    requirements: Digest | None
    """`files_digest` of every other distribution beside it; None if there is none."""
    python: str
    """Version of the interpreter; it comes with the system, and does not tell one installation from another."""

    def is_like(self, other: InstalledVersion) -> bool:
        """Say whether both are made of the same files, as far as that is known."""
        return (self.version, self.code, self.requirements) == (other.version, other.code, other.requirements)


@dataclass(frozen=True, slots=True)
class Installation:
    """That from now on another portalops writes the ledger."""

    direction: Direction
    installed: InstalledVersion
    before: InstalledVersion | None
    """None if nothing was recorded before, or if that cannot be read."""


def installation_of(installed: InstalledVersion, before: InstalledVersion | None) -> Installation | None:
    """Return what is to be recorded of what is installed; None if it is what was recorded before."""
    if before is None:
        return Installation(Direction.FIRST, installed, None)
    if installed.is_like(before):
        return None
    if installed.version == before.version:
        return Installation(Direction.OTHER_BUILD, installed, before)
    ours, theirs = _release(installed.version), _release(before.version)
    if ours is None or theirs is None or ours == theirs:
        return Installation(Direction.UNKNOWN, installed, before)
    return Installation(Direction.UPGRADE if ours > theirs else Direction.ROLL_BACK, installed, before)


def files_digest(records: Iterable[str]) -> Digest:
    """Return one digest over the files that RECORD files list.

    It is SHA-256 over the lines PATH,ALGORITHM=HASH, sorted as bytes, each ending in a line feed.

    Args:
        records: the text of each RECORD, as in a wheel or as installed.
    """
    lines = sorted({line for text in records for line in _lines(text)})  # two distributions may hold a file together
    return Digest(hashlib.sha256(b"".join(lines)).hexdigest())


def _lines(record: str) -> Iterator[bytes]:
    lines = record.splitlines()
    rows = csv.reader(lines) if '"' in record else (line.rsplit(",", 2) for line in lines)  # a third of the time
    for row in rows:
        if len(row) < 2 or not row[1] or row[0].endswith(".pyc"):
            continue
        path = row[0]
        if ".d" in path or path.startswith((".", "/")):
            path = _INTO_THE_PACKAGES.sub("", path, count=1)
            if _ELSEWHERE.match(path) or _OF_THE_INSTALLER.fullmatch(path):
                continue
        yield f"{path},{row[1]}\n".encode()


def _release(version: str) -> tuple[tuple[int, ...], int, int] | None:
    """Return what versions such as 1.2.0, 1.2.0rc1 and 1.2.0.post1 are ordered by; None for any other."""
    found = re.fullmatch(r"(\d+(?:\.\d+)*)(?:(?:\.post(\d+))|(?:(a|b|rc|\.dev)(\d+)))?", version)
    if found is None:
        return None
    numbers = [int(part) for part in found[1].split(".")]
    while numbers and numbers[-1] == 0:
        numbers.pop()
    if found[3]:
        return tuple(numbers), (".dev", "a", "b", "rc").index(found[3]) - 4, int(found[4])
    return tuple(numbers), 0, int(found[2]) + 1 if found[2] else 0
