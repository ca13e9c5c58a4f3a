"""Findings day by day, by age, and the evidence of one host alone."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from portalops.model.findings import Finding, FindingEvent, FindingTurn
from portalops.model.message import msg
from portalops.model.organisation import HostId
from portalops.model.record import RunId
from portalops.model.rulebook import Numbers
from portalops.model.runs import Run, RunSummary
from portalops.model.verdicts import RunOutcome, Severity
from portalops.registers.host_scope import narrow_to_host
from portalops.registers.open_findings import count_by_age, is_open_at, open_by_day, opened_before, turns_in
from tests.reports.sample import PERIOD, ZONE
from tests.reports.servers_sample import DATABASE, SILENT, WEB, at, evidence

SEEN = evidence()


def finding(*turns: tuple[FindingTurn, float]) -> Finding:
    events = tuple(FindingEvent(turn, 10 + place, at(day)) for place, (turn, day) in enumerate(turns))
    return Finding("a.b", WEB, "12.4", Severity.HIGH, msg("x"), None, events, 0, 1, at(0), at(0))


@pytest.mark.parametrize(("day", "is_open"), [(0.9, False), (1, True), (2.9, True), (3, False), (5, True), (8, False)])
def test_finding_is_open_between_its_turns(day: float, is_open: bool) -> None:
    one = finding((FindingTurn.OPENED, 1), (FindingTurn.FIXED, 3), (FindingTurn.REOPENED, 4), (FindingTurn.CLOSED, 7))

    assert is_open_at(one, at(day)) is is_open


def test_round_speaks_for_two_days_by_the_rulebook_and_until_the_next_is_due_if_that_is_later() -> None:
    known = [each.counts is not None for each in open_by_day(SEEN, Numbers())]
    weekly = [each.counts is not None for each in open_by_day(SEEN, Numbers(check_every_days=7))]

    assert [day for day, is_known in enumerate(known) if not is_known] == [10, 11, 12]
    assert set(known) == {True, False}
    assert all(weekly)
    assert {9, 10, 11, 12} == SILENT


def test_days_to_come_are_left_out_and_today_is_told_as_of_now() -> None:
    found = open_by_day(replace(SEEN, now=at(5.05)), Numbers())

    assert found[-1].day == PERIOD.first + timedelta(days=5)
    assert found[-1].counts is not None
    assert found[-1].counts[Severity.MEDIUM] == 0, "it was opened later that day"


@pytest.mark.parametrize(("outcome", "is_known"), [(RunOutcome.INCOMPLETE, True), (RunOutcome.FAILED, False)])
def test_round_of_before_the_period_speaks_for_its_first_day_unless_it_failed(
    outcome: RunOutcome,
    is_known: bool,
) -> None:
    ended = at(-0.5)
    run = Run(RunId("r"), "check", "", "12.4", ended, 5, ended, 6)
    seen = replace(SEEN, scans=(), checks=None, runs=(run,), summaries={6: RunSummary(outcome, 0, ended, ended)})

    found = open_by_day(seen, Numbers())

    assert (found[0].counts is not None) is is_known
    assert found[3].counts is None


def test_open_findings_are_counted_by_age() -> None:
    today = PERIOD.first + timedelta(days=27)
    ages = count_by_age([finding((FindingTurn.OPENED, 27 - days)) for days in (0, 7, 8, 30, 31, 90, 91)], today, ZONE)

    assert ages[Severity.HIGH] == (2, 2, 2, 1)
    assert ages[Severity.LOW] == (0, 0, 0, 0)


def test_how_long_a_finding_was_open_is_told_from_the_turn_before() -> None:
    one = finding((FindingTurn.OPENED, 1), (FindingTurn.FIXED, 3), (FindingTurn.REOPENED, 4), (FindingTurn.FIXED, 6))

    assert opened_before(one, one.events[3]) == at(4)
    assert opened_before(one, one.events[0]) is None
    lost = replace(one, events=(one.events[0], one.events[1], one.events[3]))
    assert opened_before(lost, lost.events[2]) is None


def test_turns_outside_of_the_period_are_left_out() -> None:
    turns = turns_in(SEEN)

    assert [event.seq for _finding, event in turns] == [1020, 1014, 1007, 1005, 1003]


def test_evidence_of_a_host_has_its_rounds_findings_place_and_groups_alone() -> None:
    found = narrow_to_host(SEEN, DATABASE)

    assert {each.host for each in found.scans[0].body.hosts} == {"db-1", "databases"}
    assert {each.host for each in found.findings} == {DATABASE}
    assert set(found.places) == {DATABASE}
    assert found.checks is not None
    assert found.checks.seq == 1027
    assert found.waivers == SEEN.waivers


def test_evidence_of_a_host_that_no_round_looked_at_has_none() -> None:
    found = narrow_to_host(SEEN, HostId("new-1"))

    assert (found.scans, found.checks, found.findings) == ((), None, ())
