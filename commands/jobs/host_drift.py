"""What was seen to change at hosts over a period, for reports that ask for it: compared out of the answers that were kept."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from checks.servers.drifting import word_of
from checks.servers.own import Own
from commands.jobs.drift import ComparedSpan, describe_time, drift_in, unseen_of
from commands.jobs.drift import HostDriftHistory as drift_HostDrift
from portalops.model.host_drift import Attribution, ObservedDrift, SeenChange
from portalops.model.message import msg
from portalops.model.organisation import Host
from portalops.ports import Progress

if TYPE_CHECKING:
    from checks.servers.attribution import Placed

MOMENT = timedelta(microseconds=1)


def host_drift(
    own: Own, hosts: Sequence[Host], progress: Progress, *, since: datetime, until: datetime
) -> tuple[ObservedDrift, ...]:
    """Return what changed at hosts between the looks of a time, and what each change falls under by the registers as they are now.

    Args:
        own: has what is declared of the hosts, and the ledger as of the report's last record.
        hosts: whose.
        progress: gets a step for each host.
        since: when the time begins; the first look of it is compared with the one before.
        until: when it ends, excluded.
    """
    found = []
    with progress.task(msg("Comparing what hosts answered"), total=len(hosts), unit="items") as task:
        for one in drift_in(own, hosts, ComparedSpan(since, until - MOMENT)):
            found.append(_describe(one))
            task.advance(1)
    return tuple(found)


def _describe(one: drift_HostDrift) -> ObservedDrift:
    return ObservedDrift(
        one.host,
        tuple(_seen(each) for each in one.placed),
        len(one.drifts),
        min((each.after_at for each in one.drifts), default=None),
        one.scanned_at,
        tuple(unseen_of(one)),
        sum(each.left_out for each in one.drifts),
        one.why_none,
    )


def _seen(one: Placed) -> SeenChange:
    found = one.drifted
    return SeenChange(
        word_of(found.kind),
        found.name,
        found.before,
        found.after,
        describe_time(one),
        found.span()[0],
        Attribution(one.place.value),
        one.reference,
        one.approved_at,
        one.why,
    )
