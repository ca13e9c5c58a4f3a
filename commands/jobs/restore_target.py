"""Where a person may restore into: apart from what the sources read, the media's folders and the ledger."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

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


def _live(settings: Settings, target: Path, warnings: list[Message]) -> Iterator[tuple[Message, Path]]:
    yield msg("the ledger is there"), settings.state_folder
    avoid: list[Path] = []
    for table in settings.backup_media:
        for place in build_medium(table).places():
            avoid.append(place)
            yield msg("medium {medium} keeps its sets there", medium=table.id), place
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
