"""What a sender of mail may try, to have what was not sent counted, or to keep what others sent from being counted."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from tests.checks.updates.mailboxes import Mailbox, tin
from tests.checks.updates.scene import at
from tests.mailbox import MailServer, dovecot


@pytest.fixture(scope="module")
def mail() -> Iterator[MailServer]:
    with dovecot() as running:
        yield running


def _counted(box: Mailbox) -> list[tuple[str, datetime]]:
    """Titles and moments of what counts for any unit."""
    return [
        (item.seen.title, datetime.fromtimestamp(item.counts_at / 1000, UTC))
        for item in box.items()
        if item.seen.unit and item.counts_at is not None
    ]


def test_a_letter_that_is_dated_back_counts_when_it_came_in(mail: MailServer, tmp_path: Path) -> None:
    box = Mailbox(mail, "dated-back", tmp_path)
    box.put("2026-11-23 09:00", tin(1, date="2026-11-18 09:00"))

    box.collect("2026-11-24 09:00")

    assert _counted(box) == [("Tin số 1", at("2026-11-23 09:00"))]


def test_a_letter_in_a_units_name_counts_only_where_the_mail_server_vouches_for_it(
    mail: MailServer, tmp_path: Path
) -> None:
    box = Mailbox(mail, "in-its-name", tmp_path, checked_by="mx.khanhhoa.example")
    forged = b"Authentication-Results: mx.khanhhoa.example; dmarc=pass\r\n" + tin(1)
    box.put("2026-11-17 09:00", b"Authentication-Results: mx.khanhhoa.example; dmarc=fail\r\n" + forged)
    box.put("2026-11-18 09:00", b"Authentication-Results: mx.khanhhoa.example; dmarc=pass\r\n" + tin(2))

    box.collect("2026-11-24 09:00")

    assert _counted(box) == [("Tin số 2", at("2026-11-18 09:00"))]


@pytest.mark.heavy
def test_a_letter_that_is_made_to_break_its_reader_hides_no_other(mail: MailServer, tmp_path: Path) -> None:
    box = Mailbox(mail, "made-to-break", tmp_path)
    parts = b"From: x@x.example\r\nContent-Type: multipart/mixed; boundary=a\r\n\r\n" + b"--a\r\n\r\n" * 500_000
    brackets = b"From: " + b"(" * 3000 + b"\r\nSubject: x\r\n\r\nx"
    for bad in (parts, brackets, b"\0\r\n" * 1000):
        box.put("2026-11-17 08:00", bad)
    box.put("2026-11-17 09:00", tin(1))

    result = box.collect("2026-11-24 09:00")

    assert result.polls[0].ok, result.polls[0].problem
    assert _counted(box) == [("Tin số 1", at("2026-11-17 09:00"))]
