"""A look from outside speaks in later rounds that look from inside alone, for as long as it may, and points to where it stands."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from checks.servers.carried import SECTION, Original, written
from checks.servers.catalogue import chosen
from checks.servers.declared import Declared
from checks.servers.gather import appended, no_answer
from checks.servers.judging import judge_again
from checks.servers.outside_scan import Outside
from checks.servers.own import Own
from checks.servers.probe import ProbeResult
from checks.servers.runner import run_checks
from portalops import bodies
from portalops.ledger.ledger import Ledger
from portalops.ledger.record import NO_RUN
from portalops.model.checks import CheckResult
from portalops.model.organisation import Host, HostId
from portalops.model.record import Digest
from portalops.ports import Shell
from tests.checks.servers.portals import ADDRESS, STATION, Streets
from tests.checks.servers.samples import DEFAULT_AT
from tests.checks.servers.test_runner import QuotingShell, unreachable
from tests.doubles import FixedClock, SilentProgress

HOST = Host(HostId("web1"), "192.0.2.1")
DECLARED: dict[str, object] = {"public_addresses": [ADDRESS], "public_ports": [443]}
SOME = chosen(ids=("firewall.outside-view", "patching.os-eol"))
ZONE = ZoneInfo("Asia/Ho_Chi_Minh")


class Portal:
    """A portal's ledger over some days, and what its rounds say."""

    def __init__(self, folder: Path) -> None:
        self.clock = FixedClock(DEFAULT_AT)
        self.ledger = Ledger.open(folder, clock=self.clock, create=True)
        self.declared = DECLARED

    def round(
        self, outside: Outside | None = None, *, answers: bool = True, said: bytes = b"ID=debian\n"
    ) -> CheckResult:
        """Do a round, record it, and return what it says of the ports."""
        shell: Shell = QuotingShell({"os.release": said})
        done = run_checks(
            [HOST],
            Declared.model_validate(self.declared),
            shell_for=lambda host: shell if answers else unreachable(host),
            keeper=self.ledger,
            clock=self.clock,
            progress=SilentProgress(),
            some=SOME,
            outside=outside,
            own=Own(self.ledger, (HOST,), Declared.model_validate(self.declared), self.clock.now(), ZONE),
        )
        self.ledger.append("check.finished", run=NO_RUN, subject="daily-check", body=bodies.write({"check": done}))
        (found,) = (each for each in done.results() if each.check == "firewall.outside-view")
        return found

    def again(self, result: CheckResult, at: datetime) -> CheckResult:
        """Judge by the kept bytes alone."""
        raw = self.ledger.blob(result.evidence[0])
        declared = Declared.model_validate(self.declared)
        return next(
            each for each in judge_again(raw, HOST, declared, at, some=SOME) if each.check == "firewall.outside-view"
        )


@pytest.fixture
def portal(tmp_path: Path) -> Portal:
    return Portal(tmp_path)


@pytest.fixture
def port() -> Iterator[int]:
    """A port of this machine that takes connections."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen(50)
        yield int(listener.getsockname()[1])


def view(port: int, station: str = STATION) -> Outside:
    return Outside(Streets({(ADDRESS, 443): port}, station=station), "auditor-1")


def said(result: CheckResult) -> tuple[str, str]:
    return result.verdict.value, result.reason


def test_look_speaks_in_later_rounds_and_its_first_answer_is_named(portal: Portal, port: int) -> None:
    first = portal.round(view(port))
    looked_at = portal.clock.now()
    portal.clock.move(timedelta(days=3))
    portal.round()
    portal.clock.move(timedelta(days=4))
    last = portal.round()

    assert said(first) == said(last) == ("pass", "")
    assert first.evidence[0] in last.evidence
    assert len(last.evidence) == 2, "this round's answer, and the one that the look stands in"
    assert last.message.values["at"] == looked_at
    assert portal.again(last, portal.clock.now()) == last


def test_older_look_is_unknown_with_its_age(portal: Portal, port: int) -> None:
    portal.round(view(port))
    looked_at = portal.clock.now()
    portal.clock.move(timedelta(days=7, seconds=1))

    late = portal.round()

    assert said(late) == ("unknown", "look-too-old")
    assert late.message.values["at"] == looked_at
    portal.clock.move(timedelta(days=25))
    assert said(portal.round()) == ("unknown", "not-seen-from-outside")


def test_kept_bytes_say_less_the_later_they_are_judged(portal: Portal, port: int) -> None:
    portal.round(view(port))
    portal.clock.move(timedelta(days=6))
    carried = portal.round()

    assert said(portal.again(carried, portal.clock.now() + timedelta(days=2))) == ("unknown", "look-too-old")
    assert said(portal.again(carried, portal.clock.now() - timedelta(days=7))) == ("unknown", "look-too-old")


def test_new_look_takes_the_place_of_an_older_one(portal: Portal, port: int) -> None:
    portal.round(view(port))
    portal.clock.move(timedelta(days=1))
    shut = Outside(Streets({}), "auditor-1")
    portal.round(shut)
    portal.clock.move(timedelta(days=1))

    assert said(portal.round()) == ("fail", "public-port-shut")


def test_look_from_the_host_itself_does_not_take_the_place_of_a_strangers(portal: Portal, port: int) -> None:
    portal.round(view(port))

    assert said(portal.round(view(port, station=ADDRESS))) == ("pass", "")


def test_host_that_does_not_answer_is_judged_by_the_last_look(portal: Portal, port: int) -> None:
    portal.round(view(port))
    portal.clock.move(timedelta(days=1))

    assert said(portal.round(answers=False)) == ("pass", "")
    portal.clock.move(timedelta(days=1))
    assert said(portal.round()) == ("pass", "")


def test_look_at_other_addresses_tells_nothing(portal: Portal, port: int) -> None:
    portal.round(view(port))
    portal.declared = {**DECLARED, "public_addresses": ["203.0.113.77"]}

    assert said(portal.round()) == ("unknown", "not-seen-from-outside")


def test_round_that_cannot_be_read_leaves_the_one_before_it(portal: Portal, port: int) -> None:
    portal.round(view(port))
    portal.ledger.append("check.finished", run=NO_RUN, subject="daily-check", body=bodies.write({"check": "rubbish"}))

    assert said(portal.round()) == ("pass", "")


def test_host_cannot_say_itself_what_was_seen_of_it_or_when(portal: Portal) -> None:
    class Lying(QuotingShell):
        def __init__(self, section: ProbeResult) -> None:
            super().__init__({"os.release": b"ID=debian\n", section.probe: section.stdout})

    at = portal.clock.now()
    seen = (
        b'{"from":["198.51.100.9"],"ports":{"203.0.113.5":{"closed":[22],"open":[443]}},"state":"seen","station":"x"}'
    )
    lies = (
        ProbeResult("outside.ports", 0, seen, b"", 0),
        written({"os.release": Original(at, Digest("0" * 64))}),
    )
    for lie in lies:
        shell = Lying(lie)
        done = run_checks(
            [HOST],
            Declared.model_validate(DECLARED),
            shell_for=lambda _host, shell=shell: shell,  # type: ignore[misc]
            keeper=portal.ledger,
            clock=portal.clock,
            progress=SilentProgress(),
            some=SOME,
        )
        assert {each.reason for each in done.results()} == {"answer-rejected"}


@pytest.mark.parametrize(
    "held",
    [b"", b"[]", b"{", b'{"outside.ports":{}}', b'{"outside.ports":{"answer":"x","at":"2026-11-20T00:00:00+00:00"}}',
     b'{"outside.ports":{"answer":"%b","at":"2026-11-20T00:00:00"}}' % (b"0" * 64), b'{"outside.ports":7}'],
)  # fmt: skip
def test_nothing_is_believed_of_an_answer_that_does_not_say_well_what_it_repeats(held: bytes) -> None:
    raw = appended(no_answer(), ProbeResult(SECTION, 0, held, b"", 0))

    found = judge_again(raw, HOST, Declared.model_validate(DECLARED), DEFAULT_AT, some=SOME)

    assert {each.reason for each in found} == {"answer-rejected"}
