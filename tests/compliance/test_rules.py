"""Every rule keeps the order: shown missing is unmet, not found out is insufficient, only shown whole is met."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from portalops.calendar import load as load_calendar
from portalops.compliance import RULES, Situation, judge
from portalops.locale import render
from portalops.model.backups import (
    BackupResult,
    BackupSet,
    Copy,
    CopyState,
    DataClass,
    Pack,
    SetId,
    SetKind,
    Stream,
    VerifyLevel,
    VerifyResult,
)
from portalops.model.checks import CheckResult, CheckScan, HostScan
from portalops.model.message import msg
from portalops.model.organisation import Agency, Host, HostId, Name, UnitId
from portalops.model.period import Period, Week
from portalops.model.record import Digest, Recorded, RunId
from portalops.model.rulebook import Clause, Duty, DutyId, Numbers, Rulebook
from portalops.model.runs import Run, RunSummary
from portalops.model.updates import FlaggedItem, FlagKind, PortalDay, UnitWeek, UpdatesResult
from portalops.model.verdicts import CheckVerdict, DutyVerdict, RunOutcome, Severity
from portalops.registers.evidence import Evidence, UnreadableRecord

ZONE = ZoneInfo("Asia/Ho_Chi_Minh")
NOW = datetime(2026, 11, 25, 3, 0, tzinfo=UTC)
WEEK = Period(date(2026, 11, 16), date(2026, 11, 22))
LONG_AGO = datetime(2026, 9, 1, tzinfo=UTC)
DIGEST = Digest("0" * 64)
PACK = Pack("data/content/db/dump.0001.age", 10, 12, DIGEST)
LOCAL = Host(HostId("web1"), "local")


def duty(rule: str, *, subject: str = "", checks: tuple[str, ...] = ()) -> Duty:
    name = Name("x", "x")
    return Duty(DutyId("d"), "10.2", name, name, rule, subject, checks)


def evidence(**parts: object) -> Evidence:
    empty = Evidence(
        period=WEEK,
        now=NOW,
        zone=ZONE,
        started_at=LONG_AGO,
        runs=(),
        backups=(),
        verifies=(),
        checks=None,
        updates=None,
        reports=(),
    )
    return replace(empty, **parts)  # type: ignore[arg-type]  # names are checked by replace itself


def stand(rule_duty: Duty, found: Evidence, *, hosts: tuple[Host, ...] = (LOCAL,)) -> tuple[DutyVerdict, str]:
    name = Name("x", "x")
    rulebook = Rulebook(
        "r", "1", name, "doc", date(2010, 1, 1), None, (Clause("10.2", name, "x"),), (rule_duty,), Numbers()
    )
    units = (Agency(UnitId("soyte"), Name("Sở Y tế", "Department of Health")),)
    (standing,) = judge(Situation(rulebook, found, hosts, units, load_calendar()))
    return standing.verdict, str(standing.reason)


def copy(state: CopyState = CopyState.VERIFIED, *, shares: bool = False, kind: str = "disk") -> Copy:
    level = VerifyLevel.L2 if state is CopyState.VERIFIED else VerifyLevel.NONE
    return Copy(SetId("s1"), "nas1", kind, state, level, NOW, "", shares_source_filesystem=shares)


def backup(
    at: datetime, *, copies: tuple[Copy, ...] = (copy(),), unread: tuple[str, ...] = (), seq: int = 5
) -> Recorded[BackupResult]:
    stream = Stream("db", "sqlite", DataClass.CONTENT, "dump", "sqlite", 1, 10, DIGEST, (PACK,), unread=unread)
    outcome = RunOutcome.INCOMPLETE if unread else RunOutcome.COMPLETE
    made = BackupSet(SetId("s1"), SetKind.FULL, "p", at, outcome, (stream,), ("age1a", "age1b"), DIGEST, 12)
    return Recorded(seq, at, "10.2:weekly:2026-W47", BackupResult(made, copies))


CONTENT = duty("backup-class", subject="content")


def test_verified_set_of_this_week_meets_its_class() -> None:
    verdict, reason = stand(CONTENT, evidence(backups=(backup(datetime(2026, 11, 20, tzinfo=UTC)),)))

    assert verdict is DutyVerdict.MET
    assert "nas1" in reason


def test_set_older_than_seven_days_is_unmet() -> None:
    verdict, reason = stand(CONTENT, evidence(backups=(backup(datetime(2026, 11, 10, tzinfo=UTC)),)))

    assert verdict is DutyVerdict.UNMET
    assert "older than 7 days" in reason


def test_sealed_copy_that_was_never_read_back_does_not_count() -> None:
    made = backup(datetime(2026, 11, 20, tzinfo=UTC), copies=(copy(CopyState.SEALED),))

    assert stand(CONTENT, evidence(backups=(made,)))[0] is DutyVerdict.UNMET


def test_set_with_unread_paths_does_not_fulfil_the_duty() -> None:
    made = backup(datetime(2026, 11, 20, tzinfo=UTC), unread=("/etc/secret: permission denied",))

    assert stand(CONTENT, evidence(backups=(made,)))[0] is DutyVerdict.UNMET


def test_class_of_a_failed_source_is_not_met_by_its_other_sources() -> None:
    made = backup(datetime(2026, 11, 20, tzinfo=UTC))
    failed = Recorded(5, made.at, made.run, replace(made.body, failed_classes=(DataClass.CONTENT,)))

    assert stand(CONTENT, evidence(backups=(failed,)))[0] is DutyVerdict.UNMET


def test_copy_found_damaged_later_no_longer_counts() -> None:
    made = backup(datetime(2026, 11, 20, tzinfo=UTC))
    later = Recorded(9, NOW, "verify", VerifyResult((copy(CopyState.DAMAGED),)))

    assert stand(CONTENT, evidence(backups=(made,), verifies=(later,)))[0] is DutyVerdict.UNMET


def test_no_set_is_unmet_only_after_the_ledger_watched_long_enough() -> None:
    young = evidence(started_at=NOW - timedelta(days=2))

    assert stand(CONTENT, young)[0] is DutyVerdict.INSUFFICIENT_EVIDENCE
    assert stand(CONTENT, evidence())[0] is DutyVerdict.UNMET


def test_class_declared_empty_is_exempt_and_unmapped_is_unmet() -> None:
    body = backup(datetime(2026, 11, 20, tzinfo=UTC)).body
    at = datetime(2026, 11, 20, tzinfo=UTC)
    excused = Recorded(5, at, "r", replace(body, excused=("channels: the portal has none",)))
    unmapped = Recorded(5, at, "r", replace(body, unmapped=(DataClass.CHANNELS,)))
    channels = duty("backup-class", subject="channels")

    assert stand(channels, evidence(backups=(excused,)))[0] is DutyVerdict.EXEMPT
    assert stand(channels, evidence(backups=(unmapped,)))[0] is DutyVerdict.UNMET


def test_copies_on_the_file_system_they_copy_are_not_safe() -> None:
    at = datetime(2026, 11, 20, tzinfo=UTC)
    medium = duty("backup-medium")

    assert stand(medium, evidence(backups=(backup(at, copies=(copy(shares=True),)),)))[0] is DutyVerdict.UNMET
    assert stand(medium, evidence(backups=(backup(at, copies=(copy(kind="s3"),)),)))[0] is DutyVerdict.UNMET
    assert stand(medium, evidence(backups=(backup(at),)))[0] is DutyVerdict.MET


def test_a_week_without_a_set_is_unmet_and_a_week_before_the_ledger_is_unknown() -> None:
    interval = duty("backup-interval")

    assert stand(interval, evidence())[0] is DutyVerdict.UNMET
    young = evidence(started_at=datetime(2026, 11, 20, tzinfo=UTC))
    assert stand(interval, young)[0] is DutyVerdict.INSUFFICIENT_EVIDENCE
    good = evidence(backups=(backup(datetime(2026, 11, 20, tzinfo=UTC)),))
    assert stand(interval, good)[0] is DutyVerdict.MET


def test_the_current_week_without_a_set_is_pending() -> None:
    current = evidence(period=Period(date(2026, 11, 23), date(2026, 11, 25)))

    assert stand(duty("backup-interval"), current)[0] is DutyVerdict.PENDING


def test_retention_is_never_met_without_a_recorded_rule() -> None:
    found = evidence(backups=(backup(datetime(2026, 11, 20, tzinfo=UTC)),))

    assert stand(duty("backup-retention"), found)[0] is DutyVerdict.INSUFFICIENT_EVIDENCE


def check_round(verdict: CheckVerdict, *, at: datetime = datetime(2026, 11, 22, 12, tzinfo=UTC)) -> Recorded[CheckScan]:
    result = CheckResult("firewall.active", HostId("web1"), "12.3", Severity.CRITICAL, verdict, "", msg("seen"))
    return Recorded(7, at, "12:daily:2026-11-22", CheckScan((HostScan(HostId("web1"), at, True, "", (result,)),)))


@pytest.mark.parametrize(
    ("verdict", "expected"),
    [
        (CheckVerdict.PASS, DutyVerdict.MET),
        (CheckVerdict.FAIL, DutyVerdict.UNMET),
        (CheckVerdict.UNKNOWN, DutyVerdict.INSUFFICIENT_EVIDENCE),
        (CheckVerdict.ERROR, DutyVerdict.INSUFFICIENT_EVIDENCE),
    ],
)
def test_a_duty_of_checks_follows_its_worst_check(verdict: CheckVerdict, expected: DutyVerdict) -> None:
    firewall = duty("checks", checks=("firewall.active",))

    assert stand(firewall, evidence(checks=check_round(verdict)))[0] is expected


def editions_round(*verdicts: CheckVerdict) -> Recorded[CheckScan]:
    """Return a round of as many hosts as verdicts."""
    at = datetime(2026, 11, 22, 12, tzinfo=UTC)
    rounds = [
        HostScan(
            HostId(f"web{number}"),
            at,
            True,
            "",
            (CheckResult("web.editions", HostId(f"web{number}"), "3.1", Severity.MEDIUM, verdict, "", msg("seen")),),
        )
        for number, verdict in enumerate(verdicts, 1)
    ]
    return Recorded(7, at, "12:daily:2026-11-22", CheckScan(tuple(rounds)))


@pytest.mark.parametrize(
    ("verdicts", "expected"),
    [
        ((CheckVerdict.PASS, CheckVerdict.NOT_APPLICABLE), DutyVerdict.MET),
        ((CheckVerdict.NOT_APPLICABLE, CheckVerdict.NOT_APPLICABLE), DutyVerdict.INSUFFICIENT_EVIDENCE),
        ((CheckVerdict.PASS, CheckVerdict.FAIL), DutyVerdict.UNMET),
        ((CheckVerdict.PASS, CheckVerdict.UNKNOWN), DutyVerdict.INSUFFICIENT_EVIDENCE),
        ((CheckVerdict.NOT_APPLICABLE, CheckVerdict.ERROR), DutyVerdict.INSUFFICIENT_EVIDENCE),
    ],
)
def test_languages_are_met_only_where_a_host_showed_both(
    verdicts: tuple[CheckVerdict, ...], expected: DutyVerdict
) -> None:
    hosts = tuple(Host(HostId(f"web{number}"), "192.0.2.1") for number in range(1, len(verdicts) + 1))
    languages = duty("languages", checks=("web.editions",))

    assert stand(languages, evidence(checks=editions_round(*verdicts)), hosts=hosts)[0] is expected


def test_a_check_that_was_not_looked_at_is_never_a_pass() -> None:
    firewall = duty("checks", checks=("firewall.active", "firewall.outside-view"))

    assert stand(firewall, evidence(checks=check_round(CheckVerdict.PASS)))[0] is DutyVerdict.INSUFFICIENT_EVIDENCE


def test_a_host_without_results_is_never_a_pass() -> None:
    firewall = duty("checks", checks=("firewall.active",))
    hosts = (LOCAL, Host(HostId("db1"), "10.0.0.2"))
    found = evidence(checks=check_round(CheckVerdict.PASS))

    assert stand(firewall, found, hosts=hosts)[0] is DutyVerdict.INSUFFICIENT_EVIDENCE


def group_round(*verdicts: CheckVerdict) -> Recorded[CheckScan]:
    """A round in which groups `front-0`, `front-1`, ... had one check each, beside the hosts'."""
    newest = check_round(CheckVerdict.PASS)
    groups = [
        HostScan(
            HostId(f"front-{number}"),
            newest.at,
            reached=True,
            problem="",
            results=(
                CheckResult("ha.vip", HostId(f"front-{number}"), "12.3", Severity.CRITICAL, verdict, "x", msg("seen")),
            ),
            standby="vip",
            members=(HostId("web1"), HostId("web2")),
        )
        for number, verdict in enumerate(verdicts)
    ]
    return replace(newest, body=CheckScan((*newest.body.hosts, *groups)))


@pytest.mark.parametrize(
    ("verdicts", "expected"),
    [
        ((CheckVerdict.PASS,), DutyVerdict.MET),
        ((CheckVerdict.PASS, CheckVerdict.FAIL), DutyVerdict.UNMET),
        ((CheckVerdict.UNKNOWN, CheckVerdict.PASS), DutyVerdict.INSUFFICIENT_EVIDENCE),
        ((CheckVerdict.NOT_APPLICABLE,), DutyVerdict.EXEMPT),
        ((), DutyVerdict.INSUFFICIENT_EVIDENCE),
    ],
)
def test_standby_is_judged_once_a_group_and_not_once_a_host(
    verdicts: tuple[CheckVerdict, ...], expected: DutyVerdict
) -> None:
    standby = duty("checks", checks=("ha.vip",))
    hosts = (LOCAL, Host(HostId("db1"), "10.0.0.2"))

    assert stand(standby, evidence(checks=group_round(*verdicts)), hosts=hosts)[0] is expected


def test_old_check_results_do_not_speak_for_today() -> None:
    firewall = duty("checks", checks=("firewall.active",))
    old = check_round(CheckVerdict.PASS, at=datetime(2026, 11, 17, tzinfo=UTC))

    assert stand(firewall, evidence(checks=old))[0] is DutyVerdict.INSUFFICIENT_EVIDENCE


def daily(kind: str, first: date, count: int) -> tuple[Run, ...]:
    moments = [datetime(first.year, first.month, first.day + n, 5, tzinfo=UTC) for n in range(count)]
    return tuple(Run(RunId(f"{kind}{at}"), kind, "", "", at, 2 * n, at, 2 * n + 1) for n, at in enumerate(moments))


def ended(runs: tuple[Run, ...], outcome: RunOutcome = RunOutcome.COMPLETE) -> dict[int, RunSummary | None]:
    """How the runs ended: all alike."""
    return {
        run.finished_seq: RunSummary(outcome, 0, run.started_at, run.finished_at)
        for run in runs
        if run.finished_seq and run.finished_at
    }


def test_a_day_without_a_round_of_checks_breaks_the_cadence() -> None:
    cadence = duty("check-cadence")
    newest = check_round(CheckVerdict.PASS)

    runs = daily("check", date(2026, 11, 16), 7)
    assert stand(cadence, evidence(runs=runs, summaries=ended(runs), checks=newest))[0] is DutyVerdict.MET
    assert stand(cadence, evidence(runs=runs[:6], summaries=ended(runs), checks=newest))[0] is DutyVerdict.UNMET


def updates(**parts: object) -> Recorded[UpdatesResult]:
    empty = UpdatesResult((), WEEK.first, WEEK.last, "r@1", "2026.11", (), (), (), (), 0)
    return Recorded(8, NOW, "11.3:collect:2026-11-25", replace(empty, **parts))  # type: ignore[arg-type]  # as above


def test_one_working_day_without_an_update_makes_the_portal_unmet() -> None:
    days = tuple(
        PortalDay(day, day.weekday() < 5, DutyVerdict.UNMET if day.day == 18 else DutyVerdict.MET, msg("seen"), 1)
        for day in WEEK.days()
    )
    daily_duty = duty("portal-daily")

    assert stand(daily_duty, evidence(updates=updates(portal_days=days)))[0] is DutyVerdict.UNMET
    assert stand(daily_duty, evidence(updates=updates(portal_days=days[:2])))[0] is DutyVerdict.INSUFFICIENT_EVIDENCE
    assert stand(daily_duty, evidence())[0] is DutyVerdict.INSUFFICIENT_EVIDENCE


def unit_week(submissions: DutyVerdict, subportal: DutyVerdict) -> UnitWeek:
    return UnitWeek(UnitId("soyte"), Week(2026, 47), submissions, msg("x"), 2, 1, 1, subportal, submissions, 5, 100)


def test_the_two_indicators_of_a_unit_are_judged_apart() -> None:
    found = evidence(updates=updates(unit_weeks=(unit_week(DutyVerdict.UNMET, DutyVerdict.MET),)))

    assert stand(duty("unit-submissions"), found)[0] is DutyVerdict.UNMET
    assert stand(duty("unit-subportals"), found)[0] is DutyVerdict.MET


@pytest.mark.parametrize(
    ("kind", "at", "verdict"),
    [
        ("exemption", None, DutyVerdict.INSUFFICIENT_EVIDENCE),
        ("confirmation", datetime(2026, 11, 16, 3, tzinfo=UTC), DutyVerdict.INSUFFICIENT_EVIDENCE),
        (
            "attestation",
            datetime(2026, 11, 15, 3, tzinfo=UTC),
            DutyVerdict.UNMET,
        ),  # before the week began: of no day of it
        ("sent", None, DutyVerdict.UNMET),
    ],
)
def test_nothing_is_shown_to_be_missing_while_a_record_that_may_exempt_or_attest_it_cannot_be_read(
    kind: str, at: datetime | None, verdict: DutyVerdict
) -> None:
    judged = updates(unit_weeks=(unit_week(DutyVerdict.UNMET, DutyVerdict.MET),))
    lost = UnreadableRecord(3, kind, msg("blob missing"), damaged=True, at=at)
    found = evidence(updates=judged, unreadable=(lost,), now=datetime(2026, 11, 23, 3, tzinfo=UTC))

    submissions = stand(duty("unit-submissions"), found)

    assert submissions[0] is verdict
    assert ("because record 3 cannot be read" in submissions[1]) == (verdict is DutyVerdict.INSUFFICIENT_EVIDENCE)
    assert stand(duty("unit-subportals"), found)[0] is DutyVerdict.MET, "what is shown stays shown"


def test_legacy_encoding_makes_unicode_unmet_and_nothing_checked_is_unknown() -> None:
    unicode_duty = duty("unicode")
    item = FlaggedItem(UnitId("soyte"), "o1", "Céng hßa x· héi", (FlagKind.LEGACY_ENCODING,), None, None)

    assert stand(unicode_duty, evidence(updates=updates(flagged=(item,), text_checked=9)))[0] is DutyVerdict.UNMET
    seen = (PortalDay(WEEK.first, True, DutyVerdict.MET, msg("seen"), 1, ("o2",)),)
    assert stand(unicode_duty, evidence(updates=updates(text_checked=9, portal_days=seen)))[0] is DutyVerdict.MET
    assert stand(unicode_duty, evidence(updates=updates()))[0] is DutyVerdict.INSUFFICIENT_EVIDENCE


@pytest.mark.parametrize("rule", sorted(RULES))
def test_no_rule_calls_an_empty_ledger_met(rule: str) -> None:
    nothing = evidence(started_at=None)
    subject = "content" if rule == "backup-class" else ""

    verdict, _reason = stand(duty(rule, subject=subject, checks=("a.b",)), nothing)

    assert verdict in {DutyVerdict.INSUFFICIENT_EVIDENCE, DutyVerdict.PENDING}


def test_a_failed_check_breaks_a_duty_whose_register_is_empty() -> None:
    incidents = duty("incidents", checks=("firewall.active",))

    assert stand(incidents, evidence(checks=check_round(CheckVerdict.FAIL)))[0] is DutyVerdict.UNMET
    assert stand(incidents, evidence(checks=check_round(CheckVerdict.PASS)))[0] is DutyVerdict.INSUFFICIENT_EVIDENCE


def test_a_unit_that_falls_short_is_named_in_the_readers_language() -> None:
    found = evidence(updates=updates(unit_weeks=(unit_week(DutyVerdict.UNMET, DutyVerdict.MET),)))
    name = Name("x", "x")
    submissions = duty("unit-submissions")
    rulebook = Rulebook(
        "r", "1", name, "doc", date(2010, 1, 1), None, (Clause("10.2", name, "x"),), (submissions,), Numbers()
    )
    unit = Agency(UnitId("soyte"), Name("Sở Y tế", "Department of Health"))

    (standing,) = judge(Situation(rulebook, found, (LOCAL,), (unit,), load_calendar()))

    assert any(render(detail, "vi").startswith("Sở Y tế, ") for detail in standing.details)
    assert any(render(detail, "en").startswith("Department of Health, ") for detail in standing.details)


def test_why_an_indicator_is_unknown_is_told_also_where_its_week_is_unmet_by_the_other_one() -> None:
    week = unit_week(DutyVerdict.UNMET, DutyVerdict.INSUFFICIENT_EVIDENCE)
    told = replace(week, subportal_reason=msg("no source shows this unit's items"))
    name = Name("x", "x")
    subportals = duty("unit-subportals")
    rulebook = Rulebook(
        "r", "1", name, "doc", date(2010, 1, 1), None, (Clause("10.2", name, "x"),), (subportals,), Numbers()
    )

    (standing,) = judge(
        Situation(rulebook, evidence(updates=updates(unit_weeks=(told,))), (LOCAL,), (), load_calendar())
    )

    assert any(str(line).endswith("1 of 2; no source shows this unit's items") for line in standing.details)
