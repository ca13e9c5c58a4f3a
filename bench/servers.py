"""Fifty servers looked at in one round beside `ansible -m setup`, this machine beside `lynis`, and the memory of larger rounds.

    python -m bench.servers [ROUNDS [MOST_HOSTS]]

The servers are sshd processes of this machine, fifty of them in network and process namespaces of their own: what a look costs
on a host is paid by the same cores as what it costs here. CPU time of the station is that of the process with its children, without the servers'; CPU time
of the machine is all that its cores did meanwhile. Every run opens its own connections; ansible's are not kept from one to the
next. It gathers its facts with as many forks as were quickest in this run.

apt's probes are left out, since most of the time of a host goes into apt's own cache: the checks that look at them are not
asked for, and with them four probes of dnf and rpm, which end at once here. What is asked for once a week is repeated from a
round before. The memory of larger rounds is measured by the checks of some families, since it is the number of hosts that is
asked about.
"""

from __future__ import annotations

import os
import statistics
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from bench._hosts import MOST_ADDRESSES, Served, apart, look_of_the_week, portal_of, served
from bench._runs import PORTALOPS, Measured, judged, lacking, measured, ratio, scratch, show, versions
from checks.servers.catalogue import checks

HOSTS = 50
ROUNDS = 3
FORKS = (5, 10, 25, 50)
MOST_HOSTS = 1000
SIZES = (10, 50, 200)
FAMILIES = ("acct", "firewall", "kernel", "log", "run", "ssh", "storage")
"""Whose checks the memory of larger rounds is measured by."""
JUDGED = frozenset({0, 1, 3})
"""What `check run` ends with once it has judged: some checks of this machine fail, and some can't be answered."""
WALL, MACHINE, CPU, LYNIS, LYNIS_WEEK, FLAT = 0.5, 0.5, 0.2, 0.05, 0.12, 1.25
"""What is aimed at: of ansible's time, of the CPU time of all hosts, of its own CPU time, of lynis's time each day and once a
week, and of the memory for ten hosts."""
WALL_LIMIT, MACHINE_LIMIT, CPU_LIMIT, LYNIS_LIMIT, LYNIS_WEEK_LIMIT, FLAT_LIMIT = 2.0, 2.0, 0.4, 0.2, 0.8, 3.0
"""What a change must not make worse than."""


@dataclass(frozen=True, slots=True)
class Whole:
    """One process, and what the machine did meanwhile."""

    own: Measured
    machine_seconds: float


def main(arguments: Sequence[str]) -> int:
    """Measure and print; 0 if nothing is worse than it may be."""
    rounds = int(arguments[0]) if arguments else ROUNDS
    most = int(arguments[1]) if len(arguments) > 1 else MOST_HOSTS
    if lacking("sshd", "ssh-keygen", "ip", "unshare"):
        return 0
    with scratch(2 << 30) as folder:
        kept = [
            _beside_ansible(folder / "fifty", rounds),
            _beside_lynis(folder / "here", rounds),
            _memory(folder / "many", most),
        ]
    return 0 if all(kept) else 1


def without_apt() -> list[str]:
    """Return the options that ask for every check that looks at no probe of apt's."""
    some = (one.id for one in checks() if not any(probe.id.startswith("apt.") for probe in (*one.needs, *one.uses)))
    return [part for each in some for part in ("--check", each)]


def _beside_ansible(folder: Path, rounds: int) -> bool:
    folder.mkdir()
    with apart(folder, HOSTS) as hosts:
        path = portal_of(folder / "portal", hosts, folder / "client")
        look_of_the_week(path, hosts, folder / "client")
        look = [PORTALOPS, "--config", str(path), "check", "run", *without_apt()]
        print(f"{HOSTS} hosts in namespaces, {rounds} rounds in turns, {os.cpu_count()} cores", flush=True)
        if lacking("ansible", "ssh"):
            _show({"portalops": [_run(look) for _round in range(rounds)]})
            return True
        ansible = _Ansible(folder / "ansible", hosts, folder / "client")
        tried = {forks: ansible.facts(forks) for forks in FORKS}
        _show({f"ansible -m setup -f {forks}": [one] for forks, one in tried.items()})
        best = min(tried, key=lambda forks: tried[forks].own.seconds)
        print(f"{versions('ansible --version')}; its best fork count here is {best}", flush=True)
        mine, peer = [], []
        for _round in range(rounds):
            mine.append(_run(look))
            peer.append(ansible.facts(best))
    _show({"portalops": mine, "ansible": peer})
    own = {"portalops": [one.own for one in mine], "ansible": [one.own for one in peer]}
    whole = statistics.median(a.machine_seconds / b.machine_seconds for a, b in zip(mine, peer, strict=True))
    machine = judged("CPU time of the whole machine, of ansible's", whole, goal=MACHINE, never_above=MACHINE_LIMIT)
    fast = judged("time, of ansible's", ratio(own, "portalops", "ansible"), goal=WALL, never_above=WALL_LIMIT)
    cpu = ratio(own, "portalops", "ansible", of=lambda each: each.cpu_seconds)
    return judged("CPU time of the station, of ansible's", cpu, goal=CPU, never_above=CPU_LIMIT) and fast and machine


class _Ansible:
    """ansible with its defaults, but for the host keys, which are pinned for it too."""

    def __init__(self, folder: Path, hosts: Sequence[Served], identity: Path) -> None:
        folder.mkdir()
        self._folder = folder
        known = folder / "known_hosts"
        known.write_text("".join(f"[{one.address}]:{one.port} {one.host_key}\n" for one in hosts))
        own = "ansible_python_interpreter=/usr/bin/python3 ansible_user=root"
        rows = (f"{one.name} ansible_host={one.address} ansible_port={one.port} {own}\n" for one in hosts)
        (folder / "hosts").write_text("".join(rows))
        (folder / "ansible.cfg").touch()
        self._environment = {
            "HOME": str(folder),
            "LC_ALL": "C.UTF-8",
            "ANSIBLE_CONFIG": str(folder / "ansible.cfg"),
            "ANSIBLE_PRIVATE_KEY_FILE": str(identity),
            "ANSIBLE_SSH_COMMON_ARGS": f"-o UserKnownHostsFile={known}",
            "ANSIBLE_REMOTE_TEMP": str(folder / "remote"),
        }
        self._runs = 0

    def facts(self, forks: int) -> Whole:
        """Gather every host's facts, over connections of its own."""
        self._runs += 1
        sockets = {"ANSIBLE_SSH_CONTROL_PATH_DIR": str(self._folder / str(self._runs))}
        command = ["ansible", "all", "-i", str(self._folder / "hosts"), "-m", "setup", "-f", str(forks)]
        return _run(command, environment={**self._environment, **sockets}, answers=frozenset({0}))


def _beside_lynis(folder: Path, rounds: int) -> bool:
    folder.mkdir()
    path = portal_of(folder / "portal", (), folder / "client", extra='[[host]]\nid = "here"\naddress = "local"\n')
    look = [PORTALOPS, "--config", str(path), "check", "run"]
    first = _run(look)
    mine = [_run(look) for _round in range(rounds)]
    print("\nthis machine, every check")
    _show({"portalops, once a week": [first], "portalops": mine})
    if lacking("lynis"):
        return True
    peer = _run(["lynis", "audit", "system", "--quick"])
    _show({f"lynis {versions('lynis show version')}": [peer]})
    week = first.own.seconds / peer.own.seconds
    weekly = judged("time once a week, of lynis's", week, goal=LYNIS_WEEK, never_above=LYNIS_WEEK_LIMIT)
    value = statistics.median(one.own.seconds for one in mine) / peer.own.seconds
    return judged("time each day, of lynis's", value, goal=LYNIS, never_above=LYNIS_LIMIT) and weekly


def _memory(folder: Path, most: int) -> bool:
    folder.mkdir()
    wanted = [part for each in FAMILIES for part in ("--family", each)]
    print(f"\nby the number of hosts, the checks of {', '.join(FAMILIES)}", flush=True)
    peaks: dict[int, float] = {}
    with served(folder, most, each=MOST_ADDRESSES) as hosts:
        for size in sorted({*(each for each in SIZES if each < most), most}):
            path = portal_of(folder / f"portal-{size}", hosts[:size], folder / "client")
            one = _run([PORTALOPS, "--config", str(path), "check", "run", *wanted])
            peaks[size] = one.own.peak_mib
            _show({f"{size} hosts": [one]})
    fewest, largest = peaks[min(peaks)], peaks[max(peaks)]
    return judged("memory, of that for the fewest hosts", largest / fewest, goal=FLAT, never_above=FLAT_LIMIT)


def _run(
    command: Sequence[str], *, environment: Mapping[str, str] | None = None, answers: frozenset[int] = JUDGED
) -> Whole:
    compiled = {"PYTHONDONTWRITEBYTECODE": ""}  # as a program that is installed is
    before = _machine_seconds()
    own = measured(command, environment={**compiled, **(environment or {})}, answers=answers)
    return Whole(own, _machine_seconds() - before)


def _machine_seconds() -> float:
    """Return for how long the cores were not idle since the machine was started; see proc_stat(5)."""
    row = Path("/proc/stat").read_text(encoding="ascii").split("\n", 1)[0].split()
    user, nice, system, _idle, _waiting, *interrupts = map(int, row[1:8])
    return (user + nice + system + sum(interrupts)) / os.sysconf("SC_CLK_TCK")


def _show(runs: Mapping[str, Sequence[Whole]]) -> None:
    show({name: [one.own for one in each] for name, each in runs.items()})
    for name, each in runs.items():
        print(
            f"{name:34} {statistics.median(one.machine_seconds for one in each):6.2f} CPU-s of the machine", flush=True
        )


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
