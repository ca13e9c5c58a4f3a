"""What is acknowledged is there: after a kill, beside another writer, on a full disk, for a reader who may not write."""

from __future__ import annotations

import signal
import sqlite3
import subprocess
import sys
import tempfile
import threading
from contextlib import closing
from datetime import timedelta
from pathlib import Path

import pytest

from portalops import bodies
from portalops.errors import (
    ClockWentBack,
    IntegrityError,
    LedgerError,
    LedgerFull,
    LedgerMissing,
    RunAlreadyRecorded,
)
from portalops.ledger.blobs import BlobFolder
from portalops.ledger.ledger import Ledger
from portalops.ledger.record import NO_RUN, Draft
from portalops.model.message import msg
from portalops.model.record import Digest, RunId
from portalops.model.runs import Plan
from portalops.model.verdicts import RunOutcome
from tests.accounts import as_ordinary_user
from tests.doubles import FixedClock
from tests.ledger.ledgers import DAILY, START, WEEKLY, filled_ledger, new_ledger, tamper, verified

APPENDER = """
import sys
from pathlib import Path
from portalops.ledger.ledger import Ledger
from portalops.model.record import Digest, RunId
from portalops.system.clock import SystemClock
ledger = Ledger.open(Path(sys.argv[1]), SystemClock(), create=True)
for number in range(int(sys.argv[3])):
    record = ledger.append("note", run=RunId(""), subject=f"{sys.argv[2]}-{number}", body=sys.argv[2].encode())
    print(record.seq, flush=True)
"""

AUDITOR = """
import os, sys
from datetime import datetime, UTC
from pathlib import Path
from zoneinfo import ZoneInfo
import pydantic
from portalops.ledger.ledger import Ledger
from portalops.ledger.verify import verify
from portalops.system.clock import SystemClock
zone = ZoneInfo("Asia/Ho_Chi_Minh")
if os.geteuid() == 0:
    os.setgid(65534), os.setuid(65534)
ledger = Ledger.open(Path(sys.argv[1]), SystemClock(), create=False)
found = verify(ledger, now=datetime.now(UTC), zone=zone)
print(found.integrity.holds, found.integrity.records, found.integrity.blobs)
"""


def test_a_new_ledger_names_itself_in_its_first_record(tmp_path: Path) -> None:
    ledger = new_ledger(tmp_path)

    first = ledger.first()
    assert first is not None and first.kind == "ledger.created" and first.prev == "0" * 64
    assert bodies.read(ledger.blob(first.body))["ledger"] == ledger.id
    assert Ledger.open(tmp_path, FixedClock(START), create=True).id == ledger.id
    assert ledger.count() == 1
    assert new_ledger(tmp_path / "other").id != ledger.id


def test_a_missing_ledger_is_made_only_when_asked_for(tmp_path: Path) -> None:
    with pytest.raises(LedgerMissing):
        Ledger.open(tmp_path / "state", FixedClock(START), create=False)
    assert not (tmp_path / "state").exists()


def test_a_ledger_that_was_cut_off_at_its_birth_is_missing_and_can_be_made(tmp_path: Path) -> None:
    (tmp_path / "ledger.sqlite").touch()

    with pytest.raises(LedgerMissing):
        Ledger.open(tmp_path, FixedClock(START), create=False)
    assert new_ledger(tmp_path).count() == 1


def test_a_state_folder_of_another_account_is_told_and_no_ledger_is_said_to_be_missing(tmp_path: Path) -> None:
    new_ledger(tmp_path / "before")  # all that is imported late is imported

    with as_ordinary_user() as folder:
        new_ledger(folder / "state")
        (folder / "state").chmod(0)
        with pytest.raises(LedgerError, match="Permission denied") as caught:
            Ledger.open(folder / "state", FixedClock(START), create=False)
        (folder / "state").chmod(0o700)

    assert not isinstance(caught.value, LedgerMissing)
    assert str(folder / "state") in str(caught.value.hint)


@pytest.mark.parametrize("content", [b"nonsense" * 1000, b"SQLite format 3\0" + b"\0" * 4080])
def test_another_file_is_refused(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "ledger.sqlite").write_bytes(content)

    for create in (True, False):
        with pytest.raises(LedgerError):
            Ledger.open(tmp_path, FixedClock(START), create=create)
    assert (tmp_path / "ledger.sqlite").read_bytes() == content


def test_another_database_is_refused(tmp_path: Path) -> None:
    with closing(sqlite3.connect(tmp_path / "ledger.sqlite")) as connection:
        connection.execute("CREATE TABLE something (x)")

    with pytest.raises(LedgerError, match="is not a ledger"):
        Ledger.open(tmp_path, FixedClock(START), create=True)


def test_a_newer_ledger_is_refused(tmp_path: Path) -> None:
    tamper(new_ledger(tmp_path), "PRAGMA user_version = 3")

    with pytest.raises(LedgerError, match="version 3, not 2"):
        Ledger.open(tmp_path, FixedClock(START), create=False)


def test_records_are_found_by_kind_run_and_time(tmp_path: Path) -> None:
    ledger = filled_ledger(tmp_path)

    assert [record.seq for record in ledger.records()] == list(range(1, 10))
    assert [record.seq for record in ledger.records(kinds=("check.finished",), newest_first=True, limit=2)] == [9, 7]
    assert [record.seq for record in ledger.records(run="12.4-testing:daily-check:2026-11-24")] == [4, 5]
    assert [record.seq for record in ledger.records(since=START + timedelta(days=3))] == [8, 9]
    assert [record.seq for record in ledger.records(until=START + timedelta(minutes=10))] == [1, 2]
    assert list(ledger.records(kinds=())) == []
    assert ledger.has("12.4-testing:daily-check:2026-11-24", "check.finished")
    assert not ledger.has("12.4-testing:daily-check:2026-11-24", "backup.finished")
    assert ledger.record(3) == list(ledger.records())[2]
    assert ledger.record(99) is None


def test_runs_are_those_that_started_in_the_span(tmp_path: Path) -> None:
    ledger = filled_ledger(tmp_path)
    ledger._clock.move(timedelta(days=1))  # type: ignore[attr-defined]
    ledger.append("backup.started", run=RunId("10.2:weekly-backup:2026-W48"), subject="weekly-backup", body=b"{}")

    runs = ledger.runs(since=START + timedelta(days=2), until=START + timedelta(days=10))

    assert [(run.kind, run.started_seq, run.finished_seq) for run in runs] == [
        ("check", 6, 7),
        ("check", 8, 9),
        ("backup", 10, None),
    ]
    assert [run.started_seq for run in ledger.runs(kinds=("backup",))] == [10]
    (early,) = ledger.runs(until=START + timedelta(minutes=6))
    assert early.finished_seq == 3, "when it finished does not matter"


def test_a_run_starts_once_and_finishes_once(tmp_path: Path) -> None:
    ledger = filled_ledger(tmp_path)
    run = RunId("12.4-testing:daily-check:2026-11-24")

    for kind in ("check.started", "check.finished"):
        with pytest.raises(RunAlreadyRecorded):
            ledger.append(kind, run=run, body=b"{}")
    ledger.append("finding.seen", run=run, body=b"{}")
    ledger.append("finding.seen", run=run, body=b"{}")
    ledger.append("note.started", run=NO_RUN, body=b"{}")
    ledger.append("note.started", run=NO_RUN, body=b"{}")

    assert ledger.count() == 13
    assert verified(ledger).integrity.holds


def test_a_ledger_that_begins_beside_evidence_of_another_says_so(tmp_path: Path) -> None:
    first = new_ledger(tmp_path)
    assert not first.begun_beside_evidence
    first.close()
    assert not new_ledger(tmp_path).begun_beside_evidence

    (tmp_path / "ledger.sqlite").unlink()

    assert new_ledger(tmp_path).begun_beside_evidence


def test_a_clock_that_went_back_is_refused(tmp_path: Path) -> None:
    clock = FixedClock(START)
    ledger = new_ledger(tmp_path, clock)
    clock.move(timedelta(milliseconds=-1))

    with pytest.raises(ClockWentBack):
        ledger.append("note", run=NO_RUN, body=b"{}")
    with pytest.raises(ClockWentBack):
        ledger.require_clock()

    assert ledger.count() == 1
    clock.move(timedelta(milliseconds=1))
    ledger.require_clock()
    assert ledger.append("note", run=NO_RUN, body=b"{}").seq == 2


def test_what_is_decided_from_the_ledger_rests_on_every_record_before_it(tmp_path: Path) -> None:
    """Each of several writers records how many it found: were one of them not to see another's record, two would agree."""
    new_ledger(tmp_path).close()

    def count_up() -> None:
        ledger = Ledger.open(tmp_path, FixedClock(START), create=True)
        for _each in range(10):
            ledger.append_decided(
                lambda: (ledger.draft("note", subject=str(ledger.count()), body=ledger.keep(b"{}\n")),)
            )
        ledger.close()

    writers = [threading.Thread(target=count_up) for _each in range(4)]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join()

    ledger = Ledger.open(tmp_path, FixedClock(START), create=False)
    assert [record.subject for record in ledger.records(kinds=("note",))] == [str(number) for number in range(1, 41)]
    assert verified(ledger).integrity.holds


def test_nothing_is_recorded_where_it_is_decided_so_or_deciding_fails(tmp_path: Path) -> None:
    ledger = new_ledger(tmp_path)

    def refuse() -> tuple[Draft, ...]:
        raise LedgerMissing(msg("no"), msg("No."))

    assert ledger.append_many(()) == ()
    assert ledger.append_decided(tuple) == ()
    with pytest.raises(LedgerMissing):
        ledger.append_decided(refuse)

    assert ledger.append("note", run=NO_RUN, body=b"{}").seq == 2


def test_records_are_never_changed_or_deleted(tmp_path: Path) -> None:
    new_ledger(tmp_path)

    with closing(sqlite3.connect(tmp_path / "ledger.sqlite")) as connection:
        for statement in ("UPDATE record SET line = x'00'", "DELETE FROM record", "DELETE FROM tail"):
            with pytest.raises(sqlite3.IntegrityError, match="never"):
                connection.execute(statement)


def test_nothing_is_appended_to_a_changed_end(tmp_path: Path) -> None:
    ledger = filled_ledger(tmp_path)
    tamper(ledger, "DELETE FROM record WHERE seq = 9")

    with pytest.raises(IntegrityError):
        ledger.append("note", run=NO_RUN, body=b"{}")


def test_texts_are_recorded_in_nfc(tmp_path: Path) -> None:
    ledger = new_ledger(tmp_path)

    assert ledger.append("note", run=NO_RUN, subject="ba\u0309n", body=b"{}").subject == "b\u1ea3n"
    with pytest.raises(LedgerError):
        ledger.append("note", run=NO_RUN, subject="a\nb", body=b"{}")


def test_a_ledger_opened_for_reading_refuses_to_append(tmp_path: Path) -> None:
    filled_ledger(tmp_path).close()
    ledger = Ledger.open(tmp_path, FixedClock(START), create=False)

    with pytest.raises(LedgerError, match="reading only"):
        ledger.append("note", run=NO_RUN, body=b"{}")


def test_plans_and_outcomes_are_read_from_their_blobs(tmp_path: Path) -> None:
    ledger = new_ledger(tmp_path)
    assert ledger.plan() is None
    for configuration in ("a", "b"):
        plan = Plan((DAILY, WEEKLY), "kh@1", Digest(configuration * 64))
        ledger.append("plan", run=NO_RUN, body=bodies.write({"plan": plan}))
    ledger.append("check.started", run=RunId("a:b:c"), body=b"{}")
    summary = {"outcome": "complete", "exit_code": 0, "started_at": START, "finished_at": START, "problems": ()}
    ledger.append("check.finished", run=RunId("a:b:c"), body=bodies.write({"run": summary}))

    assert ledger.plan() == plan
    assert [recorded.plan.configuration[0] for recorded in ledger.plans()] == ["a", "b"]
    (run,) = ledger.runs()
    assert ledger.outcome(run) is RunOutcome.COMPLETE
    assert run.body is not None
    BlobFolder(ledger.folder / "blobs").path(run.body).unlink()
    assert ledger.outcome(run) is None, "what cannot be read is unknown"


def test_several_processes_append_at_once_and_nothing_is_lost(tmp_path: Path) -> None:
    appenders = [
        subprocess.Popen([sys.executable, "-c", APPENDER, tmp_path, name, "40"], stdout=subprocess.PIPE)
        for name in ("one", "two", "three")
    ]
    seqs = [int(line) for each in appenders for line in each.communicate()[0].split()]

    assert all(each.returncode == 0 for each in appenders)
    assert sorted(seqs) == list(range(2, 122))
    ledger = Ledger.open(tmp_path, FixedClock(START), create=False)
    assert ledger.count() == 121
    assert verified(ledger).integrity.holds
    assert len({record.subject for record in ledger.records(kinds=("note",))}) == 120


def test_threads_of_one_process_may_each_open_the_ledger(tmp_path: Path) -> None:
    new_ledger(tmp_path)

    def append() -> None:
        ledger = Ledger.open(tmp_path, FixedClock(START), create=True)
        for _number in range(10):
            ledger.append("note", run=NO_RUN, body=b"{}")
        ledger.close()

    threads = [threading.Thread(target=append) for _number in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert new_ledger(tmp_path).count() == 31


def test_what_was_acknowledged_survives_a_kill(tmp_path: Path) -> None:
    appender = subprocess.Popen([sys.executable, "-c", APPENDER, tmp_path, "one", "100000"], stdout=subprocess.PIPE)
    assert appender.stdout is not None
    acknowledged = [int(appender.stdout.readline()) for _number in range(25)]

    appender.send_signal(signal.SIGKILL)
    acknowledged += [int(line) for line in appender.communicate()[0].split(b"\n")[:-1]]

    ledger = Ledger.open(tmp_path, FixedClock(START), create=False)
    last = ledger.last()
    assert last is not None and last.seq in {acknowledged[-1], acknowledged[-1] + 1}
    assert verified(ledger).integrity.holds


def test_a_full_disk_loses_nothing_that_was_acknowledged(tmp_path: Path) -> None:
    program = f"import resource\nresource.setrlimit(resource.RLIMIT_FSIZE, (200_000, 200_000))\n{APPENDER}"

    done = subprocess.run(
        [sys.executable, "-c", program, tmp_path, "one", "100000"], capture_output=True, text=True, check=False
    )

    assert "LedgerFull: cannot write to the ledger" in done.stderr
    acknowledged = [int(line) for line in done.stdout.split()]
    ledger = Ledger.open(tmp_path, FixedClock(START), create=False)
    assert ledger.count() == acknowledged[-1] > 5
    assert verified(ledger).integrity.holds


def test_a_state_folder_that_cannot_be_made_is_a_clear_error(tmp_path: Path) -> None:
    (tmp_path / "state").touch()

    with pytest.raises(LedgerFull, match="cannot write to the ledger"):
        Ledger.open(tmp_path / "state", FixedClock(START), create=True)


@pytest.mark.parametrize("writer_is_open", [True, False])
def test_an_auditor_without_the_right_to_write_can_read(writer_is_open: bool) -> None:
    with tempfile.TemporaryDirectory() as name:  # tmp_path lies in a folder that is closed to others
        folder = Path(name)
        folder.chmod(0o755)
        ledger = filled_ledger(folder)
        if not writer_is_open:
            ledger.close()
        _let_read_alone(folder)  # a copy that was opened to an auditor: portalops itself lets nobody in
        before = _modified(folder)

        done = subprocess.run([sys.executable, "-c", AUDITOR, folder], capture_output=True, text=True, check=False)

        assert done.stdout.split() == ["True", "9", "9"], done.stderr
        assert _modified(folder) == before
        _let_write_again(folder)
        ledger.close()


def _let_read_alone(folder: Path) -> None:
    for path in (*folder.rglob("*"), folder):
        path.chmod(0o555 if path.is_dir() else 0o444)


def _let_write_again(folder: Path) -> None:
    for path in (folder, *folder.rglob("*")):
        path.chmod(0o755 if path.is_dir() else 0o644)


def _modified(folder: Path) -> dict[Path, int]:
    """Return when each file was written last; SQLite's shared memory is no file of ours."""
    return {path: path.stat().st_mtime_ns for path in folder.rglob("*") if not path.name.endswith("-shm")}


def test_a_view_is_of_one_moment(tmp_path: Path) -> None:
    writer = filled_ledger(tmp_path)
    reader = Ledger.open(tmp_path, FixedClock(START), create=False)
    with reader.view():
        before = [record.seq for record in reader.records()]
        writer.append("note", run=NO_RUN, body=b"{}")
        assert [record.seq for record in reader.records(since=START)] == before
        assert [record.seq for record in reader.records(since=START, until=START + timedelta(days=900))] == before
        with reader.view():
            assert reader.count() == len(before)
        assert reader.count() == len(before)

    assert reader.count() == len(before) + 1


def test_what_cannot_be_read_in_a_view_is_the_same_error_as_elsewhere(tmp_path: Path) -> None:
    filled_ledger(tmp_path).close()
    reader = Ledger.open(tmp_path, FixedClock(START), create=False)
    with sqlite3.connect(tmp_path / "ledger.sqlite") as connection:
        connection.execute("DROP TABLE record")

    with reader.view(), pytest.raises(LedgerError, match="no such table"):
        reader.count()
