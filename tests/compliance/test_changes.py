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
from portalops.model.incidents import IncidentFacts, IncidentKind
from portalops.model.message import msg
from portalops.model.organisation import HostId, Name
from portalops.model.rulebook import Clause, Duty, Numbers, Rulebook
from portalops.model.standing import Standing
from portalops.model.verdicts import CheckVerdict, DutyVerdict, Severity
from portalops.registers.changes import Body, ChangeRegister, fold_changes
from portalops.registers.evidence import Evidence
from portalops.registers.incidents import IncidentRegister, fold_incidents
from tests.compliance.test_rules import DIGEST, LOCAL, WEEK, check_round, duty, evidence
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
