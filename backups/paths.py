"""Paths of members as people write them: `/etc/ssh/` is what an index calls `etc/ssh`, and a pattern stands for many."""

from __future__ import annotations

from collections.abc import Iterator
from fnmatch import fnmatchcase


def as_indexed(path: str) -> str:
    """Return a path as an index writes it, without a slash before or behind it.

    >>> as_indexed("/etc/ssh/"), as_indexed("/")
    ('etc/ssh', '')
    """
    return path.strip("/")


def is_pattern(wanted: str) -> bool:
    return any(sign in wanted for sign in "*?[")


def matches(path: str, wanted: str) -> bool:
    """Say whether a path is what is wanted, or lies below it.

    >>> matches("etc/ssh/sshd_config", "etc/ssh"), matches("etc/ssh/sshd_config", "*/sshd_*")
    (True, True)
    """
    if path == wanted or path.startswith(f"{wanted}/"):
        return True
    if not is_pattern(wanted):
        return False
    return fnmatchcase(path, wanted) or fnmatchcase(path, f"{wanted}/*")


def is_named(path: str, pattern: str) -> bool:
    """Say whether a path is what a search asks for: by its last name, or as a whole where the pattern has a slash.

    >>> is_named("etc/ssh/sshd_config", "sshd_*"), is_named("etc/ssh/sshd_config", "ssh/*"), is_named("a[", "a[")
    (True, False, True)
    """
    asked = path if "/" in pattern else path.rpartition("/")[2]
    return asked == pattern or fnmatchcase(asked, pattern)


def folders_above(path: str) -> Iterator[str]:
    """Yield the folders that a path lies in, the outermost first.

    >>> list(folders_above("etc/ssh/sshd_config"))
    ['etc', 'etc/ssh']
    """
    at = path.find("/")
    while at != -1:
        yield path[:at]
        at = path.find("/", at + 1)
