"""Mails of reports, folded from their two records: taken, refused, in doubt, and cut off between the records."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from portalops import bodies
from portalops.errors import ExitCode
from portalops.ledger.circumstances import Circumstances
from portalops.ledger.ledger import Ledger
from portalops.ledger.runs import Frame, Work, record_framed
from portalops.ledger.verify import verify
from portalops.model.mailings import MailAnswer, Mailing, MailState, RefusedRecipient
from portalops.model.record import Digest, RunId
from portalops.model.runs import JobId, WrittenFile
from portalops.model.verdicts import RunOutcome
from portalops.registers.mailings import MAIL, MAILING, STARTED_MAIL, reached_in_slot, read_mailings
from tests.doubles import FixedClock
from tests.ledger.ledgers import ZONE, new_ledger

BEGAN = datetime(2026, 11, 30, 1, tzinfo=UTC)
WEEKLY = "report:weekly-report:2026-W49"
AN, BINH = "an@so-tttt.example", "binh@ubnd.example"
WHO = Circumstances(0, 1000, "an", "web-1", "m", "0", Digest("2" * 64), ("portalops",), None)


def a_mailing(made_in: str = "") -> Mailing:
    file = WrittenFile("demo-compliance-2026-11-23--2026-11-29.vi.html", "vi", 9, Digest("1" * 64))
    return Mailing(
        "compliance", "2026-11-23..2026-11-29", "", (file,), None, made_in, "mail.example:587", "p@k.example",
        (AN, BINH), "<portalops.report.1@k.example>", 4096,
    )  # fmt: skip


def sent(ledger: Ledger, clock: FixedClock, answer: MailAnswer | None, *, number: int = 1, made_in: str = "") -> None:
    """Record a mail as it goes: with its answer, or cut off where there is none."""
    run = RunId(f"mail:compliance:2026-11-23..2026-11-29{f'.{number}' if number > 1 else ''}")
    frame = Frame(run, MAIL, "mail/compliance", begun={MAILING: a_mailing(made_in)})

    def work() -> Work[MailAnswer]:
        if answer is None:
            raise KeyboardInterrupt
        return Work(RunOutcome.COMPLETE, ExitCode.OK, answer)

    record_framed(ledger, frame, work, clock=clock, circumstances=WHO)
    clock.move(timedelta(minutes=1))


TAKEN = MailAnswer(MailState.TAKEN, (AN,), (RefusedRecipient(BINH, "550 no such mailbox"),), "250 queued")


def test_a_mail_is_what_the_server_said_of_it(tmp_path: Path) -> None:
    clock = FixedClock(BEGAN)
    ledger = new_ledger(tmp_path, clock)
    sent(ledger, clock, TAKEN)

    (found,) = read_mailings(ledger).mailings

    assert (found.mailing, found.answer, found.state) == (a_mailing(), TAKEN, MailState.TAKEN)
    assert (found.at, found.finished_seq) == (BEGAN, found.seq + 1)


def test_a_mail_that_was_interrupted_may_have_gone_out(tmp_path: Path) -> None:
    clock = FixedClock(BEGAN)
    ledger = new_ledger(tmp_path, clock)
    with pytest.raises(KeyboardInterrupt):
        sent(ledger, clock, None)

    (found,) = read_mailings(ledger).mailings

    assert (found.state, found.answer, found.finished_seq) == (MailState.UNKNOWN, None, found.seq + 1)


def test_a_mail_whose_process_was_killed_shows_in_the_verification(tmp_path: Path) -> None:
    clock = FixedClock(BEGAN)
    ledger = new_ledger(tmp_path, clock)
    run = RunId("mail:compliance:2026-11-23..2026-11-29")
    ledger.append(STARTED_MAIL, run=run, subject="mail/compliance", body=bodies.write({MAILING: a_mailing()}))

    (found,) = read_mailings(ledger).mailings

    assert (found.state, found.finished_seq) == (MailState.UNKNOWN, None)
    verified = verify(ledger, now=clock.now(), zone=ZONE)
    assert [each.id for each in verified.completeness.crashed] == [run]


def test_details_that_cannot_be_read_are_named_and_leave_the_others(tmp_path: Path) -> None:
    clock = FixedClock(BEGAN)
    ledger = new_ledger(tmp_path, clock)
    bad = ledger.append(STARTED_MAIL, run=RunId("mail:x:y"), subject="mail/x", body=b"{}\n")
    sent(ledger, clock, TAKEN)

    read = read_mailings(ledger)

    assert [each.state for each in read.mailings] == [MailState.TAKEN]
    assert [seq for seq, _why in read.unreadable] == [bad.seq]


def test_who_got_a_jobs_mail_in_a_slot_is_reached_by_whichever_attempt(tmp_path: Path) -> None:
    clock = FixedClock(BEGAN)
    ledger = new_ledger(tmp_path, clock)
    sent(ledger, clock, TAKEN, made_in=WEEKLY)
    sent(ledger, clock, MailAnswer(MailState.UNKNOWN), number=2, made_in=f"{WEEKLY}.2")
    sent(ledger, clock, MailAnswer(MailState.TAKEN, (BINH,)), number=3)
    mailings = read_mailings(ledger).mailings

    assert reached_in_slot(mailings, JobId("weekly-report"), "2026-W49") == {AN}
    assert reached_in_slot(mailings, JobId("weekly-report"), "2026-W50") == frozenset()
