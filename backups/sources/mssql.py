"""Databases of Microsoft SQL Server, by its own BACKUP, asked for by sqlcmd.

    [[backup.source]]
    id = "portal-mssql"
    kind = "mssql"
    class = "content"
    program = "/opt/mssql-tools18/bin/sqlcmd"
    server = "tcp:127.0.0.1,1433"
    user = "backup"
    password = { file = "/etc/portalops/mssql.password" }
    databases = ["Portal", "master"]
    server_folder = "/var/opt/mssql/portalops"
    trust_certificate = true

The server itself writes the backup, into `server_folder` on its own host. It is read from there, so this host must see that
folder: as it is, or as `folder` if it is mounted elsewhere; and this user must be able to read and remove what the server's user
writes. Each file is removed when it was read. Logins are in the database `master`: list it. With `ssh = { ... }` as for `command`,
sqlcmd runs on that host, and the file is read and removed there; the password is given on standard input, and is sqlcmd's
variable SQLCMDPASSWORD.

BACKUP runs WITH CHECKSUM, which fails on a page that is damaged, and COPY_ONLY, which leaves the differential backups of others
alone; then RESTORE VERIFYONLY reads the file again. A backup counts only if sqlcmd ends with exit code 0 and the server says
that it processed the database and that the file is valid. That does not check the structure of the data: DBCC CHECKDB does.

Not tried against a server, which could not be had: the words that are looked for are those of captured output.
"""

from __future__ import annotations

import os
import re
import secrets
from collections.abc import Sequence
from pathlib import Path

from pydantic import Field, StrictInt

from backups.sources import SourceKind
from backups.sources._program import NEUTRAL, Program, reached, runner_on, stream_program
from backups.sources._settings import (
    BackupSourceTraits,
    ConfiguredSource,
    HostSettings,
    SourceContext,
    cause_of,
    require_floor,
    unavailable,
)
from backups.sources.sqlite import read_into
from portalops.config.secrets import SecretReference
from portalops.config.tables import KindTable, LocalPath
from portalops.config.values import Text
from portalops.errors import HostUnreachable
from portalops.model.message import msg
from portalops.model.text import show_text
from portalops.ports import Completed, Runner, StreamOpener, StreamWriter

_PROCESSED = re.compile(r"^BACKUP DATABASE successfully processed \d+ pages in ", re.MULTILINE)
_VALID = re.compile(r"^The backup set on file 1 is valid\.", re.MULTILINE)
_ERROR = re.compile(r"^Msg \d+, Level (?:1[1-9]|2\d),.*$", re.MULTILINE)


class Settings(HostSettings):
    """`kind = "mssql"`."""

    program: Text = Field(default="sqlcmd", description="The program sqlcmd.")
    server: Text = Field(default="tcp:127.0.0.1,1433", description="The server, as sqlcmd takes it.")
    user: Text = Field(description="The login; it needs the role db_backupoperator on each database.")
    password: SecretReference = Field(description="The login's password.")
    databases: tuple[Text, ...] = Field(min_length=1, description="Databases to back up.")
    server_folder: Text = Field(description="Folder for the backups, as the server names it.")
    folder: LocalPath | None = Field(default=None, description="The same folder as this host sees it, if that differs.")
    trust_certificate: bool = Field(default=False, description="Whether the server's certificate is not checked.")
    deadline_seconds: StrictInt = Field(default=14400, ge=1, description="How long one backup may take.")


def build(table: KindTable, context: SourceContext) -> MssqlSource:
    """Return the source that a configuration table describes."""
    del context
    settings = table.parse(Settings)
    return MssqlSource(BackupSourceTraits(table.id, table.kind, settings.data_class), settings)


def backup_command(settings: Settings, database: str, file: str) -> tuple[str, ...]:
    """Return the command that makes the server write one backup, and read it again."""
    disk = f"DISK = N'{file.replace(chr(39), chr(39) * 2)}'"
    name = database.replace("]", "]]")
    sql = (
        "SET LANGUAGE us_english; "  # the words that are looked for
        f"BACKUP DATABASE [{name}] TO {disk} WITH CHECKSUM, COPY_ONLY, FORMAT, INIT, STATS = 10; "
        f"RESTORE VERIFYONLY FROM {disk} WITH CHECKSUM;"
    )
    trust = ("-C",) if settings.trust_certificate else ()
    # -b: an error ends sqlcmd with an exit code. -x: no $(variables) in the text. -X1: no commands to the system.
    return (
        settings.program,
        "-S",
        settings.server,
        "-U",
        settings.user,
        *trust,
        "-d",
        "master",
        "-b",
        "-x",
        "-X1",
        "-Q",
        sql,
    )


def explain_failure(done: Completed) -> str:
    """Return why a backup does not count, from what sqlcmd left behind; empty if it does."""
    said = done.stdout.decode("utf-8", "replace").replace("\r\n", "\n")
    whole = " ".join((said + done.stderr.decode("utf-8", "replace")).split())
    if done.exit_code or done.truncated or _ERROR.search(said):
        return f"sqlcmd ended with exit code {done.exit_code}: {whole[-300:] or '-'}"
    if not _PROCESSED.search(said):
        return f"the server does not say that it backed up: {whole[-300:] or '-'}"
    if not _VALID.search(said):
        return f"the server does not say that the file is valid: {whole[-300:]}"
    return ""


def stream_name(database: str, number: int) -> str:
    """Return the name of a database's stream: letters, digits and hyphens, and different for each place in the list."""
    plain = re.sub(r"[^a-z0-9]+", "-", database.lower()).strip("-")[:40]
    return "-".join(filter(None, ("db", str(number), plain)))


class MssqlSource(ConfiguredSource):
    """Databases of one server."""

    def __init__(self, traits: BackupSourceTraits, settings: Settings) -> None:
        super().__init__(traits)
        self._settings = settings

    def places(self) -> Sequence[Path]:
        return ()

    def write(self, opener: StreamOpener) -> None:
        settings = self._settings
        with reached(self.id):
            runner = runner_on(settings.ssh, NEUTRAL, {"SQLCMDPASSWORD": settings.password.reveal(os.environ)})
            for number, database in enumerate(settings.databases, 1):
                self._dump(opener, runner, database, stream_name(database, number))

    def _dump(self, opener: StreamOpener, runner: Runner, database: str, stream: str) -> None:
        settings = self._settings
        name = f"portalops-{secrets.token_hex(8)}.bak"
        local = (settings.folder or Path(settings.server_folder)) / name
        with opener.stream(stream, format="mssql-bak") as out:
            try:
                done = runner.run(
                    backup_command(settings, database, _joined(settings.server_folder, name)),
                    timeout_seconds=settings.deadline_seconds,
                )
                if problem := explain_failure(done):
                    raise unavailable(
                        self.id,
                        msg(
                            "database {database}: {problem}",
                            database=show_text(database),
                            problem=show_text(problem, 400),
                        ),
                        msg("Run the BACKUP by hand with this login, and read the server's messages."),
                    )
                begun = out.position
                self._read(local, out)
                require_floor(self.id, out.position - begun, settings.minimum_bytes)
            except OSError as error:
                raise unavailable(
                    self.id,
                    msg(
                        "the server's file {path} cannot be read: {cause}",
                        path=show_text(str(local)),
                        cause=cause_of(error),
                    ),
                    msg("Let this user read the server's folder, or set 'folder' to its path on this host."),
                ) from error
            finally:
                self._remove(local)

    def _read(self, path: Path, out: StreamWriter) -> None:
        host = self._settings.ssh
        if host is not None:
            stream_program(self.id, Program(("cat", "--", str(path)), host=host), out)
            return
        descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
        try:
            read_into(out, descriptor)
        finally:
            os.close(descriptor)

    def _remove(self, path: Path) -> None:
        """Remove the server's file: it is the database in clear."""
        host = self._settings.ssh
        try:
            if host is None:
                path.unlink(missing_ok=True)
            elif (done := runner_on(host).run(("rm", "-f", "--", str(path)))).exit_code:
                raise OSError(done.exit_code, done.stderr.decode("utf-8", "replace").strip())  # noqa: TRY301  # told below
        except (OSError, HostUnreachable) as error:
            raise unavailable(
                self.id,
                msg(
                    "the server's file {path} cannot be removed: {cause}",
                    path=show_text(str(path)),
                    cause=cause_of(error) if isinstance(error, OSError) else error.message,
                ),
                msg(
                    "Remove the file: it is the unencrypted database. Then let this user write to the server's folder."
                ),
            ) from error


def _joined(folder: str, name: str) -> str:
    """Return a path as the server writes it, on Windows or elsewhere."""
    sign = "\\" if "\\" in folder else "/"
    return f"{folder.rstrip(sign)}{sign}{name}"


SOURCE = SourceKind(settings=Settings, build=build)
