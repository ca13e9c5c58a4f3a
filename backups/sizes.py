"""How large a set will be, and what room the media have: known from the last set, or estimated by walking what is here.

A plan is for people: sizes are of what the sources yield, before compression, and what could not be found out is said to be so.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from portalops.errors import PortalOpsError
from portalops.model.backups import BackupSet, SetKind
from portalops.model.text import show_text
from portalops.ports import HasRoom, Medium, Source

MAX_ENTRIES = 200_000
"""How many files and folders an estimate looks at; half a second to two on a disk of today."""


class SizeBasis(StrEnum):
    """What a size is known from."""

    LAST_SET = "last-set"
    """What the newest set of the same kind held."""
    WALK = "walk"
    """All files were looked at."""
    AT_LEAST = "at-least"
    """So many of the files were looked at that the rest was left out, or some could not be looked at."""
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Size:
    """How much a source will yield."""

    plain_bytes: int = 0
    basis: SizeBasis = SizeBasis.UNKNOWN


@dataclass(frozen=True, slots=True)
class MediumRoom:
    """What is known of a medium before it is written."""

    free_bytes: int | None = None
    """None where nobody tells, such as in a bucket."""
    parts: int = 1
    """Discs or the like that the set takes."""
    problem: str = ""
    """Why it could not be asked."""


@dataclass(frozen=True, slots=True)
class Sizes:
    """What goes with a plan for people."""

    sources: Mapping[str, Size]
    media: Mapping[str, MediumRoom]
    stored_bytes: int = 0
    """About how large the set will be on a medium; 0 if nothing is known."""
    is_stored_known: bool = False
    """From the last set; otherwise it is what is read, which compression makes less."""
    packs: int = 0


def last_of(kind: SetKind, sets: Sequence[BackupSet]) -> BackupSet | None:
    """Return the newest set of a kind, from sets that are the oldest first."""
    return next((each for each in reversed(sets) if each.kind is kind), None)


def plain_bytes_of(made: BackupSet | None, source: str | None = None) -> int:
    """Return how much a set holds before compression, of one source if that is given; 0 for no set."""
    streams = made.streams if made is not None else ()
    return sum(stream.plain_bytes for stream in streams if source in {None, stream.source})


def sizes_for(
    kind: SetKind, sources: Sequence[Source], media: Sequence[Medium], sets: Sequence[BackupSet], *, pack_bytes: int
) -> Sizes:
    """Find out how large a set will be and what room there is for it; nothing is written anywhere.

    Args:
        kind: of the set that is planned.
        sources: the configured sources.
        media: the configured media.
        sets: all recorded sets, oldest first.
        pack_bytes: plaintext of a pack.
    """
    last = last_of(kind, sets)
    found = {each.id: _size(each, kind, last) for each in sources}
    plain = sum(size.plain_bytes for size in found.values())
    is_known = last is not None and all(size.basis is SizeBasis.LAST_SET for size in found.values())
    stored = last.stored_bytes if is_known and last is not None else plain
    return Sizes(
        found,
        {each.id: _room(each, stored) for each in media},
        stored,
        is_known,
        sum(-(-size.plain_bytes // pack_bytes) for size in found.values()),
    )


def _size(source: Source, kind: SetKind, last: BackupSet | None) -> Size:
    if last is not None and any(stream.source == source.id for stream in last.streams):
        return Size(plain_bytes_of(last, source.id), SizeBasis.LAST_SET)
    if kind is SetKind.DIFF:
        return Size()  # what has changed is not known before it is read
    return walked(source.places())


def walked(places: Sequence[Path], *, max_entries: int = MAX_ENTRIES) -> Size:
    """Return what files take, from their sizes alone; what is left out by a pattern is counted too.

    Args:
        places: files and folders.
        max_entries: how many to look at.
    """
    total = entries = 0
    is_whole = True
    tops = frozenset(os.fspath(place) for place in places)
    pending = list(tops)
    while pending:
        path = pending.pop()
        try:
            status = os.lstat(path)
            if stat.S_ISDIR(status.st_mode):
                with os.scandir(path) as listing:
                    pending += [entry.path for entry in listing]
            elif stat.S_ISREG(status.st_mode):
                total += status.st_size
        except FileNotFoundError:  # what went meanwhile takes nothing; a place that is not there yet may
            is_whole = is_whole and path not in tops
        except OSError:
            is_whole = False
        entries += 1
        if entries >= max_entries:
            is_whole = False
            break
    if not (total or is_whole) or not entries:
        return Size()  # nothing is there yet, or nothing can be looked at
    return Size(total, SizeBasis.WALK if is_whole else SizeBasis.AT_LEAST)


def _room(medium: Medium, stored_bytes: int) -> MediumRoom:
    if not isinstance(medium, HasRoom):
        return MediumRoom()
    try:
        room = medium.room(stored_bytes)
    except PortalOpsError as error:
        return MediumRoom(problem=show_text(str(error), 300))
    return MediumRoom(room.free_bytes, room.parts)
