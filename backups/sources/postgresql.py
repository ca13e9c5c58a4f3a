"""PostgreSQL databases, each as `pg_dump` sees it at one moment, and what all of them share.

    [[backup.source]]
    id = "portal-db"
    kind = "postgresql"
    class = "content"
    host = "db1.example.vn"
    user = "backup"
    password = { file = "/etc/portalops/db.password" }
    databases = ["portal", "forum"]
    minimum_bytes = 1000000

Each database becomes a stream of its own: `pg_dump --format=custom --compress=0`, for sets compress better. `psql` holds the
snapshot that the dump is taken in and counts the rows of each table in it meanwhile, so that a restored copy can be compared.
The stream `globals` is `pg_dumpall --globals-only`: roles, memberships, settings of roles, tablespaces. Without `databases`,
all that can be connected to are dumped, templates aside. One that cannot be dumped makes the set incomplete; the others are
kept. `minimum_bytes` is of all dumps together.

The role needs `pg_read_all_data` (PostgreSQL 14 or later), rights of its own to large objects, which that does not give,
BYPASSRLS where there are row policies, and, for the passwords in `globals`, to be a superuser; with `role_passwords = false` it
need not be. A replica can be dumped from, too (PostgreSQL 10 or
later): what is in unlogged tables is not there, and one that is more than `replica_lag_seconds` behind is refused. Anything
else that libpq knows can be said in a service of `pg_service.conf`.

With `ssh = { ... }` as for `command`, the programs run on that host, whose sockets and files are meant then. No file is made
there: a `password` is given on the programs' standard input and is their variable PGPASSWORD; a `passfile` is one of that host.

A dump counts only with exit code 0 and with its format's end: the custom one ends with a block of no bytes, the globals with
`PostgreSQL database cluster dump complete`. Neither proves that it can be restored; a drill does.
"""

from __future__ import annotations

import logging
import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Literal

from pydantic import Field, StrictBool, StrictInt, model_validator

from backups.postgresql import (
    COUNT_GLOBALS,
    CUSTOM,
    GLOBALS,
    PostgresqlVersion,
    counted,
    fitting,
    installations,
    installations_there,
    read_error,
)
from backups.sources import SourceKind
from backups.sources._postgresql import (
    ASK_SERVER,
    DUMP_END,
    GLOBALS_END,
    GLOBALS_NAME,
    REPLICA_HINT,
    SnapshotHolder,
    Stopped,
    dump_command,
    globals_command,
    hint_for,
    passfile_line,
    psql_command,
    stream_names,
)
from backups.sources._private import private_file
from backups.sources._program import Program, neutral, reached, runner_on, stream_program
from backups.sources._settings import (
    BackupSourceTraits,
    ConfiguredSource,
    HostSettings,
    SourceContext,
    require_floor,
    unavailable,
)
from portalops.config.secrets import SecretReference, check_private_file
from portalops.config.ssh import SshPlace
from portalops.config.tables import KindTable, LocalPath
from portalops.config.values import RefusedValue, Text
from portalops.errors import SourceUnavailable
from portalops.json_text import read_json
from portalops.model.backups import TableRows
from portalops.model.message import Message, msg, nmsg
from portalops.model.text import show_text
from portalops.ports import Completed, Runner, StreamOpener, StreamWriter

logger = logging.getLogger(__name__)

CONNECT_SECONDS = 30
"""Without it libpq waits without end for a server that drops packets."""
GLOBALS_BYTES = 256 << 20
"""What is kept in memory of them at most; a role takes about a hundred bytes."""

SslMode = Literal["disable", "allow", "prefer", "require", "verify-ca", "verify-full"]


class Settings(HostSettings):
    """`kind = "postgresql"`."""

    host: Text | None = Field(default=None, description="Server, or the folder of its socket; without it, libpq's own.")
    port: StrictInt | None = Field(default=None, ge=1, le=65535, description="Port of the server.")
    user: Text | None = Field(default=None, description="Role to connect as.")
    password: SecretReference | None = Field(default=None, description="The role's password.")
    passfile: LocalPath | None = Field(default=None, description="A .pgpass file, instead of 'password'.")
    service: Text | None = Field(default=None, description="A service of pg_service.conf, for all else.")
    service_file: LocalPath | None = Field(default=None, description="Another pg_service.conf.")
    sslmode: SslMode | None = Field(default=None, description="verify-full for a server on another machine.")
    ca_file: LocalPath | None = Field(
        default=None, description="PEM certificates that the server's is checked against."
    )
    databases: tuple[Text, ...] | None = Field(default=None, min_length=1, description="Without it, all databases.")
    maintenance_database: Text = Field(default="postgres", description="Database to ask for the list of databases.")
    role_passwords: StrictBool = Field(default=True, description="False leaves out what only a superuser may read.")
    replica_lag_seconds: StrictInt = Field(default=3600, ge=0, description="How far a replica may be behind.")
    idle_seconds: StrictInt = Field(default=300, ge=1, description="How long a program may print nothing.")
    programs: LocalPath | None = Field(default=None, description="Folder of psql, pg_dump and pg_dumpall.")

    @model_validator(mode="after")
    def _one_password(self) -> Settings:
        if self.password is not None and self.passfile is not None:
            raise RefusedValue(
                msg("names both a password and a passfile"), msg("Keep one of the two."), shows_value=False
            )
        return self


def build(table: KindTable, context: SourceContext) -> PostgresqlSource:
    """Return the source that a configuration table describes."""
    del context
    settings = table.parse(Settings)
    return PostgresqlSource(BackupSourceTraits(table.id, table.kind, settings.data_class), settings)


@dataclass(frozen=True, slots=True)
class Server:
    """What a server says of itself."""

    major: int
    is_replica: bool
    lag_seconds: float | None
    """How far a replica is behind; None if nobody knows."""
    databases: tuple[str, ...]
    """Those that can be connected to, templates aside."""


@dataclass(frozen=True, slots=True)
class PostgresqlAccess:
    """Where PostgreSQL's programs run, and what says how they connect."""

    variables: Mapping[str, str]
    host: SshPlace | None = None
    """None for here."""
    secrets: Mapping[str, str] = field(default_factory=dict, repr=False)

    def runner(self, **more: str) -> Runner:
        """Return what runs short programs; more variables by name."""
        return runner_on(self.host, {**self.variables, **more}, self.secrets)

    def program(self, argv: tuple[str, ...], idle_seconds: int, **more: str) -> Program:
        """Return a program whose output is streamed."""
        variables = {**self.variables, **more}
        return Program(argv, environment=variables, idle_seconds=idle_seconds, host=self.host, secrets=self.secrets)


class PostgresqlSource(ConfiguredSource):
    """The databases of one server."""

    def __init__(self, traits: BackupSourceTraits, settings: Settings) -> None:
        super().__init__(traits)
        self._settings = settings

    def places(self) -> Sequence[Path]:
        return ()

    def write(self, opener: StreamOpener) -> None:
        with reached(self.id), self._access() as access:
            self._write(opener, access)

    def ask(self) -> Message:
        with reached(self.id), self._access() as access:
            server = self._server(access)
            self._tools(access, server.major)
            self._require_fresh(server)
            for database in self._settings.databases or ():
                if database not in server.databases:
                    raise self._no_database(database, server)
        return nmsg(
            "PostgreSQL {version} with {n} database",
            "PostgreSQL {version} with {n} databases",
            len(server.databases),
            version=server.major,
        )

    def _write(self, opener: StreamOpener, access: PostgresqlAccess) -> None:
        settings = self._settings
        server = self._server(access)
        tools = self._tools(access, server.major)
        self._require_fresh(server)
        shared, counts = self._globals(tools, access)  # first: it fails at once where rights are missing
        failed: list[str] = []
        first: SourceUnavailable | None = None
        size = 0
        names = tuple(dict.fromkeys(settings.databases or server.databases))
        for database, stream in zip(names, stream_names(names), strict=True):
            try:
                if database not in server.databases:
                    raise self._no_database(database, server)
                size += self._dump(opener, tools, access, server, database=database, stream=stream)
            except SourceUnavailable as error:
                logger.info("database %s failed: %s", show_text(database), error)
                first = first or error
                failed.append(f"database {database}: {error.message.values.get('cause', error)}")
        if first is not None and len(failed) == len(names):
            raise first
        require_floor(self.id, size, settings.minimum_bytes)
        with opener.stream(GLOBALS_NAME, format=GLOBALS) as out:
            out.write(shared)
            for rows in counts:
                out.add_rows(rows)
            for line in failed:
                out.add_unread(line)

    def _server(self, access: PostgresqlAccess) -> Server:
        newest = self._installed("psql", access)[-1]
        answer = self._ask(newest, access, ASK_SERVER)
        try:
            found = read_json(answer)
            return Server(
                int(found["version"]) // 10000,
                bool(found["replica"]),
                None if found["lag"] is None else float(found["lag"]),
                tuple(str(name) for name in found["databases"] or ()),
            )
        except (ValueError, KeyError, TypeError) as error:
            raise unavailable(
                self.id, msg("the server's answer cannot be parsed: {said}", said=show_text(answer))
            ) from error

    def _ask(self, tools: PostgresqlVersion, access: PostgresqlAccess, query: str) -> str:
        """Return what psql prints for a query in the maintenance database."""
        argv = psql_command(tools, self._settings.maintenance_database)
        done = access.runner(PGCLIENTENCODING="UTF8").run(
            argv, stdin=query.encode(), timeout_seconds=self._settings.idle_seconds
        )
        if done.exit_code:
            raise self._ended(argv[0], done)
        return done.stdout.decode("utf-8", "surrogateescape")

    def _installed(self, program: str, access: PostgresqlAccess) -> tuple[PostgresqlVersion, ...]:
        look = installations if access.host is None else installations_there
        found = look(program, access.runner(), self._settings.programs)
        if not found:
            host = access.host
            raise unavailable(
                self.id,
                msg("PostgreSQL's {program} is not installed on this machine", program=program)
                if host is None
                else msg("PostgreSQL's {program} is not installed on {host}", program=program, host=host.host),
                msg("Install PostgreSQL's client programs, or set 'programs' to their folder."),
            )
        return found

    def _tools(self, access: PostgresqlAccess, major: int) -> PostgresqlVersion:
        installed = self._installed("pg_dump", access)
        tools = fitting(installed, major)
        if tools is None:
            raise unavailable(
                self.id,
                msg(
                    "pg_dump of PostgreSQL {client} is older than the server, PostgreSQL {server}",
                    client=installed[-1].major,
                    server=major,
                ),
                msg(
                    "Install the client programs of PostgreSQL {server} or later: an older pg_dump cannot dump "
                    "everything.",
                    server=major,
                ),
            )
        return tools

    def _require_fresh(self, server: Server) -> None:
        if not server.is_replica:
            return
        lag, limit = server.lag_seconds, self._settings.replica_lag_seconds
        if lag is None:
            raise unavailable(
                self.id, msg("the replica receives no data, and the age of its data is unknown"), REPLICA_HINT
            )
        if lag > limit:
            raise unavailable(
                self.id,
                msg(
                    "the replica is {seconds} s behind, but at most {limit} s are allowed",
                    seconds=int(lag),
                    limit=limit,
                ),
                REPLICA_HINT,
            )

    def _globals(self, tools: PostgresqlVersion, access: PostgresqlAccess) -> tuple[bytes, tuple[TableRows, ...]]:
        """Return what all databases share, and how much it is; the counts only if they held all the while."""
        settings = self._settings
        argv = globals_command(tools, settings.maintenance_database, role_passwords=settings.role_passwords)
        before = self._ask(tools, access, COUNT_GLOBALS)
        done = access.runner().run(argv, timeout_seconds=settings.idle_seconds, limit_bytes=GLOBALS_BYTES)
        if done.exit_code:
            raise self._ended(argv[0], done)
        if not done.stdout.rstrip().endswith(GLOBALS_END.encode()):
            raise unavailable(self.id, msg("the output does not end with {trailer}", trailer=repr(GLOBALS_END)))
        after = self._ask(tools, access, COUNT_GLOBALS)
        rows = tuple(each for line in after.splitlines() if (each := counted(line)) is not None)
        return done.stdout, rows if before == after else ()

    def _dump(
        self,
        opener: StreamOpener,
        tools: PostgresqlVersion,
        access: PostgresqlAccess,
        server: Server,
        *,
        database: str,
        stream: str,
    ) -> int:
        """Dump one database and return how many bytes that were."""
        settings = self._settings
        argv = psql_command(tools, database)
        # The encoding is not for pg_dump, whose dump it would recode.
        session = access.program(argv, settings.idle_seconds, PGCLIENTENCODING="UTF8")
        with opener.stream(stream, format=CUSTOM) as out:
            try:
                with SnapshotHolder(self.id, session) as holder:
                    snapshot = holder.begin()
                    dump = dump_command(tools, database, snapshot, is_replica=server.is_replica)
                    program = replace(access.program(dump, settings.idle_seconds), trailer=DUMP_END)
                    try:
                        self._run(program, out)
                    except SourceUnavailable:
                        holder.require_alive()  # without it, pg_dump finds no snapshot: that is not what is wrong
                        raise
                    for rows in holder.counts():
                        out.add_rows(rows)
            except Stopped as stopped:
                raise self._ended(argv[0], stopped.done) from stopped
            for table in holder.left_out:
                out.add_skipped(f"{database}: {table}: an unlogged table has no rows on a replica")
            return out.position

    def _run(self, program: Program, out: StreamWriter) -> None:
        try:
            stream_program(self.id, program, out)
        except SourceUnavailable as error:
            raise SourceUnavailable(error.message, hint_for(str(error)) or error.hint) from error

    def _ended(self, program: str, done: Completed) -> SourceUnavailable:
        if done.exit_code == 124:
            return unavailable(
                self.id,
                msg("{program} printed nothing for {seconds} s", program=program, seconds=self._settings.idle_seconds),
            )
        return unavailable(
            self.id,
            msg(
                "{program} ended with exit code {exit_code}: {said}",
                program=program,
                exit_code=done.exit_code,
                said=read_error(done),
            ),
            hint_for(read_error(done)),
        )

    def _no_database(self, database: str, server: Server) -> SourceUnavailable:
        return unavailable(
            self.id,
            msg("there is no database {name}", name=show_text(database, 80)),
            msg("The server has: {names}.", names=show_text(", ".join(server.databases), 300) or msg("none")),
        )

    @contextmanager
    def _access(self) -> Iterator[PostgresqlAccess]:
        """Give what says how to connect; a password is in a private file here, which is gone after the block."""
        settings = self._settings
        variables = connection_variables(settings, os.environ if settings.ssh is None else {})
        if settings.passfile is not None:
            if settings.ssh is None:
                check_private_file(settings.passfile)  # libpq itself would only pass it over
            yield PostgresqlAccess({**variables, "PGPASSFILE": str(settings.passfile)}, settings.ssh)
        elif settings.password is None:
            yield PostgresqlAccess(variables, settings.ssh)
        elif settings.ssh is not None:
            yield PostgresqlAccess(variables, settings.ssh, {"PGPASSWORD": settings.password.reveal(os.environ)})
        else:
            line = passfile_line(settings.password.reveal(os.environ))
            with private_file(self.id, line.encode()) as path:
                yield PostgresqlAccess({**variables, "PGPASSFILE": str(path)})


def connection_variables(settings: Settings, environment: Mapping[str, str]) -> dict[str, str]:
    """Return a program's whole environment: libpq's variables for the settings, and nothing that changes its words."""
    given = {
        "PGHOST": settings.host,
        "PGPORT": settings.port,
        "PGUSER": settings.user,
        "PGSERVICE": settings.service,
        "PGSERVICEFILE": settings.service_file,
        "PGSSLMODE": settings.sslmode,
        "PGSSLROOTCERT": settings.ca_file,
    }
    return {
        **neutral(environment),
        "PGAPPNAME": "portalops",
        "PGCONNECT_TIMEOUT": str(CONNECT_SECONDS),
        **{name: str(value) for name, value in given.items() if value is not None},
    }


SOURCE = SourceKind(settings=Settings, build=build)
