"""By which file names and parts a mail may bring what an earlier mail brought."""

from __future__ import annotations

import pytest

from checks.updates.mailed_again import again_keys
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


@pytest.mark.parametrize("body", [TITLE, f"Kính gửi Ban Biên tập.\n\n{TITLE}\n\nSáng nay", f"Kính gửi.\n{TITLE}.docx"])
def test_a_title_is_found_as_a_line_of_a_mail_or_the_name_of_its_file(body: str) -> None:
    kept = unit_keys(TITLE, None, is_summary=True).kept

    assert set(kept) & set(mail_keys("Tin bài", body, is_summary=False).cut_titles)
