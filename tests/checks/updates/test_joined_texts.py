"""Texts that are put together from earlier ones of their unit or of the portal, however many: which are found, and which are news."""

from __future__ import annotations

import hashlib
import random
import re
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest

from checks.updates.joined_texts import beginning_of, number_of
from checks.updates.resemblance import EarlierTexts, NewText, new_text
from checks.updates.rewriting import sketch
from checks.updates.text import fingerprint
from portalops.model.updates import ItemChannel

PAGE = (Path(__file__).parents[3] / "docs" / "updates.vi.md").read_text("utf-8")
WORDS = re.findall(r"[^\W\d_]+", PAGE)
"""Vietnamese prose without numbers."""
NAMES = ("Nguyễn Văn Thành", "Mấu Thị Ngọt", "Pi Năng Hương", "Cao Hùng", "Hồ Xuân Trường", "Ngô Khải", "Đỗ Hữu Phước")
FORM = (
    "Sáng {day} tháng {month}, tại nhà văn hóa thôn {place}, Hội Nông dân xã phối hợp với {name} tổ chức hội nghị tổng kết",
    "Báo cáo do {name} trình bày nêu rõ, từ đầu năm đến nay địa phương đã giải quyết {count} hồ sơ, trong đó {share} phần trăm đúng hạn",
    "Bên cạnh kết quả đạt được, việc tuyên truyền ở thôn {place} còn chậm, một số hộ chưa nắm được quy trình nộp hồ sơ qua mạng",
    "Thảo luận tại hội nghị, đại diện thôn {place} kiến nghị đầu tư thêm đường truyền và bố trí người hướng dẫn bà con lớn tuổi",
    "Ông {name} đề nghị mỗi thôn duy trì một tổ công nghệ số, gặp gỡ từng nhà vào buổi tối để hỗ trợ cài đặt ứng dụng",
    "Dịp này, {count} tập thể và {share} cá nhân được tặng giấy khen vì có thành tích xuất sắc trong phong trào thi đua",
    "Kinh phí {count} triệu đồng do bà con và doanh nghiệp trên địa bàn đóng góp, không dùng đến ngân sách của xã",
)
"""Sentences of the reports of a commune, with places for names and numbers."""


def story(number: int, sentences: int = 16) -> list[str]:
    """Return the sentences of one of many texts, which have nothing in common but their words."""
    chance = random.Random(number)
    return [" ".join(chance.choices(WORDS, k=15)) for _ in range(sentences)]


def report(number: int) -> list[str]:
    """Return the sentences of one of many reports of one form, in an order of its own."""
    chance = random.Random(number)
    filled = [
        sentence.format(
            day=chance.randint(1, 28),
            month=chance.randint(1, 12),
            place=" ".join(chance.sample(WORDS, 2)).title(),
            name=chance.choice(NAMES),
            count=chance.randint(21, 980),
            share=chance.randint(3, 97),
        )
        for sentence in FORM
    ]
    return [filled[0], *chance.sample(filled[1:], 5)]


def written(
    name: str,
    sentences: Sequence[str],
    *,
    whose: str = "so-y-te",
    channel: ItemChannel = ItemChannel.SUBPORTAL,
    former: Sequence[str] = (),
) -> NewText:
    text = f"{'. '.join(sentences)}."
    new = new_text(
        channel, text_of(name), name, text, mark=fingerprint(text), words=sketch(text), is_summary=False, whose=whose
    )
    return new._replace(former=frozenset(map(text_of, former)))


def text_of(name: str) -> str:
    return hashlib.sha256(name.encode()).hexdigest()


def earlier(*texts: NewText) -> EarlierTexts:
    known = EarlierTexts({}, {}, {})
    for one in texts:
        known.keep(one, is_first=not known.find(one))
    return known


def stories(count: int) -> list[NewText]:
    return [written(f"story {number}", story(number)) for number in range(count)]


@pytest.mark.parametrize(("count", "sentences"), [(2, 8), (3, 5), (8, 2), (12, 2)])
def test_a_text_put_together_from_old_ones_is_found_however_many_they_are(count: int, sentences: int) -> None:
    known = earlier(*stories(20))

    joined = [sentence for number in range(count) for sentence in story(number)[number % 8 :][:sentences]]

    assert known.find(written("new", joined)) in {text_of(f"story {number}") for number in range(count)}


def test_the_text_that_a_joined_one_has_most_from_is_named() -> None:
    known = earlier(*stories(12))

    joined = [*story(3)[:9], *story(5)[4:7], *story(8)[2:5], *story(9)[:2]]

    assert known.find(written("new", joined)) == text_of("story 3")


def test_texts_of_the_portal_and_of_the_unit_are_joined_alike() -> None:
    shown = [written(f"p {number}", story(number), channel=ItemChannel.PORTAL) for number in range(4)]
    known = earlier(*shown, *(written(f"u {number}", story(number)) for number in range(4, 8)))
    joined = [sentence for number in range(8) for sentence in story(number)[3:5]]

    assert known.find(written("new", joined))
    assert not known.find(written("new", joined, channel=ItemChannel.PORTAL))
    assert not known.find(written("new", joined, whose="so-tu-phap"))


def test_a_text_joined_in_one_answer_with_its_sources_is_found() -> None:
    known = EarlierTexts({}, {}, {})
    for one in stories(8):
        assert not known.find(one)
        known.keep(one, is_first=True)

    assert known.find(written("new", [sentence for number in range(8) for sentence in story(number)[:2]]))


@pytest.mark.parametrize("number", range(100, 130))
def test_a_form_with_new_names_and_numbers_is_news_among_many_of_its_kind(number: int) -> None:
    known = earlier(*(written(f"report {one}", report(one)) for one in range(40)))

    assert known.find(written("new", report(number))) == ""


def test_reports_of_one_form_that_are_put_together_are_found() -> None:
    known = earlier(*(written(f"report {one}", report(one)) for one in range(40)))

    joined = [[sentence for one in range(start, start + 4) for sentence in report(one)[:3]] for start in range(30)]

    assert sum(bool(known.find(written("new", one))) for one in joined) >= 28


@pytest.mark.parametrize(
    "change",
    [
        lambda told: [*told, *story(900, 6)],
        lambda told: [*told[:6], *story(900, 5), *told[6:12]],
        lambda told: [*told, "Buổi lễ diễn ra ngày 17 tháng 12"],
    ],
    ids=["a third is new", "a third within is new", "a number is new"],
)
def test_a_text_of_old_sentences_with_something_new_is_news(change: Callable[[list[str]], list[str]]) -> None:
    known = earlier(*stories(8))
    told = [sentence for number in range(8) for sentence in story(number)[:2]][:14]

    assert known.find(written("new", told))
    assert known.find(written("new", change(told))) == ""


def test_a_number_counts_by_the_words_beside_it() -> None:
    days = [[f"Sở tiếp công dân ngày {day} tháng 11", *story(day)] for day in range(9, 17)]
    known = earlier(*(written(f"{day}", told) for day, told in enumerate(days)))
    joined = [sentence for told in days for sentence in told[:3]]

    assert known.find(written("new", joined))
    assert known.find(written("new", [*joined, "Hội nghị có 9 đại biểu"])) == ""


def test_a_page_is_held_against_what_it_did_not_have_before() -> None:
    known = earlier(*stories(10))
    grown = [*story(0), *(sentence for number in range(1, 8) for sentence in story(number)[:2])]
    longer = [*story(0), *story(900, 9), *story(2)[:2]]

    found = known.find(written("new", grown, former=["story 0"]))

    assert found in {text_of(f"story {number}") for number in range(1, 8)}
    assert known.find(written("new", longer, former=["story 0"])) == ""


def test_a_text_that_comes_again_as_it_is_is_no_joined_one() -> None:
    known = earlier(*stories(4))

    assert known.find(written("story 2", story(2))) == ""


def test_a_number_stands_for_the_text_whose_hash_begins_with_its_letters() -> None:
    text = text_of("story")

    assert text.startswith(beginning_of(number_of(text)))
    assert number_of(text) < 1 << 60
    assert beginning_of(number_of(f"000{text}")) == f"000{text[:12]}"
