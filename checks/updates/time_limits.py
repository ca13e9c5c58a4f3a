"""How soon after their documents items were published, by the time limits of another regulation. Pure.

The date of the document is the source's word (`document_on`); when an item was published is known by our own looks alone, to
lie between the last that did not show it and the first that did. What lies on both sides of the limit is not known.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from datetime import date

from checks.updates.rules.seen import ItemClaims
from checks.updates.rules.stamps import Stamp, moment, stamp
from checks.updates.terms import Terms
from checks.updates.variety import VarietyWindow, published
from portalops.model.period import Period
from portalops.model.timeliness import LateItem, RuleSet, RuleSetTimeliness, TimeLimit
from portalops.model.updates import UpdateSourceTraits
from portalops.model.verdicts import DutyVerdict

MAX_NAMED = 200
"""Late items that are named; the others are counted."""


def timeliness_of(
    collected: VarietyWindow, rule_set: RuleSet, *, sources: Iterable[UpdateSourceTraits], period: Period, terms: Terms
) -> RuleSetTimeliness:
    """Judge the items of a rule set's kinds that were first seen in a period.

    Args:
        collected: what was seen from `terms.wanted_from` on.
        rule_set: the limits.
        sources: all sources; what a cross-check alone showed does not count.
        period: the days.
        terms: the calendar, the zone and the moment of judging.
    """
    traits = {one.id: one for one in sources}
    since, until = (stamp(at) for at in period.bounds(terms.zone))
    counts: list[Counter[DutyVerdict]] = [Counter() for _limit in rule_set.limits]
    late: list[LateItem] = []
    for unit in collected.units():
        for one in published(collected.list_claims(unit), traits):
            if not since <= one.first_seen_at < until:
                continue
            for limit, count in zip(rule_set.limits, counts, strict=True):
                if one.kind is None or one.kind not in limit.kinds:
                    continue
                verdict = judge_item(one, limit, rule_set, terms)
                count[verdict] += 1
                if verdict is DutyVerdict.UNMET:
                    written, due = _written_on(one), _due_on(one, _longest(limit), terms)
                    assert written is not None and due is not None
                    late.append(
                        LateItem(unit, one.title, one.url, one.kind, written, due, _day(one.first_seen_at, terms))
                    )
    late.sort(key=lambda one: (one.seen_on, one.document_on, one.title))
    return RuleSetTimeliness(rule_set, tuple(counts), tuple(late[:MAX_NAMED]), max(0, len(late) - MAX_NAMED))


def judge_item(one: ItemClaims, limit: TimeLimit, rule_set: RuleSet, terms: Terms) -> DutyVerdict:
    """Judge one item; met and unmet are said only where the looks prove it."""
    written = _written_on(one)
    if written is None:
        return DutyVerdict.INSUFFICIENT_EVIDENCE
    if written < rule_set.valid_from or (rule_set.valid_to is not None and written > rule_set.valid_to):
        return DutyVerdict.NOT_ASSESSED
    seen = _day(one.first_seen_at, terms)
    first, last = _due_on(one, limit.working_days, terms), _due_on(one, _longest(limit), terms)
    if first is None or last is None or written > seen:
        return DutyVerdict.INSUFFICIENT_EVIDENCE  # the date is not covered by the calendar, or lies after the item
    if seen <= first:
        return DutyVerdict.MET
    before = one.looked_before_at
    if before is not None and not one.baseline and _day(before, terms) > last:
        return DutyVerdict.UNMET
    return DutyVerdict.INSUFFICIENT_EVIDENCE


def _longest(limit: TimeLimit) -> int:
    return limit.working_days_of_others or limit.working_days


def _due_on(one: ItemClaims, days: int, terms: Terms) -> date | None:
    written = _written_on(one)
    return None if written is None else terms.calendar.add_working_days(written, days)


def _written_on(one: ItemClaims) -> date | None:
    return date.fromisoformat(one.document_on) if one.document_on else None


def _day(at: Stamp, terms: Terms) -> date:
    return moment(at).astimezone(terms.zone).date()
