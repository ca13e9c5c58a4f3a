"""From the records of a host to where it stands and who answers for it."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from portalops import bodies
from portalops.ledger.ledger import Ledger
from portalops.ledger.record import NO_RUN
from portalops.model.organisation import HostId
from portalops.model.places import HandOver, Sighting
from portalops.registers.places import (
    HAND_OVER,
    HANDED_OVER,
    SIGHTED,
    SIGHTING,
    Body,
    RegisteredPlace,
    fold_places,
    read_places,
)
from tests.doubles import FixedClock

WEB = HostId("web1")
NOW = datetime(2026, 11, 20, 3, tzinfo=UTC)
SEEN = Sighting(WEB, date(2026, 11, 20), "An", "Sở", "204", "A", "Phòng Hạ tầng")
HANDED = HandOver(WEB, date(2026, 11, 21), "Bình", "Phòng Hạ tầng", "05/BB")

found = st.lists(st.sampled_from([SEEN, HANDED, None]), max_size=8)


def folded(*each: Body | None) -> RegisteredPlace:
    return fold_places((seq, NOW, WEB, body, ()) for seq, body in enumerate(each, 1))[WEB]


def test_newest_sighting_counts_and_a_hand_over_after_it_names_the_holder() -> None:
    place = folded(SEEN, HANDED)

    assert (place.sighting, place.sighted_seq) == (SEEN, 1)
    assert (place.holder, place.holder_seq) == ("Bình", 2)


def test_sighting_corrects_what_was_recorded_before_it() -> None:
    place = folded(SEEN, HANDED, Sighting(WEB, date(2026, 10, 1), "An", "Sở", "205", "B", "Cường", "typing error"))

    assert place.sighting is not None
    assert (place.sighting.room, place.holder, place.holder_seq) == ("205", "Cường", 3)


def test_holder_who_is_seen_again_stays_holder_by_the_record_of_the_hand_over() -> None:
    again = Sighting(WEB, date(2026, 11, 25), "An", "Sở", "204", "A", "Bình")

    assert (folded(SEEN, HANDED, again).holder_seq, folded(SEEN, HANDED, again).sighted_seq) == (2, 3)
    assert folded(SEEN, HANDED, None, again).holder_seq == 4  # what was lost may have named another one


def test_record_that_cannot_be_read_leaves_doubt_until_somebody_looks_again() -> None:
    assert folded(SEEN, None).lost == (2,)
    assert folded(SEEN, None, HANDED).lost == (2,)
    assert folded(SEEN, None, SEEN).lost == ()


@pytest.mark.heavy
@settings(deadline=None)
@given(found)
def test_doubt_is_about_records_after_the_sighting_alone(each: list[Body | None]) -> None:
    place = fold_places((seq, NOW, WEB, body, ()) for seq, body in enumerate(each, 1)).get(WEB, RegisteredPlace(WEB))

    assert all(seq > place.sighted_seq for seq in place.lost)
    assert {step.body.holder for step in place.steps if step.seq >= place.holder_seq} <= {place.holder}
    assert (place.holder_step is None) == (not place.steps)
    assert (place.sighting is None) == (SEEN not in each)


def test_register_is_read_from_the_ledger_as_it_was_at_a_moment(tmp_path: Path) -> None:
    clock = FixedClock(NOW)
    ledger = Ledger.open(tmp_path, clock=clock, create=True)
    minutes = ledger.keep(b"%PDF minutes")
    ledger.append(SIGHTED, run=NO_RUN, subject=WEB, body=bodies.write({SIGHTING: SEEN, "evidence": (minutes,)}))
    clock.move(timedelta(days=1))
    ledger.append(HANDED_OVER, run=NO_RUN, subject=WEB, body=bodies.write({HAND_OVER: HANDED}))
    ledger.append(SIGHTED, run=NO_RUN, subject="db1", body=bodies.write({SIGHTING: SEEN}))  # of another host

    assert read_places(ledger)[WEB].holder == "Bình"
    assert read_places(ledger)[WEB].evidence == (minutes,)
    assert read_places(ledger, until=clock.now() - timedelta(hours=1))[WEB].holder == "Phòng Hạ tầng"
    assert read_places(ledger)[HostId("db1")] == RegisteredPlace(HostId("db1"), lost=(4,))
