"""Which exemptions were granted when: their records, folded.

A record whose details cannot be read exempts nobody. If it withdraws an exemption, none that was granted before it counts
from its day on, since each may be the one that it withdraws.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from portalops.bodies import required_part
from portalops.calendar import Calendar
from portalops.errors import PortalOpsError
from portalops.model.exemptions import Exemption, ExemptionKind, ExemptionWithdrawal
from portalops.model.message import Message, msg
from portalops.model.values import dataclass
from portalops.ports import LedgerReader
from portalops.registers.papers import still_kept

GRANTED = "exemption.granted"
WITHDRAWN = "exemption.withdrawn"
EXEMPTION_KINDS = (GRANTED, WITHDRAWN)
EXEMPTION, WITHDRAWAL = "exemption", "withdrawal"
"""The keys of the two in their records' bodies."""

ANNOUNCED_BEFORE = 7
"""Working days before its first day by which maintenance is announced: Decree 224/2026/NĐ-CP, Article 13."""


@dataclass(frozen=True, slots=True)
class RecordedExemption:
    """An exemption with the records that grant and withdraw it."""

    seq: int
    at: datetime
    exemption: Exemption
    withdrawn_seq: int | None = None
    withdrawn_at: datetime | None = None

    def limit_to_force(self, zone: ZoneInfo) -> Exemption | None:
        """Return it as far as it stands: to its last day, or to the day before it was withdrawn."""
        if self.withdrawn_at is None:
            return self.exemption
        last = min(self.exemption.last, self.withdrawn_at.astimezone(zone).date() - timedelta(days=1))
        return replace(self.exemption, last=last) if last >= self.exemption.first else None

    def remarks(self, calendar: Calendar, zone: ZoneInfo, *, entered_within: int) -> tuple[Message, ...]:
        """Say what a reader should know of how it came about.

        Args:
            calendar: the working days.
            zone: the portal's.
            entered_within: working days after its first day after which it counts as entered afterwards.
        """
        found = []
        exemption = self.exemption
        entered = self.at.astimezone(zone).date()
        if entered > calendar.add_working_days(exemption.first, entered_within):
            found.append(msg("entered afterwards, on {day}", day=entered))
        if exemption.kind is ExemptionKind.MAINTENANCE:
            announced = exemption.announced_on
            if announced is None:
                found.append(msg("no public announcement is recorded"))
            elif calendar.add_possible_working_days(announced, ANNOUNCED_BEFORE) > exemption.first:
                found.append(msg("announced late, on {day}", day=announced))
        if exemption.file is None:
            found.append(msg("the decision itself was not kept"))
        return tuple(found)


def fold_exemptions(
    records: Iterable[tuple[int, datetime, Exemption | ExemptionWithdrawal | None]],
) -> tuple[RecordedExemption, ...]:
    """Return the exemptions in the order in which they were granted.

    Args:
        records: number and time of each record, with what its body holds, oldest first; None for a withdrawal that cannot
            be read.
    """
    found: list[RecordedExemption] = []
    for seq, at, body in records:
        if isinstance(body, Exemption):
            found.append(RecordedExemption(seq, at, body))
            continue
        ends = None if body is None else body.id
        found = [
            replace(each, withdrawn_seq=seq, withdrawn_at=at)
            if each.withdrawn_at is None and ends in {None, each.exemption.id}
            else each
            for each in found
        ]
    return tuple(found)


@dataclass(frozen=True, slots=True)
class ReadExemptions:
    """What reading exemptions came to."""

    exemptions: tuple[RecordedExemption, ...] = ()
    """Oldest first."""
    unreadable: tuple[tuple[int, PortalOpsError], ...] = ()
    """Records whose details cannot be read, with why."""


def read_exemptions(ledger: LedgerReader, *, until: datetime | None = None) -> ReadExemptions:
    """Return every exemption that was recorded by a moment."""
    found: list[tuple[int, datetime, Exemption | ExemptionWithdrawal | None]] = []
    faults: list[tuple[int, PortalOpsError]] = []
    for record in ledger.records(kinds=EXEMPTION_KINDS, until=until):
        try:
            blob = ledger.blob(record.body)
            body: Exemption | ExemptionWithdrawal | None = (
                required_part(blob, EXEMPTION, Exemption)
                if record.kind == GRANTED
                else required_part(blob, WITHDRAWAL, ExemptionWithdrawal)
            )
        except PortalOpsError as error:
            faults.append((record.seq, error))
            body = None
        if isinstance(body, Exemption):
            body = replace(body, file=still_kept(ledger, body.file))
        if body is not None or record.kind == WITHDRAWN:
            found.append((record.seq, record.at, body))
    return ReadExemptions(fold_exemptions(found), tuple(faults))
