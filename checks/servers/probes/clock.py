"""The host's clock: `date +%s`, as date(1) has it. It is asked last, to be held against the moment of the answer."""

from __future__ import annotations

from datetime import UTC, datetime

from checks.servers.probe import Output, Probe, Unparseable, shown
from portalops.model.message import msg


def parse(output: Output) -> datetime:
    """Read seconds since 1970."""
    text = output.text.strip()
    if not text.isdigit() or len(text) > 11:
        raise Unparseable(msg("the host's clock says {seen}", seen=shown(text, 40)))
    return datetime.fromtimestamp(int(text), UTC)


PROBE = Probe("clock", ("date", "+%s"), parse)
