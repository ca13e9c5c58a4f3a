"""One host that is silent, streams without end or dies: the others are judged and recorded meanwhile, and it is unknown with its time."""

from __future__ import annotations

from contextlib import ExitStack
from pathlib import Path

import pytest

from checks.servers.catalogue import chosen
from checks.servers.declared import Declared
from checks.servers.runner import run_checks
from commands.jobs.scan_parts import HostRecords, read_unfinished
from portalops.ledger.ledger import Ledger
from portalops.model.checks import CheckScan, HostScan
from portalops.model.organisation import Host, HostId
from portalops.ports import Shell
from portalops.system.clock import SystemClock
from portalops.system.ssh import SshTarget
from portalops.system.ssh_shell import SshShell
from tests.checks.servers.test_many_hosts import real
from tests.doubles import MemoryKeeper, SilentProgress
from tests.ledger.test_runs import WHO
from tests.servers import SshHost, user_name

SOME = chosen(ids=("patching.os-eol", "acct.uid0"))
SILENT = "exec sleep 600"
STREAMS = "yes"
DIES = 'eval \\"$SSH_ORIGINAL_COMMAND\\" | { head -c 300; kill -9 $PPID; }'
"""It sends the beginning of its answer, and ends its own sshd."""


def scan(of: dict[str, SshHost], judged: list[HostScan], seconds: float, ledger: Ledger | None = None) -> CheckScan:
    def shell_for(host: Host) -> Shell:
        to = of[host.id]
        return SshShell(SshTarget("127.0.0.1", to.port, user_name(), to.folder / "client", (to.host_key,)))

    records = HostRecords(ledger, SystemClock(), WHO) if ledger else None

    def told(host: HostScan) -> None:
        judged.append(host)
        if records:
            records.record(host)

    return run_checks(
        [Host(HostId(name), "127.0.0.1") for name in of],
        Declared(),
        shell_for=shell_for,
        keeper=ledger or MemoryKeeper(),
        clock=SystemClock(),
        progress=SilentProgress(),
        some=SOME,
        host_seconds=seconds,
        judged=told,
    )


@pytest.mark.heavy
def test_fourteen_hosts_are_in_the_ledger_while_the_fifteenth_is_waited_for(tmp_path: Path) -> None:
    ledger = Ledger.open(tmp_path / "ledger", clock=SystemClock(), create=True)
    ledger.append("check.started", run="12.4-scan:daily-check:2026-11-20", subject="daily-check", body=b"{}")  # type: ignore[arg-type]
    judged: list[HostScan] = []

    with real(tmp_path / "good") as good, real(tmp_path / "silent", forced=SILENT) as silent:
        of = {"h00": silent} | {f"h{number:02}": good for number in range(1, 15)}
        scan(of, judged, 20, ledger)

    recorded = [record.subject for record in ledger.records(kinds=("check-part.finished",))]
    assert len(recorded) == 15
    assert recorded[-1] == "judged-h00", "what the others said was recorded before"
    assert judged[-1].problem.values["seconds"] == 20  # type: ignore[union-attr]
    others = [host.gathered_at for host in judged[:-1]]
    assert (judged[-1].gathered_at - max(others)).total_seconds() > 5
    unfinished = read_unfinished(ledger)
    assert unfinished is not None
    assert [each.body.host for each in unfinished.parts] == sorted(of)
    assert sum(bool(each.body.answer) for each in unfinished.parts) == 14
    assert "15 of 15 hosts" in str(unfinished.describe([HostId(name) for name in of]))


@pytest.mark.heavy
def test_each_kind_of_trouble_is_unknown_and_says_what_it_was(tmp_path: Path) -> None:
    judged: list[HostScan] = []

    with ExitStack() as stack:
        of = {
            name: stack.enter_context(real(tmp_path / name, forced=forced))
            for name, forced in (("dies", DIES), ("good", ""), ("silent", SILENT), ("streams", STREAMS))
        }
        done = scan(of, judged, 10)

    reasons = {str(host.host): {result.reason for result in host.results} for host in done.hosts if not host.standby}
    assert reasons["silent"] == {"host-deadline"}
    assert reasons["streams"] <= {"answer-cut", "host-deadline"}
    assert "answer-incomplete" in reasons["dies"]
    assert not reasons["good"] & {"answer-cut", "host-deadline", "answer-incomplete"}
    problems = {str(host.host): str(host.problem) for host in judged}
    assert "within 10 s" in problems["silent"]
