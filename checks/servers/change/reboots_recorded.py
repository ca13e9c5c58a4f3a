"""Every start of the host has a record.

A reboot that nobody ordered is a failure of power, a crash, or somebody who was there. Article 12.2: maintenance and
repairs are notified and approved.

The rule: since the moment declared as `changes.since`, every boot lies inside a window that is declared, be it of a change
or of an incident, or approved in the register of changes, or in the time of an incident that the register of incidents ties
to the host: from when it began to its end, or as long as it is open up to {open_days} days after it was noticed. The
kernel's own word on the present boot is taken, older ones are the journal's. What only the configuration explains is
unknown: it may be written there afterwards, and no decision is kept with it. A journal that is kept in memory alone, or
that begins after `since`, proves nothing about earlier boots.

Source: journalctl(1), proc(5). systemd 257 on Debian 13:

    IDX BOOT ID                          FIRST ENTRY                 LAST ENTRY
     -1 465cee261a1341a78374df1a6f5050c7 Thu 2026-11-26 05:02:49 UTC Thu 2026-11-26 05:03:23 UTC
      0 27e6a43a918e4deaa4d4a0be17d28c7e Thu 2026-11-26 05:03:24 UTC Thu 2026-11-26 05:03:24 UTC
"""

from __future__ import annotations

from checks.servers.approvals import doubt_of
from checks.servers.change._approved import approved, declared_alone, judge_future_since
from checks.servers.check import CheckOutcome, check, failed, missing, passed, unknown
from checks.servers.facts import Facts
from checks.servers.probe import MissingFact
from checks.servers.probes import boots, own_changes, own_incidents
from checks.servers.probes.own_incidents import OPEN_DAYS
from portalops.model.message import msg, nmsg
from portalops.model.verdicts import Severity


@check(
    id="change.reboots",
    clause="12.2",
    severity=Severity.LOW,
    needs=(boots.PROBE,),
    uses=(own_changes.PROBE, own_incidents.PROBE),
    title=msg("every start of the host has a record"),
    remedy=msg(
        "Find out why the host was started; record it as an incident by 'portalops incident open --host', or declare the window."
    ),
    numbers={"open_days": OPEN_DAYS},
)
def judge(facts: Facts) -> CheckOutcome:
    found, allowed = facts[boots.PROBE], approved(facts)
    if allowed is None:
        return unknown(
            "not-declared", msg("no recorded starts are declared; the newest start is of {at}", at=found.at[-1])
        )
    since = [at for at in found.at if at >= allowed.since]
    seen = facts.get(own_incidents.PROBE)
    incidents = () if isinstance(seen, MissingFact) else seen
    unrecorded = [at for at in since if allowed.window_of(at) is None and not any(one.holds(at) for one in incidents)]
    if unrecorded and (doubt := allowed.doubt or doubt_of(seen)):
        return missing(doubt)
    if unrecorded:
        return failed(
            "boot-unrecorded",
            nmsg(
                "{n} start without a record, at {at}",
                "{n} starts without a record, the first at {at}",
                len(unrecorded),
                at=unrecorded[0],
            ),
        )
    if found.at[-1] > facts.at:
        return unknown("clock-wrong", msg("the host was started at {at}, after this check", at=found.at[-1]))
    if (ahead_of_now := judge_future_since(facts)) is not None:
        return ahead_of_now
    if not found.is_kept and found.at[0] > allowed.since:
        return unknown("journal-volatile", msg("the journal is kept in memory, and knows the present start alone"))
    if found.at[0] > allowed.since:
        return unknown(
            "log-too-short",
            msg("the record begins at {at}, after the approved state of {since}", at=found.at[0], since=allowed.since),
        )
    recorded = allowed.recorded()
    alone = [at for at in since if recorded.window_of(at) is None and not any(one.holds(at) for one in incidents)]
    if alone:
        return missing(doubt) if (doubt := doubt_of(seen)) else declared_alone(allowed, alone)
    return passed(
        nmsg(
            "{n} start since {since}, with a record",
            "{n} starts since {since}, each with a record",
            len(since),
            since=allowed.since,
        )
    )
