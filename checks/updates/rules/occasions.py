"""How items become occasions (lần): by day, by session, or one by one."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from checks.updates.rules.weighing import Weighed
from portalops.model.rulebook import Numbers, Occasions


def counting_day(moment: datetime, *, zone: ZoneInfo, cutoff: str) -> date:
    """Return the local day on which a moment counts; after the cut-off it is the next one.

    Args:
        moment: aware.
        zone: the portal's.
        cutoff: local time such as `17:00`; `24:00` is midnight.
    """
    local = moment.astimezone(zone)
    if cutoff != "24:00" and local.time() > time.fromisoformat(cutoff):
        return local.date() + timedelta(days=1)
    return local.date()


def occasions(items: Iterable[Weighed], *, numbers: Numbers, zone: ZoneInfo) -> Counter[date]:
    """Return the occasions of each local day; items that count for nothing are left out."""
    counted: list[tuple[datetime, Weighed]] = [(item.counts_at, item) for item in items if item.counts_at]
    days: Counter[date] = Counter()
    match numbers.occasion:
        case Occasions.DAY:
            for day in {counting_day(at, zone=zone, cutoff=numbers.day_cutoff) for at, _ in counted}:
                days[day] = 1
        case Occasions.ITEMS:
            one_each = {item.session or item.observation.id: at for at, item in counted}
            days.update(counting_day(at, zone=zone, cutoff=numbers.day_cutoff) for at in one_each.values())
        case Occasions.SESSION:
            gap = timedelta(minutes=numbers.session_gap_minutes)
            before: datetime | None = None
            for at in sorted(at for at, _ in counted):
                if before is None or at - before > gap:
                    days[counting_day(at, zone=zone, cutoff=numbers.day_cutoff)] += 1
                before = at
    return days
