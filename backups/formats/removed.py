"""The paths that a differential's source has no more: names as in its tar, each ended by a NUL.

They are removed between unpacking the base and unpacking the differential, in that order: a name may have become
another thing meanwhile.
"""

from __future__ import annotations

from collections.abc import Iterator

from backups.formats import Format, Restored, Trial
from backups.formats._parts import Step, code
from portalops.model.backups import Stream, VerifyLevel
from portalops.model.message import msg

STREAM = "removed"
"""Name of the stream, and of this format."""


def place(stream: Stream) -> str:
    return stream.source


def guide(stream: Stream, command: str, place: str) -> Iterator[Step]:
    del stream
    yield msg("These paths were in the base but no longer exist. Remove them before unpacking the files:")
    yield code(
        f'open_folders "$TO/{place}" && (cd "$TO/{place}" && {command} xargs --null --no-run-if-empty rm -rf --)'
    )


def try_out(restored: Restored) -> Trial:
    """It was applied when the source's files were restored, and is tried out with them."""
    del restored
    return Trial(VerifyLevel.L3)


FORMAT = Format(place=place, guide=guide, try_out=try_out)
