"""With which host each credential is judged: every one with one, and none with nothing."""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import replace
from datetime import UTC, date, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from checks.servers.credentials import custody_kept
from checks.servers.declared import Declared
from checks.servers.facts import Facts
from checks.servers.own import Own
from checks.servers.probe import Unparseable
from checks.servers.probes import own_credentials
from checks.servers.probes.own_credentials import Custodies, Custody, find_rest_custodian
from portalops import bodies
from portalops.ledger.record import NO_RUN
from portalops.locale import render
from portalops.model.credentials import Credential, CredentialKind, Leaving
from portalops.model.organisation import Host, HostId
from portalops.registers.credentials import ADDED, CREDENTIAL, LEAVING, LEFT
from tests.checks.servers.samples import SAMPLES, read_sample
from tests.ledger.ledgers import new_ledger

NOW = datetime(2026, 11, 25, 2, 0, tzinfo=UTC)
ZONE = ZoneInfo("Asia/Ho_Chi_Minh")
WEB, DB, STATION = Host(HostId("web1"), "192.0.2.1"), Host(HostId("db1"), "192.0.2.2"), Host(HostId("zz"), "local")
SYSTEMS = (
    "host:web1",
    "host:db1",
    "host:gone",
    "database:portal@db1",
    "database:old@gone",
    "bucket:backups",
    "other:dns",
)


def judged_with(folder: Path, systems: tuple[str, ...], hosts: tuple[Host, ...]) -> dict[str, list[str]]:
    """By host: the credentials of its section; each is called after its place in the list."""
    ledger = new_ledger(folder)
    for number, system in enumerate(systems):
        day = date(2026, 11, 2)
        body = Credential(f"c{number}", system, "a|b <%>", CredentialKind.KEY, "an", "binh", "safe", day, day, None)
        ledger.append(ADDED, run=NO_RUN, subject=body.id, body=bodies.write({CREDENTIAL: body}))
    found = own_credentials.sections(Own(ledger, hosts, Declared(), NOW, ZONE))
    ledger.close()
    rows = {}
    for host, section in found.items():
        try:
            rows[str(host)] = [each.id for each in own_credentials.parse(section.output()).credentials]
        except Unparseable as error:
            rows[str(host)] = [error.reason]
    return rows


def test_what_names_no_configured_host_is_judged_with_the_machine_of_portalops(tmp_path: Path) -> None:
    assert judged_with(tmp_path, SYSTEMS, (DB, STATION, WEB)) == {
        "db1": ["c1", "c3"],
        "web1": ["c0"],
        "zz": ["c2", "c4", "c5", "c6"],
    }


def test_without_that_machine_it_is_judged_with_the_first_host_by_id(tmp_path: Path) -> None:
    assert judged_with(tmp_path, SYSTEMS, (WEB, DB)) == {"db1": ["c1", "c2", "c3", "c4", "c5", "c6"], "web1": ["c0"]}
    assert find_rest_custodian(()) is None


@settings(max_examples=20, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    st.lists(st.sampled_from(SYSTEMS), min_size=1, max_size=6), st.sets(st.sampled_from([WEB, DB, STATION]), min_size=1)
)
def test_each_credential_is_judged_with_one_host(
    tmp_path_factory: pytest.TempPathFactory, systems: list[str], hosts: set[Host]
) -> None:
    found = judged_with(tmp_path_factory.mktemp("ledger"), tuple(systems), tuple(hosts))

    counted = Counter(name for names in found.values() for name in names)
    assert counted == Counter(f"c{number}" for number in range(len(systems)))


def test_without_a_ledger_no_host_has_a_register() -> None:
    section = own_credentials.sections(Own(None, (WEB,), Declared(), NOW, ZONE))[WEB.id]

    with pytest.raises(Unparseable) as caught:
        own_credentials.parse(section.output())
    assert caught.value.reason == "no-register"


MEMBERS: dict[str, object] = {"an": {}, "binh": {}}
REMOVED = Declared.model_validate({"members": {"AN": {}}, "host": {"db1": {"members": {"chi": {}}}}})
"""A member less, another spelling of one, and one of another host alone."""


@pytest.mark.parametrize(
    ("declared", "said"),
    [
        (Declared.model_validate({"members": MEMBERS}), (True, [(), (), ()])),
        (Declared.model_validate({"host": {"web1": {"members": MEMBERS}}}), (True, [(), (), ("deputy",)])),
        (REMOVED, (True, [("deputy",), ("deputy",), ()])),
        (Declared(), (False, [(), (), ()])),
    ],
)
def test_who_is_no_declared_member_and_not_recorded_to_leave_is_a_stranger(
    tmp_path: Path, declared: Declared, said: tuple[bool, list[tuple[str, ...]]]
) -> None:
    ledger = new_ledger(tmp_path)
    day = date(2026, 11, 2)
    for name, deputy in (("a", "binh"), ("b", "Binh"), ("c", "chi")):
        body = Credential(name, "host:web1", name, CredentialKind.KEY, "an", deputy, "safe", day, day, None)
        ledger.append(ADDED, run=NO_RUN, subject=name, body=bodies.write({CREDENTIAL: body}))
    if declared.members and "binh" in declared.members:  # chi is no member, and known to leave
        left = Leaving("chi", date(2026, 12, 31))
        ledger.append(LEFT, run=NO_RUN, subject="chi", body=bodies.write({LEAVING: left}))

    section = own_credentials.sections(Own(ledger, (WEB, DB), declared, NOW, ZONE))[WEB.id]

    found = own_credentials.parse(section.output())
    assert (found.are_members_declared, [each.strangers for each in found.credentials]) == said


def test_every_kind_of_fault_is_named_the_gravest_first() -> None:
    result = read_sample(SAMPLES / "cred.custody/fail-of-every-kind.txt").judged()

    assert str(result.message) == (
        "known to people who left: host-1-an (le-van-chi); held by somebody who is not a declared member and is not recorded"
        " as having left: host-1-root (holder); credentials with missing details: host-1-root (deputy, place); credentials that"
        " were not changed in time: host-1-root (2026-11-24); admins without a credential in the register: chi"
    )


def test_what_is_not_said_is_told_in_the_readers_words() -> None:
    result = read_sample(SAMPLES / "cred.custody/fail.txt").judged()

    assert render(result.message, "vi").endswith("ghi thiếu: host-1-root (người thay thế, nơi bảo quản)")


def test_of_many_faults_few_names_are_told() -> None:
    row = Custody("c", "a", True, ("place",), None, date(2026, 11, 1), (), (2,), ("holder",))  # is_here
    rows = tuple(replace(row, id=f"c{number}") for number in range(500))
    facts = Facts(WEB, Declared().find_host(WEB.id), NOW, {own_credentials.PROBE.id: Custodies(rows, ZONE, True)})

    said = str(custody_kept.judge.judge(facts).message)

    assert re.findall(r"\(\+\d+\)", said) == ["(+494)", "(+497)", "(+497)"]


def test_no_name_of_a_holder_and_no_place_is_in_a_section(tmp_path: Path) -> None:
    ledger = new_ledger(tmp_path)
    day = date(2026, 11, 2)
    body = Credential(
        "c", "host:web1", "root", CredentialKind.KEY, "nguyen-van-an", "tran-thi-binh", "Ket sat", day, day, None
    )
    ledger.append(ADDED, run=NO_RUN, subject="c", body=bodies.write({CREDENTIAL: body}))

    section = own_credentials.sections(Own(ledger, (WEB,), Declared(), NOW, ZONE))[WEB.id]

    assert [word for word in (b"nguyen-van-an", b"tran-thi-binh", b"Ket") if word in section.stdout] == []
