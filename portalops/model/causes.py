"""Why the operating system refused something, in the reader's language where the reason is a common one."""

from __future__ import annotations

import errno
import re
from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta

from portalops.model.message import Message, msg, verbatim
from portalops.model.text import show_text

_CAUSES: Mapping[int, Message] = {
    errno.EACCES: msg("Permission denied"),
    errno.EPERM: msg("Operation not permitted"),
    errno.ENOENT: msg("No such file or directory"),
    errno.EEXIST: msg("File exists"),
    errno.ENOTDIR: msg("Not a directory"),
    errno.EISDIR: msg("Is a directory"),
    errno.ENOTEMPTY: msg("Directory not empty"),
    errno.ENOSPC: msg("No space left on device"),
    errno.EDQUOT: msg("Disk quota exceeded"),
    errno.EROFS: msg("Read-only file system"),
    errno.EIO: msg("Input/output error"),
    errno.ENAMETOOLONG: msg("File name too long"),
    errno.ELOOP: msg("Too many levels of symbolic links"),
    errno.EMFILE: msg("Too many open files"),
    errno.ESTALE: msg("Stale file handle"),
    errno.ECONNREFUSED: msg("Connection refused"),
    errno.ECONNRESET: msg("Connection reset by peer"),
    errno.EPIPE: msg("Broken pipe"),
    errno.ETIMEDOUT: msg("Connection timed out"),
    errno.EHOSTUNREACH: msg("No route to host"),
    errno.ENETUNREACH: msg("Network is unreachable"),
}
"""The English is that of glibc's strerror(3), so that it can be looked up."""


def cause_of(error: OSError) -> Message:
    """Return why the system refused; a rare reason stays in the system's own words.

    >>> str(cause_of(FileNotFoundError(2, "whatever the locale says")))
    'No such file or directory'
    """
    known = _CAUSES.get(error.errno or 0)
    return known or verbatim(show_text(error.strerror or str(error) or type(error).__name__))


_IN_LINES = {
    spelling: cause
    for cause in (
        *_CAUSES.values(),
        msg("no such file or folder"),
        msg("moved while it was read"),
        msg("changed while it was read, twice"),
        msg("another file system"),
        msg("its name would lead out of the folder"),
        msg("its folders are nested too deeply"),
        msg("a folder of this name was made before"),
        msg("a hard link to a folder"),
        msg("a device is not made"),
        msg("a device is neither made nor compared"),
        msg("include names it, and exclude leaves out all of it"),
        msg("a folder of backup sets"),
        msg("mounted inside, so the snapshot does not hold it"),
        msg("a folder is there"),
        msg("something else than a folder is there"),
        msg("something came to be there meanwhile; it was not overwritten"),
        msg("its set-user-ID or set-group-ID bit was not restored"),
        msg("its content is not what the index lists"),
        msg("not a file"),
        msg("not a folder"),
        msg("another link"),
    )
    for spelling in (str(cause), str(cause).lower())  # a restore writes the system's words small
}
_WITH_VALUES = (
    (re.compile(r"attribute (?P<key>\S+) was not restored"), msg("attribute {key} was not restored")),
    (re.compile(r"a device \((?P<number>\d+:\d+)\) is not made"), msg("a device ({number}) is not made")),
    (
        re.compile(r"a further name of the device (?P<path>.+), which is not made"),
        msg("a further name of the device {path}, which is not made"),
    ),
    (re.compile(r"(?P<found>\d+) rows instead of (?P<expected>\d+)"), msg("{found} rows instead of {expected}")),
)
_WHOLE_LINES = (
    (
        re.compile(r"(?P<file>\S+) lists what earlier restores did not bring back: (?P<n>\d+)"),
        msg("{file} lists what earlier restores did not bring back: {n}"),
    ),
    (
        re.compile(r"(?P<file>.+) lists what is missing, since (?P<other>\S+) is another file"),
        msg("{file} lists what is missing, since {other} is another file"),
    ),
)
_UNREADABLE = re.compile(r"the user of the drill may not read what was restored: (?P<what>.*)", re.DOTALL)


_TORN = re.compile(r"(.*): changed while it was read, twice \(modified (\S+), then (\S+)\)", re.DOTALL)
_GONE = re.compile(r"(\d+) of (\d+) files were removed while they were read; (\d+) % may be")


def line_of_record(line: str) -> Message:
    """Return a line `NAME: CAUSE` of a record, which holds it as English text, with a common cause in the reader's language.

    >>> line_of_record("/etc/shadow: Permission denied").values["cause"].text
    'Permission denied'
    """
    if torn := _TORN.fullmatch(line):
        name, *times = torn.groups()
        before, after = map(_moment_of, times)
        if isinstance(before, datetime) and isinstance(after, datetime) and abs(after - before) < timedelta(minutes=1):
            # Both would be shown as the same minute.
            return msg("{name}: changed while it was read, twice (last modified {after})", name=name, after=after)
        return msg(
            "{name}: changed while it was read, twice (modified {before}, then {after})",
            name=name,
            before=before,
            after=after,
        )
    if gone := _GONE.fullmatch(line):
        count, listed, limit = map(int, gone.groups())
        return msg(
            "{n} of {listed} files were removed while they were read; {limit} % may be",
            n=count,
            listed=listed,
            limit=limit,
        )
    if unreadable := _UNREADABLE.fullmatch(line):
        return msg("the user of the drill may not read what was restored: {what}", what=unreadable["what"])
    if whole := _filled(line, _WHOLE_LINES):
        return whole
    name, _, words = line.rpartition(": ")
    cause = _IN_LINES.get(words) or _filled(words, _WITH_VALUES)
    return msg("{name}: {cause}", name=name, cause=cause) if name and cause else verbatim(line)


def _filled(text: str, templates: Iterable[tuple[re.Pattern[str], Message]]) -> Message | None:
    for pattern, template in templates:
        if found := pattern.fullmatch(text):
            return Message(template.text, found.groupdict())
    return None


def _moment_of(text: str) -> datetime | str:
    """Return a moment that a record holds as text; the text itself where it is none."""
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        return text
    return found if found.tzinfo else text
