"""Numbers of papers in mails, in whatever form."""

from __future__ import annotations

import pytest

from checks.updates.paper_numbers import numbers_in_names, numbers_in_text, read_numbers


@pytest.mark.parametrize(
    "text", ["số 70/BC-UBND", "Số: 070/BC-UBND.", "70/2026/BC-UBND", "(70-BC-UBND)", "70/BC-UBND, 70/BC-UBND"]
)
def test_a_number_is_one_in_every_form(text: str) -> None:
    assert numbers_in_text(text) == ("70/BC-UBND",)


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
