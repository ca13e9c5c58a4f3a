"""Show whether the jobs run by themselves: plan, installed units and last runs

systemd is asked for each timer: one that is switched off, dead or without a next moment is told, as are files that
were edited or are not as they would be installed now, and jobs that are overdue.

Example: portalops schedule status; portalops schedule status --json

EXIT STATUS: 0 all is well; 1 something is wrong; 3 something could not be found out, and nothing else is wrong; 78
the configuration is wrong
"""

from __future__ import annotations

from collections.abc import Iterator

import typer

from commands.cli.result import JsonValue, Result
from commands.cli.session import open_session
from commands.cli.verb import Verb
from commands.jobs.schedule_look import ScheduleSeen, inspect_schedule
from portalops.errors import ExitCode
from portalops.ledger.record import format_at
from portalops.model.message import Message, msg, nmsg
from portalops.reports.document import Block, Cell, KeyValues, Notice, Paragraph, Status, TableBlock, Tone
from portalops.reports.words import outcome_status
from portalops.schedule.plan import SchedulePart, plan_services
from portalops.schedule.standing import FileState, Flaw, InstalledFile, JobStanding, Way
from portalops.schedule.systemd import SystemdUnitState


def status(ctx: typer.Context) -> Result[JsonValue]:
    seen = inspect_schedule(open_session(ctx))
    exit_code = ExitCode.OK
    if seen.flaws:
        certain = any(not flaw.is_unknown for flaw in seen.flaws)
        exit_code = ExitCode.UNMET if certain else ExitCode.PARTIAL
    return Result(list(_data(seen)), list(_view(seen)), exit_code=exit_code)


def _view(seen: ScheduleSeen) -> Iterator[Block]:
    rows: list[tuple[Message, Cell]] = [(msg("Started by"), _way(seen))]
    if seen.demands is not None and seen.ways:
        rows.append((msg("As account"), seen.demands.user))
        rows.append((msg("Looks each"), nmsg("{n} minute", "{n} minutes", seen.demands.every_minutes)))
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


def _data(seen: ScheduleSeen) -> Iterator[JsonValue]:
    """Yield jobs, files and units, each with its own flaws; what concerns none of them stands under `schedule`."""
    named = {*(each.job.id for each in seen.jobs), *(each.name for each in seen.files), *seen.units}
    parts = {part.value: list(part_jobs) for part, part_jobs in _parts(seen)}
    yield {
        "id": "schedule",
        "type": "schedule",
        "ways": [way.value for way in seen.ways],
        "user": seen.demands.user if seen.demands else None,
        "every_minutes": seen.demands.every_minutes if seen.demands else None,
        "parts": parts,
        "watcher": seen.watcher or None,
        "flaws": [_flaw(flaw) for flaw in seen.flaws if flaw.subject not in named],
    }
    for standing in seen.jobs:
        yield {
            "id": standing.job.id,
            "type": "job",
            "kind": standing.job.kind.value,
            "every": standing.job.every.value,
            "on": standing.job.on or None,
            "at": standing.job.at or None,
            "next_due_at": format_at(standing.next_at),
            "due": standing.is_due,
            "late": standing.is_late,
            "running": standing.is_running,
            "last_started_at": format_at(standing.last_at) if standing.last_at else None,
            "last_outcome": standing.last_outcome.value if standing.last_outcome else None,
            "flaws": _flaws_of(seen, standing.job.id),
        }
    files = {file.name: file for file in seen.files}
    for name in dict.fromkeys((*files, *seen.units)):
        yield _unit_data(seen, name, files.get(name), seen.units.get(name))


def _parts(seen: ScheduleSeen) -> Iterator[tuple[SchedulePart, tuple[str, ...]]]:
    if seen.demands is not None:
        yield from ((knock.part, knock.jobs) for knock in plan_services(seen.demands))


def _unit_data(seen: ScheduleSeen, name: str, file: InstalledFile | None, unit: SystemdUnitState | None) -> JsonValue:
    found: dict[str, JsonValue] = {"id": name, "type": "file"}
    if file is not None:
        found |= {"path": file.path, "file": file.state.value, "drop_ins": list(file.drop_ins)}
    if unit is not None:
        found |= {
            "type": "unit",
            "load": unit.load,
            "active": unit.active,
            "sub": unit.sub,
            "enabled": unit.enabled,
            "next_at": format_at(unit.next_at) if unit.next_at else None,
            "last_at": format_at(unit.last_at) if unit.last_at else None,
            "result": unit.result,
            "exit_code": unit.exit_code,
        }
    return {**found, "flaws": _flaws_of(seen, name)}


def _flaws_of(seen: ScheduleSeen, subject: str) -> list[JsonValue]:
    return [_flaw(flaw) for flaw in seen.flaws if flaw.subject == subject]


def _flaw(flaw: Flaw) -> JsonValue:
    return {"seen": str(flaw.seen), "cure": str(flaw.cure), "unknown": flaw.is_unknown}


VERB = Verb(status)
