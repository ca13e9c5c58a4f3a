"""How what is installed stands against what is planned: files, timers, and the jobs that they are there for; pure.

A timer that is switched off or dead makes no sound, so it is looked for: a backup that nobody starts fails nowhere.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from portalops.model.message import Message, msg, nmsg
from portalops.model.runs import Job
from portalops.model.verdicts import RunOutcome
from portalops.schedule import probe
from portalops.schedule.marks import FileOwner, origin_of
from portalops.schedule.plan import FAILED, SchedulePart
from portalops.schedule.systemd import SystemdUnitState
from portalops.schedule.units import UnitFile

NAMES = (*(name for part in SchedulePart for name in (part.service, part.timer)), *probe.NAMES, FAILED)
"""Every file that there may be."""
ALLOWANCE = timedelta(minutes=5)
"""How much later than planned a timer may be: a machine wakes up, a clock is set."""


class Way(StrEnum):
    """What starts the jobs: systemd, cron or the watcher."""

    SYSTEMD = "systemd"
    CRON = "cron"
    WATCH = "watch"


class FileState(StrEnum):
    """How one file stands."""

    ABSENT = "absent"
    CURRENT = "current"
    """As it would be installed now."""
    OUTDATED = "outdated"
    """As portalops wrote it, for a configuration or version of before."""
    EDITED = "edited"
    FOREIGN = "foreign"
    """It has the name, and is not portalops's."""
    NEEDLESS = "needless"
    """As portalops wrote it, and no longer part of the plan."""


@dataclass(frozen=True, slots=True)
class InstalledFile:
    """One file of the schedule, planned or there."""

    name: str
    path: str
    state: FileState
    drop_ins: tuple[str, ...] = ()
    """Files of the administrator beside it, which portalops never touches."""


@dataclass(frozen=True, slots=True)
class Flaw:
    """Something that is wrong with the schedule, or that could not be found out."""

    subject: str
    """A unit, a file or a job."""
    seen: Message
    cure: Message
    is_unknown: bool = False
    """Nobody can say whether it is wrong."""


@dataclass(frozen=True, slots=True)
class JobStanding:
    """A job, with the result of its last run."""

    job: Job
    next_at: datetime
    """When it is due next; the present moment if it is due already."""
    is_due: bool
    is_late: bool
    """Its slot before passed without a complete run, and it is not done yet."""
    is_running: bool = False
    last_at: datetime | None = None
    """When its newest run began; None if none is known of late."""
    last_outcome: RunOutcome | None = None
    """None while it runs, and where it did not finish."""


def compared(
    planned: Sequence[UnitFile], found: Mapping[str, bytes], folder: str, drop_ins: Mapping[str, Sequence[str]]
) -> tuple[InstalledFile, ...]:
    """Return the state of each planned file, and of each own file that is no longer planned.

    Args:
        planned: what would be installed now.
        found: the bytes of each file of the schedule's names that is there.
        folder: where they lie.
        drop_ins: paths of the administrator's own files, by the unit's name.
    """
    wanted = {file.name: file.data for file in planned}
    names = [*wanted, *(name for name in found if name not in wanted)]
    files = (
        InstalledFile(name, f"{folder}/{name}", state, tuple(drop_ins.get(name, ())))
        for name in names
        if (state := _state(wanted.get(name), found.get(name))) is not None
    )
    return tuple(files)


def _state(wanted: bytes | None, there: bytes | None) -> FileState | None:
    if there is None:
        return FileState.ABSENT
    origin = origin_of(there)
    if origin is FileOwner.FOREIGN:
        return FileState.FOREIGN if wanted is not None else None
    if origin is FileOwner.EDITED:
        return FileState.EDITED
    if wanted is None:
        return FileState.NEEDLESS
    return FileState.CURRENT if wanted == there else FileState.OUTDATED


def file_flaws(files: Iterable[InstalledFile]) -> Iterator[Flaw]:
    """Yield what is wrong with files, where anything is installed at all."""
    for file in files:
        match file.state:
            case FileState.ABSENT:
                yield Flaw(file.name, msg("it is not installed"), _AGAIN)
            case FileState.OUTDATED:
                yield Flaw(
                    file.name,
                    msg("it is out of date: the configuration or portalops has changed since it was installed"),
                    _AGAIN,
                )
            case FileState.NEEDLESS:
                yield Flaw(file.name, msg("the configuration no longer needs it"), _AGAIN)
            case FileState.EDITED:
                yield Flaw(
                    file.name,
                    msg("it was edited by hand, so portalops does not change it"),
                    msg(
                        "Move the changes into {path}.d/local.conf, and run 'portalops schedule install' with --force.",
                        path=file.path,
                    ),
                )
            case FileState.FOREIGN:
                yield Flaw(
                    file.name,
                    msg("a file of that name is not from portalops; it is not known whether it starts what is planned"),
                    msg("Remove {path}, and run 'portalops schedule install'.", path=file.path),
                    is_unknown=True,
                )
            case FileState.CURRENT:
                pass


_AGAIN = msg("Run 'portalops schedule install' again.")


def unit_flaws(
    units: Mapping[str, SystemdUnitState], parts: Iterable[SchedulePart], now: datetime, *, within: timedelta
) -> Iterator[Flaw]:
    """Yield what is wrong with timers and services.

    Args:
        units: as the service manager has them.
        parts: those that are planned.
        now: aware.
        within: how soon a timer must elapse again: its interval and random delay.
    """
    for part in parts:
        timer, service = units.get(part.timer), units.get(part.service)
        if timer is not None:
            yield from _timer_flaws(timer, now, within)
        if service is not None:
            yield from _service_flaws(service)


def socket_flaws(socket: SystemdUnitState) -> Iterator[Flaw]:
    """Yield why the probe service cannot be asked."""
    switch_on = msg("Run 'systemctl enable --now {unit}'.", unit=socket.name)
    if not socket.is_loaded:
        yield Flaw(socket.name, msg("systemd does not know it: {state}", state=socket.load), _AGAIN)
        return
    yield from _stale(socket)
    if socket.enabled not in {"enabled", "enabled-runtime"}:
        seen = msg("it is not enabled, so it does not start after the next reboot: {state}", state=socket.enabled)
        yield Flaw(socket.name, seen, switch_on)
    if socket.active != "active":
        seen = msg(
            "the socket is not open, so checks of this machine are unknown: {state} ({sub})",
            state=socket.active,
            sub=socket.sub,
        )
        yield Flaw(socket.name, seen, switch_on)


def _timer_flaws(timer: SystemdUnitState, now: datetime, within: timedelta) -> Iterator[Flaw]:
    name = timer.name
    switch_on = msg("Run 'systemctl enable --now {unit}'.", unit=name)
    if not timer.is_loaded:
        yield Flaw(name, msg("systemd does not know it: {state}", state=timer.load), _AGAIN)
        return
    yield from _stale(timer)
    if timer.enabled not in {"enabled", "enabled-runtime"}:
        seen = msg("it is not enabled, so it does not start after the next reboot: {state}", state=timer.enabled)
        yield Flaw(name, seen, switch_on)
    if timer.active != "active":
        seen = msg("the timer is not running, so no job is started: {state} ({sub})", state=timer.active, sub=timer.sub)
        yield Flaw(name, seen, switch_on)
    elif timer.next_at is None and timer.sub != "running":  # while the service runs there is none
        again = msg("Run 'systemctl restart {unit}'.", unit=name)
        yield Flaw(name, msg("the timer is running but will never start a job again: it has no next time"), again)
    elif timer.next_at is not None and timer.next_at > now + within + ALLOWANCE:
        yield Flaw(
            name,
            msg("the timer waits until {moment}: the clock or its time stamp was wrong", moment=timer.next_at),
            msg("Set the clock right; then 'systemctl stop {unit}', 'systemctl clean --what=state {unit}', 'systemctl start {unit}'.", unit=name),
        )  # fmt: skip
    elif timer.next_at is not None and timer.next_at < now - ALLOWANCE and timer.sub != "running":
        again = msg("Run 'systemctl restart {unit}'.", unit=name)
        yield Flaw(name, msg("the timer did not start its job at {moment}", moment=timer.next_at), again)


def _stale(unit: SystemdUnitState) -> Iterator[Flaw]:
    if unit.is_stale:
        yield Flaw(unit.name, msg("systemd has not read its newest version"), msg("Run 'systemctl daemon-reload'."))


def _service_flaws(service: SystemdUnitState) -> Iterator[Flaw]:
    if not service.is_loaded:
        yield Flaw(service.name, msg("systemd does not know it: {state}", state=service.load), _AGAIN)
        return
    yield from _stale(service)
    if service.active == "failed" or service.result not in {"", "success"}:
        code = str(service.exit_code) if service.exit_code is not None else "?"
        seen = msg("its last run failed: {result}, exit code {code}", result=service.result, code=code)
        yield Flaw(service.name, seen, msg("Read its log: journalctl -u {unit}", unit=service.name))


def job_flaws(jobs: Iterable[JobStanding]) -> Iterator[Flaw]:
    """Yield the jobs that are overdue; a running job is not."""
    for standing in jobs:
        if standing.is_late and standing.is_due and not standing.is_running:
            seen = msg("it is overdue: its previous period ended without a complete run")
            yield Flaw(
                standing.job.id, seen, msg("Run 'portalops run {job}' and read its result.", job=standing.job.id)
            )


def way_flaws(
    ways: Sequence[Way],
    *,
    is_needed: bool,
    cron_runs: bool | None,
    watcher_expected: bool = False,
    watcher_hidden: bool = False,
) -> Iterator[Flaw]:
    """Yield what is wrong with the schedules themselves.

    Args:
        ways: what is there.
        is_needed: the configuration plans something.
        cron_runs: whether a cron daemon is at work; None if nobody can say.
        watcher_expected: a watcher did run here, and nothing else starts jobs.
        watcher_hidden: the caller has no right to see whether it still runs.
    """
    if not ways and is_needed:
        if watcher_hidden:
            seen = msg(
                "it is not known whether 'portalops schedule watch' is still running: its lock file cannot be read"
            )
            yield Flaw("schedule", seen, msg("Run 'portalops schedule status' as root."), is_unknown=True)
        elif watcher_expected:
            cure = msg("Start it again: portalops schedule watch; or run 'portalops schedule install'.")
            yield Flaw(
                "schedule", msg("'portalops schedule watch' ran here but has stopped, so no job starts by itself"), cure
            )
        else:
            cure = msg(
                "Run 'portalops schedule install' with --systemd or --cron, or keep 'portalops schedule watch' running."
            )
            yield Flaw("schedule", msg("no schedule is installed, so no job starts by itself"), cure)
    if len(ways) > 1:
        seen = nmsg(
            "{n} schedule starts the jobs: {ways}",
            "{n} schedules start the jobs: {ways}",
            len(ways),
            ways=", ".join(ways),
        )
        yield Flaw("schedule", seen, msg("Keep one of them: 'portalops schedule uninstall' removes what it installed."))
    if Way.CRON in ways and cron_runs is not True:
        yield Flaw(
            "cron",
            msg("no cron daemon is running, so no job is started")
            if cron_runs is False
            else msg("it is not known whether a cron daemon is running"),
            msg("Install and start it, such as 'systemctl enable --now cron'."),
            is_unknown=cron_runs is None,
        )
