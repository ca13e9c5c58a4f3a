"""Accounts that came and went between two looks, of which neither shows any.

The journal names them. What it does not tell, the kernel's own time of /etc/passwd does: where the file was written anew and
holds what it held before, somebody may have come and gone, or another field was changed.
"""

from __future__ import annotations

from datetime import datetime

from checks.servers.drift._kind import DriftComparison, DriftStep, HostView, Kind, changed_at
from checks.servers.drift.accounts import state
from checks.servers.drifted import KnownBy
from checks.servers.probe import MissingFact
from checks.servers.probes import account_log, clock, file_times, passwd
from portalops.model.message import msg

_FILE = "/etc/passwd"


def compare(before: HostView, after: HostView) -> DriftComparison:
    """Name each account that was made or deleted between the looks and stands in neither, and a file that was written for none."""
    old, new, log = state(before), state(after), after.get(account_log.PROBE)
    since, until = changed_at(before, _FILE), changed_at(after, _FILE)
    if isinstance(old, MissingFact) or isinstance(new, MissingFact):
        return DriftComparison(unknown=(next(each for each in (old, new) if isinstance(each, MissingFact)),))
    if since is None or until is None:
        times = before.get(file_times.PROBE), after.get(file_times.PROBE)
        why = next((each for each in times if isinstance(each, MissingFact)), None)
        return DriftComparison(unknown=(why or MissingFact("not-gathered", msg("the host was not asked for this")),))
    if since.changed_at == until.changed_at:
        return DriftComparison()
    if isinstance(log, MissingFact):
        return DriftComparison(_rewritten(until.changed_at) if old == new else (), (log,))
    earlier, began = before.get(account_log.PROBE), _clock(before)
    known = () if isinstance(earlier, MissingFact) else earlier
    passing = {
        one.name: one
        for one in sorted(log, key=lambda one: one.uid is not None)  # the making of an account names its number
        if one.at >= began and one not in known and one.name not in old and one.name not in new
    }
    steps = tuple(
        DriftStep(one.name, "", "" if one.uid is None else f"uid {one.uid}", one.at, KnownBy.LOG)
        for one in sorted(passing.values(), key=lambda one: one.at)
    )
    return DriftComparison(steps or (_rewritten(until.changed_at) if old == new else ()))


def _rewritten(at: datetime) -> tuple[DriftStep, ...]:
    return (DriftStep(_FILE, None, None, at, KnownBy.FILE),)


def _clock(look: HostView) -> datetime:
    """Return what the host's clock said at a look."""
    told = look.get(clock.PROBE)
    return look.at if isinstance(told, MissingFact) else told


KIND = Kind(
    "passing-account",
    msg("account that came and went"),
    (account_log.PROBE, passwd.PROBE, file_times.PROBE, clock.PROBE),
    compare,
)
