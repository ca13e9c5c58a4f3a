"""A dump of MySQL: one database, or the accounts of the server.

Not tried against a server: MySQL's programs could not be had where this was written. What is printed here is from its manual.
"""

from __future__ import annotations

from collections.abc import Iterator

from backups.formats import Format, Restored, Trial
from backups.formats._parts import Step, by_hand, file_place, load, row_counts, write_file
from backups.formats.mariadb_sql import USERS
from portalops.model.backups import Stream, VerifyLevel
from portalops.model.message import msg

_CLIENT = "mysql --binary-mode --max-allowed-packet=1G --default-character-set=utf8mb4"


def place(stream: Stream) -> str:
    return file_place(stream, "sql")


def guide(stream: Stream, command: str, place: str) -> Iterator[Step]:
    yield from write_file(stream, command, place)
    if stream.name == USERS:
        yield msg(
            "These are the accounts and rights of the server. Load them after the databases, into a new server. "
            "Loading stops at accounts that already exist, such as root: remove their lines."
        )
        yield by_hand(f'{_CLIENT} < "$TO/{place}"')
        return
    yield msg(
        "The first two lines give the character set and the name of the database. Make an empty database and load "
        "the dump into it; if a database of that name already exists, nothing is done. A dump is a program, "
        "and anybody who could write to the portal's database may have changed it. So load it first into a "
        "server that holds nothing else."
    )
    yield load(
        f'DATABASE="${{PREFIX}}{stream.name}${{SUFFIX}}"',
        f'CHARSET="$(sed -n \'1s/^-- \\(CHARACTER SET [A-Za-z0-9_]* COLLATE [A-Za-z0-9_]*\\)$/\\1/p\' "$TO/{place}")"',
        f'[ -n "$CHARSET" ] || stop "{place}: its first line gives no character set"',
        'mysql --execute "CREATE DATABASE \\`$DATABASE\\` $CHARSET"',
        f'{_CLIENT} --database="$DATABASE" < "$TO/{place}"',
        needs=("mysql",),
    )
    yield from row_counts(stream)


def try_out(restored: Restored) -> Trial:
    """Say that it was only restored: a server of MariaDB does not take every dump of MySQL, so its refusal says nothing."""
    del restored
    return Trial(VerifyLevel.L3)


FORMAT = Format(place=place, guide=guide, try_out=try_out)
