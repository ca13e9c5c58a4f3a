"""Whether sshd takes keys from elsewhere than the files that were read."""

from __future__ import annotations

from checks.servers.check import CheckOutcome, missing, unknown
from checks.servers.facts import Facts
from checks.servers.probe import MissingFact
from checks.servers.probes import authorized_keys, sshd_servers
from checks.servers.wording import listed
from portalops.model.message import msg

_ROADS = ("AuthorizedKeysFile", "AuthorizedKeysCommand", "TrustedUserCAKeys")
_UNSET = {None, "", "none"}


def other_roads(facts: Facts) -> CheckOutcome | None:
    """Return by which other roads keys may come in, also to another server or in a Match block; None where by none."""
    seen, servers = facts[authorized_keys.PROBE], facts.get(sshd_servers.PROBE)
    roads = dict.fromkeys(seen.elsewhere)
    if not isinstance(servers, MissingFact):
        every = [effect.settings for server in servers for effect in server.effects]
        roads |= {one: None for one in _ROADS if len({each.get(one.lower()) for each in every}) > 1}
        roads |= {one: None for one in _ROADS[1:] if not {each.get(one.lower()) for each in every} <= _UNSET}
        if seen.paths is not None and any(each.get("authorizedkeysfile", seen.paths) != seen.paths for each in every):
            roads["AuthorizedKeysFile"] = None  # what runs was started with other files
        offered = {method for server in servers for offer in server.offers for method in offer.methods}
        if "hostbased" in offered or any(each.get("hostbasedauthentication") == "yes" for each in every):
            roads["HostbasedAuthentication"] = None  # by keys of hosts, which are no member's
    if roads:
        return unknown("keys-elsewhere", msg("sshd also accepts keys from elsewhere: {names}", names=listed(roads)))
    return missing(servers) if isinstance(servers, MissingFact) else None
