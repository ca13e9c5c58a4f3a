"""Many servers on this machine for a measurement: real sshd processes with keys of their own, and what knows them.

Behind all of them is this machine, so that what a look costs there is paid by the same cores as what it costs here. Each has
an address of its own: on loopback, or for root in namespaces of its own, so that a host sees its own processes and sockets.
"""

from __future__ import annotations

import os
import re
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, replace
from pathlib import Path

from checks.servers.catalogue import checks, probes_of
from checks.servers.declared import Declared
from checks.servers.runner import run_checks
from portalops import bodies
from portalops.ledger.ledger import Ledger
from portalops.ledger.record import NO_RUN
from portalops.model.checks import HostScan
from portalops.model.hosts import Enrolment, HostKeyComparison
from portalops.model.organisation import Host, HostId
from portalops.registers.hosts import ENROLLED, ENROLMENT
from portalops.signatures.sshsig import fingerprint
from portalops.system.clock import SystemClock
from portalops.system.ssh import SshTarget
from portalops.system.ssh_shell import SshShell
from tests.doubles import SilentProgress
from tests.servers import free_port, new_key, user_name, without_penalties

_CONFIGURATION = """
[portal]
id = "bench"
name = {{ vi = "Cổng", en = "Portal" }}
timezone = "Asia/Ho_Chi_Minh"

[state]
folder = "state"

[[job]]
id = "check"
kind = "check"
every = "day"

[checks.ssh]
user = "{user}"
identity_file = "{identity}"
"""
_HOST = """
[[host]]
id = "{name}"
address = "{address}"
port = {port}
"""
_SECTION = re.compile(r"^<<<([a-z.]+)>>>\n(.*?)^<<<\1 rc=0>>>\n", re.MULTILINE | re.DOTALL)
BRIDGE = "pobench"
NETWORK = "10.213.7"
SSH_PORT = 2222
MOST_ADDRESSES = 16
"""That one sshd listens on (MAX_LISTEN_SOCKS of OpenSSH)."""


@dataclass(frozen=True, slots=True)
class Served:
    """One host: where its sshd listens, and its key."""

    name: str
    address: str
    port: int
    host_key: str


@contextmanager
def apart(folder: Path, count: int) -> Iterator[tuple[Served, ...]]:
    """Run sshd processes, each in network and process namespaces of its own behind a bridge; needs root.

    Args:
        folder: as for `served`.
        count: of hosts, at most 250.
    """
    Path("/run/sshd").mkdir(exist_ok=True)
    client = new_key(folder / "client")
    (folder / "authorized_keys").write_text(f"restrict {client}\n")
    found: list[Served] = []
    with ExitStack() as stack:
        _ip("link", "add", BRIDGE, "type", "bridge")
        stack.callback(_ip, "link", "del", BRIDGE)
        _ip("address", "add", f"{NETWORK}.254/24", "dev", BRIDGE)
        _ip("link", "set", BRIDGE, "up")
        for number in range(count):
            name, address = f"{BRIDGE}-{number}", f"{NETWORK}.{number + 1}"
            key = folder / f"host-{number}"
            public = new_key(key)
            _ip("netns", "add", name)
            stack.callback(_ip, "netns", "del", name)
            _ip("link", "add", f"pob{number}", "master", BRIDGE, "type", "veth", "peer", "name", "eth0", "netns", name)
            _ip("link", "set", f"pob{number}", "up")
            for words in (
                ("address", "add", f"{address}/24", "dev", "eth0"),
                *(("link", "set", each, "up") for each in ("lo", "eth0")),
            ):
                _ip("-n", name, *words)
            own = (
                "unshare",
                "--pid",
                "--mount-proc",
                "--fork",
                "--kill-child",
                *_command(folder, key, SSH_PORT, [address]),
            )
            process = subprocess.Popen(["ip", "netns", "exec", name, *own])
            stack.callback(process.wait)
            stack.callback(process.kill)
            found.append(Served(f"host-{number}", address, SSH_PORT, public))
        for one in found:
            _wait_for(one.address, one.port)
        yield tuple(found)


def _ip(*words: str) -> None:
    subprocess.run(["ip", *words], check=True)


@contextmanager
def served(folder: Path, count: int, *, each: int = 1) -> Iterator[tuple[Served, ...]]:
    """Run sshd processes, each of which is `each` hosts.

    Args:
        folder: where keys and logs are; `client` is the key that they let in.
        count: of hosts.
        each: how many addresses of the count one process listens on.
    """
    if os.geteuid() == 0:
        Path("/run/sshd").mkdir(exist_ok=True)
    client = new_key(folder / "client")
    (folder / "authorized_keys").write_text(f"restrict {client}\n")
    port = free_port()
    addresses = [f"127.37.{number // 250}.{number % 250 + 1}" for number in range(count)]
    found: list[Served] = []
    with ExitStack() as stack:
        for number in range(0, count, each):
            own = addresses[number : number + each]
            key = folder / f"host-{number}"
            public = new_key(key)
            process = subprocess.Popen(_command(folder, key, port, own))
            stack.callback(process.wait)
            stack.callback(process.kill)
            found += (Served(f"host-{number + at}", address, port, public) for at, address in enumerate(own))
        for one in found:
            _wait_for(one.address, one.port)
        yield tuple(found)


def answer_later(folder: Path, sample: Path, seconds: float) -> None:
    """Let the hosts that are served from a folder answer with a capture, whatever they are asked, after some time.

    Args:
        folder: as given to `served`.
        sample: what a real system said, a section for each probe.
        seconds: how long an answer takes.
    """
    text = sample.read_text(encoding="utf-8")
    sections = "".join(
        f"<<<NONCE {name}>>>\n{said}\n<<<NONCE {name} stderr>>>\n\n<<<NONCE {name} rc=0 s=0>>>\n"
        for name, said in _SECTION.findall(text)
    )
    (folder / "answer").write_text(f"{sections}<<<NONCE done>>>\n", encoding="utf-8")
    script = (
        f"set -- $SSH_ORIGINAL_COMMAND\ncat >/dev/null\nsleep {seconds}\nexec sed s/NONCE/$3/ {folder / 'answer'}\n"
    )
    (folder / "answer.sh").write_text(script, encoding="utf-8")
    key = (folder / "client.pub").read_text(encoding="utf-8").strip()
    (folder / "authorized_keys").write_text(f'restrict,command="sh {folder / "answer.sh"}" {key}\n', encoding="utf-8")


def portal_of(folder: Path, hosts: Sequence[Served], identity: Path, *, extra: str = "") -> Path:
    """Make a configuration of these hosts and a ledger that knows their keys; return the configuration's path."""
    folder.mkdir()
    text = _CONFIGURATION.format(user=user_name(), identity=identity)
    tables = (_HOST.format(name=one.name, address=one.address, port=one.port) for one in hosts)
    path = folder / "portalops.toml"
    path.write_text("".join((text, extra, *tables)))
    ledger = Ledger.open(folder / "state", SystemClock(), create=True)
    ledger.append_many(
        [
            ledger.draft(
                ENROLLED,
                run=NO_RUN,
                subject=one.name,
                duty="12.1",
                body=ledger.keep(bodies.write({ENROLMENT: _enrolment(one)})),
            )
            for one in hosts
        ]
    )
    return path


def look_of_the_week(path: Path, hosts: Sequence[Served], identity: Path) -> None:
    """Record a round of what is not asked for in every one, so that the rounds of the week repeat it: all hosts are this machine, so
    one is asked, and its answer stands for all.
    """
    by_name = {one.name: one for one in hosts}

    def shell_for(host: Host) -> SshShell:
        one = by_name[host.id]
        return SshShell(SshTarget(one.address, one.port, user_name(), identity, (one.host_key,)))

    ledger = Ledger.open(path.parent / "state", SystemClock(), create=True)
    done = run_checks(
        [Host(HostId(hosts[0].name), hosts[0].address)],
        Declared(),
        shell_for=shell_for,
        keeper=ledger,
        clock=SystemClock(),
        progress=SilentProgress(),
        some=[
            one for one in checks() if any(probe.command and probe.repeated_for for probe in probes_of([one]).values())
        ],
    )
    (asked,) = (each for each in done.hosts if not each.standby)
    every = replace(done, hosts=tuple(_as_of(asked, HostId(one.name)) for one in hosts))
    ledger.append("check.finished", run=NO_RUN, subject="check", body=bodies.write({"check": every}))


def _as_of(asked: HostScan, name: HostId) -> HostScan:
    return replace(asked, host=name, results=tuple(replace(each, host=name) for each in asked.results))


def _enrolment(one: Served) -> Enrolment:
    key = one.host_key
    return Enrolment(
        HostId(one.name), f"{one.address}:{one.port}", key, fingerprint(key), HostKeyComparison.GIVEN, "bench"
    )


def _command(folder: Path, key: Path, port: int, addresses: Sequence[str]) -> list[str]:
    options = [
        *("UsePAM=no", "StrictModes=no", "PidFile=none", "MaxStartups=200", *without_penalties(key)),
        *("Subsystem=sftp internal-sftp", f"AuthorizedKeysFile={folder / 'authorized_keys'}"),
        *(f"ListenAddress={address}" for address in addresses),
    ]
    program = shutil.which("sshd") or "/usr/sbin/sshd"
    fixed = (program, "-D", "-f", "/dev/null", "-p", str(port), "-h", str(key), "-E", f"{key}.log")
    return [*fixed, *(part for option in options for part in ("-o", option))]


def _wait_for(address: str, port: int) -> None:
    until = time.monotonic() + 30
    while time.monotonic() < until:
        with suppress(OSError), socket.create_connection((address, port), timeout=1):
            return
        time.sleep(0.05)
    raise AssertionError("sshd does not listen")
