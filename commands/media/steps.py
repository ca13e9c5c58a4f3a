"""What the verbs of this noun do alike."""

from __future__ import annotations

import os
import stat
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING

from backups.media._burner import DiscBurner
from commands.media.options import MAX_TEXT
from portalops.errors import UsageError
from portalops.model.message import msg, verbatim
from portalops.model.text import show_text
from portalops.reports.document import Block, Notice, Tone

if TYPE_CHECKING:
    from portalops.ports import DiscDrive

DUTY = "10.2-medium"


def drive_at(device: str) -> DiscDrive:
    """Return the drive of a device file; a file that stands in for a drive is none, since no disc comes out of it.

    Raises:
        UsageError: it is no device.
    """
    try:
        is_device = stat.S_ISBLK(os.stat(device).st_mode)
    except FileNotFoundError:
        is_device = True  # the drive says so, and which ones there are
    except (OSError, ValueError):
        is_device = False
    if not is_device or device.startswith("stdio:"):
        raise UsageError(
            msg("{device} is not a disc drive", device=show_text(device, 200)),
            msg("Name the device file of a drive that burns, such as /dev/sr0."),
        )
    return DiscBurner(str(Path(device)))


def problem_blocks(problem: str) -> list[Block]:
    return [Notice(verbatim(problem), Tone.BAD)] if problem else []


def required_text(text: str, option: str) -> str:
    shown = show_text(text.strip(), MAX_TEXT)
    if not shown:
        raise UsageError(msg("{option} is empty", option=option), msg("Say it, for whoever looks for the medium."))
    return shown


def required_place(site: str, room: str) -> tuple[str, str]:
    """Return building and room, both or neither.

    Raises:
        UsageError: one is given without the other.
    """
    if bool(site.strip()) != bool(room.strip()):
        raise UsageError(msg("--site and --room go together"), msg("Give both, or leave both out."))
    return show_text(site.strip(), MAX_TEXT), show_text(room.strip(), MAX_TEXT)


def expiry_day(text: str | None) -> date | None:
    """Return the day from which on a medium is not trusted; None if none was given.

    Raises:
        UsageError: it is no day.
    """
    if text is None:
        return None
    try:
        return date.fromisoformat(text)
    except ValueError as error:
        raise UsageError(
            msg("{text} is no day", text=show_text(text, 40)), msg("Write it as year-month-day: 2031-12-31.")
        ) from error
