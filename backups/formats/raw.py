"""Bytes that portalops knows nothing of."""

from __future__ import annotations

from collections.abc import Iterator

from backups.formats import Format, Restored, Trial
from backups.formats._parts import Step, file_place, write_file
from portalops.model.backups import Stream, VerifyLevel


def place(stream: Stream) -> str:
    return file_place(stream, stream.format)


def guide(stream: Stream, command: str, place: str) -> Iterator[Step]:
    return write_file(stream, command, place)


def try_out(restored: Restored) -> Trial:
    """Nothing can be asked of it; that all bytes came back is all there is to know."""
    del restored
    return Trial(VerifyLevel.L3)


FORMAT = Format(place=place, guide=guide, try_out=try_out)
