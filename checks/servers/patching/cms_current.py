"""Every content management system has a version without known holes.

Portals are broken into through their content management system more often than through anything else, and no package
manager knows of a system that was unpacked by hand. Article 12.3.

The rule: each system that is found has at least the version which the table in the bundle of vulnerabilities names for its
series. All that are found must be declared in `cms` of `[checks.declared]` by their folder, and all that are declared must
be found. The answer is unknown without a declaration, without a table or with a table that was not read for {table_days}
days, for a series that the table lacks, where a declared folder no longer holds a system, where the version cannot be read
or its file was moved, and where a web root depends on a variable.

Sources: the makers' announcements that the table was made from ('portalops vuln bundle build --support'). On Debian 13 with
its package of WordPress:

    wordpress|/usr/share/wordpress|6.8.3
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, timedelta

from checks.servers.check import CheckOutcome, check, failed, passed, unknown
from checks.servers.facts import Facts
from checks.servers.probe import shown
from checks.servers.probes import cms_versions, vulnerabilities
from checks.servers.probes.cms_versions import Cms
from checks.servers.wording import listed
from checks.vulnerabilities.versions import NotAVersion, deb_key
from portalops.model.message import msg
from portalops.model.verdicts import CheckVerdict, Severity

TABLE_GOOD_FOR = timedelta(days=30)


@check(
    id="patching.cms-version",
    clause="12.3",
    severity=Severity.HIGH,
    needs=(cms_versions.PROBE, vulnerabilities.PROBE),
    title=msg("every content management system has a version without known holes"),
    remedy=msg("Upgrade the content management system, or remove it from the server if nobody uses it."),
    numbers={"table_days": TABLE_GOOD_FOR.days},
)
def judge(facts: Facts) -> CheckOutcome:
    declared = facts.declared.cms
    if declared is None:
        return unknown("not-declared", msg("the content management systems are not declared"))
    seen = facts[cms_versions.PROBE]
    folders = {one.folder for one in seen.found}
    undeclared = sorted(folders - set(declared))
    if undeclared:
        return failed(
            "undeclared", msg("content management systems that are not declared: {names}", names=listed(undeclared))
        )
    gone = sorted(set(declared) - folders)
    if gone:
        return unknown("file-moved", msg("no content management system is found in {names}", names=listed(gone)))
    if seen.unclear:
        return unknown(
            "root-unclear",
            msg("it is not clear which folders the web server serves: {names}", names=listed(seen.unclear)),
        )
    if not seen.found:
        return passed(msg("there is no content management system, as declared"))
    support = facts[vulnerabilities.PROBE].support
    if not support:
        return unknown("no-table", msg("the vulnerability bundle has no table of minimum versions"))
    outcomes = [_judged(one, support["cms"].get(one.name, {})) for one in seen.found]
    for verdict in (CheckVerdict.FAIL, CheckVerdict.UNKNOWN):
        for outcome in outcomes:
            if outcome.verdict is verdict:
                return outcome
    read_on = date.fromisoformat(support["read_on"])
    if facts.at.date() - read_on > TABLE_GOOD_FOR:
        return unknown("table-old", msg("the table of minimum versions was last read on {day}", day=read_on))
    versions = listed(f"{one.name} {one.version}" for one in seen.found)
    return passed(msg("all content management systems are at their minimum versions or above: {names}", names=versions))


def _judged(one: Cms, minimums: Mapping[str, str]) -> CheckOutcome:
    folder = shown(one.folder, 80)
    try:
        version = deb_key(one.version)
    except NotAVersion:
        return unknown(
            "version-unreadable", msg("the version of {name} in {folder} cannot be read", name=one.name, folder=folder)
        )
    least = minimums.get(".".join(one.version.split(".")[:2]))
    if least is None:
        return unknown(
            "series-unknown",
            msg(
                "the table of minimum versions does not list {name} {version} of {folder}",
                name=one.name,
                version=one.version,
                folder=folder,
            ),
        )
    if version < deb_key(least):
        return failed(
            "version-low",
            msg(
                "{name} {version} in {folder} is older than {least}",
                name=one.name,
                version=one.version,
                folder=folder,
                least=least,
            ),
        )
    return passed(
        msg(
            "{name} {version} in {folder} is at least {least}",
            name=one.name,
            version=one.version,
            folder=folder,
            least=least,
        )
    )
