"""What Bareos says it backed up: the backup jobs in its catalogue.

    [[backup.adopted]]
    id = "office-bareos"
    kind = "bareos"
    class = "content"
    config = "/etc/bareos/bconsole.conf"
    job = "portal"
    timezone = "Asia/Ho_Chi_Minh"

`bconsole` is given `.api 2` and `llist jobs`, and answers in JSON among other lines. Status T is "terminated normally", W the
same with warnings; any other is told as it is. Times are the director's own, without a zone. Bareos's VolumeToCatalog looks at no file's
checksum, so nothing here is more than a claim. bconsole's password is in its own configuration. The form of the answer is the
one that Bareos's developer guide documents; no director could be had to try it with.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Annotated, Any
from zoneinfo import ZoneInfo

from pydantic import AfterValidator, Field, StrictInt

from backups.adopters import AdopterKind
from backups.adopters._programs import ProgramSettings, ask_program
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
from portalops.config.values import RefusedValue, Text
from portalops.json_text import read_json_at
from portalops.model.adopted import AdoptedBackup
from portalops.model.message import msg

GOOD = "T"
STATUS = {
    "W": "it ended with warnings",
    "E": "it ended with errors",
    "e": "it ended with errors that are not fatal",
    "f": "it ended with a fatal error",
    "A": "somebody cancelled it",
    "R": "it is running",
    "C": "it has not begun",
}


def _zone(name: str) -> str:
    try:
        ZoneInfo(name)
    except (OSError, ValueError, KeyError) as error:
        raise RefusedValue(
            msg("is not a time zone"), msg("Use a name of the IANA time zone database, such as Asia/Ho_Chi_Minh.")
        ) from error
    return name


def _one_word(name: str) -> str:
    if any(letter.isspace() or letter in ';"' for letter in name):
        raise RefusedValue(msg("is not a job name"), msg("Write the name exactly as in the configuration of Bareos."))
    return name


class Settings(ProgramSettings):
    """`kind = "bareos"`."""

    config: LocalPath | None = Field(default=None, description="bconsole's configuration, if it is not the usual one.")
    job: Annotated[Text, AfterValidator(_one_word)] | None = Field(default=None, description="Only jobs of this name.")
    days: StrictInt = Field(default=90, ge=1, le=3650, description="How many days back jobs are listed.")
    timezone: Annotated[str, AfterValidator(_zone)] | None = Field(
        default=None, description="The director's time zone; the portal's, if it is not given."
    )


def build(table: KindTable, context: AdopterContext) -> BareosAdopter:
    """Return the adopter that a configuration table describes."""
    settings = table.parse(Settings)
    return BareosAdopter(AdopterTraits(table.id, table.kind, settings.data_class), settings, context)


class BareosAdopter:
    """One director's catalogue."""

    def __init__(self, traits: AdopterTraits, settings: Settings, context: AdopterContext) -> None:
        self.traits = traits
        self._settings = settings
        self._zone = ZoneInfo(settings.timezone) if settings.timezone else context.zone

    def question(self) -> AdopterQuestion:
        settings = self._settings
        chosen = ("-c", str(settings.config)) if settings.config else ()
        only = f" job={settings.job}" if settings.job else ""
        asked = f".api 2\nllist jobs{only} jobtype=B days={settings.days}\nquit\n"
        return AdopterQuestion(
            (settings.program or "bconsole", *chosen), stdin=asked.encode(), secrets=tuple(settings.secrets)
        )

    def ask(self) -> bytes:
        question = self.question()
        return ask_program(self._settings, question.argv, stdin=question.stdin)

    def parse(self, answer: bytes) -> Claims:
        results = list(_objects_in(answer.decode("utf-8", "replace")))
        for each in results:
            if "error" in each:
                told = each["error"]
                raise NotAnswered(f"bareos says: {text_of(told.get('message') if isinstance(told, dict) else told)}")
        lists = [each["result"]["jobs"] for each in results if _has_jobs(each)]
        if not lists:
            raise NotAnswered("the answer has no list of jobs")
        # Some versions write some keys with capitals.
        jobs = [{key.lower(): value for key, value in job.items()} for found in lists for job in objects(found, "jobs")]
        return Claims(tuple(self._backup(job) for job in jobs if job.get("type") == "B"))

    def _backup(self, job: Mapping[str, Any]) -> AdoptedBackup:
        status = text_of(job.get("jobstatus"), 20)
        ended = next((job[key] for key in ("realendtime", "endtime", "starttime") if job.get(key)), None)
        level = text_of(job.get("level"), 20)
        return AdoptedBackup(
            tool=self.traits.kind,
            id=text_of(job.get("jobid")),
            made_at=moment_of(ended, self._zone) if isinstance(ended, str) else None,
            host=text_of(job.get("clientname") or job.get("client")),
            size_bytes=size_of(job.get("jobbytes")),
            data_class=self.traits.data_class,
            about=f"job {text_of(job.get('name'), 120)}, level {level}",
            problem="" if status == GOOD else STATUS.get(status, f"its status is {status or 'not told'}"),
        )


def _has_jobs(answer: Mapping[str, Any]) -> bool:
    result = answer.get("result")
    return isinstance(result, dict) and "jobs" in result


def _objects_in(text: str) -> Iterator[dict[str, Any]]:
    """Yield the JSON objects that begin a line; the console says other things between them."""
    at = 0
    while (at := text.find("{", at)) >= 0:
        begins_line = not text[text.rfind("\n", 0, at) + 1 : at].strip()
        try:
            found, end = read_json_at(text, at) if begins_line else (None, at + 1)
        except ValueError:
            found, end = None, at + 1
        if isinstance(found, dict):
            yield found
        at = end


ADOPTER = AdopterKind(settings=Settings, build=build)
