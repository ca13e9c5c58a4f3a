"""Build a report and mail it, also when there is nothing to report

Sends what 'report build' writes through the server of [report.mail]. Files, recipients and the server's answer are
recorded. A refused recipient keeps nobody else from getting it. Record a paper to the Department or the Committee by
'report sent'.

Example: portalops report send compliance --period 2026-11 --to an@so-tttt.khanhhoa.gov.vn --format pdf

EXIT STATUS: 0 the server accepted it for all, 2 no such report or format or nobody to send to, 3 it refused a
recipient, or the delivery is uncertain, 4 nobody got it, 5 sent, and something in the ledger was changed
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Annotated, Optional

import typer

from commands.cli.languages import languages_option
from commands.cli.periods import period_option
from commands.cli.result import Result
from commands.cli.session import Session, open_session
from commands.cli.shapes import shape
from commands.cli.verb import Verb
from commands.jobs.mailings import RefusedShape
from commands.jobs.report_files import build_report_files, parts_of
from commands.jobs.report_mail import HandedMail, letter_of, mail_parts, mail_report, mail_settings, require_secret
from commands.report.options import scope_option
from portalops.errors import ExitCode, UsageError, worst
from portalops.ledger.heads import code_of
from portalops.locale import _
from portalops.model.mailings import MailState
from portalops.model.message import Message, msg
from portalops.model.runs import ReportResult
from portalops.model.text import show_text
from portalops.reports import formats
from portalops.reports.document import Block, ByteSize, Cell, KeyValues, Paragraph, TableBlock
from portalops.reports.mail import MOST_RECIPIENTS, Settings, subject_of
from portalops.reports.named import report_names
from portalops.reports.words import mail_status
from portalops.system.mail import ADDRESS

OptionalText = Optional[str]  # noqa: UP045  # Typer reads it at run time
OptionalList = Optional[list[str]]  # noqa: UP045  # as above


@shape
class PlannedMail:
    """A mail that would be sent."""

    id: str
    """The report's name."""
    report: str
    period: str
    """Two days joined by two dots."""
    scope: str | None
    """What the report is cut down to: unit-ID or host-ID."""
    formats: tuple[str, ...]
    languages: tuple[str, ...]
    server: str
    sender: str
    recipients: tuple[str, ...]
    subject: str


@shape
class MailedFile:
    """A file that was sent with the mail."""

    name: str
    language: str
    sha256: str


@shape
class SentMail:
    """A mail that was sent, and the mail server's answer."""

    id: str
    """Of the run that sent it."""
    report: str
    period: str
    scope: str | None
    state: MailState
    accepted: tuple[str, ...]
    """Those for whom the server took it."""
    refused: tuple[RefusedShape, ...]
    answer: str
    """The server's own words."""
    server: str
    message_id: str
    head_code: str | None
    """Of the head that the report carries."""
    files: tuple[MailedFile, ...]
    record: int
    """Of what the server answered."""


def send(
    ctx: typer.Context,
    name: Annotated[str, typer.Argument(help=_("The report, such as compliance"), autocompletion=report_names)],
    *,
    period: Annotated[OptionalText, typer.Option(help=_("Day, week, month or year, or two joined by '..'"))] = None,
    to: Annotated[
        OptionalList,
        typer.Option("--to", metavar="ADDRESS", help=_("Recipient; may be repeated; the "
                                                       "configured ones without it")),
    ] = None,
    format_: Annotated[
        OptionalList,
        typer.Option("--format", metavar="FORMAT", help=_("File format; may be repeated; the configured ones without it"), autocompletion=formats.names),
    ] = None,
    language: Annotated[OptionalText, typer.Option(metavar="vi|en|both", help=_("vi, en or both; the configured ones without it"))] = None,
    unit: Annotated[OptionalText, typer.Option(metavar="ID", help=_("Only this unit"))] = None,
    host: Annotated[OptionalText, typer.Option(metavar="ID", help=_("Only this host"))] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help=_("Show what would be sent to whom, and build and send nothing"))] = False,
) -> Result[PlannedMail | SentMail]:  # fmt: skip
    session = open_session(ctx)
    scope = scope_option(session, name, unit=unit, host=host)
    chosen = period_option(session, period)
    languages = languages_option(language, session.settings.report.languages)
    settings = _settings_for(session, to)
    wanted = tuple(dict.fromkeys(format_ or settings.formats))
    lacks = formats.lacks([formats.load(each) for each in wanted])
    require_secret(settings, session.environment)
    if dry_run:
        subject = subject_of(
            letter_of(session.settings, ReportResult(name, str(chosen), (), scope=str(scope)), chosen, scope),
            languages[0],
            prefix=settings.subject or "",
        )
        return _planned(
            settings, name,
            period=str(chosen), scope=str(scope), subject=subject, wanted=wanted, languages=languages, lacks=lacks,
        )  # fmt: skip
    folder = session.settings.report.folder
    parts = parts_of(session)
    session.require_clock()  # what cannot be recorded is not sent
    made = build_report_files(
        parts, name, period=chosen, folder=folder, formats_wanted=wanted, languages=languages, scope=scope
    )
    sent = mail_report(
        mail_parts(session), settings, made,
        files=made.result.files, folder=folder, period=chosen, scope=scope, languages=languages,
    )  # fmt: skip
    if sent.error is not None:
        raise sent.error
    doubts = [msg("no new head could be signed for the report: {cause}", cause=made.unsigned)] if made.unsigned else []
    code = ExitCode.PARTIAL if sent.problems else ExitCode.OK
    return _shown(
        sent,
        (*doubts, *made.lacks, *sent.problems),
        worst([code, ExitCode.INTEGRITY if made.faults else ExitCode.OK]),
    )


def _settings_for(session: Session, to: Sequence[str] | None) -> Settings:
    """Return server, sender and recipients.

    Raises:
        UsageError: there is no server, nobody, too many, or an address is none.
        ConfigurationError: `[report.mail]` does not fit.
    """
    settings = mail_settings(session.settings)
    if settings is None:
        raise UsageError(
            msg("no mail server is configured for reports"),
            msg("Add [report.mail] with host, sender and recipients to the configuration."),
        )
    if to is None:
        if not settings.recipients:
            raise UsageError(
                msg("there is nobody to send the report to"),
                msg("Give --to, or recipients in [report.mail] of the configuration."),
            )
        return settings
    for each in to:
        if not re.fullmatch(ADDRESS, each):
            raise UsageError(
                msg("--to: {text} is not a mail address", text=show_text(each, 80)),
                msg("Give NAME@DOMAIN alone, in ASCII, without the person's name."),
            )
    chosen = tuple(dict.fromkeys(to))
    if len(chosen) > MOST_RECIPIENTS:
        raise UsageError(
            msg("--to: {n} addresses are more than {most}", n=len(chosen), most=MOST_RECIPIENTS),
            msg("Send to a mailing list, or in several calls."),
        )
    return settings.model_copy(update={"recipients": chosen})


def _planned(
    settings: Settings,
    name: str,
    *,
    period: str,
    scope: str,
    subject: str,
    wanted: Sequence[str],
    languages: Sequence[str],
    lacks: Sequence[Message],
) -> Result[PlannedMail | SentMail]:
    rows: list[tuple[Message, Cell]] = [
        (msg("Report"), name),
        (msg("Period"), period),
        *(((msg("Scope"), scope),) if scope else ()),
        (msg("Formats"), ", ".join(wanted)),
        (msg("Language"), ", ".join(languages)),
        (msg("Mail server"), settings.server),
        (msg("Sender"), settings.sender),
        (msg("Recipients"), ", ".join(settings.recipients)),
        (msg("Subject line"), subject),
    ]
    data = PlannedMail(
        id=name,
        report=name,
        period=period,
        scope=scope or None,
        formats=tuple(wanted),
        languages=tuple(languages),
        server=settings.server,
        sender=settings.sender,
        recipients=settings.recipients,
        subject=subject,
    )
    view: list[Block] = [KeyValues(rows), Paragraph(msg("Nothing is built, sent or recorded: only shown."))]
    return Result(data, view, warnings=tuple(lacks))


def _shown(sent: HandedMail, warnings: Sequence[Message], code: ExitCode) -> Result[PlannedMail | SentMail]:
    mailing, answer = sent.mailing, sent.answer
    head_code = code_of(mailing.head) if mailing.head else None
    rows: list[tuple[Message, Cell]] = [
        (msg("Report"), mailing.report),
        (msg("Period"), mailing.period),
        *(((msg("Scope"), mailing.scope),) if mailing.scope else ()),
        (msg("Head code"), head_code),
        (msg("Mail server"), f"{mailing.server}: {answer.answer}"),
        (msg("Message-ID"), mailing.message_id),
        (msg("Recorded in"), msg("record {seq}", seq=sent.seq)),
    ]
    people = [(each, mail_status(MailState.TAKEN), answer.answer) for each in answer.accepted]
    people += [(each.recipient, mail_status(MailState.REFUSED), each.answer) for each in answer.refused]
    files = [(each.name, each.language, ByteSize(each.size_bytes), each.sha256) for each in mailing.files]
    data = SentMail(
        id=sent.run,
        report=mailing.report,
        period=mailing.period,
        scope=mailing.scope or None,
        state=answer.state,
        accepted=answer.accepted,
        refused=tuple(RefusedShape(each.recipient, each.answer) for each in answer.refused),
        answer=answer.answer,
        server=mailing.server,
        message_id=mailing.message_id,
        head_code=head_code,
        files=tuple(MailedFile(each.name, each.language, each.sha256) for each in mailing.files),
        record=sent.seq,
    )
    view: list[Block] = [
        KeyValues(rows),
        TableBlock(msg("Recipients"), (msg("Recipient"), msg("State"), msg("The mail server's answer")), people),
        TableBlock(msg("Attached"), (msg("File"), msg("Language"), msg("Size"), msg("SHA-256")), files),
    ]
    return Result(data, view, warnings=tuple(warnings), exit_code=code)


VERB = Verb(send)
