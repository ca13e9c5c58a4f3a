"""Whose a kept mail is: by the source's own map, else by the units' aliases; no mail server is asked."""

from __future__ import annotations

import json
from datetime import date
from email import message_from_string
from pathlib import Path

import pytest

from checks.updates.automatic_mail import automatic_word
from checks.updates.mail_senders import named_sender
from checks.updates.sources import build_update_source
from checks.updates.unit_names import UnitNames
from portalops.config.tables import KindTable
from portalops.model.organisation import Agency, Name, UnitId
from portalops.model.updates import ItemChannel, UpdateSourceTraits
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


JUSTICE = Agency(UnitId("so-tu-phap"), Name("Sở Tư pháp", ""), aliases=("STP", "a@h06.example"))
COMMUNE = Agency(UnitId("xa-dien-an"), Name("Ủy ban nhân dân xã Diên An", ""))
CENTRE = Agency(UnitId("ttyt-dien-an"), Name("Trung tâm Y tế xã Diên An", ""))


@pytest.mark.parametrize(
    ("written", "units"),
    [
        ("Sở Y tế", ["so-y-te"]),
        ("so y te", ["so-y-te"]),
        ("SỞ Y TẾ KHÁNH HÒA", ["so-y-te"]),
        ("Văn phòng UBND xã Diên An", ["xa-dien-an"]),
        ("UBND Xã Diên An qua Ban biên tập", ["xa-dien-an"]),
        ("Văn thư Trung tâm Y tế xã Diên An", ["ttyt-dien-an"]),
        ("Sở Y tế, Sở Tư pháp", ["so-tu-phap", "so-y-te"]),
        ("Văn thư STP", ["so-tu-phap"]),
        ("bientap@soyte.khanhhoa.example", ["so-y-te"]),
        ("Nguyễn Diên An", []),
        ("Phường Diên An", []),
        ("Sở Y tế tỉnh Đắk Lắk", []),
        ("Ban biên tập", []),
        ("Cục Y tế dự phòng", []),
    ],
)
def test_a_name_before_the_address_means_the_units_whose_whole_name_it_has(written: str, units: list[str]) -> None:
    names = UnitNames([HEALTH, JUSTICE, COMMUNE, CENTRE], ZONE, home="Cổng thông tin điện tử tỉnh Khánh Hòa")
    mail = UpdateSourceTraits("mail", ItemChannel.SUBMISSION, complete=False)

    sender = named_sender("hoa.nt@gmail.com", [written])

    assert sorted(names.likely(sender, mail, at("2026-11-16 10:00"))) == units
    assert names.find(sender, mail, at("2026-11-16 10:00")) is None


LABOUR = Agency(
    UnitId("so-lao-dong"), Name("Sở Lao động", ""), valid_to=date(2026, 6, 30), successors=(UnitId("so-tu-phap"),)
)


@pytest.mark.parametrize(
    ("address", "beside", "unit"),
    [
        ("a@h06.example", "Nguyễn Thị Lan", "so-tu-phap"),
        ("a@h06.example", "Văn thư Sở Tư pháp", "so-tu-phap"),
        ("a@h06.example", "Sở Lao động", "so-tu-phap"),
        ("vt@h05.example", "STP", "so-y-te"),
        ("vt@h05.example", "van-phong@soyte.khanhhoa.example", "so-y-te"),
        ("a@h06.example", "Sở Y tế", None),
        ("a@h06.example", "Văn phòng Sở Y tế", None),
        ("a@h06.example", "vt@h05.example", None),
        ("vt@h05.example", "Sở Tư pháp", None),
        ("vt@h05.example", "a@h06.example", None),
    ],
)
def test_a_known_address_is_its_units_unless_another_units_name_or_address_stands_beside_it(
    address: str, beside: str, unit: str | None
) -> None:
    names = UnitNames([HEALTH, JUSTICE, LABOUR], ZONE)
    units = (("h05.example", UnitId("so-y-te")), ("STP", UnitId("so-y-te")))
    mail = UpdateSourceTraits("mail", ItemChannel.SUBMISSION, complete=False, unit_names=units)
    sender, when = named_sender(address, [beside]), at("2026-11-16 10:00")

    assert names.find(sender, mail, when) == unit
    assert bool(names.claimants(sender, mail, when)) is (unit is None)
    assert unit or sorted(names.likely(sender, mail, when)) == ["so-tu-phap", "so-y-te"]


@pytest.mark.parametrize(
    ("address", "mapped", "units"),
    [
        ("van-phong@h05.example", {"vanthu@h05.example": "so-y-te"}, ("so-y-te",)),
        ("van-phong@h05.example", {"a@h05.example": "so-y-te", "b@h05.example": "so-tu-phap"}, ()),
        ("lan.nguyen82@gmail.com", {"vanthu.soyte.kh@gmail.com": "so-y-te"}, ()),
        ("lan@dng.vnn.vn", {"soyte@dng.vnn.vn": "so-y-te"}, ()),
        ("b@h06.example", {}, ("so-tu-phap",)),
        ("b@h06.example", {"vanthu@h06.example": "so-y-te"}, ()),
        ("h06.example", {}, ()),
    ],
)
def test_an_address_of_a_domain_whose_known_addresses_are_one_units_may_be_that_units(
    address: str, mapped: dict[str, str], units: tuple[str, ...]
) -> None:
    names = UnitNames([HEALTH, JUSTICE], ZONE)
    own = tuple((name, UnitId(unit)) for name, unit in mapped.items())
    mail = UpdateSourceTraits("mail", ItemChannel.SUBMISSION, complete=False, unit_names=own)

    assert names.likely(address, mail, at("2026-11-16 10:00")) == units


@pytest.mark.parametrize(
    ("head", "word"),
    [
        ("Auto-Submitted: auto-replied (vacation)", "auto-replied"),
        ("Auto-Submitted: no\nX-Autoreply: yes", ""),
        ("Precedence: auto_reply", "auto-replied"),
        ("X-Precedence: auto_reply", "auto-replied"),
        ("Precedence: bulk\nX-Autoreply: yes", "auto-replied"),
        ("X-Autorespond: Vang mat", "auto-replied"),
        ("Precedence: BULK", "auto-generated"),
        ("Precedence: junk", "auto-generated"),
        ("Return-Path: < >", "auto-generated"),
        ("Precedence: list", ""),
        ("Precedence: bulk\nList-Id: <tin.khanhhoa.example>", ""),
        ("Return-Path: <tin-bounces@khanhhoa.example>", ""),
        ("X-Auto-Response-Suppress: All", ""),
    ],
)
def test_headers_that_programs_write_into_their_answers_are_known(head: str, word: str) -> None:
    assert automatic_word(message_from_string(f"{head}\nFrom: a@h05.example\n\nTin")) == word
