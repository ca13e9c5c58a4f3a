"""`portalops incident`: from the opening to the end on a real ledger, what is refused, and what two operators leave behind."""

from __future__ import annotations

import hashlib
import json
import re
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from portalops import bodies
from portalops.errors import ExitCode
from portalops.ledger.ledger import Ledger
from portalops.ledger.record import NO_RUN
from portalops.model.checks import CheckResult, CheckScan, HostScan
from portalops.model.message import msg
from portalops.model.organisation import HostId
from portalops.model.verdicts import CheckVerdict, Severity
from portalops.registers.incidents import CORRECTED, INCIDENT_KINDS, KEYS, OPENED
from portalops.system.clock import SystemClock
from tests.commands.test_change import at_once, portalops
from tests.doubles import FixedClock

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

[checks.declared.members.nguyen-van-an]
accounts = ["an"]

[checks.declared.members.tran-thi-binh]
accounts = ["binh"]
"""
NOW = datetime.now(UTC).replace(microsecond=0)
HOUR = timedelta(hours=1)
ID = f"IN-{(NOW + timedelta(hours=7)).year}-001"
SECRET = "Kh0ngDuocGhi!2026"


@pytest.fixture
def home(tmp_path: Path) -> Path:
    (tmp_path / "portalops.toml").write_text(CONFIGURATION, encoding="utf-8")
    (tmp_path / "report.pdf").write_bytes(b"%PDF report")
    return tmp_path


def incident(home: Path, verb: str, *arguments: str) -> int:
    return portalops(home, "incident", verb, *arguments, "--json")


def open_(home: Path, *more: str, noticed: datetime | None = None) -> int:
    at = (noticed or NOW - HOUR).isoformat()
    said = ("--what", "mất máy tính có khóa SSH", "--kind", "outage", "--severity", "high", "--detected", at)
    return incident(home, "open", *said, "--holder", "tran-thi-binh", *more)


def report(home: Path, kind: str = "full", *more: str) -> int:
    said = ("--to", "Sở KH&CN", "--document", "15/BC-TTCĐS", "--how", "văn bản điện tử")
    return incident(home, "report", ID, "--kind", kind, *said, *more)


def close(home: Path, *more: str) -> int:
    return incident(home, "close", ID, "--cause", "ổ đĩa không mã hóa", "--lessons", "mã hóa ổ đĩa", *more)


def credential(home: Path, *more: str) -> None:
    said = ("--system", "host:web1", "--account", "an", "--kind", "key", "--holder", "nguyen-van-an")
    assert portalops(home, "credential", "add", "web1-an", *said, "--issued", "2026-01-02", *more) == ExitCode.OK


def data_of(capsys: pytest.CaptureFixture[str]) -> Any:
    return json.loads(capsys.readouterr().out)["data"]


def kinds(home: Path) -> list[str]:
    if not (home / "state").exists():
        return []
    ledger = Ledger.open(home / "state", clock=SystemClock(), create=False)
    return [record.kind for record in ledger.records(kinds=INCIDENT_KINDS)]


def failed_round(home: Path, check: str) -> None:
    """Record a round in which a check failed on web1."""
    ledger = Ledger.open(home / "state", clock=SystemClock(), create=True)
    result = CheckResult(check, HostId("web1"), "12.5", Severity.HIGH, CheckVerdict.FAIL, "x", msg("seen"))
    one = HostScan(HostId("web1"), NOW - HOUR, True, "", (result,))
    ledger.append("check.finished", run=NO_RUN, subject="", body=bodies.write({"check": CheckScan((one,))}))
    ledger.close()


def test_incident_goes_from_its_opening_to_its_end_and_over_again(
    home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    credential(home)
    assert open_(home, "--host", "web1", "--file", str(home / "report.pdf")) == ExitCode.OK
    assert incident(home, "note", ID, "--text", "đã gỡ khóa cũ", "--by", "Nguyễn Văn An") == ExitCode.OK
    assert report(home, "full", "--file", str(home / "report.pdf")) == ExitCode.OK
    capsys.readouterr()

    assert close(home, "--measures", "khóa trên token") == ExitCode.OK

    data = data_of(capsys)
    digest = hashlib.sha256(b"%PDF report").hexdigest()
    assert (data["id"], data["state"], data["holders"]) == (ID, "closed", ["tran-thi-binh"])
    assert (data["first_report"]["state"], data["full_report"]["state"]) == ("in-time", "in-time")
    assert (data["reports"][0]["evidence"], data["opened"]["evidence"]) == ([digest], [digest])
    assert data["state_record"] == data["closed"]["record"]
    assert incident(home, "list") == ExitCode.OK
    assert data_of(capsys) == []
    assert incident(home, "note", ID, "--text", "còn nữa") == ExitCode.USAGE
    assert "incident reopen" in capsys.readouterr().err
    assert incident(home, "reopen", ID, "--reason", "khóa còn trên db1") == ExitCode.OK
    assert incident(home, "reopen", ID, "--reason", "lần nữa") == ExitCode.USAGE
    assert incident(home, "correct", ID, "--host", "web1", "--host", "db1", "--reason", "cả db1") == ExitCode.OK
    capsys.readouterr()
    assert incident(home, "show", ID) == ExitCode.OK
    data = data_of(capsys)
    assert (data["state"], data["hosts"], data["closed"]) == ("reopened", ["web1", "db1"], None)
    assert close(home) == ExitCode.OK
    steps = "opened noted reported closed reopened corrected closed".split()  # noqa: SIM905
    assert kinds(home) == [f"incident.{step}" for step in steps]


def test_holder_of_the_tied_credential_answers_and_one_who_left_is_marked(
    home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    credential(home)
    portalops(home, "credential", "leave", "nguyen-van-an", "--on", (NOW - 48 * HOUR).date().isoformat())
    capsys.readouterr()

    code = incident(
        home,
        "open",
        "--what",
        "khóa bị lộ",
        "--kind",
        "credential",
        "--severity",
        "critical",
        "--credential",
        "web1-an",
    )

    told = json.loads(capsys.readouterr().out)
    assert code == ExitCode.OK
    assert told["data"]["holders"] == ["nguyen-van-an"]
    assert any("nguyen-van-an left, by record" in each for each in told["warnings"])
    assert any("the first report is due by" in each for each in told["warnings"])


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("--host", "web9"), "there is no host web9"),
        (("--credential", "web1-anh"), "there is no credential web1-anh"),
        (("--change", "CH-2026-009"), "there is no change CH-2026-009"),
        (("--holder", "nguyen-van-anh"), "there is no member nguyen-van-anh"),
        (("--finding", "web1:ssh.root-login"), "there is no finding web1:ssh.root-login"),
        (("--case", "2026-W47/so-y-te/11.2-submissions"), "there is no case"),
        (("--kind", "theft"), "--kind does not take theft"),
        (("--severity", "urgent"), "--severity does not take urgent"),
        (("--detected", (NOW + 48 * HOUR).isoformat()), "is ahead"),
        (("--happened", (NOW + 48 * HOUR).isoformat()), "is ahead"),
        (("--happened", (NOW - timedelta(minutes=5)).isoformat()), "before it began at"),
        (("--detected", "26/11/2026 07:30"), "is no moment"),
        (("--detected", "0001-01-01T00:00"), "is no moment"),
        (("--what", " "), "--what is empty"),
        (("--what", "x" * 1001), "1,001 characters"),
        (("--affected", f"mật khẩu là {SECRET}"), "seems to hold"),
        (("--file", "/nowhere.pdf"), "cannot read /nowhere.pdf"),
        ((SECRET,), "the command takes no further arguments"),
    ],
)
def test_opening_that_cannot_be_is_refused_with_what_to_do(
    home: Path, capsys: pytest.CaptureFixture[str], arguments: tuple[str, ...], said: str
) -> None:
    assert open_(home, *arguments) == ExitCode.USAGE

    told = capsys.readouterr().err
    assert said in told
    assert "hint:" in told
    assert SECRET not in told
    assert kinds(home) == []


@pytest.mark.parametrize(
    ("verb", "arguments", "said"),
    [
        ("note", ("--text", "x" * (10 << 20)), "10,485,760 characters"),
        ("note", ("--text", f"đăng nhập bằng {SECRET}"), "seems to hold"),
        ("note", ("--text", "-----BEGIN OPENSSH PRIVATE KEY-----"), "a private key"),
        ("note", ("--text", "token AKIAABCDEFGHIJKLMNOP"), "an access token"),
        ("note", ("--text", "x", "--at", (NOW + 48 * HOUR).isoformat()), "is ahead"),
        ("note", ("--text", "x", "--by", SECRET), "--by seems to hold"),
        ("report", ("--kind", "last"), "--kind does not take last"),
        ("report", ("--sent", (NOW - 9 * HOUR).isoformat()), "was noticed at"),
        ("report", ("--sent", (NOW + 48 * HOUR).isoformat()), "is ahead"),
        ("close", ("--ended", (NOW - 9 * HOUR).isoformat()), "began at"),
        ("close", ("--ended", (NOW + 48 * HOUR).isoformat()), "is ahead"),
        ("close", (), "the full report was not sent"),
        ("correct", ("--reason", "x"), "no change is given"),
        ("correct", ("--happened", NOW.isoformat(), "--reason", "x"), "before it began at"),
        ("reopen", ("--reason", "x"), f"{ID} is open"),
    ],
)
def test_step_that_cannot_be_is_refused_and_leaves_nothing(
    home: Path, capsys: pytest.CaptureFixture[str], verb: str, arguments: tuple[str, ...], said: str
) -> None:
    open_(home)
    capsys.readouterr()
    calls = {"report": lambda *more: report(home, "full", *more), "close": lambda *more: close(home, *more)}

    code = calls[verb](*arguments) if verb in calls else incident(home, verb, ID, *arguments)

    assert code == ExitCode.USAGE
    told = capsys.readouterr().err
    assert said in told
    assert "hint:" in told
    assert SECRET not in told
    assert len(told) < 2000
    assert kinds(home) == [OPENED]


def test_refused_secret_stands_nowhere_in_the_store(home: Path) -> None:
    open_(home)

    incident(home, "note", ID, "--text", f"mật khẩu: {SECRET}")

    ledger = Ledger.open(home / "state", clock=SystemClock(), create=False)
    kept = [ledger.blob(record.body) for record in ledger.records()]
    assert not any(SECRET.encode() in blob for blob in kept)


def test_escapes_in_what_was_written_are_shown_and_not_obeyed(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    open_(home)
    incident(home, "note", ID, "--text", "đỏ \x1b[31m và \u202eđảo")
    capsys.readouterr()

    assert portalops(home, "incident", "show", ID) == ExitCode.OK

    told = capsys.readouterr().out
    assert "\x1b" not in told
    assert "\u202e" not in told
    assert "\\x1b[31m" in told


def test_incident_that_does_not_exist_is_told_of(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert incident(home, "show", "IN-2020-001\x1b") == ExitCode.USAGE

    told = capsys.readouterr().err
    assert "there is no incident IN-2020-001" in told
    assert "\x1b" not in told


def test_closing_with_something_undone_needs_a_reason_and_shows_it(
    home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    failed_round(home, "change.config")
    credential(home)
    open_(home, "--host", "web1", "--credential", "web1-an")
    report(home, "full", "--file", str(home / "report.pdf"))
    capsys.readouterr()

    assert close(home) == ExitCode.USAGE
    told = capsys.readouterr().err
    assert "credential web1-an has neither been changed nor returned since then" in told
    assert "finding web1:change.config is open" in told
    assert "portalops credential rotate web1-an" in told

    assert close(home, "--reason", "máy đã thu hồi") == ExitCode.OK
    told_of = json.loads(capsys.readouterr().out)
    assert told_of["data"]["closed"]["open_ends"] == ["credential:web1-an", "finding:web1:change.config"]
    assert len(told_of["warnings"]) == 2
    assert incident(home, "list") == ExitCode.UNMET
    assert "1 closed incident is out of order" in capsys.readouterr().out


def test_changed_credential_lets_the_incident_be_closed(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    credential(home)
    open_(home, "--credential", "web1-an")
    report(home, "full", "--file", str(home / "report.pdf"))
    assert close(home) == ExitCode.USAGE

    assert portalops(home, "credential", "rotate", "web1-an") == ExitCode.OK

    capsys.readouterr()
    assert close(home) == ExitCode.OK
    assert data_of(capsys)["closed"]["open_ends"] == []


def test_late_and_unkept_reports_are_told_with_their_exit_status(
    home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    open_(home, noticed=NOW - 30 * HOUR)
    assert incident(home, "list") == ExitCode.UNMET
    capsys.readouterr()

    assert report(home, "first") == ExitCode.OK

    assert any("it counts as late" in each for each in json.loads(capsys.readouterr().out)["warnings"])
    report(home, "full")
    assert any("is not kept" in each for each in json.loads(capsys.readouterr().out)["warnings"])
    assert incident(home, "show", ID) == ExitCode.UNMET
    data = data_of(capsys)
    assert (data["first_report"]["state"], data["full_report"]["state"]) == ("late", "unproven")


def test_paper_is_added_to_a_report_by_what_the_warning_says(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    open_(home)
    capsys.readouterr()
    report(home)
    first = json.loads(capsys.readouterr().out)
    (sent,) = re.findall(r"--sent (\S+) and --file", " ".join(first["warnings"]))

    assert report(home, "full", "--sent", sent, "--file", str(home / "report.pdf")) == ExitCode.OK

    (kept,) = data_of(capsys)["reports"]
    assert kept["record"] == first["data"]["reports"][0]["record"]
    assert len(kept["evidence"]) == 1


def test_login_that_is_nobodys_is_tied_by_its_finding(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    failed_round(home, "acct.login-attribution")

    assert open_(home, "--finding", "web1:acct.login-attribution") == ExitCode.OK

    assert data_of(capsys)["findings"] == ["web1:acct.login-attribution"]


def test_attested_days_are_listed_until_an_incident_of_them_is_recorded(
    home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    last = (NOW + 7 * HOUR).date()
    begin = ("--from", (last - 240 * HOUR).isoformat(), "--to", last.isoformat(), "--by", "Trần Thị Bình, Giám đốc")
    assert incident(home, "attest", *begin, "--dry-run") == ExitCode.OK
    assert kinds(home) == []
    assert incident(home, "attest", *begin, "--document", "20/XN", "--file", str(home / "report.pdf")) == ExitCode.OK
    capsys.readouterr()
    assert incident(home, "list", "--attested") == ExitCode.OK
    (attested,) = data_of(capsys)
    assert attested["evidence"] == [hashlib.sha256(b"%PDF report").hexdigest()]

    open_(home)
    capsys.readouterr()

    incident(home, "list", "--attested")
    assert data_of(capsys)[0]["against"] == [ID]
    assert incident(home, "attest", *begin, "--withdraw", "--reason", "sai") == ExitCode.OK
    capsys.readouterr()
    incident(home, "list", "--attested")
    assert data_of(capsys) == []


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("--to", (NOW + 72 * HOUR).date().isoformat()), "is ahead"),
        (("--from", "2026-02-02", "--to", "2026-02-01"), "before they begin on"),
        (("--from", "2024-01-01"), "more than 366 days"),
        (("--from", "01/02/2026"), "is no day"),
        (("--by", " "), "--by is empty"),
        (("--withdraw",), "--reason is empty"),
        (("--withdraw", "--reason", "x"), "no attestation covers exactly the days"),
    ],
)
def test_attestation_that_cannot_be_is_refused(
    home: Path, capsys: pytest.CaptureFixture[str], arguments: tuple[str, ...], said: str
) -> None:
    days = ("--from", "2026-02-01", "--to", "2026-02-28", "--by", "Trần Thị Bình")

    assert incident(home, "attest", *days, *arguments) == ExitCode.USAGE

    told = capsys.readouterr().err
    assert said in told
    assert "hint:" in told
    assert kinds(home) == []


def test_dry_run_shows_what_would_be_and_records_nothing(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert open_(home, "--dry-run") == ExitCode.OK
    assert (data_of(capsys)["id"], kinds(home)) == (ID, [])
    open_(home)
    capsys.readouterr()

    assert report(home, "first", "--dry-run", "--file", str(home / "report.pdf")) == ExitCode.OK

    data = data_of(capsys)
    assert (data["reports"][0]["record"], data["recorded"]) == (None, False)
    assert kinds(home) == [OPENED]


def test_record_that_cannot_be_read_is_told_and_its_id_is_not_used_again(
    home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    ledger = Ledger.open(home / "state", clock=FixedClock(NOW - HOUR), create=True)
    body = bodies.write({KEYS[OPENED][0]: {"id": ID}})
    seq = ledger.append(OPENED, run=NO_RUN, subject=ID, body=body).seq
    ledger.close()

    assert open_(home) == ExitCode.OK

    assert data_of(capsys)["id"].endswith("-002")
    assert portalops(home, "incident", "list") == ExitCode.PARTIAL
    assert f"1 record of incidents cannot be read: {seq}" in capsys.readouterr().out


@pytest.mark.heavy
def test_two_operators_at_once_get_two_ids_and_lose_no_note(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    open_(home)
    said = ("incident", "open", "--what", "mất điện", "--kind", "outage", "--severity", "low")

    codes = at_once(
        home, said, said, ("incident", "note", ID, "--text", "một"), ("incident", "note", ID, "--text", "hai")
    )

    assert codes == [ExitCode.OK] * 4
    capsys.readouterr()
    incident(home, "list")
    found = data_of(capsys)
    assert [each["id"][-3:] for each in found] == ["001", "002", "003"]
    assert sorted(note["text"] for note in found[0]["notes"]) == ["hai", "một"]


def test_two_operators_who_close_at_once_close_once(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    open_(home)
    report(home, "full", "--file", str(home / "report.pdf"))
    end = ("incident", "close", ID, "--cause", "x", "--lessons", "y")

    codes = at_once(home, end, end)

    assert sorted(codes) == [ExitCode.OK, ExitCode.USAGE]
    capsys.readouterr()
    incident(home, "show", ID)
    assert data_of(capsys)["unreadable"] == []


def test_letter_is_written_in_each_format_and_records_nothing(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    credential(home)
    open_(home, "--credential", "web1-an", "--affected", "quyền quản trị web1")
    capsys.readouterr()

    code = incident(
        home, "letter", ID, "--report", "full", "--to", "committee", "--format", "docx,markdown", "--output", str(home)
    )

    told = json.loads(capsys.readouterr().out)
    assert code == ExitCode.OK
    assert [Path(each["id"]).name for each in told["data"]] == [f"{ID}-full.docx", f"{ID}-full.md"]
    assert "the full report is incomplete" in told["warnings"][0]
    text = (home / f"{ID}-full.md").read_text(encoding="utf-8")
    assert "Nguyên nhân: chưa xác định được" in text
    assert "chưa đổi" in text
    assert kinds(home) == [OPENED]


def test_incidents_of_a_period_stand_in_the_report_and_in_status(
    home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    credential(home)
    open_(home, "--credential", "web1-an")
    report(home, "full", "--file", str(home / "report.pdf"))
    capsys.readouterr()
    day = (NOW + 6 * HOUR).date().isoformat()  # on which it was noticed, in the portal's zone

    portalops(home, "report", "build", "compliance", "--period", day[:7], "--output", str(home), "--language", "vi")
    portalops(home, "status", "--json")

    (page,) = home.glob("*.html")
    text = page.read_text(encoding="utf-8")
    assert ID in text
    assert hashlib.sha256(b"%PDF report").hexdigest() in text
    assert "Sự cố phát hiện trong kỳ" in text


def test_incident_whose_opening_was_erased_is_there_again_once_the_whole_is_said_anew(
    home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    open_(home)
    report(home, "first", "--file", str(home / "report.pdf"))
    ledger = Ledger.open(home / "state", clock=SystemClock(), create=False)
    opened = next(record for record in ledger.records(kinds=(OPENED,)))
    ledger.remove_blob(opened.body)
    ledger.close()
    whole = ("--what", "mất máy tính", "--kind", "outage", "--severity", "high", "--reason", "chi tiết đã xóa")

    assert incident(home, "note", ID, "--text", "x") == ExitCode.USAGE
    assert incident(home, "correct", ID, *whole) == ExitCode.USAGE
    assert "the record that opened" in capsys.readouterr().out
    assert incident(home, "correct", ID, *whole, "--detected", (NOW - HOUR).isoformat(), "--dry-run") == ExitCode.OK
    assert incident(home, "correct", ID, *whole, "--detected", (NOW - HOUR).isoformat()) == ExitCode.OK
    capsys.readouterr()
    incident(home, "show", ID)

    shown = data_of(capsys)
    assert (shown["state"], shown["unreadable"]) == ("open", [])
    assert shown["said_anew"] == [{"record": opened.seq, "by": newest_correction(home)}]
    assert (len(shown["reports"]), shown["first_report"]["state"]) == (1, "unproven")


def newest_correction(home: Path) -> int:
    ledger = Ledger.open(home / "state", clock=SystemClock(), create=False)
    return max(record.seq for record in ledger.records(kinds=(CORRECTED,)))
