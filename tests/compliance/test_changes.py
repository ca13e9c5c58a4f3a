"""Article 12.2 as a duty: what the register and the checks on the hosts make of a period."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from portalops.calendar import load as load_calendar
from portalops.compliance import Situation, judge
from portalops.compliance.article_12_changes import DRIFT
from portalops.model.changes import ChangeApproval, ChangeBegun, ChangeKind, ChangeNotice, ChangeRequest
from portalops.model.findings import Finding, FindingEvent, FindingTurn
from portalops.model.incidents import IncidentClosed, IncidentFacts, IncidentKind
from portalops.model.message import msg
from portalops.model.organisation import HostId, Name
from portalops.model.rulebook import Clause, Duty, Numbers, Rulebook
from portalops.model.standing import Standing
from portalops.model.verdicts import CheckVerdict, DutyVerdict, Severity
from portalops.registers.changes import Body, ChangeRegister, fold_changes
from portalops.registers.evidence import Evidence
from portalops.registers.incidents import IncidentRegister, fold_incidents
from tests.compliance.test_rules import DIGEST, LOCAL, WEEK, ZONE, check_round, duty, evidence
from tests.registers.test_changes import ID

FIRST = datetime(2026, 11, 17, 1, tzinfo=UTC)
HOUR = timedelta(hours=1)
NOTICE, APPROVAL = (
    duty("changes", subject="notice", checks=("firewall.active",)),
    duty("changes", subject="approval", checks=("firewall.active",)),
)
ASKED = ChangeRequest(ID, ChangeKind.NORMAL, "x", "x", (LOCAL.id,), FIRST + 5 * HOUR, FIRST + 9 * HOUR, "back", "An")
TOLD = ChangeNotice(ID, "85/TTTT", FIRST, "mail", "Sở")
AGREED = ChangeApproval(ID, "512/UBND", FIRST.date(), "UBND")
BEGUN = ChangeBegun(ID, FIRST + 6 * HOUR, "An")


def register(*steps: Body | None, asked: ChangeRequest = ASKED, kept: bool = True) -> ChangeRegister:
    """Fold records of one hour after the other, the request first."""
    every = enumerate((asked, *steps))
    return fold_changes((10 + n, FIRST + n * HOUR, ID, body, (DIGEST,) if kept else ()) for n, body in every)


def stand(asked: Duty, found: Evidence) -> Standing:
    name = Name("x", "x")
    rulebook = Rulebook("r", "1", name, "doc", WEEK.first, None, (Clause("10.2", name, "x"),), (asked,), Numbers())
    (standing,) = judge(Situation(rulebook, found, (LOCAL,), (), load_calendar()))
    return standing


def both(changes: ChangeRegister | None, checked: CheckVerdict = CheckVerdict.PASS) -> tuple[DutyVerdict, DutyVerdict]:
    found = evidence(checks=check_round(checked), changes=changes)
    return stand(NOTICE, found).verdict, stand(APPROVAL, found).verdict


MET, UNMET, UNSURE = DutyVerdict.MET, DutyVerdict.UNMET, DutyVerdict.INSUFFICIENT_EVIDENCE


@pytest.mark.parametrize(
    ("changes", "notice", "approval"),
    [
        (register(TOLD, AGREED, BEGUN), MET, MET),
        (register(TOLD, BEGUN), MET, UNMET),
        (register(AGREED, BEGUN), UNMET, MET),
        (register(BEGUN), UNMET, UNMET),
        (register(TOLD, AGREED, BEGUN, kept=False), UNSURE, UNSURE),
        (register(TOLD, None, BEGUN), UNSURE, UNMET),
        (register(), UNMET, UNMET),
        (None, UNSURE, UNSURE),
        (ChangeRegister({}), UNSURE, UNSURE),
    ],
)
def test_change_counts_by_what_was_recorded_before_it_showed(
    changes: ChangeRegister | None, notice: DutyVerdict, approval: DutyVerdict
) -> None:
    assert both(changes) == (notice, approval)


def test_emergency_that_was_approved_afterwards_was_not_approved_before() -> None:
    asked = replace(ASKED, kind=ChangeKind.EMERGENCY)
    begun = ChangeBegun(ID, FIRST, "An")

    standing = stand(
        APPROVAL, evidence(checks=check_round(CheckVerdict.PASS), changes=register(begun, TOLD, AGREED, asked=asked))
    )

    assert standing.verdict is UNMET
    assert "was approved only at" in str(standing.reason)
    assert both(register(begun, TOLD, AGREED, asked=asked, kept=False))[1] is UNMET


def test_emergency_counts_where_its_beginning_is_recorded_however_long_ago_that_is_said_to_be() -> None:
    asked = replace(ASKED, kind=ChangeKind.EMERGENCY, begins_at=FIRST - 9000 * HOUR, ends_at=FIRST - 8990 * HOUR)
    begun = ChangeBegun(ID, FIRST - 9000 * HOUR, "An")

    assert both(register(begun, TOLD, AGREED, asked=asked)) == (UNMET, UNMET)
    assert both(register(TOLD, AGREED, asked=asked)) == (UNMET, UNMET)
    assert both(register(begun, asked=replace(asked, kind=ChangeKind.NORMAL))) == (UNMET, UNMET)


def test_change_outside_of_the_period_decides_nothing_in_it() -> None:
    asked = replace(ASKED, begins_at=FIRST + 2000 * HOUR, ends_at=FIRST + 2001 * HOUR)

    assert both(register(asked=asked)) == (MET, MET)


def test_what_is_seen_on_a_host_breaks_the_duty_whatever_the_register_says() -> None:
    whole = register(TOLD, AGREED, BEGUN)

    assert both(whole, CheckVerdict.FAIL) == (UNMET, UNMET)
    assert both(whole, CheckVerdict.UNKNOWN) == (UNSURE, UNSURE)
    assert both(None, CheckVerdict.FAIL) == (UNMET, UNMET)


def drift(*events: FindingEvent, host: HostId = LOCAL.id, incidents: IncidentRegister | None = None) -> Standing:
    finding = Finding(DRIFT, host, "12.2", Severity.HIGH, msg("1 change"), None, events, 0, 7, FIRST, FIRST)
    asked = replace(APPROVAL, checks=("firewall.active", DRIFT))
    rounds = check_round(CheckVerdict.PASS)
    passed = replace(rounds.body.hosts[0].results[0], check=DRIFT)
    whole = replace(rounds.body.hosts[0], results=(*rounds.body.hosts[0].results, passed))
    body = replace(rounds.body, hosts=(whole,))
    changes = register(TOLD, AGREED, BEGUN)
    found = evidence(checks=replace(rounds, body=body), changes=changes, findings=(finding,), incidents=incidents)
    return stand(asked, found)


def event(turn: FindingTurn, hours: int) -> FindingEvent:
    return FindingEvent(turn, 50 + hours, FIRST + hours * HOUR)


def test_change_that_was_undone_before_the_newest_round_does_not_meet_the_duty() -> None:
    undone = drift(event(FindingTurn.OPENED, 2), event(FindingTurn.FIXED, 20))

    assert undone.verdict is UNSURE
    assert {52, 70} <= set(undone.evidence)
    assert "record 52 shows a change without approval, record 70 no longer does" in str(undone.reason)
    assert drift(event(FindingTurn.OPENED, -900), event(FindingTurn.FIXED, -800)).verdict is MET
    assert drift(event(FindingTurn.OPENED, 900)).verdict is MET


def test_start_of_a_host_that_an_incident_explains_breaks_nothing() -> None:
    outage = IncidentFacts("IN-2026-001", "x", IncidentKind.OUTAGE, Severity.LOW, FIRST, "An", hosts=(LOCAL.id,))
    told = fold_incidents([(60, FIRST + 9 * HOUR, outage.id, outage, ())])

    assert drift(event(FindingTurn.OPENED, 2), event(FindingTurn.FIXED, 20), incidents=told).verdict is MET
    assert drift(event(FindingTurn.OPENED, 2), event(FindingTurn.FIXED, 5), incidents=told).verdict is UNSURE
    assert drift(event(FindingTurn.OPENED, -2), event(FindingTurn.FIXED, 20), incidents=told).verdict is UNSURE


def test_host_that_is_configured_no_more_takes_nothing_away_that_it_showed() -> None:
    gone = drift(event(FindingTurn.OPENED, 2), host=HostId("web9"))

    assert gone.verdict is UNMET
    assert "the configuration no longer names host web9" in str(gone.reason)


def test_standing_names_the_records_that_it_rests_on() -> None:
    found = evidence(checks=check_round(CheckVerdict.PASS), changes=register(TOLD, AGREED, BEGUN))

    standing = stand(APPROVAL, found)

    assert {11, 12, 13} <= set(standing.evidence)
    assert "1 change of the period was approved before it began" in str(standing.reason)


# --- what is told -----------------------------------------------------------------------------


def told(asked: Duty, changes: ChangeRegister | None, checked: CheckVerdict = CheckVerdict.PASS) -> Standing:
    return stand(asked, evidence(checks=check_round(checked), changes=changes))


def lines(standing: Standing) -> tuple[DutyVerdict, str, list[str]]:
    return standing.verdict, str(standing.reason), [str(line) for line in standing.details]


PASSED = "of 1 check, 1 passed, 0 failed, 0 unknown"
CHECKED_AT = check_round(CheckVerdict.PASS).at


@pytest.mark.parametrize(
    ("asked", "changes", "reason"),
    [
        (NOTICE, register(TOLD, AGREED, BEGUN), f"1 change of the period was notified before it began; {PASSED}"),
        (APPROVAL, register(TOLD, AGREED, BEGUN), f"1 change of the period was approved before it began; {PASSED}"),
        (
            NOTICE,
            register(asked=replace(ASKED, begins_at=FIRST + 2000 * HOUR, ends_at=FIRST + 2001 * HOUR)),
            f"no change is recorded in the period; {PASSED}",
        ),
    ],
)
def test_changes_in_order_are_counted_and_the_checks_are_told_beside(
    asked: Duty, changes: ChangeRegister, reason: str
) -> None:
    assert lines(told(asked, changes)) == (MET, reason, [])


def test_a_standing_of_changes_rests_on_the_scan_and_on_the_steps_of_each_change() -> None:
    whole, asked_for = told(NOTICE, register(TOLD, AGREED, BEGUN)), told(NOTICE, register(TOLD))

    assert (whole.evidence, asked_for.evidence) == ((7, 13, 11, 12), (7, 10, 11))
    assert (whole.newest_at, whole.due_at) == (CHECKED_AT, CHECKED_AT + timedelta(hours=48))


@pytest.mark.parametrize(
    ("asked", "changes", "verdict", "reason"),
    [
        (NOTICE, register(BEGUN), UNMET, f"{ID}, from 2026-11-17T07:00:00.000Z on, was not notified"),
        (APPROVAL, register(), UNMET, f"{ID}, from 2026-11-17T06:00:00.000Z on, was not approved"),
        (NOTICE, register(TOLD, kept=False), UNSURE, f"the letter 85/TTTT that notified {ID} was not kept"),
        (APPROVAL, register(AGREED, kept=False), UNSURE, f"the decision 512/UBND on {ID} was not kept"),
        (
            NOTICE,
            register(replace(BEGUN, began_at=FIRST), TOLD),
            UNMET,
            f"{ID}, from 2026-11-17T01:00:00.000Z on, was notified only at 2026-11-17T03:00:00.000Z, by record 12",
        ),
        (
            APPROVAL,
            register(replace(BEGUN, began_at=FIRST), AGREED),
            UNMET,
            f"{ID}, from 2026-11-17T01:00:00.000Z on, was approved only at 2026-11-17T03:00:00.000Z, by record 12",
        ),
        (NOTICE, register(TOLD, None, None), UNSURE, "record 12 of a change cannot be read, and 1 more"),
    ],
)
def test_what_a_change_lacks_is_told_with_its_times_and_records(
    asked: Duty, changes: ChangeRegister, verdict: DutyVerdict, reason: str
) -> None:
    assert lines(told(asked, changes))[:2] == (verdict, reason)


def test_notice_and_approval_at_the_very_beginning_are_before_it() -> None:
    at_once = register(TOLD, AGREED, asked=replace(ASKED, begins_at=FIRST + HOUR))

    assert told(NOTICE, at_once).verdict is MET
    assert told(APPROVAL, register(AGREED, asked=replace(ASKED, begins_at=FIRST + HOUR))).verdict is MET


def test_an_empty_register_is_told_with_what_the_checks_left_open() -> None:
    assert told(NOTICE, None, CheckVerdict.UNKNOWN) == Standing(
        NOTICE.id,
        UNSURE,
        msg("the register of changes is empty"),
        (msg("{check} on {host}: {seen}", check="firewall.active", host=LOCAL.id, seen=msg("seen")),),
    )


def test_the_worse_of_checks_and_register_is_told_first() -> None:
    seen = "firewall.active on web1: seen"
    unnotified = f"{ID}, from 2026-11-17T07:00:00.000Z on, was not notified"
    unkept = f"the letter 85/TTTT that notified {ID} was not kept"

    assert lines(told(NOTICE, register(BEGUN), CheckVerdict.UNKNOWN)) == (UNMET, unnotified, [unnotified, seen])
    assert lines(told(NOTICE, register(TOLD, kept=False), CheckVerdict.FAIL)) == (
        UNMET, "of 1 check, 0 passed, 1 failed, 0 unknown", [seen, unkept],
    )  # fmt: skip
    assert lines(told(NOTICE, register(BEGUN), CheckVerdict.FAIL)) == (UNMET, unnotified, [unnotified, seen])
    unchecked = stand(NOTICE, evidence(changes=register(TOLD)))
    assert lines(unchecked) == (UNSURE, "the hosts were never checked", ["the hosts were never checked"])
    assert lines(told(NOTICE, register(BEGUN), CheckVerdict.NOT_APPLICABLE)) == (UNMET, unnotified, [unnotified])


def test_drift_counts_from_the_first_moment_of_the_period_to_its_last() -> None:
    begin, end = WEEK.bounds(ZONE)

    def seen(opened: datetime, gone: datetime) -> DutyVerdict:
        return drift(FindingEvent(FindingTurn.OPENED, 50, opened), FindingEvent(FindingTurn.FIXED, 51, gone)).verdict

    assert [seen(begin - HOUR, gone) for gone in (begin - timedelta(seconds=1), begin)] == [MET, UNSURE]
    assert [seen(opened, end + HOUR) for opened in (end, end - timedelta(seconds=1))] == [MET, UNSURE]


def test_each_time_that_drift_showed_is_told_with_its_records() -> None:
    again = drift(
        event(FindingTurn.OPENED, -900), event(FindingTurn.FIXED, -800),
        event(FindingTurn.REOPENED, 2), event(FindingTurn.FIXED, 4), event(FindingTurn.REOPENED, 6),
    )  # fmt: skip

    line = (
        "web1:change.drift: record 52 shows a change without approval, record 54 no longer does. Run "
        "'portalops change drift --host web1 --since' to see whether it was undone or approved later"
    )
    assert (lines(again), again.evidence) == ((UNSURE, line, [line]), (7, 13, 11, 12, 52, 54))


def test_drift_of_a_host_that_is_configured_no_more_names_what_was_seen() -> None:
    gone = drift(event(FindingTurn.OPENED, 2), host=HostId("web9"))

    assert (str(gone.reason), gone.evidence[-1]) == (
        "web9:change.drift: 1 change; the configuration no longer names host web9, and no scan shows that this was corrected",
        52,
    )


def test_findings_of_other_checks_are_no_drift_and_drift_counts_only_where_the_duty_asks_for_it() -> None:
    events = event(FindingTurn.OPENED, 2), event(FindingTurn.FIXED, 20)
    other = Finding("a.b", LOCAL.id, "12.2", Severity.HIGH, msg("x"), None, events, 0, 7, FIRST, FIRST)
    drifted = replace(other, check=DRIFT)
    changes = register(TOLD, AGREED, BEGUN)

    for asked, findings in ((replace(NOTICE, checks=("firewall.active", DRIFT)), (other,)), (NOTICE, (drifted,))):
        found = stand(asked, evidence(checks=check_round(CheckVerdict.PASS), changes=changes, findings=findings))
        assert not [line for line in lines(found)[2] if "record 52" in line]


@pytest.mark.parametrize(
    ("opened", "gone", "recorded", "closed", "explained"),
    [
        (2, 20, 9, None, True),
        (0, 20, 9, None, True),
        (2, 9, 9, None, True),
        (2, 8, 9, None, False),
        (-1, 20, 9, None, False),
        (11, 20, 9, 11, True),
        (12, 20, 9, 11, False),
    ],
)
def test_drift_is_explained_by_an_incident_of_its_host_that_was_running_when_it_was_seen(
    opened: int, gone: int, recorded: int, closed: int | None, explained: bool
) -> None:
    outage = IncidentFacts("IN-2026-001", "x", IncidentKind.OUTAGE, Severity.LOW, FIRST, "An", hosts=(LOCAL.id,))
    done = IncidentClosed(outage.id, FIRST, "x", "x", "x", "An")
    steps = [(60, FIRST + recorded * HOUR, outage.id, outage, ())]
    told = fold_incidents(steps if closed is None else [*steps, (61, FIRST + closed * HOUR, outage.id, done, ())])

    found = drift(event(FindingTurn.OPENED, opened), event(FindingTurn.FIXED, gone), incidents=told)

    assert found.verdict is (MET if explained else UNSURE)


def test_a_change_counts_on_the_local_day_on_which_it_showed() -> None:
    begins = datetime(2026, 11, 15, 17, 30, tzinfo=UTC)  # Monday in the province
    asked = replace(ASKED, begins_at=begins, ends_at=begins + HOUR)
    found = fold_changes([(10, begins - 9 * HOUR, ID, asked, (DIGEST,))])

    assert told(NOTICE, found).verdict is UNMET


def test_a_standing_rests_on_the_records_of_each_change() -> None:
    other = replace(ASKED, id=f"{ID}9")
    requests = [(10 + n, FIRST + n * HOUR, each.id, each, (DIGEST,)) for n, each in enumerate((ASKED, other))]

    assert told(NOTICE, fold_changes(requests)).evidence == (7, 10, 11)
