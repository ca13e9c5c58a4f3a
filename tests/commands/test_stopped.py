"""Each state that stops the ledger is brought about, and the cure of docs/stopped.md leads out of it."""

from __future__ import annotations

import json
import re
import resource
import shutil
import signal
import sqlite3
import subprocess
import sys
import textwrap
from contextlib import closing
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from commands.cli.entry import run
from portalops import bodies
from portalops.config.keys import make_next_key
from portalops.errors import ExitCode, PortalOpsError
from portalops.ledger.bundle import verify_bundle
from portalops.ledger.heads import record_head
from portalops.ledger.heeded import FILE as CHECKED
from portalops.ledger.ledger import Ledger
from portalops.ledger.postgresql_tables import script
from portalops.ledger.record import NO_RUN, Draft, encode, line_digest, parse
from portalops.ledger.set_aside import stored_lines
from portalops.model.record import Digest
from portalops.signatures.sshsig import SigningKey
from portalops.system.clock import SystemClock
from tests.backups.postgresql.parts import PORT, Server, versions
from tests.commands.signed_home import CONFIGURATION, SIGNING, Home
from tests.commands.test_ledger_mend_clock import mend, run_ahead
from tests.commands.test_ledger_mend_clock import options as mending
from tests.commands.test_ledger_quarantine import NOT_A_RECORD, home, put_line, set_aside
from tests.doubles import FixedClock

__all__ = ["home"]

WORKED = {ExitCode.OK, ExitCode.UNMET, ExitCode.PARTIAL}
DOCS = Path(__file__).parent.parent.parent / "docs"
HOLDER = """
    import sys, time
    from pathlib import Path
    from portalops.ledger.folder_locks import FolderLocks
    with FolderLocks(Path(sys.argv[1])).held("signing", holder="x"), FolderLocks(Path(sys.argv[1])).held("run", holder="x"):
        print("held", flush=True)
        time.sleep(600)
"""


def require_all_well(home: Home) -> None:
    """Make sure that the ledger is whole, signs, and takes a run's records."""
    assert home.call("head")["problem"] in {None, ""}
    assert home.call("verify")["integrity"]["holds"]
    code = run(["--config", str(home.folder / "portalops.toml"), "--json", "run"], {})
    said = json.loads(home.capsys.readouterr().out)
    assert said["error"] is None and code in WORKED, said


def problem(home: Home) -> str:
    """Return why no head can be signed."""
    return str(home.call("head")["problem"])


def record_as_a_stranger(home: Home, kind: str, **parts: object) -> int:
    ledger = Ledger.open(home.folder / "state", SystemClock(), create=True)
    seq = ledger.append(kind, run=NO_RUN, body=bodies.write(parts)).seq
    ledger.close()
    return seq


@pytest.mark.parametrize("page", ["stopped.md", "stopped.vi.md"])
def test_the_page_names_each_error_of_the_ledger(page: str) -> None:
    text = (DOCS / page).read_text(encoding="utf-8")
    codes = {each.code for each in _classes(PortalOpsError) if each.code.startswith("PO11")}

    assert codes <= set(re.findall(r"PO\d{4}", text))


def test_a_lost_key_is_replaced_by_one_that_speaks_for_itself(home: Home) -> None:
    home.key.rename(home.folder / "lost")
    assert "No such file" in problem(home)

    home.call("rotate-key", "--lost", "--reason", "mất khóa")

    require_all_well(home)


def test_a_key_that_cannot_be_read_is_moved_away_and_replaced(home: Home) -> None:
    home.key.write_text("x")
    assert "not an Ed25519 private key" in problem(home)

    home.key.rename(home.folder / "unreadable")
    home.call("rotate-key", "--lost", "--reason", "hỏng khóa")

    require_all_well(home)


def test_an_interrupted_change_of_keys_is_ended_by_the_same_command(home: Home) -> None:
    make_next_key(home.key)

    home.call("rotate-key", "--reason", "hết năm")

    require_all_well(home)


def test_a_key_that_a_stranger_retired_signs_on_and_is_no_fault_once_that_is_set_aside(home: Home) -> None:
    public_key = " ".join(home.key.with_suffix(".pub").read_text().split()[:2])
    seq = record_as_a_stranger(home, "key.retired", key={"public_key": public_key, "reason": "x", "replaces": ""})
    home.call("verify", expected=ExitCode.INTEGRITY)

    set_aside(home, seq, seq)

    require_all_well(home)


def test_a_line_that_is_no_record_is_set_aside(home: Home) -> None:
    seq = put_line(home, NOT_A_RECORD)
    home.call("enroll", expected=ExitCode.INTEGRITY)

    set_aside(home, seq, seq)

    require_all_well(home)


@pytest.mark.parametrize("line", [b"A" * 1_100_000, b"a\nb", b"A" * 8193], ids=["megabyte", "line feed", "too long"])
def test_a_line_that_no_bundle_can_hold_is_named_and_set_aside(home: Home, line: bytes) -> None:
    seq = put_line(home, line)
    named = home.call("verify", expected=ExitCode.INTEGRITY)["integrity"]["faults"]
    assert [each["seq"] for each in named] == [seq]

    set_aside(home, seq, seq)

    require_all_well(home)
    refused = home.call("export", "--output", str(home.folder / "bundle"), expected=ExitCode.INTEGRITY)
    assert refused["message"].startswith(f"record {seq} holds a line feed or is longer than any record")


def test_a_whole_record_that_is_stored_as_text_stops_nothing_and_is_set_aside_like_any_other(home: Home) -> None:
    home.call("enroll")
    seq = record_as_a_stranger(home, "media.moved", move={})
    with sqlite3.connect(home.folder / "state/ledger.sqlite") as connection:
        for (name,) in connection.execute("SELECT name FROM sqlite_schema WHERE type = 'trigger'").fetchall():
            connection.execute(f"DROP TRIGGER {name}")
        connection.execute("UPDATE record SET line = CAST(line AS TEXT) WHERE seq = ?", (seq,))
    connection.close()
    home.call("verify")

    set_aside(home, seq, seq)

    require_all_well(home)


def test_a_ledger_of_before_a_change_of_keys_has_the_retired_key_sign_for_the_present_one_again(home: Home) -> None:
    shutil.copytree(home.folder / "state", home.folder / "restored")
    present = home.call("rotate-key", "--reason", "một năm đã qua")["fingerprint"]
    shutil.rmtree(home.folder / "state")
    (home.folder / "restored").rename(home.folder / "state")
    home.call("verify", expected=ExitCode.INTEGRITY)
    home.call("rotate-key", "--reason", "khôi phục", expected=ExitCode.FAILED)
    (retired,) = home.key.parent.glob("signing.retired-????????")

    home.key.rename(home.key.with_name("signing.next"))
    retired.rename(home.key)

    assert home.call("rotate-key", "--reason", "khôi phục")["fingerprint"] == present
    require_all_well(home)


@pytest.mark.parametrize("verb", ["run", "status"])
def test_a_second_beginning_names_the_page_that_leads_out(home: Home, verb: str) -> None:
    home.call("enroll")
    record_as_a_stranger(home, "ledger.created", ledger="0" * 32, format=1, portalops="x")

    code = run(["--config", str(home.folder / "portalops.toml"), "--lang", "en", verb], {})

    warned = " ".join(home.capsys.readouterr().err.split())
    assert code == ExitCode.INTEGRITY
    assert "starts a ledger, but only record 1 may" in warned
    assert "the ways out are in docs/stopped.md" in warned


def test_a_move_that_a_stranger_recorded_is_set_aside(home: Home) -> None:
    moved = {"from": "file", "head": Digest("0" * 64), "records": 1, "to": "elsewhere"}
    seq = record_as_a_stranger(home, "ledger.moved", moved=moved)
    home.call("enroll", expected=ExitCode.FAILED)

    set_aside(home, seq, seq)

    require_all_well(home)


def status(home: Home) -> tuple[int, str, str]:
    code = run(["--config", str(home.folder / "portalops.toml"), "--lang", "en", "status"], {})
    shown = home.capsys.readouterr()
    return code, " ".join(shown.out.split()), " ".join(shown.err.split())


def test_status_says_that_the_ledger_goes_on_elsewhere(home: Home) -> None:
    moved = {"from": "file", "head": Digest("0" * 64), "records": 1, "to": "elsewhere"}
    seq = record_as_a_stranger(home, "ledger.moved", moved=moved)

    code, _shown, warned = status(home)

    assert code == ExitCode.FAILED
    assert "was moved to elsewhere, so these are an old ledger's duties. Name the new store" in warned
    set_aside(home, seq, seq)
    code, _shown, warned = status(home)
    assert code in WORKED
    assert "was moved to" not in warned


def test_status_says_nothing_of_a_move_that_does_not_count(home: Home) -> None:
    home.call("enroll")
    record_as_a_stranger(
        home, "ledger.moved", moved={"from": "file", "head": "0" * 64, "records": 1, "to": "elsewhere"}
    )

    code, _shown, warned = status(home)

    assert code in WORKED
    assert "was moved to" not in warned


def test_a_clock_that_had_run_ahead_is_mended(home: Home) -> None:
    first, last, since = run_ahead(home)
    code = run(["--config", str(home.folder / "portalops.toml"), "--json", "run"], {})
    assert (code, json.loads(home.capsys.readouterr().out)["error"]["code"]) == (ExitCode.FAILED, "PO1103")

    mend(home, first, last, since)

    require_all_well(home)


def test_a_clock_that_had_run_ahead_is_mended_where_records_are_claimed(home: Home) -> None:
    home.call("enroll")
    first, last, since = run_ahead(home)

    mend(home, first, last, since)

    assert home.call("claim", str(first), str(last), "--reason", "đồng hồ sai")["seq"] > last
    require_all_well(home)


def test_a_clock_is_mended_whatever_the_number_of_records_of_the_future(home: Home) -> None:
    home.call("enroll")
    first, last, since = append_ahead(home, 100_001)

    mend(home, first, last, since)

    require_all_well(home)
    home.call("export", "--output", str(home.folder / "bundle"), "--period", "2026-11")
    said = subprocess.run([sys.executable, home.folder / "bundle/verify.py", home.folder / "bundle"], check=False)
    assert said.returncode in {0, 1, 3} and verify_bundle(home.folder / "bundle").integrity.holds


def test_a_mended_clock_that_a_stranger_recorded_is_set_aside(home: Home) -> None:
    home.call("enroll")
    seq = record_as_a_stranger(home, "ledger.clock-mended", mended_clock={"text": "x"})
    home.call("verify", expected=ExitCode.INTEGRITY)

    set_aside(home, seq, seq)

    require_all_well(home)


@pytest.mark.parametrize("has_writers", [False, True])
@pytest.mark.parametrize("is_line_first", [False, True])
@pytest.mark.parametrize("is_mended_first", [False, True])
def test_a_record_of_the_future_and_a_line_that_is_none_are_cured_by_commands(
    home: Home, is_line_first: bool, is_mended_first: bool, has_writers: bool
) -> None:
    if has_writers:
        home.call("enroll")
    line = put_line(home, NOT_A_RECORD) if is_line_first else 0
    first, last, since = append_ahead(home) if is_line_first else run_ahead(home)
    line = line or put_line(home, NOT_A_RECORD)
    home.call("verify", expected=ExitCode.INTEGRITY)

    if is_mended_first:
        mend(home, first, max(last, line), since)
        set_aside(home, line, line)
    else:
        quarantine = set_aside(home, line, line)["seq"]
        refused = home.call("confirm-clock", "2026-01-01T00:00", "--by", "An", expected=ExitCode.FAILED)
        assert refused["code"] == "PO1103"
        mend(home, first, quarantine, since)

    require_all_well(home)


def append_ahead(home: Home, count: int = 1) -> tuple[int, int, str]:
    """Append records of the next week as who may write the file does it; return the first and last, and a moment from which time is right."""
    since = SystemClock().now()
    first = put_record(home, "backup.adopted", since + timedelta(days=7))
    with closing(sqlite3.connect(home.folder / "state/ledger.sqlite")) as connection, connection:
        ((line,),) = connection.execute("SELECT line FROM record WHERE seq = ?", (first,)).fetchall()
        record, rows = parse(line), list[tuple[int, bytes]]()
        for seq in range(first + 1, first + count):
            line = encode(Draft(record.kind, record.body), seq=seq, at=record.at, prev=line_digest(line)).line
            rows.append((seq, line))
        connection.executemany("INSERT INTO record (seq, line) VALUES (?, ?)", rows)
        connection.execute("UPDATE tail SET size = ?, head = ?", (first + count - 1, line_digest(line)))
    return first, first + count - 1, since.isoformat(timespec="milliseconds")


def put_record(home: Home, kind: str, at: datetime, **parts: object) -> int:
    """Append a whole record of any time as who may write the file does it; return its number."""
    ledger = Ledger.open_to_mend(home.folder / "state", SystemClock())
    number, body = ledger.newest_number(), ledger.keep(bodies.write(parts or {"adopted": {}}))
    ((_seq, digest, _record),) = stored_lines(ledger, (number,))
    ledger.close()
    return put_line(home, encode(Draft(kind, body), seq=number + 1, at=at, prev=digest).line)


def test_mend_clock_answers_a_wrong_first_or_last_with_the_right_one(home: Home) -> None:
    line = put_line(home, NOT_A_RECORD)
    first, last, since = append_ahead(home)
    newest = put_line(home, b"x")

    too_early = home.call(*mending(line, newest, since), expected=ExitCode.USAGE)
    too_short = home.call(*mending(first, last, since), expected=ExitCode.USAGE)

    assert too_early["message"] == f"line {line} is no record, so it has no time that is wrong"
    assert too_short["message"] == f"records {first} to {last} do not end with the newest, {newest}"
    assert f"{newest} as LAST" in too_short["hint"]
    mend(home, first, set_aside(home, line, line)["seq"], since)
    set_aside(home, newest, newest)
    require_all_well(home)


@pytest.mark.parametrize("has_writers", [False, True])
@pytest.mark.parametrize("years", [0, 2000])
def test_a_void_clock_of_the_past_stops_nothing_and_is_set_aside(home: Home, years: int, has_writers: bool) -> None:
    if has_writers:
        home.call("enroll")
    at = SystemClock().now() - timedelta(hours=1, days=years * 365)
    seq = put_record(home, "ledger.clock-mended", at, mended_clock={"text": "x"})
    home.call("verify", expected=ExitCode.INTEGRITY)

    set_aside(home, seq, seq)

    require_all_well(home)
    home.call("export", "--output", str(home.folder / "bundle"))
    assert verify_bundle(home.folder / "bundle").integrity.holds


def test_a_run_names_a_void_clock_until_it_is_set_aside(home: Home) -> None:
    seq = put_record(home, "ledger.clock-mended", SystemClock().now(), mended_clock={"text": "x"})

    def warned() -> bool:
        run(["--config", str(home.folder / "portalops.toml"), "--json", "--lang", "en", "run"], {})
        said = json.loads(home.capsys.readouterr().out)
        return f"the mended clock in record {seq} counts for nothing" in json.dumps(said["warnings"])

    assert warned()
    set_aside(home, seq, seq)
    assert not warned()


def test_a_record_earlier_than_the_one_before_it_stops_nothing_once_set_aside(home: Home) -> None:
    home.call("enroll")
    seq = put_record(home, "backup.adopted", SystemClock().now() - timedelta(seconds=90))
    named = home.call("verify", expected=ExitCode.INTEGRITY)["integrity"]["faults"]
    assert [each["seq"] for each in named] == [seq]

    set_aside(home, seq, seq)

    require_all_well(home)
    home.call("export", "--output", str(home.folder / "bundle"))
    assert verify_bundle(home.folder / "bundle").integrity.holds


def test_a_lock_of_a_killed_process_stops_nobody(home: Home) -> None:
    command = [sys.executable, "-c", textwrap.dedent(HOLDER), str(home.folder / "state/locks")]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as holder:
        assert holder.stdout is not None
        assert holder.stdout.readline() == "held\n"
        holder.send_signal(signal.SIGKILL)

    require_all_well(home)


def test_a_ledger_that_is_gone_is_put_back_from_a_copy(home: Home) -> None:
    state = home.folder / "state"
    shutil.copytree(state, home.folder / "copy")
    shutil.rmtree(state)
    assert home.call("verify", expected=ExitCode.FAILED)["code"] == "PO1102"

    (home.folder / "copy").rename(state)

    require_all_well(home)


def _classes(base: type[PortalOpsError]) -> set[type[PortalOpsError]]:
    return {base, *(each for child in base.__subclasses__() for each in _classes(child))}


@pytest.fixture
def broken(home: Home) -> tuple[Home, int, int]:
    """A ledger that is claimed, with what a stranger appended to each list; first and last of it."""
    home.call("enroll")
    kinds = ("backup.late", "backup.finished", "backup.adopted", "media.added", "check.finished", "drill.imported")
    seqs = [record_as_a_stranger(home, each, **{part: {} for part in PARTS[each]}) for each in kinds]
    return home, seqs[0], seqs[-1]


PARTS = {
    "backup.late": ("late_backup",),
    "backup.finished": ("backup",),
    "backup.adopted": ("adopted",),
    "media.added": ("medium",),
    "check.finished": ("check",),
    "drill.imported": ("drill_report",),
}


@pytest.mark.parametrize("command", [("backup", "list"), ("media", "list"), ("check", "findings")])
def test_a_record_that_no_list_can_show_is_named_and_stops_none(
    broken: tuple[Home, int, int], command: tuple[str, ...]
) -> None:
    home, first, last = broken

    code = run(["--config", str(home.folder / "portalops.toml"), "--json", "--lang", "en", *command], {})
    said = json.loads(home.capsys.readouterr().out)

    assert (code, said["error"]) == (ExitCode.PARTIAL, None)
    assert any(f"record {seq}" in each for each in said["warnings"] for seq in range(first, last + 1))


@pytest.mark.parametrize("command", [("backup", "list"), ("media", "list"), ("check", "findings")])
def test_no_list_reads_what_two_persons_set_aside(broken: tuple[Home, int, int], command: tuple[str, ...]) -> None:
    home, first, last = broken
    set_aside(home, first, last)

    run(["--config", str(home.folder / "portalops.toml"), "--json", "--lang", "en", *command], {})
    said = json.loads(home.capsys.readouterr().out)

    assert said["error"] is None
    assert not any("record " in each for each in said["warnings"])


def test_status_says_how_many_records_count_for_nothing(broken: tuple[Home, int, int]) -> None:
    home, first, last = broken
    set_aside(home, first, last)

    run(["--config", str(home.folder / "portalops.toml"), "--json", "--lang", "en", "status"], {})
    said = json.loads(home.capsys.readouterr().out)

    (line,) = (each for each in said["warnings"] if "count for nothing" in each)
    assert "0 that no writer claimed within an hour, 6 set aside" in line


def _without_the_first_keys_details(home: Home) -> None:
    """Take them away as who may write the state folder does, and what was found of the claims until then."""
    home.call("enroll")
    home.call("head")
    ledger = Ledger.open(home.folder / "state", SystemClock(), create=False)
    (record,) = ledger.records(kinds=("key.added",), limit=1)
    ledger.close()
    (home.folder / f"state/blobs/{record.body[:2]}/{record.body[2:4]}/{record.body}.zst").unlink()
    (home.folder / "state" / CHECKED).unlink()


def test_details_of_the_first_key_that_are_gone_are_put_back_by_the_next_head(home: Home) -> None:
    _without_the_first_keys_details(home)
    home.call("verify", expected=ExitCode.INTEGRITY)

    home.call("head")

    require_all_well(home)


def test_where_no_key_gives_them_every_command_stops_until_the_ledger_is_restored(home: Home) -> None:
    home.call("enroll")
    home.call("head")
    shutil.copytree(home.folder / "state", home.folder / "backup set")
    _without_the_first_keys_details(home)
    home.key.parent.rename(home.folder / "away")

    code = run(["--config", str(home.folder / "portalops.toml"), "--json", "run"], {})
    said = json.loads(home.capsys.readouterr().out)
    assert code == ExitCode.INTEGRITY and "docs/stopped.md" in said["error"]["hint"], said

    shutil.rmtree(home.folder / "state")
    (home.folder / "backup set").rename(home.folder / "state")
    (home.folder / "away").rename(home.key.parent)
    require_all_well(home)


def test_a_disk_without_room_stops_the_ledger_until_there_is_some(home: Home) -> None:
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (4096, before[1]))  # writing beyond fails as on a disk that is full
    try:
        stopped = home.call("enroll", expected=ExitCode.FAILED)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)

    assert stopped["code"] == "PO1106" and "hint" in stopped
    require_all_well(home)


def test_a_database_that_does_not_answer_stops_the_ledger_until_it_runs(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with Server.new(versions()[-1]) as server:
        server.sql(script())
        home = Home(tmp_path, capsys)
        home.configure(
            f"{CONFIGURATION}{SIGNING}[ledger.store]\nkind = 'postgresql'\nhost = '{server.folder}'\nport = {PORT}\n"
            "database = 'postgres'\nuser = 'postgres'\n"
        )
        for file in (tmp_path / "state").glob("ledger.sqlite*"):
            file.unlink()  # the ledger of this portal begins in the database
        assert run(["--config", str(tmp_path / "portalops.toml"), "--json", "run"], {}) in WORKED
        capsys.readouterr()
        home.call("head")

        server.program("pg_ctl", "stop", "-D", server.data, "-m", "fast", "-w", "-s")
        stopped = home.call("head", expected=ExitCode.FAILED)
        server.program("pg_ctl", "start", "-D", server.data, "-w", "-s", "-l", server.folder / "log")

        assert stopped["code"] == "PO1101" and "hint" in stopped
        require_all_well(home)

        shutil.move(tmp_path / "state", tmp_path / "away")  # as on another machine of the team, whoever works there
        home.call("enroll", "--request", str(tmp_path / "web2.pub"))


def test_a_ledger_that_began_in_the_future_is_begun_anew(home: Home) -> None:
    state = home.folder / "state"
    shutil.move(state, home.folder / "before")
    clock = FixedClock(SystemClock().now() + timedelta(days=7))
    ahead = Ledger.open(state, clock, create=True)
    newest = record_head(ahead, SigningKey.load(home.key), clock).seq
    ahead.close()

    refused = home.call(*mending(1, newest, "2026-11-01T00:00"), expected=ExitCode.USAGE)
    shutil.move(state, home.folder / "future")

    assert "began at a wrong time" in refused["message"]
    run(["--config", str(home.folder / "portalops.toml"), "--json", "run"], {})
    home.capsys.readouterr()
    require_all_well(home)
