"""No security update waits to be installed.

A published fix tells the whole world where the hole is; from that day on an unpatched server is found by machines.
Article 12.3 asks that the vendors' fixes are always up to date.

The rule: `apt-get -s dist-upgrade` names no package that comes from a security archive. Every archive of a line counts,
because one version is often in several. A fix that a pin keeps away waits as well: where there are preferences, it is simulated
once more without them, and without a default release. Nothing waiting is only believed where apt could have known: with empty or old
lists, without a security archive for each component, or with settings of which it is not known whether they change what apt sees
(`Dir::State::status`), apt prints no line either and ends well; then the answer is unknown. So it is where apt keeps a newer version back, but for packages on
hold.

On RHEL and AlmaLinux dnf's own advisories are counted instead, also those without a severity, and a repository
that is not cached, old or without advisories makes the answer unknown.

Sources: apt-get(8); the labels Debian-Security and the suites `*-security` of Ubuntu and its ESM archives;
dnf(8), `updateinfo`.
What is not seen: fixes that reach Debian through point releases alone, holes without any fix, what is on hold (patching.held), and
fixes of a package whose installed version is newer than those of all archives (patching.foreign-packages).

Debian 13, apt 3.0.3, with one fix waiting:

    Inst xxd [2:9.1.1230-2] (2:9.1.1230-2+deb13u2 Debian:13.8/stable, Debian-Security:13/stable-security [amd64])
"""

from __future__ import annotations

from dataclasses import dataclass

from checks.servers.check import CheckOutcome, check, failed, missing, passed, unknown
from checks.servers.facts import Facts
from checks.servers.patching._freshness import blindness, mirror_age_is_known, staleness
from checks.servers.patching._packages import Packages, judged_by, packages_of
from checks.servers.probe import MissingFact
from checks.servers.probes import apt_held, apt_index, apt_lists, apt_upgrades, dnf_updates, os_release
from checks.servers.wording import listed
from portalops.model.message import Message, msg, nmsg
from portalops.model.verdicts import Severity


@check(
    id="patching.security-updates",
    clause="12.3",
    severity=Severity.CRITICAL,
    needs=(os_release.PROBE,),
    uses=(apt_upgrades.PROBE, apt_index.PROBE, apt_lists.PROBE, apt_held.PROBE, dnf_updates.PROBE),
    title=msg("no security update waits to be installed"),
    remedy=msg("Install the updates in an approved window: 'apt-get update', then 'apt-get dist-upgrade'."),
)
def judge(facts: Facts) -> CheckOutcome:
    return judged_by(facts, apt=_judge_apt, dnf=_judge_dnf)


@dataclass(frozen=True, slots=True)
class WaitingUpdates:
    """The packages for which a security update waits."""

    packages: frozenset[str]
    """By name, without architecture and version."""
    is_whole: bool
    """No other waits: the package manager could have known of it."""


def waiting_in(facts: Facts) -> WaitingUpdates | MissingFact:
    """Return what waits at one look, or why that is not known; for what is told of updates over a time."""
    system = facts.get(os_release.PROBE)
    if isinstance(system, MissingFact):
        return system
    match packages_of(system):
        case Packages.APT:
            lack = facts.lacking(*_APT)
            if lack is not None:
                return lack
            return WaitingUpdates(
                frozenset(each.package.partition(":")[0] for each in facts[apt_upgrades.PROBE] if each.is_security),
                _apt_blindness(facts) is None,
            )
        case Packages.DNF:
            seen = facts.get(dnf_updates.PROBE)
            if isinstance(seen, MissingFact):
                return seen
            names = frozenset(package.rsplit("-", 2)[0] for _advisory, package in seen.waiting)
            return WaitingUpdates(names, blindness(seen.repositories, facts.at) is None)
        case Packages.OTHER:
            return MissingFact(
                "unknown-system", msg("portalops does not know how {system} gets its fixes", system=system.name)
            )


_APT = (apt_upgrades.PROBE, apt_index.PROBE, apt_lists.PROBE)


def _judge_apt(facts: Facts) -> CheckOutcome:
    lack = facts.lacking(*_APT)
    if lack is not None:
        return missing(lack)
    waiting = [upgrade for upgrade in facts[apt_upgrades.PROBE] if upgrade.is_security]
    if names := sorted({upgrade.package for upgrade in waiting if not upgrade.is_pinned}):
        return _waiting(names)
    if pinned := sorted({upgrade.package for upgrade in waiting}):
        return failed(
            "updates-pinned",
            nmsg(
                "a pin keeps {n} security update away: {names}",
                "pins keep {n} security updates away: {names}",
                len(pinned),
                names=listed(pinned),
            ),
        )
    blind = _apt_blindness(facts)
    if blind is not None:
        return unknown(*blind)
    return passed(msg("no security update waits; apt's lists are fresh"))


def _apt_blindness(facts: Facts) -> tuple[str, Message] | None:
    """Return why apt can't know of every security update, or None if it can."""
    indexes = facts[apt_index.PROBE]
    if not indexes:
        return "lists-empty", msg("apt's lists are empty, so it knows of no updates")
    if not any(index.is_security for index in indexes):
        return "no-security-source", msg("no security archive is configured, so apt knows of no security updates")
    if lacking := apt_index.without_security(indexes):
        said = msg("no fixes are taken from the security archive for: {names}", names=listed(lacking))
        return "security-partial", said
    lists = facts[apt_lists.PROBE]
    stale = staleness(lists, facts.at)
    if stale is not None:
        return stale
    if not mirror_age_is_known(lists, facts.at):
        return "mirror-age-unknown", msg("no archive shows that the mirror is up to date")
    kept = {each.package.partition(":")[0] for each in facts[apt_upgrades.PROBE] if each.is_kept_back}
    held = facts.get(apt_held.PROBE)
    if kept and isinstance(held, MissingFact):
        return held.reason, held.seen
    if names := sorted(kept.difference(() if isinstance(held, MissingFact) else held.packages)):
        return "kept-back", msg("apt keeps back newer versions, which may be fixes, of {names}", names=listed(names))
    return None


def _judge_dnf(facts: Facts) -> CheckOutcome:
    seen = facts.get(dnf_updates.PROBE)
    if isinstance(seen, MissingFact):
        return missing(seen)
    if seen.waiting:
        return _waiting(sorted({package for _, package in seen.waiting}))
    blind = blindness(seen.repositories, facts.at)
    if blind is not None:
        return unknown(*blind)
    return passed(msg("no security advisory of dnf's repositories is open"))


def _waiting(names: list[str]) -> CheckOutcome:
    return failed(
        "updates-waiting",
        nmsg(
            "{n} security update waits: {names}", "{n} security updates wait: {names}", len(names), names=listed(names)
        ),
    )
