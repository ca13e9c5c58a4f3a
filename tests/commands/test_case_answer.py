"""What a unit answers in its hearing, by the command line: dates of items, items that are its own, explanations, mail."""

from __future__ import annotations

import json
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import time_machine

from commands.cli.entry import run
from tests.commands.test_case import CONFIGURATION, Office

REGISTER = """
[[updates.source]]
id = "so-van-ban-den"
kind = "register"
channel = "submission"
file = "register.csv"
"""
WEEK = "2026-W47"
BY = ["--by", "Văn phòng Sở Y tế", "--document", "45/SYT-VP, 25/11/2026"]


class Hearing(Office):
    """An office with one claimed item in the week, and one paper of an unknown sender."""

    def __init__(self, folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
        super().__init__(folder, capsys)
        (folder / "portalops.toml").write_text(CONFIGURATION.replace("trust_created = true\n", "") + REGISTER, "utf-8")
        (folder / "register.csv").write_text(
            "Số đến,Ngày đến,Tác giả,Số ký hiệu,Trích yếu\n90,2026-11-02,Sở Y tế,8/SYT,Tin tuần 45\n118,2026-11-18,Phòng Y tế dự phòng,9/PYT,Tin tuần 47\n",
            "utf-8",
        )
        self.publish("2026-11-17 09:00")
        self.call("updates", "collect")

    def publish(self, at: str) -> None:
        import sqlite3

        with sqlite3.connect(self.folder / "portal.sqlite") as connection:
            connection.execute("INSERT INTO news VALUES (2, 'Tin tuần 47', ?, ?, 'Sở Y tế')", (at, at))

    def read(self, *arguments: str) -> str:
        """Return what a person reads in Vietnamese."""
        with time_machine.travel(self.now, tick=True):
            run(["--lang", "vi", "--config", str(self.folder / "portalops.toml"), *arguments], {})
        return self._capsys.readouterr().out

    def items(self) -> dict[str, str]:
        listed = self.call("updates", "list", "--period", WEEK)[1]["data"]
        return {one["unit"] or "": one["id"] for one in listed}

    def answer(self, *arguments: str) -> tuple[int, dict[str, Any]]:
        return self.call("case", "answer", "so-y-te", WEEK, *arguments)


@pytest.fixture
def hearing(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Hearing:
    return Hearing(tmp_path, capsys)


def test_a_date_confirms_the_item_and_every_case_of_the_week_takes_the_answer(hearing: Hearing) -> None:
    item = hearing.items()["so-y-te"]
    paper = hearing.folder / "paper.pdf"
    paper.write_bytes(b"%PDF-1.7")

    shown = hearing.answer("--item", item[:10], "--on", "2026-11-17", *BY, "--file", str(paper), "--dry-run")
    code, envelope = hearing.answer("--item", item[:10], "--on", "2026-11-17", *BY, "--file", str(paper))
    listed = hearing.call("updates", "list", "--period", WEEK)[1]["data"]

    assert (shown[0], shown[1]["data"]["records"], code) == (0, [], 0)
    assert envelope["data"]["confirmed"] == [item]
    assert {name[:8] for name in envelope["data"]["cases"]} == {WEEK}
    assert len(envelope["data"]["records"]) == 1 + len(envelope["data"]["cases"])
    assert [one["grade"] for one in listed if one["id"] == item] == ["D"]
    step = hearing.call("case", "show", envelope["data"]["cases"][0])[1]["data"]["steps"][-1]
    assert (step["step"], step["by"], step["paper"]) == ("explained", "Văn phòng Sở Y tế", "45/SYT-VP, 25/11/2026")


def test_an_item_of_an_unknown_sender_counts_for_the_unit_that_says_it_is_its_own(hearing: Hearing) -> None:
    item = hearing.items()[""]

    code, envelope = hearing.answer("--item", item, "--ours", *BY)
    said = envelope["warnings"]
    again = hearing.answer("--item", item, "--ours", *BY)
    listed = hearing.call("updates", "list", "--period", WEEK)[1]["data"]

    assert (code, again[0]) == (0, 2)
    assert any("the document is not kept" in line for line in said)
    (entry,) = envelope["data"]["attributed"]
    assert f"already recorded as {entry}, of unit so-y-te" in again[1]["error"]["message"]
    assert [(one["unit"], one["grade"]) for one in listed if one["id"] == entry] == [("so-y-te", "D")]
    assert [(one["unit"], one["claimed_as"]) for one in listed if one["id"] == item] == [(None, entry)]
    assert f"Sở Y tế, tính theo {entry}" in " ".join(hearing.read("updates", "list", "--period", WEEK).split())


def test_a_registered_paper_of_an_unknown_sender_is_listed_with_its_entry(hearing: Hearing) -> None:
    paper = (
        "--number",
        "118",
        "--arrived",
        "2026-11-18",
        "--author",
        "Phòng Y tế dự phòng",
        "--subject",
        "Tin tuần 47",
    )

    code, envelope = hearing.call("updates", "register", "--unit", "so-y-te", *paper, "--registrar", "Nguyễn Văn An")
    listed = hearing.call("updates", "list", "--period", WEEK, "--unit", "so-y-te")[1]["data"]

    assert code == 0, envelope
    assert {one["claimed_as"] for one in listed if one["source"] == "so-van-ban-den"} == {envelope["data"]["id"]}


def test_the_filled_in_sheet_is_taken_by_one_command(hearing: Hearing) -> None:
    items = hearing.items()
    sheet = hearing.folder / "bang-ke.csv"
    sheet.write_text(
        f"mã tin;trả lời;văn bản\n{items['so-y-te']};17/11/2026;07/BB-SYT\n{items['']};của đơn vị;\nabc;;\n", "utf-8"
    )

    code, envelope = hearing.answer("--answers", str(sheet), *BY)

    assert code == 0, envelope
    assert (len(envelope["data"]["confirmed"]), len(envelope["data"]["attributed"])) == (1, 1)
    assert envelope["warnings"][-1] == "1 line of the sheet answers nothing"


def test_a_text_is_an_explanation_and_a_mail_names_who_answered_and_when(hearing: Hearing) -> None:
    mail = hearing.folder / "answer.eml"
    mail.write_bytes(
        b"From: Van Phong <van-phong@soyte.example>\r\nDate: Tue, 24 Nov 2026 09:00:00 +0700\r\nSubject: x\r\n\r\nA"
    )

    code, envelope = hearing.answer("--reason", "máy chủ hỏng", "--mail", str(mail))
    again = hearing.answer("--reason", "máy chủ hỏng", "--mail", str(mail))

    step = hearing.call("case", "show", envelope["data"]["cases"][0])[1]["data"]["steps"][-1]
    assert code == 0, json.dumps(envelope)
    assert (step["by"], step["reason"]) == ("van-phong@soyte.example", "máy chủ hỏng")
    assert (step["paper"], step["paper_date"]) == ("van-phong@soyte.example", "2026-11-24")
    shown = hearing.read("case", "show", envelope["data"]["cases"][0])
    assert ("ngày 24/11/2026" in shown, "2026-11-24" in shown) == (True, False)
    assert (again[0], "waits for an answer" in again[1]["error"]["message"]) == (2, True)


def test_a_mail_without_more_is_the_explanation_and_the_week_is_shown_as_it_stands(hearing: Hearing) -> None:
    mail = hearing.folder / "answer.eml"
    text = "Máy chủ hỏng\r\ncả tuần.".encode()
    mail.write_bytes(
        b"From: <van-phong@soyte.example>\r\nDate: Tue, 24 Nov 2026 09:00:00 +0700\r\n"
        b"Content-Type: text/plain; charset=utf-8\r\nSubject: x\r\n\r\n" + text
    )

    dry_run = hearing.answer("--mail", str(mail), "--dry-run")
    shown = hearing.read("case", "answer", "so-y-te", WEEK, "--mail", str(mail))

    step = hearing.call("case", "show", f"{WEEK}/so-y-te/11.2-submissions")[1]["data"]["steps"][-1]
    assert dry_run[1]["data"]["records"] == []
    assert (step["step"], step["reason"]) == ("explained", "Máy chủ hỏng cả tuần.")
    assert "Sở Y tế" in shown and "Kết luận của tuần" in shown and "không đạt" in shown


def test_an_answer_after_its_last_day_is_called_late_wherever_it_is_shown(hearing: Hearing) -> None:
    hearing.hear()

    code, envelope = hearing.answer("--reason", "máy chủ hỏng", *BY)
    case = envelope["data"]["cases"][0]
    shown = hearing.call("case", "show", case)[1]["data"]

    assert code == 0
    assert f"the answer to case {case} is late: it was due by" in "".join(envelope["warnings"])
    assert (shown["answered_late"], hearing.cases()[case]["answered_late"]) == (True, True)


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("none;của đơn vị;9/SYT", "line 3 of the answers: there is no item none"),
        ("{unknown};18/11/2026;9/SYT", "line 3 of the answers: item"),
        ("{own};17/11/2026;9/SYT", "line 3 of the answers: item"),
    ],
)
def test_a_line_of_the_sheet_that_does_not_fit_is_named(hearing: Hearing, line: str, said: str) -> None:
    items = hearing.items()
    own, unknown = items["so-y-te"], items[""]
    sheet = hearing.folder / "bang-ke.csv"
    sheet.write_text(
        f"mã tin;trả lời;văn bản\n{own};17/11/2026;07/BB-SYT\n{line.format(own=own, unknown=unknown)}\n", "utf-8"
    )

    code, envelope = hearing.answer("--answers", str(sheet), "--by", "An")

    assert (code, envelope["error"]["message"][: len(said)]) == (2, said)


def test_a_sheet_that_names_a_document_in_each_line_needs_no_other(hearing: Hearing) -> None:
    sheet = hearing.folder / "bang-ke.csv"
    sheet.write_text(f"mã tin;trả lời;văn bản\n{hearing.items()['so-y-te']};17/11/2026;07/BB-SYT\n", "utf-8")

    code, envelope = hearing.answer("--answers", str(sheet), "--by", "Văn phòng Sở Y tế")

    assert (code, len(envelope["data"]["confirmed"])) == (0, 1)


def test_a_mail_whose_day_cannot_be_read_needs_it_given(hearing: Hearing) -> None:
    mail = hearing.folder / "answer.eml"
    mail.write_bytes(
        b"From: vp@soyte.example\r\nDate: h\xc3\xb4m qua\r\nSubject: x\r\n\r\nm\xc3\xa1y h\xe1\xbb\x8fng\r\n"
    )

    refused, envelope = hearing.answer("--reason", "x", "--mail", str(mail))
    taken, _taken = hearing.answer("--reason", "x", "--mail", str(mail), "--date", "2026-11-25")

    assert (refused, taken) == (2, 0)
    assert "names no day that can be read" in envelope["error"]["message"]


def test_a_mail_from_another_units_address_is_named(hearing: Hearing) -> None:
    configured = hearing.folder / "portalops.toml"
    other = '\n[[unit]]\nid = "so-tu-phap"\nname = { vi = "Sở Tư pháp" }\naliases = ["stp.example"]\n'
    configured.write_text(configured.read_text("utf-8") + other, "utf-8")
    mail = hearing.folder / "answer.eml"
    mail.write_bytes(b"From: vp@stp.example\r\nDate: Tue, 24 Nov 2026 09:00:00 +0700\r\nSubject: x\r\n\r\nA")

    _code, envelope = hearing.answer("--reason", "x", "--mail", str(mail))

    assert envelope["warnings"] == ["the mail of vp@stp.example is of unit so-tu-phap, not of so-y-te"]


def test_a_mail_of_a_stranger_makes_no_item_the_units_until_an_officer_vouches_for_it(hearing: Hearing) -> None:
    item = hearing.items()[""]
    mail = hearing.folder / "answer.eml"
    mail.write_bytes(b"From: x@gmail.com\r\nDate: Tue, 24 Nov 2026 09:00:00 +0700\r\nSubject: x\r\n\r\nA")
    claim = ("--item", item, "--ours", "--mail", str(mail))

    refused, error = hearing.answer(*claim)
    _code, open_still = hearing.call("updates", "show", item)
    taken, envelope = hearing.answer(*claim, "--officer", "Trần Thị Bình")
    (entry,) = envelope["data"]["attributed"]
    hearing.now += timedelta(minutes=1)
    shown, origin = hearing.read("updates", "show", entry), hearing.read("updates", "show", item)

    said = "the mail of x@gmail.com is not from an address of unit so-y-te"
    assert (refused, error["error"]["message"]) == (2, said)
    assert open_still["data"]["unit"] is None
    assert (taken, envelope["warnings"][0]) == (0, said)
    for each in ("x@gmail.com", "Trần Thị Bình", item[:12], "Phòng Y tế dự phòng"):
        assert each in " ".join(shown.split()), shown
    assert f"tính theo {entry}, của Sở Y tế" in origin


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (BY, "neither items nor an explanation"),
        (["--item", "{own}", *BY], "--item needs one answer"),
        (["--on", "2026-11-17", *BY], "--item needs one answer"),
        (["--item", "{own}", "--on", "2026-11-10", *BY], "outside week 2026-W47"),
        (["--item", "{unknown}", "--on", "2026-11-18", *BY], "is not of unit so-y-te"),
        (["--item", "{own}", "--ours", *BY], "the sender of item"),
        (["--item", "none", "--ours", *BY], "there is no item none"),
        (["--item", "{own}", "--item", "{own}", "--on", "2026-11-17", *BY], "is answered twice"),
        (["--reason", "x", "--by", "An"], "--document is empty"),
        (["--reason", "x", "--document", "45/SYT"], "--by is empty"),
        (["--reason", "x", "--mail", "portalops.toml"], "is no mail of a person"),
        (["--reason", "x", "--date", "2026-11-18", *BY], "cannot be dated before 23 Nov 2026"),
        (["--answers", "register.csv", *BY], "no columns item and answer"),
    ],
)
def test_an_answer_that_does_not_fit_is_refused_whole(
    hearing: Hearing, arguments: list[str], said: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(hearing.folder)
    items = hearing.items()
    before = hearing.call("ledger", "show")[1]

    code, envelope = hearing.answer(*(text.format(own=items["so-y-te"], unknown=items[""]) for text in arguments))

    assert code == 2
    assert said in envelope["error"]["message"], envelope["error"]
    assert envelope["error"]["hint"]
    assert hearing.call("ledger", "show")[1] == before


def test_a_week_without_a_case_takes_no_answer(hearing: Hearing) -> None:
    code, envelope = hearing.call("case", "answer", "so-y-te", "2026-W01", "--reason", "x", *BY)

    assert (code, envelope["error"]["message"]) == (2, "unit so-y-te has no case of week 2026-W01")


class TwoUnits(Hearing):
    """A line of the register that is like one commune's name alone, and a department that is idle."""

    def __init__(self, folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
        super().__init__(folder, capsys)
        configured = folder / "portalops.toml"
        units = "".join(
            f'\n[[unit]]\nid = "{name}"\nname = {{ vi = "{vi}" }}\n'
            for name, vi in (("xa-dien-an", "UBND xã Diên An"), ("xa-dien-tan", "UBND xã Diên Tân"))
        )
        configured.write_text(configured.read_text("utf-8") + units, "utf-8")
        self.call("updates", "collect")
        for case, one in self.cases().items():
            if one["state"] == "hearing":
                self.remind(case)
        with (folder / "register.csv").open("a", encoding="utf-8") as register:
            register.write("119,2026-11-18,VP UBND xã Diên An,9/BC,Tin tuần 47 của xã\n")
        self.call("updates", "collect")
        listed = self.call("updates", "list", "--period", WEEK)[1]["data"]
        self.item = next(one["id"] for one in listed if one["title"].endswith("của xã"))

    def claim(self, unit: str, *more: str) -> tuple[int, dict[str, Any]]:
        return self.call(
            "case",
            "answer",
            unit,
            WEEK,
            "--item",
            self.item,
            "--ours",
            "--by",
            f"Văn phòng {unit}",
            "--document",
            f"45/{unit}, 25/11/2026",
            *more,
        )

    def counts(self, unit: str) -> dict[str, tuple[str, str]]:
        shown = self.call("updates", "why", unit, WEEK)[1]["data"]
        return {one["id"]: (one["counts"], one["why"]) for one in shown["items"]}


@pytest.fixture
def two(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> TwoUnits:
    return TwoUnits(tmp_path, capsys)


def test_an_item_that_is_open_for_another_unit_by_name_is_not_taken_by_a_units_word(two: TwoUnits) -> None:
    code, envelope = two.claim("so-y-te")

    assert (code, envelope["error"]["message"]) == (
        2,
        f"item {two.item[:12]} may be of xa-dien-an, not of so-y-te",
    )
    assert "--officer" in envelope["error"]["hint"]
    assert two.claim("so-y-te", "--officer", "Trần Thị Bình")[0] == 2, "the paper is not kept"


def test_an_item_that_one_unit_claims_stays_open_for_the_unit_whose_name_it_bears(two: TwoUnits) -> None:
    paper = two.folder / "paper.pdf"
    paper.write_bytes(b"%PDF-1.7")

    code, envelope = two.claim("so-y-te", "--officer", "Trần Thị Bình", "--file", str(paper))
    (entry,) = envelope["data"]["attributed"]
    two.now += timedelta(minutes=1)

    assert code == 0
    assert two.counts("so-y-te")[entry][0] == "yes"
    counts, why = two.counts("xa-dien-an")[two.item]
    assert counts == "perhaps"
    assert f"claimed by another unit, Department of Health, as {entry}" in why
    assert "đơn vị khác đã nhận" in " ".join(two.read("updates", "sheet", "xa-dien-an", WEEK).split())


def test_an_item_that_two_units_claim_is_open_for_both_until_one_claim_is_taken_back(two: TwoUnits) -> None:
    paper = two.folder / "paper.pdf"
    paper.write_bytes(b"%PDF-1.7")
    (first,) = two.claim("so-y-te", "--officer", "Trần Thị Bình", "--file", str(paper))[1]["data"]["attributed"]

    code, envelope = two.claim("xa-dien-an")
    (second,) = envelope["data"]["attributed"]
    both = [two.counts(unit)[two.item][0] for unit in ("so-y-te", "xa-dien-an")]
    shown, listed = two.call("updates", "show", first)[1], two.call("updates", "list", "--period", WEEK)[1]["data"]
    two.call("updates", "observe", "--withdraw", first, "--reason", "nhầm")

    assert code == 0
    assert any(f"--withdraw {first}" in line for line in envelope["warnings"])
    assert both == ["perhaps", "perhaps"]
    assert shown["error"]["message"] == f"entry {first} does not count: several units claim the same item"
    assert [one["claimed_as"] for one in listed if one["id"] == two.item] == [""]
    assert two.counts("xa-dien-an")[second][0] == "yes"
