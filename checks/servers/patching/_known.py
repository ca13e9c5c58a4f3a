"""Whether what was looked up in the bundle can be believed: it is about these packages, and fresh enough."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import timedelta

from checks.servers.check import CheckOutcome, missing, unknown
from checks.servers.facts import Facts
from checks.servers.patching._packages import digest_of, installed_of, judged_by
from checks.servers.probe import MissingFact
from checks.servers.probes import packages_dpkg, packages_rpm, vulnerabilities
from checks.servers.probes.packages_dpkg import DebPackage
from checks.servers.probes.packages_rpm import RpmPackage
from checks.servers.probes.vulnerabilities import Found, FoundVulnerabilities
from checks.vulnerabilities.versions import NotAVersion
from portalops.model.message import msg

USES = (packages_dpkg.PROBE, packages_rpm.PROBE)
LAGGING = timedelta(days=30)
"""An export whose newest record is older than this when it is fetched is not kept up any more."""
LEAST_RECORDS = 100
"""A release has thousands after a few months; one with fewer was hardly taken up whole."""
CLOCKS_APART = timedelta(days=1)


def judged_by_bundle(facts: Facts, rule: Callable[[Facts, FoundVulnerabilities], CheckOutcome]) -> CheckOutcome:
    """Judge by what was looked up, or say why that says nothing."""

    def by_dpkg(facts: Facts) -> CheckOutcome:
        packages = facts.get(packages_dpkg.PROBE)
        return missing(packages) if isinstance(packages, MissingFact) else _judged(facts, packages, rule)

    def by_rpm(facts: Facts) -> CheckOutcome:
        packages = facts.get(packages_rpm.PROBE)
        return missing(packages) if isinstance(packages, MissingFact) else _judged(facts, packages, rule)

    return judged_by(facts, apt=by_dpkg, dnf=by_rpm)


def describe(found: Found) -> str:
    """Return one for a list in a sentence."""
    return f"{found.row.vulnerability} ({found.package} {found.installed})"


def _judged(
    facts: Facts,
    packages: Sequence[DebPackage | RpmPackage],
    rule: Callable[[Facts, FoundVulnerabilities], CheckOutcome],
) -> CheckOutcome:
    seen = facts[vulnerabilities.PROBE]
    try:
        is_about_these = seen.packages_digest == digest_of(installed_of(packages))
    except NotAVersion:
        is_about_these = False
    if not is_about_these:
        return unknown("lookup-mismatch", msg("the result from the vulnerability bundle is for other packages"))
    if seen.as_of > facts.at + CLOCKS_APART:
        return unknown(
            "bundle-in-future",
            msg(
                "the vulnerability bundle of {release} is dated in the future, {day}",
                release=seen.release,
                day=seen.as_of,
            ),
        )
    if facts.at - seen.as_of > timedelta(days=seen.max_age_days):
        return unknown(
            "bundle-old",
            msg(
                "the vulnerability bundle of {release} is of {day}, more than {days} days old",
                release=seen.release,
                day=seen.as_of,
                days=seen.max_age_days,
            ),
        )
    if seen.records < LEAST_RECORDS:
        return unknown(
            "few-records",
            msg("the vulnerability bundle of {release} has only {n} records", release=seen.release, n=seen.records),
        )
    if seen.records_newest is None or seen.as_of - seen.records_newest > LAGGING:
        return unknown(
            "records-old",
            msg("the newest record in the vulnerability bundle of {release} is too old", release=seen.release),
        )
    if seen.compared == 0:
        return unknown(
            "nothing-compared",
            msg("the vulnerability bundle of {release} lists none of the host's packages", release=seen.release),
        )
    return rule(facts, seen)
