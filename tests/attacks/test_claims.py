"""Claims on a real ledger: whose the records are, what a killed command leaves, and what nobody claims."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from portalops import bodies
from portalops.errors import LedgerError
from portalops.ledger.claimant import JOURNALS, MachineClaimant, draft_claim, record_writer
from portalops.ledger.claims import CLAIM_NAMESPACE, KEY, parse_claim, parse_writer, text_of_claim, text_of_writer
from portalops.ledger.heads import NAMESPACE, head_digest, newest_head, record_head, rotate_key, text_of
from portalops.ledger.heeded import FILE as CHECKED
from portalops.ledger.heeded import heeded, heeds_move, read_ownership
from portalops.ledger.ledger import FILE as LEDGER_FILE
from portalops.ledger.ledger import MOVED, KeptLedger, Ledger, kept_in
from portalops.ledger.moving import move
from portalops.ledger.pending_claims import count_uncounted, sort_unclaimed
from portalops.ledger.record import GENESIS, NO_RUN, Draft, encode, line_digest
from portalops.ledger.store import SqliteStore
from portalops.ledger.verify import Supplied, verify
from portalops.model.heads import Head, KeyEvent, SignedHead
from portalops.model.record import Digest, Record
from portalops.model.writers import Authority, LineRange, WriterClaim, WriterEvent, WriterState
from portalops.registers.signers import KEY_ADDED, TrustedKey
from portalops.signatures.sshsig import SigningKey, sign
from tests.conformance.claims import claimed
from tests.conformance.corpus import begun
from tests.conformance.probes import erased_by_nobody
from tests.doubles import FixedClock
from tests.ledger.bundle.bundles import key_of
from tests.ledger.ledgers import START, ZONE, tamper, verified
from tests.verifier.scene import by_portalops, by_stranger

LATER = timedelta(hours=1, seconds=1)


def opened(folder: Path, clock: FixedClock, name: str = "web1", *, enrols: bool = True) -> Ledger:
    ledger = Ledger.open(folder, clock, create=True)
    ledger.claimant = MachineClaimant(folder, clock, name, enrols=enrols)
    return ledger


def note(ledger: Ledger, text: str = "x", kind: str = "note") -> Record:
    return ledger.append(kind, run=NO_RUN, body=bodies.write({"note": text}))


def enrolled(folder: Path, clock: FixedClock) -> Ledger:
    """Return a ledger whose machine is enrolled under a head."""
    ledger = opened(folder, clock)
    record_head(ledger, key_of(1), clock)
    return ledger


def append_claim(ledger: Ledger, key: SigningKey, ranges: Sequence[LineRange]) -> Record:
    return ledger.append_many((draft_claim(ledger, key, ranges),))[0]


def ranges_of(*records: Record) -> list[LineRange]:
    return [LineRange(each.seq, each.seq, line_digest(each.line)) for each in records]


def faults(ledger: Ledger) -> list[tuple[int, str]]:
    return [(each.seq, str(each.what)) for each in verified(ledger).integrity.faults]


def test_the_first_head_enrols_the_machine_with_the_key_of_the_ledger(tmp_path: Path) -> None:
    ledger = enrolled(tmp_path, FixedClock(START))

    assert [each.kind for each in ledger.records()] == ["ledger.created", "key.added", "writer.added", "head"]
    found = verified(ledger).integrity
    assert found.holds
    assert [(each.name, each.authority, each.added_seq) for each in found.ownership.writers] == [
        ("web1", Authority.ALL, 3)
    ]
    assert (tmp_path / KEY).stat().st_mode & 0o777 == 0o600


def test_a_command_ends_with_one_claim_over_what_it_appended(tmp_path: Path) -> None:
    ledger = enrolled(tmp_path, FixedClock(START))
    note(ledger, "a")
    note(ledger, "b")

    ledger.claim()
    ledger.claim()

    assert [each.kind for each in ledger.records()][4:] == ["note", "note", "claim"]
    owned = verified(ledger).integrity.ownership
    assert [(each.first, each.last, owned.writer_of(each).name) for each in owned.merged()] == [(5, 6, "web1")]
    assert [owned.owner(seq) is not None for seq in range(4, 8)] == [False, True, True, False]


def test_a_head_covers_the_claim_of_what_came_before_it(tmp_path: Path) -> None:
    clock = FixedClock(START)
    ledger = enrolled(tmp_path, clock)
    note(ledger)

    head = record_head(ledger, key_of(1), clock)

    assert [each.kind for each in ledger.records()][-3:] == ["note", "claim", "head"]
    assert head.head.size == head.seq - 1


def test_records_of_two_writers_in_turns_are_told_apart(tmp_path: Path) -> None:
    clock = FixedClock(START)
    ledger = enrolled(tmp_path, clock)
    other, second = key_of(7), Ledger.open(tmp_path, clock, create=True)
    event = WriterEvent(ledger.id, WriterState.ADDED, other.public_key, "an", Authority.RECORDS)
    record_writer(ledger, event, key_of(1))
    mine, theirs = note(ledger, "mine"), note(second, "theirs")
    note(ledger, "mine too")

    append_claim(second, other, ranges_of(theirs))
    ledger.claim()

    found = verified(ledger).integrity
    assert found.holds
    names = [found.ownership.writer_of(each).name for each in found.ownership.merged()]
    assert names == ["web1", "an", "web1"]
    assert found.ownership.owner(mine.seq) != found.ownership.owner(theirs.seq)


def test_a_record_that_nobody_claims_within_an_hour_is_named(tmp_path: Path) -> None:
    clock = FixedClock(START)
    ledger = enrolled(tmp_path, clock)
    stranger = Ledger.open(tmp_path, clock, create=True)
    noise = note(stranger, "noise")
    assert verified(ledger).integrity.holds

    clock.move(LATER)
    note(ledger)
    ledger.claim()

    found = verified(ledger).integrity
    assert found.unclaimed == ((noise.seq, noise.seq),)
    assert (found.holds, found.first_bad) == (True, None)


def test_an_hour_to_the_second_is_in_time(tmp_path: Path) -> None:
    clock = FixedClock(START)
    ledger = enrolled(tmp_path, clock)
    note(Ledger.open(tmp_path, clock, create=True), "noise")
    clock.move(timedelta(hours=1))
    note(ledger)
    ledger.claim()

    assert verified(ledger).integrity.holds


def test_what_was_recorded_before_the_first_writer_needs_no_claim(tmp_path: Path) -> None:
    clock = FixedClock(START)
    ledger = opened(tmp_path, clock)
    note(ledger)
    clock.move(LATER)
    record_head(ledger, key_of(1), clock)
    clock.move(LATER)
    note(ledger)
    ledger.claim()

    assert verified(ledger).integrity.holds


def test_the_next_command_claims_what_a_killed_one_left(tmp_path: Path) -> None:
    clock = FixedClock(START)
    ledger = enrolled(tmp_path, clock)
    killed = note(ledger)
    # The kernel closes what a process had open; its journal stays.
    assert isinstance(ledger.claimant, MachineClaimant)
    ledger.claimant.close()
    assert len(list((tmp_path / JOURNALS).iterdir())) == 1

    clock.move(timedelta(hours=5))
    following = opened(tmp_path, clock)
    note(following)
    following.claim()

    found = verified(following).integrity
    assert found.holds
    assert found.ownership.owner(killed.seq) is not None
    assert len(list((tmp_path / JOURNALS).glob("*.journal"))) == 1  # of the command that is still there


def test_a_command_that_was_killed_behind_its_claim_claims_nothing_twice(tmp_path: Path) -> None:
    clock = FixedClock(START)
    ledger = enrolled(tmp_path, clock)
    note(ledger)
    (journal,) = (tmp_path / JOURNALS).iterdir()
    left = journal.read_bytes()
    ledger.claim()
    assert isinstance(ledger.claimant, MachineClaimant)
    ledger.claimant.close()
    journal.write_bytes(left)

    following = opened(tmp_path, clock)
    note(following)
    following.claim()

    found = verified(following).integrity
    assert found.holds
    assert [record.kind for record in following.records()].count("claim") == 2


def test_a_line_of_a_record_that_never_came_is_passed_over(tmp_path: Path) -> None:
    clock = FixedClock(START)
    ledger = enrolled(tmp_path, clock)
    (tmp_path / JOURNALS).mkdir()
    (tmp_path / JOURNALS / "1-a.journal").write_text(f"2026-11-23T01:00:00.000Z\tnote\t{'a' * 64}\t\n2026-11-2")

    ledger.claim()

    assert [record.kind for record in ledger.records()].count("claim") == 0
    assert list((tmp_path / JOURNALS).iterdir()) == []


def test_a_machine_that_is_not_enrolled_claims_when_it_is(tmp_path: Path) -> None:
    clock = FixedClock(START)
    ledger = enrolled(tmp_path / "first", clock)
    (tmp_path / "second").mkdir()
    other = MachineClaimant(tmp_path / "second", clock, "db1", enrols=False)
    key = other.make_key()
    ledger.claimant = other
    record = note(ledger)

    ledger.claim()
    assert [each.kind for each in ledger.records()].count("claim") == 0
    event = WriterEvent(ledger.id, WriterState.ADDED, key, "db1", Authority.RECORDS)
    record_writer(ledger, event, key_of(1))
    ledger.claim()

    owner = verified(ledger).integrity.ownership.owner(record.seq)
    assert owner is not None
    assert owner.name == "db1"


@pytest.mark.parametrize(
    ("what", "why"),
    [
        ("other lines", "is not the record that the claim in record"),
        ("unknown key", "is not enrolled"),
        ("foreign", "its records were claimed or set aside before"),
        ("replayed", "its records were claimed or set aside before"),
        ("of the future", "it names records that did not exist"),
        ("other ledger", "it belongs to another ledger"),
        ("ended", "is not enrolled"),
        ("no claim", "it names no records"),
    ],
)
def test_a_claim_that_counts_for_nothing_is_named(tmp_path: Path, what: str, why: str) -> None:
    clock = FixedClock(START)
    ledger = enrolled(tmp_path, clock)
    other = key_of(7)
    event = WriterEvent(ledger.id, WriterState.ADDED, other.public_key, "an", Authority.RECORDS)
    record_writer(ledger, event, key_of(1))
    mine = note(ledger)
    ledger.claim()
    theirs = note(Ledger.open(tmp_path, clock, create=True), "theirs")
    claim = WriterClaim(ledger.id, tuple(ranges_of(theirs)))
    key = other
    match what:
        case "other lines":
            claim = WriterClaim(ledger.id, (LineRange(theirs.seq, theirs.seq, Digest("a" * 64)),))
        case "unknown key":
            key = key_of(9)
        case "foreign":
            claim = WriterClaim(ledger.id, tuple(ranges_of(mine)))
        case "replayed":
            body = [record.body for record in ledger.records(kinds=("claim",))][-1]
            ledger.append("claim", run=NO_RUN, body=ledger.blob(body))
        case "of the future":
            claim = WriterClaim(ledger.id, (LineRange(theirs.seq, theirs.seq + 5, Digest("a" * 64)),))
        case "ended":
            gone = WriterEvent(ledger.id, WriterState.ENDED, other.public_key, "an", Authority.RECORDS)
            record_writer(ledger, gone, key_of(1))
    if what == "other ledger":
        text = text_of_claim(WriterClaim("f" * 32, claim.ranges))
        signed = {"text": text, "signature": sign(text.encode(), key, CLAIM_NAMESPACE)}
        ledger.append("claim", run=NO_RUN, body=bodies.write({"claim": signed}))
    elif what == "no claim":
        ledger.append("claim", run=NO_RUN, body=bodies.write({"claim": {"text": "x", "signature": "y"}}))
    elif what != "replayed":
        append_claim(ledger, key, claim.ranges)

    found = faults(ledger)

    assert len(found) == 1
    assert why in found[0][1]


def test_a_writer_that_no_key_of_the_ledger_signed_is_named_and_may_claim_nothing(tmp_path: Path) -> None:
    clock = FixedClock(START)
    ledger = enrolled(tmp_path, clock)
    thief = key_of(9)
    event = WriterEvent(ledger.id, WriterState.ADDED, thief.public_key, "an", Authority.ALL)
    stranger = Ledger.open(tmp_path, clock, create=True)
    added = record_writer(stranger, event, thief)
    claim = append_claim(stranger, thief, ranges_of(note(stranger)))
    record_head(ledger, key_of(1), clock)

    found = verified(ledger).integrity

    assert [each.seq for each in found.faults] == [added.seq, claim.seq]
    assert [each.name for each in found.ownership.writers] == ["web1"]


def test_a_plan_by_a_writer_without_authority_is_named(tmp_path: Path) -> None:
    clock = FixedClock(START)
    ledger = enrolled(tmp_path, clock)
    other = key_of(7)
    event = WriterEvent(ledger.id, WriterState.ADDED, other.public_key, "an", Authority.RECORDS)
    record_writer(ledger, event, key_of(1))
    plan = note(Ledger.open(tmp_path, clock, create=True), kind="plan")
    append_claim(ledger, other, ranges_of(plan))

    assert faults(ledger) == [(plan.seq, f"record {plan.seq}: an may not record plan")]


def test_records_that_were_rewritten_contradict_their_claim(tmp_path: Path) -> None:
    clock = FixedClock(START)
    ledger = opened(tmp_path, clock)
    record_head(ledger, key_of(1), clock)
    first = note(ledger, "a")
    ledger.claim()
    second = note(ledger, "b")
    ledger.claim()
    _write_anew(ledger, second)

    assert verified(ledger).integrity.first_bad == first.seq + 1


def _write_anew(ledger: Ledger, record: Record) -> None:
    """Put another record in the place of one, and chain what follows to it, as who has the file can."""
    lines = {each.seq: each for each in ledger.records()}
    other = ledger.keep(bodies.write({"note": "another"}))
    prev = record.prev
    for seq in range(record.seq, len(lines) + 1):
        draft = Draft(lines[seq].kind, other if seq == record.seq else lines[seq].body)
        line = encode(draft, seq=seq, at=lines[seq].at, prev=prev).line
        prev = line_digest(line)
        tamper(ledger, "UPDATE record SET line = ? WHERE seq = ?", (line, seq))
    tamper(ledger, "UPDATE tail SET head = ?", (prev,))


def test_texts_are_read_one_way_only() -> None:
    claim = WriterClaim("0" * 32, (LineRange(1, 2, Digest("a" * 64)), LineRange(4, 4, Digest("b" * 64))))
    text = text_of_claim(claim)
    assert parse_claim(text) == claim
    for wrong in (
        text[:-1],
        text + "\n",
        text.replace("range 4 4", "range 2 4"),
        text.replace("range 1 2", "range 2 1"),
    ):
        assert parse_claim(wrong) is None
    event = WriterEvent("0" * 32, WriterState.ADDED, key_of(1).public_key, "web1", Authority.ALL)
    written = text_of_writer(event)
    assert parse_writer(written) == event
    for wrong in (written.replace("web1", "web 1"), written.replace("all", "some"), written + "x"):
        assert parse_writer(wrong) is None


def test_what_nobody_claimed_in_time_meets_no_duty(tmp_path: Path) -> None:
    clock = FixedClock(START)
    ledger = enrolled(tmp_path, clock)
    mine = note(ledger, "mine")
    ledger.claim()
    noise = note(Ledger.open(tmp_path, clock, create=True), "noise")
    assert [each.seq for each in heeded(ledger).records(kinds=("note",))] == [mine.seq, noise.seq]

    clock.move(LATER)
    later = note(ledger, "later")
    ledger.claim()

    for _again in range(2):  # the second time from what was kept
        assert [each.seq for each in heeded(ledger).records(kinds=("note",))] == [mine.seq, later.seq]
    kept = json.loads((tmp_path / CHECKED).read_text().splitlines()[1])
    assert [each[:2] for each in kept["claimed"]] == [[mine.seq, mine.seq + 1], [later.seq, later.seq + 1]]


def test_in_a_quiet_ledger_the_hour_is_over_by_the_clock(tmp_path: Path) -> None:
    clock = FixedClock(START)
    ledger = enrolled(tmp_path, clock)
    mine = note(ledger, "mine")
    ledger.claim()
    note(stranger_of(tmp_path, clock), "noise")
    assert count_uncounted(ledger, now=clock.now()).awaited == 1

    clock.move(LATER)

    assert [each.seq for each in heeded(ledger, now=clock.now()).records(kinds=("note",))] == [mine.seq]
    assert count_uncounted(ledger, now=clock.now()).awaited == 0
    found = verified(ledger).integrity
    assert found.unclaimed == ()
    late = sort_unclaimed(ledger, found.ownership, found.unclaimed, (), now=clock.now())
    assert (late.unclaimed, late.awaited) == (((mine.seq + 2, mine.seq + 2),), ())


def test_what_was_kept_of_another_ledger_counts_for_nothing(tmp_path: Path) -> None:
    ledger = enrolled(tmp_path, FixedClock(START))
    record = note(ledger)
    ledger.claim()
    assert read_ownership(ledger).owner(record.seq) is not None
    code, kept = (tmp_path / CHECKED).read_text().splitlines()
    (tmp_path / CHECKED).write_text(f"{code}\n{json.dumps({**json.loads(kept), 'digest': 'a' * 64, 'claimed': []})}")

    assert read_ownership(ledger).owner(record.seq) is not None


def test_what_was_kept_is_believed_only_as_this_machine_wrote_it(tmp_path: Path) -> None:
    clock = FixedClock(START)
    ledger = enrolled(tmp_path, clock)
    mine = note(ledger)
    ledger.claim()
    assert read_ownership(ledger).owner(mine.seq) is not None
    forged = note(stranger_of(tmp_path, clock), "forged")
    code, kept = (tmp_path / CHECKED).read_text().splitlines()
    claimed = [[mine.seq, forged.seq, json.loads(kept)["claimed"][0][2]]]
    planted = {**json.loads(kept), "upto": forged.seq, "digest": line_digest(forged.line), "claimed": claimed}
    (tmp_path / CHECKED).write_text(f"{code}\n{json.dumps(planted)}")

    assert read_ownership(ledger).owner(forged.seq) is None
    assert read_ownership(ledger).owner(mine.seq) is not None


def test_a_plan_by_who_may_not_plan_is_passed_over(tmp_path: Path) -> None:
    clock = FixedClock(START)
    ledger = enrolled(tmp_path, clock)
    plan = note(ledger, kind="plan")
    ledger.claim()
    event = WriterEvent(ledger.id, WriterState.ADDED, key_of(7).public_key, "an", Authority.RECORDS)
    record_writer(ledger, event, key_of(1))
    other = note(Ledger.open(tmp_path, clock, create=True), "other", kind="plan")
    append_claim(ledger, key_of(7), ranges_of(other))

    assert [each.seq for each in heeded(ledger).records(kinds=("plan",), newest_first=True, limit=1)] == [plan.seq]


def stranger_of(folder: Path, clock: FixedClock) -> Ledger:
    return Ledger.open(folder, clock, create=True)


def append_key(ledger: Ledger, key: SigningKey, *, replaces: str = "") -> Record:
    return ledger.append(KEY_ADDED, run=NO_RUN, body=bodies.write({"key": KeyEvent(key.public_key, "x", replaces)}))


def append_head(ledger: Ledger, key: SigningKey, clock: FixedClock) -> None:
    """Sign over whatever is there, as `record_head` does not."""
    last, newest = ledger.last(), newest_head(ledger)
    assert last is not None
    text = text_of(
        Head(
            ledger.id,
            last.seq,
            line_digest(last.line),
            clock.now(),
            head_digest(newest.signed.text) if newest else GENESIS,
        )
    )
    ledger.append(
        "head", run=NO_RUN, body=bodies.write({"head": SignedHead(text, sign(text.encode(), key, NAMESPACE))})
    )


def name_writer(ledger: Ledger, writer: SigningKey, name: str, key: SigningKey) -> Record:
    return record_writer(ledger, WriterEvent(ledger.id, WriterState.ADDED, writer.public_key, name, Authority.ALL), key)


@pytest.mark.parametrize("with_head", [False, True])
def test_a_key_that_somebody_added_for_himself_names_no_writer(tmp_path: Path, with_head: bool) -> None:
    clock = FixedClock(START)
    ledger = enrolled(tmp_path, clock)
    stranger, thief, second = stranger_of(tmp_path, clock), key_of(8), key_of(9)
    added = append_key(stranger, thief)
    append_key(stranger, second, replaces=thief.public_key)
    if with_head:
        append_head(stranger, thief, clock)
    enrolment = name_writer(stranger, thief, "db2", second if with_head else thief)
    forged = note(stranger, "forged")
    claim = append_claim(stranger, thief, ranges_of(added, forged))

    clock.move(LATER)
    mine = note(ledger)
    ledger.claim()

    named = dict(faults(ledger))
    assert "nobody confirmed" in named[enrolment.seq]
    assert "is not enrolled" in named[claim.seq]
    assert [each.seq for each in heeded(ledger).records(kinds=("note",))] == [mine.seq]


def test_a_key_names_writers_from_the_head_of_its_predecessor_on(tmp_path: Path) -> None:
    clock = FixedClock(START)
    ledger = enrolled(tmp_path, clock)
    old, new = key_of(1), key_of(2)
    rotate_key(ledger, old, new, reason="a new year", clock=clock)

    name_writer(ledger, key_of(7), "an", new)
    ledger.claim()

    found = verified(ledger).integrity
    assert (found.holds, [each.name for each in found.ownership.writers]) == (True, ["web1", "an"])


def test_the_successor_of_a_lost_key_names_writers_for_who_knows_it_and_no_claim_confirms_it(tmp_path: Path) -> None:
    clock = FixedClock(START)
    ledger = enrolled(tmp_path, clock)
    new = key_of(2)
    rotate_key(ledger, None, new, reason="lost", clock=clock)

    ledger.claim()
    named = name_writer(ledger, key_of(7), "an", new)

    found = verified(ledger).integrity
    assert [each.name for each in found.ownership.writers] == ["web1"]
    assert f"the writer in record {named.seq} counts for nothing" in str(found.faults[-1].what)
    own = verify(ledger, now=START, zone=ZONE, brought=Supplied(signing_key=new.public_key)).integrity
    assert (own.holds, [each.name for each in own.ownership.writers]) == (True, ["web1", "an"])


def test_a_key_that_the_reader_knows_names_writers(tmp_path: Path) -> None:
    clock = FixedClock(START)
    ledger = enrolled(tmp_path, clock)
    stranger, new = stranger_of(tmp_path, clock), key_of(2)
    append_key(stranger, new)
    name_writer(stranger, key_of(7), "an", new)

    trusted = (TrustedKey(new.public_key, (), None, None), TrustedKey(key_of(1).public_key, (), None, None))
    found = verify(ledger, now=START, zone=ZONE, brought=Supplied(trusted=trusted)).integrity

    assert [each.name for each in found.ownership.writers] == ["web1", "an"]


def test_before_any_writer_the_successor_of_a_lost_key_names_one_for_who_knows_it(tmp_path: Path) -> None:
    clock = FixedClock(START)
    ledger = stranger_of(tmp_path, clock)
    record_head(ledger, key_of(1), clock)
    rotate_key(ledger, None, key_of(2), reason="lost", clock=clock)

    ledger = opened(tmp_path, clock)
    note(ledger)
    record_head(ledger, key_of(2), clock)

    assert not verified(ledger).integrity.holds
    found = verify(ledger, now=START, zone=ZONE, brought=Supplied(signing_key=key_of(2).public_key)).integrity
    assert (found.holds, [each.name for each in found.ownership.writers]) == (True, ["web1"])


def test_a_second_writer_of_one_name_is_named_and_may_claim_nothing(tmp_path: Path) -> None:
    clock = FixedClock(START)
    ledger = enrolled(tmp_path, clock)
    second = name_writer(stranger_of(tmp_path, clock), key_of(7), "web1", key_of(1))

    assert faults(ledger) == [
        (second.seq, f"the writer in record {second.seq} counts for nothing: another writer is called web1")
    ]


def test_a_forged_end_of_a_writer_keeps_its_machine_from_nothing(tmp_path: Path) -> None:
    clock = FixedClock(START)
    ledger = enrolled(tmp_path, clock)
    own = SigningKey.load(tmp_path / KEY).public_key
    record_writer(
        stranger_of(tmp_path, clock), WriterEvent(ledger.id, WriterState.ENDED, own, "web1", Authority.ALL), key_of(8)
    )

    ledger = opened(tmp_path, clock)
    record = note(ledger)
    ledger.claim()

    assert verified(ledger).integrity.ownership.owner(record.seq) is not None


def test_a_machine_without_a_key_notes_what_it_records_and_claims_it_once_it_is_enrolled_anew(tmp_path: Path) -> None:
    clock = FixedClock(START)
    enrolled(tmp_path, clock)
    (tmp_path / KEY).unlink()
    lost = opened(tmp_path, clock, enrols=False)
    assert isinstance(lost.claimant, MachineClaimant)
    lost.claimant.is_awaited = True
    record = note(lost)
    lost.claim()
    lost.claimant.close()

    clock.move(LATER)
    ledger = opened(tmp_path, clock)
    record_head(ledger, key_of(1), clock)

    found = verified(ledger).integrity
    assert found.holds
    assert [(each.name, each.ended_seq is None) for each in found.ownership.writers] == [
        ("web1", False),
        ("web1", True),
    ]
    assert found.ownership.owner(record.seq) == found.ownership.writers[1]


def test_a_machine_whose_key_was_ended_is_enrolled_with_another_one(tmp_path: Path) -> None:
    clock = FixedClock(START)
    ledger = enrolled(tmp_path, clock)
    first = SigningKey.load(tmp_path / KEY).public_key
    record_writer(ledger, WriterEvent(ledger.id, WriterState.ENDED, first, "web1", Authority.ALL), key_of(1))

    ledger = opened(tmp_path, clock)
    note(ledger)
    record_head(ledger, key_of(1), clock)

    assert SigningKey.load(tmp_path / KEY).public_key != first
    assert verified(ledger).integrity.holds


def test_a_stranger_cannot_say_that_the_ledger_goes_on_elsewhere(tmp_path: Path) -> None:
    clock = FixedClock(START)
    ledger = enrolled(tmp_path, clock)
    there = {"moved": {"from": "here", "to": "postgresql://stranger", "records": 4, "head": ""}}
    forged = stranger_of(tmp_path, clock).append(MOVED, run=NO_RUN, body=bodies.write(there))

    honest = Ledger.open(tmp_path, clock, create=True, heeds_move=heeds_move)
    assert honest.gone_to() is None
    clock.move(LATER)
    note(ledger)
    ledger.claim()
    assert verified(ledger).integrity.unclaimed == ((forged.seq, forged.seq),)


class OtherStore(SqliteStore):
    """A file that calls itself another place, as a database does."""

    @property
    def place(self) -> str:
        return "elsewhere"


def kept_elsewhere(folder: Path) -> KeptLedger:
    """Return an empty place for a ledger."""
    folder.mkdir()
    kept = replace(kept_in(folder, writable=True), records=OtherStore(folder / LEDGER_FILE, writable=True))
    kept.records.create()
    return kept


@pytest.mark.parametrize("later", [timedelta(0), LATER])
def test_an_erasure_that_nobody_claims_excuses_no_missing_blob(tmp_path: Path, later: timedelta) -> None:
    written, gone = erased_by_nobody(begun(tmp_path / "state"))
    written.ledger.remove_blob(gone)
    written.clock.move(later)
    written.append("note.added", note="later")
    written.ledger.claim()

    found = verify(written.ledger, now=written.clock.at, zone=ZONE)

    (fault,) = found.integrity.faults
    assert str(fault.what).endswith(f"blob {gone} is missing")
    assert found.completeness.erased == ()
    assert not list(heeded(written.ledger).records(kinds=("blob.erased",)))


@pytest.mark.parametrize("kind", ["claim", "head", "writer.added", "key.added", "plan", "blob.erased", "note"])
def test_a_record_of_a_stranger_without_details_stops_no_head_and_no_export(tmp_path: Path, kind: str) -> None:
    written = claimed(begun(tmp_path / "state"))
    (forged,) = stranger_of(written.folder, written.clock).append_many((Draft(kind, Digest("c" * 64)),))

    written.head()
    written.export(tmp_path / "bundle")

    found, _said = by_stranger(tmp_path / "bundle")
    ours, _said = by_portalops(tmp_path / "bundle")
    assert (found.exit_code, found.first_bad) == (ours.exit_code, ours.first_bad) == (5, forged.seq)
    assert verify(written.ledger, now=written.clock.at, zone=ZONE).integrity.first_bad == forged.seq


def test_a_move_is_claimed_in_the_old_place(tmp_path: Path) -> None:
    clock = FixedClock(START)
    ledger = enrolled(tmp_path / "old", clock)
    ledger.heeds_move = heeds_move
    source, target = kept_in(tmp_path / "old", writable=True), kept_elsewhere(tmp_path / "new")

    move(ledger, source, target)

    with pytest.raises(LedgerError, match="was moved to elsewhere"):
        Ledger.open(tmp_path / "old", clock, create=True, heeds_move=heeds_move)
    moved = Ledger.open(tmp_path / "new", clock, create=True, kept=target, heeds_move=heeds_move)
    assert [each.kind for each in moved.records()][-2:] == [MOVED, "claim"]
    assert verified(moved).integrity.holds


def test_a_claimed_move_ends_the_old_place(tmp_path: Path) -> None:
    clock = FixedClock(START)
    ledger = enrolled(tmp_path, clock)
    ledger.append(MOVED, run=NO_RUN, body=bodies.write({"moved": {"to": "postgresql://db1/ledger"}}))
    ledger.claim()

    with pytest.raises(LedgerError, match="was moved to postgresql://db1/ledger"):
        Ledger.open(tmp_path, clock, create=True, heeds_move=heeds_move)


def test_a_machine_that_may_only_record_moves_no_ledger(tmp_path: Path) -> None:
    clock = FixedClock(START)
    enrolled(tmp_path / "old", clock)
    ledger = stranger_of(tmp_path / "old", clock)
    ledger.heeds_move = heeds_move
    source, target = kept_in(tmp_path / "old", writable=True), kept_elsewhere(tmp_path / "new")

    with pytest.raises(LedgerError, match="no writer with authority all"):
        move(ledger, source, target)

    note(Ledger.open(tmp_path / "old", clock, create=True, heeds_move=heeds_move))
