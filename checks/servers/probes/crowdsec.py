"""Who acts on what CrowdSec decides: `cscli bouncers list -o raw`, as the documentation of cscli has it. Needs root.

The form `json` is not asked for: it holds each bouncer's key. Valid is written `validated`, revoked `pending`. A bouncer that
never asked for decisions has no address, and the moment of its being made for a last question (CrowdSec 1.4.6).

    name,ip,revoked,last_pull,type,version,auth_type
    cs-firewall-bouncer,127.0.0.1,validated,2026-11-26T08:38:57Z,cs-firewall-bouncer,v0.0.25-debian,api-key
"""

from __future__ import annotations

import csv
from dataclasses import dataclass
from datetime import UTC, datetime

from checks.servers.probe import Output, Probe, Unparseable, shown
from portalops.model.message import msg

_COLUMNS = ["name", "ip", "revoked", "last_pull"]
_STATES = {"validated": True, "pending": False}


@dataclass(frozen=True, slots=True)
class Bouncer:
    """One program that asks CrowdSec whom to refuse."""

    name: str
    is_valid: bool
    """Its key was not revoked."""
    asked_at: datetime | None
    """When it last asked for decisions; None if it never did."""


def parse(output: Output) -> tuple[Bouncer, ...]:
    """Read the rows; without the heading, nothing is known."""
    rows = output.lines()
    try:
        if rows[0].split(",")[:4] == _COLUMNS:
            return tuple(_bouncer(*row[:4]) for row in csv.reader(rows[1:], strict=True))
    except (IndexError, ValueError, TypeError, KeyError, OverflowError, csv.Error):
        pass
    raise Unparseable(msg("CrowdSec's list of bouncers cannot be parsed: {seen}", seen=shown(output.text, 80)))


def _bouncer(name: str, address: str, state: str, asked: str) -> Bouncer:
    moment = datetime.fromisoformat(asked).astimezone(UTC) if address and asked else None
    return Bouncer(name, _STATES[state], moment)


PROBE = Probe("ids.crowdsec", ("cscli", "bouncers", "list", "-o", "raw"), parse, needs_root=True)
