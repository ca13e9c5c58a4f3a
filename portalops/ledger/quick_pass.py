"""A quick test of many lines at once: it passes only lines that the exact test of each would pass; pure.

Most of a ledger is as it should be. Finding that with a few tests over all lines leaves the time for hashing.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import date
from typing import TypeGuard

from portalops.ledger.record import CREATED, MAX_TEXT
from portalops.model.record import YEARS


def are_bytes(lines: Sequence[object]) -> TypeGuard[Sequence[bytes]]:
    """Say whether all lines are bytes."""
    return set(map(type, lines)) == {bytes}


def well_formed(lines: Sequence[bytes], numbers: range) -> tuple[Sequence[bytes], Sequence[bytes]] | None:
    """Return `at` and `prev` of lines that certainly are as portalops writes them and have these numbers, or None.

    One expression goes over all lines at once; what it leaves open is tested for all of them together: times
    and digests, except the form of `prev`, since that is compared with a digest anyway. Lines with an escape, and
    long ones, are not certain.
    """
    joined = b"\n".join((*lines, b""))
    found = _USUAL.findall(joined)
    # Each match ends with a line feed and begins where a line does: as many as there are lines, and all of each is matched.
    if len(found) != len(lines) or joined.count(b"\n") != len(lines) or max(map(len, lines)) > MAX_TEXT:
        return None
    times, bodies, prevs, seqs = zip(*found, strict=True)
    if (
        b",".join(seqs) != _written(numbers)
        or not _are_moments(times)
        or b"".join(bodies).translate(None, b"0123456789abcdef")
        or not (joined.isascii() or _is_utf8(joined))
    ):
        return None
    return times, prevs


def _written(numbers: range) -> bytes:
    """Return numbers in decimal with commas between; thousands are written once each, which is quicker."""
    parts = []
    first = numbers[0]
    while first <= numbers[-1]:
        thousand = first // 1000
        end = min(numbers[-1] + 1, (thousand + 1) * 1000)
        if thousand:
            prefix = b"%d" % thousand
            parts.append(prefix + (b"," + prefix).join(_BELOW_THOUSAND[first % 1000 : end - thousand * 1000]))
        else:
            parts.append(",".join(map(str, range(first, end))).encode())
        first = end
    return b",".join(parts)


def _are_moments(times: Sequence[bytes]) -> bool:
    """Say whether times are in order and in the calendar. Most days are in every month; only of others it is looked up."""
    joined = b"".join(times)
    if list(times) != sorted(times):
        return False
    if _PLAIN_TIMES.fullmatch(joined) is not None:
        return True
    return _TIMES.fullmatch(joined) is not None and _are_days({time[:10] for time in times})


def _is_utf8(text: bytes) -> bool:
    try:
        text.decode()
    except UnicodeDecodeError:
        return False
    return True


def _are_days(days: set[bytes]) -> bool:
    try:
        return all(date.fromisoformat(day.decode()).year in YEARS for day in days)
    except ValueError:
        return False


# Anything but a quotation mark, an escape or a control character.
_TEXT = rb"[ !#-\[\]-~\x80-\xff]*+"
_KIND = rb"[a-z][a-z0-9-]*+(?:\.[a-z][a-z0-9-]*+)*+"
_USUAL = re.compile(
    rb'(?sm)^\{"at":"(.{24})","body":"(.{64})","duty":"'
    + _TEXT
    + rb'","kind":"(?!'
    + re.escape(CREATED.encode())
    + rb'")'
    + _KIND
    + rb'","prev":"(.{64})","run":"'
    + _TEXT
    + rb'","seq":([0-9]++),"subject":"'
    + _TEXT
    + rb'","v":1\}\n'
)
_TIME = rb"T(?:[01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9]\.[0-9]{3}Z"
_TIMES = re.compile(rb"(?:[0-9]{4}-[0-9][0-9]-[0-9][0-9]" + _TIME + rb")*+")
_PLAIN_TIMES = re.compile(rb"(?:[1-8][0-9]{3}-(?:0[1-9]|1[0-2])-(?:0[1-9]|1[0-9]|2[0-8])" + _TIME + rb")*+")
_BELOW_THOUSAND = [b"%03d" % number for number in range(1000)]
