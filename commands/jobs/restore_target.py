"""Where a person may restore into: apart from what the sources read, the media's folders and the ledger."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from backups.in_place import GuardedFolder
from backups.media import build_medium
from backups.sources import SourceContext, build_source
from backups.targets import require_apart, require_no_server
from portalops.config import Settings
from portalops.errors import ConfigurationError
from portalops.model.message import Message, msg


def require_target_apart(settings: Settings, target: Path) -> list[Message]:
    """Make sure that a folder lies in nothing that is backed up, holds backups, or is the ledger.

    Returns:
        What could not be compared, as warnings: a source whose settings are wrong must stop no restore.

    Raises:
        UnsafeTarget: it does.
        ConfigurationError: a medium's settings do not fit its kind.
    """
    warnings: list[Message] = []
    require_no_server(target)
    require_apart(target, _live(settings, target, warnings))
    return warnings


def guarded_in_place(settings: Settings, target: Path) -> tuple[GuardedFolder, ...]:
    """Make sure that a folder with other files may be restored into, and return the folders in it that may not.

    It may be one that a source reads: to bring files back there is what a restore in place is for.

    Raises:
        UnsafeTarget: it lies in a database server's data folder, in the ledger, or in what holds backups.
        ConfigurationError: a medium's settings do not fit its kind.
    """
    require_no_server(target)
    kept = list(_kept(settings))
    require_apart(target, kept)
    return tuple(GuardedFolder(place.resolve(), why) for why, place in kept)


def _kept(settings: Settings) -> Iterator[tuple[Message, Path]]:
    """Yield what portalops itself keeps: the ledger and the media."""
    yield msg("the ledger is there"), settings.state_folder
    for table in settings.backup_media:
        for place in build_medium(table).places():
            yield msg("medium {medium} keeps its sets there", medium=table.id), place


def _live(settings: Settings, target: Path, warnings: list[Message]) -> Iterator[tuple[Message, Path]]:
    kept = list(_kept(settings))
    yield from kept
    avoid = [place for _why, place in kept[1:]]
    context = SourceContext(settings.state_folder, tuple(avoid))
    for table in settings.backup_sources:
        try:
            places = build_source(table, context).places()
        except ConfigurationError as error:
            warnings.append(
                msg(
                    "unknown whether source {source} reads {folder}: {cause}",
                    source=table.id,
                    folder=str(target),
                    cause=error.message,
                )
            )
            continue
        for place in places:
            yield msg("source {source} reads it", source=table.id), place
