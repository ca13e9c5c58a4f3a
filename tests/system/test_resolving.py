"""A name server that never answers holds up neither a look at a host nor the end of the program."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from portalops.errors import HostAway
from portalops.system.network import SocketNetwork
from portalops.system.openssh import explain_no_session
from portalops.system.resolving import connect, resolve
from portalops.system.ssh import SshTarget, unreachable
from tests.servers import free_port

_ASK = """
import socket, sys, time
from pathlib import Path
from portalops.errors import HostAway
from portalops.system.network import SocketNetwork
from portalops.system.ssh import SshTarget
from portalops.system.ssh_shell import SshShell

silent = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
silent.bind(("127.0.0.1", 53))
begun = time.monotonic()
try:
    target = SshTarget("web1.khanhhoa.gov.vn", 22, "portalops", Path("/dev/null"), ("ssh-ed25519 AAAA",))
    SshShell(target).run_script(b"", argument="a", deadline_seconds=0.5, limit_bytes=1)
except HostAway as error:
    print(error)
print(SocketNetwork(resolve_seconds=0.5).addresses("web1.khanhhoa.gov.vn"))
silent.settimeout(0)
assert silent.recv(512), "nobody asked the name server"
print("waited" if time.monotonic() - begun < 20 else "waited long")
"""


@pytest.mark.heavy
@pytest.mark.skipif(os.geteuid() != 0 or shutil.which("unshare") is None, reason="needs root and unshare(1)")
@pytest.mark.needs("ip")
def test_silent_name_server_is_waited_for_no_longer_than_the_deadline(tmp_path: Path) -> None:
    (tmp_path / "resolv.conf").write_text("nameserver 127.0.0.1\noptions timeout:20 attempts:5\n")
    (tmp_path / "nsswitch.conf").write_text("hosts: dns\n")
    mounts = "".join(f"mount --bind {tmp_path}/{name} /etc/{name} && " for name in ("resolv.conf", "nsswitch.conf"))
    inside = f"ip link set lo up && {mounts}exec {sys.executable} -c '{_ASK}'"
    begun = time.monotonic()

    done = subprocess.run(
        ["unshare", "--mount", "--net", "sh", "-c", inside], capture_output=True, text=True, timeout=60, check=False
    )

    assert done.stdout.splitlines() == [
        "cannot open a session on portalops@web1.khanhhoa.gov.vn:22: it did not answer in time",
        "()",
        "waited",
    ], done.stderr
    assert time.monotonic() - begun < 50, "the end of the program waited for the name server"


def test_address_is_its_own_name() -> None:
    assert [address[0] for _family, address in resolve("192.0.2.7", 22, seconds=5)] == ["192.0.2.7"]
    assert SocketNetwork().addresses("2001:db8::1") == ("2001:db8::1",)


def test_name_that_is_none_has_no_addresses() -> None:
    assert SocketNetwork().addresses("x" * 80 + ".") == ()


def test_refusal_is_told_as_such() -> None:
    with pytest.raises(ConnectionRefusedError):
        connect("127.0.0.1", free_port(), seconds=5)


def test_nobody_is_asked_once_the_time_is_over() -> None:
    with pytest.raises(TimeoutError):
        connect("127.0.0.1", free_port(), seconds=-0.5)


def test_name_server_that_fails_is_not_told_as_a_name_without_an_address() -> None:
    target = SshTarget("web1.khanhhoa.gov.vn", 22, "portalops", Path("/dev/null"), ("ssh-ed25519 AAAA",))
    failed = socket.gaierror(socket.EAI_AGAIN, "Temporary failure in name resolution")
    said = "ssh: Could not resolve hostname web1.khanhhoa.gov.vn: Temporary failure in name resolution"

    for told in (unreachable(target, failed, threading.Event()), explain_no_session(target, said)):
        assert isinstance(told, HostAway)
        assert str(told).endswith(": no DNS server answered for its name")
