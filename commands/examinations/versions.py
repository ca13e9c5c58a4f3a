"""Which portalops, Python, SQLite and system this is, and until when the system is supported."""

from __future__ import annotations

import platform
import sqlite3
import sys
from collections.abc import Iterator
from datetime import date, timedelta

from commands.examinations import Look, Seen, good, note, refused, unknown, warning
from portalops import __version__
from portalops.errors import ConfigurationError, LedgerError, LedgerMissing
from portalops.model.message import msg
from portalops.model.text import show_text
from portalops.registers.installations import newest_installed
from portalops.system.installation import find_installed

SUPPORT_ENDS = {
    ("debian", "11"): date(2026, 8, 31),
    ("debian", "12"): date(2028, 6, 30),
    ("debian", "13"): date(2030, 6, 30),
    ("ubuntu", "22.04"): date(2027, 4, 30),
    ("ubuntu", "24.04"): date(2029, 4, 30),
    ("ubuntu", "26.04"): date(2031, 4, 30),
    ("rhel", "8"): date(2029, 5, 31),
    ("rhel", "9"): date(2032, 5, 31),
    ("rhel", "10"): date(2035, 5, 31),
    ("almalinux", "8"): date(2029, 3, 1),
    ("almalinux", "9"): date(2032, 5, 31),
    ("almalinux", "10"): date(2035, 5, 31),
    ("rocky", "8"): date(2029, 5, 31),
    ("rocky", "9"): date(2032, 5, 31),
    ("rocky", "10"): date(2035, 5, 31),
}
"""The last day with security updates, as the makers announced it: Debian with LTS, Ubuntu's standard support, Red Hat's maintenance."""
PYTHON_ENDS = {
    (3, 11): date(2027, 10, 31),
    (3, 12): date(2028, 10, 31),
    (3, 13): date(2029, 10, 31),
    (3, 14): date(2030, 10, 31),
}
"""Of python.org (PEP 664, 693, 719, 745), where no system keeps its own Python for longer."""
SOON = timedelta(days=180)


def examine(look: Look) -> Iterator[Seen]:
    """Say which versions these are."""
    today = look.session.clock.now().astimezone(look.session.zone).date()
    yield good(
        "portalops", msg("portalops {version}, in {place}", version=__version__, place=show_text(sys.prefix, 200))
    )
    python = platform.python_version()
    yield _judged("python", f"Python {python}", PYTHON_ENDS.get(sys.version_info[:2]), today)
    yield from _recorded(look)
    yield good("sqlite", msg("SQLite {version}", version=sqlite3.sqlite_version))
    try:
        release = platform.freedesktop_os_release()
    except OSError:
        yield unknown(
            "system",
            msg("which system this is could not be found out: there is no /etc/os-release"),
            msg("Ask whoever runs the machine until when it gets security updates."),
        )
        return
    yield system_seen(release.get("ID", ""), release.get("VERSION_ID", ""), release.get("PRETTY_NAME", ""), today)


def _recorded(look: Look) -> Iterator[Seen]:
    """Hold what is installed against what the ledger says was installed when it was written last."""
    try:
        before = newest_installed(look.session.ledger)
    except (LedgerMissing, ConfigurationError):  # the ledger's and the configuration's examinations tell of it
        return
    except LedgerError as error:
        yield refused("installation", error)
        return
    if before is None:
        return
    installed = find_installed()
    if installed.code is None:
        yield note(
            "installation",
            msg("this portalops is a checkout, whose files may change at any time"),
            msg("Install a built one on a machine where it is to run for years."),
        )
    elif installed.is_like(before):
        yield good("installation", msg("it is made of the same files as the one that wrote the ledger last"))
    else:
        yield note(
            "installation",
            msg(
                "the ledger was last written by portalops {before}, made of other files than this one, {version}",
                before=show_text(before.version, 40),
                version=installed.version,
            ),
            msg("The next run records that. If nobody installed anything: compare with what you were given."),
        )


def system_seen(maker: str, release: str, name: str, today: date) -> Seen:
    """Judge a system by `ID`, `VERSION_ID` and `PRETTY_NAME` of os-release(5) on a day."""
    numbered = release if maker == "ubuntu" else release.partition(".")[0]
    return _judged(
        "system",
        show_text(name or f"{maker} {release}".strip() or "-", 120),
        SUPPORT_ENDS.get((maker, numbered)),
        today,
    )


def _judged(about: str, name: str, ends: date | None, today: date) -> Seen:
    if ends is None:
        return unknown(
            about,
            msg("{name}: until when it gets security updates is not known here", name=name),
            msg("Look it up at its maker's, and plan the change."),
        )
    if today > ends:
        return warning(
            about,
            msg("{name} has had no security updates since {day}", name=name, day=ends),
            msg(
                "Move to a release that gets them; 'portalops ledger verify' before and after shows that nothing was lost."
            ),
        )
    if ends - today < SOON:
        return warning(about, msg("{name} gets security updates until {day} only", name=name, day=ends), _PLAN)
    return good(about, msg("{name}, which gets security updates until {day}", name=name, day=ends))


_PLAN = msg("Plan the move to a newer release.")
