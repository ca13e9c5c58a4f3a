"""What is read out of the ledger for a period: as little as judging needs, and nothing lost in silence."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest

from portalops import bodies
from portalops.ledger.ledger import Ledger
from portalops.ledger.record import NO_RUN
from portalops.model.checks import CheckResult, CheckScan, HostScan
from portalops.model.message import msg
from portalops.model.organisation import HostId
from portalops.model.period import Period
from portalops.model.record import Digest, RunId
from portalops.model.runs import RunSummary
from portalops.model.updates import UpdatesResult
from portalops.model.verdicts import CheckVerdict, RunOutcome, Severity
from portalops.registers.ends import LONG_BODY_BYTES, RunEnds
from portalops.registers.evidence import Evidence, read_evidence
from portalops.registers.figures import read_figures
from tests.doubles import FixedClock
from tests.ledger.ledgers import START, ZONE, new_ledger

NOW = START + timedelta(days=7)
PERIOD = Period(date(2026, 11, 25), date(2026, 11, 27))
RESULTS = {
    "check": CheckScan(()),
    "updates": UpdatesResult((), PERIOD.first, PERIOD.last, "r@1", "2026.11", (), (), (), (), 0),
}


def record(ledger: Ledger, clock: FixedClock, kind: str, at: datetime, outcome: RunOutcome | None) -> Digest:
    """Record a run that began at a moment and took a minute; without an outcome it crashed."""
    clock.at = at
    run = RunId(f"d:{kind}:{at.isoformat()}".replace(":", "-"))
    ledger.append(f"{kind}.started", run=run, body=bodies.write({}))
    if outcome is None:
        return Digest("")
    clock.move(timedelta(minutes=1))
    parts: dict[str, object] = {"run": RunSummary(outcome, 0, at, clock.at, (f"as of {at.isoformat()}",))}
    if outcome is not RunOutcome.FAILED:
        parts[kind] = RESULTS.get(kind)
    return ledger.append(f"{kind}.finished", run=run, body=bodies.write(parts)).body


class CountingLedger(Ledger):
    """A ledger that counts what is read of it."""

    reads = 0

    def blob(self, digest: Digest) -> bytes:
        self.reads += 1
        return super().blob(digest)


def filled(folder: Path, outcomes: Sequence[tuple[str, datetime, RunOutcome | None]]) -> CountingLedger:
    clock = FixedClock(START)
    ledger = new_ledger(folder, clock)
    for kind, at, outcome in outcomes:
        record(ledger, clock, kind, at, outcome)
    return CountingLedger(folder, FixedClock(NOW), writable=False)


def test_a_run_is_read_until_one_of_its_day_ended_well(tmp_path: Path) -> None:
    noon = datetime(2026, 11, 26, 5, tzinfo=UTC)
    ledger = filled(
        tmp_path,
        [
            ("check", noon, RunOutcome.FAILED),
            ("check", noon + timedelta(hours=1), RunOutcome.COMPLETE),
            ("check", noon + timedelta(hours=2), RunOutcome.INCOMPLETE),
            ("check", noon + timedelta(hours=3), None),
        ],
    )

    found = read_evidence(ledger, PERIOD, now=NOW, zone=ZONE)

    assert [summary.outcome for summary in found.summaries.values() if summary] == ["incomplete", "complete"]
    assert len(found.runs) == 4


def test_every_run_of_the_period_is_read_for_a_report(tmp_path: Path) -> None:
    noon = datetime(2026, 11, 26, 5, tzinfo=UTC)
    hours = [noon + timedelta(hours=number) for number in range(4)]
    runs = [("check", at, RunOutcome.COMPLETE) for at in hours]
    runs += [("backup", noon + timedelta(hours=5), RunOutcome.FAILED)]
    ledger = filled(tmp_path, runs)

    found = read_evidence(ledger, PERIOD, now=NOW, zone=ZONE, every_run=True)

    ends = [summary.outcome for summary in found.summaries.values() if summary]
    assert sorted(ends) == ["complete"] * 4 + ["failed"]
    assert len(found.scans) == 4


def test_before_the_period_the_newest_run_that_ended_well_is_found(tmp_path: Path) -> None:
    first = datetime(2026, 11, 23, 2, tzinfo=UTC)
    runs = [("check", first, RunOutcome.COMPLETE), ("check", first + timedelta(hours=1), RunOutcome.COMPLETE)]
    runs += [("check", first + timedelta(days=1), RunOutcome.FAILED)]
    ledger = filled(tmp_path, runs)

    found = read_evidence(ledger, PERIOD, now=NOW, zone=ZONE)

    assert [summary.outcome for summary in found.summaries.values() if summary] == ["failed", "complete"]


@pytest.mark.heavy
def test_hourly_work_takes_one_look_a_day(tmp_path: Path) -> None:
    begin = datetime(2026, 11, 23, 17, tzinfo=UTC)
    ledger = filled(
        tmp_path, [("updates", begin + timedelta(hours=number), RunOutcome.INCOMPLETE) for number in range(96)]
    )

    read_evidence(ledger, PERIOD, now=NOW, zone=ZONE)

    assert ledger.reads <= 3 + 1 + 1  # each day of the period, the day before it, and the newest result


@pytest.mark.parametrize("harm", ["gone", "changed"])
def test_a_record_that_cannot_be_read_is_listed_once_and_hides_nothing(tmp_path: Path, harm: str) -> None:
    clock = FixedClock(START)
    ledger = new_ledger(tmp_path, clock)
    noon = datetime(2026, 11, 26, 5, tzinfo=UTC)
    record(ledger, clock, "check", noon, RunOutcome.COMPLETE)
    lost = record(ledger, clock, "check", noon + timedelta(hours=2), RunOutcome.COMPLETE)
    path = tmp_path / "blobs" / lost[:2] / lost[2:4] / f"{lost}.zst"
    path.unlink()
    if harm == "changed":
        path.write_bytes(b"something else")

    found = read_evidence(ledger, PERIOD, now=NOW, zone=ZONE)

    (unread,) = found.unreadable
    assert (unread.seq, unread.kind) == (5, "check")
    assert lost in str(unread.why)
    assert found.summaries[5] is None
    assert found.checks is not None
    assert found.checks.seq == 3
    assert found.summaries[3] is not None


def test_a_plan_that_cannot_be_read_keeps_nobody_from_seeing_where_duties_stand(tmp_path: Path) -> None:
    clock = FixedClock(START)
    ledger = new_ledger(tmp_path, clock)
    ledger.append("plan", run=RunId(""), body=b"no plan\n")

    assert read_evidence(ledger, PERIOD, now=NOW, zone=ZONE).runs == ()


@pytest.mark.parametrize(("record_kind", "key"), [("exemption.granted", "exemption"), ("report.sent", "sent")])
def test_what_a_person_recorded_and_cannot_be_read_is_listed(tmp_path: Path, record_kind: str, key: str) -> None:
    ledger = new_ledger(tmp_path, FixedClock(START))
    body = ledger.keep(bodies.write({key: "torn"}))
    ledger.append_many([ledger.draft(record_kind, subject="x", duty="11.3-reporting", body=body)])

    (unread,) = read_evidence(ledger, PERIOD, now=NOW, zone=ZONE).unreadable

    assert unread.kind == key


# --- the rounds of a period -----------------------------------------------------------------------


def host_round(name: str, at: datetime, verdict: CheckVerdict, members: Sequence[str] = ()) -> HostScan:
    results = tuple(
        CheckResult(check, HostId(name), "12.4", Severity.HIGH, verdict, "x", msg("seen"), None, (Digest("ab" * 32),))
        for check in ("ssh.protocol", "ssh.root-login")
    )
    standby = "postgresql" if members else ""
    return HostScan(HostId(name), at, True, "", results, standby, tuple(HostId(each) for each in members))


def looked_at(folder: Path, rounds: Sequence[CheckScan]) -> Evidence:
    clock = FixedClock(START)
    ledger = new_ledger(folder, clock)
    for number, one in enumerate(rounds):
        clock.at = datetime(2026, 11, 25, 5, tzinfo=UTC) + timedelta(hours=number)
        ledger.append("check.finished", run=NO_RUN, body=bodies.write({"check": one}))
    return read_evidence(ledger, PERIOD, now=NOW, zone=ZONE, every_run=True)


def test_rounds_of_a_period_say_what_was_judged_and_which_answers_were_kept(tmp_path: Path) -> None:
    at = datetime(2026, 11, 25, 4, tzinfo=UTC)
    web, standby = host_round("web", at, CheckVerdict.FAIL), host_round("pair", at, CheckVerdict.PASS, ("web", "db"))
    rounds = [CheckScan((web, standby)), CheckScan((host_round("web", at, CheckVerdict.UNKNOWN),))]

    found = looked_at(tmp_path, rounds)

    assert [each.body for each in found.scans] == [each.drop_sentences() for each in rounds]
    assert found.scans[0].body.hosts[0].answer() == web.answer() == "ab" * 32
    assert found.judged == {(host, check) for host in ("web", "pair") for check in ("ssh.protocol", "ssh.root-login")}


def test_long_bodies_are_read_once_for_their_results_their_ends_and_the_figures(tmp_path: Path) -> None:
    at = datetime(2026, 11, 25, 4, tzinfo=UTC)
    hosts = tuple(host_round(f"h{number}", at, CheckVerdict.PASS) for number in range(200))
    clock = FixedClock(START)
    new_ledger(tmp_path, clock)
    outcomes = [RunOutcome.COMPLETE, RunOutcome.INCOMPLETE]
    for number, outcome in enumerate(outcomes):
        clock.at = at + timedelta(hours=number)
        run = RunId(f"r{number}")
        writer = Ledger.open(tmp_path, clock, create=True)
        writer.append("check.started", run=run, body=bodies.write({}))
        ended = {"check": CheckScan(hosts), "run": RunSummary(outcome, 0, at, clock.at)}
        assert len(bodies.write(ended)) > LONG_BODY_BYTES
        writer.append("check.finished", run=run, body=bodies.write(ended))
    ledger = CountingLedger(tmp_path, FixedClock(NOW), writable=False)
    ends = RunEnds()

    found = read_evidence(ledger, PERIOD, now=NOW, zone=ZONE, every_run=True, ends=ends)
    reads = ledger.reads
    last = ledger.count()
    counted = read_figures(ledger, PERIOD, as_of_seq=last, zone=ZONE, ends=ends)

    assert [summary.outcome for summary in found.summaries.values() if summary] == outcomes[::-1]
    assert reads == 2 + 1 + 2 + 1, "each round, the newest one whole, those that findings rest on, and one start"
    assert ledger.reads == reads + 1, "the newest round's verdicts"
    assert counted == read_figures(ledger, PERIOD, as_of_seq=last, zone=ZONE)


def test_last_look_at_hosts_that_the_newest_round_leaves_out_is_read_whole(tmp_path: Path) -> None:
    at = datetime(2026, 11, 25, 4, tzinfo=UTC)
    web, db, old = (host_round(name, at, CheckVerdict.PASS) for name in ("web", "db", "old"))
    rounds = [CheckScan(hosts) for hosts in ((old, db), (web, db), (old, web), (web, db), (web,))]

    found = looked_at(tmp_path, rounds)

    assert found.checks is not None
    assert found.checks.body == rounds[4]
    assert [each.body for each in found.last_polls] == [rounds[3], rounds[2]]


def test_round_that_cannot_be_read_is_no_round_and_is_told(tmp_path: Path) -> None:
    good = CheckScan((host_round("web", datetime(2026, 11, 25, 4, tzinfo=UTC), CheckVerdict.PASS),))
    clock = FixedClock(datetime(2026, 11, 25, 5, tzinfo=UTC))
    ledger = new_ledger(tmp_path, clock)
    twice = bodies.write({"check": good}).replace(b'"reached":true', b'"reached":false,"reached":true')
    for blob in (bodies.write({"check": good}), twice):
        ledger.append("check.finished", run=NO_RUN, body=blob)

    found = read_evidence(ledger, PERIOD, now=NOW, zone=ZONE, every_run=True)

    assert len(found.scans) == 1
    assert [each.kind for each in found.unreadable] == ["check"]
    assert found.unreadable[0].seq == found.scans[0].seq + 1
