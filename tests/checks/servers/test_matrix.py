"""Every check that can be real on a whole host: it fails while its fault is there, passes once that is repaired, is unknown blind.

Each release has two hosts, looked at over SSH by an account that may do no more than our sudoers file and helper let it.
"""

from __future__ import annotations

import json
import re
import socket
import struct
import threading
import time
import tomllib
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from string import Template
from typing import Any

import pytest

from checks.servers.catalogue import checks
from checks.servers.own import own_probes
from portalops.signatures.sshsig import fingerprint
from tests.checks.servers.matrix import ALL, EXTRAS, GROUPS, Fault, Seed, faults, seeds
from tests.checks.servers.matrix._base import BASE, CODENAMES, SUPPORT
from tests.checks.servers.matrix.elsewhere import ELSEWHERE, NO_FAULT, NOT_REAL
from tests.checks.servers.test_on_hosts import ACCOUNT, configure, data, enrol, set_up
from tests.hosts import Host, Hosts

TESTS = Path(__file__).parents[2]


@pytest.mark.hosts
@pytest.mark.heavy
@pytest.mark.parametrize("release", sorted(ALL, reverse=True))
def test_each_fault_fails_its_repair_passes_and_a_blind_look_is_unknown(
    hosts: Hosts, tmp_path: Path, capsys: pytest.CaptureFixture[str], release: int
) -> None:
    every = faults(release)
    with (
        time_source(hosts.address),
        hosts.started(release, name="web1", more=EXTRAS[release]) as web1,
        hosts.started(release, name="web2", more=EXTRAS[release]) as web2,
    ):
        pair = Pair(web1, web2, release)
        pair.prepare()
        portals = {name: portal(tmp_path / name, pair) for name in ("draft", "faulty", "repaired", "blind")}
        for host in (web1, web2):
            set_up(host, portals["draft"], capsys)
        pair.run("good", every)
        declare(portals["draft"], pair, every, {})
        data(capsys, portals["draft"], "check", "run")
        approved = {host.name: pair.approved(capsys, portals["draft"], host) for host in (web1, web2)}

        pair.run("bad", every)
        declare(portals["faulty"], pair, every, approved, is_bad=True)
        faulty = judged(capsys, portals["faulty"])

        pair.run("good", every)
        declare(portals["repaired"], pair, every, approved)
        repaired = judged(capsys, portals["repaired"])

        pair.run("gone", every)
        declare(portals["blind"], pair, every, approved)
        blind = judged(capsys, portals["blind"])

    assert wrong([one for one in every if one.fails], faulty, lambda one: ("fail", one.fails)) == {}
    assert wrong(every, repaired, lambda _: ("pass", "")) == {}
    assert wrong([one for one in every if one.unknown], blind, lambda one: ("unknown", one.unknown)) == {}


@pytest.mark.hosts
@pytest.mark.heavy
@pytest.mark.parametrize(
    ("release", "family"), [(release, family) for release in sorted(ALL, reverse=True) for family in seeds(release)]
)
def test_no_near_miss_passes_and_every_harmless_setting_does(
    hosts: Hosts, tmp_path: Path, capsys: pytest.CaptureFixture[str], release: int, family: str
) -> None:
    rows = seeds(release)[family]
    of_rows = {row.check for row in rows}
    every = [one for one in faults(release) if one.check in of_rows]
    with (
        time_source(hosts.address),
        hosts.started(release, name="web1", more=EXTRAS[release]) as web1,
        hosts.started(release, name="web2", more=EXTRAS[release]) as web2,
    ):
        pair = Pair(web1, web2, release)
        pair.prepare()
        folder = portal(tmp_path / "portal", pair)
        for host in (web1, web2):
            set_up(host, folder, capsys)
        pair.run("good", every)
        declare(folder, pair, every, {})
        data(capsys, folder, "check", "run")
        approved = {host.name: pair.approved(capsys, folder, host) for host in (web1, web2)}
        declare(folder, pair, every, approved)
        for host in (web1, web2) if family != "ids" else ():  # else so many outside scans in a minute are banned
            host.sh(f"fail2ban-client set sshd addignoreip {hosts.address} || true")
        before = judged(capsys, folder, *of_rows)
        found: dict[str, tuple[str, str, str]] = {}
        for row in rows:
            declare(folder, pair, (*every, row), approved)
            pair.script(row.on, row.make)
            found |= wrong([row], judged(capsys, folder, row.check), lambda one: one.expected)
            pair.script(row.on, row.undo)
        declare(folder, pair, every, approved)
        after = judged(capsys, folder, *of_rows)

    assert not found, json.dumps(found, indent=1, ensure_ascii=False)
    assert wrong(rows, before, lambda _: ("pass", "")) == {}
    assert wrong(rows, after, lambda _: ("pass", "")) == {}


def test_every_seed_has_a_name_of_its_own() -> None:
    for release in ALL:
        names = [str(row) for rows in seeds(release).values() for row in rows]

        assert len(set(names)) == len(names)


def test_every_check_is_tried_on_something_real_or_said_not_to_be() -> None:
    in_matrix = {one.check for release in ALL for one in faults(release)}
    of_hosts = {
        one.id for one in checks() if not {each.id for each in one.needs} <= own_probes()
    }  # own records need no host

    assert in_matrix | set(ELSEWHERE) | set(NOT_REAL) == of_hosts
    assert not set(NOT_REAL) & (in_matrix | set(ELSEWHERE))
    assert {one.check for release in ALL for one in faults(release) if not one.fails} == set(NO_FAULT)
    for check, test in ELSEWHERE.items():
        file, _, name = test.partition("::")
        text = (TESTS / file).read_text(encoding="utf-8")
        assert f"def {name}(" in text, f"{check} is said to be tried by {test}"
        assert check in text or check.partition(".")[2] in text, f"{test} does not name {check}"
    assert all(reason.endswith(".") for reason in (*NOT_REAL.values(), *NO_FAULT.values()))


def test_debian_13_has_the_whole_matrix() -> None:
    in_all = {one.check for release in ALL for one in faults(release)}

    assert {one.check for one in faults(13)} == in_all
    assert {one.check for one in faults(12)} == {one.check for one in faults(11)}
    assert {one.check for one in faults(13)} - {one.check for one in faults(12)} == {
        "ha.mysql-replica",
        "ids.sensor",
        "power.ups",
    }


@contextmanager
def time_source(address: str) -> Iterator[None]:
    """Tell the time of this machine at the port of NTP, as RFC 5905 has it."""

    def moment() -> bytes:
        whole, part = divmod(time.time_ns(), 10**9)
        return struct.pack("!II", whole + 2_208_988_800, (part << 32) // 10**9)

    def answer() -> None:
        while (asked := listening.recvfrom(1024))[0]:
            heard = moment()
            head = struct.pack("!BBbbII4s", 0x24, 2, 6, -20, 0, 0, b"\xc0\x00\x02\x01")
            listening.sendto(head + heard + asked[0][40:48] + heard + moment(), asked[1])

    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as listening:
        listening.bind((address, 123))
        answering = threading.Thread(target=answer)
        answering.start()
        try:
            yield
        finally:
            listening.sendto(b"", listening.getsockname())
            answering.join()


def portal(folder: Path, pair: Pair) -> Path:
    """Make the folder of a portal of its own: what was asked for a week is asked again by another one."""
    folder.mkdir()
    configure(folder, *pair.hosts.values())
    enrol(folder, *pair.hosts.values())
    return folder


class Pair:
    """Two hosts of one release, and what scripts and declarations call them."""

    def __init__(self, web1: Host, web2: Host, release: int) -> None:
        self.hosts = {"web1": web1, "web2": web2}
        self.release = release
        now = datetime.now(UTC)
        started = int(re.search(r"^btime (\d+)$", Path("/proc/stat").read_text(), re.MULTILINE)[1])  # type: ignore[index]
        since = min(datetime.fromtimestamp(started, UTC), now) - timedelta(days=1)
        network = f"{web1.address.rpartition('.')[0]}.0/24"
        self._common = {
            "RELEASE": str(release),
            "CODENAME": CODENAMES[release],
            "NETWORK": network,
            "STATION": web1.hosts.address,
            "SINCE": since.isoformat(),
            "LATER": (now + timedelta(days=1)).isoformat(),
            "LONG_AGO": f"{since - timedelta(days=1):%Y-%m-%d %H:%M:%S}",
            "OLD_SECONDS": str(int((now - timedelta(days=120)).timestamp())),
            "PORTALOPS_KEY": fingerprint(web1.key.with_suffix(".pub").read_text()),
        }

    def prepare(self) -> None:
        """Make both what they are before any fault."""
        for name, host in self.hosts.items():
            host.add_account(ACCOUNT)
            host.sh(f"usermod -aG systemd-journal,adm {ACCOUNT}")
            # a manager of the account that ends while a script works on units may never be seen to end: logins hang then
            host.sh(f"loginctl enable-linger {ACCOUNT}")
            self.script(name, BASE)

    def run(self, what: str, every: Iterable[Fault]) -> None:
        """Run one kind of script of every fault, one host after the other; the same one once."""
        for name in self.hosts:
            scripts = dict.fromkeys(script for one in every if one.on == name and (script := getattr(one, what)))
            for script in scripts:
                self.script(name, script)

    def words(self, name: str) -> dict[str, str]:
        """Return what a declaration of a host may name."""
        keys = {
            f"{who.upper()}_KEY": fingerprint(self.hosts[name].sh(f"cat /root/keys/{who}.pub"))
            for who in ("an", "binh")
        }
        return {**self._common, "NOW": datetime.now(UTC).isoformat(), **keys, **self._addresses(name)}

    def approved(self, capsys: pytest.CaptureFixture[str], folder: Path, host: Host) -> dict[str, Any]:
        """Return what the host itself drafts, and the settings of packages that were changed."""
        text = data(capsys, folder, "check", "declare", host.name)["toml"]
        table: dict[str, Any] = tomllib.loads(text)["checks"]["declared"]["host"][host.name]
        listed = host.sh("dpkg --verify | sed -n 's/^..5...... c //p' | xargs -r sha256sum")
        table["config_files"] |= {path: digest for digest, path in (line.split() for line in listed.splitlines())}
        table["config_files"]["/etc/login.defs"] = host.sh("sha256sum </etc/login.defs").split()[0]
        return {name: value for name, value in table.items() if name not in {"members", "changes"}}

    def _addresses(self, name: str) -> dict[str, str]:
        peer = next(host for other, host in self.hosts.items() if other != name)
        return {"ADDRESS": self.hosts[name].address, "PEER": peer.address}

    def script(self, name: str, script: str) -> None:
        """Run a script as root on one of them."""
        values = {**self._common, **self._addresses(name)}
        setting = "".join(f"{key}='{value}'\n" for key, value in values.items())
        began = time.monotonic()
        self.hosts[name].sh("sh -s", stdin=f"{setting}cd /\n{script}\n".encode(), seconds=300)
        if time.monotonic() - began > 5:
            print(f"{name}: {time.monotonic() - began:.1f} s for {script[:100]!r}")


def declare(
    folder: Path,
    pair: Pair,
    every: Iterable[Fault | Seed],
    approved: Mapping[str, Mapping[str, Any]],
    *,
    is_bad: bool = False,
) -> None:
    """Write what the portal declares, behind what it says of its hosts."""
    path = folder / "portalops.toml"
    before = path.read_text(encoding="utf-8").partition("\n[checks.declared]")[0]
    text = f'{before}\n[checks.declared]\nstation = "auditor-1"\nno_standby = ["vip", "postgresql"]\n'
    for name in pair.hosts:
        table: dict[str, Any] = {"support": SUPPORT[pair.release], "pages": [], **approved.get(name, {})}
        for one in every:
            if one.on == name:
                table |= one.declared
        for one in every:
            if one.on == name and is_bad and isinstance(one, Fault):
                table |= one.declared_bad
        lines = "".join(f"{key} = {toml(value)}\n" for key, value in table.items())
        text += f"\n[checks.declared.host.{name}]\n" + Template(lines).safe_substitute(pair.words(name))
    for name, group in GROUPS.items():
        if any(one.of == name for one in every):
            text += f"\n[checks.declared.group.{name}]\n" + "".join(f"{k} = {toml(v)}\n" for k, v in group.items())
    path.write_text(text, encoding="utf-8")


def toml(value: object) -> str:
    """Return a value as TOML has it inline."""
    if isinstance(value, Mapping):
        return "{" + ", ".join(f"{json.dumps(key)} = {toml(one)}" for key, one in value.items()) + "}"
    if isinstance(value, list | tuple):
        return "[" + ", ".join(toml(one) for one in value) + "]"
    return json.dumps(value)


def judged(capsys: pytest.CaptureFixture[str], folder: Path, *only: str) -> dict[tuple[str, str], tuple[str, str, str]]:
    """Look at both hosts in one round, and return verdict, reason and sentence by host or group and check.

    Of some checks only, it asks anew for all that they need, and records nothing.
    """
    part = ["--anew", *(f"--check={one}" for one in sorted(only))] if only else []
    found = data(capsys, folder, "check", "run", *part)
    return {(one["host"], one["check"]): (one["verdict"], one["reason"], one["message"]) for one in found}


def wrong(
    every: Iterable[Fault | Seed], found: Mapping[tuple[str, str], tuple[str, str, str]], expected: Any
) -> dict[str, tuple[str, str, str]]:
    """Return what is not as expected, with what was said."""
    seen = [(one, found.get((one.of or one.on, one.check), ("", "", "not there"))) for one in every]
    return {str(one): said for one, said in seen if said[:2] != expected(one)}
