"""Senders that a register names in another way, or by nobody's name: found, suggested, and decided (Article 11.2)."""

from __future__ import annotations

import json
import zipfile
from pathlib import Path
from typing import Any

import pytest

from commands.cli.entry import run
from commands.updates.collect import sender_warning
from commands.updates.steps import UnknownSender
from portalops.errors import ExitCode
from portalops.model.organisation import UnitId
from tests.shapes import validate_answer

CONFIGURATION = """
[portal]
id = "khanhhoa"
name = { vi = "Cổng thông tin điện tử tỉnh Khánh Hòa", en = "Khanh Hoa portal" }
timezone = "Asia/Ho_Chi_Minh"
rulebook = "kh-37-2010"
language = "vi"

[state]
folder = "state"

[[unit]]
id = "xa-dien-an"
name = { vi = "Xã Diên An", en = "Dien An Commune" }
has_subportal = false
ALIASES

[[updates.source]]
id = "so-den"
kind = "register"
file = "register.csv"
channel = "submission"
outsiders = OUTSIDERS
"""
ROWS = (
    "số đến,ngày đến,tác giả,số ký hiệu,trích yếu\n"
    '7,2026-11-09,"UBND xã Diên An, tỉnh Khánh Hòa",12/UBND,Tin bài\n'
    "8,2026-11-11,UBND phường Diên An,13/UBND,Tin bài tuần 46\n"
    "9,2026-11-11,Công ty TNHH An Phú,14/AP,Báo giá\n"
)


class Office:
    def __init__(self, folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
        self.folder, self._capsys = folder, capsys
        (folder / "register.csv").write_text(ROWS, "utf-8")
        self.configure()

    def configure(self, aliases: str = "", *, outsiders: str = '["Bộ *", "Công ty TNHH An Phú"]') -> None:
        text = CONFIGURATION.replace("ALIASES", aliases).replace("OUTSIDERS", outsiders)
        (self.folder / "portalops.toml").write_text(text, "utf-8")

    def call(self, *arguments: str) -> tuple[int, dict[str, Any]]:
        code = run(["--json", "--config", str(self.folder / "portalops.toml"), *arguments], {})
        answer: dict[str, Any] = json.loads(self._capsys.readouterr().out)
        validate_answer(arguments, answer)
        return code, answer

    def said(self, *arguments: str) -> str:
        run(["--config", str(self.folder / "portalops.toml"), *arguments], {})
        return self._capsys.readouterr().out

    def submissions(self) -> int:
        _code, answer = self.call("updates", "matrix", "--period", "2026-W46")
        return int(answer["data"][0]["submissions"])

    def verdicts(self) -> dict[str, str]:
        units = [unit for unit in ("xa-dien-an", "xa-suoi-dau") if f'"{unit}"' in self.written()]
        weeks = {unit: self.call("updates", "why", unit, "2026-W46")[1]["data"] for unit in units}
        return {unit: week["submissions_verdict"] for unit, week in weeks.items()}

    def written(self) -> str:
        return (self.folder / "portalops.toml").read_text("utf-8")

    def items(self) -> dict[str, dict[str, Any]]:
        _code, answer = self.call("updates", "list", "--period", "2026-W46")
        return {item["title"]: item for item in answer["data"]}


@pytest.fixture
def office(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Office:
    return Office(tmp_path, capsys)


def test_a_paper_of_a_sender_that_is_named_another_way_counts_for_the_unit(office: Office) -> None:
    office.call("updates", "collect")

    assert office.submissions() == 1
    assert office.items()["12/UBND Tin bài"]["unit"] == "xa-dien-an"


def test_a_sender_whose_name_fits_no_unit_is_listed_with_whom_it_resembles(office: Office) -> None:
    office.call("updates", "collect")
    items = office.items()
    listed = office.said("updates", "list", "--period", "2026-W46")

    unknown, stranger = items["13/UBND Tin bài tuần 46"], items["14/AP Báo giá"]
    assert (unknown["unit"], unknown["unit_name"], unknown["resembles"]) == (
        None,
        "UBND phường Diên An",
        ["xa-dien-an"],
    )
    assert (stranger["unit_name"], stranger["resembles"]) == ("Công ty TNHH An Phú", [])
    assert "UBND phường Diên An" in listed
    assert "updates register --unit" in listed


@pytest.mark.parametrize("suffix", ["", ".html", ".docx"])
def test_the_sheet_of_a_week_that_fell_short_names_papers_of_senders_like_no_unit_without_their_subjects(
    office: Office, suffix: str
) -> None:
    office.call("updates", "collect")
    item = office.items()["14/AP Báo giá"]["id"][:12]
    file = office.folder / f"sheet{suffix}"
    output = ("--output", str(file), "--language", "en") if suffix else ()

    shown = office.said("updates", "sheet", "xa-dien-an", "2026-W46", *output)

    text = zipfile.ZipFile(file).read("word/document.xml").decode() if suffix == ".docx" else shown
    text = file.read_text("utf-8") if suffix == ".html" else text
    assert item in text
    assert "Công ty TNHH An Phú" in " ".join(text.split())
    assert "Báo giá" not in text


def test_collecting_names_the_senders_that_may_be_units_and_no_strangers(office: Office) -> None:
    told = office.said("updates", "collect")

    assert "xa-dien-an" in told
    assert "An Phú" not in told


def test_an_author_like_no_unit_is_named_by_collecting_and_why_until_it_is_declared(office: Office) -> None:
    office.configure(outsiders="[]")
    first, own, *_others, stranger = ROWS.splitlines(keepends=True)
    (office.folder / "register.csv").write_text(first + own + stranger, "utf-8")

    _code, collected = office.call("updates", "collect")
    (item,) = [
        one
        for one in office.call("updates", "why", "xa-dien-an", "2026-W46")[1]["data"]["items"]
        if one["counts"] == "perhaps"
    ]
    before, shown = office.verdicts(), " ".join(office.said("updates", "collect").split())
    office.configure(outsiders='["Cong ty *"]')

    (said,) = [one for one in collected["warnings"] if "An Phú" in str(one)]
    assert "Add the name to aliases of its unit, or to outsiders of the source" in str(said)
    assert (item["title"], "or to outsiders of source so-den" in item["why"]) == ("14/AP Báo giá", True)
    assert 'so-den: outsiders = ["Công ty TNHH An Phú"]' in shown
    assert before == {"xa-dien-an": "insufficient-evidence"}
    assert office.verdicts() == {"xa-dien-an": "unmet"}
    assert "An Phú" not in office.said("updates", "collect")


def test_an_alias_makes_papers_count_that_came_before_it(office: Office) -> None:
    office.call("updates", "collect")

    office.configure('aliases = ["UBND phường Diên An"]')

    assert office.submissions() == 2
    assert office.items()["13/UBND Tin bài tuần 46"]["unit"] == "xa-dien-an"


def test_a_paper_whose_sender_is_unknown_can_be_recorded_as_a_units(office: Office) -> None:
    office.call("updates", "collect")
    paper = ("--arrived", "2026-11-11", "--subject", "Tin bài tuần 46", "--code", "13/UBND")

    code, _answer = office.call("updates", "register", "--unit", "xa-dien-an", "--number", "8", *paper)
    again, refused = office.call("updates", "register", "--unit", "xa-dien-an", "--number", "7", *paper)

    assert (code, office.submissions()) == (ExitCode.OK, 2)
    assert (again, "so-den" in refused["error"]["message"]) == (ExitCode.USAGE, True)


def test_a_paper_whose_sender_resembles_a_unit_is_held_against_nobody(office: Office) -> None:
    office.call("updates", "collect")

    _code, answer = office.call("updates", "why", "xa-dien-an", "2026-W46")

    assert (answer["data"]["submissions_verdict"], answer["data"]["submissions_bounds"]["least"]) == (
        "insufficient-evidence",
        1,
    )
    assert answer["data"]["submissions_bounds"]["most"] == 2
    perhaps = [one for one in answer["data"]["items"] if one["counts"] == "perhaps"]
    assert [one["why"] for one in perhaps] == ["its sender UBND phường Diên An is not known, and it may be this unit's"]


def test_verify_holds_after_an_alias_was_added(office: Office) -> None:
    office.call("updates", "collect")
    office.configure('aliases = ["UBND phường Diên An"]')
    office.call("updates", "collect")

    code, answer = office.call("updates", "verify")

    assert (code, answer["data"]["different"]) == (ExitCode.OK, [])


def test_a_line_that_another_unit_takes_over_is_open_and_an_officer_decides_by_a_document(office: Office) -> None:
    office.call("updates", "collect")
    before = office.submissions()
    file = office.folder / "register.csv"
    file.write_text(
        file.read_text("utf-8").replace('"UBND xã Diên An, tỉnh Khánh Hòa"', "Công ty TNHH An Phú"), "utf-8"
    )
    office.call("updates", "collect")
    item = next(one for one in office.items().values() if one["unit"] == "xa-dien-an")

    _code, shown = office.call("updates", "show", item["id"])
    said = office.said("updates", "show", item["id"])
    after = office.submissions()
    decided = ("--officer", "Trần Văn B", "--document", "Biên bản 03/BB ngày 12/11/2026")
    refused, _answer = office.call("updates", "confirm", item["id"], *decided, "--unit", "xa-khac")
    code, _answer = office.call("updates", "confirm", item["id"], *decided, "--unit", "xa-dien-an")

    assert [one["unit"] for one in shown["data"]["corrections"]] == ["xa-dien-an", None]
    assert "Công ty TNHH An Phú" in said
    assert (before, after) == (1, 0)
    assert (refused, code, office.submissions()) == (ExitCode.USAGE, ExitCode.OK, 1)
    assert office.call("updates", "verify")[0] == ExitCode.OK


# --- authors that are not written ---------------------------------------------------------------

LINE = "10,2026-11-12,AUTHOR,15/UBND,Tin bài thứ năm\n"
FEW_OF_OWN = ROWS.replace("8,2026-11-11,UBND phường Diên An", "8,2026-11-11,Bộ Nội vụ")


@pytest.fixture(params=["", "nt"])
def unnamed(office: Office, request: pytest.FixtureRequest) -> Office:
    """One line of the unit's own, then one that names no author."""
    first, own, *others = FEW_OF_OWN.splitlines(keepends=True)
    lines = (first, *others, own, LINE.replace("AUTHOR", request.param))
    (office.folder / "register.csv").write_text("".join(lines), "utf-8")
    return office


def test_a_line_that_names_no_author_is_named_by_why_and_status(unnamed: Office) -> None:
    unnamed.call("updates", "collect")

    _code, answer = unnamed.call("updates", "why", "xa-dien-an", "2026-W46")
    stated = unnamed.said("updates", "why", "xa-dien-an", "2026-W46")

    perhaps = [one for one in answer["data"]["items"] if one["counts"] == "perhaps"]
    assert answer["data"]["submissions_verdict"] == "insufficient-evidence"
    assert "1 line or item of source so-den names no unit" in answer["data"]["reason"]
    assert [one["title"] for one in perhaps] == ["15/UBND Tin bài thứ năm"]
    assert "updates register --unit" in perhaps[0]["why"]
    assert "names no unit and may be this unit's" in " ".join(stated.split())


def test_a_line_that_names_no_author_is_flagged_and_named_by_collecting(unnamed: Office) -> None:
    told = unnamed.said("updates", "collect")
    listed = unnamed.said("updates", "list", "--period", "2026-W46", "--flagged")

    item = unnamed.items()["15/UBND Tin bài thứ năm"]
    assert (item["unit"], item["flags"]) == (None, ["unknown-unit"])
    assert "Tin bài thứ năm" in " ".join(listed.split())
    assert "record whose it is: 'portalops updates register --unit" in " ".join(listed.split())
    assert "so-den" in told


def test_a_line_that_repeats_the_author_above_resembles_that_one_alone(office: Office) -> None:
    first, own, *_others = ROWS.splitlines(keepends=True)
    (office.folder / "register.csv").write_text(first + own + LINE.replace("AUTHOR", "-nt-"), "utf-8")
    office.call("updates", "collect")

    item = office.items()["15/UBND Tin bài thứ năm"]

    assert (item["unit_name"], item["resembles"]) == ("-nt- (↑ UBND xã Diên An, tỉnh Khánh Hòa)", ["xa-dien-an"])


def test_the_sheet_names_lines_without_an_author_by_their_number_and_not_by_their_subject(office: Office) -> None:
    (office.folder / "register.csv").write_text(FEW_OF_OWN + LINE.replace("AUTHOR", ""), "utf-8")
    office.call("updates", "collect")

    shown = " ".join(office.said("updates", "sheet", "xa-dien-an", "2026-W46").split())

    assert "2026/10" in shown
    assert "the register of incoming papers names no unit and may be the unit's" in shown
    assert "thứ năm" not in shown


def test_a_line_without_an_author_that_was_recorded_as_a_units_leaves_the_others_alone(office: Office) -> None:
    office.configure(
        '[[unit]]\nid = "xa-suoi-dau"\nname = { vi = "Xã Suối Dầu", en = "Suoi Dau Commune" }\nhas_subportal = false'
    )
    rows = FEW_OF_OWN.replace("Bộ Nội vụ", "Xã Suối Dầu") + LINE.replace("AUTHOR", "")
    (office.folder / "register.csv").write_text(rows, "utf-8")
    office.call("updates", "collect")
    paper = ("--arrived", "2026-11-12", "--subject", "Tin bài thứ năm", "--code", "15/UBND")

    before = office.verdicts()
    office.call("updates", "register", "--unit", "xa-suoi-dau", "--number", "10", *paper)

    assert before == {"xa-dien-an": "insufficient-evidence", "xa-suoi-dau": "insufficient-evidence"}
    assert office.verdicts()["xa-dien-an"] == "unmet"


SENDER = UnknownSender("thu", "vanphong@vp.soyte.example", 2, (UnitId("so-y-te"),))


@pytest.mark.parametrize(
    "sender",
    [
        SENDER._replace(name="Cong ty An", resembles=(), is_stranger=True),
        SENDER._replace(name="", resembles=()),
        SENDER._replace(is_contested=True),
        SENDER._replace(is_below=True),
        SENDER._replace(is_mentioning=True),
        SENDER,
        SENDER._replace(name="So Y"),
    ],
)
def test_a_warning_of_an_unknown_sender_has_short_sentences(sender: UnknownSender) -> None:
    sentences = str(sender_warning(sender)).split(". ")

    assert [one for one in sentences if len(one.split()) > 25] == []
