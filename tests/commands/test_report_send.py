"""Reports by mail: to whom the server takes them, on record whatever becomes of them, and again for who did not get them."""

from __future__ import annotations

import email
import email.policy
import hashlib
import json
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from email.message import EmailMessage
from pathlib import Path
from typing import Any

import pytest

from commands.cli.entry import run
from commands.cli.invocation import Invocation
from commands.cli.session import Session
from commands.jobs.runner import perform
from portalops.config.keys import ensure_signing_key
from portalops.errors import ExitCode
from portalops.ledger.heads import code_of, newest_head
from portalops.ledger.ledger import Ledger
from portalops.model.mailings import MailState
from portalops.model.runs import Every, Job, JobId, JobKind
from portalops.model.verdicts import RunOutcome
from portalops.registers.mailings import RecordedMailing, read_mailings
from tests.anchors.parts import Mailbox, line_server, mail_server
from tests.doubles import FixedClock
from tests.ledger.ledgers import tamper
from tests.shapes import data_in

AN, BINH = "an@so-tttt.example", "binh@ubnd.example"
CONFIGURATION = """
[portal]
id = "demo"
name = {{ vi = "Cổng ví dụ", en = "Example portal" }}

[state]
folder = "state"

[signing]
key = "keys/signing"

[[job]]
id = "weekly-report"
kind = "report"
every = "week"

[report]
folder = "reports"

[report.mail]
host = "127.0.0.1"
port = {port}
security = "none"
sender = "portalops@khanhhoa.example"
recipients = ["an@so-tttt.example", "binh@ubnd.example"]
timeout_seconds = 5
"""
BEGAN = datetime(2026, 11, 23, 2, tzinfo=UTC)
PROGRAM = (sys.executable, "-c", "from commands.app import main; main()")
WEEK = ("--period", "2026-W47")
WEEKLY = Job(JobId("weekly-report"), JobKind.REPORT, Every.WEEK)


def home_in(folder: Path, port: int, extra: str = "") -> Path:
    """Make a configuration, a key and a ledger with nothing in it to report on."""
    (folder / "portalops.toml").write_text(CONFIGURATION.format(port=port) + extra, encoding="utf-8")
    (folder / "keys").mkdir()
    ensure_signing_key(folder / "keys" / "signing", comment="demo")
    Ledger.open(folder / "state", FixedClock(BEGAN), create=True).close()
    return folder


@pytest.fixture
def box() -> Iterator[Mailbox]:
    with mail_server() as running:
        yield running


def portalops(home: Path, *arguments: str) -> int:
    return run(["--config", str(home / "portalops.toml"), "--lang", "en", *arguments], {})


def session_in(folder: Path, clock: FixedClock | None = None) -> Session:
    return Session(Invocation((), folder / "portalops.toml"), {}, clock=clock or FixedClock(BEGAN + timedelta(hours=1)))


def data_of(capsys: pytest.CaptureFixture[str], called: str) -> Any:
    return data_in(capsys.readouterr().out, called)


def mailings(home: Path) -> tuple[RecordedMailing, ...]:
    read = read_mailings(session_in(home).ledger)
    assert read.unreadable == ()
    return read.mailings


def parsed(data: bytes) -> EmailMessage:
    message = email.message_from_bytes(data, policy=email.policy.default)
    assert isinstance(message, EmailMessage)
    return message


def text_of(data: bytes) -> str:
    body = parsed(data).get_body()
    assert body is not None
    return str(body.get_content())


def test_a_report_with_nothing_in_it_is_mailed_with_its_digests_and_head_code(
    tmp_path: Path, box: Mailbox, capsys: pytest.CaptureFixture[str]
) -> None:
    home = home_in(tmp_path, box.port)

    assert portalops(home, "--json", "report", "send", "compliance", *WEEK) == ExitCode.OK

    told = data_of(capsys, "report send")
    (data,) = box.mails
    message = parsed(data)
    attached = {str(part.get_filename()): part.get_content() for part in message.iter_attachments()}
    digests = {name: hashlib.sha256(content).hexdigest() for name, content in attached.items()}
    assert list(digests) == [f"demo-compliance-2026-11-16--2026-11-22.{language}.html" for language in ("vi", "en")]
    (one,) = mailings(home)
    head = newest_head(session_in(home).ledger)
    assert head is not None
    assert one.mailing.head == head.head
    assert {file.name: file.sha256 for file in one.mailing.files} == digests
    assert {file["name"]: file["sha256"] for file in told["files"]} == digests
    assert message["Message-ID"] == one.mailing.message_id == told["message_id"]
    assert box.recipients == [AN, BINH] == told["accepted"]
    text = text_of(data)
    for words in (*digests, *digests.values(), code_of(head.head), "Cổng ví dụ", "Example portal"):
        assert words in text
    assert one.answer is not None
    assert (one.state, one.answer.answer) == (MailState.TAKEN, "250 2.0.0 Ok: queued as 4C0FFEE")


def test_the_subject_is_in_the_first_language_and_the_text_in_each(tmp_path: Path, box: Mailbox) -> None:
    home = home_in(tmp_path, box.port, 'subject = "[Cổng Khánh Hòa]"\n')

    assert portalops(home, "report", "send", "compliance", *WEEK, "--language", "en", "--to", AN) == ExitCode.OK

    (data,) = box.mails
    assert (
        parsed(data)["Subject"]
        == "[Cổng Khánh Hòa] Report on the duties of the portal, from 16 Nov 2026 to 22 Nov 2026"
    )
    assert b"=?utf-8?" in data
    assert "Cổng ví dụ" not in text_of(data)
    assert box.recipients == [AN]


def test_who_is_refused_is_told_and_recorded_and_the_others_get_it(
    tmp_path: Path, box: Mailbox, capsys: pytest.CaptureFixture[str]
) -> None:
    home = home_in(tmp_path, box.port)
    box.refused = BINH

    assert portalops(home, "report", "send", "compliance", *WEEK) == ExitCode.PARTIAL

    assert f"the mail server refused {BINH}: 550 5.1.1 no such mailbox" in capsys.readouterr().err
    assert portalops(home, "--json", "report", "list") == ExitCode.OK
    (listed,) = next(each for each in data_of(capsys, "report list") if each["id"] == "compliance")["mailed"]
    assert (listed["state"], listed["accepted"]) == ("taken", [AN])
    assert listed["refused"] == [{"recipient": BINH, "answer": "550 5.1.1 no such mailbox"}]
    assert portalops(home, "report", "list") == ExitCode.OK
    lines = [line for line in capsys.readouterr().out.splitlines() if "@" in line]
    assert [("accepted by the mail server" in line, "not sent" in line) for line in lines] == [
        (True, False),
        (False, True),
    ]


@pytest.mark.parametrize("language", ["en", "vi"])
def test_a_mail_that_nobody_takes_is_an_error_and_on_record_with_its_cause(
    tmp_path: Path, box: Mailbox, capsys: pytest.CaptureFixture[str], language: str
) -> None:
    home = home_in(tmp_path, box.port)
    box.full = True

    options = ("report", "send", "compliance", *WEEK, "--language", language)
    assert portalops(home, *options) == ExitCode.FAILED

    assert "it answers 452 4.3.1 the mailbox is full" in capsys.readouterr().err
    (one,) = mailings(home)
    assert one.answer is not None
    assert (one.state, one.answer.accepted) == (MailState.REFUSED, ())
    assert "it answers 452 4.3.1 the mailbox is full" in str(one.answer.problem)
    assert len(list((home / "reports").iterdir())) == 1, "the report itself is there"
    assert portalops(home, "--json", "report", "index", "--language", "en") == ExitCode.OK
    (file,) = data_of(capsys, "report index")["files"]
    assert file["records"] == [{"seq": one.seq, "deed": "mail-refused"}]


def test_a_server_that_hangs_with_the_mail_leaves_its_state_unknown(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with line_server(hanging) as port:
        home = home_in(tmp_path, port, "")
        settings = (home / "portalops.toml").read_text(encoding="utf-8")
        (home / "portalops.toml").write_text(settings.replace("seconds = 5", "seconds = 1"), encoding="utf-8")
        assert portalops(home, "report", "send", "compliance", *WEEK, "--language", "en") == ExitCode.PARTIAL

    assert "error[PO1605]" in capsys.readouterr().err
    (one,) = mailings(home)
    assert one.state is MailState.UNKNOWN


def hanging(connection: socket.socket) -> None:
    """Take a mail as a server does, and never say that it was taken."""
    lines = connection.makefile("rb")
    connection.sendall(b"220 mx.example\r\n")
    for line in lines:
        is_data = line.upper().startswith(b"DATA")
        connection.sendall(b"354 go on\r\n" if is_data else b"250 mx.example\r\n")
        if is_data:
            break
    for _line in lines:
        pass


def test_a_dry_run_builds_sends_and_records_nothing(
    tmp_path: Path, box: Mailbox, capsys: pytest.CaptureFixture[str]
) -> None:
    home = home_in(tmp_path, box.port)
    before = session_in(home).ledger.count()

    assert portalops(home, "--json", "report", "send", "compliance", *WEEK, "--to", AN, "--dry-run") == ExitCode.OK

    told = data_of(capsys, "report send")
    assert (told["recipients"], told["period"], told["formats"]) == ([AN], "2026-11-16..2026-11-22", ["html"])
    assert box.mails == []
    assert not (home / "reports").exists()
    assert session_in(home).ledger.count() == before


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (("--to", "An <an@so.example>"), "is not a mail address"),
        (("--to", f"{AN}\nBcc: x@y.example"), r"an@so-tttt.example\nBcc: x@y.example is not a mail address"),
        (tuple(f"--to=a{n}@so.example" for n in range(21)), "21 addresses are more than 20"),
        (("--format", "word-perfect"), "no report format is named word-perfect"),
    ],
)
def test_what_cannot_be_sent_is_refused_before_anything_is_built(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], options: tuple[str, ...], said: str
) -> None:
    home = home_in(tmp_path, 1)

    assert portalops(home, "report", "send", "compliance", *WEEK, *options) == ExitCode.USAGE

    assert said in capsys.readouterr().err
    assert not (home / "reports").exists()


def test_a_password_that_is_not_there_is_said_before_anything_is_recorded(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    home = home_in(tmp_path, 1, 'user = "portalops"\npassword = { env = "MAIL_PASSWORD" }\n')
    settings = (home / "portalops.toml").read_text(encoding="utf-8")
    (home / "portalops.toml").write_text(settings.replace('security = "none"', ""), encoding="utf-8")

    assert portalops(home, "report", "send", "compliance", *WEEK) == ExitCode.CONFIGURATION

    assert "MAIL_PASSWORD" in capsys.readouterr().err
    assert mailings(home) == ()


def test_without_a_server_or_recipients_the_command_says_what_to_configure(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    home = home_in(tmp_path, 1)
    text = (home / "portalops.toml").read_text(encoding="utf-8")
    nobody = "\n".join(line for line in text.splitlines() if not line.startswith("recipients"))

    (home / "portalops.toml").write_text(text.partition("[report.mail]")[0], encoding="utf-8")
    assert portalops(home, "report", "send", "compliance", *WEEK) == ExitCode.USAGE
    assert "Add [report.mail]" in capsys.readouterr().err
    (home / "portalops.toml").write_text(nobody, encoding="utf-8")
    assert portalops(home, "report", "send", "compliance", *WEEK) == ExitCode.USAGE
    assert "Give --to" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ('recipients = ["An <an@so.example>"]', "recipients"),
        ('recipients = ["an@so.example\\nBcc: x@y.example"]', "recipients"),
        ('subject = "a\\nBcc: x@y.example"', "holds a control character"),
        ('formats = ["word-perfect"]', "is not a report format"),
        ('password = "hunter2"', "contains the secret itself"),
    ],
)
def test_a_table_that_does_not_fit_is_told_with_its_line(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], line: str, said: str
) -> None:
    home = home_in(tmp_path, 1)
    text = (home / "portalops.toml").read_text(encoding="utf-8")
    kept = [each for each in text.splitlines() if each.partition(" ")[0] != line.partition(" ")[0]]
    (home / "portalops.toml").write_text("\n".join([*kept, line]), encoding="utf-8")

    assert portalops(home, "config", "check") == ExitCode.CONFIGURATION

    told = "".join(capsys.readouterr())
    assert said in told
    assert f"portalops.toml:{len(kept) + 1}" in told
    assert "hunter2" not in told


def test_the_job_mails_what_it_wrote_and_again_only_to_who_did_not_get_it(tmp_path: Path, box: Mailbox) -> None:
    home, clock = home_in(tmp_path, box.port), FixedClock(BEGAN + timedelta(hours=1))
    box.refused = BINH

    first = perform(session_in(home, clock), WEEKLY)
    clock.move(timedelta(hours=2))
    box.refused = ""
    second = perform(session_in(home, clock), WEEKLY)
    clock.move(timedelta(hours=2))
    third = perform(session_in(home, clock), WEEKLY)

    assert (first.outcome, first.exit_code) == (RunOutcome.INCOMPLETE, ExitCode.PARTIAL)
    assert first.problems == (f"the mail server refused {BINH}: 550 5.1.1 no such mailbox",)
    assert [each.outcome for each in (second, third)] == [RunOutcome.COMPLETE, RunOutcome.COMPLETE]
    assert box.recipients == [AN, BINH]
    assert [each.mailing.made_in for each in mailings(home)] == [first.run, second.run]


def test_in_the_next_week_the_job_mails_to_all_again(tmp_path: Path, box: Mailbox) -> None:
    home, clock = home_in(tmp_path, box.port), FixedClock(BEGAN + timedelta(hours=1))

    perform(session_in(home, clock), WEEKLY)
    clock.move(timedelta(days=7))
    perform(session_in(home, clock), WEEKLY)

    assert box.recipients == [AN, BINH, AN, BINH]


def test_a_mail_that_fails_loses_no_report_of_the_job(tmp_path: Path) -> None:
    home = home_in(tmp_path, 1)

    done = perform(session_in(home), WEEKLY)

    assert (done.outcome, done.exit_code) == (RunOutcome.INCOMPLETE, ExitCode.PARTIAL)
    assert "refused the mail at this step: the connection: Connection refused" in done.problems[0]
    assert len(list((home / "reports").iterdir())) == 2
    (one,) = mailings(home)
    assert one.state is MailState.REFUSED


def test_without_recipients_the_job_mails_nobody(tmp_path: Path) -> None:
    home = home_in(tmp_path, 1)
    text = (home / "portalops.toml").read_text(encoding="utf-8")
    nobody = "\n".join(line for line in text.splitlines() if not line.startswith("recipients"))
    (home / "portalops.toml").write_text(nobody, encoding="utf-8")

    done = perform(session_in(home), WEEKLY)

    assert (done.outcome, done.exit_code, mailings(home)) == (RunOutcome.COMPLETE, ExitCode.OK, ())


def test_a_report_on_one_host_is_mailed_with_its_name(tmp_path: Path, box: Mailbox) -> None:
    home = home_in(tmp_path, box.port, '\n[[host]]\nid = "web.1"\naddress = "local"\n')
    options = ("report", "send", "changes", *WEEK, "--host", "web.1", "--language", "en")

    assert [portalops(home, *options) for _ in range(2)] == [ExitCode.OK, ExitCode.OK]

    assert parsed(box.mails[0])["Subject"].endswith("from 16 Nov 2026 to 22 Nov 2026, web.1")
    assert [each.mailing.scope for each in mailings(home)] == ["host-web.1", "host-web.1"]
    assert len({each.run for each in mailings(home)}) == 2


def test_a_sending_that_is_killed_shows_in_the_list_and_in_the_verification(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    reached = threading.Event()

    def reach(connection: socket.socket) -> None:
        reached.set()

    with line_server(reach) as port:
        home = home_in(tmp_path, port)
        command = (*PROGRAM, "--config", str(home / "portalops.toml"), "report", "send", "compliance", *WEEK)
        with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process:
            assert reached.wait(60)
            process.kill()

    (one,) = mailings(home)
    assert (one.state, one.finished_seq) == (MailState.UNKNOWN, None)
    assert portalops(home, "report", "list") == ExitCode.OK
    assert "not known whether it was sent" in capsys.readouterr().out
    assert portalops(home, "ledger", "verify") == ExitCode.PARTIAL
    assert one.run in capsys.readouterr().out


def test_a_ledger_that_was_changed_is_told_in_the_mail(tmp_path: Path, box: Mailbox) -> None:
    home = home_in(tmp_path, box.port)
    session = session_in(home)
    session.record_head()
    change = """UPDATE record SET line = CAST(replace(CAST(line AS TEXT), '"duty":""', '"duty":"9"') AS BLOB) WHERE seq = 2"""
    tamper(session.writable_ledger, change)

    assert portalops(home, "report", "send", "compliance", *WEEK, "--language", "en") == ExitCode.INTEGRITY

    assert "nothing in it can be trusted" in " ".join(text_of(box.mails[0]).split())


def test_doctor_tells_whom_the_newest_mail_did_not_reach_until_one_does(
    tmp_path: Path, box: Mailbox, capsys: pytest.CaptureFixture[str]
) -> None:
    home = home_in(tmp_path, box.port)
    box.refused = BINH

    told = []
    for _ in range(2):
        portalops(home, "report", "send", "compliance", *WEEK, "--language", "en")
        capsys.readouterr()
        portalops(home, "--json", "doctor")
        told.append(
            [
                each["seen"]
                for each in data_of(capsys, "doctor")
                if each["subject"] == "reports" and each["state"] == "warning"
            ]
        )
        box.refused = ""

    assert [len(each) for each in told] == [1, 0]
    assert f"is not known to have reached {BINH}: 550 5.1.1 no such mailbox" in told[0][0]


def test_doctor_tells_a_format_that_cannot_be_mailed(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "typst", None)
    home = home_in(tmp_path, 1, 'formats = ["pdf"]\n')

    portalops(home, "--json", "doctor")

    told = [each for each in data_of(capsys, "doctor") if each["subject"] == "reports"]
    assert any("typst" in json.dumps(each) for each in told), told


def test_a_format_that_the_machine_lacks_is_told_and_the_others_are_mailed(
    tmp_path: Path, box: Mailbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "typst", None)  # as where it is not installed
    home = home_in(tmp_path, box.port, 'formats = ["pdf", "json"]\n')

    done = perform(session_in(home), WEEKLY)

    assert done.outcome is RunOutcome.INCOMPLETE
    assert done.problems[0].startswith("the report is not mailed as pdf: ")
    (one,) = mailings(home)
    assert {file.name.rpartition(".")[2] for file in one.mailing.files} == {"json"}
    assert one.state is MailState.TAKEN
    assert {path.suffix for path in (home / "reports").iterdir()} == {".html", ".json"}
