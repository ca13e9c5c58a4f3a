"""What is to be installed so that a configuration's jobs are done: which part starts which of them, and with which rights; pure.

Each part is one service with a timer of its own, so that a long one delays no other, and each may do no more than its jobs
need. What belongs together in one part needs the same rights.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

from portalops.model.runs import Job, JobKind


class SchedulePart(StrEnum):
    """A part of the schedule; its value is the name of its units."""

    REST = "portalops"
    """What the other parts don't do."""
    BACKUP = "portalops-backup"
    """What reads the sources and collections of this machine."""
    MEDIA = "portalops-media"
    """What reads whole backup sets back: hours of work, and drills try out what they find."""
    CHECK = "portalops-check"
    """The scan of this machine, by its probe service."""
    WATCH = "portalops-watch"
    """Keeping heads of other hosts' ledgers."""
    WORKER = "portalops-worker"
    """Doing parts of jobs for as long as the machine is on: its timer starts it where it does not run."""

    @property
    def service(self) -> str:
        """Return the name of its service."""
        return f"{self.value}.service"

    @property
    def timer(self) -> str:
        """Return the name of its timer."""
        return f"{self.value}.timer"


FAILED = "portalops-failed@.service"
"""What notifies people that one of the services failed."""

_PART_OF: Mapping[JobKind, SchedulePart] = {
    JobKind.BACKUP: SchedulePart.BACKUP,
    JobKind.INVENTORY: SchedulePart.BACKUP,
    JobKind.COPY: SchedulePart.MEDIA,
    JobKind.VERIFY: SchedulePart.MEDIA,
    JobKind.DRILL: SchedulePart.MEDIA,
    JobKind.PRUNE: SchedulePart.MEDIA,
}


@dataclass(frozen=True, slots=True)
class ServiceCredential:
    """A secret that systemd hands to the services: `{ credential = "NAME" }` in the configuration."""

    name: str
    path: str
    """Where it lies."""
    is_encrypted: bool = False
    """By systemd-creds(1)."""


@dataclass(frozen=True, slots=True)
class Demands:
    """What the configuration asks of this machine."""

    program: str
    """Absolute path of portalops."""
    config: str
    """Absolute path of the configuration."""
    user: str
    every_minutes: int
    random_delay_minutes: int
    jobs: tuple[Job, ...]
    writes: tuple[str, ...] = ()
    """Folders that are written to and are there."""
    may_write: tuple[str, ...] = ()
    """Folders that are written to where they are there, such as a disk that is attached now and then."""
    makes: tuple[str, ...] = ()
    """Folders of those that portalops makes where they are not there; never one of a medium, whose absence shows a missing disk."""
    reads: tuple[str, ...] = ()
    """Files with keys and secrets, which the account must be let read."""
    devices: tuple[str, ...] = ()
    """Devices of media, such as `/dev/nst0`."""
    credentials: tuple[ServiceCredential, ...] = ()
    reads_this_machine: bool = False
    """Sources or collections are files of this machine, which its user need not be allowed to read."""
    checks_this_machine: bool = False
    """A host is `local`."""
    watches: bool = False
    """Ledgers of others are watched."""
    works: bool = False
    """There is a cluster, for which this machine does parts of jobs."""
    probe_program: str = ""
    """What answers the scan of this machine, for sh(1); see `probe.py`."""
    in_homes: bool = False
    """Something that every part needs lies in people's home folders."""
    sources_in_homes: bool = False
    """A source or collection does."""


@dataclass(frozen=True, slots=True)
class ScheduledService:
    """One service and its timer."""

    part: SchedulePart
    jobs: tuple[str, ...]
    """Ids of what it does where it is due; empty for all jobs, for the watch and for a worker."""
    reads_all: bool = False
    """It reads files of every owner."""
    asks_probes: bool = False
    """It asks the probe service about this machine."""
    writes_media: bool = False
    """It works with the backup media and their devices."""
    runs_servers: bool = False
    """It starts throw-away servers, some of which make code as they go."""
    sees_homes: bool = False


def plan_services(demands: Demands) -> tuple[ScheduledService, ...]:
    """Return the parts that a configuration needs.

    A machine on which the same rights do for everything gets one service. It names no jobs then, so that a job that is added
    later is done as well.
    """
    by_part: dict[SchedulePart, list[Job]] = {}
    for job in demands.jobs:
        by_part.setdefault(_part_of(job, demands), []).append(job)
    knocks = [_plan_service(part, jobs, demands, alone=len(by_part) == 1) for part, jobs in by_part.items()]
    if demands.watches:
        knocks.append(ScheduledService(SchedulePart.WATCH, (), sees_homes=demands.in_homes))
    if demands.works:
        knocks.append(ScheduledService(SchedulePart.WORKER, (), sees_homes=demands.in_homes))
    return tuple(sorted(knocks, key=lambda knock: list(SchedulePart).index(knock.part)))


def list_cron_parts(demands: Demands) -> Sequence[SchedulePart]:
    """Return what cron calls: it knows one set of rights, so all jobs are one part."""
    return (*((SchedulePart.REST,) if demands.jobs else ()), *((SchedulePart.WATCH,) if demands.watches else ()))


def _part_of(job: Job, demands: Demands) -> SchedulePart:
    if job.kind is JobKind.CHECK and demands.checks_this_machine:
        return SchedulePart.CHECK
    return _PART_OF.get(job.kind, SchedulePart.REST)


def _plan_service(part: SchedulePart, jobs: Sequence[Job], demands: Demands, *, alone: bool) -> ScheduledService:
    kinds = {job.kind for job in jobs}
    return ScheduledService(
        part,
        () if alone else tuple(job.id for job in jobs),
        reads_all=part is SchedulePart.BACKUP and demands.reads_this_machine,
        asks_probes=part is SchedulePart.CHECK,
        writes_media=part in {SchedulePart.BACKUP, SchedulePart.MEDIA},
        runs_servers=JobKind.DRILL in kinds,
        sees_homes=demands.in_homes or (part is SchedulePart.BACKUP and demands.sources_in_homes),
    )
