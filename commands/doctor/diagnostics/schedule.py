"""What starts portalops by itself: units or a cron file as they should be, timers alive with their next run, and the last knock.

A timer that is switched off makes no sound. That is why the ledger is asked as well: whatever the timers say, a job that has left
no record for longer than its time is told.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

from commands.doctor.diagnosis import (
    Diagnostic,
    DiagnosticLine,
    DoctorContext,
    bad,
    good,
    note,
    refused,
    unknown,
    warning,
)
from commands.jobs.due import plan_now
from commands.jobs.schedule_state import ScheduleSeen, inspect_schedule
from portalops.errors import ConfigurationError, LedgerMissing
from portalops.model.message import msg, nmsg
from portalops.model.runs import Every
from portalops.model.text import show_text
from portalops.schedule.standing import FileState, Flaw, Way, file_flaws

ALLOWED = {
    Every.HOUR: timedelta(hours=3),
    Every.DAY: timedelta(hours=36),
    Every.WEEK: timedelta(days=9),
    Every.MONTH: timedelta(days=40),
}
"""How long nothing may have run, by the most frequent job: its span, and what a machine may be off or late."""


def diagnose(look: DoctorContext) -> Iterator[DiagnosticLine]:
    """Say what knocks, when next, and when last."""
    settings = look.session.settings
    if not settings.jobs and not settings.witnessed and settings.cluster is None:
        yield note(
            "",
            msg("no job is configured, so nothing is to be started"),
            msg("Add [[job]] tables to the configuration."),
        )
        return
    yield from _last_start(look)
    try:
        seen = inspect_schedule(plan_now(look.session), look.session.settings, look.session.runner)
    except ConfigurationError as error:  # what a unit cannot see, though a shell can
        yield refused("units", error)
        return
    yield from standing(seen)


def standing(seen: ScheduleSeen) -> Iterator[DiagnosticLine]:
    """Say how the schedule stands."""
    of_files = frozenset(flaw.subject for flaw in file_flaws(seen.files))
    for flaw in seen.flaws:
        yield _judged(flaw, is_weak=not seen.ways or flaw.subject in of_files)
    yield from _alive(seen)


def _judged(flaw: Flaw, *, is_weak: bool) -> DiagnosticLine:
    """Return a flaw as a line; where nothing was ever installed, or a file is merely not the newest, it is a warning."""
    said = flaw.seen
    if flaw.subject != "schedule":
        said = msg("{subject}: {seen}", subject=show_text(flaw.subject, 100), seen=flaw.seen)
    if flaw.is_unknown:
        return unknown(flaw.subject, said, flaw.cure)
    return warning(flaw.subject, said, flaw.cure) if is_weak else bad(flaw.subject, said, flaw.cure)


def _alive(seen: ScheduleSeen) -> Iterator[DiagnosticLine]:
    """Say what is as it should be: nothing that a flaw names."""
    faulty = {flaw.subject for flaw in seen.flaws}
    for file in seen.files:
        if file.state is FileState.CURRENT and file.name not in seen.units and file.name not in faulty:
            yield good(file.name, msg("{file} is as it would be installed now", file=file.path))
    for name, unit in seen.units.items():
        if name in faulty:
            continue
        if unit.next_at is not None:
            yield good(name, msg("{unit} runs and elapses next at {moment}", unit=name, moment=unit.next_at))
        else:
            yield good(name, msg("{unit} is known to systemd and did not fail", unit=name))
    if Way.WATCH in seen.ways:
        yield good("watch", msg("'portalops schedule watch' runs: {holder}", holder=show_text(seen.watcher, 120)))


def _last_start(look: DoctorContext) -> Iterator[DiagnosticLine]:
    """Hold the newest run of any job against the most frequent job."""
    session = look.session
    jobs, now = session.settings.jobs, session.clock.now()
    if not jobs:
        return
    try:
        ledger = session.ledger
    except LedgerMissing:
        yield note("last-run", msg("nothing has run yet: there is no ledger"), _RUN)
        return
    kinds = tuple(f"{kind}.started" for kind in sorted({job.kind.value for job in jobs}))
    newest = next(ledger.records(kinds=kinds, newest_first=True, limit=1), None)
    if newest is None:
        yield note("last-run", msg("nothing has run yet: the ledger holds no run of a job"), _RUN)
        return
    allowed = min(ALLOWED[job.every] for job in jobs)
    silent = now - newest.at
    if silent <= allowed:
        yield good("last-run", msg("the newest run of a job began at {moment}", moment=newest.at))
        return
    yield bad(
        "last-run",
        nmsg(
            "nothing has run for {n} day: the newest run of a job began at {moment}",
            "nothing has run for {n} days: the newest run of a job began at {moment}",
            silent.days,
            moment=newest.at,
        ),
        msg("Run 'portalops run --due' now, then see 'portalops schedule status' for what should start it."),
    )


_RUN = msg("Run 'portalops run --due', or wait for the timer.")


DIAGNOSTIC = Diagnostic(diagnose=diagnose)
