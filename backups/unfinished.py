"""What a restore could not bring back: a file in the target lists each path with the reason, and goes when nothing is missing.

Its first line is always the same, and a file that begins otherwise is somebody else's: it is never replaced or removed.
"""

from __future__ import annotations

import errno
import os
import re
import secrets
import stat
from collections.abc import Callable, Iterable, Iterator
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
FIRST_LINE = b"# portalops backup restore\n"
"""Of the file, whether a command or `restore.sh` wrote it."""
_NAMES = (UNFINISHED, *(f"RESTORE-UNFINISHED-{number}.txt" for number in range(2, 100)))
_ESCAPE = re.compile(r"\\(?:[\\ntr]|x[0-9a-f]{2}|u[0-9a-f]{4}|U000[0-9a-f]{5}|U0010[0-9a-f]{4})")
_READ = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
MAX_PATH = 4 * 4096
"""Letters of a path in the list: the longest there is, each byte escaped."""
_AT_WORK = msg(
    "A restore into this folder has started but not finished: the data here is incomplete. If no restore is "
    "running, remove the folder and restore again."
)


_AT_WORK_IN_PLACE = msg(
    "A restore into this folder, which had other files before, has started but not finished. Each file in it is whole, the "
    "old one or the restored one. If no restore is running, run the same restore again; do not remove the folder. Listed below is "
    "what it restores, and what earlier restores did not bring back."
)
_NOT_FINISHED = msg("its restore has not finished")


def is_marker(path: Path) -> bool:
    """Say whether a file was written here, by its first line."""
    try:
        with open(os.open(path, _READ), "rb") as file:
            return stat.S_ISREG(os.fstat(file.fileno()).st_mode) and file.readline(100) == FIRST_LINE
    except OSError:
        return False


def choose_marker(folder: Path, is_taken: Callable[[str], bool]) -> Path:
    """Return where the file is, or is to be, in a folder that has others.

    Args:
        folder: where it is looked for.
        is_taken: says of a name that it is to be left to another file.

    Raises:
        FileExistsError: every name is taken.
    """
    free = [folder / name for name in _NAMES if not is_taken(name)]
    for is_right in (is_marker, lambda path: not os.path.lexists(path)):
        found = next(filter(is_right, free), None)
        if found is not None:
            return found
    raise _taken()


def begin_unfinished(target: Path) -> None:
    """Write the file that marks a restore as incomplete.

    Raises:
        OSError: it cannot be written.
    """
    _write(target / UNFINISHED, _rendered(_AT_WORK), ())


def begin_in_place(marker: Path, paths: Iterable[str]) -> None:
    """Write the file that marks a restore as incomplete into a folder that has other files; what it lists already stays.

    Args:
        marker: the file.
        paths: what is to be restored.

    Raises:
        OSError: it cannot be written.
    """
    begun = [_line(path, _NOT_FINISHED) for path in paths]
    older = (line for line in _lines_of(marker) if line not in begun)
    _write(marker, _rendered(_AT_WORK_IN_PLACE), (each for lines in (older, begun) for each in lines))


def mark_finished(target: Path) -> None:
    """Remove the file: nothing is missing."""
    _remove(target / UNFINISHED)


class MissingPaths:
    """Takes in what is missing while a restore runs; when it is left without an error, the file says what came of it."""

    def __init__(
        self,
        target: Path,
        marker: Path | None = None,
        is_settled: Callable[[str, str], bool] = lambda _path, _reason: True,
    ) -> None:
        """Begin.

        Args:
            target: the folder.
            marker: the file, in a folder that has other files too.
            is_settled: told of each path that the file lists by now, and why; says whether that is over.
        """
        self._target = target
        self._marker = marker or target / UNFINISHED
        self._is_in_place = marker is not None
        self._is_settled = is_settled
        self._lines: IO[bytes] | None = None
        self.count = 0
        self.older = 0
        """Paths of earlier restores that are listed still."""

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
        self.count += 1
        self._put(_line(path, reason))

    def _put(self, line: bytes) -> None:
        if self._lines is None:
            self._lines = TemporaryFile()  # noqa: SIM115  # closed when this is left
        self._lines.write(line)

    def _end(self) -> None:
        for line in _lines_of(self._marker):
            path, _tab, reason = line.decode(errors="replace").rstrip("\n").partition("\t")
            if not self._is_settled(_unescaped(path), reason):
                self.older += 1
                self._put(line)
        if self._lines is None:
            _remove(self._marker)
            return
        ended = nmsg(
            "The restore into this folder has ended, and {n} path is missing. It is listed below with the reason, behind a "
            "tab. All else in the folder is whole, but for files that are called older below or whose names end with .incomplete.",
            "The restore into this folder has ended, and {n} paths are missing. Each is listed below with the reason, "
            "behind a tab. All else in the folder is whole, but for files that are called older below or whose names end with "
            ".incomplete.",
            self.count + self.older,
        )
        self._lines.seek(0)
        try:
            _write(self._marker, _rendered(ended), self._lines)
        except OSError as error:
            raise UnsafeTarget(
                msg(
                    "cannot list in {folder} the {n} paths that are missing: {cause}",
                    folder=str(self._target),
                    n=self.count,
                    cause=error.strerror or str(error),
                ),
                msg("Make room there, and run the same restore again; do not remove the folder.")
                if self._is_in_place
                else msg("Make room there, and restore again into an empty folder."),
            ) from error


def _rendered(text: Message) -> str:
    return "".join(f"{render(text, each)}\n" for each in LANGUAGES)


def _line(path: str, reason: Message | str) -> bytes:
    said = reason if isinstance(reason, Message) else verbatim(reason)
    return f"{show_text(path.replace(chr(92), chr(92) * 2), MAX_PATH)}\t{show_text(str(said), 500)}\n".encode()


def _unescaped(path: str) -> str:
    return _ESCAPE.sub(lambda found: found[0].encode().decode("unicode_escape"), path)


def _lines_of(marker: Path) -> Iterator[bytes]:
    """Yield the lines with paths, behind the first empty one."""
    if not is_marker(marker):
        return
    with open(os.open(marker, _READ), "rb") as file:
        while file.readline() not in {b"\n", b""}:
            pass
        yield from file


def _remove(marker: Path) -> None:
    if is_marker(marker):
        marker.unlink(missing_ok=True)


def _write(marker: Path, text: str, lines: Iterable[bytes]) -> None:
    new = marker.with_name(f".{secrets.token_hex(8)}.incomplete")
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
    try:
        with open(os.open(new, flags, 0o600), "wb") as file:
            file.write(FIRST_LINE + text.encode() + b"\n")
            file.writelines(lines)
        if os.path.lexists(marker) and not is_marker(marker):
            raise _taken()  # noqa: TRY301  # what is written is removed below
        new.replace(marker)
    except BaseException:
        new.unlink(missing_ok=True)
        raise


def _taken() -> FileExistsError:
    return FileExistsError(errno.EEXIST, "a file of that name is there", UNFINISHED)
