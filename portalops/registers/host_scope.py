"""The part of a period's evidence that concerns one host, for reports that are cut down to it. Pure."""

from __future__ import annotations

from dataclasses import replace
from typing import TypeVar

from portalops.model.checks import BriefHost, BriefScan, CheckScan, HostScan
from portalops.model.organisation import HostId
from portalops.model.record import Recorded
from portalops.registers.evidence import Evidence

ScanT = TypeVar("ScanT", CheckScan, BriefScan)


def narrow_to_host(evidence: Evidence, host: HostId) -> Evidence:
    """Return the evidence with the scans, findings and places of one host, and of the groups that it stands by in.

    The newest scan is the newest one that looked at the host. The runs of checks are left out, since what they looked at is told
    by the scans alone; everything else stays as it is.
    """
    rounds = tuple(found for each in evidence.scans if (found := _narrow_to_host(each, host)) is not None)
    whole = [*([evidence.checks] if evidence.checks else []), *evidence.last_polls]
    newest = next((one for each in whole if (one := _narrow_to_host(each, host)) is not None), None)
    names = {each.host for one in rounds for each in one.body.hosts} | {host}
    if newest is not None:
        names |= {each.host for each in newest.body.hosts}
    return replace(
        evidence,
        runs=tuple(run for run in evidence.runs if run.kind != "check"),
        scans=rounds,
        checks=newest,
        last_polls=(),
        findings=tuple(each for each in evidence.findings if each.host in names),
        places={host: evidence.places[host]} if host in evidence.places else {},
    )


def _narrow_to_host(one: Recorded[ScanT], host: HostId) -> Recorded[ScanT] | None:
    hosts = tuple(each for each in one.body.hosts if _concerns(each, host))
    return replace(one, body=replace(one.body, hosts=hosts)) if hosts else None


def _concerns(one: HostScan | BriefHost, host: HostId) -> bool:
    return host in one.members if one.standby else one.host == host
