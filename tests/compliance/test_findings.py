"""The duties that are judged from findings: nothing late without a waiver, and every host and check judged."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest

from portalops.calendar import load as load_calendar
from portalops.compliance import RULES, Situation
from portalops.compliance.article_12_findings import uncovered
from portalops.model.checks import CheckResult, CheckScan, HostScan
from portalops.model.findings import Finding, FindingEvent, FindingTurn
from portalops.model.message import msg
from portalops.model.organisation import Host, HostId, Name
from portalops.model.period import Period
from portalops.model.record import Recorded, RunId
from portalops.model.rulebook import Clause, Numbers, Rulebook
from portalops.model.runs import Run, RunSummary
from portalops.model.standing import Standing
from portalops.model.verdicts import CheckVerdict, DutyVerdict, RunOutcome, Severity
from portalops.model.waivers import Waiver
from portalops.registers.evidence import Evidence
from portalops.registers.waivers import RecordedWaiver
from tests.compliance.test_rules import DIGEST, LOCAL, WEEK, duty, evidence

ROOT = "ssh.root-login"
LAST_NIGHT = datetime(2026, 11, 22, 18, 0, tzinfo=UTC)
ROUND = Recorded(40, LAST_NIGHT, "r", CheckScan((HostScan(LOCAL.id, LAST_NIGHT, True, "", ()),)))


def finding(opened_at: datetime, *, turn: FindingTurn = FindingTurn.OPENED, host: HostId = LOCAL.id) -> Finding:
    events = [FindingEvent(FindingTurn.OPENED, 7, opened_at)]
    if turn is not FindingTurn.OPENED:
        events.append(FindingEvent(turn, 9, opened_at + timedelta(days=1)))
    return Finding(
        ROOT, host, "12.4", Severity.CRITICAL, msg("root may log in"), None, tuple(events), 0, 7, opened_at, opened_at
    )


def judged(found: Evidence, *, hosts: tuple[Host, ...] = (LOCAL,), rule: str = "findings") -> Standing:
    wanted = duty(rule, checks=(ROOT,))
    name = Name("x", "x")
    clauses = (Clause("10.2", name, "x"),)
    rulebook = Rulebook("r", "1", name, "doc", date(2010, 1, 1), None, clauses, (wanted,), Numbers())
    return RULES[rule](wanted, Situation(rulebook, found, hosts, (), load_calendar()))


SEEN = frozenset({(LOCAL.id, ROOT)})
LATE, RECENT = datetime(2026, 10, 1, tzinfo=UTC), datetime(2026, 11, 20, tzinfo=UTC)


def test_late_finding_breaks_the_duty_and_is_named_with_its_days_and_records() -> None:
    standing = judged(evidence(checks=ROUND, findings=(finding(LATE), finding(RECENT, host=HostId("b")))))

    assert standing.verdict is DutyVerdict.UNMET
    assert "ssh.root-login on web1" in str(standing.reason)
    assert "2026-10-16" in str(standing.reason)
    assert standing.evidence == (40, 7)


@pytest.mark.parametrize("turn", [FindingTurn.FIXED, FindingTurn.CLOSED])
def test_fixed_findings_and_open_ones_within_their_days_leave_it_met(turn: FindingTurn) -> None:
    findings = (finding(LATE, turn=turn), finding(RECENT, host=HostId("b")))

    assert judged(evidence(checks=ROUND, findings=findings, judged=SEEN)).verdict is DutyVerdict.MET


def test_host_that_refused_every_answer_has_no_findings_and_shows_nothing() -> None:
    standing = judged(evidence(checks=ROUND))

    assert standing.verdict is DutyVerdict.INSUFFICIENT_EVIDENCE
    assert "was not judged in the period: ssh.root-login" in str(standing.reason)


def test_finding_of_a_host_that_is_configured_no_more_still_counts() -> None:
    gone = finding(LATE, host=HostId("gone"))

    assert judged(evidence(checks=ROUND, findings=(gone,))).verdict is DutyVerdict.UNMET


def test_waiver_in_force_keeps_a_late_finding_from_breaking_the_duty_and_an_expired_one_does_not() -> None:
    waiver = Waiver("w", ROOT, LOCAL.id, "old device", "the director", "1/QĐ", date(2026, 10, 2), date(2026, 12, 1))
    live = (RecordedWaiver(8, LATE, waiver),)
    expired = (RecordedWaiver(8, LATE, replace(waiver, valid_to=date(2026, 11, 21))),)

    met = judged(evidence(checks=ROUND, findings=(finding(LATE),), waivers=live, judged=SEEN))
    unmet = judged(evidence(checks=ROUND, findings=(finding(LATE),), waivers=expired))

    assert met.verdict is DutyVerdict.MET
    assert "1 waived" in str(met.reason)
    assert unmet.verdict is DutyVerdict.UNMET
    assert "2026-11-21" in str(unmet.reason)


def test_nobody_having_looked_is_never_a_pass() -> None:
    old = replace(ROUND, at=LAST_NIGHT - timedelta(days=5))
    unreached = HostScan(LOCAL.id, LAST_NIGHT, False, "no answer", ())

    for found, hosts in (
        (evidence(), (LOCAL,)),
        (evidence(checks=old), (LOCAL,)),
        (evidence(checks=replace(ROUND, body=CheckScan((unreached,)))), (LOCAL,)),
        (evidence(checks=ROUND), (LOCAL, Host(HostId("web2"), "192.0.2.7"))),
        (evidence(checks=ROUND), ()),
    ):
        assert judged(replace(found, judged=SEEN), hosts=hosts).verdict is DutyVerdict.INSUFFICIENT_EVIDENCE


def test_late_finding_wins_over_what_was_not_looked_at() -> None:
    found = evidence(checks=replace(ROUND, at=LAST_NIGHT - timedelta(days=5)), findings=(finding(LATE),))

    assert judged(found).verdict is DutyVerdict.UNMET


def daily(**parts: object) -> Evidence:
    """A week with a whole round each day."""
    runs, ends = [], {}
    for n in range(7):
        at = datetime(2026, 11, 16 + n, 1, 0, tzinfo=UTC)
        runs.append(Run(RunId(f"c{n}"), "check", "daily", "d", at, n, at, 100 + n, DIGEST))
        ends[100 + n] = RunSummary(RunOutcome.COMPLETE, 0, at, at)
    return evidence(checks=ROUND, runs=tuple(runs), summaries=ends, **parts)


def test_cadence_is_met_only_where_every_check_of_every_host_was_judged() -> None:
    whole = judged(daily(judged=frozenset({(LOCAL.id, ROOT)})), rule="check-cadence")
    gap = judged(daily(judged=frozenset({("web9", ROOT)})), rule="check-cadence")

    assert whole.verdict is DutyVerdict.MET
    assert gap.verdict is DutyVerdict.INSUFFICIENT_EVIDENCE
    assert "host web1: 1 of 1 checks was not judged in the period: ssh.root-login" in str(gap.reason)


# --- what is told -----------------------------------------------------------------------------

END = datetime(2026, 11, 22, 17, tzinfo=UTC)
"""The end of the week, in the province."""
B, C, D, E, F = (HostId(name) for name in "bcdef")


def test_findings_that_are_not_late_are_counted_by_their_state() -> None:
    reopened = replace(
        finding(RECENT, host=C),
        reopened=1,
        events=(
            FindingEvent(FindingTurn.OPENED, 7, LATE),
            FindingEvent(FindingTurn.FIXED, 8, LATE),
            FindingEvent(FindingTurn.REOPENED, 9, RECENT),
        ),
    )
    findings = (
        finding(RECENT, host=B),
        reopened,
        *(finding(LATE, turn=FindingTurn.FIXED, host=host) for host in (D, E)),
        finding(LATE, turn=FindingTurn.CLOSED, host=F),
    )

    assert judged(evidence(checks=ROUND, findings=findings, judged=SEEN)) == Standing(
        duty("findings").id,
        DutyVerdict.MET,
        msg("no finding is late: {open} open, {waived} waived, {fixed} fixed", open=2, waived=0, fixed=3),
        (),
        (40,),
        LAST_NIGHT,
    )
    assert str(judged(evidence(checks=ROUND, judged=SEEN)).reason) == "no finding is late: 0 open, 0 waived, 0 fixed"


def test_each_late_finding_is_told_with_the_day_that_it_was_due_on() -> None:
    waiver = Waiver("w", ROOT, B, "old device", "the director", "1/QĐ", date(2026, 10, 2), date(2026, 11, 21))
    findings = (finding(LATE), finding(LATE, host=B), finding(RECENT, host=C))

    standing = judged(
        evidence(checks=ROUND, findings=findings, waivers=(RecordedWaiver(8, LATE, waiver),), judged=SEEN)
    )

    assert [str(line) for line in standing.details] == [
        "ssh.root-login on b: open since 2026-10-01T00:00:00.000Z, due on 2026-10-16; its waiver ended on 2026-11-21",
        "ssh.root-login on web1: open since 2026-10-01T00:00:00.000Z, due on 2026-10-16",
    ]


def test_a_finding_is_late_by_the_last_day_of_a_period_that_is_over() -> None:
    opened = datetime(2026, 11, 8, tzinfo=UTC)  # due on the 23rd, the day after the week
    found = evidence(checks=ROUND, findings=(finding(opened),), judged=SEEN)

    assert judged(found).verdict is DutyVerdict.MET
    assert judged(replace(found, period=Period(WEEK.first, date(2026, 11, 24)))).verdict is DutyVerdict.UNMET
    running = replace(found, period=Period(WEEK.first, date(2026, 11, 29)), now=datetime(2026, 11, 23, 3, tzinfo=UTC))
    assert judged(running).verdict is DutyVerdict.MET


def test_a_scan_speaks_of_findings_until_it_is_too_old() -> None:
    limit = END - timedelta(hours=48)

    assert judged(evidence(checks=replace(ROUND, at=limit), judged=SEEN)).verdict is DutyVerdict.MET
    old = judged(evidence(checks=replace(ROUND, at=limit - timedelta(seconds=1)), judged=SEEN))
    assert str(old.reason) == "the newest scan of 2026-11-20T16:59:59.000Z is too old to judge the period"


def test_what_nothing_shows_of_findings_is_named() -> None:
    web2 = Host(HostId("web2"), "192.0.2.7")

    def reason(found: Evidence, hosts: tuple[Host, ...]) -> str:
        return str(judged(replace(found, judged=SEEN | {(web2.id, ROOT)}), hosts=hosts).reason)

    assert reason(evidence(), (LOCAL,)) == "the hosts were never checked"
    assert reason(evidence(checks=ROUND), (LOCAL, web2)) == "host web2 was not in the newest scan"
    assert reason(evidence(checks=ROUND), ()) == "no host is declared"


def test_of_many_checks_that_were_not_judged_the_first_three_are_named() -> None:
    def lines(*checks: str) -> list[str]:
        return [str(line) for _verdict, line in uncovered(_asking(checks, evidence(checks=ROUND)))]

    assert lines("d.d", "c.c", "b.b") == [
        "host web1: 3 of 3 checks were not judged in the period: b.b, c.c, d.d",
    ]  # fmt: skip
    assert lines("d.d", "c.c", "b.b", "a.a", "vuln.cadence", "vuln.overdue") == [
        "host web1: 4 of 4 checks were not judged in the period: a.a, b.b, c.c, ..."
    ]


def test_checks_of_a_group_are_asked_of_the_group_and_not_of_each_host() -> None:
    results = tuple(
        CheckResult(check, HostId("front"), "12.3", Severity.HIGH, CheckVerdict.PASS, "", msg("seen"))
        for check in ("ha.vip", "ha.peer", "x.y")
    )
    front = HostScan(HostId("front"), LAST_NIGHT, True, "", results, standby="vip")
    newest = replace(ROUND, body=CheckScan((*ROUND.body.hosts, front)))
    judged_ones = frozenset({(LOCAL.id, "a.a"), (HostId("front"), "ha.peer")})

    found = uncovered(_asking(("a.a", "ha.vip", "ha.peer"), evidence(checks=newest, judged=judged_ones)))

    assert [(verdict, str(line)) for verdict, line in found] == [
        (DutyVerdict.INSUFFICIENT_EVIDENCE, "ha.vip on front: not judged in the period"),
    ]  # fmt: skip


def _asking(checks: tuple[str, ...], found: Evidence) -> Situation:
    name = Name("x", "x")
    asked = duty("findings", checks=checks)
    rulebook = Rulebook("r", "1", name, "doc", date(2010, 1, 1), None, (), (asked,), Numbers())
    return Situation(rulebook, found, (LOCAL,), (), load_calendar())
