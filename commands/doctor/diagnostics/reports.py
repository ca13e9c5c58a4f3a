"""Reports can be written, look as they should, and mailed ones reach whom they are for.

No mail server is asked anything: what the ledger says of the newest mail to each recipient is told.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

from commands.doctor.diagnosis import Diagnostic, DiagnosticLine, DoctorContext, good, note, refused, warning
from commands.doctor.places import folder_seen
from commands.jobs.mailings import describe_answer
from commands.jobs.report_mail import mail_settings
from portalops.errors import LedgerMissing, PortalOpsError
from portalops.model.message import msg
from portalops.model.runs import JobKind
from portalops.registers.mailings import RecordedMailing, read_mailings
from portalops.reports import formats

REACH_BACK = timedelta(days=100)
"""Further back than the newest mail of a monthly job."""


def diagnose(look: DoctorContext) -> Iterator[DiagnosticLine]:
    """Say whether reports can be written here, in which formats, and whom the newest one did not reach."""
    yield from folder_seen(look.session.settings.report.folder)
    yield from _formats_seen(look)
    yield from _mailing_seen(look)


def _formats_seen(look: DoctorContext) -> Iterator[DiagnosticLine]:
    """Say which format cannot be written here, or not as it should be; one that is not mailed is merely told."""
    mail = mail_settings(look.session.settings)
    wanted = mail.formats if mail is not None else ()
    for name in sorted({*formats.names(), *wanted}):
        about = f"format {name}"
        try:
            lacking = formats.lacks([formats.load(name)])
        except PortalOpsError as error:
            yield refused(about, error) if name in wanted else note(about, error.message, error.hint)
            continue
        for lack in lacking:
            seen = msg("{format}: {lack}", format=name, lack=lack)
            yield warning(about, seen, _FONTS) if name in wanted else note(about, seen, _FONTS)
        if name in wanted and not lacking:
            yield good(about, msg("reports can be written as {format}, with nothing replaced", format=name))


def _mailing_seen(look: DoctorContext) -> Iterator[DiagnosticLine]:
    session = look.session
    mail = mail_settings(session.settings)
    if mail is None:
        if any(job.kind is JobKind.REPORT for job in session.settings.jobs):
            yield note("mail", msg("reports are written and mailed to nobody"), _MAIL)
        return
    try:
        read = read_mailings(session.ledger, since=session.clock.now() - REACH_BACK)
    except LedgerMissing:
        return
    for seq, error in read.unreadable:
        yield refused(
            f"record {seq}",
            type(error)(
                msg("record {seq} of a mailed report cannot be read: {cause}", seq=seq, cause=error.message), error.hint
            ),
        )
    newest: dict[str, RecordedMailing] = {each: one for one in read.mailings for each in one.mailing.recipients}
    for recipient in mail.recipients:
        one = newest.get(recipient)
        if one is None:
            yield note(
                recipient,
                msg("no mail with a report to {recipient} is recorded in the last 100 days", recipient=recipient),
                msg("The next run of a report job sends one; 'portalops report send' does so now."),
            )
        elif one.answer is None or recipient not in one.answer.accepted:
            yield warning(
                recipient,
                msg(
                    "the newest mail with a report, of {moment}, is not known to have reached {recipient}: {why}",
                    moment=one.at,
                    recipient=recipient,
                    why=describe_answer(one, recipient),
                ),
                msg(
                    "Correct the address or the mail server, then run 'portalops report send' or wait for the next run."
                ),
            )
        else:
            yield good(
                recipient,
                msg(
                    "the mail server took the newest report for {recipient} at {moment}",
                    recipient=recipient,
                    moment=one.at,
                ),
            )


_FONTS = msg("Install the font, such as 'apt install fonts-liberation'; reports made before use another font.")
_MAIL = msg("Add [report.mail] to the configuration to have them mailed.")


DIAGNOSTIC = Diagnostic(diagnose=diagnose)
