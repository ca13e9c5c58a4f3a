"""The hosts that other tests need are whole ones, run side by side, and nothing of them stays."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.hosts import CLAIMS, RELEASES, Host, Hosts

pytestmark = [pytest.mark.hosts, pytest.mark.heavy]

ROOT = Path(__file__).parents[1]
KILLED = """
import os, signal
from tests.hosts import _claimed
with _claimed() as made, made.started() as host:
    print(made.number, host.address, flush=True)
    os.kill(os.getpid(), signal.SIGKILL)
"""


def ssh(host: Host, command: str, user: str = "root") -> subprocess.CompletedProcess[str]:
    known = host.folder / "known_hosts"
    known.write_text(f"{host.address} {host.host_key}\n")
    options = ("-F", "none", "-i", str(host.key), "-o", f"UserKnownHostsFile={known}", "-o", "BatchMode=yes")
    return subprocess.run(
        ["ssh", *options, f"{user}@{host.address}", command], capture_output=True, text=True, check=False
    )


@pytest.fixture(scope="module", params=sorted(RELEASES, reverse=True))
def release(request: pytest.FixtureRequest) -> int:
    return int(request.param)


@pytest.fixture(scope="module")
def host(hosts: Hosts, release: int) -> Iterator[Host]:
    with hosts.started(release, name="cong-1") as made:
        yield made


def test_a_host_is_a_whole_debian_with_its_own_parts(host: Host, release: int) -> None:
    host.add_account("portal")

    done = ssh(host, "id -un; cat /proc/1/comm; . /etc/os-release; echo $ID $VERSION_ID", "portal")

    assert done.stdout.split("\n") == ["portal", "systemd", f"debian {release}", ""]
    assert host.sh("systemctl is-active ssh systemd-journald").split() == ["active"] * 2
    host.sh("nft add table inet its_own")
    assert host.sh("nft list ruleset").startswith("table inet its_own")
    assert "its_own" not in subprocess.run(["ip", "link"], capture_output=True, text=True, check=True).stdout
    assert "Started" in host.sh("journalctl --no-pager --boot")
    assert host.sh("fail2ban-client --version || fail2ban-server --version").startswith(("Fail2Ban", "1.", "0.", "v"))


def test_a_host_keeps_its_disk_and_its_keys_when_it_is_started_again(host: Host) -> None:
    host.sh("echo kept >/srv/file; sync")

    host.down()
    host.up()

    assert ssh(host, "cat /srv/file; hostname").stdout.split() == ["kept", "cong-1"]
    assert (host.upper / "srv/file").read_text() == "kept\n"


def test_a_cut_cable_loses_what_is_sent_until_it_is_mended(hosts: Hosts) -> None:
    with hosts.started(name="a") as one, hosts.started(name="b") as two:
        assert "1 received" in one.sh(
            f'ping -c1 -W1 {two.address} || python3 -c \'import socket;socket.create_connection(("{two.address}",22),2);print("1 received")\''
        )
        two.cut()
        try:
            with pytest.raises(AssertionError, match=r"timed out|No route"):
                one.sh(f"python3 -c 'import socket;socket.create_connection((\"{two.address}\",22),1)'")
            assert two.sh("hostname").strip() == "b"
        finally:
            two.mend()
        assert ssh(two, "hostname").stdout.strip() == "b"


def test_what_a_killed_session_left_is_removed_by_the_next_one(hosts: Hosts) -> None:
    done = subprocess.run([sys.executable, "-c", KILLED], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == -signal.SIGKILL, done.stderr
    number = int(done.stdout.split()[0])
    assert number != hosts.number
    assert os.path.ismount(CLAIMS / str(number))

    done = subprocess.run([sys.executable, "-c", KILLED], cwd=ROOT, capture_output=True, text=True, check=False)

    assert done.stdout.split()[0] == str(number), done.stderr
    subprocess.run(
        [sys.executable, "-c", "from tests.hosts import _clear_the_dead; _clear_the_dead()"], cwd=ROOT, check=True
    )
    assert not (CLAIMS / str(number)).exists()
    assert not any(name.startswith(f"po{number}-") for name in os.listdir("/run/netns"))
    devices = subprocess.run(["ip", "-o", "link"], capture_output=True, text=True, check=True).stdout
    assert f"pohosts{number}:" not in devices and f"vpo{number}-" not in devices
    running = subprocess.run(["ps", "-eo", "args"], capture_output=True, text=True, check=True).stdout
    assert f"--machine=po{number}-" not in running
