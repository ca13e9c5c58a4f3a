"""Hands a report to the mail server, between two records: the work behind `portalops report send` and the report job."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING

from commands.cli.session import Session
from portalops import config
from portalops.errors import ExitCode, MailInDoubt, MailNotSent, ReportError
from portalops.ledger.circumstances import Circumstances
from portalops.ledger.ledger import Ledger
from portalops.ledger.runs import Frame, Work, record_framed
from portalops.model.causes import cause_of
from portalops.model.mailings import MailAnswer, Mailing, MailState, RefusedRecipient
from portalops.model.message import Message, msg
from portalops.model.organisation import Name
from portalops.model.period import Period
from portalops.model.runs import Every, Job, JobId, JobKind, ReportResult, WrittenFile
from portalops.model.text import show_text
from portalops.model.verdicts import RunOutcome
from portalops.ports import Clock
from portalops.registers.mailings import MAIL, MAILING
from portalops.registers.runs import run_id
from portalops.reports.mail import ReportMail, Settings, message_id_of, subject_of, text_of_mail
from portalops.reports.material import ReportScope
from portalops.reports.named import load_report
from portalops.system.mail import new_message, send_to_any

if TYPE_CHECKING:
    from commands.jobs.report_files import WrittenReport
    from portalops.model.record import RunId


@dataclass(frozen=True, slots=True)
class HandedMail:
    """A report that was sent, or was to be."""

    run: RunId
    seq: int
    """Of the record of what the server said."""
    mailing: Mailing
    answer: MailAnswer
    error: MailNotSent | None
    """Why nobody got it, or why that is not known."""
    problems: tuple[Message, ...]
    """The same, or who was refused."""


@dataclass(frozen=True, slots=True)
class MailParts:
    """What reports are mailed with."""

    settings: config.Settings
    ledger: Ledger
    clock: Clock
    circumstances: Circumstances
    environment: Mapping[str, str]


def mail_parts(session: Session) -> MailParts:
    """Return what mailing a report needs of a session."""
    return MailParts(
        session.settings, session.writable_ledger, session.clock, session.circumstances, session.environment
    )


def mail_settings(settings: config.Settings) -> Settings | None:
    """Return `[report.mail]`; None where there is none.

    Raises:
        ConfigurationError: it does not fit.
    """
    table = settings.report.mail
    return table.parse(Settings) if table else None


def letter_of(
    settings: config.Settings,
    result: ReportResult,
    period: Period,
    scope: ReportScope,
    made: WrittenReport | None = None,
) -> ReportMail:
    """Return what a mail with a report is about."""
    names = {
        **{f"unit-{each.id}": each.name for each in settings.units},
        **{f"host-{each.id}": Name(each.id, each.id) for each in settings.hosts},
    }
    return ReportMail(
        settings.portal,
        load_report(result.report).title,
        period,
        names.get(str(scope)),
        result,
        made.faults if made else (),
    )


def require_secret(settings: Settings, environment: Mapping[str, str]) -> None:
    """Make sure that the password can be had, before anything is built or recorded.

    Raises:
        SecretUnavailable: it cannot.
    """
    if settings.password is not None:
        settings.password.reveal(environment)


def mail_report(
    parts: MailParts,
    settings: Settings,
    made: WrittenReport,
    *,
    files: Sequence[WrittenFile],
    folder: Path,
    period: Period,
    scope: ReportScope,
    languages: Sequence[str],
    made_in: str = "",
) -> HandedMail:
    """Send files of a report, and record the mail server's answer.

    Args:
        parts: what it is mailed with.
        settings: server, sender and recipients.
        made: the report.
        files: those of its files that are attached.
        folder: where they lie.
        period: what it is about.
        scope: what it is cut down to.
        languages: of the text, in this order; the subject is in the first.
        made_in: the run that does it; empty for a person.

    Raises:
        ReportError: a file is not there any more as it was written.
        SecretUnavailable: the password cannot be had; nothing is recorded then.
        LedgerError: nothing can be recorded, so nothing is sent; or what the server said could not be.
        Locked: another process is sending this report.
    """
    require_secret(settings, parts.environment)
    result = ReportResult(made.result.report, made.result.period, tuple(files), made.result.head, made.result.scope)
    letter = letter_of(parts.settings, result, period, scope, made)
    message = new_message(
        settings,
        subject=subject_of(letter, languages[0], prefix=settings.subject or ""),
        text=text_of_mail(letter, languages),
        at=parts.clock.now(),
        message_id=message_id_of(result),
    )
    for file in files:
        # No text type: a mail server may change the line ends of text, and with them the digest.
        data = _content(folder, file)
        message.add_attachment(data, maintype="application", subtype="octet-stream", filename=file.name)
    mailing = Mailing(
        result.report, result.period, result.scope, result.files, result.head, made_in, settings.server, settings.sender,
        settings.recipients, str(message["Message-ID"]), len(message.as_bytes()),
    )  # fmt: skip
    failed: list[MailNotSent] = []

    def work() -> Work[MailAnswer]:
        try:
            delivery = send_to_any(settings, message, environment=parts.environment)
        except MailNotSent as error:
            failed.append(error)
            state = MailState.UNKNOWN if isinstance(error, MailInDoubt) else MailState.REFUSED
            return Work(
                RunOutcome.FAILED,
                error.exit_code,
                MailAnswer(state, problem=error.message),
                (error.message,),
            )
        refused = tuple(RefusedRecipient(*each) for each in delivery.refused)
        problems = tuple(
            msg("the mail server refused {recipient}: {answer}", recipient=each.recipient, answer=each.answer)
            for each in refused
        )
        if not delivery.recipients:
            failed.append(_refused_by_all(settings, refused[0]))
            nobody = MailAnswer(MailState.REFUSED, (), refused, problem=failed[0].message)
            return Work(RunOutcome.FAILED, ExitCode.FAILED, nobody, problems)
        answer = MailAnswer(MailState.TAKEN, delivery.recipients, refused, delivery.answer)
        if refused:
            return Work(RunOutcome.INCOMPLETE, ExitCode.PARTIAL, answer, problems)
        return Work(RunOutcome.COMPLETE, ExitCode.OK, answer)

    # The slot of a run of a job is never named like a period's two days, so no job is taken to be done by a mail.
    unplanned = Job(JobId(result.report), JobKind.REPORT, Every.DAY, MAIL)
    suffix = result.scope.replace(".", "-")
    taken = parts.ledger.run_ids(run_id(unplanned, result.period, suffix=suffix))
    run = run_id(unplanned, result.period, taken=taken, suffix=suffix)
    frame = Frame(run, MAIL, f"{MAIL}/{result.report}", begun={MAILING: mailing})
    done = record_framed(parts.ledger, frame, work, clock=parts.clock, circumstances=parts.circumstances)
    assert done.work.result is not None
    return HandedMail(
        run, done.finished.seq, mailing, done.work.result, failed[0] if failed else None, done.work.shown_problems
    )


def _refused_by_all(settings: Settings, first: RefusedRecipient) -> MailNotSent:
    return MailNotSent(
        msg(
            "the mail server {server} refuses every recipient: {recipient}: {answer}",
            server=show_text(settings.server, 100),
            recipient=first.recipient,
            answer=first.answer,
        ),
        msg("Correct the addresses, or ask the operator of the mail server about this answer."),
    )


def _content(folder: Path, file: WrittenFile) -> bytes:
    path = folder / file.name
    try:
        data = path.read_bytes()
    except OSError as error:
        raise ReportError(
            msg("cannot read {path}: {cause}", path=show_text(str(path)), cause=cause_of(error)), _AGAIN
        ) from error
    if sha256(data).hexdigest() != file.sha256:
        raise ReportError(
            msg("{path} was changed since it was written, and is not sent", path=show_text(str(path))), _AGAIN
        )
    return data


_AGAIN = msg("Find out who else writes to that folder, and send the report again.")
