"""One stream of a set to a program that reads it, such as pg_restore, without a file between.

A pack is read whole, from whichever medium gives the right bytes, before the first byte of it goes out. The last bytes are
held back until all packs were right, so the reader of a stream that turns out damaged never gets to its end. What went out
before that cannot be called back: it is for the reader to throw away.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

from backups.age import PrivateKey
from backups.contents import index_members
from backups.merged import MergedSet, merged_plaintext
from backups.restore import REMOVED
from backups.set_file import SetFile
from backups.untar import TarReader
from backups.verify import compare_with_index
from portalops.errors import BackupError, PortalOpsError, SetDamaged
from portalops.model.backups import Stream
from portalops.model.message import msg
from portalops.model.text import show_text

NOTHING_VOUCHES = msg("Restore it into a folder with --to FOLDER, or give the ledger that knows the set.")


def find_stream(content: SetFile, source: str | None, name: str | None) -> Stream:
    """Return the one stream that is asked for.

    Args:
        content: what the set says of itself.
        source: its source; None where the set has only one.
        name: its name; None where the source has only one.

    Raises:
        BackupError: there is no such stream, there are several, or it is one that a folder alone can take.
    """
    there = tuple(stream for stream in content.streams if stream.format != REMOVED)
    found = [stream for stream in there if source in {None, stream.source} and name in {None, stream.name}]
    if len(found) != 1:
        names = ", ".join(f"--source {stream.source} --stream {stream.name}" for stream in found or there)
        raise BackupError(
            msg("{n} streams match; choose one with --stream", n=len(found)),
            msg("The streams are: {names}.", names=show_text(names, 1000) or msg("none")),
        )
    (stream,) = found
    if stream.differential:
        raise BackupError(
            msg("{stream} holds only what has changed since the base", stream=f"{stream.source}/{stream.name}"),
            msg("Restore it into a folder with --to FOLDER: there the base and the changes are joined."),
        )
    return stream


def stream_out(
    copies: MergedSet,
    stream: Stream,
    identities: Sequence[PrivateKey],
    write: Callable[[bytes], object],
    *,
    compares: bool = False,
    on_bytes: Callable[[int], None] = lambda _count: None,
) -> int:
    """Write a stream's plaintext to its reader, and return how many bytes that were.

    Args:
        copies: the set.
        stream: a stream that stands alone.
        identities: private keys, at least one of a recipient.
        write: takes a piece, whole.
        compares: whether the members of a tar are compared with its index, for a set that no ledger vouches for. An index that
            no copy has is among the faults of `copies`.
        on_bytes: is called with every piece that was written.

    Raises:
        WrongKey: no key opens it; nothing went out.
        SetDamaged: no copy has all of it; the reader did not get its end.
        MediumUnavailable: no medium gives it any more.
    """
    given = 0
    held = b""

    def passing() -> Iterator[bytes]:
        nonlocal given, held
        for piece in merged_plaintext(copies, stream, identities):
            if held:
                write(held)
                given += len(held)
                on_bytes(len(held))
            held = piece
            yield piece

    try:
        if compares and _has_index(copies, stream):
            members = index_members(copies, stream, identities)
            for problem in compare_with_index(TarReader(passing()), members, stream):
                raise SetDamaged(problem, NOTHING_VOUCHES)
        else:
            for _piece in passing():
                pass
    except PortalOpsError as error:
        if not given:
            raise
        raise type(error)(
            msg("{cause}; the {bytes} bytes written before are incomplete", cause=error.message, bytes=given),
            msg(
                "Delete what was made from them, such as a half-loaded database; then attach another medium that has "
                "the set."
            ),
        ) from error
    write(held)
    on_bytes(len(held))
    return given + len(held)


def _has_index(copies: MergedSet, stream: Stream) -> bool:
    """Say whether some copy has the index of a stream, if it has one."""
    if stream.index is None:
        return False
    try:
        copies.fetch(stream.index).close()
    except SetDamaged:
        return False
    return True
