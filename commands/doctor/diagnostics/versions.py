"""Which portalops, Python, SQLite and system this is, and until when the system is supported."""

from __future__ import annotations

import platform
import sqlite3
import sys
from collections.abc import Iterator
from datetime import date, timedelta
from typing import TYPE_CHECKING, cast

from checks.servers.patching.os_supported import TABLE_GOOD_FOR, read_on, supported_until
from commands.cli.kinds import typed
from commands.doctor.diagnosis import Diagnostic, DiagnosticLine, DoctorContext, good, note, refused, unknown, warning
from portalops import __version__
from portalops.errors import ConfigurationError, LedgerError, LedgerMissing
from portalops.model.message import msg
from portalops.model.text import show_text
from portalops.registers.installations import newest_installed
from portalops.system.installation import find_installed

if TYPE_CHECKING:
    from checks.servers.declared import Declared

OF_THE_SYSTEM = "/usr"
"""Where a distribution's own Python lies: it gets fixes, whatever its number, for as long as the system does."""

SOON = timedelta(days=180)


def diagnose(look: DoctorContext) -> Iterator[DiagnosticLine]:
    """Say which versions these are."""
    today = look.session.clock.now().astimezone(look.session.zone).date()
    yield good(
        "portalops", msg("portalops {version}, in {place}", version=__version__, place=show_text(sys.prefix, 200))
    )
    python = msg(
        "Python {version}, in {place}", version=platform.python_version(), place=show_text(sys.base_prefix, 200)
    )
    if sys.base_prefix == OF_THE_SYSTEM:
        yield good("python", python)
    else:
        yield note(
            "python",
            msg("{python}, which is not the system's own: its fixes come from who put it there", python=python),
            msg("Run portalops with the system's Python, or follow the releases of python.org."),
        )
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
    name = show_text(release.get("PRETTY_NAME") or release.get("ID", "-"), 120)
    yield system_seen(
        release.get("ID", ""), release.get("VERSION_ID", ""), name, today, support=_declared_support(look)
    )


def _declared_support(look: DoctorContext) -> str:
    """Return the kind of support that the configuration declares; the standard one where it cannot be read."""
    try:
        return cast("Declared", typed(look.session.settings.declared)).support
    except ConfigurationError:
        return "standard"


def _recorded(look: DoctorContext) -> Iterator[DiagnosticLine]:
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


def system_seen(maker: str, release: str, name: str, today: date, *, support: str = "standard") -> DiagnosticLine:
    """Judge a system on a day, by the table that the check `patching.os-eol` judges all servers by.

    Args:
        maker: `ID` of os-release(5).
        release: `VERSION_ID` there.
        name: for people.
        today: the portal's local day.
        support: the kind that is declared to be contracted.
    """
    ends = supported_until(maker, release, support)
    if ends is None or (today <= ends and today - read_on() > TABLE_GOOD_FOR):
        return unknown(
            "system",
            msg("{name}: until when it gets security updates is not known here", name=name),
            msg("Ask its maker until when it is supported, and plan the change."),
        )
    if today > ends:
        return warning(
            "system",
            msg("{name} has had no security updates since {day}", name=name, day=ends),
            msg(
                "Move to a release that gets them; 'portalops ledger verify' before and after shows that nothing was lost."
            ),
        )
    if ends - today < SOON:
        return warning("system", msg("{name} gets security updates until {day} only", name=name, day=ends), _PLAN)
    return good("system", msg("{name}, which gets security updates until {day}", name=name, day=ends))


_PLAN = msg("Plan the move to a newer release.")


DIAGNOSTIC = Diagnostic(diagnose=diagnose)
