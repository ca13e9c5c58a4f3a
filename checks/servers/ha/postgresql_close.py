"""The PostgreSQL standby is close behind its primary.

What the primary has written and the standby has not is lost when it must step in. Article 12.3 asks for standby systems.

The rule: each standby receives over an open stream, and has replayed the log up to the declared number of MiB before the
place that the primary has written to, both from the same scan. Times are not used: on a primary where nobody writes the
newest transaction grows old, and nothing is wrong. Nor is what the standby has received: with the link cut it has replayed
all of that, and is behind nevertheless.

Source: the PostgreSQL manual, "Log-Shipping Standby Servers"; postgres_exporter issue 385, check_postgres issue 121 and its
pull request 545 tell of both mistakes. PostgreSQL 15.20 that follows:

    {"recovery" : true, "lsn" : null, "replayed" : "0/3000EA8", "receivers" : ["streaming"], ...}
"""

from __future__ import annotations

from checks.servers.check import CheckOutcome, failed, passed, unknown
from checks.servers.ha._cluster import cluster_of
from checks.servers.probes import postgresql_standby
from checks.servers.standby import GroupFacts, group_check
from checks.servers.wording import listed
from portalops.model.message import msg
from portalops.model.verdicts import Severity

MEBIBYTE = 1 << 20


@group_check(
    id="ha.pg-lag",
    kinds=("postgresql",),
    clause="12.3",
    severity=Severity.HIGH,
    needs=(postgresql_standby.PROBE,),
    title=msg("the PostgreSQL standby is close behind its primary"),
    remedy=msg("Mend the link between the servers; see the standby's log and pg_stat_wal_receiver."),
)
def judge(facts: GroupFacts) -> CheckOutcome:
    cluster = cluster_of(facts)
    if isinstance(cluster, CheckOutcome):
        return cluster
    written = cluster.leads.position
    if written is None or any(each.position is None for each in cluster.standbys.values()):
        return unknown("no-position", msg("a member does not report its position in the log"))
    behind = {name: max(0, written - (each.position or 0)) for name, each in cluster.standbys.items()}
    cut = [name for name, each in cluster.standbys.items() if not each.is_receiving]
    if cut:
        said = msg(
            "{hosts} receives no stream from the primary {host}; behind: {told}",
            host=cluster.primary,
            hosts=listed(cut),
            told=_describe(behind),
        )
        return failed("link-cut", said)
    late = {name: count for name, count in behind.items() if count > facts.group.lag_mebibytes * MEBIBYTE}
    if late:
        said = msg("behind the primary {host}, in bytes: {told}", host=cluster.primary, told=_describe(late))
        return failed("too-far-behind", said)
    return passed(msg("behind the primary {host}, in bytes: {told}", host=cluster.primary, told=_describe(behind)))


def _describe(behind: dict[str, int]) -> str:
    return listed(f"{name} {count}" for name, count in sorted(behind.items()))
