"""What could be declared of a host is drafted from what it answered, and only what would settle something is proposed."""

from __future__ import annotations

import hashlib
from datetime import timedelta

from checks.servers.declared import Declared
from checks.servers.proposals import AnsweredHost, joined, propose
from checks.servers.runner import run_checks
from portalops.model.checks import CheckScan
from portalops.model.organisation import Host, HostId
from portalops.model.record import Digest
from tests.checks.servers.samples import DEFAULT_AT, SAMPLES, read_sample
from tests.checks.servers.test_runner import QuotingShell
from tests.doubles import FixedClock, MemoryKeeper, SilentProgress

WEB = Host(HostId("web1"), "192.0.2.1", frozenset({"web"}))
LISTENERS = b"tcp LISTEN 0 128 0.0.0.0:22 0.0.0.0:*\ntcp LISTEN 0 511 0.0.0.0:443 0.0.0.0:*\ntcp LISTEN 0 80 127.0.0.1:3306 0.0.0.0:*\n"


def scanned(said: dict[str, bytes]) -> tuple[CheckScan, list[AnsweredHost]]:
    keeper = MemoryKeeper()
    scan = run_checks(
        [WEB],
        Declared(),
        shell_for=lambda _host: QuotingShell(said),
        keeper=keeper,
        clock=FixedClock(DEFAULT_AT),
        progress=SilentProgress(),
    )
    raw = list(keeper.blobs.values())[-1]
    return scan, [AnsweredHost(WEB, DEFAULT_AT, Digest(hashlib.sha256(raw).hexdigest()), raw)]


def test_what_is_seen_is_drafted_with_the_check_that_it_settles() -> None:
    scan, hosts = scanned({"net.listeners": LISTENERS, "net.other-sockets": b"end\n"})

    found = {each.id: each for each in propose(scan, hosts, Declared(), DEFAULT_AT)}

    assert found["web1/listeners"].tables == {"listeners": ["tcp/22", "tcp/443"]}
    assert [(each.check, each.verdict.value) for each in found["web1/listeners"].settled] == [
        ("firewall.listeners", "pass")
    ]
    assert found["web1/listeners"].evidence == hosts[0].digest
    assert "web1/identity" not in found, "it was not seen"


def test_draft_from_nothing_names_no_evidence() -> None:
    """An empty list of folders makes the check pass: nobody looked for folders, so that is no evidence."""
    sample = read_sample(SAMPLES / "web.dir-listing/pass.txt")
    host = AnsweredHost(sample.host, sample.at, Digest("0" * 64), sample.raw)
    tables = sample.declared.find_host(sample.host.id).model_dump(include={"public_addresses", "pages"})
    declared = Declared.model_validate({"host": {sample.host.id: tables}})

    found = {each.name: each for each in propose(CheckScan(()), [host], declared, sample.at)}

    assert found["folders"].settled and found["folders"].is_guessed
    assert {name for name, each in found.items() if each.is_guessed} <= {"admin-paths", "folders", "editions"}


def test_those_that_move_most_come_first_and_what_is_declared_is_not_asked_again() -> None:
    scan, hosts = scanned({"net.listeners": LISTENERS, "net.other-sockets": b"end\n"})
    declared = Declared.model_validate({"host": {"web1": {"listeners": ["tcp/22", "tcp/443"]}}, "no_standby": ["vip"]})

    found = propose(scan, hosts, declared, DEFAULT_AT)

    assert [each.moved for each in found] == sorted((each.moved for each in found), reverse=True)
    assert not {"web1/listeners", "no-standby-vip"} & {each.id for each in found}


def test_nobody_is_asked_to_deny_a_standby_of_which_something_was_seen() -> None:
    scan, hosts = scanned({"log.forwarding": b"name web1\nrule *.* @@logs.example\nend\n"})
    quiet, others = scanned({})

    seen = {each.id for each in propose(scan, hosts, Declared(), DEFAULT_AT)}
    unseen = {each.id for each in propose(quiet, others, Declared(), DEFAULT_AT)}

    assert unseen - seen == {"no-standby-log-collector"}


def test_kinds_of_standby_that_are_denied_are_joined() -> None:
    scan, hosts = scanned({})
    declared = Declared(no_standby=("spare",))

    denied = [
        each
        for each in propose(scan, hosts, declared, DEFAULT_AT)
        if each.name in {"no-standby-vip", "no-standby-mysql"}
    ]

    assert joined(denied) == {"": {"no_standby": ["mysql", "spare", "vip"]}}


def test_a_scan_without_a_look_from_outside_waits_for_a_station() -> None:
    scan, hosts = scanned({})

    (station,) = [each for each in propose(scan, hosts, Declared(), DEFAULT_AT + timedelta(1)) if each.id == "station"]

    assert not station.settled and ("web1", "tls.expiry") in station.waiting
