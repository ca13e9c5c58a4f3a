"""`portalops alarm`: what is wrong is listed, answered for, and told by the ledger alone."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from commands.cli.entry import run
from portalops.bodies import write
from portalops.errors import ExitCode
from portalops.ledger.ledger import Ledger
from portalops.ledger.record import NO_RUN
from portalops.model.alarms import AlarmEnd, AlarmKey, AlarmsChanged, ClosedAlarm, OpenedAlarm
from portalops.model.message import msg
from portalops.registers.alarms import ALARMS, CHANGED
from tests.commands.signed_home import CONFIGURATION
from tests.doubles import FixedClock
from tests.shapes import validate

DISK, HOST = AlarmKey("medium:disk-b"), AlarmKey("host:web2")


class Home:
    """A folder with a ledger that holds one grave alarm, one other, and one that closed."""

    def __init__(self, folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
        self.file = folder / "portalops.toml"
        self.file.write_text(CONFIGURATION, encoding="utf-8")
        self._capsys = capsys
        self._ledger = Ledger.open(folder / "state", FixedClock(datetime.now(UTC) - timedelta(days=2)), create=True)
        gone = AlarmKey("anchor:tsa")
        hint = msg("Run 'portalops media check {medium}': it says whether the medium is there.", medium="disk-b")
        self.record(
            AlarmsChanged(
                (
                    OpenedAlarm(
                        HOST,
                        "silent",
                        msg("host {host} did not answer: nothing is known of it", host="web2"),
                        hint,
                        grave=False,
                    ),
                    OpenedAlarm(
                        DISK,
                        "lacking",
                        msg("medium {medium} lacks the newest set", medium="disk-b"),
                        hint,
                        grave=True,
                        records=(40,),
                    ),
                    OpenedAlarm(gone, "refused", msg("anchor {anchor} took no head", anchor="tsa"), hint, grave=False),
                )
            )
        )
        self.record(AlarmsChanged((), (ClosedAlarm(gone, AlarmEnd.RIGHT),)))

    def record(self, changed: AlarmsChanged) -> None:
        self._ledger.append(CHANGED, run=NO_RUN, body=write({ALARMS: changed}))

    def call(self, verb: str, *arguments: str, expected: ExitCode = ExitCode.OK) -> Any:
        code = run(["--config", str(self.file), "--json", "alarm", verb, *arguments], {})
        said = json.loads(self._capsys.readouterr().out)
        assert code == expected, said
        if said.get("error") is not None:
            return said["error"]
        validate(f"alarm {verb}", said["data"])
        return said["data"]

    def read(self, *arguments: str, language: str = "en") -> str:
        run(["--config", str(self.file), "--lang", language, "alarm", *arguments], {})
        said = self._capsys.readouterr()
        return " ".join((said.out + said.err).split())


@pytest.fixture
def home(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Home:
    return Home(tmp_path, capsys)


def days(count: int) -> str:
    return (datetime.now(UTC) + timedelta(hours=7, days=count)).date().isoformat()


def test_grave_alarms_are_listed_first_and_closed_ones_on_request(home: Home) -> None:
    assert [each["key"] for each in home.call("list", expected=ExitCode.UNMET)] == [DISK, HOST]

    *_open, closed = home.call("list", "--closed", expected=ExitCode.UNMET)
    assert (closed["key"], closed["end"]) == ("anchor:tsa", "right")


def test_the_list_says_what_is_wrong_since_when_and_what_to_do_in_both_languages(home: Home) -> None:
    shown = home.read("list")
    for words in (
        "2 open alarms",
        "medium:disk-b",
        "grave",
        "medium disk-b lacks the newest set",
        "portalops media check disk-b",
    ):
        assert words in shown
    assert "2 cảnh báo đang mở" in home.read("list", language="vi")


def test_without_an_alarm_nothing_is_called_right_beyond_what_the_newest_run_saw(home: Home) -> None:
    home.record(AlarmsChanged((), (ClosedAlarm(DISK, AlarmEnd.RIGHT), ClosedAlarm(HOST, AlarmEnd.RIGHT))))

    assert home.call("list") == []
    assert "No alarm is open, as far as the newest run saw." in home.read("list")


def test_a_person_answers_for_an_alarm_until_a_day_and_it_stays_listed(home: Home) -> None:
    answered = home.call("ack", DISK, "--until", days(7), "--by", "Trần Thị Bình", "--reason", "đĩa mới về tuần sau")

    assert answered["record"] is not None
    disk, _host = home.call("list", expected=ExitCode.UNMET)
    assert (disk["acknowledged"]["by"], disk["acknowledged"]["until"]) == ("Trần Thị Bình", days(7))
    home.call("release", DISK, "--reason", "hoãn")
    assert home.call("list", expected=ExitCode.UNMET)[0]["acknowledged"] is None


def test_silence_may_come_before_its_alarm_and_a_dry_run_records_nothing(home: Home) -> None:
    assert (
        home.call("silence", "host:web9", "--until", days(2), "--reason", "thay ổ cứng", "--dry-run")["record"] is None
    )
    error = home.call("release", "host:web9", "--reason", "x", expected=ExitCode.USAGE)
    assert "nobody answers" in error["message"]

    home.call("silence", HOST, "--until", days(2), "--reason", "thay ổ cứng")
    assert home.call("list", expected=ExitCode.UNMET)[1]["silenced"]["reason"] == "thay ổ cứng"


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("ack", "medium:disk-c", "--until", "+1", "--reason", "x"), "there is no open alarm medium:disk-c"),
        (("ack", "anchor:tsa", "--until", "+1", "--reason", "x"), "alarm anchor:tsa was closed"),
        (("ack", "medium:disk-b", "--until", "tomorrow", "--reason", "x"), "tomorrow is no day"),
        (("ack", "medium:disk-b", "--until", "-1", "--reason", "x"), "is past"),
        (("ack", "medium:disk-b", "--until", "+91", "--reason", "x"), "more than 90 days ahead"),
        (("ack", "medium:disk-b", "--until", "+1", "--reason", " "), "--reason is empty"),
        (("silence", "disk-b", "--until", "+1", "--reason", "x"), "disk-b is no alarm"),
        (("silence", "disc:b", "--until", "+1", "--reason", "x"), "disc:b is no alarm"),
        (("silence", "medium:", "--until", "+1", "--reason", "x"), "medium: is no alarm"),
        (("release", "medium:disk-b", "--reason", "x"), "nobody answers for an alarm medium:disk-b"),
    ],
)
def test_bad_answers_are_refused_with_a_hint(home: Home, arguments: tuple[str, ...], said: str) -> None:
    verb, *rest = [days(int(each)) if each[0] in "+-" and each[1:].isdigit() else each for each in arguments]

    error = home.call(verb, *rest, expected=ExitCode.USAGE)

    assert said in error["message"]
    assert error["hint"]


def test_status_doctor_and_monitors_name_the_same_alarms(home: Home, capsys: pytest.CaptureFixture[str]) -> None:
    def said(*arguments: str) -> str:
        run(["--config", str(home.file), "--lang", "en", *arguments], {})
        return " ".join(capsys.readouterr().out.split())

    assert "2 alarms are open, 1 grave: 'portalops alarm list'" in said("status")
    assert "PORTALOPS CRITICAL - 1 grave alarm: medium:disk-b" in said("status", "--nagios")
    assert "grave alarm" not in said("status", "11.1", "--nagios")
    shown = said("doctor", "--only", "alarms")
    assert "medium disk-b lacks the newest set" in shown
    assert "1 more alarm is open" in shown
