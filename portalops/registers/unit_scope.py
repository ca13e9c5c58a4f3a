"""The part of a period's evidence that concerns one unit, for reports that are cut down to it. Pure."""

from __future__ import annotations

from dataclasses import replace

from portalops.model.organisation import UnitId
from portalops.model.updates import UpdatesResult
from portalops.registers.evidence import Evidence


def narrow_to_unit(evidence: Evidence, unit: UnitId) -> Evidence:
    """Return the evidence with the days, weeks, items, cases and exemptions of one unit; everything else stays as it is."""
    newest = evidence.updates
    return replace(
        evidence,
        updates=None if newest is None else replace(newest, body=_narrow_to_unit(newest.body, unit)),
        cases=tuple(each for each in evidence.cases if each.unit == unit),
        exemptions=tuple(each for each in evidence.exemptions if each.exemption.unit == unit),
    )


def _narrow_to_unit(result: UpdatesResult, unit: UnitId) -> UpdatesResult:
    """Return a judging with what it says of one unit; the portal's own days and counts over all units are left out."""
    return replace(
        result,
        portal_days=(),
        unit_days=tuple(each for each in result.unit_days if each.unit == unit),
        unit_weeks=tuple(each for each in result.unit_weeks if each.unit == unit),
        flagged=tuple(each for each in result.flagged if each.unit == unit),
        variety=None,
    )
