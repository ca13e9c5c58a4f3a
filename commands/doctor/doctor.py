"""Find what would stop portalops on this machine

Configuration, keys, secrets, timers, folders, media, sources, ledger, anchors, clock and versions, each with its
cure. Connects to nothing, and changes nothing; --fix only closes the state folder to other accounts. With --deep it also connects to servers, media and sources, writes and
removes a small file on each medium, tries whether object stores refuse to delete what is locked, and verifies the
whole ledger.

Example: portalops doctor; portalops doctor --deep --only media

EXIT STATUS: 0 nothing bad was found, 1 something bad was found, 2 there is no such subject, 3 something could not be
found out
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Annotated, Literal, Optional, TypeAlias

import typer

from commands.cli.result import Result
from commands.cli.session import open_session
from commands.cli.shapes import ShownMessage, shape
from commands.cli.verb import Verb
from commands.doctor.diagnosis import DiagnosticState, diagnose
from portalops.errors import ExitCode
from portalops.locale import _
from portalops.model.message import msg, nmsg
from portalops.private_folder import close_to_others
from portalops.reports.document import Paragraph, TableBlock

if TYPE_CHECKING:
    from commands.doctor.diagnosis import Diagnosis


StateWord: TypeAlias = Literal["good", "note", "warning", "unknown", "bad"]
_STATES: Mapping[DiagnosticState, StateWord] = {
    DiagnosticState.GOOD: "good",
    DiagnosticState.NOTE: "note",
    DiagnosticState.WARNING: "warning",
    DiagnosticState.UNKNOWN: "unknown",
    DiagnosticState.BAD: "bad",
}


@shape
class DoctorLine:
    """One thing that a diagnostic saw."""

    id: str
    """`SUBJECT`, or `SUBJECT/OBJECT`: the same for the same thing, however it is."""
    subject: str
    object: str | None
    state: StateWord
    seen: str
    seen_parts: ShownMessage
    """`seen` for programs: what stands in it, by its names."""
    cure: str
    """What to do, in English; empty where there is nothing to do."""


def doctor(
    ctx: typer.Context,
    *,
    deep: Annotated[bool, typer.Option("--deep", help=_("Also connect, and try to write: takes minutes"))] = False,
    only: Annotated[
        Optional[list[str]],  # noqa: UP045  # Typer reads it at run time
        typer.Option("--only", metavar="SUBJECT", help=_("Only this subject, such as media; may be repeated")),
    ] = None,
    fix: Annotated[
        bool, typer.Option("--fix", help=_("First take from other accounts what they may do in the state folder"))
    ] = False,
) -> Result[tuple[DoctorLine, ...]]:
    session = open_session(ctx)
    if fix:
        close_to_others(session.settings.state_folder)  # what stays open is found below
    found = diagnose(session, deep=deep, only=only or ())
    states = [diagnosis.state for diagnosis in found]
    headers = (msg("Subject"), msg("State"), msg("What was seen"), msg("What to do"))
    rows = [(item.subject, item.state.value, item.seen, item.cure) for item in _worst_first(found)]
    summary = msg(
        "{bad} bad, {unknown} unknown, {warnings}, {good} good",
        bad=states.count(DiagnosticState.BAD),
        unknown=states.count(DiagnosticState.UNKNOWN),
        warnings=nmsg("{n} warning", "{n} warnings", states.count(DiagnosticState.WARNING)),
        good=states.count(DiagnosticState.GOOD),
    )
    exit_code = ExitCode.OK
    if DiagnosticState.BAD in states:
        exit_code = ExitCode.UNMET
    elif DiagnosticState.UNKNOWN in states:
        exit_code = ExitCode.PARTIAL
    return Result(
        data=tuple(
            DoctorLine(
                id=item.id,
                subject=item.subject,
                object=item.about or None,
                state=_STATES[item.state],
                seen=str(item.seen),
                seen_parts=ShownMessage.of(item.seen),
                cure=str(item.cure) if item.cure else "",
            )
            for item in found
        ),
        view=[TableBlock(msg("What the doctor found"), headers, rows), Paragraph(summary)],
        exit_code=exit_code,
    )


def _worst_first(found: Sequence[Diagnosis]) -> list[Diagnosis]:
    """Return the lines in the order in which a person should read them; within a state they stay as they are."""
    order = (
        DiagnosticState.BAD,
        DiagnosticState.UNKNOWN,
        DiagnosticState.WARNING,
        DiagnosticState.NOTE,
        DiagnosticState.GOOD,
    )
    return sorted(found, key=lambda each: order.index(each.state))


VERB = Verb(doctor)
