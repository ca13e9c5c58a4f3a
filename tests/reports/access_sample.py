"""The sample month's access: credentials, places, audits of two hosts, and incidents with their reports."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

from portalops.model.checks import CheckResult, CheckScan, HostScan
from portalops.model.incidents import (
    IncidentClosed,
    IncidentFacts,
    IncidentKind,
    IncidentNote,
    IncidentReport,
    IncidentsAttested,
    ReportKind,
)
from portalops.model.message import msg
from portalops.model.organisation import HostId
from portalops.model.record import Digest, Recorded
from portalops.model.verdicts import CheckVerdict, Severity
from portalops.registers.evidence import Evidence
from portalops.registers.incidents import IncidentRegister, fold_incidents
from portalops.reports.material import WHOLE, Material, ReportScope
from tests.reports import sample, servers_sample
from tests.reports.registers import AN, LETTER, MINUTES
from tests.reports.sample import HOSTILE, PERIOD
from tests.reports.servers_sample import DATABASE, WEB, at

CHECKS = ("cred.custody", "cred.registered", "acct.uid0", "inventory.location")


def incidents() -> IncidentRegister:
    """Return a disclosed key with both reports, a break-down of which the paper is not kept, and an attestation that it contradicts."""
    key = IncidentFacts(
        "IN-2026-001", "khóa SSH bị lộ", IncidentKind.CREDENTIAL, Severity.HIGH, at(5), AN, at(4), "web-1", (AN,), ("web1-001",), (WEB,),
    )  # fmt: skip
    power = IncidentFacts("IN-2026-002", HOSTILE, IncidentKind.OUTAGE, Severity.LOW, at(9), AN, hosts=(DATABASE,))

    def report(kind: ReportKind, hours: float, name: str = "IN-2026-001") -> IncidentReport:
        return IncidentReport(name, kind, "Sở KH&CN", at(5) + timedelta(hours=hours), "31/BC", "văn thư", AN)

    closed = IncidentClosed(
        "IN-2026-001", at(7), "khóa để trong kho mã", "thu hồi khóa", "không để khóa trong kho mã", AN
    )
    attested = IncidentsAttested(PERIOD.first, PERIOD.first + timedelta(days=13), "Trần Thị Bình", "20/XN")
    first, full = ReportKind
    rows: list[tuple[float, str, object, tuple[Digest, ...]]] = [
        (5.1, key.id, key, (MINUTES,)),
        (5.2, key.id, report(first, 5), (LETTER,)),
        (6, key.id, IncidentNote(key.id, at(5.5), "đã khóa tài khoản", AN), ()),
        (7.1, key.id, report(full, 60), ()),
        (8, key.id, closed, (MINUTES,)),
        (14.5, f"{attested.first}..{attested.last}", attested, (LETTER,)),
        (20, power.id, power, ()),
    ]
    return fold_incidents((400 + n, at(day), name, body, kept) for n, (day, name, body, kept) in enumerate(rows))  # type: ignore[misc]  # a generator of tuples, of one type each


def _round(day: int) -> Recorded[CheckScan]:
    def result(check: str, host: HostId) -> CheckResult:
        verdict = CheckVerdict.PASS
        if check == "cred.registered":
            verdict = CheckVerdict.FAIL if host == WEB else CheckVerdict.UNKNOWN
        return CheckResult(check, host, "12.5", Severity.HIGH, verdict, "x", msg("seen: {line}", line=HOSTILE))

    hosts = tuple(
        HostScan(host, at(day + 0.1), True, "", tuple(result(check, host) for check in (*CHECKS, "ssh.root-login")))
        for host in (DATABASE, WEB)
    )
    return Recorded(1000 + day, at(day + 0.1), f"12:round:{day}", CheckScan(hosts))


def evidence() -> Evidence:
    """Return the sample month's evidence with its access."""
    rounds = tuple(_round(day) for day in range(0, 28, 7))
    seen = servers_sample.evidence()
    opened = replace(seen.findings[1], check="cred.registered")
    return replace(
        seen, scans=sample.looked(*rounds), checks=rounds[-1], incidents=incidents(), findings=(*seen.findings, opened)
    )


def material(found: Evidence | None = None, *, scope: ReportScope = WHOLE) -> Material:
    """Return the material of the report on the sample month's access."""
    return replace(servers_sample.material(found or evidence(), scope=scope), servers=None)


def empty() -> Material:
    """Return the material of a month of which nothing is recorded."""
    nothing = replace(
        sample.evidence(), checks=None, scans=(), findings=(), incidents=None, credentials=None, places={}
    )
    return material(nothing)
