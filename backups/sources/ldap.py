"""All databases of OpenLDAP's slapd, dumped by slapcat while it runs: first its configuration, then each with its entries.

    [[backup.source]]
    id = "directory"
    kind = "ldap"
    class = "accounts"

The streams are `config` and `database-1`, `database-2` and so on, as slapcat numbers them; all attributes are in them, the
operational ones too. `config = "/etc/ldap/slapd.d"` names the configuration's folder if it is not the one that slapcat knows.
slapcat reads the databases' files, so it runs on slapd's own host (`ssh = { ... }` as for `command`, or here) as a user that
may read them. A database is dumped in one
transaction of its back end. LDIF has no trailer: that slapcat ended with exit code 0 tells that it is whole. The entries are
counted as they go by. Databases that show what lies elsewhere, such as `ldap` and `monitor`, are named as left out.

A slapd that is configured by slapd.conf has no configuration database: turn it into a folder with slaptest, or back up the file
by the kind `files` and each database by the kind `command`.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from pydantic import Field, StrictInt

from backups.sources import SourceKind
from backups.sources._counting import CountingWriter
from backups.sources._program import Program, program_lack, stream_program
from backups.sources._settings import (
    BackupSourceTraits,
    ConfiguredSource,
    HostSettings,
    SourceContext,
    unavailable,
)
from portalops.config.tables import KindTable, LocalPath
from portalops.config.values import Text
from portalops.model.backups import TableRows
from portalops.model.message import msg
from portalops.model.text import show_text
from portalops.ports import StreamOpener

WITHOUT_DATA = frozenset(
    {"frontend", "config", "monitor", "ldap", "meta", "asyncmeta", "relay", "null", "passwd", "perl", "sock", "dnssrv"}
)
"""Back ends that hold no entries of their own, by slapd.backends(5)."""
MAX_CONFIG_BYTES = 64 << 20


class Settings(HostSettings):
    """`kind = "ldap"`."""

    program: Text = Field(default="slapcat", description="The program slapcat.")
    config: LocalPath | None = Field(
        default=None, description="The folder of slapd's configuration, if it is not the usual one."
    )
    idle_seconds: StrictInt = Field(default=300, ge=1, description="How long slapcat may print nothing.")


@dataclass(frozen=True, slots=True)
class Database:
    """A database, as the configuration tells of it."""

    number: int
    backend: str
    suffix: str


def build(table: KindTable, context: SourceContext) -> LdapSource:
    """Return the source that a configuration table describes."""
    del context
    settings = table.parse(Settings)
    return LdapSource(BackupSourceTraits(table.id, table.kind, settings.data_class), settings)


def slapcat_command(program: str, number: int, config: Path | None) -> tuple[str, ...]:
    """Return the command that dumps one database; `-g`: without those below it, which are dumped by themselves."""
    folder = () if config is None else ("-F", str(config))
    return (program, *folder, "-g", "-o", "ldif-wrap=no", "-n", str(number))


def databases_of(config: bytes) -> tuple[Database, ...]:
    """Return the databases that a configuration has, from its LDIF with one line an attribute."""
    found = []
    for entry in config.decode("utf-8", "replace").split("\n\n"):
        name = re.match(r"\s*dn: olcDatabase=\{(-?\d+)\}(\w+),cn=config$", entry, re.MULTILINE)
        if name is not None:
            suffix = re.search(r"^olcSuffix: (.*)$", entry, re.MULTILINE)
            found.append(Database(int(name[1]), name[2], suffix[1] if suffix else "-"))
    return tuple(found)


class LdapSource(ConfiguredSource):
    """The databases of one slapd."""

    def __init__(self, traits: BackupSourceTraits, settings: Settings) -> None:
        super().__init__(traits)
        self._settings = settings

    def places(self) -> Sequence[Path]:
        settings = self._settings
        return () if settings.config is None or settings.ssh is not None else (settings.config,)

    def write(self, opener: StreamOpener) -> None:
        databases = self._write_config(opener)
        for database in databases:
            if database.backend not in WITHOUT_DATA:
                self._write_database(opener, database)

    def _write_config(self, opener: StreamOpener) -> tuple[Database, ...]:
        """Write the configuration, and return the databases that it has."""
        entries = _Entries(keep_bytes=MAX_CONFIG_BYTES)
        with opener.stream("config", format="ldif") as out:
            stream_program(self.id, self._program(0, 1), CountingWriter(out, entries))
            out.add_rows(TableRows("cn=config", entries.count))
            if len(entries.kept) >= MAX_CONFIG_BYTES:
                raise unavailable(
                    self.id,
                    msg("its configuration is larger than {limit} bytes", limit=MAX_CONFIG_BYTES),
                    msg("Back up each database with a source of the kind 'command'."),
                )
            databases = databases_of(bytes(entries.kept))
            if not any(database.backend not in WITHOUT_DATA for database in databases):
                raise unavailable(
                    self.id,
                    msg("its configuration has no database with entries"),
                    msg("Check it: slapcat -n 0 | grep olcDatabase"),
                )
            for database in databases:
                if database.backend in WITHOUT_DATA - {"frontend", "config"}:
                    out.add_skipped(f"database {database.number} ({database.backend}): it has no entries of its own")
        return databases

    def _write_database(self, opener: StreamOpener, database: Database) -> None:
        entries = _Entries()
        with opener.stream(f"database-{database.number}", format="ldif") as out:
            stream_program(
                self.id, self._program(database.number, self._settings.minimum_bytes), CountingWriter(out, entries)
            )
            out.add_rows(TableRows(show_text(database.suffix), entries.count))

    def _program(self, number: int, minimum_bytes: int) -> Program:
        settings = self._settings
        return Program(
            slapcat_command(settings.program, number, settings.config),
            idle_seconds=settings.idle_seconds,
            minimum_bytes=minimum_bytes,
            host=settings.ssh,
        )


class _Entries:
    """Counts the entries of LDIF: lines that begin with `dn:`. Values of several lines are encoded, so none looks so."""

    def __init__(self, *, keep_bytes: int = 0) -> None:
        self.count = 0
        self.kept = bytearray()
        self._keep_bytes = keep_bytes
        self._carry = b"\n"

    def take(self, piece: bytes) -> None:
        text = self._carry + piece
        self.count += text.count(b"\ndn:")
        self._carry = text[-3:]  # too short to hold what was counted
        if len(self.kept) < self._keep_bytes:
            self.kept += piece


SOURCE = SourceKind(settings=Settings, build=build, lacking=lambda settings: program_lack(settings.program))
