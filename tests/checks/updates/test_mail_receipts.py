"""What a program writes for somebody into a mailbox: answers to invitations and receipts bring no text and no file."""

from __future__ import annotations

import pytest

from checks.updates.mail import read_mail


def _mail(*parts: tuple[str, str]) -> bytes:
    lines = ["From: <a@soyte.khanhhoa.example>", "Content-Type: multipart/mixed; boundary=x", ""]
    for kind, said in parts:
        lines += ["--x", f"Content-Type: {kind}", "", said]
    return "\r\n".join([*lines, "--x--", ""]).encode()


TEXT = ("text/plain; charset=utf-8", "Đã chấp nhận")
REPLY = ("text/calendar; method=REPLY", "BEGIN:VCALENDAR")


@pytest.mark.parametrize(
    "part",
    [
        REPLY,
        ("text/calendar", "BEGIN:VCALENDAR\r\nMETHOD:REPLY"),
        ("message/delivery-status", "Reporting-MTA: dns; mx.example"),
        ("message/disposition-notification", "Disposition: manual-action/MDN-sent-manually; displayed"),
    ],
)
def test_an_answer_or_a_receipt_is_no_file(part: tuple[str, str]) -> None:
    found = read_mail(_mail(part))

    assert (found.text, found.files) == ("", ())


def test_the_words_beside_an_answer_to_an_invitation_are_no_text() -> None:
    assert read_mail(_mail(TEXT, REPLY)).text == ""


def test_a_file_beside_an_answer_to_an_invitation_counts_with_its_text() -> None:
    found = read_mail(_mail(TEXT, REPLY, ('application/pdf; name="70-BC-SYT.pdf"', "a")))

    assert (found.text, [one.name for one in found.files]) == ("Đã chấp nhận", ["70-BC-SYT.pdf"])


def test_an_invitation_is_a_file() -> None:
    assert len(read_mail(_mail(("text/calendar; method=REQUEST", "BEGIN:VCALENDAR"))).files) == 1
