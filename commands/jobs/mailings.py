"""What of reports was mailed, to whom and when, as `portalops report list` shows it."""

from __future__ import annotations

from collections.abc import Iterable

from commands.cli.result import JsonValue
from commands.cli.session import Session
from portalops.errors import ConfigurationNotFound, LedgerMissing
from portalops.ledger.heads import code_of
from portalops.model.mailings import MailState
from portalops.model.message import Message, msg
from portalops.registers.mailings import ReadMailings, RecordedMailing, read_mailings
from portalops.reports.document import Block, Cell, Paragraph, TableBlock
from portalops.reports.words import mail_status


def recorded_mailings(session: Session) -> ReadMailings:
    """Return the mails that the ledger knows of; none where there is no ledger yet."""
    try:
        return read_mailings(session.ledger)
    except (ConfigurationNotFound, LedgerMissing):
        return ReadMailings()


def mailed_data(mailings: Iterable[RecordedMailing], report: str) -> list[JsonValue]:
    """Return the mails of a report, oldest first, for programs."""
    return [
        {
            "seq": each.seq,
            "at": each.at.isoformat(),
            "period": each.mailing.period,
            "scope": each.mailing.scope or None,
            "recipients": list(each.mailing.recipients),
            "state": each.state.value,
            "accepted": list(each.answer.accepted) if each.answer else [],
            "refused": [{"recipient": one.recipient, "answer": one.answer} for one in each.answer.refused]
            if each.answer
            else [],
            "answer": each.answer.answer if each.answer else "",
            "problem": str(each.answer.problem) if each.answer and each.answer.problem else None,
            "finished": each.finished_seq,
            "message_id": each.mailing.message_id,
            "head_code": code_of(each.mailing.head) if each.mailing.head else None,
            "files": [{"name": file.name, "sha256": file.sha256} for file in each.mailing.files],
        }
        for each in mailings
        if each.mailing.report == report
    ]


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
        return msg("the sending left no answer")
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
