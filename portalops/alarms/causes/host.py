"""Each host answered in the newest scan."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

from portalops.alarms.facts import AlarmFacts
from portalops.alarms.kinds import CauseKind, Seen, key_of
from portalops.model.alarms import AlarmCause, SoundThing
from portalops.model.message import msg

GRAVE_AFTER = timedelta(hours=48)
"""As long as a scan may speak for a host: `check_max_age_hours` of the rulebook."""


def find(facts: AlarmFacts) -> Iterator[Seen]:
    """Look at each host of the newest scan; groups of hosts are none."""
    scan = facts.evidence.checks
    if scan is None:
        return
    for each in scan.body.hosts:
        if each.standby:
            continue
        key = key_of("host", each.host)
        if each.reached:
            yield SoundThing(key, (scan.seq,))
        else:
            what = msg("host {host} did not answer: nothing is known of it", host=each.host)
            hint = msg("Run 'portalops check run --host {host}': it says what failed.", host=each.host)
            yield AlarmCause(key, "silent", what, hint, GRAVE_AFTER, records=(scan.seq,))


CAUSE = CauseKind(find=find, expected=lambda facts: facts.hosts, word=msg("host {id}"))
