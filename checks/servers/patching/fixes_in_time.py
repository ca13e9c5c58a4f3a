"""No severe vulnerability has had a fix for longer than it may take to install it.

A fix that was published is also a description of the hole. Article 12.3.

The rule: no package of the host has, by the signed bundle of its release, a vulnerability that is critical or high, that is
fixed in this release, and whose fix (or, where only that is known, the vulnerability) has been public for more than
`fix_within_days` ({default_days}, in `[checks.declared]`). One that nobody rated counts as high, and one without a day as
late, since nothing shows that they are not. The severity is Ubuntu's, AlmaLinux's or Red Hat's own, for Debian the base
score of CVSS 3; Debian's urgency and the EPSS probability order the list and decide nothing. What has no fix is counted in
the message. The answer is unknown without a bundle, for a release that it does not cover, for a bundle that is too old or
has fewer than {least_records} records, and where its newest record was older than {lagging_days} days when it was fetched.

Sources: OSV; Debian's security tracker; FIRST, CVSS v3.1 and EPSS; the period of {default_days} days is this project's and
may be set. The packages of Debian 13, with source and source version, as dpkg-query lists them:

    libssl3t64:amd64    ii      3.5.7-1~deb13u2 openssl 3.5.7-1~deb13u2
"""

from __future__ import annotations

from datetime import date

from checks.servers.check import CheckOutcome, check, failed, passed
from checks.servers.declared import default_number
from checks.servers.facts import Facts
from checks.servers.patching._known import LAGGING, LEAST_RECORDS, USES, describe, judged_by_bundle
from checks.servers.probes import os_release, vulnerabilities
from checks.servers.probes.vulnerabilities import FoundVulnerabilities
from checks.servers.wording import listed
from checks.vulnerabilities.rows import Row
from portalops.model.message import msg, nmsg
from portalops.model.verdicts import Severity

_SEVERE = frozenset({"critical", "high", ""})


@check(
    id="patching.cve-fixable",
    clause="12.3",
    severity=Severity.HIGH,
    needs=(os_release.PROBE, vulnerabilities.PROBE),
    uses=USES,
    title=msg("no severe vulnerability has waited too long for its fix"),
    remedy=msg("Install the updates in an approved window, and find out why the regular updates did not include them."),
    numbers={
        "least_records": LEAST_RECORDS,
        "lagging_days": LAGGING.days,
        "default_days": default_number("fix_within_days"),
    },
)
def judge(facts: Facts) -> CheckOutcome:
    return judged_by_bundle(facts, _judged)


def _judged(facts: Facts, seen: FoundVulnerabilities) -> CheckOutcome:
    days = facts.declared.fix_within_days
    fixable = [found for found in seen.found if found.row.span.fixed and found.row.severity in _SEVERE]
    late = [found for found in fixable if _age(found.row, facts.at.date()) > days]
    if late:
        return failed(
            "fix-late",
            nmsg(
                "{n} severe vulnerability has had a fix for more than {days} days: {names}",
                "{n} severe vulnerabilities have had a fix for more than {days} days: {names}",
                len(late),
                days=days,
                names=listed(describe(found) for found in late),
            ),
        )
    return passed(
        msg(
            "no severe vulnerability has had a fix for more than {days} days; {fixable} younger, {unfixed} without a fix",
            days=days,
            fixable=len(fixable),
            unfixed=seen.unfixed,
        )
    )


def _age(row: Row, today: date) -> float:
    """Return for how many days the fix has been there; without a day for ever."""
    return (today - date.fromisoformat(row.since)).days if row.since else float("inf")
