"""Security fixes install themselves, or are declared to be installed by hand.

The common fault is silent: unattended-upgrades is on, its pattern names an archive that this release does not have, and
nothing is ever installed. Article 12.3.

The rule: unattended-upgrades is installed and on, one of its patterns matches a security archive that the host really
has, and it ran within 2 days; or the portal declares `updates = "manual"` for the host, which puts the duty on people.
Hosts with dnf are not looked at yet and are unknown.

Sources: apt.conf(5), the README of unattended-upgrades (origin, label, archive or suite, codename, component, with
shell wildcards). On Debian 13:

    APT::Periodic::Unattended-Upgrade "1";
    Unattended-Upgrade::Origins-Pattern:: "origin=Debian,codename=${distro_codename}-security,label=Debian-Security";
"""

from __future__ import annotations

import fnmatch
from datetime import timedelta

from checks.servers.check import Outcome, check, failed, passed, unknown
from checks.servers.clocks import is_ahead
from checks.servers.facts import Facts
from checks.servers.probes import apt_automatic, apt_index, os_release
from checks.servers.probes.apt_index import Index
from checks.servers.probes.os_release import OsRelease
from portalops.model.message import msg
from portalops.model.verdicts import Severity

RAN_WITHIN = timedelta(days=2)
_KEYS = {"o": "origin", "l": "label", "a": "archive", "suite": "archive", "n": "codename"}


@check(
    id="patching.unattended",
    clause="12.3",
    severity=Severity.MEDIUM,
    needs=(apt_automatic.PROBE, apt_index.PROBE, os_release.PROBE),
    title=msg("security fixes install themselves"),
    remedy=msg(
        "Correct Origins-Pattern in 50unattended-upgrades and turn it on, or declare the host's updates as manual."
    ),
)
def judge(facts: Facts) -> Outcome:
    automatic = facts[apt_automatic.PROBE]
    if facts.declared.updates == "manual":
        return passed(msg("the host is declared to get its fixes by hand"))
    if not automatic.is_enabled:
        return failed("not-enabled", msg("unattended-upgrades is not installed or not turned on"))
    security = [index for index in facts[apt_index.PROBE] if index.is_security]
    if not security:
        return unknown("no-security-source", msg("there is no security archive to hold the patterns against"))
    release = facts[os_release.PROBE]
    if not any(_matches(pattern, index, release) for pattern in automatic.patterns for index in security):
        return failed(
            "pattern-matches-nothing", msg("no pattern of unattended-upgrades matches the host's security archive")
        )
    if automatic.ran_at is None:
        return failed("never-ran", msg("unattended-upgrades is on and has never run"))
    if is_ahead(automatic.ran_at, facts.at):
        return unknown("ran-in-future", msg("unattended-upgrades says that it ran at {ran}", ran=automatic.ran_at))
    if facts.at - automatic.ran_at > RAN_WITHIN:
        return failed("ran-long-ago", msg("unattended-upgrades last ran at {ran}", ran=automatic.ran_at))
    return passed(msg("unattended-upgrades covers the security archive and ran at {ran}", ran=automatic.ran_at))


def _matches(pattern: str, index: Index, release: OsRelease) -> bool:
    """Say whether every condition of a pattern holds; a condition that can't be seen here does not."""
    names = {"${distro_codename}": release.codename, "${distro_id}": release.id.capitalize()}
    for name, value in names.items():
        pattern = pattern.replace(name, value)
    seen = {"origin": index.origin, "label": index.label, "archive": index.suite, "codename": index.codename}
    conditions = [condition.strip().partition("=") for condition in pattern.split(",") if condition.strip()]
    return bool(conditions) and all(
        key in {"component", "c"} or fnmatch.fnmatchcase(seen.get(_KEYS.get(key, key), ""), value)
        for key, _, value in conditions
    )
