"""How the schedule of this machine stands: what is planned, what is installed, what knocks, and what came of each job.

`inspect_schedule` changes nothing; `flaws` says all that is wrong or could not be found out, each with its cure. What is
judged, and how, is in `portalops/schedule/standing.py`.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING

from commands.jobs.due import PlanNow
from commands.jobs.schedule_demands import demands_of, program_of
from portalops.config import Settings
from portalops.errors import ScheduleRefused
from portalops.jobs import due, next_due
from portalops.model.causes import cause_of
from portalops.model.message import Message, msg
from portalops.ports import Runner
from portalops.schedule import probe
from portalops.schedule.crontab import FILE as CRON_FILE
from portalops.schedule.crontab import cron_file, program_in_cron
from portalops.schedule.marks import FileOwner, origin_of
from portalops.schedule.plan import Demands, SchedulePart, plan_services
from portalops.schedule.standing import (
    NAMES,
    FileState,
    Flaw,
    InstalledFile,
    JobStanding,
    Way,
    compared,
    file_flaws,
    job_flaws,
    socket_flaws,
    unit_flaws,
    way_flaws,
)
from portalops.schedule.systemd import SystemdUnitState, read_units
from portalops.schedule.units import unit_files
from portalops.system.locks import holder_of
from portalops.system.processes import is_running
from portalops.system.unit_folder import UnitFolder

if TYPE_CHECKING:
    from portalops.jobs import Attempt

UNITS = Path("/etc/systemd/system")
CRON = Path("/etc/cron.d")
SYSTEMD_RUNS = Path("/run/systemd/system")
"""There where systemd is the machine's first process; see sd_booted(3)."""

CRON_DAEMONS = ("cron", "crond")


@dataclass(frozen=True, slots=True)
class Places:
    """Where the schedule's files lie."""

    units: Path = UNITS
    cron: Path = CRON
    systemd_runs: Path = SYSTEMD_RUNS


@dataclass(frozen=True, slots=True)
class ScheduleSeen:
    """All that is known of the schedule."""

    ways: tuple[Way, ...]
    """What knocks; none where nothing does."""
    demands: Demands | None
    """What is planned; None where that cannot be said, see `flaws`."""
    files: tuple[InstalledFile, ...]
    units: Mapping[str, SystemdUnitState]
    """As systemd has them; none where it was not asked."""
    watcher: str
    """Who holds the watcher's lock; empty if nobody does."""
    jobs: tuple[JobStanding, ...]
    flaws: tuple[Flaw, ...]


def inspect_schedule(plan: PlanNow, settings: Settings, runner: Runner, places: Places = Places()) -> ScheduleSeen:
    """Return how the schedule stands, and everything that is wrong with it.

    Args:
        plan: the jobs, and what was tried of them.
        settings: the configuration.
        runner: asks systemd.
        places: where the schedule's files lie.
    """
    flaws: list[Flaw] = []
    units_there, cron_there = (
        _read(UnitFolder(places.units), NAMES, flaws),
        _read(UnitFolder(places.cron), (CRON_FILE,), flaws),
    )
    jobs = job_standings(plan)
    demands = _planned(settings, {**units_there, **cron_there}, flaws)
    watch = watch_lock(settings.state_folder)
    watcher = holder_of(watch) or ""
    ways = tuple(_ways(units_there, cron_there, watcher))
    files: list[InstalledFile] = []
    units: Mapping[str, SystemdUnitState] = {}
    if demands is not None:
        if Way.SYSTEMD in ways:
            files += compared(
                unit_files(demands), units_there, str(places.units), UnitFolder(places.units).drop_ins(NAMES)
            )
            units = _units(runner, demands, places, flaws)
        if Way.CRON in ways:
            planned = cron_file(demands)
            files += compared((planned,) if planned else (), cron_there, str(places.cron), {})
        flaws += file_flaws(files)
        within = timedelta(minutes=demands.every_minutes + demands.random_delay_minutes)
        flaws += chain.from_iterable(socket_flaws(units[name]) for name in (probe.SOCKET,) if name in units)
        flaws += unit_flaws(units, [knock.part for knock in plan_services(demands)], plan.now, within=within)
    flaws += way_flaws(
        ways,
        is_needed=bool(settings.jobs or settings.witnessed or settings.cluster),
        cron_runs=is_running(CRON_DAEMONS) if Way.CRON in ways else None,
        watcher_expected=watch.exists(),
        watcher_hidden=watch.exists() and not os.access(watch, os.R_OK),
    )
    flaws += job_flaws(jobs)
    return ScheduleSeen(ways, demands, tuple(files), units, watcher, jobs, tuple(flaws))


def watch_lock(state_folder: Path) -> Path:
    """Return the lock of this state folder's watcher."""
    return state_folder / "locks" / "watch.lock"


def job_standings(plan: PlanNow) -> tuple[JobStanding, ...]:
    """Return each configured job with when it is due and what came of it last."""
    attempts, now, zone = plan.attempts, plan.now, plan.zone
    due_now = {each.job.id: each for each in due(plan.jobs, attempts, now, zone)}
    standings = []
    for job in plan.jobs:
        newest = _newest(attempts, job.id)
        due_job = due_now.get(job.id)
        standings.append(
            JobStanding(
                job,
                next_due(job, attempts, now, zone),
                is_due=due_job is not None,
                is_late=due_job is not None and due_job.late,
                is_running=newest is not None and newest.running,
                last_at=newest.run.started_at if newest else None,
                last_outcome=newest.outcome if newest else None,
            )
        )
    return tuple(standings)


def own_units(found: Mapping[str, bytes]) -> Iterator[str]:
    """Yield the names of the files that portalops made, edited or not."""
    yield from (name for name, data in found.items() if origin_of(data) is not FileOwner.FOREIGN)


def installed_program(found: Mapping[str, bytes]) -> str:
    """Return the program that installed files call; empty if they tell none."""
    for name in (*(part.service for part in SchedulePart), CRON_FILE):
        if name not in found or origin_of(found[name]) is not FileOwner.OWN:
            continue
        text = found[name].decode("utf-8", "replace")
        program = program_in_cron(text) if name == CRON_FILE else _program_in_unit(text)
        if program:
            return program
    return ""


def _program_in_unit(text: str) -> str:
    called = re.search(r'(?m)^ExecStart=("[^"\n]+"|\S+) ', text)
    return called[1].strip('"').replace("%%", "%").replace("$$", "$") if called else ""


def _encrypted(found: Mapping[str, bytes]) -> tuple[str, ...]:
    """Return the credentials that installed units take for encrypted."""
    texts = b"\n".join(found.values())
    return tuple({each.decode() for each in re.findall(rb'(?m)^LoadCredentialEncrypted="?([^:\n"]+):', texts)})


def _planned(settings: Settings, found: Mapping[str, bytes], flaws: list[Flaw]) -> Demands | None:
    program = _program(settings, found)
    try:
        try:
            return demands_of(settings, program=program)
        except ScheduleRefused:  # whoever may not look at the credentials believes the units
            return demands_of(settings, program=program, encrypted=_encrypted(found))
    except ScheduleRefused as error:
        flaws.append(Flaw("schedule", error.message, error.hint, is_unknown=True))
        return None


def _program(settings: Settings, found: Mapping[str, bytes]) -> str:
    """Return what installed files are expected to call: whoever looks may have called portalops by another path."""
    if settings.schedule.program is None and (installed := installed_program(found)):
        return installed
    try:
        return program_of(settings)
    except ScheduleRefused:  # nothing is installed by portalops, so nothing is compared with it
        return "portalops"


def _read(folder: UnitFolder, names: Sequence[str], flaws: list[Flaw]) -> Mapping[str, bytes]:
    try:
        return folder.read(names)
    except OSError as error:
        seen = msg("the files in {path} cannot be read: {cause}", path=str(folder.path), cause=cause_of(error))
        flaws.append(Flaw("schedule", seen, msg("Run 'portalops schedule status' as root."), is_unknown=True))
        return {}


def _ways(units: Mapping[str, bytes], cron: Mapping[str, bytes], watcher: str) -> Iterator[Way]:
    """Yield what knocks; a file of that name that is somebody else's may do so as well."""
    if units:
        yield Way.SYSTEMD
    if cron:
        yield Way.CRON
    if watcher:
        yield Way.WATCH


def _units(runner: Runner, demands: Demands, places: Places, flaws: list[Flaw]) -> Mapping[str, SystemdUnitState]:
    planned = plan_services(demands)
    names = [name for knock in planned for name in (knock.part.timer, knock.part.service)]
    names += [probe.SOCKET] if any(knock.asks_probes for knock in planned) else []
    answer: Mapping[str, SystemdUnitState] | Message = msg("systemd does not run here")
    if places.systemd_runs.is_dir():
        answer = read_units(runner, names) if names else {}
    if isinstance(answer, Message):
        seen = msg("systemd cannot be asked for the timers: {cause}", cause=answer)
        cure = msg("Ask on the machine itself, where systemd runs: portalops schedule status.")
        flaws.append(Flaw("systemd", seen, cure, is_unknown=True))
        return {}
    return answer


def _newest(attempts: Sequence[Attempt], job: str) -> Attempt | None:
    mine = (attempt for attempt in attempts if attempt.run.subject == job)
    return max(mine, key=lambda attempt: attempt.run.started_seq, default=None)


def is_current(seen: ScheduleSeen) -> bool:
    """Say whether every file is as it would be installed now."""
    return all(file.state is FileState.CURRENT for file in seen.files)
