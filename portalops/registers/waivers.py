"""Which waivers were in force when: the waiver records, folded. A waiver explains a verdict and never changes it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import MAXYEAR, date, datetime
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from portalops.errors import PortalOpsError
from portalops.ledger.bodies import decode_part
from portalops.model.waivers import Waiver, WaiverWithdrawal

if TYPE_CHECKING:
    from portalops.registers.evidence import LedgerReader

GRANTED = "waiver.granted"
WITHDRAWN = "waiver.withdrawn"
WAIVER_KINDS = (GRANTED, WITHDRAWN)

WAIVER, WITHDRAWAL = "waiver", "withdrawal"
"""The keys of the two in their records' bodies."""


@dataclass(frozen=True, slots=True)
class RecordedWaiver:
    """A waiver with the records that grant and withdraw it."""

    seq: int
    at: datetime
    waiver: Waiver
    withdrawn_seq: int | None = None
    withdrawn_at: datetime | None = None

    def is_in_force(self, day: date, zone: ZoneInfo) -> bool:
        """Say whether it is in force on a local day: within its days, and before the day on which it was withdrawn."""
        return self.waiver.valid_from <= day <= self.waiver.valid_to and (
            self.withdrawn_at is None or day < _local_day(self.withdrawn_at, zone)
        )

    def is_in_force_between(self, first: date, last: date, zone: ZoneInfo) -> bool:
        """Say whether it is in force on any day of a span."""
        begins = max(first, self.waiver.valid_from)
        return begins <= last and self.is_in_force(begins, zone)


def _local_day(moment: datetime, zone: ZoneInfo) -> date:
    try:
        return moment.astimezone(zone).date()
    except OverflowError:  # a forged record, of the calendar's first or last day
        return date.max if moment.year == MAXYEAR else date.min


def fold_waivers(
    records: Iterable[tuple[int, datetime, Waiver | WaiverWithdrawal]],
) -> tuple[RecordedWaiver, ...]:
    """Return the waivers in the order in which they were granted.

    A waiver granted again under its id, such as a prolonged one, is another one; a withdrawal is of the newest.

    Args:
        records: number and time of each record, with what its body holds, oldest first.
    """
    waivers: list[RecordedWaiver] = []
    for seq, at, body in records:
        if isinstance(body, Waiver):
            waivers.append(RecordedWaiver(seq, at, body))
            continue
        place = next((n for n in reversed(range(len(waivers))) if waivers[n].waiver.id == body.id), None)
        if place is not None and waivers[place].withdrawn_at is None:
            waivers[place] = replace(waivers[place], withdrawn_seq=seq, withdrawn_at=at)
    return tuple(waivers)


def waivers_in_force(
    waivers: Sequence[RecordedWaiver], first: date, last: date, zone: ZoneInfo
) -> tuple[RecordedWaiver, ...]:
    """Return those in force on any day of a span, both ends included."""
    return tuple(each for each in waivers if each.is_in_force_between(first, last, zone))


def read_waivers(ledger: LedgerReader, *, until: datetime | None = None) -> tuple[RecordedWaiver, ...]:
    """Return every waiver that was recorded by a moment, oldest first.

    A record whose details cannot be read grants nothing and ends nothing; verification tells of it.
    """
    found: list[tuple[int, datetime, Waiver | WaiverWithdrawal]] = []
    for record in ledger.records(kinds=WAIVER_KINDS, until=until):
        key, body_type = (WAIVER, Waiver) if record.kind == GRANTED else (WITHDRAWAL, WaiverWithdrawal)
        try:
            body = decode_part(ledger.blob(record.body), key, body_type)
        except PortalOpsError:
            continue
        if isinstance(body, (Waiver, WaiverWithdrawal)):
            found.append((record.seq, record.at, body))
    return fold_waivers(found)
