"""By which file names and parts a mail may bring what an earlier mail brought."""

from __future__ import annotations

import pytest

from checks.updates.mailed_again import again_keys, says_again
from checks.updates.other_units import mail_keys, unit_keys

TITLE = "Khởi công kè chống sạt lở bờ sông Cái"


@pytest.mark.parametrize(
    ("one", "other", "is_same"),
    [
        ("Khởi công kè chống sạt lở.docx", "khoi_cong_ke_chong_sat_lo.PDF", True),
        ("Khởi công kè chống sạt lở.docx", "Khánh thành kè chống sạt lở.docx", False),
        ("tin-bai.docx", "tin-bai.docx", False),
        ("Báo cáo tình hình dịch bệnh tuần 46.docx", "Báo cáo tình hình dịch bệnh tuần 47.docx", False),
        ("Khởi công kè chống sạt lở.jpg", "Khởi công kè chống sạt lở.jpg", False),
    ],
)
def test_a_document_is_known_by_a_telling_name(one: str, other: str, is_same: bool) -> None:
    first, second = (again_keys("a", "Tin bài", f"Kính gửi.\n{name}").files for name in (one, other))

    assert (first == second and bool(first)) is is_same


@pytest.mark.parametrize(
    ("one", "other", "is_same"),
    [
        (f"{TITLE} (phần 1)", f"{TITLE} (phần 2)", True),
        (f"{TITLE} (1/2)", f"{TITLE} [2/2]", True),
        (f"{TITLE} Phần 1/3", f"{TITLE} phần 2/3", True),
        (f"{TITLE} (17/11)", f"{TITLE} (19/11)", False),
        (f"{TITLE} ngày 1/9", f"{TITLE} ngày 2/9", False),
        ("Tin bài (1/2)", "Tin bài (2/2)", False),
        (TITLE, TITLE, False),
    ],
)
def test_a_part_is_known_by_the_subject_without_its_number(one: str, other: str, is_same: bool) -> None:
    first, second = (again_keys("a", subject, "Kính gửi.").parts for subject in (one, other))

    assert (first == second and bool(first)) is is_same


@pytest.mark.parametrize(
    ("one", "other", "is_sought"),
    [
        ("tin bai.docx", "tin bai (1).docx", True),
        ("tin bai.docx", "tin-bai_final.docx", True),
        ("tin bai.docx", "Tin bai v2.pdf", True),
        ("tin bai.docx", "tin bai - sửa lần 2.docx", True),
        ("tin bai.docx", "tin bai.docx", False),
        ("tin bai (1).docx", "tin bai.docx", False),
        ("tin bai.docx", "tin khac (1).docx", False),
        ("Khởi công kè chống sạt lở.docx", "Khởi công kè chống sạt lở - sửa.docx", True),
    ],
)
def test_a_file_that_was_saved_once_more_is_sought_by_the_name_of_the_first(
    one: str, other: str, is_sought: bool
) -> None:
    first, second = (again_keys("a", "Tin bài", f"Kính gửi.\n{name}") for name in (one, other))

    assert bool({*first.files, *first.short} & {*second.sought_files}) is is_sought


@pytest.mark.parametrize(
    ("subject", "text", "is_said"),
    [
        ("Gửi lại tin tuần 47", "", True),
        ("Re: Tin bài (bổ sung)", "", True),
        ("Tin bài", "Kính gửi Ban Biên tập.\nBài hôm qua bị thiếu, em gửi nốt:", True),
        ("Tin bài", "Em gửi bổ sung ảnh cho bài", True),
        ("Tin bai", "Em gui lai file bi loi font", True),
        ("Ban hành Luật sửa đổi, bổ sung một số điều", "Nghị định thay thế Nghị định số 45", False),
        ("Ngân hàng giảm lãi tiền gửi", "Khách gửi lãi nhập gốc", False),
        ("Tin bài", "> Em gửi lại bài", False),
    ],
)
def test_a_mail_says_that_it_sends_again(subject: str, text: str, is_said: bool) -> None:
    assert says_again(subject, text) is is_said


@pytest.mark.parametrize("body", [TITLE, f"Kính gửi Ban Biên tập.\n\n{TITLE}\n\nSáng nay", f"Kính gửi.\n{TITLE}.docx"])
def test_a_title_is_found_as_a_line_of_a_mail_or_the_name_of_its_file(body: str) -> None:
    kept = unit_keys(TITLE, None, is_summary=True).kept

    assert set(kept) & set(mail_keys("Tin bài", body, is_summary=False).cut_titles)
