"""Which waivers were in force when: the waiver records, folded. A waiver explains a verdict and never changes it.

A record whose details cannot be read never makes a waiver count: if it grants one, it grants nothing; if it withdraws one, no
waiver granted before it is in force from its day on, since each may be the one that it withdraws.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import MAXYEAR, date, datetime
from zoneinfo import ZoneInfo

from portalops import bodies
from portalops.errors import LedgerError, PortalOpsError
from portalops.model.message import Message, msg
from portalops.model.values import dataclass
from portalops.model.waivers import Waiver, WaiverWithdrawal
from portalops.ports import LedgerReader

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
    in_doubt: bool = False
    """The details of that withdrawal cannot be read, so it may be another waiver's; this waiver no longer counts either way."""

    def is_in_force(self, day: date, zone: ZoneInfo) -> bool:
        """Say whether it is in force on a local day: within its days, and before the day on which it was withdrawn."""
        return self.waiver.valid_from <= day <= self.waiver.valid_to and (
            self.withdrawn_at is None or day < _local_day(self.withdrawn_at, zone)
        )

    def is_in_force_between(self, first: date, last: date, zone: ZoneInfo) -> bool:
        """Say whether it is in force on any day of a span."""
        begins = max(first, self.waiver.valid_from)
        return begins <= last and self.is_in_force(begins, zone)

    def describe_end(self, zone: ZoneInfo) -> Message:
        """Return words for why it is in force no more, to stand behind "the waiver"."""
        if self.in_doubt:
            return msg("may have been withdrawn by record {seq}, which cannot be read", seq=str(self.withdrawn_seq))
        if self.withdrawn_at is not None:
            return msg("was withdrawn on {day}", day=_local_day(self.withdrawn_at, zone))
        return msg("ended on {day}", day=self.waiver.valid_to)


@dataclass(frozen=True, slots=True)
class ReadWaivers:
    """The result of reading waivers."""

    waivers: tuple[RecordedWaiver, ...] = ()
    """All of them, oldest first."""
    unreadable: tuple[tuple[int, PortalOpsError], ...] = ()
    """Records of waivers whose details cannot be read, with why."""


def _local_day(moment: datetime, zone: ZoneInfo) -> date:
    try:
        return moment.astimezone(zone).date()
    except OverflowError:  # a forged record, of the calendar's first or last day
        return date.max if moment.year == MAXYEAR else date.min


def waiver_of(kind: str, blob: bytes) -> Waiver | WaiverWithdrawal:
    """Read the body of a waiver record.

    It is read as it stands and as portalops writes it, days as text: so verify.py can read the same, and nothing else.

    Raises:
        LedgerError: it is not a waiver.
    """
    key = WAIVER if kind == GRANTED else WITHDRAWAL
    part = bodies.plain(blob).get(key)
    body: Waiver | WaiverWithdrawal
    body = bodies.decode(Waiver, part) if kind == GRANTED else bodies.decode(WaiverWithdrawal, part)
    written = bodies.encode(body)
    if not isinstance(part, dict) or not isinstance(written, dict) or not written.items() <= part.items():
        raise LedgerError(
            msg(
                "the details of a record cannot be read: {cause}",
                cause=msg("{key} is not in the form that portalops writes", key=key),
            ),
            msg("Run 'portalops ledger verify' to see whether they were changed."),
        )
    return body


def fold_waivers(
    records: Iterable[tuple[int, datetime, Waiver | WaiverWithdrawal | None]],
) -> tuple[RecordedWaiver, ...]:
    """Return the waivers in the order in which they were granted.

    A waiver granted again under its id, such as a prolonged one, is another one; a withdrawal is of the newest.

    Args:
        records: number and time of each record, with what its body holds, oldest first; None for a withdrawal that cannot be
            read. A grant that cannot be read is left out.
    """
    waivers: list[RecordedWaiver] = []
    for seq, at, body in records:
        if isinstance(body, Waiver):
            waivers.append(RecordedWaiver(seq, at, body))
            continue
        same = [n for n, each in enumerate(waivers) if body is None or each.waiver.id == body.id]
        for place in same if body is None else same[-1:]:
            if waivers[place].withdrawn_at is None:
                waivers[place] = replace(waivers[place], withdrawn_seq=seq, withdrawn_at=at, in_doubt=body is None)
    return tuple(waivers)


def waivers_in_force(
    waivers: Sequence[RecordedWaiver], first: date, last: date, zone: ZoneInfo
) -> tuple[RecordedWaiver, ...]:
    """Return those in force on any day of a span, both ends included."""
    return tuple(each for each in waivers if each.is_in_force_between(first, last, zone))


def read_waivers(ledger: LedgerReader, *, until: datetime | None = None) -> ReadWaivers:
    """Return every waiver that was recorded by a moment, and the records that cannot be read."""
    found: list[tuple[int, datetime, Waiver | WaiverWithdrawal | None]] = []
    unreadable: list[tuple[int, PortalOpsError]] = []
    for record in ledger.records(kinds=WAIVER_KINDS, until=until):
        body: Waiver | WaiverWithdrawal | None = None
        try:
            body = waiver_of(record.kind, ledger.blob(record.body))
        except PortalOpsError as error:
            unreadable.append((record.seq, error))
        if body is not None or record.kind == WITHDRAWN:
            found.append((record.seq, record.at, body))
    return ReadWaivers(fold_waivers(found), tuple(unreadable))
