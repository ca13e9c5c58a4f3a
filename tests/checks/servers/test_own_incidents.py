"""Which incidents of the register join a host's answer, and which starts of it they explain."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from checks.servers.declared import Declared
from checks.servers.own import Own
from checks.servers.probe import Output, Unparseable
from checks.servers.probes import own_incidents
from checks.servers.probes.own_incidents import HostIncident
from portalops import bodies
from portalops.ledger.record import NO_RUN
from portalops.model.incidents import IncidentClosed, IncidentFacts, IncidentKind
from portalops.model.organisation import Host, HostId
from portalops.model.verdicts import Severity
from portalops.registers.incidents import CLOSED, KEYS, OPENED, Body
from tests.ledger.ledgers import new_ledger

NOW = datetime(2026, 11, 25, 2, 0, tzinfo=UTC)
WEB, DB = Host(HostId("web1"), "192.0.2.1"), Host(HostId("db1"), "192.0.2.2")
HOUR = timedelta(hours=1)
FACTS = IncidentFacts(
    "IN-2026-001", "mất điện", IncidentKind.OUTAGE, Severity.LOW, NOW - 9 * HOUR, "An", NOW - 10 * HOUR, hosts=(WEB.id,)
)
ENDED = IncidentClosed("IN-2026-001", NOW - 8 * HOUR, "UPS hỏng", "thay ắc quy", "thử UPS hằng quý", "An")


def of(folder: Path, *steps: tuple[str, str, Body | str], host: Host = WEB) -> tuple[HostIncident, ...]:
    """Return what a host's section holds of a ledger with these records; a body that is text cannot be read."""
    ledger = new_ledger(folder)
    for kind, subject, body in steps:
        ledger.append(kind, run=NO_RUN, subject=subject, body=bodies.write({KEYS[kind][0]: body}))
    section = own_incidents.sections(Own(ledger, (WEB, DB), Declared(), NOW, ZoneInfo("Asia/Ho_Chi_Minh")))[host.id]
    ledger.close()
    return own_incidents.parse(section.output())


def test_incident_is_told_of_the_hosts_that_it_is_tied_to(tmp_path: Path) -> None:
    (found,) = of(tmp_path / "1", (OPENED, FACTS.id, FACTS))

    assert (found.id, found.began_at, found.ended_at) == (FACTS.id, NOW - 10 * HOUR, None)
    assert of(tmp_path / "2", (OPENED, FACTS.id, FACTS), host=DB) == ()


def test_closed_incident_is_told_with_its_end_and_an_old_one_is_left_out(tmp_path: Path) -> None:
    (found,) = of(tmp_path / "1", (OPENED, FACTS.id, FACTS), (CLOSED, FACTS.id, ENDED))
    old = replace(FACTS, detected_at=NOW - 500 * 24 * HOUR, happened_at=None)
    over = replace(ENDED, ended_at=NOW - 499 * 24 * HOUR)

    assert found.ended_at == NOW - 8 * HOUR
    assert of(tmp_path / "2", (OPENED, FACTS.id, old), (CLOSED, FACTS.id, over)) == ()


@pytest.mark.parametrize(
    ("steps", "reason"),
    [((), "no-register"), (((OPENED, "IN-2026-009", "rubbish"),), "register-unreadable")],
)
def test_register_that_is_not_begun_or_cannot_be_read_tells_of_no_incident(
    tmp_path: Path, steps: tuple[tuple[str, str, str], ...], reason: str
) -> None:
    with pytest.raises(Unparseable) as raised:
        of(tmp_path, *steps)

    assert raised.value.reason == reason


@pytest.mark.parametrize("text", ['{"incidents":[{}],"state":"seen"}', '{"incidents":3,"state":"seen"}'])
def test_section_out_of_form_is_refused(text: str) -> None:
    with pytest.raises(Unparseable):
        own_incidents.parse(Output(0, text, ""))


def test_moment_without_zone_is_refused(tmp_path: Path) -> None:
    (found,) = of(tmp_path, (OPENED, FACTS.id, FACTS))
    text = own_incidents.section([found]).output().text.replace("+00:00", "")

    with pytest.raises(Unparseable):
        own_incidents.parse(Output(0, text, ""))


def test_incident_explains_a_start_from_its_beginning_to_its_end(tmp_path: Path) -> None:
    (closed,) = of(tmp_path / "1", (OPENED, FACTS.id, FACTS), (CLOSED, FACTS.id, ENDED))
    (still,) = of(tmp_path / "2", (OPENED, FACTS.id, FACTS))

    assert closed.holds(NOW - 10 * HOUR) and closed.holds(NOW - 8 * HOUR)
    assert not closed.holds(NOW - 11 * HOUR) and not closed.holds(NOW - 7 * HOUR)
    assert still.holds(NOW + 13 * 24 * HOUR) and not still.holds(NOW + 14 * 24 * HOUR)
