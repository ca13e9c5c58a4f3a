"""Show whether the jobs run by themselves: plan, installed units and last runs

Names each timer that is switched off, dead or without a next start, as systemd reports it. Names files that were
edited or differ from what would be installed now, and jobs that are overdue.

Example: portalops schedule status; portalops schedule status --json

EXIT STATUS: 0 all is well; 1 something is wrong; 3 something could not be found out, and nothing else is wrong; 78
the configuration is wrong
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Literal, TypeAlias

import typer

from commands.cli.result import Result
from commands.cli.session import open_session
from commands.cli.shapes import shape
from commands.cli.verb import Verb
from commands.jobs.due import plan_now
from commands.jobs.schedule_state import ScheduleSeen, inspect_schedule
from portalops.errors import ExitCode
from portalops.model.message import Message, msg, nmsg
from portalops.model.runs import Every, JobKind
from portalops.model.verdicts import RunOutcome
from portalops.reports.document import Block, Cell, KeyValues, Notice, Paragraph, Status, TableBlock, Tone
from portalops.reports.words import outcome_status
from portalops.schedule.plan import SchedulePart, plan_services
from portalops.schedule.standing import FileState, Flaw, InstalledFile, JobStanding, Way
from portalops.schedule.systemd import SystemdUnitState


@shape
class ShownFlaw:
    """Something that is wrong with the schedule."""

    seen: str
    cure: str
    unknown: bool
    """It could not be found out."""


@shape
class ShownSchedule:
    """What starts jobs here."""

    id: Literal["schedule"]
    type: Literal["schedule"]
    ways: tuple[Way, ...]
    user: str | None
    every_minutes: int | None
    parts: Mapping[str, tuple[str, ...]]
    """Of the schedule, each with its jobs."""
    watcher: str | None
    flaws: tuple[ShownFlaw, ...]
    """What concerns no job, file or unit alone."""


@shape
class ScheduledJob:
    """One job of the configuration."""

    id: str
    type: Literal["job"]
    kind: JobKind
    every: Every
    on: str | None
    at: str | None
    next_due_at: datetime
    due: bool
    late: bool
    running: bool
    last_started_at: datetime | None
    last_outcome: RunOutcome | None
    flaws: tuple[ShownFlaw, ...]


@shape
class ScheduledFile:
    """A file that starts jobs, or the systemd unit that it makes; what only the other has is null."""

    id: str
    type: Literal["file", "unit"]
    path: str | None
    file: FileState | None
    drop_ins: tuple[str, ...]
    load: str | None
    active: str | None
    sub: str | None
    enabled: str | None
    next_at: datetime | None
    last_at: datetime | None
    result: str | None
    exit_code: int | None
    flaws: tuple[ShownFlaw, ...]


Shown: TypeAlias = ShownSchedule | ScheduledJob | ScheduledFile


def status(ctx: typer.Context) -> Result[tuple[Shown, ...]]:
    session = open_session(ctx)
    seen = inspect_schedule(plan_now(session), session.settings, session.runner)
    exit_code = ExitCode.OK
    if seen.flaws:
        certain = any(not flaw.is_unknown for flaw in seen.flaws)
        exit_code = ExitCode.UNMET if certain else ExitCode.PARTIAL
    return Result(tuple(_data(seen)), list(_view(seen)), exit_code=exit_code)


def _view(seen: ScheduleSeen) -> Iterator[Block]:
    rows: list[tuple[Message, Cell]] = [(msg("Started by"), _way(seen))]
    if seen.demands is not None and seen.ways:
        rows.append((msg("As account"), seen.demands.user))
        rows.append((msg("Starts every"), nmsg("{n} minute", "{n} minutes", seen.demands.every_minutes)))
    yield KeyValues(rows)
    headers = (msg("Job"), msg("Kind"), msg("Planned"), msg("Next due"), msg("Last run"), msg("Outcome"))
    if seen.jobs:
        yield TableBlock(msg("Jobs"), headers, [_job_row(each) for each in seen.jobs])
    timers = [part for part in SchedulePart if part.timer in seen.units]
    if timers:
        columns = (msg("Timer"), msg("File"), msg("State"), msg("Elapses next"), msg("Elapsed last"), msg("Service"))
        yield TableBlock(msg("Timers"), columns, [_timer_row(seen, part) for part in timers])
    elif seen.files:
        yield TableBlock(
            msg("Files"), (msg("File"), msg("State")), [(each.path, _WORDS[each.state]) for each in seen.files]
        )
    drop_ins = [path for each in seen.files for path in each.drop_ins]
    if drop_ins:
        yield Notice(msg("Changed by the administrator: {paths}", paths=", ".join(drop_ins)), Tone.NEUTRAL)
    for flaw in seen.flaws:
        said = msg("{subject}: {seen}. {cure}", subject=flaw.subject, seen=flaw.seen, cure=flaw.cure)
        yield Notice(said, Tone.UNSURE if flaw.is_unknown else Tone.BAD)
    if not seen.flaws:
        yield Paragraph(msg("The schedule is as it should be."))


def _way(seen: ScheduleSeen) -> Cell:
    words = {
        Way.SYSTEMD: msg("systemd timers"),
        Way.CRON: msg("cron"),
        Way.WATCH: msg("a watcher ({holder})", holder=seen.watcher),
    }
    if not seen.ways:
        return Status(msg("nothing at all"), Tone.BAD)
    return words[seen.ways[0]] if len(seen.ways) == 1 else ", ".join(seen.ways)


def _job_row(standing: JobStanding) -> tuple[Cell, ...]:
    job = standing.job
    if standing.is_running:
        next_at: Cell = Status(msg("at work"), Tone.NEUTRAL)
    elif standing.is_late:
        next_at = Status(msg("overdue"), Tone.BAD)
    elif standing.is_due:
        next_at = Status(msg("due now"), Tone.NEUTRAL)
    else:
        next_at = standing.next_at
    outcome: Cell = None
    if standing.last_outcome is not None:
        outcome = outcome_status(standing.last_outcome)
    elif standing.last_at is not None and not standing.is_running:
        outcome = Status(msg("not known"), Tone.UNSURE)
    planned = " ".join(each for each in (job.every.value, job.on, job.at) if each)
    return (job.id, job.kind.value, planned, next_at, standing.last_at, outcome)


def _timer_row(seen: ScheduleSeen, part: SchedulePart) -> tuple[Cell, ...]:
    timer, service = seen.units[part.timer], seen.units[part.service]
    states = {file.name: file.state for file in seen.files}
    worst = max((states.get(name, FileState.ABSENT) for name in (part.timer, part.service)), key=_BAD.index)
    return (part.timer, _WORDS[worst], _timer_state(timer), timer.next_at, timer.last_at, _service_state(service))


def _timer_state(timer: SystemdUnitState) -> Status:
    is_well = timer.active == "active" and timer.enabled.startswith("enabled")
    word = msg(
        "{active} ({sub}), {enabled}", active=timer.active or "?", sub=timer.sub or "?", enabled=timer.enabled or "?"
    )
    return Status(word, Tone.GOOD if is_well else Tone.BAD)


def _service_state(service: SystemdUnitState) -> Cell:
    if service.active in {"activating", "active", "reloading"}:
        return Status(msg("at work"), Tone.NEUTRAL)
    if service.last_at is None:
        return msg("not run yet")
    word = msg("{result}, exit code {code}", result=service.result, code=str(service.exit_code))
    return Status(word, Tone.GOOD if service.result == "success" else Tone.BAD)


_WORDS = {
    FileState.CURRENT: Status(msg("as planned"), Tone.GOOD),
    FileState.NEEDLESS: Status(msg("no longer needed"), Tone.BAD),
    FileState.OUTDATED: Status(msg("outdated"), Tone.BAD),
    FileState.FOREIGN: Status(msg("not portalops's"), Tone.UNSURE),
    FileState.EDITED: Status(msg("edited by hand"), Tone.BAD),
    FileState.ABSENT: Status(msg("not there"), Tone.BAD),
}
_BAD = tuple(_WORDS)
"""The states of files, the worst last."""


def _data(seen: ScheduleSeen) -> Iterator[Shown]:
    """Yield jobs, files and units, each with its own flaws; what concerns none of them stands under `schedule`."""
    named = {*(each.job.id for each in seen.jobs), *(each.name for each in seen.files), *seen.units}
    yield ShownSchedule(
        id="schedule",
        type="schedule",
        ways=tuple(seen.ways),
        user=seen.demands.user if seen.demands else None,
        every_minutes=seen.demands.every_minutes if seen.demands else None,
        parts={part.value: tuple(part_jobs) for part, part_jobs in _parts(seen)},
        watcher=seen.watcher or None,
        flaws=tuple(_flaw(flaw) for flaw in seen.flaws if flaw.subject not in named),
    )
    for standing in seen.jobs:
        yield ScheduledJob(
            id=standing.job.id,
            type="job",
            kind=standing.job.kind,
            every=standing.job.every,
            on=standing.job.on or None,
            at=standing.job.at or None,
            next_due_at=standing.next_at,
            due=standing.is_due,
            late=standing.is_late,
            running=standing.is_running,
            last_started_at=standing.last_at,
            last_outcome=standing.last_outcome,
            flaws=_flaws_of(seen, standing.job.id),
        )
    files = {file.name: file for file in seen.files}
    for name in dict.fromkeys((*files, *seen.units)):
        yield _file_data(seen, name, files.get(name), seen.units.get(name))


def _parts(seen: ScheduleSeen) -> Iterator[tuple[SchedulePart, tuple[str, ...]]]:
    if seen.demands is not None:
        yield from ((service.part, service.jobs) for service in plan_services(seen.demands))


def _file_data(
    seen: ScheduleSeen, name: str, file: InstalledFile | None, unit: SystemdUnitState | None
) -> ScheduledFile:
    return ScheduledFile(
        id=name,
        type="file" if unit is None else "unit",
        path=file.path if file else None,
        file=file.state if file else None,
        drop_ins=tuple(file.drop_ins) if file else (),
        load=unit.load if unit else None,
        active=unit.active if unit else None,
        sub=unit.sub if unit else None,
        enabled=unit.enabled if unit else None,
        next_at=unit.next_at if unit else None,
        last_at=unit.last_at if unit else None,
        result=unit.result if unit else None,
        exit_code=unit.exit_code if unit else None,
        flaws=_flaws_of(seen, name),
    )


def _flaws_of(seen: ScheduleSeen, subject: str) -> tuple[ShownFlaw, ...]:
    return tuple(_flaw(flaw) for flaw in seen.flaws if flaw.subject == subject)


def _flaw(flaw: Flaw) -> ShownFlaw:
    return ShownFlaw(str(flaw.seen), str(flaw.cure), flaw.is_unknown)


VERB = Verb(status)
