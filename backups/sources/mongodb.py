"""All databases of a MongoDB replica set, with the changes made meanwhile, as one archive of mongodump.

    [[backup.source]]
    id = "portal-mongo"
    kind = "mongodb"
    class = "content"
    host = "127.0.0.1"
    user = "backup"
    password = { file = "/etc/portalops/mongodb.password" }

The stream `archive` is what `mongodump --archive --oplog` prints: mongorestore brings it to the moment at which the dump ended.
That needs a replica set, if only of one member, the whole server, and an account with the role `backup`; a standalone server
or mongos is refused by mongodump. Transactions over several shards are not covered. The archive is read while it goes by: it
counts only if every collection and the oplog end in it, and the documents of each collection are counted.

The password goes into a file that only this user can read, and that is gone when the source is done. With `ssh = { ... }` as
for `command`, mongodump runs on that host and is given the password on standard input, where it asks for one.

Not tried against a server, which could not be had: arguments and the archive's format are from the manual and the source of the
MongoDB Database Tools.
"""

from __future__ import annotations

import json
import os
from collections.abc import Sequence
from pathlib import Path

from pydantic import Field, StrictInt

from backups.formats._mongo_archive import ArchiveReader
from backups.sources import SourceKind
from backups.sources._counting import CountingWriter
from backups.sources._private import private_file
from backups.sources._program import Program, program_lack, reached, stream_program
from backups.sources._settings import (
    BackupSourceTraits,
    ConfiguredSource,
    HostSettings,
    SourceContext,
    unavailable,
)
from portalops.config.secrets import SecretReference
from portalops.config.tables import KindTable
from portalops.config.values import Text
from portalops.model.backups import TableRows
from portalops.model.message import msg
from portalops.model.text import show_text
from portalops.ports import StreamOpener


class Settings(HostSettings):
    """`kind = "mongodb"`."""

    program: Text = Field(default="mongodump", description="The program mongodump.")
    host: Text = Field(default="127.0.0.1", description="The server, or SET/HOST1,HOST2 for a replica set.")
    port: StrictInt | None = Field(default=None, ge=1, le=65535, description="The server's port.")
    user: Text | None = Field(default=None, description="The account; it needs the role backup.")
    password: SecretReference | None = Field(default=None, description="The account's password.")
    authentication_database: Text = Field(default="admin", description="The database that knows the account.")
    tls: bool = Field(default=False, description="Whether the connection is encrypted.")
    idle_seconds: StrictInt = Field(default=300, ge=1, description="How long mongodump may print nothing.")


def build(table: KindTable, context: SourceContext) -> MongodbSource:
    """Return the source that a configuration table describes."""
    del context
    settings = table.parse(Settings)
    return MongodbSource(BackupSourceTraits(table.id, table.kind, settings.data_class), settings)


def dump_command(settings: Settings, options: str | None) -> tuple[str, ...]:
    """Return the command that prints the archive; a password stands in the file of options alone."""
    return (
        settings.program,
        *(() if options is None else (f"--config={options}",)),
        f"--host={settings.host}",
        *(() if settings.port is None else (f"--port={settings.port}",)),
        *(
            ()
            if settings.user is None
            else (f"--username={settings.user}", f"--authenticationDatabase={settings.authentication_database}")
        ),
        *(("--ssl",) if settings.tls else ()),
        "--oplog",
        "--archive",  # without a file's name: standard output
    )


def options_text(password: str) -> bytes:
    """Return mongodump's file of options, which is YAML: a string of JSON is one of YAML, whatever is in it."""
    return f"password: {json.dumps(password)}\n".encode()


class MongodbSource(ConfiguredSource):
    """One replica set."""

    def __init__(self, traits: BackupSourceTraits, settings: Settings) -> None:
        super().__init__(traits)
        self._settings = settings

    def places(self) -> Sequence[Path]:
        return ()

    def write(self, opener: StreamOpener) -> None:
        settings = self._settings
        with reached(self.id):
            password = None if settings.password is None else settings.password.reveal(os.environ)
        if password is None or settings.ssh is not None:
            self._dump(opener, None, b"" if password is None else f"{password}\n".encode())
            return
        with private_file(self.id, options_text(password)) as options:
            self._dump(opener, str(options), b"")

    def _dump(self, opener: StreamOpener, options: str | None, given: bytes) -> None:
        settings = self._settings
        program = Program(
            dump_command(settings, options),
            idle_seconds=settings.idle_seconds,
            minimum_bytes=settings.minimum_bytes,
            host=settings.ssh,
            given=given,
        )
        archive = ArchiveReader()
        with opener.stream("archive", format="mongodb-archive") as out:
            stream_program(self.id, program, CountingWriter(out, archive))
            if problem := archive.verdict():
                raise unavailable(
                    self.id,
                    msg("the archive is incomplete: {problem}", problem=show_text(problem)),
                    msg("Run mongodump by hand with --oplog --archive=FILE, and read its messages."),
                )
            for name, count in archive.documents.items():
                out.add_rows(TableRows(show_text(name), count))


SOURCE = SourceKind(settings=Settings, build=build, lacking=lambda settings: program_lack(settings.program))
