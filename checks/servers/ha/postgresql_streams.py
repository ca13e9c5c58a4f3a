"""As many servers follow the PostgreSQL primary as are declared.

A standby that no longer follows seems healthy and is days old when it is needed. Article 12.3 asks for standby systems.

The rule: of one cluster one member leads, and at least the declared number follows it over an open stream, by the account of
the primary and of those that follow. Two that can be written to is a split cluster. A role without `pg_monitor` sees nothing of others: unknown.

Source: the PostgreSQL manual, "pg_stat_replication". PostgreSQL 15.20:

    {"recovery" : false, "lsn" : "0/3000EA8", "replicas" : ["streaming"], ...}
"""

from __future__ import annotations

from checks.servers.check import CheckOutcome, failed, passed
from checks.servers.ha._cluster import cluster_of
from checks.servers.probes import postgresql_standby
from checks.servers.standby import GroupFacts, group_check
from portalops.model.message import msg
from portalops.model.verdicts import Severity


@group_check(
    id="ha.pg-streaming",
    kinds=("postgresql",),
    clause="12.3",
    severity=Severity.HIGH,
    needs=(postgresql_standby.PROBE,),
    title=msg("the declared number of servers replicate from the PostgreSQL primary"),
    remedy=msg("See the standby's log, and rebuild it with pg_basebackup if it cannot catch up."),
)
def judge(facts: GroupFacts) -> CheckOutcome:
    cluster = cluster_of(facts)
    if isinstance(cluster, CheckOutcome):
        return cluster
    # a tool that archives the log is a stream too, so what the members themselves receive must say the same
    receiving = sum(each.is_receiving for each in cluster.standbys.values())
    seen, wanted = min(cluster.leads.streaming, receiving), facts.group.replicas
    if seen < wanted:
        said = msg(
            "open replication streams from {host}: {n}; declared: {total}", n=seen, total=wanted, host=cluster.primary
        )
        return failed("too-few-follow", said)
    return passed(
        msg("open replication streams from {host}: {n}; declared: {total}", n=seen, total=wanted, host=cluster.primary)
    )
