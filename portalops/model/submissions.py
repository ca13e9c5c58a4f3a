"""What people attest of single items: that an officer saw one, or that a paper came in and was registered (Article 9.1)."""

from __future__ import annotations

from datetime import date, datetime

from portalops.model.organisation import UnitId
from portalops.model.record import Digest
from portalops.model.updates import ItemChannel
from portalops.model.values import dataclass


@dataclass(frozen=True, slots=True)
class ObservedItem:
    """An item that an officer saw: the body of an `updates.observed` record, under the key `item`."""

    id: str
    """Such as `OB-2026-001`."""
    unit: UnitId | None
    """Whose; None for the portal's own."""
    channel: ItemChannel
    title: str
    address: str
    """Where it can be seen; empty for what was handed in, which then is kept itself."""
    seen_at: datetime
    officer: str
    """Who saw it; never empty."""
    reason: str = ""
    file: Digest | None = None
    """The item itself, or a picture of it."""
    collected: str = ""
    """The item of an unknown sender that a unit says is its own; empty for one that an officer saw."""


@dataclass(frozen=True, slots=True)
class RegisteredPaper:
    """A paper that came in: the body of an `updates.registered` record, under the key `paper`.

    The fields are those of the register of incoming documents, Decree 30/2020/NĐ-CP, Annex IV.
    """

    id: str
    """Such as `RG-2026-001`."""
    unit: UnitId
    number: str
    """Số đến: no other paper of its year has it."""
    arrived_on: date
    """Ngày đến."""
    author: str
    """Tác giả: the agency as the paper names it."""
    code: str
    """Số, ký hiệu; empty if it has none."""
    subject: str
    """Trích yếu."""
    registrar: str
    """Who entered it; never empty."""
    reason: str = ""
    file: Digest | None = None
    """The paper itself."""


@dataclass(frozen=True, slots=True)
class AttestationWithdrawal:
    """The body of an `updates.withdrawn` record, under the key `withdrawal`: what was attested does not count any more."""

    id: str
    """Of the item or the paper."""
    reason: str
    by: str
    """Who takes it back; never empty."""
