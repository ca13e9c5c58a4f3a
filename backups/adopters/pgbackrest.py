"""What pgBackRest says it backed up: the backups of a stanza, or of all.

    [[backup.adopted]]
    id = "portal-pgbackrest"
    kind = "pgbackrest"
    class = "content"
    stanza = "portal"

`pgbackrest info --output=json` lists them; a backup whose pages did not match their checksums while it was made is told
of with `error`. What `pgbackrest verify` found is stored nowhere (pgbackrest#2668), so nothing here is more than a claim.
Run it as the user that may read the repository. Tried with pgBackRest 2.55.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from pydantic import Field

from backups.adopters import AdopterKind
from backups.adopters._programs import ProgramSettings, ask_program, json_of
from backups.adopters._settings import (
    AdopterContext,
    AdopterQuestion,
    AdopterTraits,
    Claims,
    moment_of,
    objects,
    size_of,
    text_of,
)
from portalops.config.tables import KindTable, LocalPath
from portalops.config.values import Text
from portalops.model.adopted import AdoptedBackup


class Settings(ProgramSettings):
    """`kind = "pgbackrest"`."""

    stanza: Text | None = Field(default=None, description="Only this stanza.")
    config: LocalPath | None = Field(default=None, description="Its configuration, if it is not the usual one.")


def build(table: KindTable, context: AdopterContext) -> PgbackrestAdopter:
    """Return the adopter that a configuration table describes."""
    settings = table.parse(Settings)
    return PgbackrestAdopter(AdopterTraits(table.id, table.kind, settings.data_class), settings, context)


class PgbackrestAdopter:
    """The repositories of one configuration."""

    def __init__(self, traits: AdopterTraits, settings: Settings, context: AdopterContext) -> None:
        self.traits = traits
        self._settings = settings
        self._zone = context.zone

    def question(self) -> AdopterQuestion:
        settings = self._settings
        chosen: tuple[str, ...] = (f"--config={settings.config}",) if settings.config else ()
        chosen += (f"--stanza={settings.stanza}",) if settings.stanza else ()
        argv = (settings.program or "pgbackrest", *chosen, "--output=json", "--log-level-file=off", "info")
        return AdopterQuestion(argv, secrets=tuple(settings.secrets))

    def ask(self) -> bytes:
        return ask_program(self._settings, self.question().argv)

    def parse(self, answer: bytes) -> Claims:
        backups: list[AdoptedBackup] = []
        notes: list[str] = []
        for stanza in objects(json_of(answer), "stanzas"):
            name = text_of(stanza.get("name"), 80)
            status = stanza.get("status")
            if isinstance(status, dict) and status.get("code") != 0:
                notes.append(f"stanza {name}: {text_of(status.get('message'), 120)}")
            backups += self._backups(name, stanza)
        return Claims(tuple(backups), tuple(notes))

    def _backups(self, stanza: str, told: Mapping[str, Any]) -> Iterator[AdoptedBackup]:
        for backup in objects(told.get("backup"), "backups"):
            times, info = backup.get("timestamp"), backup.get("info")
            yield AdoptedBackup(
                tool=self.traits.kind,
                id=text_of(backup.get("label")),
                made_at=moment_of(times.get("stop"), self._zone) if isinstance(times, dict) else None,
                host="",
                size_bytes=size_of(info.get("size")) if isinstance(info, dict) else None,
                data_class=self.traits.data_class,
                about=f"stanza {stanza}, {text_of(backup.get('type'), 20)}",
                problem="page checksums did not match" if backup.get("error") else "",
            )


ADOPTER = AdopterKind(settings=Settings, build=build)
