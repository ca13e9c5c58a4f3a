"""An archive of mongodump: all databases of a server, and its oplog for the time of the dump.

Its structure is read, collection by collection, and the documents are counted; it is not loaded into a server. The commands of
the guide are from the manual of the MongoDB Database Tools, and were not tried against a server.
"""

from __future__ import annotations

from collections.abc import Iterator

from backups.formats import Format, Restored, Trial
from backups.formats._mongo_archive import ArchiveReader
from backups.formats._parts import Step, by_hand, file_place, row_counts, write_file
from portalops.model.backups import Stream, VerifyLevel
from portalops.model.message import msg
from portalops.model.text import show_text

MAX_PROBLEMS = 20
_PIECE_BYTES = 1 << 20


def place(stream: Stream) -> str:
    return file_place(stream, "archive")


def guide(stream: Stream, command: str, place: str) -> Iterator[Step]:
    yield from write_file(stream, command, place)
    yield msg(
        "The archive holds all databases, including the accounts, and the changes made while it was written. "
        "Load it into a new server that holds nothing else; without --drop nothing there is replaced:"
    )
    yield by_hand(f'mongorestore --host 127.0.0.1 --archive="$TO/{place}" --oplogReplay')
    yield from row_counts(stream)


def try_out(restored: Restored) -> Trial:
    """Read the archive's structure to its end, and count the documents of each collection. It is loaded nowhere."""
    reader = ArchiveReader()
    with restored.place.open("rb") as file:
        while piece := file.read(_PIECE_BYTES):
            reader.take(piece)
    problems = [reader.verdict()] if reader.verdict() else []
    counted = {show_text(name): count for name, count in reader.documents.items()}
    expected = {rows.table: rows.rows for rows in restored.stream.rows}
    problems += [
        f"collection {name}: {counted.get(name, 0)} documents instead of {expected.get(name, 0)}"
        for name in sorted(counted.keys() | expected.keys())
        if counted.get(name) != expected.get(name)
    ]
    return Trial(VerifyLevel.L3, tuple(show_text(each, 300) for each in problems[:MAX_PROBLEMS]))


FORMAT = Format(place=place, guide=guide, try_out=try_out)
