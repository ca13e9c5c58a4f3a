"""Article 12's checks as duties: what a scan shows, when it is too old, and what it left out."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest

from portalops.calendar import load as load_calendar
from portalops.compliance import RULES, Situation
from portalops.model.checks import CheckResult, CheckScan, HostScan
from portalops.model.message import msg, nmsg
from portalops.model.organisation import Host, HostId, Name
from portalops.model.record import Recorded
from portalops.model.rulebook import Duty, Numbers, Rulebook
from portalops.model.standing import Standing
from portalops.model.verdicts import CheckVerdict, DutyVerdict, Severity
from portalops.registers.evidence import Evidence
from tests.compliance.test_rules import LOCAL, WEEK, daily, duty, ended, evidence

END = datetime(2026, 11, 22, 17, tzinfo=UTC)
"""The end of the week, in the province."""
LIMIT = timedelta(hours=Numbers().check_max_age_hours)
OTHER = Host(HostId("db1"), "192.0.2.2")
NAME = Name("x", "x")
PASS, FAIL = CheckVerdict.PASS, CheckVerdict.FAIL
MET, UNMET, UNKNOWN = DutyVerdict.MET, DutyVerdict.UNMET, DutyVerdict.INSUFFICIENT_EVIDENCE


def result(check: str, verdict: CheckVerdict, host: str = "web1") -> CheckResult:
    return CheckResult(check, HostId(host), "12.3", Severity.HIGH, verdict, "", msg(f"{check} is {verdict.value}"))


def host_scan(host: str, *results: CheckResult, standby: str = "", problem: str = "") -> HostScan:
    return HostScan(HostId(host), END, not problem, problem, results, standby)


def scan(*hosts: HostScan, at: datetime = END) -> Recorded[CheckScan]:
    return Recorded(7, at, "r", CheckScan(hosts))


def stand(
    asked: Duty, found: Evidence, hosts: Sequence[Host] = (LOCAL, OTHER), numbers: Numbers | None = None
) -> Standing:
    rulebook = Rulebook("r", "1", NAME, "doc", date(2010, 1, 1), None, (), (asked,), numbers or Numbers())
    return RULES[asked.rule](asked, Situation(rulebook, found, tuple(hosts), (), load_calendar()))


def told(standing: Standing) -> tuple[DutyVerdict, str, list[str]]:
    return standing.verdict, str(standing.reason), [str(line) for line in standing.details]


CHECKS = duty("checks", checks=("a.b", "c.d", "ha.vip"))


def test_hosts_that_were_never_checked_show_nothing() -> None:
    assert stand(CHECKS, evidence()) == Standing(CHECKS.id, UNKNOWN, msg("the hosts were never checked"))


def test_a_scan_speaks_for_the_end_of_the_period_until_it_is_too_old() -> None:
    old = END - LIMIT - timedelta(seconds=1)
    passed = duty("checks", checks=("a.b",))
    newest = scan(host_scan("web1", result("a.b", PASS)), at=END - LIMIT)

    assert stand(passed, evidence(checks=newest), [LOCAL]) == Standing(
        passed.id,
        MET,
        nmsg(
            "of {n} check, {passed} passed, {failed} failed, {unknown} unknown",
            "of {n} checks, {passed} passed, {failed} failed, {unknown} unknown",
            1,
            passed=1,
            failed=0,
            unknown=0,
        ),
        (),
        (7,),
        newest.at,
        END,
    )
    assert stand(passed, evidence(checks=replace(newest, at=old)), [LOCAL]) == Standing(
        passed.id,
        UNKNOWN,
        msg("the newest scan of {at} is too old to judge the period", at=old),
        (),
        (7,),
        old,
    )


def test_each_check_is_told_for_each_host_and_those_of_groups_once_a_group() -> None:
    newest = scan(
        host_scan("web1", result("a.b", PASS), result("c.d", FAIL)),
        host_scan("db1", result("a.b", CheckVerdict.ERROR, "db1")),
        host_scan(
            "front", result("ha.vip", CheckVerdict.UNKNOWN, "front"), result("x.y", FAIL, "front"), standby="vip"
        ),
    )

    assert told(stand(CHECKS, evidence(checks=newest))) == (
        UNMET,
        "of 5 checks, 1 passed, 1 failed, 3 unknown",
        [
            "c.d on web1: c.d is fail",
            "unknown: a.b on db1: a.b is error",
            "unknown: c.d on db1: not checked",
            "unknown: ha.vip on front: ha.vip is unknown",
        ],
    )


# --- cadence ----------------------------------------------------------------------------------

CADENCE = duty("check-cadence", checks=("a.b",))
EVERY = frozenset({(HostId("web1"), "a.b"), (HostId("db1"), "a.b")})


def week(newest: Recorded[CheckScan] | None, *, days: int = 7, judged: frozenset[tuple[str, str]] = EVERY) -> Evidence:
    runs = daily("check", WEEK.first, days)
    return evidence(checks=newest, runs=runs, summaries=ended(runs), judged=judged)


def test_checks_of_every_day_and_host_meet_the_cadence() -> None:
    newest = scan(host_scan("web1"), host_scan("db1"))

    assert stand(CADENCE, week(newest)) == Standing(
        CADENCE.id, MET, msg("checked on each day of the period"), (), (7,), newest.at
    )


def test_a_day_without_checks_is_named() -> None:
    found = stand(CADENCE, week(scan(host_scan("web1"), host_scan("db1")), days=6))

    assert told(found) == (
        UNMET, "the hosts were not checked on 2026-11-22", ["the hosts were not checked on 2026-11-22"],
    )  # fmt: skip


def test_how_often_hosts_are_to_be_checked_is_a_number_of_the_rulebook() -> None:
    found = week(scan(host_scan("web1"), host_scan("db1")), days=6)

    assert stand(CADENCE, found, numbers=Numbers(check_every_days=2)).verdict is MET


def test_each_host_that_a_scan_left_out_is_named() -> None:
    newest = scan(host_scan("web1", problem="no answer"), host_scan("front", standby="vip", problem="no member"))

    assert told(stand(CADENCE, week(newest)))[2] == ["host web1: no answer", "host db1 was not in the newest scan"]
    assert told(stand(CADENCE, week(newest), []))[2] == ["host web1: no answer", "no host is declared"]


def test_without_a_scan_no_host_is_said_to_be_missing_in_it() -> None:
    found = stand(CADENCE, week(None, judged=frozenset()))

    assert told(found)[2] == [
        "host web1: 1 of 1 checks was not judged in the period: a.b",
        "host db1: 1 of 1 checks was not judged in the period: a.b",
    ]
    assert (found.evidence, found.newest_at) == ((), None)


# --- the editions -----------------------------------------------------------------------------

LANGUAGES = duty("languages", checks=("web.editions",))


def test_editions_that_no_host_need_have_are_shown_by_nobody() -> None:
    newest = scan(
        host_scan("web1", result("web.editions", CheckVerdict.NOT_APPLICABLE), result("a.b", PASS)),
        at=END - timedelta(hours=1),
    )

    assert stand(LANGUAGES, evidence(checks=newest), [LOCAL]) == Standing(
        LANGUAGES.id,
        UNKNOWN,
        msg("no host is declared for the Vietnamese and the English edition of the portal"),
        (),
        (7,),
        newest.at,
    )


@pytest.mark.parametrize("verdict", [PASS, FAIL, CheckVerdict.UNKNOWN])
def test_editions_are_told_as_the_checks_are(verdict: CheckVerdict) -> None:
    found = evidence(checks=scan(host_scan("web1", result("web.editions", verdict))))

    assert stand(LANGUAGES, found, [LOCAL]) == stand(replace(LANGUAGES, rule="checks"), found, [LOCAL])
