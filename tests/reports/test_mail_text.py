"""What a mail with a report says: everything that it can be compared by, in each language, whatever others called their unit."""

from __future__ import annotations

from dataclasses import replace

from portalops.ledger.heads import code_of
from portalops.model.message import msg
from portalops.model.organisation import Name
from portalops.model.record import Fault
from portalops.model.runs import ReportResult, WrittenFile
from portalops.reports.build_compliance import TITLE
from portalops.reports.mail import ReportMail, message_id_of, subject_of, text_of_mail
from tests.reports.sample import HOSTILE, PERIOD, PORTAL, digest, proof

FILE = WrittenFile("khanhhoa-compliance-2026-08-17--2026-09-13.vi.pdf", "vi", 130_000, digest("a"))
PROVEN = proof().head
assert PROVEN is not None
RESULT = ReportResult("compliance", str(PERIOD), (FILE,), PROVEN.head)
LETTER = ReportMail(PORTAL, TITLE, PERIOD, None, RESULT)


def test_the_text_holds_names_digests_and_the_head_code_once_for_each_language() -> None:
    text = text_of_mail(LETTER, ("vi", "en"))

    for each in (FILE.name, FILE.sha256, code_of(PROVEN.head)):  # type: ignore[union-attr]  # it is there, or the test fails
        assert text.count(each) == 2
    assert PORTAL.name.vi in text
    assert PORTAL.name.en in text
    assert "127.0 KiB" in text
    assert "127,0 KiB" in text
    assert "also when there is nothing to report" in text
    assert max(map(len, text.splitlines())) < 200


def test_one_language_is_said_alone() -> None:
    text = text_of_mail(LETTER, ("en",))

    assert PORTAL.name.vi not in text
    assert "-" * 40 not in text


def test_without_a_head_the_text_says_that_nothing_can_be_proved() -> None:
    text = text_of_mail(replace(LETTER, result=replace(RESULT, head=None)), ("en",))

    assert "No head is signed, so nothing proves that this report is unchanged." in " ".join(text.split())
    assert "Head code" not in text


def test_a_ledger_that_does_not_hold_is_said_before_what_is_attached() -> None:
    text = text_of_mail(replace(LETTER, faults=(Fault(7, msg("changed")),)), ("en",))

    assert text.index("7") < text.index("Attached:")


def test_a_hostile_name_stays_on_its_line_and_turns_nothing() -> None:
    letter = replace(LETTER, scope=Name(f"{HOSTILE}\r\nBcc: x@y.example", HOSTILE))

    for said in (subject_of(letter, "vi", prefix="[Cổng]"), text_of_mail(letter, ("vi",))):
        assert not {"\r", "\x1b", "\x00", "\u202e"} & set(said)
        assert "\nBcc:" not in said
        assert "\\u202e" in said
    assert "\n" not in subject_of(letter, "vi")


def test_a_mail_is_known_again_by_what_it_carries_and_by_nothing_else() -> None:
    assert message_id_of(RESULT) == message_id_of(replace(RESULT))
    others = (
        replace(RESULT, report="changes"),
        replace(RESULT, period="2026-09"),
        replace(RESULT, scope="host-web1"),
        replace(RESULT, head=None),
        replace(RESULT, files=(replace(FILE, sha256=digest("b")),)),
    )
    assert len({message_id_of(each) for each in (RESULT, *others)}) == 6
