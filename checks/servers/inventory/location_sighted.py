"""Somebody recently saw where the host is, and who is responsible for it is recorded.

A host that nobody has visited for a year may have been moved, or carried out of the building. Article 12.1: the
infrastructure is installed and managed at the Department.

The rule: in the register of places the host has a building, a room, a rack and a holder, and was sighted within the last
{within_months} months. Nobody has to have begun the register for this to be asked: without one the answer is unknown. A
newer record that cannot be read may say something else, so then it is unknown too.

Source: the records `host.sighted` and `host.handed-over` of the ledger, made by `portalops host sight` and `portalops host
hand-over` (docs/ledger-format.md). Text that people typed is percent-encoded:

    {"holder":"Ph%C3%B2ng%20H%E1%BA%A1%20t%E1%BA%A7ng","holder_seq":12,"rack":"T%E1%BB%A7%20A%20U12","room":"204",
    "seen_by":"Nguy%E1%BB%85n%20V%C4%83n%20An","seen_on":"2026-05-04","sighted_seq":12,"site":"S%E1%BB%9F","state":"seen"}
"""

from __future__ import annotations

from checks.servers.check import CheckOutcome, check, failed, passed, unknown
from checks.servers.facts import Facts
from checks.servers.probe import shown
from checks.servers.probes import own_places
from portalops.model.message import msg
from portalops.model.places import LONGEST_MONTHS, is_overdue
from portalops.model.verdicts import Severity


@check(
    id="inventory.location",
    clause="12.1",
    severity=Severity.MEDIUM,
    needs=(own_places.PROBE,),
    title=msg("somebody recently saw where the host is, and who is responsible for it is recorded"),
    remedy=msg("Go and see the host, and record where it is and who is responsible for it: 'portalops host sight'."),
    numbers={"within_months": LONGEST_MONTHS},
)
def judge(facts: Facts) -> CheckOutcome:
    place = facts[own_places.PROBE]
    seen = place.seen
    if seen is None:
        return failed("not-sighted", msg("nobody has recorded where the host is"))
    if not all(text.strip() for text in (seen.site, seen.room, seen.rack, place.holder)):
        return failed(
            "place-incomplete",
            msg(
                "record {seq} does not name the building, the room, the rack and the person responsible",
                seq=str(seen.seq),
            ),
        )
    today = facts.at.astimezone(place.zone).date()
    if seen.on > today:
        return unknown("clock-wrong", msg("it was seen on {day}, after this check", day=seen.on))
    where = {
        "site": shown(seen.site, 80),
        "room": shown(seen.room, 40),
        "rack": shown(seen.rack, 40),
        "holder": shown(place.holder, 80),
    }
    if is_overdue(seen.on, today):
        return failed(
            "sighting-too-old",
            msg(
                "it was last seen on {day}, more than {months} months ago, in {site}, room {room}, rack {rack}",
                day=seen.on,
                months=LONGEST_MONTHS,
                site=where["site"],
                room=where["room"],
                rack=where["rack"],
            ),
        )
    return passed(
        msg(
            "seen on {day} in {site}, room {room}, rack {rack}; {holder} is responsible (record {seq})",
            day=seen.on,
            seq=str(seen.seq),
            **where,
        )
    )
