"""Packages: their versions in both looks, and each step that the package manager wrote down between them.

apt's log has every run with its time and who asked; rpm keeps of each package when it was installed last. What neither names,
such as a package laid in by `dpkg -i` or removed by rpm, is known by its version alone, and lies between the two looks.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Any

from checks.servers.drift._kind import DriftComparison, DriftStep, HostView, Kind
from checks.servers.drifted import KnownBy, PackageChange
from checks.servers.probe import MissingFact, Probe
from checks.servers.probes import apt_history, packages_dpkg, packages_rpm, rpm_history
from portalops.model.message import msg

_EMPTY = "log-empty"


def state(look: HostView) -> Mapping[str, str] | MissingFact:
    """Return the version by package; of several beside each other, all."""
    _probe, fact = look.either(packages_dpkg.PROBE, packages_rpm.PROBE)
    if isinstance(fact, MissingFact):
        return fact
    found: dict[str, list[str]] = {}
    for one in fact:
        found.setdefault(one.name.partition(":")[0], []).append(one.version)
    return {
        name: versions[0] if len(versions) == 1 else ", ".join(sorted(set(versions)))
        for name, versions in found.items()
    }


def compare(before: HostView, after: HostView) -> DriftComparison:
    """Compare the versions, and name each step that was written down."""
    old, new = state(before), state(after)
    runs, doubts = _runs(before, after)
    if isinstance(old, MissingFact) or isinstance(new, MissingFact):
        return DriftComparison(unknown=(next(each for each in (old, new) if isinstance(each, MissingFact)), *doubts))
    return DriftComparison(tuple(_steps(old, new, runs)), doubts)


def runs_between(before: HostView, after: HostView) -> tuple[PackageChange, ...]:
    """Return what the package manager wrote down between two looks."""
    return _runs(before, after)[0]


def _runs(before: HostView, after: HostView) -> tuple[tuple[PackageChange, ...], tuple[MissingFact, ...]]:
    """Return the runs that only the second look's log has, and why there may be more."""
    probe, log = after.either(apt_history.PROBE, rpm_history.PROBE)
    if isinstance(log, MissingFact):
        return (), () if log.reason == _EMPTY else (log,)
    earlier = _log(before, probe)
    if isinstance(earlier, MissingFact):
        if earlier.reason != _EMPTY:
            return (), (earlier,)
        earlier = ()
    known = set(map(_key, earlier))
    runs = tuple(one for one in log if _key(one) not in known)
    if earlier and probe.id == apt_history.PROBE.id and len(runs) == len(log):
        seen = msg("the log begins at {at}, after the first scan: earlier steps may be missing from it", at=log[0].at)
        return runs, (MissingFact("log-too-short", seen),)
    return runs, ()


def _key(one: PackageChange) -> object:
    return one.at, one.by, one.packages


def _log(look: HostView, probe: Probe[Any]) -> tuple[PackageChange, ...] | MissingFact:
    found: tuple[PackageChange, ...] | MissingFact = look.get(probe)
    return found


def _steps(old: Mapping[str, str], new: Mapping[str, str], runs: Iterable[PackageChange]) -> Iterable[DriftStep]:
    logged = [(name, run) for run in runs for name in run.packages]
    left = Counter(name for name, _run in logged)
    begun: set[str] = set()
    for name, run in logged:
        left[name] -= 1
        before = None if name in begun else old.get(name, "")
        after = None if left[name] else new.get(name, "")
        begun.add(name)
        yield DriftStep(name, before, after, run.at, KnownBy.LOG, run.by)
    for name in sorted({*old, *new} - begun):
        if old.get(name, "") != new.get(name, ""):
            yield DriftStep(name, old.get(name, ""), new.get(name, ""))


KIND = Kind(
    "package",
    msg("package"),
    (packages_dpkg.PROBE, packages_rpm.PROBE, apt_history.PROBE, rpm_history.PROBE),
    compare,
    state,
)
