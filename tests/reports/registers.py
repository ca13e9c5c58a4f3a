"""The people's registers of the sample month: servers that were seen and handed over, changes in every order, credentials."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, date, datetime, timedelta

from portalops.model.changes import (
    ChangeApproval,
    ChangeBegun,
    ChangeClosed,
    ChangeDone,
    ChangeKind,
    ChangeNotice,
    ChangeRequest,
)
from portalops.model.credentials import (
    Credential,
    CredentialHandOver,
    CredentialKind,
    CredentialRotation,
    Leaving,
)
from portalops.model.organisation import HostId
from portalops.model.places import HandOver, Sighting
from portalops.model.record import Digest
from portalops.registers.changes import Body as ChangeBody
from portalops.registers.changes import ChangeRegister, fold_changes
from portalops.registers.credentials import (
    ADDED,
    HANDED_OVER,
    LEFT,
    ROTATED,
    CredentialRegister,
    fold_credentials,
)
from portalops.registers.places import Body as PlaceBody
from portalops.registers.places import RegisteredPlace, fold_places

WEB, DATABASE = HostId("web-1"), HostId("db-1")
AT = datetime(2026, 8, 18, 2, 0, tzinfo=UTC)
HOUR, DAY = timedelta(hours=1), timedelta(days=1)
MINUTES, LETTER, DECISION = Digest("5b" * 32), Digest("85" * 32), Digest("20" * 32)
AN, BINH = "nguyen-van-an", "tran-thi-binh"


def places() -> Mapping[HostId, RegisteredPlace]:
    """Return two servers: one that was handed over and seen since, one that nobody saw for long."""
    seen = Sighting(WEB, date(2026, 3, 2), "Nguyễn Văn An", "Sở KH&CN, 46 Lê Quý Đôn", "204", "Tủ A, U12", AN)
    handed = HandOver(WEB, AT.date(), "Trần Thị Bình", AN, "05/BB-BG, 18/8/2026")
    again = Sighting(
        WEB, date(2026, 9, 1), "Lê Văn Chi", "Sở KH&CN, 46 Lê Quý Đôn", "204", "Tủ A, U14", "Trần Thị Bình"
    )
    old = Sighting(DATABASE, date(2025, 5, 5), "Lê Văn Chi", "Sở KH&CN, 46 Lê Quý Đôn", "204", "Tủ B, U3", AN)
    records: list[tuple[int, datetime, HostId, PlaceBody | None, tuple[Digest, ...]]] = [
        (3, AT - 170 * DAY, WEB, seen, ()),
        (4, AT - 160 * DAY, DATABASE, old, (MINUTES,)),
        (201, AT + HOUR, WEB, handed, (MINUTES,)),
        (230, AT + 14 * DAY, WEB, again, ()),
    ]
    return fold_places(records)


def changes() -> ChangeRegister:
    """Return a change in order, an emergency, one that was begun too soon, and a standing approval."""
    records: list[tuple[int, datetime, str, ChangeBody | None, tuple[Digest, ...]]] = []

    def record(days: float, body: ChangeBody, *kept: Digest) -> None:
        records.append((210 + len(records), AT + days * DAY, body.id, body, kept))

    def asked(
        name: str, kind: ChangeKind, what: str, begins: float, days: float, **more: tuple[str, ...]
    ) -> ChangeRequest:
        return ChangeRequest(
            name, kind, what, "lỗ hổng CVE-2026-1111", (WEB,), AT + begins * DAY, AT + (begins + days) * DAY,
            "cài lại gói cũ", "Nguyễn Văn An", **more,
        )  # fmt: skip

    def agreed(name: str, at: float, *kept: Digest) -> None:
        sent = AT + (at - 0.1) * DAY
        record(at, ChangeNotice(name, "85/TTTT-HT", sent, "trục liên thông văn bản", "Sở KH&CN"), LETTER)
        record(at + 0.1, ChangeApproval(name, "2012/QĐ-UBND", sent.date(), "Phó Chủ tịch UBND tỉnh"), *kept)

    normal, urgent, early, standing, unkept = (f"CH-2026-00{number}" for number in range(1, 6))
    record(0, asked(normal, ChangeKind.NORMAL, "nginx 1.26 lên 1.28", 5, 0.2))
    agreed(normal, 1, DECISION)
    record(5.1, ChangeBegun(normal, AT + 5.05 * DAY, "Nguyễn Văn An"))
    record(5.2, ChangeDone(normal, AT + 5.15 * DAY, "chạy tốt", rolled_back=False))
    record(6, ChangeClosed(normal, "", "Nguyễn Văn An"))
    record(9, asked(urgent, ChangeKind.EMERGENCY, "vá khẩn cấp php-fpm", 8.9, 0.5))
    record(9.1, ChangeBegun(urgent, AT + 9 * DAY, "Nguyễn Văn An"))
    record(9.2, ChangeDone(urgent, AT + 9.15 * DAY, "lỗi, đã khôi phục bản cũ", rolled_back=True))
    agreed(urgent, 10, DECISION)
    record(12, asked(early, ChangeKind.NORMAL, "chuyển kho dữ liệu sang máy chủ mới", 13, 1))
    record(13, ChangeNotice(early, "91/TTTT-HT", AT + 12.5 * DAY, "thư công vụ", "Sở KH&CN"))
    record(14, asked(standing, ChangeKind.STANDING, "bản vá bảo mật hằng ngày", 14, 300, packages=("*",),
                     accounts=("unattended-upgrade",)))  # fmt: skip
    agreed(standing, 15, DECISION)
    record(16, asked(unkept, ChangeKind.NORMAL, "thay đĩa hỏng", 18, 0.5))
    agreed(unkept, 16.5)
    record(40, ChangeClosed(unkept, "hoãn sang quý sau", "Nguyễn Văn An"))
    return fold_changes(records)


def credentials(count: int = 6) -> CredentialRegister:
    """Return so many credentials: every third overdue, the first known to somebody who left."""
    rows: list[tuple[int, datetime, str, str, Credential | CredentialRotation | CredentialHandOver | Leaving]] = []

    def record(
        days: float, kind: str, subject: str, body: Credential | CredentialRotation | CredentialHandOver | Leaving
    ) -> None:
        rows.append((300 + len(rows), AT + days * DAY, kind, subject, body))

    for number in range(1, count + 1):
        kind = (CredentialKind.KEY, CredentialKind.PASSWORD, CredentialKind.CERTIFICATE)[number % 3]
        made = (AT - (200 if number % 3 == 1 else 20) * DAY).date()
        name = f"web1-{number:03}"
        body = Credential(
            name, "host:web-1", f"u{number}", kind, AN if number == 1 else BINH, "" if number == 5 else "le-van-chi",
            "Két sắt phòng 204", made, made, None, mfa=number % 2 == 0, shared=number == 4,
        )  # fmt: skip
        record(-10 + number / 1000, ADDED, name, body)
    record(2, ROTATED, "web1-002", CredentialRotation("web1-002", (AT + 2 * DAY).date(), (AT + 60 * DAY).date()))
    record(3, HANDED_OVER, "web1-001", CredentialHandOver("web1-001", (AT + 3 * DAY).date(), holder=BINH))
    record(4, LEFT, AN, Leaving(AN, (AT + 4 * DAY).date()))
    return fold_credentials(rows)
