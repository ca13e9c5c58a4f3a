"""A whole host with a real packet filter, seen from another address: open, closed and filtered are three things."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from checks.servers.catalogue import chosen
from checks.servers.declared import Declared
from checks.servers.gather import appended, no_answer
from checks.servers.judging import judge_again
from checks.servers.outside_scan import Outside
from portalops.model.organisation import Host, HostId
from portalops.system.network import SocketNetwork
from tests.hosts import Hosts

pytestmark = [pytest.mark.hosts, pytest.mark.heavy]

WEB = Host(HostId("web1"), "local")
CLOSED_BY_DEFAULT = """
flush ruleset
table inet filter {
  chain input {
    type filter hook input priority 0; policy drop;
    ct state established,related accept
    iif lo accept
    tcp dport { 22, 443 } accept
  }
}
"""


def test_filter_is_judged_by_what_a_stranger_meets(hosts: Hosts) -> None:
    with hosts.started() as host:
        declared = {"public_addresses": [host.address], "public_ports": [22]}

        def seen() -> tuple[str, str]:
            own = Declared.model_validate(declared)
            outside = Outside(SocketNetwork(), "auditor-1")
            (section,) = outside.sections(WEB, own.find_host(WEB.id), ["outside.ports"], None)
            raw, some = appended(no_answer(), section), chosen(ids=("firewall.outside-view",))
            (result,) = judge_again(raw, WEB, own, datetime.now(UTC), some=some)
            return result.verdict.value, result.reason

        assert seen() == ("pass", "")
        host.sh("nft -f -", stdin=CLOSED_BY_DEFAULT.encode())
        assert seen() == ("pass", "")
        declared["public_ports"] = []
        assert seen() == ("fail", "port-open-to-world")
        declared["public_ports"] = [22, 443]
        assert seen() == ("fail", "public-port-shut")
        host.sh("nft flush chain inet filter input; nft add rule inet filter input iif lo accept")
        declared["public_ports"] = []
        assert seen() == ("unknown", "no-answer")
