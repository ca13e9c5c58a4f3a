"""A file that portalops installed is told from an edited one and from somebody else's."""

from __future__ import annotations

import pytest

from portalops.schedule.marks import FileOwner, marked, origin_of

TEXT = "[Timer]\nOnCalendar=hourly\n"


def test_a_file_as_it_was_written_is_own() -> None:
    assert origin_of(marked(TEXT)) is FileOwner.OWN


@pytest.mark.parametrize(
    "edited",
    [
        marked(TEXT) + b"# mine\n",
        marked(TEXT).replace(b"hourly", b"daily"),
        marked(TEXT)[:-1],
        marked(TEXT).replace(b"\n", b"\r\n"),
    ],
)
def test_a_changed_byte_shows(edited: bytes) -> None:
    assert origin_of(edited) is FileOwner.EDITED


@pytest.mark.parametrize("other", [b"", TEXT.encode(), b"\n" + marked(TEXT), b"\xff\x00", marked(TEXT)[60:]])
def test_a_file_without_the_mark_in_its_first_line_is_foreign(other: bytes) -> None:
    assert origin_of(other) is FileOwner.FOREIGN
