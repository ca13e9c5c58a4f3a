"""The declared configuration files have the content that was approved.

Whoever changes a setting changes the system, though no package and no account changes. Article 12.2 asks that changes are
approved before they are made.

The rule: every file that is declared under `config_files` has the declared SHA-256, or leads where the declared symbolic
link leads. It is looked for under /etc and in /usr/local/bin, sbin and libexec; files that hold secrets are not looked at,
by their names, and a declared one of those is unknown. The helper program that portalops itself uses on a host belongs into
the declaration.

Source: sha256sum(1). On Debian 13:

    b43f1046c4ec9fd2cadd2a1a5bf8e400493770f52f14b3daab4d7a39a86f7055  /etc/systemd/system/portal.service
"""

from __future__ import annotations

from checks.servers.change._sets import changed
from checks.servers.check import Outcome, check, failed, passed, unknown
from checks.servers.facts import Facts
from checks.servers.probes import etc_files
from checks.servers.wording import listed
from portalops.model.message import msg, nmsg
from portalops.model.verdicts import Severity


@check(
    id="change.config",
    clause="12.2",
    severity=Severity.HIGH,
    needs=(etc_files.PROBE,),
    title=msg("configuration files have the content that was approved"),
    remedy=msg("Restore the approved file, or have the change approved and declare the new digest."),
)
def judge(facts: Facts) -> Outcome:
    seen, approved = facts[etc_files.PROBE], facts.declared.config_files
    if not approved:
        return unknown("not-declared", msg("which content was approved is not declared; seen: {n} files", n=len(seen)))
    others = changed(seen, approved)
    if others:
        return failed("config-changed", msg("with another content than approved: {paths}", paths=listed(others)))
    gone = sorted(path for path in approved if path not in seen and etc_files.covers(path))
    if gone:
        return failed("config-gone", msg("approved and gone: {gone}", gone=listed(gone)))
    beyond = sorted(path for path in approved if path not in seen)
    if beyond:
        return unknown(
            "not-looked-at", msg("files of such a place or name are not looked at: {paths}", paths=listed(beyond))
        )
    return passed(
        nmsg(
            "the {n} declared file has the approved content",
            "the {n} declared files have the approved content",
            len(approved),
        )
    )
