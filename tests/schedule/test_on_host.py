"""On a real Debian with its own systemd: timers fire, a failure is mailed, what is wrong is told, and all of it goes away again."""

from __future__ import annotations

import json
import shlex
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from tests.hosts import Host, Hosts
from tests.installed import MailSink, installed, portalops, write
from tests.schedule.test_cron import CHANNEL

pytestmark = [pytest.mark.hosts, pytest.mark.heavy]

CONFIG = "/etc/portalops/portalops.toml"
TEXT = """
portal   = { id = "kh", name = { vi = "Cổng thông tin điện tử tỉnh Khánh Hòa" } }
state    = { folder = "/var/lib/portalops/state" }
report   = { folder = "/var/lib/portalops/reports" }
signing  = { key = "/var/lib/portalops/keys/signing" }
schedule = { every_minutes = 1, random_delay_minutes = 0 }

[backup]
recipients = [
  { name = "operator", file = "/var/lib/portalops/keys/operator.age.pub" },
  { name = "escrow", file = "/var/lib/portalops/keys/escrow.age.pub" },
]

[[host]]
id = "this-machine"
address = "local"

[[backup.source]]
id = "settings"
kind = "files"
class = "configuration"
include = ["/etc", "/srv/closed"]

[[backup.medium]]
id = "disk-a"
kind = "disk"
folder = "/srv/disk-a"
mount_point = "/srv/disk-a"

[[job]]
id = "daily-backup"
kind = "backup"
every = "day"

[[job]]
id = "daily-verify"
kind = "verify"
every = "day"

[[job]]
id = "daily-check"
kind = "check"
every = "day"

[[job]]
id = "weekly-report"
kind = "report"
every = "week"
"""


@pytest.fixture
def host(hosts: Hosts, sink: MailSink) -> Iterator[Host]:
    """A host whose portal is configured, with a file that only root may read and a disk that is mounted."""
    with installed(hosts) as made:
        text = TEXT + CHANNEL.format(sink=sink)
        write(made, CONFIG, text)
        write(made, "/srv/closed/secret", "only root reads this", owner="root:root", mode=0o600)
        made.sh(
            "chmod 700 /srv/closed; install -d /srv/disk-a; mount -t tmpfs -o mode=700,uid=portalops disk /srv/disk-a"
        )
        keys = portalops(made, "--config", CONFIG, "init", "--no-input", "--keys")
        assert keys.returncode == 0, keys.stderr
        yield made


def schedule(host: Host, *arguments: str, user: str = "root") -> tuple[int, str]:
    """Run `portalops schedule`; return its exit code and what it says."""
    done = portalops(host, "--config", CONFIG, "schedule", *arguments, user=user)
    return done.returncode, done.stdout + done.stderr


def flaws(host: Host) -> dict[str, list[str]]:
    """Return what the schedule's status finds wrong, by what has it."""
    done = portalops(host, "--config", CONFIG, "--json", "schedule", "status", user="root")
    rows = json.loads(done.stdout)["data"]
    found = {row["id"]: [flaw["seen"] for flaw in row["flaws"]] for row in rows if row["flaws"]}
    assert done.returncode == (1 if found else 0), done.stdout
    return found


def finished(host: Host) -> dict[str, str]:
    """Return each job's newest outcome."""
    done = portalops(host, "--config", CONFIG, "--json", "schedule", "status", user="root")
    rows = json.loads(done.stdout)["data"]
    return {row["id"]: row["last_outcome"] for row in rows if row["type"] == "job" and row["last_outcome"]}


def wait_until(is_so: Callable[[], bool], what: str, *, seconds: float = 130) -> None:
    end = time.monotonic() + seconds
    while not is_so():
        assert time.monotonic() < end, f"not within {seconds} s: {what}"
        time.sleep(1)


def files(host: Host) -> str:
    return host.sh("find /etc/systemd /etc/cron.d | sort")


def test_jobs_run_by_themselves_and_all_goes_away_again(host: Host, sink: MailSink) -> None:
    before = files(host)

    code, said = schedule(host, "install", "--systemd")
    assert code == 0, said
    wait_until(lambda: len(finished(host)) == 4, "all four jobs ran")

    journal = host.sh("journalctl -u 'portalops*' -o cat --no-pager")
    assert set(finished(host).values()) == {"complete"}, journal[-3000:]
    assert "Traceback" not in journal
    assert flaws(host) == {}
    code, said = schedule(host, "install", "--systemd")
    assert code == 0 and "nothing was changed" in said
    assert host.sh("find /srv/disk-a -type f | head -1")
    assert sink.mails == []

    assert schedule(host, "uninstall")[0] == 0
    assert files(host) == before
    assert "portalops" not in host.sh("ls /var/lib/systemd/timers")


def test_a_failure_is_mailed_once_also_where_the_run_could_not_tell_it(host: Host, sink: MailSink) -> None:
    assert schedule(host, "install")[0] == 0
    host.sh("systemctl start portalops.service")  # a good run keeps whom to tell
    assert sink.mails == []

    host.sh(f"cp -p {CONFIG} /run/good; echo 'every = ' >>{CONFIG}; systemctl start portalops.service || true")
    assert "PO1003" in sink.wait_for(1, seconds=60)[0].get_content()
    host.sh(f"cp -p /run/good {CONFIG}")

    killed = "[Service]\nExecStart=\nExecStart=/bin/sh -c 'kill -9 $$$$'\n"
    write(host, "/etc/systemd/system/portalops.service.d/local.conf", killed, owner="root:root", mode=0o644)
    host.sh("systemctl daemon-reload; systemctl start portalops.service || true")
    letters = [mail.get_content() for mail in sink.wait_for(2, seconds=60)]
    assert any("portalops.service" in letter and "signal" in letter for letter in letters), letters
    assert "signal" in flaws(host)["portalops.service"][0]

    told = host.sh("journalctl -u 'portalops-failed@*' -o cat --no-pager")
    assert "Traceback" not in told and "Finished" in told and "Failed to start" not in told, told


def test_what_only_root_reads_is_in_the_backup_and_a_disk_that_is_away_is_not_written_beside(host: Host) -> None:
    assert schedule(host, "install")[0] == 0
    host.sh("umount /srv/disk-a; systemctl start portalops-backup.service || true")

    assert finished(host)["daily-backup"] == "failed"
    assert host.sh("find /srv/disk-a -type f") == ""

    host.sh("mount -t tmpfs -o mode=700,uid=portalops disk /srv/disk-a")
    done = portalops(host, "--config", CONFIG, "run", "daily-backup")  # as the account itself, without the unit's right
    assert done.returncode in {1, 3, 4}, done.stdout
    assert "closed" in done.stdout + done.stderr
    started = "systemd-run --wait --pipe --quiet $(sed -n 's/^\\(User\\|AmbientCapabilities\\|CapabilityBoundingSet\\)=/-p &/p' UNIT)"
    started = started.replace("UNIT", "/etc/systemd/system/portalops-backup.service")
    said = host.sh(f"{started} /usr/local/bin/portalops --config {CONFIG} --json backup run 2>&1 || true")
    assert '"outcome": "complete"' in said, said[-3000:]


def test_the_unit_sees_this_machine_as_it_is(host: Host) -> None:
    """Within its walls it has other mounts and no root: the probe service answers what the account's own sudo does by hand."""
    sudoers = portalops(host, "--config", CONFIG, "host", "sudoers", "--user", "portalops", user="root").stdout
    helper = portalops(host, "--config", CONFIG, "host", "helper", user="root").stdout
    write(host, "/etc/sudoers.d/portalops", sudoers, owner="root:root", mode=0o440)
    write(host, "/usr/local/libexec/portalops-helper", helper, owner="root:root", mode=0o755)
    call = f"/usr/local/bin/portalops --config {CONFIG} --json check run"
    assert schedule(host, "install")[0] == 0
    host.sh("systemctl stop 'portalops*.timer' portalops-probe.socket")
    by_sudo = verdicts(portalops(host, *call.split()[1:]).stdout)
    host.sh("rm /etc/sudoers.d/portalops /usr/local/libexec/portalops-helper; systemctl start portalops-probe.socket")

    inside = verdicts(host.sh(f"systemd-run --wait --pipe --quiet {properties_of(host, CHECK)} {call} || true"))
    by_hand = verdicts(portalops(host, *call.split()[1:]).stdout)

    assert inside == by_hand
    assert {each: seen for each, seen in inside.items() if seen != by_sudo[each]} == {}
    assert sum(verdict != "unknown" for verdict in inside.values()) > 15


@pytest.mark.parametrize("release", [13, 12])
def test_no_service_but_the_probe_is_exposed_more_than_two(host: Host, hosts: Hosts, release: int) -> None:
    """As systemd itself counts it of what it runs; portalops needs no Python of that release for its units."""
    assert schedule(host, "install")[0] == 0
    units = host.sh("tar -C /etc/systemd/system -cf - . | base64 -w0")
    with hosts.started(release, name="counted") as counted:
        counted.sh("useradd portalops; base64 -d | tar -C /etc/systemd/system -xf -", stdin=units.encode())
        counted.sh("systemctl daemon-reload")
        names = counted.sh("cd /etc/systemd/system; ls portalops*.service").split()
        found = {name: exposure(counted.sh(f"systemd-analyze security --no-pager {instance(name)}")) for name in names}

    assert len(found) == 6, found
    privileged = found.pop("portalops-probe@.service")
    assert max(found.values()) <= 2.0 and privileged <= 5.7, (found, privileged)


def exposure(text: str) -> float:
    """Return what systemd counts in its last line."""
    return float(text.splitlines()[-1].partition(": ")[2].split()[0])


def instance(unit: str) -> str:
    """Return a unit, or one of its instances."""
    return unit.replace("@.", "@1.")


ASK = r"""
import socket, sys, time
way = sys.argv[1]
def ask(data, shut=True, wait=20):
    with socket.socket(socket.AF_UNIX) as link:
        link.settimeout(wait)
        link.connect("/run/portalops-probe")
        try:
            link.sendall(data)
            if shut:
                link.shutdown(socket.SHUT_WR)
            said = b""
            while chunk := link.recv(65536):
                said += chunk
        except ConnectionError as error:
            return type(error).__name__
        return said.decode()
nonce = "0123456789abcdef" * 2
clock = next(line.split(")")[0] for line in open("/etc/systemd/system/portalops-probe.sh") if line.startswith("clock@"))
honest = f"portalops-probe 1 {nonce}\n{clock}\nend\n".encode()
if way == "honest":
    print(ask(honest))
elif way == "free":
    for word in ("id", "$(id)", "clock@000000000000", "../../bin/id@000000000000"):
        print(ask(f"portalops-probe 1 {nonce}\n{word}\nend\n".encode()))
elif way == "huge":
    print(ask(honest + b"clock\n" * 10_000_000))
elif way == "half":
    print(ask(honest[:-4], shut=True))
    begun = time.monotonic()
    print(ask(honest[:-4], shut=False), time.monotonic() - begun < 15)
elif way == "thousand":
    links = []
    for _ in range(1000):
        links.append(socket.socket(socket.AF_UNIX))
        links[-1].connect("/run/portalops-probe")
    time.sleep(12)
    for each in links:
        each.close()
    time.sleep(1)
    print(ask(honest))
"""


def test_the_probe_service_withstands_its_clients(host: Host) -> None:
    assert schedule(host, "install")[0] == 0
    host.sh("systemctl stop 'portalops*.timer'; useradd other")
    write(host, "/var/lib/ask.py", ASK, mode=0o644)

    def ask(way: str, user: str = "portalops") -> str:
        return host.sh(f"runuser -u {user} -- python3 /var/lib/ask.py {way} 2>&1 || true", seconds=120)

    assert " clock rc=0 " in ask("honest")
    assert "Permission denied" in ask("honest", "other")
    free = ask("free")
    assert "uid=" not in free and "has characters" in free and free.count("of another version") == 2, free
    assert "uid=" not in free and "rc=0" not in free
    assert " clock rc=0 " not in ask("huge")
    half = ask("half")
    assert "was cut" in half and "was not complete within 10 s" in half and half.endswith("True\n"), half
    assert " clock rc=0 " in ask("thousand")
    assert host.sh("systemctl is-active portalops-probe.socket") == "active\n"
    assert host.sh("systemctl list-units --no-legend 'portalops-probe@*'") == ""


def test_a_probe_that_hangs_is_ended_and_what_asks_alone_goes_away(host: Host) -> None:
    assert schedule(host, "install")[0] == 0
    host.sh("systemctl stop 'portalops*.timer'")
    program = host.sh("cat /etc/systemd/system/portalops-probe.sh")
    line = next(line for line in program.splitlines() if line.startswith("clock@"))
    hanging = f"{line.split(')')[0]}) probe clock 2 100 user sleep $AS sleep 1000 ;;"
    host.sh("cat >/etc/systemd/system/portalops-probe.sh", stdin=program.replace(line, hanging).encode())
    write(host, "/var/lib/ask.py", ASK, mode=0o644)

    said = host.sh("runuser -u portalops -- python3 /var/lib/ask.py honest")

    assert " clock rc=124 " in said
    assert host.sh("pgrep -c sleep || true").strip() == "0"


def test_what_runs_as_the_account_beyond_the_walls_cannot_be_traced_from_within(host: Host) -> None:
    """Otherwise a service of that account could write into a probe's memory, and leave its walls."""
    assert schedule(host, "install")[0] == 0
    program = host.sh("cat /etc/systemd/system/portalops-probe.sh")
    line = next(line for line in program.splitlines() if line.startswith("clock@"))
    waiting = f"{line.split(')')[0]}) probe clock 9 9 user sleep $AS sleep 8 ;;"
    host.sh("systemctl stop 'portalops*.timer'; sysctl -qw kernel.yama.ptrace_scope=0 || true")
    host.sh("cat >/etc/systemd/system/portalops-probe.sh", stdin=program.replace(line, waiting).encode())
    write(host, "/var/lib/ask.py", ASK, mode=0o644)
    trial = "for p in $(pgrep -u portalops -x sleep); do ls -l /proc/$p/exe; done"

    host.sh("runuser -u portalops -- python3 /var/lib/ask.py honest >/run/said 2>&1 & sleep 2")
    host.sh("runuser -u portalops -- sleep 30 >/dev/null 2>&1 &")  # one beyond the walls that nothing guards
    there = host.sh("pgrep -u portalops -x sleep").split()
    seen = host.sh(
        f"systemd-run --wait --pipe --quiet {properties_of(host, CHECK)} /bin/sh -c {shlex.quote(trial)} 2>&1"
    )
    host.sh("sleep 8; grep -q 'clock rc=0' /run/said")

    assert len(there) == 2 and seen.count("/bin/sleep") == 1, (there, seen)


def test_a_socket_that_is_closed_leaves_checks_unknown_and_is_told_with_its_cure(host: Host) -> None:
    assert schedule(host, "install")[0] == 0
    host.sh("systemctl stop 'portalops*.timer'; systemctl disable --now portalops-probe.socket 2>&1")
    call = f"/usr/local/bin/portalops --config {CONFIG} --json check run"

    inside = host.sh(f"systemd-run --wait --pipe --quiet {properties_of(host, CHECK)} {call} || true")

    assert "portalops-probe cannot be asked" in inside and "pass" not in verdicts(inside).values()
    seen = flaws(host)["portalops-probe.socket"]
    assert len(seen) == 2 and "not open" in seen[1]


CHECK = "portalops-check.service"


def properties_of(host: Host, unit: str) -> str:
    """Return the options by which systemd-run gives a command the walls of an installed unit."""
    lines = host.sh(f"cat /etc/systemd/system/{unit}").partition("[Service]")[2].splitlines()
    skipped = ("#", "Exec", "Type", "StandardOutput")
    return " ".join(f"-p {shlex.quote(line)}" for line in lines if "=" in line and not line.startswith(skipped))


LIBRARIES = """
import ctypes, io, lxml.etree, pyrage, sqlite3, ssl, zlib
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from backports import zstd
import boto3, httpx, paramiko, psutil, pydantic, sqlalchemy

me = pyrage.x25519.Identity.generate()
assert pyrage.decrypt(pyrage.encrypt(b"x" * 1_000_000, [me.to_public()]), [me]) == b"x" * 1_000_000
Ed25519PrivateKey.generate().sign(b"x")
assert lxml.etree.fromstring(b"<a><b/></a>").xpath("//b")
zstd.compress(b"x" * 1_000_000)
sqlite3.connect(":memory:").execute("select 1")
ssl.create_default_context()
with open("/var/lib/portalops/state/tried", "w") as file: file.write("x")
for path in ("/etc/portalops/x", "/srv/x", "/usr/x"):
    try: open(path, "w")
    except OSError: continue
    raise AssertionError(path)
print("clock:", ctypes.CDLL(None, use_errno=True).adjtimex(ctypes.create_string_buffer(512)), ctypes.get_errno())
assert ctypes.CDLL(None).unshare(0x10000000) != 0  # a user namespace of its own
print("all work")
"""


@pytest.mark.parametrize("unit", ["portalops.service", "portalops-backup.service", "portalops-failed@.service"])
def test_libraries_work_within_the_walls_and_the_walls_hold(host: Host, unit: str) -> None:
    """Compiled libraries need no writable code pages, and what is not named cannot be written."""
    assert schedule(host, "install")[0] == 0
    write(host, "/var/lib/portalops/try.py", LIBRARIES)

    said = host.sh(
        f"systemd-run --wait --pipe --quiet {properties_of(host, unit)} -p Environment=PYTHONPATH=/opt/portalops/packages"
        " /usr/bin/python3 /var/lib/portalops/try.py 2>&1 || true"
    )

    assert said.endswith("all work\n"), said


def verdicts(text: str) -> dict[str, Any]:
    """Return each check's verdict."""
    return {row["id"]: row["verdict"] for row in json.loads(text)["data"] if "verdict" in row}


def test_a_timer_that_is_off_dead_or_edited_is_told(host: Host) -> None:
    assert schedule(host, "install")[0] == 0

    host.sh("systemctl stop portalops-check.timer")
    assert list(flaws(host)) == ["portalops-check.timer"]
    host.sh("systemctl disable portalops-check.timer 2>&1")
    assert len(flaws(host)["portalops-check.timer"]) == 2
    assert schedule(host, "install")[0] == 0
    assert flaws(host) == {}

    host.sh(
        "systemctl mask --now portalops-media.timer 2>&1 || true; echo '# mine' >>/etc/systemd/system/portalops.service"
    )
    host.sh("systemctl daemon-reload")
    assert "edited by hand" in flaws(host)["portalops.service"][0]

    before = host.sh("cat /etc/systemd/system/portalops.service")
    code, said = schedule(host, "install")
    assert code == 4 and "was edited by hand" in said
    code, said = schedule(host, "uninstall")
    assert code == 3 and "/etc/systemd/system/portalops.service" in said
    assert host.sh("cat /etc/systemd/system/portalops.service") == before
    assert host.sh("ls /etc/systemd/system | grep portalops") == "portalops.service\n"


def test_nothing_is_written_where_it_would_not_do(host: Host) -> None:
    before = files(host)

    code, said = schedule(host, "install", user="portalops")
    assert code == 4 and "Permission denied" in said and "sudo /usr/local/bin/portalops" in said

    host.sh("mount --bind /etc/systemd/system /etc/systemd/system; mount -o remount,ro,bind /etc/systemd/system")
    code, said = schedule(host, "install")
    host.sh("umount /etc/systemd/system")
    assert code == 4 and "ead-only file system" in said

    host.sh(f"chmod 600 {CONFIG}; chgrp root {CONFIG}")
    code, said = schedule(host, "install")
    assert code == 4 and "as portalops, 'portalops config check' fails" in said and "ermission denied" in said, said
    host.sh(f"chmod 640 {CONFIG}; chgrp portalops {CONFIG}")

    host.sh("install -d -m 755 /var/lib/portalops/state")
    code, said = schedule(host, "install")
    assert code == 4 and "portalops cannot write the folder /var/lib/portalops/state" in said
    host.sh("rmdir /var/lib/portalops/state")

    host.sh("mv /usr/bin/systemctl /usr/bin/systemctl.real")
    write(host, "/usr/bin/systemctl", SOME_FAIL, owner="root:root", mode=0o755)
    code, said = schedule(host, "install")
    host.sh("mv /usr/bin/systemctl.real /usr/bin/systemctl")
    assert code == 4 and "restart" in said
    assert files(host) == before
    assert host.sh("systemctl list-timers --all --no-legend 'portalops*'") == ""


SOME_FAIL = """#!/bin/sh
case " $* " in *" restart "*) echo 'Failed to restart: the disk is full' >&2; exit 1 ;; esac
exec /usr/bin/systemctl.real "$@"
"""
"""A systemctl that can do everything but the last step."""
