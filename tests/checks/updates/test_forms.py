"""Texts that differ by a name alone have a key in common."""

from __future__ import annotations

import pytest

from checks.updates.forms import form_keys
from portalops.model.updates import ItemChannel
from tests.attacks.update_scene import story

FORM = "Ủy ban nhân dân xã niêm yết hồ sơ của {name}. {text}."
KEYS = form_keys(
    ItemChannel.SUBPORTAL, "Niêm yết hồ sơ của Nguyễn Văn An", FORM.format(name="Nguyễn Văn An", text=story(5))
)


@pytest.mark.parametrize(
    ("title", "name", "text", "is_one_form"),
    [
        ("Niêm yết hồ sơ của Trần Thị Bình", "Trần Thị Bình", story(5), True),
        ("Niêm yết hồ sơ khác", "Trần Thị Bình", story(5), True),
        ("Niêm yết hồ sơ của Trần Thị Bình", "Trần Thị Bình", f"Tuy nhiên {story(5)}", False),
        ("Niêm yết hồ sơ của Nguyễn Văn An", "một hộ dân", story(5), False),
    ],
)
def test_texts_that_differ_by_a_name_alone_are_of_one_form(
    title: str, name: str, text: str, *, is_one_form: bool
) -> None:
    keys = form_keys(ItemChannel.SUBPORTAL, title, FORM.format(name=name, text=text))

    assert (not set(keys).isdisjoint(KEYS)) is is_one_form


def test_a_short_text_is_of_no_form() -> None:
    assert form_keys(ItemChannel.SUBPORTAL, "Niêm yết", FORM.format(name="Nguyễn Văn An", text="Mời xem")) == ()
