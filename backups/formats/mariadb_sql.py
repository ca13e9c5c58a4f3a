"""A dump of MariaDB: one database, or the accounts of the server.

A dump is a program that anybody with write access to the database may have changed: it is loaded into a server that holds nothing else,
by the client's sandbox. It begins with the two lines of `_sql_head`, then a line that switches the sandbox on: clients of
MariaDB from before May 2024 and those of MySQL stop there, and need a dump without that line.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from pathlib import Path

from backups.formats import Format, Restored, Trial
from backups.formats._mariadbd import PACKAGE, ThrowAway, throw_away
from backups.formats._parts import Step, by_hand, file_place, load, row_counts, write_file
from backups.formats._sql_head import MAX_HEAD_BYTES, DatabaseHead, quoted, read_head
from backups.formats._trials import cannot_try, counts
from portalops.model.backups import Stream, VerifyLevel
from portalops.model.message import msg
from portalops.model.text import show_text
from portalops.ports import Completed

USERS = "users"
MAX_PROBLEMS = 20
_CLIENT = "mariadb --sandbox --binary-mode --max-allowed-packet=1G --default-character-set=utf8mb4"
_NOT_THERE = frozenset({1146, 1305})
"""Errors of a grant on a table or routine, which are not there when accounts are tried alone."""
_ACCOUNT = re.compile(rb"^CREATE USER IF NOT EXISTS (`(?:[^`\n]|``)*`@`(?:[^`\n]|``)*`)", re.MULTILINE)
_ERROR = re.compile(r"^ERROR (\d+) .*$", re.MULTILINE)


def place(stream: Stream) -> str:
    return file_place(stream, "sql")


def guide(stream: Stream, command: str, place: str) -> Iterator[Step]:
    yield from write_file(stream, command, place)
    if stream.name == USERS:
        yield msg(
            "These are the accounts, roles and rights of the server. Load them after the databases, into a new "
            "server: they also give rights to existing accounts, and may change how root logs in."
        )
        yield by_hand(f'{_CLIENT} < "$TO/{place}"')
        return
    yield msg(
        "The first two lines give the character set and the name of the database. Make an empty database and load "
        "the dump into it; if a database of that name already exists, nothing is done. A dump is a program, "
        "and anybody who could write to the portal's database may have changed it. So load it first into a "
        "server that holds nothing else, with a MariaDB client of May 2024 or later, which runs it in a sandbox. "
        "Other clients stop at the line with 'sandbox mode': remove that line."
    )
    yield load(
        f'DATABASE="${{PREFIX}}{stream.name}${{SUFFIX}}"',
        f'CHARSET="$(sed -n \'1s/^-- \\(CHARACTER SET [A-Za-z0-9_]* COLLATE [A-Za-z0-9_]*\\)$/\\1/p\' "$TO/{place}")"',
        f'[ -n "$CHARSET" ] || stop "{place}: its first line gives no character set"',
        'mariadb --execute "CREATE DATABASE \\`$DATABASE\\` $CHARSET"',
        f'{_CLIENT} --database="$DATABASE" < "$TO/{place}"',
        needs=("mariadb", "mariadb-check"),
    )
    yield msg("Check that its tables are intact:")
    yield load('mariadb-check --check --databases "$DATABASE"', needs=("mariadb-check",))
    yield from row_counts(stream)


def try_out(restored: Restored) -> Trial:
    """Load the dump into a server made for it, check every table, and count the rows of each.

    Raises:
        BackupError: no such server runs here, which says nothing of the dump.
    """
    readable = restored.runner.run(("test", "-r", str(restored.place)))
    if readable.exit_code:
        raise cannot_try("test -r", readable, package=PACKAGE)
    if restored.stream.name == USERS:
        with throw_away(restored.scratch, restored.runner) as server:
            return _try_accounts(server, restored.place)
    head = read_head(_beginning(restored.place))
    if head is None:
        return Trial(VerifyLevel.L3, ("the dump does not begin with the database's character set and name",))
    with throw_away(restored.scratch, restored.runner) as server:
        server.ask(f"CREATE DATABASE {quoted(head.name)} {head.charset};")
        done = server.load(restored.place, database=head.name)
        if done.exit_code:
            return Trial(VerifyLevel.L3, (_refusal(done),))
        return _try_database(server, head, {each.table: each.rows for each in restored.stream.rows})


def _try_database(server: ThrowAway, head: DatabaseHead, expected: Mapping[str, int]) -> Trial:
    schema = f"CONVERT(0x{head.name.encode().hex()} USING utf8mb4)"
    tables = {
        bytes.fromhex(name).decode("utf-8", "replace"): kind
        for name, kind in server.ask(
            f"SELECT HEX(TABLE_NAME), TABLE_TYPE FROM information_schema.TABLES WHERE TABLE_SCHEMA = {schema}"  # noqa: S608  # hexadecimal digits alone
            " AND TABLE_TYPE IN ('BASE TABLE', 'SYSTEM VERSIONED') ORDER BY TABLE_NAME;"
        )
    }
    counted = _counted(server, head.name, tables)
    problems = [*_differing(counted, expected), *_unsound(server, head.name, tables)]
    others = server.ask(
        f"SELECT COUNT(*), 'views' FROM information_schema.VIEWS WHERE TABLE_SCHEMA = {schema}"  # noqa: S608  # hexadecimal digits alone
        f" UNION ALL SELECT COUNT(*), 'triggers' FROM information_schema.TRIGGERS WHERE TRIGGER_SCHEMA = {schema}"
        f" UNION ALL SELECT COUNT(*), 'routines' FROM information_schema.ROUTINES WHERE ROUTINE_SCHEMA = {schema}"
        f" UNION ALL SELECT COUNT(*), 'events' FROM information_schema.EVENTS WHERE EVENT_SCHEMA = {schema};"
    )
    asked = ", ".join(
        (
            counts(len(tables), sum(counted.values())),
            *(f"{n} {what[:-1] if n == '1' else what}" for n, what in others),
            "CHECK TABLE",
        )
    )
    return Trial(VerifyLevel.L4, tuple(problems[:MAX_PROBLEMS]), asked)


def _counted(server: ThrowAway, database: str, tables: Mapping[str, str]) -> dict[str, int]:
    """Return the rows of each table, by its name as the set shows it."""
    history = {"SYSTEM VERSIONED": " FOR SYSTEM_TIME ALL"}
    sql = "".join(
        f"SELECT COUNT(*) FROM {quoted(database)}.{quoted(name)}{history.get(kind, '')};\n"  # noqa: S608  # identifiers, quoted
        for name, kind in tables.items()
    )
    counts = server.ask(sql)
    return {show_text(name, 200): int(row[0]) for name, row in zip(tables, counts, strict=True)}


def _differing(counted: Mapping[str, int], expected: Mapping[str, int]) -> Iterator[str]:
    for name, rows in expected.items():
        if name not in counted:
            yield f"table {name}: it is not there"
        elif counted[name] != rows:
            yield f"table {name}: {counted[name]} rows instead of {rows}"
    for name in counted.keys() - expected.keys():
        yield f"table {name}: nobody knows how many rows it must have"


def _unsound(server: ThrowAway, database: str, tables: Mapping[str, str]) -> Iterator[str]:
    if not tables:
        return
    names = ", ".join(f"{quoted(database)}.{quoted(name)}" for name in tables)
    for table, _operation, kind, text in server.ask(f"CHECK TABLE {names};"):
        if kind.lower() in {"error", "warning"} or (
            kind == "status" and text not in {"OK", "Table is already up to date"}
        ):
            yield show_text(f"CHECK TABLE {table}: {text}", 300)


def _try_accounts(server: ThrowAway, dump: Path) -> Trial:
    accounts = _ACCOUNT.findall(dump.read_bytes())
    done = server.load(dump, database=None, goes_on=True)
    errors = [
        show_text(found[0], 300)
        for found in _ERROR.finditer(done.stderr.decode("utf-8", "replace"))
        if int(found[1]) not in _NOT_THERE
    ]
    if not accounts:
        errors.append("it makes no account")
    names = [account.decode("utf-8", "replace") for account in accounts]
    if not errors:
        server.ask("".join(f"SHOW GRANTS FOR {name};\n" for name in names))
    return Trial(VerifyLevel.L4, tuple(errors[:MAX_PROBLEMS]), f"{len(names)} accounts, SHOW GRANTS")


def _beginning(path: Path) -> bytes:
    with path.open("rb") as file:
        return file.read(MAX_HEAD_BYTES)


def _refusal(done: Completed) -> str:
    said = done.stderr.decode("utf-8", "replace")
    errors = [
        found[0] for found in _ERROR.finditer(said)
    ]  # the statement that failed stands before it, and may be long
    return f"the server does not take it: {show_text(errors[-1] if errors else said[-300:], 300) or done.exit_code}"


FORMAT = Format(place=place, guide=guide, try_out=try_out)
