"""Plain dated folders or files, as scripts leave them: what their names say.

    [[backup.adopted]]
    id = "nightly-copies"
    kind = "folders"
    class = "related"
    folder = "/srv/copies"
    names = "portal-%Y-%m-%d*"

Each entry whose name matches is a claim of whoever named it. In `names`, %Y %m %d %H %M %S stand for the moment, in the
portal's zone, and `*` for anything. The sizes of all files inside are added up; an empty one is called so. Links are not
followed. The list of what was found is kept as evidence.
"""

from __future__ import annotations

import json
import os
import re
import stat
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Annotated, Any

from pydantic import AfterValidator, Field

from backups.adopters import AdopterKind
from backups.adopters._programs import json_of
from backups.adopters._settings import (
    AdopterContext,
    AdopterQuestion,
    AdopterSettings,
    AdopterTraits,
    Claims,
    NotAnswered,
    objects,
    size_of,
    text_of,
)
from portalops.config.tables import KindTable, LocalPath
from portalops.config.values import RefusedValue, Text
from portalops.model.adopted import AdoptedBackup
from portalops.model.message import msg
from portalops.model.text import show_text

MAX_ENTRIES = 100_000
_DIRECTIVES = {"%Y": ("year", 4), "%m": ("month", 2), "%d": ("day", 2), "%H": ("hour", 2), "%M": ("minute", 2), "%S": ("second", 2)}  # fmt: skip


def pattern_of(names: str) -> re.Pattern[str]:
    """Return what matches the names of entries, with a group for each part of the moment."""
    parts: list[str] = []
    for token in re.findall(r"%.|\*|[^%*]+|%", names):
        if token in _DIRECTIVES:
            name, digits = _DIRECTIVES[token]
            parts.append(rf"(?P<{name}>[0-9]{{{digits}}})")
        else:
            parts.append(".*?" if token == "*" else re.escape(token))
    return re.compile("".join(parts), re.DOTALL)


def _dated(names: str) -> str:
    hint = msg("Write it like portal-%Y-%m-%d*: year, month and day once each; %H, %M and %S may be in it.")
    try:
        groups = pattern_of(names).groupindex
    except re.error as error:
        raise RefusedValue(msg("names a part of the date or time twice"), hint) from error
    if not {"year", "month", "day"} <= set(groups):
        raise RefusedValue(msg("names no day"), hint)
    if re.search(r"%(?![YmdHMS])", names):
        raise RefusedValue(msg("has an unknown % code"), hint)
    return names


class Settings(AdopterSettings):
    """`kind = "folders"`."""

    folder: LocalPath = Field(description="The folder that holds the dated folders or files.")
    names: Annotated[Text, AfterValidator(_dated)] = Field(
        default="*%Y-%m-%d*", description="How their names are made; %Y %m %d %H %M %S, and * for anything."
    )


def build(table: KindTable, context: AdopterContext) -> FoldersAdopter:
    """Return the adopter that a configuration table describes."""
    settings = table.parse(Settings)
    return FoldersAdopter(AdopterTraits(table.id, table.kind, settings.data_class), settings, context)


class FoldersAdopter:
    """One folder."""

    def __init__(self, traits: AdopterTraits, settings: Settings, context: AdopterContext) -> None:
        self.traits = traits
        self._settings = settings
        self._zone = context.zone

    def question(self) -> AdopterQuestion:
        return AdopterQuestion((), reads=str(self._settings.folder))

    def ask(self) -> bytes:
        pattern = pattern_of(self._settings.names)
        folder = self._settings.folder
        try:
            with os.scandir(os.fsencode(folder)) as entries:
                names = sorted(entry.name for entry in entries if pattern.fullmatch(os.fsdecode(entry.name)))
            if len(names) > MAX_ENTRIES:
                raise NotAnswered(f"{show_text(str(folder), 120)} holds more than {MAX_ENTRIES} dated entries")
            found = [_entry(os.path.join(os.fsencode(folder), name), name) for name in names]
        except OSError as error:
            cause = show_text(error.strerror or str(error), 120)
            raise NotAnswered(f"cannot read {show_text(str(folder), 120)}: {cause}") from error
        return json.dumps({"entries": found}, ensure_ascii=True, sort_keys=True).encode() + b"\n"

    def parse(self, answer: bytes) -> Claims:
        found = json_of(answer)
        if not isinstance(found, dict):
            raise NotAnswered("the answer is no object")
        pattern = pattern_of(self._settings.names)
        backups: list[AdoptedBackup] = []
        notes: list[str] = []
        for entry in objects(found.get("entries"), "entries"):
            name = str(entry.get("name", ""))
            made_at = self._moment(pattern, name)
            if made_at is None:
                notes.append(f"{show_text(name, 120)}: its name names no day that there is")
                continue
            backups.append(self._backup(entry, name, made_at))
        return Claims(tuple(backups), tuple(notes))

    def _backup(self, entry: Mapping[str, Any], name: str, made_at: datetime) -> AdoptedBackup:
        size = size_of(entry.get("size_bytes"))
        unread = size_of(entry.get("unread")) or 0
        problem = f"{unread} entries in it could not be read" if unread else "it is empty" if not size else ""
        about = f"files: {entry.get('files')}"
        return AdoptedBackup(
            tool=self.traits.kind,
            id=show_text(name),
            made_at=made_at,
            host="",
            size_bytes=size,
            data_class=self.traits.data_class,
            about=text_of(about),
            problem=problem,
        )

    def _moment(self, pattern: re.Pattern[str], name: str) -> datetime | None:
        match = pattern.fullmatch(name)
        if match is None:
            return None
        parts = {key: int(value) for key, value in match.groupdict().items()}
        try:
            local = datetime(
                parts["year"],
                parts["month"],
                parts["day"],
                parts.get("hour", 0),
                parts.get("minute", 0),
                parts.get("second", 0),
                tzinfo=self._zone,
            )
            return local.astimezone(UTC)
        except (ValueError, OverflowError):
            return None


def _entry(path: bytes, name: bytes) -> dict[str, object]:
    status = os.lstat(path)
    shown = name.decode("utf-8", "backslashreplace")
    if not stat.S_ISDIR(status.st_mode):
        size = status.st_size if stat.S_ISREG(status.st_mode) else 0
        return {"name": shown, "type": "file", "files": 1, "size_bytes": size, "mtime_ns": status.st_mtime_ns}
    files = size = unread = 0
    pending = [path]
    while pending:
        try:
            with os.scandir(pending.pop()) as entries:
                for entry in entries:
                    if entry.is_dir(follow_symlinks=False):
                        pending.append(entry.path)
                    elif entry.is_file(follow_symlinks=False):
                        files += 1
                        size += entry.stat(follow_symlinks=False).st_size
        except OSError:
            unread += 1
    return {
        "name": shown,
        "type": "folder",
        "files": files,
        "size_bytes": size,
        "unread": unread,
        "mtime_ns": status.st_mtime_ns,
    }


ADOPTER = AdopterKind(settings=Settings, build=build)
