"""Every host's log arrives at a collector, within {within_minutes} minutes.

Who breaks into a host deletes its log first; only the copy elsewhere tells what happened. Article 12.4 asks that weaknesses
are found and remedied.

The rule: the first member of a group `log-collector` is the collector, the others send to it. Each of those has a rule that
sends its log on with the logins in it, and is read by a program that runs; and the collector has a line of it that is at most {within_minutes} minutes old, by the collector's own
clock. Near the end of what it holds of the last day are logins of each host (sshd, sudo, cron). A rule alone proves nothing: without what
the collector holds, without logins in it, or where that is dated in the future, the check is unknown. It does not see whether every
line arrives.

Sources: rsyslog.conf(5), find(1). On the collector, which keeps a folder a host:

    got 1795612800 web1/syslog.log
"""

from __future__ import annotations

from datetime import timedelta

from checks.servers.check import CheckOutcome, failed, passed, unknown
from checks.servers.clocks import is_ahead
from checks.servers.probes import clock, forwarding
from checks.servers.standby import GroupFacts, group_check
from checks.servers.wording import listed
from portalops.model.message import msg
from portalops.model.verdicts import Severity

WITHIN = timedelta(minutes=15)


@group_check(
    id="log.forwarded",
    kinds=("log-collector",),
    clause="12.4",
    severity=Severity.HIGH,
    needs=(clock.PROBE, forwarding.PROBE),
    title=msg("every host's log arrives at a collector"),
    remedy=msg(
        "Correct the host's rule in /etc/rsyslog.d, and check that the collector writes a folder for "
        "each host in /var/log/remote."
    ),
    numbers={"within_minutes": WITHIN // timedelta(minutes=1)},
)
def judge(facts: GroupFacts) -> CheckOutcome:
    collector, *senders = facts.group.members
    seen, now = facts[forwarding.PROBE], facts[clock.PROBE][collector]
    mute = [host for host in senders if not seen[host].rules]
    if mute:
        return failed("not-sent", msg("hosts that send their log nowhere: {hosts}", hosts=listed(mute)))
    deaf = [host for host in senders if not seen[host].sends_logins]
    if deaf:
        return failed("without-logins", msg("hosts whose rules send no logins: {hosts}", hosts=listed(deaf)))
    if not seen[collector].got:
        return unknown("nothing-collected", msg("the logs collected on {host} were not found", host=collector))
    newest = {host: seen[collector].newest_of(seen[host].name) for host in senders}
    silent = [host for host, at in newest.items() if at is None or now - at > WITHIN]
    if silent:
        return failed(
            "not-arriving",
            msg("hosts whose log does not arrive at {host}: {hosts}", host=collector, hosts=listed(silent)),
        )
    for host, at in newest.items():
        if at is not None and is_ahead(at, now):
            return unknown(
                "written-in-future",
                msg("the newest line of {host} on the collector is dated in the future, {at}", host=host, at=at),
            )
    if blind := [host for host in senders if not seen[collector].has_logins_of(seen[host].name)]:
        return unknown(
            "logins-not-seen",
            msg(
                "lines of {hosts} arrive at {host}, but no login among those of the last day",
                host=collector,
                hosts=listed(blind),
            ),
        )
    return passed(msg("the logs of {hosts} arrive at {host}", hosts=listed(senders), host=collector))
