"""What `include` stands for now, and where the links among it lead.

A document root is often a link, such as `/srv/portal -> releases/7`, and its content is meant. So a link that is named, or that a
pattern stands for, is followed: the set gets the link, each further link on the way, and the real file or folder under its own
path. Links below are kept as links.

A pattern may stand for links that others can make, such as in a folder of uploads. One of those is followed only if its owner is
root, the user of portalops, or the owner of where it leads: nobody can have files read that way that he could not read himself.
"""

from __future__ import annotations

import glob
import os
import stat
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from backups.sources._listing import order_of
from backups.sources._patterns import is_glob
from backups.sources._settings import cause_of
from portalops.model.message import Message, msg

_MOST_LINKS = 40
"""So many links in a row the system follows (path_resolution(7))."""
_HOLLOW = ("/proc/", "/sys/")
"""What lies there is made up by the system when it is read."""


@dataclass(frozen=True, slots=True)
class IncludeEntry:
    """An entry of `include`."""

    text: str
    """Its path or pattern, absolute."""
    named: tuple[str, ...]
    """The paths that it stands for; none if nothing is there."""
    leads: tuple[FollowedLink, ...] = ()
    """Where the links among them lead."""
    is_excluded: bool = False
    """`exclude` leaves out all of it."""

    @property
    def paths(self) -> tuple[str, ...]:
        """What is to be read of it."""
        return (*self.named, *(path for each in self.leads for path in each.way))

    @property
    def has_data(self) -> bool:
        """Whether anything but links that lead nowhere is there."""
        return len(self.named) > sum(each.problem is not None for each in self.leads)


@dataclass(frozen=True, slots=True)
class FollowedLink:
    """A link that an entry of `include` stands for."""

    path: str
    way: tuple[str, ...] = ()
    """The further links, and then the file or folder that they lead to; empty if nothing more is to be read."""
    problem: Message | None = None
    """Why what it leads to cannot be read."""

    @property
    def place(self) -> str:
        """Where it leads."""
        return self.way[-1]


def find_included(include: Iterable[Path], is_excluded: Callable[[str], bool]) -> list[IncludeEntry]:
    """Return what each entry of `include` stands for now."""
    found = []
    for path in include:
        text = os.path.abspath(path)
        is_pattern = is_glob(text) and not os.path.lexists(text)
        if is_pattern:
            named = tuple(sorted(glob.glob(text, recursive=True, include_hidden=True)))
        else:
            named = (text,) if os.path.lexists(text) else ()
        wanted = [each for each in named if not is_excluded(each)]
        leads = tuple(_followed(each, trusts_all=not is_pattern) for each in wanted if os.path.islink(each))
        lost = sum(each.problem is None and bool(each.way) and is_excluded(each.place) for each in leads)
        found.append(IncludeEntry(text, named, leads, bool(named) and lost == len(wanted)))
    return found


def absent_of(included: Iterable[IncludeEntry]) -> list[str]:
    """Return the entries that nothing is there of."""
    return [each.text for each in included if not each.named]


def outermost(paths: Iterable[str]) -> list[str]:
    """Return the paths in a walk's order, without those inside another one, so that nothing is written twice."""
    kept: list[str] = []
    for path in sorted(set(paths), key=order_of):
        if not kept or not lies_in(path, kept[-1]):
            kept.append(path)
    return kept


def lies_in(path: str, folder: str) -> bool:
    """Say whether a path is a folder, or lies below it."""
    return (path + "/").startswith(folder.rstrip("/") + "/")


def excluded_by_links(is_excluded: Callable[[str], bool], included: Sequence[IncludeEntry]) -> Callable[[str], bool]:
    """Return a question: is a path left out, by its own name or by that which it has behind a link that was followed?"""
    leads = [each for entry in included for each in entry.leads if each.way]
    named = [path for entry in included for path in entry.named if not os.path.islink(path)]
    names = [
        (each.place.rstrip("/"), each.path) for each in leads if not any(lies_in(each.place, path) for path in named)
    ]
    if not names:
        return is_excluded
    return lambda path: (
        is_excluded(path)
        or any(lies_in(path, place) and is_excluded(name + path[len(place) :]) for place, name in names)
    )


def _followed(path: str, *, trusts_all: bool) -> FollowedLink:
    way: list[str] = []
    owners: set[int] = set()
    at = path
    try:
        while stat.S_ISLNK((status := os.lstat(at)).st_mode) and len(way) < _MOST_LINKS:
            owners.add(status.st_uid)
            at = _next(at)
            way.append(at)
        os.stat(at)  # links in a circle are an error here
    except FileNotFoundError:
        return FollowedLink(path, problem=msg("{path} is a link to {place}, which is not there", path=path, place=at))
    except OSError as error:
        cause = cause_of(error)
        return FollowedLink(
            path,
            problem=msg("{path} is a link, and where it leads cannot be read: {cause}", path=path, cause=cause),
        )
    if not (stat.S_ISDIR(status.st_mode) or stat.S_ISREG(status.st_mode)) or at.startswith(_HOLLOW):
        return FollowedLink(path)
    strangers = owners - {0, os.geteuid(), status.st_uid}
    if strangers and not trusts_all:
        return FollowedLink(
            path,
            problem=msg(
                "{path} is a link of user {uid} to {place}, which a pattern does not follow: name it in include",
                path=path,
                uid=min(strangers),
                place=at,
            ),
        )
    return FollowedLink(path, tuple(way))


def _next(link: str) -> str:
    """Return where a link leads, with no other link on the way there."""
    target = os.path.join(os.path.dirname(link), os.readlink(link))
    above, name = os.path.split(target.rstrip("/"))
    if name in {"", ".", ".."}:
        return os.path.realpath(target)
    return os.path.join(os.path.realpath(above), name)
