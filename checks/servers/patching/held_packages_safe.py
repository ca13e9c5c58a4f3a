"""No package is held back from a security fix.

A hold is set for a day and stays for years; meanwhile the package vanishes from every list of waiting updates.
Article 12.3.

The rule: no package on hold would get a version from a security archive if the hold were lifted. A pin may hide a fix in the
same way, and apt can't be asked what it would do without it: with any priority but the usual 500, and with a default release,
beside which security archives count less, the answer is unknown. Hosts with dnf are not looked at yet and are unknown.

Sources: apt-mark(8), dpkg-query(1), apt_preferences(5). On Debian 13, with openssl on hold:

    held hi |openssl|3.5.1-1
    Inst openssl [3.5.1-1] (3.5.4-1~deb13u2 Debian-Security:13/stable-security [amd64])
"""

from __future__ import annotations

from checks.servers.check import Outcome, check, failed, passed, unknown
from checks.servers.facts import Facts
from checks.servers.patching._freshness import staleness
from checks.servers.probes import apt_held, apt_index, apt_lists
from checks.servers.wording import listed
from portalops.model.message import msg, nmsg
from portalops.model.verdicts import Severity


@check(
    id="patching.held",
    clause="12.3",
    severity=Severity.MEDIUM,
    needs=(apt_held.PROBE, apt_index.PROBE, apt_lists.PROBE),
    title=msg("no package is held back from a security fix"),
    remedy=msg("Lift the hold by 'apt-mark unhold', or keep an exception with a reason and an end date."),
)
def judge(facts: Facts) -> Outcome:
    held = facts[apt_held.PROBE]
    fixes = {upgrade.package for upgrade in held.upgrades if upgrade.is_security}
    kept_back = sorted(fixes.intersection(held.packages))
    if kept_back:
        return failed("security-fix-held", msg("held back from a security fix: {names}", names=listed(kept_back)))
    if held.pinned:
        return unknown("pinned", msg("a pin may hide fixes of {names}", names=listed(held.pinned)))
    if not held.packages:
        return passed(msg("no package is on hold"))
    if not any(index.is_security for index in facts[apt_index.PROBE]):
        return unknown(
            "no-security-source", msg("packages are on hold, and no security archive says what they would get")
        )
    stale = staleness(facts[apt_lists.PROBE], facts.at)
    if stale is not None:
        return unknown(*stale)
    return passed(
        nmsg(
            "{n} package is on hold, without a security fix waiting for it",
            "{n} packages are on hold, without a security fix waiting for them",
            len(held.packages),
        )
    )
