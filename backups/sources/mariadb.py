"""Databases of MariaDB or MySQL, each as one stream, and the accounts with their rights as another.

    [[backup.source]]
    id = "portal-db"
    kind = "mariadb"
    class = "content"
    databases = ["portal"]
    user = "backup"
    password = { file = "/etc/portalops/mariadb.password" }

Without `databases`, all that the account sees are dumped, those of the server itself left out; without `user`, the account
of the operating system's user is taken, as the server's socket knows it. `program = "mysqldump"` is for MySQL. The account
needs SELECT, SHOW VIEW, TRIGGER and EVENT on the databases, and SELECT on `mysql.*`; what it could not see is named, and the
set is then incomplete.

Each database is dumped in one transaction, with routines, events and triggers; a database of its own moment each. A dump
counts only if the program ends with exit code 0 and the dump with its trailer. The rows of each table are counted in the
dump itself, because the server cannot give its snapshot to a second connection. Tables whose engine has no transactions, such
as MyISAM, are not of the snapshot: their checksums before and after the dump tell whether they changed meanwhile. If a table
is altered during the dump, the server ends it with error 1412 and the source fails.

The password goes into a file that only this user can read, and that is gone when the source is done. With `ssh = { ... }` as
for `command`, the programs run on that host, whose socket and paths are meant then; no file is made there: the password is
given on the programs' standard input, and is their variable MYSQL_PWD.

Tried with MariaDB 11.8. MySQL's own programs could not be had: what is said for `mysqldump` of MySQL is from its manual, and
was not tried against a server of MySQL.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from pydantic import Field, StrictInt, model_validator

from backups.formats._sql_head import head_of, quoted
from backups.sources import SourceKind
from backups.sources._counting import CountingWriter
from backups.sources._mariadb import (
    ELSEWHERE,
    SYSTEM_DATABASES,
    Flavour,
    MariadbTable,
    client_command,
    doubts,
    dump_command,
    flavour_of,
    missing_rights,
    no_file,
    option_file,
    stream_name,
    users_command,
)
from backups.sources._private import private_file
from backups.sources._program import Program, program_lack, reached, runner_on, stream_program
from backups.sources._settings import (
    BackupSourceTraits,
    ConfiguredSource,
    HostSettings,
    SourceContext,
    unavailable,
)
from backups.sources._sql_rows import RowCounter
from portalops.config.secrets import SecretReference
from portalops.config.tables import KindTable, LocalPath
from portalops.config.values import RefusedValue, Text
from portalops.model.backups import TableRows
from portalops.model.message import Message, msg, nmsg
from portalops.model.text import show_text
from portalops.ports import StreamOpener, StreamWriter

TRAILER = "-- Dump completed"
USERS = "users"
"""The stream of accounts; those of databases begin with `db-`."""
QUERY_SECONDS = 3600.0
"""How long a question to the server may take; a checksum reads a whole table."""


class Settings(HostSettings):
    """`kind = "mariadb"`."""

    program: Text = Field(default="mariadb-dump", description="The dump program; mysqldump for MySQL.")
    client: Text | None = Field(
        default=None, description="The client program; without it, mariadb or mysql beside the dump program."
    )
    databases: tuple[Text, ...] = Field(
        default=(), description="Databases to dump; without it, all but the server's own."
    )
    user: Text | None = Field(default=None, description="The account; without it, the one of this user.")
    password: SecretReference | None = Field(default=None, description="The account's password.")
    host: Text | None = Field(default=None, description="The server's host, for a connection over the network.")
    port: StrictInt | None = Field(default=None, ge=1, le=65535, description="The server's port.")
    socket: LocalPath | None = Field(default=None, description="The server's socket, if it is not the usual one.")
    users: bool = Field(default=True, description="Whether accounts, roles and grants are dumped too.")
    idle_seconds: StrictInt = Field(default=300, ge=1, description="How long the dump program may print nothing.")

    @model_validator(mode="after")
    def _one_way(self) -> Settings:
        if self.socket is not None and self.host is not None:
            raise RefusedValue(msg("names both a host and a socket"), msg("Remove one of the two."), shows_value=False)
        return self

    @property
    def client_program(self) -> str:
        """The client that goes with the dump program."""
        folder, name = os.path.split(self.program)
        return self.client or os.path.join(folder, "mysql" if name.startswith("mysql") else "mariadb")


def build(table: KindTable, context: SourceContext) -> MariadbSource:
    """Return the source that a configuration table describes."""
    del context
    settings = table.parse(Settings)
    return MariadbSource(BackupSourceTraits(table.id, table.kind, settings.data_class), settings)


class MariadbSource(ConfiguredSource):
    """Databases of one server."""

    def __init__(self, traits: BackupSourceTraits, settings: Settings) -> None:
        super().__init__(traits)
        self._settings = settings

    def places(self) -> Sequence[Path]:
        return ()

    def write(self, opener: StreamOpener) -> None:
        with reached(self.id), self._options() as options:
            server = _Server(self.id, self._settings, options, self._secrets())
            flavour = server.flavour()
            databases = self._chosen(server.databases())
            grants = server.grants()
            for database in databases:
                self._dump(opener, server, flavour, database, grants)
            if self._settings.users:
                self._dump_users(opener, server, flavour)

    def ask(self) -> Message:
        with reached(self.id), self._options() as options:
            server = _Server(self.id, self._settings, options, self._secrets())
            server.flavour()
            chosen = self._chosen(server.databases())
            server.grants()
        return nmsg(
            "a server of MariaDB or MySQL with {n} database to be backed up",
            "a server of MariaDB or MySQL with {n} databases to be backed up",
            len(chosen),
        )

    def _chosen(self, present: Sequence[_Database]) -> list[_Database]:
        """Return the databases to dump."""
        by_name = {database.name: database for database in present}
        wanted = self._settings.databases or sorted(set(by_name) - SYSTEM_DATABASES)
        absent = [name for name in wanted if name not in by_name]
        if absent or not wanted:
            raise unavailable(
                self.id,
                msg("the account sees no database {database}", database=show_text(", ".join(absent) or "-", 200)),
                msg("List what the account may see: mariadb --execute 'SHOW DATABASES; SHOW GRANTS'"),
            )
        return [by_name[name] for name in wanted]

    def _dump(
        self, opener: StreamOpener, server: _Server, flavour: Flavour, database: _Database, grants: Sequence[str]
    ) -> None:
        head = head_of(database.name, database.charset, database.collation)
        if head is None:
            raise unavailable(
                self.id,
                msg(
                    "the name of database {database} has characters that cannot be printed",
                    database=show_text(database.name),
                ),
                msg("Rename the database, or back it up with a source of the kind 'command'."),
            )
        tables = server.tables(database.name)
        has_history = any(table.type == "SYSTEM VERSIONED" for table in tables)
        unsafe = [table.name for table in tables if table.has_rows_here and not table.is_transactional]
        before = server.checksums(database.name, unsafe)
        counter = RowCounter()
        with opener.stream(stream_name(database.name), format=flavour.format) as out:
            out.write(head)
            command = dump_command(
                self._settings.program,
                server.options,
                flavour,
                database.name,
                with_history=has_history and flavour.keeps_history(),
            )
            self._stream(command, CountingWriter(out, counter), self._settings.minimum_bytes)
            for name, rows in sorted(counter.rows.items()):
                out.add_rows(TableRows(show_text(name, 200), rows))
            for line in _limits(tables, counter.rows, flavour):
                out.add_unread(f"{database.name}: {line}")
            for line in missing_rights(grants, database.name, flavour):
                out.add_unread(f"{database.name}: {line}")
            for line in doubts(tables, before, server.checksums(database.name, unsafe)):
                out.add_changed(f"{database.name}: {line}")
            for table in tables:
                if table.engine.upper() in ELSEWHERE:
                    out.add_skipped(f"{database.name}: the rows of {table.name} ({table.engine}), which lie elsewhere")

    def _dump_users(self, opener: StreamOpener, server: _Server, flavour: Flavour) -> None:
        with opener.stream(USERS, format=flavour.format) as out:
            if flavour.mariadb is None:
                statements = server.account_statements()
                out.write("".join(f"{each};\n" for each in statements).encode() + TRAILER.encode() + b"\n")
            else:
                self._stream(users_command(self._settings.program, server.options), out, 1)

    def _stream(self, command: tuple[str, ...], out: StreamWriter, minimum_bytes: int) -> None:
        program = Program(
            command,
            idle_seconds=self._settings.idle_seconds,
            minimum_bytes=minimum_bytes,
            trailer=TRAILER,
            host=self._settings.ssh,
            secrets=self._secrets(),
        )
        stream_program(self.id, program, out)

    def _secrets(self) -> dict[str, str]:
        """Return what the programs are given on another host; here it stands in their file."""
        settings = self._settings
        if settings.ssh is None or settings.password is None:
            return {}
        return {"MYSQL_PWD": settings.password.reveal(os.environ)}

    @contextmanager
    def _options(self) -> Iterator[tuple[str, ...]]:
        """Give the first arguments of the programs, which tell where the server is and who asks."""
        settings = self._settings
        values: dict[str, str | int | None] = {
            "user": settings.user,
            "host": settings.host,
            "port": settings.port,
            "socket": None if settings.socket is None else str(settings.socket),
            "protocol": "tcp" if settings.host else None,
        }
        if settings.ssh is not None:
            yield no_file(values)
            return
        password = None if settings.password is None else settings.password.reveal(os.environ)
        with private_file(self.id, option_file({**values, "password": password})) as path:
            yield (f"--defaults-file={path}",)


def _limits(tables: Sequence[MariadbTable], dumped: Mapping[str, int], flavour: Flavour) -> Iterator[str]:
    """Name what the dump program leaves out without a word."""
    for table in tables:
        if table.has_rows_here and table.name not in dumped:
            yield f"table {table.name} ({table.engine}) is not in the dump"
        elif table.engine.upper() == "S3":
            yield f"table {table.name}: the dump program leaves out tables of the engine S3"
        if table.type == "SYSTEM VERSIONED" and not flavour.keeps_history():
            yield f"table {table.name}: its history is not in the dump; a dump program of MariaDB 10.11 writes it"


@dataclass(frozen=True, slots=True)
class _Database:
    name: str
    charset: str
    collation: str


class _Server:
    """Asks a server, by its client program."""

    def __init__(
        self, source_id: str, settings: Settings, options: tuple[str, ...], secrets: Mapping[str, str]
    ) -> None:
        self._source_id = source_id
        self._program = settings.program
        self._command = client_command(settings.client_program, options)
        self._runner = runner_on(settings.ssh, None, secrets)
        self.options = options

    def flavour(self) -> Flavour:
        """Say which dump program it is."""
        return flavour_of(self._run((self._program, "--version")))

    def databases(self) -> list[_Database]:
        return [
            _Database(_text(name), charset, collation)
            for name, charset, collation in self._ask(
                "SELECT HEX(SCHEMA_NAME), DEFAULT_CHARACTER_SET_NAME, DEFAULT_COLLATION_NAME"
                " FROM information_schema.SCHEMATA ORDER BY SCHEMA_NAME"
            )
        ]

    def tables(self, database: str) -> list[MariadbTable]:
        return [
            MariadbTable(_text(name), kind, engine, is_transactional == "YES")
            for name, kind, engine, is_transactional in self._ask(
                "SELECT HEX(TABLE_NAME), TABLE_TYPE, IFNULL(t.ENGINE, ''), IFNULL(e.TRANSACTIONS, '')"
                " FROM information_schema.TABLES t LEFT JOIN information_schema.ENGINES e ON e.ENGINE = t.ENGINE"
                f" WHERE TABLE_SCHEMA = CONVERT(0x{database.encode().hex()} USING utf8mb4) ORDER BY TABLE_NAME"
            )
        ]

    def checksums(self, database: str, tables: Sequence[str]) -> dict[str, str | None]:
        """Return the checksum of each table; None where the server gives none."""
        if not tables:
            return {}
        names = ", ".join(f"{quoted(database)}.{quoted(table)}" for table in tables)
        sums = [row[-1] for row in self._ask(f"CHECKSUM TABLE {names}")]  # in the order that they were asked for
        if len(sums) != len(tables):
            return dict.fromkeys(tables)
        return {table: None if each == "NULL" else each for table, each in zip(tables, sums, strict=True)}

    def grants(self) -> list[str]:
        return [row[0] for row in self._ask("SHOW GRANTS")]

    def account_statements(self) -> list[str]:
        """Return the statements that make all accounts, and then those that grant, as SHOW prints them."""
        accounts = [
            f"'{name}'@'{host}'"
            for name, host in self._ask(
                "SELECT REPLACE(REPLACE(User, '\\\\', '\\\\\\\\'), '''', ''''''),"
                " REPLACE(Host, '''', '''''') FROM mysql.user ORDER BY User, Host"
            )
        ]
        # A hash of MySQL may hold any byte; MariaDB does not read this comment.
        shown = ["/*!80017 SET SESSION print_identified_with_as_hex = ON */"]
        for what in ("CREATE USER", "GRANTS FOR"):
            shown += [f"SHOW {what} {account}" for account in accounts]
        return [row[0] for row in self._ask(";\n".join(shown))]

    def _ask(self, sql: str) -> list[list[str]]:
        lines = self._run(self._command, stdin=f"{sql};\n".encode()).split("\n")[:-1]
        return [[_unescaped(cell) for cell in line.split("\t")] for line in lines]

    def _run(self, command: tuple[str, ...], *, stdin: bytes = b"") -> str:
        done = self._runner.run(command, stdin=stdin, timeout_seconds=QUERY_SECONDS, limit_bytes=64 << 20)
        if done.exit_code or done.truncated:
            said = show_text(" ".join(done.stderr.decode("utf-8", "replace").split())[-300:], 300)
            raise unavailable(
                self._source_id,
                msg(
                    "{program} ended with exit code {exit_code}: {said}",
                    program=show_text(command[0], 120),
                    exit_code=done.exit_code,
                    said=said or "-",
                ),
                msg(
                    "Check that the server is running and that this account may query it: mariadb --execute "
                    "'SHOW GRANTS'"
                ),
            )
        return done.stdout.decode("utf-8", "replace")


def _text(hexadecimal: str) -> str:
    return bytes.fromhex(hexadecimal).decode("utf-8", "replace")


def _unescaped(cell: str) -> str:
    """Undo what the client's `--batch` does to a cell."""
    signs = {"\\t": "\t", "\\n": "\n", "\\0": "\0", "\\\\": "\\"}
    out, at = "", 0
    while (found := cell.find("\\", at)) >= 0:
        pair = cell[found : found + 2]
        out += cell[at:found] + signs.get(pair, pair)
        at = found + 2
    return out + cell[at:]


SOURCE = SourceKind(settings=Settings, build=build, lacking=lambda settings: program_lack(settings.program))
