"""What restic says it backed up: the snapshots of one repository.

    [[backup.adopted]]
    id = "office-restic"
    kind = "restic"
    class = "content"
    repository = "sftp:backup@nas.example.vn:/srv/restic"
    password = { file = "/etc/portalops/restic.password" }
    host = "web1"

`restic snapshots --json` lists them and locks nothing. A listed snapshot need not be readable, and restic keeps one too of
a run that could not read every file (its exit code 3 is not in the repository): so nothing here is more than a claim.
Keys of an object store are given by `secrets = { AWS_SECRET_ACCESS_KEY = { file = "..." } }`. Tried with restic 0.14 and 0.18.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any

from pydantic import AfterValidator, Field

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
    without_password,
)
from portalops.config.secrets import SecretReference
from portalops.config.tables import KindTable
from portalops.config.values import Text
from portalops.model.adopted import AdoptedBackup


class Settings(ProgramSettings):
    """`kind = "restic"`."""

    repository: Annotated[Text, AfterValidator(without_password)] = Field(
        description="As restic's --repo takes it; a local one by its whole path."
    )
    password: SecretReference = Field(description="The repository's password.")
    host: Text | None = Field(default=None, description="Only snapshots of this host.")
    tag: Text | None = Field(default=None, description="Only snapshots with this tag.")


def build(table: KindTable, context: AdopterContext) -> ResticAdopter:
    """Return the adopter that a configuration table describes."""
    settings = table.parse(Settings)
    return ResticAdopter(AdopterTraits(table.id, table.kind, settings.data_class), settings, context)


class ResticAdopter:
    """One repository."""

    def __init__(self, traits: AdopterTraits, settings: Settings, context: AdopterContext) -> None:
        self.traits = traits
        self._settings = settings
        self._zone = context.zone

    def question(self) -> AdopterQuestion:
        settings = self._settings
        only: tuple[str, ...] = ("--host", settings.host) if settings.host else ()
        only += ("--tag", settings.tag) if settings.tag else ()
        argv = (settings.program or "restic", "--repo", settings.repository, "--no-lock", "--no-cache")
        return AdopterQuestion((*argv, "--json", "snapshots", *only), secrets=("RESTIC_PASSWORD", *settings.secrets))

    def ask(self) -> bytes:
        secrets = {"RESTIC_PASSWORD": self._settings.password}
        return ask_program(self._settings, self.question().argv, secrets=secrets)

    def parse(self, answer: bytes) -> Claims:
        found = json_of(answer)  # null where there is none
        return Claims(tuple(self._backup(each) for each in objects([] if found is None else found, "snapshots")))

    def _backup(self, snapshot: Mapping[str, Any]) -> AdoptedBackup:
        summary = snapshot.get("summary")  # since restic 0.17
        summary = summary if isinstance(summary, dict) else {}
        paths = snapshot.get("paths")
        made_at = moment_of(summary.get("backup_end"), self._zone) or moment_of(snapshot.get("time"), self._zone)
        return AdoptedBackup(
            tool=self.traits.kind,
            id=text_of(snapshot.get("id")),
            made_at=made_at,
            host=text_of(snapshot.get("hostname")),
            size_bytes=size_of(summary.get("total_bytes_processed")),
            data_class=self.traits.data_class,
            about=text_of(", ".join(map(str, paths)) if isinstance(paths, list) else ""),
        )


ADOPTER = AdopterKind(settings=Settings, build=build)
