"""Every change behind the ledger's back is found, and the first record that cannot be trusted is named."""

from __future__ import annotations

import json
import sqlite3
import tempfile
from contextlib import closing
from datetime import datetime, timedelta
from pathlib import Path
from unittest.mock import patch

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from portalops import bodies
from portalops.ledger import chain
from portalops.ledger.blobs import BlobFolder
from portalops.ledger.circumstances import Circumstances
from portalops.ledger.ledger import Ledger
from portalops.ledger.record import Draft, encode, line_digest, parse
from portalops.ledger.runs import record_plan
from portalops.ledger.tables import MAKE
from portalops.ledger.verify import verify
from portalops.model.heads import Erasure
from portalops.model.record import Digest, Record, RunId
from portalops.model.runs import Plan
from portalops.system.locks import locked
from tests.doubles import FixedClock
from tests.ledger.ledgers import DAILY, START, WEEKLY, ZONE, filled_ledger, new_ledger, tamper, verified

WHO = Circumstances(0, None, "", "web1", "", "0.1.0", Digest("a" * 64), ("portalops", "run"), None)


def test_an_untouched_ledger_holds(tmp_path: Path) -> None:
    ledger = filled_ledger(tmp_path)

    found = verified(ledger)

    assert found.integrity.holds
    assert found.integrity.records == ledger.count() == 9
    assert found.integrity.blobs == 9
    assert found.ledger == ledger.id
    last = ledger.last()
    assert last is not None and found.integrity.head == line_digest(last.line)


@pytest.mark.parametrize("seq", [1, 2, 5, 8, 9])
def test_an_edited_line_is_named(tmp_path: Path, seq: int) -> None:
    ledger = filled_ledger(tmp_path)

    tamper(ledger, "UPDATE record SET line = CAST(replace(line, '.', ',') AS BLOB) WHERE seq = ?", (seq,))

    assert verified(ledger).integrity.first_bad == seq


@pytest.mark.parametrize("seq", [2, 5, 8, 9])
def test_a_line_made_anew_is_named(tmp_path: Path, seq: int) -> None:
    ledger = filled_ledger(tmp_path)

    record = ledger.record(seq)
    assert record is not None
    forged = encode(
        Draft(record.kind, record.body, record.run, "other", record.duty), seq=seq, at=record.at, prev=record.prev
    )
    tamper(ledger, "UPDATE record SET line = ? WHERE seq = ?", (forged.line, seq))

    assert verified(ledger).integrity.first_bad == seq


@pytest.mark.parametrize("column", ["at", "kind", "run", "subject", "duty", "body", "prev"])
def test_an_edited_column_of_a_table_that_stores_them_is_named(tmp_path: Path, column: str) -> None:
    ledger = filled_ledger(tmp_path)

    tamper(ledger, "CREATE TABLE other AS SELECT * FROM record; DROP TABLE record; ALTER TABLE other RENAME TO record;")
    assert verified(ledger).integrity.holds
    tamper(ledger, f"UPDATE record SET {column} = replace({column}, substr({column}, 2, 1), 'x') WHERE seq = 4")

    found = verified(ledger)
    assert found.integrity.first_bad == 4
    assert column in str(found.integrity.faults[0].what)


@pytest.mark.parametrize("seq", [1, 2, 6])
def test_a_deleted_record_is_named(tmp_path: Path, seq: int) -> None:
    ledger = filled_ledger(tmp_path)

    tamper(ledger, f"DELETE FROM record WHERE seq = {seq}")

    found = verified(ledger)
    assert found.integrity.first_bad == seq
    assert "missing" in str(found.integrity.faults[0].what)


def test_a_cut_tail_is_named(tmp_path: Path) -> None:
    ledger = filled_ledger(tmp_path)

    tamper(ledger, "DELETE FROM record WHERE seq >= 8")

    found = verified(ledger)
    assert found.integrity.first_bad == 8
    assert str(found.integrity.faults[0].what) == "records 8 to 9 are missing"


def test_a_deletion_that_moves_the_rest_up_is_named(tmp_path: Path) -> None:
    ledger = filled_ledger(tmp_path)

    tamper(ledger, "DELETE FROM record WHERE seq = 5; UPDATE record SET seq = seq - 1 WHERE seq > 5")

    assert verified(ledger).integrity.first_bad == 5


def test_an_inserted_record_is_named(tmp_path: Path) -> None:
    ledger = filled_ledger(tmp_path)
    before = ledger.record(4)
    assert before is not None

    forged = encode(Draft("check.finished", before.body), seq=5, at=before.at, prev=line_digest(before.line))
    tamper(ledger, "UPDATE record SET seq = -seq - 1 WHERE seq >= 5; UPDATE record SET seq = -seq WHERE seq < 0")
    _insert(ledger, forged)

    assert verified(ledger).integrity.first_bad == 5


def test_a_record_added_at_the_end_is_named(tmp_path: Path) -> None:
    ledger = filled_ledger(tmp_path)
    last = ledger.last()
    assert last is not None

    _insert(ledger, encode(Draft("check.finished", last.body), seq=10, at=last.at, prev=line_digest(last.line)))

    assert verified(ledger).integrity.first_bad == 10


def test_two_records_in_each_others_place_are_named(tmp_path: Path) -> None:
    ledger = filled_ledger(tmp_path)

    tamper(
        ledger,
        "UPDATE record SET seq = -1 WHERE seq = 4; UPDATE record SET seq = 4 WHERE seq = 5;"
        "UPDATE record SET seq = 5 WHERE seq = -1",
    )

    assert verified(ledger).integrity.first_bad == 4


def test_a_rewritten_time_that_goes_back_is_named(tmp_path: Path) -> None:
    ledger = filled_ledger(tmp_path)
    records = list(ledger.records())

    _rechain(ledger, records, from_seq=6, at_of_first=START - timedelta(days=1))

    assert verified(ledger).integrity.first_bad == 6


def test_a_tail_without_its_record_is_named(tmp_path: Path) -> None:
    ledger = filled_ledger(tmp_path)

    tamper(ledger, "DELETE FROM tail")

    assert verified(ledger).integrity.first_bad == 9


def test_a_table_made_anew_with_odd_values_is_named(tmp_path: Path) -> None:
    ledger = filled_ledger(tmp_path)

    tamper(
        ledger,
        "CREATE TABLE other AS SELECT * FROM record; DROP TABLE record; ALTER TABLE other RENAME TO record;"
        "UPDATE record SET line = 5, at = NULL WHERE seq = 3; INSERT INTO record SELECT * FROM record WHERE seq = 7;"
        "UPDATE record SET seq = 'x' WHERE seq = 9",
    )

    found = verified(ledger)
    assert found.integrity.first_bad == 3
    assert found.integrity.fault_count >= 3


def test_a_changed_blob_is_named(tmp_path: Path) -> None:
    ledger = filled_ledger(tmp_path)
    other = Path(_blob_file(ledger, 6)).read_bytes()

    _overwrite(_blob_file(ledger, 5), other)

    found = verified(ledger)
    assert found.integrity.first_bad == 5
    assert "does not match its digest" in str(found.integrity.faults[0].what)


def test_a_truncated_blob_is_named(tmp_path: Path) -> None:
    ledger = filled_ledger(tmp_path)
    path = _blob_file(ledger, 5)

    _overwrite(path, path.read_bytes()[:-3])

    found = verified(ledger)
    assert found.integrity.first_bad == 5
    assert "is truncated" in str(found.integrity.faults[0].what)


@pytest.mark.parametrize("read_blobs", [True, False])
def test_a_missing_blob_is_named(tmp_path: Path, read_blobs: bool) -> None:
    ledger = filled_ledger(tmp_path)

    _blob_file(ledger, 5).unlink()

    found = verified(ledger, read_blobs=read_blobs)
    assert found.integrity.first_bad == 5
    assert "missing" in str(found.integrity.faults[0].what)


def test_evidence_that_a_result_rests_on_is_looked_at_too(tmp_path: Path) -> None:
    ledger = new_ledger(tmp_path)
    probe = ledger.keep(b"PermitRootLogin no\n")
    ledger.append("check.finished", run=RunId("r"), body=bodies.write({"check": {"results": [{"evidence": [probe]}]}}))
    assert verified(ledger).integrity.blobs == 3

    BlobFolder(ledger.folder / "blobs").path(probe).unlink()

    assert verified(ledger).integrity.first_bad == 2


def test_every_blob_of_a_record_is_looked_at_whatever_is_found_of_the_others(tmp_path: Path) -> None:
    # Of one record they are looked at from the greatest digest to the least.
    ledger = new_ledger(tmp_path)
    first, second, third, last = sorted((ledger.keep(bytes([n])) for n in range(4)), reverse=True)
    for run, probes in (("r", [first]), ("s", [first, second, third, last])):
        body = bodies.write({"check": {"results": [{"evidence": probes}]}})
        ledger.append("check.finished", run=RunId(run), body=body)
    assert verified(ledger).integrity.blobs == 7

    for digest in (second, third, last):
        BlobFolder(ledger.folder / "blobs").path(digest).unlink()
    assert (verified(ledger).integrity.first_bad, verified(ledger).integrity.fault_count) == (3, 3)

    ledger.append("blob.erased", run=RunId(""), body=bodies.write({"erased": Erasure(second, "asked for", "An")}))
    assert verified(ledger).integrity.fault_count == 2


def test_a_body_that_is_no_digest_hides_no_missing_blob(tmp_path: Path) -> None:
    ledger = filled_ledger(tmp_path)
    tamper(ledger, "CREATE TABLE other AS SELECT * FROM record; DROP TABLE record; ALTER TABLE other RENAME TO record;")
    tamper(ledger, "UPDATE record SET body = 'x' WHERE seq = 3")
    _blob_file(ledger, 5).unlink()

    assert 5 in {fault.seq for fault in verified(ledger).integrity.faults}


def test_blobs_are_read_unless_somebody_asks_for_less(tmp_path: Path) -> None:
    ledger = filled_ledger(tmp_path)
    _overwrite(_blob_file(ledger, 5), b"{}")

    assert verify(ledger, now=START, zone=ZONE).integrity.first_bad == 5
    assert verified(ledger, read_blobs=False).integrity.holds


def test_a_ledger_of_which_the_first_details_are_gone_has_no_known_id(tmp_path: Path) -> None:
    ledger = filled_ledger(tmp_path)
    _blob_file(ledger, 1).unlink()

    found = verified(Ledger.open(tmp_path, FixedClock(START), create=False))

    assert (found.ledger, found.integrity.first_bad) == ("", 1)


def test_an_index_that_hides_a_record_is_named_with_what_the_database_says(tmp_path: Path) -> None:
    ledger = filled_ledger(tmp_path)
    (true,) = (statement for statement in MAKE if "INDEX record_kind " in statement)
    quoted = true.replace("'", "''")
    tamper(
        ledger,
        "DROP INDEX record_kind; CREATE INDEX record_kind ON record ((CASE WHEN seq = 4 THEN 'x' ELSE kind END));"
        f" PRAGMA writable_schema = ON; UPDATE sqlite_schema SET sql = '{quoted}' WHERE name = 'record_kind'",
    )

    (fault,) = verified(Ledger.open(tmp_path, FixedClock(START), create=False)).integrity.faults

    assert fault.seq == 4
    assert str(fault.what) == "an index of the database does not list a record: row 4 missing from index record_kind"


@pytest.mark.parametrize("size", [1, 2, 3, 4, 9, 10])
def test_an_untouched_ledger_holds_in_chunks_of_any_size(tmp_path: Path, size: int) -> None:
    ledger = filled_ledger(tmp_path)
    ledger._clock.move(timedelta(days=1))  # type: ignore[attr-defined]
    ledger.append("note", run=RunId(""), subject='bản "sao" \\ ổn', body=b"{}")
    told: list[int] = []

    with patch.object(chain, "_CHUNK", size):
        found = verify(ledger, now=START, zone=ZONE, advance=told.append)

    assert found.integrity.holds
    assert sum(told) == found.integrity.records == 10


def test_letters_beyond_ascii_are_told_from_wrong_ones(tmp_path: Path) -> None:
    ledger = new_ledger(tmp_path)
    ledger.append("note", run=RunId(""), subject="bản sao", body=b"{}")
    assert verified(ledger).integrity.holds

    tamper(
        ledger,
        "UPDATE record SET line = CAST(replace(line, 'bản', 'ba\u0309n') AS BLOB) WHERE seq = 2;",
    )

    assert verified(ledger).integrity.first_bad == 2


def test_what_is_appended_while_verifying_is_no_fault(tmp_path: Path) -> None:
    ledger = filled_ledger(tmp_path)
    writer = Ledger.open(tmp_path, FixedClock(START + timedelta(days=9)), create=True)

    with ledger.snapshot() as snapshot:
        chunks = snapshot.chunks(2)
        next(chunks)
        writer.append("note", run=RunId(""), body=b"{}")
        faults = chain.Faults()
        found = chain.check_chain(snapshot, faults)

    assert (found.records, faults.count) == (9, 0)
    assert verified(ledger).integrity.records == 10


def test_a_started_run_without_an_end_is_listed_as_crashed(tmp_path: Path) -> None:
    ledger = filled_ledger(tmp_path)
    ledger._clock.move(timedelta(days=1))  # type: ignore[attr-defined]
    ledger.append("backup.started", run=RunId("10.2:weekly-backup:2026-W48"), subject="weekly-backup", body=b"{}")

    found = verified(ledger)

    assert found.integrity.holds
    assert [run.id for run in found.completeness.crashed] == ["10.2:weekly-backup:2026-W48"]
    assert not found.completeness.running


def test_a_started_run_whose_lock_is_held_is_running(tmp_path: Path) -> None:
    ledger = filled_ledger(tmp_path)
    run = RunId("10.2:weekly-backup:2026-W48")
    ledger._clock.move(timedelta(days=1))  # type: ignore[attr-defined]
    ledger.append("backup.started", run=run, subject="weekly-backup", body=b"{}")

    with locked(tmp_path / "locks" / "job-weekly-backup.lock", holder=run):
        found = verified(ledger)

    assert [each.id for each in found.completeness.running] == [run]
    assert not found.completeness.crashed


def test_planned_slots_without_a_run_are_missing(tmp_path: Path) -> None:
    clock = FixedClock(START)
    ledger = new_ledger(tmp_path, clock)
    record_plan(ledger, Plan((DAILY, WEEKLY), "kh@1", Digest("a" * 64)), WHO)
    clock.move(timedelta(days=2))
    ledger.append("check.started", run=RunId("12.4-testing:daily-check:2026-11-25"), subject="daily-check", body=b"{}")

    found = verified(ledger)

    missing = [(slot.job.id, slot.name) for slot in found.completeness.missing]
    assert ("daily-check", "2026-11-24") in missing and ("daily-check", "2026-11-26") in missing
    assert ("daily-check", "2026-11-25") not in missing
    assert ("daily-check", "2026-11-23") not in missing, "the plan began in the middle of this day"
    assert not found.completeness.holds and found.integrity.holds


def test_without_a_plan_nobody_can_tell_whether_a_run_is_missing(tmp_path: Path) -> None:
    ledger = filled_ledger(tmp_path)
    ledger.append("check.started", run=RunId("12.4-testing:daily-check:2026-11-27"), subject="daily-check", body=b"{}")
    ledger.append("check.finished", run=RunId("r"), body=b"{}")

    before = verified(ledger).completeness
    record_plan(ledger, Plan((), "kh@1", Digest("a" * 64)), WHO)
    after = verified(ledger).completeness

    assert before.problem is not None and "no plan is recorded" in str(before.problem)
    assert not before.holds
    assert ([each.started_seq for each in before.crashed], [each.seq for each in before.unbegun]) == ([10], [11])
    assert after.problem is None
    assert (after.crashed, after.unbegun) == (before.crashed, before.unbegun), "what is known is listed in either case"


def test_runs_are_listed_where_a_plan_cannot_be_read(tmp_path: Path) -> None:
    ledger = filled_ledger(tmp_path)
    ledger.append("plan", run=RunId(""), body=b"{}")
    ledger.append("check.started", run=RunId("12.4-testing:daily-check:2026-11-27"), subject="daily-check", body=b"{}")

    found = verified(ledger).completeness

    assert found.problem is not None and not found.missing
    assert [each.started_seq for each in found.crashed] == [11]


def test_a_record_that_cannot_be_read_leaves_it_unknown_which_runs_ended(tmp_path: Path) -> None:
    ledger = filled_ledger(tmp_path)
    record_plan(ledger, Plan((), "kh@1", Digest("a" * 64)), WHO)
    tamper(ledger, "UPDATE record SET line = CAST(replace(line, '\"seq\"', '\"sqe\"') AS BLOB) WHERE seq = 3")

    found = verified(ledger).completeness

    assert found.problem is not None
    assert found.crashed == () and found.unbegun == (), "record 3 ends what record 2 began"


def test_a_finished_record_without_its_start_is_listed(tmp_path: Path) -> None:
    ledger = new_ledger(tmp_path)
    ledger.append("check.finished", run=RunId("r"), body=b"{}")

    assert [record.seq for record in verified(ledger).completeness.unbegun] == [2]


@pytest.mark.heavy
@settings(max_examples=60, deadline=None)
@given(st.data())
def test_any_changed_byte_of_any_line_is_found_at_its_record(data: st.DataObject) -> None:
    with tempfile.TemporaryDirectory() as folder:
        ledger = filled_ledger(Path(folder), runs=2)
        record = data.draw(st.sampled_from(list(ledger.records())))
        place = data.draw(st.integers(0, len(record.line) - 1))
        letter = data.draw(st.integers(0, 255).filter(lambda value: value != record.line[place]))
        changed = record.line[:place] + bytes([letter]) + record.line[place + 1 :]
        size = data.draw(st.sampled_from([1, 2, 3, 100]))

        tamper(ledger, "UPDATE record SET line = ? WHERE seq = ?", (changed, record.seq))

        # Of two lines that do not join, nobody can tell which was changed: trust ends with the first.
        at = record.line.index(b'"prev":"') + len('"prev":"')
        joins_no_more = at <= place < at + 64 and chr(letter) in "0123456789abcdef"
        expected = max(record.seq - 1, 1) if joins_no_more else record.seq
        with patch.object(chain, "_CHUNK", size):
            assert verified(ledger, read_blobs=False).integrity.first_bad == expected
        ledger.close()


@settings(max_examples=40, deadline=None)
@given(st.data())
def test_any_record_with_another_value_is_found_at_its_place(data: st.DataObject) -> None:
    with tempfile.TemporaryDirectory() as folder:
        ledger = filled_ledger(Path(folder), runs=2)
        record = data.draw(st.sampled_from(list(ledger.records())))
        name = data.draw(st.sampled_from(["kind", "run", "subject", "duty"]))
        fields = json.loads(record.line)
        fields[name] = data.draw(st.sampled_from(["a", "b.c", "d-e"]))
        line = json.dumps(fields, separators=(",", ":"), sort_keys=True).encode()

        tamper(ledger, "UPDATE record SET line = ? WHERE seq = ?", (line, record.seq))

        assert parse(line).seq == record.seq
        assert verified(ledger, read_blobs=False).integrity.first_bad == record.seq
        ledger.close()


def _blob_file(ledger: Ledger, seq: int) -> Path:
    record = ledger.record(seq)
    assert record is not None
    return BlobFolder(ledger.folder / "blobs").path(record.body)


def _overwrite(path: Path, data: bytes) -> None:
    path.unlink()
    path.write_bytes(data)


def _insert(ledger: Ledger, record: Record) -> None:
    tamper(ledger, "INSERT INTO record (seq, line) VALUES (?, ?)", (record.seq, record.line))


def _rechain(ledger: Ledger, records: list[Record], *, from_seq: int, at_of_first: datetime) -> None:
    """Rewrite everything from a record on, as whoever holds the file could: only the time gives it away."""
    prev = line_digest(records[from_seq - 2].line)
    with closing(sqlite3.connect(ledger.folder / "ledger.sqlite")) as connection:
        connection.executescript("DROP TRIGGER record_not_changed; DROP TRIGGER record_not_deleted;")
        connection.execute("DELETE FROM record WHERE seq >= ?", (from_seq,))
        connection.commit()
    for record in records[from_seq - 1 :]:
        at = at_of_first if record.seq == from_seq else record.at
        forged = encode(
            Draft(record.kind, record.body, record.run, record.subject, record.duty),
            seq=record.seq,
            at=at,
            prev=prev,
        )
        _insert(ledger, forged)
        prev = line_digest(forged.line)
    tamper(ledger, "UPDATE tail SET head = ?", (prev,))
