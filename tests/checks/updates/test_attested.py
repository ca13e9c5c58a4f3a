"""Items that people attest, beside what was collected: grade D, each once, and only what was known by then."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

from checks.updates.attested import as_observation
from checks.updates.judging import grade_items
from checks.updates.rules.grading import GradedItem
from checks.updates.terms import Decided, Terms
from portalops.model.period import Week
from portalops.model.record import Digest
from portalops.model.runs import Every
from portalops.model.submissions import ObservedItem, RegisteredPaper
from portalops.model.updates import FlagKind, Grade, ItemChannel, Observation
from portalops.registers.attested import Attested
from tests.checks.updates.scene import (
    CALENDAR,
    HEALTH,
    SOURCES,
    SUBPORTALS,
    ZONE,
    Collected,
    at,
    daily_polls,
    item,
    rulebook,
)

ADDRESS = "https://soyte.khanhhoa.example/tin/1"
PERIOD = "2026-W47"


def _saw(when: str, *, title: str = "Tin", address: str = ADDRESS, recorded: str = "2026-11-20 09:00") -> Observation:
    seen = ObservedItem("OB-2026-001", HEALTH.id, ItemChannel.SUBPORTAL, title, address, at(when), "Nguyễn Văn An")
    return as_observation(Attested(2, at(recorded), Digest("a" * 64), seen), ZONE)


def _counting(
    *attested: Observation, collected: tuple[Observation, ...] = (), now: str = "2026-11-24 09:00"
) -> dict[str, tuple[datetime | None, Grade, tuple[FlagKind, ...]]]:
    from checks.updates.rules.stamps import moment

    terms = Terms(rulebook(), CALENDAR, ZONE, at(now), Every.DAY, Decided(attested=attested))
    found = grade_items(
        Collected(
            collected, daily_polls("2026-11-10", "2026-11-23"), {one.id: at("2026-11-23 20:00") for one in collected}
        ), SOURCES, units=(HEALTH,), period=Week(2026, 47).period(), terms=terms
    )  # fmt: skip
    return {
        one.seen.id: (None if one.counts_at is None else moment(one.counts_at), one.grade, one.flags) for one in found
    }


def test_what_an_officer_saw_counts_when_it_was_seen_and_not_when_it_was_recorded() -> None:
    assert _counting(_saw("2026-11-17 09:00")) == {"OB-2026-001": (at("2026-11-17 09:00"), Grade.D, ())}


def test_what_was_recorded_after_the_moment_of_judging_is_not_known_yet() -> None:
    assert _counting(_saw("2026-11-17 09:00"), now="2026-11-20 08:59") == {}


def test_an_address_that_was_collected_too_counts_once_by_the_earlier_proof() -> None:
    collected = item(SUBPORTALS, "2026-11-18 09:00", url=ADDRESS, name="x")

    found = _counting(_saw("2026-11-18 08:00"), collected=(collected,))
    later = _counting(_saw("2026-11-19 09:00"), collected=(collected,))

    assert (found["OB-2026-001"][0], found[collected.id][0]) == (at("2026-11-18 08:00"), None)
    assert (later["OB-2026-001"][0], later[collected.id][0] is not None) == (None, True)


def test_text_in_an_older_encoding_is_flagged_in_a_title_too() -> None:
    flags = _counting(_saw("2026-11-17 09:00", title="Céng hßa x· héi chñ nghÜa ViÖt Nam"))["OB-2026-001"][2]

    assert flags == (FlagKind.LEGACY_ENCODING,)


def test_a_paper_counts_on_its_day_of_arrival_in_the_portals_zone() -> None:
    paper = RegisteredPaper("RG-1", HEALTH.id, "118", date(2026, 11, 17), "Sở Y tế", "", "", "An")
    one = as_observation(Attested(2, at("2026-11-20 09:00"), Digest("a" * 64), paper), ZONE)

    assert (one.channel, one.title, one.external_id) == (ItemChannel.SUBMISSION, "118", "2026/118")
    assert _counting(one)["RG-1"][0] == at("2026-11-17 00:00")


REFUTED = at("2026-11-19 20:00")


def _held(**changes: Any) -> GradedItem:
    """Hold a sighting of 17 November against the polls of its sub-portal."""
    one = _saw("2026-11-17 09:00")
    terms = Terms(
        rulebook(),
        CALENDAR,
        ZONE,
        at("2026-11-24 09:00"),
        Every.DAY,
        Decided(attested=(one,), unkept=frozenset(changes.get("unkept", ()))),
    )
    collected = changes.get("collected", ())
    found = grade_items(
        Collected(collected, daily_polls("2026-11-10", "2026-11-23"), {each.id: REFUTED for each in collected}),
        SOURCES, units=(HEALTH,), period=Week(2026, 47).period(), terms=terms,
    )  # fmt: skip
    return next(each for each in found if each.seen.id == one.id)


def test_what_whole_polls_never_showed_is_open_unless_a_picture_of_it_is_kept() -> None:
    typed, kept = _held(unkept={"OB-2026-001"}), _held()

    assert (typed.is_sure, typed.flags) == (False, (FlagKind.UNSHOWN,))
    assert (kept.is_sure, kept.flags) == (True, ())


def test_a_sighting_before_a_poll_that_lacked_the_item_counts_for_nothing_and_leaves_the_item_alone() -> None:
    collected = item(SUBPORTALS, "2026-11-20 20:00", url=ADDRESS, name="x")

    found = _held(collected=(collected,))

    assert (found.came, found.is_sure, found.flags) == (None, False, (FlagKind.BACKDATED,))
