"""Files of the system are compared with a baseline every day, and none differs.

Who breaks in leaves changed programs behind; only a comparison with a time before shows them. Article 12.3 asks for software
against intrusion.

The rule: AIDE has a baseline, a run ended within 2 days, and found no difference. After an approved change the baseline is
to be made anew: until then the difference is a fail, since nothing on the host tells which change explains it.

Source: aide(1). AIDE 0.19 of Debian 13:

    AIDE found NO differences between database and filesystem. Looks okay!!
"""

from __future__ import annotations

from datetime import timedelta

from checks.servers.check import Outcome, check, failed, passed, unknown
from checks.servers.clocks import is_ahead
from checks.servers.facts import Facts
from checks.servers.probes import aide
from portalops.model.message import msg
from portalops.model.verdicts import Severity

WITHIN = timedelta(days=2)


@check(
    id="ids.file-integrity",
    clause="12.3",
    severity=Severity.HIGH,
    needs=(aide.PROBE,),
    title=msg("files of the system are compared with a baseline, and none differs"),
    remedy=msg(
        "Look into each difference; after an approved change, make the baseline anew with 'aideinit' or 'aide --init'."
    ),
)
def judge(facts: Facts) -> Outcome:
    seen = facts[aide.PROBE]
    if not seen.has_baseline:
        return failed("no-baseline", msg("AIDE has no baseline"))
    if seen.ended_at is None or seen.found is None:
        return unknown("no-run", msg("AIDE's log tells of no run that ended with a result"))
    if seen.found:
        told = ", ".join(f"{kind} {count}" for kind, count in seen.found)
        return failed("differences", msg("AIDE's run of {at} found differences: {told}", at=seen.ended_at, told=told))
    if is_ahead(seen.ended_at, facts.at):
        return unknown("run-in-future", msg("AIDE's log tells of a run at {at}", at=seen.ended_at))
    if facts.at - seen.ended_at > WITHIN:
        return failed("run-old", msg("AIDE's last run ended at {at}", at=seen.ended_at))
    return passed(msg("AIDE's run of {at} found no difference", at=seen.ended_at))
