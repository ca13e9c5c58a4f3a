"""A failover was tried within half a year, and the role really moved.

A standby that was never used is a hope. A drill that somebody only wrote down is no drill: it counts if the machines' own
records show that another member took over. Article 12.3 asks for standby systems.

The rule: a drill is declared that began within 183 days, and in the 4 hours from then on the role moved. Of a shared address:
a member entered the state MASTER that had not been the last to do so, by the journals of all members, which must reach back
to the drill. Of PostgreSQL: the member that leads began its timeline then. How long users were cut off is measured from
outside, and judged with availability.

Sources: keepalived(8), journalctl(1), the PostgreSQL manual, "Timelines". Debian 13, keepalived 2.3.3:

    1795612800.123456 lb2 Keepalived_vrrp[411]: (PORTAL) Entering MASTER STATE
"""

from __future__ import annotations

from datetime import datetime, timedelta

from checks.servers.check import Outcome, failed, passed, unknown
from checks.servers.ha._cluster import cluster_of
from checks.servers.probe import Missing
from checks.servers.probes import clock, postgresql_standby, vrrp_journal
from checks.servers.standby import GroupFacts, group_check
from portalops.model.message import msg
from portalops.model.verdicts import Severity

EVERY = timedelta(days=183)
LASTS = timedelta(hours=4)
CLOCKS_AGREE = timedelta(seconds=60)


@group_check(
    id="ha.failover-drill",
    kinds=("vip", "postgresql"),
    clause="12.3",
    severity=Severity.HIGH,
    needs=(clock.PROBE,),
    uses=(vrrp_journal.PROBE, postgresql_standby.PROBE),
    title=msg("a failover was tried within half a year, and the role really moved"),
    remedy=msg("Hold a failover drill in an approved window, and declare when it began."),
)
def judge(facts: GroupFacts) -> Outcome:
    began = max((one for one in facts.group.drills if one <= facts.at), default=None)
    if began is None:
        return failed("no-drill", msg("no failover drill is declared"))
    if facts.at - began > EVERY:
        return failed("drill-old", msg("the newest failover drill began at {at}", at=began))
    wrong = [name for name, at in facts[clock.PROBE].items() if abs(at - facts.members[name].at) > CLOCKS_AGREE]
    if wrong:
        return unknown(
            "clock-off", msg("the clock of {host} is off, so its records cannot be held against others", host=wrong[0])
        )
    return _of_address(facts, began) if facts.group.kind == "vip" else _of_database(facts, began)


def _of_address(facts: GroupFacts, began: datetime) -> Outcome:
    taken: list[tuple[datetime, str]] = []
    for name, member in facts.members.items():
        journal = member.get(vrrp_journal.PROBE)
        if isinstance(journal, Missing):
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
            return passed(msg("{host} took over from {before} at {at}", host=name, before=before, at=at))
    return failed(
        "role-did-not-move",
        msg("no other member took over from {before} in the drill of {at}", before=before, at=began),
    )


def _of_database(facts: GroupFacts, began: datetime) -> Outcome:
    for name, member in facts.members.items():
        fact = member.get(postgresql_standby.PROBE)
        if isinstance(fact, Missing):
            return unknown(fact.reason, msg("{host}: {seen}", host=name, seen=fact.seen))
    cluster = cluster_of(facts)
    if isinstance(cluster, Outcome):
        return unknown("no-single-primary", cluster.message)
    at = cluster.leads.switched_at
    if at is None or not began <= at <= began + LASTS:
        return failed("role-did-not-move", msg("no other member began to lead in the drill of {at}", at=began))
    return passed(msg("{host} began to lead at {at}", host=cluster.primary, at=at))
