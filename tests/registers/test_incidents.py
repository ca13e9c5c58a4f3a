"""From the records of an incident to how it stands: what counts of it, which report was in time, which days are attested."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from portalops import bodies
from portalops.ledger.ledger import Ledger
from portalops.ledger.record import NO_RUN
from portalops.model.credentials import Credential, CredentialKind, CredentialReturn, CredentialRotation
from portalops.model.incidents import (
    IncidentClosed,
    IncidentFacts,
    IncidentKind,
    IncidentNote,
    IncidentReopened,
    IncidentReport,
    IncidentsAttested,
    IncidentState,
    ReportKind,
    ReportTimeliness,
)
from portalops.model.organisation import HostId
from portalops.model.record import Digest
from portalops.model.rulebook import Numbers
from portalops.model.verdicts import Severity
from portalops.registers.credentials import ADDED, RETURNED, ROTATED, fold_credentials
from portalops.registers.credentials import Body as CredentialBody
from portalops.registers.incidents import (
    ATTESTED,
    CORRECTED,
    KEYS,
    NOTED,
    OPENED,
    REPORTED,
    Body,
    Incident,
    IncidentRegister,
    UnreadIncidentRecord,
    due_reports,
    first_day_not_over,
    fold_incidents,
    is_undone,
    read_incidents,
    refuse_close,
    subject_of,
)
from portalops.registers.incidents import CLOSED as CLOSING
from portalops.registers.incidents import REOPENED as REOPENING
from tests.doubles import FixedClock

ZONE = ZoneInfo("Asia/Ho_Chi_Minh")
ID = "IN-2026-001"
NOTICED = datetime(2026, 11, 18, 1, tzinfo=UTC)
HOUR = timedelta(hours=1)
KEPT = (Digest("a" * 64),)
NUMBERS = Numbers()
FACTS = IncidentFacts(
    ID, "mất máy tính có khóa SSH", IncidentKind.CREDENTIAL, Severity.HIGH, NOTICED, "An", NOTICED - 5 * HOUR,
    "web1", ("nguyen-van-an",), ("web1-an",), (HostId("web1"),),
)  # fmt: skip
NOTE = IncidentNote(ID, NOTICED + HOUR, "đã gỡ khóa", "An")
FIRST = IncidentReport(ID, ReportKind.FIRST, "Sở", NOTICED + 2 * HOUR, "15/BC", "văn bản điện tử", "An")
FULL = replace(FIRST, report=ReportKind.FULL, sent_at=NOTICED + 30 * HOUR, document="16/BC")
CLOSED = IncidentClosed(ID, NOTICED + 4 * HOUR, "không mã hóa", "mã hóa", "không để khóa ở máy cá nhân", "An")
REOPENED = IncidentReopened(ID, "khóa còn trên db1", "Bình")


def fold(
    *steps: Body | UnreadIncidentRecord, every: timedelta = HOUR, kept: tuple[Digest, ...] = KEPT
) -> IncidentRegister:
    """Fold records of one hour after the other, from the noticing on."""
    return fold_incidents(
        (10 + n, NOTICED + n * every, ID, body, kept)
        if isinstance(body, UnreadIncidentRecord)
        else (10 + n, NOTICED + n * every, subject_of(body), body, kept)
        for n, body in enumerate(steps)
    )


def incident(*steps: Body | UnreadIncidentRecord) -> Incident:
    return fold(*steps).incidents[ID]


def test_each_state_names_the_record_that_made_it() -> None:
    assert (incident(FACTS).state, incident(FACTS).state_seq) == (IncidentState.OPEN, 10)
    closed = incident(FACTS, NOTE, CLOSED)
    assert (closed.state, closed.state_seq) == (IncidentState.CLOSED, 12)
    reopened = incident(FACTS, NOTE, CLOSED, REOPENED)
    assert (reopened.state, reopened.state_seq, reopened.closed) == (IncidentState.REOPENED, 13, None)
    again = incident(FACTS, NOTE, CLOSED, REOPENED, CLOSED)
    assert (again.state, again.state_seq, len(again.closings)) == (IncidentState.CLOSED, 14, 2)


def test_correction_counts_from_its_own_record_on_and_the_one_before_stays() -> None:
    corrected = replace(FACTS, hosts=(HostId("web1"), HostId("db1")), reason="cũng vào db1")

    found = incident(FACTS, corrected)

    assert found.facts.hosts == ("web1", "db1")
    assert (found.opened.body, found.told.seq) == (FACTS, 11)


@pytest.mark.parametrize("stray", [FACTS, REOPENED, UnreadIncidentRecord(NOTED)])
def test_record_that_does_not_fit_changes_nothing_and_is_told(stray: Body | UnreadIncidentRecord) -> None:
    found = incident(FACTS, stray)

    assert found.lost == (11,)
    assert found.told.body == FACTS


AGAIN = replace(FACTS, reason="chi tiết đã xóa")


@pytest.mark.parametrize(
    ("kind", "anew"),
    [(CORRECTED, AGAIN), (NOTED, AGAIN), (NOTED, NOTE), (REPORTED, FULL), (CLOSING, CLOSED), (REOPENING, CLOSED)],
)
def test_lost_record_is_in_doubt_until_one_that_says_it_anew(kind: str, anew: Body) -> None:
    steps = (FACTS, CLOSED) if kind == REOPENING else (FACTS,)
    seq = 10 + len(steps)

    before, after = incident(*steps, UnreadIncidentRecord(kind)), incident(*steps, UnreadIncidentRecord(kind), anew)

    assert (before.lost, after.lost) == ((seq,), ())
    assert [(gap.seq, gap.said_anew) for gap in after.gaps] == [(seq, seq + 1)]


@pytest.mark.parametrize(("kind", "other"), [(CORRECTED, NOTE), (REPORTED, AGAIN), (CLOSING, FULL), (REOPENING, NOTE)])
def test_lost_record_stays_in_doubt_whatever_else_is_recorded(kind: str, other: Body) -> None:
    assert incident(FACTS, UnreadIncidentRecord(kind), other).lost == (11,)


def test_incident_whose_opening_is_lost_is_there_again_once_a_correction_says_the_whole_of_it() -> None:
    register = fold(UnreadIncidentRecord(OPENED), NOTE, FIRST, AGAIN)
    found = register.incidents[ID]

    assert (register.every_lost(), register.unopened) == ((), frozenset())
    assert (found.opened.seq, found.told.seq, found.facts) == (10, 13, AGAIN)
    assert (found.notes[0].seq, found.reports[0].seq, found.state) == (11, 12, IncidentState.OPEN)
    assert fold(UnreadIncidentRecord(OPENED), NOTE).unopened == frozenset({ID})


@pytest.mark.parametrize("lost", [(UnreadIncidentRecord(OPENED),), (FACTS, UnreadIncidentRecord(CORRECTED))])
def test_report_is_not_proven_in_time_where_a_lost_record_may_name_an_earlier_noticing(
    lost: tuple[Body | UnreadIncidentRecord, ...],
) -> None:
    found = incident(*lost, FIRST, AGAIN).standing(ReportKind.FIRST, NUMBERS, NOTICED + 9 * HOUR)

    assert (found.timeliness, found.noticing_lost) == (ReportTimeliness.UNPROVEN, 9 + len(lost))


def test_incident_whose_noticing_is_lost_speaks_against_each_attestation_before_it() -> None:
    october = replace(DAYS, first=date(2026, 10, 1), last=date(2026, 10, 31))

    assert fold(october, FACTS).attested_on(date(2026, 10, 18), ZONE) is not None
    assert fold(october, UnreadIncidentRecord(OPENED), AGAIN).attested_on(date(2026, 10, 18), ZONE) is None
    assert fold(october, UnreadIncidentRecord(OPENED), AGAIN, october).attested_on(date(2026, 10, 18), ZONE) is not None
    assert fold(UnreadIncidentRecord(OPENED), AGAIN, october).attested_on(date(2026, 10, 18), ZONE) is not None


@pytest.mark.parametrize(
    ("steps", "after", "told"),
    [
        ((FACTS,), 1, ["the first report is due by", "the full report is due by"]),
        ((FACTS,), 25, ["the first report was due by", "the full report is due by"]),
        ((FACTS, FIRST), 25, ["the full report is due by"]),
        ((FACTS, FULL), 31, []),
        ((FACTS, CLOSED), 80, []),
    ],
)
def test_reports_that_are_still_to_be_sent_are_named(steps: tuple[Body, ...], after: int, told: list[str]) -> None:
    found = due_reports(fold(*steps), NUMBERS, NOTICED + after * HOUR)

    assert len(found) == len(told)
    assert all(f"incident {ID}: {words}" in str(line) for line, words in zip(found, told, strict=True))


def test_attestation_that_is_lost_is_in_doubt_until_the_same_days_are_attested_anew() -> None:
    def read(*steps: Body | UnreadIncidentRecord) -> IncidentRegister:
        return fold_incidents((10 + n, NOTICED, subject_of(DAYS), body, KEPT) for n, body in enumerate(steps))

    assert read(UnreadIncidentRecord(ATTESTED)).every_lost() == (10,)
    assert read(UnreadIncidentRecord(ATTESTED), DAYS).every_lost() == ()


def test_second_closing_without_a_reopening_is_told_and_not_taken() -> None:
    found = incident(FACTS, CLOSED, replace(CLOSED, cause="khác"))

    assert (len(found.closings), found.lost) == (1, (12,))


def test_records_of_an_incident_whose_opening_cannot_be_read_are_lost_and_its_id_is_taken() -> None:
    found = fold(UnreadIncidentRecord(OPENED), NOTE)

    assert (found.lost, found.names, dict(found.incidents)) == ((10, 11), frozenset({ID}), {})
    assert found.is_begun


@pytest.mark.parametrize(
    ("report", "recorded_after", "kept", "first", "full"),
    [
        (FIRST, 3, KEPT, ReportTimeliness.IN_TIME, ReportTimeliness.DUE),
        (FIRST, 3, (), ReportTimeliness.UNPROVEN, ReportTimeliness.DUE),
        (FIRST, 25, KEPT, ReportTimeliness.UNPROVEN, ReportTimeliness.DUE),
        (replace(FIRST, sent_at=NOTICED + 25 * HOUR), 25, KEPT, ReportTimeliness.LATE, ReportTimeliness.DUE),
        (replace(FULL, sent_at=NOTICED + 3 * HOUR), 4, KEPT, ReportTimeliness.IN_TIME, ReportTimeliness.IN_TIME),
        (FULL, 31, KEPT, ReportTimeliness.LATE, ReportTimeliness.IN_TIME),
        (FULL, 73, KEPT, ReportTimeliness.LATE, ReportTimeliness.UNPROVEN),
    ],
)
def test_report_is_in_time_by_its_record_and_its_paper(
    report: IncidentReport,
    recorded_after: int,
    kept: tuple[Digest, ...],
    first: ReportTimeliness,
    full: ReportTimeliness,
) -> None:
    register = fold_incidents([(1, NOTICED, ID, FACTS, ()), (2, NOTICED + recorded_after * HOUR, ID, report, kept)])
    now = NOTICED + min(recorded_after, 71) * HOUR

    found = register.incidents[ID]

    assert found.standing(ReportKind.FIRST, NUMBERS, now).timeliness is first
    assert found.standing(ReportKind.FULL, NUMBERS, now).timeliness is full


def test_report_that_nobody_sent_is_due_up_to_its_limit_and_overdue_after_it() -> None:
    found = incident(FACTS)

    assert found.standing(ReportKind.FIRST, NUMBERS, NOTICED + 24 * HOUR).timeliness is ReportTimeliness.DUE
    late = found.standing(ReportKind.FIRST, NUMBERS, NOTICED + 24 * HOUR + timedelta(seconds=1))
    assert (late.timeliness, late.due_at) == (ReportTimeliness.OVERDUE, NOTICED + 24 * HOUR)
    assert found.standing(
        ReportKind.FULL, replace(NUMBERS, incident_full_report_hours=80), NOTICED + 79 * HOUR
    ).timeliness is (ReportTimeliness.DUE)


def test_report_in_the_same_words_adds_its_file_and_keeps_the_time_of_the_first() -> None:
    other = (Digest("b" * 64),)
    register = fold_incidents(
        [
            (1, NOTICED, ID, FACTS, ()),
            (2, NOTICED + 2 * HOUR, ID, FIRST, ()),
            (3, NOTICED + 90 * HOUR, ID, FIRST, other),
            (4, NOTICED + 91 * HOUR, ID, replace(FIRST, to="UBND"), ()),
        ]
    )

    same, to_another = register.incidents[ID].reports

    assert (same.seq, same.at, same.evidence) == (2, NOTICED + 2 * HOUR, other)
    assert to_another.seq == 4
    standing = register.incidents[ID].standing(ReportKind.FIRST, NUMBERS, NOTICED + 99 * HOUR)
    assert standing.timeliness is ReportTimeliness.IN_TIME


def test_report_that_is_corrected_counts_from_its_new_record_on() -> None:
    register = fold_incidents(
        [
            (1, NOTICED, ID, FACTS, ()),
            (2, NOTICED + 2 * HOUR, ID, FIRST, KEPT),
            (3, NOTICED + 90 * HOUR, ID, replace(FIRST, document="17/BC"), KEPT),
        ]
    )

    (only,) = register.incidents[ID].reports

    assert (only.seq, only.body.document) == (3, "17/BC")
    standing = register.incidents[ID].standing(ReportKind.FIRST, NUMBERS, NOTICED + 99 * HOUR)
    assert standing.timeliness is ReportTimeliness.UNPROVEN


def test_noticing_that_is_corrected_to_a_later_time_makes_no_report_in_time() -> None:
    later = replace(FACTS, detected_at=NOTICED + 9 * HOUR, reason="nhầm giờ")
    sent = replace(FIRST, sent_at=NOTICED + 30 * HOUR)
    register = fold_incidents(
        [(1, NOTICED, ID, FACTS, ()), (2, NOTICED + 29 * HOUR, ID, later, ()), (3, NOTICED + 31 * HOUR, ID, sent, KEPT)]
    )

    standing = register.incidents[ID].standing(ReportKind.FIRST, NUMBERS, NOTICED + 40 * HOUR)

    assert (standing.timeliness, standing.noticed_before) == (ReportTimeliness.UNPROVEN, NOTICED)
    earlier = replace(FACTS, detected_at=NOTICED - HOUR, happened_at=None, reason="nhầm giờ")
    found = incident(FACTS, FIRST, earlier).standing(ReportKind.FIRST, NUMBERS, NOTICED + 40 * HOUR)
    assert (found.timeliness, found.noticed_before) == (ReportTimeliness.IN_TIME, None)


def test_noticing_that_is_corrected_out_of_attested_days_speaks_against_them_still() -> None:
    moved = replace(FACTS, detected_at=NOTICED + 200 * HOUR, reason="nhầm ngày")

    assert fold(DAYS, FACTS, moved).attested_on(date(2026, 11, 18), ZONE) is None


DAYS = IncidentsAttested(date(2026, 11, 16), date(2026, 11, 22), "Trần Thị Bình", "20/XN")


def test_attested_days_hold_until_an_incident_noticed_in_them_is_recorded() -> None:
    late = 120 * HOUR
    before, after = fold(FACTS, DAYS, every=late), fold(DAYS, FACTS, every=late)

    assert before.attested_on(date(2026, 11, 18), ZONE) is not None
    assert before.attested_on(date(2026, 11, 23), ZONE) is None
    assert after.attested_on(date(2026, 11, 18), ZONE) is None
    assert [each.id for each in after.find_contradicting(after.attested[0], ZONE)] == [ID]
    assert (
        fold(DAYS, FACTS, replace(DAYS, document="21/XN"), every=late).attested_on(date(2026, 11, 18), ZONE) is not None
    )


def test_same_words_attest_the_days_anew_once_an_incident_was_recorded_in_between() -> None:
    anew = fold(DAYS, FACTS, DAYS, every=60 * HOUR)

    assert [step.seq for step in anew.attested] == [12]
    assert anew.attested_on(date(2026, 11, 18), ZONE) == anew.attested[0]
    without = fold(DAYS, FACTS, DAYS, every=60 * HOUR, kept=())
    assert [step.seq for step in without.attested] == [10, 12]


def test_day_counts_as_attested_once_it_is_over_where_the_portal_is() -> None:
    evening = datetime(2026, 11, 22, 16, 59, tzinfo=UTC) - NOTICED  # a minute before midnight, portal's time

    early, late = fold(FACTS, DAYS, every=evening), fold(FACTS, DAYS, every=evening + timedelta(minutes=1))

    assert first_day_not_over(early.attested[0], ZONE) == date(2026, 11, 22)
    assert early.attested_on(date(2026, 11, 21), ZONE) is not None
    assert early.attested_on(date(2026, 11, 22), ZONE) is None
    assert first_day_not_over(late.attested[0], ZONE) is None
    assert late.attested_on(date(2026, 11, 22), ZONE) is not None


def test_report_in_whose_place_another_one_is_recorded_stays_to_be_seen() -> None:
    later = replace(FIRST, sent_at=FIRST.sent_at + HOUR)

    found = incident(FACTS, FIRST, FIRST, later)

    assert [step.seq for step in found.reports] == [13]
    assert [(step.seq, step.body, seq) for step, seq in found.replaced] == [(11, FIRST, 13)]


def test_attestation_that_is_taken_back_holds_no_more() -> None:
    taken_back = replace(DAYS, withdrawn=True, reason="nhầm kỳ")

    assert fold(DAYS, taken_back).attested == ()
    assert fold(taken_back, DAYS).attested[0].seq == 11
    assert fold(DAYS, replace(taken_back, last=date(2026, 11, 21))).attested != ()


@pytest.mark.parametrize(
    ("body", "is_undone_still"),
    [
        (None, True),
        (CredentialRotation("web1-an", date(2026, 11, 17), date(2027, 11, 17)), True),
        (CredentialRotation("web1-an", date(2026, 11, 18), date(2027, 11, 18)), False),
        (CredentialReturn("web1-an", date(2026, 11, 18), "Bình"), False),
    ],
)
def test_credential_is_undone_until_it_is_changed_or_returned_since(
    body: CredentialRotation | CredentialReturn | None, is_undone_still: bool
) -> None:
    added = Credential("web1-an", "host:web1", "an", CredentialKind.KEY, "nguyen-van-an", issued_on=date(2026, 1, 1))
    records: list[tuple[int, datetime, str, str, CredentialBody]] = [(1, NOTICED - 99 * HOUR, ADDED, "web1-an", added)]
    if body is not None:
        kind = ROTATED if isinstance(body, CredentialRotation) else RETURNED
        records.append((2, NOTICED + HOUR, kind, "web1-an", body))
    held = fold_credentials(records).credentials["web1-an"]

    assert is_undone(held, FACTS, ZONE) is is_undone_still


@pytest.mark.parametrize(
    ("issued", "is_undone_still"), [(date(2026, 1, 1), True), (None, True), (date(2026, 11, 18), False)]
)
def test_credential_that_is_added_anew_counts_by_the_day_of_its_issue(
    issued: date | None, is_undone_still: bool
) -> None:
    added = Credential("web1-an", "host:web1", "an", CredentialKind.KEY, "nguyen-van-an", issued_on=issued)
    held = fold_credentials([(1, NOTICED + HOUR, ADDED, "web1-an", added)]).credentials["web1-an"]

    assert is_undone(held, FACTS, ZONE) is is_undone_still


def test_incident_cannot_have_been_over_before_it_began() -> None:
    assert "began at" in str(refuse_close(incident(FACTS), NOTICED - 6 * HOUR))
    assert refuse_close(incident(FACTS), NOTICED - 4 * HOUR) is None
    assert "is closed (record 11)" in str(refuse_close(incident(FACTS, CLOSED), NOTICED))


BODIES = (
    FACTS,
    replace(FACTS, reason="x", affected="db1"),
    NOTE,
    FIRST,
    FULL,
    CLOSED,
    REOPENED,
    DAYS,
    *map(UnreadIncidentRecord, KEYS),
)


@settings(max_examples=60, deadline=None)
@given(st.lists(st.sampled_from(BODIES), max_size=12))
def test_no_order_of_records_loses_one_or_stops_the_fold(steps: list[Body | UnreadIncidentRecord]) -> None:
    found = fold(*steps)

    known = found.incidents.get(ID)
    counted = 0 if known is None else 1 + len((*known.corrections, *known.notes, *known.closings, *known.reopenings))
    lost = found.every_lost()
    apart = [body for n, body in enumerate(steps) if 10 + n not in lost and isinstance(body, APART)]
    anew = [gap for gap in known.gaps if gap.said_anew and gap.seq != known.opened.seq] if known else []
    assert counted + len(apart) + len(anew) + len(lost) == len(steps)


APART = (IncidentReport, IncidentsAttested)
"""Of these the newest takes the place of the one before."""


def write(ledger: Ledger, kind: str, subject: str, value: object, *, key: str = "") -> int:
    parts = {key or KEYS[kind][0]: value, "evidence": ()}
    return ledger.append(kind, run=NO_RUN, subject=subject, body=bodies.write(parts)).seq


def test_records_are_read_as_they_were_written(tmp_path: Path) -> None:
    ledger = Ledger.open(tmp_path, clock=FixedClock(NOTICED), create=True)
    write(ledger, OPENED, ID, FACTS)
    write(ledger, NOTED, ID, NOTE)
    write(ledger, ATTESTED, subject_of(DAYS), DAYS)

    found = read_incidents(ledger)

    assert (found.incidents[ID].facts, found.incidents[ID].notes[0].body) == (FACTS, NOTE)
    assert (found.attested[0].body, found.lost) == (DAYS, ())


@pytest.mark.parametrize(
    ("kind", "subject", "value", "key"),
    [
        (OPENED, ID, {"id": ID}, ""),
        (OPENED, "IN-2026-002", FACTS, ""),
        (OPENED, ID, FACTS, "note"),
        (OPENED, ID, replace(FACTS, reason="a correction of nothing"), ""),
        (CORRECTED, ID, FACTS, ""),
        (OPENED, ID, replace(FACTS, happened_at=NOTICED + HOUR), ""),
        (OPENED, ID, replace(FACTS, what="\x1b[31mđỏ"), ""),
        (OPENED, ID, replace(FACTS, holders=("x" * 1001,)), ""),
        (ATTESTED, "2026-11-22/2026-11-16", replace(DAYS, first=DAYS.last, last=DAYS.first), ""),
    ],
)
def test_record_that_says_what_cannot_be_is_told_as_unreadable(
    tmp_path: Path, kind: str, subject: str, value: object, key: str
) -> None:
    ledger = Ledger.open(tmp_path, clock=FixedClock(NOTICED), create=True)
    seq = write(ledger, kind, subject, value, key=key)

    found = read_incidents(ledger)

    assert (found.every_lost(), dict(found.incidents), found.attested) == ((seq,), {}, ())


def test_paper_that_is_not_there_any_more_is_not_kept(tmp_path: Path) -> None:
    ledger = Ledger.open(tmp_path, clock=FixedClock(NOTICED), create=True)
    digest = ledger.keep(b"%PDF report")
    write(ledger, OPENED, ID, FACTS)
    parts = {KEYS["incident.reported"][0]: FIRST, "evidence": (digest,)}
    ledger.append("incident.reported", run=NO_RUN, subject=ID, body=bodies.write(parts))
    assert read_incidents(ledger).incidents[ID].reports[0].evidence == (digest,)

    ledger.remove_blob(digest)

    assert read_incidents(ledger).incidents[ID].reports[0].evidence == ()
