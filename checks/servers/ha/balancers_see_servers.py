"""Every load balancer has {least} servers or more behind it, and checks that they work.

A balancer with one server behind it is no standby; a balancer that never checks sends requests to a dead server. Article 12.3.

The rule: on each member, every backend of HAProxy has at least {least} servers that are up by a check. `no check` counts as not
up, since it is `UP` for HAProxy whatever happens. Two names of one address and port are one server. A check by a program of the host's
own (`external-check`) leaves it unknown. It does not see whether two addresses are of one machine.

Source: the HAProxy management guide, "9.1. CSV format". HAProxy 3.0:

    portal,web1,0,0,0,0,,0,0,0,,0,,0,0,0,0,UP,1,1,0,0,0,7,0,,1,3,1,,0,,2,0,,0,L4OK,,0
"""

from __future__ import annotations

from collections.abc import Sequence

from checks.servers.check import CheckOutcome, failed, passed, unknown
from checks.servers.probes import haproxy
from checks.servers.probes.haproxy import BackendServer
from checks.servers.standby import GroupFacts, group_check
from checks.servers.wording import listed
from portalops.model.message import msg
from portalops.model.verdicts import Severity

ENOUGH = 2
_BY_PROGRAM = "PROCOK"
"""A program of the host's own says that it is well; what it looks at is not seen."""


@group_check(
    id="ha.haproxy",
    kinds=("load-balancer",),
    clause="12.3",
    severity=Severity.HIGH,
    needs=(haproxy.PROBE,),
    title=msg("every load balancer has {least} working servers behind it"),
    remedy=msg("Repair the servers that are down, and add 'check' to each 'server' line of HAProxy's configuration."),
    numbers={"least": ENOUGH},
)
def judge(facts: GroupFacts) -> CheckOutcome:
    seen = facts[haproxy.PROBE]
    empty = [member for member, servers in seen.items() if not servers]
    if empty:
        return failed("no-server", msg("HAProxy has no server behind it on {hosts}", hosts=listed(empty)))
    weak = [f"{member}: {name}" for member, servers in seen.items() for name in _weak(servers)]
    if weak:
        down = [
            f"{one.server} ({one.status}{'' if one.check else ', no check'})"
            for servers in seen.values()
            for one in servers
            if not one.is_up
        ]
        said = msg(
            "fewer than {least} servers are up in {backends}; not up: {servers}",
            least=ENOUGH,
            backends=listed(weak),
            servers=listed(down) or "-",
        )
        return failed("too-few-up", said)
    if unseen := [
        f"{member}: {name}" for member, servers in seen.items() for name in _weak(servers, without=_BY_PROGRAM)
    ]:
        return unknown(
            "check-unseen",
            msg(
                "servers that a program of the host's own calls up, by a check that is not seen: {backends}",
                backends=listed(unseen),
            ),
        )
    return passed(msg("every backend of {hosts} has {least} working servers", hosts=listed(seen), least=ENOUGH))


def _weak(servers: Sequence[BackendServer], *, without: str = "") -> list[str]:
    """Return the backends with too few servers that are up; two names of one address are one server."""
    up: dict[str, set[str]] = {one.backend: set() for one in servers}
    for one in servers:
        if one.is_up and one.check != without:
            up[one.backend].add(one.address or one.server)
    return sorted(name for name, places in up.items() if len(places) < ENOUGH)
