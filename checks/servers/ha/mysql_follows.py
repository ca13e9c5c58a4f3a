"""MariaDB and MySQL replicas follow, and are close behind.

A replica that stopped at an error seems healthy and is days old when it is needed. Article 12.3 asks for standby systems.

The rule: as many members as declared follow another server; on each of them both threads run (the one that fetches and the
one that applies), and it is behind by no more than the declared seconds. NULL seconds mean that the server itself does not
know, as where the link is cut: that is a fail. At least one member takes writes and follows nobody, or nobody would lead;
where every member follows another, as two primaries do that follow each other, it is enough that one takes writes.

Source: the MariaDB manual, "SHOW REPLICA STATUS". MariaDB 11.8:

    Slave_IO_Running: Connecting
    Slave_SQL_Running: Yes
    Seconds_Behind_Master: NULL
"""

from __future__ import annotations

from checks.servers.check import CheckOutcome, failed, passed
from checks.servers.probes import mysql_replica
from checks.servers.probes.mysql_replica import Replication
from checks.servers.standby import GroupFacts, group_check
from checks.servers.wording import listed
from portalops.model.message import msg
from portalops.model.verdicts import Severity


@group_check(
    id="ha.mysql-replica",
    kinds=("mysql",),
    clause="12.3",
    severity=Severity.HIGH,
    needs=(mysql_replica.PROBE,),
    title=msg("MariaDB and MySQL replicas follow closely"),
    remedy=msg("See Last_IO_Error and Last_SQL_Error of SHOW REPLICA STATUS; restart the replica, or rebuild it."),
)
def judge(facts: GroupFacts) -> CheckOutcome:
    members = facts[mysql_replica.PROBE]
    following = {name: seen for name, seen in members.items() if seen.follows}
    leading = [name for name, seen in members.items() if not seen.follows and not seen.read_only]
    if len(following) < facts.group.replicas:
        said = msg(
            "members that replicate: {n}; declared: {total}",
            n=len(following),
            total=facts.group.replicas,
        )
        return failed("too-few-follow", said)
    troubled = [f"{name} ({problem})" for name, seen in following.items() if (problem := _problem(seen, facts))]
    if troubled:
        return failed("not-following", msg("replicas that lag behind: {names}", names=listed(troubled)))
    if not leading and not _is_ring(following, members):
        return failed("no-primary", msg("no member accepts writes: all are replicas"))
    return passed(msg("replicas follow closely: {names}", names=listed(following)))


def _is_ring(following: dict[str, Replication], members: dict[str, Replication]) -> bool:
    """Say whether every member follows another and is written to, as two primaries that follow each other do."""
    return len(following) == len(members) and any(not seen.read_only for seen in members.values())


def _problem(seen: Replication, facts: GroupFacts) -> str:
    for one in seen.follows:
        if not one.reads:
            return f"IO thread: {one.problem}" if one.problem else "IO thread"
        if not one.applies:
            return f"SQL thread: {one.problem}" if one.problem else "SQL thread"
        if one.seconds_behind is None or one.seconds_behind > facts.group.lag_seconds:
            return "NULL" if one.seconds_behind is None else f"{one.seconds_behind} s"
    return ""
