"""What a backup run of this configuration would find on this machine, seen without connecting to anything."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path

from backups.media import build_media, require_place
from backups.preconditions import SeenParts
from backups.sources import lack_of, remarks_on
from commands.cli.session import Session
from commands.jobs.sets import sources_of
from portalops.config import KindTable
from portalops.errors import MediumUnavailable
from portalops.model.message import Message
from portalops.ports import Medium


def seen_parts(session: Session) -> SeenParts:
    """Look for the sources and media on this machine.

    Raises:
        ConfigurationError: a source or medium does not fit its kind.
    """
    settings = session.settings
    media = build_media(settings.backup_media)
    sources = sources_of(settings, media.values(), partial(session.kept, writable=False))
    places = tuple(place for each in sources for place in each.places())
    return SeenParts(
        {table.id: lack_of(table) for table in settings.backup_sources},
        {table.id: _obstacle(table, places) for table in settings.backup_media},
        {table.id: remarks_on(table) for table in settings.backup_sources},
        real_folders(media),
    )


def real_folders(media: Mapping[str, Medium]) -> dict[str, list[str]]:
    """Return where each medium of this machine really lies."""
    return {name: [os.path.realpath(place) for place in medium.places()] for name, medium in media.items()}


def _obstacle(table: KindTable, places: Sequence[Path]) -> Message | None:
    try:
        require_place(table, places)
    except MediumUnavailable as error:
        cause = error.message.values.get("cause", error.message)  # the message names the medium once more
        return cause if isinstance(cause, Message) else error.message
    return None
