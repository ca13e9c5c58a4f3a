"""Starts of the kernel, as the journal and the kernel itself have them."""

from __future__ import annotations

from checks.servers.clocks import CLOCKS_APART
from checks.servers.drift._kind import DriftComparison, DriftStep, HostView, Kind
from checks.servers.drifted import KnownBy
from checks.servers.probe import MissingFact
from checks.servers.probes import boots
from portalops.model.message import msg


def compare(before: HostView, after: HostView) -> DriftComparison:
    """Name each start that only the second look knows of; a journal in memory alone knows the newest."""
    old, new = before.get(boots.PROBE), after.get(boots.PROBE)
    if isinstance(old, MissingFact) or isinstance(new, MissingFact):
        return DriftComparison(unknown=(next(each for each in (old, new) if isinstance(each, MissingFact)),))
    newest = max(old.at)
    # NOTE: the present start is counted back from the clock, which moves it when the clock is set.
    since = [at for at in new.at if at - newest > CLOCKS_APART]
    seen = msg("the journal is kept in memory, and knows the present start alone")
    doubts = (MissingFact("journal-volatile", seen),) if since and not new.is_kept else ()
    return DriftComparison(tuple(DriftStep("boot", "", at.isoformat(), at, KnownBy.BOOT) for at in since), doubts)


KIND = Kind("boot", msg("start of the host"), (boots.PROBE,), compare)
