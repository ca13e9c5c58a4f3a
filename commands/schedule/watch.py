"""Stay in the foreground and start the jobs that are due

For containers, and for machines without systemd and cron. It starts what is due at once and then every
schedule.every_minutes, and prints one line a run; with --json one JSON object a line, with the envelope of every --json.
A state folder has one watcher. SIGTERM and Ctrl-C end it, once the work in hand was stopped in order.

Example: portalops schedule watch; portalops schedule watch --every 5

EXIT STATUS: 0 it was asked to stop; 4 the state folder cannot be written; 75 another watcher is at work; 78 the
configuration was wrong at the start. How a run ended is in its line: a failure ends no watcher
"""

from __future__ import annotations

import sys
import time
import uuid
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Any, Literal, Optional

import schedule
import typer

from commands.cli.printer import Printer
from commands.cli.result import Result
from commands.cli.session import Session, open_session
from commands.cli.shapes import shape
from commands.cli.verb import Verb
from commands.jobs.schedule_state import watch_lock
from commands.jobs.validity import require_valid
from portalops.errors import ExitCode
from portalops.json_text import read_json
from portalops.locale import _
from portalops.model.message import Message, msg, verbatim
from portalops.model.text import show_text
from portalops.reports.document import Paragraph
from portalops.system.children import ChildEnd, run_child
from portalops.system.locks import locked

_PROGRAM = "from commands.app import main; main()"
"""What the installed program does: a watcher needs no path to it."""

UNIT = "portalops-schedule-watch.service"
"""By which name a failed round is told; a unit of that name there need not be."""

LIMIT_BYTES = 4 << 20
"""What is read of a round's own words."""

_QUIET = frozenset({ExitCode.OK, ExitCode.UNMET, ExitCode.PARTIAL, ExitCode.LOCKED, ExitCode.INTERRUPTED})
"""Rounds that are no failure; --quiet tells of the others."""


@dataclass(frozen=True, slots=True)
class WatchTurn:
    """What one round came to."""

    at: datetime
    exit_code: int
    """The child's; negative for the signal that ended it."""
    jobs: tuple[tuple[str, str], ...]
    """Ids and outcomes of the jobs that were done."""
    reported: str
    """The error that stopped it; empty if none did."""
    is_reported: bool = True
    """It printed what it came to; a program that does not even load also ends with 1."""

    @property
    def is_failure(self) -> bool:
        """Say whether somebody must see to it."""
        return self.exit_code not in _QUIET or not (self.is_reported or self.exit_code == ExitCode.INTERRUPTED)


@shape
class WatchedJob:
    """A job that was done then."""

    id: str
    outcome: str


@shape
class WatchLine:
    """What was done when it started what was due."""

    id: Literal["round"]
    at: datetime
    exit_code: int
    """The child's; negative for the signal that ended it."""
    jobs: tuple[WatchedJob, ...]
    error: str | None
    """The error that stopped it."""


@shape
class UntoldFailure:
    """A failure of which nobody could be told."""

    id: Literal["untold"]
    at: datetime
    exit_code: int
    """Of the attempt to tell somebody."""


@shape
class EndedWatch:
    """How often it looked before somebody stopped it: the last line."""

    id: Literal["watch"]
    rounds: int


def watch(
    ctx: typer.Context,
    *,
    every: Annotated[
        Optional[int],  # noqa: UP045  # Typer reads it at run time
        typer.Option(min=1, max=60, metavar="MINUTES", help=_("How often; schedule.every_minutes by default")),
    ] = None,
) -> Result[WatchLine | UntoldFailure | EndedWatch]:
    session = open_session(ctx)
    session.is_in_lines = True
    require_valid(session.settings)
    minutes = every or session.settings.schedule.every_minutes
    with locked(watch_lock(session.settings.state_folder), holder=session.holder):
        rounds = _repeat_until_stopped(minutes, lambda: _poll(session))
    return Result(EndedWatch("watch", rounds), ())


def _repeat_until_stopped(minutes: int, look: Callable[[], None]) -> int:
    """Look at once and every so many minutes, until somebody stops it; return how often it was looked."""
    count = 0

    def once() -> None:
        nonlocal count
        count += 1
        look()

    timetable = schedule.Scheduler()
    timetable.every(minutes).minutes.do(once)
    try:
        once()
        while True:
            idle = timetable.idle_seconds or 0.0
            if idle > minutes * 60 + 1:  # the clock was set back; nothing would happen until it is there again
                timetable.run_all()
                continue
            time.sleep(min(30.0, max(0.1, idle)))
            timetable.run_pending()
    except KeyboardInterrupt:
        return count


def _poll(session: Session) -> None:
    for called in _calls(session):
        at, invocation = session.clock.now(), uuid.uuid4().hex
        done = read_turn(at, _child(session, called, {"INVOCATION_ID": invocation}))
        _say(session, line_of(done), _data(done), is_failure=done.is_failure)
        if done.is_failure:
            _report(session, done, invocation)


def _child(session: Session, called: Sequence[str], more: Mapping[str, str]) -> ChildEnd:
    config = ("--config", str(session.settings.files[0]))
    argv = (sys.executable, "-P", "-c", _PROGRAM, *config, "--quiet", "--no-input", "--json", *called)
    return run_child(argv, {**session.environment, **more}, limit_bytes=LIMIT_BYTES)


def _report(session: Session, done: WatchTurn, invocation: str) -> None:
    """Do what systemd does for OnFailure=: what a round could not tell itself, such as that it was killed, is told."""
    told = _child(
        session,
        ("notify", "unit", UNIT),
        {
            "MONITOR_UNIT": UNIT,
            "MONITOR_SERVICE_RESULT": "exit-code" if done.exit_code >= 0 else "signal",
            "MONITOR_EXIT_STATUS": str(abs(done.exit_code)),
            "MONITOR_INVOCATION_ID": invocation,
        },
    )
    if told.exit_code != 0:
        at = session.clock.now()
        line = msg(
            "{moment}: the letter about that failure was not sent: exit {code}", moment=at, code=str(told.exit_code)
        )
        _say(session, line, UntoldFailure("untold", at, told.exit_code), is_failure=True)


def _calls(session: Session) -> Sequence[Sequence[str]]:
    calls: list[Sequence[str]] = []
    if session.settings.jobs:
        calls.append(("run", "--due"))
    if session.settings.witnessed:
        calls.append(("watch-remote",))
    return calls


def read_turn(at: datetime, ended: ChildEnd) -> WatchTurn:
    """Return what a child's end means, read from the envelope that it printed; a child that crashed printed none."""
    try:
        envelope: Mapping[str, Any] = read_json(ended.stdout)
        data, error = envelope.get("data"), envelope.get("error")
    except (ValueError, AttributeError):
        return WatchTurn(
            at,
            ended.exit_code,
            (),
            "" if ended.exit_code < 0 else show_text(ended.stdout[:300].decode("utf-8", "replace")) or "?",
            is_reported=False,
        )
    jobs = data.get("jobs", []) if isinstance(data, Mapping) else []
    said = f"error[{error.get('code')}]: {error.get('message')}" if isinstance(error, Mapping) else ""
    return WatchTurn(
        at, ended.exit_code, tuple((str(job["id"]), str(job["outcome"])) for job in jobs), show_text(said, 500)
    )


def line_of(done: WatchTurn) -> Message:
    """Return a round in one line."""
    if done.exit_code < 0:
        return msg("{moment}: the run was ended by signal {number}", moment=done.at, number=str(-done.exit_code))
    if done.reported:
        return msg(
            "{moment}: exit {code}: {said}", moment=done.at, code=str(done.exit_code), said=verbatim(done.reported)
        )
    if not done.jobs:
        return msg("{moment}: exit {code}, nothing was due", moment=done.at, code=str(done.exit_code))
    jobs = ", ".join(f"{job} {outcome}" for job, outcome in done.jobs)
    return msg("{moment}: exit {code}: {jobs}", moment=done.at, code=str(done.exit_code), jobs=jobs)


def _say(session: Session, line: Message, data: WatchLine | UntoldFailure, *, is_failure: bool) -> None:
    if session.invocation.quiet and not is_failure:
        return
    printer = Printer(session.invocation, session.environment)
    printer.attend(session)
    printer.result(Result(data, [Paragraph(line)]), zone=session.zone)


def _data(done: WatchTurn) -> WatchLine:
    jobs = tuple(WatchedJob(job, outcome) for job, outcome in done.jobs)
    return WatchLine("round", done.at, done.exit_code, jobs, done.reported or None)


VERB = Verb(watch, version=2)
