"""Who acts on what CrowdSec decides: `cscli bouncers list -o raw`, as the documentation of cscli has it. Needs root.

The form `json` is not asked for: it holds each bouncer's key. Valid is written `validated`, revoked `pending`. A bouncer that
never asked for decisions has no address, and the moment of its being made for a last question (CrowdSec 1.4.6). What
CrowdSec only simulates is decided and not acted upon: `simulation: true` in /etc/crowdsec/simulation.yaml.

    name,ip,revoked,last_pull,type,version,auth_type
    cs-firewall-bouncer,127.0.0.1,validated,2026-11-26T08:38:57Z,cs-firewall-bouncer,v0.0.25-debian,api-key
"""

from __future__ import annotations

import csv
from dataclasses import dataclass
from datetime import UTC, datetime

from checks.servers.probe import Output, Probe, Unparseable, shown
from portalops.model.message import msg

_SCRIPT = r"""
command -v cscli >/dev/null || exit 127
cscli bouncers list -o raw || exit $?
sed -nE 's/^simulation:[[:space:]]*(true|on|yes)[[:space:]]*$/== simulated/p' /etc/crowdsec/simulation.yaml 2>/dev/null
exit 0
"""
_SIMULATED = "== simulated"
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


@dataclass(frozen=True, slots=True)
class CrowdSec:
    """Who acts on its decisions, and whether it only simulates them."""

    bouncers: tuple[Bouncer, ...]
    is_simulated: bool


def parse(output: Output) -> CrowdSec:
    """Read the rows; without the heading, nothing is known."""
    lines = output.lines()
    rows = [line for line in lines if line != _SIMULATED]
    try:
        if rows[0].split(",")[:4] == _COLUMNS:
            bouncers = tuple(_bouncer(*row[:4]) for row in csv.reader(rows[1:], strict=True))
            return CrowdSec(bouncers, _SIMULATED in lines)
    except (IndexError, ValueError, TypeError, KeyError, OverflowError, csv.Error):
        pass
    raise Unparseable(msg("CrowdSec's list of bouncers cannot be parsed: {seen}", seen=shown(output.text, 80)))


def _bouncer(name: str, address: str, state: str, asked: str) -> Bouncer:
    moment = datetime.fromisoformat(asked).astimezone(UTC) if address and asked else None
    return Bouncer(name, _STATES[state], moment)


PROBE = Probe("ids.crowdsec", ("sh", "-c", _SCRIPT), parse, needs_root=True)
