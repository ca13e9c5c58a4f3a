"""`portalops change drift` on a real ledger: rounds of checks, the register of changes, and what falls under none of it."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from checks.servers.catalogue import chosen
from checks.servers.declared import Declared
from checks.servers.own import Own
from checks.servers.runner import run_checks
from commands.cli.entry import run
from portalops import bodies
from portalops.errors import ExitCode
from portalops.ledger.ledger import Ledger
from portalops.ledger.record import NO_RUN
from portalops.model.changes import ChangeApproval, ChangeBegun, ChangeDone, ChangeKind, ChangeNotice, ChangeRequest
from portalops.model.checks import CheckResult
from portalops.model.organisation import Host, HostId
from portalops.model.text import format_at
from portalops.ports import Completed
from portalops.registers.changes import APPROVED, BEGUN, DONE, KEYS, NOTIFIED, REQUESTED, Body
from portalops.registers.findings import read_findings
from tests.checks.servers.looks import OLD_RUN, SECTIONS, answer, apt
from tests.doubles import FixedClock, SilentProgress
from tests.shapes import run_validated

CONFIGURATION = """
[portal]
id = "demo"
name = { vi = "Cổng ví dụ", en = "Example portal" }
timezone = "Asia/Ho_Chi_Minh"
rulebook = "kh-37-2010"

[state]
folder = "state"

[[host]]
id = "web1"
address = "192.0.2.1"
"""
NOW = datetime.now(UTC).replace(microsecond=0)
DAY, HOUR = timedelta(days=1), timedelta(hours=1)
ZONE = ZoneInfo("Asia/Ho_Chi_Minh")
"""In which papers bear their days."""
WEB = Host(HostId("web1"), "192.0.2.1")
ID = "CH-2026-001"
UPGRADED = SECTIONS["packages.dpkg"].replace("1.26.3-3", "1.28.0-1")
INTRUDER = f"{SECTIONS['acct.passwd']}intruder:x:0:0::/:/bin/sh\n"
CHECK = chosen(ids=("change.drift",))


@dataclass
class Says:
    """A host that answers as it is told, and only what it is asked."""

    raw: bytes
    address: str = "192.0.2.1"

    def run_script(self, script: bytes, *, argument: str, deadline_seconds: float, limit_bytes: int) -> Completed:
        asked = re.findall(rb"^probe (\S+) ", script, re.MULTILINE)
        whole = re.compile(rb"^<<<(?:ab){16} (\S+)>>>\n.*?^<<<(?:ab){16} \1 rc=[^\n]*\n", re.MULTILINE | re.DOTALL)
        said = b"".join(each[0] for each in whole.finditer(self.raw) if each[1] in asked)
        body = said.replace(b"ab" * 16, argument.encode())
        return Completed(0, body + f"<<<{argument} done>>>\n".encode(), b"")


@dataclass
class Portal:
    home: Path
    ledger: Ledger
    clock: FixedClock

    def at(self, moment: datetime) -> None:
        self.clock.move(moment - self.clock.now())

    def round(self, at: datetime, **said: Any) -> CheckResult:
        """Look at the host, record the round, and return what the check said."""
        self.at(at)
        done = run_checks(
            [WEB],
            Declared(),
            shell_for=lambda _host: Says(answer(at, **said)),
            keeper=self.ledger,
            clock=self.clock,
            progress=SilentProgress(),
            some=CHECK,
            own=Own(self.ledger, (WEB,), Declared(), at, ZoneInfo("Asia/Ho_Chi_Minh")),
        )
        self.ledger.append("check.finished", run=NO_RUN, subject="check", body=bodies.write({"check": done}))
        (result,) = done.results()
        return result

    def record(self, at: datetime, kind: str, body: Body, *documents: bytes) -> None:
        self.at(at)
        kept = tuple(map(self.ledger.keep, documents))
        parts = {KEYS[kind][0]: body, "evidence": kept}
        self.ledger.append(kind, run=NO_RUN, subject=ID, body=bodies.write(parts))

    def approve(
        self, at: datetime, begins: datetime, ends: datetime, kind: ChangeKind = ChangeKind.NORMAL, *documents: bytes
    ) -> None:
        asked = ChangeRequest(ID, kind, "nginx", "CVE", (WEB.id,), begins, ends, "old package", "An")
        self.record(at, REQUESTED, asked)
        self.record(at, NOTIFIED, ChangeNotice(ID, "85/TTTT", at, "mail", "Sở"))
        self.record(
            at,
            APPROVED,
            ChangeApproval(ID, "512/UBND-VX", at.astimezone(ZONE).date(), "UBND tỉnh"),
            *(documents or (b"%PDF",)),
        )

    def drift(self, capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, Any]:
        capsys.readouterr()
        configured = ("--config", str(self.home / "portalops.toml"), "--lang", "en")
        code = run_validated(*configured, "change", "drift", *arguments, "--json")
        told = capsys.readouterr().out
        return code, json.loads(told)["data"] if told else None


@pytest.fixture
def portal(tmp_path: Path) -> Portal:
    (tmp_path / "portalops.toml").write_text(CONFIGURATION, encoding="utf-8")
    clock = FixedClock(NOW - 9 * DAY)
    return Portal(tmp_path, Ledger.open(tmp_path / "state", clock=clock, create=True), clock)


def upgrade(at: datetime, by: str = "an") -> dict[str, Any]:
    return {
        "packages__dpkg": UPGRADED,
        "apt__history": apt(OLD_RUN, (at, at + timedelta(seconds=20), by, "Upgrade nginx")),
    }


def test_upgrade_in_its_window_is_listed_with_both_moments_and_nothing_is_outside(
    portal: Portal, capsys: pytest.CaptureFixture[str]
) -> None:
    portal.approve(NOW - 5 * DAY, NOW - 30 * HOUR, NOW - 20 * HOUR)
    portal.round(NOW - 2 * DAY)

    result = portal.round(NOW - HOUR, **upgrade(NOW - 25 * HOUR))

    assert (result.verdict.value, result.reason) == ("pass", "")
    assert portal.drift(capsys) == (ExitCode.OK, [])
    code, (one,) = portal.drift(capsys, "--all")
    assert code == ExitCode.OK
    assert one["id"] == f"web1 package nginx {NOW - 25 * HOUR:%Y-%m-%dT%H:%M:%SZ}"
    assert (one["state"], one["change"], one["known_by"], one["by"]) == ("under", ID, "log", "an")
    assert one["happened_at"] == format_at(NOW - 25 * HOUR)
    assert datetime.fromisoformat(one["approved_at"]) == NOW - 5 * DAY


def test_finding_lives_until_an_emergency_is_regularised(portal: Portal, capsys: pytest.CaptureFixture[str]) -> None:
    portal.approve(NOW - 6 * DAY, NOW - 6 * DAY + HOUR, NOW - 6 * DAY + 2 * HOUR)
    portal.round(NOW - 5 * DAY)
    seen = portal.round(NOW - 4 * DAY, **upgrade(NOW - 4 * DAY - HOUR))
    later = portal.round(NOW - 3 * DAY, **upgrade(NOW - 4 * DAY - HOUR))

    assert [(each.verdict.value, each.reason) for each in (seen, later)] == [("fail", "drift-unapproved")] * 2
    assert [each.is_open for each in read_findings(portal.ledger).findings] == [True]
    code, (one,) = portal.drift(capsys)
    assert (code, one["state"], one["approved_at"]) == (ExitCode.UNMET, "outside", None)

    began = NOW - 4 * DAY - 2 * HOUR
    asked = ChangeRequest(
        "CH-2026-002", ChangeKind.EMERGENCY, "nginx", "CVE", (WEB.id,), began, began + 3 * HOUR, "old", "An"
    )
    steps: list[tuple[str, Body]] = [
        (REQUESTED, asked),
        (BEGUN, ChangeBegun("CH-2026-002", began, "An")),
        (NOTIFIED, ChangeNotice("CH-2026-002", "86/TTTT", NOW - 2 * DAY, "mail", "Sở")),
        (APPROVED, ChangeApproval("CH-2026-002", "513/UBND-VX", (NOW - 2 * DAY).date(), "UBND tỉnh")),
    ]
    for kind, body in steps:
        portal.at(NOW - 2 * DAY)
        portal.ledger.append(kind, run=NO_RUN, subject=body.id, body=bodies.write({KEYS[kind][0]: body}))

    assert portal.drift(capsys) == (ExitCode.OK, [])
    code, (one,) = portal.drift(capsys, "--all")
    assert (one["change"], one["approved_afterwards"], one["decision_kept"]) == ("CH-2026-002", True, False)
    assert portal.round(NOW - DAY, **upgrade(NOW - 4 * DAY - HOUR)).verdict.value == "pass"
    assert [each.is_open for each in read_findings(portal.ledger).findings] == [False]


def test_finding_ends_when_the_host_is_as_it_was(portal: Portal) -> None:
    portal.approve(NOW - 6 * DAY, NOW - 6 * DAY + HOUR, NOW - 6 * DAY + 2 * HOUR)
    portal.round(NOW - 5 * DAY)

    assert portal.round(NOW - 4 * DAY, acct__passwd=INTRUDER).reason == "drift-unapproved"
    assert portal.round(NOW - 3 * DAY, acct__passwd=INTRUDER).reason == "drift-unapproved"
    assert portal.round(NOW - 2 * DAY).verdict.value == "pass"


def test_account_that_came_and_went_between_two_looks_is_told_of_all_looks_of_a_time(
    portal: Portal, capsys: pytest.CaptureFixture[str]
) -> None:
    portal.approve(NOW - 6 * DAY, NOW - 6 * DAY + HOUR, NOW - 6 * DAY + 2 * HOUR)
    for day, said in ((5, {}), (4, {"acct__passwd": INTRUDER}), (3, {}), (2, {})):
        portal.round(NOW - day * DAY, **said)

    assert portal.drift(capsys) == (ExitCode.OK, [])
    code, listed = portal.drift(capsys, "--since", (NOW - 5 * DAY).isoformat())
    assert code == ExitCode.UNMET
    assert [(one["name"], one["before"] == "") for one in listed] == [("intruder", True), ("intruder", False)]
    rounds = [record.seq for record in portal.ledger.records(kinds=("check.finished",))]
    code, listed = portal.drift(capsys, "--from-scan", str(rounds[0]), "--to-scan", str(rounds[1]))
    assert [one["seen_at"] for one in listed] == [format_at(NOW - 4 * DAY)]


def test_what_a_look_lacks_makes_the_answer_unknown(portal: Portal, capsys: pytest.CaptureFixture[str]) -> None:
    portal.approve(NOW - 6 * DAY, NOW - 6 * DAY + HOUR, NOW - 6 * DAY + 2 * HOUR)
    portal.round(NOW - 2 * DAY)

    assert portal.round(NOW - DAY, without=("acct.passwd",)).verdict.value == "unknown"

    assert portal.drift(capsys)[0] == ExitCode.PARTIAL
    run(["--config", str(portal.home / "portalops.toml"), "--lang", "en", "change", "drift", "--json"], {})
    warnings = json.loads(capsys.readouterr().out)["warnings"]
    (told,) = (each for each in warnings if "web1, account: " in each)
    assert "changes are unknown" in told
    assert "last seen at" in told


def test_host_that_was_looked_at_once_or_never_is_unknown(portal: Portal, capsys: pytest.CaptureFixture[str]) -> None:
    assert portal.drift(capsys)[0] == ExitCode.PARTIAL
    assert portal.round(NOW - DAY).reason == "first-look"
    assert portal.drift(capsys)[0] == ExitCode.PARTIAL


def test_host_that_nobody_looked_at_for_long_begins_anew_and_is_unknown(portal: Portal) -> None:
    portal.approve(NOW - 6 * DAY, NOW - 6 * DAY + HOUR, NOW - 6 * DAY + 2 * HOUR)
    portal.round(NOW - DAY)
    portal.round(NOW, acct__passwd=INTRUDER)

    late = portal.round(NOW + 93 * DAY, acct__passwd=INTRUDER)

    assert (late.verdict.value, late.reason) == ("unknown", "first-look")


def test_what_happened_while_a_kind_was_not_seen_is_a_finding_when_it_is_seen_again(
    portal: Portal, capsys: pytest.CaptureFixture[str]
) -> None:
    portal.approve(NOW - 6 * DAY, NOW - 6 * DAY + HOUR, NOW - 6 * DAY + 2 * HOUR)
    portal.round(NOW - 4 * DAY)

    blind = portal.round(NOW - 3 * DAY, without=("acct.passwd",))
    blinder = portal.round(NOW - 2 * DAY, without=("acct.passwd",))
    again = portal.round(NOW - DAY, acct__passwd=INTRUDER)
    still = portal.round(NOW - HOUR, acct__passwd=INTRUDER)

    assert [each.verdict.value for each in (blind, blinder, again, still)] == ["unknown", "unknown", "fail", "fail"]
    for arguments in ((), ("--since", (NOW - 4 * DAY).isoformat())):
        code, (one,) = portal.drift(capsys, *arguments)
        assert (code, one["name"], one["not_yet_at"]) == (ExitCode.UNMET, "intruder", format_at(NOW - 4 * DAY))


def test_clock_that_is_off_is_told_beside_the_hosts_own_time(
    portal: Portal, capsys: pytest.CaptureFixture[str]
) -> None:
    ahead = 3 * HOUR
    portal.approve(NOW - 5 * DAY, NOW - 30 * HOUR, NOW - 20 * HOUR)
    portal.round(NOW - 2 * DAY, ahead=ahead)
    portal.round(NOW - HOUR, ahead=ahead, **upgrade(NOW - 25 * HOUR + ahead))

    code, (one,) = portal.drift(capsys, "--all")

    assert (code, one["state"], one["clock_ahead_seconds"]) == (ExitCode.OK, "under", 3 * 3600)
    assert one["happened_at"] == format_at(NOW - 25 * HOUR + ahead)


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("--host", "web9"), "there is no host web9"),
        (("--since", "tonight"), "is no moment"),
        (("--since", "2026-11-02T00:00", "--until", "2026-11-01T00:00"), "Exchange the two"),
        (("--since", "2026-11-02T00:00", "--from-scan", "1"), "moments and scans are both given"),
        (("--from-scan", "1"), "record 1 is not of a scan"),
    ],
)
def test_question_that_cannot_be_is_refused_with_what_to_do(
    portal: Portal, capsys: pytest.CaptureFixture[str], arguments: tuple[str, ...], said: str
) -> None:
    portal.approve(NOW - 5 * DAY, NOW - 30 * HOUR, NOW - 20 * HOUR)

    code = run(["--config", str(portal.home / "portalops.toml"), "--lang", "en", "change", "drift", *arguments], {})

    told = capsys.readouterr().err
    assert (code, said in told, "hint:" in told) == (ExitCode.USAGE, True, True)


def closed(home: Path, capsys: pytest.CaptureFixture[str]) -> list[str]:
    capsys.readouterr()
    assert (
        run(["--config", str(home / "portalops.toml"), "--lang", "en", "change", "close", ID, "--json"], {})
        == ExitCode.OK
    )
    warnings: list[str] = json.loads(capsys.readouterr().out)["warnings"]
    return warnings


def test_closing_tells_what_came_and_went_and_what_nobody_looked_at(
    portal: Portal, capsys: pytest.CaptureFixture[str]
) -> None:
    begins = NOW - 30 * HOUR
    portal.round(NOW - 40 * HOUR)
    portal.approve(begins - HOUR, begins, begins + 2 * HOUR)
    portal.record(begins, BEGUN, ChangeBegun(ID, begins, "An"))
    portal.round(begins + 4 * HOUR, acct__passwd=INTRUDER)
    portal.round(begins + 5 * HOUR)
    portal.record(begins + 6 * HOUR, DONE, ChangeDone(ID, begins + 6 * HOUR, "ok", False))

    not_looked, came_and_went = closed(portal.home, capsys)

    assert "was not scanned since" in not_looked
    assert " at web1 during " in came_and_went
    assert "--since" in came_and_went


def test_closing_tells_of_a_host_that_the_configuration_names_no_more(
    portal: Portal, capsys: pytest.CaptureFixture[str]
) -> None:
    begins = NOW - 30 * HOUR
    portal.approve(begins - HOUR, begins, begins + 2 * HOUR)
    portal.record(begins, BEGUN, ChangeBegun(ID, begins, "An"))
    portal.record(begins + HOUR, DONE, ChangeDone(ID, begins + HOUR, "ok", False))
    file = portal.home / "portalops.toml"
    file.write_text(file.read_text(encoding="utf-8").replace('id = "web1"', 'id = "web01"'), encoding="utf-8")

    (warning,) = closed(portal.home, capsys)

    assert "web1 is no longer in the configuration" in warning


@pytest.mark.parametrize(("looked", "said"), [(True, "has no approval"), (False, "was not scanned since")])
def test_closing_with_open_drift_is_marked(
    portal: Portal, capsys: pytest.CaptureFixture[str], looked: bool, said: str
) -> None:
    begins = NOW - 30 * HOUR
    portal.round(NOW - 40 * HOUR)
    portal.approve(begins - HOUR, begins, begins + 2 * HOUR)
    portal.record(begins, BEGUN, ChangeBegun(ID, begins, "An"))
    portal.record(begins + 6 * HOUR, DONE, ChangeDone(ID, begins + 6 * HOUR, "ok", False))
    if looked:  # after the window, before the end
        portal.round(NOW - HOUR, **upgrade(begins + 4 * HOUR))

    code = run(["--config", str(portal.home / "portalops.toml"), "--lang", "en", "change", "close", ID, "--json"], {})

    assert code == ExitCode.OK
    (warning,) = json.loads(capsys.readouterr().out)["warnings"]
    assert said in warning


def test_report_on_changes_shows_what_changed_with_both_moments(portal: Portal) -> None:
    portal.approve(NOW - 5 * DAY, NOW - 30 * HOUR, NOW - 20 * HOUR)
    portal.round(NOW - 2 * DAY)
    portal.round(NOW - HOUR, **upgrade(NOW - 25 * HOUR))
    days = f"{(NOW - 6 * DAY).date()}..{(NOW + DAY).date()}"

    code = run(
        ["--config", str(portal.home / "portalops.toml"), "--lang", "en", "report", "build", "changes", "--period", days,
         "--format", "json", "--language", "en", "--output", str(portal.home), "--host", "web1"], {},
    )  # fmt: skip

    assert code == ExitCode.OK
    (made,) = portal.home.glob("demo-changes-host-web1-*.en.json")
    blocks = json.loads(made.read_text(encoding="utf-8"))["blocks"]
    (rows,) = (each["rows"] for each in blocks if str(each.get("caption", "")).startswith("Each change"))
    (row,) = rows
    assert (row[0], row[2], row[6]["word"], row[7]) == ("web1", "nginx", "approved", ID)
    assert [datetime.fromisoformat(row[5]), datetime.fromisoformat(row[8])] == [NOW - 25 * HOUR, NOW - 5 * DAY]
