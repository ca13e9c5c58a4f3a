"""What a program prints on its standard output, as one stream named `output`.

    [[backup.source]]
    id = "ldap"
    kind = "command"
    class = "accounts"
    command = ["slapcat", "-n", "1"]
    minimum_bytes = 10000
    trailer = "# end"

The program is run without a shell. It counts only if it ends with exit code 0, prints at least `minimum_bytes`, is never
silent for longer than `idle_seconds`, and, where `trailer` is given, ends with it: a dump cut short is not a backup.

With `ssh = { host = "db1.example.vn", user = "backup", identity_file = "/etc/portalops/db1_ssh", host_key = "ssh-ed25519 AAAA..." }`
it runs on that host, and its output is streamed. What is silent there when the connection ends goes on until it writes.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from pydantic import Field, StrictInt

from backups.sources import SourceKind
from backups.sources._program import Program, program_lack, stream_program
from backups.sources._settings import BackupSourceTraits, ConfiguredSource, HostSettings, SourceContext
from portalops.config.tables import KindTable, LocalPath
from portalops.config.values import Command, PlainText, Text, VariableName
from portalops.ports import StreamOpener


class Settings(HostSettings):
    """`kind = "command"`."""

    command: Command = Field(min_length=1, description="Program and arguments; no shell reads them.")
    folder: LocalPath | None = Field(default=None, description="Working folder of the program.")
    idle_seconds: StrictInt = Field(default=300, ge=1, description="How long it may print nothing.")
    trailer: Text | None = Field(default=None, description="What its output must end with, white space aside.")
    environment: dict[VariableName, PlainText] = Field(
        default_factory=dict, description="Variables for it; no secrets."
    )


def build(table: KindTable, context: SourceContext) -> CommandSource:
    """Return the source that a configuration table describes."""
    del context
    settings = table.parse(Settings)
    return CommandSource(BackupSourceTraits(table.id, table.kind, settings.data_class), settings)


class CommandSource(ConfiguredSource):
    """One program's output."""

    def __init__(self, traits: BackupSourceTraits, settings: Settings) -> None:
        super().__init__(traits)
        self._settings = settings

    def places(self) -> Sequence[Path]:
        return ()

    def write(self, opener: StreamOpener) -> None:
        settings = self._settings
        program = Program(
            settings.command,
            settings.folder,
            settings.environment,
            settings.idle_seconds,
            settings.minimum_bytes,
            settings.trailer,
            settings.ssh,
        )
        with opener.stream("output", format="raw") as out:
            stream_program(self.id, program, out)


SOURCE = SourceKind(
    settings=Settings, build=build, lacking=lambda settings: program_lack(settings.command[0], settings.folder)
)
