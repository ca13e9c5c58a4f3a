"""Blocks of other items' titles in texts, which are no text of a page."""

from __future__ import annotations

from checks.updates.surroundings import without_lists_of_titles
from portalops.model.updates import ListedItem

TITLES = tuple(f"Xã {name} tổ chức ngày hội đoàn kết" for name in ("An", "Bình", "Cam", "Diên"))
TEXT = " ".join(f"từ{number}" for number in range(30))


def _bodies(*bodies: str | None) -> list[str | None]:
    items = (
        ListedItem(external_id=str(at), url="", title=TITLES[at], published_at=None, raw_date="", body=body)
        for at, body in enumerate(bodies)
    )
    return [one.body and " ".join(one.body.split()) for one in without_lists_of_titles([*items])]


def test_three_titles_of_other_items_are_no_text_and_their_days_neither() -> None:
    block = " ".join(f"{title} (05/11/2026 08:30)" for title in TITLES[1:])

    assert _bodies(f"{TEXT} {block}", None, None, None)[0] == TEXT


def test_two_titles_may_be_named_by_the_text_and_its_own_is_left() -> None:
    body = f"{TITLES[0]} {TEXT} {TITLES[1]} {TITLES[2]}"

    assert _bodies(body, None, None, None)[0] == body


def test_a_text_that_is_a_list_of_titles_stays_as_it_is() -> None:
    body = f"Trong tuần: {'; '.join(TITLES[1:])}"

    assert _bodies(body, None, None, None)[0] == body
