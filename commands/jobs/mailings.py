"""What of reports was mailed, to whom and when, as `portalops report list` shows it."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from commands.cli.shapes import shape
from portalops.ledger.heads import code_of
from portalops.model.mailings import MailAnswer, MailState
from portalops.model.message import Message, msg
from portalops.registers.mailings import ReadMailings, RecordedMailing
from portalops.reports.document import Block, Cell, Paragraph, TableBlock
from portalops.reports.words import mail_status


@shape
class RefusedShape:
    """Somebody whose mailbox the mail server did not take."""

    recipient: str
    answer: str
    """The server's own words."""


@shape
class FileDigest:
    """A file of a report."""

    name: str
    sha256: str


@shape
class MailedReport:
    """A mail with a report, and what the mail server answered."""

    seq: int
    """Of the record that was made before it was sent."""
    at: datetime
    period: str
    scope: str | None
    """What the report was cut down to: unit-ID or host-ID."""
    recipients: tuple[str, ...]
    state: MailState
    accepted: tuple[str, ...]
    """Those for whom the server took it."""
    refused: tuple[RefusedShape, ...]
    answer: str
    """The server's own words."""
    problem: str | None
    """Why nobody got it, for people; `state` tells the cases apart."""
    finished: int | None
    """The record of the answer; null where the sending left none."""
    message_id: str
    head_code: str | None
    """Of the head that the report carries."""
    files: tuple[FileDigest, ...]


def mailed_data(mailings: Iterable[RecordedMailing], report: str) -> tuple[MailedReport, ...]:
    """Return the mails of a report, oldest first, for programs."""
    return tuple(_mailed(each) for each in mailings if each.mailing.report == report)


def _mailed(each: RecordedMailing) -> MailedReport:
    mailing, answer = each.mailing, each.answer or MailAnswer(each.state)
    return MailedReport(
        seq=each.seq,
        at=each.at,
        period=mailing.period,
        scope=mailing.scope or None,
        recipients=mailing.recipients,
        state=each.state,
        accepted=answer.accepted,
        refused=tuple(RefusedShape(one.recipient, one.answer) for one in answer.refused),
        answer=answer.answer,
        problem=str(answer.problem) if answer.problem else None,
        finished=each.finished_seq,
        message_id=mailing.message_id,
        head_code=code_of(mailing.head) if mailing.head else None,
        files=tuple(FileDigest(file.name, file.sha256) for file in mailing.files),
    )


def mailed_view(read: ReadMailings) -> list[Block]:
    """Return the same for a person, with a line for each recipient."""
    if not read.mailings:
        return [Paragraph(msg("No report was mailed yet."))]
    headers = (
        msg("Record"), msg("At"), msg("Report"), msg("Period"), msg("Scope"), msg("Head code"), msg("Recipient"),
        msg("State"), msg("The mail server's answer"),
    )  # fmt: skip
    return [TableBlock(msg("Mailed reports"), headers, [row for each in read.mailings for row in _rows(each)])]


def mailed_doubts(read: ReadMailings) -> list[Message]:
    """Return what of the mails cannot be read."""
    return [msg("record {seq} cannot be read: {why}", seq=seq, why=error.message) for seq, error in read.unreadable]


def describe_answer(one: RecordedMailing, recipient: str) -> Message | str:
    """Return what the mail server said of a mail to a recipient, or why there is no answer."""
    if one.answer is None:
        return msg("no answer of the mail server is recorded")
    refused = {each.recipient: each.answer for each in one.answer.refused}
    return refused.get(recipient) or one.answer.problem or one.answer.answer


def _rows(one: RecordedMailing) -> list[tuple[Cell, ...]]:
    mailing = one.mailing
    code = code_of(mailing.head) if mailing.head else None
    about = (str(one.seq), one.at, mailing.report, mailing.period, mailing.scope or None, code)
    refused = {each.recipient for each in one.answer.refused} if one.answer else set()
    return [
        (
            *about,
            each,
            mail_status(MailState.REFUSED if each in refused else one.state),
            describe_answer(one, each) or None,
        )
        for each in mailing.recipients
    ]
