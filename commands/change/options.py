"""Arguments and options that the verbs share, and what they accept."""

from __future__ import annotations

import re
from datetime import datetime, timedelta
from typing import Annotated, Optional, TypeAlias

import typer

from commands.cli.session import Session
from portalops.errors import UsageError
from portalops.locale import _
from portalops.model.changes import ChangeKind
from portalops.model.message import msg
from portalops.model.text import show_text

IdArgument = Annotated[str, typer.Argument(metavar="ID", help=_("The change's id, such as CH-2026-001"))]
MomentOption: TypeAlias = Annotated[
    Optional[str],  # noqa: UP045  # Typer reads it at run time
    typer.Option("--at", metavar="MOMENT", help=_("When, such as 2026-12-01T22:05; now by default")),
]
Person = Annotated[str, typer.Option("--by", metavar="NAME", help=_("Who; the account that calls by default"))]
MAX_DAYS = {ChangeKind.NORMAL: 62, ChangeKind.EMERGENCY: 14, ChangeKind.STANDING: 366}
"""How long a window may be: one that is open for ever would approve everything."""

_PACKAGE = re.compile(r"[A-Za-z0-9*][A-Za-z0-9+.*_-]{0,126}")
_ACCOUNT = re.compile(r"[^\s:,|*?\[\]]{1,64}")
"""Accounts are compared letter by letter: `*` would stand for nobody."""


def require_window(
    session: Session, kind: ChangeKind, begins_at: datetime, ends_at: datetime, *, begun_at: datetime | None = None
) -> None:
    """Refuse a window that cannot be asked for.

    Args:
        session: has the clock.
        kind: says how long it may be.
        begins_at: its beginning.
        ends_at: its end.
        begun_at: the beginning that was asked for already, and may have come since.

    Raises:
        UsageError: it is backwards, past or too long.
    """
    now = session.clock.now()
    if ends_at <= begins_at:
        raise UsageError(
            msg(
                "the window ends at {ends}, which is not after its beginning at {begins}",
                begins=begins_at,
                ends=ends_at,
            ),
            msg("Give the beginning by --from and the end by --to."),
        )
    most = MAX_DAYS[kind]
    if ends_at - begins_at > timedelta(days=most):
        raise UsageError(
            msg(
                "the window from {begins} to {ends} is longer than {most} days",
                begins=begins_at,
                ends=ends_at,
                most=most,
            ),
            msg(
                "Request a shorter window; recurring work needs --standing, which holds for {days} days at most.",
                days=366,
            ),
        )
    if kind is ChangeKind.NORMAL and begins_at <= now and begun_at is not None and begins_at != begun_at:
        raise UsageError(
            msg("the window would begin at {begins}, before its request", begins=begins_at),
            msg("Give a later window: work before the request falls under no approval."),
        )
    if kind is ChangeKind.NORMAL and begins_at <= now and begun_at is None:
        raise UsageError(
            msg("the window began at {begins}, before this request", begins=begins_at),
            msg("Request a window that is ahead. If the change could not wait and is made, give --emergency."),
        )
    if kind is not ChangeKind.EMERGENCY and ends_at <= now:
        raise UsageError(msg("the window ended at {ends}", ends=ends_at), msg("Request a window that is ahead."))


def limits_of(
    kind: ChangeKind, packages: tuple[str, ...], accounts: tuple[str, ...]
) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Return what a standing approval is limited to.

    Raises:
        UsageError: it is limited to nothing, a name is none, or the change is no standing approval.
    """
    if kind is not ChangeKind.STANDING:
        if packages or accounts:
            raise UsageError(
                msg("--package and --account limit a standing approval only"),
                msg("Give --standing, or leave them out."),
            )
        return (), ()
    if not packages:
        raise UsageError(
            msg("a standing approval needs limits"),
            msg("Give --package, such as --package '*' with --account unattended-upgrade."),
        )
    for option, pattern, names in (("--package", _PACKAGE, packages), ("--account", _ACCOUNT, accounts)):
        for name in names:
            if not pattern.fullmatch(name):
                raise UsageError(
                    msg("{option}: {name} is not a name", option=option, name=show_text(name, 60)),
                    msg("Give one name each time, without spaces."),
                )
    if not accounts and not all(any(letter.isalnum() for letter in name) for name in packages):
        raise UsageError(
            msg("every package, by anyone: that is no limit"),
            msg("Name packages by --package, or who may change them by --account, such as unattended-upgrade."),
        )
    return tuple(dict.fromkeys(packages)), tuple(dict.fromkeys(accounts))
