"""What a mail of an unknown address mentions, and whose it may be by that."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from checks.updates.mail import read_mail
from checks.updates.mail_mentions import MOST_MENTIONS, mentions
from checks.updates.mail_senders import named_sender
from checks.updates.unit_names import UnitNames
from portalops.model.organisation import Agency, Name, UnitId
from portalops.model.updates import ItemChannel, UpdateSourceTraits
from tests.checks.updates.scene import ZONE, at

PRIVATE = "thuhoai.dk88@gmail.com"
NEWS = "Sáng nay, hội nghị sơ kết công tác dân số được tổ chức.\n" * 12
UNITS = [
    Agency(UnitId("xa-dien-khanh"), Name("UBND xã Diên Khánh", ""), aliases=("dienkhanh.khanhhoa.example",)),
    Agency(UnitId("so-van-hoa"), Name("Sở Văn hóa, Thể thao và Du lịch", ""), aliases=("Sở VHTTDL",)),
    Agency(UnitId("so-y-te"), Name("Sở Y tế", "")),
    Agency(UnitId("tt-y-te"), Name("Trung tâm Y tế Cam Ranh", "")),
]
NAMES = UnitNames(UNITS, ZONE, "Cổng thông tin điện tử tỉnh Khánh Hòa")
WHEN = at("2026-11-16 10:00")


def _likely(subject: str, text: str = "", copied_to: Sequence[str] = (), outsiders: tuple[str, ...] = ()) -> set[str]:
    traits = UpdateSourceTraits("mail", ItemChannel.SUBMISSION, complete=False, attested=True, outsiders=outsiders)
    sender = named_sender(PRIVATE, ["Thu Hoài"], mentions(subject, text, copied_to))
    assert NAMES.find(sender, traits, WHEN) is None
    assert not NAMES.is_stranger(sender, traits, WHEN)
    return set(NAMES.likely(sender, traits, WHEN))


@pytest.mark.parametrize(
    ("subject", "text", "unit"),
    [
        ("Tin bài của UBND xã Diên Khánh tỉnh Khánh Hòa gửi đăng", "", "xa-dien-khanh"),
        ("Tin bai xa Dien Khanh", "", "xa-dien-khanh"),
        ("Tin", f"{NEWS}Trân trọng.\nVăn thư - Sở Văn hóa, Thể thao và Du lịch, ĐT 0258.3822", "so-van-hoa"),
        ("Tin", f"Sở VHTTDL gửi Ban Biên tập tin tuần này.\n{NEWS}", "so-van-hoa"),
        ("Tin", f"{NEWS}Thu Hoài\nvanthu@dienkhanh.khanhhoa.example", "xa-dien-khanh"),
        ("Tin", f"Từ: Văn thư <vanthu@dienkhanh.khanhhoa.example>\n{NEWS}", "xa-dien-khanh"),
        ("Tin", f"{NEWS.replace(chr(10), ' ')} Trân trọng. Văn thư Sở Y tế", "so-y-te"),
        ("Tin của Trung tâm Y tế Cam Ranh", "", "tt-y-te"),
    ],
)
def test_a_mail_that_mentions_a_unit_may_be_that_units(subject: str, text: str, unit: str) -> None:
    assert _likely(subject, text) == {unit}


@pytest.mark.parametrize(
    ("subject", "text"),
    [
        ("Tin bài", f"{NEWS}> Sở Y tế"),
        ("Tin bài", f"{NEWS}Đại diện Sở Y tế dự hội nghị.\n{NEWS}"),
        ("Tin của Sở Y tế tỉnh Lâm Đồng", ""),
        ("Tin xã Diên", "Diên Khánh"),
        ("Kính gửi Sở Y tế, Sở VHTTDL, xã Diên Khánh và Trung tâm Y tế Cam Ranh", ""),
    ],
)
def test_a_quotation_the_news_itself_and_a_letter_to_all_are_nobodys(subject: str, text: str) -> None:
    assert _likely(subject, text) == set()


@pytest.mark.parametrize("outsider", [PRIVATE, "gmail.com", "com"])
def test_an_outsiders_mail_is_nobodys(outsider: str) -> None:
    assert _likely("Tin của Sở Y tế", outsiders=("example.org", outsider)) == set()


def test_a_mail_with_a_copy_to_a_unit_may_be_that_units() -> None:
    assert _likely("Tin", copied_to=["vanthu@dienkhanh.khanhhoa.example"]) == {"xa-dien-khanh"}


def test_receivers_are_those_of_to_and_cc_but_not_the_mailbox_itself() -> None:
    mail = read_mail(
        b"From: a@gmail.com\r\nDelivered-To: bbt@khanhhoa.example\r\nTo: BBT@khanhhoa.example, x@y.example\r\nCc: Z@y.example\r\n\r\nA"
    )

    assert mail.copied_to == ("z@y.example", "x@y.example")


def test_mentions_are_bounded() -> None:
    lines = "\n".join(f"Sở {number} " * 2000 for number in range(9))

    found = mentions("UBND xã " * 5000, lines, [f"{number}@a.example" for number in range(10)])

    assert len(found) <= MOST_MENTIONS
    assert len(named_sender(PRIVATE, [], found)) < 3000
