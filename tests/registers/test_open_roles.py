"""What a person who leaves hands over besides credentials."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from portalops.model.changes import ChangeBegun, ChangeClosed, ChangeKind, ChangeRequest
from portalops.model.incidents import IncidentClosed, IncidentFacts, IncidentKind
from portalops.model.organisation import HostId
from portalops.model.verdicts import Severity
from portalops.registers.changes import ChangeRegister, fold_changes
from portalops.registers.incidents import IncidentRegister, fold_incidents
from portalops.registers.open_roles import OpenRole, RoleKind, Written, lost_records, open_roles
from portalops.registers.places import RegisteredPlace

AT = datetime(2026, 11, 26, 2, tzinfo=UTC)
HOUR = timedelta(hours=1)
WEB = HostId("web1")
NAMES = ("nguyen-van-an", "an")
INCIDENT = IncidentFacts(
    "IN-2026-001", "mất khóa", IncidentKind.CREDENTIAL, Severity.HIGH, AT, "Bình", holders=("le-chi", "nguyen-van-an")
)
CHANGE = ChangeRequest("CH-2026-001", ChangeKind.NORMAL, "nginx", "CVE", (WEB,), AT, AT + HOUR, "bản cũ", "an")


def roles(
    *,
    places: dict[HostId, RegisteredPlace] | None = None,
    incidents: tuple[object, ...] = (),
    changes: tuple[object, ...] = (),
) -> list[tuple[str, str, int | None]]:
    found = open_roles(
        NAMES,
        places=places or {},
        incidents=_incidents(*incidents),
        changes=_changes(*changes),
        written=(Written("office.contact", ("Nguyễn Văn An, 0258 3 822 000",)), Written("office.title", ("Giám đốc",))),
    )
    assert found[-1] == OpenRole(RoleKind.CONFIGURATION, "office.contact", "Nguyễn Văn An, 0258 3 822 000", None)
    return [(each.kind.value, each.id, each.seq) for each in found[:-1]]


def _incidents(*bodies: object) -> IncidentRegister:
    return fold_incidents((seq, AT, "IN-2026-001", body, ()) for seq, body in enumerate(bodies, 10))  # type: ignore[misc]  # a generator of tuples, of one type each


def _changes(*bodies: object) -> ChangeRegister:
    return fold_changes((seq, AT, "CH-2026-001", body, ()) for seq, body in enumerate(bodies, 20))  # type: ignore[misc]  # a generator of tuples, of one type each


def test_host_counts_whose_holder_is_named_in_whatever_spelling() -> None:
    mine = {WEB: RegisteredPlace(WEB, holder="Nguyễn Văn An (Phòng Hạ tầng)", holder_seq=7)}
    others = {WEB: RegisteredPlace(WEB, holder="Phòng Hạ tầng", holder_seq=7)}

    assert roles(places=mine) == [("host", "web1", 7)]
    assert roles(places=others) == []


def test_incident_counts_until_it_is_closed_or_another_one_answers() -> None:
    closed = IncidentClosed("IN-2026-001", AT + HOUR, "không mã hóa", "mã hóa", "không mang về nhà", "Bình")
    other = replace(INCIDENT, holders=("le-chi",), reason="An thôi việc")

    assert roles(incidents=(INCIDENT,)) == [("incident", "IN-2026-001", 10)]
    assert roles(incidents=(INCIDENT, closed)) == []
    assert roles(incidents=(INCIDENT, other)) == []


def test_change_is_whose_who_began_it_or_else_of_who_asked_for_it() -> None:
    by_other, closed = ChangeBegun(CHANGE.id, AT, "Bình"), ChangeClosed(CHANGE.id, "", "Bình")

    assert roles(changes=(CHANGE,)) == [("change", "CH-2026-001", 20)]
    assert roles(changes=(replace(CHANGE, requested_by="Bình"), ChangeBegun(CHANGE.id, AT, "Nguyễn Văn An"))) == [
        ("change", "CH-2026-001", 21)
    ]
    assert roles(changes=(CHANGE, by_other)) == []
    assert roles(changes=(CHANGE, closed)) == []
    assert roles(changes=(replace(CHANGE, kind=ChangeKind.STANDING),)) == []


def test_records_that_cannot_be_read_are_told_since_they_may_name_anybody() -> None:
    places = {WEB: RegisteredPlace(WEB, lost=(3,))}

    assert lost_records(places, IncidentRegister(lost=(11,)), _changes(None, CHANGE)) == (3, 11, 20)


@pytest.mark.parametrize("text", ["", "???", "2026"])
def test_name_without_words_of_a_person_takes_nothing(text: str) -> None:
    found = open_roles(
        (text,), places={WEB: RegisteredPlace(WEB, holder="")}, incidents=_incidents(), changes=_changes()
    )

    assert found == ()


def test_namesake_is_another_member_where_the_text_is_their_name() -> None:
    def found(holder: str) -> int:
        places = {WEB: RegisteredPlace(WEB, holder=holder, holder_seq=7)}
        others = ("nguyen-van-an-2", "le-chi")
        return len(open_roles(NAMES, places=places, incidents=_incidents(), changes=_changes(), others=others))

    assert (found("nguyen-van-an"), found("Nguyễn Văn An"), found("Nguyen-van-an-2")) == (1, 1, 0)
