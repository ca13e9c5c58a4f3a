"""Cases by the command line, on a real ledger: from the judging that opens them to their end."""

from __future__ import annotations

import hashlib
import json
import sqlite3
import subprocess
import sys
import unicodedata
from contextlib import closing
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
import time_machine
from openpyxl import load_workbook

from checks.updates.rules.stamps import stamp
from commands.cli.entry import run
from portalops.bodies import write
from portalops.compliance.handling import papers_not_kept
from portalops.ledger.ledger import Ledger
from portalops.ledger.record import NO_RUN
from portalops.registers.cases import read_cases
from portalops.registers.sent import read_sendings
from portalops.system.clock import SystemClock
from tests.shapes import validate, validate_answer

CONFIGURATION = """
[portal]
id = "khanhhoa"
name = { vi = "Cổng thông tin điện tử tỉnh Khánh Hòa" }

[state]
folder = "state"

[[unit]]
id = "so-y-te"
name = { vi = "Sở Y tế", en = "Department of Health" }

[updates]
cases_from = 2020-01-01
judge_weeks = 3

[[updates.source]]
id = "content"
kind = "sql"
channel = "subportal"
url = "sqlite:///portal.sqlite"
query = "SELECT id AS external_id, title, published AS published_at, created AS created_at, unit FROM news"
trust_created = true

[[job]]
id = "daily-updates"
kind = "updates"
every = "day"
"""


START = datetime(2026, 11, 25, 2, tzinfo=UTC)
"""A Wednesday: each of the two whole weeks before it has five working days."""


class Office:
    """A managing unit with one unit that published nothing in the last weeks."""

    def __init__(self, folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
        self.folder, self._capsys, self.now = folder, capsys, START
        (folder / "portalops.toml").write_text(CONFIGURATION, "utf-8")
        connection = sqlite3.connect(folder / "portal.sqlite")
        connection.execute("CREATE TABLE news (id INTEGER, title TEXT, published TEXT, created TEXT, unit TEXT)")
        connection.execute("INSERT INTO news VALUES (1, 'Tin cũ', '2020-01-06 08:00', '2020-01-06 08:00', 'Sở Y tế')")
        connection.commit()
        connection.close()

    def call(self, *arguments: str, lang: str = "en") -> tuple[int, dict[str, Any]]:
        self.now += timedelta(minutes=1)
        with time_machine.travel(self.now, tick=True):
            code = run(["--json", "--lang", lang, "--config", str(self.folder / "portalops.toml"), *arguments], {})
        answer: dict[str, Any] = json.loads(self._capsys.readouterr().out)
        validate_answer(arguments, answer)
        return code, answer

    def shown(self) -> str:
        """Return what the last command showed a person."""
        return self._capsys.readouterr().out

    def hear(self, *explained: str) -> None:
        """Remind of all that is being heard, take explanations of some, let the time to answer pass, and judge again."""
        for case, one in self.cases().items():
            if one["state"] == "hearing":
                self.remind(case)
        for case in explained:
            self.call("case", "explain", case, "--reason", "máy chủ hỏng", "--by", "Văn phòng Sở Y tế")
        self.days_pass()

    def remind(self, case: str, *more: str) -> tuple[int, dict[str, Any]]:
        """Remind of a case by a paper of today that stands for nothing else."""
        today = self.now.astimezone(ZoneInfo("Asia/Ho_Chi_Minh")).date().isoformat()
        return self.call("case", "remind", case, "--number", f"{case}/{today}", "--date", today, *more)

    def days_pass(self) -> int:
        """Let the time to answer pass, and judge again."""
        self.now += timedelta(days=6)
        return self.call("updates", "collect")[0]

    def cases(self, *arguments: str) -> dict[str, dict[str, Any]]:
        return {one["id"]: one for one in self.call("case", "list", *arguments)[1]["data"]}


def lose_details(state: Path, seq: int) -> int:
    """Take away the details of a record, as a damaged disk does."""
    ledger = Ledger.open(state, clock=SystemClock(), create=False)
    digest = next(each.body for each in ledger.records() if each.seq == seq)
    (state / "blobs" / digest[:2] / digest[2:4] / f"{digest}.zst").unlink()
    return seq


@pytest.fixture
def office(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Office:
    office = Office(tmp_path, capsys)
    assert office.call("updates", "collect")[0] == 0
    return office


def test_judging_begins_one_hearing_for_each_week_that_fell_short_and_judging_again_none(office: Office) -> None:
    opened = office.cases()
    office.call("updates", "collect")

    assert {one["duty"] for one in opened.values()} == {"11.2-subportals"}
    assert {one["state"] for one in opened.values()} == {"hearing"}
    assert len(opened) == 2, "two of the three weeks are over"
    assert office.cases().keys() == opened.keys()


def test_a_case_goes_from_reminder_to_its_end_and_every_step_names_its_record(office: Office, tmp_path: Path) -> None:
    case = min(office.cases())
    paper = tmp_path / "cong-van.pdf"
    paper.write_bytes(b"%PDF-1.7 nhac nho")

    codes = [
        office.call("case", "remind", case, "--number", "12/CV-TTTT", "--file", str(paper))[0],
        office.call("case", "explain", case, "--reason", "máy chủ hỏng", "--by", "Văn phòng Sở Y tế")[0],
        office.days_pass(),
        office.call("case", "decide", case, "--reject", "--reason", "không có biên bản", "--by", "Trần Thị Bình")[0],
        office.call("case", "escalate", case, "--to", "department", "--number", "15/BC-TTTT")[0],
        office.call("case", "remedy", case, "--reason", "đã đăng bù")[0],
        office.call("case", "close", case, "--reason", "đã khắc phục", "--by", "Trần Thị Bình")[0],
    ]
    code, envelope = office.call("case", "show", case)
    steps = envelope["data"]["steps"]

    assert (codes, code) == ([0] * 7, 0)
    assert [step["step"] for step in steps] == [
        "hearing", "reminded", "explained", "opened", "rejected", "to-department", "remedied", "closed",
    ]  # fmt: skip
    assert steps[1]["paper"] == "12/CV-TTTT" and len(steps[1]["file"]) == 64
    assert sorted(step["record"] for step in steps) == [step["record"] for step in steps]
    assert case not in office.cases() and case in office.cases("--all")
    assert office.call("ledger", "verify")[1]["data"]["integrity"]["holds"]


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["remind", "2020-W01/nobody"], "there is no case 2020-W01/nobody"),
        (["remind", ""], "cases begin with"),
        (["decide", "{case}", "--accept", "--reason", "x"], "does not allow this step"),
        (["decide", "{case}", "--reason", "x"], "--accept or --reject is missing"),
        (["close", "{case}", "--reason", " "], "--reason is empty"),
        (["close", "{case}", "--reason", "x"], "does not allow this step: closing the case"),
        (["remind", "{case}", "--date", "2020-01-01"], "this one is dated 1 Jan 2020"),
        (["remind", "{case}", "--number", "12/CV", "--date", "2026-11-15"], "this one is dated 15 Nov 2026"),
        (["remind", "{case}"], "neither a file nor a number with a date"),
        (["remind", "{case}", "--number", ""], "neither a file nor a number with a date"),
        (["decide", "{case}", "--accept", "--reject", "--reason", "x"], "--accept and --reject are both given"),
        (["escalate", "{case}", "--to", "press"], "--to: press is nobody to report to"),
        (["remind", "{case}", "--date", "2999-01-01"], "is ahead"),
        (["remind", "{case}", "--file", "no-such.pdf"], "cannot read no-such.pdf"),
        (["list", "--week", "47"], "--week: 47 is not a week"),
    ],
)
def test_what_cannot_be_is_refused_and_recorded_nowhere(office: Office, arguments: list[str], said: str) -> None:
    case = min(office.cases())
    before = office.call("ledger", "show")[1]

    code, envelope = office.call("case", *(text.format(case=case) for text in arguments))

    assert (code, envelope["ok"]) == (2, False)
    assert said in envelope["error"]["message"]
    assert envelope["error"]["hint"]
    assert office.call("ledger", "show")[1] == before


def test_one_command_and_one_paper_remind_a_unit_of_all_its_cases_of_a_week(office: Office) -> None:
    case = max(office.cases())
    paper = office.folder / "cong-van.pdf"
    paper.write_bytes(b"%PDF-1.7 nhac nho")
    remind = [
        "case",
        "remind",
        "--unit",
        "so-y-te",
        "--week",
        case[:8],
        "--number",
        "12/TTCĐS-ND",
        "--file",
        str(paper),
    ]

    early = office.call(*remind, "--date", "2026-11-20")
    shown = office.call(*remind, "--date", "2026-11-24", "--dry-run")
    code, envelope = office.call(*remind, "--date", "2026-11-24")
    again = office.call(
        "case", "explain", case, "--reason", "x", "--by", "Bình", "--number", "45/SYT", "--file", str(paper)
    )
    older = office.call("case", "explain", case, "--reason", "x", "--by", "Bình", "--date", "2026-11-23")

    assert (early[0], shown[0], code, again[0], older[0]) == (2, 0, 0, 2, 2)
    assert [one["id"] for one in envelope["data"]["cases"]] == [case]
    assert envelope["data"]["cases"][0]["record"] and not shown[1]["data"]["cases"][0]["record"]
    assert "this paper stands for another step: the reminder of case" in again[1]["error"]["message"]
    assert "a paper that answers it cannot be dated 23 Nov 2026" in older[1]["error"]["message"]


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ([], "both missing"),
        (["{case}", "--week", "2026-W47"], "both given"),
        (["--unit", "so-y-te"], "--week is missing"),
        (["--week", "2026-W47"], "--unit is missing"),
        (["--unit", "so-y-te", "--week", "2026-W01"], "has no case of week 2026-W01 that needs a reminder"),
    ],
)
def test_a_reminder_without_a_case_is_refused(office: Office, arguments: list[str], said: str) -> None:
    case = min(office.cases())

    code, envelope = office.call("case", "remind", *(text.format(case=case) for text in arguments))

    assert (code, said in envelope["error"]["message"]) == (2, True), envelope["error"]


def test_stale_units_are_listed_and_silence_means_that_there_are_none(office: Office) -> None:
    connection = sqlite3.connect(office.folder / "portal.sqlite")
    code, envelope = office.call("updates", "stale", "--days", "5")
    assert (code, [one["id"] for one in envelope["data"]]) == (1, ["so-y-te"])

    now = f"{office.now:%Y-%m-%d %H:%M:%S+00:00}"
    connection.execute("INSERT INTO news VALUES (2, 'Tin mới đăng', ?, ?, 'Sở Y tế')", (now, now))
    connection.commit()
    connection.close()
    office.call("updates", "collect")

    assert office.call("updates", "stale", "--days", "5") == (0, {**envelope, "data": []})


def test_a_day_without_an_hour_is_stale_only_when_all_of_it_is_so_long_ago(office: Office) -> None:
    office.now += timedelta(days=1)
    day = f"{office.now.astimezone(ZoneInfo('Asia/Ho_Chi_Minh')):%Y-%m-%d} 00:00"  # it may have come late on that day
    with sqlite3.connect(office.folder / "portal.sqlite") as connection:
        connection.execute("INSERT INTO news VALUES (2, 'Tin mới đăng', ?, ?, 'Sở Y tế')", (day, day))
    office.call("updates", "collect")
    office.now += timedelta(days=4)
    office.call("updates", "collect")
    office.now += timedelta(days=1)

    assert office.call("updates", "stale", "--days", "5")[1]["data"] == []
    assert [one["id"] for one in office.call("updates", "stale", "--days", "4")[1]["data"]] == ["so-y-te"]


def test_a_decision_is_shown_as_what_was_decided(office: Office) -> None:
    case = min(office.cases())
    office.hear(case)
    office.now += timedelta(minutes=1)

    with time_machine.travel(office.now, tick=True):
        run(
            ["--lang", "en", "--config", str(office.folder / "portalops.toml"), "case", "decide", case, "--accept",
             "--reason", "có biên bản", "--by", "Trần Thị Bình"],
            {},
        )  # fmt: skip

    shown = office.shown()
    assert "the explanation accepted" in shown and "the decision on the explanation" not in shown


def test_a_map_that_is_asked_for_once_a_week_is_stale_after_that_and_not_before(office: Office) -> None:
    (office.folder / "map.xml").write_text(
        '<urlset xmlns="http://www.sitemaps.org/schemas/sitemap/0.9"><url><loc>https://a.example/1</loc></url></urlset>'
    )
    with (office.folder / "portalops.toml").open("a", encoding="utf-8") as file:
        file.write('[[updates.source]]\nid = "map"\nkind = "sitemap"\nchannel = "subportal"\nfile = "map.xml"\n')
    office.call("updates", "collect")

    def stale_after(days: int) -> list[str]:
        looked_at = stamp(office.now - timedelta(days=days))
        store = sqlite3.connect(office.folder / "state" / "observations.sqlite")
        store.execute("DROP TRIGGER IF EXISTS poll_no_update")
        store.execute("UPDATE poll SET polled_at = ? WHERE source = 'map'", (looked_at,))
        store.commit()
        store.close()
        said = office.call("updates", "stale", "--days", "3")[1]["data"]
        return [one["why"] for one in said if one["id"] == "map"]

    assert (stale_after(5), stale_after(9)) == ([], ["not polled since then"])


def test_a_dry_run_shows_a_step_and_records_nothing(office: Office) -> None:
    case = min(office.cases())

    code, envelope = office.remind(case, "--dry-run")

    assert (code, envelope["data"]["record"]) == (0, None)
    assert office.cases()[case]["state"] == "hearing"


def test_an_exemption_by_a_document_closes_the_case_at_the_next_judging(office: Office) -> None:
    case = min(office.cases())
    monday = date.fromisocalendar(int(case[:4]), int(case[6:8]), 1)
    sunday = date.fromisocalendar(int(case[:4]), int(case[6:8]), 7)
    span = ["--from", monday.isoformat(), "--to", sunday.isoformat(), "--kind", "fault", "--unit", "so-y-te"]

    without = office.call("updates", "exempt", *span, "--approver", "Giám đốc Sở")
    code, envelope = office.call(
        "updates", "exempt", *span, "--approver", "Giám đốc Sở", "--document", "15/QĐ-SKHCN, 12/11/2026"
    )
    office.call("updates", "collect")

    assert (without[0], without[1]["error"]["message"]) == (2, "--document is empty")
    assert (code, envelope["data"]["unit"]) == (0, "so-y-te")
    assert case not in office.cases()
    closed = office.call("case", "show", case)[1]["data"]["steps"][-1]
    assert (closed["step"], closed["by"], closed["reason"]) == ("closed", "", "no longer judged unmet")
    listed = office.call("updates", "exemptions")[1]["data"]
    assert [(one["id"][:3], one["document"]) for one in listed] == [("EX-", "15/QĐ-SKHCN, 12/11/2026")]


def test_an_exemption_whose_decision_was_lost_says_so(office: Office) -> None:
    paper = office.folder / "paper.pdf"
    paper.write_bytes(b"%PDF-1.7")
    span = ("--from", "2026-11-25", "--to", "2026-11-25", "--kind", "fault", "--unit", "so-y-te")
    office.call("updates", "exempt", *span, "--document", "15/QĐ", "--approver", "An", "--file", str(paper))
    assert office.call("updates", "exemptions")[1]["data"][0]["remarks"] == []

    digest = hashlib.sha256(b"%PDF-1.7").hexdigest()
    (office.folder / "state" / "blobs" / digest[:2] / digest[2:4] / f"{digest}.zst").unlink()

    assert office.call("updates", "exemptions")[1]["data"][0]["remarks"] == [
        {"text": "the decision itself was not kept", "template": "the decision itself was not kept", "values": {}}
    ]


def test_an_exemption_that_ended_exempts_no_more(office: Office) -> None:
    today = START.date().isoformat()
    made = office.call(
        "updates", "exempt", "--from", today, "--to", "2999-01-01", "--kind", "disaster", "--unit", "so-y-te",
        "--document", "1/QĐ", "--approver", "An",
    )[1]["data"]  # fmt: skip

    code, _envelope = office.call("updates", "exempt", "--withdraw", made["id"], "--approver", "An")
    again, _envelope = office.call("updates", "exempt", "--withdraw", made["id"], "--approver", "An")

    assert (code, again) == (0, 2)
    assert office.call("updates", "exemptions")[1]["data"][0]["withdrawn_at"]


def test_a_closed_case_that_is_to_be_reported_stays_in_the_list_until_it_was(office: Office, tmp_path: Path) -> None:
    case = max(office.cases())  # the second week in a row
    (tmp_path / "paper.pdf").write_bytes(b"%PDF-1.7")
    office.hear(case)
    for command in (
        ["decide", case, "--reject", "--reason", "x", "--by", "An"],
        ["close", case, "--reason", "x"],
    ):
        assert office.call("case", *command)[0] == 0

    before = office.cases()
    reported = office.call(
        "case", "escalate", case, "--to", "department", "--number", "15/BC", "--file", str(tmp_path / "paper.pdf")
    )

    assert (before[case]["state"], before[case]["upwards"][0]["step"]) == ("closed", "to-department")
    assert (reported[0], reported[1]["warnings"]) == (0, [])
    assert case not in office.cases()


def test_whoever_explained_does_not_decide_however_the_name_is_written(office: Office) -> None:
    case = min(office.cases())
    office.hear(case)
    for name in ("văn phòng Sở Y tế", unicodedata.normalize("NFD", "Văn phòng Sở Y tế")):
        code, envelope = office.call("case", "decide", case, "--accept", "--reason", "x", "--by", name)

        assert code == 2
        assert "gave the explanation (record" in envelope["error"]["message"]

    office.call("case", "decide", case, "--reject", "--reason", "x", "--by", "An")
    office.call("case", "explain", case, "--reason", "máy chủ hỏng", "--by", "Bình")
    assert office.call("case", "decide", case, "--accept", "--reason", "x", "--by", "Văn phòng Sở Y tế")[0] == 2


def test_a_letter_about_a_unit_that_ended_goes_to_who_took_over(office: Office) -> None:
    case = min(office.cases())
    own = office.folder / "portalops.toml"
    yesterday = START.date() - timedelta(days=1)
    own_id, last = 'id = "so-y-te"\n', f'id = "so-y-te"\nvalid_to = {yesterday - timedelta(days=1)}\n'
    letter = ["case", "letter", case, "--format", "markdown", "--output", str(office.folder)]

    own.write_text(CONFIGURATION.replace(own_id, last), "utf-8")
    lost, envelope = office.call(*letter)
    successor = f'[[unit]]\nid = "so-moi"\nname = {{ vi = "Sở Y tế và Dân số" }}\nvalid_from = {yesterday}\n'
    own.write_text(CONFIGURATION.replace(own_id, f'{last}successors = ["so-moi"]\n') + successor, "utf-8")
    code, drafted = office.call(*letter)
    text = Path(drafted["data"][0]["id"]).read_text("utf-8")

    assert (lost, code) == (2, 0), envelope
    assert "Kính gửi: Sở Y tế và Dân số." in text
    assert "công văn này được gửi Sở Y tế và Dân số là đơn vị kế thừa" in text


def test_a_case_whose_opening_cannot_be_read_is_there_and_no_second_one_is_opened(office: Office) -> None:
    case = min(office.cases())
    opening = office.call("case", "show", case)[1]["data"]["steps"][0]["record"]
    lose_details(office.folder / "state", opening)

    office.call("updates", "collect")
    code, listed = office.call("case", "list")
    reminded = office.remind(case)[0]
    _code, shown = office.call("case", "show", case)

    assert (code, reminded) == (3, 0)
    assert [line.startswith(f"record {opening} of a case cannot be read: ") for line in listed["warnings"]] == [True]
    assert case in {one["id"] for one in listed["data"]}
    assert [step["step"] for step in shown["data"]["steps"]] == ["hearing", "reminded"]
    assert shown["data"]["unreadable"] == [opening]


def test_the_list_says_what_found_means_and_what_comes_next(office: Office) -> None:
    settings = office.folder / "portalops.toml"
    source = CONFIGURATION.partition("[[updates.source]]")[2].partition("[[job]]")[0].replace(", unit FROM", " FROM")
    own = source.replace('"content"', '"portal-news"').replace('"subportal"', '"portal"')
    settings.write_text(f"{settings.read_text('utf-8')}\n[[updates.source]]\n{own}", "utf-8")
    office.days_pass()  # the portal's own missed days are a case at once
    said = {}
    for lang in ("en", "vi"):
        with time_machine.travel(office.now, tick=True):
            run(["--lang", lang, "--config", str(office.folder / "portalops.toml"), "case", "list"], {})
        said[lang] = " ".join(office.shown().split())

    assert "Found: judging called the duty unmet, and no reminder went out yet." in said["en"]
    assert "Next comes the reminder: 'portalops case remind CASE'." in said["en"]
    assert "Mới phát hiện: đã kết luận không đạt nhưng chưa nhắc nhở." in said["vi"]


def test_the_letter_gives_the_reasons_of_the_sheet_that_goes_with_it(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    office = Office(tmp_path, capsys)
    for days in (16, 5):
        office.now = START - timedelta(days=days)
        office.call("updates", "collect")
    office.now = START
    with closing(sqlite3.connect(office.folder / "portal.sqlite")) as content:
        row = (
            "(6, 'Sở Y tế tuyên truyền phòng chống sốt xuất huyết', '2026-11-18 09:00', '2026-11-18 09:00', 'Sở Y tế')"
        )
        content.execute(f"INSERT INTO news VALUES {row}")
        content.commit()
    office.call("updates", "collect")
    _code, sheet = office.call("updates", "sheet", "so-y-te", "2026-W47")
    (why,) = [one["why"] for one in sheet["data"]["items"] if one["counts"] == "perhaps"]

    written = office.call(
        "case", "letter", "2026-W47/so-y-te", "--format", "markdown", "--language", "en", "--output", str(tmp_path)
    )[1]
    letter = Path(written["data"][0]["id"]).read_text("utf-8")

    (row,) = [line for line in letter.splitlines() if line.startswith("| 1 | Sở Y tế tuyên truyền")]
    assert row.endswith(f"| {why} |")


def test_an_id_is_never_given_twice_also_where_its_record_cannot_be_read(office: Office) -> None:
    exempt = [
        "updates", "exempt", "--from", "2026-01-05", "--to", "2026-01-09", "--kind", "fault", "--unit", "so-y-te",
        "--document", "15/QĐ", "--approver", "An",
    ]  # fmt: skip
    first = office.call(*exempt)[1]["data"]
    lose_details(office.folder / "state", first["record"])

    second = office.call(*exempt)[1]["data"]

    assert (first["id"][-4:], second["id"][-4:]) == ("-001", "-002")


LATER = """
import sys, time, time_machine
from commands.app import main
from tests.shapes import validate_answer
with time_machine.travel(time.time() + float(sys.argv.pop(1)), tick=True):
    main()
"""
"""Both processes have one clock, which is ahead of the machine's by the seconds that they are given."""


@pytest.mark.heavy
def test_of_two_decisions_at_once_one_is_taken_and_the_other_refused(office: Office) -> None:
    case = min(office.cases())
    office.hear(case)
    command = [
        sys.executable,
        "-c",
        LATER,
        str((office.now + timedelta(hours=1) - datetime.now(UTC)).total_seconds()),
        "--config",
        str(office.folder / "portalops.toml"),
        "case",
        "decide",
        case,
    ]

    both = [
        subprocess.Popen(
            [*command, way, "--reason", "x", "--by", "An"], stdout=subprocess.DEVNULL, stderr=subprocess.PIPE
        )
        for way in ("--accept", "--reject")
    ]
    said = [process.communicate()[1].decode() for process in both]
    steps = office.call("case", "show", case)[1]["data"]["steps"]

    assert sorted(process.returncode for process in both) == [0, 2], said
    assert len([step for step in steps if step["step"] in {"accepted", "rejected"}]) == 1


def test_a_claimed_item_counts_after_an_officer_confirms_it_and_no_longer_when_that_is_taken_back(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    office = Office(tmp_path, capsys)
    configuration = tmp_path / "portalops.toml"
    configuration.write_text(configuration.read_text("utf-8").replace("trust_created = true\n", ""), "utf-8")
    office.call("updates", "collect")
    period = ["--period", "2020-W02"]
    (item,) = office.call("updates", "list", *period)[1]["data"]

    by = ["--officer", "Nguyễn Văn An", "--document", "07/BB-TTTT"]
    confirmed = office.call("updates", "confirm", item["id"][:10], *by)[0]
    (after,) = office.call("updates", "list", *period)[1]["data"]
    twice = office.call("updates", "confirm", item["id"], *by)
    lost = lose_details(
        tmp_path / "state", office.call("updates", "confirm", item["id"], *by, "--withdraw")[1]["data"]["record"]
    )
    told = office.call("updates", "confirm", item["id"], *by, "--dry-run")[1]["warnings"]
    (back,) = office.call("updates", "list", *period)[1]["data"]

    assert (item["grade"], confirmed, after["grade"], back["grade"]) == ("C", 0, "D", "C")
    assert (twice[0], twice[1]["error"]["message"][-20:]) == (2, "is already confirmed")
    assert told[0].startswith(f"record {lost} of a confirmation cannot be read: ")


def test_a_letter_and_a_report_are_drafted_with_what_is_open(office: Office, tmp_path: Path) -> None:
    case = min(office.cases())
    monday = date.fromisocalendar(int(case[:4]), int(case[6:8]), 1)

    code, envelope = office.call("case", "letter", case, "--output", str(tmp_path / "drafts"))
    reported, report = office.call(
        "updates", "report", "--period", f"{monday}..{monday + timedelta(days=6)}", "--to", "committee",
        "--format", "docx,xlsx", "--output", str(tmp_path / "drafts"),
    )  # fmt: skip

    assert (code, reported) == (0, 0)
    assert [Path(each["id"]).suffix for each in report["data"]] == [".docx", ".xlsx"]
    annex = load_workbook(report["data"][1]["id"]).worksheets[-1]
    assert str(annex["A1"].value).startswith("Phụ lục: "), "a hearing is no case yet"
    assert envelope["data"][0]["cases"] == sorted(office.cases())
    for data in (envelope["data"][0], report["data"][0]):
        assert hashlib.sha256(Path(data["id"]).read_bytes()).hexdigest() == data["sha256"]


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["case", "letter", "{case}", "--format", "doc"], "no format of official papers is named doc"),
        (["updates", "report", "--month", "2026-11-03"], "--month: 2026-11-03 is not a month"),
        (["updates", "report", "--month", "2999-01"], "in the future"),
        (["updates", "report"], "--month and --period are both given, or both missing"),
        (["updates", "report", "--month", "2026-01", "--to", "press"], "--to: press is nobody to report to"),
    ],
)
def test_a_paper_that_cannot_be_drafted_is_refused(office: Office, arguments: list[str], said: str) -> None:
    case = min(office.cases())

    code, envelope = office.call(*(text.format(case=case) for text in arguments))

    assert (code, envelope["ok"]) == (2, False)
    assert said in envelope["error"]["message"]


def test_a_report_says_which_decisions_could_not_be_read(office: Office, tmp_path: Path) -> None:
    span = ("--from", "2026-11-09", "--to", "2026-11-13", "--kind", "fault", "--unit", "so-y-te")
    granted = office.call("updates", "exempt", *span, "--document", "15/QĐ", "--approver", "An")[1]["data"]["record"]
    report = ("updates", "report", "--period", "2026-W46", "--output", str(tmp_path))
    assert office.call(*report)[1]["warnings"] == []

    lose_details(office.folder / "state", granted)

    assert office.call(*report)[1]["warnings"][0].startswith(f"record {granted} of an exemption cannot be read: ")


def test_a_letter_asks_for_an_explanation_by_the_day_until_which_the_rules_wait_for_it(
    office: Office, tmp_path: Path
) -> None:
    case = min(office.cases())
    letter = office.call("case", "letter", case, "--format", "markdown", "--output", str(tmp_path))[1]["data"][0]["id"]
    office.call("case", "remind", case, "--number", "12/CV-TTCĐS", "--date", "2026-11-25")

    due = date.fromisoformat(office.cases()[case]["due_on"])

    assert due == date(2026, 11, 30), "three working days from Wednesday"
    assert f"chậm nhất ngày {due:%d/%m/%Y}" in Path(letter).read_text("utf-8")


def test_a_letter_that_goes_out_later_is_drafted_with_its_own_last_day(office: Office, tmp_path: Path) -> None:
    of_week = min(office.cases()).rpartition("/")[0]
    draft = ("case", "letter", of_week, "--format", "markdown", "--output", str(tmp_path))

    code, envelope = office.call(*draft, "--date", "2026-11-26")
    text = Path(envelope["data"][0]["id"]).read_text("utf-8")
    over, error = office.call(*draft, "--date", "2026-11-20")

    assert code == 0, envelope
    assert any(one.startswith(of_week) for one in envelope["data"][0]["cases"])
    assert "chậm nhất ngày 01/12/2026" in text, "three working days from Thursday"
    assert (over, "is over" in error["error"]["message"]) == (2, True)


def test_a_letter_names_no_opened_case_whose_time_to_answer_is_over(office: Office, tmp_path: Path) -> None:
    first, second = sorted(office.cases())
    office.remind(first)
    office.days_pass()

    said = office.call("case", "letter", second, "--format", "markdown", "--output", str(tmp_path))[1]

    named = {name for one in said["data"] for name in one["cases"]}
    assert (second in named, first in named) == (True, False)


def test_a_reporting_month_ends_on_the_14th_and_its_report_is_due_two_working_days_later(
    office: Office, tmp_path: Path
) -> None:
    arguments = ["updates", "report", "--month", "2026-01", "--output", str(tmp_path)]

    (province,) = office.call(*arguments)[1]["data"]
    (calendar,) = office.call(*arguments, "--calendar-month")[1]["data"]

    assert (province["period"], province["due_on"]) == ("2025-12-15..2026-01-14", "2026-01-16")
    assert calendar["period"] == "2026-01-01..2026-01-31"


def test_a_report_that_was_sent_is_recorded_once_under_its_number(office: Office) -> None:
    sent = [
        "report",
        "sent",
        "updates",
        "--period",
        "2025-12-15..2026-01-14",
        "--to",
        "department",
        "--number",
        "15/BC",
    ]

    first = office.call(*sent, "--date", "2026-01-16")
    again = office.call(*sent, "--date", "2026-01-16")
    ahead = office.call(*sent[:-1], "16/BC", "--date", "2999-01-16")

    assert (first[0], first[1]["data"]["sent_on"]) == (0, "2026-01-16")
    assert (again[0], ahead[0]) == (2, 2)
    assert "is recorded as sent on" in again[1]["error"]["message"]


SENT = ["report", "sent", "updates", "--period", "2025-12-15..2026-01-14", "--to", "department", "--number", "15/BC"]


def test_the_paper_of_a_sent_report_is_added_by_recording_it_again_with_its_file(office: Office) -> None:
    paper = office.folder / "paper.pdf"
    paper.write_bytes(b"%PDF-1.7")

    typed = office.call(*SENT, "--date", "2026-01-16", "--how", "E-Office")
    wrong = office.call(*SENT, "--date", "2026-01-17", "--file", str(paper))
    added = office.call(*SENT, "--file", str(paper))
    again = office.call(*SENT, "--file", str(paper))

    assert typed[1]["warnings"] == [
        "the paper itself is not kept: until it is added by --file, duty 11.3-reporting is unknown"
    ]
    assert (wrong[0], again[0]) == (2, 2)
    assert (added[0], added[1]["data"]["sent_on"], added[1]["warnings"]) == (0, "2026-01-16", [])
    validate("report sent", added[1]["data"])
    assert added[1]["data"]["file"] == hashlib.sha256(b"%PDF-1.7").hexdigest()


def test_a_record_of_a_sent_report_that_does_not_say_which_is_told_and_not_passed_over(office: Office) -> None:
    ledger = Ledger.open(office.folder / "state", clock=SystemClock(), create=True)
    record = ledger.append("report.sent", run=NO_RUN, subject="updates", body=write({"evidence": ()}))

    ((seq, error),) = read_sendings(ledger).unreadable

    assert seq == record.seq
    assert "they have no part sent" in str(error.message)


def test_a_case_shows_on_the_terminal_by_which_digest_a_paper_is_kept(
    office: Office, capsys: pytest.CaptureFixture[str]
) -> None:
    paper = office.folder / "paper.pdf"
    paper.write_bytes(b"%PDF-1.7")
    case = next(iter(office.cases()))
    office.call("case", "remind", case, "--number", "12/CV", "--date", "2026-11-24", "--file", str(paper))

    assert run(["--config", str(office.folder / "portalops.toml"), "case", "show", case], {}) == 0

    assert hashlib.sha256(b"%PDF-1.7").hexdigest() in capsys.readouterr().out


def test_a_paper_that_is_added_under_another_number_says_which_step_still_lacks_its_own(office: Office) -> None:
    paper = office.folder / "paper.pdf"
    paper.write_bytes(b"%PDF-1.7")
    case = next(iter(office.cases()))
    seq = office.call("case", "remind", case, "--number", "12/CV-TTCDS", "--date", "2026-11-25")[1]["data"]["record"]

    other = office.call("case", "register-doc", case, "--number", "12/CV-TTCĐS", "--file", str(paper))
    same = office.call("case", "register-doc", case, "--number", "12/CV-TTCDS", "--file", str(paper))

    assert other[1]["warnings"] == [
        f"the reminder, record {seq}: the paper is still missing; add it under its recorded number, 12/CV-TTCDS"
    ]
    assert (same[0], same[1]["warnings"]) == (0, [])


def test_a_paper_that_was_lost_is_not_kept_and_can_be_added_again(office: Office) -> None:
    paper = office.folder / "paper.pdf"
    paper.write_bytes(b"%PDF-1.7")
    case = next(iter(office.cases()))
    office.call("case", "remind", case, "--number", "12/CV", "--date", "2026-11-24", "--file", str(paper))
    office.call(*SENT, "--date", "2026-01-16", "--file", str(paper))

    def kept() -> tuple[bool, bool]:
        ledger = Ledger.open(office.folder / "state", clock=SystemClock(), create=False)
        (sending,) = read_sendings(ledger).sendings[-1:]
        (reminded,) = (one for one in read_cases(ledger).cases if one.id == case)
        return sending.sent.file is not None, not papers_not_kept(reminded)

    assert kept() == (True, True)
    digest = hashlib.sha256(b"%PDF-1.7").hexdigest()
    (office.folder / "state" / "blobs" / digest[:2] / digest[2:4] / f"{digest}.zst").unlink()
    assert kept() == (False, False)

    assert office.call(*SENT, "--file", str(paper))[0] == 0
    assert kept() == (True, True)


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"--date": "2026-01-13"}, "a report of 13 Jan 2026 cannot be about a period that ends on 14 Jan 2026"),
        ({"updates": "update"}, "there is no report update"),
    ],
)
def test_a_sending_that_could_never_count_is_refused_with_a_hint(
    office: Office, changed: dict[str, str], message: str
) -> None:
    command = [*SENT, "--date", "2026-01-16"]
    for word, new in changed.items():
        command[command.index(word) + word.startswith("--")] = new

    code, envelope = office.call(*command)

    assert (code, envelope["error"]["message"]) == (2, message)
    assert envelope["error"]["hint"]


def test_a_sent_report_that_covers_no_reporting_month_says_that_no_duty_rests_on_it(office: Office) -> None:
    command = [*SENT, "--date", "2026-02-02"]
    command[command.index("--period") + 1] = "2026-01"

    code, envelope = office.call(*command)

    assert (code, envelope["warnings"][1]) == (
        0,
        "2026-01-01..2026-01-31 covers no whole reporting month, so it is no evidence for duty 11.3-reporting; the reporting month 2026-01"
        " is 2025-12-15..2026-01-14",
    )


@pytest.mark.parametrize(
    ("command", "key"),
    [
        (["report", "sent", "updates", "--period", "2025-12-15..2026-01-14", "--to", "department", "--number", "15/BC"], "sent"),
        (
            ["updates", "exempt", "--from", "2026-01-05", "--to", "2026-01-09", "--kind", "fault", "--unit", "so-y-te",
             "--document", "15/QĐ", "--approver", "An"],
            "exemption",
        ),
    ],
)  # fmt: skip
def test_a_record_that_rests_on_a_document_names_its_digest(office: Office, command: list[str], key: str) -> None:
    paper = office.folder / "paper.pdf"
    paper.write_bytes(b"%PDF-1.7")

    seq = office.call(*command, "--file", str(paper))[1]["data"]["record"]

    ledger = Ledger.open(office.folder / "state", clock=SystemClock(), create=False)
    record = next(each for each in ledger.records() if each.seq == seq)
    body = json.loads(ledger.blob(record.body))
    assert body[key]["file"] == hashlib.sha256(b"%PDF-1.7").hexdigest()
