"""What changed at the host since the look before, and what of earlier changes still stands under no approval.

No command runs for it: portalops compares the answer with the newest one of the host that the ledger holds, when it
receives it, and puts what it finds into the answer. What was seen earlier, and neither was approved since nor is again as
it was, is carried on from answer to answer. What the look before lacks is held against the newest older one that has it;
`seen_at` says which that is. The first answer of a host, or within `COMPARED_WITHIN`, says that there is none before it:

    {"drift":{"after_at":"2026-11-25T01:00:00Z","before_at":"2026-11-26T01:00:00Z","changed":[...],...}}
"""

from __future__ import annotations

import json
from datetime import timedelta

from checks.servers.drifted import Drift
from checks.servers.outside.section import LIMIT_BYTES
from checks.servers.probe import Output, Probe, ProbeResult, Unparseable
from portalops.bodies import decode_part, encode
from portalops.errors import LedgerError
from portalops.model.message import msg

COMPARED_WITHIN = timedelta(days=92)
"""A host's answer is compared with one that is at most so old."""
FIRST = "first-look"


def parse(output: Output) -> Drift:
    """Read the section."""
    if output.text.strip() == "{}":
        raise Unparseable(
            msg(
                "the host has no answer from the {days} days before: there is nothing to compare with",
                days=COMPARED_WITHIN.days,
            ),
            reason=FIRST,
        )
    try:
        found = decode_part(output.text.encode("utf-8", "surrogateescape"), "drift", Drift)
    except LedgerError as error:
        raise Unparseable(msg("the list of changes on the host cannot be parsed")) from error
    if found is None:
        raise Unparseable(msg("the list of changes on the host cannot be parsed"))
    return found


PROBE = Probe("change.drift", (), parse, limit_bytes=LIMIT_BYTES)


def section(found: Drift | None) -> ProbeResult:
    """Write the section; None where there is no look before."""
    held = {} if found is None else {"drift": encode(found)}
    text = json.dumps(held, ensure_ascii=True, sort_keys=True, separators=(",", ":"))
    return ProbeResult(PROBE.id, 0, text.encode(), b"", 0)
