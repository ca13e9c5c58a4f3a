"""What signed heads, and heads that somebody kept, show of a ledger that was attacked: with SQL, on its files, with its key."""

from __future__ import annotations

import multiprocessing
import sqlite3
from collections.abc import Callable, Sequence
from contextlib import closing
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from portalops import bodies
from portalops.ledger.blobs import BlobFolder
from portalops.ledger.check_heads import HeadVerdict, SuppliedHead, read_supplied_head
from portalops.ledger.heads import HEAD, code_of, heads, newest_head, record_head, rotate_key
from portalops.ledger.ledger import Ledger
from portalops.ledger.record import GENESIS, NO_RUN, Draft, encode, line_digest
from portalops.ledger.verify import Supplied, Verification, verify
from portalops.model.heads import Erasure, KeyEvent, RecordedHead, SignedHead
from portalops.model.record import Record, RunId
from portalops.model.waivers import Waiver, WaiverWithdrawal
from portalops.registers.drills import IMPORTED
from portalops.registers.signers import TrustedKey
from portalops.signatures.sshsig import SigningKey, fingerprint, sign
from tests.doubles import FixedClock
from tests.ledger.ledgers import START, ZONE, new_ledger, tamper

Change = Callable[[list[Record]], Sequence[Record]]


def key(number: int) -> SigningKey:
    return SigningKey.of(Ed25519PrivateKey.from_private_bytes(bytes([number]) * 32))


OWN, STRANGER = key(1), key(7)


class Signed:
    """A ledger with runs, a head by its own key behind each, and the heads as somebody may have kept them."""

    def __init__(self, folder: Path, *, runs: int = 4) -> None:
        self.clock = FixedClock(START)
        self.ledger = new_ledger(folder, self.clock)
        self.kept: list[RecordedHead] = []
        for number in range(runs):
            self.add_run(number)
            self.kept.append(record_head(self.ledger, OWN, self.clock))

    def add_run(self, number: int) -> None:
        run = RunId(f"check:daily:2026-11-{number + 1:02}")
        for kind in ("check.started", "check.finished"):
            self.clock.move(timedelta(minutes=5))
            body = bodies.write({"number": number, "kind": kind})
            self.ledger.append(kind, run=run, subject="daily", body=body)
        self.clock.move(timedelta(minutes=5))

    def verified(self, *kept: SuppliedHead, signing_key: str = "", read_blobs: bool = True) -> Verification:
        return verify(
            self.ledger,
            now=self.clock.now(),
            zone=ZONE,
            brought=Supplied(kept, None, signing_key),
            read_blobs=read_blobs,
        )

    def rewrite(self, change: Change, *, sign_with: SigningKey | None = None) -> None:
        """Write the whole chain anew as somebody with the file would, and its heads too as somebody with a key would."""
        records = change(list(self.ledger.records()))
        rewritten: list[Record] = []
        before, prev = GENESIS, GENESIS
        for seq, record in enumerate(records, 1):
            body = record.body
            if record.kind == HEAD and sign_with is not None:
                head = bodies.decode_part(self.ledger.blob(body), HEAD, SignedHead)
                assert head is not None
                lines = head.text.splitlines()
                lines[2] = f"size {seq - 1}"
                lines[3] = f"digest {line_digest(rewritten[-1].line)}"
                lines[5] = f"previous {before}"
                text = "\n".join(lines) + "\n"
                before = line_digest(text.encode())
                body = self.ledger.keep(
                    bodies.write({HEAD: SignedHead(text, sign(text.encode(), sign_with, "portalops-head"))})
                )
            elif record.kind == "key.added" and sign_with is not None:
                body = self.ledger.keep(bodies.write({"key": KeyEvent(sign_with.public_key, "the first key")}))
            draft = Draft(record.kind, body, record.run, record.subject, record.duty)
            rewritten.append(encode(draft, seq=seq, at=record.at, prev=prev))
            prev = line_digest(rewritten[-1].line)
        replace_lines(self.ledger, [record.line for record in rewritten])


def replace_lines(ledger: Ledger, lines: Sequence[bytes]) -> None:
    """Put other lines in the place of all there are, with the tail that fits; triggers dropped."""
    with closing(sqlite3.connect(ledger.folder / "ledger.sqlite")) as connection:
        for (name,) in connection.execute("SELECT name FROM sqlite_schema WHERE type = 'trigger'").fetchall():
            connection.execute(f"DROP TRIGGER {name}")
        connection.execute("DELETE FROM record")
        connection.executemany("INSERT INTO record (seq, line) VALUES (?, ?)", enumerate(lines, 1))
        connection.execute("UPDATE tail SET size = ?, head = ?", (len(lines), line_digest(lines[-1])))
        connection.commit()


def kept(head: RecordedHead) -> SuppliedHead:
    return read_supplied_head("kept.txt", head.signed.text.encode())


@pytest.fixture
def signed(tmp_path: Path) -> Signed:
    """Records 1 created, 2 and 3 a run, 4 the key, 5 a head over 4; then three times a run and a head: 8, 11, 14."""
    return Signed(tmp_path / "state")


def without(kind: str, number: int) -> Change:
    """Leave out the number-th record of a kind."""

    def change(records: list[Record]) -> list[Record]:
        chosen = [record for record in records if record.kind == kind][number]
        return [record for record in records if record is not chosen]

    return change


def test_an_untouched_ledger_says_who_signed_it(signed: Signed) -> None:
    found = signed.verified(kept(signed.kept[1]), signing_key=OWN.public_key)
    assert found.integrity.holds and found.integrity.unsigned == 0
    assert [each.verdict for each in found.integrity.signed.supplied] == [HeadVerdict.HOLDS]
    assert found.integrity.signed.code == code_of(signed.kept[-1].head)
    (use,) = found.integrity.signed.uses
    assert (use.heads, use.signer.public_key, use.speaks_for_itself) == (4, OWN.public_key, False)


def test_records_behind_the_newest_head_are_counted_and_no_fault(signed: Signed) -> None:
    signed.add_run(9)
    found = signed.verified()
    assert found.integrity.holds and found.integrity.unsigned == 2


def test_a_head_over_a_head_leaves_the_records_behind_it_unsigned(signed: Signed) -> None:
    signed.clock.move(timedelta(minutes=5))
    text = signed.kept[-1].signed.text
    last = signed.ledger.last()
    assert last is not None and last.kind == HEAD
    lines = text.splitlines()
    lines[2:] = [
        f"size {last.seq}", f"digest {line_digest(last.line)}", "at 2026-11-23T02:05:00.000Z",
        f"previous {line_digest(text.encode())}",
    ]  # fmt: skip
    text = "\n".join(lines) + "\n"
    head = SignedHead(text, sign(text.encode(), OWN, "portalops-head"))
    signed.ledger.append(HEAD, run=NO_RUN, body=bodies.write({HEAD: head}))
    signed.add_run(9)

    found = signed.verified()

    assert found.integrity.holds, [str(fault.what) for fault in found.integrity.faults]
    assert found.integrity.unsigned == 2


def test_a_ledger_that_nobody_signed_says_so(tmp_path: Path) -> None:
    ledger = new_ledger(tmp_path, FixedClock(START))
    found = verify(ledger, now=START, zone=ZONE, brought=Supplied(signing_key=OWN.public_key))
    assert found.integrity.holds and found.integrity.signed.newest is None and found.integrity.unsigned == 1


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE record SET line = replace(line, 'daily', 'other') WHERE seq = 6",
        "DELETE FROM record WHERE seq = 6",
        "DROP INDEX record_run; UPDATE record SET line = (SELECT line FROM record WHERE seq = 7) WHERE seq = 6",
    ],
    ids=["edit", "delete", "copy"],
)
def test_a_changed_record_is_named(signed: Signed, statement: str) -> None:
    tamper(
        signed.ledger,
        statement.replace("replace(line, ", "CAST(replace(CAST(line AS TEXT), ").replace("')", "') AS BLOB)"),
    )
    found = signed.verified()
    assert found.integrity.first_bad == 6


@pytest.mark.parametrize(
    ("change", "first_bad"),
    [
        (without("check.finished", 1), 5),
        (without("check.started", 3), 11),
        (lambda records: [records[0], replace(records[1], subject="other"), *records[2:]], 1),
        (lambda records: [*records[:6], replace(records[5], run=RunId("check:daily:x")), *records[6:]], 5),
    ],
    ids=["delete", "delete a later one", "edit", "insert"],
)
def test_rewriting_without_the_key_is_shown_by_the_signed_heads(signed: Signed, change: Change, first_bad: int) -> None:
    signed.rewrite(change)
    found = signed.verified()
    assert not found.integrity.holds
    assert found.integrity.first_bad == first_bad


def test_rewriting_with_a_strangers_key_is_shown_by_this_machines_own(signed: Signed) -> None:
    signed.rewrite(without("check.finished", 1), sign_with=STRANGER)
    assert signed.verified().integrity.holds  # all that is signed is signed by the stranger, from the first record on
    found = signed.verified(signing_key=OWN.public_key)
    assert found.integrity.first_bad == 1
    assert "this machine's signing key" in str(found.integrity.faults[0].what)
    assert fingerprint(OWN.public_key) in str(found.integrity.faults[0].what)
    trusted = verify(
        signed.ledger, now=signed.clock.now(), zone=ZONE,
        brought=Supplied(trusted=(TrustedKey(OWN.public_key, (), None, None),)),
    )  # fmt: skip
    assert trusted.integrity.first_bad == 1


def test_dropping_every_head_is_shown_by_a_kept_one_and_said_plainly(signed: Signed) -> None:
    unsigned = ("head", "key.added")
    signed.rewrite(lambda records: [record for record in records if record.kind not in unsigned])
    assert signed.verified().integrity.signed.newest is None
    assert signed.verified(kept(signed.kept[0])).integrity.first_bad == 1


def test_the_tail_cut_off_with_its_heads_is_shown_by_a_kept_head(signed: Signed) -> None:
    signed.rewrite(lambda records: records[:11])
    assert signed.verified().integrity.holds
    found = signed.verified(kept(signed.kept[1]), kept(signed.kept[3]))
    assert [each.verdict for each in found.integrity.signed.supplied] == [HeadVerdict.HOLDS, HeadVerdict.BEYOND_END]
    assert found.integrity.first_bad == 12


def test_a_kept_head_is_compared_where_no_head_of_the_ledger_is(signed: Signed) -> None:
    signed.rewrite(lambda records: records[:7])
    found = signed.verified(kept(signed.kept[1]))
    assert [each.verdict for each in found.integrity.signed.supplied] == [HeadVerdict.HOLDS]
    assert found.integrity.holds


@pytest.mark.parametrize(
    "change",
    [
        lambda records: [*records[:8], replace(records[8], subject="other"), *records[9:]],
        lambda records: [*records[:8], replace(records[8], kind="backup.started"), *records[9:]],
    ],
    ids=["edited", "a backdated backup"],
)
def test_rewriting_with_the_key_is_shown_by_a_kept_head(signed: Signed, change: Change) -> None:
    signed.rewrite(change, sign_with=OWN)
    assert signed.verified(signing_key=OWN.public_key).integrity.holds
    found = signed.verified(kept(signed.kept[0]), kept(signed.kept[1]), kept(signed.kept[3]))
    assert [each.verdict for each in found.integrity.signed.supplied] == [
        HeadVerdict.HOLDS, HeadVerdict.HOLDS, HeadVerdict.OTHER_DIGEST,
    ]  # fmt: skip
    assert found.integrity.first_bad == 8


def test_a_second_ledger_for_another_auditor_is_shown_by_comparing_heads(signed: Signed, tmp_path: Path) -> None:
    other = Signed(tmp_path / "other")
    found = signed.verified(kept(other.kept[2]))
    assert [each.verdict for each in found.integrity.signed.supplied] == [HeadVerdict.OTHER_LEDGER]
    assert found.integrity.first_bad == 1


def test_a_fork_of_the_same_ledger_is_shown_by_comparing_heads(signed: Signed) -> None:
    signed.rewrite(lambda records: records[:11])
    signed.add_run(20)
    record_head(signed.ledger, OWN, signed.clock)
    found = signed.verified(kept(signed.kept[2]), kept(signed.kept[3]))
    assert found.integrity.first_bad == signed.kept[2].head.size + 1


def test_a_head_copied_from_another_ledger_is_named(signed: Signed, tmp_path: Path) -> None:
    other = Signed(tmp_path / "other", runs=6)
    foreign = newest_head(other.ledger)
    assert foreign is not None
    signed.clock.move(timedelta(days=1))
    seq = signed.ledger.append(HEAD, run=NO_RUN, body=bodies.write({HEAD: foreign.signed})).seq
    found = signed.verified()
    assert found.integrity.first_bad == seq
    assert "belongs to another ledger" in str(found.integrity.faults[0].what)


def test_the_bodies_of_two_heads_swapped_are_named(signed: Signed) -> None:
    first, second = (record.body for record in list(signed.ledger.records(kinds=(HEAD,)))[1:3])
    swapped = {first: second, second: first}

    signed.rewrite(lambda records: [replace(record, body=swapped.get(record.body, record.body)) for record in records])

    assert signed.verified().integrity.first_bad == 5, "the last head that holds is over record 4"


def test_a_stranger_who_only_adds_a_head_is_named(signed: Signed) -> None:
    signed.add_run(9)
    text = signed.kept[-1].signed.text.replace("size 13", "size 16")
    head = SignedHead(text, sign(text.encode(), STRANGER, "portalops-head"))
    seq = signed.ledger.append(HEAD, run=NO_RUN, body=bodies.write({HEAD: head})).seq
    found = signed.verified()
    assert found.integrity.first_bad == seq
    assert found.integrity.unsigned == 2, "a head that does not hold is over nothing"


def test_a_stranger_who_adds_a_key_speaks_for_itself_only(signed: Signed) -> None:
    signed.ledger.append("key.added", run=NO_RUN, body=bodies.write({"key": KeyEvent(STRANGER.public_key)}))
    record_head(signed.ledger, STRANGER, signed.clock)
    for found in (signed.verified(), signed.verified(signing_key=OWN.public_key)):
        (fault,) = found.integrity.faults
        assert (fault.seq, str(fault.what)) == (
            16,  # its head
            f"record 16: the head is signed by key {fingerprint(STRANGER.public_key)}, which nobody confirmed",
        )
        assert [use.speaks_for_itself for use in found.integrity.signed.uses] == [False, True]
    assert signed.verified(signing_key=STRANGER.public_key).integrity.holds


def test_a_rotated_and_a_lost_key_verify_for_their_own_time(signed: Signed) -> None:
    signed.clock.move(timedelta(days=1))
    rotate_key(signed.ledger, OWN, key(2), reason="a year is over", clock=signed.clock)
    signed.clock.move(timedelta(days=1))
    rotate_key(signed.ledger, None, key(3), reason="the disk broke", clock=signed.clock)
    found = signed.verified(signing_key=key(3).public_key)
    assert found.integrity.holds
    assert [use.speaks_for_itself for use in found.integrity.signed.uses] == [False, False, True]
    assert [use.heads for use in found.integrity.signed.uses] == [5, 1, 1]


def test_the_successor_of_a_lost_key_is_known_by_the_key_that_replaces_it(signed: Signed) -> None:
    for old, new in ((None, key(2)), (key(2), key(3))):
        signed.clock.move(timedelta(days=1))
        rotate_key(signed.ledger, old, new, reason="the disk broke", clock=signed.clock)

    assert signed.verified(signing_key=key(3).public_key).integrity.holds
    assert not signed.verified().integrity.holds


def test_a_machines_old_key_is_joined_to_those_it_signed_for_and_to_no_other(signed: Signed) -> None:
    for old, new in ((OWN, key(2)), (key(2), key(3))):
        signed.clock.move(timedelta(days=1))
        rotate_key(signed.ledger, old, new, reason="a year is over", clock=signed.clock)
    assert signed.verified(signing_key=OWN.public_key).integrity.holds, "by two steps"

    signed.clock.move(timedelta(days=1))
    rotate_key(signed.ledger, None, key(4), reason="the disk broke", clock=signed.clock)
    for older in (OWN, key(2), key(3)):
        _retired, head = signed.verified(signing_key=older.public_key).integrity.faults
        assert f"signed by key {fingerprint(key(4).public_key)}, which nobody confirmed" in str(head.what)


def test_keys_that_replace_each_other_join_no_third_one(signed: Signed) -> None:
    first, second = key(2), key(3)
    for new, old in ((first, second), (second, first)):
        signed.ledger.append(
            "key.added", run=NO_RUN, body=bodies.write({"key": KeyEvent(new.public_key, "", old.public_key)})
        )
    record_head(signed.ledger, first, signed.clock, successor=second)

    assert not signed.verified(signing_key=OWN.public_key).integrity.holds


def test_a_head_over_this_machines_key_record_alone_shows_a_stranger(tmp_path: Path) -> None:
    clock = FixedClock(START)
    ledger = new_ledger(tmp_path, clock)
    for each in (STRANGER, OWN):
        ledger.append("key.added", run=NO_RUN, body=bodies.write({"key": KeyEvent(each.public_key)}))
    record_head(ledger, STRANGER, clock)

    found = verify(ledger, now=START, zone=ZONE, brought=Supplied(signing_key=OWN.public_key))

    assert found.integrity.signed.newest is not None
    assert [fault.seq for fault in found.integrity.faults] == [2]


@pytest.mark.parametrize(
    ("kind", "said"),
    [("sign-off", "the sign-off is not valid"), (IMPORTED, "the drill report is not valid")],
)
def test_a_sign_off_or_drill_report_without_details_is_named(signed: Signed, kind: str, said: str) -> None:
    seq = signed.ledger.append(kind, run=NO_RUN, body=b"{}").seq

    (fault,) = signed.verified().integrity.faults

    assert fault.seq == seq and said in str(fault.what)


def test_a_head_by_a_retired_key_is_named(signed: Signed) -> None:
    signed.clock.move(timedelta(days=1))
    rotate_key(signed.ledger, OWN, key(2), reason="", clock=signed.clock)
    signed.clock.move(timedelta(days=1))
    signed.add_run(9)
    last, newest = signed.ledger.last(), newest_head(signed.ledger)
    assert last is not None and newest is not None
    lines = newest.signed.text.splitlines()
    lines[2:] = [
        f"size {last.seq}", f"digest {line_digest(last.line)}", "at 2026-11-25T03:00:00.000Z",
        f"previous {line_digest(newest.signed.text.encode())}",
    ]  # fmt: skip
    text = "\n".join(lines) + "\n"
    head = SignedHead(text, sign(text.encode(), OWN, "portalops-head"))
    signed.clock.move(timedelta(days=1))
    seq = signed.ledger.append(HEAD, run=NO_RUN, body=bodies.write({HEAD: head})).seq
    found = signed.verified()
    assert found.integrity.first_bad == seq
    assert any("when this key was not in use" in str(fault.what) for fault in found.integrity.faults)


@pytest.mark.parametrize("quick", [False, True])
def test_an_erased_blob_is_listed_and_a_missing_one_is_a_fault(signed: Signed, *, quick: bool) -> None:
    record = signed.ledger.record(3)
    assert record is not None
    BlobFolder(signed.ledger.folder / "blobs").path(record.body).unlink()
    assert signed.verified(read_blobs=not quick).integrity.first_bad == 3
    erasure = Erasure(record.body, "a citizen asked for it", "An")
    seq = signed.ledger.append("blob.erased", run=NO_RUN, body=bodies.write({"erased": erasure})).seq
    found = signed.verified(read_blobs=not quick)
    assert found.integrity.holds
    assert [(each.seq, each.erasure) for each in found.completeness.erased] == [(seq, erasure)]


@pytest.mark.parametrize("kind", ["ledger.created", "key.added", "head"])
def test_what_verification_needs_is_never_erased(signed: Signed, kind: str) -> None:
    record = next(signed.ledger.records(kinds=(kind,)))
    BlobFolder(signed.ledger.folder / "blobs").path(record.body).unlink()
    erasure = Erasure(record.body, "", "")
    signed.ledger.append("blob.erased", run=NO_RUN, body=bodies.write({"erased": erasure}))
    found = signed.verified()
    assert found.integrity.first_bad == record.seq


def test_a_line_that_is_none_hides_no_head(signed: Signed) -> None:
    seq = signed.kept[1].seq
    tamper(signed.ledger, f"UPDATE record SET line = x'00ff' WHERE seq = {seq}")
    found = signed.verified()
    assert found.integrity.first_bad == seq
    assert found.integrity.signed.newest is not None


@pytest.mark.parametrize(
    "line", ["5", "x'00ff'", "(SELECT line FROM record WHERE seq = 11)"], ids=["number", "none", "another's"]
)
def test_a_line_that_cannot_be_read_hides_none_behind_it_and_counts_for_none(signed: Signed, line: str) -> None:
    # A table that stores the kind still calls the record a head.
    tamper(
        signed.ledger,
        "CREATE TABLE other AS SELECT * FROM record; DROP TABLE record; ALTER TABLE other RENAME TO record;"
        f"UPDATE record SET line = {line} WHERE seq = {signed.kept[1].seq}",
    )

    found = signed.verified()

    assert not found.integrity.holds
    assert sum(use.heads for use in found.integrity.signed.uses) == 2, "the third names the one that is gone"


def test_a_record_in_anothers_place_is_not_read_twice(signed: Signed) -> None:
    unread = signed.ledger.append("waiver.granted", run=NO_RUN, body=b"{}").seq
    tamper(
        signed.ledger,
        "CREATE TABLE other AS SELECT * FROM record; DROP TABLE record; ALTER TABLE other RENAME TO record;"
        f"UPDATE record SET kind = 'waiver.granted', line = (SELECT line FROM record WHERE seq = {unread}) WHERE seq = 6",
    )

    assert signed.verified().completeness.unread_waivers == (unread,)


def test_waivers_are_in_force_by_the_portals_day(signed: Signed) -> None:
    day = START.date() + timedelta(days=1)
    waiver = Waiver("1", "10.2", "", "no second site yet", "An", "12/QĐ", day, day)
    signed.ledger.append("waiver.granted", run=NO_RUN, body=bodies.write({"waiver": waiver}))

    def listed(hour: int) -> int:
        now = START.replace(hour=hour)
        return len(verify(signed.ledger, now=now, zone=ZONE).completeness.waivers)

    assert (listed(16), listed(17)) == (0, 1), "17:00 in UTC is midnight there"


def test_waivers_in_force_are_listed_and_change_nothing(signed: Signed) -> None:
    before = signed.verified()
    day = START.date()
    for number, days in ((1, (0, 3)), (2, (-9, -1)), (3, (0, 30))):
        waiver = Waiver(
            str(number),
            "10.2",
            "",
            "no second site yet",
            "An",
            "12/QĐ",
            day + timedelta(days[0]),
            day + timedelta(days[1]),
        )
        signed.ledger.append("waiver.granted", run=NO_RUN, body=bodies.write({"waiver": waiver}))
    withdrawal = WaiverWithdrawal("3", "it is there now", "An")
    signed.ledger.append("waiver.withdrawn", run=NO_RUN, body=bodies.write({"withdrawal": withdrawal}))
    unread = signed.ledger.append("waiver.granted", run=NO_RUN, body=b"{}").seq
    found = signed.verified()
    assert [each.waiver.id for each in found.completeness.waivers] == ["1"]
    assert found.completeness.unread_waivers == (unread,)
    assert found.completeness == replace(
        before.completeness, waivers=found.completeness.waivers, unread_waivers=(unread,)
    )
    assert found.integrity.holds == before.integrity.holds


@pytest.mark.heavy
def test_many_processes_that_sign_at_once_leave_one_line_of_heads(tmp_path: Path) -> None:
    signed = Signed(tmp_path / "state", runs=1)
    context = multiprocessing.get_context("spawn")
    processes = [context.Process(target=_sign_often, args=(str(tmp_path / "state"), number)) for number in range(3)]
    for process in processes:
        process.start()
    for process in processes:
        process.join(300)
    assert [process.exitcode for process in processes] == [0, 0, 0]
    found = verify(signed.ledger, now=START + timedelta(days=9), zone=ZONE)
    assert [str(fault.what) for fault in found.integrity.faults] == []
    assert len(list(heads(signed.ledger))) > 10


def _sign_often(folder: str, number: int) -> None:
    clock = FixedClock(START + timedelta(days=1))
    ledger = Ledger.open(Path(folder), clock, create=True)
    for turn in range(6):
        ledger.append("note", run=NO_RUN, body=bodies.write({"number": number, "turn": turn}))
        record_head(ledger, OWN, clock)
