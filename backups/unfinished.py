"""What a restore could not bring back: a file in the target lists each path with the reason, and goes when nothing is missing."""

from __future__ import annotations

import os
from pathlib import Path
from tempfile import TemporaryFile
from types import TracebackType
from typing import IO, Self

from portalops.errors import UnsafeTarget
from portalops.locale import LANGUAGES, render
from portalops.model.message import Message, msg, nmsg, verbatim
from portalops.model.text import show_text

UNFINISHED = "RESTORE-UNFINISHED.txt"
"""Lies in a target until its restore is complete, so that an interrupted one is not taken for complete."""
MAX_PATH = 4 * 4096
"""Letters of a path in the list: the longest there is, each byte escaped."""
_AT_WORK = msg(
    "A restore into this folder has started but not finished: the data here is incomplete. If no restore is "
    "running, remove the folder and restore again."
)


_AT_WORK_IN_PLACE = msg(
    "A restore into this folder, which had other files before, has started but not finished. Each file in it is whole, the "
    "old one or the restored one. If no restore is running, run the same restore again; do not remove the folder."
)


def begin_unfinished(target: Path, *, is_in_place: bool = False) -> None:
    """Write the file that marks a restore as incomplete; in place, the folder has other files that must stay.

    Raises:
        OSError: it cannot be written.
    """
    said = _AT_WORK_IN_PLACE if is_in_place else _AT_WORK
    _write(target, "".join(f"{render(said, each)}\n" for each in LANGUAGES), None)


def mark_finished(target: Path) -> None:
    """Remove the file: nothing is missing."""
    (target / UNFINISHED).unlink(missing_ok=True)


class MissingPaths:
    """Takes in what is missing while a restore runs; when it is left without an error, the file says what came of it."""

    def __init__(self, target: Path) -> None:
        self._target = target
        self._lines: IO[bytes] | None = None
        self.count = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, _error: object, _trace: TracebackType | None) -> None:
        try:
            if kind is None:
                self._end()
        finally:
            if self._lines is not None:
                self._lines.close()

    def add(self, path: str, reason: Message | str) -> None:
        """Take in a path, relative to the target."""
        if self._lines is None:
            self._lines = TemporaryFile()  # noqa: SIM115  # closed when this is left
        self.count += 1
        said = reason if isinstance(reason, Message) else verbatim(reason)
        self._lines.write(
            f"{show_text(path.replace(chr(92), chr(92) * 2), MAX_PATH)}\t{show_text(str(said), 500)}\n".encode()
        )

    def _end(self) -> None:
        if self._lines is None:
            mark_finished(self._target)
            return
        ended = nmsg(
            "The restore into this folder has ended, and {n} path is missing. It is listed below with the reason, behind a "
            "tab. All else in the folder is whole, but for files whose names end with .incomplete.",
            "The restore into this folder has ended, and {n} paths are missing. Each is listed below with the reason, "
            "behind a tab. All else in the folder is whole, but for files whose names end with .incomplete.",
            self.count,
        )
        text = "".join(f"{render(ended, each)}\n" for each in LANGUAGES)
        self._lines.seek(0)
        try:
            _write(self._target, f"{text}\n", self._lines)
        except OSError as error:
            raise UnsafeTarget(
                msg(
                    "cannot list in {folder} the {n} paths that are missing: {cause}",
                    folder=str(self._target),
                    n=self.count,
                    cause=error.strerror or str(error),
                ),
                msg("Make room there, and restore again into an empty folder."),
            ) from error


def _write(target: Path, text: str, lines: IO[bytes] | None) -> None:
    path = target / UNFINISHED
    new = path.with_suffix(".new")
    new.unlink(missing_ok=True)
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
    with open(os.open(new, flags, 0o600), "wb") as file:
        file.write(text.encode())
        while lines is not None and (piece := lines.read(1 << 20)):
            file.write(piece)
    new.replace(path)
