"""Whom to tell, as configured; and the last good copy of it, for the day on which the configuration cannot be read.

An edit that went wrong is the commonest reason why nothing is done any more, and the configuration also says whom to tell of
that. So each run that can read it keeps what it says of channels in the state folder: tables with references to secrets, never a
secret. A run that cannot read it looks for that copy where the broken file still says the state folder to be, and takes it only if it
was made from the same file.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import time
from pathlib import Path
from zoneinfo import ZoneInfo

from portalops import bodies
from portalops.config.layers import LIMIT_BYTES, find_main_file, find_working_folder
from portalops.config.settings import Settings
from portalops.config.shape import StateTable
from portalops.config.tables import KindTable
from portalops.config.values import resolved
from portalops.errors import PortalOpsError
from portalops.json_text import read_json
from portalops.model.organisation import Name, Portal
from portalops.notify.rules import Timetable
from portalops.notify.state import NotifyFolder

FORMAT = 1
"""The value of `format` in settings.json."""

SECTION = "notify.channel"

WEEKDAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")


@dataclass(frozen=True, slots=True)
class NotifySettings:
    """Whom to tell, and when."""

    portal: Portal
    language: str
    """Of channels that name none."""
    weekday: int
    """Of the summary: 0 is Monday."""
    at: time
    """The local time from which on a day's letters are written."""
    channels: tuple[KindTable, ...]
    state_folder: Path
    ids: frozenset[str] = frozenset()
    """What may be named in letters; of a kept copy only what the copy needs."""
    is_kept_copy: bool = False

    @property
    def timetable(self) -> Timetable:
        """When daily and weekly letters are due."""
        return Timetable(self.weekday, self.at, ZoneInfo(self.portal.timezone))


def settings_of(settings: Settings) -> NotifySettings:
    """Return what a configuration says."""
    table = settings.shape.notify
    tables = (
        *settings.backup_sources, *settings.backup_media, *settings.adopted, *settings.collections,
        *settings.update_sources, *settings.anchors,
    )  # fmt: skip
    ids: set[str] = {table.id for table in tables}
    ids.update(each.id for each in settings.jobs)
    ids.update(each.id for each in settings.hosts)
    ids.update(each.id for each in settings.units)
    return NotifySettings(
        settings.portal,
        settings.language,
        WEEKDAYS.index(table.summary_on),
        time.fromisoformat(table.at),
        settings.channels,
        settings.state_folder,
        frozenset(ids),
    )


@dataclass(frozen=True, slots=True)
class _KeptChannel:
    id: str
    kind: str
    folder: str
    """What its relative paths start from."""
    values: str
    """Its other keys, as JSON."""


@dataclass(frozen=True, slots=True)
class _Kept:
    """The content of settings.json under the key `settings`."""

    configuration: str
    """The main file."""
    portal: str
    name: Name
    timezone: str
    language: str
    weekday: int
    at: str
    channels: tuple[_KeptChannel, ...]
    format: int = FORMAT


def keep(settings: NotifySettings, main_file: Path) -> None:
    """Keep a copy of good settings, unless the kept copy is the same.

    Raises:
        FileUnwritable: it cannot be written.
    """
    portal = settings.portal
    channels = tuple(
        _KeptChannel(each.id, each.kind, str(each.folder), json.dumps(each.values, sort_keys=True, default=str))
        for each in settings.channels
    )
    kept = _Kept(
        str(main_file.resolve()), portal.id, portal.name, portal.timezone, settings.language, settings.weekday,
        settings.at.isoformat(), channels,
    )  # fmt: skip
    data = bodies.write({"settings": kept})
    folder = NotifyFolder(settings.state_folder)
    try:
        if folder.settings.read_bytes() == data:
            return
    except OSError:
        pass  # there is none, or it cannot be read: it is written anew
    folder.write(folder.settings, data)


def kept_for(config: Path | None, environment: Mapping[str, str]) -> NotifySettings | None:
    """Return the copy that was kept of a configuration that cannot be read now; None if there is none.

    Args:
        config: the file that was named by `--config`.
        environment: as the configuration itself reads it.
    """
    try:
        main = find_main_file(config, environment, working_folder=find_working_folder())
    except PortalOpsError:
        main = config or Path(environment.get("PORTALOPS_CONFIG") or "/etc/portalops/portalops.toml")
    for folder in dict.fromkeys(_state_folders(main, environment)):
        found = _read(folder, main)
        if found is not None:
            return found
    return None


def _read(state_folder: Path, main: Path) -> NotifySettings | None:
    try:
        with NotifyFolder(state_folder).settings.open("rb") as file:
            kept = bodies.decode_part(file.read(LIMIT_BYTES), "settings", _Kept)
        if kept is None or kept.format != FORMAT or kept.configuration != str(main.resolve()):
            return None
        channels = tuple(
            KindTable.alone(each.id, each.kind, read_json(each.values), Path(each.folder)) for each in kept.channels
        )
        ZoneInfo(kept.timezone)
        return NotifySettings(
            Portal(kept.portal, kept.name, kept.timezone), kept.language, kept.weekday, time.fromisoformat(kept.at),
            channels, state_folder, is_kept_copy=True,
        )  # fmt: skip
    except (OSError, ValueError, KeyError, PortalOpsError):
        return None


_FOLDER = re.compile(r"""^\s*folder\s*=\s*(?:"([^"\\]*)"|'([^']*)')""", re.MULTILINE)
_DOTTED = re.compile(r"""^\s*state\s*\.\s*folder\s*=\s*(?:"([^"\\]*)"|'([^']*)')""", re.MULTILINE)
_INLINE = re.compile(r"""^\s*state\s*=\s*\{[^}\n]*?\bfolder\s*=\s*(?:"([^"\\]*)"|'([^']*)')""", re.MULTILINE)
_TABLE = re.compile(r"^\s*\[\s*state\s*\]([^\[]*)", re.MULTILINE)


def _state_folders(main: Path, environment: Mapping[str, str]) -> Iterator[Path]:
    """Yield where the state folder may be, by what can still be read: a search, not a reading of the file."""
    texts: list[tuple[str, Path]] = []
    if named := environment.get("PORTALOPS_STATE_FOLDER"):
        texts.append((named, find_working_folder()))
    for file in (main, *sorted(main.parent.glob("conf.d/*.toml"))):
        texts += [(text, file.parent) for text in _folders_in(file)]
    if systemd := environment.get("STATE_DIRECTORY"):
        texts.append((systemd.partition(":")[0], find_working_folder()))
    texts.append((str(StateTable().folder), find_working_folder()))
    for text, folder in texts:
        try:
            yield resolved(text, folder)
        except ValueError:  # no path
            continue


def _folders_in(file: Path) -> list[str]:
    try:
        with file.open("rb") as opened:
            text = opened.read(LIMIT_BYTES).decode("utf-8", "replace")
    except OSError:
        return []
    found = [*_DOTTED.finditer(text), *_INLINE.finditer(text)]
    found += (each for table in _TABLE.finditer(text) for each in _FOLDER.finditer(table[1]))
    return [each[1] or each[2] or "" for each in found]
