"""A whole Debian 13 in a virtual machine, with a tape drive and a burner of discs that its kernel takes for real ones.

    def test_on_tape(vm: Machine) -> None:      # @pytest.mark.vm, and heavy
        vm.load_tape(size_mib=64)
        vm.install_portalops()
        vm.run("mt", "-f", "/dev/nst0", "status")
        vm.run("portalops", "--config", "/srv/portalops.toml", "backup", "run")

The drives are those that tgt emulates inside the machine and hands to its own kernel by iSCSI, so that the kernel's own
drivers (st, sr) answer as they would over a real drive. The machine is emulated in software: everything in it takes about
ten times as long. It is made once, with Debian's packages from where this machine's own apt gets them, and kept in
`.cache/vm` as it was when it had booted; each test's machine starts there in about two seconds, on a layer of its own that
is thrown away. Nothing leads out of it but SSH from here.
"""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import io
import json
import os
import platform
import shlex
import shutil
import socket
import subprocess
import tarfile
import tempfile
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from tests.installed import put_packages, python_of
from tests.programs import need
from tests.servers import free_port, new_key

ROOT = Path(__file__).parents[1]
CACHE = ROOT / ".cache" / "vm"
TAPE = "/dev/nst0"
DISC = "/dev/sr0"
PROGRAMS = ("qemu-system-x86_64", "qemu-img", "mmdebstrap", "mke2fs", "ssh", "apt-get")
TEST_PACKAGES = ("pytest", "iniconfig", "pluggy", "packaging", "pygments")
"""What the suite itself needs, beside what portalops does, to run inside."""

# What follows decides what is made; a change of it makes the machine anew.
PACKAGES = (
    *("systemd-sysv", "dbus", "udev", "kmod", "procps", "iproute2", "openssh-server", "linux-image-cloud-amd64"),
    *("initramfs-tools", "tgt", "open-iscsi", "mt-st", "mtx", "sg3-utils", "lsscsi", "xorriso", "growisofs"),
    *("python3", "age", "zstd"),
)
SMALLER = tuple(f"--dpkgopt=path-exclude=/usr/share/{what}/*" for what in ("doc", "man", "locale"))
MACHINE = (
    *("-machine", "pc,accel=tcg", "-cpu", "max", "-m", "1024", "-smp", "1", "-nodefaults", "-display", "none"),
    *("-device", "virtio-rng-pci", "-device", "virtio-net-pci,netdev=net"),
)
DISK_BYTES = 6 << 30
NETWORK = "[Match]\nName=eth0\n[Network]\nAddress=10.0.2.15/24\nLinkLocalAddressing=no\n"
BOOT = "root=/dev/vda rw console=ttyS0 net.ifnames=0 systemd.mask=systemd-timesyncd.service"
PORTALOPS = '#!/bin/sh\nexec python3 -c "from commands.app import main; main()" "$@"\n'
SETTINGS_OF_PYTHON = "/opt/portalops\n"
DRIVES = r"""
set -e
systemctl start tgt iscsid
mkdir -p /var/lib/drives
tgtimg --op new --device-type tape --barcode A00001 --size 64 --type data --file /var/lib/drives/tape
tgtimg --op new --device-type cd --type dvd+r --file /var/lib/drives/disc
tgtadm --lld iscsi --mode target --op new --tid 1 -T iqn.2026-11.local:drives
tgtadm --lld iscsi --mode logicalunit --op new --tid 1 --lun 1 --device-type tape -b /var/lib/drives/tape
tgtadm --lld iscsi --mode logicalunit --op new --tid 1 --lun 2 --device-type cd -b /var/lib/drives/disc
tgtadm --lld iscsi --mode target --op bind --tid 1 -I ALL
modprobe -a iscsi_tcp st sr_mod sg isofs udf loop
iscsiadm -m discovery -t sendtargets -p 127.0.0.1
for each in interval timeout; do  # a busy emulator is no broken link
    iscsiadm -m node -T iqn.2026-11.local:drives -p 127.0.0.1 -o update -n "node.conn[0].timeo.noop_out_$each" -v 0
done
iscsiadm -m node -T iqn.2026-11.local:drives -p 127.0.0.1 --login
udevadm settle
for try in $(seq 100); do if [ -c /dev/nst0 ] && [ -b /dev/sr0 ]; then exit 0; fi; sleep 0.2; done
lsscsi -g >&2; exit 1
"""


class VmFailed(Exception):
    """The machine, or a command in it, did not do what the test needs of it."""


@dataclass(frozen=True, slots=True)
class Done:
    """What became of a command."""

    code: int
    output: str
    errors: str


class Machine:
    """A running machine."""

    def __init__(self, folder: Path, port: int, key: Path, known_hosts: Path) -> None:
        self._folder = folder
        options = {
            "IdentityFile": key,
            "IdentitiesOnly": "yes",
            "UserKnownHostsFile": known_hosts,
            "HostKeyAlias": "vm",
            "ControlPath": folder / "control",
            "ControlMaster": "auto",
            "ControlPersist": "yes",
            "BatchMode": "yes",
            "LogLevel": "ERROR",
            "ConnectTimeout": 120,
        }
        self._ssh = ["ssh", "-F", "none", "-p", str(port)]
        self._ssh += [word for name, value in options.items() for word in ("-o", f"{name}={value}")]
        self._ssh += ["root@127.0.0.1"]

    def let_go(self) -> None:
        """End the connection that the commands share."""
        subprocess.run([*self._ssh, "-O", "exit"], capture_output=True, check=False)

    def run(
        self,
        *argv: str,
        check: bool = True,
        sent: bytes = b"",
        environment: Mapping[str, str] | None = None,
        seconds: float = 300,
    ) -> Done:
        """Run a program as root and return what it said.

        Args:
            argv: the program and its arguments; each arrives as it is.
            check: fail the test for an exit code that is not 0.
            sent: its standard input.
            environment: more variables.
            seconds: how long it may take.
        """
        __tracebackhide__ = True
        done = self.run_for_bytes(*argv, sent=sent, environment=environment, seconds=seconds)
        found = Done(done.returncode, done.stdout.decode("utf-8", "replace"), done.stderr.decode("utf-8", "replace"))
        if check and found.code != 0:
            raise VmFailed(
                f"{shlex.join(argv)[:500]} ended with {found.code}\n{found.output[-3000:]}{found.errors[-3000:]}"
            )
        return found

    def run_for_bytes(
        self, *argv: str, sent: bytes = b"", environment: Mapping[str, str] | None = None, seconds: float = 300
    ) -> subprocess.CompletedProcess[bytes]:
        """Run a program as root, whatever its exit code, and return the bytes that it said."""
        before = [f"{name}={value}" for name, value in (environment or {}).items()]
        command = shlex.join(["env", *before, *argv])
        return subprocess.run([*self._ssh, command], input=sent, capture_output=True, timeout=seconds, check=False)

    def shell(self, script: str, *, check: bool = True, seconds: float = 300) -> Done:
        """Run a script of sh."""
        __tracebackhide__ = True
        return self.run("sh", "-c", script, check=check, seconds=seconds)

    def put(self, here: Path, there: str) -> None:
        """Copy a file or a folder to a path, which must not be there yet, with what its owners and modes are here."""
        packed = io.BytesIO()
        with tarfile.open(fileobj=packed, mode="w") as archive:
            archive.add(here, there.lstrip("/"), filter=_as_root)
        self.unpack(packed.getvalue())

    def unpack(self, archive: bytes) -> None:
        """Unpack a tar below /."""
        self.run("tar", "-x", "-C", "/", sent=archive)

    def write(self, there: str, content: str | bytes) -> None:
        """Write a file; its folder is made."""
        data = content.encode() if isinstance(content, str) else content
        self.run("sh", "-c", 'mkdir -p "$(dirname "$0")" && cat >"$0"', there, sent=data)

    def read(self, there: str) -> bytes:
        """Return the content of a file."""
        done = self.run_for_bytes("cat", there)
        if done.returncode != 0:
            raise VmFailed(done.stderr.decode("utf-8", "replace"))
        return done.stdout

    def install_portalops(self, *, tests: bool = False) -> None:
        """Put this checkout's portalops inside, as the program `portalops`; what it needs is there already.

        Args:
            tests: the suite too, so that `python3 -m pytest /opt/portalops/tests/...` runs parts of it inside.
        """
        packed = io.BytesIO()
        with tarfile.open(fileobj=packed, mode="w") as archive:
            for name in ("portalops", "commands", "checks", "backups", *(("tests", "pyproject.toml") if tests else ())):
                archive.add(ROOT / name, f"opt/portalops/{name}", filter=_as_source)
        self.unpack(packed.getvalue())

    def put_layer(self, layer: Path) -> None:
        """Put a folder's files over what is there, compiled as they are: Python is the one of a host of Debian 13 (tests/installed.py)."""
        for part in sorted(layer.iterdir()):
            self.put(part, f"/{part.name}")

    def load_tape(self, *, size_mib: int = 64, name: str = "tape", blank: bool = True) -> None:
        """Put a cartridge into the drive.

        Args:
            size_mib: how much it holds.
            name: of the cartridge; one that was loaded before comes back with this name and `blank=False`.
            blank: a new one.
        """
        new = f"tgtimg --op new --device-type tape --barcode {name} --size {size_mib} --type data --file $file"
        self._load(1, name, new if blank else "true")

    def eject_tape(self) -> None:
        """Take the cartridge out of the drive; `load_tape` with its name and `blank=False` brings it back."""
        self.shell("tgtadm --lld iscsi --mode logicalunit --op update --tid 1 --lun 1 --params online=0")

    def load_disc(self, *, name: str = "disc", blank: bool = True) -> None:
        """Put a DVD+R into the burner; as `load_tape`."""
        self._load(2, name, "tgtimg --op new --device-type cd --type dvd+r --file $file" if blank else "true")

    def _load(self, unit: int, name: str, new: str) -> None:
        release = f"sg_prevent --allow {DISC}; " if unit == 2 else ""  # the kernel holds the tray once it was opened
        update = f"tgtadm --lld iscsi --mode logicalunit --op update --tid 1 --lun {unit} --params"
        self.shell(
            f"set -e; file=/var/lib/drives/{name}; {release}{update} online=0; {'rm -f $file;' if new != 'true' else ''}"
            f"{new}; {update} path=$file; {update} online=1"
        )


@pytest.fixture(scope="module")
def vm(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Machine]:
    """A machine for the tests of a module."""
    with open_machine(tmp_path_factory.mktemp("vm")) as machine:
        yield machine


@contextlib.contextmanager
def open_machine(folder: Path) -> Iterator[Machine]:
    """Start a machine as it was when it had booted; make it first if it was never made."""
    need(*PROGRAMS)
    if platform.machine() != "x86_64":
        pytest.skip("the machine is an x86-64, and takes this machine's wheels")
    if os.geteuid() != 0:
        pytest.skip("needs root")
    made = _made()
    layer = folder / "layer.qcow2"
    _call("qemu-img", "create", "-q", "-f", "qcow2", "-b", made / "root.qcow2", "-F", "qcow2", layer)
    with _running(made, layer, folder, ["-incoming", f"file:{made / 'state'}"]) as (machine, monitor):
        monitor.wait_until("running")
        machine.run("date", "-s", f"@{time.time():.0f}")
        yield machine


@contextlib.contextmanager
def boot_again(folder: Path, *, at: datetime) -> Iterator[Machine]:
    """Start a machine of `open_machine` again whose context has ended, as after it was switched off: from its disk.

    Args:
        folder: the one that was given to `open_machine`.
        at: what its clock says when it is switched on.
    """
    base = at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S")
    with _running(_made(), folder / "layer.qcow2", folder, ["-rtc", f"base={base}"]) as (machine, monitor):
        monitor.wait_until("running")
        _wait_until_it_has_booted(machine)
        yield machine


# --- how it is made ---------------------------------------------------------------------------


def _made() -> Path:
    """Return the folder of the machine that has booted; one process makes it, and the others wait."""
    folder = CACHE / _key()
    CACHE.mkdir(parents=True, exist_ok=True)
    with (CACHE / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not folder.exists():
            for old in CACHE.iterdir():
                if old.is_dir():  # of another recipe, or of a making that was ended
                    shutil.rmtree(old)
            building = CACHE / "building"
            building.mkdir()
            _make(building)
            building.rename(folder)
    return folder


def _key() -> str:
    version = _call("qemu-system-x86_64", "--version")
    recipe = (PACKAGES, SMALLER, MACHINE, DISK_BYTES, NETWORK, BOOT, PORTALOPS, SETTINGS_OF_PYTHON, DRIVES, version)
    return hashlib.sha256(repr((recipe, _lock())).encode()).hexdigest()[:16]


def _make(folder: Path) -> None:
    root = folder / "root"
    _call(
        *("unshare", "--mount"),  # what it mounts and leaves mounted ends with it, and is not copied to the disk
        "mmdebstrap",
        "--quiet",
        "--variant=minbase",
        f"--include={','.join(PACKAGES)}",
        *SMALLER,
        "trixie",
        root,
        _mirror(),
    )
    new_key(folder / "key")
    _write(root / "root/.ssh/authorized_keys", (folder / "key.pub").read_text())
    (folder / "known_hosts").write_text(f"vm {(root / 'etc/ssh/ssh_host_ed25519_key.pub').read_text()}")
    _write(root / "etc/hostname", "vm\n")
    _write(root / "etc/hosts", "127.0.0.1 localhost vm\n")
    _write(root / "etc/systemd/network/00-eth0.network", NETWORK)
    _write(root / "usr/local/bin/portalops", PORTALOPS, mode=0o755)
    _write(root / "usr/local/lib/drives", DRIVES)
    _call("systemctl", "--root", root, "--quiet", "enable", "systemd-networkd.service")
    put_packages(root / "opt/packages", _lock(), python_of(root))
    _write(root / "usr/lib/python3/dist-packages/portalops.pth", f"/opt/packages\n{SETTINGS_OF_PYTHON}")
    _call("chroot", root, "python3", "-m", "compileall", "-q", "/opt/packages", "/usr/lib/python3")
    shutil.copy(next(root.glob("boot/vmlinuz-*")), folder / "kernel")
    shutil.copy(next(root.glob("boot/initrd.img-*")), folder / "initrd")
    raw = folder / "root.raw"
    _call("mke2fs", "-q", "-t", "ext4", "-d", root, raw, f"{DISK_BYTES >> 20}M")
    _call("qemu-img", "convert", "-O", "qcow2", raw, folder / "root.qcow2")
    raw.unlink()
    shutil.rmtree(root)
    with (
        tempfile.TemporaryDirectory() as scratch,
        _running(folder, folder / "root.qcow2", Path(scratch), []) as (machine, monitor),
    ):
        _wait_until_it_has_booted(machine)
        machine.run("sh", "/usr/local/lib/drives")
        machine.run("sync")
        monitor.say("migrate", uri=f"file:{folder / 'state'}")
        monitor.wait_until("postmigrate")


def _lock() -> str:
    """Return the locked requirements of portalops, and of the tests those that run inside."""
    text = (ROOT / "requirements/dev.txt").read_text()
    blocks = [block for block in ("\n" + text).replace("\n    ", "\0").split("\n") if block]
    wanted = [block for block in blocks if block.partition("==")[0] in TEST_PACKAGES]
    return (ROOT / "requirements/run.txt").read_text() + "".join(
        f"{block}\n".replace("\0", "\n    ") for block in wanted
    )


def _mirror() -> str:
    """Return where this machine's own apt gets Debian 13 from, as a line of sources.list."""
    found = _call("apt-get", "indextargets", "--format", "$(REPO_URI) $(CODENAME)", "Created-By: Packages")
    for line in found.splitlines():
        address, _space, codename = line.partition(" ")
        if codename == "trixie":
            return f"deb {address} trixie main"
    pytest.skip("this machine's apt knows no source of Debian 13, or has no lists yet (apt-get update)")


def _wait_until_it_has_booted(machine: Machine) -> None:
    until = time.monotonic() + 300
    while machine.run("systemctl", "is-system-running", "--wait", check=False).output.strip() not in {
        "running",
        "degraded",
    }:
        if time.monotonic() > until:
            raise VmFailed("it does not boot")
        time.sleep(1)


# --- how it runs ------------------------------------------------------------------------------


@contextlib.contextmanager
def _running(made: Path, disk: Path, folder: Path, more: list[str]) -> Iterator[tuple[Machine, _Monitor]]:
    """Run a machine whose kernel and keys are in `made` on a disk; it is killed at the end."""
    port, place = free_port(), folder / "monitor"
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen(
            [
                *("qemu-system-x86_64", *MACHINE, "-kernel", str(made / "kernel"), "-initrd", str(made / "initrd")),
                *("-append", BOOT, "-serial", f"file:{folder / 'console'}", "-qmp", f"unix:{place},server=on,wait=off"),
                *("-drive", f"file={disk},format=qcow2,if=virtio,cache=unsafe"),
                *("-netdev", f"user,id=net,restrict=on,hostfwd=tcp:127.0.0.1:{port}-:22", *more),
            ],
            stdout=log,
            stderr=log,
            stdin=subprocess.DEVNULL,
        )
    machine = Machine(folder, port, made / "key", made / "known_hosts")
    try:
        with contextlib.closing(_Monitor(place, process, folder / "log")) as monitor:
            yield machine, monitor
            machine.let_go()
    finally:
        process.kill()
        process.wait()


class _Monitor:
    """Talks with qemu by its QMP."""

    def __init__(self, place: Path, process: subprocess.Popen[bytes], log: Path) -> None:
        self._socket = socket.socket(socket.AF_UNIX)
        until = time.monotonic() + 20
        while True:
            try:
                self._socket.connect(str(place))
                break
            except OSError:
                if process.poll() is not None or time.monotonic() > until:
                    self._socket.close()
                    raise VmFailed(log.read_text(errors="replace")) from None
                time.sleep(0.05)
        self._file = self._socket.makefile("rw")
        self.say("qmp_capabilities")

    def close(self) -> None:
        self._file.close()
        self._socket.close()

    def say(self, command: str, **arguments: object) -> Any:
        """Give a command and return its answer."""
        self._file.write(json.dumps({"execute": command, "arguments": arguments}) + "\n")
        self._file.flush()
        for line in self._file:
            answer = json.loads(line)
            if "error" in answer:
                raise VmFailed(f"{command}: {answer['error']}")
            if "return" in answer:
                return answer["return"]
        raise VmFailed(f"{command}: qemu ended")

    def wait_until(self, status: str) -> None:
        """Wait until the machine is in a state that `query-status` names."""
        until = time.monotonic() + 120
        while self.say("query-status")["status"] != status:
            if time.monotonic() > until:
                raise VmFailed(f"it is not {status}")
            time.sleep(0.05)


def _call(*argv: str | Path) -> str:
    done = subprocess.run([str(each) for each in argv], capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise VmFailed(f"{argv[0]} ended with {done.returncode}: {done.stderr[-3000:]}")
    return done.stdout


def _write(path: Path, content: str, *, mode: int = 0o644) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(content)
    path.chmod(mode)


def _as_root(member: tarfile.TarInfo) -> tarfile.TarInfo:
    member.uid = member.gid = 0
    member.uname = member.gname = "root"
    return member


def _as_source(member: tarfile.TarInfo) -> tarfile.TarInfo | None:
    return None if member.name.endswith(("__pycache__", ".pyc", "/samples")) else _as_root(member)
