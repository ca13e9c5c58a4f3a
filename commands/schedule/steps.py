"""What the verbs of this noun do alike."""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from commands.cli.session import Session
from commands.cli.shapes import shape
from commands.jobs.schedule_change import Action, FileChange
from commands.jobs.schedule_demands import program_of
from commands.jobs.schedule_state import Places
from portalops.config.layers import show_path
from portalops.errors import PortalOpsError, UsageError
from portalops.files import unwritable
from portalops.model.message import Message, msg
from portalops.reports.document import Status, TableBlock
from portalops.schedule.standing import FileState


def install_places(root: Path | None) -> Places:
    """Return where files go; in an image, below its root folder.

    Raises:
        UsageError: the root folder is none.
    """
    if root is None:
        return Places()
    if not root.is_dir():
        raise UsageError(
            msg("there is no folder {path}", path=show_path(root)), msg("Name the root folder of the image.")
        )
    below = {name: root / str(path).lstrip("/") for name, path in (("units", Places().units), ("cron", Places().cron))}
    for path in below.values():
        try:
            path.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise unwritable(path, error) from error
    return replace(Places(), **below)


def changes_table(changes: Sequence[FileChange], caption: Message) -> TableBlock:
    return TableBlock(
        caption, (msg("File"), msg("What is done")), [(change.file.path, change.action.value) for change in changes]
    )


def planned_table(changes: Sequence[FileChange]) -> TableBlock:
    """Show what would become of each file; nothing of it is done."""
    words = {
        Action.WRITTEN: Status(msg("to be written"), Action.WRITTEN.value.tone),
        Action.REMOVED: Status(msg("to be removed"), Action.REMOVED.value.tone),
    }
    rows = [(change.file.path, words.get(change.action, change.action.value)) for change in changes]
    return TableBlock(msg("What would be done"), (msg("File"), msg("What is done")), rows)


@shape
class ShownChange:
    """What was, or would be, done with one file."""

    id: str
    path: str
    state: FileState
    """What was found there."""
    action: str
    drop_ins: tuple[str, ...]
    """Files that an administrator put beside it, which systemd reads too."""


def change_data(change: FileChange) -> ShownChange:
    return ShownChange(
        id=change.file.name,
        path=change.file.path,
        state=change.file.state,
        action=change.action.name.lower(),
        drop_ins=tuple(change.file.drop_ins),
    )


def installed_command(session: Session) -> str:
    """Return this call as it can be repeated; what is installed goes away without a configuration too."""
    config = () if session.invocation.config is None else ("--config", str(session.invocation.config))
    try:
        program = program_of(session.settings)
    except PortalOpsError:
        program = "portalops"
    return shlex.join((program, *config, *session.invocation.arguments))
