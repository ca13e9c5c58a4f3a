"""Untrusted text is shown on one line, escaped and bounded."""

from __future__ import annotations

from portalops.model.text import show_text


def test_what_does_not_print_is_shown_as_its_escape() -> None:
    assert show_text("a\r\n\x1b\u202eb", 100) == "a\\r\\n\\x1b\\u202eb"


def test_vietnamese_letters_are_shown_as_they_are() -> None:
    assert show_text("Tin tức ổn định", 100) == "Tin tức ổn định"


def test_long_text_is_cut_to_the_limit_and_says_so() -> None:
    assert show_text("x" * 500, 10) == "xxxxxxx..."
    assert len(show_text("\x00" * 500, 50)) == 50
