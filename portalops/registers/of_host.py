"""The part of a period's evidence that concerns one host, for reports that are cut down to it. Pure."""

from __future__ import annotations

from dataclasses import replace

from portalops.model.checks import CheckRound, HostRound
from portalops.model.organisation import HostId
from portalops.registers.evidence import Evidence, Recorded


def of_host(evidence: Evidence, host: HostId) -> Evidence:
    """Return the evidence with the rounds, findings and places of one host, and of the groups that it stands by in.

    The newest round is the newest one that looked at the host. The runs of checks are left out, since what they looked at is told
    by the rounds alone; everything else stays as it is.
    """
    rounds = tuple(one for each in evidence.rounds if (one := _of_host(each, host)) is not None)
    newest = None if evidence.checks is None else _of_host(evidence.checks, host)
    if newest is None and rounds:
        newest = rounds[-1]
    seen = [*rounds, *([newest] if newest else [])]
    names = {each.host for one in seen for each in one.body.hosts} | {host}
    return replace(
        evidence,
        runs=tuple(run for run in evidence.runs if run.kind != "check"),
        rounds=rounds,
        checks=newest,
        findings=tuple(each for each in evidence.findings if each.host in names),
        places={host: evidence.places[host]} if host in evidence.places else {},
    )


def _of_host(one: Recorded[CheckRound], host: HostId) -> Recorded[CheckRound] | None:
    hosts = tuple(each for each in one.body.hosts if _concerns(each, host))
    return replace(one, body=replace(one.body, hosts=hosts)) if hosts else None


def _concerns(one: HostRound, host: HostId) -> bool:
    return host in one.members if one.standby else one.host == host
