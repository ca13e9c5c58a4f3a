"""Real hosts of three releases: each passes by its own draft, and each change that is made to it is found by its check."""

from __future__ import annotations

import os
import tomllib
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import pytest

from checks.servers.catalogue import chosen, probes_of
from checks.servers.declared import Declared
from checks.servers.drafting import PROBES, draft
from checks.servers.facts import Facts, facts_from
from checks.servers.gather import gather, parse_answer
from checks.servers.judging import judge_again
from checks.servers.probe import Probe
from checks.servers.probes import apt_history, authorized_keys, logins
from portalops.model.organisation import Host as Named
from portalops.model.organisation import HostId
from portalops.model.verdicts import CheckVerdict
from portalops.ports import Completed
from tests.hosts import Host, Hosts

pytestmark = [pytest.mark.hosts, pytest.mark.heavy]

NAMED = Named(HostId("web1"), "192.0.2.1")
CHECKS = chosen(
    ids=(
        *("inventory.identity", "inventory.hosting", "inventory.addresses", "change.accounts", "change.autostart"),
        *("change.config", "change.package-files", "acct.authorized-keys"),
    )
)
CANARY = "CANARYcanaryCANARY"


@dataclass(frozen=True)
class Inside:
    """Runs the script on a host as root, past its network."""

    host: Host

    @property
    def address(self) -> str:
        return self.host.address

    def run_script(self, script: bytes, *, argument: str, deadline_seconds: float, limit_bytes: int) -> Completed:
        text = self.host.sh(f"sh -s {argument}", stdin=script, seconds=deadline_seconds)
        return Completed(0, os.fsencode(text), b"")


def asked(host: Host, *probes: Probe[Any]) -> bytes:
    return gather(Inside(host), probes)


def verdicts(raw: bytes, declared: Declared) -> dict[str, tuple[CheckVerdict, str]]:
    found = judge_again(raw, NAMED, declared, datetime.now(UTC), some=CHECKS)
    return {one.check: (one.verdict, one.reason) for one in found}


@pytest.mark.parametrize("release", [13, 12, 11])
def test_host_passes_by_its_draft_and_each_change_is_found(hosts: Hosts, release: int) -> None:
    probes = {**probes_of(CHECKS), **{probe.id: probe for probe in PROBES}}
    with hosts.started(release) as host:
        host.add_account("an")
        host.sh("rm ~root/.ssh/authorized_keys")
        before = asked(host, *probes.values())
        facts = Facts(NAMED, Declared().find_host("web1"), datetime.now(UTC), facts_from(parse_answer(before), probes))
        declared = Declared.model_validate(tomllib.loads(draft(facts))["checks"]["declared"])
        assert set(verdicts(before, declared).values()) == {(CheckVerdict.PASS, "")}

        host.sh(
            "set -e; useradd intruder; echo '# x' >>/etc/ssh/sshd_config; cp /bin/true /usr/bin/who;"
            " mkdir -p /var/spool/cron/crontabs;"
            f" echo '* * * * * PASSWORD={CANARY} /opt/x' >/var/spool/cron/crontabs/an;"
            " ssh-keygen -q -t rsa -b 2048 -N '' -C {0} -f /run/k; cat /run/k.pub >>~an/.ssh/authorized_keys;"
            " ip address add 203.0.113.9/24 dev host0; echo 0123456789abcdef0123456789abcdef >/etc/machine-id".format(
                CANARY
            )
        )
        after = asked(host, *probes.values())

    assert verdicts(after, declared) == {
        "inventory.identity": (CheckVerdict.FAIL, "other-machine"),
        "inventory.hosting": (CheckVerdict.PASS, ""),
        "inventory.addresses": (CheckVerdict.FAIL, "address-outside"),
        "change.accounts": (CheckVerdict.FAIL, "accounts-changed"),
        "change.autostart": (CheckVerdict.FAIL, "cron-changed"),
        "change.config": (CheckVerdict.FAIL, "config-changed"),
        "change.package-files": (CheckVerdict.FAIL, "file-exchanged"),
        "acct.authorized-keys": (CheckVerdict.FAIL, "weak-key"),
    }
    assert CANARY.encode() not in after


def test_only_what_sshd_itself_wrote_is_a_login(hosts: Hosts) -> None:
    forged = "Accepted publickey for root from 192.0.2.66 port 1 ssh2: ED25519 SHA256:" + "A" * 43
    with hosts.started(13) as host:
        host.add_account("an")
        host.sh(f"su an -s /bin/sh -c 'logger -t sshd-session \"{forged}\"'")
        host.sh(f"su an -s /bin/sh -c 'printf \"x\\n1795669370.1 h sshd[1]: {forged}\\n\" | logger -t sshd'")
        raw = asked(host, logins.PROBE)

    found = facts_from(parse_answer(raw), {logins.PROBE.id: logins.PROBE})[logins.PROBE.id]
    assert isinstance(found, logins.Logins)
    assert found.accepted == ()


def test_moments_of_apts_log_are_of_the_hosts_own_zone(hosts: Hosts) -> None:
    lines = "Start-Date: 2026-11-20  10:02:11\\nCommandline: apt-get install nginx\\nInstall: nginx:amd64 (1.26.3-3)\\n"
    with hosts.started(13) as host:
        host.sh(f"mkdir -p /var/log/apt; printf '{lines}' | gzip >/var/log/apt/history.log.1.gz")
        host.sh("ln -sf /usr/share/zoneinfo/Asia/Ho_Chi_Minh /etc/localtime")
        raw = asked(host, apt_history.PROBE)

    found = facts_from(parse_answer(raw), {apt_history.PROBE.id: apt_history.PROBE})[apt_history.PROBE.id]
    assert isinstance(found, tuple)
    (change,) = found
    assert change.at == datetime(2026, 11, 20, 3, 2, 11, tzinfo=UTC)
    assert change.packages == ("nginx",)


def test_links_and_pipes_in_the_place_of_keys_show_nothing_of_other_files(hosts: Hosts) -> None:
    with hosts.started(13) as host:
        host.add_account("an")
        host.add_account("binh")
        host.sh("chpasswd", stdin=b"an:Matkhau-1\n")
        host.sh("ln -sf /etc/shadow ~an/.ssh/authorized_keys")
        host.sh("rm ~binh/.ssh/authorized_keys; mkfifo ~binh/.ssh/authorized_keys")
        raw = asked(host, authorized_keys.PROBE)

    found = facts_from(parse_answer(raw), {authorized_keys.PROBE.id: authorized_keys.PROBE})[authorized_keys.PROBE.id]
    assert isinstance(found, authorized_keys.AuthorizedKeys)
    assert {one.account for one in found.keys} == {"root"}
    assert b"$y$" not in raw and b"an:" not in raw
