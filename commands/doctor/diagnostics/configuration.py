"""The configuration is read, every table fits, only trusted people can change it, and it is the one that the ledger knows."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

from commands.cli.kinds import typed_tables
from commands.doctor.diagnosis import Diagnostic, DiagnosticLine, DoctorContext, good, note, refused, warning
from commands.doctor.places import mode_of, others_who_write, owner_of
from portalops.config.layers import show_path
from portalops.errors import LedgerError, LedgerMissing
from portalops.model.message import msg, nmsg


def diagnose(look: DoctorContext) -> Iterator[DiagnosticLine]:
    """Say whether the configuration fits, and who beside its owner could change it."""
    settings = look.session.settings
    yield good("", msg("{files} can be read", files=", ".join(show_path(path) for path in settings.files)))
    tables, problems = typed_tables(settings)
    for problem in problems:
        yield refused("", problem)
    if tables:
        yield good("", nmsg("{n} table of a kind fits", "{n} tables of kinds fit", len(tables)))
    for path in settings.files:
        yield from _changeable(path)
    yield from _compare_plan(look)


def _changeable(path: Path) -> Iterator[DiagnosticLine]:
    """Say who else could change a file, or put another one in its place by writing a folder above it."""
    about, resolved = show_path(path), path.resolve()
    trusted = {0, os.geteuid()}
    for place in (resolved, *resolved.parents):
        status = place.stat()
        others = others_who_write(status)
        if others:
            yield warning(
                about,
                msg("{path} can be changed by others: mode {mode}", path=show_path(place), mode=mode_of(status)),
                msg("Run 'chmod go-w {path}': whoever changes it decides what portalops runs.", path=show_path(place)),
            )
        if status.st_uid in trusted:
            continue
        if place == resolved:
            seen = msg("{path} belongs to {owner}", path=show_path(place), owner=owner_of(status))
        else:
            seen = msg(
                "{path} belongs to {owner}, who can put another file in the place of {file}",
                path=show_path(place),
                owner=owner_of(status),
                file=about,
            )
        yield note(
            about,
            seen,
            msg(
                "Run 'chown root {path}' unless that account is to decide what portalops runs.",
                path=show_path(place),
            ),
        )


def _compare_plan(look: DoctorContext) -> Iterator[DiagnosticLine]:
    """Say whether the newest recorded plan was made with this very configuration."""
    session = look.session
    try:
        plan = session.ledger.plan()
    except LedgerMissing:
        return
    except LedgerError as error:
        yield refused("plan", error)
        return
    if plan is None:
        yield note(
            "plan",
            msg("the ledger holds no plan yet: nothing is counted as missed"),
            msg("Run 'portalops run --due': it records what is expected from then on."),
        )
    elif plan.configuration == session.settings.digest:
        yield good("plan", msg("the newest plan in the ledger was made with this configuration"))
    else:
        yield note(
            "plan",
            msg("the configuration was changed since the newest plan in the ledger"),
            msg(
                "It takes effect, and is recorded, at the next run: 'portalops run --due'. See 'portalops config show'."
            ),
        )


DIAGNOSTIC = Diagnostic(diagnose=diagnose)
