"""A failover was tried within {within_days} days, and the role really moved.

A standby that was never used is only a hope. A drill counts only if the machines' own records show that another member took
over. Article 12.3 asks for standby systems.

The rule: a drill is declared that began within {within_days} days, and in the {lasts_hours} hours from then on the role
moved. Of a shared address: a member entered the state MASTER that had not been the last to do so, by the journals of all
members, which must reach back to the drill. Of PostgreSQL: the member that leads began its timeline then.

And from the drill's beginning until {settles_minutes} minutes after the role moved, each of the group's `pages` was away
for at most `outage_seconds`, by the samples in the ledger (`portalops check sample`). From one sample in which a page was
there to the next one it may have been away all the time; from the first of several in which it was away to the last one it
was. A second is added to the one and taken from the other, because samples are kept to the whole second. Where the samples
are too far apart, the check is unknown: take a sample every few seconds during a failover drill.

Sources: keepalived(8), journalctl(1), the PostgreSQL manual, "Timelines". Debian 13, keepalived 2.3.3:

    1795612800.123456 lb2 Keepalived_vrrp[411]: (PORTAL) Entering MASTER STATE
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import pairwise

from checks.servers.check import CheckOutcome, failed, passed, unknown
from checks.servers.ha._cluster import cluster_of
from checks.servers.probe import MissingFact
from checks.servers.probes import clock, own_drills, postgresql_standby, vrrp_journal
from checks.servers.probes.own_drills import LASTS, PageSeen, newest_drill
from checks.servers.standby import GroupFacts, group_check
from portalops.model.message import Message, msg
from portalops.model.verdicts import Severity

EVERY = timedelta(days=183)
SETTLES = timedelta(minutes=15)
"""So long after the role moved users may still be cut off by it."""
KEPT_TO = timedelta(seconds=1)
"""The moments of samples are kept to the whole second below, so that two of them are this much further apart or closer."""
CLOCKS_AGREE = timedelta(seconds=60)


@group_check(
    id="ha.failover-drill",
    kinds=("vip", "postgresql"),
    clause="12.3",
    severity=Severity.HIGH,
    needs=(clock.PROBE,),
    uses=(vrrp_journal.PROBE, postgresql_standby.PROBE, own_drills.PROBE),
    title=msg("a failover was tried within {within_days} days, and the role really moved"),
    remedy=msg(
        "Hold a failover drill in an approved window, with samples every few seconds, and declare when it began."
    ),
    numbers={
        "within_days": EVERY.days,
        "lasts_hours": LASTS // timedelta(hours=1),
        "settles_minutes": SETTLES // timedelta(minutes=1),
    },
)
def judge(facts: GroupFacts) -> CheckOutcome:
    began = newest_drill(facts.group, facts.at)
    if began is None:
        return failed("no-drill", msg("no failover drill is declared"))
    if facts.at - began > EVERY:
        return failed("drill-old", msg("the newest failover drill began at {at}", at=began))
    wrong = [name for name, at in facts[clock.PROBE].items() if abs(at - facts.members[name].at) > CLOCKS_AGREE]
    if wrong:
        return unknown(
            "clock-off",
            msg("the clock of {host} is wrong, so its records cannot be compared with those of others", host=wrong[0]),
        )
    return _judge_address(facts, began) if facts.group.kind == "vip" else _judge_database(facts, began)


def _judge_address(facts: GroupFacts, began: datetime) -> CheckOutcome:
    taken: list[tuple[datetime, str]] = []
    for name, member in facts.members.items():
        journal = member.get(vrrp_journal.PROBE)
        if isinstance(journal, MissingFact):
            return unknown(journal.reason, msg("{host}: {seen}", host=name, seen=journal.seen))
        if journal.since > began:
            return unknown(
                "journal-too-short",
                msg("the journal of {host} begins at {at}, after the drill", host=name, at=journal.since),
            )
        taken += [(change.at, name) for change in journal.changes if change.state == "MASTER"]
    taken.sort()
    before = next((name for at, name in reversed(taken) if at < began), None)
    if before is None:
        return unknown(
            "holder-unknown", msg("which member held the address before the drill of {at} is not recorded", at=began)
        )
    for at, name in taken:
        if began <= at <= began + LASTS and name != before:
            moved = msg("{host} took over from {before} at {at}", host=name, before=before, at=at)
            return _judge_users(facts, began, at, moved)
    return failed(
        "role-did-not-move",
        msg("no other member took over from {before} in the drill of {at}", before=before, at=began),
    )


def _judge_database(facts: GroupFacts, began: datetime) -> CheckOutcome:
    for name, member in facts.members.items():
        fact = member.get(postgresql_standby.PROBE)
        if isinstance(fact, MissingFact):
            return unknown(fact.reason, msg("{host}: {seen}", host=name, seen=fact.seen))
    cluster = cluster_of(facts)
    if isinstance(cluster, CheckOutcome):
        return unknown("no-single-primary", cluster.message)
    at = cluster.leads.switched_at
    if at is None or not began <= at <= began + LASTS:
        return failed("role-did-not-move", msg("no other member began to lead in the drill of {at}", at=began))
    return _judge_users(facts, began, at, msg("{host} began to lead at {at}", host=cluster.primary, at=at))


def _judge_users(facts: GroupFacts, began: datetime, moved_at: datetime, moved: Message) -> CheckOutcome:
    """Judge how long users were cut off by a failover in which the role moved."""
    target = facts.group.outage_seconds
    if target is None or not facts.group.pages:
        return unknown(
            "outage-not-declared",
            msg(
                "{moved}; 'outage_seconds' and 'pages' of the group are not declared, so the outage cannot be judged",
                moved=moved,
            ),
        )
    drills = next(iter(facts.members.values())).get(own_drills.PROBE)
    if isinstance(drills, MissingFact):
        return unknown(drills.reason, drills.seen)
    seen = {url: samples for each in drills.values() if each.began == began for url, samples in each.pages.items()}
    until_now = [[one for one in seen.get(url, ()) if one.at <= facts.at] for url in facts.group.pages]
    outages = [_outage(samples, began, moved_at + SETTLES) for samples in until_now]
    least = max((each.at_least for each in outages), default=timedelta(0))
    if least > timedelta(seconds=target):
        return failed(
            "outage-too-long",
            msg(
                "{moved}; users were cut off for at least {seconds} s, more than the declared {target} s",
                moved=moved,
                seconds=int(least.total_seconds()),
                target=target,
            ),
        )
    longest = [each.at_most for each in outages if each.at_most is not None]
    if len(longest) < len(outages):
        said = msg("{moved}; no samples show when users were served before it and again after it", moved=moved)
        return unknown("not-sampled", said)
    most = int(max(longest).total_seconds())
    if most > target:
        return unknown(
            "samples-too-far-apart",
            msg(
                "{moved}; users were cut off for {least} to {most} s; the samples are too far apart to say more",
                moved=moved,
                least=int(least.total_seconds()),
                most=most,
            ),
        )
    return passed(msg("{moved}; users were cut off for at most {seconds} s", moved=moved, seconds=most))


@dataclass(frozen=True, slots=True)
class _Outage:
    """How long a page was away in a span of time."""

    at_least: timedelta
    at_most: timedelta | None
    """None where no sample found it there before the span, or after it."""


def _outage(samples: Sequence[PageSeen], first: datetime, last: datetime) -> _Outage:
    """Return how long a page was away at a stretch, of the stretches that reach into a span of time."""
    there = [each.at for each in samples if each.is_up]
    before = max((at for at in there if at <= first), default=None)
    after = min((at for at in there if at >= last), default=None)
    between = [each for each in samples if (before or first) <= each.at <= (after or max(last, each.at))]
    at_least, since = timedelta(0), None
    for each in between:
        since = None if each.is_up else since or each.at
        at_least = max(at_least, each.at - since - KEPT_TO) if since else at_least
    if before is None or after is None:
        return _Outage(at_least, None)
    ups = [each.at for each in between if each.is_up]
    longest = max((later - earlier for earlier, later in pairwise(ups)), default=timedelta(0))
    return _Outage(at_least, longest + KEPT_TO)
