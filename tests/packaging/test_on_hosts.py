"""Real wheelhouses and packages on whole hosts without a way out: installed, upgraded, rolled back and removed."""

from __future__ import annotations

import fcntl
import hashlib
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.hosts import Extras, Host, Hosts
from tests.packaging.houses import ROOT, SIGNER, STRANGER

pytestmark = [pytest.mark.hosts, pytest.mark.heavy]

BARE = Extras("python", ("python3", "openssh-client"))
"""Hosts with the Python of their release: without ensurepip, which lies in python3-venv there."""
OLD, NEW = "0.1.0", "0.2.0"
NOT_BUILT = ("tests/", "bench/", "docs/", ".github/")
"""What of the sources no wheel and no package has anything of."""
CACHE = ROOT / ".cache/houses"
CACHED_SECONDS = 86_400
"""How long what was built is kept that no session asked for."""
BUILD_SECONDS = 900
STICK = "/media/stick"
"""Where each host has what was built, as on a stick that was carried there."""
PORTAL = "/srv/portal"
INIT = f"portalops --quiet init --folder {PORTAL} --portal-id khanhhoa --name-vi 'Cổng thông tin điện tử' --medium /srv/disk-a"
"""A portal whose one medium is a folder: what is run here is about versions, and no duty needs to be met."""
AS_PORTALOPS = "runuser -u portalops --"
UNITS = "ls /etc/systemd/system | grep portalops || true"
TIMERS = "systemctl list-timers --all --no-legend | grep -o 'portalops[^ ]*timer' || true"


@dataclass(frozen=True)
class Built:
    """What was built of this checkout, as two versions."""

    folder: Path
    """A layer of a host: it has them in `STICK`."""

    def house(self, version: str) -> str:
        return self._one(f"portalops-{version}-wheelhouse-*.tar.gz")

    def deb(self, version: str, release: str = "deb13") -> str:
        return self._one(f"portalops_{version}+*~{release}_amd64.deb")

    def _one(self, pattern: str) -> str:
        (found,) = (self.folder / STICK.removeprefix("/")).glob(pattern)
        return found.name


@pytest.fixture(scope="module")
def built() -> Built:
    """Build two versions of the tracked files as they are in the work tree, unless that was done already."""
    asked = ["git", "ls-files", "-z"]
    listed = subprocess.run(asked, cwd=ROOT, check=True, capture_output=True).stdout.decode().split("\0")
    sources = [name for name in listed if name and not name.startswith(NOT_BUILT) and (ROOT / name).is_file()]
    digest = hashlib.sha256()
    for name in sources:
        digest.update(f"{name} {hashlib.sha256((ROOT / name).read_bytes()).hexdigest()}\n".encode())
    layer = CACHE / digest.hexdigest()[:12]
    CACHE.mkdir(parents=True, exist_ok=True)
    with (CACHE / "lock").open("ab") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # one worker builds, the others wait
        if not layer.exists():
            for old in CACHE.iterdir():
                if old.is_dir() and (old.suffix == ".making" or time.time() - old.stat().st_mtime > CACHED_SECONDS):
                    shutil.rmtree(old)
            making = layer.with_suffix(".making")
            stick = making / STICK.removeprefix("/")
            stick.mkdir(parents=True)
            with tempfile.TemporaryDirectory() as scratch:
                build(sources, Path(scratch), stick)
            making.rename(layer)
        os.utime(layer)
    return Built(layer)


def build(sources: Sequence[str], scratch: Path, stick: Path) -> None:
    """Build both versions of sources, the older one for Debian 12 too."""
    source = scratch / "source"
    for name in sources:
        (source / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(ROOT / name, source / name)
    (source / ".cache").mkdir()
    (ROOT / ".cache/wheels").mkdir(parents=True, exist_ok=True)
    (source / ".cache/wheels").symlink_to(ROOT / ".cache/wheels")
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", scratch / "key"], check=True)
    kind, public = (scratch / "key.pub").read_text().split()[:2]
    (stick / "release.allowed").write_text(f"{SIGNER} {kind} {public}\n")
    (stick / "strangers").write_text(f"stranger@x {STRANGER.public_key}\n")
    run(source, "git", "init", "--quiet")
    audit: tuple[str, ...] = ()
    for version in (OLD, NEW):
        package = source / "portalops/__init__.py"
        package.write_text(re.sub(r'__version__ = ".*"', f'__version__ = "{version}"', package.read_text()))
        run(source, "git", "add", "--all", "--force", ":!.cache")
        run(source, "git", "commit", "--quiet", "--message", version)
        signed = ("--signing-key", str(scratch / "key"), "--output", str(stick))
        pythons = ("--python", "3.13") if version == NEW else ()
        run(source, sys.executable, "scripts/build_wheelhouse.py", *signed, *pythons, *audit)
        (house,) = stick.glob(f"portalops-{version}-wheelhouse-*.tar.gz")
        run(source, sys.executable, "scripts/build_deb.py", str(house), *signed)
        held = f"{house.name.removesuffix('.tar.gz')}/audit.json"
        run(scratch, "tar", "-xzf", str(house), "--strip-components=1", held)
        audit = ("--audit", str(scratch / "audit.json"))  # asking what is known takes long, and was done


def run(folder: Path, *command: str) -> None:
    named = {f"GIT_{who}_{what}": "tests" for who in ("AUTHOR", "COMMITTER") for what in ("NAME", "EMAIL")}
    environment = {**os.environ, **named, "PYTHONPATH": str(folder)}
    done = subprocess.run(
        command, cwd=folder, capture_output=True, text=True, check=False, timeout=BUILD_SECONDS, env=environment
    )
    assert done.returncode == 0, f"{command}: {done.stderr[-3000:]}"


@contextmanager
def cut_off(hosts: Hosts, built: Built, release: int) -> Iterator[Host]:
    """Give a bare host without any way out, and with the stick."""
    with hosts.started(release, more=BARE, layers=(built.folder,)) as host:
        host.cut()
        yield host


def at(host: Host, command: str, *, folder: str = STICK, stdin: bytes = b"") -> str:
    """Run a command on a host in a folder, as root."""
    return host.sh(f"cd {folder} && {{\n{command.strip()}\n}}", stdin=stdin, seconds=300)


def files_of(host: Host) -> set[str]:
    """Every file, link and folder of a host's disk, apart from the stick and from where the system itself writes."""
    passed_over = (
        *("/proc", "/sys", "/dev", "/run", "/tmp", STICK),
        *("/var/log", "/var/lib/dpkg", "/var/lib/systemd", "/var/cache"),
    )
    pruned = " -o ".join(f"-path {path}" for path in passed_over)
    return set(at(host, f"find / \\( {pruned} \\) -prune -o -print").splitlines())


def refused(host: Host, command: str) -> str:
    """Run a command that must not end with 0, and return what it said on standard error."""
    return at(host, f"{{ {command}; }} 2>said >out && {{ cat out; exit 1; }}\ncat said")


def run_portalops(host: Host, *arguments: str, become: str = "") -> Any:
    """Call portalops in the portal's folder, and return its JSON."""
    called = " ".join((become, "portalops", "--json", *arguments))
    kept = f"{STICK}/said >{STICK}/out"
    shown = f"[ $code -lt 4 ] || {{ cat {STICK}/said {STICK}/out >&2; exit 1; }}; cat {STICK}/out"
    return json.loads(at(host, f"code=0; {called} 2>{kept} || code=$?\n{shown}", folder=PORTAL))


def installations(host: Host, become: str = "") -> list[dict[str, Any]]:
    records = run_portalops(host, "ledger", "show", "--kind", "installation", become=become)["data"]
    shown = [run_portalops(host, "ledger", "show", str(each["id"]), become=become) for each in records]
    return [each["data"]["details"]["installation"] for each in shown]


def run_and_verify(host: Host, become: str = "") -> Any:
    """Run a job, and verify what the ledger holds since its beginning: 0, whichever versions wrote it."""
    done = run_portalops(host, "run", "weekly-report", become=become)
    at(host, f"{become} portalops --quiet ledger verify", folder=PORTAL)
    return done


def test_a_wheelhouse_is_installed_upgraded_rolled_back_and_removed(hosts: Hosts, built: Built) -> None:
    signers = f"--allowed-signers {STICK}/release.allowed"
    with cut_off(hosts, built, 13) as host:
        old, new = (built.house(version).removesuffix(".tar.gz") for version in (OLD, NEW))
        at(host, f"for each in {old} {new}; do tar -xzf $each.tar.gz || exit 1; done")
        before = files_of(host)

        at(host, f"cp -rl {old} flipped && cd flipped/wheels && cp rich-* ../../one && rm rich-*")
        at(
            host,
            f"printf x | dd of=one bs=1 seek=99 conv=notrunc && mv one flipped/wheels/$(cd {old}/wheels; ls rich-*)",
        )
        assert "a file is not what it was: wheels/rich-" in refused(host, f"flipped/install.sh {signers}")
        stranger = refused(host, f"{old}/install.sh --allowed-signers strangers")
        assert f"by a key that {STICK}/strangers does not name" in stranger
        assert files_of(host) == before

        at(host, f"{old}/install.sh {signers}")
        at(host, f"mkdir {PORTAL} /srv/disk-a && {INIT}")
        run_and_verify(host)
        (first,) = installations(host)
        told = json.loads(at(host, f"cat {old}/build.json"))
        assert first["direction"] == "first"
        assert first["installed"]["version"] == told["version"] == OLD
        assert {key: first["installed"][key] for key in ("code", "requirements")} == {
            key: told["pythons"]["3.13"][key] for key in ("code", "requirements")
        }

        at(host, f"{new}/install.sh {signers}")
        run_and_verify(host)
        at(host, "/opt/portalops/current/house/install.sh --rollback")
        rolled = run_and_verify(host)
        assert [each["direction"] for each in installations(host)] == ["first", "upgrade", "roll-back"]
        assert any("the newer portalops 0.2.0 wrote to" in str(each) for each in rolled["warnings"]), rolled["warnings"]
        at(host, f"{new}/install.sh --uninstall")
        at(host, f"rm -r {PORTAL} /srv/disk-a")
        assert files_of(host) == before


def test_a_package_is_installed_upgraded_rolled_back_removed_and_purged(hosts: Hosts, built: Built) -> None:
    old, new = built.deb(OLD), built.deb(NEW)
    with cut_off(hosts, built, 13) as host:
        before = files_of(host)
        check = f"ssh-keygen -Y verify -f release.allowed -I {SIGNER} -n portalops-release"
        at(host, f"{check} -s {old}.sig <{old} && {check} -s {new}.sig <{new}")
        refused(host, f"{check} -s {old}.sig <{new}")

        at(host, f"dpkg -i {old}")
        made = at(host, "stat -c '%U %G %a' /var/lib/portalops /etc/portalops")
        assert made == "portalops portalops 750\nroot portalops 750\n"
        at(host, f"install -d -o portalops -g portalops -m 750 {PORTAL} /srv/disk-a && {AS_PORTALOPS} {INIT}")
        run_and_verify(host, AS_PORTALOPS)
        at(host, f"dpkg -i {new}")
        run_and_verify(host, AS_PORTALOPS)

        at(host, f"portalops --config {PORTAL}/portalops.toml schedule install")
        timers = set(at(host, TIMERS).split())
        assert {"portalops.timer", "portalops-check.timer"} <= timers
        own = "/etc/systemd/system/portalops-media.service.d"
        at(host, f"mkdir {own} && printf '[Service]\\nExecStartPre=-/bin/sleep 600\\n' >{own}/local.conf")
        at(host, "systemctl daemon-reload && systemctl start --no-block portalops-media.service")
        said = at(host, f"dpkg -i {old} 2>&1")
        assert "stopping the run of portalops-media.service; it is done again when it is due" in said
        assert set(at(host, "systemctl is-active " + " ".join(sorted(timers))).split()) == {"active"}
        at(host, "systemctl stop 'portalops*.timer' 'portalops*.service'")  # so that no lock is held by them
        run_and_verify(host, AS_PORTALOPS)
        directions = [each["direction"] for each in installations(host, AS_PORTALOPS)]
        assert directions == ["first", "upgrade", "roll-back"]

        at(host, "systemctl start portalops.timer portalops-check.timer")
        at(host, "echo '# mine' >>/etc/systemd/system/portalops-check.timer && systemctl daemon-reload")
        owned = at(host, "dpkg -L portalops")
        at(host, "echo kept >/var/lib/portalops/ledger.sqlite")
        said = at(host, "dpkg -r portalops 2>&1")
        assert set(at(host, UNITS).split()) == {"portalops-check.timer", "portalops-media.service.d"}
        assert "portalops-check.timer is switched off" in said
        for path in ("/etc/systemd/system/portalops-check.timer", own):
            assert f"{path} stays: remove it if you need it no more" in said
        assert at(host, TIMERS) == ""
        remaining = "while read -r each; do [ -d $each ] || [ ! -e $each ] || echo $each; done"
        assert at(host, remaining, stdin=owned.encode()) == ""
        assert at(host, "ls -d /usr/lib/portalops 2>/dev/null || true") == ""

        said = at(host, "dpkg -P portalops 2>&1")
        assert "/var/lib/portalops stays: ledger, evidence, configuration and keys are yours" in said
        at(host, f"rm -r {PORTAL} /srv/disk-a {own} /etc/systemd/system/portalops-check.timer")
        assert files_of(host) - before == {"/var/lib/portalops", "/var/lib/portalops/ledger.sqlite"}
        assert before - files_of(host) == set()


def test_a_package_whose_program_is_broken_tells_what_of_its_schedule_stays(hosts: Hosts, built: Built) -> None:
    with cut_off(hosts, built, 12) as host:
        assert "python3.13" in refused(host, f"dpkg -i {built.deb(OLD)}")
        at(host, "dpkg -P portalops")
        at(host, f"dpkg -i {built.deb(OLD, 'deb12')}")
        at(host, f"install -d -o portalops -g portalops -m 750 {PORTAL} /srv/disk-a && {AS_PORTALOPS} {INIT}")
        run_and_verify(host, AS_PORTALOPS)
        (first,) = installations(host, AS_PORTALOPS)
        assert first["installed"]["python"].startswith("3.11.")

        at(host, f"portalops --config {PORTAL}/portalops.toml schedule install")
        units = set(at(host, UNITS).split())
        at(host, r"printf '#!/usr/bin/python3\nraise SystemExit(70)\n' >/usr/lib/portalops/bin/portalops")
        said = at(host, "dpkg -r portalops 2>&1")

        assert "'portalops schedule uninstall' failed with exit status 70" in said
        assert set(at(host, UNITS).split()) == units
        for unit in units:
            assert f"/etc/systemd/system/{unit} stays" in said
        assert at(host, TIMERS) == ""
