"""A backup of one database, as SQL Server writes it: only SQL Server reads it.

Not tried against a server, which could not be had: the commands are from its manual.
"""

from __future__ import annotations

from collections.abc import Iterator

from backups.formats import Format, Restored, Trial
from backups.formats._parts import Step, by_hand, file_place, write_file
from portalops.model.backups import Stream, VerifyLevel
from portalops.model.message import msg

BEGINNINGS = (b"TAPE", b"MSSQLBAK")
"""What a backup begins with (Microsoft Tape Format), and what a compressed one does."""


def place(stream: Stream) -> str:
    return file_place(stream, "bak")


def guide(stream: Stream, command: str, place: str) -> Iterator[Step]:
    yield from write_file(stream, command, place)
    yield msg(
        "Copy the file to the host of a SQL Server of the same version or later, into a folder that the server "
        "can read. The first command reads the whole file; the second lists the database's files, each of which "
        "needs a MOVE in RESTORE DATABASE ... WITH MOVE, CHECKSUM. Restore under a new name, then run DBCC "
        "CHECKDB:"
    )
    yield by_hand(
        'BAK="${BAK:-/var/opt/mssql/data/restored.bak}"',
        "sqlcmd -b -Q \"RESTORE VERIFYONLY FROM DISK = N'$BAK' WITH CHECKSUM\"",
        "sqlcmd -b -Q \"RESTORE FILELISTONLY FROM DISK = N'$BAK'\"",
    )


def try_out(restored: Restored) -> Trial:
    """See that the file begins as a backup does; whether the server takes it is not known without one."""
    with restored.place.open("rb") as file:
        begins = file.read(8).startswith(BEGINNINGS)
    return Trial(VerifyLevel.L3, () if begins else ("the file does not begin as a backup of SQL Server does",))


FORMAT = Format(place=place, guide=guide, try_out=try_out)
