"""Whose a kept mail is: by the source's own map, else by the units' aliases; no mail server is asked."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from checks.updates.sources import build_update_source
from checks.updates.unit_names import UnitNames
from portalops.config.tables import KindTable
from portalops.model.organisation import Agency, Name, UnitId
from portalops.system.web import HttpWeb
from tests.checks.updates.scene import ZONE, at

HEALTH = Agency(UnitId("so-y-te"), Name("Sở Y tế", ""), aliases=("soyte.khanhhoa.example",))
SETTINGS = {
    "host": "mail.khanhhoa.example",
    "user": "tin-bai",
    "password": {"file": "password"},
    "units": {"vanthu@sotuphap.khanhhoa.example": "so-tu-phap"},
    "checked_by": "mx.khanhhoa.example",
}


@pytest.mark.parametrize(
    ("sender", "vouched", "unit", "resembling"),
    [
        ("vanthu@sotuphap.khanhhoa.example", True, "so-tu-phap", ()),
        ("bientap@soyte.khanhhoa.example", True, "so-y-te", ("so-y-te",)),
        ("soyte@gmail.example", True, None, ("so-y-te",)),
        ("bientap@soyte.khanhhoa.example", False, None, ()),
        ("bientap@vp.soyte.khanhhoa.example", True, None, ("so-y-te",)),
        ("bientap@vp.soyte.khanhhoa.example", False, None, ()),
        ("bientap@vp.sotuphap.khanhhoa.example", True, None, ()),
        ("bientap@xsoyte.khanhhoa.example", True, None, ()),
    ],
)
def test_a_sender_is_known_by_the_map_or_an_alias_and_only_where_the_server_vouches(
    tmp_path: Path, sender: str, vouched: bool, unit: str | None, resembling: tuple[str, ...]
) -> None:
    source = build_update_source(KindTable.alone("mail", "imap", SETTINGS, tmp_path), zone=ZONE, web=HttpWeb())
    names = UnitNames([HEALTH, Agency(UnitId("so-tu-phap"), Name("Sở Tư pháp", ""))], ZONE)
    message = {
        "received_at": "2026-11-16T09:00:00+07:00",
        "message_id": "<1@a>",
        "sender": sender,
        "date": "",
        "subject": "Tin, bài tuần 47",
        "text": "",
        "files": [],
        "broken": "",
        "checks": [f"mx.khanhhoa.example; dmarc={'pass' if vouched else 'fail'}"],
        "is_automatic": False,
        "digest": "0" * 64,
    }
    kept = {"folder": "INBOX", "since": "2026-11-10T00:00:00+07:00", "messages": [message], "unread": []}

    (item,) = source.parse(json.dumps(kept).encode(), polled_at=at("2026-11-16 10:00")).items

    assert item.unit_name == (sender if vouched else "")
    assert names.find(item.unit_name, source.traits, at("2026-11-16 10:00")) == unit
    assert names.likely(item.unit_name, source.traits, at("2026-11-16 10:00")) == resembling or unit is not None
    if unit != "so-tu-phap" and "@vp." not in sender:
        assert names.resembling(item.unit_name) == resembling


def test_mail_from_below_a_domain_of_the_map_is_open_for_the_nearest_units(tmp_path: Path) -> None:
    settings = SETTINGS | {"units": {"h05.example": "so-y-te", "vp.h05.example": "so-tu-phap"}}
    source = build_update_source(KindTable.alone("mail", "imap", settings, tmp_path), zone=ZONE, web=HttpWeb())
    names = UnitNames([HEALTH, Agency(UnitId("so-tu-phap"), Name("Sở Tư pháp", ""))], ZONE)

    def likely(sender: str) -> tuple[str, ...]:
        return names.likely(sender, source.traits, at("2026-11-16 10:00"))

    assert likely("a@bp.h05.example") == ("so-y-te",)
    assert likely("a@x.vp.h05.example") == ("so-tu-phap",)
    assert likely("a@xh05.example") == likely("h05.example") == likely("a@example") == ()
