"""Whole hosts that parts of portalops are tried against: Debian with its own systemd, sshd, nftables, fail2ban and journal.

    pytestmark = [pytest.mark.hosts, pytest.mark.heavy]

    def test_a_host_answers(hosts: Hosts) -> None:
        with hosts.started() as host:  # of Debian 13; 12 and 11 by started(12), started(11)
            host.add_account("portal")
            assert "running" in host.sh("systemctl is-system-running")  # as root, and not through SSH
            table = host.ssh("portal")  # what `ssh` of a source holds

A root is built by mmdebstrap once (20 to 60 s each), kept as `.cache/hosts/debian-N-DIGEST.tar.zst`, and unpacked into
memory for each session that wants it (under 1 s). Each host is an overlay on it and a network namespace of its own, and
answers about 1.5 s after its start. A session has a bridge and a /24 of its own, so that sessions run side by side; nothing
of it is routed anywhere. What a session left that was killed is removed when the next one begins.

Hosts need root, the programs of `NEEDED`, and a kernel that lets this process mount and make namespaces: a plain container
does not. Where something is missing tests are skipped and say what. Limits (systemd-nspawn): the clock is the machine's,
there is no kernel log and no auditd, and cutting the link is cutting its cable.
"""

from __future__ import annotations

import fcntl
import hashlib
import ipaddress
import json
import os
import shlex
import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, BinaryIO

import pytest

from tests.servers import new_key

RELEASES = {13: "trixie", 12: "bookworm", 11: "bullseye"}
PACKAGES = (
    *("systemd-sysv", "dbus", "openssh-server", "openssh-sftp-server", "iproute2", "procps"),  # what makes it a host
    *("nftables", "fail2ban", "python3-systemd", "keepalived"),  # what server checks look at
    "sudo",  # what an account that is not root looks by
    *("acl", "attr", "libcap2-bin", "locales", "busybox"),  # what files of every kind are made and looked at with
)
"""More packages for a later test stand here: a changed list is built anew by itself."""
PREPARED = "; ".join(
    (
        r"""printf '#!/bin/sh\nexit 101\n' >"$1/usr/sbin/policy-rc.d" && chmod 755 "$1/usr/sbin/policy-rc.d" || exit 1""",
        r"""printf 'en_US.UTF-8 UTF-8\nvi_VN UTF-8\n' >"$1/etc/locale.gen" && chroot "$1" locale-gen || exit 1""",
        r"""cd "$1"; rm -f etc/ssh/ssh_host_*; install -d -m 700 root/.ssh""",
    )
)
"""What is done to every root; $1 is where it lies."""
NEEDED = ("mmdebstrap", "systemd-nspawn", "ip", "nsenter", "zstd", "tar", "ssh-keygen")
CACHE = Path(__file__).parents[1] / ".cache/hosts"
CLAIMS = Path("/run/portalops-hosts")
"""Where sessions of this machine claim their numbers, and have their roots and overlays in memory."""
BUILD_SECONDS = 900
BOOT_SECONDS = 90
STOP_SECONDS = 20
_NETWORK = "198.18.{}.0/24"  # of RFC 2544, for tests: neither the internet nor, as a rule, an office uses it
_ENVIRONMENT = {"PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "LC_ALL": "C.UTF-8"}
_NOT_REACHED = ("Could not resolve", "Could not connect", "Temporary failure", "timed out", "Network is unreachable")


def reason_for_none() -> str:
    """Return why no host can be had on this machine; empty if there is no reason."""
    if os.geteuid() != 0:
        return "hosts need root"
    absent = [program for program in NEEDED if shutil.which(program, path=_ENVIRONMENT["PATH"]) is None]
    if absent:
        return f"hosts need the programs {', '.join(absent)}"
    trial = 'mount -t tmpfs tmpfs "$1" && ip link add portalops type bridge'
    done = subprocess.run(
        ["unshare", "--mount", "--net", "sh", "-c", trial, "sh", str(Path(__file__).parent)],
        capture_output=True,
        check=False,
    )
    if done.returncode:
        return f"hosts need to mount and to make namespaces and bridges: {_words(done.stderr)}"
    return ""


@dataclass(frozen=True)
class Extras:
    """Packages that hosts of some tests have beside `PACKAGES`: a root of their own is kept for them."""

    name: str
    """Of that kind of root."""
    packages: tuple[str, ...]

    @property
    def suffix(self) -> str:
        """Return what tells its root from others: no root's name begins with another one's and a hyphen."""
        return f"+{self.name}" if self.name else ""


NO_EXTRAS = Extras("", ())


@pytest.fixture(scope="session")
def hosts() -> Iterator[Hosts]:
    """What starts hosts for this session."""
    reason = reason_for_none()
    if reason:
        pytest.skip(reason)
    with _claimed() as made:
        yield made


@dataclass
class Hosts:
    """A session's hosts: their bridge, their key, and the roots that they are made from."""

    number: int
    folder: Path
    """In memory: `key`, the roots `debian-N`, and a folder for each host."""
    key: Path
    """The private key that every account on them lets in."""
    _made: int = 0

    @property
    def bridge(self) -> str:
        """The network device that all of them hang on; this machine is .1 on it."""
        return f"pohosts{self.number}"

    @property
    def address(self) -> str:
        """Where hosts reach this machine: what listens there, they can connect to."""
        return str(ipaddress.ip_network(_NETWORK.format(self.number))[1])

    @contextmanager
    def started(
        self, release: int = 13, *, name: str = "portal", more: Extras = NO_EXTRAS, layers: Sequence[Path] = ()
    ) -> Iterator[Host]:
        """Give a running host that is gone after the block.

        Args:
            release: of Debian.
            name: of the host.
            more: packages that it has beside those of others.
            layers: folders whose files it has over those of its root, first ones over later ones; it writes to none of them.
        """
        root = self.root(release, more)
        self._made += 1
        network = ipaddress.ip_network(_NETWORK.format(self.number))
        host = Host(self, self._made, name, root, str(network[self._made + 1]), tuple(layers))
        try:
            host.up()
            yield host
        finally:
            host.down()
            shutil.rmtree(host.folder, ignore_errors=True)

    def root(self, release: int = 13, more: Extras = NO_EXTRAS) -> Path:
        """Return the unpacked root of a release, which no host writes to."""
        root = self.folder / f"debian-{release}{more.suffix}"
        if not root.exists():
            packed = _packed_root(release, more, self.folder)
            unpacking = self.folder / f"debian-{release}{more.suffix}.unpacking"
            unpacking.mkdir(mode=0o755)
            options = ("--numeric-owner", "--xattrs", "--xattrs-include=*", "--zstd")
            _run("tar", "-C", str(unpacking), "-xpf", str(packed), *options, seconds=BUILD_SECONDS)
            unpacking.rename(root)
        return root


@dataclass
class Host:
    """A host; its disk is kept from `down` to `up`."""

    hosts: Hosts
    number: int
    name: str
    root: Path
    address: str
    layers: tuple[Path, ...] = ()
    log: Path = field(init=False)
    """What its console showed."""
    _process: subprocess.Popen[bytes] | None = field(default=None, init=False)
    _first: int = field(default=0, init=False)

    def __post_init__(self) -> None:
        self.folder = self.hosts.folder / self._id
        self.log = self.folder / "log"
        self.disk = self.folder / "root"
        """Its root folder, as this machine sees it."""
        self.upper = self.folder / "upper"
        """What it has written: only that is in here (overlayfs), apart from what it keeps in memory."""
        self._host_key = self.folder / "host"

    @property
    def key(self) -> Path:
        """The private key that its accounts let in."""
        return self.hosts.key

    @property
    def host_key(self) -> str:
        """Its public key, to be pinned: TYPE BASE64."""
        return self._host_key.with_suffix(".pub").read_text().strip()

    def ssh(self, user: str = "root", **more: object) -> dict[str, object]:
        """Return the table that names the host and an account on it."""
        return {
            "host": self.address,
            "user": user,
            "identity_file": str(self.key),
            "host_key": self.host_key,
            **more,
        }

    def up(self) -> None:
        """Start it, and wait until whoever may can log in and everything that starts by itself was started."""
        if not self.folder.exists():
            for name in ("upper", "work", "root"):
                (self.folder / name).mkdir(parents=True, mode=0o755)
            new_key(self._host_key)
        lower = ":".join(str(each) for each in (*self.layers, self.root))
        layers = f"lowerdir={lower},upperdir={self.upper},workdir={self.folder / 'work'}"
        _run("mount", "-t", "overlay", "-o", layers, "overlay", str(self.disk))
        self._settle()
        self._plug()
        with self.log.open("ab") as log:
            self._process = subprocess.Popen(
                [
                    *("systemd-nspawn", "--quiet", f"--directory={self.disk}", "--boot", f"--machine={self._id}"),
                    *("--register=no", "--keep-unit", f"--network-namespace-path=/run/netns/{self._id}"),
                    *("--resolv-conf=off", "--timezone=off", "--console=read-only"),
                    "--capability=CAP_NET_ADMIN,CAP_NET_RAW",
                ],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        try:
            self._wait()
        except AssertionError:
            self.down()
            raise

    def down(self) -> None:
        """Pull its plug: nothing is told, nothing is synced; never fails."""
        process, self._process, self._first = self._process, None, 0
        _end(self._id)
        if process is not None:
            with suppress(subprocess.TimeoutExpired):
                process.wait(STOP_SECONDS)
            if process.returncode is None:
                process.kill()
                process.wait()
        _unmount(self.disk)

    def sh(self, command: str, *, stdin: bytes = b"", seconds: float = 60) -> str:
        """Run a command on it as root, past its network, and return what it prints.

        Raises:
            AssertionError: it did not end with exit code 0.
        """
        inside = ("nsenter", "--all", f"--target={self.first}", "sh", "-c", f"cd; {command}")
        done = subprocess.run(inside, input=stdin, capture_output=True, env=_ENVIRONMENT, timeout=seconds, check=False)
        assert done.returncode == 0, f"{command}: exit code {done.returncode}: {_words(done.stderr + done.stdout)}"
        return os.fsdecode(done.stdout)

    @property
    def first(self) -> int:
        """The number that its PID 1 has on this machine."""
        if not self._first:
            for process in _processes(self._id):
                with suppress(OSError):
                    numbers = Path(f"/proc/{process}/status").read_text().partition("NSpid:")[2].split("\n")[0].split()
                    if numbers[-1] == "1" and len(numbers) > 1:
                        self._first = process
        assert self._first, f"{self.name} does not run"
        return self._first

    def add_account(self, name: str, *, shell: str = "/bin/bash") -> Path:
        """Make an account that lets the key in, and return its home as the host sees it."""
        keys = f"/home/{name}/.ssh"
        self.sh(
            f"useradd --create-home --shell {shlex.quote(shell)} {name}; install -d -o {name} -g {name} -m 700 {keys}"
        )
        public = self.key.with_suffix(".pub").read_bytes()
        self.sh(f"cat >{keys}/authorized_keys; chown {name}: {keys}/authorized_keys", stdin=public)
        return Path("/home") / name

    def new_host_key(self) -> None:
        """Give it another key, as after an installation; `host_key` is the new one then."""
        for path in (self._host_key, self._host_key.with_suffix(".pub")):
            path.unlink()
        new_key(self._host_key)
        self._settle()
        self.sh("systemctl restart ssh")
        self._wait()

    def cut(self) -> None:
        """Cut its cable: what is sent then is lost, and nobody is told."""
        _run("ip", "link", "set", self._cable, "down")

    def mend(self) -> None:
        """Put the cable back."""
        _run("ip", "link", "set", self._cable, "up")

    def accounts_processes(self, name: str) -> list[str]:
        """Return what runs there as an account, systemd's own session keeping aside."""
        lines = self.sh(f"ps -o args= -u {name} || true").splitlines()
        return [
            line
            for line in lines
            if not line.startswith(("/usr/lib/systemd/systemd", "/lib/systemd/systemd", "(sd-pam)"))
        ]

    @property
    def _id(self) -> str:
        return f"po{self.hosts.number}-{self.number}"

    @property
    def _cable(self) -> str:
        return f"v{self._id}"

    def _settle(self) -> None:
        """Give it its name, its key and ours."""
        (self.disk / "etc/hostname").write_text(f"{self.name}\n")
        shutil.copyfile(self._host_key, self.disk / "etc/ssh/ssh_host_ed25519_key")
        shutil.copyfile(self._host_key.with_suffix(".pub"), self.disk / "etc/ssh/ssh_host_ed25519_key.pub")
        (self.disk / "etc/ssh/ssh_host_ed25519_key").chmod(0o600)
        keys = self.disk / "root/.ssh/authorized_keys"
        keys.write_bytes(self.key.with_suffix(".pub").read_bytes())
        keys.chmod(0o600)

    def _plug(self) -> None:
        """Give it a network device, on the session's bridge."""
        mac = f"02:00:12:{self.hosts.number:02x}:{self.number:02x}:01"  # the same one after a restart: caches know it
        _run("ip", "netns", "add", self._id)
        peer = ("type", "veth", "peer", "name", "host0", "address", mac, "netns", self._id)
        _run("ip", "link", "add", self._cable, *peer)
        _run("ip", "link", "set", self._cable, "master", self.hosts.bridge, "up")
        _run("ip", "-n", self._id, "address", "add", f"{self.address}/24", "dev", "host0")
        for device in ("lo", "host0"):
            _run("ip", "-n", self._id, "link", "set", device, "up")

    def _wait(self) -> None:
        until = time.monotonic() + BOOT_SECONDS
        while not self._greets():
            ended = self._process is None or self._process.poll() is not None
            assert not ended and time.monotonic() < until, self._console()
            time.sleep(0.05)
        # running, or degraded where something failed, as fail2ban does on Debian 12 as it is shipped
        self.sh("timeout 60 systemctl is-system-running --wait || true", seconds=BOOT_SECONDS)

    def _greets(self) -> bool:
        with suppress(OSError), socket.create_connection((self.address, 22), timeout=1) as link:
            return link.recv(4) == b"SSH-"
        return False

    def _console(self) -> str:
        return f"{self.name} does not come up: {self.log.read_text(errors='replace')[-3000:]}"


@contextmanager
def _claimed() -> Iterator[Hosts]:
    """Take a number that no other session of this machine has, and all that goes with it."""
    CLAIMS.mkdir(mode=0o700, exist_ok=True)
    _clear_the_dead()
    number, claim = _claim()
    with claim:
        try:
            folder = CLAIMS / str(number)
            folder.mkdir(exist_ok=True)
            _run("mount", "-t", "tmpfs", "-o", "mode=755,size=50%", "portalops-hosts", str(folder))
            made = Hosts(number, folder, folder / "key")
            new_key(made.key)
            network = ipaddress.ip_network(_NETWORK.format(number))
            _run("ip", "link", "add", made.bridge, "type", "bridge")
            _run("ip", "address", "add", f"{network[1]}/24", "dev", made.bridge)
            _run("ip", "link", "set", made.bridge, "up")
            yield made
        finally:
            _clear(number)


def _claim() -> tuple[int, BinaryIO]:
    """Return a free number, and what holds it until it is closed, or until this process ends, however it does."""
    taken = _routed()
    for number in range(256):
        network = ipaddress.ip_network(_NETWORK.format(number))
        claim = _held(number)
        if claim is None:
            continue
        if not any(network.overlaps(each) for each in taken):
            return number, claim
        claim.close()
    raise AssertionError(f"no network of {_NETWORK.format('N')} is free")


def _held(number: int) -> BinaryIO | None:
    claim = (CLAIMS / f"{number}.lock").open("ab")
    try:
        fcntl.flock(claim, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        claim.close()
        return None
    return claim


def _clear_the_dead() -> None:
    """Remove what sessions left that did not come to their end."""
    for lock in CLAIMS.glob("*.lock"):
        number = int(lock.stem)
        if (CLAIMS / str(number)).exists() and (claim := _held(number)) is not None:
            with claim:
                _clear(number)


def _clear(number: int) -> None:
    """Remove all that a session has outside its process; whoever calls holds the number."""
    folder = CLAIMS / str(number)
    for name in _namespaces():
        if name.startswith(f"po{number}-"):
            _end(name)
            _unmount(folder / name / "root")
    subprocess.run(["ip", "link", "delete", f"pohosts{number}"], capture_output=True, check=False)
    _unmount(folder)
    with suppress(FileNotFoundError):
        folder.rmdir()


def _end(name: str) -> None:
    """Kill all that runs in a host's network, and remove that; systemd-nspawn ends by itself when PID 1 is gone."""
    until = time.monotonic() + STOP_SECONDS
    while processes := _processes(name):
        assert time.monotonic() < until, f"{name} cannot be killed: {processes}"
        for process in processes:
            with suppress(ProcessLookupError):
                os.kill(process, signal.SIGKILL)
        time.sleep(0.02)
    # a connection that was not ended keeps a network for minutes, and with it the cable's end here
    subprocess.run(["ip", "link", "delete", f"v{name}"], capture_output=True, check=False)
    if name in _namespaces():
        _run("ip", "netns", "delete", name)


def _unmount(folder: Path) -> None:
    """Unmount what is mounted on a folder, if anything is, as soon as nothing uses it."""
    until = time.monotonic() + STOP_SECONDS
    while os.path.ismount(folder):
        busy = subprocess.run(["umount", str(folder)], capture_output=True, check=False)
        if busy.returncode and time.monotonic() > until:
            _run("umount", "--lazy", str(folder))
        elif busy.returncode:
            time.sleep(0.05)


def _namespaces() -> set[str]:
    with suppress(FileNotFoundError):
        return set(os.listdir("/run/netns"))
    return set()


def _processes(name: str) -> list[int]:
    if name not in _namespaces():
        return []
    return [int(each) for each in _run("ip", "netns", "pids", name).split()]


def _routed() -> list[ipaddress.IPv4Network]:
    """Return the networks that this machine reaches by a way of their own."""
    routes: list[dict[str, Any]] = json.loads(_run("ip", "-json", "-4", "route", "show", "table", "all"))
    named = [str(route["dst"]) for route in routes]
    networks = [ipaddress.IPv4Network(each) for each in named if each[:1].isdigit()]
    return [each for each in networks if each.prefixlen >= 8]  # a shorter one is a way to everything


def _packed_root(release: int, more: Extras, scratch: Path) -> Path:
    """Return a release's root as an archive; build it if it is not there."""
    packages = (*PACKAGES, *more.packages)
    recipe = f"{RELEASES[release]}\n{' '.join(packages)}\n{PREPARED}"
    name = f"debian-{release}{more.suffix}"
    packed = CACHE / f"{name}-{hashlib.sha256(recipe.encode()).hexdigest()[:12]}.tar.zst"
    CACHE.mkdir(parents=True, exist_ok=True)
    with (CACHE / f"{name}.lock").open("ab") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # one worker builds, the others wait
        if not packed.exists():
            for old in CACHE.glob(f"{name}-*"):
                old.unlink()
            _build(release, packages, packed, scratch)
    return packed


def _build(release: int, packages: tuple[str, ...], packed: Path, scratch: Path) -> None:
    """Build a root.

    Raises:
        Skipped: no Debian mirror can be reached.
    """
    building, root = packed.with_suffix(".building"), scratch / "building.tar"
    command = [
        *("mmdebstrap", "--quiet", "--variant=minbase", f"--include={','.join(packages)}"),
        *("--dpkgopt=force-unsafe-io", f"--customize-hook={PREPARED}"),
        *(RELEASES[release], str(root), *_mirror()),
    ]
    environment = {**os.environ, "TMPDIR": str(scratch)}
    done = subprocess.run(
        command, env=environment, stdin=subprocess.DEVNULL, capture_output=True, timeout=BUILD_SECONDS, check=False
    )
    said = _words(done.stderr)
    if done.returncode and any(each in said for each in _NOT_REACHED):
        pytest.skip(f"no mirror of Debian can be reached, to build a host of Debian {release}: {said}")
    assert done.returncode == 0, said
    _run("zstd", "-q", "-T0", "-3", "--force", str(root), "-o", str(building), seconds=BUILD_SECONDS)
    root.unlink()
    building.rename(packed)


def _mirror() -> list[str]:
    """Return where this machine gets Debian from; nothing, if it is another system, for mmdebstrap's own choice."""
    listed = ("apt-get", "indextargets", "--format", "$(LABEL) $(REPO_URI)", "Created-By: Packages")
    found = [line.split()[-1] for line in _run(*listed).splitlines() if line.startswith("Debian ")]
    return found[:1]


def _run(*command: str, seconds: float = 60) -> str:
    done = subprocess.run(command, capture_output=True, timeout=seconds, check=False)
    assert done.returncode == 0, f"{shlex.join(command)}: {_words(done.stderr)}"
    return os.fsdecode(done.stdout)


def _words(said: bytes) -> str:
    return " ".join(said.decode("utf-8", "replace").split())[-1500:]
