"""Jobs (what is planned) and runs (what happened), as the ledger records them."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from enum import StrEnum
from typing import NewType, TypeAlias

from portalops.model.heads import Head
from portalops.model.message import Message, verbatim
from portalops.model.period import Week
from portalops.model.record import Digest, RunId
from portalops.model.values import dataclass
from portalops.model.verdicts import RunOutcome

JobId = NewType("JobId", str)

WEEKDAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
"""As `on` names them, from the first day of the ISO week on."""
LAST_DAY = "last"
"""The last day of a month, as `on` names it."""
SAFE_DAYS = 28
"""Days that every month has."""


class JobKind(StrEnum):
    """What a job does; one executor each."""

    BACKUP = "backup"
    COPY = "copy"
    VERIFY = "verify"
    DRILL = "drill"
    PRUNE = "prune"
    INVENTORY = "inventory"
    CHECK = "check"
    UPDATES = "updates"
    REPORT = "report"
    ANCHOR = "anchor"

    @property
    def resource(self) -> Resource:
        """What a job of the kind works on: two such jobs are not done at once."""
        return _RESOURCES[self]

    @property
    def is_heavy(self) -> bool:
        """Say whether it reads or writes whole stores: on one machine such work takes turns when jobs come due by themselves."""
        return self.resource in {Resource.MEDIA, Resource.ARCHIVE}


class Resource(StrEnum):
    """What one process at a time works on; the name of its lock file."""

    MEDIA = "media"
    """The backup media: their sets, labels and catalogues."""
    ARCHIVE = "archive"
    CHECKS = "checks"
    """Rounds of questions to the servers."""
    UPDATES = "updates"
    """The store of observations."""
    REPORTS = "reports"
    ANCHORS = "anchors"
    ADOPTED = "adopted"
    """What other tools' backups are asked."""
    DRILL_REPORTS = "drill-reports"
    """The taking up of reports of drills that were done elsewhere."""
    TURN = "turn"
    """No thing but a turn: held by heavy work that came due by itself."""


_RESOURCES = {
    JobKind.BACKUP: Resource.MEDIA,
    JobKind.COPY: Resource.MEDIA,
    JobKind.VERIFY: Resource.MEDIA,
    JobKind.DRILL: Resource.MEDIA,
    JobKind.PRUNE: Resource.MEDIA,
    JobKind.INVENTORY: Resource.ARCHIVE,
    JobKind.CHECK: Resource.CHECKS,
    JobKind.UPDATES: Resource.UPDATES,
    JobKind.REPORT: Resource.REPORTS,
    JobKind.ANCHOR: Resource.ANCHORS,
}


class Every(StrEnum):
    """How often a job is due. A job is due once in each local hour, day, ISO week or month."""

    HOUR = "hour"
    DAY = "day"
    WEEK = "week"
    MONTH = "month"

    @property
    def longest(self) -> timedelta:
        """The longest time from one slot's start to the next one's."""
        return {Every.HOUR: timedelta(hours=1), Every.DAY: timedelta(days=1), Every.WEEK: timedelta(days=7)}.get(
            self, timedelta(days=31)
        )

    def slot(self, local: datetime) -> str:
        """Name the slot that holds a local moment: `2026-11-25T09`, `2026-11-25`, `2026-W48` or `2026-11`."""
        match self:
            case Every.HOUR:
                return local.isoformat()[:13]
            case Every.DAY:
                return local.date().isoformat()
            case Every.WEEK:
                return str(Week.of(local.date()))
            case Every.MONTH:
                return local.isoformat()[:7]

    def next_start(self, local: datetime) -> datetime:
        """Return the local moment at which the slot after the one holding `local` starts."""
        day = local.replace(hour=0, minute=0, second=0, microsecond=0)
        match self:
            case Every.HOUR:
                return local.replace(minute=0, second=0, microsecond=0) + timedelta(hours=1)
            case Every.DAY:
                return day + timedelta(days=1)
            case Every.WEEK:
                return day + timedelta(days=7 - local.weekday())
            case Every.MONTH:
                return (day.replace(day=1) + timedelta(days=32)).replace(day=1)


@dataclass(frozen=True, slots=True)
class DaySpan:
    """Spans of so many local days, one after the other since the first day of the calendar."""

    days: int

    def slot(self, local: datetime) -> str:
        """Name the span that holds a local moment as ISO 8601 does: `2026-11-21/P10D`."""
        today = local.date().toordinal()
        return f"{date.fromordinal(today - (today - 1) % self.days).isoformat()}/P{self.days}D"


Span: TypeAlias = Every | DaySpan
"""What holds one full set."""


@dataclass(frozen=True, slots=True)
class Job:
    """A planned, repeated piece of work."""

    id: JobId
    kind: JobKind
    every: Every
    duty: str = ""
    """The duty or clause that its runs are evidence for."""
    at: str = ""
    """`HH:MM` in the portal's zone: from when on it is due on its day; empty for from the slot's start on."""
    on: str = ""
    """The day in its slot: one of `WEEKDAYS` for a weekly job, `1` to `28` or `last` for a monthly one; empty for the first."""

    @property
    def has_time(self) -> bool:
        """Say whether a time in its slot is chosen for it."""
        return bool(self.at or self.on)


@dataclass(frozen=True, slots=True)
class Plan:
    """What was expected from a moment on: recorded as evidence whenever it changes."""

    jobs: tuple[Job, ...]
    rulebook: str
    """The edition, such as `kh-37-2010@2026.11`."""
    configuration: Digest
    """Digest of the effective configuration."""
    timezone: str = ""
    """IANA name of the zone in which the jobs' days begin and end; empty in plans of before it was recorded."""


@dataclass(frozen=True, slots=True)
class Run:
    """One execution, folded from its started and finished records."""

    id: RunId
    kind: str
    """The records' kind without its ending: `backup`, `check`, ..."""
    subject: str
    duty: str
    started_at: datetime
    started_seq: int
    finished_at: datetime | None = None
    """None while it runs, and for ever if it crashed."""
    finished_seq: int | None = None
    body: Digest | None = None
    """The blob of the finished record, or of the started one if there is none."""


@dataclass(frozen=True, slots=True)
class RunSummary:
    """The part of a finished record's blob that every run has, under the key `run`."""

    outcome: RunOutcome
    exit_code: int
    started_at: datetime
    finished_at: datetime
    problems: tuple[str, ...] = ()
    """One English line for each thing that went wrong, bounded and escaped."""
    late: bool = False
    """It was overdue when it began: the job's time in the slot before had passed without a complete run."""
    problem_messages: tuple[Message, ...] = ()
    """The same problems for people, in whose language they are shown; empty in older records."""

    @property
    def shown_problems(self) -> tuple[Message, ...]:
        """The problems for people; in older records their English text."""
        return self.problem_messages or tuple(map(verbatim, self.problems))


@dataclass(frozen=True, slots=True)
class RunLog:
    """What was logged while a run lasted, in a blob of its own, under the key `log` of the finished record's blob.

    Not there if nothing was logged, and in records of before logs were kept.
    """

    evidence: Digest
    """One JSON object a line: `time`, `level`, `logger`, `message`."""
    lines: int
    more: int
    """How many further lines were not kept."""


@dataclass(frozen=True, slots=True)
class Slot:
    """One expected run: a job in one of its slots."""

    job: Job
    name: str
    """As `Every.slot` gives it."""
    starts_on: date


@dataclass(frozen=True, slots=True)
class WrittenFile:
    """One file that a run wrote for people."""

    name: str
    """File name without its folder."""
    language: str
    size_bytes: int
    sha256: Digest


@dataclass(frozen=True, slots=True)
class ReportResult:
    """The body of a `report.finished` record, under the key `report`."""

    report: str
    """Name, such as `compliance`."""
    period: str
    """`2026-11-16..2026-11-22`."""
    files: tuple[WrittenFile, ...]
    head: Head | None = None
    """The head that the report carries; None if there was none, and in records of before reports carried one."""
    scope: str = ""
    """What it is cut down to, such as `unit-so-y-te` or `host-web1`; empty for the whole portal."""


def slot_start(every: Every, local: datetime) -> datetime:
    """Return the local moment at which the slot that holds `local` began."""
    hour = local.replace(minute=0, second=0, microsecond=0)
    match every:
        case Every.HOUR:
            return hour
        case Every.DAY:
            return hour.replace(hour=0)
        case Every.WEEK:
            return hour.replace(hour=0) - timedelta(days=local.weekday())
        case Every.MONTH:
            return hour.replace(hour=0, day=1)
