"""Many hosts, one trip each: nothing is dropped, and the kept bytes can be judged again."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path

import pytest

from checks.servers.catalogue import checks, chosen
from checks.servers.check import CheckOutcome, check
from checks.servers.declared import Declared
from checks.servers.facts import Facts
from checks.servers.judging import judge_again
from checks.servers.machine import PsutilMachine
from checks.servers.probe import ProbeResult
from checks.servers.probes import clock, machine
from checks.servers.runner import run_checks
from checks.servers.shells import shells
from checks.servers.standby import GroupCheck
from portalops.errors import HostKeyChanged, HostUnreachable, LegacySsh
from portalops.model.checks import CheckResult, CheckScan
from portalops.model.hosts import HostWay
from portalops.model.message import Message, msg
from portalops.model.organisation import Host, HostId
from portalops.model.verdicts import CheckVerdict, Severity
from portalops.ports import Completed, Shell
from portalops.system.programs import LocalShell
from tests.checks.servers.samples import DEFAULT_AT
from tests.doubles import FixedClock, MemoryKeeper, SilentProgress

WEB = Host(HostId("web1"), "192.0.2.1")
DATABASE = Host(HostId("db1"), "192.0.2.2")
HERE = Host(HostId("here"), "local")


ALONE = [one.id for one in checks() if not isinstance(one, GroupCheck)]
"""The checks that judge one host; the others are tried in test_standby.py."""


def of_hosts(done: CheckScan) -> list[CheckResult]:
    return [result for host in done.hosts if not host.standby for result in host.results]


class QuotingShell:
    """Says the given text for each section that is asked for, and nothing for the others."""

    address = "192.0.2.1"

    def __init__(self, said: Mapping[str, bytes], *, ends: bool = True) -> None:
        self.said = said
        self.ends = ends
        self.trips = 0

    def run_script(self, script: bytes, *, argument: str, deadline_seconds: float, limit_bytes: int) -> Completed:
        self.trips += 1
        n = argument.encode()
        body = b"".join(
            b"<<<%b %b>>>\n%b\n<<<%b %b stderr>>>\n\n<<<%b %b rc=0 s=0>>>\n"
            % (n, name.encode(), said, n, name.encode(), n, name.encode())
            for name, said in self.said.items()
        )
        return Completed(0, body + (b"<<<%b done>>>\n" % n if self.ends else b""), b"")


def unreachable(host: Host) -> Shell:
    raise HostUnreachable(msg("cannot connect to {host}: timed out", host=host.id), msg("Look at the network."))


def run(
    hosts: list[Host], shells: Mapping[str, Shell], keeper: MemoryKeeper | None = None, **more: object
) -> CheckScan:
    def shell_for(host: Host) -> Shell:
        return shells[host.id] if host.id in shells else unreachable(host)

    return run_checks(
        hosts,
        Declared(),
        shell_for=shell_for,
        keeper=keeper or MemoryKeeper(),
        clock=FixedClock(DEFAULT_AT),
        progress=SilentProgress(),
        **more,  # type: ignore[arg-type]
    )


def test_unreachable_host_has_every_check_unknown_and_takes_nothing_from_others() -> None:
    done = run([WEB, DATABASE], {"web1": QuotingShell({"os.release": b"ID=debian\nVERSION_ID=13\n"})})

    database, web = done.hosts[:2]
    assert (database.host, database.reached, web.reached) == ("db1", False, True)
    assert "timed out" in str(database.problem)
    assert [result.check for result in database.results] == ALONE
    assert {(result.verdict, result.reason) for result in database.results} == {
        (CheckVerdict.UNKNOWN, "host-unreachable")
    }
    assert {result.check: result.verdict for result in web.results}["patching.os-eol"] is CheckVerdict.PASS


def test_fault_on_the_way_to_one_host_takes_nothing_from_the_others() -> None:
    class Broken(QuotingShell):
        def run_script(self, script: bytes, *, argument: str, deadline_seconds: float, limit_bytes: int) -> Completed:
            raise ZeroDivisionError

    said = QuotingShell({"os.release": b"ID=debian\nVERSION_ID=13\n"})
    done = run([WEB, DATABASE], {"web1": said, "db1": Broken({})}, some=chosen(ids=("patching.os-eol",)))

    assert [(one.host, one.reason) for one in done.results()] == [("db1", "gather-crashed"), ("web1", "")]


class TellingProgress:
    """Keeps what whoever waits is told."""

    def __init__(self) -> None:
        self.told: list[str] = []

    def advance(self, amount: int) -> None:
        pass

    def note(self, text: Message) -> None:
        self.told.append(str(text))

    @contextmanager
    def task(self, title: Message, *, total: int | None, unit: str) -> Iterator[TellingProgress]:
        yield self


def test_whoever_waits_is_told_how_each_host_came_out_when_it_is_done() -> None:
    progress = TellingProgress()
    said = QuotingShell({"os.release": b"ID=debian\nVERSION_ID=13\n"})

    run_checks(
        [WEB, DATABASE],
        Declared(),
        shell_for=lambda host: unreachable(host) if host is DATABASE else said,
        keeper=MemoryKeeper(),
        clock=FixedClock(DEFAULT_AT),
        progress=progress,
        some=chosen(ids=("patching.os-eol",)),
    )

    assert sorted(progress.told) == ["db1: 0 pass, 0 fail, 1 unknown", "web1: 1 pass, 0 fail, 0 unknown"]


def test_each_host_is_asked_once_and_once_more_for_what_is_slow() -> None:
    usual, slow = QuotingShell({}), QuotingShell({})

    run([WEB], {"web1": usual}, some=chosen(ids=("patching.os-eol", "acct.uid0")))
    run([WEB], {"web1": slow})

    assert (usual.trips, slow.trips) == (1, 2)


def test_results_are_sorted_by_host_and_check() -> None:
    done = run([WEB, DATABASE], {})

    assert [host.host for host in done.hosts if not host.standby] == ["db1", "web1"]
    names = [result.check for result in done.hosts[0].results]
    assert names == sorted(names)


def test_evidence_is_the_kept_answer_and_can_be_judged_again() -> None:
    keeper = MemoryKeeper()
    shell = QuotingShell({"os.release": b"ID=debian\nVERSION_ID=13\n", "net.listeners": b"rubbish"})

    done = run([WEB], {"web1": shell}, keeper)

    digest, raw = list(keeper.blobs.items())[-1]  # the first is of before its slow probes came
    assert {result.evidence for result in of_hosts(done)} == {(digest,)}
    assert judge_again(raw, WEB, Declared(), done.hosts[0].gathered_at) == done.hosts[0].results
    assert repr(judge_again(raw, WEB, Declared(), DEFAULT_AT)) == repr(done.hosts[0].results)


def test_answer_without_its_end_leaves_the_rest_unknown() -> None:
    done = run([WEB], {"web1": QuotingShell({"os.release": b"ID=debian\nVERSION_ID=13\n"}, ends=False)})

    reasons = {result.check: (result.verdict.value, result.reason) for result in done.results()}
    assert reasons["patching.os-eol"] == ("pass", "")
    assert reasons["acct.uid0"] == ("unknown", "answer-incomplete")


def test_answer_out_of_form_makes_everything_unknown_and_is_kept() -> None:
    keeper = MemoryKeeper()

    class Doubling(QuotingShell):
        def run_script(self, script: bytes, *, argument: str, deadline_seconds: float, limit_bytes: int) -> Completed:
            once = super().run_script(script, argument=argument, deadline_seconds=1, limit_bytes=1)
            return Completed(0, once.stdout + once.stdout, b"")

    done = run([WEB], {"web1": Doubling({"os.release": b"ID=debian\nVERSION_ID=13\n"})}, keeper)

    assert {result.reason for result in of_hosts(done)} == {"answer-rejected"}
    assert len(keeper.blobs) == 1


def test_crash_in_a_check_is_an_error_of_that_check_alone() -> None:
    @check(
        id="test.crashes",
        clause="12.4",
        severity=Severity.LOW,
        needs=(clock.PROBE,),
        title=msg("never"),
        remedy=msg("None."),
    )
    def crashes(facts: Facts) -> CheckOutcome:
        raise ZeroDivisionError(str(facts.at))

    done = run([WEB], {"web1": QuotingShell({"clock": b"1795572000\n"})}, some=(crashes, *chosen(families=("run",))))

    verdicts = {result.check: (result.verdict.value, result.reason) for result in done.results()}
    assert verdicts["test.crashes"] == ("error", "check-crashed")
    assert verdicts["run.time-sync"] == ("unknown", "not-gathered")


def test_role_exempts_only_where_it_is_declared() -> None:
    container = Host(HostId("web1"), "192.0.2.1", frozenset({"container"}))
    some = chosen(ids=("kernel.sysctl", "acct.uid0"))

    with_role = {result.check: result.verdict for result in run([container], {}, some=some).results()}
    without = {result.check: result.verdict for result in run([WEB], {}, some=some).results()}

    assert with_role == {"kernel.sysctl": CheckVerdict.NOT_APPLICABLE, "acct.uid0": CheckVerdict.UNKNOWN}
    assert without["kernel.sysctl"] is CheckVerdict.UNKNOWN


def test_second_view_is_taken_of_the_local_host_only() -> None:
    keeper = MemoryKeeper()

    class Fixed:
        def snapshot(self) -> ProbeResult:
            return ProbeResult("machine", 0, b'{"disks": [], "listeners": [["tcp", "0.0.0.0", 31337]]}', b"", 0)

    some = chosen(ids=("firewall.listeners",))
    said = QuotingShell({"net.listeners": b"tcp LISTEN 0 128 127.0.0.1:25 0.0.0.0:*\n"})
    run([HERE, WEB], {"here": said, "web1": said}, keeper, some=some, machine=Fixed())

    assert sorted(b"31337" in raw for raw in keeper.blobs.values()) == [False, True]


def test_second_view_that_crashes_takes_nothing_from_the_first() -> None:
    class Crashing:
        def snapshot(self) -> ProbeResult:
            raise RuntimeError("no such process")

    some = chosen(ids=("firewall.listeners", "run.time-sync"))
    said = QuotingShell({"net.listeners": b"", "clock": b"1795572000"})

    round_ = run([HERE], {"here": said}, some=some, machine=Crashing())

    assert round_.hosts[0].reached
    assert {result.verdict for result in round_.results()} <= {CheckVerdict.UNKNOWN, CheckVerdict.FAIL}
    assert all(result.evidence for result in round_.results())


def test_psutil_sees_this_machines_disks() -> None:
    snapshot = machine.parse(PsutilMachine().snapshot().output())

    assert all(disk.used_bytes + disk.free_bytes > 0 for disk in snapshot.disks if disk.mount == "/")


@pytest.mark.heavy
def test_this_machine_is_checked_for_real() -> None:
    """One whole trip here: every check answers, and none crashes, whatever this machine is."""
    keeper = MemoryKeeper()

    done = run([HERE], {"here": LocalShell()}, keeper)

    assert [result.check for result in of_hosts(done)] == ALONE
    assert CheckVerdict.ERROR not in {result.verdict for result in done.results()}
    raw = list(keeper.blobs.values())[-1]
    assert judge_again(raw, HERE, Declared(), done.hosts[0].gathered_at) == done.hosts[0].results
    assert judge_again(raw, HERE, Declared(), DEFAULT_AT + timedelta(days=4000)) != done.hosts[0].results


def test_host_without_an_enrolled_key_is_unreachable() -> None:
    done = run_checks(
        [WEB],
        Declared(),
        shell_for=shells({WEB.id: HostWay("192.0.2.1", 22, "portalops", Path("key"), None)}, {}),
        keeper=MemoryKeeper(),
        clock=FixedClock(DEFAULT_AT),
        progress=SilentProgress(),
    )

    assert not done.hosts[0].reached
    assert "web1" in str(done.hosts[0].problem)
    assert {result.reason for result in of_hosts(done)} == {"host-not-enrolled"}


class Refusing(QuotingShell):
    """Raises what the way to a host raises."""

    def __init__(self, error: HostUnreachable) -> None:
        super().__init__({})
        self.error = error

    def run_script(self, script: bytes, *, argument: str, deadline_seconds: float, limit_bytes: int) -> Completed:
        raise self.error


def test_another_host_key_fails_the_identity_and_leaves_the_rest_unknown() -> None:
    changed = HostKeyChanged(msg("web1 has another host key than the recorded one: SHA256:x"), msg("Ask."))

    done = run([WEB], {"web1": Refusing(changed)})

    results = {result.check: result for result in of_hosts(done)}
    assert results["inventory.identity"].verdict is CheckVerdict.FAIL
    assert results["inventory.identity"].reason == "host-key-changed"
    assert {result.verdict for key, result in results.items() if key != "inventory.identity"} == {CheckVerdict.UNKNOWN}
    assert not done.hosts[0].reached


def test_ssh_that_is_too_old_is_told_from_a_network_in_trouble() -> None:
    done = run([WEB, DATABASE], {"web1": Refusing(LegacySsh(msg("old"), msg("Renew.")))})

    assert {result.reason for result in done.hosts[1].results} == {"legacy-ssh"}
    assert {result.reason for result in done.hosts[0].results} == {"host-unreachable"}


def test_slow_host_holds_up_none_behind_it_and_only_so_many_are_under_way() -> None:
    names = [f"h{number:03}" for number in range(200)]
    released, under_way, most = threading.Event(), set[str](), []

    class Counting(QuotingShell):
        def __init__(self, name: str) -> None:
            super().__init__({})
            self.name = name

        def run_script(self, script: bytes, *, argument: str, deadline_seconds: float, limit_bytes: int) -> Completed:
            under_way.add(self.name)
            most.append(len(under_way))
            if self.name == names[0]:
                assert released.wait(60), "the slow host was waited for"
            if self.name == names[-1]:
                released.set()
            under_way.discard(self.name)
            return super().run_script(
                script, argument=argument, deadline_seconds=deadline_seconds, limit_bytes=limit_bytes
            )

    hosts = [Host(HostId(name), name) for name in names]
    done = run(hosts, {name: Counting(name) for name in names}, some=chosen(ids=("patching.os-eol",)), at_once=4)

    assert [host.host for host in done.hosts] == names
    assert max(most) <= 4
