"""Packages changed only when that was approved.

Article 12.2: upgrades and changes are notified and approved before they are made. The package manager writes down when it
changed what, and nobody needs to remember it.

The rule: since the moment declared as `changes.since`, every run of apt, or every installation that rpm knows, lies inside
a window that is declared or approved in the register of changes, or falls wholly under a standing approval: by who asked for
it, or by the packages' names. A window of the register begins with its approval at the earliest. What only
the configuration approves is unknown: it may be written there afterwards, and no decision is kept with it. Both moments are shown:
of the change, and of the window next to it. A log that begins after `since` proves nothing about the time before
it. What dpkg installed or removed while apt did not run (`dpkg -i`) is a change too, of the name `dpkg`. rpm does not keep what was
removed, nor who asked. It does not see files that no package manager put there, or somebody who sets back dpkg's times.

Sources: apt-get(8), rpm(8), apt's history.log. On Debian 13, times in the host's zone:

    Start-Date: 2026-11-20  10:02:11
    Requested-By: an (1000)
    Install: nginx:amd64 (1.26.3-3+deb13u1)
"""

from __future__ import annotations

from checks.servers.approvals import Approved
from checks.servers.change._approved import approved, declared_alone, judge_future_since
from checks.servers.check import CheckOutcome, check, failed, missing, passed, unknown
from checks.servers.drifted import PackageChange
from checks.servers.facts import Facts
from checks.servers.patching._packages import judged_by
from checks.servers.probe import MissingFact, Probe, shown
from checks.servers.probes import apt_history, dpkg_alone, os_release, own_changes, rpm_history
from checks.servers.wording import listed
from portalops.model.message import msg, nmsg
from portalops.model.verdicts import Severity


@check(
    id="change.packages",
    clause="12.2",
    severity=Severity.HIGH,
    needs=(os_release.PROBE,),
    uses=(apt_history.PROBE, dpkg_alone.PROBE, rpm_history.PROBE, own_changes.PROBE),
    title=msg("packages changed only when that was approved"),
    remedy=msg("Link the change to its approval and declare the window, or go back to the former version; report it."),
)
def judge(facts: Facts) -> CheckOutcome:
    return judged_by(
        facts, apt=lambda facts: _judged(facts, apt_history.PROBE), dnf=lambda facts: _judged(facts, rpm_history.PROBE)
    )


def _judged(facts: Facts, probe: Probe[tuple[PackageChange, ...]]) -> CheckOutcome:
    found = facts.get(probe)
    if isinstance(found, MissingFact):
        return missing(found)
    allowed = approved(facts)
    if allowed is None:
        newest = found[-1]
        return unknown(
            "not-declared",
            msg(
                "no approved changes are declared; the newest change is of {at}: {packages}",
                at=newest.at,
                packages=listed(newest.packages) or "-",
            ),
        )
    by_dpkg: tuple[PackageChange, ...] = ()
    if probe is apt_history.PROBE:
        told = facts.get(dpkg_alone.PROBE)
        if isinstance(told, MissingFact):
            return missing(told)
        by_dpkg = told
    since = sorted((one for one in (*found, *by_dpkg) if one.at >= allowed.since), key=lambda one: one.at)
    outside = [one for one in since if allowed.window_of(one.at) is None and not _stands(one, allowed)]
    if outside and allowed.doubt:
        return missing(allowed.doubt)
    if outside:
        return _outside(outside, allowed)
    ahead = [one for one in since if one.at > facts.at]
    if ahead:
        return unknown("clock-wrong", msg("a change is dated {at}, after this check", at=ahead[0].at))
    if (ahead_of_now := judge_future_since(facts)) is not None:
        return ahead_of_now
    if found[0].at > allowed.since:
        return unknown(
            "log-too-short",
            msg("the record begins at {at}, after the approved state of {since}", at=found[0].at, since=allowed.since),
        )
    recorded = allowed.recorded()
    alone = [one.at for one in since if recorded.window_of(one.at) is None and not _stands(one, recorded)]
    if alone:
        return declared_alone(allowed, alone)
    return passed(
        nmsg(
            "{n} change since {since}, and it was approved",
            "{n} changes since {since}, and all were approved",
            len(since),
            since=allowed.since,
        )
    )


def _stands(one: PackageChange, allowed: Approved) -> bool:
    """Say whether each package of a change falls under a standing approval of whoever made it; no package, no approval."""
    return bool(one.packages) and all(
        any(standing.holds(one.at, one.by, (name,)) for standing in allowed.standing) for name in one.packages
    )


def _outside(changes: list[PackageChange], allowed: Approved) -> CheckOutcome:
    first = changes[0]
    what = listed(first.packages) or "-"
    who = shown(first.by, 40) or "-"
    nearest = allowed.nearest(first.at)
    if nearest is None:
        return failed(
            "change-unapproved",
            nmsg(
                "{n} change without approval: at {at} by {who}: {packages}; no window is declared",
                "{n} changes without approval, the first at {at} by {who}: {packages}; no window is declared",
                len(changes),
                at=first.at,
                who=who,
                packages=what,
            ),
        )
    return failed(
        "change-unapproved",
        nmsg(
            "{n} change without approval: at {at} by {who}: {packages}; the nearest window {reference} began at {start}",
            "{n} changes without approval, the first at {at} by {who}: {packages};"
            " the nearest window {reference} began at {start}",
            len(changes),
            at=first.at,
            who=who,
            packages=what,
            reference=nearest.reference,
            start=nearest.start_at,
        ),
    )
