"""Letters by mail, through one SMTP server.

    [[notify.channel]]
    id = "on-duty"
    kind = "mail"
    levels = ["failure", "unmet", "recovery", "summary"]
    language = "vi"
    host = "mail.khanhhoa.gov.vn"
    user = "portalops"
    password = { file = "/etc/portalops/mail.secret" }
    sender = "portalops@khanhhoa.gov.vn"
    recipients = ["truc-van-hanh@so-tttt.khanhhoa.gov.vn"]

The keys are those of `[report.mail]`. One recipient that the server refuses keeps nobody else from the letter. A letter that is
sent again bears the same Message-ID.
"""

from __future__ import annotations

from portalops.config.tables import KindTable
from portalops.errors import MailNotSent
from portalops.model.message import msg
from portalops.model.text import show_text
from portalops.notify.channels import ChannelContext, ChannelKind, ChannelSettings, Taken
from portalops.notify.state import WaitingLetter
from portalops.system.mail import MailSettings, new_message, send_to_any


class Settings(MailSettings, ChannelSettings):
    """`kind = "mail"`."""


def build(table: KindTable, context: ChannelContext) -> MailChannel:
    """Return the channel that a configuration table describes."""
    return MailChannel(table.id, table.parse(Settings), context)


class MailChannel:
    """Sends letters by mail."""

    kind = "mail"

    def __init__(self, channel_id: str, settings: Settings, context: ChannelContext) -> None:
        self.id = channel_id
        self.settings = settings
        self._context = context

    @property
    def to(self) -> str:
        return ", ".join(self.settings.recipients)

    def send(self, letter: WaitingLetter) -> Taken:
        message = new_message(
            self.settings, subject=letter.subject, text=letter.text, at=letter.written_at, message_id=letter.id
        )
        delivery = send_to_any(self.settings, message, environment=self._context.environment)
        if not delivery.recipients:
            recipient, answer = delivery.refused[0]
            raise MailNotSent(
                msg(
                    "the mail server {server} refuses every recipient: {recipient}: {answer}",
                    server=show_text(self.settings.server, 100), recipient=recipient, answer=answer,
                ),
                msg("Correct the addresses, or ask the operator of the mail server about this answer."),
            )  # fmt: skip
        refused = tuple(recipient for recipient, _answer in delivery.refused)
        return Taken(delivery.recipients, refused, delivery.answer)


CHANNEL = ChannelKind(settings=Settings, build=build)
