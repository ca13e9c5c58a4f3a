"""Whole texts beside the portal's summaries and titles: by what they have keys in common, and by what they have none."""

from __future__ import annotations

import pytest

from checks.updates.portal_summaries import RUN_WORDS, cut_news_keys, whole_news_keys
from tests.attacks.update_scene import story

TEXT = story(1, 370)
WORDS = TEXT.split()
TITLE = "Ra quân vệ sinh môi trường biển"


def is_known(summary: str, text: str = TEXT) -> bool:
    kept, sought = cut_news_keys("", summary).beginnings, whole_news_keys("", text).beginnings
    return not set(kept).isdisjoint(sought)


@pytest.mark.parametrize("lead_in", ["", "Khánh Hòa, ngày 12 tháng 11 năm 2026 - ", "(Cổng thông tin điện tử) - "])
def test_a_whole_text_is_known_by_the_first_words_of_a_summary_behind_a_lead_in_too(lead_in: str) -> None:
    first = " ".join(WORDS[:RUN_WORDS])

    assert is_known(first, f"{lead_in}{TEXT}")
    assert is_known(f"{lead_in}{first}", TEXT)
    assert not is_known(" ".join(WORDS[: RUN_WORDS - 1]), TEXT)


def test_a_summary_of_twenty_five_words_is_known_wherever_it_stands_in_a_text() -> None:
    assert all(is_known(" ".join(WORDS[at : at + 25])) for at in range(len(WORDS) - 25))


def test_the_word_at_which_a_summary_was_cut_is_left_out() -> None:
    assert is_known(f"{' '.join(WORDS[100:125])} {WORDS[125][:1]}...")


def test_another_text_is_not_known_by_a_summary() -> None:
    assert not any(is_known(" ".join(story(number, 30).split())) for number in range(2, 60))


def test_a_title_of_five_words_is_known_with_words_in_front_and_one_of_four_is_not() -> None:
    kept = cut_news_keys(TITLE, None).titles

    assert not set(kept).isdisjoint(whole_news_keys(f"Xã An: {TITLE}", TEXT).titles)
    assert cut_news_keys("Ra quân vệ sinh", None).titles == ()
