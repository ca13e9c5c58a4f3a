"""What people are told after runs: by real mail servers, also when servers, the ledger, the configuration or the disk fail."""

from __future__ import annotations

import email
import email.policy
import fcntl
import json
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from email.message import EmailMessage
from pathlib import Path
from typing import Any

import pytest
import time_machine

from commands.cli.entry import run
from commands.cli.invocation import Invocation
from commands.cli.session import Session
from commands.jobs import sending
from commands.jobs.notify import notify_run, unit_in
from portalops import bodies
from portalops.config.keys import ensure_signing_key
from portalops.errors import ExitCode
from portalops.ledger.ledger import Ledger
from portalops.model.alarms import AlarmEnd, AlarmKey, AlarmsChanged, ClosedAlarm, OpenedAlarm
from portalops.model.message import msg
from portalops.model.notifications import Level, NotificationState
from portalops.model.record import RunId
from portalops.notify.channels import ChannelSettings, Taken
from portalops.notify.state import NotifyFolder, WaitingLetter
from portalops.registers.alarms import CHANGED, AlarmStep, fold_alarms
from portalops.registers.notifications import RecordedNotification, read_notifications
from tests.accounts import NOBODY
from tests.anchors.parts import Mailbox, line_server, mail_server
from tests.doubles import FixedClock
from tests.ledger.ledgers import tamper
from tests.servers import free_port
from tests.shapes import data_in

CANARY = "hunter2-canary"
AT = datetime(2026, 11, 24, 2, tzinfo=UTC)
"""Tuesday, 09:00 in the portal's zone."""
QUARTER = timedelta(minutes=15)
HOUR = timedelta(hours=1)
DAY = timedelta(days=1)
PROGRAM = (sys.executable, "-c", "from commands.app import main; main()")
PORTAL = """
[portal]
id = "demo"
name = { vi = "Cổng ví dụ", en = "Example portal" }
language = "en"

[state]
folder = "state"

[signing]
key = "keys/signing"

[[job]]
id = "daily-anchor"
kind = "anchor"
every = "day"

[[ledger.anchor]]
id = "share"
kind = "folder"
folder = "hunter2-canary"
"""
CHANNEL = """
[[notify.channel]]
id = "{id}"
kind = "mail"
host = "127.0.0.1"
port = {port}
security = "none"
sender = "portalops@khanhhoa.example"
recipients = ["an@so-tttt.example"]
timeout_seconds = {seconds}
{extra}
"""


class Home:
    """A folder with a portal whose one job fails until its folder is there."""

    def __init__(self, folder: Path, *channels: str) -> None:
        self.folder = folder
        self.file = folder / "portalops.toml"
        self.configure(PORTAL + "".join(channels))
        (folder / "keys").mkdir()
        ensure_signing_key(folder / "keys" / "signing", comment="demo")

    def configure(self, text: str) -> None:
        self.file.write_text(text, encoding="utf-8")

    def mend(self) -> None:
        (self.folder / CANARY).mkdir()

    def call(self, *arguments: str, at: datetime = AT, environment: Mapping[str, str] = {}) -> int:
        (self.folder / "state" / "booted-at").unlink(missing_ok=True)  # the clock is moved, and not found to be set
        with time_machine.travel(at, tick=False):
            return run(["--config", str(self.file), "--lang", "en", *arguments], environment)

    @property
    def notify(self) -> NotifyFolder:
        return NotifyFolder(self.folder / "state")

    def recorded(self) -> tuple[RecordedNotification, ...]:
        ledger = Ledger.open(self.folder / "state", FixedClock(AT), create=False)
        read = read_notifications(ledger)
        assert read.unreadable == ()
        return read.notifications


def channel(port: int, *, name: str = "on-duty", seconds: int = 5, extra: str = "") -> str:
    return CHANNEL.format(id=name, port=port, seconds=seconds, extra=extra)


@pytest.fixture
def box() -> Iterator[Mailbox]:
    with mail_server() as running:
        yield running


def mails(box: Mailbox) -> list[tuple[str, str]]:
    """Return subject and text of each mail, and forget them."""
    found = []
    for data in box.mails:
        message = email.message_from_bytes(data, policy=email.policy.default)
        assert isinstance(message, EmailMessage)
        found.append((str(message["Subject"]).removeprefix("portalops demo: "), str(message.get_content())))
    box.mails.clear()
    return found


def subjects(box: Mailbox) -> list[str]:
    return [subject for subject, _text in mails(box)]


def ids(box: Mailbox) -> list[str]:
    return [str(email.message_from_bytes(data)["Message-ID"]) for data in box.mails]


FAILED = "FAILURE: daily-anchor"
NEW = "new alarms: anchor share and 1 more (31 more open)"
"""The anchor that refuses, and the days off of next year; the others are the job, and duties without evidence."""


@pytest.mark.heavy
def test_a_failed_job_is_told_at_once_the_same_a_day_later_and_once_that_it_is_good_again(
    tmp_path: Path, box: Mailbox
) -> None:
    home = Home(tmp_path, channel(box.port))

    assert home.call("run", "--due") == ExitCode.FAILED
    assert subjects(box) == [FAILED, NEW]
    assert home.call("run", "--due", at=AT + QUARTER) == ExitCode.OK
    assert home.call("run", "--due", at=AT + 2 * HOUR) == ExitCode.FAILED
    assert subjects(box) == []
    assert home.call("run", "--due", at=AT + DAY + HOUR) == ExitCode.FAILED
    assert subjects(box) == [FAILED]
    home.mend()
    home.call("run", "--due", at=AT + DAY + 3 * HOUR)
    ((subject, text),) = mails(box)
    assert subject == "working again: daily-anchor"
    assert "job daily-anchor; it failed from 24 Nov 2026 09:00 +07 on" in text
    home.call("run", at=AT + DAY + 4 * HOUR)
    assert subjects(box) == []


def test_a_run_at_a_terminal_tells_the_same_and_a_dry_run_tells_nobody(tmp_path: Path, box: Mailbox) -> None:
    home = Home(tmp_path, channel(box.port))

    home.call("run", "--dry-run")
    assert subjects(box) == []
    home.call("run", "daily-anchor")
    assert subjects(box) == [FAILED, NEW]


def test_a_job_whose_run_was_killed_is_told_by_a_run_of_other_jobs(tmp_path: Path, box: Mailbox) -> None:
    home = Home(tmp_path, channel(box.port, extra='levels = ["failure", "recovery"]'))
    home.mend()
    home.configure(home.file.read_text(encoding="utf-8") + '[[job]]\nid = "hourly"\nkind = "anchor"\nevery = "hour"\n')
    home.call("run", "--due", "hourly")
    clock = FixedClock(AT + QUARTER)
    ledger = Ledger.open(tmp_path / "state", clock, create=True)
    begun = RunId("anchor:daily-anchor:2026-11-24")
    ledger.append("anchor.started", run=begun, subject="daily-anchor", body=bodies.write({}))
    ledger.close()

    home.call("run", "--due", "hourly", at=AT + HOUR)
    ((subject, text),) = mails(box)
    assert subject == "FAILURE: daily-anchor"
    assert "the run that began at 24 Nov 2026 09:15 +07 did not finish" in text
    home.call("run", "--due", at=AT + 2 * HOUR)
    assert subjects(box) == ["working again: daily-anchor"]


def test_what_a_person_mends_by_hand_is_told_as_good_by_the_next_run(tmp_path: Path, box: Mailbox) -> None:
    home = Home(tmp_path, channel(box.port))
    home.call("run", "--due")
    home.mend()
    mails(box)

    assert home.call("ledger", "anchor", at=AT + HOUR) == ExitCode.OK
    home.call("run", "--due", "daily-anchor", at=AT + DAY - 2 * HOUR)

    assert subjects(box) == ["1 alarm closed (31 open)", "working again: daily-anchor"]


def test_a_letter_that_nobody_takes_is_kept_recorded_and_sent_by_the_next_run(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    port = free_port()
    home = Home(tmp_path, channel(port))

    assert home.call("run", "--due") == ExitCode.FAILED
    assert "a letter waits to be sent by on-duty" in capsys.readouterr().err
    assert home.call("--json", "notify", "list", at=AT) == ExitCode.PARTIAL
    listed = data_in(capsys.readouterr().out, "notify list")
    assert [each["subject"] for each in listed["waiting"]] == [
        f"portalops demo: {FAILED}",
        f"portalops demo: {NEW}",
    ]
    (failed,) = [each.notification for each in home.recorded()]
    assert (failed.state, failed.code, failed.tries) == (NotificationState.REFUSED, "PO1604", 1)
    assert failed.text
    for number in range(1, 4):  # the same failure is not recorded by each run
        home.call("run", "--due", at=AT + number * QUARTER)
    assert len(home.recorded()) == 2  # once each of the two letters

    with _listening(port) as box:
        assert home.call("run", "--due", at=AT + 4 * QUARTER) in {ExitCode.OK, ExitCode.FAILED}
        assert sorted(subjects(box)) == sorted([FAILED, NEW])
    states = [each.notification.state for each in home.recorded()]
    assert states[-2:] == [NotificationState.TAKEN] * 2
    assert home.call("notify", "list", at=AT + 4 * QUARTER) == ExitCode.OK


@contextmanager
def _listening(port: int) -> Iterator[Mailbox]:
    """Run a mail server at a port that nobody used so far."""
    from aiosmtpd.controller import Controller

    box = Mailbox(port=port)
    controller = Controller(box, hostname=box.host, port=port, ready_timeout=60, ident="test")
    controller.start()
    try:
        yield box
    finally:
        controller.stop()


def test_a_server_that_hangs_changes_no_exit_code_and_keeps_no_other_channel_waiting(
    tmp_path: Path, box: Mailbox, capsys: pytest.CaptureFixture[str]
) -> None:
    def hang(connection: socket.socket) -> None:
        connection.sendall(b"220 mx\r\n")

    begun = time.monotonic()
    with line_server(hang) as port:
        home = Home(tmp_path, channel(port, name="hangs", seconds=1), channel(box.port))
        assert home.call("run", "--due") == ExitCode.FAILED

    assert time.monotonic() - begun < 8
    assert "a letter waits to be sent by hangs" in capsys.readouterr().err
    assert subjects(box) == [FAILED, NEW]


def test_a_letter_without_an_answer_is_sent_again_under_the_same_identity_and_given_up_the_third_time(
    tmp_path: Path,
) -> None:
    got: list[str] = []

    def break_off(connection: socket.socket) -> None:
        with connection, connection.makefile("rwb") as lines:
            lines.write(b"220 mx\r\n")
            lines.flush()
            in_data = False
            for line in lines:
                if line.lower().startswith(b"message-id"):
                    got.append(line.decode().partition(":")[2].strip())
                if in_data:
                    if line == b".\r\n":
                        return
                    continue
                in_data = line.strip().lower() == b"data"
                lines.write(b"354 go on\r\n" if in_data else b"250 OK\r\n")
                lines.flush()

    with line_server(break_off) as port:
        home = Home(tmp_path, channel(port, extra='levels = ["failure"]'))
        for number in range(5):
            home.call("run", "--due", at=AT + number * QUARTER)

    assert len(got) == 3
    assert len(set(got)) == 1
    assert home.notify.load(AT).letters == ()
    assert home.recorded()[-1].notification.state is NotificationState.UNKNOWN
    assert home.recorded()[-1].notification.tries == 3


def test_a_ledger_that_begins_where_another_one_was_is_told_and_not_only_printed_by_that_run(
    tmp_path: Path, box: Mailbox
) -> None:
    home = Home(tmp_path, channel(box.port, extra='levels = ["failure", "recovery"]'))
    home.mend()
    home.call("run", "--due")
    assert subjects(box) == []
    for file in (tmp_path / "state").glob("ledger.sqlite*"):
        file.unlink()

    home.call("run", "--due", at=AT + HOUR)
    ((subject, text),) = mails(box)
    assert subject == "FAILURE: the ledger"
    assert "the ledger: a new ledger was begun, although traces of another one remain" in text
    home.call("run", "--due", at=AT + DAY)
    assert subjects(box) == []  # neither again nor as good
    assert "ledger:another" in [each.key for each in home.notify.load(AT).alarms]


def test_a_broken_ledger_is_told_each_day_and_recorded_once_it_is_mended(tmp_path: Path, box: Mailbox) -> None:
    home = Home(tmp_path, channel(box.port))
    home.mend()
    home.call("run", "--due")
    mails(box)
    aside = tmp_path / "aside"
    aside.mkdir()
    for file in (tmp_path / "state").glob("ledger.sqlite*"):
        file.rename(aside / file.name)
    (tmp_path / "state" / "ledger.sqlite").write_bytes(b"no database at all" * 300)

    for number in range(1, 5):
        assert home.call("run", "--due", at=AT + number * QUARTER) not in {
            ExitCode.OK,
            ExitCode.UNMET,
            ExitCode.PARTIAL,
        }
    ((subject, text),) = mails(box)
    assert subject == "FAILURE: runs as a whole"
    assert "it ended in error PO1101" in text
    assert home.call("run", "--due", at=AT + DAY + HOUR) != ExitCode.OK
    assert subjects(box) == ["FAILURE: runs as a whole"]

    for file in aside.iterdir():
        file.rename(tmp_path / "state" / file.name)
    home.call("run", "--due", at=AT + DAY + 2 * HOUR)
    assert subjects(box) == ["working again: runs as a whole"]
    told = [each.notification.subject.partition(": ")[2] for each in home.recorded()]
    assert told[-3:] == ["FAILURE: runs as a whole", "FAILURE: runs as a whole", "working again: runs as a whole"]


def test_a_changed_record_is_told_as_such(tmp_path: Path, box: Mailbox) -> None:
    home = Home(tmp_path, channel(box.port))
    home.mend()
    home.call("run", "--due")
    mails(box)
    ledger = Ledger.open(tmp_path / "state", FixedClock(AT), create=False)
    tamper(ledger, "UPDATE record SET line = replace(line, 'anchor.finished', 'anchor.finishes') WHERE seq = 7")

    assert home.call("run", at=AT + HOUR) == ExitCode.INTEGRITY

    assert subjects(box) == ["FAILURE: the ledger"]


@pytest.mark.parametrize(
    "broken",
    ["\n[[[\n", "\n[notfy]\n", '\n[[job]]\nid = "x"\nkind = "fly"\nevery = "day"\n', "\n[state]\nfolder = 7\n"],
)
def test_an_edit_that_went_wrong_is_told_by_the_last_good_copy(tmp_path: Path, box: Mailbox, broken: str) -> None:
    home = Home(tmp_path, channel(box.port))
    home.mend()
    home.call("run", "--due")
    mails(box)
    good = home.file.read_text(encoding="utf-8")
    home.configure(good + broken)

    for number in range(1, 4):
        assert home.call("run", "--due", at=AT + number * QUARTER) == ExitCode.CONFIGURATION

    ((subject, text),) = mails(box)
    assert subject == "FAILURE: runs as a whole"
    assert "Run 'portalops config check' on that machine." in text
    home.configure(good)
    home.call("run", "--due", at=AT + DAY)
    assert subjects(box) == ["working again: runs as a whole"]


def test_a_channel_that_does_not_fit_any_more_is_taken_from_the_copy_and_the_copy_stays_good(
    tmp_path: Path, box: Mailbox
) -> None:
    home = Home(tmp_path, channel(box.port))
    home.mend()
    home.call("run", "--due")
    mails(box)
    home.configure(home.file.read_text(encoding="utf-8").replace("recipients", "recipient"))

    for number in range(1, 3):
        assert home.call("run", "--due", at=AT + DAY * number) == ExitCode.CONFIGURATION

    assert subjects(box) == ["FAILURE: runs as a whole"] * 2


def test_a_rulebook_that_there_is_not_is_told_as_what_the_run_failed_for(tmp_path: Path, box: Mailbox) -> None:
    home = Home(tmp_path, channel(box.port))
    home.configure(
        home.file.read_text(encoding="utf-8").replace('id = "demo"', 'id = "demo"\nrulebook = "kh-99-2099"', 1)
    )

    assert home.call("run", "--due") not in {ExitCode.OK, ExitCode.PARTIAL}

    assert subjects(box) == ["FAILURE: runs as a whole"]
    assert home.call("run", "--due", at=AT + HOUR) not in {ExitCode.OK, ExitCode.PARTIAL}
    assert subjects(box) == []


def test_a_test_letter_never_goes_by_the_copy_of_a_channel_that_does_not_fit_any_more(
    tmp_path: Path, box: Mailbox, capsys: pytest.CaptureFixture[str]
) -> None:
    home = Home(tmp_path, channel(box.port))
    home.mend()
    home.call("run", "--due")
    mails(box)
    home.configure(PORTAL + channel(box.port, extra='user = "u"\npassword = { credential = "mail" }'))

    assert home.call("notify", "test") == ExitCode.FAILED

    assert subjects(box) == []
    assert "channel on-duty cannot be used: " in capsys.readouterr().err


def test_a_run_that_ends_in_an_error_logs_once_to_programs_that_people_were_not_told(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    home = Home(tmp_path, channel(free_port()))
    home.configure(home.file.read_text(encoding="utf-8").replace("recipients", "recipient"))

    assert home.call("run", "--due", environment={"PORTALOPS_LOG_FORMAT": "json"}) == ExitCode.CONFIGURATION

    lines = [json.loads(line) for line in capsys.readouterr().err.splitlines()]
    (said,) = [each for each in lines if each["message"].startswith("channel on-duty cannot be used")]
    assert said["event"] == "notification-failed"


def test_a_test_letter_before_the_first_run_makes_no_state_folder(
    tmp_path: Path, box: Mailbox, capsys: pytest.CaptureFixture[str]
) -> None:
    home = Home(tmp_path, channel(box.port))

    assert home.call("notify", "test", "--json") == ExitCode.OK

    assert [each["state"] for each in data_in(capsys.readouterr().out, "notify test")] == ["taken"]
    assert not (tmp_path / "state").exists()
    assert subjects(box) == ["test letter"]


def test_the_ledger_with_its_letters_is_verified_and_shown(
    tmp_path: Path, box: Mailbox, capsys: pytest.CaptureFixture[str]
) -> None:
    home = Home(tmp_path, channel(box.port))
    home.mend()
    home.call("run", "--due")
    capsys.readouterr()

    assert home.call("ledger", "verify", at=AT + HOUR) in {ExitCode.OK, ExitCode.PARTIAL}
    assert home.call("ledger", "show", "--kind", "notification", at=AT + HOUR) == ExitCode.OK
    assert "notify/on-duty" in capsys.readouterr().out
    assert home.call("ledger", "export", "--output", str(tmp_path / "bundle"), at=AT + HOUR) in {
        ExitCode.OK,
        ExitCode.PARTIAL,
    }


def test_the_copy_of_one_configuration_tells_nobody_of_another(tmp_path: Path, box: Mailbox) -> None:
    home = Home(tmp_path, channel(box.port))
    home.call("run", "--due")
    mails(box)
    other = tmp_path / "other.toml"
    other.write_text(PORTAL + "[[[", encoding="utf-8")

    assert run(["--config", str(other), "run", "--due"], {}) == ExitCode.CONFIGURATION
    home.configure(PORTAL)  # and nobody is to be told any more
    home.call("run", at=AT + HOUR)
    home.configure(PORTAL + "[[[")
    home.call("run", at=AT + 2 * HOUR)

    assert subjects(box) == []


def test_a_full_disk_is_told_once_a_day_as_far_as_that_can_be_remembered(
    tmp_path: Path, box: Mailbox, capsys: pytest.CaptureFixture[str]
) -> None:
    home = Home(tmp_path, channel(box.port))
    home.mend()
    home.call("run", "--due")
    mails(box)
    with _without_room(home.notify.folder):
        for number in range(1, 5):
            home.call("run", at=AT + DAY + number * HOUR)
        told = mails(box)
        home.call("run", at=AT + 2 * DAY + 2 * HOUR)

    assert [subject for subject, _text in told] == ["FAILURE: the state folder"]
    assert subjects(box) == ["FAILURE: the state folder"]
    assert "the state of notifications cannot be saved" in capsys.readouterr().err


@contextmanager
def _without_room(folder: Path) -> Iterator[None]:
    """Let no file be made or grow in a folder, also for root, while a file's time can still be set."""
    locks = folder / "locks"
    for lock in ("deciding.lock", "sending.lock"):
        (locks / lock).touch()
    if subprocess.run(["chattr", "+i", str(folder)], check=False, capture_output=True).returncode:
        pytest.skip("this file system knows no chattr +i, or only root may set it")
    try:
        yield
    finally:
        subprocess.run(["chattr", "-i", str(folder)], check=True)


def test_a_state_that_cannot_be_read_is_moved_aside_and_what_still_fails_is_told_again(
    tmp_path: Path, box: Mailbox, capsys: pytest.CaptureFixture[str]
) -> None:
    home = Home(tmp_path, channel(box.port))
    home.call("run", "--due")
    mails(box)
    (home.notify.folder / "state.json").write_bytes(b'{"notify": []}')

    assert home.call("run", "--due", at=AT + 2 * HOUR) == ExitCode.FAILED

    assert FAILED in subjects(box)
    assert (home.notify.folder / "state.unreadable.json").exists()
    assert "it was moved to" in capsys.readouterr().err


@pytest.mark.heavy
def test_a_process_that_is_killed_between_sending_and_remembering_sends_the_same_letter_again(tmp_path: Path) -> None:
    folder = tmp_path
    killed: list[int] = []

    class KillsAfterData(Mailbox):
        async def handle_DATA(self, server: Any, session: Any, envelope: Any) -> str:  # noqa: N802
            self.mails.append(envelope.content)
            if killed:
                os.kill(killed.pop(), signal.SIGKILL)
                time.sleep(0.2)
            return "250 OK"

    from aiosmtpd.controller import Controller

    box = KillsAfterData(port=free_port())
    controller = Controller(box, hostname=box.host, port=box.port, ready_timeout=60, ident="test")
    controller.start()
    try:
        home = Home(folder, channel(box.port, seconds=20, extra='levels = ["failure"]'))
        arguments = [*PROGRAM, "--config", str(home.file), "--quiet", "run", "--due"]
        process = subprocess.Popen(
            arguments, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, stdin=subprocess.DEVNULL
        )
        killed.append(process.pid)
        assert process.wait(60) == -signal.SIGKILL
        assert len(box.mails) == 1
        (waits,) = home.notify.load(AT).letters
        assert waits.tries == 1

        subprocess.run(arguments, check=False, capture_output=True, timeout=60)
    finally:
        controller.stop()

    first, second = ids(box)
    assert first == second == f"<{waits.id}@khanhhoa.example>"
    assert home.notify.load(AT).letters == ()
    (sent,) = [each.notification for each in home.recorded()]
    assert (sent.state, sent.tries) == (NotificationState.TAKEN, 2)


@pytest.mark.heavy
def test_two_runs_at_once_send_each_letter_once(tmp_path: Path) -> None:
    class Slow(Mailbox):
        async def handle_DATA(self, server: Any, session: Any, envelope: Any) -> str:  # noqa: N802
            import asyncio

            await asyncio.sleep(0.3)
            self.mails.append(envelope.content)
            return "250 OK"

    from aiosmtpd.controller import Controller

    box = Slow(port=free_port())
    controller = Controller(box, hostname=box.host, port=box.port, ready_timeout=60, ident="test")
    controller.start()
    try:
        home = Home(tmp_path, channel(box.port, seconds=20))
        home.call("run", "--due")
        mails(box)
        units = [f"x{number}.service" for number in range(4)]
        monitored = [
            {"MONITOR_UNIT": unit, "MONITOR_SERVICE_RESULT": "oom-kill", "MONITOR_EXIT_STATUS": "9"} for unit in units
        ]
        processes = [
            subprocess.Popen(
                [*PROGRAM, "--config", str(home.file), "--lang", "en", "notify", "unit", unit],
                env={**os.environ, **environment},
                stdout=subprocess.DEVNULL,
                stderr=subprocess.PIPE,
            )
            for unit, environment in zip(units, monitored, strict=True)
        ]
        said = [process.communicate(timeout=60)[1] for process in processes]
    finally:
        controller.stop()

    told = [subject for subject in subjects(box) if "FAILURE" in subject]  # and duties, by these processes' own clock
    assert sorted(told) == [f"FAILURE: {unit}" for unit in units], said
    assert home.notify.load(AT).letters == ()


INVOCATION = "0123456789abcdef0123456789abcdef"
FAILED_UNIT = {
    "MONITOR_UNIT": "portalops.service",
    "MONITOR_SERVICE_RESULT": "exit-code",
    "MONITOR_EXIT_STATUS": "4",
    "MONITOR_INVOCATION_ID": INVOCATION,
}


def test_a_unit_whose_run_told_its_failure_is_not_told_a_second_time(
    tmp_path: Path, box: Mailbox, capsys: pytest.CaptureFixture[str]
) -> None:
    home = Home(tmp_path, channel(box.port))
    home.call("run", "--due", environment={"INVOCATION_ID": INVOCATION})
    mails(box)

    assert home.call("notify", "unit", "portalops.service", environment=FAILED_UNIT) == ExitCode.OK

    assert subjects(box) == []
    assert "its own run has notified already" in capsys.readouterr().out
    home.call("notify", "unit", "portalops.service", "--json", environment=FAILED_UNIT)
    assert data_in(capsys.readouterr().out, "notify unit")["told_by_its_run"] is True
    home.call("notify", "flush", "--json")
    assert data_in(capsys.readouterr().out, "notify flush") == {"before": 0, "waiting": 0}


@pytest.mark.parametrize(
    ("result", "status", "shown"),
    [
        ("exit-code", "70", "it ended with exit status 70: a fault in portalops itself"),
        ("exit-code", "99", "it ended by exit-code, status 99"),
        ("oom-kill", "9", "it ended by oom-kill, status 9"),
        ("timeout", "TERM", "it ended by timeout"),
        (CANARY + "\n", CANARY, "it failed; how it ended is unknown"),
    ],
)
def test_a_unit_whose_run_could_not_tell_is_told_by_what_systemd_says(
    tmp_path: Path, box: Mailbox, result: str, status: str, shown: str
) -> None:
    home = Home(tmp_path, channel(box.port))
    environment = {**FAILED_UNIT, "MONITOR_SERVICE_RESULT": result, "MONITOR_EXIT_STATUS": status}

    assert home.call("notify", "unit", "portalops.service", environment=environment) == ExitCode.OK

    ((subject, text),) = mails(box)
    assert subject == "FAILURE: portalops.service"
    assert f"unit portalops.service: {shown}" in " ".join(text.split())
    assert CANARY not in text
    assert home.call("notify", "unit", "portalops.service", at=AT + HOUR, environment=environment) == ExitCode.OK
    assert subjects(box) == []


def test_a_unit_is_told_where_the_configuration_cannot_be_read_and_refused_where_the_name_is_none(
    tmp_path: Path, box: Mailbox
) -> None:
    home = Home(tmp_path, channel(box.port))
    home.call("run", "--due")
    mails(box)
    home.configure("[[[" + home.file.read_text(encoding="utf-8"))

    environment = {**FAILED_UNIT, "MONITOR_INVOCATION_ID": ""}
    assert home.call("notify", "unit", "portalops.service", environment=environment) == ExitCode.OK
    assert home.call("notify", "unit", "a b; rm", environment=environment) == ExitCode.USAGE

    assert subjects(box) == ["FAILURE: portalops.service"]
    home.call("notify", "unit", "other.service", at=AT + 7 * DAY, environment=environment)
    told = dict(mails(box))
    assert set(told) == {"FAILURE: other.service", "summary of the week to 1 Dec 2026"}
    assert "error PO1003. They count as not done." in " ".join(told["summary of the week to 1 Dec 2026"].split())


@pytest.mark.heavy
def test_no_secret_gets_into_a_letter_the_ledger_or_what_is_printed(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    """Secrets of the configuration, of the environment and of a path, and a mail server that says them all."""
    secrets = [f"{CANARY}-{name}" for name in ("password", "url", "environment")]

    def repeat(connection: socket.socket) -> None:
        with connection, connection.makefile("rwb") as lines:
            lines.write(b"220 mx\r\n")
            lines.flush()
            for line in lines:
                said = line.decode().strip()
                lines.write(b"250 OK\r\n" if said.lower().startswith("ehlo") else f"550 no: {said}\r\n".encode())
                lines.flush()

    with mail_server() as box, line_server(repeat) as port:
        chat = '[[notify.channel]]\nid = "chat"\nkind = "apprise"\nurl = { env = "CHAT" }\ntimeout_seconds = 20\n'
        home = Home(tmp_path, channel(box.port), channel(port, name="hostile"), chat)
        environment = {"CHAT": f"json://user:{secrets[0]}@127.0.0.1:{free_port()}/{secrets[1]}", "OTHER": secrets[2]}
        home.call("run", "--due", environment=environment)
        home.call("run", "--due", at=AT + 7 * DAY, environment=environment)
        home.call("notify", "test", at=AT + 7 * DAY, environment=environment)
        home.call("notify", "list", at=AT + 7 * DAY, environment=environment)
        told = mails(box)
        state = (home.notify.folder / "state.json").read_text(encoding="utf-8")
        kept = (home.notify.folder / "settings.json").read_text(encoding="utf-8")

    printed = "".join(capfd.readouterr())
    assert {"FAILURE: daily-anchor", "test letter"} <= {subject for subject, _text in told}
    assert any("summary" in subject for subject, _text in told)
    for subject, text in told:
        assert CANARY not in subject + text, text
        assert str(tmp_path) not in text
    assert len([each for each in home.recorded() if each.notification.channel == "chat"]) >= 2
    bodies = "".join(
        path.read_text(encoding="utf-8", errors="replace")
        for path in (tmp_path / "state" / "blobs").rglob("*")
        if path.is_file()
    )
    for secret in secrets:
        assert [secret in text for text in (state, kept, printed, bodies)] == [False] * 4


def test_a_week_is_told_also_if_nothing_happened_with_what_ran_what_was_missed_and_what_is_next(
    tmp_path: Path, box: Mailbox
) -> None:
    home = Home(tmp_path, channel(box.port, extra='levels = ["summary"]'))
    home.mend()
    for number in (0, 1, 2, 4, 6):  # Tuesday to Monday
        home.call("run", "--due", at=AT + number * DAY)

    ((subject, text),) = mails(box)
    words = " ".join(text.split())
    assert subject == "summary of the week to 30 Nov 2026"
    assert "daily-anchor: 2 done, 1 late, 0 in part, 0 failed, 2 missed; next due from 1 Dec 2026 00:00 +07" in words
    assert "2 not met, 28 without sufficient evidence" in words
    assert home.call("run", "--due", at=AT + 6 * DAY + HOUR) == ExitCode.OK
    assert subjects(box) == []


@pytest.mark.heavy
def test_a_year_of_daily_runs_makes_exactly_so_many_letters(tmp_path: Path, box: Mailbox) -> None:
    """One duty is unmet for ten days, and nothing else happens; the ledger holds each letter."""
    home = Home(tmp_path, channel(box.port))
    clock = FixedClock(AT)
    Ledger.open(tmp_path / "state", clock, create=True).close()
    session = Session(Invocation((), home.file, quiet=True), {}, clock=clock)
    key, why = AlarmKey("duty:11.1"), msg("why")
    opened = AlarmsChanged((OpenedAlarm(key, "unmet", why, why, grave=False),))
    closed = AlarmsChanged((), (ClosedAlarm(key, AlarmEnd.RIGHT),))
    steps = [AlarmStep(1, AT + 100 * DAY, CHANGED, opened), AlarmStep(2, AT + 110 * DAY, CHANGED, closed)]
    for number in range(365):
        clock.at = AT + number * DAY
        notify_run(session, (), (), alarms=fold_alarms(each for each in steps if each.at <= clock.at))

    assert session.warnings == []
    counts = Counter(subject.partition(" to ")[0] for subject in subjects(box))
    assert counts == {
        "summary of the week": 52, "new alarm: duty 11.1 (0 more open)": 1, "1 alarm is still open": 1, "1 alarm closed (0 open)": 1,
    }  # fmt: skip
    levels = Counter(each.notification.level for each in home.recorded())
    assert levels == {Level.SUMMARY: 52, Level.UNMET: 3}


def test_a_test_letter_goes_by_each_channel_and_says_what_the_server_answered(
    tmp_path: Path, box: Mailbox, capsys: pytest.CaptureFixture[str]
) -> None:
    home = Home(tmp_path, channel(box.port, extra='levels = ["summary"]'), channel(free_port(), name="away"))

    assert home.call("notify", "test", "on-duty") == ExitCode.OK
    assert "250 2.0.0 Ok: queued as 4C0FFEE" in capsys.readouterr().out
    assert home.call("notify", "test") == ExitCode.PARTIAL
    assert home.call("notify", "test", "away") == ExitCode.FAILED
    assert "Connection refused" in capsys.readouterr().out
    assert home.call("notify", "test", "nobody") == ExitCode.USAGE
    assert subjects(box) == ["test letter", "test letter"]


def test_a_unit_is_told_also_where_what_was_told_before_cannot_be_read(
    tmp_path: Path, box: Mailbox, capsys: pytest.CaptureFixture[str]
) -> None:
    home = Home(tmp_path, channel(box.port))
    home.notify.folder.mkdir(parents=True)
    (home.notify.folder / "state.json").write_bytes(b'{"notify": []}')

    home.call("notify", "unit", "portalops.service", environment=FAILED_UNIT)

    assert subjects(box) == ["FAILURE: portalops.service"]
    assert (home.notify.folder / "state.unreadable.json").exists()
    assert "it is not certain that every channel was notified: see the warnings" in capsys.readouterr().out


def test_without_any_channel_the_commands_say_that_nobody_is_told(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    home = Home(tmp_path)

    assert home.call("run", "--due") == ExitCode.FAILED
    assert not (home.notify.folder / "state.json").exists()
    assert home.call("notify", "test") == ExitCode.CONFIGURATION
    assert "no notification channel is configured" in capsys.readouterr().err
    assert home.call("notify", "unit", "portalops.service", environment=FAILED_UNIT) == ExitCode.CONFIGURATION


def test_flushing_sends_what_waits_and_says_what_is_left(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    port = free_port()
    home = Home(tmp_path, channel(port))
    home.call("run", "--due")

    assert home.call("notify", "flush", at=AT + QUARTER) == ExitCode.PARTIAL
    assert "2 letters still wait to be sent." in capsys.readouterr().out
    with _listening(port) as box:
        assert home.call("notify", "flush", at=AT + 2 * QUARTER) == ExitCode.OK
        assert len(subjects(box)) == 2


def test_letters_of_a_channel_that_is_gone_are_waited_for_no_more_and_that_is_on_record(
    tmp_path: Path, box: Mailbox
) -> None:
    home = Home(tmp_path, channel(free_port(), name="old"))
    home.call("run", "--due")
    home.configure(PORTAL + channel(box.port))

    home.call("run", "--due", at=AT + 2 * HOUR)

    assert home.notify.load(AT).letters == ()
    dropped = [each.notification for each in home.recorded() if each.notification.state is NotificationState.DROPPED]
    assert [(each.channel, str(each.problem)) for each in dropped] == [
        ("old", "the channel is not configured any more")
    ] * 2


@pytest.mark.heavy
def test_a_stop_while_a_letter_is_sent_ends_that_and_leaves_the_run_as_it_was(tmp_path: Path) -> None:
    reached = threading.Event()

    def hang(connection: socket.socket) -> None:
        connection.sendall(b"220 mx\r\n")
        reached.set()

    with line_server(hang) as port:
        home = Home(tmp_path, channel(port, seconds=60))
        arguments = [*PROGRAM, "--config", str(home.file), "--lang", "en", "run", "--due"]
        process = subprocess.Popen(arguments, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        assert reached.wait(60)
        process.terminate()
        out, err = process.communicate(timeout=30)

    assert process.returncode == ExitCode.FAILED, err
    assert b"daily-anchor" in out
    assert b"sending letters was interrupted" in err
    assert len(home.notify.load(AT).letters) == 2


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can leave files to somebody else")
def test_what_root_writes_belongs_to_whom_the_state_folder_belongs(tmp_path: Path, box: Mailbox) -> None:
    figures = f'[[notify.monitor]]\nid = "figures"\nkind = "textfile"\nfile = "{tmp_path}/portalops.prom"\n'
    home = Home(tmp_path, channel(box.port), figures)
    (tmp_path / "state").mkdir()
    os.chown(tmp_path / "state", NOBODY, NOBODY)

    home.call("run", "--due")
    home.call("notify", "test")

    owned = {
        path: (path.stat().st_uid, path.stat().st_gid) for path in (home.notify.folder, *home.notify.folder.rglob("*"))
    }
    assert {path.name for path, owner in owned.items() if owner != (NOBODY, NOBODY)} == set()
    assert {
        "state.json", "settings.json", "monitors.json", "deciding.lock", "sending.lock", "monitors.lock"
    } <= {path.name for path in owned}  # fmt: skip


@pytest.mark.parametrize(
    ("text", "unit"),
    [
        ("0::/system.slice/portalops-backup.service\n", "portalops-backup.service"),
        ("0::/user.slice/user-1000.slice/user@1000.service/app.slice/portalops.service\n", "portalops.service"),
        ("0::/system.slice/cron.service/cron-1.scope\n", "cron.service"),
        ("0::/user.slice/user-0.slice/session-4.scope\n", ""),
        ("0::/\n", ""),
        ("", ""),
    ],
)
def test_the_unit_of_a_run_is_known_by_its_control_group(text: str, unit: str) -> None:
    assert unit_in(text) == unit


def test_an_idle_run_reads_one_small_file_to_know_that_there_is_nothing_to_tell(tmp_path: Path, box: Mailbox) -> None:
    home = Home(tmp_path, channel(box.port))
    home.mend()
    home.call("run", "--due")
    (home.notify.folder / "state.json").write_bytes(b"it is not looked at")

    assert home.call("run", "--due", at=AT + QUARTER) == ExitCode.OK

    assert (home.notify.folder / "state.json").read_bytes() == b"it is not looked at"


def test_a_test_letter_is_sent_and_not_recorded_where_the_state_folder_cannot_be_looked_at(
    tmp_path: Path, box: Mailbox, capsys: pytest.CaptureFixture[str]
) -> None:
    home = Home(tmp_path, channel(box.port))
    home.configure(PORTAL.replace('folder = "state"', f'folder = "{"s" * 300}"') + channel(box.port))

    assert home.call("notify", "test") == ExitCode.OK

    assert len(mails(box)) == 1
    assert "the delivery is not recorded: cannot write" in capsys.readouterr().err


class FaultyChannel:
    """A channel with a fault of its own."""

    id, kind, to = "faulty", "mail", "nobody"
    settings = ChannelSettings()

    def send(self, letter: WaitingLetter) -> Taken:
        raise ValueError(f"{CANARY} in {letter.id}")


def test_a_fault_in_a_channel_is_told_by_its_class_and_leaves_a_trace_for_debug(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    session = Session(Invocation((), config=tmp_path / "portalops.toml"), {}, clock=FixedClock(AT))
    letter = WaitingLetter("a1", "faulty", Level.FAILURE, "S", "T", (), AT)

    with caplog.at_level("DEBUG", logger="commands"):
        outcome, _hint = sending.handed_over(session.progress, FaultyChannel(), letter)

    assert (outcome.state, outcome.code) == (NotificationState.REFUSED, "PO1901")
    assert "ValueError" in str(outcome.problem) and CANARY not in str(outcome)
    assert [each.exc_info is not None for each in caplog.records if "faulty" in each.getMessage()] == [True]


def test_a_process_that_decides_for_ever_makes_a_warning_of_the_run_and_no_more(
    tmp_path: Path, box: Mailbox, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    from portalops.notify import state

    home = Home(tmp_path, channel(box.port))
    home.call("run", "--due")
    mails(box)
    monkeypatch.setattr(state, "LOCK_SECONDS", 0.2)

    with (home.notify.folder / "locks" / "deciding.lock").open("rb") as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        assert home.call("run", "--due", at=AT + 2 * HOUR) == ExitCode.FAILED

    assert "the state of notifications cannot be saved" in capsys.readouterr().err
    assert threading.active_count() < 50
    assert sending.TOTAL_SECONDS <= 120
