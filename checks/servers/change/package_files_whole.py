"""The files of packages are as their makers delivered them.

A program that was exchanged in its place is the oldest way to stay on a host. Article 12.2: what is changed on a host is
changed by approved means, and that is not by hand in the files of a package.

The rule: no file of a package is missing or has another content, but configuration files that are declared under
`config_files`, where their content is compared. Where a diversion sends a package's file elsewhere, the file in its place counts as
exchanged, unless it is the diverting package's own or has the same content. Missing documents (/usr/share/doc, man, info, locale, lintian, help, groff)
don't count: small images leave them out. dpkg and rpm compare with what they wrote down at the installation, so they do not
find somebody who can change those records; packages without digests are not compared.

Sources: dpkg(1), dpkg-divert(1), rpm(8). dpkg 1.22 on Debian 13, after /usr/bin/who was exchanged:

    ??5??????   /usr/bin/who
"""

from __future__ import annotations

from checks.servers.check import CheckOutcome, check, failed, missing, passed
from checks.servers.facts import Facts
from checks.servers.patching._packages import judged_by
from checks.servers.probe import MissingFact, Probe
from checks.servers.probes import dpkg_verify, os_release, rpm_verify
from checks.servers.probes.dpkg_verify import Deviation
from checks.servers.wording import listed
from portalops.model.message import msg, nmsg
from portalops.model.verdicts import Severity

_DOCUMENTS = tuple(f"/usr/share/{name}/" for name in ("doc", "man", "info", "locale", "lintian", "help", "groff"))


@check(
    id="change.package-files",
    clause="12.2",
    severity=Severity.MEDIUM,
    needs=(os_release.PROBE,),
    uses=(dpkg_verify.PROBE, rpm_verify.PROBE),
    title=msg("the files of packages are as their makers delivered them"),
    remedy=msg(
        "Find out who changed the file, then install the package again; treat an exchanged program as an incident."
    ),
)
def judge(facts: Facts) -> CheckOutcome:
    return judged_by(
        facts, apt=lambda facts: _judged(facts, dpkg_verify.PROBE), dnf=lambda facts: _judged(facts, rpm_verify.PROBE)
    )


def _judged(facts: Facts, probe: Probe[tuple[Deviation, ...]]) -> CheckOutcome:
    found = facts.get(probe)
    if isinstance(found, MissingFact):
        return missing(found)
    approved = facts.declared.config_files or {}
    exchanged = sorted(one.path for one in found if not one.is_missing and not one.is_config)
    if exchanged:
        return failed(
            "file-exchanged", msg("files with other content than delivered: {paths}", paths=listed(exchanged))
        )
    gone = sorted(one.path for one in found if one.is_missing and not one.path.startswith(_DOCUMENTS))
    if gone:
        return failed("file-missing", msg("files that were delivered and are gone: {paths}", paths=listed(gone)))
    own = sorted(one.path for one in found if one.is_config and not one.is_missing)
    undeclared = [path for path in own if path not in approved]
    if undeclared:
        return failed(
            "config-undeclared", msg("changed settings that are not declared: {paths}", paths=listed(undeclared))
        )
    return passed(
        nmsg(
            "every file is as delivered, but {n} configuration file that is declared",
            "every file is as delivered, but {n} configuration files that are declared",
            len(own),
        )
    )
