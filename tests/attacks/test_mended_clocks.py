"""Attacks by what two persons are meant for: clocks mended by one of them, over right records, or to hide what was recorded."""

from __future__ import annotations

import sqlite3
import subprocess
import tempfile
from collections.abc import Iterable
from contextlib import closing
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from commands.cli.calling import call
from portalops.errors import ClockWentBack, IntegrityError
from portalops.ledger.heads import read_signers
from portalops.ledger.heeded import HeedfulLedger, heeded, numbers_mistimed
from portalops.ledger.ledger import find_latest
from portalops.ledger.newest import first_change
from portalops.ledger.record import NO_RUN, Draft, encode, line_digest
from portalops.ledger.runs import record_plan
from portalops.ledger.set_aside import stored_lines
from portalops.ledger.times import find_time_in_force
from portalops.ledger.verify import Integrity, verify
from portalops.model.quarantines import Quarantine, SetAside
from portalops.model.record import Digest
from portalops.registers.signers import allowed_signers_line
from portalops.signatures.sshsig import sign
from tests.backups.test_prune import Portal
from tests.conformance.claims import append, claimed
from tests.conformance.clocks import (
    AHEAD,
    BEHIND_A_BUNDLE,
    CASES,
    FAR,
    backdate,
    forge,
    forge_again,
    go_on,
    mend,
    mended,
    put_part,
    run_ahead,
)
from tests.conformance.corpus import begun, forged_behind
from tests.conformance.quarantines import NOT_A_RECORD, put_line
from tests.conformance.quarantines import quarantine as set_aside
from tests.ledger.bundle.bundles import Written, key_of
from tests.ledger.ledgers import DAILY, ZONE
from tests.verifier.scene import by_portalops, by_stranger

COUNT = (
    "ahead", "twice-in-a-row", "mended-while-ahead", "after-its-time", "a-slot-of-the-future", "a-start-before-and-an-end-within",
    "an-erasure-within", "a-strangers-records", "void-and-set-aside", "void-backdated-and-set-aside", "of-honest-records-by-two",
    "details-that-never-were", "claimed-by-a-person-afterwards", "set-aside-although-it-counts",
    "void-of-the-year-two-set-aside", "void-while-ahead-and-then-mended", "earlier-than-the-record-before-and-set-aside",
    "void-of-the-future-set-aside", "of-the-future-and-set-aside", "a-quarantine-again-in-the-future",
    "ahead-with-a-record-of-now-within", "mended-by-a-key-of-that-time-and-again",
    "ahead-and-then-a-line-that-is-no-record", "ahead-and-a-line-that-is-no-record-within",
    "a-line-that-is-no-record-and-then-ahead",
    "the-second-person-enrolled-later", "mended-by-a-key-of-that-time",
)  # fmt: skip
VOID = tuple(CASES.keys() - {*COUNT, "a-quarantine-with-the-text-of-a-clock", "a-key-of-that-time-that-mended-nothing"})


def judged(written: Written) -> Integrity:
    return verify(written.ledger, now=written.clock.at, zone=ZONE).integrity


@pytest.fixture
def written(tmp_path: Path) -> Written:
    return claimed(begun(tmp_path / "state"))


@pytest.mark.parametrize("name", sorted(VOID))
def test_a_clock_that_is_mended_by_forgery_is_named(written: Written, name: str) -> None:
    CASES[name](written)

    found = judged(written)

    assert not found.holds
    assert any("the mended clock in record" in fault.what.text for fault in found.faults)


@pytest.mark.parametrize("part", [{}, {"text": "x", "signature": "x", "second_signature": "x"}])
def test_an_earlier_record_without_a_right_mend_is_named(written: Written, part: object) -> None:
    run_ahead(written)
    put_part(written, part)
    with pytest.raises(ClockWentBack):
        go_on(written)

    found = judged(written)

    assert [fault.seq for fault in found.faults] == [35, 35]
    assert any("earlier than the record before it" in fault.what.text for fault in found.faults)


@pytest.mark.parametrize("is_set_aside", [False, True])
def test_what_follows_a_void_clock_at_an_earlier_time_is_a_fault_and_meets_no_duty(
    written: Written, is_set_aside: bool
) -> None:
    void, end = backdate(written, timedelta(days=2))
    if is_set_aside:
        set_aside(written, void, void)

    found = judged(written)
    read = heeded(written.ledger)
    runs = {each.finished_seq for each in read.runs(since=written.clock.at - timedelta(days=3))}

    assert {fault.seq for fault in found.faults} - {void} == {end.seq - 1, end.seq, end.seq + 1}
    assert any(fault.seq == void for fault in found.faults) != is_set_aside
    assert end.seq not in runs
    assert end.seq not in {each.seq for each in read.records(kinds=("check.finished",))}
    assert numbers_mistimed(written.ledger) >= {end.seq - 1, end.seq}


def test_a_run_behind_a_void_clock_that_is_set_aside_fills_no_slot(written: Written) -> None:
    missing = verify(written.ledger, now=written.clock.at + timedelta(days=3), zone=ZONE).completeness.missing
    written.clock.move(timedelta(days=3))
    written.append("note.added", note="x")
    void, _end = backdate(written, timedelta(days=1))
    set_aside(written, void, void)

    again = verify(written.ledger, now=written.clock.at, zone=ZONE).completeness.missing

    assert [each.name for each in again] == [each.name for each in missing]


@pytest.mark.parametrize("is_set_aside", [False, True])
@pytest.mark.parametrize("days", [1, 3, 8, 700_000])
def test_no_void_clock_hides_records_from_a_search_by_time(written: Written, days: int, is_set_aside: bool) -> None:
    moments = [written.clock.at - timedelta(days=each, minutes=1) for each in range(9)]
    before = [[each.seq for each in written.ledger.records(since=since)] for since in moments]
    runs = [[each.started_seq for each in written.ledger.runs(since=since)] for since in moments]
    at = written.clock.at - timedelta(days=days)
    void = forge(written, "ledger.clock-mended", at, mended_clock={"text": "x"}).seq
    if is_set_aside:
        set_aside(written, void, void)

    again = HeedfulLedger.open(written.folder, written.clock, create=False)

    assert [[each.seq for each in again.records(since=since) if each.seq < void] for since in moments] == before
    assert [[each.started_seq for each in again.runs(since=since)] for since in moments] == runs


@pytest.mark.parametrize("name", [each for each in COUNT if "a-line-that-is-no-record" in each])
def test_a_record_of_the_future_and_a_line_that_is_none_are_cured_in_any_order(written: Written, name: str) -> None:
    CASES[name](written)
    go_on(written)

    assert judged(written).holds


def test_a_record_earlier_than_the_one_before_is_set_aside(written: Written) -> None:
    CASES["earlier-than-the-record-before-and-set-aside"](written)
    go_on(written)

    assert judged(written).holds


def test_no_void_clock_makes_the_clock_look_far_ahead(written: Written) -> None:
    forge(written, "ledger.clock-mended", datetime(2, 1, 1, tzinfo=UTC), mended_clock={"text": "x"})

    HeedfulLedger.open(written.folder, written.clock, create=True).require_kept_clock(lambda: False)


def test_nothing_is_recorded_behind_a_quarantine_of_an_earlier_time(written: Written) -> None:
    run_ahead(written)
    line = put_line(written, NOT_A_RECORD)
    set_aside(written, line, line)

    with pytest.raises(ClockWentBack):
        HeedfulLedger.open(written.folder, written.clock, create=True).append("note.added", run=NO_RUN, body=b"{}\n")


@pytest.mark.parametrize("name", sorted(BEHIND_A_BUNDLE))
def test_verifiers_agree_on_what_follows_a_void_clock(tmp_path: Path, name: str) -> None:
    written = claimed(begun(tmp_path / "state"))
    written.export(tmp_path / "bundle")
    forged = forged_behind(written, tmp_path / "bundle", BEHIND_A_BUNDLE[name])

    portalops, stranger = by_portalops(forged)[0], by_stranger(forged)[0]

    assert portalops == stranger
    assert portalops.exit_code == 5


@pytest.mark.parametrize("name", [each for each in COUNT if "set-aside" not in each])
def test_records_behind_a_right_mend_are_taken_again(written: Written, name: str) -> None:
    CASES[name](written)
    go_on(written)

    assert judged(written).holds


def test_two_who_call_honest_records_wrong_are_named(written: Written) -> None:
    CASES["of-honest-records-by-two"](written)

    (said,) = judged(written).set_aside

    assert (said.quarantine.by, said.quarantine.second) == ("Nguyễn Văn An", "Trần Thị Bình")
    assert said.quarantine.since is not None


def test_what_was_recorded_in_the_wrong_time_meets_no_duty(tmp_path: Path) -> None:
    written = mended(begun(tmp_path / "state"))
    wrong = numbers_mistimed(written.ledger)

    read = heeded(written.ledger)
    seen = {each.seq for each in read.records(kinds=("check.finished", "check.started", "plan"))}

    assert wrong == set(range(30, 35))
    assert not seen & wrong
    assert not {each.started_seq for each in read.runs()} & wrong


def test_an_end_in_the_wrong_time_ends_no_run(written: Written) -> None:
    CASES["a-start-before-and-an-end-within"](written)

    newest = heeded(written.ledger).runs()[-1]

    assert newest.id.endswith("2026-12-01")
    assert newest.finished_at is None


def test_what_speaks_against_a_duty_counts_although_its_time_is_wrong(written: Written) -> None:
    right = written.clock.at
    written.clock.move(AHEAD)
    first = written.ledger.append("incident.opened", run=NO_RUN, body=b"{}\n").seq
    written.ledger.append("incident.attested", run=NO_RUN, body=b"{}\n")
    written.at(right + timedelta(minutes=5))
    mend(written, first)

    seen = heeded(written.ledger).records(kinds=("incident.opened", "incident.attested"))

    assert [each.kind for each in seen] == ["incident.opened"]


def test_a_search_by_time_finds_what_stands_around_a_mended_clock(tmp_path: Path) -> None:
    written = mended(begun(tmp_path / "state"))
    everything = [each.seq for each in written.ledger.records()]
    newest = written.ledger.last()
    assert newest is not None

    for record in written.ledger.records():
        since = written.ledger.found_from(record)
        assert record.seq in {each.seq for each in written.ledger.records(since=since)}
    behind = [each.seq for each in written.ledger.records(since=newest.at)]

    assert behind == everything[-len(behind) :]
    assert {each.kind for each in written.ledger.records(since=newest.at)} == {"note.added", "claim"}


def test_status_finds_a_ledger_with_a_mended_clock_unchanged(tmp_path: Path) -> None:
    written = mended(begun(tmp_path / "state"))

    assert first_change(written.ledger, written.clock.at - timedelta(days=3)) is None


def test_a_forged_mend_that_hides_records_from_a_search_is_named_by_status(written: Written) -> None:
    right = written.clock.at
    written.at(right - timedelta(days=9000))
    put_part(written, {"text": "x"})
    written.at(right)
    append(written, "note.added")

    change = first_change(written.ledger, right - timedelta(hours=1))

    assert change is not None
    assert change.seq == 30


def test_a_set_of_the_wrong_time_is_not_removed_and_displaces_no_other(tmp_path: Path) -> None:
    portal = Portal(tmp_path)
    written = Written(tmp_path / "state", clock=portal.clock)
    written.head()
    made = portal.back_up(2)
    right, first = portal.clock.at, written.ledger.count() + 1
    portal.clock.move(timedelta(days=70))
    ahead = portal.back_up(2)
    written.at(right + timedelta(minutes=10))
    mend(written, first, ledger=written.ledger.id)

    fates = {each["id"]: each["fate"] for each in portal.prune("--dry-run")}
    done = portal.prune()

    assert fates == dict.fromkeys(made, "keep")
    assert done["marked"] == done["removed"] == []
    assert portal.on("disk-a") == {*made, *ahead}


def test_a_set_of_the_wrong_time_is_named_and_is_not_the_latest(tmp_path: Path) -> None:
    portal = Portal(tmp_path)
    written = Written(tmp_path / "state", clock=portal.clock)
    written.head()
    (right,) = portal.back_up()
    since, first = portal.clock.at, written.ledger.count() + 1
    portal.clock.move(timedelta(days=70))
    (ahead,) = portal.back_up()
    assert portal.call("show", "latest")["id"] == ahead
    written.at(since + timedelta(minutes=10))
    mend(written, first, ledger=written.ledger.id)

    listing = portal.session("backup", "list")
    call(listing)

    assert portal.call("show", "latest")["id"] == right
    assert [str(each) for each in listing.warnings] == [
        f"1 set was made while the clock was wrong, so its time says nothing: {ahead}"
    ]


def test_a_job_that_ran_in_the_wrong_time_is_due_again(tmp_path: Path) -> None:
    portal = Portal(tmp_path)
    written = Written(tmp_path / "state", clock=portal.clock)
    written.head()
    right, first = portal.clock.at, written.ledger.count() + 1
    portal.clock.move(timedelta(hours=1))
    portal.back_up()
    written.at(right + timedelta(minutes=1))
    before = portal.session().attempts()
    mend(written, first, ledger=written.ledger.id)

    again = portal.session().attempts()
    made = portal.back_up()

    assert [each.run.subject for each in before] == ["weekly-backup"]
    assert again == ()
    assert [each.run.id.rpartition(".")[2] for each in portal.session().attempts()] == ["2"]
    assert len(made) == 1


def test_a_plan_of_the_wrong_time_is_recorded_anew(written: Written, tmp_path: Path) -> None:
    (tmp_path / "portal").mkdir()
    circumstances = Portal(tmp_path / "portal").session().circumstances
    right, plan = written.clock.at, written.ledger.plan()
    assert plan is not None
    changed = replace(plan, rulebook="kh-37-2010@2026.12")
    written.clock.move(AHEAD)
    first = record_plan(written.ledger, changed, circumstances)
    written.at(right + timedelta(minutes=5))
    assert first is not None
    mend(written, first.seq)

    again = record_plan(written.ledger, changed, circumstances)

    assert again is not None
    assert again.seq > first.seq


def taken(written: Written) -> Integrity:
    """Record as the machine does, by the command line's ledger, claim that, and verify."""
    written.clock.move(timedelta(minutes=1))
    ledger = HeedfulLedger.open(written.folder, written.clock, create=True)
    ledger.claimant = written.ledger.claimant
    ledger.require_clock()
    ledger.append("note.added", run=NO_RUN, body=b"{}\n")
    ledger.claim()
    return judged(written)


def times_at_fault(found: Integrity) -> list[int]:
    return [each.seq for each in found.faults if "earlier than the record before it" in each.what.text]


def test_a_line_between_request_and_signature_is_mended_with_the_others(written: Written) -> None:
    first = run_ahead(written)
    ledger, last = written.ledger, written.ledger.newest_number()
    newest = ledger.record(last)
    assert newest is not None
    between = forge(written, "note.added", newest.at).seq

    with pytest.raises(IntegrityError, match=f"record {between} came meanwhile"):
        ledger.append_mend(ledger.draft("ledger.clock-mended", body=ledger.keep(b"{}\n")), last)

    mend(written, first)
    go_on(written)
    assert between in numbers_mistimed(ledger)
    assert judged(written).holds


def test_a_void_clock_of_the_future_changes_no_time(written: Written) -> None:
    void = forge(written, "ledger.clock-mended", FAR, mended_clock={"text": "x"}).seq

    assert not times_at_fault(taken(written))
    set_aside(written, void, void)
    assert taken(written).holds


@pytest.mark.parametrize(
    "kind", ["note.added", "claim", "head", "key.retired", "ledger.moved", "ledger.quarantined", "ledger.created"]
)
@pytest.mark.parametrize("ahead", [timedelta(minutes=50), AHEAD, timedelta(days=2_000_000)])
def test_a_record_of_the_future_that_is_set_aside_changes_no_time(
    written: Written, kind: str, ahead: timedelta
) -> None:
    future = forge(written, kind, written.clock.at + ahead).seq
    set_aside(written, future, future)

    assert taken(written).holds
    assert taken(written).holds


@pytest.mark.parametrize("ahead", [timedelta(minutes=-50), timedelta(minutes=50), AHEAD, timedelta(days=2_000_000)])
def test_a_quarantine_that_is_recorded_again_changes_no_time(written: Written, ahead: timedelta) -> None:
    at = written.clock.at + ahead
    strange = forge(written, "note.added", written.clock.at).seq
    set_aside(written, strange, strange)
    forge_again(written, "ledger.quarantined", at)

    assert taken(written).holds


def test_a_record_of_now_behind_one_of_the_future_hides_it_from_no_writer(written: Written) -> None:
    future = forge(written, "note.added", FAR).seq
    now = forge(written, "note.added", written.clock.at).seq

    with pytest.raises(ClockWentBack):
        taken(written)
    set_aside(written, future, now)

    assert taken(written).holds


def put_lines(written: Written, made: Iterable[tuple[str, datetime, Digest]]) -> None:
    """Append whole records as who may write the file does it, in one transaction."""
    number = written.ledger.newest_number()
    ((_seq, prev, _record),) = stored_lines(written.ledger, (number,))
    with closing(sqlite3.connect(written.folder / "ledger.sqlite")) as connection, connection:
        for kind, at, body in made:
            number += 1
            record = encode(Draft(kind, body), seq=number, at=at, prev=prev)
            connection.execute("INSERT INTO record (seq, line) VALUES (?, ?)", (number, record.line))
            prev = line_digest(record.line)
        connection.execute("UPDATE tail SET size = ?, head = ?", (number, prev))


def test_no_number_of_records_of_now_hides_one_of_the_future_from_who_appends(written: Written) -> None:
    """However many lines are behind it: the time in force is that of all of them."""
    body = written.ledger.keep(b"{}\n")
    future = forge(written, "note.added", FAR).seq
    put_lines(written, (("note.added", written.clock.at, body) for _number in range(10_001)))

    with pytest.raises(ClockWentBack, match="9998"):
        taken(written)
    set_aside(written, future, future)
    written.clock.move(timedelta(minutes=1))
    HeedfulLedger.open(written.folder, written.clock, create=True).require_clock()


KINDS = ("note.added", "ledger.quarantined", "ledger.clock-mended", "")
"""The last is no record."""


@settings(max_examples=40, deadline=None)
@given(st.lists(st.tuples(st.sampled_from(KINDS), st.integers(0, 40)), max_size=30), st.data())
def test_who_appends_goes_by_the_time_that_verification_finds(
    lines: list[tuple[str, int]], data: st.DataObject
) -> None:
    with tempfile.TemporaryDirectory() as name:
        written = claimed(begun(Path(name) / "state"))
        before, begin = written.ledger.newest_number(), written.clock.at
        for kind, minutes in lines:
            if kind:
                forge(written, kind, begin + timedelta(minutes=minutes))
            else:
                put_line(written, NOT_A_RECORD)
        numbers = st.integers(before + 1, before + max(len(lines), 1))
        mends = sorted(data.draw(st.sets(numbers, max_size=2)) if lines else ())
        aside = data.draw(st.sets(numbers, max_size=5)) if lines else set()
        mends = [seq for seq in mends if lines[seq - before - 1][0] == "ledger.clock-mended" and seq not in aside]
        counted = (*(said(seq, seq - 1, begin) for seq in mends), *(said(seq + 1, seq, None) for seq in aside))
        for last in range(before, before + len(lines) + 1):
            with written.ledger.snapshot() as snapshot:
                whole = find_time_in_force(snapshot.read_between(0, last, 7), 0, last, counted)
                assert find_latest(snapshot, mends, aside, last) == whole


def said(seq: int, named: int, since: datetime | None) -> SetAside:
    """What two persons say of one record; only its number and whether it is of the clock matter here."""
    return SetAside(
        seq, datetime(2026, 1, 1, tzinfo=UTC), Quarantine("", named, named, Digest(""), "", "", "", "", since)
    )


def test_a_record_of_now_behind_a_clock_that_ran_ahead_is_mended_with_it(written: Written) -> None:
    first = run_ahead(written)
    forge(written, "note.added", written.clock.at)
    with pytest.raises(ClockWentBack):
        taken(written)
    mend(written, first)

    found = taken(written)

    assert found.holds


def test_a_record_of_now_behind_one_of_the_future_is_mended_without_writers(tmp_path: Path) -> None:
    written = Written(tmp_path / "state")
    written.plan(DAILY)
    written.head()
    first = forge(written, "note.added", FAR).seq
    forge(written, "note.added", written.clock.at)
    mend(written, first, since=written.clock.at, ledger=written.ledger.id)
    written.clock.move(timedelta(minutes=1))

    HeedfulLedger.open(written.folder, written.clock, create=True).append("note.added", run=NO_RUN, body=b"{}\n")

    assert judged(written).holds


def test_a_mended_clock_heals_what_is_out_of_order_in_its_range(written: Written) -> None:
    first = forge(written, "note.added", FAR).seq
    forge(written, "note.added", written.clock.at)
    written.clock.move(timedelta(minutes=1))
    assert times_at_fault(judged(written))
    mend(written, first)

    assert not times_at_fault(judged(written))


@pytest.mark.parametrize("at", [datetime(2, 1, 1, tzinfo=UTC), datetime(2026, 11, 1, tzinfo=UTC)])
def test_a_mended_clock_that_is_recorded_again_moves_no_key(tmp_path: Path, at: datetime) -> None:
    written = claimed(begun(tmp_path / "state"))
    CASES["mended-by-a-key-of-that-time"](written)
    before = read_signers(written.ledger)
    forge_again(written, "ledger.clock-mended", at)

    assert read_signers(written.ledger) == before


@pytest.mark.parametrize("at", [datetime(2, 1, 1, tzinfo=UTC), datetime(1970, 1, 1, tzinfo=UTC), FAR])
@pytest.mark.parametrize("is_retired", [False, True])
def test_a_list_of_keys_holds_only_times_that_ssh_keygen_takes(tmp_path: Path, at: datetime, is_retired: bool) -> None:
    key = key_of(1)
    (tmp_path / "head.sig").write_text(sign(b"x", key, "portalops-head"))
    line = allowed_signers_line("a", "portalops-head", key.public_key, at, at if is_retired else None)
    (tmp_path / "signers").write_text(line)

    done = subprocess.run(
        ["ssh-keygen", "-Y", "verify", "-f", "signers", "-I", "a", "-n", "portalops-head", "-s", "head.sig"],
        cwd=tmp_path, input="x", capture_output=True, text=True, check=False,
    )  # fmt: skip

    assert "bad options" not in done.stdout + done.stderr
    assert (done.returncode == 0) == (at != FAR and not is_retired)
