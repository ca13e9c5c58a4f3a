"""What Barman says it backed up: the backups of a PostgreSQL server, or of all of them.

    [[backup.adopted]]
    id = "portal-barman"
    kind = "barman"
    class = "content"
    server = "portal"

`barman -f json list-backups` lists them. DONE says that Barman has copied everything, not that anybody restored it;
any other status is told as it is. Of a backup that failed no time is told. Run it as the user that Barman runs as.
Tried with Barman 3.13.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pydantic import Field

from backups.adopters import AdopterKind
from backups.adopters._programs import ProgramSettings, ask_program, json_of
from backups.adopters._settings import (
    AdopterContext,
    AdopterQuestion,
    AdopterTraits,
    Claims,
    NotAnswered,
    moment_of,
    objects,
    size_of,
    text_of,
)
from portalops.config.tables import KindTable, LocalPath
from portalops.config.values import Text
from portalops.model.adopted import AdoptedBackup

DONE = "DONE"


class Settings(ProgramSettings):
    """`kind = "barman"`."""

    server: Text = Field(default="all", description="A server's name in Barman's configuration; all for every one.")
    config: LocalPath | None = Field(default=None, description="Its configuration, if it is not the usual one.")


def build(table: KindTable, context: AdopterContext) -> BarmanAdopter:
    """Return the adopter that a configuration table describes."""
    settings = table.parse(Settings)
    return BarmanAdopter(AdopterTraits(table.id, table.kind, settings.data_class), settings, context)


class BarmanAdopter:
    """The servers of one configuration."""

    def __init__(self, traits: AdopterTraits, settings: Settings, context: AdopterContext) -> None:
        self.traits = traits
        self._settings = settings
        self._zone = context.zone

    def question(self) -> AdopterQuestion:
        settings = self._settings
        chosen = ("-c", str(settings.config)) if settings.config else ()
        argv = (settings.program or "barman", *chosen, "-f", "json", "list-backups", settings.server)
        return AdopterQuestion(argv, secrets=tuple(settings.secrets))

    def ask(self) -> bytes:
        return ask_program(self._settings, self.question().argv)

    def parse(self, answer: bytes) -> Claims:
        found = json_of(answer)
        if not isinstance(found, dict):
            raise NotAnswered("the answer is no object")
        if "_ERROR" in found:
            raise NotAnswered(f"barman says: {text_of(found['_ERROR'])}")
        servers = {name: value for name, value in found.items() if not name.startswith("_")}
        return Claims(
            tuple(
                self._backup(name, each) for name, backups in servers.items() for each in objects(backups, "backups")
            ),
            tuple(f"server {text_of(name, 80)}: it has no backup" for name, backups in servers.items() if not backups),
        )

    def _backup(self, server: str, backup: Mapping[str, Any]) -> AdoptedBackup:
        status = text_of(backup.get("status"), 40)
        return AdoptedBackup(
            tool=self.traits.kind,
            id=text_of(backup.get("backup_id")),
            made_at=moment_of(backup.get("end_time_timestamp"), self._zone),
            host="",
            size_bytes=size_of(backup.get("size_bytes")),
            data_class=self.traits.data_class,
            about=f"server {text_of(server, 80)}",
            problem="" if status == DONE else f"its status is {status or 'not told'}",
        )


ADOPTER = AdopterKind(settings=Settings, build=build)
