"""The clock is right and follows a source.

Logs that disagree about the time prove nothing, certificates and signatures fail, and backdating cannot be distinguished
from a wrong clock. Article 12.3.

The rule: chronyd is within {source_seconds} s of its source with leap status Normal, may set the clock (no `-x`, outside of containers),
and heard the source within {heard_hours} hours. Of the sources that agree, at least one is another machine: what listens at an address of
the host itself is its own clock, and what feeds a reference clock alone is not seen. Or systemd reports the clock as synchronised, and
its own client does not ask the host itself. And the host's clock differs by at most {station_seconds} s from that of the machine that
asked. Without any word of a source the answer is unknown, also if the clock happens to be right. It does not see whether the other
machine's time is right, or whether it is a container of the same host.

Sources: chronyc(1), timedatectl(1). chrony 4.6 that does not run prints, with exit code 1:

    506 Cannot talk to daemon
"""

from __future__ import annotations

from datetime import datetime, timedelta

from checks.servers.check import CheckOutcome, check, failed, missing, passed, unknown
from checks.servers.facts import Facts
from checks.servers.probe import MissingFact, shown
from checks.servers.probes import chrony, clock, timedatectl
from portalops.model.message import msg
from portalops.model.verdicts import Severity

SOURCE_MILLISECONDS = 1000
STATION_SECONDS = 2
HEARD_WITHIN = timedelta(days=1)
"""chronyd asks its source every 17 minutes at the latest, unless it is told otherwise."""


@check(
    id="run.time-sync",
    clause="12.3",
    severity=Severity.MEDIUM,
    needs=(clock.PROBE,),
    uses=(chrony.PROBE, timedatectl.PROBE),
    title=msg("the clock is right and synchronised (NTP/chrony)"),
    remedy=msg("Install chrony, point it to a time source that the host can reach, and start it."),
    exempt_roles=("container",),
    numbers={
        "source_seconds": SOURCE_MILLISECONDS // 1000,
        "station_seconds": STATION_SECONDS,
        "heard_hours": HEARD_WITHIN // timedelta(hours=1),
    },
)
def judge(facts: Facts) -> CheckOutcome:
    # NOTE: `date +%s` cuts the fraction off, so a right clock reads up to a second early.
    apart = int(abs((facts.at - facts[clock.PROBE]).total_seconds()))
    if apart > STATION_SECONDS:
        return failed(
            "clock-differs", msg("the clock differs by {seconds} s from that of the machine that asked", seconds=apart)
        )
    tracking = facts.get(chrony.PROBE)
    if not isinstance(tracking, MissingFact):
        return judge_chrony(tracking, facts.at)
    synchronised = facts.get(timedatectl.PROBE)
    if isinstance(synchronised, MissingFact):
        return missing(synchronised if tracking.reason == "command-missing" else tracking)
    if synchronised == timedatectl.OWN:
        return failed("follows-itself", msg("systemd's clock follows no source but the host itself"))
    if synchronised == timedatectl.YES:
        return passed(msg("systemd reports the clock as synchronised"))
    return failed("not-synchronised", msg("systemd reports the clock as not synchronised"))


def judge_chrony(tracking: chrony.Tracking, at: datetime) -> CheckOutcome:
    """Say whether the clock follows another machine, by what chronyd tells.

    Args:
        tracking: what it told.
        at: when, UTC.
    """
    if tracking.leap != "Normal":
        return failed("not-synchronised", msg("chrony reports: {status}", status=shown(tracking.leap, 40)))
    if abs(tracking.offset_milliseconds) > SOURCE_MILLISECONDS:
        return failed(
            "clock-drifts",
            msg("the clock differs by {offset} ms from its source", offset=tracking.offset_milliseconds),
        )
    if tracking.is_own or tracking.sources - {"unset"} == {"own"}:
        return failed("follows-itself", msg("chrony follows no source but the host's own clock"))
    if at - tracking.heard_at > HEARD_WITHIN:
        return failed("source-silent", msg("chrony last heard its source at {at}", at=tracking.heard_at))
    if "unset" in tracking.sources:
        return failed("not-set", msg("chrony follows its source, but runs with -x and does not set the clock"))
    if "other" not in tracking.sources:
        said = msg(
            "no other machine agrees with the source that chrony follows: a reference clock, or none that is seen"
        )
        return unknown("source-not-seen", said)
    return passed(msg("chrony follows its source within {offset} ms", offset=abs(tracking.offset_milliseconds)))
