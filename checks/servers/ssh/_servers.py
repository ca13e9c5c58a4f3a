"""What all rules on SSH servers share: what cannot be judged, and with what a server was tried."""

from __future__ import annotations

from collections.abc import Sequence

from checks.servers.check import CheckOutcome, unknown
from checks.servers.probe import shown
from checks.servers.probes.sshd_servers import MOST, STRANGERS, Effect, LoginCondition, SshDaemon
from checks.servers.wording import listed
from portalops.model.message import Message, msg

_TRIED = frozenset({"all", "user", "group", "host", "address", "localaddress", "localport", "rdomain", "invalid-user"})
"""Criteria of `Match` for which combinations are made."""


def unsure(servers: Sequence[SshDaemon]) -> CheckOutcome | None:
    """Return why a server may do something else than its settings say; None where each does what they say."""
    if not servers:
        return unknown("no-server", msg("no SSH server was seen to listen"))
    for one in servers:
        ports = ports_of(one)
        if one.state != "read":
            return unknown("server-unread", _unread(one.state, ports))
        if one.is_stale:
            return unknown(
                "not-loaded",
                msg(
                    "the SSH server at port {ports} has not loaded the change of {file}: reload it, and check again",
                    ports=ports,
                    file=shown(one.file, 80),
                ),
            )
        if one.is_full:
            return unknown(
                "too-many-matches",
                msg("the Match blocks at port {ports} name more than {most} combinations", ports=ports, most=MOST),
            )
        if odd := sorted(one.criteria - _TRIED):
            return unknown(
                "match-criterion",
                msg(
                    "a Match block at port {ports} asks for {names}, which was not tried",
                    ports=ports,
                    names=listed(odd),
                ),
            )
    return None


def _unread(state: str, ports: str) -> Message:
    match state:
        case "foreign":
            return msg("the SSH server at port {ports} runs in a container or as another account", ports=ports)
        case "arguments":
            return msg("the command line of the SSH server at port {ports} is unclear", ports=ports)
        case "refused":
            return msg("'sshd -T' failed for the SSH server at port {ports}: run it by hand", ports=ports)
        case _:
            return msg("the SSH server at port {ports} is not OpenSSH", ports=ports)


def ports_of(one: SshDaemon) -> str:
    """Return the ports of a server for people."""
    return ", ".join(str(port) for port in one.ports)


def visitor_of(one: LoginCondition) -> str:
    """Return who comes from where, for people."""
    return f"{shown(one.user, 40)} ({one.address} -> {one.port})"


def is_for_strangers(one: Effect) -> bool:
    """Say whether settings hold for an address that no block for an internal network names."""
    return any(each.address in STRANGERS for each in one.conditions)


def tried(servers: Sequence[SshDaemon]) -> dict[str, str | int]:
    """Return with what the servers were tried: ports, number of combinations, users and addresses."""
    every = [each for one in servers for effect in one.effects for each in effect.conditions]
    return {
        "ports": ", ".join(str(port) for port in sorted({port for one in servers for port in one.ports})),
        "count": sum(effect.count for one in servers for effect in one.effects),
        "users": listed(dict.fromkeys(each.user for each in every), 4),
        "addresses": listed(dict.fromkeys(each.address for each in every), 4),
    }
