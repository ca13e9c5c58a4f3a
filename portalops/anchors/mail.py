"""Mailboxes that the operator does not run: the head goes there by mail, with its signature.

    [[ledger.anchor]]
    id = "mail-so-tttt"
    kind = "mail"
    host = "mail.khanhhoa.gov.vn"
    user = "portalops"
    password = { file = "/etc/portalops/mail.secret" }
    sender = "portalops@khanhhoa.gov.vn"
    recipients = ["van-thu@so-tttt.khanhhoa.gov.vn", "luu-tru@ubnd.khanhhoa.gov.vn"]

The subject bears the head's code, the two attachments are the head and its signature byte for byte. A head that is sent
again bears the same Message-ID. The receipt is the server's word that it took the mail over, and proves no more than that.
"""

from __future__ import annotations

from portalops.anchors import AnchorContext, AnchorKind
from portalops.anchors._common import file_name, files_of, receipt_of, unavailable
from portalops.config.tables import KindTable
from portalops.errors import MailNotSent
from portalops.ledger.heads import code_of, head_digest
from portalops.model.heads import AnchorId, AnchorReceipt, RecordedHead
from portalops.model.organisation import Portal
from portalops.ports import EvidenceStore
from portalops.system.mail import MailSettings, new_message, send


class Settings(MailSettings):
    """`kind = "mail"`."""


def build(table: KindTable, context: AnchorContext) -> MailAnchor:
    """Return the anchor that a configuration table describes."""
    return MailAnchor(AnchorId(table.id), table.parse(Settings), context)


class MailAnchor:
    """Sends heads away."""

    kind = "mail"
    fetches_itself = False

    def __init__(self, anchor_id: AnchorId, settings: Settings, context: AnchorContext) -> None:
        self.id = anchor_id
        self._settings = settings
        self._context = context

    def publish(self, head: RecordedHead, keeper: EvidenceStore) -> AnchorReceipt:
        code = code_of(head.head)
        message = new_message(
            self._settings,
            subject=f"portalops {self._context.portal.id}: mốc sổ cái / head {code}",
            text=text_for(head, self._context.portal),
            at=self._context.clock.now(),
            message_id=f"portalops.{head.head.size}.{head_digest(head.signed.text)[:32]}",
        )
        for name, data in reversed(files_of(head)):
            # No text type: whoever carries the mail may change the line ends of text.
            message.add_attachment(data, maintype="application", subtype="octet-stream", filename=name)
        try:
            delivery = send(self._settings, message, environment=self._context.environment)
        except MailNotSent as error:
            raise unavailable(self.id, error.message, error.hint) from error
        return receipt_of(
            self.id,
            self.kind,
            head,
            at=None,
            details={
                "message_id": delivery.message_id,
                "answer": delivery.answer,
                "server": self._settings.server,
                "recipients": ", ".join(delivery.recipients),
            },
            evidence=(keeper.keep(message.as_bytes()),),
        )


def text_for(head: RecordedHead, portal: Portal) -> str:
    """Return what the mail says, in both languages: whoever opens it in years must know what it is for."""
    return _TEXT.format(
        vi=portal.name.vi,
        en=portal.name.en,
        code=code_of(head.head),
        name=file_name(head),
        ledger=head.head.ledger,
        text=head.signed.text,
    )


_TEXT = """\
{vi}

Mã mốc sổ cái: {code}

Đề nghị lưu giữ thư này, không xóa, không sửa. Thư mang mốc sổ cái, tức tóm tắt có chữ ký của toàn bộ sổ cái về vận hành Cổng
tại thời điểm gửi. Về sau, nhờ hai tệp đính kèm {name}.txt và {name}.sig, bên kiểm tra phát hiện được mọi bản ghi trước thời
điểm đó đã bị sửa, xóa hoặc chèn thêm:

    python3 verify.py --head {name}.txt

Thư do chương trình tự động gửi. Nếu nhiều ngày không nhận được thư như thế này, đề nghị báo cho đơn vị quản lý Cổng và cơ
quan cấp trên.

{en}

Head code: {code}

Please keep this mail, and neither delete nor change it. It says what the ledger of the portal's operation was when it was
sent. An auditor can tell later from the attached {name}.txt and {name}.sig whether any record before that moment was changed,
removed or inserted:

    python3 verify.py --head {name}.txt

The mail is sent by a program. If none like it comes for days, please tell the portal's managing unit and its superior.

{text}"""


ANCHOR = AnchorKind(settings=Settings, build=build)
