"""Exemptions: days on which a unit or the portal owes no update, by a document (updates.md section 4)."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date
from enum import StrEnum

from portalops.model.organisation import UnitId
from portalops.model.record import Digest
from portalops.model.values import dataclass


class ExemptionKind(StrEnum):
    """Why nothing is owed."""

    FAULT = "fault"
    """Sự cố kỹ thuật."""
    DISASTER = "disaster"
    """Thiên tai."""
    MIGRATION = "migration"
    """Chuyển đổi hệ thống."""
    NO_SUBPORTAL_YET = "no-subportal-yet"
    """Chưa vận hành cổng con."""
    SECRECY = "secrecy"
    """Lý do bí mật nhà nước."""
    MAINTENANCE = "maintenance"
    """Bảo trì có kế hoạch: to be announced in public beforehand (Decree 224/2026/NĐ-CP, Article 13)."""


class ExemptionScope(StrEnum):
    """What is not owed."""

    PORTAL = "portal"
    """The portal's own update on each working day (Article 11.1)."""
    SUBPORTAL = "subportal"
    """Updates of the unit's sub-portal (Article 11.2, K1)."""
    SUBMISSION = "submission"
    """What the unit sends in (Article 11.2, K2)."""


@dataclass(frozen=True, slots=True)
class Exemption:
    """One exemption: the body of an `exemption.granted` record, under the key `exemption`."""

    id: str
    """Such as `EX-2026-001`."""
    unit: UnitId | None
    """Whose; None for the portal's own duty."""
    scopes: tuple[ExemptionScope, ...]
    kind: ExemptionKind
    first: date
    last: date
    document: str
    """Number and date of the written decision; never empty."""
    approver: str
    """Who decided; never empty."""
    reason: str = ""
    file: Digest | None = None
    """The decision itself."""
    announced_on: date | None = None
    """Of maintenance: when it was announced in public."""

    def covers(self, unit: UnitId | None, scope: ExemptionScope, day: date) -> bool:
        """Say whether a unit owes nothing of a kind on a day by it."""
        return self.unit == unit and scope in self.scopes and self.first <= day <= self.last


@dataclass(frozen=True, slots=True)
class ExemptionWithdrawal:
    """The body of an `exemption.withdrawn` record, under the key `withdrawal`: from its day on nothing is exempt by it."""

    id: str
    """Of the exemption."""
    reason: str
    approver: str


def exempt_by(
    exemptions: Iterable[Exemption], unit: UnitId | None, scope: ExemptionScope, day: date
) -> Exemption | None:
    """Return the exemption by which a unit owes nothing of a kind on a day; the earliest recorded of several."""
    return next((each for each in exemptions if each.covers(unit, scope, day)), None)
