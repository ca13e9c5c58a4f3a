"""Every duty over each month of a long period, for reports that ask for it: judged as a report of that month would judge it now."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from operator import attrgetter
from typing import TYPE_CHECKING, Final
from zoneinfo import ZoneInfo

from portalops.bodies import decode_part
from portalops.compliance import Situation, judge
from portalops.errors import PortalOpsError
from portalops.model.message import msg
from portalops.model.period import Period
from portalops.model.record import Record, Recorded
from portalops.model.standing import Standing
from portalops.model.updates import UpdatesResult
from portalops.ports import LedgerReader, Progress
from portalops.registers.credentials import read_credentials
from portalops.registers.drills import read_drills
from portalops.registers.evidence import Evidence, UnreadableRecord, read_evidence

if TYPE_CHECKING:
    pass

JUDGED_AFTER: Final = timedelta(days=92)
"""How long after a month's end a judging of it is searched for: each run judges a quarter back, unless it is asked for more."""


def lean_evidence(ledger: LedgerReader, period: Period, *, now: datetime, zone: ZoneInfo) -> Evidence:
    """Read what speaks for a period, with its drills and credentials, but not every answer of every check: those of a year would not fit into memory."""
    found = read_evidence(ledger, period, now=now, zone=zone)
    start, end = period.bounds(zone)
    drills = read_drills(ledger, since=start, until=end)
    lost = [UnreadableRecord(seq, "drill", error.message) for seq, error in drills.unreadable]
    known = {each.seq for each in found.unreadable}
    unreadable = sorted((*found.unreadable, *(each for each in lost if each.seq not in known)), key=attrgetter("seq"))
    credentials = read_credentials(ledger, until=end)
    return replace(found, drills=drills.drills, credentials=credentials, unreadable=tuple(unreadable))


def month_standings(
    ledger: LedgerReader, situation: Situation, progress: Progress
) -> tuple[tuple[Period, tuple[Standing, ...]], ...]:
    """Return every duty judged over each calendar month of the period of a situation's evidence.

    The registers are taken as they are now, as they would be in a report of the month that is made now; of judgings of updates the
    newest that tells of the whole month.
    """
    months = situation.evidence.period.months()
    found: list[tuple[Period, tuple[Standing, ...]]] = []
    with progress.task(msg("Judging each month"), total=len(months), unit="items") as task:
        for month in months:
            found.append((month, _judged(ledger, situation, month)))
            task.advance(1)
    return tuple(found)


def _judged(ledger: LedgerReader, situation: Situation, month: Period) -> tuple[Standing, ...]:
    whole = situation.evidence
    if month.first > whole.now.astimezone(whole.zone).date():
        evidence = replace(whole, period=month)  # nothing is judged of a month that has not begun
    else:
        evidence = read_evidence(ledger, month, now=whole.now, zone=whole.zone)
        evidence = replace(evidence, updates=_judging_of(ledger, month, evidence))
    return judge(replace(situation, evidence=evidence))


def _judging_of(ledger: LedgerReader, month: Period, evidence: Evidence) -> Recorded[UpdatesResult] | None:
    """Return the newest judging that covers a whole month, if one is found; else the newest one."""
    newest = evidence.updates
    if newest is None or newest.body.judged_from <= month.first:
        return newest
    end = month.bounds(evidence.zone)[1]
    records = ledger.records(kinds=("updates.finished",), since=end, until=end + JUDGED_AFTER)
    last_of_day = {record.at.astimezone(evidence.zone).date(): record for record in records}
    return _last_from(ledger, tuple(last_of_day.values()), month) or newest


def _last_from(ledger: LedgerReader, records: Sequence[Record], month: Period) -> Recorded[UpdatesResult] | None:
    """Return the last of the judgings, oldest first, that reaches back to a month's first day: later ones reach back less far."""
    found: Recorded[UpdatesResult] | None = None
    low, high = 0, len(records)
    while low < high:
        middle = (low + high) // 2
        one = _read(ledger, records[middle])
        if one is not None and one.body.judged_from <= month.first:
            found, low = one, middle + 1
        else:
            high = middle
    return found if found is not None and found.body.judged_to >= month.last else None


def _read(ledger: LedgerReader, record: Record) -> Recorded[UpdatesResult] | None:
    try:
        body = decode_part(ledger.blob(record.body), "updates", UpdatesResult)
    except PortalOpsError:
        return None
    return None if body is None else Recorded(record.seq, record.at, record.run, body)
