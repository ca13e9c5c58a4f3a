"""The matrix of units and days as rows, a unit and day each: what a person filters and a program reads. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import date

from portalops.calendar.calendar import Calendar
from portalops.model.exemptions import Exemption
from portalops.model.message import Message, msg
from portalops.model.organisation import Agency, UnitId, is_valid_on
from portalops.model.period import Period, Week
from portalops.model.updates import PortalDay, UnitDay, UnitWeek, UpdatesResult
from portalops.reports.document import Cell, TableBlock
from portalops.reports.section_updates import exempt_on, unreachable_days
from portalops.reports.words import duty_status, flag_word, joined

PORTAL_ID = "portal"
"""What the portal's own rows are called among the ids of units, as its cases are."""


def day_table(
    result: UpdatesResult,
    period: Period,
    units: Sequence[Agency],
    calendar: Calendar,
    exemptions: Sequence[Exemption],
    *,
    with_portal: bool,
) -> TableBlock:
    """Return a row for the portal and each unit on each day of a period that was judged, whether anything was seen or not.

    Args:
        result: the judging.
        period: which days, as far as they were judged.
        units: whose; each on the days on which it exists.
        calendar: the working days.
        exemptions: those in force.
        with_portal: the portal's own days come first.
    """
    days = [day for day in period.days() if result.judged_from <= day <= result.judged_to]
    rows: list[Sequence[Cell]] = list(_portal_rows(result, days, calendar, exemptions)) if with_portal else []
    rows += _unit_rows(result, days, units, calendar, exemptions)
    headers = (
        msg("Unit's id"), msg("Unit"), msg("Day"), msg("Day without work"), msg("Updates of the portal"), msg("K1"), msg("K2"),
        msg("Flags"), msg("Not reached"), msg("Exempt by"), msg("Week"), msg("Verdict (portal: day, unit: week)"), msg("Why"),
    )  # fmt: skip
    return TableBlock(msg("Every unit and day"), headers, rows)


def _portal_rows(
    result: UpdatesResult, days: Sequence[date], calendar: Calendar, exemptions: Sequence[Exemption]
) -> Iterator[Sequence[Cell]]:
    judged: Mapping[date, PortalDay] = {day.day: day for day in result.portal_days}
    own = [each for each in exemptions if each.unit is None]
    for day in days:
        found = judged.get(day)
        yield (
            PORTAL_ID,
            msg("The province's portal (11.1)"),
            day,
            _day_off(day, calendar),
            found.updates if found else None,
            None,
            None,
            None,
            _not_reached(is_down=found is not None and found.unreachable),
            _exempt(own, day, calendar),
            str(Week.of(day)),
            duty_status(found.verdict) if found else None,
            found.reason if found else msg("not judged"),
        )


def _unit_rows(
    result: UpdatesResult,
    days: Sequence[date],
    units: Sequence[Agency],
    calendar: Calendar,
    exemptions: Sequence[Exemption],
) -> Iterator[Sequence[Cell]]:
    cells: Mapping[tuple[UnitId, date], UnitDay] = {(seen.unit, seen.day): seen for seen in result.unit_days}
    judged: Mapping[tuple[UnitId, Week], UnitWeek] = {(week.unit, week.week): week for week in result.unit_weeks}
    down = unreachable_days(result)
    for unit in units:
        own = [each for each in exemptions if each.unit == unit.id]
        for day in days:
            if not is_valid_on(unit, day):
                continue
            seen, week = cells.get((unit.id, day)), judged.get((unit.id, Week.of(day)))
            yield (
                unit.id,
                unit.name,
                day,
                _day_off(day, calendar),
                None,
                seen.subportal if seen else 0,
                seen.submissions if seen else 0,
                joined([flag_word(flag) for flag in seen.flags]) if seen and seen.flags else None,
                _not_reached(is_down=(unit.id, day) in down),
                _exempt(own, day, calendar),
                str(Week.of(day)),
                duty_status(week.verdict) if week else None,
                week.reason if week else msg("not judged"),
            )


def _day_off(day: date, calendar: Calendar) -> Message | None:
    """Say why a day is not worked, or may not be."""
    return None if calendar.is_working(day) and calendar.is_certain(day) else calendar.reason(day)


def _not_reached(*, is_down: bool) -> Message | None:
    return msg("could not be reached") if is_down else None


def _exempt(own: Sequence[Exemption], day: date, calendar: Calendar) -> Cell:
    exemption = exempt_on(own, day, calendar)
    return None if exemption is None else f"{exemption.id}: {exemption.document}"
