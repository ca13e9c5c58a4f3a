"""`portalops change`: from the request to the end, on a real ledger, and what two operators at once leave behind."""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
import sys
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from portalops import bodies
from portalops.errors import ExitCode
from portalops.ledger.ledger import Ledger
from portalops.ledger.record import NO_RUN
from portalops.model.changes import ChangeApproval, ChangeKind, ChangeNotice, ChangeRequest
from portalops.model.organisation import HostId
from portalops.registers.changes import APPROVED, CHANGE_KINDS, CORRECTED, KEYS, NOTIFIED, REQUESTED, Body
from portalops.system.clock import SystemClock
from tests.doubles import FixedClock
from tests.shapes import run_validated

ROOT = Path(__file__).parents[2]
PROGRAM = (sys.executable, "-c", "from commands.app import main; main()")
CONFIGURATION = """
[portal]
id = "demo"
name = { vi = "Cổng ví dụ", en = "Example portal" }
timezone = "Asia/Ho_Chi_Minh"
rulebook = "kh-37-2010"

[state]
folder = "state"

[[host]]
id = "web1"
address = "local"

[[host]]
id = "db1"
address = "192.0.2.7"
"""
NOW = datetime.now(UTC).replace(microsecond=0)
DAY = timedelta(days=1)
YEAR = (NOW + timedelta(hours=7)).year
ID = f"CH-{YEAR}-001"
ASK = ("--what", "nginx 1.28", "--why", "CVE-2026-1111", "--rollback", "gói cũ", "--host", "web1")


def local_day(moment: datetime) -> date:
    """Return the day that a paper of that moment bears."""
    return moment.astimezone(ZoneInfo("Asia/Ho_Chi_Minh")).date()


@pytest.fixture
def home(tmp_path: Path) -> Path:
    (tmp_path / "portalops.toml").write_text(CONFIGURATION, encoding="utf-8")
    (tmp_path / "decision.pdf").write_bytes(b"%PDF decision")
    return tmp_path


def portalops(home: Path, *arguments: str) -> int:
    return run_validated("--config", str(home / "portalops.toml"), "--lang", "en", *arguments)


def change(home: Path, verb: str, *arguments: str) -> int:
    return portalops(home, "change", verb, *arguments, "--json")


def request(home: Path, *more: str, begins: datetime | None = None, ends: datetime | None = None) -> int:
    first, last = begins or NOW + DAY, ends or (begins or NOW + DAY) + timedelta(hours=3)
    return change(home, "request", *ASK, "--from", first.isoformat(), "--to", last.isoformat(), *more)


def notify(home: Path, *more: str) -> int:
    sent = (NOW - timedelta(hours=1)).isoformat()
    return change(
        home, "notify", ID, "--document", "85/TTTT", "--sent", sent, "--how", "văn bản điện tử", "--to", "Sở", *more
    )


def approve(home: Path, *more: str) -> int:
    day = local_day(NOW - DAY).isoformat()
    return change(home, "approve", ID, "--document", "512/UBND-VX", "--on", day, "--by", "UBND tỉnh", *more)


def data_of(capsys: pytest.CaptureFixture[str]) -> Any:
    return json.loads(capsys.readouterr().out)["data"]


def records(home: Path) -> list[str]:
    if not (home / "state").exists():
        return []
    ledger = Ledger.open(home / "state", clock=SystemClock(), create=False)
    return [record.kind for record in ledger.records(kinds=CHANGE_KINDS)]


def order(home: Path, capsys: pytest.CaptureFixture[str]) -> tuple[str, str]:
    capsys.readouterr()
    portalops(home, "check", "run", "--host", "web1", "--check", "change.order", "--json")
    (result,) = data_of(capsys)
    return result["verdict"], result["reason"]


def yesterday(home: Path, *, kind: ChangeKind = ChangeKind.NORMAL, with_file: bool = True) -> None:
    """Record a change that was notified and approved yesterday, and whose window is open."""
    clock = FixedClock(NOW - DAY)
    ledger = Ledger.open(home / "state", clock=clock, create=True)
    digest = ledger.keep(b"%PDF decision")
    asked = ChangeRequest(
        ID, kind, "nginx", "CVE", (HostId("web1"),), NOW - timedelta(hours=2), NOW + DAY, "old package", "An"
    )
    steps: list[tuple[str, Body, tuple[str, ...]]] = [
        (REQUESTED, asked, ()),
        (NOTIFIED, ChangeNotice(ID, "85/TTTT", NOW - DAY, "mail", "Sở"), ()),
        (
            APPROVED,
            ChangeApproval(ID, "512/UBND-VX", local_day(NOW - DAY), "UBND tỉnh"),
            (digest,) if with_file else (),
        ),
    ]
    for step, body, evidence in steps:
        parts = {KEYS[step][0]: body, "evidence": evidence}
        ledger.append(step, run=NO_RUN, subject=ID, body=bodies.write(parts))
    ledger.close()


@pytest.mark.heavy
def test_change_goes_from_the_request_to_its_end_and_is_judged(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    yesterday(home)

    assert change(home, "start", ID, "--by", "Nguyễn Văn An") == ExitCode.OK
    assert change(home, "finish", ID, "--outcome", "cổng chạy bình thường") == ExitCode.OK
    capsys.readouterr()
    assert change(home, "close", ID) == ExitCode.OK

    data = data_of(capsys)
    assert (data["state"], data["order"], data["closed"]["reason"]) == ("closed", "kept", None)
    assert data["approved"]["evidence"] == [hashlib.sha256(b"%PDF decision").hexdigest()]
    assert data["state_record"] == data["closed"]["record"]
    assert records(home) == [kind for kind in CHANGE_KINDS if kind != CORRECTED]
    assert order(home, capsys) == ("pass", "")
    assert change(home, "list") == ExitCode.OK
    assert data_of(capsys) == []
    assert change(home, "list", "--all", "--host", "web1") == ExitCode.OK
    assert [each["id"] for each in data_of(capsys)] == [ID]


def test_request_notice_and_approval_are_recorded_with_their_documents(
    home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert request(home, "--host", "db1") == ExitCode.OK
    assert data_of(capsys)["hosts"] == ["web1", "db1"]
    assert notify(home) == ExitCode.OK
    capsys.readouterr()

    assert approve(home, "--file", str(home / "decision.pdf")) == ExitCode.OK

    data = data_of(capsys)
    assert (data["id"], data["state"], data["order"]) == (ID, "approved", "ahead")
    assert data["approved"]["evidence"] == [hashlib.sha256(b"%PDF decision").hexdigest()]
    assert portalops(home, "change", "show", ID) == ExitCode.OK
    told = capsys.readouterr().out
    assert "512/UBND-VX" in told
    assert data["approved"]["evidence"][0] in told


def test_emergency_fails_until_it_is_regularised_and_is_shown_as_such(
    home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    began = NOW - timedelta(hours=2)
    assert order(home, capsys) == ("unknown", "no-register")
    assert request(home, "--emergency", begins=began, ends=NOW + DAY) == ExitCode.OK
    assert change(home, "start", ID, "--at", began.isoformat()) == ExitCode.OK
    assert order(home, capsys) == ("fail", "evidence-first")
    assert change(home, "list") == ExitCode.UNMET
    notify(home)
    capsys.readouterr()

    assert approve(home, "--file", str(home / "decision.pdf")) == ExitCode.OK

    told = json.loads(capsys.readouterr().out)
    assert (told["data"]["order"], told["data"]["state"]) == ("regularised", "begun")
    assert "regularised afterwards" in told["warnings"][-1]
    assert order(home, capsys) == ("pass", "")


def test_emergency_that_began_before_its_window_is_recorded_and_marked(
    home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    request(home, "--emergency")
    capsys.readouterr()

    assert change(home, "start", ID) == ExitCode.OK

    assert "is outside the window" in json.loads(capsys.readouterr().out)["warnings"][-1]


def test_list_tells_of_a_closed_change_that_makes_its_exit_status(
    home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    request(home, "--emergency", begins=NOW - timedelta(hours=1))
    change(home, "start", ID)
    change(home, "finish", ID, "--outcome", "ok")
    change(home, "close", ID, "--reason", "never approved")
    capsys.readouterr()

    assert change(home, "list") == ExitCode.UNMET

    told = json.loads(capsys.readouterr().out)
    assert (told["data"], told["warnings"]) == ([], ["1 closed change is out of order: --all lists it"])


def test_decision_that_is_not_kept_leaves_the_order_unknown_until_it_is_added(
    home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    yesterday(home, with_file=False)
    change(home, "start", ID)
    assert order(home, capsys) == ("unknown", "no-document")
    assert change(home, "show", ID) == ExitCode.PARTIAL

    capsys.readouterr()
    assert approve(home, "--file", str(home / "decision.pdf")) == ExitCode.OK

    assert json.loads(capsys.readouterr().out)["warnings"] == []
    assert order(home, capsys) == ("pass", "")


def test_decision_that_is_older_than_the_letter_is_marked(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    request(home)
    notify(home)
    capsys.readouterr()

    assert (
        approve(home, "--file", str(home / "decision.pdf"), "--on", (NOW - 30 * DAY).date().isoformat()) == ExitCode.OK
    )

    assert "before the letter went out" in json.loads(capsys.readouterr().out)["warnings"][0]


def test_window_that_overlaps_with_another_is_marked(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    request(home)
    capsys.readouterr()

    assert request(home) == ExitCode.OK

    told = json.loads(capsys.readouterr().out)
    assert told["data"]["id"] == f"CH-{YEAR}-002"
    assert f"overlaps with that of {ID} on web1" in told["warnings"][0]


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("--host", "web9"), "there is no host web9"),
        (("--what", " "), "--what is empty"),
        (("--why", "x" * 1001), "1,001 characters"),
        (("--from", "tonight"), "is no moment"),
        (("--from", "9999-12-31T23:59"), "is no moment"),
        (("--to", NOW.isoformat()), "which is not after its beginning"),
        (("--from", (NOW - DAY).isoformat()), "before this request"),
        (("--to", (NOW + 100 * DAY).isoformat()), "longer than 62 days"),
        (("--emergency", "--standing"), "exclude each other"),
        (("--package", "nginx"), "limit a standing approval only"),
        (("--standing",), "needs limits"),
        (("--standing", "--package", "*"), "no limit"),
        (("--standing", "--package", "**"), "no limit"),
        (("--standing", "--package", "nginx", "--package", "*.*"), "no limit"),
        (("--standing", "--package", "*", "--account", "*"), "--account: * is not a name"),
        (("--standing", "--package", "a b"), "is not a name"),
        (("--standing", "--package", "nginx", "--to", (NOW + 400 * DAY).isoformat()), "longer than 366 days"),
    ],
)
def test_request_that_cannot_be_is_refused_with_what_to_do(
    home: Path, capsys: pytest.CaptureFixture[str], arguments: tuple[str, ...], said: str
) -> None:
    assert request(home, *arguments) == ExitCode.USAGE

    told = capsys.readouterr().err
    assert said in told
    assert "hint:" in told
    assert records(home) == []


@pytest.mark.parametrize(
    ("verb", "arguments", "said"),
    [
        ("notify", ("--sent", (NOW + DAY).isoformat()), "is ahead"),
        ("notify", ("--file", "/nowhere.pdf"), "cannot read /nowhere.pdf"),
        ("approve", (), "was not notified"),
        ("start", (), "is only requested"),
        ("finish", ("--outcome", "well"), "is only requested"),
        ("close", (), "was not made"),
    ],
)
def test_step_that_the_change_does_not_permit_is_refused_and_leaves_nothing(
    home: Path, capsys: pytest.CaptureFixture[str], verb: str, arguments: tuple[str, ...], said: str
) -> None:
    request(home)
    capsys.readouterr()
    steps = {"notify": notify, "approve": approve}

    code = steps[verb](home, *arguments) if verb in steps else change(home, verb, ID, *arguments)

    assert code == ExitCode.USAGE
    told = capsys.readouterr().err
    assert said in told
    assert "hint:" in told
    assert records(home) == [REQUESTED]


@pytest.mark.parametrize("verb", ["start", "close", "show"])
def test_change_that_does_not_exist_is_told_of(home: Path, capsys: pytest.CaptureFixture[str], verb: str) -> None:
    assert change(home, verb, "CH-2020-001\x1b[31m") == ExitCode.USAGE

    told = capsys.readouterr().err
    assert "there is no change CH-2020-001" in told
    assert "\x1b" not in told


def test_approval_after_the_start_is_none(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    yesterday(home)
    change(home, "start", ID)
    capsys.readouterr()

    day = NOW.date().isoformat()
    code = change(home, "approve", ID, "--document", "600/UBND", "--on", day, "--by", "UBND")

    assert code == ExitCode.USAGE
    assert "began at" in capsys.readouterr().err


def test_file_is_added_only_in_the_words_of_the_record(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    yesterday(home, with_file=False)
    change(home, "start", ID)
    capsys.readouterr()

    assert approve(home, "--by", "Chủ tịch", "--file", str(home / "decision.pdf")) == ExitCode.USAGE

    assert "signed by UBND tỉnh" in capsys.readouterr().err


def test_start_that_is_said_to_be_before_the_approval_is_refused(
    home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    yesterday(home)

    assert change(home, "start", ID, "--at", (NOW - 2 * DAY).isoformat()) == ExitCode.USAGE

    assert "was approved by record" in capsys.readouterr().err


def test_correction_is_a_record_that_voids_the_papers_and_shows_what_was_before(
    home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    request(home)
    notify(home)
    approve(home, "--file", str(home / "decision.pdf"))
    capsys.readouterr()

    assert change(home, "correct", ID, "--host", "db1", "--reason", "wrong host") == ExitCode.OK

    told = json.loads(capsys.readouterr().out)
    assert (told["data"]["state"], told["data"]["hosts"], told["data"]["order"]) == ("requested", ["db1"], "ahead")
    assert told["data"]["state_record"] == told["data"]["corrections"][0]["record"]
    assert [each["text"] for each in told["data"]["corrections"][0]["changed"]] == ["Hosts: db1, before: web1"]
    assert "no longer count" in told["warnings"][0]
    assert records(home)[-1] == CORRECTED
    assert change(home, "start", ID) == ExitCode.USAGE
    capsys.readouterr()
    portalops(home, "change", "show", ID)
    shown = capsys.readouterr().out
    assert "void since record" in shown
    assert "512/UBND-VX" in shown


def test_correction_of_the_window_counts_for_what_is_asked_next(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    request(home)
    begins = NOW + 5 * DAY

    assert change(home, "correct", ID, "--from", begins.isoformat(), "--reason", "put off") == ExitCode.USAGE
    assert "which is not after its beginning" in capsys.readouterr().err
    ends = (begins + timedelta(hours=1)).isoformat()
    assert change(home, "correct", ID, "--from", begins.isoformat(), "--to", ends, "--reason", "put off") == ExitCode.OK
    capsys.readouterr()

    assert request(home) == ExitCode.OK
    assert json.loads(capsys.readouterr().out)["warnings"] == []


def test_mistyped_number_of_a_decision_that_is_kept_is_corrected_after_the_start(
    home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    yesterday(home)
    change(home, "start", ID)
    capsys.readouterr()

    code = change(home, "correct", ID, "--approval-document", "521/UBND-VX", "--reason", "mistyped")

    told = json.loads(capsys.readouterr().out)
    assert (code, told["data"]["approved"]["document"], told["warnings"]) == (ExitCode.OK, "521/UBND-VX", [])
    assert [each["text"] for each in told["data"]["corrections"][0]["changed"]] == [
        "Document: 521/UBND-VX, before: 512/UBND-VX"
    ]
    assert order(home, capsys) == ("pass", "")


@pytest.mark.parametrize(
    ("with_file", "arguments", "said"),
    [
        (True, (), "no correction is given"),
        (True, ("--what", "nginx", "--approval-by", "An"), "cannot be corrected in one record"),
        (True, ("--what", "nginx"), "already states this"),
        (True, ("--host", "web9"), "there is no host web9"),
        (True, ("--notice-sent", (NOW + DAY).isoformat()), "is ahead"),
        (True, ("--from", (NOW - DAY).isoformat()), "before its request"),
        (True, ("--package", "nginx"), "limit a standing approval only"),
        (True, ("--to", (NOW - timedelta(hours=1)).isoformat()), "the window ended at"),
    ],
)
def test_correction_that_cannot_be_is_refused_with_what_to_do(
    home: Path, capsys: pytest.CaptureFixture[str], with_file: bool, arguments: tuple[str, ...], said: str
) -> None:
    yesterday(home, with_file=with_file)
    before = records(home)

    assert change(home, "correct", ID, "--reason", "wrong", *arguments) == ExitCode.USAGE

    told = capsys.readouterr().err
    assert said in told
    assert "hint:" in told
    assert records(home) == before


@pytest.mark.parametrize(
    ("arguments", "said", "hint"),
    [
        (("--what", "php"), "has begun", "change finish"),
        (("--approval-document", "600"), "did not keep the paper itself", "--reason"),
    ],
)
def test_what_is_begun_is_not_corrected(
    home: Path, capsys: pytest.CaptureFixture[str], arguments: tuple[str, ...], said: str, hint: str
) -> None:
    yesterday(home, with_file=False)
    change(home, "start", ID)
    capsys.readouterr()

    assert change(home, "correct", ID, "--reason", "wrong", *arguments) == ExitCode.USAGE

    told = capsys.readouterr().err
    assert said in told
    assert hint in told


def test_paper_that_is_not_on_record_cannot_be_corrected(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    request(home)
    capsys.readouterr()

    assert change(home, "correct", ID, "--reason", "wrong", "--approval-document", "600") == ExitCode.USAGE

    assert "has no such paper" in capsys.readouterr().err


def test_show_tells_of_a_window_that_overlaps(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    request(home)
    request(home)
    capsys.readouterr()

    change(home, "show", ID)

    assert f"overlaps with that of CH-{YEAR}-002" in json.loads(capsys.readouterr().out)["warnings"][0]


def test_dry_run_of_a_correction_records_nothing(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    request(home)
    capsys.readouterr()

    assert change(home, "correct", ID, "--what", "php", "--reason", "wrong", "--dry-run") == ExitCode.OK

    data = data_of(capsys)
    assert (data["what"], data["recorded"], data["corrections"][0]["record"]) == ("php", False, None)
    assert records(home) == [REQUESTED]


def test_dry_run_shows_what_would_be_and_records_nothing(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert request(home, "--dry-run") == ExitCode.OK
    assert (data_of(capsys)["id"], records(home)) == (ID, [])
    request(home)
    capsys.readouterr()

    assert notify(home, "--dry-run") == ExitCode.OK

    data = data_of(capsys)
    assert (data["state"], data["notified"]["record"], data["recorded"]) == ("notified", None, False)
    assert records(home) == [REQUESTED]


def at_once(home: Path, *commands: tuple[str, ...]) -> list[int]:
    """Run several operators' commands at the same time, each in a process of its own."""
    started = [
        subprocess.Popen(
            [*PROGRAM, "--config", str(home / "portalops.toml"), *arguments],
            cwd=ROOT,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        for arguments in commands
    ]
    return [process.wait() for process in started]


def test_two_operators_who_ask_at_once_get_two_ids(home: Path) -> None:
    window = ("--from", (NOW + DAY).isoformat(), "--to", (NOW + 2 * DAY).isoformat())
    yesterday(home)

    codes = at_once(home, *[("change", "request", *ASK, *window)] * 3)

    assert codes == [ExitCode.OK] * 3
    ledger = Ledger.open(home / "state", clock=SystemClock(), create=False)
    names = [record.subject for record in ledger.records(kinds=(REQUESTED,))]
    assert sorted(names) == [f"CH-{YEAR}-00{n}" for n in (1, 2, 3, 4)]


def test_two_operators_who_correct_and_start_at_once_leave_no_change_that_was_begun_otherwise(
    home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    yesterday(home)

    codes = at_once(
        home,
        ("change", "correct", ID, "--what", "php", "--reason", "wrong"),
        ("change", "start", ID),
    )

    assert sorted(codes) == [ExitCode.OK, ExitCode.USAGE]
    change(home, "show", ID)
    data = data_of(capsys)
    assert (data["state"], data["what"]) in {("begun", "nginx"), ("requested", "php")}
    assert data["unreadable"] == []


def test_two_operators_who_approve_and_start_at_once_lose_nothing_and_start_once(
    home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    yesterday(home, with_file=False)
    day = local_day(NOW - DAY).isoformat()
    decision = ("change", "approve", ID, "--document", "512/UBND-VX", "--on", day, "--by", "UBND tỉnh", "--file")
    (home / "scan.pdf").write_bytes(b"%PDF scan")

    codes = at_once(
        home,
        (*decision, str(home / "decision.pdf")),
        (*decision, str(home / "scan.pdf")),
        ("change", "start", ID),
        ("change", "start", ID),
    )

    assert codes[:2] == [ExitCode.OK, ExitCode.OK]
    assert sorted(codes[2:]) == [ExitCode.OK, ExitCode.USAGE]
    change(home, "show", ID)
    data = data_of(capsys)
    assert len(data["approved"]["evidence"]) == 2
    assert data["state"] == "begun"


def test_pipe_is_no_document_and_nobody_waits_for_it(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    os.mkfifo(home / "pipe")

    assert notify(home, "--file", str(home / "pipe")) == ExitCode.USAGE

    assert "pipe is no file" in json.loads(capsys.readouterr().out)["error"]["message"]


def test_letter_that_is_given_for_the_decision_is_told(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    request(home)
    notify(home, "--file", str(home / "decision.pdf"))
    capsys.readouterr()

    assert approve(home, "--file", str(home / "decision.pdf")) == ExitCode.OK

    warnings = json.loads(capsys.readouterr().out)["warnings"]
    assert any("the same file as the letter of record 3" in each for each in warnings)
