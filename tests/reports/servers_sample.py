"""The sample month as its servers lived it: rounds of every day but some, pages that were away, updates that waited, starts."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta

from portalops.calendar import load as load_calendar
from portalops.compliance import Situation, judge
from portalops.model.availability import DOWN, NOT_LOOKED_AT, UP, PageSpans
from portalops.model.checks import CheckResult, CheckScan, HostScan
from portalops.model.findings import Finding, FindingEvent, FindingTurn
from portalops.model.message import msg
from portalops.model.organisation import HostId
from portalops.model.record import Recorded
from portalops.model.server_history import HostStarts, HostUpdates, ServerHistory, UpdateWait, WaitEnd, WatchedPage
from portalops.model.verdicts import CheckVerdict, Severity
from portalops.model.waivers import Waiver
from portalops.registers.evidence import Evidence
from portalops.registers.waivers import RecordedWaiver
from portalops.reports.material import WHOLE, Material, ReportScope
from portalops.rulebooks.load import load as load_rulebook
from tests.reports import sample
from tests.reports.sample import HOSTILE, HOSTS, NOW, PERIOD, ZONE

WEB, DATABASE = HostId("web-1"), HostId("db-1")
START = PERIOD.bounds(ZONE)[0]
DAY, SPAN = timedelta(days=1), timedelta(minutes=5)
SILENT = frozenset({9, 10, 11, 12})
"""Days, counted from the period's first, without a round."""
CHECKS: Mapping[str, Severity] = {
    "patching.security-updates": Severity.CRITICAL,
    "ssh.root-login": Severity.HIGH,
    "patching.held": Severity.MEDIUM,
    "kernel.sysctl": Severity.LOW,
    "change.reboots": Severity.LOW,
}


def at(day: float) -> datetime:
    """Return a moment of the period, in days from its beginning."""
    return START + day * DAY


def _verdict(host: HostId, check: str, day: int) -> CheckVerdict:
    if check == "patching.security-updates" and host == WEB:
        return CheckVerdict.FAIL if 3 <= day < 20 else CheckVerdict.PASS
    if check == "ssh.root-login":
        return CheckVerdict.FAIL
    if check == "patching.held":
        return CheckVerdict.UNKNOWN if day < 5 else CheckVerdict.FAIL if host == DATABASE else CheckVerdict.PASS
    return CheckVerdict.FAIL if check == "change.reboots" and host == WEB else CheckVerdict.PASS


def _host(host: HostId, moment: datetime, day: int) -> HostScan:
    results = tuple(
        CheckResult(check, host, "12.3", severity, verdict, "reason", msg("seen: {line}", line=HOSTILE), msg("mend it"))
        for check, severity in CHECKS.items()
        for verdict in (_verdict(host, check, day),)
    )
    return HostScan(host, moment, reached=True, problem="", results=results)


def _groups(moment: datetime) -> tuple[HostScan, ...]:
    def round_(name: str, check: str, kind: str, verdict: CheckVerdict, *members: HostId) -> HostScan:
        host = HostId(name)
        seen = CheckResult(check, host, "12.3", Severity.HIGH, verdict, "x", msg("seen: {line}", line=name))
        return HostScan(host, moment, True, "", (seen,), standby=kind, members=members)

    return (
        round_("databases", "ha.pg-streaming", "postgresql", CheckVerdict.PASS, WEB, DATABASE),
        round_("vip", "ha.vip", "vip", CheckVerdict.UNKNOWN),
    )


def rounds() -> tuple[Recorded[CheckScan], ...]:
    """Return a round of each day but the silent ones."""
    found = []
    for day in range(len(list(PERIOD.days()))):
        if day not in SILENT:
            moment = at(day + 0.1)
            hosts = (_host(DATABASE, moment, day), _host(WEB, moment, day), *_groups(moment))
            found.append(Recorded(1000 + day, moment, f"12:round:{day}", CheckScan(hosts)))
    return tuple(found)


def finding(host: HostId, check: str, *turns: tuple[FindingTurn, float]) -> Finding:
    """Return a finding with its turns, in days from the period's beginning."""
    events = tuple(FindingEvent(turn, 1000 + int(day), at(day)) for turn, day in turns)
    return Finding(
        check, host, "12.3", CHECKS[check], msg("seen: {line}", line=HOSTILE), None, events, 0, 1027, at(27.1), at(27.1)
    )


def findings() -> tuple[Finding, ...]:
    """Return findings that were fixed, came back, are overdue, and are waived."""
    return (
        finding(WEB, "patching.security-updates", (FindingTurn.OPENED, 3.1), (FindingTurn.FIXED, 20.1)),
        finding(WEB, "ssh.root-login", (FindingTurn.OPENED, -60)),
        finding(DATABASE, "ssh.root-login", (FindingTurn.OPENED, -100)),
        finding(
            DATABASE, "patching.held", (FindingTurn.OPENED, 5.1), (FindingTurn.FIXED, 7.1), (FindingTurn.REOPENED, 14.1)
        ),
        finding(WEB, "change.reboots", (FindingTurn.OPENED, -200), (FindingTurn.CLOSED, -100)),
        finding(WEB, "kernel.sysctl", (FindingTurn.OPENED, -3)),
    )


def waivers() -> tuple[RecordedWaiver, ...]:
    """Return one of a check on a host, in force."""
    body = Waiver(
        "w2", "kernel.sysctl", "web-1", "the old balancer needs it", "Giám đốc Sở", "12/QĐ-SKHCN",
        PERIOD.first, PERIOD.last + 60 * DAY,
    )  # fmt: skip
    return (RecordedWaiver(77, at(0), body),)


def pages() -> tuple[WatchedPage, ...]:
    """Return pages that were there, away for hours, away each night, hardly looked at, and are not declared any more."""
    count = int((NOW - START) / SPAN) + 1

    def page(url: str, *away: tuple[str, float, float], asked: float | None = 99.0, host: HostId = WEB) -> WatchedPage:
        states = bytearray([UP]) * count
        for what, first, last in away:
            part = slice(int(first * 288), min(count, int(last * 288)))
            states[part] = bytes([DOWN if what == "down" else NOT_LOOKED_AT]) * len(states[part])
        return WatchedPage(PageSpans(host, url, START, SPAN, bytes(states)), asked)

    unseen = ("unknown", 9.2, 12.5)
    nights = [("down", day + 0.9, day + 0.9 + (day % 5) / 100) for day in range(27)]
    return (
        page("https://khanhhoa.example/", unseen, ("down", 4.2, 4.23)),
        page("https://khanhhoa.example/en/", unseen),
        page("https://tthc.khanhhoa.example/dich-vu-cong/", *nights),
        page("https://csdl.khanhhoa.example/" + HOSTILE, unseen, ("down", 17, 17.6), host=DATABASE),
        page("https://cu.khanhhoa.example/", ("unknown", 3, 29), asked=None),
        page("https://moi.khanhhoa.example/", ("unknown", 0, 26.5)),
    )


def history() -> ServerHistory:
    """Return what is kept of the month."""
    days = list(PERIOD.days())
    waits = []
    for number in range(40):
        seen = 3.1 + number % 3
        took = (0.4, 2.5, 5, 9, 14.5)[number % 5]
        waits.append(UpdateWait(WEB, f"libpackage{number}", at(seen), False, WaitEnd.LOGGED, at(seen + took)))
    waits += [
        UpdateWait(DATABASE, "openssl", at(-40), True, WaitEnd.WAITING, at(27.1)),
        UpdateWait(DATABASE, HOSTILE, at(13.1), False, WaitEnd.WAITING, at(27.1)),
        UpdateWait(DATABASE, "curl", at(2.1), False, WaitEnd.UNTOLD, at(6.1)),
    ]
    counts = tuple((day, 40 - at_ if 3 <= at_ < 20 else 0) for at_, day in enumerate(days) if at_ not in SILENT)
    other = tuple((day, None if at_ in {4, 5} else 2) for at_, day in enumerate(days) if at_ not in SILENT)
    return ServerHistory(
        pages(),
        (501,),
        (
            HostUpdates(DATABASE, other, tuple(each for each in waits if each.host == DATABASE)),
            HostUpdates(WEB, counts, tuple(each for each in waits if each.host == WEB)),
        ),
        (
            HostStarts(DATABASE, why_not=msg("the journal is empty")),
            HostStarts(WEB, tuple(at(day) for day in (2, 5.5, 6, 7, 8, 9, 20.01)), at(-90)),
        ),
    )


def evidence() -> Evidence:
    """Return the sample month's evidence with its servers."""
    kept = rounds()
    return replace(
        sample.evidence(),
        scans=sample.looked(*kept),
        checks=kept[-1],
        findings=findings(),
        waivers=waivers(),
        runs=(),
        summaries={},
    )


def material(
    seen: Evidence | None = None, servers: ServerHistory | None = None, *, scope: ReportScope = WHOLE
) -> Material:
    """Return the material of the report on the sample month's servers."""
    found, rulebook = seen or evidence(), load_rulebook("kh-37-2010", {})
    return Material(
        portal=sample.PORTAL,
        actors=sample.ACTORS,
        units=sample.UNITS,
        hosts=HOSTS,
        rulebook=rulebook,
        calendar=load_calendar(None),
        period=found.period,
        standings=judge(Situation(rulebook, found, HOSTS, sample.UNITS, load_calendar())),
        evidence=found,
        proof=sample.proof(),
        generated_at=datetime(2026, 9, 14, 1, 30, tzinfo=UTC),
        version="0.1.0",
        servers=history() if servers is None else servers,
        scope=scope,
    )
