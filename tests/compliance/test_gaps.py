"""What is missing, failed, out of date or unreadable never makes a duty met."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest

from portalops.calendar import load as load_calendar
from portalops.compliance import RULES, Situation, judge
from portalops.model.backups import Copy, CopyState, SetId, VerifyResult
from portalops.model.checks import CheckScan, HostScan
from portalops.model.message import msg
from portalops.model.organisation import Agency, Host, HostId, Name, UnitId
from portalops.model.period import Period, Week
from portalops.model.record import Recorded
from portalops.model.retention import PruneResult, RetentionPolicy
from portalops.model.rulebook import Clause, Duty, Numbers, Rulebook
from portalops.model.updates import FlaggedItem, FlagKind, Poll, PortalDay
from portalops.model.verdicts import CheckVerdict, DutyVerdict, RunOutcome
from portalops.registers.backups import POLLS
from portalops.registers.discs import DISC_READING, DISCS_DESTROYED
from portalops.registers.evidence import Evidence, UnreadableRecord
from tests.compliance.test_rules import (
    CONTENT,
    DIGEST,
    LOCAL,
    NOW,
    WEEK,
    backup,
    check_round,
    copy,
    daily,
    duty,
    ended,
    evidence,
    stand,
    unit_week,
    updates,
)

FRIDAY = datetime(2026, 11, 20, tzinfo=UTC)
GOOD_POLL = Poll("db", NOW, True, "", 3, 1, DIGEST, None)


def details(rule_duty: Duty, found: Evidence, *, units: tuple[Agency, ...] = ()) -> list[str]:
    name = Name("x", "x")
    clauses = (Clause("10.2", name, "x"),)
    rulebook = Rulebook("r", "1", name, "doc", date(2010, 1, 1), None, clauses, (rule_duty,), Numbers())
    (standing,) = judge(Situation(rulebook, found, (LOCAL,), units, load_calendar()))
    return [str(each) for each in standing.details]


# --- runs -------------------------------------------------------------------------------------


@pytest.mark.parametrize(("rule", "kind"), [("tracking", "updates"), ("check-cadence", "check")])
@pytest.mark.parametrize("outcome", [RunOutcome.FAILED, None])
def test_a_run_that_failed_or_cannot_be_read_is_no_work_of_its_day(
    rule: str, kind: str, outcome: RunOutcome | None
) -> None:
    runs = daily(kind, WEEK.first, 7)
    ends = ended(runs) | ({7: None} if outcome is None else ended(runs[3:4], outcome))
    found = evidence(
        runs=runs, summaries=ends, checks=check_round(CheckVerdict.PASS), updates=updates(polls=(GOOD_POLL,))
    )

    assert stand(duty(rule), replace(found, summaries=ended(runs)))[0] is DutyVerdict.MET
    verdict, reason = stand(duty(rule), found)
    assert verdict is (DutyVerdict.UNMET if outcome else DutyVerdict.INSUFFICIENT_EVIDENCE)
    assert "2026-11-19" in reason


def test_a_crashed_run_is_no_work_of_its_day() -> None:
    runs = tuple(replace(run, finished_at=None, finished_seq=None) for run in daily("check", WEEK.first, 7))

    assert stand(duty("check-cadence"), evidence(runs=runs))[0] is DutyVerdict.UNMET


def test_a_failed_run_after_a_good_one_takes_nothing_from_the_day() -> None:
    good = daily("check", WEEK.first, 7)
    again = tuple(replace(run, finished_seq=100 + index) for index, run in enumerate(good))
    ends = ended(good) | ended(again, RunOutcome.FAILED)
    found = evidence(runs=(*good, *again), summaries=ends, checks=check_round(CheckVerdict.PASS))

    assert stand(duty("check-cadence"), found)[0] is DutyVerdict.MET


def test_a_round_that_did_not_reach_every_host_does_not_speak_for_its_day() -> None:
    runs = daily("check", WEEK.first, 7)
    ends = ended(runs) | ended(runs[2:3], RunOutcome.INCOMPLETE)
    found = evidence(runs=runs, summaries=ends, checks=check_round(CheckVerdict.PASS))

    assert stand(duty("check-cadence"), found)[0] is DutyVerdict.INSUFFICIENT_EVIDENCE


def test_a_run_counts_for_the_local_day_on_which_it_began() -> None:
    runs = daily("check", WEEK.first, 7)
    # 23:59 on Sunday in Khánh Hòa, ended after midnight; and 00:30 on Monday, which is still Sunday in UTC.
    late = datetime(2026, 11, 22, 16, 59, tzinfo=UTC)
    early = datetime(2026, 11, 22, 17, 30, tzinfo=UTC)
    spanning = replace(runs[6], started_at=late, finished_at=late + timedelta(minutes=3))
    next_day = replace(runs[6], started_at=early, finished_at=early)
    newest = check_round(CheckVerdict.PASS)

    for last, expected in ((spanning, DutyVerdict.MET), (next_day, DutyVerdict.UNMET)):
        found = evidence(runs=(*runs[:6], last), summaries=ended(runs), checks=newest)
        assert stand(duty("check-cadence"), found)[0] is expected


def test_a_day_in_the_course_of_which_the_ledger_began_is_not_held_against_anyone() -> None:
    runs = daily("check", date(2026, 11, 17), 6)
    found = evidence(
        started_at=datetime(2026, 11, 16, 14, tzinfo=UTC),
        runs=runs,
        summaries=ended(runs),
        checks=check_round(CheckVerdict.PASS),
    )

    assert stand(duty("check-cadence"), found)[0] is DutyVerdict.INSUFFICIENT_EVIDENCE


# --- hosts and sources ------------------------------------------------------------------------


def test_a_host_that_no_round_looked_at_breaks_the_cadence() -> None:
    runs = daily("check", WEEK.first, 7)
    found = evidence(runs=runs, summaries=ended(runs), checks=check_round(CheckVerdict.PASS))
    both = (LOCAL, Host(HostId("db1"), "10.0.0.2"))

    verdict, reason = stand(duty("check-cadence"), found, hosts=both)

    assert verdict is DutyVerdict.INSUFFICIENT_EVIDENCE
    assert "db1" in reason


def test_checks_of_no_host_are_no_checks() -> None:
    runs = daily("check", WEEK.first, 7)
    found = evidence(runs=runs, summaries=ended(runs), checks=Recorded(7, FRIDAY, "r", CheckScan(())))

    assert stand(duty("check-cadence"), found, hosts=())[0] is DutyVerdict.INSUFFICIENT_EVIDENCE
    assert stand(duty("checks", checks=("a.b",)), found, hosts=())[0] is DutyVerdict.INSUFFICIENT_EVIDENCE


def test_a_collection_from_no_source_tracks_nobody() -> None:
    runs = daily("updates", WEEK.first, 7)
    found = evidence(runs=runs, summaries=ended(runs), updates=updates(polls=()))

    assert stand(duty("tracking"), found)[0] is DutyVerdict.INSUFFICIENT_EVIDENCE


def test_checks_that_apply_to_no_host_do_not_meet_a_duty() -> None:
    at = datetime(2026, 11, 22, 12, tzinfo=UTC)
    body = check_round(CheckVerdict.NOT_APPLICABLE, at=at)

    assert stand(duty("checks", checks=("firewall.active",)), evidence(checks=body))[0] is DutyVerdict.EXEMPT


# --- periods ----------------------------------------------------------------------------------


@pytest.mark.parametrize("rule", sorted(RULES))
def test_a_period_that_has_not_begun_is_pending(rule: str) -> None:
    runs = daily("check", date(2026, 11, 20), 6)
    found = evidence(
        period=Period(date(2026, 12, 1), date(2026, 12, 31)),
        runs=runs,
        summaries=ended(runs),
        backups=(backup(datetime(2026, 11, 24, tzinfo=UTC)),),
        checks=check_round(CheckVerdict.PASS, at=NOW),
        updates=updates(text_checked=9),
    )
    subject = "content" if rule == "backup-class" else ""

    assert stand(duty(rule, subject=subject, checks=("firewall.active",)), found)[0] is DutyVerdict.PENDING


def test_days_off_at_the_beginning_do_not_exempt_the_days_that_come() -> None:
    now = datetime(2026, 11, 22, 3, tzinfo=UTC)  # Sunday
    days = tuple(PortalDay(day, False, DutyVerdict.NOT_ASSESSED, msg("rest"), 0) for day in list(WEEK.days())[5:])
    found = evidence(
        now=now,
        period=Period(date(2026, 11, 21), date(2026, 11, 27)),
        updates=replace(updates(portal_days=days), at=now),
    )

    assert stand(duty("portal-daily"), found)[0] is DutyVerdict.PENDING


# --- backups ----------------------------------------------------------------------------------


def test_the_last_set_of_another_month_does_not_show_that_the_media_of_this_one_are_good() -> None:
    old = backup(datetime(2026, 10, 20, tzinfo=UTC))

    verdict, _reason = stand(duty("backup-medium"), evidence(backups=(old,)))

    assert verdict is DutyVerdict.UNMET


@pytest.mark.parametrize(
    ("before", "verdict"),
    [
        (CopyState.VERIFIED, DutyVerdict.MET),
        (CopyState.SEALED, DutyVerdict.UNMET),
        (CopyState.DAMAGED, DutyVerdict.UNMET),
    ],
)
def test_a_set_whose_disk_copy_was_removed_by_rule_while_a_lock_keeps_another_lay_on_a_disk(
    before: CopyState, verdict: DutyVerdict
) -> None:
    locked = replace(copy(kind="s3"), medium="bucket")
    made = backup(FRIDAY, copies=(replace(copy(before), verified_at=NOW), locked))
    removed = Recorded(9, FRIDAY, "prune", PruneResult(RetentionPolicy(keep_last=1), (copy(CopyState.DISPOSED),)))

    assert stand(duty("backup-medium"), evidence(backups=(made,), verifies=(removed,)))[0] is verdict


def test_a_copy_whose_medium_is_out_of_reach_is_not_known_to_be_there() -> None:
    gone = replace(copy(), problem="its medium is not configured any more")
    looked = Recorded(9, NOW, "verify", VerifyResult((gone,)))
    found = evidence(backups=(backup(FRIDAY),), verifies=(looked,))

    assert stand(CONTENT, found)[0] is DutyVerdict.INSUFFICIENT_EVIDENCE
    assert stand(duty("backup-medium"), found)[0] is DutyVerdict.INSUFFICIENT_EVIDENCE


def test_another_copy_within_reach_is_enough() -> None:
    other = replace(copy(), medium="nas2")
    gone = replace(copy(), problem="not checked: no answer")
    looked = Recorded(9, NOW, "verify", VerifyResult((gone,)))
    found = evidence(backups=(backup(FRIDAY, copies=(copy(), other)),), verifies=(looked,))

    verdict, reason = stand(CONTENT, found)

    assert verdict is DutyVerdict.MET
    assert "nas2" in reason
    assert "nas1" not in reason


def test_an_excuse_that_was_declared_after_the_period_does_not_exempt_it() -> None:
    later = Recorded(9, NOW, "r", replace(backup(NOW).body, excused=("content: there is none",)))

    assert stand(CONTENT, evidence(backups=(later,)))[0] is DutyVerdict.UNMET


def test_a_week_whose_sets_lack_the_class_is_not_made_good_by_the_next() -> None:
    lacking = backup(datetime(2026, 11, 12, tzinfo=UTC), unread=("/var/db: permission denied",), seq=3)
    two_weeks = Period(date(2026, 11, 9), WEEK.last)

    verdict, reason = stand(CONTENT, evidence(period=two_weeks, backups=(lacking, backup(FRIDAY))))

    assert verdict is DutyVerdict.UNMET
    assert "2026-W46" in reason
    again = backup(datetime(2026, 11, 13, tzinfo=UTC), seq=4)
    assert stand(CONTENT, evidence(period=two_weeks, backups=(lacking, again, backup(FRIDAY))))[0] is DutyVerdict.MET


def test_damaged_copies_of_sets_from_before_are_named() -> None:
    old = Copy(SetId("s0"), "nas1", "disk", CopyState.DAMAGED, copy().level, NOW, "differs")
    found = evidence(verifies=(Recorded(9, NOW, "verify", VerifyResult((old,))),))

    assert any("s0" in line for line in details(duty("backup-retention"), found))


# --- updates ----------------------------------------------------------------------------------


def met_days(*, observations: tuple[str, ...] = ("o1",)) -> tuple[PortalDay, ...]:
    return tuple(
        PortalDay(day, day.weekday() < 5, DutyVerdict.MET, msg("seen"), 1, observations) for day in WEEK.days()
    )


@pytest.mark.parametrize("rule", ["portal-daily", "unit-submissions", "unit-subportals"])
def test_a_judging_by_another_rulebook_does_not_speak_for_this_one(rule: str) -> None:
    weeks = (unit_week(DutyVerdict.MET, DutyVerdict.MET),)
    mine = updates(portal_days=met_days(), unit_weeks=weeks)

    assert stand(duty(rule), evidence(updates=mine))[0] is DutyVerdict.MET
    other = replace(mine, body=replace(mine.body, rulebook="r@1+12345678"))
    verdict, reason = stand(duty(rule), evidence(updates=other))
    assert verdict is DutyVerdict.INSUFFICIENT_EVIDENCE
    assert "r@1+12345678" in reason


def test_numbers_that_configuration_changes_make_another_edition() -> None:
    name = Name("x", "x")
    plain = Rulebook("r", "1", name, "doc", date(2010, 1, 1), None, (), (), Numbers())
    changed = replace(plain, numbers=replace(plain.numbers, unit_weekly_min=3), overridden={"unit_weekly_min": "2"})
    more = replace(plain, numbers=replace(plain.numbers, unit_weekly_min=4), overridden={"unit_weekly_min": "2"})

    assert plain.edition == "r@1"
    assert len({plain.edition, changed.edition, more.edition}) == 3


def test_a_configured_unit_that_was_not_judged_is_unknown() -> None:
    found = evidence(updates=updates(unit_weeks=(unit_week(DutyVerdict.MET, DutyVerdict.MET),)))
    known = Agency(UnitId("soyte"), Name("Sở Y tế", "Department of Health"))
    new = Agency(UnitId("moi"), Name("Xã Mới", "New Commune"))
    closed = replace(new, valid_to=date(2026, 11, 15))

    for rule in ("unit-submissions", "unit-subportals"):
        assert details(duty(rule), found, units=(known, closed)) == []
        assert details(duty(rule), found, units=(known, new)) == ["Xã Mới, week 2026-W47: not judged"]


def test_units_of_which_nothing_is_due_do_not_hide_that_the_others_are_met() -> None:
    without = replace(unit_week(DutyVerdict.MET, DutyVerdict.NOT_ASSESSED), unit=UnitId("xa"))
    weeks = (unit_week(DutyVerdict.MET, DutyVerdict.MET), without)

    verdict, reason = stand(duty("unit-subportals"), evidence(updates=updates(unit_weeks=weeks)))

    assert verdict is DutyVerdict.MET
    assert "the one unit and week" in reason  # what was not due reached nothing


def test_a_judging_without_units_is_unknown() -> None:
    found = evidence(updates=updates(unit_weeks=()))

    assert stand(duty("unit-submissions"), found)[0] is DutyVerdict.INSUFFICIENT_EVIDENCE


def test_what_a_judging_left_open_is_unknown_when_nobody_judges_again() -> None:
    open_days = (*met_days()[:4], replace(met_days()[4], verdict=DutyVerdict.PENDING), *met_days()[5:])
    open_week = unit_week(DutyVerdict.PENDING, DutyVerdict.PENDING)
    judged = updates(portal_days=open_days, unit_weeks=(open_week,))

    for rule in ("portal-daily", "unit-submissions"):
        fresh = evidence(updates=replace(judged, at=NOW - timedelta(days=1)))
        assert stand(duty(rule), fresh)[0] is DutyVerdict.PENDING
        stale = evidence(updates=replace(judged, at=NOW - timedelta(days=2)))
        assert stand(duty(rule), stale)[0] is DutyVerdict.INSUFFICIENT_EVIDENCE


def test_texts_of_other_weeks_say_nothing_of_this_period() -> None:
    rule = duty("unicode")
    good = updates(text_checked=9, portal_days=met_days())

    assert stand(rule, evidence(updates=good))[0] is DutyVerdict.MET
    earlier = Period(date(2026, 11, 9), WEEK.last)
    assert stand(rule, evidence(updates=good, period=earlier))[0] is DutyVerdict.INSUFFICIENT_EVIDENCE
    short = replace(good, body=replace(good.body, judged_to=date(2026, 11, 20)))
    assert stand(rule, evidence(updates=short))[0] is DutyVerdict.INSUFFICIENT_EVIDENCE
    silent = updates(text_checked=9, portal_days=met_days(observations=()))
    assert stand(rule, evidence(updates=silent))[0] is DutyVerdict.INSUFFICIENT_EVIDENCE


def test_a_wrong_text_of_another_week_is_not_held_against_this_one() -> None:
    at = datetime(2026, 10, 1, tzinfo=UTC)
    old = FlaggedItem(UnitId("soyte"), "o9", "Céng hßa", (FlagKind.LEGACY_ENCODING,), at, at)
    found = evidence(updates=updates(text_checked=9, portal_days=met_days(), flagged=(old,)))

    assert stand(duty("unicode"), found)[0] is DutyVerdict.MET


# --- what cannot be read ----------------------------------------------------------------------


def test_a_newer_record_that_cannot_be_read_takes_back_what_an_older_one_shows() -> None:
    runs = daily("check", WEEK.first, 7)
    good = evidence(
        backups=(backup(FRIDAY),),
        checks=check_round(CheckVerdict.PASS),
        updates=updates(
            portal_days=met_days(), text_checked=9, unit_weeks=(unit_week(DutyVerdict.MET, DutyVerdict.MET),)
        ),
        runs=runs,
        summaries=ended(runs),
    )
    rests_on = {
        CONTENT: "verify",
        duty("backup-medium"): "verify",
        duty("backup-interval"): "verify",
        duty("checks", checks=("firewall.active",)): "check",
        duty("availability", checks=("firewall.active",)): "check",
        duty("check-cadence"): "check",
        duty("portal-daily"): "updates",
        duty("unit-submissions"): "updates",
        duty("unicode"): "updates",
    }

    for each, kind in rests_on.items():
        assert stand(each, good)[0] is DutyVerdict.MET, each.rule
        newer = replace(good, unreadable=(UnreadableRecord(99, kind, msg("blob missing")),))
        verdict, reason = stand(each, newer)
        assert verdict is DutyVerdict.INSUFFICIENT_EVIDENCE, each.rule
        assert "99" in reason
        older = replace(good, unreadable=(UnreadableRecord(1, kind, msg("blob missing")),))
        assert stand(each, older)[0] is DutyVerdict.MET, each.rule


@pytest.mark.parametrize("kind", [key for key, _type in POLLS.values()])
@pytest.mark.parametrize("rule", ["backup-class", "backup-medium", "backup-interval"])
def test_any_newer_look_at_copies_that_cannot_be_read_takes_back_what_older_ones_show(rule: str, kind: str) -> None:
    good = evidence(backups=(backup(FRIDAY),))
    newer = replace(good, unreadable=(UnreadableRecord(99, kind, msg("blob missing")),))
    judged = CONTENT if rule == "backup-class" else duty(rule)

    assert stand(judged, good)[0] is DutyVerdict.MET
    assert stand(judged, newer)[0] is DutyVerdict.INSUFFICIENT_EVIDENCE


@pytest.mark.parametrize("kind", [DISC_READING, DISCS_DESTROYED])
def test_a_newer_look_at_discs_that_cannot_be_read_takes_back_that_the_medium_is_good(kind: str) -> None:
    newer = replace(evidence(backups=(backup(FRIDAY),)), unreadable=(UnreadableRecord(99, kind, msg("blob missing")),))

    assert stand(duty("backup-medium"), newer)[0] is DutyVerdict.INSUFFICIENT_EVIDENCE


def test_a_host_round_without_results_is_unknown() -> None:
    at = datetime(2026, 11, 22, 12, tzinfo=UTC)
    empty = Recorded(7, at, "r", CheckScan((HostScan(HostId("web1"), at, True, "", ()),)))

    assert stand(duty("checks", checks=("a.b",)), evidence(checks=empty))[0] is DutyVerdict.INSUFFICIENT_EVIDENCE


def test_a_week_that_nobody_judged_is_named() -> None:
    found = evidence(
        period=Period(date(2026, 11, 9), WEEK.last),
        updates=updates(unit_weeks=(unit_week(DutyVerdict.MET, DutyVerdict.MET),)),
    )

    assert details(duty("unit-submissions"), found) == [f"week {Week(2026, 46)} was not judged"]
