"""When changes of a host were approved: what is declared of it, and what the register of changes holds; pure."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from fnmatch import fnmatchcase

from checks.servers.baseline import ApprovedChanges, ChangeWindow, StandingApproval
from checks.servers.probe import MissingFact, shown
from portalops.model.changes import ChangeKind, ChangeOrder

_DOUBTS = frozenset({"register-unreadable", "records-failed", "unparseable", "output-cut", "parser-crashed"})
"""Reasons for which the register may hold more than is seen; a register that nobody has begun holds nothing."""


@dataclass(frozen=True, slots=True)
class TimedStanding:
    """A standing approval, and when it holds; a declared one always does."""

    standing: StandingApproval
    window: ChangeWindow | None = None

    def holds(self, at: datetime, by: str, packages: Iterable[str]) -> bool:
        """Say whether all of these packages fall under it at a moment, changed by somebody."""
        return (
            (self.standing.by is None or self.standing.by == by)
            and (self.window is None or self.window.holds(at))
            and all(any(fnmatchcase(name, each) for each in self.standing.packages) for name in packages)
        )


@dataclass(frozen=True, slots=True)
class Approved:
    """What changes of a host are held against."""

    since: datetime
    """Changes are looked for from this moment on."""
    windows: tuple[ChangeWindow, ...]
    standing: tuple[TimedStanding, ...]
    doubt: MissingFact | None
    """Why there may be more windows than these: the register could not be read."""
    of_register: tuple[tuple[ChangeWindow, ...], tuple[TimedStanding, ...]] = ((), ())
    """Those of the windows and standing approvals that the register has: the configuration is changed by whoever works on the
    host, also afterwards, and keeps no decision."""

    def recorded(self) -> Approved:
        """Return what of it stands without the configuration's word."""
        windows, standing = self.of_register
        return replace(self, windows=windows, standing=standing)

    def window_of(self, moment: datetime) -> ChangeWindow | None:
        """Return the window that a moment lies in."""
        return next((one for one in self.windows if one.holds(moment)), None)

    def nearest(self, moment: datetime) -> ChangeWindow | None:
        """Return the window of which an end is nearest to a moment; None where there is no window."""
        return min(
            self.windows, key=lambda one: min(abs(one.start_at - moment), abs(one.end_at - moment)), default=None
        )


def allowed(declared: ApprovedChanges | None, found: tuple[ChangeOrder, ...] | MissingFact) -> Approved:
    """Return what is declared and recorded as approved; where nothing is declared, since ever.

    Args:
        declared: windows and standing approvals.
        found: the host's changes in the register, or why they are not known.
    """
    recorded = () if isinstance(found, MissingFact) else found
    windows = tuple(window for one in recorded if one.kind is not ChangeKind.STANDING for window in _window(one))
    standing = tuple(
        TimedStanding(StandingApproval(reference=shown(one.id, 40), by=by, packages=one.packages or ("*",)), window)
        for one in recorded
        if one.kind is ChangeKind.STANDING
        for window in _window(one)
        for by in one.accounts or (None,)
    )
    return Approved(
        declared.since if declared else datetime.min.replace(tzinfo=UTC),
        (*(declared.windows if declared else ()), *windows),
        (*map(TimedStanding, declared.standing if declared else ()), *standing),
        doubt_of(found),
        (windows, standing),
    )


def doubt_of(found: object) -> MissingFact | None:
    """Return why a register may hold more than was seen of it; None where it was seen, or nobody has begun it."""
    return found if isinstance(found, MissingFact) and found.reason in _DOUBTS else None


def _window(one: ChangeOrder) -> tuple[ChangeWindow, ...]:
    """Return the time that a recorded change covers."""
    covered = one.covers()
    return (
        () if covered is None else (ChangeWindow(start_at=covered[0], end_at=covered[1], reference=shown(one.id, 40)),)
    )
