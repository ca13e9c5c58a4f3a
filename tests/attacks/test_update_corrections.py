"""What a registrar or an editor puts right after our polls have seen it, by the real job."""

from __future__ import annotations

import hashlib
from dataclasses import replace

import pytest

from checks.updates.terms import Decided
from portalops.model.organisation import Agency, UnitId
from portalops.model.updates import FlagKind, UnitWeek
from portalops.model.verdicts import DutyVerdict
from tests.attacks.update_scene import Province, Register, story
from tests.checks.updates.scene import HEALTH, JUSTICE, at

MET, UNMET, UNKNOWN = DutyVerdict.MET, DutyVerdict.UNMET, DutyVerdict.INSUFFICIENT_EVIDENCE


def _rewrite(register: Register, before: str, after: str) -> None:
    register.lines = [line.replace(before, after) for line in register.lines]
    register.write()


def _strike(register: Register, number: int) -> None:
    register.lines = [line for line in register.lines if not line.startswith(f"{number},")]
    register.write()


def _add_alias(province: Province, alias: str) -> None:
    province.units = [replace(one, aliases=(alias,)) if one.id == HEALTH.id else one for one in province.units]


def _both(province: Province) -> tuple[UnitWeek, UnitWeek]:
    """Return the judged week of both units."""
    result = province.play()
    weeks = {one.unit: one for one in result.unit_weeks if one.week.period().first == province.monday}
    return weeks[HEALTH.id], weeks[JUSTICE.id]


LINE_2 = hashlib.sha256(b"so-den\ni:2026/2").hexdigest()[:32]
"""The observation of the register's second line."""


def test_a_paper_whose_day_is_put_right_is_open(province: Province) -> None:
    register = province.with_register()
    register.enter(1, "01/10/2026", "Sở Y tế")
    province.plan(province.day(2), register.enter, 2, "17/10/2026", "Sở Y tế")
    province.plan(province.day(3), _rewrite, register, "2,17/10/2026", "2,17/11/2026")
    province.plan(province.day(5), register.enter, 3, "20/11/2026", "Sở Y tế")

    verdict, week = province.judged()

    assert verdict is UNKNOWN
    assert sum(FlagKind.CORRECTED in one.flags for one in week.items) == 1
    assert not any(FlagKind.TOUCHED in one.flags for one in week.items)


@pytest.mark.parametrize(
    ("before", "now", "verdict"), [("17/10/2026", "17/11/2026", MET), ("17/11/2026", "17/10/2026", UNMET)]
)
def test_an_officer_confirms_the_day_that_the_register_has_now(
    province: Province, before: str, now: str, verdict: DutyVerdict
) -> None:
    register = province.with_register()
    register.enter(1, "01/10/2026", "Sở Y tế")
    province.plan(province.day(2), register.enter, 2, before, "Sở Y tế")
    province.plan(province.day(3), _rewrite, register, f"2,{before}", f"2,{now}")
    province.plan(province.day(5), register.enter, 3, "20/11/2026", "Sở Y tế")
    province.decided = Decided(confirmed={LINE_2: None}, confirmed_at={LINE_2: at(province.day(6))})

    assert province.judged()[0] is verdict


def test_a_line_written_over_with_a_day_after_it_was_seen_is_open(province: Province) -> None:
    register = province.with_register()
    register.enter(1, "01/10/2026", "Sở Y tế")
    register.enter(2, "02/11/2026", "Sở Y tế")
    province.plan(province.day(4), _rewrite, register, "2,02/11/2026", "2,19/11/2026")
    province.plan(province.day(5), register.enter, 3, "20/11/2026", "Sở Y tế")

    assert province.judged()[0] is UNKNOWN


def _with_a_moved_paper(province: Province, day: int) -> None:
    register = province.with_register()
    register.enter(1, "01/10/2026", "Sở Y tế")
    province.plan(province.day(2), register.enter, 2, "17/11/2026", "Sở Tư pháp")
    province.plan(province.day(4), register.enter, 3, "19/11/2026", "Sở Y tế")
    province.plan(province.day(4), register.enter, 4, "19/11/2026", "Sở Tư pháp")
    province.plan(province.day(day), _rewrite, register, "17/11/2026,Sở Tư pháp", "17/11/2026,Sở Y tế")


@pytest.mark.parametrize("day", [3, 9])
def test_a_paper_that_the_register_gives_to_another_unit_counts_for_neither_and_against_neither(
    province: Province, day: int
) -> None:
    _with_a_moved_paper(province, day)

    health, justice = _both(province)

    assert (health.submissions_verdict, justice.submissions_verdict) == (UNKNOWN, UNKNOWN)


@pytest.mark.parametrize(("unit", "verdicts"), [(HEALTH, (MET, UNMET)), (JUSTICE, (UNMET, MET))])
def test_an_officers_document_decides_whose_a_moved_paper_is(
    province: Province, unit: Agency, verdicts: tuple[DutyVerdict, DutyVerdict]
) -> None:
    _with_a_moved_paper(province, 3)
    province.decided = Decided(
        confirmed={LINE_2: None}, confirmed_at={LINE_2: at(province.day(6))}, confirmed_units={LINE_2: unit.id}
    )

    health, justice = _both(province)

    assert (health.submissions_verdict, justice.submissions_verdict) == verdicts


def test_an_officers_document_may_name_a_unit_that_the_register_named_in_between(province: Province) -> None:
    register = province.with_register()
    register.enter(1, "01/10/2026", "Sở Y tế")
    province.plan(province.day(2), register.enter, 2, "17/11/2026", "Sở Tư pháp")
    province.plan(province.day(3), _rewrite, register, "17/11/2026,Sở Tư pháp", "17/11/2026,Sở Y tế")
    province.plan(province.day(5), _rewrite, register, "17/11/2026,Sở Y tế", "17/11/2026,Công ty An Phú")
    province.plan(province.day(4), register.enter, 3, "19/11/2026", "Sở Y tế")
    province.plan(province.day(4), register.enter, 4, "19/11/2026", "Sở Tư pháp")
    province.decided = Decided(
        confirmed={LINE_2: None}, confirmed_at={LINE_2: at(province.day(6))}, confirmed_units={LINE_2: HEALTH.id}
    )

    health, justice = _both(province)

    assert (health.submissions_verdict, justice.submissions_verdict) == (MET, UNMET)


@pytest.mark.parametrize("name", ["UBND xã Xyz Abc", ""])
def test_a_paper_whose_author_becomes_nobody_is_open(province: Province, name: str) -> None:
    register = province.with_register()
    register.enter(1, "01/10/2026", "Sở Y tế")
    province.plan(province.day(2), register.enter, 2, "17/11/2026", "Sở Y tế")
    province.plan(province.day(4), register.enter, 3, "19/11/2026", "Sở Y tế")
    province.plan(province.day(8), _rewrite, register, "19/11/2026,Sở Y tế", f"19/11/2026,{name}")

    assert province.judged()[0] is UNKNOWN


def test_a_unit_that_its_database_names_otherwise_has_its_articles_once_the_name_is_known(province: Province) -> None:
    database = province.with_database()
    database.put(1, published=province.day(-30), unit="Sở Y tế")
    for number, day in ((3, 2), (4, 4)):
        province.plan(province.day(day), database.put, number, published=province.day(day))
    for number in (3, 4):
        province.plan(province.day(5), database.change, number, unit="SYT-2026")
    province.plan(province.day(8), _add_alias, province, "SYT-2026")

    assert province.judged()[0] is MET


def test_an_author_that_nobody_knew_counts_once_it_is_put_right(province: Province) -> None:
    register = province.with_register()
    register.enter(1, "01/10/2026", "Sở Y tế")
    province.plan(province.day(2), register.enter, 2, "17/11/2026", "So Khao hocc CN")
    province.plan(province.day(3), _rewrite, register, "So Khao hocc CN", "Sở Y tế")
    province.plan(province.day(4), register.enter, 3, "19/11/2026", "Sở Y tế")

    assert province.judged()[0] is MET


def test_a_line_that_is_struck_out_is_open(province: Province) -> None:
    register = province.with_register()
    register.enter(1, "01/10/2026", "Sở Y tế")
    province.plan(province.day(2), register.enter, 2, "17/11/2026", "Sở Y tế")
    province.plan(province.day(3), _strike, register, 2)
    province.plan(province.day(5), register.enter, 3, "20/11/2026", "Sở Y tế")

    verdict, week = province.judged()

    assert verdict is UNKNOWN
    assert sum(FlagKind.STRUCK_OUT in one.flags for one in week.items) == 1


def test_a_paper_that_is_entered_again_under_another_number_and_day_meets_no_week(province: Province) -> None:
    register = province.with_register()
    register.enter(1, "01/10/2026", "Sở Y tế")
    province.plan(province.day(2), register.enter, 2, "17/11/2026", "Sở Y tế")
    province.plan(province.day(3), _strike, register, 2)
    province.plan(province.day(3), register.enter, 3, "18/11/2026", "Sở Y tế")

    assert province.judged()[0] is not MET


def test_papers_count_on_when_a_new_register_is_begun(province: Province) -> None:
    register = province.with_register()
    register.enter(1, "01/10/2026", "Sở Y tế")
    province.plan(province.day(2), register.enter, 2, "17/11/2026", "Sở Y tế")
    province.plan(province.day(4), register.enter, 3, "19/11/2026", "Sở Y tế")
    for number in (1, 2, 3):
        province.plan(province.day(5), _strike, register, number)
    province.plan(province.day(5), register.enter, 4, "20/11/2026", "Sở Tư pháp")

    assert province.judged()[0] is MET


def test_an_article_that_is_moved_to_another_unit_counts_for_neither_and_against_neither(province: Province) -> None:
    database = province.with_database()
    for number, unit in ((1, "Sở Y tế"), (2, "Sở Tư pháp")):
        database.put(number, published=province.day(-30), unit=unit)
    for number, day, unit in ((3, 2, "Sở Y tế"), (4, 4, "Sở Y tế"), (5, 4, "Sở Tư pháp")):
        province.plan(province.day(day), database.put, number, published=province.day(day), unit=unit)
    province.plan(province.day(3), database.change, 3, unit="Sở Tư pháp")
    province.units = [HEALTH, replace(JUSTICE, has_subportal=True)]

    health, justice = _both(province)

    assert (health.subportal_verdict, justice.subportal_verdict) == (UNKNOWN, UNKNOWN)


def test_an_article_that_is_put_back_under_its_first_unit_counts_for_it(province: Province) -> None:
    database = province.with_database()
    database.put(1, published=province.day(-30))
    for number, day in ((3, 2), (4, 4)):
        province.plan(province.day(day), database.put, number, published=province.day(day))
    province.plan(province.day(3), database.change, 3, unit="Sở Tư pháp")
    province.plan(province.day(5), database.change, 3, unit="Sở Y tế")

    assert province.judged()[0] is MET


@pytest.mark.parametrize(("day", "verdict"), [(3, UNKNOWN), (6, MET)])
def test_an_officer_confirms_a_moved_article_as_it_stood_then(
    province: Province, day: int, verdict: DutyVerdict
) -> None:
    database = province.with_database()
    for number, unit in ((1, "Sở Y tế"), (2, "Sở Tư pháp")):
        database.put(number, published=province.day(-30), unit=unit)
    for number, on, unit in ((3, 2, "Sở Tư pháp"), (4, 4, "Sở Y tế")):
        province.plan(province.day(on), database.put, number, published=province.day(on), unit=unit, text=story(number))
    province.plan(province.day(5), database.change, 3, unit="Sở Y tế")
    moved = hashlib.sha256(b"content\ni:3").hexdigest()[:32]
    province.decided = Decided(confirmed={moved: None}, confirmed_at={moved: at(province.day(day))})

    assert province.judged()[0] is verdict


def _hand_over(province: Province, unit: Agency) -> None:
    """Let the feed be another unit's own from now on, as a clerk does who mends the configuration."""
    province.sources.clear()
    province.poll("feed", "rss", unit=unit, url=f"{province.server.url}/rss")


def test_polls_of_a_source_say_nothing_of_a_unit_that_got_it_later(province: Province) -> None:
    province.units = [HEALTH, replace(JUSTICE, has_subportal=True)]
    province.with_history()
    for number, day in ((20, 2), (21, 4)):
        province.publish(number, province.day(day))
    province.plan(province.day(8), _hand_over, province, JUSTICE)

    health, justice = _both(province)

    assert (health.subportal_verdict, justice.subportal_verdict) == (MET, UNKNOWN)


def test_a_unit_whose_id_is_changed_is_not_accused_of_its_own_past(province: Province) -> None:
    province.with_history()
    for number, day in ((20, 2), (21, 4)):
        province.publish(number, province.day(day))
    renamed = replace(HEALTH, id=UnitId("so-y-te-2026"))
    province.plan(province.day(6), _hand_over, province, renamed)
    province.plan(province.day(6), setattr, province, "units", [renamed])
    province.unit = renamed

    assert province.judged()[0] is UNKNOWN
