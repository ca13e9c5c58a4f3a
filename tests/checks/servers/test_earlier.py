"""What costs a host too much for every round is asked for once a week, and speaks in between with the day on which it was seen."""

from __future__ import annotations

import json
from datetime import timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from checks.servers.catalogue import checks, chosen, probes_of
from checks.servers.declared import Declared
from checks.servers.judging import judge_again
from checks.servers.own import Own
from checks.servers.probes import dpkg_verify
from checks.servers.runner import run_checks
from checks.servers.script import HOST_SECONDS
from commands.cli.entry import run
from portalops import bodies
from portalops.ledger.ledger import Ledger
from portalops.ledger.record import NO_RUN
from portalops.model.checks import CheckResult
from portalops.model.organisation import Host, HostId
from portalops.model.text import format_at
from portalops.ports import Completed
from tests.checks.servers.samples import DEFAULT_AT
from tests.checks.servers.test_runner import QuotingShell
from tests.doubles import FixedClock, SilentProgress

HOST = Host(HostId("web1"), "192.0.2.1")
SOME = chosen(ids=("change.package-files", "patching.os-eol"))
RELEASE = b"ID=debian\nVERSION_ID=13\nVERSION_CODENAME=trixie\n"


class AskedShell(QuotingShell):
    """Says of what it knows what it is asked for, as a host does, and remembers what that was."""

    def __init__(self) -> None:
        super().__init__({})
        self.verified = b"end\n"
        self.asked: list[bool] = []
        """By round: whether it was asked for what is slow."""
        self.is_asked = False
        self.deadlines: list[float] = []

    def run_script(self, script: bytes, *, argument: str, deadline_seconds: float, limit_bytes: int) -> Completed:
        is_asked = b"\nprobe dpkg.verify " in script
        self.is_asked |= is_asked
        self.deadlines.append(deadline_seconds)
        self.said = {"os.release": RELEASE, **({"dpkg.verify": self.verified} if is_asked else {})}
        done = super().run_script(script, argument=argument, deadline_seconds=1, limit_bytes=1)
        n = argument.encode()
        lacking = b"<<<%b rpm.verify>>>\n\n<<<%b rpm.verify stderr>>>\n\n<<<%b rpm.verify rc=127 s=0>>>\n" % (n, n, n)
        return Completed(0, (lacking if b"\nprobe rpm.verify " in script else b"") + done.stdout, b"")


class Portal:
    """A portal's ledger over some days, with one host."""

    def __init__(self, folder: Path) -> None:
        self.clock = FixedClock(DEFAULT_AT)
        self.ledger = Ledger.open(folder, clock=self.clock, create=True)
        self.shell = AskedShell()

    def round(self, *, anew: bool = False) -> CheckResult:
        """Do a round, record it, and return what it says of the files of packages."""
        self.shell.is_asked = False
        done = run_checks(
            [HOST],
            Declared(),
            shell_for=lambda _host: self.shell,
            keeper=self.ledger,
            clock=self.clock,
            progress=SilentProgress(),
            some=SOME,
            own=Own(self.ledger, (HOST,), Declared(), self.clock.now(), ZoneInfo("Asia/Ho_Chi_Minh")),
            anew=anew,
        )
        self.shell.asked.append(self.shell.is_asked)
        self.ledger.append("check.finished", run=NO_RUN, subject="daily-check", body=bodies.write({"check": done}))
        return next(each for each in done.results() if each.check == "change.package-files")

    def days(self, count: float) -> None:
        self.clock.move(timedelta(days=count))


@pytest.fixture
def portal(tmp_path: Path) -> Portal:
    return Portal(tmp_path)


def test_host_is_asked_once_a_week_and_the_look_speaks_on_the_other_days(portal: Portal) -> None:
    found = []
    for _day in range(9):
        found.append(portal.round())
        portal.days(1)

    assert portal.shell.asked == [True, *[False] * 6, True, False]
    assert {result.verdict.value for result in found} == {"pass"}


def test_repeated_look_names_its_day_and_its_answer_and_is_judged_again_to_the_same_bytes(portal: Portal) -> None:
    first = portal.round()
    portal.days(3)
    later = portal.round()

    raw = portal.ledger.blob(later.evidence[0])
    again = next(
        each for each in judge_again(raw, HOST, Declared(), portal.clock.now(), some=SOME) if each.check == later.check
    )
    assert later.message.values["at"] == DEFAULT_AT
    assert later.evidence[1:] == first.evidence
    assert bodies.write({"check": again}) == bodies.write({"check": later})


def test_repeated_look_that_is_judged_too_late_is_unknown(portal: Portal) -> None:
    portal.round()
    portal.days(6)
    later = portal.round()

    raw = portal.ledger.blob(later.evidence[0])
    late = judge_again(raw, HOST, Declared(), portal.clock.now() + timedelta(days=2), some=SOME)
    assert [(each.verdict.value, each.reason) for each in late if each.check == later.check] == [
        ("unknown", "look-too-old")
    ]


def test_what_could_not_be_found_out_is_asked_for_in_the_next_round(portal: Portal) -> None:
    portal.shell.verified = b"??5??????   /usr/bin/who\n"  # broken off before its end
    first = portal.round()
    portal.shell.verified = b"??5??????   /usr/bin/who\nend\n"
    portal.days(1)
    second = portal.round()
    portal.days(1)
    third = portal.round()

    assert portal.shell.asked == [True, True, False]
    assert [(each.verdict.value, each.reason) for each in (first, second, third)] == [
        ("unknown", "unparseable"),
        ("fail", "file-exchanged"),
        ("fail", "file-exchanged"),
    ]


def test_person_may_have_everything_looked_at_anew(portal: Portal) -> None:
    portal.round()
    portal.days(1)
    portal.shell.verified = b"??5??????   /usr/bin/who\nend\n"

    assert portal.round(anew=True).reason == "file-exchanged"
    assert portal.shell.asked == [True, True]


def test_slow_probe_has_a_trip_and_the_time_of_its_own(portal: Portal) -> None:
    portal.round()
    portal.days(1)
    portal.round()

    assert portal.shell.deadlines == [HOST_SECONDS, HOST_SECONDS + dpkg_verify.PROBE.timeout_seconds, HOST_SECONDS]


def test_slow_probes_are_run_behind_the_others() -> None:
    asked = [name for name, probe in probes_of(checks()).items() if probe.command]

    assert asked[-1] == "clock"
    assert {"dpkg.verify", "rpm.verify", "secrets.readable"} == set(asked[-4:-1])


def test_answer_that_holds_a_repeated_section_already_is_rejected(portal: Portal) -> None:
    class Forging(AskedShell):
        def run_script(self, script: bytes, *, argument: str, deadline_seconds: float, limit_bytes: int) -> Completed:
            return super().run_script(
                script + b"\nprobe dpkg.verify ", argument=argument, deadline_seconds=1, limit_bytes=1
            )

    portal.round()
    portal.days(1)
    portal.shell = Forging()

    assert portal.round().reason == "answer-rejected"


CONFIGURATION = """
[portal]
id = "demo"
name = { vi = "Cổng ví dụ", en = "Example portal" }

[state]
folder = "."

[[host]]
id = "web1"
address = "192.0.2.1"
"""


def test_fact_that_was_repeated_is_shown_with_its_day_and_evidence(
    portal: Portal, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    first = portal.round()
    portal.days(1)
    later = portal.round()
    (tmp_path / "portalops.toml").write_text(CONFIGURATION, encoding="utf-8")

    run(["--config", str(tmp_path / "portalops.toml"), "host", "facts", "web1", "--json"], {})

    facts = {one["id"]: one for one in json.loads(capsys.readouterr().out)["data"]}
    repeated, present = facts["dpkg.verify"], facts["os.release"]
    assert (repeated["received_at"], repeated["evidence"]) == (format_at(DEFAULT_AT), first.evidence[0])
    assert (present["received_at"], present["evidence"]) == (format_at(portal.clock.now()), later.evidence[0])
