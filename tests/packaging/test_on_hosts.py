"""Real wheelhouses and packages on whole hosts without a way out: installed, upgraded, rolled back and removed."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
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
BUILD_SECONDS = 900
STATE = "/srv/portal"
RUN = f"""
mkdir -p {STATE} /mnt/disk-a && cd {STATE}
portalops --quiet init --portal-id khanhhoa --name-vi 'Cổng thông tin điện tử' --medium /mnt/disk-a >init.txt 2>&1
"""
"""A portal whose one medium is a folder: what is run here is about versions, and no duty needs to be met."""


@dataclass(frozen=True)
class Built:
    """What was built of this checkout, as two versions."""

    folder: Path
    signers: Path

    def house(self, version: str) -> Path:
        (found,) = self.folder.glob(f"portalops-{version}-wheelhouse-*.tar.gz")
        return found

    def deb(self, version: str, release: str) -> Path:
        (found,) = self.folder.glob(f"portalops_{version}+*~{release}_amd64.deb")
        return found


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Built]:
    """Build two versions of the tracked files as they are in the work tree."""
    folder = tmp_path_factory.mktemp("built")
    source = folder / "source"
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, check=True, capture_output=True).stdout.decode()
    for name in filter(None, listed.split("\0")):
        if (ROOT / name).is_file():
            (source / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(ROOT / name, source / name)
    (source / ".cache").mkdir()
    (ROOT / ".cache/wheels").mkdir(parents=True, exist_ok=True)
    (source / ".cache/wheels").symlink_to(ROOT / ".cache/wheels")
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", folder / "key"], check=True)
    public = (folder / "key.pub").read_text().split()
    (folder / "release.allowed").write_text(f"{SIGNER} {public[0]} {public[1]}\n")
    run(source, "git", "init", "--quiet")
    for version in (OLD, NEW):
        package = source / "portalops/__init__.py"
        package.write_text(re.sub(r'__version__ = ".*"', f'__version__ = "{version}"', package.read_text()))
        run(source, "git", "add", "--all", "--force", ":!.cache")
        run(source, "git", "commit", "--quiet", "--message", version)
        signed = ("--signing-key", str(folder / "key"), "--output", str(folder))
        run(source, sys.executable, "scripts/build_wheelhouse.py", *signed)
        (house,) = folder.glob(f"portalops-{version}-wheelhouse-*.tar.gz")
        pythons = ("--python", "3.13") if version == NEW else ()
        run(source, sys.executable, "scripts/build_deb.py", str(house), *signed, *pythons)
    yield Built(folder, folder / "release.allowed")
    shutil.rmtree(folder, ignore_errors=True)


def run(folder: Path, *command: str) -> None:
    named = {f"GIT_{who}_{what}": "tests" for who in ("AUTHOR", "COMMITTER") for what in ("NAME", "EMAIL")}
    environment = {**os.environ, **named, "PYTHONPATH": str(folder)}
    done = subprocess.run(
        command, cwd=folder, capture_output=True, text=True, check=False, timeout=BUILD_SECONDS, env=environment
    )
    assert done.returncode == 0, f"{command}: {done.stderr[-3000:]}"


@contextmanager
def cut_off(hosts: Hosts, release: int) -> Iterator[Host]:
    """Give a bare host without any way out."""
    with hosts.started(release, more=BARE) as host:
        host.cut()
        yield host


def at(host: Host, command: str, *, stdin: bytes = b"", folder: str = "/root") -> str:
    """Run a command on a host in a folder, as root."""
    return host.sh(f"cd {folder} && {{\n{command.strip()}\n}}", stdin=stdin, seconds=300)


def put(host: Host, path: Path) -> None:
    """Carry a file to a host, as a stick would."""
    at(host, f"cat >/root/{path.name}", stdin=path.read_bytes())


def unpack(host: Host, built: Built, version: str) -> str:
    """Unpack a wheelhouse on a host, and return where it lies."""
    house = built.house(version)
    put(host, house)
    put(host, built.signers)
    at(host, f"tar -xzf {house.name} && rm {house.name}")
    return f"/root/{house.name.removesuffix('.tar.gz')}"


def files_of(host: Host) -> set[str]:
    """Every file, link and folder of a host's disk that installing and removing may leave."""
    kept = "-path /proc -o -path /sys -o -path /dev -o -path /run -o -path /tmp -o -path /root -o -path /var/log -o -path /var/lib/dpkg"
    listed = at(host, f"find / \\( {kept} -o -path /var/lib/systemd -o -path /var/cache \\) -prune -o -print")
    return set(listed.splitlines())


def refused(host: Host, command: str) -> str:
    """Run a command that must not end with 0, and return what it said on standard error."""
    return at(host, f"{{ {command}; }} 2>said >/dev/null && exit 1; cat said")


def run_portalops(host: Host, *arguments: str) -> Any:
    """Call portalops in the portal's folder, and return its JSON."""
    words = " ".join(arguments)
    text = at(
        host,
        f"cd {STATE} && portalops --json {words} 2>said >out; [ $? -lt 4 ] && cat out || {{ cat said out >&2; exit 1; }}",
    )
    return json.loads(text)


def installations(host: Host) -> list[dict[str, Any]]:
    records = run_portalops(host, "ledger", "show", "--kind", "installation")["data"]
    return [
        run_portalops(host, "ledger", "show", str(each["id"]))["data"]["details"]["installation"] for each in records
    ]


def require_whole(host: Host) -> None:
    at(host, f"cd {STATE} && portalops --quiet ledger verify >said 2>&1 || [ $? -le 3 ] || {{ cat said >&2; exit 1; }}")


def test_a_wheelhouse_is_installed_upgraded_rolled_back_and_removed(hosts: Hosts, built: Built) -> None:
    with cut_off(hosts, 13) as host:
        old = unpack(host, built, OLD)
        new = unpack(host, built, NEW)
        told = {version: json.loads(at(host, f"cat {where}/build.json")) for version, where in ((OLD, old), (NEW, new))}
        before = files_of(host)
        signers = "--allowed-signers /root/release.allowed"

        at(
            host,
            f"cp -r {old} /root/flipped && cd /root/flipped/wheels && printf x | dd of=$(ls rich-*) bs=1 seek=99 conv=notrunc",
        )
        assert "a file is not what it was: wheels/rich-" in refused(
            host, f"/root/flipped/install.sh {signers}"
        ).replace("./", "")
        stranger = f"stranger@x {STRANGER.public_key}"
        at(host, f"echo {stranger!r} >/root/strangers")
        assert "by a key that /root/strangers does not name" in refused(
            host, f"{old}/install.sh --allowed-signers /root/strangers"
        )
        assert files_of(host) == before

        at(host, f"{old}/install.sh {signers}")
        at(host, RUN)
        run_portalops(host, "run", "weekly-report")
        require_whole(host)
        (first,) = installations(host)
        expected = told[OLD]["pythons"]["3.13"]
        assert first["direction"] == "first"
        assert {key: first["installed"][key] for key in ("version", "code", "requirements")} == {
            "version": OLD, "code": expected["code"], "requirements": expected["requirements"],
        }  # fmt: skip

        at(host, f"{new}/install.sh {signers}")
        run_portalops(host, "run", "weekly-report")
        require_whole(host)
        at(host, "/opt/portalops/current/house/install.sh --rollback")
        rolled = run_portalops(host, "run", "weekly-report")
        require_whole(host)
        assert [each["direction"] for each in installations(host)] == ["first", "upgrade", "roll-back"]
        assert any("0.2.0, a newer one, wrote to" in str(each) for each in rolled["warnings"]), rolled["warnings"]
        at(host, f"{new}/install.sh --uninstall")
        at(host, f"rm -r {STATE} /mnt/disk-a")
        assert files_of(host) - before == set()


def test_a_package_is_installed_upgraded_rolled_back_removed_and_purged(hosts: Hosts, built: Built) -> None:
    with cut_off(hosts, 13) as host:
        before = files_of(host)
        for version in (OLD, NEW):
            put(host, built.deb(version, "deb13"))
            put(host, built.deb(version, "deb13").with_name(f"{built.deb(version, 'deb13').name}.sig"))
        put(host, built.signers)
        old, new = (built.deb(version, "deb13").name for version in (OLD, NEW))
        at(host, f"ssh-keygen -Y verify -f release.allowed -I {SIGNER} -n portalops-release -s {old}.sig <{old}")

        at(host, f"dpkg -i {old}")
        assert (
            at(host, "stat -c '%U %G %a' /var/lib/portalops /etc/portalops")
            == "portalops portalops 750\nroot portalops 750\n"
        )
        at(host, RUN)
        run_portalops(host, "run", "weekly-report")
        at(host, f"dpkg -i {new}")
        run_portalops(host, "run", "weekly-report")
        require_whole(host)
        at(host, f"dpkg -i {old} 2>said || {{ cat said >&2; exit 1; }}")
        run_portalops(host, "run", "weekly-report")
        require_whole(host)
        assert [each["direction"] for each in installations(host)] == ["first", "upgrade", "roll-back"]

        owned = at(host, "dpkg -L portalops").split()
        at(host, "echo kept >/var/lib/portalops/ledger.sqlite")
        at(host, "dpkg -r portalops")
        assert (
            at(
                host,
                "for each in $(cat); do [ -d $each ] || [ ! -e $each ] || echo $each; done",
                stdin="\n".join(owned).encode(),
            )
            == ""
        )
        assert not at(host, "ls -d /usr/lib/portalops 2>/dev/null || true")
        said = at(host, "dpkg -P portalops 2>&1")
        assert "/var/lib/portalops stays: ledger, evidence, configuration and keys are yours" in said
        at(host, f"rm -r {STATE} /mnt/disk-a")
        assert {path for path in files_of(host) - before if not path.startswith("/etc/")} == {
            "/var/lib/portalops", "/var/lib/portalops/ledger.sqlite",
        }  # fmt: skip


def test_a_package_goes_with_its_timers_and_a_run_is_stopped_for_an_upgrade(hosts: Hosts, built: Built) -> None:
    with cut_off(hosts, 13) as host:
        for version in (OLD, NEW):
            put(host, built.deb(version, "deb13"))
        at(host, f"dpkg -i {built.deb(OLD, 'deb13').name}")
        at(
            host,
            "install -d -o portalops -g portalops /mnt/disk-a && cd /etc/portalops && portalops --quiet init --portal-id khanhhoa"
            " --name-vi 'Cổng' --medium /mnt/disk-a --state-folder /var/lib/portalops >/dev/null"
            " && chgrp -R portalops . && chmod -R g+rX .",
        )
        at(host, "portalops --config /etc/portalops/portalops.toml schedule install --systemd 2>&1")
        assert "portalops.timer" in at(host, "systemctl list-timers --all")

        at(host, f"dpkg -i {built.deb(NEW, 'deb13').name}")
        assert at(host, "systemctl is-active portalops.timer") == "active\n"

        at(host, "dpkg -r portalops")
        assert at(host, "ls /etc/systemd/system | grep portalops || true") == ""
        assert "portalops" not in at(host, "systemctl list-timers --all")


def test_the_package_of_debian_12_runs_there_and_that_of_13_is_refused(hosts: Hosts, built: Built) -> None:
    with cut_off(hosts, 12) as host:
        for release in ("deb13", "deb12"):
            put(host, built.deb(OLD, release))

        assert "python3.13" in refused(host, f"dpkg -i {built.deb(OLD, 'deb13').name}")
        at(host, "dpkg -P portalops")
        at(host, f"dpkg -i {built.deb(OLD, 'deb12').name}")
        at(host, RUN)
        run_portalops(host, "run", "weekly-report")
        require_whole(host)
        assert installations(host)[0]["installed"]["python"].startswith("3.11.")
