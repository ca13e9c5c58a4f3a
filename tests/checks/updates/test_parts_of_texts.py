"""A part of an earlier text of sixty words or more, word for word: it is found wherever it was cut, and a form with another name is not."""

from __future__ import annotations

import random

import pytest

from checks.updates.joined_texts import part_sources_of, run_keys
from checks.updates.resemblance import EarlierTexts, new_text
from checks.updates.rewriting import sketch
from checks.updates.summaries import without_cut_word
from checks.updates.text import group_marks
from portalops.model.updates import ItemChannel
from tests.attacks.update_scene import story


def found_again(whole: str, later: str, *, channel: ItemChannel = ItemChannel.SUBPORTAL, is_short: bool = False) -> str:
    """Return the earlier text that a short one of a unit is found to be a part of."""
    texts = EarlierTexts({}, {}, {})
    for text, place, body, is_summary in (
        ("a" * 64, channel, whole, is_short),
        ("b" * 64, ItemChannel.SUBPORTAL, later, True),
    ):
        new = new_text(
            place, text, f"Tin {text[0]}", body, mark=group_marks(without_cut_word(body)), words=sketch(body),
            is_summary=is_summary, whose="so-y-te",
        )  # fmt: skip
        found = texts.find(new)
        texts.keep(new, is_first=not found)
    return found


@pytest.mark.parametrize("length", [60, 70, 100, 150])
def test_every_part_is_found_wherever_it_was_cut(length: int) -> None:
    words = story(3, 900).split()

    lost = [at for at in range(0, 900 - length, 7) if not found_again(" ".join(words), " ".join(words[at:][:length]))]

    assert lost == []


@pytest.mark.parametrize("number", range(40))
def test_the_beginning_of_a_long_text_is_found(number: int) -> None:
    words = story(number, 2000).split()

    assert found_again(" ".join(words), " ".join(words[:60]))


def test_a_part_of_the_portals_text_and_of_a_short_text_is_found() -> None:
    words = story(3, 170).split()
    part = " ".join(words[80:145])

    assert found_again(" ".join(words), part, channel=ItemChannel.PORTAL, is_short=True)
    assert found_again(" ".join(words), part, channel=ItemChannel.PORTAL)
    assert found_again(" ".join(words), part, is_short=True)


def test_a_part_that_was_cut_beside_its_numbers_is_found() -> None:
    words = story(3, 400).split()
    words[100], words[130], words[170] = "05/11", "1.250", "2026"

    assert found_again(" ".join(words), " ".join(words[100:171]))


def test_a_part_with_another_number_is_none() -> None:
    words = story(3, 400).split()
    words[130] = "1.250"
    part = " ".join(words[100:171])
    own = run_keys("", group_marks(" ".join(words)))
    holders = dict.fromkeys(own.kept, 7)

    same, other = (run_keys("", group_marks(part.replace("1.250", number))) for number in ("1250", "1.300"))

    assert part_sources_of([same], holders, own=8) == (7,)
    assert part_sources_of([other], holders, own=8) == ()


@pytest.mark.parametrize("place", range(5, 60, 5))
def test_a_short_form_with_another_name_is_no_part_of_the_one_before(place: int) -> None:
    words = story(3, 100).split()
    other = [*words[:place], "Lê", "Hoàng", "Cường", *words[place + 3 :]]

    assert not found_again(" ".join(words), " ".join(other), is_short=True)


def test_a_stretch_of_sixty_words_has_groups_in_common_with_every_text_that_has_it() -> None:
    chosen = random.Random(1)

    for _ in range(300):
        words = story(chosen.randrange(10**6), 400).split()
        at = chosen.randrange(340)
        whole, part = (run_keys("", group_marks(" ".join(some))).kept for some in (words, words[at : at + 60]))
        assert len(part) >= 2
        assert set(part) <= set(whole)


def test_a_text_is_no_part_of_itself() -> None:
    keys = run_keys("", group_marks(story(3, 100)))

    assert part_sources_of([keys], dict.fromkeys(keys.kept, 7), own=7) == ()
