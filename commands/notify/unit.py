"""Notify that a systemd unit failed, unless its own run did

For OnFailure= of the units that 'portalops schedule' installs. It asks systemd how the unit ended. It also works
where the configuration or the ledger cannot be read.

Example: portalops notify unit portalops-backup.service

EXIT STATUS: 0 people were notified, now or by the run, 2 the name is not a unit's, 3 the letter waits for the next
run, 78 no channel is configured
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated

import typer

from commands.cli.result import Result
from commands.cli.session import open_session
from commands.cli.shapes import shape
from commands.cli.verb import Verb
from commands.jobs.notify import notify_failed_unit
from portalops.errors import ExitCode, UsageError
from portalops.locale import _
from portalops.model.message import Message, msg
from portalops.model.text import show_text
from portalops.notify.rules import Failure
from portalops.ports import Runner
from portalops.reports.document import Block, KeyValues, Paragraph

_NAME = re.compile(r"[A-Za-z0-9:_.\\@-]{1,255}")
"""systemd.unit(5)."""

_WORD = re.compile(r"[a-z-]{1,30}")
_INVOCATION = re.compile(r"[0-9a-f]{32}")
_PROPERTIES = ("Result", "ExecMainStatus", "InvocationID")


@dataclass(frozen=True, slots=True)
class Ending:
    """How a unit ended, by systemd's word."""

    result: str = ""
    """`exit-code`, `signal`, `oom-kill`, `timeout`, ... (systemd.exec(5), $SERVICE_RESULT); empty if it cannot be found out."""
    status: int | None = None
    """The main process's exit status, or the number of the signal that ended it."""
    invocation: str = ""
    """The id of that run; empty if it cannot be found out."""


@shape
class FailedUnit:
    """How a unit ended, and who notifies people of it."""

    id: str
    """The unit's name."""
    result: str
    """systemd's word: exit-code, signal, timeout, ...; empty if it cannot be found out."""
    status: int | None
    """Exit status or signal of the main process."""
    told_by_its_run: bool
    """The run that failed sent the letter itself, and nothing is sent now."""


def unit(
    ctx: typer.Context,
    name: Annotated[str, typer.Argument(metavar="UNIT", help=_("The unit, with its ending, such as x.service"))],
) -> Result[FailedUnit]:
    session = open_session(ctx)
    if not _NAME.fullmatch(name):
        raise UsageError(
            msg("{text} is not the name of a systemd unit", text=show_text(name, 80)),
            msg("Give it as 'systemctl list-units' prints it, such as portalops.service."),
        )
    ending = ending_of(name, session.environment, session.runner)
    was_told = notify_failed_unit(session, failure_of(name, ending), ending.invocation)
    waits = bool(session.warnings) and not was_told
    said = (
        msg("its own run has notified already") if was_told else msg("every channel that takes failures was notified")
    )
    if waits:
        said = msg("it is not certain that every channel was notified: see the warnings")
    view: list[Block] = [
        KeyValues(
            ((msg("systemd unit"), name), (msg("Ended by"), ending.result or None), (msg("Status"), ending.status))
        ),
        Paragraph(said),
    ]
    return Result(
        FailedUnit(name, ending.result, ending.status, was_told),
        view,
        exit_code=ExitCode.PARTIAL if waits else ExitCode.OK,
    )


def ending_of(name: str, environment: Mapping[str, str], runner: Runner) -> Ending:
    """Return how a unit ended.

    Args:
        name: the unit.
        environment: systemd tells a unit that OnFailure= starts what it failed for (systemd.exec(5), $MONITOR_UNIT).
        runner: asks `systemctl show` where it did not.
    """
    if environment.get("MONITOR_UNIT") == name:
        told = {
            "Result": environment.get("MONITOR_SERVICE_RESULT", ""),
            "ExecMainStatus": environment.get("MONITOR_EXIT_STATUS", ""),
            "InvocationID": environment.get("MONITOR_INVOCATION_ID", ""),
        }
    else:
        asked = ("systemctl", "show", f"--property={','.join(_PROPERTIES)}", "--", name)
        done = runner.run(asked, timeout_seconds=20.0, limit_bytes=64 << 10)
        lines = done.stdout.decode("utf-8", "replace").splitlines() if done.exit_code == 0 else []
        told = {key: value for key, equals, value in (line.partition("=") for line in lines) if equals}
    result, status, invocation = (told.get(key, "") for key in _PROPERTIES)
    return Ending(
        result if _WORD.fullmatch(result) else "",
        int(status) if re.fullmatch(r"[0-9]{1,3}", status) else None,
        invocation if _INVOCATION.fullmatch(invocation) else "",
    )


def failure_of(name: str, ending: Ending) -> Failure:
    """Return what a letter reports of a unit. Pure."""
    hint = msg("On that machine, 'systemctl status {unit}' and 'journalctl -u {unit}' show more.", unit=name)
    return Failure(f"unit:{name}", ending.result or "unknown", _describe_ending(ending), hint)


def _describe_ending(ending: Ending) -> Message:
    if ending.result == "success":  # it was started again since, or somebody tries this by hand
        return msg("it was reported as failed; systemd gives no details")
    if not ending.result:
        return msg("it failed; how it ended is unknown")
    if ending.status is None:
        return msg("it ended by {result}", result=ending.result)
    if ending.result == "exit-code" and ending.status in set(ExitCode):
        return msg(
            "it ended with exit status {exit_code}: {meaning}",
            exit_code=ending.status,
            meaning=ExitCode(ending.status).meaning,
        )
    return msg("it ended by {result}, status {exit_code}", result=ending.result, exit_code=ending.status)


VERB = Verb(unit, is_strict=True)
