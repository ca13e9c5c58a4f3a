"""Under which approved change each change of a host falls; pure.

A change falls under a window only if it lies in it wholly, with all that is not known of its time; where a part of that lies
in one, whether it does is unknown. So it is with a file whose content bears a time of before the window, and of which only the
last change, maybe of its mode, lies in it. What was changed while the package manager ran, and in no window, stands as that run does.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from checks.servers.approvals import Approved, allowed
from checks.servers.baseline import ApprovedChanges
from checks.servers.drifted import Drifted, KnownBy, PackageChange
from checks.servers.probe import MissingFact
from portalops.model.changes import ChangeKind, ChangeOrder
from portalops.model.message import Message, msg

PACKAGE = "package"
BOOT = "boot"


class ChangePlace(StrEnum):
    """Where a change of a host stands."""

    UNDER = "under"
    OUTSIDE = "outside"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Placed:
    """A change, and what it falls under."""

    drifted: Drifted
    place: ChangePlace
    why: Message
    reference: str = ""
    """The change of the register, the declared window, or the incident; of one that is outside, what is next to it, if any."""
    approved_at: datetime | None = None
    """When its approval was recorded; None of what is declared or not approved."""
    is_proven: bool = True
    """The decision is kept; False of a change of the register of which it is not, and of what is declared alone."""
    is_declared: bool = False
    """It is approved by the configuration alone, and by nothing of the register."""
    is_regularised: bool = False
    """An emergency: approved after it was begun."""


@dataclass(frozen=True, slots=True)
class ExplainedSpan:
    """A time in which starts of a host are explained by something else than a change, such as an incident."""

    reference: str
    begins_at: datetime
    ends_at: datetime


def placed(
    changed: Iterable[Drifted],
    declared: ApprovedChanges | None,
    recorded: tuple[ChangeOrder, ...] | MissingFact,
    incidents: Iterable[ExplainedSpan] = (),
    runs: Iterable[PackageChange] = (),
) -> tuple[Placed, ...]:
    """Return what each falls under.

    Args:
        changed: of one host.
        declared: its windows and standing approvals; those of the register stand beside them.
        recorded: the host's changes in the register, or why they are not known.
        incidents: spans in which the host's starts are recorded as of an incident.
        runs: of the package manager, by whose approval what was changed in their course stands.
    """
    approved = allowed(declared, recorded)
    orders = {} if isinstance(recorded, MissingFact) else {one.id: one for one in recorded}
    spans, by_start = tuple(incidents), {one.at: one for one in runs}
    return tuple(
        _placed(one, approved, orders, spans, by_start.get(one.run_at) if one.run_at else None) for one in changed
    )


def _placed(
    one: Drifted,
    approved: Approved,
    orders: Mapping[str, ChangeOrder],
    incidents: tuple[ExplainedSpan, ...],
    run: PackageChange | None,
) -> Placed:
    first, last = one.span()
    windows = approved.windows
    # What is declared may bear the id of a change of the register, and is not that change for it.
    if reference := _approving(one, approved.recorded(), run):
        return _place_under(one, reference, orders)
    if one.kind == BOOT:
        explaining = next((each for each in incidents if each.begins_at <= first and last <= each.ends_at), None)
        if explaining:
            return Placed(one, ChangePlace.UNDER, msg("recorded as an incident"), explaining.reference)
    if reference := _approving(one, approved, run):
        why = msg("approved by the configuration alone; the decision is not kept")
        return Placed(one, ChangePlace.UNDER, why, reference, is_proven=False, is_declared=True)
    if approved.doubt is not None:
        return Placed(one, ChangePlace.UNKNOWN, approved.doubt.seen)
    touching = next((each for each in windows if each.start_at <= last and first <= each.end_at), None)
    if touching is not None:
        why = msg("it is so near to an end of the window that the host's clock cannot show on which side")
        if one.known_by is KnownBy.BETWEEN:
            why = msg("it happened at some time between the two scans, and only a part of that time is in the window")
        elif one.written_at is not None and one.happened_at is not None:
            why = msg(
                "the file was last changed at {changed}, but its content may date from {written}; only a part of "
                "the time between is in the window",
                changed=one.happened_at,
                written=one.written_at,
            )
        order = orders.get(touching.reference)
        return Placed(one, ChangePlace.UNKNOWN, why, touching.reference, order.approved_at if order else None)
    return _outside(one, orders.values(), first, last)


def _approving(one: Drifted, approved: Approved, run: PackageChange | None) -> str:
    """Return the reference of the window in which it lies wholly, or of the standing approval that it falls under; empty for none."""
    first, last = one.span()
    holding = (each.reference for each in approved.windows if each.holds(first) and each.holds(last))
    return next(holding, "") or _standing_of(one, approved, run)


def _place_under(one: Drifted, reference: str, orders: Mapping[str, ChangeOrder]) -> Placed:
    order = orders.get(reference)
    is_late = order is not None and order.kind is ChangeKind.EMERGENCY and _is_after(order)
    why = msg("approved")
    if is_late:
        why = msg("an emergency, approved afterwards")
    elif order is not None and order.digest is None:
        why = msg(
            "approved, but the decision is not kept: add it with 'portalops change approve {id} --file'", id=order.id
        )
    elif one.kind != PACKAGE and one.run_at is not None:
        why = msg("made while the package manager ran at {at}", at=one.run_at)
    approved_at = order.approved_at if order else None
    is_proven = order is not None and order.digest is not None
    return Placed(one, ChangePlace.UNDER, why, reference, approved_at, is_proven, is_regularised=is_late)


def _is_after(order: ChangeOrder) -> bool:
    return order.began_at is not None and order.approved_at is not None and order.approved_at > order.began_at


def _standing_of(one: Drifted, approved: Approved, run: PackageChange | None) -> str:
    """Return the standing approval that it falls under, by itself or by the run in the course of which it was made."""
    if one.kind == PACKAGE:
        return _approval_of(one.name, one.by, one.span(), approved)
    if run is None or not run.packages:
        return ""
    ahead, unsure = timedelta(seconds=one.ahead_seconds), timedelta(seconds=one.unsure_seconds)
    moments = (run.at - ahead - unsure, run.at - ahead + unsure)
    found = [_approval_of(name, run.by, moments, approved) for name in run.packages]
    return found[0] if all(found) else ""


def _approval_of(package: str, by: str, moments: Iterable[datetime], approved: Approved) -> str:
    every = tuple(moments)
    holding = (each for each in approved.standing if all(each.holds(at, by, (package,)) for at in every))
    return next((each.standing.reference for each in holding), "")


def _outside(one: Drifted, orders: Iterable[ChangeOrder], first: datetime, last: datetime) -> Placed:
    """Say why nothing covers it: what was asked for and not approved in time is named."""
    asked = [
        each
        for each in orders
        if each.kind is not ChangeKind.STANDING
        and each.begins_at <= last
        and first <= max(each.ends_at, each.begins_at)
    ]
    for each in asked:
        if each.approved_at is None or each.notified_at is None:
            why = msg("{id} was requested but not approved", id=each.id)
            return Placed(one, ChangePlace.OUTSIDE, why, each.id)
        if max(each.approved_at, each.notified_at) > first:
            why = msg("{id} was approved afterwards, by record {seq}", id=each.id, seq=str(each.approved_seq))
            return Placed(one, ChangePlace.OUTSIDE, why, each.id, each.approved_at)
    return Placed(one, ChangePlace.OUTSIDE, msg("no approved change covers it"))
