"""Versions of packages in the order of dpkg and of rpm, as keys that Python can compare and sort.

Sources: deb-version(7) of dpkg 1.22 and its `lib/dpkg/version.c`; rpm-version(7) of rpm 4.20 and its `rpmio/rpmvercmp.c`.
Both are tried against `dpkg --compare-versions` and `rpm.vercmp` themselves in the tests.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import lru_cache
from typing import Any, TypeAlias

Key: TypeAlias = tuple[Any, ...]
"""Compares with keys of the same function only."""
KeyOf: TypeAlias = Callable[[str], Key]

LONGEST = 256
"""No version of a package is longer; the longest in Debian 13 has 53 characters."""

_DEB = re.compile(
    r"(?:(?P<epoch>[0-9]{1,9}):|(?!.*:))(?P<upstream>[A-Za-z0-9.+~:-]+?)(?:-(?P<revision>[A-Za-z0-9.+~]+))?"
)
_DEB_PARTS = re.compile(r"([^0-9]*)([0-9]*)")
_RPM = re.compile(r"(?:(?P<epoch>[0-9]{1,9}):)?(?P<version>[^:\s-]+)(?:-(?P<release>[^:\s-]+))?")
_RPM_PARTS = re.compile(r"~|\^|[0-9]+|[A-Za-z]+")


class NotAVersion(ValueError):
    """A text that dpkg or rpm would not take for a version."""


@lru_cache(maxsize=1 << 16)
def deb_key(version: str) -> Key:
    """Return the sort key of a version of Debian or Ubuntu; `~` sorts before the end of a part, letters before the rest.

    Raises:
        NotAVersion: it has characters that deb-version(7) does not allow, or is longer than `LONGEST`.
    """
    match = _DEB.fullmatch(version) if len(version) <= LONGEST else None
    if match is None:
        raise NotAVersion(version[:80])
    # NOTE: no revision is the same as the revision 0 (deb-version(7)).
    return int(match["epoch"] or 0), _deb_part(match["upstream"]), _deb_part(match["revision"] or "0")


@lru_cache(maxsize=1 << 16)
def rpm_key(version: str) -> Key:
    """Return the sort key of `[EPOCH:]VERSION[-RELEASE]`; a missing epoch is 0.

    Raises:
        NotAVersion: it is not of that form, or longer than `LONGEST`.
    """
    match = _RPM.fullmatch(version) if len(version) <= LONGEST else None
    if match is None:
        raise NotAVersion(version[:80])
    return int(match["epoch"] or 0), _rpm_part(match["version"]), _rpm_part(match["release"] or "")


def _deb_part(text: str) -> Key:
    """Flatten the alternation of texts and numbers: each text ends in 0, which sorts after `~` and before all else."""
    key: list[int] = []
    for letters, digits in _DEB_PARTS.findall(text):
        key += [-1 if one == "~" else ord(one) if one.isalpha() else ord(one) + 256 for one in letters]
        key += (0, int(digits or 0))
    return tuple(key)


def _rpm_part(text: str) -> Key:
    """List the segments; the first number is the rank of what a segment is: `~`, the end, `^`, letters, digits."""
    key: list[tuple[int, str | int]] = []
    for segment in _RPM_PARTS.findall(text):
        if segment == "~":
            key.append((0, 0))
        elif segment == "^":
            key.append((2, 0))
        elif segment.isdigit():
            key.append((4, int(segment)))
        else:
            key.append((3, segment))
    return (*key, (1, 0))
