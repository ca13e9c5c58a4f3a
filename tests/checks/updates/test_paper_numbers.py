"""Numbers of papers in mails, in whatever form."""

from __future__ import annotations

import pytest

from checks.updates.paper_numbers import (
    bare_numbers_in_names,
    bare_numbers_in_text,
    numbers_in_names,
    numbers_in_text,
    read_numbers,
)


@pytest.mark.parametrize(
    "text", ["số 70/BC-UBND", "Số: 070/BC-UBND.", "70/2026/BC-UBND", "(70-BC-UBND)", "70/BC-UBND, 70/BC-UBND"]
)
def test_a_number_is_one_in_every_form(text: str) -> None:
    assert numbers_in_text(text) == ("70/BC-UBND",)


def test_signs_of_a_request_have_a_small_letter() -> None:
    assert numbers_in_text("Tờ trình số 7/TTr-UBND") == ("7/TTR-UBND",)


@pytest.mark.parametrize(
    "text",
    [
        "ngày 05/11/2026",
        "24/24 giờ",
        "2 lần/năm",
        "3-tháng",
        "a70/BC",
        "20/11",
        "QCVN 01-1:2018/BYT",
        "https://a/70/BC-UBND",
    ],
)
def test_other_numbers_are_none(text: str) -> None:
    assert numbers_in_text(text) == ()


def test_names_of_files_have_numbers_in_small_letters() -> None:
    assert numbers_in_names(["70_bc_ubnd_signed.pdf", "anh1.jpg", "03.11.2026.docx"]) == ("70/BC-UBND-SIGNED",)


@pytest.mark.parametrize(
    ("other", "is_one"), [("70/BC", True), ("70/BC-UBND-SIGNED", True), ("70/TB-UBND", False), ("71/BC-UBND", False)]
)
def test_a_number_may_be_another_where_no_sign_speaks_against_it(other: str, is_one: bool) -> None:
    (one,), (second,) = read_numbers("70/BC-UBND"), read_numbers(other)

    assert one.may_be(second) is is_one


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("Kính gửi báo cáo số 070 của xã", "BC số 70"),
        ("Báo cáo số 70 ngày 13/10/2026", "BC số 70"),
        ("bao cao 70", "BC số 70"),
        ("Tờ trình số 70", "TTr số 70"),
        ("70 BC-UBND", "BC số 70"),
        ("Số: 70", "số 70"),
        ("Công văn số 70/2026", "số 70"),
    ],
)
def test_a_number_without_its_signs_is_a_papers_behind_its_kind(text: str, number: str) -> None:
    assert bare_numbers_in_text(text) == (number,)


@pytest.mark.parametrize(
    "text",
    [
        "41 năm",
        "trực 24/24",
        "Tuần 41",
        "báo cáo 9 tháng",
        "báo cáo 10 ngày",
        "BC 13-10-2026",
        "KH 2026-2030",
        "thông báo 2 trường hợp",
        "chuyển đổi số 10/10",
        "bão số 13",
        "tổng số 70",
        "số 70 đường Trần Phú",
        "số 5.261",
        "số 1012345678",
        "70/BC-UBND",
        "Nghị định số 30/2020/NĐ-CP",
        "Tờ trình số 70/TTr-UBND",
    ],
)
def test_numbers_that_count_something_else_are_none(text: str) -> None:
    assert bare_numbers_in_text(text) == ()


@pytest.mark.parametrize(
    ("name", "numbers"),
    [
        ("BC 70 UBND.pdf", ("BC số 70",)),
        ("BC so 70 ngay 13-10-2026.pdf", ("BC số 70",)),
        ("bc_ubnd_70.pdf", ("BC số 70",)),
        ("baocao70.docx", ("BC số 70",)),
        ("CV70.pdf", ("số 70",)),
        ("70.pdf", ("số 70",)),
        ("70.jpg", ()),
        ("BC tuan 41.docx", ()),
        ("BC 13.10.2026.pdf", ()),
        ("IMG_2026.jpg", ()),
    ],
)
def test_a_file_is_named_by_a_number_without_its_signs(name: str, numbers: tuple[str, ...]) -> None:
    assert bare_numbers_in_names([name]) == numbers
