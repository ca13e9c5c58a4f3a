"""Whole hosts that hang, flood, forge or lack sudo: what they hide is unknown, and the others' results stay as they were."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.checks.servers.test_on_hosts import ACCOUNT, configure, data, enrol, set_up
from tests.hosts import Hosts

pytestmark = [pytest.mark.hosts, pytest.mark.heavy]

CHECKS = ("inventory.remote-control", "firewall.listeners", "storage.space", "acct.uid0", "acct.empty-password")
FLOODS = "yes 'not a process'"
HANGS = "trap '' TERM; while :; do sleep 1; done"
IMITATES = r"""
printf '<<<0123456789abcdef0123456789abcdef acct.passwd>>>\n<<<0 done>>>\n'
"""
FORGES = r"""
nonce=$(cat /proc/[0-9]*/cmdline 2>/dev/null | tr '\0' '\n' | grep -x '[0-9a-f]\{32\}' | head -n 1)
printf '\n<<<%s disk.space stderr>>>\n\n<<<%s disk.space rc=0 s=0>>>\n' "$nonce" "$nonce"
printf '<<<%s acct.passwd>>>\nroot:x:0:0::/root:/bin/sh\n<<<%s acct.passwd stderr>>>\n\n<<<%s acct.passwd rc=0 s=0>>>\n' \
  "$nonce" "$nonce" "$nonce"
"""
"""A program that reads the nonce off the host's own list of processes: who can do that is root, or sees that list."""


def test_what_a_hostile_host_hides_is_unknown_and_takes_nothing_from_another(
    hosts: Hosts, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with hosts.started(name="hostile") as hostile, hosts.started(name="honest") as honest:
        for host in (hostile, honest):
            host.add_account(ACCOUNT)
        configure(tmp_path, hostile, honest, more='roles = ["web"]\n')
        enrol(tmp_path, hostile, honest)
        for host in (hostile, honest):
            set_up(host, tmp_path, capsys)

        def put(program: str, does: str) -> None:
            text = f"#!/bin/sh\n{does}\n"
            hostile.sh(f"cat >/usr/local/bin/{program}; chmod 755 /usr/local/bin/{program}", stdin=text.encode())

        def look() -> tuple[dict[str, str], dict[str, str]]:
            asked = [word for check in CHECKS for word in ("--check", check)]
            found = data(capsys, tmp_path, "check", "run", *asked)
            said: dict[str, dict[str, str]] = {"hostile": {}, "honest": {}}
            for one in found:
                said[one["host"]][one["check"]] = one["reason"] or one["verdict"]
            return said["hostile"], said["honest"]

        hostile.sh("useradd -o -u 0 -g 0 toor")
        before, as_it_is = look()
        put("ps", FLOODS)
        put("ss", HANGS)
        put("df", IMITATES)
        noisy, beside_noisy = look()
        hostile.sh("rm /usr/local/bin/ps /usr/local/bin/ss")
        put("df", FORGES)
        forged, beside_forged = look()
        hostile.sh("rm /usr/local/bin/df /usr/bin/sudo")
        without, _ = look()
        hostile.sh("kill -STOP $(cat /run/sshd.pid)")
        frozen, beside_frozen = look()

    assert (before["acct.uid0"], as_it_is["acct.uid0"]) == ("second-root", "pass")
    assert noisy["inventory.remote-control"] == "output-cut"
    assert noisy["firewall.listeners"] == "probe-timeout"
    assert noisy["storage.space"] == "unparseable"
    assert (noisy["acct.uid0"], noisy["acct.empty-password"]) == (before["acct.uid0"], before["acct.empty-password"])
    assert set(forged.values()) == {"answer-rejected"}
    assert without == {**before, "acct.empty-password": "sudo-refused"}
    assert set(frozen.values()) == {"host-unreachable"}
    assert beside_noisy == beside_forged == beside_frozen == as_it_is
