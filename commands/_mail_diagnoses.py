"""What the doctor sees of mailed reports: whether the machine has what they are written by, and whether they reached whom they are for.

It asks no mail server anything: it tells what the ledger says of the newest mail to each recipient.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

from commands._diagnoses import Diagnosis, State
from commands._report_mail import mail_settings
from commands._report_mailings import said_of
from commands._session import Session
from portalops.errors import LedgerMissing, PortalOpsError
from portalops.model.message import msg
from portalops.registers.mailings import RecordedMailing, read_mailings
from portalops.reports import formats

HERE = "reports"
LOOKED_BACK = timedelta(days=100)
"""Further back than the newest mail of a monthly job."""


def mailing_seen(session: Session) -> Iterator[Diagnosis]:
    """Say which configured format cannot be written here, and whom the newest report did not reach.

    Raises:
        ConfigurationError: `[report.mail]` does not fit.
    """
    mail = mail_settings(session)
    if mail is None:
        return
    for name in mail.formats:
        try:
            formats.lacks([formats.load(name)])
        except PortalOpsError as error:
            yield Diagnosis(HERE, State.BAD, error.message, error.hint)
    try:
        mailings = read_mailings(session.ledger, since=session.clock.now() - LOOKED_BACK).mailings
    except LedgerMissing:
        return
    newest: dict[str, RecordedMailing] = {each: one for one in mailings for each in one.mailing.recipients}
    for recipient in mail.recipients:
        one = newest.get(recipient)
        if one is not None and (one.answer is None or recipient not in one.answer.accepted):
            yield Diagnosis(
                HERE,
                State.WARNING,
                msg(
                    "the newest mail with a report, of {moment}, is not known to have reached {recipient}: {why}",
                    moment=one.at,
                    recipient=recipient,
                    why=said_of(one, recipient),
                ),
                msg(
                    "Correct the address or the mail server, then run 'portalops report send' or wait for the next run."
                ),
            )
