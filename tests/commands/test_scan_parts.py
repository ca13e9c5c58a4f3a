"""What a scan has found before it has ended: in the ledger host by host, and shown while it runs or after it was killed."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from commands.jobs.scan_parts import PART, HostRecords, read_unfinished
from portalops import bodies
from portalops.errors import ExitCode
from portalops.ledger.ledger import Ledger
from portalops.model.checks import CheckScan
from portalops.model.record import RunId
from portalops.system.clock import SystemClock
from tests.commands.test_check import after_round, checked, home, portalops  # noqa: F401  # fixtures
from tests.ledger.test_runs import WHO
from tests.shapes import data_in


def ledger_of(folder: Path) -> Ledger:
    return Ledger.open(folder / "state", SystemClock(), create=True)


@pytest.mark.heavy
def test_each_host_is_recorded_before_the_scan_ends(after_round: Path) -> None:  # noqa: F811
    ledger = ledger_of(after_round)

    kinds = [record.kind for record in ledger.records() if record.kind.startswith("check")]
    subjects = {record.subject for record in ledger.records(kinds=(f"{PART}.finished",))}
    assert (kinds[0], kinds[-1]) == ("check.started", "check.finished")
    assert subjects == {"judged-here", "judged-far"}
    assert read_unfinished(ledger) is None


@pytest.mark.heavy
def test_killed_scan_shows_what_it_had_recorded(after_round: Path, capsys: pytest.CaptureFixture[str]) -> None:  # noqa: F811
    """The next scan is killed after one host: its results are the newest, and those of the other are of the scan before."""
    ledger = ledger_of(after_round)
    (finished,) = ledger.records(kinds=("check.finished",))
    scan = bodies.required_part(ledger.blob(finished.body), "check", CheckScan)
    here = next(host for host in scan.hosts if host.host == "here")
    name = RunId("12.4-testing:daily-check:2031-01-01")
    ledger.append("check.started", run=name, subject="daily-check", body=bodies.write({"circumstances": WHO}))
    HostRecords(ledger, SystemClock(), WHO).record(here)

    portalops(after_round, "check", "results", "--json")
    out = capsys.readouterr().out
    results = data_in(out, "check results")
    assert "1 of 2 hosts are recorded" in json.loads(out)["warnings"][0]
    assert {each["host"] for each in results} >= {"here", "far"}
    assert [each["verdict"] for each in results if each["host"] == "here"] == [each.verdict for each in here.results]
    assert portalops(after_round, "check", "show", "ssh.root-login") == ExitCode.OK
    assert "1 of 2 hosts" in capsys.readouterr().err
    portalops(after_round, "status")
    assert "portalops check results" in capsys.readouterr().err


@pytest.mark.heavy
def test_cost_of_each_probe_is_listed_the_longest_first(
    after_round: Path,  # noqa: F811
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert portalops(after_round, "check", "list", "--cost", "--json") == ExitCode.OK

    costs = data_in(capsys.readouterr().out, "check list")
    taken = [each["milliseconds"] for each in costs]
    assert taken == sorted(taken, reverse=True)
    assert {"packages.dpkg", "net.listeners"} <= {each["id"] for each in costs}
    assert all(each["checks"] and each["slowest"] == "here" for each in costs)
    assert any(each % 1000 for each in taken), "finer than seconds"
    assert portalops(after_round, "check", "list", "--cost", "--family", "ssh") == ExitCode.OK
    assert "weekly questions apart" in capsys.readouterr().out
