"""A spare has the same packages in the same versions as the machine that it stands in for.

A spare that was not updated with the others fails on the day it is needed, or brings back holes that were closed.
Article 12.3 asks for standby systems.

The rule: all members run the same release of the system, and every package is on all of them in the same version, but for
those declared to differ. Configuration files are compared with the approved baseline, by `change.config`.

Sources: dpkg-query(1), rpm(8). Debian 13:

    nginx       ii      1.26.3-3+deb13u1        nginx   1.26.3-3+deb13u1
"""

from __future__ import annotations

from collections.abc import Sequence

from checks.servers.check import CheckOutcome, failed, passed, unknown
from checks.servers.facts import Facts
from checks.servers.patching._packages import Packages, packages_of
from checks.servers.probe import MissingFact
from checks.servers.probes import os_release, packages_dpkg, packages_rpm
from checks.servers.probes.packages_dpkg import DebPackage
from checks.servers.probes.packages_rpm import RpmPackage
from checks.servers.standby import GroupFacts, group_check
from checks.servers.wording import listed
from portalops.model.message import msg, nmsg
from portalops.model.verdicts import Severity

Versions = dict[str, tuple[str, ...]]
"""By package: its versions; there are several of a kernel."""


@group_check(
    id="ha.spare-parity",
    kinds=("spare",),
    clause="12.3",
    severity=Severity.MEDIUM,
    needs=(os_release.PROBE,),
    uses=(packages_dpkg.PROBE, packages_rpm.PROBE),
    title=msg("a spare has the same packages as the machine that it replaces"),
    remedy=msg("Update the spare as the other was updated, or declare the packages that differ on purpose."),
)
def judge(facts: GroupFacts) -> CheckOutcome:
    systems = facts[os_release.PROBE]
    if len({(each.id, each.version) for each in systems.values()}) > 1:
        told = listed(f"{name}: {each.name}" for name, each in systems.items())
        return failed("systems-differ", msg("members run different systems: {told}", told=told))
    by_member: dict[str, Versions] = {}
    for name, system in systems.items():
        kind = packages_of(system)
        if kind is Packages.OTHER:
            return unknown(
                "unknown-system", msg("portalops does not know how {system} lists its packages", system=system.name)
            )
        listing = _listing(facts.members[name], kind)
        if isinstance(listing, MissingFact):
            return unknown(listing.reason, msg("{host}: {seen}", host=name, seen=listing.seen))
        by_member[name] = listing
    names = {package for versions in by_member.values() for package in versions} - set(facts.group.differences)
    unlike = sorted(name for name in names if len({versions.get(name) for versions in by_member.values()}) > 1)
    if unlike:
        return failed(
            "packages-differ",
            nmsg("{n} package differs: {names}", "{n} packages differ: {names}", len(unlike), names=listed(unlike)),
        )
    return passed(nmsg("{n} package is the same", "{n} packages are the same", len(names)))


def _listing(member: Facts, kind: Packages) -> Versions | MissingFact:
    deb, rpm = member.get(packages_dpkg.PROBE), member.get(packages_rpm.PROBE)
    fact: Sequence[DebPackage | RpmPackage] | MissingFact = deb if kind is Packages.APT else rpm
    if isinstance(fact, MissingFact):
        return fact
    found: Versions = {}
    for package in fact:
        found[package.name] = tuple(sorted((*found.get(package.name, ()), package.version)))
    return found
