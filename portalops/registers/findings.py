"""Findings as the records tell them: the scans, folded in the order of their records.

A finding opens when a check fails on a host, and closes only when the same check passes there, or when a person closes
what no check can judge any more. A scan that could not find out, or did not look, leaves it as it was; so does a scan
whose details cannot be read. A check that fails again after it passed opens the same finding again.

Each scan carries the findings as they stood before it (`CarriedFindings`), so that reading them takes one scan and not
all. `read_findings(..., anew=True)` takes nothing from what is carried; both must give the same. What was fixed longer ago than
`REMEMBERED` is carried no more, so that what scans carry does not grow for ever: if its check fails again, that is a new
finding. The records of the old one stay in the ledger.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import date, datetime, timedelta
from enum import StrEnum
from typing import Any, Final, TypeAlias
from zoneinfo import ZoneInfo

from portalops import bodies
from portalops.errors import PortalOpsError
from portalops.model.checks import CheckResult, CheckScan, JudgedScan
from portalops.model.findings import CarriedFindings, Finding, FindingClosed, FindingEvent, FindingTurn
from portalops.model.message import Message
from portalops.model.organisation import HostId
from portalops.model.record import Record
from portalops.model.rulebook import Numbers
from portalops.model.values import dataclass
from portalops.model.verdicts import CheckVerdict, Severity
from portalops.ports import LedgerReader
from portalops.registers.waivers import RecordedWaiver

SCAN: Final = "check.finished"
CLOSED: Final = "finding.closed"
KEYS: Final[Mapping[str, str]] = {SCAN: "check", CLOSED: "closed"}
"""The kinds of records that findings are made of, and the key of each one's body."""

REMEMBERED: Final = timedelta(days=1096)
"""How long a finding that was fixed or closed is known: for the report of any year, also a year later."""

MAX_EVENTS = 20
"""Turns of one finding that are carried on: the first and the newest."""

Key: TypeAlias = tuple[HostId, str]
Body: TypeAlias = "CheckScan | FindingClosed"
Turned: TypeAlias = "_Judged | FindingClosed"


# --- the fold ---------------------------------------------------------------------------------


def fold_findings(
    records: Iterable[tuple[int, datetime, Body]], before: CarriedFindings | None = None
) -> tuple[Finding, ...]:
    """Return all findings, fixed ones too, by host and check.

    Args:
        records: number and time of each record with what its body holds; in any order, since numbers say what came first.
        before: what records up to `before.upto` came to; those are passed over.
    """
    known = _known(before)
    upto = before.upto if before else 0
    for seq, at, body in sorted((each for each in records if each[0] > upto), key=lambda each: each[0]):
        _turn(known, seq, at, body if isinstance(body, FindingClosed) else _judged(body))
    return _sort_findings(known)


@dataclass(frozen=True, slots=True)
class _Judged:
    """What a scan judged, each check on each host once: a fail, if it holds both."""

    failed: Mapping[Key, CheckResult]
    passed: frozenset[Key]


def _judged(one: CheckScan) -> _Judged:
    results = one.results()
    failed = {(each.host, each.check): each for each in results if each.verdict is CheckVerdict.FAIL}
    passed = {(each.host, each.check) for each in results if each.verdict is CheckVerdict.PASS}
    return _Judged(failed, frozenset(passed - failed.keys()))


def _known(before: CarriedFindings | None) -> dict[Key, Finding]:
    return {(each.host, each.check): each for each in before.findings} if before else {}


def _sort_findings(known: Mapping[Key, Finding]) -> tuple[Finding, ...]:
    return tuple(known[key] for key in sorted(known))


def _turn(known: dict[Key, Finding], seq: int, at: datetime, body: Turned) -> None:
    if isinstance(body, FindingClosed):
        _close(known, seq, at, body)
        return
    for key in known.keys() & body.passed:
        known[key] = _passed(known[key], seq, at)
    for key, result in body.failed.items():
        known[key] = _failed(known.get(key), seq, at, result)


def _passed(finding: Finding, seq: int, at: datetime) -> Finding:
    events = _with(finding.events, FindingEvent(FindingTurn.FIXED, seq, at)) if finding.is_open else finding.events
    return replace(finding, events=events, last_judged_at=at)


def _failed(finding: Finding | None, seq: int, at: datetime, result: CheckResult) -> Finding:
    events: tuple[FindingEvent, ...]
    if finding is None or is_forgotten(finding, at - REMEMBERED):
        events, reopened = (FindingEvent(FindingTurn.OPENED, seq, at),), 0
    elif finding.is_open:
        events, reopened = finding.events, finding.reopened
    else:
        events, reopened = _with(finding.events, FindingEvent(FindingTurn.REOPENED, seq, at)), finding.reopened + 1
    return Finding(
        check=result.check,
        host=result.host,
        clause=result.clause,
        severity=result.severity,
        message=result.message,
        remedy=result.remedy,
        events=events,
        reopened=reopened,
        last_seen_seq=seq,
        last_seen_at=at,
        last_judged_at=at,
        due_on=result.due_on,
    )


def is_forgotten(finding: Finding, before: datetime) -> bool:
    """Say whether a finding was fixed or closed before a moment."""
    return not finding.is_open and finding.events[-1].at < before


def _close(known: dict[Key, Finding], seq: int, at: datetime, closed: FindingClosed) -> None:
    finding = known.get((closed.host, closed.check))
    if finding is not None and finding.is_open:
        known[finding.host, finding.check] = replace(
            finding, events=_with(finding.events, FindingEvent(FindingTurn.CLOSED, seq, at))
        )


def _with(events: tuple[FindingEvent, ...], event: FindingEvent) -> tuple[FindingEvent, ...]:
    both = (*events, event)
    return both if len(both) <= MAX_EVENTS else (both[0], *both[1 - MAX_EVENTS :])


# --- where findings stand on a day --------------------------------------------------------------


class FindingState(StrEnum):
    """Where a finding stands, most pressing first."""

    DUE = "due"
    """Open, and past the day by which it must be fixed."""
    REOPENED = "reopened"
    """Open again after it was fixed."""
    OPEN = "open"
    WAIVED = "waived"
    """Open, and somebody in charge decided to go without a remedy until a day. The check fails all the same."""
    CLOSED = "closed"
    """By a person."""
    FIXED = "fixed"


@dataclass(frozen=True, slots=True)
class FindingStanding:
    """A finding as it stands on a day."""

    finding: Finding
    state: FindingState
    due_on: date
    """The last day on which it is not late."""
    waiver: RecordedWaiver | None = None
    """The one in force; of an open finding alone."""
    expired: RecordedWaiver | None = None
    """Of an open finding without a waiver: the newest that there was."""

    @property
    def is_late(self) -> bool:
        """Whether it is past due without a waiver in force."""
        return self.state is FindingState.DUE


def stand(
    findings: Iterable[Finding], waivers: Sequence[RecordedWaiver], numbers: Numbers, today: date, zone: ZoneInfo
) -> tuple[FindingStanding, ...]:
    """Return where findings stand on a local day, the most pressing first."""
    standings = [_standing(finding, waivers, numbers, today, zone) for finding in findings]
    states, severities = tuple(FindingState), tuple(Severity)
    return tuple(
        sorted(
            standings,
            key=lambda each: (
                states.index(each.state),
                severities.index(each.finding.severity),
                each.due_on,
                each.finding.host,
                each.finding.check,
            ),
        )
    )


def _standing(
    finding: Finding, waivers: Sequence[RecordedWaiver], numbers: Numbers, today: date, zone: ZoneInfo
) -> FindingStanding:
    due_on = due_day(finding, numbers, zone)
    if not finding.is_open:
        state = FindingState.CLOSED if finding.events[-1].turn is FindingTurn.CLOSED else FindingState.FIXED
        return FindingStanding(finding, state, due_on)
    waiver = waiver_for(finding.check, finding.host, waivers=waivers, numbers=numbers, today=today, zone=zone)
    if waiver is not None:
        return FindingStanding(finding, FindingState.WAIVED, due_on, waiver)
    expired = [each for each in waivers if speaks_for(each, finding.check, finding.host)]
    state = FindingState.DUE if due_on < today else FindingState.REOPENED if finding.reopened else FindingState.OPEN
    return FindingStanding(finding, state, due_on, expired=expired[-1] if expired else None)


def due_day(finding: Finding, numbers: Numbers, zone: ZoneInfo) -> date:
    """Return the day by which a finding must be fixed: so many days after it opened, or earlier if its check names a day."""
    days = {
        Severity.CRITICAL: numbers.finding_critical_days,
        Severity.HIGH: numbers.finding_high_days,
        Severity.MEDIUM: numbers.finding_medium_days,
        Severity.LOW: numbers.finding_low_days,
    }[finding.severity]
    by_severity = finding.opened_at.astimezone(zone).date() + timedelta(days=days)
    return by_severity if finding.due_on is None else min(by_severity, finding.due_on)


# --- waivers of checks ----------------------------------------------------------------------------


def speaks_for(waiver: RecordedWaiver, check: str, host: str) -> bool:
    """Say whether a waiver is about a check on a host; one without a host is about all of them."""
    return waiver.waiver.duty == check and waiver.waiver.subject in {"", host}


def waiver_for(
    check: str, host: str, *, waivers: Sequence[RecordedWaiver], numbers: Numbers, today: date, zone: ZoneInfo
) -> RecordedWaiver | None:
    """Return the newest waiver in force on a day for a check on a host; one for longer than may be ends when it may."""
    longest = timedelta(days=numbers.waiver_max_days)
    return next(
        (
            each
            for each in reversed(waivers)
            if speaks_for(each, check, host)
            and each.is_in_force(today, zone)
            and today - each.waiver.valid_from <= longest
        ),
        None,
    )


def waived_fails(
    results: Iterable[CheckResult], waivers: Sequence[RecordedWaiver], numbers: Numbers, today: date, zone: ZoneInfo
) -> Mapping[Key, RecordedWaiver]:
    """Return the waiver in force beside each fail that has one, by host and check; the verdict stays."""
    return {
        (result.host, result.check): waiver
        for result in results
        if result.verdict is CheckVerdict.FAIL
        and (waiver := waiver_for(result.check, result.host, waivers=waivers, numbers=numbers, today=today, zone=zone))
    }


def unused_waivers(
    standings: Iterable[FindingStanding],
    waivers: Sequence[RecordedWaiver],
    known: Iterable[str],
    today: date,
    zone: ZoneInfo,
) -> tuple[RecordedWaiver, ...]:
    """Return the waivers of checks that are in force and that no open finding needs.

    Args:
        standings: on that day.
        waivers: all of them.
        known: ids of checks; waivers of duties are passed over.
        today: the local day.
        zone: the portal's.
    """
    used = {each.waiver.seq for each in standings if each.waiver is not None}
    checks = set(known)
    return tuple(
        each
        for each in waivers
        if each.waiver.duty in checks and each.is_in_force(today, zone) and each.seq not in used
    )


# --- reading ----------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class ReadFindings:
    """What reading findings came to."""

    findings: tuple[Finding, ...] = ()
    upto: int = 0
    """The newest record that was folded in; 0 if there was none."""
    unreadable: tuple[tuple[int, Message], ...] = ()
    """Records whose details could not be read, with why: what they say is unknown."""

    def carried(self) -> CarriedFindings:
        """Return them as the next scan carries them."""
        return CarriedFindings(self.upto, self.findings)


def read_findings(
    ledger: LedgerReader, *, until: datetime | None = None, since: datetime | None = None, anew: bool = False
) -> ReadFindings:
    """Fold the findings out of a ledger.

    Args:
        ledger: read only.
        until: as of this moment; now by default.
        since: with what was fixed since this moment, however long ago that is; `REMEMBERED` before the newest record by default.
        anew: from the first scan on, without what scans carry.
    """
    unreadable: dict[int, Message] = {}
    late: list[Record] = []
    before: CarriedFindings | None = None
    newest: tuple[int, _Judged | None] = (0, None)  # of the scan that carries them: decoding takes most of the time
    limit: datetime | None = None
    for record in ledger.records(kinds=tuple(KEYS), until=until, newest_first=True):
        if limit is None:
            limit = record.at - REMEMBERED
            if since is not None and since < limit:
                limit, anew = since, True
        if before is not None and record.seq <= before.upto:
            break
        late.append(record)
        if before is None and not anew and record.kind == SCAN:
            with bodies.uncollected():
                judged, carried = _read_scan(ledger, record, unreadable)
            newest = (record.seq, judged)
            before = carried if carried is not None and carried.upto < record.seq else None
    known = _known(before)
    for record in reversed(late):  # one at a time: a ledger may hold years of scans
        body: Turned | None
        with bodies.uncollected():
            if record.kind == CLOSED:
                body = _closed(ledger, record, unreadable)
            else:
                body = newest[1] if record.seq == newest[0] else _read_scan(ledger, record, unreadable)[0]
            if body is not None:
                _turn(known, record.seq, record.at, body)
    upto = late[0].seq if late else 0
    findings = tuple(each for each in _sort_findings(known) if limit is None or not is_forgotten(each, limit))
    return ReadFindings(findings, upto, tuple(sorted(unreadable.items())))


def _read_scan(
    ledger: LedgerReader, record: Record, unreadable: dict[int, Message]
) -> tuple[_Judged | None, CarriedFindings | None]:
    """Return what a scan judged, and what it carries; of its results only the fails are decoded whole."""
    try:
        part = bodies.read(ledger.blob(record.body)).get("check")
        if part is None:  # a run that failed before it had a result
            return None, None
        one = bodies.decode(JudgedScan, part)
        failed: dict[Key, CheckResult] = {}
        passed: set[Key] = set()
        for number, host in enumerate(one.hosts):
            for place, result in enumerate(host.results):
                if result.verdict is CheckVerdict.FAIL:
                    plain: Any = part
                    plain = plain["hosts"][number]["results"][place]
                    failed[result.host, result.check] = bodies.decode(CheckResult, plain)
                elif result.verdict is CheckVerdict.PASS:
                    passed.add((result.host, result.check))
    except PortalOpsError as error:
        unreadable[record.seq] = error.message
        return None, None
    return _Judged(failed, frozenset(passed - failed.keys())), one.findings


def _closed(ledger: LedgerReader, record: Record, unreadable: dict[int, Message]) -> FindingClosed | None:
    try:
        return bodies.decode_part(ledger.blob(record.body), KEYS[CLOSED], FindingClosed)
    except PortalOpsError as error:
        unreadable[record.seq] = error.message
        return None
