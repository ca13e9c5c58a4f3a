"""The lists of available packages are fresh.

Without them a host believes that it is up to date because it has not asked. Article 12.3 asks that fixes are always up
to date, and this is how the host knows of them.

The rule: apt's lists were refreshed within {refreshed_days} days, and every archive that says until when it is valid still
is. An update of lists may fail and look as one that ended well: what counts is a stamp of one that did, or the signed date of what
it brought. Where apt has settings of which it is not known whether they change what it sees, the answer is unknown. Until when an
archive is valid shows a mirror that stopped following, which the host's own clock can't. Debian's main archive has no such
date, its security archive has 7 days. A security archive without such a date must have been made within the last
{mirror_days} days, or the answer is unknown; where no archive's name tells of security, one archive of any kind that shows
this is enough.

On RHEL and AlmaLinux: the metadata of every enabled repository were fetched within {refreshed_days} days.

Sources: dnf(8), apt-get(8), apt-secure(8), the Debian repository format (Date, Valid-Until). On Debian 13:

    stamp 1795569431 /var/lib/apt/periodic/update-stamp
    release /var/lib/apt/lists/deb.debian.org_debian-security_dists_trixie-security_InRelease
    Date: Mon, 23 Nov 2026 11:22:38 UTC
    Valid-Until: Mon, 30 Nov 2026 11:22:38 UTC
"""

from __future__ import annotations

from checks.servers.check import CheckOutcome, check, failed, missing, passed, unknown
from checks.servers.facts import Facts
from checks.servers.patching._freshness import (
    MIRROR_WITHIN,
    REFRESHED_WITHIN,
    blindness,
    mirror_age_is_known,
    staleness,
)
from checks.servers.patching._packages import judged_by
from checks.servers.probe import MissingFact
from checks.servers.probes import apt_lists, dnf_updates, os_release
from portalops.model.message import msg
from portalops.model.verdicts import Severity


@check(
    id="patching.list-age",
    clause="12.3",
    severity=Severity.HIGH,
    needs=(os_release.PROBE,),
    uses=(apt_lists.PROBE, dnf_updates.PROBE),
    title=msg("the lists of available packages are fresh"),
    remedy=msg("Run 'apt-get update' daily; if that does not help, repair the mirror."),
    numbers={"refreshed_days": REFRESHED_WITHIN.days, "mirror_days": MIRROR_WITHIN.days},
)
def judge(facts: Facts) -> CheckOutcome:
    return judged_by(facts, apt=_judge_apt, dnf=_judge_dnf)


def _judge_apt(facts: Facts) -> CheckOutcome:
    lack = facts.lacking(apt_lists.PROBE)
    if lack is not None:
        return missing(lack)
    lists = facts[apt_lists.PROBE]
    if not lists.releases:
        return unknown(
            "lists-empty", msg("there are no release files: apt was never updated, or its lists were removed")
        )
    stale = staleness(lists, facts.at)
    if stale is not None and stale[0] in {
        "never-refreshed",
        "refreshed-in-future",
        "refresh-unproven",
        "apt-elsewhere",
    }:
        return unknown(*stale)
    if stale is not None:
        return failed(*stale)
    if not mirror_age_is_known(lists, facts.at):
        return unknown("mirror-age-unknown", msg("no archive shows that the mirror is up to date"))
    assert lists.refreshed_at is not None
    return passed(
        msg("apt's lists were refreshed at {refreshed}, and every archive is still valid", refreshed=lists.refreshed_at)
    )


def _judge_dnf(facts: Facts) -> CheckOutcome:
    seen = facts.get(dnf_updates.PROBE)
    if isinstance(seen, MissingFact):
        return missing(seen)
    blind = blindness(seen.repositories, facts.at)
    if blind is not None and blind[0] == "lists-old":
        return failed(*blind)
    if blind is not None and blind[0] != "no-advisories":
        return unknown(*blind)
    return passed(msg("every repository of dnf was fetched within {days} days", days=REFRESHED_WITHIN.days))
