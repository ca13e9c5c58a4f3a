"""The vendor's security archive is among the host's package sources.

Without it no security fix is ever offered, and every other sign seems healthy. Article 12.3.

The rule: among the indexes that apt really holds there is one of the security archive: label Debian-Security, or a suite
`*-security` of Ubuntu, and it is of the release that the host is. ESM alone does not stand for it. Where the host takes a component or an architecture from the maker's archive
and not from its security archive, the answer is unknown. An archive is believed to be what it calls itself: whose it is, change.repos
says.

On RHEL and AlmaLinux: every enabled repository says which of its updates are about security.

Sources: apt-get(8), `indextargets`; dnf(8), `updateinfo`. On Debian 13:

    Packages|trixie-security|trixie-security|stable-security|Debian|Debian-Security
"""

from __future__ import annotations

from checks.servers.check import CheckOutcome, check, failed, missing, passed, unknown
from checks.servers.facts import Facts
from checks.servers.patching._packages import judged_by
from checks.servers.probe import MissingFact, shown
from checks.servers.probes import apt_index, dnf_updates, os_release
from checks.servers.wording import listed
from portalops.model.message import msg
from portalops.model.verdicts import Severity

_MAKERS = frozenset({"debian", "ubuntu"})
"""Systems that name their own release as their archives do; others build on one of these."""


@check(
    id="patching.security-source",
    clause="12.3",
    severity=Severity.HIGH,
    needs=(os_release.PROBE,),
    uses=(apt_index.PROBE, dnf_updates.PROBE),
    title=msg("the vendor's security archive is among the package sources"),
    remedy=msg("Add the security suite to the package sources and run 'apt-get update'."),
)
def judge(facts: Facts) -> CheckOutcome:
    return judged_by(facts, apt=_judge_apt, dnf=_judge_dnf)


def _judge_apt(facts: Facts) -> CheckOutcome:
    lack = facts.lacking(apt_index.PROBE)
    if lack is not None:
        return missing(lack)
    indexes = facts[apt_index.PROBE]
    if not indexes:
        return unknown("lists-empty", msg("apt's lists are empty, so its sources cannot be seen"))
    security = sorted({index.release for index in indexes if index.is_security})
    if not security:
        others = listed(sorted({f"{index.origin} {index.release}" for index in indexes}))
        return failed("no-security-source", msg("there is no security archive among {names}", names=others))
    host = facts[os_release.PROBE]
    own = {index.codename.removesuffix("-security") for index in indexes if index.is_security}
    if host.id in _MAKERS and host.codename and host.codename not in own:
        return failed(
            "other-release",
            msg(
                "the security archive is of another release than the host, which is {host}: {names}",
                host=shown(host.codename, 40),
                names=listed(security),
            ),
        )
    if lacking := apt_index.without_security(indexes):
        return unknown(
            "security-partial", msg("no fixes are taken from the security archive for: {names}", names=listed(lacking))
        )
    return passed(msg("the security archive is there: {names}", names=listed(security)))


def _judge_dnf(facts: Facts) -> CheckOutcome:
    seen = facts.get(dnf_updates.PROBE)
    if isinstance(seen, MissingFact):
        return missing(seen)
    unseen = [one.id for one in seen.repositories if one.fetched_at is None]
    if unseen or not seen.repositories:
        return unknown(
            "no-cache", msg("nothing was fetched from the repositories: {names}", names=listed(unseen) or "-")
        )
    silent = [one.id for one in seen.repositories if not one.has_advisories]
    if silent:
        return failed("no-advisories", msg("repositories without advisories: {names}", names=listed(silent)))
    return passed(msg("repositories with advisories: {names}", names=listed(one.id for one in seen.repositories)))
