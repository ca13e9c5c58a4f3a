"""Hosts that stand by for each other are judged together, from what all of them said in one round."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import socket
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from pydantic import ValidationError

from checks.servers.catalogue import chosen, probes_of
from checks.servers.declared import Declared
from checks.servers.runner import run_checks
from checks.servers.standby import judge_groups, read_member
from portalops.errors import HostUnreachable
from portalops.model.checks import CheckResult, CheckScan
from portalops.model.message import msg
from portalops.model.organisation import Host, HostId
from portalops.ports import Completed, Shell
from tests.checks.servers.samples import DEFAULT_AT
from tests.doubles import FixedClock, MemoryKeeper, SilentProgress
from tests.hosts import Host as NspawnHost
from tests.hosts import Hosts
from tests.programs import need
from tests.servers import free_port

A, B = Host(HostId("lb1"), "192.0.2.1"), Host(HostId("lb2"), "192.0.2.2")
PAIR = Declared.model_validate(
    {"group": {"front": {"kind": "vip", "members": ["lb1", "lb2"], "address": "192.0.2.100"}}}
)
HOLDS = json.dumps([{"ifname": "eth0", "flags": ["UP"], "addr_info": [{"local": "192.0.2.100"}]}]).encode()
HOLDS_NOT = json.dumps([{"ifname": "eth0", "flags": ["UP"], "addr_info": [{"local": "192.0.2.2"}]}]).encode()
IS_OFF = json.dumps([{"ifname": "eth0", "flags": [], "addr_info": [{"local": "192.0.2.100"}]}]).encode()


class Saying:
    """A host that says where its addresses are."""

    address = "192.0.2.1"

    def __init__(self, addresses: bytes) -> None:
        self.addresses = addresses

    def run_script(self, script: bytes, *, argument: str, deadline_seconds: float, limit_bytes: int) -> Completed:
        n = argument.encode()
        said = b"<<<%b net.addresses>>>\n%b\n<<<%b net.addresses stderr>>>\n\n<<<%b net.addresses rc=0 s=0>>>\n"
        return Completed(0, said % (n, self.addresses, n, n) + b"<<<%b done>>>\n" % n, b"")


def run(
    shells: dict[str, Shell], declared: Declared = PAIR, keeper: MemoryKeeper | None = None, check: str = "ha.vip"
) -> CheckScan:
    def shell_for(host: Host) -> Shell:
        if host.id not in shells:
            raise HostUnreachable(msg("cannot connect to {host}: timed out", host=host.id), msg("Look at the network."))
        return shells[host.id]

    return run_checks(
        [A, B],
        declared,
        shell_for=shell_for,
        keeper=keeper or MemoryKeeper(),
        clock=FixedClock(DEFAULT_AT),
        progress=SilentProgress(),
        some=chosen(ids=(check,)),
    )


def said(done: CheckScan) -> list[tuple[str, str, str]]:
    return [(one.host, one.verdict.value, one.reason) for one in done.results()]


def test_address_on_one_member_passes_and_belongs_to_the_group() -> None:
    done = run({"lb1": Saying(HOLDS), "lb2": Saying(HOLDS_NOT)})

    assert said(done) == [("front", "pass", "")]
    front = done.hosts[-1]
    assert (front.standby, front.members, front.reached) == ("vip", ("lb1", "lb2"), True)


def test_address_on_two_members_fails() -> None:
    done = run({"lb1": Saying(HOLDS), "lb2": Saying(HOLDS)})

    assert said(done) == [("front", "fail", "several-hold")]
    assert "lb1, lb2" in str(done.results()[0].message)


def test_address_on_a_device_that_is_off_is_held_by_nobody() -> None:
    assert said(run({"lb1": Saying(IS_OFF), "lb2": Saying(HOLDS_NOT)})) == [("front", "fail", "nobody-holds")]


@pytest.mark.parametrize("reached", ["lb1", "lb2"])
def test_one_member_out_of_reach_is_unknown_whatever_the_other_says(reached: str) -> None:
    done = run({reached: Saying(HOLDS)})

    assert said(done) == [("front", "unknown", "host-unreachable")]
    assert not done.hosts[-1].reached


def test_member_that_is_no_host_is_unknown() -> None:
    group = {"kind": "vip", "members": ["lb1", "lb3"], "address": "192.0.2.100"}
    declared = Declared.model_validate({"group": {"front": group}})

    assert said(run({"lb1": Saying(HOLDS), "lb2": Saying(HOLDS)}, declared)) == [
        ("front", "unknown", "member-not-looked-at")
    ]


def test_without_a_declared_group_nothing_is_known() -> None:
    assert said(run({"lb1": Saying(HOLDS)}, Declared())) == [("vip", "unknown", "no-group")]


def test_a_kind_that_the_portal_has_none_of_does_not_apply() -> None:
    done = run({}, Declared(no_standby=("vip",)))

    assert said(done) == [("vip", "not-applicable", "declared-none")]


def test_evidence_is_every_members_answer_and_gives_the_same_again() -> None:
    keeper = MemoryKeeper()

    done = run({"lb1": Saying(HOLDS), "lb2": Saying(HOLDS_NOT)}, keeper=keeper)

    (result,) = done.results()
    assert set(result.evidence) == {hashlib.sha256(raw).hexdigest() for raw in keeper.blobs.values()}
    assert len(result.evidence) == 2
    some = chosen(ids=("ha.vip",))
    by_digest = {hashlib.sha256(raw).hexdigest(): raw for raw in keeper.blobs.values()}
    looks = {
        str(host.id): read_member(host, DEFAULT_AT, by_digest[digest], probes_of(some))
        for host, digest in zip((A, B), result.evidence, strict=True)
    }
    assert judge_groups(looks, PAIR, DEFAULT_AT, some) == (done.hosts[-1],)


@pytest.mark.parametrize(
    "group",
    [
        {"kind": "vip", "members": ["a", "b"]},
        {"kind": "vip", "members": ["a", "a"], "address": "192.0.2.1"},
        {"kind": "vip", "members": ["a"], "address": "192.0.2.1"},
        {"kind": "postgresql", "members": ["a", "b"], "address": "192.0.2.1"},
        {"kind": "spare", "members": ["a", "b"], "drills": ["2026-11-01T00:00:00"]},
        {"kind": "pair", "members": ["a", "b"]},
    ],
)
def test_wrong_groups_are_refused(group: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        Declared.model_validate({"group": {"g": group}})


# --- a real pair of PostgreSQL ----------------------------------------------------------------


class Cable:
    """The link between two servers: what comes in on its port goes on to another, until it is cut."""

    def __init__(self, to: int) -> None:
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = int(self.listener.getsockname()[1])
        self.to = to
        self.ends: list[socket.socket] = []
        threading.Thread(target=self._serve, daemon=True).start()

    def _serve(self) -> None:
        with suppress(OSError):
            while True:
                here, _ = self.listener.accept()
                there = socket.create_connection(("127.0.0.1", self.to))
                self.ends += [here, there]
                for source, sink in ((here, there), (there, here)):
                    threading.Thread(target=self._carry, args=(source, sink), daemon=True).start()

    def _carry(self, source: socket.socket, sink: socket.socket) -> None:
        with suppress(OSError):
            while data := source.recv(65536):
                sink.sendall(data)

    def cut(self) -> None:
        for each in (self.listener, *self.ends):
            with suppress(OSError):
                each.shutdown(socket.SHUT_RDWR)
            each.close()


@dataclass
class Databases:
    """A primary, a standby, and the link between them."""

    folder: Path
    as_server: tuple[str, ...]
    ports: tuple[int, int]
    cable: Cable
    running: list[Path] = field(default_factory=list)

    def sql(self, port: int, statement: str) -> str:
        done = subprocess.run(
            ["psql", "-h", str(self.folder), "-p", str(port), "-U", "postgres", "-d", "postgres", "-XAtqc", statement],
            check=True,
            capture_output=True,
            text=True,
        )
        return done.stdout.strip()

    def ctl(self, data: Path, *words: str) -> None:
        log = ("-l", str(data.with_suffix(".log")))
        command = [*self.as_server, str(_binaries() / "pg_ctl"), "-D", str(data), "-w", *log, *words]
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL, cwd="/")

    def shell(self, port: int) -> Shell:
        return Asking({"PGHOST": str(self.folder), "PGPORT": str(port), "PGUSER": "auditor"})


@dataclass
class Asking:
    """A shell here, with the settings that lead psql to one of the servers."""

    settings: dict[str, str]
    address: str = "local"

    def run_script(self, script: bytes, *, argument: str, deadline_seconds: float, limit_bytes: int) -> Completed:
        environment = {**os.environ, **self.settings}
        done = subprocess.run(
            ["sh", "-s", argument],
            input=script,
            capture_output=True,
            env=environment,
            timeout=deadline_seconds,
            check=False,
        )
        return Completed(done.returncode, done.stdout, done.stderr)


def _binaries() -> Path:
    return max(
        Path("/usr/lib/postgresql").glob("*/bin"), key=lambda path: int(path.parent.name), default=Path("/absent")
    )


@pytest.fixture
def databases(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Databases]:
    """PostgreSQL with a standby made by pg_basebackup, as a user who is not root."""
    need("pg_ctlcluster")
    folder = Path(subprocess.run(["mktemp", "-d"], check=True, capture_output=True, text=True).stdout.strip())
    as_server: tuple[str, ...] = ()
    if os.geteuid() == 0:
        shutil.chown(folder, "nobody")
        as_server = ("setpriv", "--reuid=nobody", "--clear-groups")
    ports = (free_port(), free_port())
    cable = Cable(ports[0])
    made = Databases(folder, as_server, ports, cable)
    folder.chmod(0o755)
    try:
        primary, standby = folder / "primary", folder / "standby"
        initdb = (str(_binaries() / "initdb"), "-D", str(primary), "-U", "postgres", "-A", "trust", "--no-sync")
        subprocess.run([*as_server, *initdb], check=True, stdout=subprocess.DEVNULL, cwd="/")
        settings = ("fsync=off", "listen_addresses='127.0.0.1'", "wal_sender_timeout=1s", "wal_receiver_timeout=1s")
        with (primary / "postgresql.conf").open("a") as conf:
            conf.write("\n".join((f"unix_socket_directories='{folder}'", *settings, f"port={ports[0]}", "")))
        made.running.append(primary)
        made.ctl(primary, "start")
        made.sql(ports[0], "create role auditor login; grant pg_monitor to auditor; create table t (x text)")
        base = (str(_binaries() / "pg_basebackup"), "-h", "127.0.0.1", "-p", str(cable.port), "-U", "postgres")
        more = ("-D", str(standby), "-R", "-X", "stream", "-c", "fast", "--no-sync")
        subprocess.run([*as_server, *base, *more], check=True, stdout=subprocess.DEVNULL, cwd="/")
        with (standby / "postgresql.conf").open("a") as conf:
            conf.write(f"\nport={ports[1]}\n")
        made.running.append(standby)
        made.ctl(standby, "start")
        wait_for(lambda: made.sql(ports[0], "select count(*) from pg_stat_replication where state='streaming'") == "1")
        yield made
    finally:
        cable.cut()
        for data in made.running:
            with suppress(subprocess.CalledProcessError):
                made.ctl(data, "-m", "immediate", "stop")
        shutil.rmtree(folder, ignore_errors=True)


def wait_for(reached: Callable[[], bool], seconds: float = 30) -> None:
    until = time.monotonic() + seconds
    while not reached():
        assert time.monotonic() < until, "it did not come to that in time"
        time.sleep(0.05)


def of_databases(databases: Databases, check: str, **group: object) -> CheckResult:
    declared = Declared.model_validate(
        {"group": {"db": {"kind": "postgresql", "members": ["lb1", "lb2"], **group}}, "no_standby": ["vip"]}
    )
    shells = {host: databases.shell(port) for host, port in zip(("lb1", "lb2"), databases.ports, strict=True)}

    def shell_for(host: Host) -> Shell:
        return shells[host.id]

    done = run_checks(
        [A, B],
        declared,
        shell_for=shell_for,
        keeper=MemoryKeeper(),
        clock=FixedClock(datetime.now(UTC)),
        progress=SilentProgress(),
        some=chosen(ids=(check,)),
    )
    return next(one for one in done.results() if one.host == "db")


@pytest.mark.heavy
def test_postgresql_pair_passes_where_nobody_writes_and_fails_with_the_link_cut(databases: Databases) -> None:
    first, second = databases.ports
    wait_for(
        lambda: (
            databases.sql(first, "select pg_current_wal_lsn()")
            == databases.sql(second, "select pg_last_wal_replay_lsn()")
        )
    )
    assert of_databases(databases, "ha.pg-lag").verdict.value == "pass"
    assert of_databases(databases, "ha.pg-streaming").verdict.value == "pass"

    databases.cable.cut()
    wait_for(lambda: databases.sql(second, "select count(*) from pg_stat_wal_receiver where status='streaming'") == "0")
    wait_for(lambda: databases.sql(first, "select count(*) from pg_stat_replication") == "0")

    lag = of_databases(databases, "ha.pg-lag")
    assert (lag.verdict.value, lag.reason) == ("fail", "link-cut")
    assert of_databases(databases, "ha.pg-streaming").reason == "too-few-follow"


@pytest.mark.heavy
def test_postgresql_failover_counts_only_after_the_standby_leads(databases: Databases) -> None:
    began = datetime.now(UTC) - timedelta(seconds=1)
    drills = [began.isoformat()]
    before = of_databases(databases, "ha.failover-drill", drills=drills)
    assert (before.verdict.value, before.reason) == ("fail", "role-did-not-move")

    primary, standby = databases.running
    databases.ctl(standby, "promote")
    both = of_databases(databases, "ha.pg-lag")
    assert (both.verdict.value, both.reason) == ("fail", "several-primaries")
    databases.ctl(primary, "-m", "fast", "stop")
    (primary / "standby.signal").touch()
    with (primary / "postgresql.conf").open("a") as conf:
        conf.write(f"\nprimary_conninfo='host=127.0.0.1 port={databases.ports[1]} user=postgres'\n")
    databases.ctl(primary, "start")

    after = of_databases(databases, "ha.failover-drill", drills=drills)
    assert (after.verdict.value, after.reason) == ("unknown", "outage-not-declared"), str(after.message)
    assert str(after.message).startswith("lb2 began to lead at ")


# --- a real pair with keepalived --------------------------------------------------------------

KEEPALIVED = """
global_defs {{
    enable_script_security
    script_user root
}}
vrrp_script portal {{
    script "/usr/bin/true"
    interval 1
}}
vrrp_instance PORTAL {{
    state BACKUP
    interface host0
    virtual_router_id 51
    priority {priority}
    advert_int 1
    authentication {{
        auth_type PASS
        auth_pass {canary}
    }}
    virtual_ipaddress {{
        {address}/32 dev host0
    }}
    track_script {{
        portal
    }}
}}
"""
CANARY = "kEy0f112"


@dataclass
class Inside:
    """A shell on a host, past its network."""

    host: NspawnHost
    address: str = "192.0.2.1"

    def run_script(self, script: bytes, *, argument: str, deadline_seconds: float, limit_bytes: int) -> Completed:
        inside = ["nsenter", "--all", f"--target={self.host.first}", "sh", "-s", argument]
        done = subprocess.run(inside, input=script, capture_output=True, timeout=deadline_seconds, check=False)
        return Completed(done.returncode, done.stdout, done.stderr)


@pytest.mark.hosts
@pytest.mark.heavy
def test_the_shared_address_moves_and_split_brain_is_seen(hosts: Hosts) -> None:
    with hosts.started(name="lb1") as first, hosts.started(name="lb2") as second:
        address = f"{first.address.rpartition('.')[0]}.200"
        shells: dict[str, Shell] = {"lb1": Inside(first), "lb2": Inside(second)}
        keeper = MemoryKeeper()

        def verdict(check: str, **more: object) -> tuple[str, str]:
            group = {"kind": "vip", "members": ["lb1", "lb2"], "address": address, **more}
            done = run_checks(
                [A, B],
                Declared.model_validate({"group": {"front": group}, "no_standby": ["postgresql"]}),
                shell_for=lambda host: shells[host.id],
                keeper=keeper,
                clock=FixedClock(datetime.now(UTC)),
                progress=SilentProgress(),
                some=chosen(ids=(check,)),
            )
            result = next(one for one in done.results() if one.host == "front")
            return result.verdict.value, result.reason

        def holds(host: NspawnHost) -> bool:
            return address in host.sh("ip address show")

        for host, priority in ((first, 150), (second, 100)):
            text = KEEPALIVED.format(priority=priority, address=address, canary=CANARY)
            host.sh("cat >/etc/keepalived/keepalived.conf", stdin=text.encode())
            host.sh("systemctl restart keepalived")
        wait_for(lambda: holds(first) and not holds(second))
        assert verdict("ha.vip") == ("pass", "")
        assert verdict("ha.keepalived") == ("pass", "")
        began = datetime.now(UTC)
        assert verdict("ha.failover-drill", drills=[began.isoformat()]) == ("fail", "role-did-not-move")

        first.sh("systemctl stop keepalived")
        wait_for(lambda: holds(second))
        assert verdict("ha.vip") == ("pass", "")
        assert verdict("ha.keepalived") == ("fail", "not-running")
        moved = {"drills": [began.isoformat()], "outage_seconds": 60, "pages": ["https://portal.example.vn/"]}
        assert verdict("ha.failover-drill", **moved) == ("unknown", "not-gathered"), "no ledger has samples"

        deaf = "nft 'add table inet t; add chain inet t i { type filter hook input priority 0; }; add rule inet t i meta l4proto 112 drop'"
        second.sh(deaf)
        first.sh("systemctl reset-failed; systemctl start keepalived")
        wait_for(lambda: holds(first) and holds(second))
        assert verdict("ha.vip") == ("fail", "several-hold")
        assert not any(CANARY.encode() in raw for raw in keeper.blobs.values())
