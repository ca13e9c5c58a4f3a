"""Article 12.5: what the register of incidents, who attests it, and the logins on hosts make of a period."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest

from portalops.calendar import load as load_calendar
from portalops.compliance import Situation, judge
from portalops.model.checks import CheckResult, CheckScan, HostScan
from portalops.model.credentials import Leaving
from portalops.model.findings import Finding, FindingEvent, FindingTurn
from portalops.model.incidents import (
    IncidentClosed,
    IncidentFacts,
    IncidentKind,
    IncidentReport,
    IncidentsAttested,
    ReportKind,
)
from portalops.model.message import msg
from portalops.model.organisation import HostId, Name
from portalops.model.period import Period
from portalops.model.record import Digest, Recorded
from portalops.model.rulebook import Clause, Numbers, Rulebook
from portalops.model.standing import Standing
from portalops.model.verdicts import CheckVerdict, DutyVerdict, Severity
from portalops.registers.credentials import LEFT, fold_credentials
from portalops.registers.evidence import Evidence
from portalops.registers.incidents import CLOSED as CLOSING
from portalops.registers.incidents import (
    NOTED,
    OPENED,
    Body,
    IncidentRegister,
    UnreadIncidentRecord,
    fold_incidents,
    subject_of,
)
from tests.compliance.test_rules import DIGEST, LOCAL, NOW, WEEK, check_round, duty, evidence
from tests.registers.test_incidents import CLOSED, FACTS, FIRST, FULL, HOUR, ID, NOTICED

ATTESTED = IncidentsAttested(WEEK.first, WEEK.last, "Trần Thị Bình", "20/XN")
WHOLE: tuple[tuple[int, Body], ...] = ((0, FACTS), (3, FIRST), (40, FULL), (50, CLOSED), (130, ATTESTED))
MET, UNMET, PENDING, UNSURE = (
    DutyVerdict.MET,
    DutyVerdict.UNMET,
    DutyVerdict.PENDING,
    DutyVerdict.INSUFFICIENT_EVIDENCE,
)


def register(*steps: tuple[int, Body | UnreadIncidentRecord], kept: tuple[Digest, ...] = (DIGEST,)) -> IncidentRegister:
    """Fold records, each recorded so many hours after the noticing."""
    return fold_incidents(
        (10 + n, NOTICED + hours * HOUR, ID if isinstance(body, UnreadIncidentRecord) else subject_of(body), body, kept)
        for n, (hours, body) in enumerate(steps)
    )


def stand(found: Evidence, *, checks: tuple[str, ...] = ()) -> Standing:
    name = Name("x", "x")
    asked = duty("incidents", checks=checks)
    rulebook = Rulebook("r", "1", name, "doc", WEEK.first, None, (Clause("10.2", name, "x"),), (asked,), Numbers())
    (standing,) = judge(Situation(rulebook, found, (LOCAL,), (), load_calendar()))
    return standing


def judged(incidents: IncidentRegister | None, *, now: datetime = NOW, period: Period = WEEK) -> Standing:
    return stand(evidence(incidents=incidents, now=now, period=period))


def swapped(
    hours: int, body: Body | UnreadIncidentRecord, *, at: int
) -> Iterable[tuple[int, Body | UnreadIncidentRecord]]:
    steps: list[tuple[int, Body | UnreadIncidentRecord]] = list(WHOLE)
    steps[at] = (hours, body)
    return steps


def test_duty_is_unknown_while_nobody_has_begun_the_register() -> None:
    assert judged(None).verdict is UNSURE
    assert judged(IncidentRegister()).verdict is UNSURE
    assert "the register of incidents is empty" in str(judged(None).reason)


def test_incident_that_was_reported_in_time_in_attested_days_meets_the_duty() -> None:
    standing = judged(register(*WHOLE))

    assert standing.verdict is MET
    assert "1 incident of the period was reported in time" in str(standing.reason)
    assert set(standing.evidence) == {10, 11, 12, 13, 14}


def test_that_nothing_happened_counts_only_as_far_as_a_named_person_attests_it() -> None:
    assert judged(register((130, ATTESTED))).verdict is MET
    assert judged(register((130, ATTESTED), kept=())).verdict is UNSURE
    short = judged(register((130, replace(ATTESTED, last=date(2026, 11, 21)))))
    assert (short.verdict, str(short.reason)) == (
        UNSURE,
        "nobody attests 1 day from 2026-11-22 to 2026-11-22",
    )


def test_attestation_is_not_due_before_the_period_is_over() -> None:
    running = Period(date(2026, 11, 16), date(2026, 11, 29))

    assert judged(register((130, ATTESTED)), period=running).verdict is PENDING
    assert judged(register((0, FACTS)), now=NOTICED, period=Period(date(2026, 11, 18), WEEK.last)).verdict is PENDING
    to_yesterday = replace(ATTESTED, last=date(2026, 11, 24))
    assert judged(register((161, to_yesterday)), period=running).verdict is MET


def test_day_that_was_attested_before_it_was_over_is_attested_by_nobody() -> None:
    early = judged(register((85, ATTESTED)))  # on Saturday evening, for the whole week

    assert early.verdict is UNSURE
    said = [str(each) for each in (early.reason, *early.details)]
    assert any("record 10 attests 2026-11-21 before that day had ended" in each for each in said)
    assert any("nobody attests 2 days from 2026-11-21 to 2026-11-22" in each for each in said)
    assert judged(register((85, ATTESTED), (130, ATTESTED))).verdict is MET


def test_incident_counts_in_the_period_in_which_it_was_recorded_however_long_ago_it_is_said_to_be_noticed() -> None:
    long_ago = replace(FACTS, detected_at=NOTICED - 3000 * HOUR)

    standing = judged(register((0, long_ago), (3, FIRST), (40, FULL), (50, CLOSED), (130, ATTESTED)))

    assert standing.verdict is UNMET
    assert any("the first report was sent at" in str(each) for each in standing.details)


def test_noticing_that_is_corrected_out_of_the_period_takes_no_late_report_out_of_it() -> None:
    moved = replace(FACTS, detected_at=NOTICED - 3000 * HOUR, reason="nhầm ngày")

    steps = register(
        (0, FACTS), (30, replace(FIRST, sent_at=NOTICED + 30 * HOUR)), (40, FULL), (45, moved), (130, ATTESTED)
    )

    assert judged(steps).verdict is UNMET


def test_attestation_counts_no_more_once_an_incident_of_its_days_is_recorded() -> None:
    standing = judged(register((0, ATTESTED), (1, replace(FACTS, detected_at=NOTICED + HOUR)), (3, FIRST), (40, FULL)))

    assert standing.verdict is UNSURE
    assert any("the attestation in record 10 is no longer valid: IN-2026-001" in str(each) for each in standing.details)


@pytest.mark.parametrize(
    ("steps", "verdict", "said"),
    [
        (swapped(25, replace(FIRST, sent_at=NOTICED + 25 * HOUR), at=1), UNMET, "after"),
        (swapped(30, FIRST, at=1), UNSURE, "recorded only at"),
        (((0, FACTS), (40, FULL), (130, ATTESTED)), UNMET, "first report was sent at"),
        (((0, FACTS), (3, FIRST), (130, ATTESTED)), UNMET, "full report was due by"),
        (
            swapped(50, replace(CLOSED, open_ends=("credential:web1-an",), reason="gấp"), at=3),
            UNMET,
            "was closed although",
        ),
        (swapped(0, replace(FACTS, credentials=()), at=0), UNSURE, "no credential is linked"),
        (swapped(0, replace(FACTS, holders=()), at=0), UNSURE, "names no responsible person"),
        ((*WHOLE, (140, replace(FACTS, detected_at=NOTICED + HOUR, reason="x"))), MET, "in time"),
        (
            (
                *swapped(25, replace(FIRST, sent_at=NOTICED + 25 * HOUR), at=1),
                (140, replace(FACTS, detected_at=NOTICED + 2 * HOUR, reason="x")),
            ),
            UNSURE,
            "an earlier record says that it was noticed at",
        ),
        ((*WHOLE, (140, UnreadIncidentRecord(NOTED))), UNSURE, "record 15 of an incident cannot be read"),
    ],
)
def test_what_is_missing_is_named_and_makes_the_verdict(
    steps: Iterable[tuple[int, Body | UnreadIncidentRecord]], verdict: DutyVerdict, said: str
) -> None:
    standing = judged(register(*steps))

    assert standing.verdict is verdict
    assert said in " ".join(map(str, (standing.reason, *standing.details)))


def test_report_without_its_paper_is_unknown() -> None:
    standing = judged(register(*WHOLE, kept=()))

    assert standing.verdict is UNSURE
    assert "the paper of the first report was not kept (record 11)" in " ".join(map(str, standing.details))


def test_report_that_is_not_due_yet_is_pending_and_says_until_when() -> None:
    now = NOTICED + 5 * HOUR

    standing = judged(register((0, FACTS)), now=now, period=Period(date(2026, 11, 18), date(2026, 11, 22)))

    assert (standing.verdict, standing.due_at) == (PENDING, NOTICED + 24 * HOUR)


def test_late_report_counts_in_the_period_of_the_incident_and_a_missing_one_until_it_is_sent() -> None:
    later = Period(date(2026, 11, 23), date(2026, 11, 24))
    attested = replace(ATTESTED, first=later.first, last=later.last)
    late = replace(FULL, sent_at=NOTICED + 100 * HOUR)

    assert judged(register((0, FACTS), (3, FIRST), (160, attested)), period=later).verdict is UNMET
    assert judged(register((0, FACTS), (3, FIRST), (100, late), (160, attested)), period=later).verdict is MET
    assert judged(register((0, FACTS), (3, FIRST), (100, late), (130, ATTESTED))).verdict is UNMET


def test_incident_that_was_noticed_after_the_period_decides_nothing_in_it() -> None:
    later = replace(FACTS, detected_at=datetime(2026, 11, 24, tzinfo=UTC), happened_at=None)

    assert judged(register((130, ATTESTED), (140, later))).verdict is MET


LOGINS = "firewall.active"
"""Stands for the check of logins: the rounds of these tests hold this one."""


def seen(*, since: timedelta = timedelta(), incidents: IncidentRegister) -> Standing:
    event = FindingEvent(FindingTurn.OPENED, 5, NOTICED + since)
    finding = Finding(
        LOGINS, LOCAL.id, "12.5", Severity.HIGH, msg("seen"), None, (event,), 0, 7, NOTICED + since, NOTICED + since
    )
    found = evidence(checks=check_round(CheckVerdict.FAIL), incidents=incidents, findings=(finding,))
    return stand(found, checks=(LOGINS,))


def test_login_that_is_nobodys_needs_an_incident_that_is_tied_to_it() -> None:
    tied = replace(FACTS, findings=(f"{LOCAL.id}:{LOGINS}",))

    untied = seen(incidents=register(*WHOLE))
    assert (untied.verdict, str(untied.reason)) == (UNMET, "web1:firewall.active: seen; no incident is linked to it")
    assert seen(incidents=register(*swapped(0, tied, at=0))).verdict is MET
    assert seen(since=60 * HOUR, incidents=register(*swapped(0, tied, at=0))).verdict is UNMET


@pytest.mark.parametrize(("verdict", "expected"), [(CheckVerdict.PASS, MET), (CheckVerdict.UNKNOWN, UNSURE)])
def test_whose_logins_there_were_must_be_known(verdict: CheckVerdict, expected: DutyVerdict) -> None:
    found = evidence(checks=check_round(verdict), incidents=register(*WHOLE))

    assert stand(found, checks=(LOGINS,)).verdict is expected


def test_what_is_not_known_of_the_logins_is_named_with_its_reason_and_not_only_counted() -> None:
    standing = stand(evidence(checks=check_round(CheckVerdict.UNKNOWN), incidents=register(*WHOLE)), checks=(LOGINS,))

    assert str(standing.reason) == "firewall.active on web1: seen"
    assert [str(each) for each in standing.details] == ["firewall.active on web1: seen"]


def test_incident_for_which_only_people_who_left_answer_is_not_answered_for() -> None:
    def left(on: date) -> Standing:
        leaving = Leaving("nguyen-van-an", on)
        people = fold_credentials([(5, NOTICED, LEFT, leaving.person, leaving)])
        return stand(evidence(incidents=register(*WHOLE), credentials=people))

    assert left(date(2026, 11, 18)).verdict is UNSURE
    assert "had left before it was noticed: nguyen-van-an" in str(left(date(2026, 11, 18)).reason)
    assert left(date(2026, 11, 19)).verdict is MET


def test_incident_of_another_kind_needs_nobody_who_answers() -> None:
    outage = IncidentFacts(ID, "mất điện", IncidentKind.OUTAGE, Severity.LOW, NOTICED, "An")

    assert judged(register(*swapped(0, outage, at=0))).verdict is MET


def test_full_report_within_a_day_is_the_first_one_too() -> None:
    full = IncidentReport(ID, ReportKind.FULL, "Sở", NOTICED + 5 * HOUR, "15/BC", "văn bản điện tử", "An")
    closed = IncidentClosed(ID, NOTICED + 4 * HOUR, "x", "x", "x", "An")

    assert judged(register((0, FACTS), (6, full), (7, closed), (130, ATTESTED))).verdict is MET


AGAIN = replace(FACTS, reason="chi tiết đã xóa")
NEXT_WEEK = Period(WEEK.last + timedelta(days=1), WEEK.last + timedelta(days=7))


def test_record_that_cannot_be_read_leaves_later_periods_in_doubt_only_until_it_is_said_anew() -> None:
    lost = (*WHOLE, (140, UnreadIncidentRecord(NOTED)))
    attested = replace(ATTESTED, first=NEXT_WEEK.first, last=NEXT_WEEK.last)
    now = NOW + timedelta(days=14)

    before = judged(register(*lost, (340, attested)), now=now, period=NEXT_WEEK)
    after = judged(register(*lost, (341, AGAIN), (342, attested)), now=now, period=NEXT_WEEK)

    assert (before.verdict, after.verdict) == (UNSURE, MET)


def test_incident_whose_opening_is_said_anew_proves_no_report_of_its_own_period_to_be_in_time() -> None:
    found = judged(register((0, UnreadIncidentRecord(OPENED)), *WHOLE[1:], (140, AGAIN)))

    assert found.verdict is UNSURE
    assert "record 10 cannot be read and may name an earlier time of notice" in str(found.reason)
    assert not any("record 10 of an incident cannot be read" in str(line) for line in found.details)


def test_closing_that_is_recorded_anew_leaves_open_what_the_lost_one_left_open() -> None:
    found = judged(register(*swapped(50, UnreadIncidentRecord(CLOSING), at=3), (140, CLOSED)))

    assert found.verdict is UNSURE
    assert "the open items at its closing cannot be read (record 13)" in str(found.reason)


def test_report_of_an_earlier_period_that_is_due_now_is_named() -> None:
    """The full report of what was noticed on a Sunday is due on the Wednesday after."""
    noticed = datetime(2026, 11, 22, 3, tzinfo=UTC)
    facts = replace(FACTS, detected_at=noticed, happened_at=None)
    now = noticed + 30 * HOUR

    found = judged(register((98, facts), (99, replace(FIRST, sent_at=noticed + HOUR))), now=now, period=NEXT_WEEK)

    assert (found.verdict, found.due_at) == (PENDING, noticed + 72 * HOUR)
    assert "IN-2026-001: the full report is due by 2026-11-25T03:00:00.000Z" in str(found.reason)


# --- what is told -----------------------------------------------------------------------------

LATE = replace(FIRST, sent_at=NOTICED + 25 * HOUR)


def lines(standing: Standing) -> list[str]:
    return [str(line) for line in standing.details]


@pytest.mark.parametrize(
    ("steps", "expected"),
    [
        (
            swapped(25, LATE, at=1),
            ["IN-2026-001: the first report was sent at 2026-11-19T02:00:00.000Z, after 2026-11-19T01:00:00.000Z"],
        ),
        (
            swapped(30, FIRST, at=1),
            [
                "IN-2026-001: the first report was reportedly sent at 2026-11-18T03:00:00.000Z, but recorded only at "
                "2026-11-19T07:00:00.000Z, after 2026-11-19T01:00:00.000Z"
            ],
        ),
        (
            ((0, FACTS), (3, FIRST), (130, ATTESTED)),
            ["IN-2026-001: the full report was due by 2026-11-21T01:00:00.000Z but was not sent"],
        ),
        (
            swapped(50, replace(CLOSED, open_ends=("credential:web1-an", "cause"), reason="gấp"), at=3),
            [
                "IN-2026-001 was closed although: credential web1-an has neither been changed nor returned since then",
                "IN-2026-001 was closed although: the cause is not known",
            ],
        ),
        (
            swapped(0, replace(FACTS, credentials=(), holders=()), at=0),
            [
                "IN-2026-001 is about administrative access, but no credential is linked to it",
                "IN-2026-001 names no responsible person",
            ],
        ),
        (
            swapped(0, replace(FACTS, kind=IncidentKind.OUTAGE, holders=()), at=0),
            ["IN-2026-001 names no responsible person"],
        ),
        (
            (*swapped(25, LATE, at=1), (140, replace(FACTS, detected_at=NOTICED + 2 * HOUR, reason="x"))),
            [
                "IN-2026-001: an earlier record says that it was noticed at 2026-11-18T01:00:00.000Z; "
                "by that time the first report was late"
            ],
        ),
        (
            ((0, UnreadIncidentRecord(OPENED)), *WHOLE[1:], (140, replace(FACTS, reason="x"))),
            [
                f"IN-2026-001: record 10 cannot be read and may name an earlier time of notice: it is not proven that "
                f"the {report} report was in time"
                for report in ("first", "full")
            ],
        ),
        (
            (*swapped(50, UnreadIncidentRecord(CLOSING), at=3), (140, CLOSED)),
            ["IN-2026-001: the open items at its closing cannot be read (record 13)"],
        ),
        ((*WHOLE, (140, UnreadIncidentRecord(NOTED))), ["record 15 of an incident cannot be read"]),
        (
            ((85, ATTESTED),),
            [
                "record 10 attests 2026-11-21 before that day had ended",
                "nobody attests 2 days from 2026-11-21 to 2026-11-22",
            ],
        ),
        (
            ((0, ATTESTED), (1, replace(FACTS, detected_at=NOTICED + HOUR)), (3, FIRST), (40, FULL)),
            [
                "the attestation in record 10 is no longer valid: IN-2026-001 was recorded later",
                "nobody attests 7 days from 2026-11-16 to 2026-11-22",
            ],
        ),
    ],
)
def test_each_thing_that_is_missing_is_told_in_one_line(
    steps: Iterable[tuple[int, Body | UnreadIncidentRecord]], expected: list[str]
) -> None:
    assert lines(judged(register(*steps))) == expected


def test_what_was_not_kept_is_told_with_its_records() -> None:
    found = judged(register(*WHOLE, kept=()))

    assert (lines(found), found.evidence) == (
        [
            "IN-2026-001: the paper of the first report was not kept (record 11)",
            "IN-2026-001: the paper of the full report was not kept (record 12)",
            "the attestation paper of Trần Thị Bình was not kept (record 14)",
        ],
        (10, 11, 12, 13, 14),
    )


def test_reports_of_a_running_period_are_told_with_the_next_day_that_is_due() -> None:
    now = NOTICED + 5 * HOUR

    found = judged(register((0, FACTS)), now=now, period=Period(date(2026, 11, 18), date(2026, 11, 22)))

    assert (found.verdict, lines(found), found.evidence, found.due_at) == (
        PENDING,
        [
            "IN-2026-001: the first report is due by 2026-11-19T01:00:00.000Z",
            "IN-2026-001: the full report is due by 2026-11-21T01:00:00.000Z",
            "no day of the period has ended yet, so none is attested",
        ],
        (10,),
        NOTICED + 24 * HOUR,
    )


def test_a_period_of_which_nothing_is_known_is_told_so() -> None:
    found = judged(register((130, ATTESTED)))

    assert (str(found.reason), lines(found), found.evidence) == (
        "no incident of the period is known, and a named person attests each of its days", [], (10,),
    )  # fmt: skip


def test_an_incident_of_an_earlier_period_that_is_done_is_no_incident_of_this_one() -> None:
    attested = replace(ATTESTED, first=NEXT_WEEK.first, last=NEXT_WEEK.last)

    found = judged(register(*WHOLE, (340, attested)), now=NOW + timedelta(days=14), period=NEXT_WEEK)

    assert (found.verdict, str(found.reason), found.evidence) == (
        MET, "no incident of the period is known, and a named person attests each of its days", (15,),
    )  # fmt: skip


def test_each_incident_of_the_period_is_counted_and_one_of_a_later_period_ends_nothing() -> None:
    second = replace(FACTS, id="IN-2026-003", detected_at=NOTICED + 50 * HOUR, happened_at=None)
    sent = [
        (hours, replace(report, id=second.id, sent_at=NOTICED + hours * HOUR))
        for hours, report in ((52, FIRST), (80, FULL))
    ]
    later = replace(FACTS, id="IN-2026-002", detected_at=NOTICED + 150 * HOUR, happened_at=None)
    steps = (*WHOLE[:-1], (50, second), *sent, (130, ATTESTED), (151, later))

    for order in (steps, (steps[0], steps[-1], *steps[1:-1])):
        found = judged(register(*order))
        assert (found.verdict, str(found.reason)) == (
            MET,
            "2 incidents of the period were reported in time, and the register is attested to be complete",
        )


def test_only_closings_of_the_period_are_told_in_it() -> None:
    attested = replace(ATTESTED, first=NEXT_WEEK.first, last=NEXT_WEEK.last)
    open_end = replace(CLOSED, open_ends=("cause",), reason="gấp")
    lost = UnreadIncidentRecord(CLOSING)

    def next_week(*steps: tuple[int, Body | UnreadIncidentRecord]) -> list[str]:
        return lines(judged(register(*steps, (340, attested)), now=NOW + timedelta(days=14), period=NEXT_WEEK))

    assert next_week(*swapped(50, open_end, at=3)) == []
    assert next_week(*WHOLE[:3], (130, open_end)) == ["IN-2026-001 was closed although: the cause is not known"]
    assert next_week(*swapped(50, lost, at=3), (140, CLOSED)) == []
    assert next_week(*WHOLE[:3], (130, lost), (140, CLOSED)) == [
        "IN-2026-001: the open items at its closing cannot be read (record 13)"
    ]


def test_an_incident_is_answered_for_as_long_as_one_of_its_people_is_there() -> None:
    leaving = Leaving("nguyen-van-an", date(2026, 11, 18))
    people = fold_credentials([(5, NOTICED, LEFT, leaving.person, leaving)])
    two = replace(FACTS, holders=("nguyen-van-an", "binh"))

    found = stand(evidence(incidents=register(*swapped(0, two, at=0)), credentials=people))
    alone = stand(evidence(incidents=register(*WHOLE), credentials=people))

    assert found.verdict is MET
    assert lines(alone) == ["IN-2026-001: the responsible persons had left before it was noticed: nguyen-van-an"]


# --- what hosts show --------------------------------------------------------------------------


def on_hosts(*results: tuple[str, str, CheckVerdict], incidents: IncidentRegister | None = None) -> Standing:
    """Judge a duty of the checks `a.b` and `c.d` by what hosts answered."""
    scans: dict[str, list[CheckResult]] = {}
    for host, check, verdict in results:
        told = CheckResult(check, HostId(host), "12.5", Severity.HIGH, verdict, "", msg(f"{check} seen"))
        scans.setdefault(host, []).append(told)
    at = NOW - timedelta(days=2, hours=12)
    hosts = tuple(HostScan(HostId(host), at, True, "", tuple(each)) for host, each in scans.items())
    found = evidence(checks=Recorded(7, at, "r", CheckScan(hosts)), incidents=incidents or register((130, ATTESTED)))
    return stand(found, checks=("a.b", "c.d"))


def test_each_answer_of_a_host_that_is_no_pass_is_told() -> None:
    found = on_hosts(
        ("web1", "x.y", CheckVerdict.FAIL),
        ("web1", "a.b", CheckVerdict.PASS),
        ("web2", "a.b", CheckVerdict.NOT_APPLICABLE),
        ("web2", "c.d", CheckVerdict.ERROR),
        ("web3", "a.b", CheckVerdict.FAIL),
    )

    assert (found.verdict, lines(found)) == (UNSURE, ["c.d on web1: not checked"])
    found = on_hosts(
        ("web1", "x.y", CheckVerdict.FAIL),
        ("web1", "a.b", CheckVerdict.FAIL),
        ("web2", "a.b", CheckVerdict.NOT_APPLICABLE),
        ("web2", "c.d", CheckVerdict.ERROR),
        ("web3", "a.b", CheckVerdict.FAIL),
    )
    assert (found.verdict, lines(found)) == (
        UNMET,
        [
            "web1:a.b: a.b seen; no incident is linked to it",
            "web3:a.b: a.b seen; no incident is linked to it",
            "unknown: web2:c.d: c.d seen",
            "unknown: c.d on web1: not checked",
        ],
    )


def test_without_a_scan_the_duty_rests_on_what_was_not_looked_at() -> None:
    found = stand(evidence(incidents=register((130, ATTESTED))), checks=("a.b",))

    assert lines(found) == ["the hosts were never checked"]


def test_an_empty_register_is_told_beside_what_the_hosts_show() -> None:
    found = stand(evidence(checks=check_round(CheckVerdict.UNKNOWN)), checks=(LOGINS,))

    assert (lines(found), found.evidence, found.newest_at) == (
        ["firewall.active on web1: seen", "the register of incidents is empty"],
        (7,),
        check_round(CheckVerdict.UNKNOWN).at,
    )
    assert lines(stand(evidence(), checks=())) == ["the register of incidents is empty"]


@pytest.mark.parametrize(("since", "verdict"), [(50, MET), (51, UNMET)])
def test_an_incident_explains_what_was_open_before_it_was_closed(since: int, verdict: DutyVerdict) -> None:
    tied = replace(FACTS, findings=("db1:x.y", f"{LOCAL.id}:{LOGINS}"))

    assert seen(since=since * HOUR, incidents=register(*swapped(0, tied, at=0))).verdict is verdict


def test_an_open_incident_explains_what_no_finding_is_known_of() -> None:
    tied = replace(FACTS, findings=(f"{LOCAL.id}:{LOGINS}",))
    running = (WHOLE[1], WHOLE[2], WHOLE[4])
    failed = evidence(checks=check_round(CheckVerdict.FAIL))

    def verdict(*steps: tuple[int, Body | UnreadIncidentRecord]) -> DutyVerdict:
        return stand(replace(failed, incidents=register(*steps)), checks=(LOGINS,)).verdict

    assert verdict((0, tied), *running) is MET
    assert verdict((0, tied), *WHOLE[1:]) is UNMET, "it is closed, and no finding says that it was there before"


# --- borders ----------------------------------------------------------------------------------


def test_an_incident_of_the_last_day_is_one_of_the_period() -> None:
    noticed = datetime(2026, 11, 22, 3, tzinfo=UTC)
    facts = replace(FACTS, detected_at=noticed, happened_at=None)
    sent = [(99, replace(FIRST, sent_at=noticed)), (100, replace(FULL, sent_at=noticed))]

    found = judged(register((98, facts), *sent, (130, ATTESTED)))

    assert str(found.reason).startswith("1 incident of the period was reported in time")


def test_the_newest_evidence_of_incidents_is_the_scan() -> None:
    found = seen(incidents=register(*WHOLE))

    assert found.newest_at == check_round(CheckVerdict.FAIL).at


def test_who_left_is_asked_on_the_local_day_of_the_noticing() -> None:
    names = ("a" * 120, "b" * 120)
    facts = replace(FACTS, detected_at=datetime(2026, 11, 18, 17, 30, tzinfo=UTC), holders=names)
    left = [Leaving(name, date(2026, 11, 19)) for name in names]
    people = fold_credentials([(5, NOTICED, LEFT, each.person, each) for each in left])
    steps = ((17, facts), (18, FIRST), (19, FULL), (130, ATTESTED))

    found = stand(evidence(incidents=register(*steps), credentials=people))

    told = f"{names[0]}, {names[1]}"[:197] + "..."
    assert f"IN-2026-001: the responsible persons had left before it was noticed: {told}" in lines(found)


def test_on_its_last_day_a_period_is_not_over() -> None:
    sunday = datetime(2026, 11, 22, 2, tzinfo=UTC)

    found = judged(register((85, ATTESTED)), now=sunday)

    assert (found.verdict, lines(found)) == (
        PENDING,
        [
            "record 10 attests 2026-11-21 before that day had ended",
            "nobody attests 1 day from 2026-11-21 to 2026-11-21",
        ],
    )


def test_an_attestation_that_is_no_longer_valid_is_told_for_the_very_day_that_it_leaves_open() -> None:
    last = replace(ATTESTED, first=WEEK.last)
    before = replace(ATTESTED, last=date(2026, 11, 21))
    facts = replace(FACTS, detected_at=datetime(2026, 11, 22, 3, tzinfo=UTC), happened_at=None)

    found = judged(register((130, last), (131, before), (132, facts)))

    assert any("the attestation in record 10 is no longer valid: IN-2026-001" in line for line in lines(found))
