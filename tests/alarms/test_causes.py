"""What each kind of alarm calls wrong, what it calls right, and what it leaves open."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest

from portalops.alarms.facts import AlarmFacts, JobState
from portalops.alarms.kinds import CAUSES, Seen, find_all
from portalops.model.alarms import AlarmCause, AlarmEnd, SoundThing
from portalops.model.backups import Copy, CopyState, DataClass, VerifyResult
from portalops.model.checks import CheckScan, HostScan
from portalops.model.findings import FindingTurn
from portalops.model.heads import AnchorId, AnchorReceipt
from portalops.model.message import msg
from portalops.model.organisation import HostId
from portalops.model.record import Recorded
from portalops.model.rulebook import DutyId
from portalops.model.standing import Standing
from portalops.model.updates import Poll
from portalops.model.verdicts import DutyVerdict, RunOutcome
from portalops.rulebooks.load import load as load_rulebook
from tests.compliance.test_findings import LATE, RECENT, finding
from tests.compliance.test_rules import DIGEST, NOW, backup, copy, evidence, updates

MADE = datetime(2026, 11, 20, tzinfo=UTC)
RULEBOOK = load_rulebook("kh-37-2010", {})


def facts(**parts: object) -> AlarmFacts:
    settings = {name: parts.pop(name) for name in tuple(parts) if name in AlarmFacts.__dataclass_fields__}
    empty = AlarmFacts(evidence(**parts), (), RULEBOOK, date(2026, 11, 25))
    return replace(empty, **settings)  # type: ignore[arg-type]  # names are checked by replace itself


def seen(kind: str, found: AlarmFacts) -> dict[str, str]:
    """Return the problem of each thing that is wrong, and `right` of each that is right."""
    return {
        each.key: each.problem if isinstance(each, AlarmCause) else "right" for each in CAUSES.load(kind).find(found)
    }


def on(medium: str, state: CopyState = CopyState.VERIFIED) -> Copy:
    return replace(copy(state), medium=medium)


def test_a_medium_that_the_newest_set_is_not_on_is_grave_at_once() -> None:
    made = backup(MADE, copies=(on("disk-a"), on("disk-b", CopyState.FAILED)))
    found = facts(backups=(made,), media=("disk-a", "disk-b", "discs"))

    assert seen("medium", found) == {"medium:disk-a": "right", "medium:disk-b": "lacking"}, "discs are written later"
    graves = [each.grave_after for each in CAUSES.load("medium").find(found) if isinstance(each, AlarmCause)]
    assert graves == [timedelta()]


def test_a_medium_with_a_damaged_copy_is_wrong_although_the_newest_set_is_on_it() -> None:
    made = backup(MADE, copies=(on("disk-a"),))
    later = Recorded(9, NOW, "verify", VerifyResult((on("disk-a", CopyState.DAMAGED),)))

    assert seen("medium", facts(backups=(made,), verifies=(later,), media=("disk-a",))) == {"medium:disk-a": "damaged"}


def test_without_any_set_nothing_is_said_of_media() -> None:
    assert seen("medium", facts(media=("disk-a",))) == {}


def test_a_class_that_the_newest_run_lost_is_grave_at_once_and_names_its_duty() -> None:
    made = backup(MADE)
    lost = replace(made, body=replace(made.body, failed_classes=(DataClass.ACCOUNTS,), unmapped=(DataClass.CHANNELS,)))
    found = facts(backups=(made, lost))

    assert seen("data-class", found) == {
        "data-class:accounts": "lost", "data-class:channels": "unmapped", "data-class:content": "right",
    }  # fmt: skip
    (cause,) = [
        each
        for each in CAUSES.load("data-class").find(found)
        if isinstance(each, AlarmCause) and each.problem == "lost"
    ]
    assert (cause.duties, cause.grave_after) == ((DutyId("10.2-accounts"),), timedelta())


def test_a_host_is_silent_or_right_by_the_newest_scan_and_unknown_without_one() -> None:
    scan = Recorded(
        40,
        NOW,
        "r",
        CheckScan((HostScan(HostId("web1"), NOW, True, "", ()), HostScan(HostId("web2"), NOW, False, "x", ()))),
    )

    assert seen("host", facts(checks=scan)) == {"host:web1": "right", "host:web2": "silent"}
    assert seen("host", facts()) == {}


@pytest.mark.parametrize(
    ("opened_at", "turn", "said"),
    [
        (LATE, FindingTurn.OPENED, "late"), (RECENT, FindingTurn.OPENED, "open"), (LATE, FindingTurn.FIXED, "right"),
    ],
)  # fmt: skip
def test_a_grave_finding_is_wrong_from_its_first_day_and_right_once_it_was_fixed(
    opened_at: datetime, turn: FindingTurn, said: str
) -> None:
    found = facts(findings=(finding(opened_at, turn=turn),), hosts=("web1",))

    assert seen("finding", found) == {"finding:web1:ssh.root-login": said}


def test_a_source_that_does_not_answer_or_proves_nothing_is_wrong_and_one_that_was_not_polled_is_neither() -> None:
    def poll(source: str, *, ok: bool = True, blind: bool = False) -> Poll:
        return Poll(source, NOW, ok, "", 3, 0, None, NOW, blind=msg("it is empty") if blind else None)

    judged = updates()
    polled = replace(judged, body=replace(judged.body, polls=(poll("a"), poll("b", ok=False), poll("c", blind=True))))

    assert seen("update-source", facts(updates=polled, sources=("a", "b", "c", "d"))) == {
        "update-source:a": "right", "update-source:b": "no-answer", "update-source:c": "blind",
    }  # fmt: skip


def test_a_job_that_failed_or_is_overdue_is_wrong_and_one_that_never_ran_is_neither() -> None:
    jobs = (
        JobState("nightly", RunOutcome.COMPLETE),
        JobState("weekly", RunOutcome.FAILED),
        JobState("monthly", RunOutcome.COMPLETE, msg("no run in its month")),
        JobState("new"),
    )

    assert seen("job", facts(jobs=jobs)) == {"job:nightly": "right", "job:weekly": "failed", "job:monthly": "overdue"}


def test_an_anchor_is_wrong_once_it_refused_a_head() -> None:
    def receipt(name: str, problem: str) -> Recorded[AnchorReceipt]:
        return Recorded(7, NOW, "r", AnchorReceipt(AnchorId(name), "share", 12, DIGEST, NOW, problem=problem))

    receipts = {"a": receipt("a", ""), "b": receipt("b", "no room")}

    assert seen("anchor", facts(anchors=("a", "b", "c"), receipts=receipts)) == {
        "anchor:a": "right",
        "anchor:b": "refused",
    }


def test_a_year_without_its_notice_is_wrong_while_the_calendar_asks_for_it() -> None:
    assert seen("calendar", facts(unconfirmed_years=(2027,))) == {"calendar:2027": "provisional"}


def duty(name: str, verdict: DutyVerdict) -> Standing:
    return Standing(DutyId(name), verdict, msg("why"))


def test_a_duty_that_is_not_met_has_an_alarm_of_its_own_only_where_no_cause_has_one() -> None:
    made = backup(MADE)
    lost = replace(made, body=replace(made.body, failed_classes=(DataClass.CONTENT,)))
    standings = (
        duty("10.2-content", DutyVerdict.UNMET),
        duty("11.1", DutyVerdict.UNMET),
        duty("12.1", DutyVerdict.INSUFFICIENT_EVIDENCE),
        duty("7.6", DutyVerdict.MET),
        duty("11.3-handling", DutyVerdict.PENDING),
    )

    found, expected = find_all(facts(backups=(lost,), standings=standings))

    duties: dict[str, Seen] = {each.key: each for each in found if each.key.startswith("duty:")}
    assert set(duties) == {"duty:10.2-content", "duty:11.1", "duty:12.1", "duty:7.6"}
    content = duties["duty:10.2-content"]
    assert isinstance(content, SoundThing)
    assert content.end is AlarmEnd.BY_CAUSE
    assert isinstance(duties["duty:11.1"], AlarmCause)
    assert isinstance(duties["duty:12.1"], AlarmCause)
    assert isinstance(duties["duty:7.6"], SoundThing)
    assert "duty:11.3-handling" in expected
