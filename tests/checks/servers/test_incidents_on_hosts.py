"""A real host that lost its power and let a stranger in: each is a finding until an incident of the register is tied to it."""

from __future__ import annotations

import subprocess
import time
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from checks.servers.catalogue import chosen
from checks.servers.declared import Declared
from checks.servers.own import Own
from checks.servers.runner import run_checks
from portalops import bodies
from portalops.calendar import load as load_calendar
from portalops.compliance import Situation, judge
from portalops.ledger.ledger import Ledger
from portalops.ledger.record import NO_RUN
from portalops.model.checks import CheckScan
from portalops.model.incidents import IncidentFacts, IncidentKind
from portalops.model.organisation import Host as Named
from portalops.model.organisation import HostId
from portalops.model.period import Period
from portalops.model.standing import Standing
from portalops.model.verdicts import CheckVerdict, DutyVerdict, Severity
from portalops.registers.evidence import read_evidence
from portalops.registers.incidents import KEYS, OPENED
from portalops.rulebooks.load import load as load_rulebook
from portalops.system.clock import SystemClock
from tests.checks.servers.test_approved_state_hosts import Inside
from tests.doubles import MemoryKeeper, SilentProgress
from tests.hosts import Host, Hosts

pytestmark = [pytest.mark.hosts, pytest.mark.heavy]

NAMED = Named(HostId("web1"), "192.0.2.1")
ZONE = ZoneInfo("Asia/Ho_Chi_Minh")
BOOTS, LOGINS = "change.reboots", "acct.login-attribution"


@dataclass(frozen=True)
class Station:
    """Portalops beside the host."""

    host: Host
    ledger: Ledger
    declared: Declared

    def look(self) -> dict[str, CheckVerdict]:
        """Run a round, record it, and return what its two checks say."""
        now = datetime.now(UTC)
        done = run_checks(
            [NAMED],
            self.declared,
            shell_for=lambda _host: Inside(self.host),
            keeper=MemoryKeeper(),
            clock=SystemClock(),
            progress=SilentProgress(),
            some=chosen(ids=(BOOTS, LOGINS)),
            own=Own(self.ledger, (NAMED,), self.declared, now, ZONE),
        )
        round_ = CheckScan(done.hosts)
        self.ledger.append("check.finished", run=NO_RUN, subject="", body=bodies.write({"check": round_}))
        return {result.check: result.verdict for result in done.results()}

    def incident(self, name: str, kind: IncidentKind, *findings: str) -> None:
        now = datetime.now(UTC)
        facts = IncidentFacts(
            name, "sự cố", kind, Severity.HIGH, now, "An", now - timedelta(minutes=30), holders=("an",), hosts=(NAMED.id,),
            findings=findings,
        )  # fmt: skip
        self.ledger.append(OPENED, run=NO_RUN, subject=name, body=bodies.write({KEYS[OPENED][0]: facts}))

    def duty(self) -> Standing:
        """Return how the duty stands today by the ledger."""
        now = datetime.now(UTC)
        today = now.astimezone(ZONE).date()
        found = read_evidence(self.ledger, Period(today, today), now=now, zone=ZONE)
        rulebook = load_rulebook("kh-37-2010", {})
        standings = judge(Situation(rulebook, found, (NAMED,), (), load_calendar()))
        return next(each for each in standings if each.duty == "12.5-incidents")


def test_power_cut_and_login_of_a_stranger_are_findings_until_an_incident_is_tied_to_them(
    hosts: Hosts, tmp_path: Path
) -> None:
    with hosts.started(13) as host:
        host.sh("mkdir -p /var/log/journal && journalctl --flush")
        host.add_account("an")
        since = datetime.now(UTC)
        time.sleep(1)  # the journal tells starts by the second, and such a host starts within one
        for _ in range(2):  # of the present start the kernel speaks, which here is that of the machine beneath
            host.sh("journalctl --sync")
            host.down()
            host.up()
        login = [
            *("ssh", "-i", str(host.key), "-o", "StrictHostKeyChecking=no", "-o", f"UserKnownHostsFile={tmp_path}/k")
        ]
        subprocess.run([*login, f"an@{host.address}", "true"], check=True, capture_output=True, timeout=60)
        declared = Declared.model_validate(
            {
                "changes": {"since": since.isoformat()},
                "members": {"an": {"keys": ["SHA256:" + "A" * 43]}},
                "admin_ranges": ["198.18.0.0/15"],
            }
        )
        ledger = Ledger.open(tmp_path / "state", clock=SystemClock(), create=True)
        station = Station(host, ledger, declared)

        assert station.look() == {BOOTS: CheckVerdict.FAIL, LOGINS: CheckVerdict.FAIL}
        untied = station.duty()

        station.incident("IN-2026-001", IncidentKind.OUTAGE)
        station.incident("IN-2026-002", IncidentKind.OTHER, f"{NAMED.id}:{LOGINS}")
        after = station.look()

    assert (untied.verdict, "no incident is linked to it" in str(untied.details)) == (DutyVerdict.UNMET, True)
    assert after[LOGINS] is CheckVerdict.FAIL
    assert after[BOOTS] is not CheckVerdict.FAIL
    assert station.duty().verdict is DutyVerdict.PENDING
