"""The figures of a report that a stranger can compute again from the records alone.

They are counted from what the bodies say as plain JSON, by rules simple enough to be written a second
time in the `verify.py` of a bundle; docs/bundle-format.md says them. Nothing here judges.

A body that cannot be read counts for nothing but an end that is unknown. A figure for which a whole source
cannot be read is None, which is shown as unknown and never as nought.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Protocol, TypeAlias
from zoneinfo import ZoneInfo

from portalops import bodies
from portalops.bodies import JsonValue
from portalops.errors import LedgerError, PortalOpsError
from portalops.model.message import msg
from portalops.model.period import Period
from portalops.model.record import FINISHED, STARTED, Digest, Record, RunId
from portalops.model.runs import Plan, Run, Slot
from portalops.model.text import format_at
from portalops.model.verdicts import CheckVerdict, RunOutcome
from portalops.registers.ends import LONG_BODY_BYTES, RunEnds
from portalops.registers.evidence import REACH_BACK
from portalops.registers.expected_slots import missed_slots
from portalops.registers.plans import PLAN, RecordedPlan

FORMAT = 1
"""The value of `format` in figures.json."""

MAX_BODY_BYTES = 16 << 20
"""A larger body is not read as JSON: what it says is unknown. It bounds what a foreign bundle can make a reader hold."""

RUNS, BACKUPS, CHECKS, UPDATES = "runs", "backups", "checks", "updates"
"""The parts of the figures for which details are read."""

Details: TypeAlias = "Callable[[str, Digest], Mapping[str, JsonValue] | None]"
"""Returns the object of a body, or None if it cannot be read; it is told which part of the figures asks."""


@dataclass(frozen=True, slots=True)
class RunFigures:
    """How the runs of one kind ended that began in the period."""

    complete: int = 0
    incomplete: int = 0
    failed: int = 0
    unfinished: int = 0
    """No end is recorded: they crashed, or were still under way."""
    unknown: int = 0
    """An end is recorded and does not say how, or cannot be read."""
    missing: int | None = 0
    """Planned slots that began in the period and had ended, without any run; None if a plan cannot be read."""


@dataclass(frozen=True, slots=True)
class BackupFigures:
    """What the ends of the period's backups say."""

    sets: int
    verified_copies: int


@dataclass(frozen=True, slots=True)
class Figures:
    """Everything in figures.json."""

    as_of: datetime
    """Of the last record that counts."""
    period: Period
    timezone: str
    last_seq: int
    in_period: int
    """How many of the records have a time in the period."""
    runs: Mapping[str, RunFigures]
    """By kind, each that has any."""
    backups: BackupFigures
    checks: Mapping[str, int] | None
    """Verdict: count, of the period's newest scan; None without one."""
    portal_days: Mapping[str, int] | None
    """Verdict: working days of the period in the newest judging; None without one."""
    unit_weeks: Mapping[str, int] | None
    """Verdict: units' weeks of the newest judging whose Monday lies in the period; None without one."""

    def data(self) -> dict[str, JsonValue]:
        """Return it as figures.json holds it."""
        return {
            "as_of": format_at(self.as_of),
            "backups": {"sets": self.backups.sets, "verified_copies": self.backups.verified_copies},
            "checks": _counts(self.checks),
            "format": FORMAT,
            "period": {"first": self.period.first.isoformat(), "last": self.period.last.isoformat()},
            "portal_days": _counts(self.portal_days),
            "records": {"first": 1, "in_period": self.in_period, "last": self.last_seq},
            "runs": {kind: _run_data(figures) for kind, figures in sorted(self.runs.items())},
            "timezone": self.timezone,
            "unit_weeks": _counts(self.unit_weeks),
        }


class FiguresReader(Protocol):
    """The part of the ledger that figures are read from."""

    def records(
        self,
        *,
        kinds: Collection[str] | None = None,
        since: datetime | None = None,
        until: datetime | None = None,
        newest_first: bool = False,
        limit: int | None = None,
    ) -> Iterator[Record]: ...
    def record(self, seq: int) -> Record | None: ...
    def blob(self, digest: Digest) -> bytes: ...


def read_figures(
    ledger: FiguresReader,
    period: Period,
    *,
    as_of_seq: int,
    zone: ZoneInfo,
    ends: RunEnds | None = None,
    mistimed: Collection[int] = (),
) -> Figures:
    """Count the figures of a period, as the ledger stood at one of its records.

    Args:
        ledger: read only.
        period: what is asked about.
        as_of_seq: the number of the last record that counts.
        zone: the portal's.
        ends: what other readers read of how runs ended; those are not read again.
        mistimed: numbers of the records whose time is wrong: they are of no period.

    Raises:
        LedgerError: there is no such record, or the ledger cannot be read at all.
    """
    last = ledger.record(as_of_seq)
    if last is None:
        raise LedgerError(
            msg("there is no record {seq}", seq=as_of_seq),
            msg("Run 'portalops ledger show' to list the records."),
        )

    details = details_in(ledger, ends)
    count = FigureCount(period, zone)
    for record in ledger.records(kinds=(PLAN,), until=count.since):
        if record.seq not in mistimed:
            count.take(record)
    for record in ledger.records(since=count.since):
        if record.seq > as_of_seq:
            break
        if record.seq not in mistimed:
            count.take(record)
    return count.figures(last.seq, last.at, details)


def details_in(ledger: FiguresReader, ends: RunEnds | None = None) -> Details:
    """Return what reads the bodies that figures rest on; arguments are those of `read_figures`."""

    def details(part: str, digest: Digest) -> Mapping[str, JsonValue] | None:
        known = ends.known(digest) if ends is not None and part == RUNS else None
        if known is not None and LONG_BODY_BYTES < known[0] <= MAX_BODY_BYTES:
            return {"run": known[1]}
        try:
            blob = ledger.blob(digest)
            if part == RUNS and LONG_BODY_BYTES < len(blob) <= MAX_BODY_BYTES:
                # A year has thousands of judgings, and only how each ended is asked for. What cannot be read behind that was not
                # written by portalops: whoever verifies a bundle reads the whole, and these figures are then a fault of it.
                run = bodies.plain_part(blob, "run")
                if run is not None:
                    return {"run": run}
            return bodies.plain(blob) if len(blob) <= MAX_BODY_BYTES else None
        except PortalOpsError:
            return None

    return details


class FigureCount:
    """Counts records as they come, oldest first: plans from the beginning on, all others from `since` on."""

    def __init__(self, period: Period, zone: ZoneInfo) -> None:
        self._period = period
        self._zone = zone
        self._start, self._end = period.bounds(zone)
        self.since = self._start - REACH_BACK
        """The first moment whose records, plans apart, can change a figure."""
        self._in_period = 0
        self._plans: list[Record] = []
        self._runs: dict[tuple[RunId, str], _Begun] = {}
        self._backups: list[Digest] = []
        self._checks: list[Digest] = []
        self._updates: list[Digest] = []

    def take(self, record: Record) -> None:
        """Count one record in."""
        if record.kind == PLAN:
            self._plans.append(record)
        if record.at < self.since:
            return
        in_period = self._start <= record.at < self._end
        self._in_period += in_period
        if record.kind.endswith(STARTED) and record.at >= self._start:
            kind = record.kind.removesuffix(STARTED)
            self._runs[record.run, kind] = _Begun(record.at, record.seq, in_period)
        elif record.kind.endswith(FINISHED):
            begun = self._runs.get((record.run, record.kind.removesuffix(FINISHED)))
            if begun is not None:
                begun.end = record.body
            self._keep_result(record, in_period=in_period)

    def figures(self, last_seq: int, as_of: datetime, details: Details) -> Figures:
        """Return the figures of what was counted; `details` is asked for the bodies that they rest on."""
        updates = _newest(UPDATES, self._updates, details)
        round_ = _newest(CHECKS, self._checks, details)
        return Figures(
            as_of=as_of,
            period=self._period,
            timezone=self._zone.key,
            last_seq=last_seq,
            in_period=self._in_period,
            runs=self._run_figures(as_of, details),
            backups=_backups([details(BACKUPS, digest) for digest in self._backups]),
            checks=None if round_ is None else _check_counts(round_),
            portal_days=None if updates is None else _portal_days(updates, self._period),
            unit_weeks=None if updates is None else _unit_weeks(updates, self._period),
        )

    def _keep_result(self, record: Record, *, in_period: bool) -> None:
        if record.kind == f"backup{FINISHED}" and in_period:
            self._backups.append(record.body)
        elif record.kind == f"check{FINISHED}" and in_period:
            self._checks.append(record.body)
        elif record.kind == f"updates{FINISHED}":
            self._updates.append(record.body)

    def _run_figures(self, as_of: datetime, details: Details) -> dict[str, RunFigures]:
        counts: dict[str, Counter[str]] = {}
        for (_run, kind), begun in self._runs.items():
            if begun.counts:
                how = "unfinished" if begun.end is None else _outcome(details(RUNS, begun.end))
                counts.setdefault(kind, Counter())[how] += 1
        missed = self._missed(as_of, details)
        for slot in missed or ():
            counts.setdefault(slot.job.kind.value, Counter())["missing"] += 1
        return {
            kind: RunFigures(
                complete=found["complete"],
                incomplete=found["incomplete"],
                failed=found["failed"],
                unfinished=found["unfinished"],
                unknown=found["unknown"],
                missing=None if missed is None else found["missing"],
            )
            for kind, found in counts.items()
        }

    def _missed(self, as_of: datetime, details: Details) -> tuple[Slot, ...] | None:
        plans = [RecordedPlan(record.seq, record.at, plan) for record, plan in _plans(self._plans, details) if plan]
        if len(plans) < len(self._plans):
            return None
        runs = [Run(run, kind, "", "", begun.at, begun.seq) for (run, kind), begun in self._runs.items()]
        try:
            return missed_slots(plans, runs, until=as_of, zone=self._zone, since=self._start, before=self._end)
        except LedgerError:
            return None


@dataclass(slots=True)
class _Begun:
    """A run that began in the period or later, and the body of its end."""

    at: datetime
    seq: int
    counts: bool
    end: Digest | None = None


def _plans(records: list[Record], details: Details) -> Iterator[tuple[Record, Plan | None]]:
    for record in records:
        held = details(RUNS, record.body)
        try:
            yield record, None if held is None or PLAN not in held else bodies.decode(Plan, held[PLAN])
        except LedgerError:
            yield record, None


def _newest(part: str, newest_last: list[Digest], details: Details) -> Mapping[str, JsonValue] | None:
    """Return the newest result that there is; a body without one is of a run that failed before it had one."""
    for digest in reversed(newest_last):
        held = details(part, digest)
        found = None if held is None else held.get(_RESULT[part])
        if isinstance(found, dict):
            return found
    return None


_RESULT = {CHECKS: "check", UPDATES: "updates"}


def _outcome(body: Mapping[str, JsonValue] | None) -> str:
    run = None if body is None else body.get("run")
    outcome = run.get("outcome") if isinstance(run, dict) else None
    return outcome if isinstance(outcome, str) and outcome in _OUTCOMES else "unknown"


_OUTCOMES = frozenset(outcome.value for outcome in RunOutcome)


def _backups(found: list[Mapping[str, JsonValue] | None]) -> BackupFigures:
    sets = copies = 0
    for body in found:
        result = None if body is None else body.get("backup")
        if isinstance(result, dict):
            sets += isinstance(result.get("set"), dict)
            copies += sum(copy.get("state") == "verified" for copy in _objects(result.get("copies")))
    return BackupFigures(sets, copies)


def _check_counts(check: Mapping[str, JsonValue]) -> dict[str, int]:
    results = [each for host in _objects(check.get("hosts")) for each in _objects(host.get("results"))]
    found = Counter(each.get("verdict") for each in results if isinstance(each.get("verdict"), str))
    return {verdict.value: found[verdict.value] for verdict in CheckVerdict}


def _portal_days(updates: Mapping[str, JsonValue], period: Period) -> dict[str, int]:
    days = _objects(updates.get("portal_days"))
    return _verdicts(each for each in days if each.get("working") is True and _day(each.get("day")) in period)


def _unit_weeks(updates: Mapping[str, JsonValue], period: Period) -> dict[str, int]:
    weeks = _objects(updates.get("unit_weeks"))
    return _verdicts(each for each in weeks if _monday(each.get("week")) in period)


def _verdicts(found: Iterable[Mapping[str, JsonValue]]) -> dict[str, int]:
    verdicts = (each.get("verdict") for each in found)
    return dict(Counter(verdict for verdict in verdicts if isinstance(verdict, str)))


_NO_DAY = date.min
"""Stands for a text that names no day; no period begins there, since none is bounded in every zone."""


def _day(value: JsonValue) -> date:
    try:
        return date.fromisoformat(value) if isinstance(value, str) and _DAY.fullmatch(value) else _NO_DAY
    except ValueError:
        return _NO_DAY


_DAY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")


def _monday(value: JsonValue) -> date:
    if not isinstance(value, dict):
        return _NO_DAY
    year, number = value.get("year"), value.get("number")
    if type(year) is not int or type(number) is not int:
        return _NO_DAY
    try:
        return date.fromisocalendar(year, number, 1)
    except (ValueError, OverflowError):
        return _NO_DAY


def _objects(value: JsonValue) -> Iterator[Mapping[str, JsonValue]]:
    """Yield the objects of a list; whatever is no list holds none."""
    for each in value if isinstance(value, list) else ():
        if isinstance(each, dict):
            yield each


def _counts(found: Mapping[str, int] | None) -> JsonValue:
    return None if found is None else dict(sorted(found.items()))


def _run_data(figures: RunFigures) -> JsonValue:
    return {
        "complete": figures.complete,
        "failed": figures.failed,
        "incomplete": figures.incomplete,
        "missing": figures.missing,
        "unfinished": figures.unfinished,
        "unknown": figures.unknown,
    }
