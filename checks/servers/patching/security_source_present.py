"""The vendor's security archive is among the host's package sources.

Without it no security fix is ever offered, and every other sign looks healthy. Article 12.3.

The rule: among the indexes that apt really holds there is one of the security archive: label Debian-Security, or a suite
`*-security` of Ubuntu. ESM alone does not stand for it.

Source: apt-get(8), `indextargets`. On Debian 13:

    Packages|trixie-security|trixie-security|stable-security|Debian|Debian-Security
"""

from __future__ import annotations

from checks.servers.check import Outcome, check, failed, passed, unknown
from checks.servers.facts import Facts
from checks.servers.probes import apt_index
from checks.servers.wording import listed
from portalops.model.message import msg
from portalops.model.verdicts import Severity


@check(
    id="patching.security-source",
    clause="12.3",
    severity=Severity.HIGH,
    needs=(apt_index.PROBE,),
    title=msg("the vendor's security archive is among the package sources"),
    remedy=msg("Add the security suite to the package sources and run 'apt-get update'."),
)
def judge(facts: Facts) -> Outcome:
    indexes = facts[apt_index.PROBE]
    if not indexes:
        return unknown("lists-empty", msg("apt's lists are empty, so its sources cannot be seen"))
    security = sorted({index.release for index in indexes if index.is_security})
    if not security:
        others = listed(sorted({f"{index.origin} {index.release}" for index in indexes}))
        return failed("no-security-source", msg("there is no security archive among {names}", names=others))
    return passed(msg("the security archive is there: {names}", names=listed(security)))
