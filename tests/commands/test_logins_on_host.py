"""A whole host, from its first round to a round that passes: real logins by key and by password, and real uses of sudo."""

from __future__ import annotations

import ipaddress
import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from portalops.errors import ExitCode
from portalops.signatures.sshsig import fingerprint
from tests.checks.servers.matrix import EXTRAS
from tests.checks.servers.matrix._base import OLD_EXPORT, OLD_JOURNAL
from tests.checks.servers.test_on_hosts import ACCOUNT, configure, data, enrol, portalops, set_up
from tests.hosts import Host, Hosts
from tests.servers import new_key

pytestmark = [pytest.mark.hosts, pytest.mark.heavy]

CHECK = "acct.login-attribution"
PASSWORD = "Mat-khau-cua-Binh-2026"
CANARY = "Canary-Kh@nhHoa-2026"
ACCOUNTS = ("an", "binh", "chung", "khach")
"""An's and Bình's own, one of both, and one of nobody."""


@dataclass(frozen=True)
class Person:
    """Somebody before a terminal of the office."""

    host: Host
    folder: Path

    def __post_init__(self) -> None:
        (self.folder / "askpass").write_text(f"#!/bin/sh\necho '{PASSWORD}'\n")
        (self.folder / "askpass").chmod(0o755)

    def key(self, name: str) -> str:
        """Make a key of somebody's, which no account takes yet; return its fingerprint."""
        return fingerprint(" ".join(new_key(self.folder / name).split()[:2]))

    def runs(self, account: str, command: str, *options: str, key: str = "") -> str:
        """Log in by a key, or without one by the password, and run a command."""
        way = ("-i", str(self.folder / key)) if key else ("-o", "PubkeyAuthentication=no")
        known = f"UserKnownHostsFile={self.folder}/known"
        call = ("ssh", "-F", "none", *way, "-o", "IdentitiesOnly=yes", "-o", "StrictHostKeyChecking=no", "-o", known)
        asked = {
            "SSH_ASKPASS": str(self.folder / "askpass"),
            "SSH_ASKPASS_REQUIRE": "force",
            "PATH": os.environ["PATH"],
        }
        done = subprocess.run(
            [*call, *options, f"{account}@{self.host.address}", command],
            env=asked,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=60,
            check=False,
        )
        assert done.returncode == 0, done.stderr.decode()
        return done.stdout.decode()


@contextmanager
def another_address(hosts: Hosts) -> Iterator[str]:
    """Give this machine one more address that the hosts know the way back to."""
    network = ipaddress.ip_network(f"198.18.{hosts.number}.0/24")
    change = ("ip", "address", "{}", f"{network[250]}/24", "dev", hosts.bridge)
    subprocess.run([each.format("add") for each in change], check=True)
    try:
        yield str(network[250])
    finally:
        subprocess.run([each.format("delete") for each in change], check=True)


def members(hosts: Hosts, **told: tuple[list[str], list[str]]) -> str:
    """Return what is declared of people, each with keys and accounts, and that they come in from this machine's first address."""
    tables = "".join(
        f"\n[checks.declared.members.{name.replace('_', '-')}]\nkeys = {keys}\naccounts = {accounts}\n"
        for name, (keys, accounts) in told.items()
    )
    return f'\n[checks.declared]\nadmin_ranges = ["198.18.{hosts.number}.1/32"]\n{tables}'


def content(path: Path) -> bytes:
    """Return what a file holds, unpacked where it is packed."""
    raw = path.read_bytes()
    if path.suffix != ".zst":
        return raw
    return subprocess.run(["zstd", "-dc"], input=raw, capture_output=True, check=True).stdout


@pytest.mark.parametrize("release", [13, 11])
def test_every_login_and_every_use_of_sudo_is_somebodys_or_told_until_it_is(
    hosts: Hosts, tmp_path: Path, capsys: pytest.CaptureFixture[str], release: int
) -> None:
    def judged(*only: str) -> tuple[str, str, str]:
        (one,) = (each for each in data(capsys, tmp_path, "check", "run", *only) if each["check"] == CHECK)
        return one["verdict"], one["reason"], one["message"]

    def looked() -> tuple[str, str, str]:
        """As `judged`, by a look at this alone, of which no record is kept."""
        return judged("--check", CHECK)

    def audited() -> dict[str, str]:
        """What the audit says of logins and sudo, and its hint."""
        capsys.readouterr()
        portalops(tmp_path, "credential", "audit")
        hint = capsys.readouterr().err
        found: list[dict[str, Any]] = data(capsys, tmp_path, "credential", "audit")
        told = {each["name"]: each["what"] for each in found if each["what"] in {"login-unknown", "sudo-unknown"}}
        assert ("portalops incident open --kind credential" in hint) == bool(told)
        return told

    with hosts.started(release, more=EXTRAS[release]) as host, another_address(hosts) as elsewhere:
        person = Person(host, tmp_path)
        began = int((datetime.now(UTC) - timedelta(days=120)).timestamp())
        host.sh("sh -s", stdin=f"OLD_SECONDS={began}\n{OLD_EXPORT}\n{OLD_JOURNAL}".encode())
        for account in (ACCOUNT, *ACCOUNTS):
            host.add_account(account)
        host.sh(f"usermod -aG systemd-journal {ACCOUNT}; usermod -aG sudo an; usermod -aG sudo binh")
        host.sh("chpasswd", stdin="".join(f"{account}:{PASSWORD}\n" for account in ACCOUNTS).encode())
        keys = {name: person.key(name) for name in ("an-key", "stranger")}
        for account, name in (("an", "an-key"), ("chung", "an-key"), ("khach", "stranger")):
            host.sh(f"cat >~{account}/.ssh/authorized_keys", stdin=(tmp_path / f"{name}.pub").read_bytes())
        host.sh("printf 'chung ALL=(ALL) NOPASSWD: ALL\\n' >/etc/sudoers.d/chung")
        own = fingerprint(" ".join(host.key.with_suffix(".pub").read_text().split()[:2]))
        configure(tmp_path, host)
        enrol(tmp_path, host)
        set_up(host, tmp_path, capsys)

        def declare(**told: tuple[list[str], list[str]]) -> None:
            configure(tmp_path, host, more=members(hosts, kiem_tra=([own], [ACCOUNT]), **told))

        # people do their work
        person.runs("an", f"echo '{PASSWORD}' | sudo -S -p '' sh -c 'true {CANARY}'", key="an-key")
        person.runs("an", f"echo '{PASSWORD}' | sudo -S -p '' true", "-tt", key="an-key")
        person.runs("binh", f"echo '{PASSWORD}' | sudo -S -p '' -u an true")
        host.sh("su khach -c 'sudo -n true' && exit 1 || exit 0")  # is refused, which is no use
        undeclared = looked()
        declare(an=([keys["an-key"]], ["an", "chung"]), tran_thi_binh=([], ["binh", "chung"]))
        good = judged()
        audited_good = audited()

        # what nobody answers for
        person.runs("chung", "sudo sh -c \"true $(printf '\\033[2J')\"", key="an-key")
        by_both = looked()
        person.runs("an", "true", "-b", elsewhere, key="an-key")
        from_elsewhere = looked()
        person.runs("chung", "true")
        person.runs("khach", "true", key="stranger")
        host.sh("echo 'khach ALL=(ALL) NOPASSWD: ALL' >/etc/sudoers.d/khach; su khach -c 'sudo -u binh true'")
        forged = "      an : TTY=pts/9 ; PWD=/ ; USER=root ; COMMAND=/usr/bin/id"
        host.sh(f"su khach -c 'logger -t sudo \"{forged}\"'")
        nobodys = judged()
        audited_bad = audited()
        opened = ("incident", "open", "--what", "đăng nhập lạ", "--kind", "credential", "--severity", "high")
        incident = portalops(tmp_path, *opened, "--host", host.name, "--finding", f"{host.name}:{CHECK}")

        # who it was was found out, the account of two is one person's, and the other network is an office's
        declare(
            an=([keys["an-key"]], ["an", "chung"]),
            tran_thi_binh=([], ["binh"]),
            le_van_chi=([keys["stranger"]], ["khach"]),
        )
        still = looked()
        settings = tmp_path / "portalops.toml"
        text = settings.read_text(encoding="utf-8")
        settings.write_text(text.replace(".1/32", f'.1/32", "{elsewhere}/32'), encoding="utf-8")
        registered = judged()
        audited_registered = audited()
        host.sh("echo 'Defaults !syslog' >/etc/sudoers.d/quiet")
        unlogged = looked()
        host.sh("rm /etc/sudoers.d/quiet; for f in /var/log/journal/*/user-*; do setfacl -b $f; chmod 600 $f; done")
        closed = looked()

    assert undeclared[:2] == ("unknown", "not-declared")
    for seen in (
        "an (publickey, ",
        "binh (password, ",
        "an (sudo -u root, -)",
        "an (sudo -u root, pts/",
        "binh (sudo -u an, -)",
    ):
        assert seen in undeclared[2]
    assert (good[0], audited_good) == ("pass", {}), good
    assert (by_both[:2], "chung (sudo -u root, -)" in by_both[2]) == (("fail", "sudo-unattributed"), True), by_both
    assert (from_elsewhere[:2], elsewhere in from_elsewhere[2]) == (("fail", "login-from-elsewhere"), True)
    assert nobodys[:2] == ("fail", "login-unattributed")
    assert "chung (password, " in nobodys[2] and "khach (publickey, " in nobodys[2], nobodys
    here = f"198.18.{hosts.number}.1"
    assert audited_bad == {
        f"chung password {here}": "login-unknown",
        f"khach {keys['stranger']} {here}": "login-unknown",
        "chung sudo root": "sudo-unknown",
        "khach sudo binh": "sudo-unknown",
        "khach sudo root": "sudo-unknown",  # what it wrote in another's name
    }
    assert incident == ExitCode.OK
    assert still[:2] == ("fail", "login-from-elsewhere")
    assert (registered[0], audited_registered) == ("pass", {}), registered
    assert unlogged[:2] == ("unknown", "sudo-log-off")
    assert closed[:2] == ("unknown", "journal-closed")
    kept = b"".join(content(path) for path in (tmp_path / "state").rglob("*") if path.is_file())
    assert b"use|" in kept
    assert not [secret for secret in (CANARY, PASSWORD) if secret.encode() in kept]
