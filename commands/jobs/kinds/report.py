"""What a job of the kind `report` does: writes the compliance report, and mails it where `[report.mail]` names recipients.

The report that lies in its folder is the first thing; a format that is missing for the mail, or a mail that nobody takes, makes
the run incomplete and undoes nothing of it.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from commands.cli.session import Session
from commands.jobs.kinds import JobWork
from commands.jobs.report_files import build_report, parts_of, write_report_files, written_report
from commands.jobs.report_mail import MailParts, mail_parts, mail_report, mail_settings
from portalops.config import Settings
from portalops.errors import ExitCode, PortalOpsError
from portalops.ledger.runs import Work
from portalops.model.message import Message, msg
from portalops.model.period import Period, current_period
from portalops.model.runs import Every, WrittenFile
from portalops.model.verdicts import RunOutcome
from portalops.ports import LedgerReader
from portalops.registers.mailings import reached_in_slot, read_mailings
from portalops.registers.runs import parse_run_id
from portalops.reports import formats
from portalops.reports.material import WHOLE

if TYPE_CHECKING:
    from commands.jobs.report_files import BuiltReport, WrittenReport
    from portalops.reports.mail import Settings as MailSettings

REPORT = "compliance"
FORMAT = "html"
"""What is always written: it needs nothing of the machine."""


def report_work(session: Session) -> Work[object]:
    """Write the report on the last complete week and the current one, and mail it.

    Raises:
        PortalOpsError: the report could not be written.
    """
    ledger, settings = session.writable_ledger, session.settings
    started = next(ledger.records(kinds=("report.started",), newest_first=True, limit=1), None)
    own = started.run if started else ""
    period = current_period(session.today)
    built = build_report(parts_of(session), REPORT, period, own_run=own)
    files = {FORMAT: _written(settings, built, period, FORMAT)}
    mail = _mail_of(settings, ledger, session.clock.now(), own)
    troubles: list[Message] = []
    for name in dict.fromkeys(mail.formats if mail else ()):
        if name not in files:
            try:
                formats.lacks([formats.load(name)])
                files[name] = _written(settings, built, period, name)
            except PortalOpsError as error:
                troubles.append(msg("the report is not mailed as {format}: {cause}", format=name, cause=error.message))
    made = written_report(REPORT, built, [file for group in files.values() for file in group], period=period)
    if mail is not None:
        attached = [file for name in dict.fromkeys(mail.formats) for file in files.get(name, ())] or files[FORMAT]
        troubles += _mailed(mail_parts(session), mail, made, files=attached, period=period, own=own)
    # The report is whole all the same: it carries an older head, or none, and says what does not hold.
    problems = [msg("no head could be signed for the report: {cause}", cause=made.unsigned)] if made.unsigned else []
    problems += (msg("record {seq}: {problem}", seq=fault.seq, problem=fault.what) for fault in made.faults)
    problems += troubles
    code = ExitCode.INTEGRITY if made.faults else ExitCode.PARTIAL if problems else ExitCode.OK
    return Work(RunOutcome.INCOMPLETE if troubles else RunOutcome.COMPLETE, code, made.result, tuple(problems))


def _written(settings: Settings, built: BuiltReport, period: Period, name: str) -> tuple[WrittenFile, ...]:
    chosen = settings.report
    return write_report_files(
        settings.portal.id,
        REPORT,
        built,
        period=period,
        folder=chosen.folder,
        formats_wanted=(name,),
        languages=chosen.languages,
    )


def _mail_of(settings: Settings, ledger: LedgerReader, now: datetime, own: str) -> MailSettings | None:
    """Return how the report is mailed, to those whom no earlier attempt of the same slot reached; None if there is nobody."""
    mail = mail_settings(settings)
    name = parse_run_id(own)
    if mail is None or name is None:
        return None
    since = now - Every.MONTH.longest - timedelta(days=1)
    earlier = read_mailings(ledger, since=since).mailings
    reached = reached_in_slot(earlier, name.job, name.slot)
    left = tuple(each for each in mail.recipients if each not in reached)
    return mail.model_copy(update={"recipients": left}) if left else None


def _mailed(
    parts: MailParts,
    mail: MailSettings,
    made: WrittenReport,
    *,
    files: Sequence[WrittenFile],
    period: Period,
    own: str,
) -> Sequence[Message]:
    """Mail the report, and return what went wrong."""
    chosen = parts.settings.report
    try:
        return mail_report(
            parts, mail, made,
            files=files, folder=chosen.folder, period=period, scope=WHOLE, languages=chosen.languages, made_in=own,
        ).problems  # fmt: skip
    except PortalOpsError as error:
        return (msg("the report is not mailed: {cause}", cause=error.message),)


JOB = JobWork(work=report_work)
