"""The fold of findings: what opens, keeps open, closes and reopens one, in whatever order the records are read."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from portalops import bodies
from portalops.ledger.ledger import Ledger
from portalops.model.checks import CheckResult, CheckScan, HostScan
from portalops.model.findings import CarriedFindings, Finding, FindingClosed, FindingTurn
from portalops.model.message import msg
from portalops.model.organisation import HostId
from portalops.model.period import Period
from portalops.model.record import Record, RunId
from portalops.model.rulebook import Numbers
from portalops.model.verdicts import CheckVerdict, Severity
from portalops.model.waivers import Waiver
from portalops.registers.evidence import read_evidence
from portalops.registers.findings import (
    CLOSED,
    MAX_EVENTS,
    REMEMBERED,
    SCAN,
    FindingStanding,
    FindingState,
    fold_findings,
    read_findings,
    stand,
    unused_waivers,
)
from portalops.registers.waivers import RecordedWaiver
from tests.doubles import FixedClock
from tests.ledger.ledgers import ZONE, new_ledger

START = datetime(2026, 11, 2, 1, 0, tzinfo=UTC)
WEB, DB = HostId("web1"), HostId("db1")
ROOT, FIREWALL = "ssh.root-login", "firewall.active"
PASS, FAIL, UNKNOWN = CheckVerdict.PASS, CheckVerdict.FAIL, CheckVerdict.UNKNOWN
NUMBERS = Numbers()


def result(verdict: CheckVerdict, *, check: str = ROOT, host: HostId = WEB, due_on: date | None = None) -> CheckResult:
    severity = Severity.CRITICAL if check == FIREWALL else Severity.HIGH
    return CheckResult(check, host, "12.4", severity, verdict, verdict.value, msg("seen"), due_on=due_on)


def a_round(*results: CheckResult) -> CheckScan:
    hosts = {each.host for each in results}
    return CheckScan(
        tuple(
            HostScan(host, START, True, "", tuple(each for each in results if each.host == host))
            for host in sorted(hosts)
        )
    )


def days(*rounds: CheckScan | FindingClosed) -> list[tuple[int, datetime, CheckScan | FindingClosed]]:
    """One record a day, from record 1 on."""
    return [(n, START + timedelta(days=n - 1), each) for n, each in enumerate(rounds, 1)]


def only(findings: tuple[Finding, ...]) -> Finding:
    (finding,) = findings
    return finding


def standing(finding: Finding, day: date, *waivers: RecordedWaiver) -> FindingStanding:
    (found,) = stand((finding,), waivers, NUMBERS, day, ZONE)
    return found


def waiver(until: date, *, host: str = WEB, check: str = ROOT) -> RecordedWaiver:
    body = Waiver("w1", check, host, "no successor yet", "the director", "12/QĐ", START.date(), until)
    return RecordedWaiver(7, START, body)


# --- the life of a finding ---------------------------------------------------------------------


def test_first_fail_opens_and_a_later_one_only_shows_it_again() -> None:
    finding = only(fold_findings(days(a_round(result(FAIL)), a_round(result(FAIL)))))

    assert [(event.turn, event.seq) for event in finding.events] == [(FindingTurn.OPENED, 1)]
    assert (finding.first_seen_at, finding.last_seen_at) == (START, START + timedelta(days=1))
    assert (finding.last_seen_seq, finding.is_open) == (2, True)


def test_pass_of_the_same_check_on_the_same_host_fixes_it() -> None:
    others = a_round(result(PASS, host=DB), result(PASS, check=FIREWALL))
    still_open = only(fold_findings(days(a_round(result(FAIL)), others)))
    fixed = only(fold_findings(days(a_round(result(FAIL)), others, a_round(result(PASS)))))

    assert still_open.is_open
    assert [(event.turn, event.seq) for event in fixed.events] == [(FindingTurn.OPENED, 1), (FindingTurn.FIXED, 3)]


@pytest.mark.parametrize("verdict", [UNKNOWN, CheckVerdict.ERROR, CheckVerdict.NOT_APPLICABLE])
def test_what_is_no_judgement_leaves_it_open_and_is_not_counted_as_seen(verdict: CheckVerdict) -> None:
    finding = only(fold_findings(days(a_round(result(FAIL)), a_round(result(verdict)), CheckScan(()))))

    assert finding.is_open
    assert (finding.last_seen_at, finding.last_judged_at) == (START, START)


def test_fail_after_a_fix_opens_the_same_finding_again_with_a_new_time_to_fix_it() -> None:
    finding = only(fold_findings(days(a_round(result(FAIL)), a_round(result(PASS)), a_round(result(FAIL)))))

    assert [event.turn for event in finding.events] == [FindingTurn.OPENED, FindingTurn.FIXED, FindingTurn.REOPENED]
    assert (finding.reopened, finding.first_seen_at) == (1, START)
    assert finding.opened_at == START + timedelta(days=2)
    assert standing(finding, START.date()).state is FindingState.REOPENED


def test_round_with_both_answers_to_one_question_counts_as_a_fail() -> None:
    both = a_round(result(FAIL), result(PASS))

    assert only(fold_findings(days(both))).is_open
    assert only(fold_findings(days(a_round(result(PASS), result(FAIL))))).is_open


def test_person_closes_what_is_checked_no_more_and_a_fail_opens_it_again() -> None:
    closed = FindingClosed(ROOT, WEB, "the host was taken away", "the director", "12/QĐ")
    gone = only(fold_findings(days(a_round(result(FAIL)), CheckScan(()), closed)))
    back = only(fold_findings(days(a_round(result(FAIL)), closed, a_round(result(FAIL)))))

    assert standing(gone, START.date()).state is FindingState.CLOSED
    assert [event.turn for event in back.events] == [FindingTurn.OPENED, FindingTurn.CLOSED, FindingTurn.REOPENED]


def test_check_that_flaps_for_years_keeps_its_first_and_its_newest_turns() -> None:
    flapping = [a_round(result(FAIL if n % 2 == 0 else PASS)) for n in range(1001)]
    finding = only(fold_findings(days(*flapping)))

    assert len(finding.events) == MAX_EVENTS
    assert (finding.events[0].seq, finding.events[-1].seq, finding.reopened) == (1, 1001, 500)


# --- due days and waivers ------------------------------------------------------------------------


def test_finding_is_late_the_day_after_its_due_day() -> None:
    finding = only(fold_findings(days(a_round(result(FAIL)))))
    due = date(2026, 11, 2) + timedelta(days=NUMBERS.finding_high_days)

    assert standing(finding, due).state is FindingState.OPEN
    assert standing(finding, due).due_on == due
    assert standing(finding, due + timedelta(days=1)).is_late


def test_days_are_counted_from_the_local_day() -> None:
    late_in_utc = [(1, datetime(2026, 11, 2, 18, 0, tzinfo=UTC), a_round(result(FAIL)))]

    assert standing(only(fold_findings(late_in_utc)), START.date()).due_on == date(2026, 11, 3) + timedelta(days=30)


def test_day_that_an_answer_names_counts_where_it_is_earlier() -> None:
    listed = only(fold_findings(days(a_round(result(FAIL, due_on=date(2026, 11, 5))))))
    far = only(fold_findings(days(a_round(result(FAIL, due_on=date(2030, 1, 1))))))

    assert standing(listed, date(2026, 11, 6)).is_late
    assert standing(far, START.date()).due_on == date(2026, 12, 2)


def test_waiver_in_force_stands_beside_a_late_finding_until_its_last_day() -> None:
    finding = only(fold_findings(days(a_round(result(FAIL)))))
    until = waiver(date(2027, 1, 31))

    waived = standing(finding, date(2027, 1, 31), until)
    over = standing(finding, date(2027, 2, 1), until)

    assert (waived.state, waived.waiver) == (FindingState.WAIVED, until)
    assert (over.state, over.waiver, over.expired) == (FindingState.DUE, None, until)


@pytest.mark.parametrize("other", [waiver(date(2027, 1, 1), host=DB), waiver(date(2027, 1, 1), check=FIREWALL)])
def test_waiver_of_something_else_is_none(other: RecordedWaiver) -> None:
    finding = only(fold_findings(days(a_round(result(FAIL)))))
    found = standing(finding, date(2026, 11, 3), other)

    assert (found.state, found.waiver) == (FindingState.OPEN, None)


def test_waiver_that_was_recorded_for_longer_than_may_be_ends_when_it_may() -> None:
    finding = only(fold_findings(days(a_round(result(FAIL)))))
    for_ever = waiver(date(9999, 1, 1))

    assert standing(finding, START.date() + timedelta(days=365), for_ever).state is FindingState.WAIVED
    assert standing(finding, START.date() + timedelta(days=366), for_ever).state is FindingState.DUE


def test_waiver_that_no_open_finding_needs_is_unused() -> None:
    finding = only(fold_findings(days(a_round(result(FAIL)), a_round(result(PASS)))))
    of_check, of_duty = waiver(date(2026, 12, 1)), waiver(date(2026, 12, 1), check="10.2-content")
    standings = stand((finding,), (of_check, of_duty), NUMBERS, START.date(), ZONE)

    assert unused_waivers(standings, (of_check, of_duty), {ROOT}, START.date(), ZONE) == (of_check,)


# --- in any order, and carried --------------------------------------------------------------------

VERDICTS = st.sampled_from(list(CheckVerdict))
ROUNDS = st.lists(
    st.lists(
        st.builds(
            lambda verdict, check, host: result(verdict, check=check, host=host),
            VERDICTS,
            st.sampled_from([ROOT, FIREWALL]),
            st.sampled_from([WEB, DB]),
        ),
        max_size=5,
    ),
    max_size=12,
)


@settings(deadline=None)  # a busy machine
@given(ROUNDS, st.randoms(use_true_random=False), st.integers(0, 12))
def test_order_of_reading_and_what_is_carried_change_nothing(
    rounds: list[list[CheckResult]], chance: object, cut: int
) -> None:
    records = days(*(a_round(*results) for results in rounds))
    shuffled = list(records)
    chance.shuffle(shuffled)  # type: ignore[attr-defined]

    whole = fold_findings(records)
    before = CarriedFindings(cut, fold_findings(records[:cut]))

    assert fold_findings(shuffled) == whole
    assert fold_findings(shuffled, before) == whole


@settings(deadline=None)  # a busy machine
@given(ROUNDS)
def test_a_finding_is_open_exactly_if_its_newest_judgement_is_a_fail(rounds: list[list[CheckResult]]) -> None:
    newest: dict[tuple[HostId, str], bool] = {}
    for results in rounds:
        failed = {(each.host, each.check) for each in results if each.verdict is FAIL}
        passed = {(each.host, each.check) for each in results if each.verdict is PASS}
        newest.update(dict.fromkeys(passed, False) | dict.fromkeys(failed, True))

    findings = fold_findings(days(*(a_round(*results) for results in rounds)))

    assert {(each.host, each.check) for each in findings if each.is_open} == {key for key, bad in newest.items() if bad}


@settings(deadline=None)  # a busy machine
@given(ROUNDS)
def test_what_could_not_be_found_out_never_changes_anything(rounds: list[list[CheckResult]]) -> None:
    judged = [a_round(*(each for each in results if each.verdict in {PASS, FAIL})) for results in rounds]

    assert fold_findings(days(*judged)) == fold_findings(days(*(a_round(*results) for results in rounds)))


# --- out of a ledger --------------------------------------------------------------------------------


def record(ledger: Ledger, day: int, body: CheckScan | FindingClosed, *, key: str = "check") -> Record:
    kind = SCAN if key == "check" else CLOSED
    return ledger.append(kind, run=RunId(f"d:{kind}:{day}"), body=bodies.write({key: body}))


def carrying(ledger: Ledger, one: CheckScan) -> CheckScan:
    return replace(one, findings=read_findings(ledger).carried())


def test_findings_are_read_from_what_the_newest_round_carries(tmp_path: Path) -> None:
    ledger = new_ledger(tmp_path)
    record(ledger, 1, a_round(result(FAIL), result(FAIL, host=DB)))
    record(ledger, 2, carrying(ledger, a_round(result(PASS))))
    record(ledger, 3, FindingClosed(ROOT, DB, "gone", "the director", "12/QĐ"), key="closed")
    newest = record(ledger, 4, carrying(ledger, a_round(result(FAIL))))

    found = read_findings(ledger)

    assert found == read_findings(ledger, anew=True)
    assert found.upto == newest.seq
    assert [(each.id, each.events[-1].turn) for each in found.findings] == [
        ("db1:ssh.root-login", FindingTurn.CLOSED),
        ("web1:ssh.root-login", FindingTurn.REOPENED),
    ]


def test_round_that_overtook_another_is_not_lost(tmp_path: Path) -> None:
    ledger = new_ledger(tmp_path)
    record(ledger, 1, a_round(result(FAIL)))
    slow = carrying(ledger, a_round(result(FAIL, check=FIREWALL)))
    record(ledger, 2, carrying(ledger, a_round(result(PASS))))
    record(ledger, 3, slow)

    found = read_findings(ledger)

    assert found.findings == read_findings(ledger, anew=True).findings
    assert [each.is_open for each in found.findings] == [True, False]


def test_state_that_was_carried_wrongly_shows_when_all_rounds_are_folded_anew(tmp_path: Path) -> None:
    ledger = new_ledger(tmp_path)
    first = record(ledger, 1, a_round(result(FAIL)))
    record(ledger, 2, replace(CheckScan(()), findings=CarriedFindings(first.seq, ())))

    assert read_findings(ledger).findings == ()
    assert len(read_findings(ledger, anew=True).findings) == 1


def test_round_that_claims_to_carry_what_comes_later_is_folded_from_its_own_results(tmp_path: Path) -> None:
    ledger = new_ledger(tmp_path)
    record(ledger, 1, replace(a_round(result(FAIL)), findings=CarriedFindings(10**9, ())))

    assert only(read_findings(ledger).findings).is_open


def test_finding_without_a_beginning_is_none(tmp_path: Path) -> None:
    ledger = new_ledger(tmp_path)
    record(ledger, 1, a_round(result(FAIL)))
    found = only(read_findings(ledger).findings)
    plain = bodies.write({"check": CheckScan((), CarriedFindings(2, (found,)))})
    forged = plain.replace(bodies.write({"e": found.events})[5:-2], b"[]")
    assert forged != plain
    ledger.append(SCAN, run=RunId("d:c:2"), body=forged)

    again = read_findings(ledger)

    assert [seq for seq, _why in again.unreadable] == [3]
    assert again.findings == (found,)


def test_unreadable_round_leaves_its_findings_open_and_is_named(tmp_path: Path) -> None:
    ledger = new_ledger(tmp_path)
    record(ledger, 1, a_round(result(FAIL)))
    lost = record(ledger, 2, carrying(ledger, a_round(result(PASS))))
    ledger.remove_blob(lost.body)

    found = read_findings(ledger)

    assert [seq for seq, _why in found.unreadable] == [lost.seq]
    assert only(found.findings).is_open


def test_findings_as_of_a_moment_know_nothing_of_later_rounds(tmp_path: Path) -> None:
    clock = FixedClock(START)
    ledger = new_ledger(tmp_path, clock)
    record(ledger, 1, a_round(result(FAIL)))
    clock.move(timedelta(days=1))
    moment = clock.now()
    clock.move(timedelta(days=1))
    record(ledger, 2, carrying(ledger, a_round(result(PASS))))

    assert only(read_findings(ledger, until=moment).findings).is_open
    assert not only(read_findings(ledger).findings).is_open


LATER = REMEMBERED + timedelta(days=1)


def after(clock: FixedClock, ledger: Ledger, span: timedelta, one: CheckScan) -> None:
    clock.move(span)
    record(ledger, clock.now().toordinal(), carrying(ledger, one))


def test_what_was_fixed_long_ago_is_carried_no_more_and_a_fold_of_all_rounds_says_the_same(tmp_path: Path) -> None:
    clock = FixedClock(START)
    ledger = new_ledger(tmp_path, clock)
    record(ledger, 1, a_round(result(FAIL), result(FAIL, host=DB)))
    after(clock, ledger, timedelta(days=1), a_round(result(PASS), result(FAIL, host=DB)))
    after(clock, ledger, REMEMBERED, a_round(result(PASS), result(FAIL, host=DB)))
    assert [each.host for each in read_findings(ledger).findings] == [DB, WEB]

    after(clock, ledger, timedelta(days=1), a_round(result(PASS), result(FAIL, host=DB)))

    found = read_findings(ledger)
    assert found == read_findings(ledger, anew=True)
    still_open = only(found.findings)
    assert (still_open.host, still_open.first_seen_at) == (DB, START)


def test_fail_again_within_the_time_remembered_reopens_and_after_it_is_a_new_finding(tmp_path: Path) -> None:
    for span, turns in (
        (REMEMBERED, [FindingTurn.OPENED, FindingTurn.FIXED, FindingTurn.REOPENED]),
        (LATER, [FindingTurn.OPENED]),
    ):
        clock = FixedClock(START)
        ledger = new_ledger(tmp_path / str(span.days), clock)
        record(ledger, 1, a_round(result(FAIL)))
        after(clock, ledger, timedelta(days=1), a_round(result(PASS)))
        after(clock, ledger, span / 2, a_round(result(PASS)))
        after(clock, ledger, span / 2, a_round(result(FAIL)))

        found = read_findings(ledger)

        assert found == read_findings(ledger, anew=True)
        assert [event.turn for event in only(found.findings).events] == turns
        ledger.close()


def test_report_over_a_time_long_ago_knows_what_was_fixed_then(tmp_path: Path) -> None:
    clock = FixedClock(START)
    ledger = new_ledger(tmp_path, clock)
    record(ledger, 1, a_round(result(FAIL)))
    after(clock, ledger, timedelta(days=1), a_round(result(PASS)))
    after(clock, ledger, LATER, a_round(result(PASS)))
    after(clock, ledger, timedelta(days=1), a_round(result(PASS)))
    first = START.date()
    then, all_of_it = Period(first, first + timedelta(days=30)), Period(first, clock.now().date())

    for period in (then, all_of_it):
        found = read_evidence(ledger, period, now=clock.now(), zone=ZONE)
        assert [event.turn for event in only(found.findings).events] == [FindingTurn.OPENED, FindingTurn.FIXED], period
    assert read_findings(ledger).findings == ()


def test_only_judgements_of_the_period_cover_a_check(tmp_path: Path) -> None:
    clock = FixedClock(START)
    ledger = new_ledger(tmp_path, clock)
    record(ledger, 1, a_round(result(FAIL)))
    clock.move(timedelta(days=1))
    record(ledger, 2, a_round(result(UNKNOWN), result(PASS, check=FIREWALL), result(UNKNOWN, host=DB)))
    day = clock.now().date()

    found = read_evidence(ledger, Period(day, day), now=clock.now(), zone=ZONE)

    assert found.judged == {(WEB, FIREWALL)}
    assert only(found.findings).is_open
