"""No package is held back from a security fix.

A hold is set for a day and stays for years; meanwhile the package vanishes from every list of waiting updates.
Article 12.3.

The rule: no package on hold would get a version from a security archive if the hold were lifted. A pin may hide a fix in the
same way, and apt can't be asked what it would do without it: with any priority but the usual {usual}, and with a default release,
beside which security archives count less, the answer is unknown, and so it is where apt has
settings of which it is not known whether they change what it sees (`Dir::Etc::preferencesparts`). A pin that
prefers security archives alone hides nothing. Versions newer than those of all archives, beside which a fix counts as old, belong to patching.foreign-packages.

On RHEL and AlmaLinux: no version lock and no `exclude`, `excludepkgs` or `includepkgs`, of dnf or of one repository, hides a
security update. dnf is asked with and without them, and what is offered only without them is held back; a repository that is
not cached, old or without advisories makes the answer unknown.

Sources: apt-mark(8), dpkg-query(1), apt_preferences(5); dnf.conf(5), dnf-versionlock(8). On Debian 13, with openssl on hold:

    held hi |openssl|3.5.1-1
    Inst openssl [3.5.1-1] (3.5.4-1~deb13u2 Debian-Security:13/stable-security [amd64])
"""

from __future__ import annotations

from collections.abc import Sequence

from checks.servers.check import CheckOutcome, check, failed, missing, passed, unknown
from checks.servers.facts import Facts
from checks.servers.patching._freshness import blindness, elsewhere, staleness
from checks.servers.patching._packages import judged_by
from checks.servers.probes import apt_held, apt_index, apt_lists, dnf_held, dnf_updates, os_release
from checks.servers.probes.apt_held import USUAL, Pin
from checks.servers.probes.apt_index import Index
from checks.servers.wording import listed
from portalops.model.message import msg, nmsg
from portalops.model.verdicts import Severity


@check(
    id="patching.held",
    clause="12.3",
    severity=Severity.MEDIUM,
    needs=(os_release.PROBE,),
    uses=(apt_held.PROBE, apt_index.PROBE, apt_lists.PROBE, dnf_held.PROBE, dnf_updates.PROBE),
    title=msg("no package is held back from a security fix"),
    remedy=msg(
        "Lift the hold by 'apt-mark unhold' or 'dnf versionlock delete', or keep an exception with a reason and an end date."
    ),
    numbers={"usual": USUAL},
)
def judge(facts: Facts) -> CheckOutcome:
    return judged_by(facts, apt=_judge_apt, dnf=_judge_dnf)


def _judge_apt(facts: Facts) -> CheckOutcome:
    lack = facts.lacking(apt_held.PROBE, apt_index.PROBE, apt_lists.PROBE)
    if lack is not None:
        return missing(lack)
    held, indexes = facts[apt_held.PROBE], facts[apt_index.PROBE]
    fixes = {upgrade.package for upgrade in held.upgrades if upgrade.is_security}
    kept_back = sorted(fixes.intersection(held.packages))
    if kept_back:
        return _held(kept_back)
    if hiding := [each.packages for each in held.pins if not _raises_fixes(each, indexes)]:
        return unknown("pinned", msg("an apt pin may hide fixes of {names}", names=listed(hiding)))
    if (other := elsewhere(facts[apt_lists.PROBE])) is not None:
        return unknown(*other)
    if not held.packages:
        return passed(msg("no package is on hold"))
    if not any(index.is_security for index in indexes):
        return unknown("no-security-source", msg("packages are on hold, and no security archive shows what they miss"))
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


def _raises_fixes(pin: Pin, indexes: Sequence[Index]) -> bool:
    """Say whether it prefers what security archives have, and nothing else: that hides no fix."""
    meant = [index.is_security for index in indexes if pin.is_for(index)]
    return pin.priority > USUAL and bool(meant) and all(meant) and all(pin.is_for(each) is not None for each in indexes)


def _judge_dnf(facts: Facts) -> CheckOutcome:
    lack = facts.lacking(dnf_held.PROBE, dnf_updates.PROBE)
    if lack is not None:
        return missing(lack)
    seen = facts[dnf_held.PROBE]
    kept_back = sorted(name for name, _ in seen.open - seen.offered)
    if kept_back:
        return _held(kept_back)
    blind = blindness(facts[dnf_updates.PROBE].repositories, facts.at)
    if blind is not None:
        return unknown(*blind)
    return passed(msg("no version lock or exclude of dnf hides a security update"))


def _held(names: list[str]) -> CheckOutcome:
    return failed("security-fix-held", msg("held back from a security fix: {names}", names=listed(names)))
