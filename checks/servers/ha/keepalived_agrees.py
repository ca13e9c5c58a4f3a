"""keepalived runs on every member, and their configurations fit together.

A standby whose router id differs never takes over; equal priorities make who leads a matter of chance; without a script that
tries the service, a machine whose web server died keeps the address. Article 12.3 asks for standby systems.

The rule: on all members keepalived is active, and has one instance with the group's address; those have the same router id,
different priorities, and each tracks a script, process or file. A weight of what is tracked lowers the highest priority below the
next one. A configuration with conditions or variables (`@`, `$`) is unknown. It does not see what a script tries, nor a
configuration that was changed since keepalived read it.

Source: keepalived.conf(5). Debian 13, keepalived 2.3.3:

    vrrp_instance PORTAL {
        virtual_router_id 51
        priority 150
"""

from __future__ import annotations

import ipaddress

from checks.servers.check import CheckOutcome, failed, passed
from checks.servers.probes import keepalived, systemd_units
from checks.servers.probes.keepalived import VrrpInstance
from checks.servers.standby import GroupFacts, group_check
from checks.servers.wording import listed
from portalops.model.message import msg
from portalops.model.verdicts import Severity


@group_check(
    id="ha.keepalived",
    kinds=("vip",),
    clause="12.3",
    severity=Severity.HIGH,
    needs=(systemd_units.PROBE, keepalived.PROBE),
    title=msg("keepalived runs on every member, and their configurations match"),
    remedy=msg(
        "Give all members the same virtual_router_id, different priorities and a track_script, and start keepalived."
    ),
)
def judge(facts: GroupFacts) -> CheckOutcome:
    idle = [
        member
        for member, units in facts[systemd_units.PROBE].items()
        if not (unit := units.get("keepalived.service")) or not unit.is_active
    ]
    if idle:
        return failed("not-running", msg("keepalived does not run on {hosts}", hosts=listed(idle)))
    own = {member: _instances(facts, member) for member in facts.members}
    odd = [member for member, instances in own.items() if len(instances) != 1]
    if odd:
        said = msg(
            "the address {address} is not in exactly one vrrp_instance on {hosts}",
            address=str(facts.group.address),
            hosts=listed(odd),
        )
        return failed("no-instance", said)
    one = {member: instances[0] for member, instances in own.items()}
    told = listed(f"{member}: {each.router_id}/{each.priority}" for member, each in one.items())
    if len({each.router_id for each in one.values()}) != 1:
        return failed("router-ids-differ", msg("members have different router ids (id/priority): {told}", told=told))
    if len({each.priority for each in one.values()}) != len(one):
        return failed("priorities-equal", msg("members have equal priorities (id/priority): {told}", told=told))
    blind = [member for member, each in one.items() if not each.is_tracking]
    if blind:
        return failed("nothing-tracked", msg("keepalived does not check the service on {hosts}", hosts=listed(blind)))
    first, second, *_ = sorted((each.priority for each in one.values()), reverse=True)
    stays = [
        member
        for member, each in one.items()
        if each.priority == first and each.gives_way_by is not None and each.gives_way_by <= first - second
    ]
    if stays:
        return failed(
            "keeps-address",
            msg(
                "what is tracked lowers the priority of {hosts} too little for another to take over (id/priority): {told}",
                hosts=listed(stays),
                told=told,
            ),
        )
    return passed(msg("keepalived runs on all members with matching settings (id/priority): {told}", told=told))


def _instances(facts: GroupFacts, member: str) -> list[VrrpInstance]:
    return [each for each in facts[keepalived.PROBE][member] if any(_is(text, facts) for text in each.addresses)]


def _is(text: str, facts: GroupFacts) -> bool:
    try:
        return ipaddress.ip_address(text) == facts.group.address
    except ValueError:
        return False
