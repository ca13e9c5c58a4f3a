"""What borg says it backed up: the archives of one repository. borgmatic's repositories are borg's.

    [[backup.adopted]]
    id = "office-borg"
    kind = "borg"
    class = "content"
    repository = "ssh://backup@nas.example.vn/./portal"
    password = { file = "/etc/portalops/borg.passphrase" }
    archives = "web1-*"

`borg list --json` lists them and locks nothing. An archive whose name ends with `.checkpoint` is what an interrupted run
left, and is called so. borg tells no sizes there. Its times are read as UTC, which its own environment is set to. What
`borg check` found is in nobody's record but its log, so nothing here is more than a claim. Tried with borg 1.2 and 1.4.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Annotated, Any
from zoneinfo import ZoneInfo

from pydantic import AfterValidator, Field

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
    without_password,
)
from portalops.config.secrets import SecretReference
from portalops.config.tables import KindTable, LocalPath
from portalops.config.values import Text
from portalops.model.adopted import AdoptedBackup

WARNINGS = frozenset({0, 1, *range(100, 128)})
"""Exit codes of borg with which its work is done: 1, or 100 to 127 by BORG_EXIT_CODES=modern, are warnings."""
_UTC = ZoneInfo("UTC")
_CHECKPOINT = re.compile(r"\.checkpoint(?:\.\d+)?$")


class Settings(ProgramSettings):
    """`kind = "borg"`."""

    repository: Annotated[Text, AfterValidator(without_password)] = Field(
        description="As borg takes it; a local one by its whole path."
    )
    password: SecretReference | None = Field(default=None, description="The passphrase of its key.")
    archives: Text | None = Field(default=None, description="Only archives whose names match; * and ? do.")
    base_folder: LocalPath | None = Field(
        default=None, description="Where borg keeps its own settings and keys; without it, the user's home."
    )


def build(table: KindTable, context: AdopterContext) -> BorgAdopter:
    """Return the adopter that a configuration table describes."""
    del context
    settings = table.parse(Settings)
    return BorgAdopter(AdopterTraits(table.id, table.kind, settings.data_class), settings)


class BorgAdopter:
    """One repository."""

    def __init__(self, traits: AdopterTraits, settings: Settings) -> None:
        self.traits = traits
        self._settings = settings

    def question(self) -> AdopterQuestion:
        settings = self._settings
        only = ("--glob-archives", settings.archives) if settings.archives else ()
        argv = (settings.program or "borg", "list", "--bypass-lock", "--consider-checkpoints", "--json")
        secrets = ("BORG_PASSPHRASE",) if settings.password else ()
        # The format's only use is that its keys are added to the JSON.
        return AdopterQuestion(
            (*argv, "--format", "{hostname}{end}", *only, settings.repository), secrets=(*secrets, *settings.secrets)
        )

    def ask(self) -> bytes:
        settings = self._settings
        variables = {
            "BORG_EXIT_CODES": "modern",
            "BORG_DISPLAY_PASSPHRASE": "no",
            # Asked on a terminal otherwise. A list of names gives nothing away, and nothing is written.
            "BORG_UNKNOWN_UNENCRYPTED_REPO_ACCESS_IS_OK": "yes",
            "BORG_RELOCATED_REPO_ACCESS_IS_OK": "yes",
        }
        if settings.base_folder is not None:
            variables["BORG_BASE_DIR"] = str(settings.base_folder)
        secrets = {"BORG_PASSPHRASE": settings.password} if settings.password else {}
        return ask_program(settings, self.question().argv, variables=variables, secrets=secrets, good_exits=WARNINGS)

    def parse(self, answer: bytes) -> Claims:
        found = json_of(answer)
        if not isinstance(found, dict):
            raise NotAnswered("the answer is no object")
        return Claims(tuple(self._backup(each) for each in objects(found.get("archives"), "archives")))

    def _backup(self, archive: Mapping[str, Any]) -> AdoptedBackup:
        name = text_of(archive.get("name"))
        made_at = moment_of(archive.get("end"), _UTC) or moment_of(archive.get("time"), _UTC)
        return AdoptedBackup(
            tool=self.traits.kind,
            id=text_of(archive.get("id")),
            made_at=made_at,
            host=text_of(archive.get("hostname")),
            size_bytes=size_of(archive.get("size")),
            data_class=self.traits.data_class,
            about=name,
            problem="an interrupted run left it" if _CHECKPOINT.search(name) else "",
        )


ADOPTER = AdopterKind(settings=Settings, build=build)
