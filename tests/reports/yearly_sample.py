"""A quarter of the sample portal: the sample month judged as it was, a month that was better, and one that has not begun."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import date

from portalops.model.message import msg
from portalops.model.period import Period
from portalops.model.rulebook import DutyId
from portalops.model.standing import Standing
from portalops.model.verdicts import DutyVerdict
from portalops.registers.evidence import Evidence
from portalops.reports.material import Material
from portalops.rulebooks.load import load as load_rulebook
from tests.reports import access_sample, changes_sample, servers_sample

YEAR = Period(date(2026, 7, 1), date(2026, 10, 31))


def evidence() -> Evidence:
    """Return the evidence of the quarter, with every register."""
    seen = access_sample.evidence()
    return replace(seen, period=YEAR, changes=changes_sample.evidence().changes, scans=())


def standings(**verdicts: DutyVerdict) -> tuple[Standing, ...]:
    """Return every duty as met, but for some by id, with `_` for what a name cannot hold."""
    ids = {name.replace("_", ".", 1).replace("_", "-"): verdict for name, verdict in verdicts.items()}
    return tuple(
        Standing(duty.id, ids.get(duty.id, DutyVerdict.MET), msg("shown for the whole month"), (), (7, 8))
        for duty in load_rulebook("kh-37-2010", {}).duties
    )


def months() -> Sequence[tuple[Period, Sequence[Standing]]]:
    """Return four months: two in which a duty is unmet, one in which it is not known, one that has not begun."""
    unmet, unsure = DutyVerdict.UNMET, DutyVerdict.INSUFFICIENT_EVIDENCE
    every = {duty.id: DutyVerdict.PENDING for duty in load_rulebook("kh-37-2010", {}).duties}
    july, august, september, october = YEAR.months()
    return (
        (july, standings(**{"12_1": unmet, "10_2_interval": unsure})),
        (august, standings(**{"12_1": unmet, "11_1": unmet})),
        (september, standings(**{"12_1": unsure})),
        (
            october,
            tuple(Standing(DutyId(each), verdict, msg("the period has not begun")) for each, verdict in every.items()),
        ),
    )


def material(found: Evidence | None = None) -> Material:
    """Return the material of the yearly summary."""
    seen = found or evidence()
    return replace(
        servers_sample.material(seen),
        servers=None,
        standings=standings(**{"12_1": DutyVerdict.UNMET}),
        months=months(),
    )
