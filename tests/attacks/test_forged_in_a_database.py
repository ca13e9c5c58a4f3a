"""What a stolen account of a ledger's database forges counts for nothing, is set aside by two, and stays so."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest

from portalops import bodies
from portalops.errors import ClockWentBack, IntegrityError
from portalops.ledger.claimant import MachineClaimant, draft_claim, record_writer
from portalops.ledger.heads import record_head
from portalops.ledger.heeded import HeedfulLedger, numbers_set_aside
from portalops.ledger.ledger import Ledger
from portalops.ledger.postgresql_tables import WRITER
from portalops.ledger.quarantine_text import FORMS, text_of
from portalops.ledger.record import NO_RUN, line_digest
from portalops.ledger.runs import read_attempts
from portalops.ledger.set_aside import stored_lines
from portalops.model.quarantines import Quarantine
from portalops.model.record import Digest, RunId
from portalops.model.writers import Authority, LineRange, WriterEvent, WriterState
from portalops.registers.signers import KEY_ADDED
from portalops.registers.writers import QUARANTINED
from portalops.signatures.sshsig import sign
from tests.attacks.test_database_accounts import KEY, Site, make_site, server, site
from tests.doubles import FixedClock
from tests.ledger.bundle.bundles import key_of
from tests.ledger.ledgers import DAILY, START, ZONE, verified

__all__ = ["make_site", "server", "site"]

SECOND, STOLEN = key_of(11), key_of(8)
HOUR = timedelta(hours=1, seconds=1)


def enrolled(site: Site, clock: FixedClock) -> Ledger:
    """Return a ledger in a database with two writers: this machine, and one whose key is stolen later."""
    ledger = Ledger.open(site.folder, clock, create=True, kept=site.kept(WRITER))
    ledger.claimant = MachineClaimant(site.folder, clock, "web1", enrols=True)
    record_head(ledger, KEY, clock)
    event = WriterEvent(ledger.id, WriterState.ADDED, STOLEN.public_key, "web2", Authority.RECORDS)
    record_writer(ledger, event, KEY)
    return ledger


def forge_run(site: Site, clock: FixedClock) -> tuple[int, int]:
    """Append a run that was never done, as who stole an account that may append; return the numbers of its records."""
    thief = Ledger.open(site.folder, clock, create=True, kept=site.kept(WRITER))
    run = RunId("12.4-testing:daily-check:2026-11-23")
    begun = thief.append("check.started", run=run, subject="daily-check", body=bodies.write({}))
    ended = thief.append("check.finished", run=run, subject="daily-check", body=bodies.write({}))
    return begun.seq, ended.seq


def set_aside(site: Site, clock: FixedClock, first: int, last: int) -> None:
    ledger = Ledger.open_to_mend(site.folder, clock, kept=site.kept(WRITER))
    ((_seq, digest, _record),) = stored_lines(ledger, (last,))
    text = text_of(Quarantine(ledger.id, first, last, digest, "Nguyễn Văn An", "Trần Thị Bình", SECOND.public_key, "x"))
    namespace = FORMS[QUARANTINED].namespace
    names = {"signature": KEY, "second_signature": SECOND}
    parts = {"text": text, **{name: sign(text.encode(), key, namespace) for name, key in names.items()}}
    ledger.append_quarantine(ledger.draft(QUARANTINED, body=ledger.keep(bodies.write({"quarantine": parts}))))


def read(site: Site, clock: FixedClock, own: str = KEY.public_key) -> Ledger:
    ledger = HeedfulLedger.open(site.folder, clock, create=True, kept=site.kept(WRITER))
    ledger.read_own_key = lambda: own
    return ledger


def test_a_forged_run_in_a_database_keeps_no_job_from_being_done_and_stays_set_aside(site: Site) -> None:
    clock = FixedClock(START)
    ledger = enrolled(site, clock)
    first, last = forge_run(site, clock)
    within_the_hour = read_attempts(read(site, clock), (DAILY,), clock.now(), ZONE)
    clock.move(HOUR)

    set_aside(site, clock, first, last)
    (record,) = (each for each in ledger.records() if each.seq == last)
    ledger.append_many((draft_claim(ledger, STOLEN, (LineRange(first, last, line_digest(record.line)),)),))
    record_head(ledger, KEY, clock)

    assert within_the_hour == read_attempts(read(site, clock), (DAILY,), clock.now(), ZONE) == ()
    assert numbers_set_aside(read(site, clock)) == {first, last}
    found = verified(ledger).integrity
    assert [each.quarantine.first for each in found.set_aside] == [first]
    assert [fault.what.text for fault in found.faults] == ["the claim in record {seq} counts for nothing: {why}"]


def test_without_the_details_of_the_first_key_nothing_in_a_database_counts(site: Site) -> None:
    clock = FixedClock(START)
    ledger = enrolled(site, clock)
    forge_run(site, clock)
    clock.move(HOUR)
    (record,) = ledger.records(kinds=(KEY_ADDED,), limit=1)
    site.sql(f"SET session_replication_role = replica; DELETE FROM portalops.blob WHERE digest = '{record.body}'")

    with pytest.raises(IntegrityError, match="the ledger's first key, cannot be read"):
        read(site, clock, "").runs()
    assert read(site, clock).runs() == ()

    record_head(ledger, KEY, clock)
    assert verified(ledger).integrity.holds


def test_a_stolen_writer_of_a_database_contradicts_no_line_for_ever(site: Site) -> None:
    clock = FixedClock(START)
    ledger = enrolled(site, clock)

    (claim,) = ledger.append_many((draft_claim(ledger, STOLEN, (LineRange(1, 1, Digest("0" * 64)),)),))
    found = [(fault.seq, fault.what.text) for fault in verified(ledger).integrity.faults]
    assert found == [(claim.seq, "the claim in record {seq} counts for nothing: {why}")]

    event = WriterEvent(ledger.id, WriterState.ENDED, STOLEN.public_key, "web2", Authority.RECORDS)
    record_writer(ledger, event, KEY)
    set_aside(site, clock, claim.seq, claim.seq)
    record_head(ledger, KEY, clock)

    assert verified(ledger).integrity.holds


def forge_note(site: Site, at: datetime) -> int:
    """Append a record of a time, as who stole an account that may append; return its number."""
    thief = Ledger.open(site.folder, FixedClock(at), create=True, kept=site.kept(WRITER))
    return thief.append("note.added", run=NO_RUN, body=bodies.write({"note": "x"})).seq


def recorded(site: Site, clock: FixedClock) -> Ledger:
    """Record as this machine does, and claim it."""
    ledger = read(site, clock)
    ledger.claimant = MachineClaimant(site.folder, clock, "web1", enrols=True)
    ledger.require_clock()
    ledger.append("note.added", run=NO_RUN, body=bodies.write({"note": "y"}))
    ledger.claim()
    return ledger


def test_a_forged_record_of_the_next_hour_that_is_set_aside_changes_no_time_in_a_database(site: Site) -> None:
    clock = FixedClock(START)
    enrolled(site, clock)
    first = forge_note(site, START + timedelta(minutes=50))
    clock.move(timedelta(minutes=1))

    with pytest.raises(ClockWentBack):
        recorded(site, clock)
    set_aside(site, clock, first, first)
    clock.move(timedelta(minutes=1))

    assert verified(recorded(site, clock)).integrity.holds
    assert verified(recorded(site, clock)).integrity.holds


def test_a_quarantine_that_is_recorded_again_in_a_database_stops_it_for_an_hour_at_most(site: Site) -> None:
    clock = FixedClock(START)
    enrolled(site, clock)
    strange = forge_note(site, START)
    set_aside(site, clock, strange, strange)
    ledger = read(site, clock)
    (quarantine,) = ledger.records(kinds=(QUARANTINED,))
    thief = Ledger.open(site.folder, FixedClock(START + timedelta(minutes=50)), create=True, kept=site.kept(WRITER))
    thief.append(QUARANTINED, run=NO_RUN, body=ledger.blob(quarantine.body))
    clock.move(timedelta(minutes=1))
    with pytest.raises(ClockWentBack):
        recorded(site, clock)
    clock.move(timedelta(minutes=49))

    assert verified(recorded(site, clock)).integrity.holds
