"""A mailbox of submissions on a real mail server, collected again and again."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from checks.updates.job import items_of, run_updates
from checks.updates.observations import ObservationStore
from checks.updates.rules.grading import GradedItem
from checks.updates.sources.imap import ImapSource, Settings
from portalops.config.tables import KindTable
from portalops.model.period import Period
from portalops.model.runs import Every
from portalops.model.updates import UpdatesResult
from tests.checks.updates.scene import CALENDAR, HEALTH, JUSTICE, PORTAL, ZONE, at, rulebook
from tests.doubles import FixedClock, MemoryKeeper, SilentProgress
from tests.mailbox import PASSWORD, MailServer, letter

SENDERS = {"vanthu@soyte.khanhhoa.example": "so-y-te", "sotuphap.khanhhoa.example": "so-tu-phap"}
HEALTH_OFFICE = "Văn thư Sở Y tế <vanthu@soyte.khanhhoa.example>"
TEXT = "Kính gửi Ban biên tập, Sở Y tế gửi tin về công tác tiêm chủng mở rộng trên địa bàn tỉnh trong tuần qua. " * 4


class Mailbox:
    """A mailbox that is collected again and again."""

    def __init__(self, mail: MailServer, user: str, place: Path, **settings: Any) -> None:
        self.mail, self.user = mail, user
        secret = place / "secret"
        secret.write_text(PASSWORD)
        secret.chmod(0o600)
        table: dict[str, object] = {
            "host": "127.0.0.1", "port": mail.port, "security": "none", "user": user, "password": {"file": str(secret)},
            "units": SENDERS, **settings,
        }  # fmt: skip
        self.clock = FixedClock(at("2026-11-16 20:00"))
        self.settings = KindTable.alone("mail", "imap", table, place).parse(Settings)
        self.source = ImapSource("mail", self.settings, zone=ZONE, clock=self.clock)
        self.store = ObservationStore.open(place / "observations.sqlite")
        self.keeper = MemoryKeeper()

    def put(self, received: str, message: bytes) -> None:
        self.mail.put(self.user, message, at(received))

    def collect(self, on: str) -> UpdatesResult:
        self.clock.at = at(on)
        return run_updates(
            sources=(self.source,), units=(HEALTH, JUSTICE), portal=PORTAL, rulebook=rulebook(), calendar=CALENDAR,
            store=self.store, keeper=self.keeper, clock=self.clock, progress=SilentProgress(), judge_weeks=3,
            poll_every=Every.DAY,
        )  # fmt: skip

    def items(self) -> list[GradedItem]:
        return list(
            items_of(
                self.store, sources=(self.source,), units=(HEALTH, JUSTICE), portal=PORTAL, rulebook=rulebook(),
                calendar=CALENDAR, period=Period(at("2026-11-01 00:00").date(), at("2026-11-30 00:00").date()),
                now=self.clock.at, poll_every=Every.DAY,
            )
        )  # fmt: skip


def tin(number: int, date: str = "2026-11-16 09:00", sender: str = HEALTH_OFFICE) -> bytes:
    return letter(sender, f"Tin số {number}", f"{TEXT} Số {number}.", date=at(date), message_id=f"<{number}@soyte>")
