"""What every ledger that is watched is configured with, whichever way its heads come."""

from __future__ import annotations

from typing import Protocol

from pydantic import Field, StrictInt

from portalops.config.values import Shape, SshPublicKey
from portalops.ports import HeadSource
from portalops.system.mail import MailSettings


class WatchSettings(Shape):
    """The keys of `[[witness.ledger]]` that all kinds have."""

    ledger: str | None = Field(
        default=None,
        pattern=r"^[0-9a-f]{32}$",
        description="The ledger's id, as 'portalops ledger head' prints it; pinned at the first head if not given.",
    )
    key: SshPublicKey | None = Field(
        default=None,
        description="The ledger's first public key; pinned at first use if not given, and then nothing speaks for it.",
    )
    max_silence_hours: StrictInt = Field(
        default=26, ge=1, le=24 * 366, description="An alarm is raised when no new head came for so long."
    )
    alarm: MailSettings | None = Field(default=None, description="Whom to tell by mail; nobody is without it.")


class WatchedLedger(HeadSource, Protocol):
    """A source of heads with the settings that it was built from."""

    @property
    def settings(self) -> WatchSettings:
        """Return what is known of the ledger beforehand, and whom to tell."""
        ...

    @property
    def is_live(self) -> bool:
        """Say whether it shows what the ledger is now, so that an old head is a roll-back; files may just be old."""
        ...
